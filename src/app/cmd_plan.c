#include "app/answer.h"

#include <stdlib.h>

static enum err_status plan_one(struct app *app, const struct playbook_set *playbooks,
	const struct finding *f, struct err *err)
{
	char *region = str_dup(f->region);
	json_t *plan = NULL;

	answer_region(app, region);
	enum err_status st = answer_plan(app, playbooks, f, &plan, err);
	if (st == ERR_OK && app->output == APP_TABLE) {
		answer_print_plan(app, plan, stdout);
	} else if (st == ERR_OK) {
		app_print_json(app, plan);
	}
	json_decref(plan);
	if (app->region == region) {
		app->region = NULL; /* the client has its copy */
	}
	free(region);
	return st;
}

static enum err_status run(struct app *app, struct err *err)
{
	struct playbook_set *playbooks = NULL;
	struct finding_set set = { 0 };
	enum err_status st = playbook_load(app->env, &app->config, &playbooks, err);

	for (int i = 0; st == ERR_OK && i < app->n_args; i++) {
		st = answer_read(app, app->args[i], &set, err);
		for (size_t k = 0; st == ERR_OK && k < set.n; k++) {
			st = plan_one(app, playbooks, set.items[k], err);
		}
		finding_set_deinit(&set);
		set = (struct finding_set){ 0 };
	}
	playbook_set_free(playbooks);
	return st;
}

const struct app_command cmd_plan = {
	.name = "plan",
	.usage = "FINDING...",
	.summary = N_("Explain what would be done, why, what may break, how to undo"),
	.text = N_(
		"Reads the account and changes nothing. Each step tells what is there now, "
		"what "
		"it would become, why, what it may break, how it is undone and which AWS "
		"permissions it takes. FINDING is a file or - for standard input: GuardDuty, "
		"EventBridge, Security Hub (ASFF, OCSF), one or many, gzip too."),
	.examples = "cordon plan finding.json\tWhat would be done about it\n"
		    "cordon plan - --output json < finding.json\tThe same for a program\n",
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
