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
	json_t *facts = guard_facts_new();
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
	json_t *facts = guard_facts_new();
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
	for (int contained = 0; contained < 6; contained++) {
		struct finding *f = NULL;
		json_t *r = routed(&c, &f);
		json_t *facts = guard_facts_new();
		bool trips = contained > 3;
		json_object_set_new(facts, "contained", json_integer(contained));
		guard_dynamic(&c, f, facts, r);
		assert_string_equal(
			routing_mode(r, "isolate-network"), trips ? "approve" : "auto");
		assert_string_equal(doc_text(r, "mode"), trips ? "approve" : "auto");
		assert_int_equal(json_array_size(json_object_get(r, "held_back")), trips);
		if (trips) {
			assert_string_equal(doc_text(r, "held_back[0].guard"), GUARD_BREAKER);
		}
		json_decref(facts);
		json_decref(r);
		finding_free(f);
	}
}

static void a_step_that_was_undone_is_not_done_again_by_its_finding(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct finding *f = NULL;
	json_t *r = routed(&c, &f);
	json_t *facts = guard_facts_new();
	json_t *records = json_array();
	json_t *step = json_pack("{s:s, s:s, s:{s:s, s:s}}", "step", "isolate-network",
		"action", "isolate-network", "resource", "kind", "Instance", "id", INSTANCE);
	json_array_append_new(records,
		record("finding.received",
			json_pack("{s:s%, s:i}", "arn", f->arn.p, f->arn.n, "updated", 1)));
	json_array_append_new(records, record("step.intent", json_incref(step)));
	json_array_append_new(records, record("undo.result", json_incref(step)));
	guard_facts_add(facts, records);
	guard_dynamic(&c, f, facts, r); /* a later version of the finding */
	assert_string_equal(doc_text(r, "held_back[0].guard"), GUARD_SUPPRESSED);
	assert_null(routing_step(r, "isolate-network"));
	assert_string_equal(
		routing_mode(r, "stop-instance"), "notify"); /* it needs isolation */
	assert_string_equal(routing_mode(r, "snapshot-volumes"), "auto");
	json_decref(r);
	/* Another finding is new evidence; so is a step that was done again since. */
	f->arn = STR("arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/other");
	assert_int_equal(playbook_route(shipped, &c, f, &r, NULL), ERR_OK);
	guard_dynamic(&c, f, facts, r);
	assert_string_equal(routing_mode(r, "isolate-network"), "auto");
	json_decref(r);
	json_decref(step);
	json_decref(records);
	json_decref(facts);
	finding_free(f);
}

static void a_resource_whose_tags_are_unknown_may_be_exempt(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct finding *f = NULL;
	const char *items[1] = { "keep" };
	for (int exempt = 0; exempt < 2; exempt++) {
		json_t *r = routed(&c, &f);
		json_t *facts = guard_facts_new();
		json_object_set_new(facts, "tags_unknown",
			json_pack("[{s:s, s:s}]", "kind", "Instance", "id", INSTANCE));
		c.exempt_tags = (struct config_list){ items, (size_t)exempt };
		guard_dynamic(&c, f, facts, r);
		assert_string_equal(
			routing_mode(r, "isolate-network"), exempt ? "approve" : "auto");
		json_decref(facts);
		json_decref(r);
		finding_free(f);
	}
}

/* How a name is written must not carry anything past a guard. */
static void guards_do_not_mind_how_names_are_written(void **state)
{
	(void)state;
	static const char *const tags[] = { "environment = test", "ENVIRONMENT=TEST",
		"Environment=Te*" };
	const char *items[1] = { NULL };
	struct routing_case k = {
		.type = "Trojan:EC2/DropPoint", .severity = 9, .environment = "Test"
	};
	for (size_t i = 0; i < 3; i++) {
		struct config c = routing_config(CONFIG_AUTO);
		items[0] = tags[i];
		c.exempt_tags = (struct config_list){ items, 1 };
		json_t *r = routing_route(shipped, &c, &k);
		assert_held(r, GUARD_EXEMPT_TAG, "notify");
		json_decref(r);
	}
	struct config c = routing_config(CONFIG_AUTO);
	items[0] = "trojan:ec2/*";
	c.exempt_types = (struct config_list){ items, 1 };
	json_t *r = routing_route(shipped, &c, &k);
	assert_held(r, GUARD_EXEMPT_TYPE, "notify");
	json_decref(r);
	c = routing_config(CONFIG_AUTO);
	k = (struct routing_case){ .type = " UnauthorizedAccess:EC2/SSHBruteForce ",
		.severity = 9,
		.environment = "sandbox" };
	r = routing_route(shipped, &c, &k);
	assert_held(r, GUARD_TARGET_ONLY, "notify");
	json_decref(r);
}

/* The same finding, passed on by somebody who writes its ARN otherwise. */
static void a_finding_is_known_by_its_name_however_written(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct finding *f = NULL;
	json_t *r = routed(&c, &f);
	json_t *facts = guard_facts_new();
	json_t *records = json_pack(
		"[o]", record("case.suppressed", json_pack("{s:s%, s:s}", "finding_arn",
							 f->arn.p, f->arn.n, "reason", "")));
	guard_facts_add(facts, records);
	f->arn = STR(" ARN:aws:guardduty:EU-WEST-1:111122223333:detector/d/finding/F ");
	guard_dynamic(&c, f, facts, r);
	assert_held(r, GUARD_SUPPRESSED, "notify");
	json_decref(records);
	json_decref(facts);
	json_decref(r);
	finding_free(f);
}

static void credentials_of_an_exempt_instance_are_exempt(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	const char *items[1] = { "keep" };
	c.exempt_tags = (struct config_list){ items, 1 };
	struct routing_case k = {
		.type = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
		.severity = 9,
		.resource =
			"{\"resourceType\":\"AccessKey\",\"accessKeyDetails\":{\"accessKeyId\":"
			"\"ASIAIOSFODNN7EXAMPLE\",\"principalId\":\"AROAEXAMPLE:" INSTANCE
			"\",\"userType\":\"AssumedRole\",\"userName\":\"web\"}}",
	};
	struct finding *f = routing_finding(&k);
	json_t *r = NULL;
	assert_int_equal(f->n_resources, 2);
	f->resources[1].tags = json_pack("{s:s}", "Keep", "yes"); /* as looked up */
	assert_int_equal(playbook_route(shipped, &c, f, &r, NULL), ERR_OK);
	assert_held(r, GUARD_EXEMPT_TAG, "notify");
	json_decref(r);
	finding_free(f);
}

static void without_facts_a_person_decides(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct finding *f = NULL;
	json_t *r = routed(&c, &f);
	json_t *facts = json_pack("{s:n}", "contained");
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
		cmocka_unit_test(a_step_that_was_undone_is_not_done_again_by_its_finding),
		cmocka_unit_test(a_resource_whose_tags_are_unknown_may_be_exempt),
		cmocka_unit_test(guards_do_not_mind_how_names_are_written),
		cmocka_unit_test(a_finding_is_known_by_its_name_however_written),
		cmocka_unit_test(credentials_of_an_exempt_instance_are_exempt),
		cmocka_unit_test(without_facts_a_person_decides),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
