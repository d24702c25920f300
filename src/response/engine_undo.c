#include "base/i18n.h"
#include "base/log.h"
#include "incident/view.h"
#include "response/engine_ctx.h"
#include "response/engine_run.h"

#include <stdlib.h>
#include <string.h>

/* An undo under way. */
struct undoing {
	const struct engine *e;
	const char *case_id;
	bool force;
	json_t *none;
	json_t *calls; /* mutating calls of the step being undone */
	json_t *undone, *kept, *differences, *errors; /* parts of the answer */
};

static json_t *about(const json_t *step)
{
	return json_pack("{s:O, s:O*, s:O*}", "step", json_object_get(step, "id"), "action",
		json_object_get(step, "action"), "resource", json_object_get(step, "resource"));
}

static enum err_status record(const struct undoing *u, const json_t *step, const char *kind,
	json_t *more_taken, struct err *err)
{
	json_t *p = about(step);

	if (more_taken != NULL) {
		json_object_update(p, more_taken);
		json_decref(more_taken);
	}
	enum err_status st = journal_append(u->e->journal, u->case_id, kind, p, NULL, err);
	const struct action *a = action_find(doc_text(step, "action"));
	if (st == ERR_OK && u->e->watch.step != NULL && a != NULL) {
		const char *state = strcmp(kind, "undo.result") == 0   ? "undone"
				    : strcmp(kind, "undo.failed") == 0 ? "undo_failed"
								       : "undoing";
		u->e->watch.step(u->e->watch.ctx, doc_text_or(step, "id", ""), a, state, p);
	}
	json_decref(p);
	return st;
}

static enum err_status no_progress(void *ctx, const json_t *partial, struct err *err)
{
	(void)ctx;
	(void)partial;
	(void)err;
	return ERR_OK; /* an undo may be repeated: it needs no notes */
}

static enum err_status call_undo(struct undoing *u, const json_t *step, const struct action *a,
	json_t **differences, struct err *err)
{
	const struct engine *e = u->e;
	struct action_ctx c = { .env = e->env,
		.aws = e->aws,
		.config = e->config,
		.finding = e->finding,
		.case_id = u->case_id,
		.account = e->account,
		.region = e->region,
		.facts = u->none,
		.progress = no_progress };
	const json_t *before = json_object_get(step, "before");
	const json_t *after = json_object_get(step, "after");

	engine_ctx_fill(&c, step, u->none);
	json_t *with = json_deep_copy(c.with);
	if (u->force || doc_true(step, "undo_force")) {
		json_object_set_new(with, "force", json_true());
	}
	c.with = with;
	bool applied = json_is_true(json_object_get(step, "applied"));
	json_array_clear(u->calls);
	struct engine_ctx_right right = { .journal = e->journal, .case_id = u->case_id };
	aws_thread_observer(engine_ctx_note_call, u->calls);
	aws_thread_gate(engine_ctx_may_act, &right);
	enum err_status st = e->dry_run ? ERR_OK : engine_ctx_take(&right, a, step, err);
	if (st == ERR_OK) {
		st = a->undo(&c, json_is_object(before) ? before : u->none,
			applied ? after : NULL, differences, err);
	}
	engine_ctx_give(&right);
	aws_thread_gate(NULL, NULL);
	aws_thread_observer(NULL, NULL);
	json_decref(with);
	return st;
}

static void keep(const struct undoing *u, const json_t *step, const char *reason)
{
	json_t *k = about(step);

	json_object_set_new(k, "reason", json_string(reason));
	json_array_append_new(u->kept, k);
}

static void note_differences(const struct undoing *u, const json_t *step, const json_t *found)
{
	json_t *d;
	size_t i;

	json_array_foreach(found, i, d)
	{
		json_t *copy = json_is_object(d) ? json_copy(d) : json_pack("{s:O}", "text", d);
		json_object_set(copy, "step", json_object_get(step, "id"));
		json_array_append_new(u->differences, copy);
	}
}

/* Only a journal that can't be written stops the undo; a step that fails is told. */
static enum err_status undo_one(struct undoing *u, const json_t *step, struct err *err)
{
	const struct action *a = action_find(doc_text(step, "action"));
	json_t *found = NULL;
	struct err why = { 0 };

	if (a == NULL || !a->reversible || a->undo == NULL) {
		keep(u, step,
			a ? N_("what it made is kept")
			  : N_("this cordon has no action of that name"));
		return ERR_OK;
	}
	enum err_status st =
		record(u, step, "undo.intent", json_pack("{s:b}", "force", u->force), err);
	if (st != ERR_OK) {
		return st;
	}
	enum err_status done = call_undo(u, step, a, &found, &why);
	found = found ? found : json_array();
	note_differences(u, step, found);
	if (done == ERR_OK) {
		st = record(u, step, "undo.result",
			json_pack("{s:O, s:O}", "differences", found, "calls", u->calls), err);
		json_array_append_new(u->undone, about(step));
	} else {
		json_t *e = engine_ctx_error(&why);
		st = record(u, step, "undo.failed",
			json_pack("{s:O, s:O, s:O}", "error", e, "differences", found, "calls",
				u->calls),
			err);
		json_object_set(e, "step", json_object_get(step, "id"));
		json_object_set(e, "action", json_object_get(step, "action"));
		json_array_append_new(u->errors, e);
	}
	json_decref(found);
	return st;
}

/* The same undo up to the changing call that the client holds back; nothing is recorded. */
static void rehearse(struct undoing *u, const json_t *step)
{
	const struct action *a = action_find(doc_text(step, "action"));
	json_t *found = NULL;
	struct err why = { 0 };

	if (a == NULL || !a->reversible || a->undo == NULL) {
		keep(u, step, N_("what it made is kept"));
		return;
	}
	enum err_status st = call_undo(u, step, a, &found, &why);
	note_differences(u, step, found);
	json_decref(found);
	if (st == ERR_OK || json_array_size(u->calls) > 0) {
		json_t *one = about(step);
		json_object_set_new(one, "would_call", json_deep_copy(u->calls));
		json_array_append_new(u->undone, one);
		return;
	}
	json_t *e = engine_ctx_error(&why);
	json_object_set(e, "step", json_object_get(step, "id"));
	json_object_set(e, "action", json_object_get(step, "action"));
	json_array_append_new(u->errors, e);
}

/* What a step may have changed and nobody took back yet. */
static bool to_undo(const json_t *step, const char *only)
{
	return json_is_true(json_object_get(step, "intent")) &&
	       (only == NULL || strcmp(doc_text_or(step, "id", ""), only) == 0);
}

/* One step of the list. */
struct entry {
	const json_t *step;
};

/* Last completed first; a step that never completed comes before them all. */
static int later_first(const void *a, const void *b)
{
	int64_t p = doc_int(((const struct entry *)a)->step, "seq", INT64_MAX);
	int64_t q = doc_int(((const struct entry *)b)->step, "seq", INT64_MAX);

	return p > q ? -1 : p < q;
}

/* The finding that led here must not start the same again; said before the first change. */
static enum err_status suppress(const struct undoing *u, const json_t *view, struct err *err)
{
	json_t *f;
	size_t i;
	enum err_status st = ERR_OK;

	if (doc_true(view, "undo_all")) {
		return ERR_OK;
	}
	json_array_foreach(json_object_get(view, "findings"), i, f)
	{
		json_t *p = json_pack("{s:O, s:s, s:b, s:b}", "finding_arn",
			json_object_get(f, "arn"), "reason", "the case was undone", "undo_all",
			1, "force", u->force);
		if (st == ERR_OK) {
			st = journal_append(
				u->e->journal, u->case_id, "case.suppressed", p, NULL, err);
		}
		json_decref(p);
	}
	return st;
}

static enum err_status undo_list(
	struct undoing *u, struct entry *list, size_t n, struct err *err)
{
	qsort(list, n, sizeof(*list), later_first);
	for (size_t i = 0; i < n; i++) {
		if (engine_interrupted()) {
			return err_set(err, ERR_INTERRUPTED,
				"interrupted; go on with `cordon undo %s`", u->case_id);
		}
		enum err_status st = undo_one(u, list[i].step, err);
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

static enum err_status verdict(const struct undoing *u, struct err *err)
{
	size_t failed = json_array_size(u->errors);

	if (failed == 0) {
		return ERR_OK;
	}
	const char *what = doc_text_or(json_array_get(u->errors, 0), "message", "?");
	const char *step = doc_text_or(json_array_get(u->errors, 0), "step", "?");
	return err_set(err, json_array_size(u->undone) > 0 ? ERR_PARTIAL : ERR_FAILED,
		"%zu step(s) could not be undone, first %s: %s", failed, step, what);
}

/* The steps that `only` (NULL: all) names and that are to be undone; *n of them. Freed by the caller. */
static struct entry *list_of(const json_t *view, const char *only, size_t *n)
{
	const json_t *steps = json_object_get(view, "steps");
	struct entry *list = calloc(json_array_size(steps) + 1, sizeof(*list));
	json_t *step;
	size_t i;

	if (list == NULL) {
		BUG("out of memory");
	}
	*n = 0;
	json_array_foreach(steps, i, step)
	{
		if (to_undo(step, only)) {
			list[(*n)++].step = step;
		}
	}
	return list;
}

static enum err_status undo_steps(const struct undoing *given, const json_t *view,
	const char *only, json_t **out, struct err *err)
{
	const struct engine *e = given->e;
	struct undoing u = *given;
	u.none = json_object();
	u.calls = json_array();
	u.undone = json_array();
	u.kept = json_array();
	u.differences = json_array();
	u.errors = json_array();
	size_t n = 0;
	struct entry *list = list_of(view, only, &n);
	enum err_status st = ERR_OK;

	if (e->dry_run) {
		qsort(list, n, sizeof(*list), later_first);
		for (size_t i = 0; i < n; i++) {
			rehearse(&u, list[i].step);
		}
	} else {
		st = only == NULL ? suppress(&u, view, err) : ERR_OK;
		st = st == ERR_OK ? undo_list(&u, list, n, err) : st;
		st = st == ERR_OK ? verdict(&u, err) : st;
	}
	*out = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "schema", "cordon.undo/1",
		"case", u.case_id, "undone", u.undone, "kept", u.kept, "differences",
		u.differences, "errors", u.errors, "dry_run", e->dry_run);
	free(list);
	json_decref(u.none);
	json_decref(u.calls);
	return st;
}

enum err_status engine_undo(const struct engine *e, const char *case_id, const char *step_id,
	bool force, json_t **out, struct err *err)
{
	json_t *view = NULL;
	enum err_status st = view_read(e->journal, case_id, &view, err);

	if (st == ERR_OK && step_id != NULL && view_step(view, step_id) == NULL) {
		st = err_set(err, ERR_NOT_FOUND,
			"case %s has no step %s; `cordon case show %s` lists them", case_id,
			step_id, case_id);
	}
	if (st == ERR_OK) {
		const struct undoing u = { .e = e, .case_id = case_id, .force = force };
		st = undo_steps(&u, view, step_id, out, err);
	}
	json_decref(view);
	return st;
}
