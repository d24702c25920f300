#include "response/guard.h"

#include "base/utc.h"

#include <stdio.h>
#include <string.h>

const char *guard_text(const char *guard)
{
	static const char *const texts[][2] = {
		{ GUARD_SAMPLE, N_("a sample finding: nothing happened") },
		{ GUARD_ARCHIVED, N_("the finding is archived or resolved") },
		{ GUARD_NOT_A_THREAT, N_("a check of settings, no threat") },
		{ GUARD_OWN_ACTION, N_("cordon did this itself") },
		{ GUARD_TARGET_ONLY, N_("an outsider tried and nothing succeeded") },
		{ GUARD_EXEMPT_ACCOUNT, N_("the account is exempt") },
		{ GUARD_EXEMPT_TYPE, N_("the finding type is exempt") },
		{ GUARD_EXEMPT_TAG, N_("the resource is exempt") },
		{ GUARD_DUPLICATE, N_("the finding was answered before") },
		{ GUARD_SUPPRESSED, N_("the response to this finding was undone") },
		{ GUARD_BREAKER, N_("too many resources in a short time: a person decides") },
		{ GUARD_APPROVER, N_("answered by somebody who may not") },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (strcmp(texts[i][0], guard) == 0) {
			return texts[i][1];
		}
	}
	return guard;
}

/* Globs of exemptions do not mind the case: a guard must not fall to how a name is written. */
static bool fits(const char *glob, struct str s)
{
	char pattern[FINDING_MAX_ID + 1], text[FINDING_MAX_ID + 1];
	struct str g = str_trim(str_from(glob));

	s = str_trim(s);
	if (g.n >= sizeof(pattern) || s.n >= sizeof(text)) {
		return str_eq(g, s);
	}
	finding_name_of(g, pattern);
	finding_name_of(s, text);
	return str_glob(str_from(pattern), str_from(text));
}

static bool in_list(const struct config_list *globs, struct str s)
{
	for (size_t i = 0; i < globs->n; i++) {
		if (fits(globs->items[i], s)) {
			return true;
		}
	}
	return false;
}

/* "2026-0042" somewhere in the text, as a whole word, into out. */
static bool find_case_id(struct str s, char out[32])
{
	for (size_t i = 0; i + 9 <= s.n; i++) {
		bool ok = s.p[i + 4] == '-';
		for (size_t k = 0; ok && k < 9; k++) {
			ok = k == 4 || (s.p[i + k] >= '0' && s.p[i + k] <= '9');
		}
		if (ok && (i == 0 || s.p[i - 1] < '0' || s.p[i - 1] > '9')) {
			size_t n = 9;
			while (n < 31 && i + n < s.n && s.p[i + n] >= '0' &&
				s.p[i + n] <= '9') {
				n++;
			}
			memcpy(out, s.p + i, n);
			out[n] = '\0';
			return true;
		}
	}
	return false;
}

static bool is_own_role(const char *role, struct str name)
{
	struct str own = str_from(role);
	size_t slash = str_find_char(own, '/');
	/* An ARN or a name; with a path only the last part is the name. */
	while (slash != SIZE_MAX) {
		own = str_sub(own, slash + 1, own.n);
		slash = str_find_char(own, '/');
	}
	return own.n > 0 && str_eq_nocase(own, name); /* IAM does not mind the case either */
}

bool guard_own_case(const char *role, const struct finding *f, char case_id[32])
{
	for (size_t i = 0; i < f->n_resources; i++) {
		const struct finding_resource *r = &f->resources[i];
		if (r->kind != FINDING_ACCESS_KEY || !is_own_role(role, r->user_name)) {
			continue;
		}
		size_t colon = str_find_char(r->principal_id, ':');
		struct str session = colon == SIZE_MAX ? (struct str){ NULL, 0 }
						       : str_sub(r->principal_id, colon + 1,
								 r->principal_id.n);
		size_t mark = str_find(f->user_agent, STR("md/case#"));
		if (find_case_id(session, case_id)) {
			return true;
		}
		if (str_find(f->user_agent, STR("cordon/")) != SIZE_MAX && mark != SIZE_MAX &&
			find_case_id(
				str_sub(f->user_agent, mark + 8, f->user_agent.n), case_id)) {
			return true;
		}
	}
	return false;
}

const char *guard_static(
	const struct config *config, const struct finding *f, char reason[200], bool *tell)
{
	char cited[32];

	*tell = false;
	if (f->sample) {
		(void)snprintf(reason, 200, "a sample finding: nothing happened");
		return GUARD_SAMPLE;
	}
	if (f->posture) {
		(void)snprintf(reason, 200, "a control or compliance check, no threat");
		return GUARD_NOT_A_THREAT;
	}
	if (guard_own_case(config->responder_role, f, cited)) {
		(void)snprintf(reason, 200,
			"cordon did this itself: its role and a case id are named");
		return GUARD_OWN_ACTION;
	}
	if (f->archived) {
		(void)snprintf(
			reason, 200, "archived, resolved or suppressed where it came from");
		return GUARD_ARCHIVED;
	}
	*tell = true;
	/* Port probes have no other role; an absent one counts as TARGET. */
	if (finding_role_matters(f->type) &&
		(f->role != FINDING_ROLE_ACTOR ||
			str_starts(f->type, STR("Recon:EC2/PortProbe")))) {
		(void)snprintf(reason, 200,
			"an outsider tried and nothing succeeded: containing the resource "
			"would let anybody switch it off");
		return GUARD_TARGET_ONLY;
	}
	if (in_list(&config->exempt_accounts, f->account)) {
		(void)snprintf(reason, 200, "account %.*s is exempt",
			STR_ARG(str_sub(f->account, 0, 20)));
		return GUARD_EXEMPT_ACCOUNT;
	}
	if (in_list(&config->exempt_types, f->type)) {
		(void)snprintf(reason, 200, "the type %.*s is exempt",
			STR_ARG(str_sub(f->type, 0, 120)));
		return GUARD_EXEMPT_TYPE;
	}
	return NULL;
}

static const char *exempt_tag_of(
	const struct config *config, const struct finding_resource *r, const char **tag)
{
	const char *key = NULL;
	json_t *value = NULL;
	json_object_foreach(r->tags, key, value)
	{
		for (size_t i = 0; i < config->exempt_tags.n; i++) {
			struct str want = str_from(config->exempt_tags.items[i]);
			size_t equals = str_find_char(want, '=');
			struct str name =
				str_sub(want, 0, equals == SIZE_MAX ? want.n : equals);
			if (!str_eq_nocase(str_trim(name), str_trim(str_from(key)))) {
				continue;
			}
			if (equals == SIZE_MAX ||
				fits(config->exempt_tags.items[i] + equals + 1,
					str_from(json_string_value(value)))) {
				*tag = config->exempt_tags.items[i];
				return GUARD_EXEMPT_TAG;
			}
		}
	}
	return NULL;
}

const char *guard_resource(const struct config *config, const struct finding *f,
	const struct finding_resource *r, char reason[200])
{
	const struct finding_resource *bearer = r;
	const char *tag = NULL;
	const char *guard = exempt_tag_of(config, r, &tag);

	/* Credentials of an exempt instance are part of it. */
	for (size_t i = 0; guard == NULL && r->instance_id.n > 0 && i < f->n_resources; i++) {
		bearer = &f->resources[i];
		if (bearer->kind == FINDING_INSTANCE && str_eq(bearer->id, r->instance_id)) {
			guard = exempt_tag_of(config, bearer, &tag);
		}
	}
	if (guard != NULL) {
		struct str id = bearer->id.n > 0 ? bearer->id : bearer->user_name;
		(void)snprintf(reason, 200, "%.*s carries the exempt tag %.80s",
			STR_ARG(str_sub(id, 0, 80)), tag);
	}
	return guard;
}

json_t *guard_facts_new(void)
{
	return json_pack(
		"{s:{}, s:{}, s:{}, s:i}", "seen", "suppressed", "undone", "contained", 0);
}

static int64_t time_of(const json_t *v)
{
	int64_t ms = 0;
	if (json_is_integer(v)) {
		return json_integer_value(v);
	}
	return utc_parse(str_from(json_string_value(v)), &ms) ? ms : 0;
}

static void add_seen(json_t *facts, const char *arn, const char *case_id, int64_t updated)
{
	json_t *seen = json_object_get(facts, "seen");
	char name[FINDING_MAX_ID + 1];

	finding_name_of(str_from(arn), name);
	if (name[0] == '\0' ||
		(json_object_get(seen, name) != NULL &&
			doc_int(json_object_get(seen, name), "updated_ms", 0) >= updated)) {
		return;
	}
	json_object_set_new(seen, name,
		json_pack("{s:s, s:I}", "case", case_id, "updated_ms", (json_int_t)updated));
}

static void add_suppressed(
	json_t *facts, const char *arn, const char *case_id, const json_t *payload)
{
	char name[FINDING_MAX_ID + 1];

	finding_name_of(str_from(arn), name);
	json_object_set_new(json_object_get(facts, "suppressed"), name,
		json_pack("{s:s, s:s}", "case", case_id, "reason",
			doc_text_or(payload, "reason", "")));
}

/* "isolate-network Instance i-0abc": what a step does, wherever it stands in a plan. */
static void work_of(const json_t *step, char out[600])
{
	(void)snprintf(out, 600, "%.100s %.60s %.400s", doc_text_or(step, "action", ""),
		doc_text_or(step, "resource.kind", ""), doc_text_or(step, "resource.id", ""));
}

void guard_facts_add(json_t *facts, const json_t *records)
{
	json_t *undone = json_object_get(facts, "undone");
	size_t i = 0;
	json_t *r = NULL;
	char work[600];

	json_array_foreach(records, i, r)
	{
		const char *kind = doc_text_or(r, "kind", "");
		const char *case_id = doc_text_or(r, "case", "");
		const json_t *p = json_object_get(r, "payload");
		if (strcmp(kind, "finding.received") == 0) {
			add_seen(facts, doc_text_or(p, "arn", ""), case_id,
				time_of(json_object_get(p, "updated")));
		} else if (strcmp(kind, "case.suppressed") == 0 &&
			   doc_text(p, "finding_arn") != NULL) {
			add_suppressed(facts, doc_text(p, "finding_arn"), case_id, p);
		} else if (strcmp(kind, "undo.result") == 0) {
			work_of(p, work);
			json_object_set_new(undone, work,
				json_pack("{s:s, s:o}", "case", case_id, "findings",
					json_copy(json_object_get(facts, "seen"))));
		} else if (strcmp(kind, "step.intent") == 0) {
			work_of(p, work);
			json_object_del(undone, work);
		}
	}
}

static void hold(json_t *route, const char *guard, const char *reason)
{
	json_array_append_new(json_object_get(route, "held_back"),
		json_pack("{s:s, s:o}", "guard", guard, "reason", doc_str(str_from(reason))));
}

static void drop_steps(json_t *route, const char *mode)
{
	json_array_clear(json_object_get(route, "steps"));
	json_object_set_new(route, "mode", json_string(mode));
}

static bool is_auto(const json_t *step)
{
	return strcmp(doc_text_or(step, "mode", ""), "auto") == 0;
}

/* Every auto step (of `resource`, NULL: of any) becomes approve; false when there was none. */
static bool ask_instead(json_t *route, const json_t *resource, const char *guard)
{
	size_t i = 0;
	json_t *step = NULL;
	bool narrowed = false, still = false;

	json_array_foreach(json_object_get(route, "steps"), i, step)
	{
		bool meant =
			resource == NULL || doc_eq(resource, json_object_get(step, "resource"));
		if (is_auto(step) && meant) {
			json_object_set_new(step, "mode", json_string("approve"));
			json_object_set_new(step, "guard", json_string(guard));
			narrowed = true;
		}
		still = still || is_auto(step);
	}
	if (narrowed && !still) {
		json_object_set_new(route, "mode", json_string("approve"));
	}
	return narrowed;
}

static void apply_breaker(const struct config *config, const json_t *facts, json_t *route)
{
	const json_t *contained = json_object_get(facts, "contained");
	char reason[200];

	if (json_is_integer(contained) &&
		json_integer_value(contained) <= config->breaker_actions) {
		return;
	}
	if (!ask_instead(route, NULL, GUARD_BREAKER)) {
		return;
	}
	if (json_is_integer(contained)) {
		(void)snprintf(reason, sizeof(reason),
			"%lld resources within %lld minutes are more than %lld: a person "
			"decides",
			(long long)json_integer_value(contained),
			(long long)config->breaker_minutes, (long long)config->breaker_actions);
	} else {
		(void)snprintf(reason, sizeof(reason),
			"what was contained lately is not known: a person decides");
	}
	hold(route, GUARD_BREAKER, reason);
}

/* Without its tags nobody knows whether a resource is exempt. */
static void apply_unknown_tags(const struct config *config, const json_t *facts, json_t *route)
{
	size_t i = 0;
	json_t *resource = NULL;
	char reason[200];

	if (config->exempt_tags.n == 0) {
		return;
	}
	json_array_foreach(json_object_get(facts, "tags_unknown"), i, resource)
	{
		if (ask_instead(route, resource, GUARD_EXEMPT_TAG)) {
			(void)snprintf(reason, sizeof(reason),
				"the tags of %.80s can't be read, so whether it is exempt is "
				"not known: a person decides",
				doc_text_or(resource, "id", "the resource"));
			hold(route, GUARD_EXEMPT_TAG, reason);
		}
	}
}

static bool lists(const json_t *list, const char *id)
{
	size_t i = 0;
	const json_t *v = NULL;

	json_array_foreach(list, i, v)
	{
		if (json_is_string(v) && strcmp(json_string_value(v), id) == 0) {
			return true;
		}
	}
	return false;
}

/* What can't do without the step `id` is only reported. */
static void report_dependents(json_t *steps, const char *id)
{
	size_t i = 0;
	json_t *step = NULL;

	json_array_foreach(steps, i, step)
	{
		if (lists(json_object_get(step, "needs"), id) &&
			!lists(json_object_get(step, "soft"), id)) {
			json_object_set_new(step, "mode", json_string("notify"));
		}
	}
}

/* What a person took back, this finding does not start again. */
static void drop_undone(const json_t *facts, const char *name, json_t *route)
{
	json_t *steps = json_object_get(route, "steps");
	char work[600], reason[200];

	for (size_t i = json_array_size(steps); i > 0; i--) {
		json_t *step = json_array_get(steps, i - 1);
		work_of(step, work);
		const json_t *undone = json_object_get(json_object_get(facts, "undone"), work);
		if (json_object_get(json_object_get(undone, "findings"), name) == NULL) {
			continue;
		}
		(void)snprintf(reason, sizeof(reason),
			"%.60s was undone in case %.40s: the same finding does not do it again",
			doc_text_or(step, "id", "?"), doc_text_or(undone, "case", "?"));
		hold(route, GUARD_SUPPRESSED, reason);
		report_dependents(steps, doc_text_or(step, "id", ""));
		json_array_remove(steps, i - 1);
	}
	if (json_array_size(steps) == 0) {
		json_object_set_new(route, "mode", json_string("notify"));
	}
}

void guard_dynamic(const struct config *config, const struct finding *f, const json_t *facts,
	json_t *route)
{
	char reason[200];
	char name[FINDING_MAX_ID + 1];

	finding_name(f, name);
	const json_t *seen = json_object_get(json_object_get(facts, "seen"), name);
	const json_t *undone = json_object_get(json_object_get(facts, "suppressed"), name);
	if (name[0] != '\0' && undone != NULL) {
		(void)snprintf(reason, sizeof(reason),
			"case %.40s was undone: the same finding does not trigger again",
			doc_text_or(undone, "case", "?"));
		drop_steps(route, "notify");
		hold(route, GUARD_SUPPRESSED, reason);
		return;
	}
	if (name[0] != '\0' && seen != NULL &&
		doc_int(seen, "updated_ms", 0) >= f->updated_ms) {
		(void)snprintf(reason, sizeof(reason), "answered before in case %.40s",
			doc_text_or(seen, "case", "?"));
		drop_steps(route, "none");
		hold(route, GUARD_DUPLICATE, reason);
		return;
	}
	if (name[0] != '\0' && json_object_size(json_object_get(facts, "undone")) > 0) {
		drop_undone(facts, name, route);
	}
	apply_unknown_tags(config, facts, route);
	apply_breaker(config, facts, route);
}
