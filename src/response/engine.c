#include "response/engine.h"

#include "base/utc.h"
#include "incident/view.h"
#include "response/engine_ctx.h"
#include "response/engine_run.h"
#include "response/plan.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_THREADS 8
#define MOST_THREADS    32
#define MOST_STEPS      2000
#define FRESH_MS        60000

static volatile sig_atomic_t interrupted;

void engine_interrupt(void)
{
	interrupted = 1;
}

bool engine_interrupted(void)
{
	return interrupted != 0;
}

enum err_status engine_view(
	const struct engine *e, const char *case_id, json_t **view, struct err *err)
{
	json_t *records = NULL;
	enum err_status st = journal_read(e->journal, case_id, &records, err);

	if (st == ERR_OK) {
		st = view_fold(records, view, err);
	}
	json_decref(records);
	return st;
}

json_t *engine_view_step(const json_t *view, const char *id)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, step)
	{
		if (strcmp(doc_text_or(step, "id", ""), id) == 0) {
			return step;
		}
	}
	return NULL;
}

static bool known_is(const struct engine_step *s, const char *state)
{
	return strcmp(doc_text_or(s->known, "state", ""), state) == 0;
}

static bool planned_is(const struct engine_step *s, const char *key, const char *value)
{
	return strcmp(doc_text_or(s->planned, key, ""), value) == 0;
}

/* ---- approvals -------------------------------------------------------------------------- */

static const json_t *asked(const struct engine_work *w, const char *id)
{
	const json_t *found = NULL;
	json_t *a;
	size_t i;

	json_array_foreach(json_object_get(w->view, "approvals"), i, a)
	{
		if (strcmp(doc_text_or(a, "step", ""), id) == 0 &&
			json_is_null(json_object_get(a, "decision"))) {
			found = a;
		}
	}
	return found;
}

/* Nobody answered in time and the playbook says to give the step up. */
static bool lapsed(const struct engine_work *w, const json_t *question)
{
	int64_t until;

	return strcmp(doc_text_or(question, "on_expiry", ""), "skip") == 0 &&
	       utc_parse(str_from(doc_text(question, "until")), &until) &&
	       until < env_now_ms(w->e->env);
}

static void ask(struct engine_work *w, struct engine_step *s)
{
	const json_t *terms = json_object_get(w->plan, "approve");
	json_t *who = json_object_get(terms, "who");
	char until[32];

	utc_rfc3339(env_now_ms(w->e->env) + doc_int(terms, "until_minutes", 60) * 60000, until);
	json_t *more = json_pack("{s:O?, s:s, s:s}", "who", who, "until", until, "on_expiry",
		doc_text_or(terms, "on_expiry", "hold"));
	s->phase = ENGINE_PENDING;
	(void)!engine_step_record(w, s, "approval.asked", more, "awaiting_approval");
}

/* A step in mode approve runs when somebody said so; else the question is put, once. */
static void settle_approval(struct engine_work *w, struct engine_step *s)
{
	const json_t *question = asked(w, doc_text_or(s->planned, "id", ""));

	if (!planned_is(s, "mode", "approve") || s->interrupted || s->applied ||
		doc_true(s->known, "approved")) {
		return;
	}
	if (w->e->approve_all) {
		json_t *more =
			json_pack("{s:s, s:s}", "decision", "approved", "reason", "--yes");
		(void)!engine_step_record(w, s, "approval.given", more, NULL);
	} else if (question == NULL) {
		ask(w, s);
	} else if (lapsed(w, question)) {
		json_t *more = json_pack("{s:s, s:s}", "decision", "rejected", "reason",
			"nobody answered in time");
		s->phase = ENGINE_GIVEN_UP;
		(void)!engine_step_record(w, s, "approval.given", more, "rejected");
	} else {
		s->phase = ENGINE_PENDING;
	}
}

/* ---- where each step stands ------------------------------------------------------------- */

/* What earlier runs of this case already did with the step. */
static void settle_known(struct engine_step *s)
{
	bool same = s->known != NULL &&
		    doc_eq(json_object_get(s->known, "action"),
			    json_object_get(s->planned, "action")) &&
		    doc_eq(json_object_get(s->known, "resource"),
			    json_object_get(s->planned, "resource"));

	s->phase = ENGINE_WAITING;
	if (planned_is(s, "mode", "notify") || planned_is(s, "mode", "none")) {
		s->phase = ENGINE_GIVEN_UP;
	} else if (!same) {
		s->known = NULL;
	} else if (known_is(s, "done") && json_is_true(json_object_get(s->known, "verified"))) {
		s->phase = ENGINE_DONE;
	} else if (known_is(s, "done")) {
		s->applied = true;
	} else if (known_is(s, "rejected") || known_is(s, "undone") ||
		   known_is(s, "undo_failed")) {
		s->phase = ENGINE_GIVEN_UP;
	} else if (known_is(s, "skipped") && !doc_true(s->known, "needed")) {
		s->phase = ENGINE_MET;
	} else {
		s->interrupted = json_is_true(json_object_get(s->known, "intent"));
	}
	s->urgent = s->interrupted && (doc_true(s->known, "partial.half_open") ||
					      planned_is(s, "action", "isolate-network"));
}

static size_t index_of(const struct engine_work *w, const char *id)
{
	for (size_t i = 0; id != NULL && i < w->n; i++) {
		if (planned_is(&w->steps[i], "id", id)) {
			return i;
		}
	}
	return SIZE_MAX;
}

static bool listed(const json_t *list, const json_t *id)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		if (doc_eq(v, id)) {
			return true;
		}
	}
	return false;
}

/* A need that is not among the steps was not to be done at all: it holds nobody up. */
static void link_needs(struct engine_work *w, struct engine_step *s)
{
	const json_t *needs = json_object_get(s->planned, "needs");
	json_t *id;
	size_t i;

	s->needs = calloc(json_array_size(needs) + 1, sizeof(*s->needs));
	if (s->needs == NULL) {
		BUG("out of memory");
	}
	json_array_foreach(needs, i, id)
	{
		size_t at = index_of(w, json_string_value(id));
		if (at != SIZE_MAX && &w->steps[at] != s) {
			bool soft = listed(json_object_get(s->planned, "soft"), id);
			s->needs[s->n_needs++] = (struct engine_need){ at, soft };
		}
	}
}

static enum err_status load(struct engine_work *w, struct err *err)
{
	json_t *steps = json_object_get(w->plan, "steps");
	size_t n = json_array_size(steps);
	int64_t made;

	if (n > MOST_STEPS) {
		return err_set(err, ERR_LIMIT, "the plan has more than %d steps", MOST_STEPS);
	}
	w->steps = calloc(n + 1, sizeof(*w->steps));
	if (w->steps == NULL) {
		BUG("out of memory");
	}
	w->n = n;
	w->facts = json_object();
	w->none = json_object();
	w->fresh = utc_parse(str_from(doc_text(w->plan, "made")), &made) &&
		   env_now_ms(w->e->env) - made <= FRESH_MS;
	for (size_t i = 0; i < n; i++) {
		struct engine_step *s = &w->steps[i];
		s->planned = json_incref(json_array_get(steps, i));
		s->known = engine_view_step(w->view, doc_text_or(s->planned, "id", ""));
		s->action = action_find(doc_text(s->planned, "action"));
		settle_known(s);
	}
	for (size_t i = 0; i < n; i++) {
		link_needs(w, &w->steps[i]);
	}
	return ERR_OK;
}

/* Steps that this run will not start by itself are settled before any thread runs. */
static void settle_all(struct engine_work *w)
{
	for (size_t i = 0; i < w->n && !w->stop; i++) {
		struct engine_step *s = &w->steps[i];
		if (s->phase != ENGINE_WAITING) {
			continue;
		}
		if (s->action == NULL) {
			json_t *more = json_pack("{s:s, s:b}", "reason",
				"this cordon has no action of that name", "needed", 1);
			s->phase = ENGINE_BLOCKED;
			(void)!engine_step_record(w, s, "step.skipped", more, NULL);
		} else if (w->fresh && !s->interrupted && !s->applied &&
			   json_is_false(json_object_get(s->planned, "needed"))) {
			continue; /* nothing to approve: the step will find itself met */
		} else {
			settle_approval(w, s);
		}
	}
}

/* ---- threads ---------------------------------------------------------------------------- */

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

static void block(struct engine_work *w, struct engine_step *s, const char *because)
{
	char reason[256];

	(void)snprintf(
		reason, sizeof(reason), "it needs %s, which did not come about", because);
	s->phase = ENGINE_BLOCKED;
	pthread_mutex_unlock(&w->lock);
	(void)!engine_step_record(w, s, "step.skipped",
		json_pack("{s:s, s:b}", "reason", reason, "needed", 1), "skipped");
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
		if (r == READY && (best == NULL || (s->urgent && !best->urgent))) {
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

/* ---- the answer ------------------------------------------------------------------------- */

static json_t *response_of(const json_t *view)
{
	static const char *const fields[] = { "action", "resource", "mode", "state", "verified",
		"before", "after", "reason", "error", "elapsed_ms", "undo" };
	json_t *actions = json_array(), *errors = json_array();
	const char *state = doc_text_or(view, "state", "open");
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, step)
	{
		json_t *a = json_pack("{s:O}", "step", json_object_get(step, "id"));
		json_t *error = json_object_get(step, "error");
		for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
			json_t *v = json_object_get(step, fields[k]);
			if (v != NULL && !json_is_null(v)) {
				json_object_set(a, fields[k], v);
			}
		}
		json_object_set_new(a, "verified",
			json_boolean(json_is_true(json_object_get(step, "verified"))));
		json_array_append_new(actions, a);
		if (json_is_object(error)) {
			json_t *e = json_copy(error);
			json_object_set(e, "step", json_object_get(step, "id"));
			json_object_set(e, "action", json_object_get(step, "action"));
			json_array_append_new(errors, e);
		}
	}
	if (strcmp(state, "observed") == 0) {
		state = "notified";
	} else if (strcmp(state, "open") == 0) {
		state = json_array_size(actions) > 0 ? "partial" : "notified";
	}
	return json_pack("{s:s, s:O, s:s, s:o, s:o}", "schema", "cordon.response/1", "case",
		json_object_get(view, "case"), "state", state, "actions", actions, "errors",
		errors);
}

/* The status a script sees: the first failure's own when nothing at all was achieved. */
static enum err_status verdict(const json_t *response, struct err *err)
{
	const char *state = doc_text_or(response, "state", "");
	const char *message = doc_text_or(response, "errors[0].message", "a step failed");
	const char *step = doc_text_or(response, "errors[0].step", "?");
	size_t n = json_array_size(json_object_get(response, "errors"));

	if (strcmp(state, "awaiting_approval") == 0) {
		return err_set(err, ERR_AWAITING,
			"case %s waits for approval: `cordon case show %s` tells of what",
			doc_text_or(response, "case", "?"), doc_text_or(response, "case", "?"));
	}
	if (strcmp(state, "partial") == 0) {
		return n == 0 ? err_set(err, ERR_PARTIAL, "not every step was run")
			      : err_set(err, ERR_PARTIAL, "%zu step(s) failed, first %s: %s", n,
					step, message);
	}
	if (strcmp(state, "failed") != 0) {
		return ERR_OK;
	}
	enum err_status st = engine_ctx_status(doc_text_or(response, "errors[0].status", ""));
	if (st != ERR_DENIED && st != ERR_UNREACHABLE && st != ERR_CONFIG) {
		st = ERR_FAILED;
	}
	return err_set(err, st, "%s: %s", step, message);
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
	enum err_status st = engine_view(w->e, w->case_id, &view, err);

	if (st != ERR_OK) {
		return st;
	}
	*out = response_of(view);
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
	return verdict(*out, err);
}

/* The view with nothing done yet shows exactly the plan: what a dry run has to say. */
static enum err_status rehearse(
	const struct engine *e, const char *case_id, const json_t *plan, json_t **out)
{
	json_t *record = json_pack("[{s:s?, s:s, s:{s:O}}]", "case", case_id, "kind",
		"plan.made", "payload", "plan", plan);
	json_t *view = NULL;
	json_t *a;
	size_t i;
	enum err_status st = view_fold(record, &view, NULL);

	(void)e;
	if (st == ERR_OK) {
		*out = response_of(view);
		json_array_foreach(json_object_get(*out, "actions"), i, a)
		{
			json_t *planned = json_array_get(json_object_get(plan, "steps"), i);
			json_object_set(a, "calls", json_object_get(planned, "calls"));
			json_object_set(a, "state", json_object_get(planned, "state"));
		}
		json_object_set_new(*out, "state", json_string("notified"));
		json_object_set_new(*out, "dry_run", json_true());
	}
	json_decref(view);
	json_decref(record);
	return st;
}

/* The plan stands in the journal before anything is done about it. */
static enum err_status record_plan(struct engine_work *w, struct err *err)
{
	char hash[65], old[65] = "";
	json_t *known = json_object_get(w->view, "plan");

	plan_hash(w->plan, hash);
	if (json_is_object(known)) {
		plan_hash(known, old);
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
		st = engine_view(w->e, w->case_id, &w->view, err);
	}
	return st;
}

enum err_status engine_run(const struct engine *e, const char *case_id, const json_t *plan,
	json_t **out, struct err *err)
{
	struct engine_work w = { .e = e, .case_id = case_id };
	enum err_status st = ERR_OK;

	if (e->dry_run) {
		return rehearse(e, case_id, plan, out);
	}
	pthread_mutex_init(&w.lock, NULL);
	pthread_mutex_init(&w.watch_lock, NULL);
	pthread_cond_init(&w.changed, NULL);
	w.plan = json_deep_copy(plan);
	TRY(engine_view(e, case_id, &w.view, err));
	TRY(record_plan(&w, err));
	TRY(load(&w, err));
	settle_all(&w);
	run_all(&w);
	st = conclude(&w, out, err);
out:
	work_deinit(&w);
	return st;
}

/* An undo was killed: a step in the middle of it, or steps it had not come to. */
static bool mid_undo(const json_t *view)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, step)
	{
		bool left = doc_true(view, "undo_all") && doc_true(step, "intent") &&
			    !json_is_false(json_object_get(step, "reversible"));
		if (left || doc_true(step, "undoing")) {
			return true;
		}
	}
	return false;
}

enum err_status engine_resume(
	const struct engine *e, const char *case_id, json_t **out, struct err *err)
{
	json_t *view = NULL, *undone = NULL;
	enum err_status st = engine_view(e, case_id, &view, err);

	if (st != ERR_OK) {
		return st;
	}
	const json_t *plan = json_object_get(view, "plan");
	if (mid_undo(view) && !e->dry_run) {
		st = engine_undo_steps(e, case_id, view, NULL, false, &undone, err);
		json_decref(undone);
		json_decref(view);
		view = NULL;
		if (engine_view(e, case_id, &view, NULL) == ERR_OK) {
			*out = response_of(view);
		}
	} else if (json_is_object(plan)) {
		st = engine_run(e, case_id, plan, out, err);
	} else {
		*out = response_of(view);
	}
	json_decref(view);
	return st;
}
