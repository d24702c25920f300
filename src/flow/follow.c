/* After the analysis: what the intruder made joins the plan as follow-up steps. */
#include "flow/stages.h"

#include "base/log.h"
#include "response/follow_up.h"
#include "response/guard.h"
#include "response/plan.h"
#include "response/tags.h"

#include <string.h>

/* The steps of the route after looking at the account, at the end of the case's plan. */
static enum err_status extend_plan(const struct flow *f, const json_t *view,
	const struct finding *finding, const json_t *route, json_t **out, struct err *err)
{
	const json_t *old = json_object_get(view, "plan");
	json_t *looked = NULL;
	const struct action_ctx base = {
		.env = f->env,
		.aws = f->aws,
		.config = f->config,
		.finding = finding,
		.case_id = doc_text_or(view, "case", ""),
		.account = doc_text_or(view, "account", ""),
		.region = doc_text_or(view, "region", ""),
	};
	enum err_status st = plan_make(&base, route, &looked, err);

	if (st != ERR_OK) {
		return st;
	}
	if (!json_is_object(old)) {
		*out = looked;
		return ERR_OK;
	}
	*out = json_deep_copy(old);
	plan_add_steps(*out, json_object_get(looked, "steps"));
	json_decref(looked);
	return ERR_OK;
}

static enum err_status run_plan(
	const struct flow *f, const json_t *view, const json_t *plan, struct err *err)
{
	struct engine engine = { 0 };
	struct stages_run run = { 0 };
	json_t *response = NULL;

	stages_tell(f, "planned", plan);
	stages_engine(f, NULL, view, &run, &engine);
	enum err_status st = engine_run(&engine, run.case_id, plan, &response, err);
	if (response != NULL) {
		stages_tell(f, "contained", response);
	}
	json_decref(response);
	stages_run_end(&run);
	return st;
}

static enum err_status guard(const struct flow *f, const struct finding *finding,
	const json_t *view, const json_t *unknown, json_t *route)
{
	json_t *facts = guard_facts_new(), *held = NULL;
	int64_t contained = 0;
	struct err err = { 0 };
	size_t i;
	enum err_status st = stages_breaker(f, view, route, &contained, &err);

	json_object_set_new(
		facts, "contained", st == ERR_OK ? json_integer(contained) : json_null());
	json_object_set(facts, "tags_unknown", (json_t *)(uintptr_t)unknown);
	guard_dynamic(f->config, finding, facts, route);
	st = ERR_OK;
	json_array_foreach(json_object_get(route, "held_back"), i, held)
	{
		if (st == ERR_OK) {
			st = journal_append(f->journal, doc_text_or(view, "case", ""),
				"guard.held", held, NULL, &err);
		}
		stages_tell(f, "held", held);
	}
	json_decref(facts);
	return st;
}

static bool over(const json_t *view)
{
	return doc_true(view, "suppressed") || json_is_string(json_object_get(view, "closed"));
}

static enum err_status follow(
	const struct flow *f, const json_t *view, const json_t *wanted, struct err *err)
{
	struct finding *finding = follow_up_finding(view, wanted);
	json_t *route = NULL, *plan = NULL, *unknown = NULL;
	enum err_status st = ERR_OK;

	if (finding != NULL) {
		tags_look_up(f->aws, finding, &unknown);
	}
	const struct follow_up_case c = { view, wanted, finding };
	TRY(follow_up_route(f->playbooks, f->config, &c, &route, err));
	TRY(guard(f, finding, view, unknown, route));
	if (json_array_size(json_object_get(route, "steps")) == 0) {
		goto out;
	}
	TRY(extend_plan(f, view, finding, route, &plan, err));
	st = run_plan(f, view, plan, err);
out:
	json_decref(unknown);
	json_decref(plan);
	json_decref(route);
	finding_free(finding);
	return st;
}

void stages_follow(const struct flow *f, const char *case_id)
{
	json_t *view = NULL, *wanted = NULL;
	struct err err = { 0 };
	enum err_status st = view_read(f->journal, case_id, &view, &err);

	if (st == ERR_OK && !over(view)) {
		wanted = follow_up_wanted(view);
	}
	if (json_array_size(wanted) > 0) {
		st = follow(f, view, wanted, &err);
	}
	if (st != ERR_OK && st != ERR_AWAITING) {
		log_err(LOG_ERROR, "what the intruder made is not contained in full", &err);
	}
	json_decref(wanted);
	json_decref(view);
}
