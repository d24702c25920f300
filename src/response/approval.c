#include "response/approval.h"

#include "base/utc.h"
#include "incident/view.h"
#include "response/guard.h"
#include "response/plan.h"

#include <stdio.h>
#include <string.h>

static const char *text(const json_t *obj, const char *key)
{
	return doc_text_or(obj, key, "?");
}

/* The newest question about a step, answered or not; NULL when none was ever put. */
static const json_t *newest(const json_t *view, const char *step)
{
	const json_t *all = json_object_get(view, "approvals");

	for (size_t i = json_array_size(all); i > 0; i--) {
		const json_t *a = json_array_get(all, i - 1);
		if (strcmp(doc_text_or(a, "step", ""), step) == 0) {
			return a;
		}
	}
	return NULL;
}

/* The names of the steps that wait, for a message; *n of them. */
static void waiting(const json_t *view, char out[256], size_t *n)
{
	const json_t *s;
	size_t i, used = 0;

	*n = 0;
	out[0] = '\0';
	json_array_foreach(json_object_get(view, "steps"), i, s)
	{
		if (strcmp(doc_text_or(s, "state", ""), "awaiting_approval") != 0) {
			continue;
		}
		int more = snprintf(out + used, 256 - used, "%s%s", *n > 0 ? ", " : "",
			doc_text_or(s, "id", "?"));
		used = more > 0 && used + (size_t)more < 255 ? used + (size_t)more : 255;
		(*n)++;
	}
}

static const char *only_waiting(const json_t *view)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, s)
	{
		if (strcmp(doc_text_or(s, "state", ""), "awaiting_approval") == 0) {
			return doc_text(s, "id");
		}
	}
	return NULL;
}

static enum err_status choose(
	const json_t *view, const char *given, const char **step, struct err *err)
{
	char names[256];
	size_t n = 0;

	waiting(view, names, &n);
	if (given == NULL && n == 1) {
		*step = only_waiting(view);
		return ERR_OK;
	}
	if (given == NULL) {
		return n == 0 ? err_set(err, ERR_NOT_FOUND,
					"nothing in case %s waits for approval",
					text(view, "case"))
			      : err_set(err, ERR_USAGE,
					"several steps of case %s wait; name one: %s",
					text(view, "case"), names);
	}
	if (view_step(view, given) == NULL) {
		return err_set(err, ERR_NOT_FOUND, "case %s has no step %s; waiting: %s",
			text(view, "case"), given, n > 0 ? names : "none");
	}
	*step = given;
	return ERR_OK;
}

/* A case that others took over or that is over asks nothing any more. */
static enum err_status check_case(const json_t *view, struct err *err)
{
	const char *into = doc_text(view, "merged_into");

	if (into != NULL) {
		return err_set(err, ERR_REFUSED,
			"case %s was merged into case %s: decide there", text(view, "case"),
			into);
	}
	if (json_is_string(json_object_get(view, "closed"))) {
		return err_set(err, ERR_REFUSED, "case %s was closed at %s: nothing is open",
			text(view, "case"), text(view, "closed"));
	}
	return ERR_OK;
}

static enum err_status check_answered(
	const json_t *view, const char *step, const json_t *q, struct err *err)
{
	if (q == NULL) {
		return err_set(err, ERR_REFUSED,
			"step %s of case %s waits for nobody: its state is %s", step,
			text(view, "case"), text(view_step(view, step), "state"));
	}
	if (json_is_string(json_object_get(q, "decision"))) {
		bool yes = strcmp(text(q, "decision"), "approved") == 0;
		return err_set(err, ERR_REFUSED,
			"step %s of case %s was already %s by %s at %s; this answer changes "
			"nothing%s%s%s%s",
			step, text(view, "case"), text(q, "decision"), text(q, "by"),
			text(q, "decided"), yes ? ". To take the step back: cordon undo " : "",
			yes ? text(view, "case") : "", yes ? " " : "", yes ? step : "");
	}
	return ERR_OK;
}

enum err_status approval_find(const json_t *view, const char *step, int64_t now_ms,
	const json_t **question, struct err *err)
{
	const json_t *plan = json_object_get(view, "plan");
	const char *asked_about = NULL;
	char hash[65] = "";
	int64_t until = 0;
	const json_t *q = NULL;
	enum err_status st = ERR_OK;

	TRY(check_case(view, err));
	TRY(choose(view, step, &step, err));
	q = newest(view, step);
	TRY(check_answered(view, step, q, err));
	if (utc_parse(str_from(doc_text(q, "until")), &until) && until < now_ms) {
		st = err_set(err, ERR_REFUSED,
			"the question about %s ran out at %s and nobody had answered; `cordon "
			"resume %s` looks again and asks anew",
			step, text(q, "until"), text(view, "case"));
		goto out;
	}
	asked_about = doc_text(q, "plan");
	if (json_is_object(plan)) {
		plan_hash(plan, step, hash);
	}
	if (asked_about != NULL && strcmp(asked_about, hash) != 0) {
		st = err_set(err, ERR_REFUSED,
			"the plan of case %s changed after you were asked about %s; `cordon "
			"resume %s` asks about the new one",
			text(view, "case"), step, text(view, "case"));
		goto out;
	}
	*question = q;
out:
	return st;
}

static enum err_status read_back(
	struct journal *j, const char *case_id, const char *step, int64_t seq, struct err *err)
{
	json_t *view = NULL;
	const json_t *q;
	enum err_status st = ERR_OK;

	TRY(view_read(j, case_id, &view, err));
	q = newest(view, step);
	if (doc_int(q, "decided_seq", 0) != seq) {
		st = json_is_string(json_object_get(q, "by"))
			     ? err_set(err, ERR_CONFLICT,
				       "%s was faster: step %s of case %s was %s at %s",
				       text(q, "by"), step, case_id, text(q, "decision"),
				       text(q, "decided"))
			     : err_set(err, ERR_CONFLICT,
				       "the question about %s changed or ran out meanwhile; "
				       "look at case %s again",
				       step, case_id);
	}
out:
	json_decref(view);
	return st;
}

/* Who tried, and that it was not theirs to decide. */
static enum err_status turn_away(struct journal *j, const char *case_id, const json_t *question,
	const struct approval_answer *answer, struct err *err)
{
	const json_t *who = json_object_get(question, "who");
	const char *step = doc_text_or(question, "step", "");
	char reason[600];

	approver_refusal(who, &answer->by, step, case_id, reason);
	json_t *held = json_pack("{s:s, s:o, s:[s], s:O?}", "guard", GUARD_APPROVER, "reason",
		doc_str(str_from(reason)), "steps", step, "via", answer->via);
	enum err_status st = journal_append(j, case_id, "guard.held", held, NULL, err);
	json_decref(held);
	return st == ERR_OK ? err_set(err, ERR_REFUSED, "%s", reason) : st;
}

enum err_status approval_decide(struct journal *j, const char *case_id, const json_t *question,
	const struct approval_answer *answer, struct err *err)
{
	const char *step = doc_text_or(question, "step", "");
	int64_t seq = 0;

	if (!approver_listed(json_object_get(question, "who"), &answer->by)) {
		return turn_away(j, case_id, question, answer, err);
	}
	json_t *p = json_pack("{s:s, s:s, s:o, s:O?}", "step", step, "decision",
		answer->approved ? "approved" : "rejected", "reason",
		doc_str(str_from(answer->reason)), "via", answer->via);

	/* A question of an older cordon has no number: then any answer decides. */
	if (json_is_integer(json_object_get(question, "seq"))) {
		json_object_set(p, "question", json_object_get(question, "seq"));
	}
	enum err_status st = journal_append(j, case_id, "approval.given", p, &seq, err);
	if (st == ERR_OK) {
		st = read_back(j, case_id, step, seq, err);
	}
	json_decref(p);
	return st;
}
