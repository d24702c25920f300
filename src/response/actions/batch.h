/*
 * Several AWS calls as one round trip, with the answers that may be forgiven named when a call
 * is added ("it is there already", "it is gone already"): that is how a repeated step stays
 * harmless.
 */
#ifndef CORDON_RESPONSE_ACTIONS_BATCH_H
#define CORDON_RESPONSE_ACTIONS_BATCH_H

#include "aws/aws.h"

#define BATCH_MAX      4096 /* calls in one batch; more is a bug of the caller */
#define BATCH_PARALLEL 48   /* sent at once; a larger batch goes in several waves */

/* Forgives every failure except a refusal (dry run) and an interruption. */
#define BATCH_ANY "*"

struct batch {
	struct aws_request *reqs;
	const char **lenient; /* per call: error code that counts as success, or NULL */
	size_t n, cap;
};

/* An empty batch in the caller's memory. */
void batch_init(struct batch *b);
/* Frees parameters and results. Safe on a zeroed struct; the batch is empty again. */
void batch_deinit(struct batch *b);
/*
 * Adds a call and gives its index; `params` is taken. Names are borrowed until the batch is
 * freed. NULL parameters are a bug: a document could not be built.
 */
size_t batch_add(
	struct batch *b, const char *service, const char *operation, json_t *params_taken);
/*
 * As batch_add; an answer with the error code `lenient` ("InvalidPermission.NotFound", a code
 * that ends in '*' is a prefix) counts as success, and its result is NULL. Borrowed.
 */
size_t batch_add_lenient(struct batch *b, const char *service, const char *operation,
	json_t *params_taken, const char *lenient);
/*
 * Sends all and waits for all. ERR_OK when each succeeded or is forgiven; else the status and
 * error of the first that did not. An empty batch is fine.
 */
ERR_MUST_CHECK enum err_status batch_run(
	struct batch *b, struct aws_client *c, struct err *err);
/* The answer of a call, or NULL when it failed. Borrowed. */
json_t *batch_result(const struct batch *b, size_t i);
/* The call succeeded (was not merely forgiven). */
bool batch_ok(const struct batch *b, size_t i);

#endif
