/* The stages of an answer, each one small; flow.c puts them in order. Internal to the room. */
#ifndef CORDON_FLOW_STAGES_H
#define CORDON_FLOW_STAGES_H

#include "evidence/vault.h"
#include "flow/flow.h"
#include "incident/view.h"

#include <pthread.h>

#define STAGES_LEASE_MS \
	((int64_t)60 *  \
		1000) /* short, so that a killed run is not waited for long; the journal keeps it alive */

/* What the engine's hooks need while it runs. */
struct stages_run {
	const struct flow *flow;
	const char *case_id;
	pthread_mutex_t lock; /* guards vault: steps run on several threads */
	struct vault *vault;  /* opened by the first artifact */
	bool vault_failed;
};

/*
 * The finding is about the account and region whose credentials we hold (ERR_REFUSED says what to do);
 * what it leaves out is filled in from them.
 */
ERR_MUST_CHECK enum err_status stages_account(
	const struct flow *f, struct finding *finding, struct err *err);
/* What two findings must share to be one case; a new JSON text. */
json_t *stages_case_key(const struct finding *f);
/* Calls the watcher, if any. */
void stages_tell(const struct flow *f, const char *stage, const json_t *detail);
/* cordon.response/1 of a case view; new reference. */
json_t *stages_response(const json_t *view);
/* Fills an engine for a case. End the run with stages_run_end. `view` names account and region. */
void stages_engine(const struct flow *f, const struct finding *finding, const json_t *view,
	struct stages_run *run, struct engine *out);
void stages_run_end(struct stages_run *run);

/*
 * Fills in the tags that the finding lacks, chooses the playbook and asks the guards; records what
 * they hold, unless it is a dry run or there is no case (`view` NULL or {}). `again`: the finding is in
 * the case's records already and is not taken for a repetition of itself.
 */
ERR_MUST_CHECK enum err_status stages_route(const struct flow *f, struct finding *finding,
	const json_t *view, bool again, json_t **route, struct err *err);
/*
 * How many resources would be contained within the breaker's minutes if the route's auto steps ran:
 * breaker.c. Takes the places for them when there are enough, except in a dry run.
 */
ERR_MUST_CHECK enum err_status stages_breaker(const struct flow *f, const json_t *view,
	const json_t *route, int64_t *contained, struct err *err);
/* The cases that an attack sequence names become part of this one; others' work is left to them. */
ERR_MUST_CHECK enum err_status stages_merge(const struct flow *f, const struct finding *finding,
	const json_t *opened, const char *case_id, struct err *err);
/* The route has steps that are to be run, at once or when approved. */
bool stages_acts(const json_t *route);
/* Plan, journal it, run it. */
ERR_MUST_CHECK enum err_status stages_contain(const struct flow *f,
	const struct finding *finding, const char *case_id, const json_t *route,
	struct err *err);
/* Tells, keeps evidence, explains: what fails is recorded and logged and stops nothing. */
void stages_after(const struct flow *f, const struct finding *finding, const char *case_id,
	const json_t *route, bool acted);
/* Finishes what a killed run left in a case; gives the response. `finding` may be NULL. */
ERR_MUST_CHECK enum err_status stages_finish(const struct flow *f, struct finding *finding,
	const char *case_id, json_t **out, struct err *err);
/* The step could not be told before a moment that has come: it is to be looked at again. */
bool stages_due(const json_t *step, int64_t now_ms);
/* Publishes one event of the case; a failure is recorded by the room itself and logged. */
void stages_notify(const struct flow *f, const char *case_id, const char *event);
/*
 * Plans and runs what contains the credentials that the analysis found to be the intruder's making;
 * what was proposed before is not proposed again. What fails is in the case and logged.
 */
void stages_follow(const struct flow *f, const char *case_id);
/* Takes the evidence and finds the cause, unless the case has both already. */
void stages_explain(const struct flow *f, const char *case_id);

#endif
