/*
 * Credentials that the machine hands out: ECS, EKS and other containers; EC2 with IMDSv2.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
 */
#include "aws/creds_doc.h"
#include "aws/uri.h"

#include <openssl/crypto.h>
#include <string.h>

#define MAX_ANSWER ((size_t)256 * 1024)

struct question {
	const char *method;
	const char *url;
	const char *header, *value; /* one extra header or NULL */
	int64_t timeout_ms;
};

/* ERR_UNREACHABLE when nobody answers; an HTTP status other than 200 is ERR_FAILED. */
static enum err_status ask(
	struct http_pool *pool, const struct question *q, struct buf *out, struct err *err)
{
	struct uri_parts u;
	if (!uri_split(str_from(q->url), &u)) {
		return err_set(err, ERR_CONFIG, "malformed credentials URL '%s'", q->url);
	}
	struct wire_request r;
	struct wire_response answer;
	wire_request_init(&r);
	wire_response_init(&answer, MAX_ANSWER);
	r.method = q->method;
	r.tls = u.tls;
	buf_add_str(&r.authority, u.authority);
	buf_add_str(&r.path, u.path.n ? u.path : STR("/"));
	if (q->header) {
		wire_set(&r.headers, q->header, str_from(q->value));
	}
	struct http_exchange x = {
		.request = &r, .response = &answer, .direct = true, .timeout_ms = q->timeout_ms
	};
	struct http *h = http_get(pool);
	enum err_status st =
		h ? http_once(h, &x, err) : err_set(err, ERR_FAILED, "libcurl failed");
	http_put(pool, h);
	if (st == ERR_OK && x.result != HTTP_OK) {
		st = err_set(err, ERR_UNREACHABLE, "%s: %s", q->url, x.detail);
	} else if (st == ERR_OK && answer.status != 200) {
		st = err_set(
			err, ERR_CONFIG, "credentials: %s answered %d", q->url, answer.status);
		if (err) {
			err->http_status = answer.status;
		}
	} else if (st == ERR_OK) {
		buf_reset(out);
		buf_add_str(out, buf_view(&answer.body));
	}
	if (answer.body.p) {
		OPENSSL_cleanse(answer.body.p, answer.body.n);
	}
	wire_request_deinit(&r);
	wire_response_deinit(&answer);
	return st;
}

static enum err_status read_answer(
	struct buf *answer, const char *source, struct creds **out, struct err *err)
{
	json_t *doc = NULL;
	enum err_status st = doc_parse(buf_view(answer), MAX_ANSWER, &doc, err);
	if (st == ERR_OK) {
		st = creds_doc_read(doc, source, out, err);
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
	return str_glob(STR("127.*.*.*"), u->host);
}

static enum err_status authorization(struct env *env, struct buf *out, struct err *err)
{
	const char *file = env_var(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = env_var(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
	if (file) {
		struct buf text;
		buf_init(&text, out->max);
		enum err_status st = env_read_file(env, file, &text, err);
		buf_add_str(out, str_trim(buf_view(&text)));
		buf_deinit(&text);
		if (st != ERR_OK) {
			return st;
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
	struct buf token, answer;
	if (!relative && !full) {
		return ERR_OK;
	}
	(void)snprintf(url, sizeof(url), "%s%s", relative ? "http://169.254.170.2" : "",
		relative ? relative : full);
	if (!uri_split(str_from(url), &u) || !container_host_ok(&u)) {
		return err_set(err, ERR_CONFIG,
			"AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this "
			"machine");
	}
	enum err_status st;
	buf_init(&token, (size_t)16 * 1024);
	buf_init(&answer, MAX_ANSWER);
	TRY(authorization(o->env, &token, err));
	struct question q = { .method = "GET",
		.url = url,
		.timeout_ms = 2000,
		.header = token.n ? "Authorization" : NULL,
		.value = token.p };
	TRY(ask(o->pool, &q, &answer, err));
	st = read_answer(&answer, "container", out, err);
out:
	if (answer.p) {
		OPENSSL_cleanse(answer.p, answer.n);
	}
	buf_deinit(&answer);
	buf_deinit(&token);
	return st;
}

/* ---- EC2 ---- */

struct imds {
	const struct creds_options *o;
	char base[512];
	struct buf token;
};

static enum err_status imds_get(
	struct imds *i, const char *path, struct buf *out, struct err *err)
{
	char url[1024];
	(void)snprintf(url, sizeof(url), "%s/latest/meta-data/iam/security-credentials/%s",
		i->base, path);
	struct question q = { .method = "GET",
		.url = url,
		.timeout_ms = 1000,
		.header = "X-aws-ec2-metadata-token",
		.value = i->token.p };
	return ask(i->o->pool, &q, out, err);
}

static enum err_status imds_token(struct imds *i, struct err *err)
{
	char url[1024];
	(void)snprintf(url, sizeof(url), "%s/latest/api/token", i->base);
	struct question q = { .method = "PUT",
		.url = url,
		.timeout_ms = 1000,
		.header = "X-aws-ec2-metadata-token-ttl-seconds",
		.value = "21600" };
	return ask(i->o->pool, &q, &i->token, err);
}

enum err_status creds_from_instance(
	const struct creds_options *o, struct creds **out, struct err *err)
{
	struct imds i = { .o = o };
	struct buf role, answer;
	struct err why = { 0 };
	if (str_eq_nocase(
		    str_from(env_var(o->env, "AWS_EC2_METADATA_DISABLED")), STR("true"))) {
		return ERR_OK;
	}
	struct str base = profile_setting(o->env, o->profiles,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
	while (base.n && base.p[base.n - 1] == '/') {
		base.n--;
	}
	(void)snprintf(i.base, sizeof(i.base), "%.*s",
		STR_ARG(base.n ? base : STR("http://169.254.169.254")));
	buf_init(&i.token, 4096);
	buf_init(&role, 4096);
	buf_init(&answer, MAX_ANSWER);
	enum err_status st = imds_token(&i, &why);
	if (st == ERR_OK) {
		st = imds_get(&i, "", &role, &why);
	}
	if (st == ERR_OK) {
		struct str name = str_trim(buf_view(&role));
		name = str_sub(name, 0, str_find_char(name, '\n'));
		char path[256];
		(void)snprintf(path, sizeof(path), "%.*s", STR_ARG(name));
		st = imds_get(&i, path, &answer, &why);
	}
	if (st == ERR_OK) {
		st = read_answer(&answer, "EC2 instance", out, err);
	} else if (st == ERR_UNREACHABLE || (why.http_status >= 400 && why.http_status < 500)) {
		st = ERR_OK; /* not on EC2, metadata switched off (403), or no role (404) */
	} else if (err) {
		*err = why;
	}
	if (answer.p) {
		OPENSSL_cleanse(answer.p, answer.n);
	}
	buf_deinit(&answer);
	buf_deinit(&role);
	buf_deinit(&i.token);
	return st;
}
