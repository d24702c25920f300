/* What plan and engine share: an action's context out of a step, an error as JSON. Internal. */
#ifndef CORDON_RESPONSE_ENGINE_CTX_H
#define CORDON_RESPONSE_ENGINE_CTX_H

#include "incident/journal.h"
#include "response/action.h"

/*
 * Fills step_id, kind, id, with, token, partial (and facts when unset), all borrowed from the step,
 * which is one of a plan or of a case view; `none` ({}) stands for what it lacks.
 */
void engine_ctx_fill(struct action_ctx *c, const json_t *step, const json_t *none);
/* {"reason",..}: why nothing is to be done about a resource that is not there; new reference. */
json_t *engine_ctx_gone(const struct action_ctx *c, const struct err *why);
/* {"status","code","message","call","request_id"}; new reference. */
json_t *engine_ctx_error(const struct err *e);
/*
 * An aws_observer_fn whose context is a JSON array: appends {"call","request_id","status"} of every
 * mutating call, so that the case shows who changed what; of one that a dry run held back also the
 * "params". Before and after each a test may kill.
 */
void engine_ctx_note_call(void *calls, const struct aws_event *ev);
/*
 * By which right a thread changes the account: the lease on a case, and that on the document which
 * its action writes as a whole ("" when it writes none).
 */
struct engine_ctx_right {
	struct journal *journal;
	const char *case_id;
	char document[32];
};
/* The bucket that a step is about: of an object, what stands before the first '/'; borrowed. */
struct str engine_ctx_bucket(const json_t *step);
/* Waits for the document of a step's action, so that no other case's step writes it meanwhile. */
ERR_MUST_CHECK enum err_status engine_ctx_take(struct engine_ctx_right *r,
	const struct action *a, const json_t *step, struct err *err);
void engine_ctx_give(struct engine_ctx_right *r);
/* An aws_gate_fn over a right: ERR_REFUSED once the lease ran out or is another's. */
enum err_status engine_ctx_may_act(void *right, struct err *err);
/* The status that a "status" word of engine_ctx_error names; ERR_FAILED for others. */
enum err_status engine_ctx_status(const char *name);

#endif
