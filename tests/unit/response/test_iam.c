/* The policy documents, which no emulator evaluates, and the hostile texts that the actions read. */
#include "response/actions/ec2.h"
#include "response/actions/iam.h"
#include "response/actions/registry.h"
#include "response/actions/ssm.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define MIDNIGHT INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */

static void cut_off_is_utc_and_a_whole_second(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = { { MIDNIGHT, "2026-08-01T00:00:00Z" },
		{ MIDNIGHT + 1, "2026-08-01T00:00:01Z" },
		{ MIDNIGHT + 999, "2026-08-01T00:00:01Z" },
		{ MIDNIGHT - 1, "2026-08-01T00:00:00Z" } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = iam_deny_older(cases[i].ms);
		assert_string_equal(doc_text_or(p, "Version", ""), "2012-10-17");
		const json_t *s = doc_get(p, "Statement[0]");
		assert_string_equal(doc_text_or(s, "Effect", ""), "Deny");
		assert_string_equal(doc_text_or(s, "Action", ""), "*");
		assert_string_equal(doc_text_or(s, "Resource", ""), "*");
		assert_int_equal(json_object_size(json_object_get(s, "Condition")), 1);
		assert_string_equal(
			doc_text_or(s, "Condition.DateLessThan.aws:TokenIssueTime", ""),
			cases[i].text);
		assert_null(json_object_get(s, "Principal"));
		json_decref(p);
	}
}

static void deny_has_no_condition(void **state)
{
	json_t *p = iam_deny_all();
	(void)state;
	assert_null(doc_get(p, "Statement[0].Condition"));
	assert_string_equal(doc_text_or(p, "Statement[0].Effect", ""), "Deny");
	json_decref(p);
}

static void policy_names_are_legal(void **state)
{
	char name[IAM_NAME_MAX];
	struct action_ctx c = { .case_id = "2026-0042" };
	(void)state;
	iam_policy_name(&c, "revoke", name);
	assert_string_equal(name, "cordon-revoke-2026-0042");
	c.case_id = "a b/\"*";
	iam_policy_name(&c, "deny", name);
	assert_string_equal(name, "cordon-deny-a-b---");
}

static void names_come_from_the_last_segment(void **state)
{
	(void)state;
	assert_string_equal(
		iam_name_of("arn:aws:iam::123456789012:instance-profile/team/blue/web"), "web");
	assert_string_equal(iam_name_of("arn:aws:iam::123456789012:role/web"), "web");
	assert_string_equal(iam_name_of("web"), "web");
}

static void documents_are_read_in_both_spellings(void **state)
{
	static const char *const good[] = { "{\"Version\":\"2012-10-17\"}",
		"%7B%22Version%22%3A%222012-10-17%22%7D", " {\"Version\" : \"2012-10-17\"}\n" };
	static const char *const bad[] = { "", "[]", "%", "%7B", "{\"a\":1", "%5B%5D", "null",
		"%7B%22a%22%3A%zz%7D" };
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		json_t *doc = NULL;
		assert_int_equal(iam_document(good[i], &doc, NULL), ERR_OK);
		assert_string_equal(doc_text_or(doc, "Version", ""), "2012-10-17");
		json_decref(doc);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *doc = NULL;
		struct err err = { 0 };
		assert_int_not_equal(iam_document(bad[i], &doc, &err), ERR_OK);
		assert_null(doc);
	}
}

static void percent_in_json_is_not_unescaped(void **state)
{
	json_t *doc = NULL;
	(void)state;
	assert_int_equal(iam_document("{\"a\":\"%41\"}", &doc, NULL), ERR_OK);
	assert_string_equal(doc_text_or(doc, "a", ""), "%41");
	json_decref(doc);
}

static void reserved_roles_are_refused(void **state)
{
	static const struct {
		const char *name, *path;
		bool refused;
	} cases[] = { { "web", "/", false }, { "web", "/team/", false },
		{ "AWSServiceRoleForECS", "/aws-service-role/ecs.amazonaws.com/", true },
		{ "AWSReservedSSO_Admin_0123456789abcdef",
			"/aws-reserved/sso.amazonaws.com/eu-west-1/", true },
		{ "AWSReservedSSO_Admin_0123456789abcdef", "/", true },
		{ "AWSServiceRoleForECS", "/", false } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *role = json_pack("{s:{s:s,s:s}}", "Role", "RoleName", cases[i].name,
			"Path", cases[i].path);
		assert_int_equal(iam_role_refusal(role) != NULL, cases[i].refused);
		json_decref(role);
	}
}

static void report_of_a_host_is_cleaned(void **state)
{
	json_t *said = NULL;
	(void)state;
	assert_int_equal(
		ssm_report(STR("warning: "
			       "x\n{\"schema\":\"cordon.isolate/1\",\"state\":\"isolated\","
			       "\"backend\":\"nftables\\u001b[31m\",\"ipv6\":\"closed\","
			       "\"exact\":true,"
			       "\"cases\":[\"1\",7,\"2\"],\"pinned\":3,\"evil\":{\"a\":1},"
			       "\"note\":\"a\\u0007b\"}\n\n"),
			&said, NULL),
		ERR_OK);
	assert_string_equal(doc_text_or(said, "state", ""), "isolated");
	assert_null(strchr(doc_text_or(said, "backend", "\033"), '\033'));
	assert_null(strchr(doc_text_or(said, "note", "\a"), '\a'));
	assert_int_equal(json_array_size(json_object_get(said, "cases")), 2);
	assert_null(json_object_get(said, "evil"));
	assert_true(doc_true(said, "exact"));
	json_decref(said);
}

static void words_are_no_report(void **state)
{
	static const char *const bad[] = { "", "\n\n", "ok", "{}", "{\"schema\":\"x\"}",
		"{\"schema\":\"cordon.isolate/1\"}\ntail", "[\"schema\"]" };
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *said = NULL;
		struct err err = { 0 };
		assert_int_equal(ssm_report(str_from(bad[i]), &said, &err), ERR_INPUT);
		assert_null(said);
	}
}

static void client_tokens_are_stable_and_of_the_right_form(void **state)
{
	char a[37], b[37], other[37];
	(void)state;
	ssm_client_token("step-1", a);
	ssm_client_token("step-1", b);
	ssm_client_token("step-2", other);
	assert_string_equal(a, b);
	assert_string_not_equal(a, other);
	assert_int_equal(strlen(a), 36);
	assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
	assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
}

static void actions_can_be_found_and_are_complete(void **state)
{
	static const char *const names[] = { "block-bucket-public-access", "contain-runbook",
		"deny-principal-on-bucket", "deny-user", "disable-access-key",
		"disable-login-profile", "isolate-host", "replace-instance-profile",
		"revoke-role-sessions" };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct action *a = action_find(names[i]);
		assert_non_null(a);
		assert_int_equal(a->reversible, a->undo != NULL);
		assert_true(a->title && a->why && a->risk && a->undo_text && a->calls[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_off_is_utc_and_a_whole_second),
		cmocka_unit_test(deny_has_no_condition),
		cmocka_unit_test(policy_names_are_legal),
		cmocka_unit_test(names_come_from_the_last_segment),
		cmocka_unit_test(documents_are_read_in_both_spellings),
		cmocka_unit_test(percent_in_json_is_not_unescaped),
		cmocka_unit_test(reserved_roles_are_refused),
		cmocka_unit_test(report_of_a_host_is_cleaned),
		cmocka_unit_test(words_are_no_report),
		cmocka_unit_test(client_tokens_are_stable_and_of_the_right_form),
		cmocka_unit_test(actions_can_be_found_and_are_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
