/*
 * The AWS layer driven by the tests: one JSON command a line on stdin, one JSON answer a line on
 * stdout, {"error":{..}} when it failed.
 *   {"do":"show","service","operation","params"}               the signed request
 *   {"do":"presign", .. ,"expires":s}                          aws_presign
 *   {"do":"call", .. }                                         {"result"}
 *   {"do":"parse", .. ,"status","headers":{},"body":base64}    {"result"}, of an answer made up by the test
 *   {"do":"put", .. ,"size":n[,"sha256"]}                      {"result","rss_kb"}; a stream of n bytes
 *   {"do":"get", .. }                                          {"result","bytes","sha256","rss_kb"}; into a sink
 */
#include "aws/aws.h"
#include "aws/errors.h"
#include "aws/proto.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE ((size_t)64 * 1024 * 1024)

static json_t *failure(const struct err *e)
{
	return json_pack("{s:{s:i,s:s,s:s,s:i,s:s,s:b,s:b,s:b,s:b}}", "error", "status",
		(int)e->status, "message", e->msg, "code", e->code, "http", e->http_status,
		"request_id", e->request_id, "retryable", e->retryable, "throttled",
		aws_error_throttled(e), "skewed", aws_error_skewed(e), "expired",
		aws_error_expired(e));
}

/* Most memory that the process ever held. */
static int64_t peak_kb(void)
{
	char line[256];
	long long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f)) {
		(void)sscanf(line, "VmHWM: %lld kB", &kb);
	}
	if (f) {
		fclose(f);
	}
	return kb;
}

static json_t *parse(const json_t *in, struct err *err)
{
	struct model_call c;
	struct wire_response r;
	const char *name;
	json_t *value, *result = NULL;
	if (!model_find(&model_table, doc_text(in, "service"), doc_text(in, "operation"), &c)) {
		(void)err_set(err, ERR_USAGE, "unknown operation");
		return NULL;
	}
	wire_response_init(&r, WIRE_MAX_BODY);
	r.status = (int)doc_int(in, "status", 200);
	json_object_foreach(json_object_get(in, "headers"), name, value)
	{
		wire_add(&r.headers, name, str_from(json_string_value(value)));
	}
	(void)hash_unbase64(str_from(doc_text_or(in, "body", "")), &r.body);
	if (r.status < 200 || r.status >= 300 || errors_hidden(&c, &r)) {
		(void)errors_from(&c, &r, err);
	} else if (proto_parse(&c, &r, &result, err) == ERR_OK) {
		result = json_pack("{s:o}", "result", result);
	}
	wire_response_deinit(&r);
	return result;
}

/* ---- streams ---- */

struct stream {
	uint64_t size, at;
	struct hash_sha256 *sum;
};

static size_t give(void *ctx, void *out, size_t n)
{
	struct stream *s = ctx;
	static unsigned char pattern[256 * 251]; /* byte i of the stream is i % 251 */
	for (size_t i = sizeof(pattern); i-- > 0 && pattern[1] == 0;) {
		pattern[i] = (unsigned char)(i % 251);
	}
	size_t left = (size_t)(s->size - s->at), from = s->at % 251;
	n = n < left ? n : left;
	n = n < sizeof(pattern) - from ? n : sizeof(pattern) - from;
	memcpy(out, pattern + from, n);
	s->at += n;
	return n;
}

static bool again(void *ctx)
{
	((struct stream *)ctx)->at = 0;
	return true;
}

static bool take(void *ctx, const void *p, size_t n)
{
	struct stream *s = ctx;
	hash_sha256_add(s->sum, p, n);
	s->size += n;
	return true;
}

static json_t *put(struct aws_client *c, const json_t *in, struct err *err)
{
	struct stream s = { .size = (uint64_t)doc_int(in, "size", 0) };
	struct aws_source source = { .read = give,
		.rewind = again,
		.ctx = &s,
		.size = s.size,
		.sha256_hex = doc_text(in, "sha256") };
	struct aws_request r = { .service = doc_text(in, "service"),
		.operation = doc_text(in, "operation"),
		.params = json_object_get(in, "params"),
		.source = &source };
	if (aws_call_many(c, &r, 1, err) != ERR_OK) {
		return NULL;
	}
	return json_pack("{s:o,s:I}", "result", r.result, "rss_kb", (json_int_t)peak_kb());
}

static json_t *get(struct aws_client *c, const json_t *in, struct err *err)
{
	unsigned char digest[HASH_SHA256_BYTES];
	char hex[HASH_SHA256_HEX];
	struct stream s = { .sum = hash_sha256_new() };
	struct aws_sink sink = { .write = take, .ctx = &s };
	struct aws_request r = { .service = doc_text(in, "service"),
		.operation = doc_text(in, "operation"),
		.params = json_object_get(in, "params"),
		.sink = &sink };
	enum err_status st = aws_call_many(c, &r, 1, err);
	hash_sha256_end(s.sum, digest);
	hash_sha256_free(s.sum);
	hash_hex(digest, sizeof(digest), hex);
	return st != ERR_OK ? NULL
			    : json_pack("{s:o,s:I,s:s,s:I}", "result", r.result, "bytes",
				      (json_int_t)s.size, "sha256", hex, "rss_kb",
				      (json_int_t)peak_kb());
}

static json_t *perform(struct aws_client *c, const json_t *in, struct err *err)
{
	json_t *out = NULL;
	const char *what = doc_text_or(in, "do", ""), *service = doc_text(in, "service"),
		   *operation = doc_text(in, "operation");
	const json_t *params = json_object_get(in, "params");
	if (strcmp(what, "show") == 0) {
		if (aws_show_request(c, service, operation, params, &out, err) != ERR_OK) {
			return NULL;
		}
	} else if (strcmp(what, "presign") == 0) {
		struct aws_presign p = { .service = service,
			.operation = operation,
			.params = params,
			.region = doc_text(in, "region"),
			.expires_s = doc_int(in, "expires", 0) };
		if (aws_presign(c, &p, &out, err) != ERR_OK) {
			return NULL;
		}
	} else if (strcmp(what, "call") == 0) {
		if (aws_call(c, service, operation, params, &out, err) == ERR_OK) {
			out = json_pack("{s:o}", "result", out);
		}
	} else if (strcmp(what, "parse") == 0) {
		out = parse(in, err);
	} else if (strcmp(what, "put") == 0) {
		out = put(c, in, err);
	} else if (strcmp(what, "get") == 0) {
		out = get(c, in, err);
	} else {
		(void)err_set(err, ERR_USAGE, "no such command: %s", what);
	}
	return out;
}

int main(void)
{
	struct aws_options opts = { .max_attempts = 1 };
	struct aws_client *c = NULL;
	struct err e = { 0 };
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	if (aws_client_new(env_system(), &opts, &c, &e) != ERR_OK) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	while ((n = getline(&line, &cap, stdin)) > 0) {
		json_t *in = NULL, *out = NULL;
		struct err why = { 0 };
		if (doc_parse((struct str){ line, (size_t)n }, MAX_LINE, &in, &why) == ERR_OK) {
			out = perform(c, in, &why);
		}
		out = out ? out : failure(&why);
		json_dumpf(out, stdout, JSON_COMPACT);
		printf("\n");
		fflush(stdout);
		json_decref(in);
		json_decref(out);
	}
	free(line);
	aws_client_free(c);
	return 0;
}
