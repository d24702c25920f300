/* Calls against a scripted server: retries, clock, errors, streams, concurrency. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client.h"
#include "base/utc.h"
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW 1785578400000 /* 2026-08-01T10:00:00Z */
#define OK_TOPICS                                                                 \
	"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nx-amzn-RequestId: id-1\r\n" \
	"Content-Length: 87\r\n\r\n"                                              \
	"<ListTopicsResponse><ListTopicsResult><Topics/></ListTopicsResult>"      \
	"</ListTopicsResponse>"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct world {
	struct stub stub;
	struct stub_env env;
	struct aws_client *client;
	char endpoint[96];
	const char *vars[8];
};

static void begin(struct world *w, const struct stub_answer *answers, size_t n,
	struct aws_options options)
{
	memset(w, 0, sizeof(*w));
	stub_start(&w->stub, answers, n);
	(void)snprintf(w->endpoint, sizeof(w->endpoint), "AWS_ENDPOINT_URL=%s", w->stub.url);
	w->vars[0] = "AWS_ACCESS_KEY_ID=AKIDEXAMPLE";
	w->vars[1] = "AWS_SECRET_ACCESS_KEY=secret";
	w->vars[2] = "AWS_REGION=eu-west-1";
	w->vars[3] = w->endpoint;
	stub_env_init(&w->env, NOW, w->vars);
	assert_int_equal(aws_client_new(&w->env.base, &options, &w->client, NULL), ERR_OK);
}

static void end(struct world *w)
{
	aws_client_free(w->client);
	stub_stop(&w->stub);
}

static void test_throttled_then_fine(void **state)
{
	(void)state;
	char a[512], one[64], two[64];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "503 Slow Down", "Retry-After: 3\r\n",
			  "<ErrorResponse><Error><Code>Throttling</Code><Message>m</Message>"
			  "</Error><RequestId>r</RequestId></ErrorResponse>") },
		{ .text = OK_TOPICS },
	};
	struct world w;
	begin(&w, answers, 2, (struct aws_options){ 0 });
	json_t *result = NULL;
	assert_int_equal(aws_call(w.client, "sns", "ListTopics", NULL, &result, NULL), ERR_OK);
	assert_int_equal(json_array_size(json_object_get(result, "Topics")), 0);
	assert_int_equal(stub_requests(&w.stub), 2);
	assert_in_range(atomic_load(&w.env.slept_ms), 3000, 3001);
	stub_header(&w.stub, 0, "amz-sdk-invocation-id", one, sizeof(one));
	stub_header(&w.stub, 1, "amz-sdk-invocation-id", two, sizeof(two));
	assert_string_equal(one, two);
	stub_header(&w.stub, 1, "amz-sdk-request", two, sizeof(two));
	assert_string_equal(two, "attempt=2; max=3");
	json_decref(result);
	end(&w);
}

/* What moto says to an operation it does not have. */
static void test_html_is_no_answer(void **state)
{
	(void)state;
	char a[512];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "500 INTERNAL SERVER ERROR",
			  "Content-Type: text/html\r\n",
			  "<!doctype html>\n<html lang=en>\n<title>500</title>") }
	};
	struct world w;
	struct err e = { 0 };
	begin(&w, answers, 1, (struct aws_options){ 0 });
	assert_int_equal(
		aws_call(w.client, "sns", "ListTopics", NULL, NULL, &e), ERR_UNREACHABLE);
	assert_int_equal(stub_requests(&w.stub), 3);
	assert_int_equal(e.http_status, 500);
	assert_string_equal(e.code, "InternalError");
	assert_non_null(strstr(e.msg, "HTML page"));
	assert_non_null(strstr(e.msg, "after 3 attempts"));
	assert_true(e.retryable);
	end(&w);
}

/* An unknown outcome is repeated only when the repeat is harmless. */
static void test_who_is_repeated(void **state)
{
	(void)state;
	char a[512], one[2048], two[2048];
	const struct stub_answer broken[] = {
		{ .text = stub_text(a, sizeof(a), "500 Oops", "",
			  "<Response><Errors><Error><Code>InternalError</Code><Message>m</"
			  "Message></Error>"
			  "</Errors><RequestID>r-9</RequestID></Response>") }
	};
	static const struct {
		const char *operation, *params;
		size_t requests;
	} cases[] = {
		{ "StopInstances", "{\"InstanceIds\":[\"i-1\"]}", 1 },
		{ "DescribeInstances", "{}", 3 },
		/* carries a client token */
		{ "RunInstances", "{\"MinCount\":1,\"MaxCount\":1}", 3 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		struct err e = { 0 };
		json_t *params = json_loads(cases[i].params, 0, NULL);
		begin(&w, broken, 1, (struct aws_options){ 0 });
		assert_int_equal(
			aws_call(w.client, "ec2", cases[i].operation, params, NULL, &e),
			ERR_UNREACHABLE);
		assert_int_equal(stub_requests(&w.stub), cases[i].requests);
		assert_string_equal(e.request_id, "r-9");
		if (i == 2) {
			(void)snprintf(one, sizeof(one), "%s",
				strstr(w.stub.requests[0], "ClientToken="));
			(void)snprintf(two, sizeof(two), "%s",
				strstr(w.stub.requests[2], "ClientToken="));
			assert_string_equal(one, two);
		}
		json_decref(params);
		end(&w);
	}
}

static void test_lost_connections(void **state)
{
	(void)state;
	const struct stub_answer cut[] = { { .text = NULL }, { .text = OK_TOPICS } };
	struct world w;
	struct err e = { 0 };
	json_t *params = json_pack("{s:s}", "Name", "t");
	begin(&w, cut, 2, (struct aws_options){ 0 });
	assert_int_equal(aws_call(w.client, "sns", "ListTopics", NULL, NULL, &e), ERR_OK);
	assert_int_equal(stub_requests(&w.stub), 2);
	end(&w);
	begin(&w, cut, 1, (struct aws_options){ 0 });
	assert_int_equal(
		aws_call(w.client, "sns", "CreateTopic", params, NULL, &e), ERR_UNREACHABLE);
	assert_int_equal(stub_requests(&w.stub), 1);
	end(&w);
	/* Nobody listens: nothing was processed, so even this is tried again. */
	begin(&w, cut, 1, (struct aws_options){ 0 });
	struct aws_stats stats;
	struct aws_client *lonely = NULL;
	struct aws_options nowhere = { .endpoint_url = "http://127.0.0.1:1" };
	assert_int_equal(aws_client_new(&w.env.base, &nowhere, &lonely, NULL), ERR_OK);
	assert_int_equal(
		aws_call(lonely, "sns", "CreateTopic", params, NULL, &e), ERR_UNREACHABLE);
	aws_client_stats(lonely, &stats);
	assert_int_equal(stats.attempts, 3);
	assert_int_equal(stats.errors, 1);
	aws_client_free(lonely);
	end(&w);
	json_decref(params);
}

static void test_truncated_answer(void **state)
{
	(void)state;
	const struct stub_answer answers[] = {
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<ListTopics",
			.close = true },
		{ .text = OK_TOPICS },
	};
	struct world w;
	begin(&w, answers, 2, (struct aws_options){ 0 });
	assert_int_equal(aws_call(w.client, "sns", "ListTopics", NULL, NULL, NULL), ERR_OK);
	assert_int_equal(stub_requests(&w.stub), 2);
	end(&w);
}

/* Our clock is an hour slow: the server's Date header puts it right, for later calls too. */
static void test_clock_skew(void **state)
{
	(void)state;
	char a[512], date[64];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "403 Forbidden",
			  "Date: Sat, 01 Aug 2026 11:00:00 GMT\r\n",
			  "<ErrorResponse><Error><Code>SignatureDoesNotMatch</"
			  "Code><Message>Signature "
			  "expired</Message></Error></ErrorResponse>") },
		{ .text = OK_TOPICS },
	};
	struct world w;
	begin(&w, answers, 2, (struct aws_options){ 0 });
	assert_int_equal(aws_call(w.client, "sns", "ListTopics", NULL, NULL, NULL), ERR_OK);
	stub_header(&w.stub, 0, "X-Amz-Date", date, sizeof(date));
	assert_string_equal(date, "20260801T100000Z");
	stub_header(&w.stub, 1, "X-Amz-Date", date, sizeof(date));
	assert_string_equal(date, "20260801T110000Z");
	assert_int_equal(aws_call(w.client, "sns", "ListTopics", NULL, NULL, NULL), ERR_OK);
	assert_int_equal(stub_requests(&w.stub), 3);
	assert_int_equal(stub_connections(&w.stub), 1); /* and the connection was kept */
	end(&w);
}

/* With the right time a wrong signature is simply wrong. */
static void test_wrong_secret(void **state)
{
	(void)state;
	char a[512];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "403 Forbidden",
			  "Date: Sat, 01 Aug 2026 10:00:00 GMT\r\n",
			  "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></"
			  "ErrorResponse>") }
	};
	struct world w;
	struct err e = { 0 };
	begin(&w, answers, 1, (struct aws_options){ 0 });
	assert_int_equal(aws_call(w.client, "sns", "ListTopics", NULL, NULL, &e), ERR_CONFIG);
	assert_int_equal(stub_requests(&w.stub), 1);
	assert_non_null(strstr(e.msg, "clock"));
	end(&w);
}

static void test_error_forms(void **state)
{
	(void)state;
	static const struct {
		const char *service, *operation, *status, *headers, *body;
		const char *code;
		enum err_status want;
	} cases[] = {
		{ "dynamodb", "ListTables", "400 Bad", "x-amzn-RequestId: q\r\n",
			"{\"__type\":\"com.amazonaws.dynamodb.v20120810#"
			"ResourceNotFoundException\","
			"\"message\":\"no table\"}",
			"ResourceNotFoundException", ERR_NOT_FOUND },
		{ "sqs", "ListQueues", "400 Bad",
			"x-amzn-query-error: "
			"AWS.SimpleQueueService.NonExistentQueue;Sender\r\n",
			"{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":"
			"\"m\"}",
			"AWS.SimpleQueueService.NonExistentQueue", ERR_NOT_FOUND },
		{ "dynamodb", "ListTables", "403 Forbidden", "",
			"<ErrorResponse><Error><Code>AccessDenied</Code><Message>as "
			"XML</Message>"
			"</Error></ErrorResponse>",
			"AccessDenied", ERR_DENIED },
		{ "lambda", "ListFunctions", "403 Forbidden",
			"x-amzn-ErrorType: AccessDeniedException:http://internal/\r\n",
			"{\"Message\":\"no\"}", "AccessDeniedException", ERR_DENIED },
		{ "s3", "ListBuckets", "409 Conflict", "",
			"<Error><Code>OperationAborted</Code><Message>m</Message></Error>",
			"OperationAborted", ERR_CONFLICT },
		{ "ec2", "DescribeVpcs", "403 Forbidden", "",
			"<Response><Errors><Error><Code>UnauthorizedOperation</"
			"Code><Message>You are "
			"not "
			"authorized</Message></Error></Errors><RequestID>x</RequestID></"
			"Response>",
			"UnauthorizedOperation", ERR_DENIED },
		{ "ec2", "DescribeVpcs", "400 Bad", "",
			"<Response><Errors><Error><Code>InvalidGroup.Duplicate</Code></Error></"
			"Errors>"
			"</Response>",
			"InvalidGroup.Duplicate", ERR_CONFLICT },
		{ "sts", "GetCallerIdentity", "404 Not Found", "", "", "NotFound",
			ERR_NOT_FOUND },
		{ "sts", "GetCallerIdentity", "403 Forbidden", "", "{\"truncat", "AccessDenied",
			ERR_DENIED },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char a[1024];
		const struct stub_answer answer = { .text = stub_text(a, sizeof(a),
							    cases[i].status, cases[i].headers,
							    cases[i].body) };
		struct world w;
		struct err e = { 0 };
		begin(&w, &answer, 1, (struct aws_options){ 0 });
		assert_int_equal(aws_call(w.client, cases[i].service, cases[i].operation, NULL,
					 NULL, &e),
			cases[i].want);
		assert_string_equal(e.code, cases[i].code);
		assert_true(e.call[0] != '\0' && e.http_status != 0);
		end(&w);
	}
}

/* S3 says 200 before it knows how a copy ends. */
static void test_error_behind_200(void **state)
{
	(void)state;
	char a[512], b[512];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "200 OK", "",
			  "<Error><Code>InternalError</Code><Message>m</Message></Error>") },
		{ .text = stub_text(b, sizeof(b), "200 OK", "",
			  "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>") },
	};
	struct world w;
	json_t *result = NULL;
	json_t *params = json_pack(
		"{s:s,s:s,s:s}", "Bucket", "bkt", "Key", "k", "CopySource", "bkt/old");
	begin(&w, answers, 2, (struct aws_options){ 0 });
	assert_int_equal(aws_call(w.client, "s3", "CopyObject", params, &result, NULL), ERR_OK);
	assert_int_equal(stub_requests(&w.stub), 2);
	assert_string_equal(doc_text(result, "CopyObjectResult.ETag"), "\"e\"");
	json_decref(result);
	json_decref(params);
	end(&w);
}

static void test_deadline(void **state)
{
	(void)state;
	char a[512];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "503 Busy", "Retry-After: 30\r\n",
			  "<ErrorResponse><Error><Code>Throttling</Code></Error></"
			  "ErrorResponse>") }
	};
	struct world w;
	struct err e = { 0 };
	begin(&w, answers, 1, (struct aws_options){ .deadline_ms = NOW + 10000 });
	assert_int_equal(
		aws_call(w.client, "sns", "ListTopics", NULL, NULL, &e), ERR_UNREACHABLE);
	assert_int_equal(stub_requests(&w.stub), 1);
	assert_int_equal(atomic_load(&w.env.slept_ms), 0);
	aws_client_set_deadline(w.client, NOW - 1);
	assert_int_equal(
		aws_call(w.client, "sns", "ListTopics", NULL, NULL, &e), ERR_UNREACHABLE);
	assert_int_equal(stub_requests(&w.stub), 1);
	assert_non_null(strstr(e.msg, "deadline"));
	end(&w);
}

struct seen {
	int before, after, mutating;
	enum err_status last;
};

static void watch(void *ctx, const struct aws_event *e)
{
	struct seen *s = ctx;
	s->before += e->phase == AWS_BEFORE;
	s->after += e->phase == AWS_AFTER;
	s->mutating += e->mutating;
	s->last = e->phase == AWS_AFTER ? e->status : s->last;
}

static void test_dry_run_and_observer(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS } };
	struct world w;
	struct seen seen = { .last = ERR_FAILED };
	struct err e = { 0 };
	char agent[256];
	begin(&w, answers, 1,
		(struct aws_options){ .refuse_mutating = true,
			.observer = watch,
			.observer_ctx = &seen,
			.case_id = "2026-0042" });
	json_t *params = json_pack("{s:s}", "Name", "t");
	assert_int_equal(
		aws_call(w.client, "sns", "CreateTopic", params, NULL, &e), ERR_REFUSED);
	assert_int_equal(stub_requests(&w.stub), 0);
	assert_int_equal(seen.before, 0);
	assert_int_equal(seen.after, 1); /* held back, and told of */
	assert_int_equal(seen.last, ERR_REFUSED);
	assert_int_equal(aws_call(w.client, "sns", "ListTopics", NULL, NULL, &e), ERR_OK);
	assert_int_equal(seen.before, 1);
	assert_int_equal(seen.after, 2);
	assert_int_equal(seen.last, ERR_OK);
	json_t *refused = aws_client_refused(w.client);
	assert_int_equal(json_array_size(refused), 1);
	assert_string_equal(doc_text(json_array_get(refused, 0), "params.Name"), "t");
	stub_header(&w.stub, 0, "User-Agent", agent, sizeof(agent));
	assert_non_null(strstr(agent, " md/case#2026-0042"));
	assert_null(strstr(agent, "region/"));
	json_decref(refused);
	json_decref(params);
	end(&w);
}

struct stream {
	const char *data;
	size_t at, rewinds;
	struct buf got;
};

static size_t stream_read(void *ctx, void *out, size_t n)
{
	struct stream *s = ctx;
	size_t left = strlen(s->data) - s->at;
	n = n < left ? n : left;
	memcpy(out, s->data + s->at, n);
	s->at += n;
	return n;
}

static bool stream_rewind(void *ctx)
{
	struct stream *s = ctx;
	s->at = 0;
	s->rewinds++;
	return true;
}

static bool stream_write(void *ctx, const void *p, size_t n)
{
	struct stream *s = ctx;
	buf_add(&s->got, p, n);
	return true;
}

static void test_streams(void **state)
{
	(void)state;
	char a[512], b[512], c[512], hash[80];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "503 Slow Down", "",
			  "<Error><Code>SlowDown</Code></Error>") },
		{ .text = stub_text(b, sizeof(b), "200 OK", "ETag: \"x\"\r\n", "") },
		{ .text = stub_text(
			  c, sizeof(c), "200 OK", "x-amz-meta-case: 1\r\n", "evidence") },
	};
	struct world w;
	struct stream s = { .data = "the disk image" };
	buf_init(&s.got, 1000);
	struct aws_source source = { stream_read, stream_rewind, &s, strlen(s.data), NULL };
	struct aws_sink sink = { stream_write, &s };
	json_t *params = json_pack("{s:s,s:s}", "Bucket", "bkt", "Key", "k");
	struct aws_request put = {
		.service = "s3", .operation = "PutObject", .params = params, .source = &source
	};
	struct aws_request get = {
		.service = "s3", .operation = "GetObject", .params = params, .sink = &sink
	};
	begin(&w, answers, 3, (struct aws_options){ 0 });
	assert_int_equal(aws_call_many(w.client, &put, 1, NULL), ERR_OK);
	assert_string_equal(doc_text(put.result, "ETag"), "\"x\"");
	/* Not encrypted, so every chunk is signed; the data was read once for each attempt. */
	assert_non_null(strstr(w.stub.requests[1], "\r\n\r\ne;chunk-signature="));
	assert_non_null(strstr(w.stub.requests[1], "\r\nthe disk image\r\n0;chunk-signature="));
	assert_non_null(strstr(w.stub.requests[1],
		"\r\nx-amz-checksum-sha256:aRUYABkbz85A+tNMRgFlPx2cK87LFKGiKq3keRPW+lI=\r\n"
		"x-amz-trailer-signature:"));
	assert_int_equal(s.rewinds, 1);
	stub_header(&w.stub, 1, "x-amz-content-sha256", hash, sizeof(hash));
	assert_string_equal(hash, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
	assert_int_equal(aws_call_many(w.client, &get, 1, NULL), ERR_OK);
	assert_true(str_is(buf_view(&s.got), "evidence"));
	assert_string_equal(doc_text(get.result, "Metadata.case"), "1");
	json_decref(put.result);
	json_decref(get.result);
	json_decref(params);
	buf_deinit(&s.got);
	end(&w);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Every call has an id of its own, also beyond those that are drawn at a time. */
static void test_ids_are_never_twice(void **state)
{
	(void)state;
	enum { MANY = 3 * CLIENT_IDS + 1 };
	static char ids[MANY][37];
	struct world w;
	const struct stub_answer none = { .text = "" };
	begin(&w, &none, 1, (struct aws_options){ 0 });
	for (size_t i = 0; i < MANY; i++) {
		client_invocation(w.client, ids[i]);
		assert_int_equal(strlen(ids[i]), 36);
		assert_int_equal(ids[i][14], '4');
	}
	qsort(ids, MANY, sizeof(ids[0]), by_text);
	for (size_t i = 1; i < MANY; i++) {
		assert_string_not_equal(ids[i - 1], ids[i]);
	}
	end(&w);
}

enum { PUT_STREAM, PUT_BODY, POST, GET, HEAD, DELETE, KINDS };

static void check_kind(int kind, const char *request)
{
	static const char *const lines[] = { "PUT /bkt/k HTTP/1.1\r\n",
		"PUT /bkt/k HTTP/1.1\r\n", "POST /bkt?delete= HTTP/1.1\r\n",
		"GET /bkt/k HTTP/1.1\r\n", "HEAD /bkt/k HTTP/1.1\r\n",
		"DELETE /bkt/k HTTP/1.1\r\n" };
	const char *body = strstr(request, "\r\n\r\n") + 4;
	bool length = strcasestr(request, "\r\nContent-Length: ") != NULL;
	assert_memory_equal(request, lines[kind], strlen(lines[kind]));
	assert_null(strcasestr(request, "\r\nTransfer-Encoding:"));
	assert_int_equal(length, kind <= POST);
	if (kind == PUT_STREAM) {
		assert_non_null(strstr(body, "\r\nthe disk image\r\n0;chunk-signature="));
	} else if (kind == PUT_BODY) {
		assert_string_equal(body, "in memory");
	} else if (kind == POST) {
		assert_non_null(strstr(body, "<Key>k</Key>"));
	} else {
		assert_string_equal(body, "");
	}
}

/* A handle of libcurl's is used again for another kind of request, of which nothing may be left. */
static void test_every_kind_after_every_other(void **state)
{
	(void)state;
	static const char *const operations[] = { "PutObject", "PutObject", "DeleteObjects",
		"GetObject", "HeadObject", "DeleteObject" };
	char answer[128];
	const struct stub_answer answers[] = {
		{ .text = stub_text(answer, sizeof(answer), "200 OK", "", "") }
	};
	int order[64];
	size_t n = 0;
	for (int i = 0; i < KINDS; i++) {
		order[n++] = i;
		order[n++] = i;
		for (int j = i + 1; j < KINDS; j++) {
			order[n++] = j;
			order[n++] = i;
		}
	}
	struct world w;
	begin(&w, answers, 1, (struct aws_options){ 0 });
	json_t *object = json_pack("{s:s,s:s}", "Bucket", "bkt", "Key", "k");
	json_t *list = json_pack(
		"{s:s,s:{s:[{s:s}]}}", "Bucket", "bkt", "Delete", "Objects", "Key", "k");
	for (size_t i = 0; i < n; i++) {
		struct stream s = { .data = "the disk image" };
		struct aws_source source = { stream_read, stream_rewind, &s, strlen(s.data),
			NULL };
		struct buf got;
		buf_init(&got, 100);
		struct aws_request r = { .service = "s3",
			.operation = operations[order[i]],
			.params = order[i] == POST ? list : object,
			.source = order[i] == PUT_STREAM ? &source : NULL,
			.body = order[i] == PUT_BODY ? STR("in memory") : (struct str){ 0 },
			.body_out = order[i] == GET ? &got : NULL };
		assert_int_equal(aws_call_many(w.client, &r, 1, NULL), ERR_OK);
		check_kind(order[i], w.stub.requests[i]);
		json_decref(r.result);
		buf_deinit(&got);
	}
	assert_int_equal(stub_connections(&w.stub), 1);
	json_decref(object);
	json_decref(list);
	end(&w);
}

static int64_t real_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_batch_is_concurrent(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS, .delay_ms = 100 } };
	struct aws_request reqs[20] = { 0 };
	struct world w;
	struct aws_stats stats;
	for (size_t i = 0; i < COUNT(reqs); i++) {
		reqs[i].service = "sns";
		reqs[i].operation = i == 7 ? "NoSuchThing" : "ListTopics";
	}
	begin(&w, answers, 1, (struct aws_options){ 0 });
	int64_t start = real_ms();
	struct err e = { 0 };
	assert_int_equal(aws_call_many(w.client, reqs, COUNT(reqs), &e), ERR_USAGE);
	assert_true(real_ms() - start <
		    stub_patience(1500)); /* one after another: 1900 ms at least */
	aws_client_stats(w.client, &stats);
	assert_int_equal(stats.rounds, 1);
	assert_int_equal(stats.calls, 20);
	for (size_t i = 0; i < COUNT(reqs); i++) {
		assert_int_equal(reqs[i].status, i == 7 ? ERR_USAGE : ERR_OK);
		json_decref(reqs[i].result);
	}
	end(&w);
}

static void *call_often(void *arg)
{
	struct aws_client *c = arg;
	for (int i = 0; i < 10; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "case-%d", i);
		aws_client_set_case(c, id);
		if (aws_call(c, "sns", "ListTopics", NULL, NULL, NULL) != ERR_OK) {
			return arg;
		}
	}
	return NULL;
}

static void test_threads(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS } };
	struct world w;
	pthread_t t[4];
	begin(&w, answers, 1, (struct aws_options){ 0 });
	for (size_t i = 0; i < COUNT(t); i++) {
		assert_int_equal(pthread_create(&t[i], NULL, call_often, w.client), 0);
	}
	for (size_t i = 0; i < COUNT(t); i++) {
		void *bad = NULL;
		assert_int_equal(pthread_join(t[i], &bad), 0);
		assert_null(bad);
	}
	assert_int_equal(stub_requests(&w.stub), 40);
	assert_true(stub_connections(&w.stub) <= 4);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_throttled_then_fine),
		cmocka_unit_test(test_html_is_no_answer),
		cmocka_unit_test(test_who_is_repeated),
		cmocka_unit_test(test_lost_connections),
		cmocka_unit_test(test_truncated_answer),
		cmocka_unit_test(test_clock_skew),
		cmocka_unit_test(test_wrong_secret),
		cmocka_unit_test(test_error_forms),
		cmocka_unit_test(test_error_behind_200),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_dry_run_and_observer),
		cmocka_unit_test(test_ids_are_never_twice),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_every_kind_after_every_other),
		cmocka_unit_test(test_batch_is_concurrent),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
