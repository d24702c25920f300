/* What comes after the first answer: a case resumed, questions that ran out, a case undone. */
#include "flow/stages.h"

#include "base/utc.h"

#include <string.h>

#define DUE_WITHIN_MS 3600000

static enum err_status begin(const struct flow *f, const char *case_id, struct err *err)
{
	const char *account = NULL, *arn = NULL;
	enum err_status st = aws_caller(f->aws, &account, &arn, err);
	if (st != ERR_OK) {
		return st;
	}
	journal_set_actor(f->journal, arn);
	aws_client_set_case(f->aws, case_id);
	return f->dry_run ? ERR_OK : journal_lock(f->journal, case_id, STAGES_LEASE_MS, err);
}

static void end(const struct flow *f, const char *case_id)
{
	if (!f->dry_run) {
		journal_unlock(f->journal, case_id);
	}
}

enum err_status flow_resume(
	const struct flow *f, const char *case_id, json_t **out, struct err *err)
{
	enum err_status st = begin(f, case_id, err);
	if (st == ERR_OK) {
		st = stages_finish(f, NULL, case_id, out, err);
		end(f, case_id);
	}
	return st;
}

static bool ran_out(const struct flow *f, const json_t *view)
{
	const json_t *q;
	size_t i;
	int64_t until;

	json_array_foreach(json_object_get(view, "approvals"), i, q)
	{
		if (json_is_null(json_object_get(q, "decision")) &&
			utc_parse(str_from(doc_text(q, "until")), &until) &&
			until < env_now_ms(f->env)) {
			return true;
		}
	}
	return false;
}

/*
 * A step was killed while its host stood more open than before. Whoever looks first closes it; while the
 * run that opened it lives, its lease says so.
 */
static bool stands_open(const json_t *step)
{
	return strcmp(doc_text_or(step, "state", ""), "running") == 0 &&
	       json_is_true(doc_get(step, "partial.half_open"));
}

static bool due(const struct flow *f, const json_t *view)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, s)
	{
		if (stages_due(s, env_now_ms(f->env)) || stands_open(s)) {
			return true;
		}
	}
	return false;
}

/* What flow logs tell late they tell within the hour. */
static bool may_be_due(const struct flow *f, const json_t *listed)
{
	int64_t opened;

	return strcmp(doc_text_or(listed, "state", ""), "contained") == 0 &&
	       utc_parse(str_from(doc_text(listed, "opened")), &opened) &&
	       env_now_ms(f->env) - opened < DUE_WITHIN_MS;
}

/* One case whose questions may have run out, or with a step that is due; *touched when so. */
static enum err_status tick_case(
	const struct flow *f, const char *case_id, bool *touched, struct err *err)
{
	json_t *view = NULL, *out = NULL;
	enum err_status st = view_read(f->journal, case_id, &view, err);

	*touched = st == ERR_OK && (ran_out(f, view) || due(f, view));
	json_decref(view);
	if (!*touched) {
		return st;
	}
	st = flow_resume(f, case_id, &out, err);
	json_decref(out);
	if (st == ERR_CONFLICT || st == ERR_AWAITING) {
		err_clear(err);
		st = ERR_OK;
	}
	return st;
}

enum err_status flow_tick(const struct flow *f, size_t *n, struct err *err)
{
	json_t *cases = NULL;
	const json_t *c;
	size_t i, done = 0;
	enum err_status worst = journal_cases(f->journal, &cases, err);

	json_array_foreach(cases, i, c)
	{
		struct err one = { 0 };
		bool touched = false;
		const char *state = doc_text_or(c, "state", "");
		/* In a case that failed in part another step may still wait. */
		if (strcmp(state, "awaiting_approval") != 0 && strcmp(state, "partial") != 0 &&
			strcmp(state, "failed") != 0 && strcmp(state, "open") != 0 &&
			!may_be_due(f, c)) {
			continue;
		}
		enum err_status st = tick_case(f, doc_text_or(c, "case", ""), &touched, &one);
		done += touched;
		if (st != ERR_OK && worst == ERR_OK) {
			worst = st;
			if (err != NULL) {
				*err = one;
			}
		}
	}
	if (n != NULL) {
		*n = done;
	}
	json_decref(cases);
	return worst;
}

static enum err_status undo_one(const struct flow *f, const char *case_id, const char *step_id,
	bool force, json_t **out, struct err *err)
{
	json_t *view = NULL;
	enum err_status st = begin(f, case_id, err);
	if (st != ERR_OK) {
		return st;
	}
	struct engine engine = { 0 };
	struct stages_run run = { 0 };
	TRY(view_read(f->journal, case_id, &view, err));
	stages_engine(f, NULL, view, &run, &engine);
	st = engine_undo(&engine, case_id, step_id, force, out, err);
	stages_run_end(&run);
	if ((st == ERR_OK || st == ERR_PARTIAL) && !f->dry_run) {
		stages_notify(f, case_id, "case.updated");
	}
out:
	json_decref(view);
	end(f, case_id);
	return st;
}

/* What was undone of a merged case, added to the answer. */
static void add_undone(json_t *out, const json_t *other)
{
	static const char *const lists[] = { "undone", "kept", "differences", "errors" };
	json_t *v;
	size_t i;

	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		json_array_foreach(json_object_get(other, lists[k]), i, v)
		{
			json_t *copy = json_copy(v);
			json_object_set(copy, "case", json_object_get(other, "case"));
			json_array_append_new(json_object_get(out, lists[k]), copy);
		}
	}
}

/* The work of the merged cases, the newest first, as their own journals have it. */
static enum err_status undo_merged(
	const struct flow *f, const char *case_id, bool force, json_t *out, struct err *err)
{
	json_t *view = NULL;
	enum err_status st = view_read(f->journal, case_id, &view, err), worst = ERR_OK;
	const json_t *merged = json_object_get(view, "merged");

	for (size_t i = json_array_size(merged); st == ERR_OK && i > 0; i--) {
		struct err one = { 0 };
		json_t *other = NULL;
		const char *id = doc_text_or(json_array_get(merged, i - 1), "case", "");
		enum err_status here = undo_one(f, id, NULL, force, &other, &one);
		if (other != NULL) {
			add_undone(out, other);
		}
		if (here != ERR_OK && worst == ERR_OK) {
			worst = here;
			if (err != NULL) {
				*err = one;
			}
		}
		json_decref(other);
	}
	json_decref(view);
	return st != ERR_OK ? st : worst;
}

enum err_status flow_explain(const struct flow *f, const char *case_id, struct err *err)
{
	enum err_status st = begin(f, case_id, err);
	if (st == ERR_OK) {
		stages_explain(f, case_id);
		end(f, case_id);
	}
	return st;
}

enum err_status flow_undo(const struct flow *f, const char *case_id, const char *step_id,
	bool force, json_t **out, struct err *err)
{
	struct err more = { 0 };
	enum err_status st = undo_one(f, case_id, step_id, force, out, err);

	if (*out == NULL || step_id != NULL || st == ERR_INTERRUPTED) {
		return st;
	}
	enum err_status rest = undo_merged(f, case_id, force, *out, &more);
	if (rest != ERR_OK && st == ERR_OK) {
		st = rest;
		if (err != NULL) {
			*err = more;
		}
	}
	return st;
}
