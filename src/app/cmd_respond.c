#include "app/answer.h"

#include <stdlib.h>
#include <string.h>

static void show(struct app *app, const json_t *response)
{
	if (response == NULL) {
		return;
	}
	if (app->output == APP_TABLE) {
		answer_print_response(app, response, stdout);
	} else {
		app_print_json(app, response);
	}
}

static bool has_work(const json_t *plan)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(plan, "steps"), i, s)
	{
		const char *mode = doc_text_or(s, "mode", "");
		if (!json_is_false(json_object_get(s, "needed")) &&
			(strcmp(mode, "auto") == 0 || strcmp(mode, "approve") == 0)) {
			return true;
		}
	}
	return false;
}

/* On a terminal the person sees the plan and decides; whoever says yes approves all of it. */
static enum err_status confirm(
	struct app *app, struct flow *f, struct finding *finding, bool *go, struct err *err)
{
	json_t *plan = NULL;

	*go = true;
	if (!answer_may_ask(app)) {
		return ERR_OK;
	}
	enum err_status st = flow_plan(f, finding, &plan, err);
	if (st == ERR_OK) {
		answer_print_plan(app, plan, stderr);
		if (has_work(plan)) {
			*go = answer_ask(app, app_tr(app, N_("Do this now?")));
			f->approve_all = *go;
			f->approve_seen = *go;
		}
	}
	if (st == ERR_OK && !*go) {
		(void)fprintf(stderr, "%s\n", app_tr(app, N_("Nothing was changed.")));
	}
	json_decref(plan);
	return st;
}

static enum err_status respond_one(struct app *app, struct finding *finding, struct err *err)
{
	char *region = str_dup(finding->region);
	struct playbook_set *playbooks = NULL;
	json_t *response = NULL;
	struct flow f = { 0 };
	bool go = true;
	enum err_status st = ERR_OK;

	answer_region(app, region);
	TRY(answer_flow(app, &f, &playbooks, err));
	TRY(answer_banner(app, err));
	answer_say_observe(app);
	TRY(confirm(app, &f, finding, &go, err));
	if (go) {
		answer_catch_interrupt();
		st = flow_answer(&f, finding, &response, err);
		show(app, response);
	}
out:
	json_decref(response);
	playbook_set_free(playbooks);
	if (app->region == region) {
		app->region = NULL;
	}
	free(region);
	return st;
}

/* What is left to tell when several findings ended differently: the worst, not the last. */
static bool graver(enum err_status a, enum err_status b)
{
	if (b == ERR_OK || b == ERR_AWAITING) {
		return a != ERR_OK;
	}
	return false;
}

static enum err_status run(struct app *app, struct err *err)
{
	enum err_status worst = ERR_OK;

	for (int i = 0; i < app->n_args; i++) {
		struct finding_set set = { 0 };
		enum err_status st = answer_read(app, app->args[i], &set, err);
		if (st != ERR_OK) {
			return st;
		}
		for (size_t k = 0; k < set.n; k++) {
			struct err one = { 0 };
			st = respond_one(app, set.items[k], &one);
			if (graver(st, worst)) {
				worst = st;
				*err = one;
			}
			if (st == ERR_INTERRUPTED || st == ERR_CONFIG) {
				break;
			}
		}
		finding_set_deinit(&set);
		if (st == ERR_INTERRUPTED || st == ERR_CONFIG) {
			break;
		}
	}
	return worst;
}

const struct app_command cmd_respond = {
	.name = "respond",
	.usage = "FINDING...",
	.summary = N_("Contain, keep evidence, notify, per playbook"),
	.text = N_("Opens a case (or joins the open one of the resource), runs the playbook's "
		   "steps and verifies each, tells the team, keeps evidence and looks for the "
		   "cause. On a terminal the plan is shown first and you are asked; elsewhere "
		   "only steps in mode auto run, the others wait for approval (exit code 7). "
		   "With --yes you approve them all. With --dry-run nothing is changed and "
		   "nothing recorded. The same finding again changes nothing more."),
	.examples = "cordon respond finding.json\tShow the plan, ask, act\n"
		    "cordon respond finding.json --yes --output json\tFrom a script\n"
		    "cordon respond finding.json --dry-run\tShow every change, make none\n",
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
