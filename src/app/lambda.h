/*
 * The AWS Lambda custom runtime: the same program, started as `bootstrap` or with AWS_LAMBDA_RUNTIME_API
 * set, answers the events that Lambda hands it.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
#ifndef CORDON_APP_LAMBDA_H
#define CORDON_APP_LAMBDA_H

#include "base/buf.h"
#include "base/env.h"

#include <jansson.h>

/* This process is to be the runtime. */
bool lambda_wanted(struct env *env, const char *argv0);
/*
 * Where a function keeps its cases when `state` names nothing: the only place it can write to. Gone with the
 * instance of the function, and unknown to the others: two could act on one case. lambda_state_alone: the
 * state is such a file of this machine, and this machine is a function.
 */
#define LAMBDA_STATE "sqlite:/tmp/cordon.db"
bool lambda_state_alone(struct env *env, const char *state);
/*
 * Serves until the Runtime API goes away or SIGTERM comes. Exit code: 0, or 1 when initialisation failed
 * (then reported as init error).
 */
int lambda_main(struct env *env);

/* --- lambda_api.c: the four calls */
struct lambda_invocation {
	char request_id[128], function_arn[256], trace_id[512];
	int64_t deadline_ms; /* 0 when not given */
	struct buf event;
};
struct lambda_api;
/* `address` is AWS_LAMBDA_RUNTIME_API: host:port. Never NULL. */
struct lambda_api *lambda_api_new(const char *address);
void lambda_api_free(struct lambda_api *a);
/* Waits, for as long as it takes, for the next event. ERR_UNREACHABLE ends the loop. */
ERR_MUST_CHECK enum err_status lambda_api_next(
	struct lambda_api *a, struct lambda_invocation *out, struct err *err);
ERR_MUST_CHECK enum err_status lambda_api_respond(
	struct lambda_api *a, const char *request_id, const json_t *answer, struct err *err);
/* `request_id` NULL: initialisation failed. */
ERR_MUST_CHECK enum err_status lambda_api_fail(
	struct lambda_api *a, const char *request_id, const struct err *what, struct err *err);

/* --- lambda_event.c: what an event asks for */
struct flow;
/*
 * Answers one event: an EventBridge event (the answer is {"responses":[..]}), or a batch of SQS messages
 * (the answer is {"batchItemFailures":[..]}, so that only what failed comes again). Metrics of each
 * finding are written to standard output (CloudWatch embedded metric format). An EventBridge
 * event that should be delivered again gives the failure.
 */
ERR_MUST_CHECK enum err_status lambda_event_answer(
	const struct flow *f, struct str event, json_t **answer, struct err *err);

#endif
