#include "app/answer.h"
#include "incident/view.h"

#include <string.h>

static enum err_status resume_one(struct app *app, const char *case_id, struct err *err)
{
	struct playbook_set *playbooks = NULL;
	json_t *response = NULL;
	struct flow f = { 0 };
	enum err_status st = ERR_OK;

	TRY(answer_flow(app, &f, &playbooks, err));
	st = flow_resume(&f, case_id, &response, err);
	if (response != NULL && app->output == APP_TABLE) {
		answer_print_response(app, response, stdout);
	} else if (response != NULL) {
		app_print_json(app, response);
	}
out:
	playbook_set_free(playbooks);
	json_decref(response);
	return st;
}

/* Cases in which something may be left to do; the others are not touched. */
static bool unfinished(const char *state)
{
	static const char *const states[] = { "open", "partial", "failed",
		"awaiting_approval" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(state, states[i]) == 0) {
			return true;
		}
	}
	return false;
}

static enum err_status resume_all(struct app *app, const json_t *cases, struct err *err)
{
	enum err_status worst = ERR_OK;
	const json_t *c;
	size_t i;

	json_array_foreach(cases, i, c)
	{
		struct err one = { 0 };
		if (!unfinished(doc_text_or(c, "state", ""))) {
			continue;
		}
		enum err_status st = resume_one(app, doc_text_or(c, "case", ""), &one);
		if (st != ERR_OK && (worst == ERR_OK || worst == ERR_AWAITING)) {
			worst = st;
			*err = one;
		}
		if (st == ERR_INTERRUPTED || st == ERR_CONFIG) {
			break;
		}
	}
	return worst;
}

static enum err_status run(struct app *app, struct err *err)
{
	struct journal *j = NULL;
	json_t *cases = NULL;
	const json_t *c;
	size_t i;
	enum err_status st = ERR_OK;

	TRY(app_journal(app, &j, err));
	TRY(journal_cases(j, &cases, err));
	json_array_foreach(cases, i, c)
	{
		bool this = app->n_args == 0
				    ? unfinished(doc_text_or(c, "state", ""))
				    : strcmp(doc_text_or(c, "case", ""), app->args[0]) == 0;
		if (this) {
			answer_region(app, doc_text(c, "region"));
		}
	}
	TRY(answer_banner(app, err));
	answer_catch_interrupt();
	st = app->n_args == 0 ? resume_all(app, cases, err)
			      : resume_one(app, app->args[0], err);
out:
	app->region = NULL;
	json_decref(cases);
	return st;
}

const struct app_command cmd_resume = {
	.name = "resume",
	.usage = "[CASE]",
	.summary = N_("Finish what a killed run left half done"),
	.text = N_(
		"Goes on where the journal ends: first any step that may have left a host more "
		"open than before, then steps that were approved or failed, or the rest of an "
		"undo. Without CASE every unfinished case. Safe to run at any time."),
	.examples = "cordon resume\tEvery unfinished case\n"
		    "cordon resume 2026-0042\tOne case\n",
	.min_args = 0,
	.max_args = 1,
	.run = run,
};
