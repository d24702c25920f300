#include "app/answer.h"
#include "incident/view.h"

#include <stdlib.h>
#include <string.h>

static const struct app_option options[] = {
	{ "force", 0, NULL, N_("overwrite what somebody else changed meanwhile"), NULL },
	{ 0 },
};

/* "2026-0042" */
static bool is_case(struct str s)
{
	return str_glob(STR("[0-9]"), s) ||
	       (s.n >= 9 && s.p[4] == '-' && s.p[0] >= '0' && s.p[0] <= '9' && s.p[5] >= '0' &&
		       s.p[5] <= '9');
}

static bool has_done(const json_t *view, const char *step)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, s)
	{
		if (strcmp(doc_text_or(s, "id", ""), step) == 0 && doc_true(s, "intent")) {
			return true;
		}
	}
	return false;
}

/* A step named alone: the one open case in which it was done. */
static enum err_status find_step(
	struct journal *j, const char *step, char case_id[32], struct err *err)
{
	json_t *cases = NULL;
	const json_t *c;
	size_t i, found = 0;
	enum err_status st = journal_cases(j, &cases, err);

	json_array_foreach(cases, i, c)
	{
		json_t *view = NULL;
		const char *id = doc_text_or(c, "case", "");
		if (view_read(j, id, &view, NULL) == ERR_OK && has_done(view, step)) {
			(void)snprintf(case_id, 32, "%s", id);
			found++;
		}
		json_decref(view);
	}
	json_decref(cases);
	if (st == ERR_OK && found != 1) {
		st = err_set(err, found == 0 ? ERR_NOT_FOUND : ERR_USAGE,
			found == 0 ? "there is no case %s, and no step of that name was done"
				   : "step %s was done in several cases; name one: cordon undo "
				     "CASE STEP",
			step);
	}
	return st;
}

/* CASE, CASE STEP, CASE/STEP, STEP. */
static enum err_status target(struct app *app, struct journal *j, char case_id[32],
	const char **step, struct err *err)
{
	struct str arg = str_from(app->args[0]);
	size_t slash = str_find_char(arg, '/');

	*step = app->n_args > 1 ? app->args[1] : NULL;
	if (!is_case(arg)) {
		*step = app->args[0];
		return find_step(j, app->args[0], case_id, err);
	}
	if (slash != SIZE_MAX) {
		*step = app->args[0] + slash + 1;
		arg.n = slash;
	}
	(void)snprintf(case_id, 32, "%.*s", STR_ARG(arg));
	return ERR_OK;
}

static enum err_status undo(struct app *app, const struct flow *f, const char *case_id,
	const char *step, struct err *err)
{
	json_t *result = NULL;

	if (answer_may_ask(app) &&
		!answer_ask(app, app_tr(app, N_("Put back what was there before?")))) {
		(void)fprintf(stderr, "%s\n", app_tr(app, N_("Nothing was changed.")));
		return ERR_OK;
	}
	answer_catch_interrupt();
	enum err_status st =
		flow_undo(f, case_id, step, app_opt(app, "force") != NULL, &result, err);
	if (result != NULL && app->output == APP_TABLE) {
		answer_print_undo(app, result, stdout);
	} else if (result != NULL) {
		app_print_json(app, result);
	}
	json_decref(result);
	return st;
}

static enum err_status run(struct app *app, struct err *err)
{
	struct playbook_set *playbooks = NULL;
	struct journal *j = NULL;
	json_t *view = NULL;
	const char *step = NULL;
	char case_id[32] = "";
	struct flow f = { 0 };
	enum err_status st = ERR_OK;

	TRY(app_journal(app, &j, err));
	TRY(target(app, j, case_id, &step, err));
	TRY(view_read(j, case_id, &view, err));
	answer_region(app, doc_text(view, "region"));
	TRY(answer_flow(app, &f, &playbooks, err));
	TRY(answer_banner(app, err));
	st = undo(app, &f, case_id, step, err);
out:
	playbook_set_free(playbooks);
	app->region = view && app->region == doc_text(view, "region") ? NULL : app->region;
	json_decref(view);
	return st;
}

const struct app_command cmd_undo = {
	.name = "undo",
	.usage = "CASE [STEP]",
	.summary = N_("Put back the recorded state"),
	.text = N_("Restores what each step saw before it changed anything, in reverse order. "
		   "What somebody else changed meanwhile is named and left alone unless "
		   "--force is given (exit code 6). Afterwards the same finding starts no "
		   "response again. Snapshots and evidence are kept."),
	.examples = "cordon undo 2026-0042\tTake the whole case back\n"
		    "cordon undo 2026-0042 isolate-network\tOne step only\n",
	.options = options,
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
