#include "response/engine.h"

#include "base/phrase.h"
#include "incident/view.h"
#include "response/engine_ctx.h"
#include "response/engine_run.h"
#include "response/plan.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_THREADS 8
#define MOST_THREADS    32

/* Lock-free, so a signal handler may set it and any thread may read it. */
static atomic_bool interrupted;

void engine_interrupt(void)
{
	atomic_store(&interrupted, true);
}

bool engine_interrupted(void)
{
	return atomic_load(&interrupted);
}

enum readiness { READY, NOT_YET, HELD, BLOCKED };

static enum readiness ready(
	const struct engine_work *w, const struct engine_step *s, const char **because)
{
	enum readiness worst = READY;

	for (size_t i = 0; i < s->n_needs && !s->interrupted; i++) {
		const struct engine_step *need = &w->steps[s->needs[i].step];
		enum readiness r = READY;
		switch (need->phase) {
		case ENGINE_WAITING:
		case ENGINE_RUNNING:
			r = NOT_YET;
			break;
		case ENGINE_PENDING:
			r = HELD;
			break;
		case ENGINE_FAILED:
		case ENGINE_BLOCKED:
		case ENGINE_GIVEN_UP:
			r = s->needs[i].soft ? READY : BLOCKED;
			break;
		case ENGINE_DONE:
		case ENGINE_MET:
			break;
		}
		if (r == BLOCKED) {
			*because = doc_text_or(need->planned, "id", "?");
		}
		worst = r > worst ? r : worst;
	}
	return worst;
}

/* A running step is at the document that this one would write. Called with the lock held. */
static bool document_taken(const struct engine_work *w, const struct engine_step *s)
{
	for (size_t i = 0; i < w->n && s->action != NULL && s->action->document != NULL; i++) {
		const struct engine_step *other = &w->steps[i];
		if (other->phase == ENGINE_RUNNING && other->action->document != NULL &&
			strcmp(other->action->document, s->action->document) == 0 &&
			str_eq(engine_ctx_bucket(other->planned),
				engine_ctx_bucket(s->planned))) {
			return true;
		}
	}
	return false;
}

static void block(struct engine_work *w, struct engine_step *s, const char *because)
{
	json_t *more = json_pack("{s:b}", "needed", 1);

	phrase_set(more, "reason", N_("it needs {0}, which did not come about"),
		PHRASE_ARGS(because));
	s->phase = ENGINE_BLOCKED;
	pthread_mutex_unlock(&w->lock);
	(void)!engine_step_record(w, s, "step.skipped", more, "skipped");
	pthread_mutex_lock(&w->lock);
	pthread_cond_broadcast(&w->changed);
}

/* The next step to start: first what may have left a host open. Called with the lock held. */
static struct engine_step *next_step(struct engine_work *w, bool *again)
{
	struct engine_step *best = NULL;
	const char *because = NULL;

	*again = false;
	for (size_t i = 0; i < w->n; i++) {
		struct engine_step *s = &w->steps[i];
		if (s->phase != ENGINE_WAITING) {
			continue;
		}
		enum readiness r = ready(w, s, &because);
		if (r == BLOCKED) {
			block(w, s, because);
			*again = true;
			return NULL;
		}
		if (r == HELD) {
			s->phase = ENGINE_PENDING;
			*again = true;
			return NULL;
		}
		if (r == READY && (best == NULL || (s->urgent && !best->urgent)) &&
			!document_taken(w, s)) {
			best = s;
		}
	}
	return best;
}

static void *run_steps(void *arg)
{
	struct engine_work *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		bool again = false;
		if (engine_interrupted()) {
			w->stop = true;
		}
		if (w->stop) {
			break;
		}
		struct engine_step *s = next_step(w, &again);
		if (again) {
			continue;
		}
		if (s == NULL && w->running == 0) {
			break;
		}
		if (s == NULL) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		s->phase = ENGINE_RUNNING;
		w->running++;
		pthread_mutex_unlock(&w->lock);
		enum engine_phase phase = engine_step_run(w, s);
		pthread_mutex_lock(&w->lock);
		s->phase = phase;
		w->running--;
		pthread_cond_broadcast(&w->changed);
	}
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void run_all(struct engine_work *w)
{
	pthread_t threads[MOST_THREADS];
	size_t most = w->e->max_threads > 0 ? (size_t)w->e->max_threads : DEFAULT_THREADS;
	size_t started = 0;

	most = most < MOST_THREADS ? most : MOST_THREADS;
	while (started + 1 < w->n && started + 1 < most &&
		pthread_create(&threads[started], NULL, run_steps, w) == 0) {
		started++;
	}
	run_steps(w);
	for (size_t i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
	}
}

static void work_deinit(struct engine_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		json_decref(w->steps[i].planned);
		free(w->steps[i].needs);
	}
	free(w->steps);
	json_decref(w->facts);
	json_decref(w->none);
	json_decref(w->plan);
	json_decref(w->view);
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->watch_lock);
	pthread_cond_destroy(&w->changed);
}

static enum err_status conclude(struct engine_work *w, json_t **out, struct err *err)
{
	json_t *view = NULL;
	enum err_status st = view_read(w->e->journal, w->case_id, &view, err);

	if (st != ERR_OK) {
		return st;
	}
	*out = engine_answer(view);
	json_decref(view);
	if (w->fatal.status != ERR_OK) {
		if (err != NULL) {
			*err = w->fatal;
		}
		return w->fatal.status;
	}
	if (engine_interrupted()) {
		return err_set(err, ERR_INTERRUPTED,
			"interrupted; go on with `cordon resume %s`, or take it back with "
			"`cordon undo %s`",
			w->case_id, w->case_id);
	}
	return engine_answer_status(*out, err);
}

/* The plan stands in the journal before anything is done about it. */
static enum err_status record_plan(struct engine_work *w, struct err *err)
{
	char hash[65], old[65] = "";
	json_t *known = json_object_get(w->view, "plan");

	plan_hash(w->plan, NULL, hash);
	if (json_is_object(known)) {
		plan_hash(known, NULL, old);
	}
	if (strcmp(hash, old) == 0) {
		return ERR_OK;
	}
	json_t *p = json_pack("{s:O, s:O*, s:O*, s:s}", "plan", w->plan, "playbook",
		json_object_get(w->plan, "playbook"), "mode", json_object_get(w->plan, "mode"),
		"hash", hash);
	enum err_status st =
		journal_append(w->e->journal, w->case_id, "plan.made", p, NULL, err);
	json_decref(p);
	if (st == ERR_OK) {
		json_decref(w->view);
		w->view = NULL;
		st = view_read(w->e->journal, w->case_id, &w->view, err);
	}
	return st;
}

enum err_status engine_run(const struct engine *e, const char *case_id, const json_t *plan,
	json_t **out, struct err *err)
{
	struct engine_work w = { .e = e, .case_id = case_id };
	enum err_status st = ERR_OK;

	pthread_mutex_init(&w.lock, NULL);
	pthread_mutex_init(&w.watch_lock, NULL);
	pthread_cond_init(&w.changed, NULL);
	w.plan = json_deep_copy(plan);
	if (case_id != NULL) {
		TRY(view_read(e->journal, case_id, &w.view, err));
		plan_distinct(w.plan, w.view);
	}
	if (!e->dry_run) {
		TRY(record_plan(&w, err));
	}
	TRY(engine_settle_load(&w, err));
	engine_settle_all(&w);
	run_all(&w);
	st = e->dry_run ? engine_answer_rehearse(case_id, w.plan, out) : conclude(&w, out, err);
out:
	work_deinit(&w);
	return st;
}

/* A whole undo was killed with steps it had not come to. */
static bool mid_undo(const json_t *view)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, step)
	{
		if (doc_true(view, "undo_all") && doc_true(step, "intent") &&
			!json_is_false(json_object_get(step, "reversible"))) {
			return true;
		}
	}
	return false;
}

/* Finishes a killed undo: all of it, or the one step it was about. *any: there was one. */
static enum err_status finish_undo(const struct engine *e, const char *case_id,
	const json_t *view, bool *any, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *undone = NULL;
	json_t *step;
	size_t i;

	*any = mid_undo(view);
	if (*any) {
		st = engine_undo(e, case_id, NULL, doc_true(view, "undo_force"), &undone, err);
		json_decref(undone);
		return st;
	}
	json_array_foreach(json_object_get(view, "steps"), i, step)
	{
		if (st == ERR_OK && doc_true(step, "undoing")) {
			*any = true;
			undone = NULL;
			st = engine_undo(e, case_id, doc_text(step, "id"), false, &undone, err);
			json_decref(undone);
		}
	}
	return st;
}

enum err_status engine_resume(
	const struct engine *e, const char *case_id, json_t **out, struct err *err)
{
	json_t *view = NULL;
	bool undid = false;
	enum err_status st = view_read(e->journal, case_id, &view, err);

	if (st != ERR_OK) {
		return st;
	}
	if (!e->dry_run) {
		st = finish_undo(e, case_id, view, &undid, err);
	}
	const json_t *plan = json_object_get(view, "plan");
	if (!undid && json_is_object(plan)) {
		st = engine_run(e, case_id, plan, out, err);
	} else {
		json_t *now = NULL;
		if (view_read(e->journal, case_id, &now, NULL) == ERR_OK) {
			*out = engine_answer(now);
		}
		json_decref(now);
	}
	json_decref(view);
	return st;
}
