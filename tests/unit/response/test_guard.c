#include "response/guard.h"

#include "tests/unit/response/routing.h"

static struct playbook_set *shipped;

#define CLOCK 1785578400000 /* 2026-08-01T10:00:00Z */

static void assert_held(const json_t *route, const char *guard, const char *mode)
{
	assert_string_equal(doc_text_or(route, "held_back[0].guard", ""), guard);
	assert_true(strlen(doc_text_or(route, "held_back[0].reason", "")) > 5);
	assert_string_equal(doc_text(route, "mode"), mode);
	assert_int_equal(routing_steps(route), 0);
}

static void samples_are_never_acted_on(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct routing_case k = { .type = "Trojan:EC2/DropPoint", .severity = 9 };
	struct finding *f = routing_finding(&k);
	json_t *r = NULL;
	f->sample = true;
	assert_int_equal(playbook_route(shipped, &c, f, &r, NULL), ERR_OK);
	assert_held(r, GUARD_SAMPLE, "none");
	assert_true(doc_true(r, "finding.sample"));
	json_decref(r);
	f->sample = false;
	f->archived = true;
	assert_int_equal(playbook_route(shipped, &c, f, &r, NULL), ERR_OK);
	assert_held(r, GUARD_ARCHIVED, "none");
	json_decref(r);
	f->archived = false;
	f->posture = true;
	assert_int_equal(playbook_route(shipped, &c, f, &r, NULL), ERR_OK);
	assert_held(r, GUARD_NOT_A_THREAT, "none");
	json_decref(r);
	finding_free(f);
}

static void attempts_from_outside_do_not_switch_hosts_off(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct routing_case k = { .type = "UnauthorizedAccess:EC2/SSHBruteForce",
		.severity = 9,
		.role = "TARGET",
		.environment = "sandbox" };
	json_t *r = routing_route(shipped, &c, &k);
	assert_held(r, GUARD_TARGET_ONLY, "notify");
	json_decref(r);
	k.role = "ACTOR";
	r = routing_route(shipped, &c, &k);
	assert_int_equal(json_array_size(json_object_get(r, "held_back")), 0);
	assert_string_equal(routing_mode(r, "isolate-network"), "auto");
	json_decref(r);
}

static void exemptions_hold_back(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct routing_case k = {
		.type = "Trojan:EC2/DropPoint", .severity = 9, .environment = "Test"
	};
	const char *items[1] = { "1111*" };
	c.exempt_accounts = (struct config_list){ items, 1 };
	json_t *r = routing_route(shipped, &c, &k);
	assert_held(r, GUARD_EXEMPT_ACCOUNT, "notify");
	json_decref(r);
	c = routing_config(CONFIG_AUTO);
	items[0] = "Trojan:*";
	c.exempt_types = (struct config_list){ items, 1 };
	r = routing_route(shipped, &c, &k);
	assert_held(r, GUARD_EXEMPT_TYPE, "notify");
	json_decref(r);
	static const struct {
		const char *tag;
		bool held;
	} tags[] = { { "Environment=Test", true }, { "environment", true },
		{ "Environment=Prod", false }, { "Env", false } };
	for (size_t i = 0; i < 4; i++) {
		c = routing_config(CONFIG_AUTO);
		items[0] = tags[i].tag;
		c.exempt_tags = (struct config_list){ items, 1 };
		r = routing_route(shipped, &c, &k);
		if (tags[i].held) {
			assert_held(r, GUARD_EXEMPT_TAG, "notify");
		} else {
			assert_true(routing_steps(r) > 0);
		}
		json_decref(r);
	}
}

static void an_exempt_tag_spares_only_its_resource(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	const char *items[1] = { "keep" };
	c.exempt_tags = (struct config_list){ items, 1 };
	struct routing_case k = { .type = "AttackSequence:S3/CompromisedData",
		.severity = 9,
		.resource = "{\"s3BucketDetails\":[{\"name\":\"a\",\"tags\":[{\"key\":\"keep\","
			    "\"value\":\"1\"}]},{\"name\":\"b\"}]}" };
	json_t *r = routing_route(shipped, &c, &k);
	assert_string_equal(doc_text(r, "held_back[0].guard"), GUARD_EXEMPT_TAG);
	assert_int_equal(routing_steps(r), 1);
	assert_string_equal(doc_text(r, "steps[0].resource.id"), "b");
	json_decref(r);
}

static void own_actions_are_no_threat_but_only_with_role_and_case(void **state)
{
	(void)state;
#define OWN(role, session, agent)                                                            \
	"{\"type\":\"Impact:S3/AnomalousBehavior.Permission\",\"severity\":8,\"resource\":{" \
	"\"resourceType\":\"S3Bucket\",\"s3BucketDetails\":[{\"name\":\"b\"}],"              \
	"\"accessKeyDetails\":{\"accessKeyId\":\"ASIAX\",\"userType\":\"AssumedRole\","      \
	"\"userName\":\"" role "\",\"principalId\":\"AROAX:" session                         \
	"\"}},\"service\":{\"action\":"                                                      \
	"{\"awsApiCallAction\":{\"userAgent\":\"" agent "\"}}}}"
	static const struct {
		const char *text;
		bool own;
	} cases[] = {
		{ OWN("cordon-responder", "fn", "cordon/1.0 md/case#2026-0042"), true },
		{ OWN("cordon-responder", "cordon-2026-0042", "x"), true },
		{ OWN("cordon-responder", "fn", "aws-cli/2.0"), false }, /* stolen from us */
		{ OWN("cordon-responder", "fn", "cordon/1.0 md/case#"), false },
		{ OWN("attacker", "cordon-2026-0042", "cordon/1.0 md/case#2026-0042"), false },
	};
	struct config c = routing_config(CONFIG_AUTO);
	c.responder_role = "arn:aws:iam::111122223333:role/security/cordon-responder";
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct finding_set set;
		json_t *r = NULL;
		assert_int_equal(finding_read(str_from(cases[i].text), &set, NULL), ERR_OK);
		assert_int_equal(playbook_route(shipped, &c, set.items[0], &r, NULL), ERR_OK);
		if (cases[i].own) {
			assert_held(r, GUARD_OWN_ACTION, "none");
		} else if (routing_steps(r) == 0) {
			fail_msg("case %zu was held back", i);
		}
		json_decref(r);
		finding_set_deinit(&set);
	}
}

/* A route of the usual finding and its facts after `change`. */
static json_t *routed(const struct config *c, struct finding **f)
{
	json_t *r = NULL;
	struct routing_case k = { .type = "Trojan:EC2/DropPoint", .severity = 9 };
	*f = routing_finding(&k);
	assert_int_equal(playbook_route(shipped, c, *f, &r, NULL), ERR_OK);
	return r;
}

static json_t *record(const char *kind, json_t *payload)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "case", "2026-0001", "time",
		"2026-08-01T09:58:00Z", "kind", kind, "payload", payload);
}

static void a_finding_is_answered_once(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct finding *f = NULL;
	json_t *r = routed(&c, &f);
	json_t *facts = guard_facts_new(CLOCK);
	json_t *records = json_array();
	json_array_append_new(records,
		record("finding.received", json_pack("{s:s%, s:s}", "arn", f->arn.p, f->arn.n,
						   "updated", "2026-08-01T10:00:00Z")));
	guard_facts_add(facts, records);
	guard_dynamic(&c, f, facts, r);
	assert_held(r, GUARD_DUPLICATE, "none");
	json_decref(r);
	finding_free(f);
	/* A later version of it is an update, not a duplicate. */
	r = routed(&c, &f);
	f->updated_ms += 1;
	guard_dynamic(&c, f, facts, r);
	assert_true(routing_steps(r) > 0);
	assert_int_equal(json_array_size(json_object_get(r, "held_back")), 0);
	json_decref(r);
	finding_free(f);
	/* Findings that carry no name are never each other's duplicate. */
	r = routed(&c, &f);
	f->arn = (struct str){ NULL, 0 };
	f->id = (struct str){ NULL, 0 };
	json_object_set_new(json_object_get(facts, "seen"), "",
		json_pack("{s:s, s:I}", "case", "x", "updated_ms", (json_int_t)INT64_MAX));
	guard_dynamic(&c, f, facts, r);
	assert_true(routing_steps(r) > 0);
	json_decref(r);
	finding_free(f);
	json_decref(records);
	json_decref(facts);
}

static void after_undo_the_same_finding_stays_quiet(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct finding *f = NULL;
	json_t *r = routed(&c, &f);
	json_t *facts = guard_facts_new(CLOCK);
	json_t *records = json_array();
	json_array_append_new(records,
		record("case.suppressed", json_pack("{s:s%, s:s}", "finding_arn", f->arn.p,
						  f->arn.n, "reason", "undo")));
	guard_facts_add(facts, records);
	f->updated_ms += 1000; /* even in a later version */
	guard_dynamic(&c, f, facts, r);
	assert_held(r, GUARD_SUPPRESSED, "notify");
	json_decref(records);
	json_decref(facts);
	json_decref(r);
	finding_free(f);
}

static void the_breaker_asks_after_too_many_resources(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	c.breaker_actions = 3;
	/* Resources contained lately, of which `same` is this finding's own; minutes ago. */
	static const struct {
		int others;
		bool same;
		int minutes;
		bool trips;
	} cases[] = { { 0, false, 1, false }, { 2, false, 1, false }, { 3, false, 1, true },
		{ 2, true, 1, false }, { 3, false, 6, false }, { 3, true, 1, true } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct finding *f = NULL;
		json_t *r = routed(&c, &f);
		json_t *facts = guard_facts_new(CLOCK);
		json_t *recent = json_object_get(facts, "recent");
		for (int k = 0; k < cases[i].others * 2; k++) { /* two steps on each */
			json_array_append_new(recent,
				json_pack("{s:o, s:I}", "resource", json_sprintf("i-%d", k / 2),
					"time_ms",
					(json_int_t)(CLOCK - cases[i].minutes * 60000)));
		}
		if (cases[i].same) {
			json_array_append_new(
				recent, json_pack("{s:s, s:I}", "resource", INSTANCE, "time_ms",
						(json_int_t)CLOCK));
		}
		guard_dynamic(&c, f, facts, r);
		assert_string_equal(routing_mode(r, "isolate-network"),
			cases[i].trips ? "approve" : "auto");
		assert_string_equal(doc_text(r, "mode"), cases[i].trips ? "approve" : "auto");
		assert_int_equal(
			json_array_size(json_object_get(r, "held_back")), cases[i].trips);
		if (cases[i].trips) {
			assert_string_equal(doc_text(r, "held_back[0].guard"), GUARD_BREAKER);
		}
		json_decref(facts);
		json_decref(r);
		finding_free(f);
	}
}

static void the_breaker_counts_what_was_journalled(void **state)
{
	(void)state;
	json_t *facts = guard_facts_new(CLOCK);
	json_t *records = json_array();
	json_array_append_new(records,
		record("step.intent", json_pack("{s:{s:s}}", "resource", "id", "i-9")));
	json_array_append_new(records, record("step.result", json_object()));
	guard_facts_add(facts, records);
	assert_int_equal(json_array_size(json_object_get(facts, "recent")), 1);
	assert_string_equal(doc_text(facts, "recent[0].resource"), "i-9");
	assert_int_equal(doc_int(facts, "recent[0].time_ms", 0), CLOCK - 120000);
	json_decref(records);
	json_decref(facts);
}

static void without_facts_a_person_decides(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct finding *f = NULL;
	json_t *r = routed(&c, &f);
	json_t *facts = json_pack("{s:s}", "recent", "?");
	guard_dynamic(&c, f, facts, r);
	assert_string_equal(doc_text(r, "held_back[0].guard"), GUARD_BREAKER);
	assert_string_equal(routing_mode(r, "isolate-network"), "approve");
	json_decref(facts);
	json_decref(r);
	finding_free(f);
}

static int load(void **state)
{
	(void)state;
	shipped = routing_playbooks();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	playbook_set_free(shipped);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_never_acted_on),
		cmocka_unit_test(attempts_from_outside_do_not_switch_hosts_off),
		cmocka_unit_test(exemptions_hold_back),
		cmocka_unit_test(an_exempt_tag_spares_only_its_resource),
		cmocka_unit_test(own_actions_are_no_threat_but_only_with_role_and_case),
		cmocka_unit_test(a_finding_is_answered_once),
		cmocka_unit_test(after_undo_the_same_finding_stays_quiet),
		cmocka_unit_test(the_breaker_asks_after_too_many_resources),
		cmocka_unit_test(the_breaker_counts_what_was_journalled),
		cmocka_unit_test(without_facts_a_person_decides),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
