#include "base/i18n.h"
#include "base/utc.h"
#include "incident/view.h"
#include "response/approver.h"
#include "response/engine_run.h"
#include "response/guard.h"
#include "response/plan.h"

#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 2000
#define FRESH_MS   60000

static bool known_is(const struct engine_step *s, const char *state)
{
	return strcmp(doc_text_or(s->known, "state", ""), state) == 0;
}

static bool planned_is(const struct engine_step *s, const char *key, const char *value)
{
	return strcmp(doc_text_or(s->planned, key, ""), value) == 0;
}

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

/* Nobody answered in time. */
static bool ran_out(const struct engine_work *w, const json_t *question)
{
	int64_t until;

	return utc_parse(str_from(doc_text(question, "until")), &until) &&
	       until < env_now_ms(w->e->env);
}

/* The question was put about the plan as it was, and a yes to that is none to this one. */
static bool outdated(const struct engine_work *w, const json_t *question)
{
	const char *about = doc_text(question, "plan");
	char hash[65];

	plan_hash(w->plan, doc_text_or(question, "step", ""), hash);
	return about != NULL && strcmp(about, hash) != 0;
}

static void put_question(struct engine_work *w, const struct engine_step *s)
{
	const json_t *terms = json_object_get(w->plan, "approve");
	json_t *who = json_object_get(terms, "who");
	char until[32], hash[65];

	plan_hash(w->plan, doc_text_or(s->planned, "id", ""), hash);
	utc_rfc3339(env_now_ms(w->e->env) + doc_int(terms, "until_minutes", 60) * 60000, until);
	json_t *more = json_pack("{s:O?, s:s, s:s, s:s}", "who", who, "until", until,
		"on_expiry", doc_text_or(terms, "on_expiry", "hold"), "plan", hash);
	(void)!engine_step_record(w, s, "approval.asked", more, "awaiting_approval");
}

static void ask(struct engine_work *w, struct engine_step *s)
{
	s->phase = ENGINE_PENDING;
	put_question(w, s);
}

static void say_yes(struct engine_work *w, const struct engine_step *s)
{
	json_t *more = json_pack("{s:s, s:s}", "decision", "approved", "reason", "--yes");

	(void)!engine_step_record(w, s, "approval.given", more, NULL);
}

/* Whoever says --yes says it for the steps that are theirs to approve; the others are asked about. */
static bool says_yes(struct engine_work *w, const struct engine_step *s)
{
	const json_t *who = doc_get(w->plan, "approve.who");
	const char *id = doc_text_or(s->planned, "id", "?");
	char reason[600];

	if (doc_text(s->planned, "guard") != NULL && !w->e->approve_seen) {
		return false; /* said before anybody could know that a guard would ask */
	}
	if (!w->e->approve_all || approver_listed(who, &w->e->approver)) {
		return w->e->approve_all;
	}
	approver_refusal(who, &w->e->approver, id, w->case_id, reason);
	json_t *held = json_pack("{s:s, s:o, s:[s]}", "guard", GUARD_APPROVER, "reason",
		doc_str(str_from(reason)), "steps", id);
	(void)!engine_step_record(w, s, "guard.held", held, NULL);
	return false;
}

bool engine_settle_late(struct engine_work *w, const struct engine_step *s)
{
	if (!s->unasked) {
		return true;
	}
	if (says_yes(w, s)) {
		say_yes(w, s);
		return true;
	}
	put_question(w, s);
	return false;
}

static void give_up(struct engine_work *w, struct engine_step *s, const json_t *question)
{
	json_t *more = json_pack("{s:s, s:s, s:O*}", "decision", "rejected", "reason",
		N_("nobody answered in time"), "question", json_object_get(question, "seq"));

	s->phase = ENGINE_GIVEN_UP;
	(void)!engine_step_record(w, s, "approval.given", more, "rejected");
}

/*
 * A step in mode approve runs when somebody said so; else the question is put. When nobody answered
 * in time the playbook says what then: `skip` gives the step up, `hold` asks again, and so does a
 * plan that changed since. Silence never runs a step.
 */
static void settle_approval(struct engine_work *w, struct engine_step *s)
{
	const json_t *question = asked(w, doc_text_or(s->planned, "id", ""));

	if (!planned_is(s, "mode", "approve") || s->interrupted || s->applied ||
		doc_true(s->known, "approved")) {
		return;
	}
	if (says_yes(w, s)) {
		say_yes(w, s);
		return;
	}
	bool fits = question != NULL && !outdated(w, question);
	bool over = fits && ran_out(w, question);
	if (over && strcmp(doc_text_or(question, "on_expiry", ""), "skip") == 0) {
		give_up(w, s, question);
	} else if (!fits || over) {
		ask(w, s);
	} else {
		s->phase = ENGINE_PENDING;
	}
}

/* What earlier runs of this case already did with the step. */
static void settle_known(struct engine_step *s)
{
	bool same = s->known != NULL &&
		    doc_eq(json_object_get(s->known, "action"),
			    json_object_get(s->planned, "action")) &&
		    doc_eq(json_object_get(s->known, "resource"),
			    json_object_get(s->planned, "resource"));

	bool only_told = planned_is(s, "mode", "notify") || planned_is(s, "mode", "none");

	s->phase = ENGINE_WAITING;
	s->known = same ? s->known : NULL;
	/* What had begun is finished, whatever a newer plan thinks of it. */
	bool begun = known_is(s, "running") || known_is(s, "failed");
	s->interrupted = begun && json_is_true(json_object_get(s->known, "intent"));
	if (known_is(s, "done")) {
		s->applied = json_is_null(json_object_get(s->known, "verified"));
		s->phase = s->applied ? ENGINE_WAITING : ENGINE_DONE;
	} else if (known_is(s, "skipped") && !doc_true(s->known, "needed")) {
		s->phase = ENGINE_MET;
	} else if (known_is(s, "rejected") || known_is(s, "undone") ||
		   known_is(s, "undo_failed") || (only_told && !s->interrupted)) {
		s->phase = ENGINE_GIVEN_UP;
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

/* What earlier runs made is a fact for the steps of this one too. */
static void recall(struct engine_work *w, const struct engine_step *s)
{
	json_t *after = json_object_get(s->known, "after");

	if (doc_true(s->known, "applied") && !doc_true(s->known, "undone")) {
		json_object_set_new(w->facts, doc_text_or(s->planned, "id", ""),
			json_pack("{s:O, s:O*, s:O*, s:O}", "action",
				json_object_get(s->known, "action"), "resource",
				json_object_get(s->known, "resource"), "before",
				json_object_get(s->known, "before"), "after",
				after ? after : w->none));
	}
}

enum err_status engine_settle_load(struct engine_work *w, struct err *err)
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
		s->known = view_step(w->view, doc_text_or(s->planned, "id", ""));
		s->action = action_find(doc_text(s->planned, "action"));
		settle_known(s);
		recall(w, s);
	}
	for (size_t i = 0; i < n; i++) {
		link_needs(w, &w->steps[i]);
	}
	return ERR_OK;
}

/* Steps that this run will not start by itself are settled before any thread runs. */
void engine_settle_all(struct engine_work *w)
{
	for (size_t i = 0; i < w->n && !w->stop; i++) {
		struct engine_step *s = &w->steps[i];
		if (s->phase != ENGINE_WAITING) {
			continue;
		}
		if (s->action == NULL) {
			json_t *more = json_pack("{s:s, s:b}", "reason",
				N_("this cordon has no action of that name"), "needed", 1);
			s->phase = ENGINE_BLOCKED;
			(void)!engine_step_record(w, s, "step.skipped", more, NULL);
		} else if (w->fresh && !s->interrupted && !s->applied &&
			   json_is_false(json_object_get(s->planned, "needed"))) {
			/* Nothing to approve, as it looks: the step will find itself met. */
			s->unasked = !w->e->dry_run && planned_is(s, "mode", "approve") &&
				     !doc_true(s->known, "approved");
		} else if (!w->e->dry_run) { /* a rehearsal shows what a yes would do, too */
			settle_approval(w, s);
		}
	}
}
