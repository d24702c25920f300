/* A profile of the config files: another profile's role, keys, a program that prints keys. */
#include "aws/creds_doc.h"

#include <string.h>

#define MAX_CHAIN 5 /* source_profile of a source_profile ... */

static struct str get(const struct creds_options *o, const char *profile, const char *key)
{
	struct str value = { 0 };
	(void)profile_get(o->profiles, profile, key, &value);
	return value;
}

static enum err_status static_keys(
	const struct creds_options *o, const char *profile, struct creds **out, struct err *err)
{
	struct str key = get(o, profile, "aws_access_key_id");
	struct str secret = get(o, profile, "aws_secret_access_key");
	if (!key.n && !secret.n) {
		return ERR_OK;
	}
	if (!key.n || !secret.n) {
		return err_set(err, ERR_CONFIG,
			"profile '%s' has only one of aws_access_key_id and "
			"aws_secret_access_key",
			profile);
	}
	*out = creds_new(key, secret, get(o, profile, "aws_session_token"), "profile");
	return ERR_OK;
}

/* Sign-ins that need a browser are left to the AWS CLI, which can lend its session. */
static enum err_status needs_cli(const char *profile, const char *what, struct err *err)
{
	return err_set(err, ERR_CONFIG,
		"profile '%s' uses %s, which needs the AWS CLI: sign in with it, then add a "
		"profile "
		"with: credential_process = aws configure export-credentials --profile %s "
		"--format process",
		profile, what, profile);
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

static enum err_status from_profile(const struct creds_options *o, const char *profile,
	int depth, struct creds **out, struct err *err);

/* NOLINTBEGIN(misc-no-recursion): bounded by MAX_CHAIN */
/* What signs the AssumeRole call. */
static enum err_status base_creds(const struct creds_options *o, const char *profile, int depth,
	struct creds **out, struct err *err)
{
	struct str source = get(o, profile, "source_profile");
	struct str kind = get(o, profile, "credential_source");
	char name[256];
	enum err_status st;
	if (source.n) {
		(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(source));
		bool own = strcmp(name, profile) == 0;
		if (!profile_exists(o->profiles, name)) {
			return err_set(err, ERR_CONFIG,
				"profile '%s': source_profile '%s' does not exist", profile,
				name);
		}
		st = own ? static_keys(o, name, out, err)
			 : from_profile(o, name, depth + 1, out, err);
	} else if (str_is(kind, "Environment")) {
		st = creds_from_env(o, out, err);
	} else if (str_is(kind, "Ec2InstanceMetadata")) {
		st = creds_from_instance(o, out, err);
	} else if (str_is(kind, "EcsContainer")) {
		st = creds_from_container(o, out, err);
	} else {
		return err_set(err, ERR_CONFIG,
			"profile '%s' has role_arn but neither source_profile nor a "
			"credential_source of "
			"Environment, Ec2InstanceMetadata or EcsContainer",
			profile);
	}
	if (st == ERR_OK && !*out) {
		st = err_set(err, ERR_CONFIG, "profile '%s': no credentials where %s points to",
			profile, source.n ? "source_profile" : "credential_source");
	}
	return st;
}

static enum err_status role(const struct creds_options *o, const char *profile, int depth,
	struct creds **out, struct err *err)
{
	struct creds *base = NULL;
	json_t *params = json_object();
	struct str token_file = get(o, profile, "web_identity_token_file");
	enum err_status st;
	TRY(role_params(o, profile, params, err));
	if (token_file.n) {
		st = with_token_file(o, token_file, params, out, err);
		goto out;
	}
	if (get(o, profile, "mfa_serial").n) {
		st = needs_cli(profile, "a role with MFA", err);
		goto out;
	}
	TRY(base_creds(o, profile, depth, &base, err));
	st = assume(o, base, "AssumeRole", params, out, err);
out:
	json_decref(params);
	creds_unref(base);
	return st;
}

static enum err_status from_profile(const struct creds_options *o, const char *profile,
	int depth, struct creds **out, struct err *err)
{
	if (depth == MAX_CHAIN) {
		return err_set(err, ERR_CONFIG,
			"profile '%s': source_profile goes round in a circle", profile);
	}
	if (get(o, profile, "role_arn").n) {
		return role(o, profile, depth, out, err);
	}
	if (get(o, profile, "sso_session").n || get(o, profile, "sso_start_url").n) {
		return needs_cli(profile, "IAM Identity Center (SSO)", err);
	}
	enum err_status st = static_keys(o, profile, out, err);
	if (st != ERR_OK || *out) {
		return st;
	}
	if (get(o, profile, "login_session").n) {
		return needs_cli(profile, "`aws login`", err);
	}
	struct str process = get(o, profile, "credential_process");
	return process.n ? creds_from_process(o, process, out, err) : ERR_OK;
}
/* NOLINTEND(misc-no-recursion) */

enum err_status creds_from_profile(
	const struct creds_options *o, const char *profile, struct creds **out, struct err *err)
{
	return from_profile(o, profile, 0, out, err);
}

enum err_status creds_from_web_identity(
	const struct creds_options *o, struct creds **out, struct err *err)
{
	const char *file = env_var(o->env, "AWS_WEB_IDENTITY_TOKEN_FILE");
	const char *arn = env_var(o->env, "AWS_ROLE_ARN");
	const char *session = env_var(o->env, "AWS_ROLE_SESSION_NAME");
	if (!file || !arn) {
		return ERR_OK;
	}
	json_t *params = json_object();
	set(params, "RoleArn", str_from(arn));
	set(params, "RoleSessionName", str_from(session ? session : o->session_name));
	enum err_status st = with_token_file(o, str_from(file), params, out, err);
	json_decref(params);
	return st;
}
