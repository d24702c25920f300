#include "response/follow_up.h"

#include "base/phrase.h"
#include "response/guard.h"
#include "response/playbook_model.h"

#include <stdio.h>
#include <string.h>

#define MOST 100 /* steps that one analysis may propose */

/* A call that makes a credential, and what contains that. */
static const struct row {
	const char *call, *action;
	bool by_key; /* the resource is the key in `detail`; else the user or role in `target` */
	bool is_role;       /* `target` is a role */
	const char *origin; /* N_(): {0} what was made, {1} for whom, {2} when */
} rows[] = {
	{ "CreateAccessKey", "disable-access-key", true, false,
		N_("The intruder made the access key {0} of user {1} at {2}.") },
	{ "CreateUser", "deny-user", false, false,
		N_("The intruder made the user {1} at {2}.") },
	{ "CreateLoginProfile", "disable-login-profile", false, false,
		N_("The intruder gave user {1} a console password at {2}.") },
	{ "UpdateLoginProfile", "disable-login-profile", false, false,
		N_("The intruder changed the console password of user {1} at {2}.") },
	{ "CreateRole", "revoke-role-sessions", false, true,
		N_("The intruder made the role {1} at {2}.") },
	{ "UpdateAssumeRolePolicy", "revoke-role-sessions", false, true,
		N_("The intruder changed who may assume the role {1} at {2}.") },
};

static bool has_step(const json_t *view, const char *action, const char *id)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, s)
	{
		bool same = strcmp(doc_text_or(s, "resource.id", ""), id) == 0 ||
			    strcmp(doc_text_or(s, "with.user", ""), id) == 0 ||
			    strcmp(doc_text_or(s, "with.role", ""), id) == 0;
		if (same && strcmp(doc_text_or(s, "action", ""), action) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_listed(const json_t *wanted, const char *action, const char *id)
{
	const json_t *w;
	size_t i;

	json_array_foreach(wanted, i, w)
	{
		if (strcmp(doc_text_or(w, "id", ""), id) == 0 &&
			strcmp(doc_text_or(w, "action", ""), action) == 0) {
			return true;
		}
	}
	return false;
}

static void add(json_t *wanted, const json_t *view, const struct row *r, const json_t *found)
{
	const char *target = doc_text_or(found, "target", "");
	const char *detail = doc_text_or(found, "detail", "");
	const char *id = r->by_key ? detail : target;
	const char *time = doc_text_or(found, "time", "");

	/* An id of the attacker's choosing goes nowhere but into IAM's own parameters; it must be one. */
	if (id[0] == '\0' || strlen(id) > 128 || json_array_size(wanted) >= MOST ||
		is_listed(wanted, r->action, id) || has_step(view, r->action, id)) {
		return;
	}
	json_t *origin = phrase_new(r->origin, PHRASE_ARGS(detail, target, time));
	json_object_set(origin, "event", json_object_get(found, "event"));
	json_object_set(origin, "time", json_object_get(found, "time"));
	json_t *w =
		json_pack("{s:s, s:s, s:o}", "action", r->action, "id", id, "origin", origin);
	if (target[0] != '\0') {
		json_object_set_new(w, r->is_role ? "role" : "user", json_string(target));
	}
	json_array_append_new(wanted, w);
}

static void add_by_call(json_t *wanted, const json_t *view, const json_t *found)
{
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		if (strcmp(rows[n].call, doc_text_or(found, "action", "")) == 0) {
			add(wanted, view, &rows[n], found);
		}
	}
}

json_t *follow_up_wanted(const json_t *view)
{
	static const char *const lists[] = { "investigation.scope.credentials_created",
		"investigation.scope.persistence" };
	json_t *wanted = json_array();
	const json_t *found;
	size_t i;

	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		json_array_foreach(doc_get(view, lists[k]), i, found)
		{
			add_by_call(wanted, view, found);
		}
	}
	return wanted;
}

struct finding *follow_up_finding(const json_t *view, const json_t *wanted)
{
	json_t *actors = json_array();
	const json_t *w;
	struct finding_set set = { 0 };
	struct finding *f = NULL;
	struct buf text;
	size_t i;

	json_array_foreach(wanted, i, w)
	{
		const char *role = doc_text(w, "role");
		json_array_append_new(
			actors, json_pack("{s:{s:s, s:s, s:s}}", "user", "credentialUid",
					doc_text_or(w, "id", ""), "name",
					role ? role : doc_text_or(w, "user", ""), "type",
					role ? "AssumedRole" : "IAMUser"));
	}
	json_t *doc = json_pack("{s:s, s:f, s:s, s:s, s:s, s:{s:{s:{s:o}}}}", "type",
		"Cordon:IAM/FollowUp", "severity", doc_real(view, "severity", 0), "accountId",
		doc_text_or(view, "account", ""), "region", doc_text_or(view, "region", ""),
		"arn", "", "service", "detection", "sequence", "actors", actors);
	buf_init(&text, (size_t)DOC_MAX_BYTES);
	doc_canonical(doc, &text);
	if (json_array_size(wanted) > 0 &&
		finding_read(buf_view(&text), &set, NULL) == ERR_OK && set.n == 1) {
		f = set.items[0];
		set.items[0] = NULL;
	}
	finding_set_deinit(&set);
	buf_deinit(&text);
	json_decref(doc);
	return f;
}

static const struct playbook *playbook_of(const struct playbook_set *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->items[i].name, name) == 0) {
			return &s->items[i];
		}
	}
	return NULL;
}

static enum playbook_mode mode_of(const struct playbook *p, const struct config *config,
	const struct finding *f, const struct finding_resource *r)
{
	const struct playbook_step like = {
		.mode = p != NULL ? p->follow_up.mode : PLAYBOOK_APPROVE,
		.matrix = p != NULL ? p->follow_up.matrix : NULL,
	};
	enum playbook_mode mode = playbook_step_mode(&like, config, f, r);
	enum playbook_mode most = config->mode == CONFIG_OBSERVE   ? PLAYBOOK_NOTIFY
				  : config->mode == CONFIG_APPROVE ? PLAYBOOK_APPROVE
								   : PLAYBOOK_AUTO;
	return mode > most ? most : mode;
}

static const struct finding_resource *resource_of(const struct finding *f, const char *id)
{
	for (size_t i = 0; i < f->n_resources; i++) {
		if (str_is(f->resources[i].id, id)) {
			return &f->resources[i];
		}
	}
	return NULL;
}

static json_t *step_of(const json_t *wanted, enum playbook_mode mode)
{
	static const char *const names[] = { "user", "role" };
	const char *action = doc_text_or(wanted, "action", "");
	const char *id = doc_text_or(wanted, "id", "");
	json_t *with = json_object();

	for (size_t i = 0; i < 2; i++) {
		json_t *v = json_object_get(wanted, names[i]);
		if (v != NULL) {
			json_object_set(with, names[i], v);
		}
	}
	return json_pack("{s:o, s:s, s:{s:s, s:s}, s:s, s:[], s:[], s:o, s:O}", "id",
		json_sprintf("follow-up:%s:%s", action, id), "action", action, "resource",
		"kind", finding_kind_name(FINDING_ACCESS_KEY), "id", id, "mode",
		playbook_mode_name(mode), "needs", "soft", "with", with, "origin",
		json_object_get(wanted, "origin"));
}

/* A route being made. */
struct adding {
	const struct config *config;
	const struct playbook *playbook;
	const struct finding *finding;
	json_t *steps, *held;
};

/* One wanted step into the route; its mode. */
static enum playbook_mode add_step(const struct adding *a, const json_t *wanted)
{
	char reason[200];
	const struct finding_resource *r =
		resource_of(a->finding, doc_text_or(wanted, "id", ""));
	if (r == NULL) {
		return PLAYBOOK_NONE;
	}
	enum playbook_mode mode = mode_of(a->playbook, a->config, a->finding, r);
	const char *guard = guard_resource(a->config, a->finding, r, reason);

	if (guard != NULL && mode == PLAYBOOK_AUTO) {
		json_array_append_new(a->held, json_pack("{s:s, s:o}", "guard", guard, "reason",
						       doc_str(str_from(reason))));
		mode = PLAYBOOK_APPROVE;
	}
	if (mode != PLAYBOOK_NONE) {
		json_array_append_new(a->steps, step_of(wanted, mode));
	}
	return mode;
}

enum err_status follow_up_route(const struct playbook_set *s, const struct config *config,
	const struct follow_up_case *c, json_t **out, struct err *err)
{
	enum playbook_mode most = PLAYBOOK_NONE;

	if (c->finding == NULL) {
		return err_set(err, ERR_INPUT, "what the analysis found can't be read");
	}
	const struct adding a = { .config = config,
		.playbook = playbook_of(s, doc_text_or(c->view, "playbook", "")),
		.finding = c->finding,
		.steps = json_array(),
		.held = json_array() };
	for (size_t i = 0; i < json_array_size(c->wanted); i++) {
		enum playbook_mode mode = add_step(&a, json_array_get(c->wanted, i));
		most = mode > most ? mode : most;
	}
	*out = json_pack("{s:s, s:o, s:O*, s:s, s:o, s:o, s:O*}", "schema", "cordon.route/1",
		"finding", finding_json(c->finding), "playbook",
		json_object_get(c->view, "playbook"), "mode", playbook_mode_name(most), "steps",
		a.steps, "held_back", a.held, "approve", doc_get(c->view, "plan.approve"));
	return ERR_OK;
}
