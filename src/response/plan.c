#include "response/plan.h"

#include "base/phrase.h"
#include "base/utc.h"
#include "incident/view.h"
#include "response/engine_ctx.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS   2000
#define MAX_THREADS 16

/* One step being looked at. */
struct look {
	json_t *step; /* the planned step, filled by the worker that has it */
	const struct action *action;
	enum err_status status;
	struct err err;
	int rounds; /* round trips until it has taken hold, 0 when it need not */
};

struct plan_work {
	const struct action_ctx *base;
	json_t *none; /* {} */
	struct look *looks;
	size_t n;
	atomic_size_t next;
};

static void describe(struct look *l)
{
	const struct action *a = l->action;
	json_t *calls = json_array();

	for (size_t i = 0; a->calls != NULL && a->calls[i] != NULL; i++) {
		json_array_append_new(calls, json_string(a->calls[i]));
	}
	json_object_set_new(l->step, "title", json_string(a->title ? a->title : a->name));
	json_object_set_new(l->step, "why", json_string(a->why ? a->why : ""));
	json_object_set_new(l->step, "risk", json_string(a->risk ? a->risk : ""));
	json_object_set_new(l->step, "undo", json_string(a->undo_text ? a->undo_text : ""));
	json_object_set_new(l->step, "reversible", json_boolean(a->reversible));
	json_object_set_new(l->step, "calls", calls);
}

/* What the thing will be: the action's own forecast ("will"), else what the measure is called. */
static void forecast(struct look *l, json_t *before)
{
	json_t *will = json_object_get(before, "will");

	if (will != NULL) {
		json_object_set(l->step, "after", will);
		json_object_del(before, "will");
	} else {
		json_object_set_new(l->step, "after",
			json_pack("{s:s}", "text", l->action->title ? l->action->title : ""));
	}
}

/* `why` has the "reason", as a phrase or as it stands. */
static void skip(struct look *l, const json_t *why)
{
	json_object_set_new(l->step, "needed", json_false());
	json_object_set_new(l->step, "state", json_string("skipped"));
	json_object_set_new(l->step, "reason",
		json_string(doc_text_or(why, "reason", N_("it is in force already"))));
	json_object_set(l->step, "template", json_object_get(why, "template"));
	json_object_set(l->step, "args", json_object_get(why, "args"));
}

static void look_at(const struct plan_work *w, struct look *l)
{
	struct action_ctx c = *w->base;
	json_t *before = NULL;
	bool needed = true;

	engine_ctx_fill(&c, l->step, w->none);
	l->status = l->action->observe(&c, &before, &needed, &l->err);
	if (l->status == ERR_NOT_FOUND) {
		before = engine_ctx_gone(&c, &l->err);
		skip(l, before);
		json_decref(before);
		return;
	}
	if (l->status != ERR_OK) {
		json_object_set_new(l->step, "needed", json_true());
		json_object_set_new(l->step, "state", json_string("unknown"));
		json_object_set_new(l->step, "error", engine_ctx_error(&l->err));
		return;
	}
	if (before == NULL) {
		before = json_object();
	}
	if (needed) {
		forecast(l, before);
		json_object_set_new(l->step, "needed", json_true());
		json_object_set_new(l->step, "state", json_string("planned"));
	} else {
		skip(l, before);
		json_object_set(l->step, "after", before);
	}
	json_object_set_new(l->step, "before", before);
}

static void *look_around(void *arg)
{
	struct plan_work *w = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&w->next, 1);
		if (i >= w->n) {
			return NULL;
		}
		if (w->looks[i].action != NULL) {
			look_at(w, &w->looks[i]);
		}
	}
}

static void look_at_all(struct plan_work *w)
{
	pthread_t threads[MAX_THREADS];
	size_t started = 0;

	while (started + 1 < w->n && started + 1 < MAX_THREADS &&
		pthread_create(&threads[started], NULL, look_around, w) == 0) {
		started++;
	}
	look_around(w); /* this thread works too, so it goes on when none can be had */
	for (size_t i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
	}
}

/*
 * The plan can't be told when not one look succeeded (dead endpoint, wrong credentials): then the
 * first failure is the answer. Otherwise what could not be seen is said in its step.
 */
static enum err_status settle(const struct plan_work *w, struct err *err)
{
	const struct look *first = NULL;

	for (size_t i = 0; i < w->n; i++) {
		const struct look *l = &w->looks[i];
		if (l->status == ERR_INTERRUPTED || l->status == ERR_CONFIG) {
			first = l;
			break;
		}
		if (l->status == ERR_OK || l->status == ERR_NOT_FOUND) {
			return ERR_OK;
		}
		first = first ? first : l;
	}
	if (first != NULL && err != NULL) {
		*err = first->err;
	}
	return first ? first->status : ERR_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *permissions(const json_t *steps)
{
	json_t *seen = json_object();
	json_t *out = json_array();
	json_t *step;
	json_t *call;
	const char *key;
	size_t i, k;

	json_array_foreach(steps, i, step)
	{
		json_array_foreach(json_object_get(step, "calls"), k, call)
		{
			const char *name = json_string_value(call);
			json_object_set_new(seen, name ? name : "", json_true());
		}
	}
	size_t n = json_object_size(seen);
	const char **names = calloc(n + 1, sizeof(*names));
	if (names == NULL) {
		BUG("out of memory");
	}
	i = 0;
	json_object_foreach(seen, key, call)
	{
		names[i++] = key;
	}
	qsort(names, n, sizeof(names[0]), by_name);
	for (i = 0; i < n; i++) {
		json_array_append_new(out, json_string(names[i]));
	}
	free(names);
	json_decref(seen);
	return out;
}

static size_t index_of(const struct plan_work *w, const char *id)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcmp(doc_text_or(w->looks[i].step, "id", ""), id) == 0) {
			return i;
		}
	}
	return SIZE_MAX;
}

/*
 * When each step has taken hold, counted in sequential round trips after the look at everything
 * (one). What a step waits for is applied and read back first, then the step looks again. Needs
 * stand before what needs them, so one pass is enough.
 */
static void count_rounds(struct plan_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct look *l = &w->looks[i];
		json_t *need;
		size_t k;
		int wait = 0;
		bool waits = false;
		if (l->action == NULL || json_is_false(json_object_get(l->step, "needed"))) {
			continue;
		}
		json_array_foreach(json_object_get(l->step, "needs"), k, need)
		{
			const char *id = json_string_value(need);
			size_t at = index_of(w, id ? id : "");
			if (at < i) {
				int r = w->looks[at].rounds;
				waits = true;
				wait = r > 0 && r + 1 > wait ? r + 1 : wait;
			}
		}
		l->rounds = wait + (waits ? 1 : 0) +
			    (l->action->rounds > 0 ? l->action->rounds : 1);
	}
}

static bool isolates(const struct action *a)
{
	return strcmp(a->name, "isolate-network") == 0 ||
	       strcmp(a->name, "contain-runbook") == 0;
}

static json_t *rounds_to_isolation(const struct plan_work *w)
{
	int most = -1;

	for (size_t i = 0; i < w->n; i++) {
		const struct look *l = &w->looks[i];
		if (l->action != NULL && isolates(l->action) &&
			!json_is_false(json_object_get(l->step, "needed"))) {
			int r = 1 + l->rounds;
			most = r > most ? r : most;
		}
	}
	return most < 0 ? json_null() : json_integer(most);
}

static json_t *assemble(const struct plan_work *w, const json_t *route)
{
	static const char *const from_route[] = { "finding", "playbook", "title", "mode" };
	json_t *plan = json_pack("{s:s}", "schema", "cordon.plan/1");
	json_t *steps = json_array();
	char now[32];

	for (size_t i = 0; i < sizeof(from_route) / sizeof(from_route[0]); i++) {
		json_t *v = json_object_get(route, from_route[i]);
		json_object_set_new(plan, from_route[i], v ? json_deep_copy(v) : json_null());
	}
	for (size_t i = 0; i < w->n; i++) {
		json_array_append(steps, w->looks[i].step);
	}
	json_t *held = json_object_get(route, "held_back");
	utc_rfc3339(env_now_ms(w->base->env), now);
	json_object_set_new(plan, "made", json_string(now));
	json_object_set_new(plan, "round_trips_to_isolation", rounds_to_isolation(w));
	json_object_set_new(plan, "steps", steps);
	json_object_set_new(plan, "held_back", held ? json_deep_copy(held) : json_array());
	json_object_set_new(plan, "approve",
		json_object_get(route, "approve")
			? json_deep_copy(json_object_get(route, "approve"))
			: json_null());
	json_object_set_new(plan, "permissions", permissions(steps));
	return plan;
}

enum err_status plan_make(
	const struct action_ctx *base, const json_t *route, json_t **out, struct err *err)
{
	const json_t *steps = json_object_get(route, "steps");
	struct plan_work w = { .base = base, .n = json_array_size(steps) };
	enum err_status st = ERR_OK;

	if (w.n > MAX_STEPS) {
		return err_set(err, ERR_LIMIT,
			"the route has %zu steps, at most %d are planned", w.n, MAX_STEPS);
	}
	w.none = json_object();
	w.looks = calloc(w.n + 1, sizeof(*w.looks));
	if (w.looks == NULL) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < w.n; i++) {
		struct look *l = &w.looks[i];
		l->step = json_deep_copy(json_array_get(steps, i));
		l->action = action_find(doc_text(l->step, "action"));
		if (l->action != NULL) {
			describe(l);
		} else {
			json_t *why = json_pack("{s:s}", "reason",
				N_("this cordon has no action of that name"));
			skip(l, why);
			json_decref(why);
			l->status = ERR_NOT_FOUND;
		}
	}
	look_at_all(&w);
	st = settle(&w, err);
	if (st == ERR_OK) {
		count_rounds(&w);
		*out = assemble(&w, route);
	}
	for (size_t i = 0; i < w.n; i++) {
		json_decref(w.looks[i].step);
	}
	free(w.looks);
	json_decref(w.none);
	return st;
}

static bool same_work(const json_t *a, const json_t *b)
{
	return doc_eq(json_object_get(a, "action"), json_object_get(b, "action")) &&
	       doc_eq(json_object_get(a, "resource"), json_object_get(b, "resource"));
}

static void replace_in(json_t *list, const char *from, const char *to)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *text = json_string_value(v);
		if (text != NULL && strcmp(text, from) == 0) {
			json_array_set_new(list, i, json_string(to));
		}
	}
}

static void rename_step(json_t *plan, const char *from, const char *to)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(plan, "steps"), i, step)
	{
		if (strcmp(doc_text_or(step, "id", ""), from) == 0) {
			json_object_set_new(step, "id", json_string(to));
		}
		replace_in(json_object_get(step, "needs"), from, to);
		replace_in(json_object_get(step, "soft"), from, to);
	}
}

void plan_distinct(json_t *plan, const json_t *view)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(plan, "steps"), i, step)
	{
		const char *id = doc_text_or(step, "id", "");
		const json_t *known = view_step(view, id);
		if (known == NULL || same_work(known, step)) {
			continue;
		}
		char *from = str_dup(str_from(id));
		json_t *to = json_sprintf("%s:%s", id, doc_text_or(step, "resource.id", "?"));
		rename_step(plan, from, json_string_value(to));
		json_decref(to);
		free(from);
	}
}

static bool is_follow_up(const json_t *step)
{
	return json_is_object(json_object_get(step, "origin"));
}

void plan_add_steps(json_t *plan, const json_t *steps)
{
	json_t *all = json_object_get(plan, "steps");
	json_t *step;
	size_t i;

	json_array_foreach(steps, i, step)
	{
		if (view_step(plan, doc_text_or(step, "id", "")) == NULL) {
			json_array_append_new(all, json_deep_copy(step));
		}
	}
	json_object_set_new(plan, "permissions", permissions(all));
}

void plan_keep_follow_ups(json_t *plan, const json_t *older)
{
	json_t *kept = json_array();
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(older, "steps"), i, step)
	{
		if (is_follow_up(step)) {
			json_array_append(kept, step);
		}
	}
	if (json_array_size(kept) > 0) {
		plan_add_steps(plan, kept);
	}
	json_decref(kept);
}

void plan_hash(const json_t *plan, const char *step, char out[65])
{
	json_t *timeless = json_deep_copy(plan);
	json_t *steps = json_object_get(timeless, "steps");
	bool whole = step == NULL || is_follow_up(view_step(plan, step));

	json_object_del(timeless, "made");
	for (size_t i = json_array_size(steps); i > 0; i--) {
		json_t *one = json_array_get(steps, i - 1);
		json_object_del(one, "would_call"); /* a rehearsal's note */
		if (!whole && is_follow_up(one)) {
			json_array_remove(steps, i - 1);
		}
	}
	if (!whole) {
		json_object_del(timeless, "permissions");
	}
	doc_sha256(timeless, out);
	json_decref(timeless);
}
