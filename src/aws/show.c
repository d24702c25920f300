/* Requests that cordon makes and somebody else looks at or sends: shown whole, or as a presigned URL. */
#include "aws/job.h"
#include "base/hash.h"
#include "base/utc.h"

#include <stdlib.h>

static json_t *shown(const struct wire_request *w)
{
	struct buf url;
	buf_init(&url, (size_t)256 * 1024);
	wire_url(w, &url);
	json_t *headers = json_object();
	for (size_t i = 0; i < w->headers.n; i++) {
		(void)json_object_set_new(headers, w->headers.items[i].name,
			doc_str(str_from(w->headers.items[i].value)));
	}
	struct str body = wire_body(w);
	json_t *base64 = json_null();
	if (!str_is_utf8(body)) {
		struct buf b;
		buf_init(&b, body.n / 3 * 4 + 8);
		hash_base64(body, &b);
		base64 = doc_str(buf_view(&b));
		buf_deinit(&b);
		body = (struct str){ 0 };
	}
	json_t *doc = json_pack("{s:s,s:o,s:o,s:o,s:o}", "method", w->method, "url",
		doc_str(buf_view(&url)), "headers", headers, "body", doc_str(body),
		"body_base64", base64);
	buf_deinit(&url);
	return doc;
}

enum err_status aws_show_request(struct aws_client *c, const char *service,
	const char *operation, const json_t *params, json_t **out, struct err *err)
{
	struct aws_request r = { .service = service, .operation = operation, .params = params };
	struct job *j = calloc(1, sizeof(*j));
	if (!j) {
		return err_set(err, ERR_LIMIT, "out of memory");
	}
	j->show_only = true;
	enum err_status st = job_prepare(j, c, &r, err);
	if (st == ERR_OK) {
		st = job_send(j, NULL, err);
	}
	if (st == ERR_OK) {
		*out = shown(&j->wire);
	}
	job_deinit(j);
	free(j);
	return st;
}

enum err_status aws_presign(
	struct aws_client *c, const struct aws_presign *what, json_t **out, struct err *err)
{
	struct aws_request r = { .service = what->service,
		.operation = what->operation,
		.params = what->params,
		.region = what->region };
	int64_t seconds = what->expires_s ? what->expires_s : AWS_PRESIGN_DEFAULT_S;
	if (seconds < 1 || seconds > AWS_PRESIGN_MAX_S) {
		return err_set(err, ERR_USAGE,
			"a presigned URL lasts from 1 to %d seconds (7 days), not %lld",
			AWS_PRESIGN_MAX_S, (long long)seconds);
	}
	struct job *j = calloc(1, sizeof(*j));
	if (!j) {
		return err_set(err, ERR_LIMIT, "out of memory");
	}
	j->body_later = true;
	enum err_status st = job_prepare(j, c, &r, err);
	if (st == ERR_OK) {
		st = job_presign(j, seconds, err);
	}
	if (st == ERR_OK) {
		char until[32];
		utc_rfc3339(j->url_ends_ms, until);
		*out = shown(&j->wire);
		(void)json_object_set_new(*out, "expires", json_string(until));
	}
	job_deinit(j);
	free(j);
	return st;
}
