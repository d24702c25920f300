#include "app/answer.h"

#include <stdlib.h>

static enum err_status plan_one(struct app *app, struct finding *finding, struct err *err)
{
	char *region = str_dup(finding->region);
	struct playbook_set *playbooks = NULL;
	struct flow f = { 0 };
	json_t *plan = NULL;

	answer_region(app, region);
	enum err_status st = answer_flow(app, &f, &playbooks, err);
	if (st == ERR_OK) {
		st = flow_plan(&f, finding, &plan, err);
	}
	if (st == ERR_OK) {
		answer_say_observe(app);
	}
	if (st == ERR_OK && app->output == APP_TABLE) {
		answer_print_plan(app, plan, stdout);
	} else if (st == ERR_OK) {
		app_print_json(app, plan);
	}
	json_decref(plan);
	playbook_set_free(playbooks);
	if (app->region == region) {
		app->region = NULL; /* the client has its copy */
	}
	free(region);
	return st;
}

static enum err_status run(struct app *app, struct err *err)
{
	struct finding_set set = { 0 };
	enum err_status st = ERR_OK;

	for (int i = 0; st == ERR_OK && i < app->n_args; i++) {
		st = answer_read(app, app->args[i], &set, err);
		for (size_t k = 0; st == ERR_OK && k < set.n; k++) {
			st = plan_one(app, set.items[k], err);
		}
		finding_set_deinit(&set);
		set = (struct finding_set){ 0 };
	}
	return st;
}

const struct app_command cmd_plan = {
	.name = "plan",
	.usage = "FINDING...",
	.summary = N_("Explain what would be done, why, what may break, how to undo"),
	.text = N_("Reads the account and changes nothing. Each step tells what is there now, "
		   "what it would become, why, what it may break, how it is undone and which "
		   "AWS permissions it takes. FINDING is a file or - for standard input: "
		   "GuardDuty, EventBridge, Security Hub (ASFF, OCSF), one or many, gzip too."),
	.examples = "cordon plan finding.json\tWhat would be done about it\n"
		    "cordon plan - --output json < finding.json\tThe same for a program\n",
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
