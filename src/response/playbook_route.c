/* A finding decided offline: the document cordon.route/1. */
#include "response/guard.h"
#include "response/playbook_model.h"

#include <stdio.h>
#include <string.h>

#define MAX_STEPS 2000 /* of one route; a sequence of 100 resources has about 1000 */

/* One step on one resource. */
struct made {
	const struct playbook_step *step;
	const struct finding_resource *resource;
	enum playbook_mode mode;
};

struct route {
	const struct config *config;
	const struct finding *finding;
	const struct playbook *playbook;
	struct made *made;
	size_t n;
	json_t *held_back;
};

static void hold(struct route *rt, const char *guard, const char *reason)
{
	json_array_append_new(rt->held_back,
		json_pack("{s:s, s:o}", "guard", guard, "reason", doc_str(str_from(reason))));
}

static enum playbook_mode narrow(const struct config *config, enum playbook_mode mode)
{
	enum playbook_mode most = config->mode == CONFIG_OBSERVE   ? PLAYBOOK_NOTIFY
				  : config->mode == CONFIG_APPROVE ? PLAYBOOK_APPROVE
								   : PLAYBOOK_AUTO;
	return mode > most ? most : mode;
}

/* Something to act on: an id, or for a credential at least the user's name. */
static struct str target_of(const struct finding_resource *r)
{
	return r->id.n == 0 && r->kind == FINDING_ACCESS_KEY ? r->user_name : r->id;
}

/* A step waits for these steps of the route: the one on the same resource, else all of that id. */
static bool waits_for(
	const struct route *rt, size_t i, size_t k, const struct reader_words *ids)
{
	const struct made *a = &rt->made[i];
	const struct made *b = &rt->made[k];
	bool same = false;
	bool named = false;

	for (size_t n = 0; n < ids->n; n++) {
		named = named || strcmp(ids->items[n], b->step->id) == 0;
	}
	if (!named || k == i) {
		return false;
	}
	for (size_t n = 0; n < rt->n; n++) {
		same = same ||
		       (rt->made[n].step == b->step && rt->made[n].resource == a->resource);
	}
	return !same || b->resource == a->resource;
}

/*
 * A step is never more active than one it needs: what is only reported can't have been done, so
 * what builds on it is only reported too. Steps stand in order, so one pass is enough.
 */
static void narrow_by_needs(struct route *rt)
{
	for (size_t i = 0; i < rt->n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (rt->made[k].mode < PLAYBOOK_APPROVE &&
				rt->made[i].mode > rt->made[k].mode &&
				waits_for(rt, i, k, &rt->made[i].step->needs)) {
				rt->made[i].mode = rt->made[k].mode;
			}
		}
	}
}

static enum err_status make_steps(struct route *rt, struct err *err)
{
	const struct finding *f = rt->finding;
	const struct playbook *p = rt->playbook;

	for (size_t s = 0; s < p->n_steps; s++) {
		for (size_t i = 0; i < f->n_resources; i++) {
			const struct finding_resource *r = &f->resources[i];
			char reason[200];
			if (r->kind != p->steps[s].on || target_of(r).n == 0 ||
				!playbook_holds(&p->steps[s].when, rt->config, f, r) ||
				guard_resource(rt->config, f, r, reason) != NULL) {
				continue;
			}
			enum playbook_mode mode = narrow(
				rt->config, playbook_step_mode(&p->steps[s], rt->config, f, r));
			if (mode == PLAYBOOK_NONE) {
				continue;
			}
			if (rt->n == MAX_STEPS) {
				return err_set(err, ERR_LIMIT,
					"the finding needs more than %d steps: contain by hand",
					MAX_STEPS);
			}
			rt->made[rt->n++] = (struct made){ &p->steps[s], r, mode };
		}
	}
	narrow_by_needs(rt);
	return ERR_OK;
}

static void note_exempt_resources(struct route *rt)
{
	char reason[200];
	for (size_t i = 0; i < rt->finding->n_resources; i++) {
		const char *guard = guard_resource(
			rt->config, rt->finding, &rt->finding->resources[i], reason);
		if (guard != NULL) {
			hold(rt, guard, reason);
		}
	}
}

/* "isolate-network", or "isolate-network:i-0abc" when the step is there for several resources. */
static json_t *step_id(const struct route *rt, size_t i)
{
	const struct made *m = &rt->made[i];
	char text[FINDING_MAX_ID + 100];
	size_t same = 0;
	for (size_t k = 0; k < rt->n; k++) {
		same += rt->made[k].step == m->step;
	}
	if (same < 2) {
		return json_string(m->step->id);
	}
	(void)snprintf(
		text, sizeof(text), "%.90s:%.*s", m->step->id, STR_ARG(target_of(m->resource)));
	return doc_str(str_from(text));
}

static json_t *waits(const struct route *rt, size_t i, const struct reader_words *ids)
{
	json_t *out = json_array();
	for (size_t k = 0; k < i; k++) {
		if (waits_for(rt, i, k, ids) && rt->made[k].mode >= PLAYBOOK_APPROVE) {
			json_array_append_new(out, step_id(rt, k));
		}
	}
	return out;
}

static json_t *actor_ips(const struct finding *f)
{
	json_t *out = json_array();
	for (size_t i = 0; i < f->n_actors; i++) {
		if (f->actors[i].ip.n > 0) {
			json_array_append_new(out, doc_str(f->actors[i].ip));
		}
	}
	return out;
}

/* The step's parameters; what the finding says of the resource beside its id comes first. */
static json_t *parameters(const struct route *rt, const struct made *m)
{
	const struct finding_resource *r = m->resource;
	json_t *out = r->about ? json_deep_copy(r->about) : json_object();
	const char *key = NULL;
	json_t *value = NULL;

	if (r->kind == FINDING_ACCESS_KEY && r->user_name.n > 0) {
		if (str_is(r->user_type, "IAMUser")) {
			json_object_set_new(out, "user", doc_str(r->user_name));
		} else if (str_is(r->user_type, "AssumedRole")) {
			json_object_set_new(out, "role", doc_str(r->user_name));
		}
	}
	json_object_foreach(m->step->with, key, value)
	{
		const char *text = json_string_value(value);
		json_object_set_new(out, key,
			text != NULL && strcmp(text, "$actor_ips") == 0
				? actor_ips(rt->finding)
				: json_deep_copy(value));
	}
	return out;
}

static json_t *steps_json(const struct route *rt)
{
	json_t *out = json_array();
	for (size_t i = 0; i < rt->n; i++) {
		const struct made *m = &rt->made[i];
		json_t *needs = waits(rt, i, &m->step->needs);
		json_t *soft = waits(rt, i, &m->step->after);
		json_array_extend(needs, soft);
		json_array_append_new(
			out, json_pack("{s:o, s:s, s:{s:s, s:o}, s:s, s:o, s:o, s:o}", "id",
				     step_id(rt, i), "action", m->step->action, "resource",
				     "kind", finding_kind_name(m->resource->kind), "id",
				     doc_str(target_of(m->resource)), "mode",
				     playbook_mode_name(m->mode), "needs", needs, "soft", soft,
				     "with", parameters(rt, m)));
	}
	return out;
}

static json_t *approve_json(const struct route *rt)
{
	const struct playbook *p = rt->playbook;
	json_t *who = json_array();
	if (p == NULL) {
		json_decref(who);
		return json_null();
	}
	for (size_t i = 0; i < p->who.n; i++) {
		json_array_append_new(who, json_string(p->who.items[i]));
	}
	for (size_t i = 0; p->who.n == 0 && i < rt->config->approvers.n; i++) {
		json_array_append_new(who, json_string(rt->config->approvers.items[i]));
	}
	return json_pack("{s:o, s:I, s:s}", "who", who, "until_minutes",
		(json_int_t)p->until_minutes, "on_expiry", p->on_expiry);
}

enum err_status playbook_route(const struct playbook_set *s, const struct config *config,
	const struct finding *f, json_t **out, struct err *err)
{
	enum err_status st = ERR_OK;
	struct arena arena;
	char reason[200];
	bool tell = true;
	enum playbook_mode mode = PLAYBOOK_NOTIFY;
	struct route rt = { config, f, playbook_choose(s, config, f), NULL, 0, json_array() };

	arena_init(&arena, MAX_STEPS * sizeof(*rt.made) + 64);
	rt.made = arena_array(&arena, MAX_STEPS, sizeof(*rt.made));
	const char *guard = guard_static(config, f, reason, &tell);
	if (guard != NULL) {
		hold(&rt, guard, reason);
		mode = tell ? PLAYBOOK_NOTIFY : PLAYBOOK_NONE;
	} else if (rt.playbook != NULL && rt.made != NULL) {
		note_exempt_resources(&rt);
		TRY(make_steps(&rt, err));
	}
	for (size_t i = 0; i < rt.n; i++) {
		mode = rt.made[i].mode > mode ? rt.made[i].mode : mode;
	}
	*out = json_pack("{s:s, s:o, s:s?, s:s?, s:s, s:o, s:O, s:o}", "schema",
		"cordon.route/1", "finding", finding_json(f), "playbook",
		rt.playbook ? rt.playbook->name : NULL, "title",
		rt.playbook ? rt.playbook->title : NULL, "mode", playbook_mode_name(mode),
		"steps", steps_json(&rt), "held_back", rt.held_back, "approve",
		approve_json(&rt));
out:
	json_decref(rt.held_back);
	arena_deinit(&arena);
	return st;
}
