#include "aws/metadata.h"

#include <stdlib.h>

#define PAUSE_MS       ((int64_t)100)
#define MAX_ATTEMPTS   10
#define MAX_TIMEOUT_S  60
#define TOKEN_TTL_S    "21600"
#define DEFAULT_IPV4   "http://169.254.169.254"
#define DEFAULT_IPV6   "http://[fd00:ec2::254]"
#define REGION_OF_HERE "/latest/meta-data/placement/region"

bool metadata_split(struct str url, struct uri_parts *out, struct str *query)
{
	size_t mark = str_find_char(url, '?');
	*query = mark == SIZE_MAX ? (struct str){ 0 } : str_sub(url, mark, SIZE_MAX);
	return uri_split(str_sub(url, 0, mark), out);
}

static void build(const struct metadata_question *q, const struct uri_parts *u,
	struct str query, struct wire_request *r)
{
	r->method = q->method;
	r->tls = u->tls;
	buf_add_str(&r->authority, u->authority);
	buf_add_str(&r->path, u->path.n ? u->path : STR("/"));
	buf_add_str(&r->path, query); /* nothing is signed here, so it may stand there */
	if (q->header) {
		wire_set(&r->headers, q->header, str_from(q->value));
	}
}

static enum err_status once(const struct metadata *m, const struct metadata_question *q,
	const struct wire_request *r, struct buf *out, struct err *err)
{
	struct wire_response answer;
	wire_response_init(&answer, METADATA_MAX_ANSWER);
	struct http_exchange x = { .request = r,
		.response = &answer,
		.direct = true,
		.may_resend = true,
		.timeout_ms = q->timeout_ms };
	struct http *h = http_get(m->pool);
	enum err_status st =
		h ? http_once(h, &x, err) : err_set(err, ERR_FAILED, "libcurl can't be set up");
	http_put(m->pool, h);
	if (st == ERR_OK && x.result != HTTP_OK) {
		st = err_set(err, ERR_UNREACHABLE, "%s: %s", q->url, x.detail);
	} else if (st == ERR_OK && answer.status != 200) {
		st = err_set(
			err, ERR_CONFIG, "credentials: %s answered %d", q->url, answer.status);
		err->http_status = answer.status;
	} else if (st == ERR_OK) {
		buf_reset(out);
		buf_add_str(out, buf_view(&answer.body));
	}
	wire_response_deinit(&answer);
	return st;
}

static bool passing(const struct err *e)
{
	return e->status == ERR_UNREACHABLE || e->http_status == 429 || e->http_status >= 500;
}

enum err_status metadata_ask(const struct metadata *m, const struct metadata_question *q,
	struct buf *out, struct err *err)
{
	struct uri_parts u;
	struct str query;
	if (!metadata_split(str_from(q->url), &u, &query)) {
		return err_set(err, ERR_CONFIG, "malformed credentials URL '%s'", q->url);
	}
	struct wire_request r;
	wire_request_init(&r);
	build(q, &u, query, &r);
	struct err why = { 0 };
	enum err_status st = once(m, q, &r, out, &why);
	for (int i = 1; i < q->attempts && st != ERR_OK && passing(&why); i++) {
		env_sleep_ms(m->env, PAUSE_MS << i);
		err_clear(&why);
		st = once(m, q, &r, out, &why);
	}
	wire_request_deinit(&r);
	if (st != ERR_OK && err) {
		*err = why;
	}
	return st;
}

static int64_t number(const struct metadata *m, const char *variable, const char *key,
	int64_t otherwise, int64_t max)
{
	int64_t n;
	struct str text = profile_setting(m->env, m->profiles, variable, key);
	return str_to_i64(text, &n) && n > 0 && n <= max ? n : otherwise;
}

static struct str base_url(const struct metadata *m)
{
	struct str base = profile_setting(m->env, m->profiles,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
	struct str mode = profile_setting(m->env, m->profiles,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
	if (!base.n) {
		base = str_eq_nocase(mode, STR("ipv6")) ? STR(DEFAULT_IPV6) : STR(DEFAULT_IPV4);
	}
	while (base.n && base.p[base.n - 1] == '/') {
		base.n--;
	}
	return base;
}

enum err_status metadata_open(
	const struct metadata *m, struct metadata_session *out, struct err *err)
{
	char url[640];
	const char *off = env_var(m->env, "AWS_EC2_METADATA_DISABLED");
	if (str_eq_nocase(str_from(off), STR("true"))) {
		return err_set(
			err, ERR_UNREACHABLE, "the instance metadata service is switched off");
	}
	*out = (struct metadata_session){ .m = m };
	out->timeout_ms = 1000 * number(m, "AWS_METADATA_SERVICE_TIMEOUT",
					 "metadata_service_timeout", 1, MAX_TIMEOUT_S);
	out->attempts = (int)number(m, "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
		"metadata_service_num_attempts", 1, MAX_ATTEMPTS);
	(void)snprintf(out->base, sizeof(out->base), "%.*s", STR_ARG(base_url(m)));
	(void)snprintf(url, sizeof(url), "%s/latest/api/token", out->base);
	buf_init(&out->token, 4096);
	out->token.wipe = true;
	struct metadata_question q = { .method = "PUT",
		.url = url,
		.timeout_ms = out->timeout_ms,
		.attempts = out->attempts,
		.header = "X-aws-ec2-metadata-token-ttl-seconds",
		.value = TOKEN_TTL_S };
	enum err_status st = metadata_ask(m, &q, &out->token, err);
	if (st != ERR_OK) {
		buf_deinit(&out->token);
	}
	return st;
}

enum err_status metadata_read(
	const struct metadata_session *s, const char *path, struct buf *out, struct err *err)
{
	char url[1024];
	(void)snprintf(url, sizeof(url), "%s%s", s->base, path);
	struct metadata_question q = { .method = "GET",
		.url = url,
		.timeout_ms = s->timeout_ms,
		/* It has just given a token, so what fails now passes. */
		.attempts = s->attempts < 3 ? 3 : s->attempts,
		.header = "X-aws-ec2-metadata-token",
		.value = s->token.p };
	return metadata_ask(s->m, &q, out, err);
}

void metadata_close(struct metadata_session *s)
{
	buf_deinit(&s->token);
}

bool metadata_region(const struct metadata *m, struct buf *out)
{
	struct metadata_session s;
	if (metadata_open(m, &s, NULL) != ERR_OK) {
		return false;
	}
	struct buf answer;
	buf_init(&answer, 256);
	bool ok = metadata_read(&s, REGION_OF_HERE, &answer, NULL) == ERR_OK;
	struct str region = str_trim(buf_view(&answer));
	ok = ok && region.n > 0;
	if (ok) {
		buf_add_str(out, region);
	}
	buf_deinit(&answer);
	metadata_close(&s);
	return ok;
}
