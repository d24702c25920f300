#include "base/utc.h"
#include "incident/view_fold.h"

#include <string.h>

/* The step of that id; made when a record speaks of one that no plan named. */
static json_t *step_of(struct view_fold *f, const char *id)
{
	json_t *step = json_object_get(f->by_id, id);

	if (step != NULL || id[0] == '\0' || json_array_size(f->steps) >= VIEW_MAX_STEPS) {
		return step;
	}
	step = json_pack(
		"{s:s, s:n, s:n, s:n, s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:[], s:s, s:s,"
		" s:s, s:b, s:[], s:{}, s:b}",
		"id", id, "action", "resource", "mode", "state", "planned", "before", "after",
		"verified", "proof", "error", "started", "finished", "calls", "why", "", "risk",
		"", "undo", "", "undone", 0, "differences", "partial", "applied", 0);
	json_array_append_new(f->steps, step);
	json_object_set(f->by_id, id, step);
	return step;
}

static void copy_fields(json_t *to, const json_t *from, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		json_t *v = json_object_get(from, *keys);
		if (v != NULL && !json_is_null(v)) {
			json_object_set(to, *keys, v);
		}
	}
}

static bool is_state(const json_t *step, const char *state)
{
	return strcmp(doc_text_or(step, "state", ""), state) == 0;
}

/* Nothing was done about it yet, so a newer plan may say what it is. */
static bool is_open(const json_t *step)
{
	return is_state(step, "planned") || is_state(step, "skipped") ||
	       is_state(step, "undone") || is_state(step, "rejected");
}

static bool differs(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key);
	const json_t *y = json_object_get(b, key);

	return x != NULL && y != NULL && !doc_eq(x, y);
}

static void take_plan(struct view_fold *f, const struct view_record *r)
{
	static const char *const fields[] = { "action", "resource", "mode", "needs", "with",
		"why", "risk", "undo", "title", "reversible", "before", "after", "origin",
		NULL };
	json_t *plan = json_object_get(r->payload, "plan");
	json_t *planned;
	size_t i;

	view_set(f->view, "plan", plan);
	json_object_set_new(f->view, "undo_all", json_false());
	json_object_set_new(f->view, "undo_force", json_false());
	view_set(f->view, "playbook", json_object_get(r->payload, "playbook"));
	view_set(f->view, "mode", json_object_get(r->payload, "mode"));
	json_array_foreach(json_object_get(plan, "steps"), i, planned)
	{
		json_t *step = step_of(f, doc_text_or(planned, "id", ""));
		if (step == NULL) {
			continue;
		}
		if (!is_open(step) && !is_state(step, "awaiting_approval")) {
			continue; /* what was done keeps the parameters it was done with */
		}
		/* A yes holds for what was asked: other parameters, or another round, ask anew. */
		if (is_state(step, "undone") || differs(step, planned, "with")) {
			json_object_set_new(step, "approved", json_false());
		}
		copy_fields(step, planned, fields);
		if (is_state(step, "undone") || is_state(step, "skipped")) {
			view_set_text(step, "state", "planned");
		}
	}
}

/* The newest question about a step, or NULL. */
static json_t *question_of(const struct view_fold *f, const char *id)
{
	json_t *approvals = json_object_get(f->view, "approvals");

	for (size_t i = json_array_size(approvals); i > 0; i--) {
		json_t *v = json_array_get(approvals, i - 1);
		if (strcmp(doc_text_or(v, "step", ""), id) == 0) {
			return v;
		}
	}
	return NULL;
}

static bool is_open_question(const json_t *entry)
{
	return entry != NULL && json_is_null(json_object_get(entry, "decision"));
}

static void take_asked(struct view_fold *f, const struct view_record *r)
{
	const char *id = doc_text_or(r->payload, "step", "");
	json_t *step = step_of(f, id);
	json_t *older = question_of(f, id);
	json_t *entry = json_copy(r->payload);

	if (is_open_question(older)) {
		view_set_text(older, "decision", "superseded");
	}
	view_set_text(entry, "asked", r->time);
	json_object_set_new(entry, "seq", json_integer(r->seq));
	json_object_set_new(entry, "decision", json_null());
	json_array_append_new(json_object_get(f->view, "approvals"), entry);
	if (step != NULL && is_open(step)) {
		view_set_text(step, "state", "awaiting_approval");
	}
}

/*
 * The first answer that came in time decides; one that names its question (see approval.given)
 * counts for no other.
 */
static bool answers(const json_t *entry, const struct view_record *r, bool approved)
{
	int64_t question = doc_int(r->payload, "question", 0);
	int64_t until = 0, at = 0;

	if (question == 0) {
		return true;
	}
	if (!is_open_question(entry) || doc_int(entry, "seq", 0) != question) {
		return false;
	}
	return !approved || !utc_parse(str_from(doc_text(entry, "until")), &until) ||
	       !utc_parse(str_from(r->time), &at) || at <= until;
}

static void take_given(struct view_fold *f, const struct view_record *r)
{
	static const char *const fields[] = { "decision", "reason", "via", NULL };
	const char *id = doc_text_or(r->payload, "step", "");
	bool approved = strcmp(doc_text_or(r->payload, "decision", ""), "approved") == 0;
	json_t *step = step_of(f, id);
	json_t *entry = question_of(f, id);

	if (!answers(entry, r, approved)) {
		return;
	}
	if (!is_open_question(entry)) {
		entry = json_pack("{s:s, s:n}", "step", id, "asked");
		json_array_append_new(json_object_get(f->view, "approvals"), entry);
	}
	copy_fields(entry, r->payload, fields);
	view_set_text(entry, "by", r->actor);
	view_set_text(entry, "decided", r->time);
	json_object_set_new(entry, "decided_seq", json_integer(r->seq));
	if (step != NULL && (is_open(step) || is_state(step, "awaiting_approval"))) {
		view_set_text(step, "state", approved ? "planned" : "rejected");
		json_object_set_new(step, "approved", json_boolean(approved));
	}
}

/* The work starts (again): what an earlier round left is forgotten, except after a crash. */
static void take_intent(json_t *step, const struct view_record *r)
{
	static const char *const fields[] = { "action", "resource", "with", "before", "token",
		NULL };

	if (!is_state(step, "running") && !is_state(step, "failed")) {
		json_object_set_new(step, "partial", json_object());
	}
	copy_fields(step, r->payload, fields);
	json_object_set_new(step, "applied", json_false());
	json_object_set_new(step, "undone", json_false());
	json_object_set_new(step, "error", json_null());
	json_object_set_new(step, "verified", json_null());
	json_object_set_new(step, "finished", json_null());
	view_set_text(step, "state", "running");
	view_set_text(step, "started", r->time);
	json_object_set_new(step, "intents", json_integer(doc_int(step, "intents", 0) + 1));
	json_object_set_new(step, "intent", json_true());
}

static void take_progress(json_t *step, const struct view_record *r)
{
	json_t *partial = json_object_get(r->payload, "partial");

	if (json_is_object(partial)) {
		json_t *merged = json_copy(json_object_get(step, "partial"));
		json_object_update(merged, partial);
		json_object_set_new(step, "partial", merged);
	}
}

static void take_result(json_t *step, const struct view_record *r)
{
	static const char *const fields[] = { "after", "elapsed_ms", "calls", NULL };

	copy_fields(step, r->payload, fields);
	json_object_set_new(step, "applied", json_true());
	json_object_set_new(step, "seq", json_integer(r->seq));
	view_set_text(step, "state", "done");
	view_set_text(step, "finished", r->time);
}

static void take_verified(json_t *step, const struct view_record *r)
{
	bool ok = doc_true(r->payload, "verified");

	json_object_set_new(step, "verified", json_boolean(ok));
	view_set(step, "proof", json_object_get(r->payload, "proof"));
	view_set_text(step, "state", ok ? "done" : "failed");
	if (!ok) {
		json_object_set_new(step, "error",
			json_pack("{s:s, s:s}", "status", "integrity", "message",
				doc_text_or(r->payload, "proof.text",
					"the measure was not found in force when read back")));
	}
}

static void take_failed(json_t *step, const struct view_record *r)
{
	view_set(step, "error", json_object_get(r->payload, "error"));
	view_set_text(step, "state", "failed");
	view_set_text(step, "finished", r->time);
	json_object_set_new(step, "seq", json_integer(r->seq));
}

static void take_skipped(json_t *step, const struct view_record *r)
{
	static const char *const fields[] = { "reason", "needed", "template", "args",
		"not_before", NULL };

	json_object_del(step, "not_before");
	copy_fields(step, r->payload, fields);
	view_set_text(step, "state", "skipped");
	view_set_text(step, "finished", r->time);
}

static void take_undo_intent(json_t *step, const struct view_record *r)
{
	json_object_set_new(step, "undoing", json_true());
	view_set(step, "undo_force", json_object_get(r->payload, "force"));
}

static void take_undo_result(json_t *step, const struct view_record *r)
{
	view_set(step, "differences", json_object_get(r->payload, "differences"));
	json_object_set_new(step, "undone", json_true());
	json_object_set_new(step, "undoing", json_false());
	json_object_set_new(step, "intent", json_false());
	json_object_set_new(step, "error", json_null());
	view_set_text(step, "state", "undone");
	view_set_text(step, "undone_at", r->time);
}

static void take_undo_failed(json_t *step, const struct view_record *r)
{
	static const char *const fields[] = { "differences", "error", NULL };

	copy_fields(step, r->payload, fields);
	json_object_set_new(step, "undoing", json_false());
	view_set_text(step, "state", "undo_failed");
}

bool view_steps_take(struct view_fold *f, const struct view_record *r)
{
	static const struct {
		const char *kind;
		void (*take)(json_t *step, const struct view_record *r);
	} kinds[] = {
		{ "step.intent", take_intent },
		{ "step.progress", take_progress },
		{ "step.result", take_result },
		{ "step.verified", take_verified },
		{ "step.failed", take_failed },
		{ "step.skipped", take_skipped },
		{ "undo.intent", take_undo_intent },
		{ "undo.result", take_undo_result },
		{ "undo.failed", take_undo_failed },
	};

	if (strcmp(r->kind, "plan.made") == 0) {
		take_plan(f, r);
		return true;
	}
	if (strcmp(r->kind, "approval.asked") == 0) {
		take_asked(f, r);
		return true;
	}
	if (strcmp(r->kind, "approval.given") == 0) {
		take_given(f, r);
		return true;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(r->kind, kinds[i].kind) == 0) {
			static const char *const names[] = { "action", "resource", NULL };
			json_t *step = step_of(f, doc_text_or(r->payload, "step", ""));
			if (step != NULL) {
				copy_fields(step, r->payload, names);
				kinds[i].take(step, r);
			}
			return true;
		}
	}
	return false;
}

const char *view_steps_state(const struct view_fold *f)
{
	size_t done = 0, kept = 0, failed = 0, waiting = 0, undone = 0, met = 0, pending = 0,
	       told = 0;
	json_t *step;
	size_t i;

	json_array_foreach(f->steps, i, step)
	{
		const char *mode = doc_text_or(step, "mode", "auto");
		bool acts = strcmp(mode, "notify") != 0 && strcmp(mode, "none") != 0;
		told += !acts;
		/* Nothing is contained before it was read back. */
		bool unproven = is_state(step, "done") &&
				json_is_null(json_object_get(step, "verified"));
		done += is_state(step, "done") && !unproven;
		kept += is_state(step, "done") &&
			json_is_false(json_object_get(step, "reversible"));
		failed += is_state(step, "failed") || is_state(step, "undo_failed");
		waiting += is_state(step, "awaiting_approval");
		undone += is_state(step, "undone");
		pending +=
			(is_state(step, "planned") || is_state(step, "running") || unproven) &&
			acts;
		if (is_state(step, "skipped") && acts) {
			/* "needed" is there and true when it was skipped for another's failure, or
			 * because it can't be told yet. */
			bool lacking =
				doc_true(step, "needed") && !doc_text(step, "not_before");
			failed += lacking;
			met += !lacking;
		}
	}
	if (undone > 0 && done - kept + failed + waiting + pending == 0) {
		return "undone";
	}
	if (failed > 0) {
		return done + met > 0 ? "partial" : "failed";
	}
	if (waiting > 0) {
		return "awaiting_approval";
	}
	if (pending > 0) {
		return "open";
	}
	if (done + met > 0) {
		return "contained";
	}
	return told > 0 ? "observed" : NULL;
}
