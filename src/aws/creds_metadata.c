/*
 * Credentials that the machine hands out: ECS, EKS Pod Identity and other containers; EC2.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
#include "aws/creds_doc.h"
#include "aws/metadata.h"

#include <string.h>

#define ROLES              "/latest/meta-data/iam/security-credentials/"
#define CONTAINER_TIMEOUT  ((int64_t)2000)
#define CONTAINER_ATTEMPTS 3

static struct metadata machine(const struct creds_options *o)
{
	return (struct metadata){ o->env, o->profiles, o->pool };
}

static enum err_status read_answer(
	struct buf *answer, const char *source, struct creds **out, struct err *err)
{
	json_t *doc = NULL;
	struct creds *found = NULL;
	enum err_status st = doc_parse(buf_view(answer), METADATA_MAX_ANSWER, &doc, err);
	if (st == ERR_OK) {
		st = creds_doc_read(doc, source, &found, err);
	}
	if (st == ERR_OK) {
		found->steadfast = true;
		*out = found;
	}
	json_decref(doc);
	return st;
}

/* ---- containers ---- */

/* Plain HTTP is only for addresses that never leave the machine. */
static bool container_host_ok(const struct uri_parts *u)
{
	static const char *const local[] = { "localhost", "169.254.170.2", "169.254.170.23",
		"[::1]", "[fd00:ec2::23]" };
	if (u->tls) {
		return true;
	}
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		if (str_is(u->host, local[i])) {
			return true;
		}
	}
	return uri_is_loopback(u->host);
}

/* Read at every renewal: EKS replaces the file. */
static enum err_status authorization(struct env *env, struct buf *out, struct err *err)
{
	const char *file = env_var(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = env_var(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
	if (file) {
		struct buf text;
		buf_init(&text, out->max);
		text.wipe = true;
		enum err_status st = env_read_file(env, file, &text, err);
		buf_add_str(out, str_trim(buf_view(&text)));
		buf_deinit(&text);
		if (st != ERR_OK) {
			(void)err_prefix(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
			return ERR_CONFIG;
		}
	} else if (token) {
		buf_puts(out, token);
	}
	bool broken = str_find_char(buf_view(out), '\n') != SIZE_MAX ||
		      str_find_char(buf_view(out), '\r') != SIZE_MAX;
	return broken ? err_set(err, ERR_CONFIG, "the container's token has a line break")
		      : ERR_OK;
}

enum err_status creds_from_container(
	const struct creds_options *o, struct creds **out, struct err *err)
{
	char url[2048];
	const char *relative = env_var(o->env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = env_var(o->env, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct uri_parts u;
	struct str query;
	struct buf token, answer;
	if (!relative && !full) {
		return ERR_OK;
	}
	(void)snprintf(url, sizeof(url), "%s%s", relative ? "http://169.254.170.2" : "",
		relative ? relative : full);
	if (!metadata_split(str_from(url), &u, &query) || !container_host_ok(&u)) {
		return err_set(err, ERR_CONFIG,
			"AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this "
			"machine");
	}
	struct metadata m = machine(o);
	enum err_status st;
	buf_init(&token, (size_t)16 * 1024);
	buf_init(&answer, METADATA_MAX_ANSWER);
	token.wipe = answer.wipe = true;
	TRY(authorization(o->env, &token, err));
	struct metadata_question q = { .method = "GET",
		.url = url,
		.timeout_ms = CONTAINER_TIMEOUT,
		.attempts = CONTAINER_ATTEMPTS,
		.header = token.n ? "Authorization" : NULL,
		.value = token.p };
	TRY(metadata_ask(&m, &q, &answer, err));
	st = read_answer(&answer, "container", out, err);
out:
	buf_deinit(&answer);
	buf_deinit(&token);
	return st;
}

/* ---- EC2 ---- */

static enum err_status instance_answer(
	const struct metadata_session *s, struct buf *out, struct err *err)
{
	char path[512];
	struct buf role;
	buf_init(&role, 4096);
	enum err_status st = metadata_read(s, ROLES, &role, err);
	if (st == ERR_OK) {
		struct str name = str_trim(buf_view(&role));
		name = str_sub(name, 0, str_find_char(name, '\n'));
		(void)snprintf(path, sizeof(path), ROLES "%.*s", STR_ARG(name));
		st = metadata_read(s, path, out, err);
	}
	buf_deinit(&role);
	return st;
}

enum err_status creds_from_instance(
	const struct creds_options *o, struct creds **out, struct err *err)
{
	struct metadata m = machine(o);
	struct metadata_session s;
	struct buf answer;
	struct err why = { 0 };
	buf_init(&answer, METADATA_MAX_ANSWER);
	answer.wipe = true;
	enum err_status st = metadata_open(&m, &s, &why);
	if (st == ERR_OK) {
		st = instance_answer(&s, &answer, &why);
		metadata_close(&s);
	}
	if (st == ERR_OK) {
		st = read_answer(&answer, "EC2 instance", out, err);
	} else if (st == ERR_UNREACHABLE || (why.http_status >= 400 && why.http_status < 500)) {
		st = ERR_OK; /* not on EC2, metadata switched off (403), or no role (404) */
	} else if (err) {
		*err = why;
	}
	buf_deinit(&answer);
	return st;
}
