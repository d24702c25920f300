/* The stages of an answer, each one small; flow.c puts them in order. Internal to the room. */
#ifndef CORDON_FLOW_STAGES_H
#define CORDON_FLOW_STAGES_H

#include "evidence/vault.h"
#include "flow/flow.h"
#include "incident/view.h"

#include <pthread.h>

/* What the engine's hooks need while it runs. */
struct stages_run {
	const struct flow *flow;
	const char *case_id;
	pthread_mutex_t lock; /* guards vault: steps run on several threads */
	struct vault *vault;  /* opened by the first artifact */
	bool vault_failed;
};

/* Calls the watcher, if any. */
void stages_tell(const struct flow *f, const char *stage, const json_t *detail);
/* The case folded now; new reference. */
ERR_MUST_CHECK enum err_status stages_view(
	const struct flow *f, const char *case_id, json_t **view, struct err *err);
/* cordon.response/1 of a case view; new reference. */
json_t *stages_response(const json_t *view);
/* Fills an engine for a case. End the run with stages_run_end. `view` names account and region. */
void stages_engine(const struct flow *f, const struct finding *finding, const json_t *view,
	struct stages_run *run, struct engine *out);
void stages_run_end(struct stages_run *run);

/*
 * What the dynamic guards must know: the records of this case (a finding that was seen or undone before
 * joins the case that has it) and the resources acted on within the breaker's minutes, in any case.
 * Asked before the finding itself is recorded.
 */
ERR_MUST_CHECK enum err_status stages_facts(
	const struct flow *f, const char *case_id, json_t **facts, struct err *err);
/* Chooses the playbook and asks the guards; records what they hold. */
ERR_MUST_CHECK enum err_status stages_route(const struct flow *f, const struct finding *finding,
	const char *case_id, const json_t *facts, json_t **route, struct err *err);
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
ERR_MUST_CHECK enum err_status stages_finish(const struct flow *f,
	const struct finding *finding, const char *case_id, json_t **out, struct err *err);
/* Publishes one event of the case; a failure is recorded by the room itself and logged. */
void stages_notify(const struct flow *f, const char *case_id, const char *event);
/* Takes the evidence and finds the cause, unless the case has both already. */
void stages_explain(const struct flow *f, const char *case_id);

#endif
