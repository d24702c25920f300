#include "response/guard.h"

#include "base/utc.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (strcmp(texts[i][0], guard) == 0) {
			return texts[i][1];
		}
	}
	return guard;
}

static bool in_list(const struct config_list *globs, struct str s)
{
	for (size_t i = 0; i < globs->n; i++) {
		if (str_glob(str_from(globs->items[i]), s)) {
			return true;
		}
	}
	return false;
}

/* "2026-0042" somewhere in the text, as a whole word. */
static bool holds_case_id(struct str s)
{
	for (size_t i = 0; i + 9 <= s.n; i++) {
		bool ok = s.p[i + 4] == '-';
		for (size_t k = 0; ok && k < 9; k++) {
			ok = k == 4 || (s.p[i + k] >= '0' && s.p[i + k] <= '9');
		}
		if (ok && (i == 0 || s.p[i - 1] < '0' || s.p[i - 1] > '9')) {
			return true;
		}
	}
	return false;
}

static bool is_own_role(const struct config *config, struct str name)
{
	struct str own = str_from(config->responder_role);
	size_t slash = str_find_char(own, '/');
	/* An ARN or a name; with a path only the last part is the name. */
	while (slash != SIZE_MAX) {
		own = str_sub(own, slash + 1, own.n);
		slash = str_find_char(own, '/');
	}
	return own.n > 0 && str_eq(own, name);
}

/*
 * cordon's role and a case id, both: the user agent and the session name alone can be written by
 * anybody, and the role's credentials may have been stolen.
 */
static bool is_own_action(const struct config *config, const struct finding *f)
{
	for (size_t i = 0; i < f->n_resources; i++) {
		const struct finding_resource *r = &f->resources[i];
		if (r->kind != FINDING_ACCESS_KEY || !is_own_role(config, r->user_name)) {
			continue;
		}
		size_t colon = str_find_char(r->principal_id, ':');
		struct str session = colon == SIZE_MAX ? (struct str){ NULL, 0 }
						       : str_sub(r->principal_id, colon + 1,
								 r->principal_id.n);
		size_t mark = str_find(f->user_agent, STR("md/case#"));
		bool agent = str_find(f->user_agent, STR("cordon/")) != SIZE_MAX &&
			     mark != SIZE_MAX &&
			     holds_case_id(str_sub(f->user_agent, mark + 8, f->user_agent.n));
		if (agent || holds_case_id(session)) {
			return true;
		}
	}
	return false;
}

const char *guard_static(
	const struct config *config, const struct finding *f, char reason[200], bool *tell)
{
	*tell = false;
	if (f->sample) {
		(void)snprintf(reason, 200, "a sample finding: nothing happened");
		return GUARD_SAMPLE;
	}
	if (f->posture) {
		(void)snprintf(reason, 200, "a control or compliance check, no threat");
		return GUARD_NOT_A_THREAT;
	}
	if (is_own_action(config, f)) {
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
			"would let "
			"anybody switch it off");
		return GUARD_TARGET_ONLY;
	}
	if (in_list(&config->exempt_accounts, f->account)) {
		(void)snprintf(reason, 200, "account %.20s is exempt", f->account.p);
		return GUARD_EXEMPT_ACCOUNT;
	}
	if (in_list(&config->exempt_types, f->type)) {
		(void)snprintf(reason, 200, "the type %.120s is exempt", f->type.p);
		return GUARD_EXEMPT_TYPE;
	}
	return NULL;
}

const char *guard_resource(
	const struct config *config, const struct finding_resource *r, char reason[200])
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
			if (!str_eq_nocase(name, str_from(key))) {
				continue;
			}
			if (equals == SIZE_MAX || str_is(str_sub(want, equals + 1, want.n),
							  json_string_value(value))) {
				(void)snprintf(reason, 200,
					"%.80s carries the exempt tag %.80s",
					r->id.n > 0 ? r->id.p : "the resource",
					config->exempt_tags.items[i]);
				return GUARD_EXEMPT_TAG;
			}
		}
	}
	return NULL;
}

json_t *guard_facts_new(int64_t now_ms)
{
	return json_pack("{s:I, s:{}, s:{}, s:[]}", "now_ms", (json_int_t)now_ms, "seen",
		"suppressed", "recent");
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
	if (arn == NULL || arn[0] == '\0' ||
		(json_object_get(seen, arn) != NULL &&
			doc_int(json_object_get(seen, arn), "updated_ms", 0) >= updated)) {
		return;
	}
	json_object_set_new(seen, arn,
		json_pack("{s:s, s:I}", "case", case_id, "updated_ms", (json_int_t)updated));
}

void guard_facts_add(json_t *facts, const json_t *records)
{
	size_t i = 0;
	json_t *r = NULL;

	json_array_foreach(records, i, r)
	{
		const char *kind = doc_text_or(r, "kind", "");
		const char *case_id = doc_text_or(r, "case", "");
		const json_t *p = json_object_get(r, "payload");
		if (strcmp(kind, "finding.received") == 0) {
			add_seen(facts, doc_text(p, "arn"), case_id,
				time_of(json_object_get(p, "updated")));
		} else if (strcmp(kind, "case.suppressed") == 0 &&
			   doc_text(p, "finding_arn") != NULL) {
			json_object_set_new(json_object_get(facts, "suppressed"),
				doc_text(p, "finding_arn"),
				json_pack("{s:s, s:s}", "case", case_id, "reason",
					doc_text_or(p, "reason", "")));
		} else if (strcmp(kind, "step.intent") == 0) {
			json_array_append_new(json_object_get(facts, "recent"),
				json_pack("{s:s, s:I}", "resource",
					doc_text_or(p, "resource.id", ""), "time_ms",
					(json_int_t)time_of(json_object_get(r, "time"))));
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

/* Distinct resources contained lately or about to be; SIZE_MAX when the facts can't be read. */
static size_t count_resources(
	const struct config *config, const json_t *facts, const json_t *route)
{
	const json_t *recent = json_object_get(facts, "recent");
	int64_t since = doc_int(facts, "now_ms", 0) - config->breaker_minutes * 60000;
	json_t *distinct = json_object();
	size_t i = 0;
	json_t *v = NULL;

	if (!json_is_array(recent) || doc_int(facts, "now_ms", 0) <= 0) {
		json_decref(distinct);
		return SIZE_MAX;
	}
	json_array_foreach(recent, i, v)
	{
		if (doc_int(v, "time_ms", INT64_MAX) >= since) {
			json_object_set_new(
				distinct, doc_text_or(v, "resource", ""), json_true());
		}
	}
	json_array_foreach(json_object_get(route, "steps"), i, v)
	{
		if (is_auto(v)) {
			json_object_set_new(
				distinct, doc_text_or(v, "resource.id", ""), json_true());
		}
	}
	size_t n = json_object_size(distinct);
	json_decref(distinct);
	return n;
}

static void apply_breaker(const struct config *config, const json_t *facts, json_t *route)
{
	size_t i = 0;
	json_t *step = NULL;
	char reason[200];
	bool narrowed = false;
	size_t n = count_resources(config, facts, route);

	if (n != SIZE_MAX && (int64_t)n <= config->breaker_actions) {
		return;
	}
	json_array_foreach(json_object_get(route, "steps"), i, step)
	{
		if (is_auto(step)) {
			json_object_set_new(step, "mode", json_string("approve"));
			narrowed = true;
		}
	}
	if (!narrowed) {
		return;
	}
	json_object_set_new(route, "mode", json_string("approve"));
	if (n == SIZE_MAX) {
		(void)snprintf(reason, sizeof(reason),
			"what was contained lately is not known: a person decides");
	} else {
		(void)snprintf(reason, sizeof(reason),
			"%zu resources within %lld minutes are more than %lld: a person "
			"decides",
			n, (long long)config->breaker_minutes,
			(long long)config->breaker_actions);
	}
	hold(route, GUARD_BREAKER, reason);
}

void guard_dynamic(const struct config *config, const struct finding *f, const json_t *facts,
	json_t *route)
{
	char reason[200];
	char key[FINDING_MAX_ID + 1];
	struct str name = f->arn.n > 0 ? f->arn : f->id;

	(void)snprintf(key, sizeof(key), "%.*s", STR_ARG(name));
	const json_t *seen = json_object_get(json_object_get(facts, "seen"), key);
	const json_t *undone = json_object_get(json_object_get(facts, "suppressed"), key);
	if (name.n > 0 && undone != NULL) {
		(void)snprintf(reason, sizeof(reason),
			"case %.40s was undone: the same finding does not trigger again",
			doc_text_or(undone, "case", "?"));
		drop_steps(route, "notify");
		hold(route, GUARD_SUPPRESSED, reason);
		return;
	}
	if (name.n > 0 && seen != NULL && doc_int(seen, "updated_ms", 0) >= f->updated_ms) {
		(void)snprintf(reason, sizeof(reason), "answered before in case %.40s",
			doc_text_or(seen, "case", "?"));
		drop_steps(route, "none");
		hold(route, GUARD_DUPLICATE, reason);
		return;
	}
	apply_breaker(config, facts, route);
}
