/* A plan: a route after looking at the account. */
#ifndef CORDON_RESPONSE_PLAN_H
#define CORDON_RESPONSE_PLAN_H

#include "response/action.h"

/*
 * Runs observe of every step (concurrently where independent) and gives the document
 * `cordon.plan/1`: the route, each step with before, after (what it will be), why, risk, undo,
 * calls, needed, reason, state ("planned" "skipped" "unknown": then error); `made`;
 * `round_trips_to_isolation` (null when nothing isolates); `permissions`. Changes nothing. `steps[]`
 * keep the route's ids and needs; those of them that need only have ended are listed in `soft`. A resource that is gone makes its steps "skipped" with the reason.
 */
ERR_MUST_CHECK enum err_status plan_make(
	const struct action_ctx *base, const json_t *route, json_t **out, struct err *err);
/*
 * A case that several findings share may already have a step of the same id on another resource:
 * such steps of `plan` are renamed to "ID:RESOURCE", in the `needs` and `soft` of others too, so
 * that each keeps its own before-state. `view` is the case (view.h). Repeating it changes nothing.
 */
void plan_distinct(json_t *plan, const json_t *view);
/* Appends steps (borrowed) that the plan does not have by id, and what they need to `permissions`. */
void plan_add_steps(json_t *plan, const json_t *steps);
/* Takes the follow-up steps of an older plan of the case into a new one. */
void plan_keep_follow_ups(json_t *plan, const json_t *older);
/*
 * SHA-256 of the canonical plan without times: what an approval is bound to. Of a `step` that stood in
 * the plan from the start (NULL: no step meant) the follow-up steps, which join later, are left out: they
 * change nothing about it.
 */
void plan_hash(const json_t *plan, const char *step, char out[65]);

#endif
