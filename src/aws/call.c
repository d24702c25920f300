#include "aws/call.h"

#include "aws/job.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BATCH 10000u

/* A call runs on the thread that made it, so its thread tells on whose behalf it was made. */
static _Thread_local struct {
	aws_observer_fn fn;
	void *ctx;
} thread_observer;

void aws_thread_observer(aws_observer_fn fn, void *ctx)
{
	thread_observer.fn = fn;
	thread_observer.ctx = ctx;
}

static _Thread_local struct {
	aws_gate_fn fn;
	void *ctx;
} thread_gate;

void aws_thread_gate(aws_gate_fn fn, void *ctx)
{
	thread_gate.fn = fn;
	thread_gate.ctx = ctx;
}

/* Sent, if the thread may change anything at this moment. */
static enum err_status send_if_allowed(struct job *j, struct http *h, struct err *err)
{
	bool asks = thread_gate.fn && !j->client->bookkeeping &&
		    (j->call.op->flags & MODEL_OP_MUTATING) != 0;
	enum err_status st = asks ? thread_gate.fn(thread_gate.ctx, err) : ERR_OK;

	return st == ERR_OK ? job_send(j, h, err) : st;
}

static void observe(const struct job *j, enum aws_phase phase)
{
	const struct aws_client *c = j->client;
	bool thread_hears = thread_observer.fn && !c->bookkeeping;
	if ((!c->observer && !thread_hears) || !j->call.op) {
		return;
	}
	const struct aws_request *r = j->req;
	struct aws_event e = { .phase = phase,
		.service = r->service,
		.operation = r->operation,
		.mutating = (j->call.op->flags & MODEL_OP_MUTATING) != 0,
		.params = j->params ? j->params : r->params };
	if (phase == AWS_AFTER) {
		e.status = r->status;
		e.request_id = r->err.request_id[0] ? r->err.request_id : NULL;
		e.attempts = j->attempt;
		e.elapsed_us = env_mono_us(c->env) - j->start_us;
	}
	if (c->observer) {
		c->observer(c->observer_ctx, &e);
	}
	if (thread_hears) {
		thread_observer.fn(thread_observer.ctx, &e);
	}
}

static size_t count(const struct job *jobs, size_t n, enum job_state state)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++) {
		found += jobs[i].state == state;
	}
	return found;
}

/*
 * Sends what is due, as long as the carrier has room: what waits here is signed only when its turn
 * comes. Returns the time until the next waiting job is due, -1 when none waits for its time.
 */
static int64_t send_due(struct job *jobs, size_t n, struct http *h)
{
	int64_t next_us = -1;
	size_t running = count(jobs, n, JOB_RUNNING);
	for (size_t i = 0; i < n; i++) {
		struct job *j = &jobs[i];
		if (j->state != JOB_WAITING) {
			continue;
		}
		int64_t left = j->due_us - env_mono_us(j->client->env);
		struct err e = { 0 };
		if (left > 0) {
			next_us = next_us < 0 || left < next_us ? left : next_us;
		} else if (running == HTTP_MAX_PARALLEL) {
			continue;
		} else if (send_if_allowed(j, h, &e) == ERR_OK) {
			running++;
		} else {
			job_fail(j, &e);
			observe(j, AWS_AFTER);
		}
	}
	return next_us;
}

static void judged(struct job *j)
{
	job_judge(j);
	if (j->state == JOB_DONE) {
		observe(j, AWS_AFTER);
	}
}

static void cancel_running(struct job *jobs, size_t n, struct http *h)
{
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].state == JOB_RUNNING) {
			http_cancel(h, &jobs[i].exchange);
			judged(&jobs[i]);
		} else if (jobs[i].state == JOB_WAITING) {
			jobs[i].due_us = 0; /* and job_send refuses it */
		}
	}
}

static void drive(struct aws_client *c, struct job *jobs, size_t n, struct http *h)
{
	for (;;) {
		if (atomic_load(&c->cancelled)) {
			cancel_running(jobs, n, h);
		}
		int64_t next_us = send_due(jobs, n, h);
		/* Short looks, so that a cancellation is seen soon. */
		bool far = next_us < 0 || next_us > INT64_C(1000) * HTTP_LOOK_MS;
		int wait_ms = far ? HTTP_LOOK_MS : (int)(next_us / 1000) + 1;
		if (count(jobs, n, JOB_RUNNING) == 0) {
			if (count(jobs, n, JOB_WAITING) == 0) {
				return;
			}
			if (next_us > 0) {
				env_sleep_ms(c->env, wait_ms);
			}
			continue;
		}
		http_run(h, wait_ms);
		for (struct http_exchange *x = http_done(h); x; x = http_done(h)) {
			judged(x->owner);
		}
	}
}

/* Runs prepared jobs; those that failed already are JOB_DONE. */
static void run_jobs(struct aws_client *c, struct job *jobs, size_t n)
{
	struct http *h = http_get(c->pool);
	for (size_t i = 0; i < n && !h; i++) {
		if (jobs[i].state != JOB_DONE) {
			struct err e = { 0 };
			(void)err_set(&e, ERR_FAILED, "libcurl can't be set up");
			job_fail(&jobs[i], &e);
		}
	}
	if (h) {
		for (size_t i = 0; i < n; i++) {
			if (jobs[i].state != JOB_DONE) {
				jobs[i].start_us = env_mono_us(c->env);
				observe(&jobs[i], AWS_BEFORE);
			}
		}
		drive(c, jobs, n, h);
		http_put(c->pool, h);
	}
}

static enum err_status run_batch(struct aws_client *c, struct aws_request *reqs, size_t n,
	struct creds *with, struct err *err)
{
	if (n > MAX_BATCH) {
		return err_set(err, ERR_LIMIT, "a batch of %zu calls is too large", n);
	}
	struct job *jobs = n ? calloc(n, sizeof(*jobs)) : NULL;
	if (!jobs) {
		return n ? err_set(err, ERR_LIMIT, "out of memory") : ERR_OK;
	}
	bool sent = false;
	for (size_t i = 0; i < n; i++) {
		struct err e = { 0 };
		reqs[i].result = NULL;
		reqs[i].status = ERR_FAILED;
		if (job_prepare(&jobs[i], c, &reqs[i], &e) != ERR_OK) {
			job_fail(&jobs[i], &e);
			if (e.status == ERR_REFUSED) {
				observe(&jobs[i], AWS_AFTER); /* a dry run is told of it */
			}
		} else {
			sent = true;
			jobs[i].creds = with ? creds_ref(with) : NULL;
			jobs[i].fixed_creds = with != NULL;
		}
	}
	run_jobs(c, jobs, n);
	struct aws_stats sum = { .rounds = sent ? 1 : 0 };
	enum err_status st = ERR_OK;
	for (size_t i = 0; i < n; i++) {
		sum.calls += jobs[i].stats.calls;
		sum.attempts += jobs[i].stats.attempts;
		sum.errors += jobs[i].stats.errors;
		sum.bytes_in += jobs[i].stats.bytes_in;
		sum.bytes_out += jobs[i].stats.bytes_out;
		if (st == ERR_OK && reqs[i].status != ERR_OK) {
			st = reqs[i].status;
			if (err) {
				*err = reqs[i].err;
			}
		}
		job_deinit(&jobs[i]);
	}
	client_count(c, &sum);
	free(jobs);
	return st;
}

enum err_status aws_call_many(
	struct aws_client *c, struct aws_request *reqs, size_t n, struct err *err)
{
	return run_batch(c, reqs, n, NULL, err);
}

enum err_status aws_call(struct aws_client *c, const char *service, const char *operation,
	const json_t *params, json_t **result, struct err *err)
{
	struct aws_request r = { .service = service, .operation = operation, .params = params };
	enum err_status st = run_batch(c, &r, 1, NULL, err);
	if (st == ERR_OK && result) {
		*result = r.result;
	} else {
		json_decref(r.result);
	}
	return st;
}

enum err_status call_sts(void *ctx, struct creds *with, const char *operation,
	const json_t *params, json_t **result, struct err *err)
{
	struct aws_request r = { .service = "sts", .operation = operation, .params = params };
	enum err_status st = run_batch(ctx, &r, 1, with, err);
	if (st == ERR_OK) {
		*result = r.result;
	}
	return st;
}
