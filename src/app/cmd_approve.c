#include "app/answer.h"
#include "incident/view.h"
#include "response/approval.h"

#include <string.h>

static const struct app_option options[] = {
	{ "reason", 0, "TEXT", N_("Why; it stands in the case"), NULL },
	{ "later", 0, NULL, N_("Record the decision only; `cordon resume CASE` carries it out"),
		NULL },
	{ 0 },
};

/* What is about to be decided, before it is. */
static void tell(const struct app *app, const json_t *view, const char *id)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, s)
	{
		if (strcmp(doc_text_or(s, "id", ""), id) != 0) {
			continue;
		}
		(void)fprintf(stderr, "%s ", app_tr(app, N_("case")));
		answer_print_text(stderr, doc_text_or(view, "case", "?"));
		(void)fprintf(stderr, " · ");
		answer_print_text(stderr, id);
		(void)fprintf(stderr, " · ");
		answer_print_text(stderr, doc_text_or(s, "resource.id", ""));
		(void)fputc('\n', stderr);
		answer_print_line(app, stderr, N_("what"), json_object_get(s, "title"));
		answer_print_line(app, stderr, N_("before"), json_object_get(s, "before"));
		answer_print_line(app, stderr, N_("then"), json_object_get(s, "after"));
		answer_print_line(app, stderr, N_("why"), json_object_get(s, "why"));
		answer_print_line(app, stderr, N_("risk"), json_object_get(s, "risk"));
		answer_print_line(app, stderr, N_("undo"), json_object_get(s, "undo"));
	}
}

/* The decision stands in the journal; now the case goes on with it. */
static enum err_status carry_out(
	struct app *app, const char *id, const char *region, struct err *err)
{
	struct playbook_set *playbooks = NULL;
	json_t *response = NULL;
	struct flow f = { 0 };
	enum err_status st = ERR_OK;

	answer_region(app, region);
	TRY(answer_flow(app, &f, &playbooks, err));
	f.approve_all = false; /* --yes says yes to this step, not to every other that waits */
	TRY(answer_banner(app, err));
	answer_catch_interrupt();
	st = flow_resume(&f, id, &response, err);
	if (response != NULL && app->output == APP_TABLE) {
		answer_print_response(app, response, stdout);
	} else if (response != NULL) {
		app_print_json(app, response);
	}
	if (st == ERR_AWAITING) { /* other steps wait on; this one was decided */
		app->exit_code = err_exit_code(ERR_AWAITING);
		err_clear(err);
		st = ERR_OK;
	}
out:
	playbook_set_free(playbooks);
	json_decref(response);
	return st;
}

/* AWS is asked who we are only where the list of approvers has use for it. */
static enum err_status identify(
	struct app *app, const json_t *question, struct approver *by, struct err *err)
{
	const json_t *who = json_object_get(question, "who");
	struct aws_client *aws = NULL;
	const char *account = NULL;
	enum err_status st = ERR_OK;

	by->person = answer_person(app);
	if (approver_listed(who, by) || !approver_wants_arn(who)) {
		return ERR_OK;
	}
	TRY(app_aws(app, &aws, err));
	TRY(aws_caller(aws, &account, &by->arn, err));
out:
	return st;
}

static enum err_status put_down(struct app *app, struct approval_answer *answer,
	const json_t *view, const json_t *question, struct err *err)
{
	struct journal *j = NULL;
	enum err_status st = ERR_OK;

	TRY(app_journal(app, &j, err));
	answer_region(app, doc_text(view, "region"));
	TRY(identify(app, question, &answer->by, err));
	answer_set_person(app, j);
	st = approval_decide(j, app->args[0], question, answer, err);
out:
	return st;
}

static enum err_status decide(
	struct app *app, struct approval_answer *answer, const json_t *view, struct err *err)
{
	const char *id = app->args[0];
	const json_t *question = NULL;
	enum err_status st = ERR_OK;

	TRY(approval_find(view, app->n_args > 1 ? app->args[1] : NULL, env_now_ms(app->env),
		&question, err));
	tell(app, view, doc_text_or(question, "step", ""));
	if (app->dry_run) {
		goto out;
	}
	if (answer_may_ask(app) &&
		!answer_ask(app, answer->approved ? app_tr(app, N_("Approve this?"))
						  : app_tr(app, N_("Reject this?")))) {
		(void)fprintf(stderr, "%s\n", app_tr(app, N_("Nothing was decided.")));
		goto out;
	}
	TRY(put_down(app, answer, view, question, err));
	if (app_opt(app, "later") != NULL) {
		(void)fprintf(
			stderr, "%s cordon resume %s\n", app_tr(app, N_("To run it:")), id);
		goto out;
	}
	st = carry_out(app, id, doc_text(view, "region"), err);
out:
	return st;
}

static enum err_status run(struct app *app, bool approved, struct err *err)
{
	struct journal *j = NULL;
	json_t *view = NULL, *via = json_pack("{s:s}", "channel", "command");
	const char *reason = app_opt(app, "reason");
	struct approval_answer answer = {
		.approved = approved, .reason = reason ? reason : "", .via = via
	};
	enum err_status st = ERR_OK;

	TRY(app_journal(app, &j, err));
	TRY(view_read(j, app->args[0], &view, err));
	st = decide(app, &answer, view, err);
out:
	app->region = view && app->region == doc_text(view, "region") ? NULL : app->region;
	json_decref(view);
	json_decref(via);
	return st;
}

static enum err_status approve(struct app *app, struct err *err)
{
	return run(app, true, err);
}

static enum err_status reject(struct app *app, struct err *err)
{
	return run(app, false, err);
}

const struct app_command cmd_approve = {
	.name = "approve",
	.usage = "CASE [STEP]",
	.summary = N_("Approve a step that waits for a person, and run it"),
	.text = N_("Shows the step, records who approved it and when, and goes on with the "
		   "case. The first decision counts: one that comes after it, after the time "
		   "was up, or about a plan that has changed since, is refused. STEP may be "
		   "left out when only one waits."),
	.examples = "cordon approve 2026-0042 stop-instance\tApprove and run it\n"
		    "cordon approve 2026-0042 stop-instance --later\tOnly record the yes\n",
	.options = options,
	.min_args = 1,
	.max_args = 2,
	.run = approve,
};
const struct app_command cmd_reject = {
	.name = "reject",
	.usage = "CASE [STEP]",
	.summary = N_("Reject a step that waits for a person"),
	.text = N_(
		"The step is given up, and the case says who did so and why. What needs it is "
		"skipped; what only had to wait for it goes on."),
	.examples = "cordon reject 2026-0042 stop-instance --reason \"patched\"\tGive it up\n",
	.options = options,
	.min_args = 1,
	.max_args = 2,
	.run = reject,
};
