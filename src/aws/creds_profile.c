/*
 * A profile of the config files: another profile's role, web identity, keys, a program that prints
 * keys; in the order of creds.h.
 */
#include "aws/creds_doc.h"

#include <openssl/crypto.h>
#include <string.h>

#define MAX_CHAIN 5 /* source_profile of a source_profile ... */

static struct str get(const struct creds_options *o, const char *profile, const char *key)
{
	struct str value = { 0 };
	(void)profile_get(o->profiles, profile, key, &value);
	return value;
}

/* The keys that one of the two files has; the files are not mixed. */
static enum err_status static_keys(const struct creds_options *o, const char *profile,
	enum profile_file file, struct creds **out, struct err *err)
{
	struct str key = { 0 }, secret = { 0 }, token = { 0 };
	const struct profile_set *p = o->profiles;
	if (!profile_get_in(p, file, profile, "aws_access_key_id", &key)) {
		return ERR_OK;
	}
	if (!key.n || !profile_get_in(p, file, profile, "aws_secret_access_key", &secret) ||
		!secret.n) {
		return err_set(err, ERR_CONFIG,
			"profile '%s' has only one of aws_access_key_id and "
			"aws_secret_access_key in %s",
			profile, profile_path(p, file));
	}
	(void)profile_get_in(p, file, profile, "aws_session_token", &token);
	*out = creds_new(key, secret, token, "profile");
	return ERR_OK;
}

/* Sign-ins that need a browser are left to the AWS CLI, which can lend its session. */
static enum err_status needs_cli(
	const char *profile, const char *what, const char *command, struct err *err)
{
	return err_set(err, ERR_CONFIG,
		"profile '%s' signs in with %s, which the AWS CLI does: run `aws %s --profile "
		"%s`, then use a profile of its own with this line: credential_process = aws "
		"configure export-credentials --profile %s --format process",
		profile, what, command, profile, profile);
}

static enum err_status assume(const struct creds_options *o, struct creds *base,
	const char *operation, json_t *params, struct creds **out, struct err *err)
{
	json_t *answer = NULL;
	enum err_status st = o->sts(o->sts_ctx, base, operation, params, &answer, err);
	if (st == ERR_OK) {
		st = creds_doc_read(json_object_get(answer, "Credentials"), "STS", out, err);
	} else {
		(void)err_prefix(
			err, "can't assume %s", doc_text_or(params, "RoleArn", "the role"));
	}
	json_decref(answer);
	return st;
}

static void set(json_t *params, const char *key, struct str value)
{
	if (value.n) {
		(void)json_object_set_new(params, key, doc_str(value));
	}
}

/* https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
static enum err_status role_params(
	const struct creds_options *o, const char *profile, json_t *params, struct err *err)
{
	struct str duration = get(o, profile, "duration_seconds");
	struct str session = get(o, profile, "role_session_name");
	int64_t seconds;
	set(params, "RoleArn", get(o, profile, "role_arn"));
	set(params, "RoleSessionName", session.n ? session : str_from(o->session_name));
	set(params, "ExternalId", get(o, profile, "external_id"));
	if (duration.n) {
		if (!str_to_i64(duration, &seconds) || seconds < 900 || seconds > 43200) {
			return err_set(err, ERR_CONFIG,
				"profile '%s': duration_seconds must be 900 to 43200", profile);
		}
		(void)json_object_set_new(params, "DurationSeconds", json_integer(seconds));
	}
	return ERR_OK;
}

static enum err_status with_token_file(const struct creds_options *o, struct str path,
	json_t *params, struct creds **out, struct err *err)
{
	char name[4096];
	struct buf token;
	buf_init(&token, (size_t)64 * 1024);
	token.wipe = true;
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(path));
	enum err_status st = env_read_file(o->env, name, &token, err);
	if (st != ERR_OK) {
		(void)err_prefix(err, "web identity token");
		st = ERR_CONFIG;
	} else {
		set(params, "WebIdentityToken", str_trim(buf_view(&token)));
		st = assume(o, NULL, "AssumeRoleWithWebIdentity", params, out, err);
	}
	buf_deinit(&token);
	return st;
}

static enum err_status mfa_params(
	const struct creds_options *o, const char *profile, json_t *params, struct err *err)
{
	char serial[256], code[16] = "";
	struct str device = get(o, profile, "mfa_serial");
	if (!device.n) {
		return ERR_OK;
	}
	(void)snprintf(serial, sizeof(serial), "%.*s", STR_ARG(device));
	if (!o->mfa) {
		return err_set(err, ERR_CONFIG,
			"profile '%s' needs the code of MFA device %s and nobody can be asked; "
			"use a profile without mfa_serial, or temporary keys made with: aws "
			"sts get-session-token --serial-number %s --token-code CODE",
			profile, serial, serial);
	}
	enum err_status st = o->mfa(o->mfa_ctx, serial, code, sizeof(code), err);
	if (st == ERR_OK) {
		set(params, "SerialNumber", device);
		set(params, "TokenCode", str_from(code));
	}
	OPENSSL_cleanse(code, sizeof(code));
	return st;
}

/* From where web identity is configured; the environment first, as far as it counts. */
static struct str identity_setting(const struct creds_options *o, const char *profile,
	const char *variable, const char *key)
{
	const char *value = variable ? env_var(o->env, variable) : NULL;
	return value ? str_from(value) : get(o, profile, key);
}

static enum err_status web_identity(const struct creds_options *o, const char *profile,
	bool use_environment, struct creds **out, struct err *err)
{
	bool e = use_environment;
	struct str file = identity_setting(o, profile, e ? "AWS_WEB_IDENTITY_TOKEN_FILE" : NULL,
		"web_identity_token_file");
	if (!file.n) {
		return ERR_OK;
	}
	struct str arn = identity_setting(o, profile, e ? "AWS_ROLE_ARN" : NULL, "role_arn");
	struct str name = identity_setting(
		o, profile, e ? "AWS_ROLE_SESSION_NAME" : NULL, "role_session_name");
	if (!arn.n) {
		return err_set(err, ERR_CONFIG,
			"a web identity token file is configured but no role; set "
			"AWS_ROLE_ARN, or role_arn in profile '%s'",
			profile);
	}
	json_t *params = json_object();
	set(params, "RoleArn", arn);
	set(params, "RoleSessionName", name.n ? name : str_from(o->session_name));
	enum err_status st = with_token_file(o, file, params, out, err);
	json_decref(params);
	return st;
}

static bool has(const struct creds_options *o, const char *profile, const char *key)
{
	return get(o, profile, key).n > 0;
}

/* What a profile says beside a role of its own. */
static enum err_status other_sources(const struct creds_options *o, const char *profile,
	bool use_environment, struct creds **out, struct err *err)
{
	enum err_status st = web_identity(o, profile, use_environment, out, err);
	if (st != ERR_OK || *out) {
		return st;
	}
	if (has(o, profile, "sso_account_id") || has(o, profile, "sso_role_name")) {
		return needs_cli(profile, "IAM Identity Center (SSO)", "sso login", err);
	}
	st = static_keys(o, profile, PROFILE_CREDENTIALS, out, err);
	if (st != ERR_OK || *out) {
		return st;
	}
	if (has(o, profile, "login_session")) {
		return needs_cli(profile, "the AWS console", "login", err);
	}
	struct str process = get(o, profile, "credential_process");
	return process.n ? creds_from_process(o, process, out, err)
			 : static_keys(o, profile, PROFILE_CONFIG, out, err);
}

static enum err_status role(const struct creds_options *o, const char *profile, int depth,
	struct creds **out, struct err *err);

static bool is_role(const struct creds_options *o, const char *profile)
{
	return has(o, profile, "role_arn") && !has(o, profile, "web_identity_token_file");
}

/* NOLINTBEGIN(misc-no-recursion): bounded by MAX_CHAIN */
static enum err_status from_source(const struct creds_options *o, const char *profile,
	const char *source, int depth, struct creds **out, struct err *err)
{
	bool keys =
		has(o, source, "aws_access_key_id") || has(o, source, "aws_secret_access_key");
	bool own = strcmp(source, profile) == 0;
	if (!profile_exists(o->profiles, source)) {
		return err_set(err, ERR_CONFIG,
			"profile '%s': source_profile '%s' does not exist", profile, source);
	}
	if (!keys && is_role(o, source)) {
		return own || depth == MAX_CHAIN
			       ? err_set(err, ERR_CONFIG,
					 "profile '%s': source_profile goes round in a circle",
					 profile)
			       : role(o, source, depth + 1, out, err);
	}
	return other_sources(o, source, false, out, err);
}

static enum err_status from_kind(const struct creds_options *o, const char *profile,
	struct str kind, struct creds **out, struct err *err)
{
	if (str_eq_nocase(kind, STR("Environment"))) {
		return creds_from_env(o, out, err);
	}
	if (str_eq_nocase(kind, STR("Ec2InstanceMetadata"))) {
		return creds_from_instance(o, out, err);
	}
	if (str_eq_nocase(kind, STR("EcsContainer"))) {
		return creds_from_container(o, out, err);
	}
	return err_set(err, ERR_CONFIG,
		"profile '%s' has role_arn but neither source_profile nor a "
		"credential_source of Environment, Ec2InstanceMetadata or EcsContainer",
		profile);
}

/* What signs the AssumeRole call. */
static enum err_status base_creds(const struct creds_options *o, const char *profile, int depth,
	struct creds **out, struct err *err)
{
	struct str source = get(o, profile, "source_profile");
	struct str kind = get(o, profile, "credential_source");
	char name[256];
	if (source.n && kind.n) {
		return err_set(err, ERR_CONFIG,
			"profile '%s' has both source_profile and credential_source; keep one",
			profile);
	}
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(source));
	enum err_status st = source.n ? from_source(o, profile, name, depth, out, err)
				      : from_kind(o, profile, kind, out, err);
	if (st == ERR_OK && !*out) {
		st = err_set(err, ERR_CONFIG,
			"profile '%s': no credentials where %s '%.*s' points to", profile,
			source.n ? "source_profile" : "credential_source",
			STR_ARG(source.n ? source : kind));
	}
	return st;
}

static enum err_status role(const struct creds_options *o, const char *profile, int depth,
	struct creds **out, struct err *err)
{
	struct creds *base = NULL;
	json_t *params = json_object();
	enum err_status st;
	TRY(role_params(o, profile, params, err));
	TRY(base_creds(o, profile, depth, &base, err));
	TRY(mfa_params(o, profile, params, err));
	st = assume(o, base, "AssumeRole", params, out, err);
out:
	json_decref(params);
	creds_unref(base);
	return st;
}
/* NOLINTEND(misc-no-recursion) */

enum err_status creds_from_profile(
	const struct creds_options *o, const char *profile, struct creds **out, struct err *err)
{
	return is_role(o, profile) ? role(o, profile, 1, out, err)
				   : other_sources(o, profile, !o->skip_environment, out, err);
}
