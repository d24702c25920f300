/* How calls behave: time, cancellation, connections, many at once, waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/aws.h"
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOW 1785578400000 /* 2026-08-01T10:00:00Z */
#define OK_TOPICS                                                                 \
	"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nx-amzn-RequestId: id-1\r\n" \
	"Content-Length: 87\r\n\r\n"                                              \
	"<ListTopicsResponse><ListTopicsResult><Topics/></ListTopicsResult>"      \
	"</ListTopicsResponse>"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A client of a stub; the clock is the real one unless the variables go to a fake one. */
struct world {
	struct stub stub;
	struct stub_env fake;
	struct aws_client *client;
	char endpoint[96];
	const char *vars[8];
};

static const char *vars_of_child[8];

static const char *child_var(struct env *e, const char *name)
{
	(void)e;
	size_t n = strlen(name);
	for (const char *const *v = vars_of_child; *v; v++) {
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=') {
			return *v + n + 1;
		}
	}
	return NULL;
}

static void variables(struct world *w, const char *url)
{
	(void)snprintf(w->endpoint, sizeof(w->endpoint), "AWS_ENDPOINT_URL=%s", url);
	w->vars[0] = "AWS_ACCESS_KEY_ID=AKIDEXAMPLE";
	w->vars[1] = "AWS_SECRET_ACCESS_KEY=secret";
	w->vars[2] = "AWS_REGION=eu-west-1";
	w->vars[3] = w->endpoint;
}

/* The real clock and sleep, and the variables of this file alone. */
static struct env *real_env(struct world *w)
{
	static struct env_vtable table;
	static struct env env;
	memcpy(vars_of_child, w->vars, sizeof(w->vars));
	table = *env_system()->v;
	table.var = child_var;
	env.v = &table;
	return &env;
}

static void begin(struct world *w, const struct stub_answer *answers, size_t n,
	struct aws_options options, bool fake)
{
	memset(w, 0, sizeof(*w));
	stub_start(&w->stub, answers, n);
	variables(w, w->stub.url);
	stub_env_init(&w->fake, NOW, w->vars);
	struct env *env = fake ? &w->fake.base : real_env(w);
	assert_int_equal(aws_client_new(env, &options, &w->client, NULL), ERR_OK);
}

static void end(struct world *w)
{
	aws_client_free(w->client);
	stub_stop(&w->stub);
}

static int64_t real_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void rest(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	(void)nanosleep(&t, NULL);
}

static enum err_status topics(struct world *w, struct err *err)
{
	return aws_call(w->client, "sns", "ListTopics", NULL, NULL, err);
}

static enum err_status create(struct world *w, struct err *err)
{
	json_t *params = json_pack("{s:s}", "Name", "t");
	enum err_status st = aws_call(w->client, "sns", "CreateTopic", params, NULL, err);
	json_decref(params);
	return st;
}

/* ---- connections ---- */

/*
 * The server reads a request on a kept connection and cuts it. libcurl would send it again on its
 * own; only what does no harm twice may be.
 */
static void test_kept_connection_breaks(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS }, { .text = NULL },
		{ .text = OK_TOPICS } };
	struct world w;
	struct err e = { 0 };
	begin(&w, answers, COUNT(answers), (struct aws_options){ 0 }, true);
	assert_int_equal(topics(&w, NULL), ERR_OK);
	assert_int_equal(create(&w, &e), ERR_UNREACHABLE);
	assert_int_equal(stub_requests(&w.stub), 2);
	assert_non_null(strstr(e.msg, "closed before an answer"));
	end(&w);
	begin(&w, answers, COUNT(answers), (struct aws_options){ 0 }, true);
	assert_int_equal(topics(&w, NULL), ERR_OK);
	assert_int_equal(topics(&w, NULL), ERR_OK);
	assert_int_equal(stub_requests(&w.stub), 3);
	end(&w);
}

/* The server closed an idle connection: seen before the next request goes into it. */
static void test_idle_connection_closed(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS, .close = true } };
	struct world w;
	begin(&w, answers, 1, (struct aws_options){ 0 }, true);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(create(&w, NULL), ERR_OK);
		while (atomic_load(&w.stub.open) > 0) { /* until it has closed */
			rest(1);
		}
	}
	assert_int_equal(stub_requests(&w.stub), 5);
	end(&w);
}

/* Idle for longer than max_age by the wall clock alone, as after a freeze of the whole machine. */
static void test_old_connection_is_left(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS } };
	struct world w;
	begin(&w, answers, 1, (struct aws_options){ 0 }, true);
	assert_int_equal(topics(&w, NULL), ERR_OK);
	assert_int_equal(topics(&w, NULL), ERR_OK);
	assert_int_equal(stub_connections(&w.stub), 1);
	(void)atomic_fetch_add(&w.fake.now_ms, 61 * 1000);
	assert_int_equal(create(&w, NULL), ERR_OK);
	assert_int_equal(stub_connections(&w.stub), 2);
	assert_int_equal(stub_requests(&w.stub), 3);
	end(&w);
}

/*
 * A process is stopped (SIGSTOP) for longer than the server keeps connections, as Lambda stops one
 * between two events. What it does first afterwards is a change, and must be made once.
 */
static int frozen_child(struct world *w, int go)
{
	char url[64] = "";
	if (read(go, url, sizeof(url) - 1) <= 0) {
		return 10;
	}
	variables(w, url);
	const struct aws_options none = { 0 };
	if (aws_client_new(real_env(w), &none, &w->client, NULL) != ERR_OK) {
		return 11;
	}
	int bad = topics(w, NULL) == ERR_OK ? 0 : 12;
	(void)raise(SIGSTOP);
	if (!bad && create(w, NULL) != ERR_OK) {
		bad = 13;
	}
	aws_client_free(w->client);
	return bad;
}

static void test_freeze(void **state)
{
	(void)state;
	static struct world w;
	int go[2], status = 0;
	const struct stub_answer answers[] = { { .text = OK_TOPICS, .idle_ms = 100 } };
	assert_int_equal(pipe(go), 0);
	pid_t child = fork(); /* before there are threads */
	if (child == 0) {
		_exit(frozen_child(&w, go[0]));
	}
	stub_start(&w.stub, answers, 1);
	assert_true(write(go[1], w.stub.url, strlen(w.stub.url)) > 0);
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(stub_requests(&w.stub), 1);
	rest(300);
	assert_int_equal(kill(child, SIGCONT), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(stub_requests(&w.stub), 2);
	assert_int_equal(stub_connections(&w.stub), 2);
	(void)close(go[0]);
	(void)close(go[1]);
	stub_stop(&w.stub);
}

/* ---- time ---- */

/* The server takes the request and says nothing. */
static void test_stall(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS, .delay_ms = 2500 } };
	struct world w;
	struct err e = { 0 };
	struct aws_options o = { .call_timeout_ms = 1000, .max_attempts = 1 };
	begin(&w, answers, 1, o, false);
	int64_t began = real_ms();
	assert_int_equal(topics(&w, &e), ERR_UNREACHABLE);
	assert_in_range(real_ms() - began, 900, stub_patience(2400));
	assert_true(e.retryable);
	end(&w);
}

/* An answer that comes in drops, the whole of it within no time that anybody has. */
static void test_total_time(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS, .drip_ms = 30 } };
	struct world w;
	struct err e = { 0 };
	begin(&w, answers, 1, (struct aws_options){ 0 }, false);
	struct aws_request r = {
		.service = "sns", .operation = "ListTopics", .timeout_ms = 400
	};
	int64_t began = real_ms();
	assert_int_equal(aws_call_many(w.client, &r, 1, &e), ERR_UNREACHABLE);
	assert_in_range(real_ms() - began, 300, stub_patience(1500));
	/* The client's deadline bounds what has none of its own. */
	aws_client_set_deadline(w.client, env_now_ms(env_system()) + 300);
	began = real_ms();
	assert_int_equal(topics(&w, &e), ERR_UNREACHABLE);
	assert_in_range(real_ms() - began, 200, stub_patience(1500));
	end(&w);
}

/* ---- cancellation ---- */

struct canceller {
	struct aws_client *client;
	int after_ms;
};

static void *cancel_later(void *arg)
{
	const struct canceller *c = arg;
	rest(c->after_ms);
	aws_client_cancel(c->client);
	return NULL;
}

static void expect_cancelled(struct world *w, enum err_status (*call)(struct world *))
{
	pthread_t t;
	struct canceller c = { w->client, 100 };
	assert_int_equal(pthread_create(&t, NULL, cancel_later, &c), 0);
	int64_t began = real_ms();
	assert_int_equal(call(w), ERR_INTERRUPTED);
	assert_in_range(real_ms() - began, 80, stub_patience(1500));
	assert_int_equal(pthread_join(t, NULL), 0);
	size_t sent = stub_requests(&w->stub);
	struct err e = { 0 };
	assert_int_equal(topics(w, &e), ERR_INTERRUPTED);
	assert_non_null(strstr(e.msg, "not sent"));
	assert_int_equal(stub_requests(&w->stub), sent);
	end(w);
}

static enum err_status call_one(struct world *w)
{
	return topics(w, NULL);
}

static enum err_status wait_long(struct world *w)
{
	struct aws_wait wait = { .service = "ec2", .waiter = "SnapshotCompleted" };
	return aws_wait(w->client, &wait, NULL, NULL);
}

#define SNAPSHOT(state)                                                   \
	"<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>s-1</" \
	"snapshotId><status>" state                                       \
	"</status></item></snapshotSet></DescribeSnapshotsResponse>"

static void test_cancel(void **state)
{
	(void)state;
	char busy[512], pending[512];
	/* While an answer is waited for, between two attempts, and between two looks of a wait. */
	const struct stub_answer slow[] = { { .text = OK_TOPICS, .delay_ms = 2000 } };
	const struct stub_answer later[] = {
		{ .text = stub_text(busy, sizeof(busy), "503 Busy", "Retry-After: 30\r\n", "") }
	};
	const struct stub_answer snapshot[] = { { .text = stub_text(pending, sizeof(pending),
							  "200 OK", "",
							  SNAPSHOT("pending")) } };
	struct world w;
	begin(&w, slow, 1, (struct aws_options){ 0 }, false);
	expect_cancelled(&w, call_one);
	begin(&w, later, 1, (struct aws_options){ 0 }, false);
	expect_cancelled(&w, call_one);
	begin(&w, snapshot, 1, (struct aws_options){ 0 }, false);
	expect_cancelled(&w, wait_long);
}

/* ---- many at once ---- */

static void test_fifty_at_once(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS, .delay_ms = 400 } };
	struct aws_request reqs[50] = { 0 };
	struct world w;
	for (size_t i = 0; i < COUNT(reqs); i++) {
		reqs[i].service = "sns";
		reqs[i].operation = "ListTopics";
	}
	begin(&w, answers, 1, (struct aws_options){ 0 }, false);
	int64_t began = real_ms();
	assert_int_equal(aws_call_many(w.client, reqs, COUNT(reqs), NULL), ERR_OK);
	/* One after another: twenty seconds. */
	assert_in_range(real_ms() - began, 400, stub_patience(1600));
	assert_int_equal(stub_connections(&w.stub), 50);
	for (size_t i = 0; i < COUNT(reqs); i++) {
		json_decref(reqs[i].result);
	}
	end(&w);
}

/* More than a carrier takes at a time: the rest waits its turn, unsigned. */
static void test_more_than_fit(void **state)
{
	(void)state;
	const struct stub_answer answers[] = { { .text = OK_TOPICS } };
	static struct aws_request reqs[500];
	struct world w;
	memset(reqs, 0, sizeof(reqs));
	for (size_t i = 0; i < COUNT(reqs); i++) {
		reqs[i].service = "sns";
		reqs[i].operation = "ListTopics";
	}
	begin(&w, answers, 1, (struct aws_options){ 0 }, false);
	assert_int_equal(aws_call_many(w.client, reqs, COUNT(reqs), NULL), ERR_OK);
	assert_int_equal(stub_requests(&w.stub), COUNT(reqs));
	assert_true(stub_connections(&w.stub) <= 64);
	for (size_t i = 0; i < COUNT(reqs); i++) {
		json_decref(reqs[i].result);
	}
	end(&w);
}

/* ---- S3 in another region ---- */

static void test_bucket_elsewhere(void **state)
{
	(void)state;
	char header[512], body[768], fine[256], again[512], scope[256];
	const struct stub_answer by_header[] = {
		{ .text = stub_text(header, sizeof(header), "301 Moved",
			  "x-amz-bucket-region: us-west-2\r\n", "") },
		{ .text = stub_text(fine, sizeof(fine), "200 OK", "ETag: \"x\"\r\n", "") },
	};
	const struct stub_answer by_body[] = {
		{ .text = stub_text(body, sizeof(body), "400 Bad Request", "",
			  "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region "
			  "'eu-west-1' is wrong; expecting 'us-west-2'</Message>"
			  "<Region>us-west-2</Region></Error>") },
		{ .text = fine },
	};
	const struct stub_answer for_ever[] = {
		{ .text = header },
		{ .text = stub_text(again, sizeof(again), "301 Moved",
			  "x-amz-bucket-region: us-east-2\r\n", "") },
	};
	const struct stub_answer *const answers[] = { by_header, by_body, for_ever };
	json_t *params = json_pack("{s:s,s:s}", "Bucket", "bkt", "Key", "k");
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct world w;
		begin(&w, answers[i], 2, (struct aws_options){ 0 }, true);
		struct aws_request put = { .service = "s3",
			.operation = "PutObject",
			.params = params,
			.body = STR("data") };
		/* A second redirect is a loop: the error of it is told. */
		assert_int_equal(
			aws_call_many(w.client, &put, 1, NULL), i < 2 ? ERR_OK : ERR_FAILED);
		assert_int_equal(stub_requests(&w.stub), 2);
		stub_header(&w.stub, 0, "Authorization", scope, sizeof(scope));
		assert_non_null(strstr(scope, "/eu-west-1/s3/"));
		stub_header(&w.stub, 1, "Authorization", scope, sizeof(scope));
		assert_non_null(strstr(scope, "/us-west-2/s3/"));
		assert_non_null(strstr(w.stub.requests[1], "\r\n\r\ndata"));
		assert_int_equal(atomic_load(&w.fake.slept_ms), 0);
		json_decref(put.result);
		end(&w);
	}
	json_decref(params);
}

/* ---- retries ---- */

static void test_attempts(void **state)
{
	(void)state;
	char a[512];
	const struct stub_answer broken[] = { { .text = stub_text(
							a, sizeof(a), "500 Oops", "", "") } };
	static const struct {
		int option;
		const char *variable, *mode;
		size_t requests;
	} cases[] = { { 0, NULL, NULL, 3 }, { 1, "AWS_MAX_ATTEMPTS=5", NULL, 1 },
		{ 0, "AWS_MAX_ATTEMPTS=5", "AWS_RETRY_MODE=standard", 5 },
		{ 0, NULL, "AWS_RETRY_MODE=legacy", 3 },
		{ 0, NULL, "AWS_RETRY_MODE=adaptive", 3 } };
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w = { 0 };
		stub_start(&w.stub, broken, 1);
		variables(&w, w.stub.url);
		w.vars[4] = cases[i].variable ? cases[i].variable : "NONE=";
		w.vars[5] = cases[i].mode;
		stub_env_init(&w.fake, NOW, w.vars);
		struct aws_options o = { .max_attempts = cases[i].option };
		assert_int_equal(aws_client_new(&w.fake.base, &o, &w.client, NULL), ERR_OK);
		assert_int_equal(topics(&w, NULL), ERR_UNREACHABLE);
		assert_int_equal(stub_requests(&w.stub), cases[i].requests);
		end(&w);
	}
	struct world w = { 0 };
	struct err e = { 0 };
	variables(&w, "http://127.0.0.1:1");
	w.vars[4] = "AWS_RETRY_MODE=eager";
	stub_env_init(&w.fake, NOW, w.vars);
	assert_int_equal(aws_client_new(&w.fake.base, NULL, &w.client, &e), ERR_CONFIG);
	assert_non_null(strstr(e.msg, "eager"));
}

/* The bucket of the whole client is empty after 35 retries: then every call has one attempt. */
static void test_bucket_runs_dry(void **state)
{
	(void)state;
	char a[512];
	const struct stub_answer broken[] = { { .text = stub_text(
							a, sizeof(a), "503 Oops", "", "") } };
	struct world w;
	struct aws_stats stats;
	begin(&w, broken, 1, (struct aws_options){ 0 }, true);
	for (int i = 0; i < 60; i++) {
		assert_int_equal(topics(&w, NULL), ERR_UNREACHABLE);
	}
	aws_client_stats(w.client, &stats);
	assert_int_equal(stats.attempts, 60 + 35);
	end(&w);
}

/* ---- waits ---- */

struct looks {
	int n;
	int64_t pauses[16], waited_ms;
	char states[128];
};

static void note(void *ctx, const struct aws_look *look)
{
	struct looks *l = ctx;
	size_t n = strlen(l->states);
	assert_int_equal(look->number, l->n + 1);
	l->pauses[l->n++ % 16] = look->next_ms;
	l->waited_ms = look->waited_ms;
	(void)snprintf(l->states + n, sizeof(l->states) - n, "%s%s", n ? " " : "", look->state);
}

static const char *snapshot(char *out, const char *status)
{
	char text[300];
	(void)snprintf(text, sizeof(text),
		"<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>s-1</snapshotId>"
		"<status>%s</status></item></snapshotSet></DescribeSnapshotsResponse>",
		status);
	return stub_text(out, 512, "200 OK", "", text);
}

static void test_waiter(void **state)
{
	(void)state;
	char pending[512], done[512], broken[512];
	(void)snapshot(pending, "pending");
	(void)snapshot(done, "completed");
	(void)snapshot(broken, "error");
	const struct stub_answer fine[] = { { .text = pending }, { .text = pending },
		{ .text = done } };
	const struct stub_answer failing[] = { { .text = pending }, { .text = broken } };
	const struct stub_answer never[] = { { .text = pending } };
	struct world w;
	struct looks l = { 0 };
	struct err e = { 0 };
	json_t *result = NULL;
	struct aws_wait wait = {
		.service = "ec2", .waiter = "SnapshotCompleted", .progress = note, .ctx = &l
	};
	begin(&w, fine, 3, (struct aws_options){ 0 }, true);
	assert_int_equal(aws_wait(w.client, &wait, &result, NULL), ERR_OK);
	assert_string_equal(doc_text(result, "Snapshots[0].State"), "completed");
	assert_string_equal(l.states, "pending pending completed");
	assert_true(l.pauses[0] == 15000 && l.pauses[1] == 15000 && l.pauses[2] == 0);
	assert_int_equal(atomic_load(&w.fake.slept_ms), 30000);
	json_decref(result);
	end(&w);
	begin(&w, failing, 2, (struct aws_options){ 0 }, true);
	l = (struct looks){ 0 };
	assert_int_equal(aws_wait(w.client, &wait, NULL, &e), ERR_FAILED);
	assert_non_null(strstr(e.msg, "any more: error"));
	end(&w);
	/* Bounded: by the waiter's own forty looks, or by what the caller says. */
	begin(&w, never, 1, (struct aws_options){ 0 }, true);
	l = (struct looks){ 0 };
	assert_int_equal(aws_wait(w.client, &wait, NULL, &e), ERR_LIMIT);
	assert_int_equal(l.n, 41);
	assert_non_null(strstr(e.msg, "(pending)"));
	l = (struct looks){ 0 };
	wait.first_pause_ms = 100;
	wait.pause_ms = 500;
	wait.timeout_ms = 2000;
	assert_int_equal(aws_wait(w.client, &wait, NULL, &e), ERR_LIMIT);
	assert_true(l.pauses[0] == 100 && l.pauses[1] == 200 && l.pauses[2] == 400 &&
		    l.pauses[3] == 500 && l.pauses[4] == 500);
	assert_in_range(l.waited_ms, 1500, 2000);
	end(&w);
	assert_int_equal(l.n, 6);
}

static void test_waiter_of_errors(void **state)
{
	(void)state;
	char missing[512], there[512], denied[512];
	(void)stub_text(missing, sizeof(missing), "404 Not Found", "", "");
	(void)stub_text(there, sizeof(there), "200 OK", "", "");
	(void)stub_text(denied, sizeof(denied), "400 Bad Request", "", "");
	const struct stub_answer answers[] = { { .text = missing }, { .text = there } };
	const struct stub_answer refused[] = { { .text = denied } };
	struct world w;
	struct err e = { 0 };
	json_t *params = json_pack("{s:s,s:s}", "Bucket", "bkt", "Key", "k"), *result = NULL;
	struct aws_wait wait = { .service = "s3", .waiter = "ObjectExists", .params = params };
	begin(&w, answers, 2, (struct aws_options){ 0 }, true);
	assert_int_equal(aws_wait(w.client, &wait, &result, NULL), ERR_OK);
	assert_non_null(result);
	assert_int_equal(stub_requests(&w.stub), 2);
	json_decref(result);
	end(&w);
	/* Gone is what is waited for: done, without an answer. */
	wait.waiter = "ObjectNotExists";
	result = NULL;
	begin(&w, answers, 1, (struct aws_options){ 0 }, true);
	assert_int_equal(aws_wait(w.client, &wait, &result, NULL), ERR_OK);
	assert_null(result);
	end(&w);
	/* An error nobody expects ends it as it is. */
	begin(&w, refused, 1, (struct aws_options){ 0 }, true);
	assert_int_equal(aws_wait(w.client, &wait, NULL, &e), ERR_FAILED);
	assert_int_equal(e.http_status, 400);
	wait.waiter = "NoSuchWaiter";
	assert_int_equal(aws_wait(w.client, &wait, NULL, &e), ERR_USAGE);
	end(&w);
	json_decref(params);
}

static enum aws_verdict judge(void *ctx, const json_t *answer, const struct err *err)
{
	struct looks *l = ctx;
	assert_true((answer == NULL) != (err == NULL));
	if (err) {
		return strcmp(err->code, "NotFound") == 0 ? AWS_WAIT_ON : AWS_WAIT_FAILED;
	}
	return l->n < 2 ? AWS_WAIT_ON : AWS_WAIT_DONE;
}

static void test_own_judge(void **state)
{
	(void)state;
	char a[256];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "404 Not Found", "", "") },
		{ .text = OK_TOPICS }
	};
	struct world w;
	struct looks l = { 0 };
	struct aws_wait wait = { .service = "sns",
		.operation = "ListTopics",
		.judge = judge,
		.progress = note,
		.ctx = &l,
		.first_pause_ms = 50 };
	begin(&w, answers, 2, (struct aws_options){ 0 }, true);
	assert_int_equal(aws_wait(w.client, &wait, NULL, NULL), ERR_OK);
	assert_int_equal(l.n, 3);
	wait.judge = NULL;
	assert_int_equal(aws_wait(w.client, &wait, NULL, NULL), ERR_USAGE);
	end(&w);
	/* An error that the judge does not accept is told as it is. */
	char denied[512];
	const struct stub_answer refused[] = {
		{ .text = stub_text(denied, sizeof(denied), "403 Forbidden", "", "") }
	};
	struct err e = { 0 };
	wait.judge = judge;
	l = (struct looks){ 0 };
	begin(&w, refused, 1, (struct aws_options){ 0 }, true);
	assert_int_equal(aws_wait(w.client, &wait, NULL, &e), ERR_DENIED);
	assert_int_equal(e.http_status, 403);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_freeze), /* forks: first */
		cmocka_unit_test(test_kept_connection_breaks),
		cmocka_unit_test(test_idle_connection_closed),
		cmocka_unit_test(test_old_connection_is_left),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_total_time),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_fifty_at_once),
		cmocka_unit_test(test_more_than_fit),
		cmocka_unit_test(test_bucket_elsewhere),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_bucket_runs_dry),
		cmocka_unit_test(test_waiter),
		cmocka_unit_test(test_waiter_of_errors),
		cmocka_unit_test(test_own_judge),
	};
	return cmocka_run_group_tests_name("behave", tests, NULL, NULL);
}
