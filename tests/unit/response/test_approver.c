/* Whom a list of approvers names. */
#include "response/approver.h"

#include "../unit.h"

#include <string.h>

static bool may(const char *list, const char *person, const char *arn)
{
	json_t *who = json_loads(list, 0, NULL);
	const struct approver by = { .person = person, .arn = arn };
	bool yes = approver_listed(who, &by);

	json_decref(who);
	return yes;
}

#define ROLE    "arn:aws:iam::111122223333:role/Responders"
#define SESSION "arn:aws:sts::111122223333:assumed-role/Responders/ana"

static void test_nobody_named_is_anybody(void **state)
{
	(void)state;
	assert_true(may("[]", "ana", NULL));
	assert_true(may("[]", NULL, NULL));
	assert_true(approver_listed(NULL, &(struct approver){ .person = "ana" }));
}

static void test_names(void **state)
{
	(void)state;
	assert_true(may("[\"ben\", \"ana\"]", "ana", NULL));
	assert_true(may("[\"Ana@Example.com\"]", " ana@example.COM", NULL));
	assert_true(may("[\"*@example.com\"]", "eva@example.com", NULL));
	assert_false(may("[\"ana\"]", "anastasia", NULL));
	assert_false(may("[\"ana\"]", "", NULL));
	assert_false(may("[\"ana\"]", NULL, NULL));
	assert_false(may("[\"*\"]", NULL, NULL));
	assert_false(may("[7, null]", "7", NULL));
}

static void test_arns(void **state)
{
	(void)state;
	assert_true(may("[\"" ROLE "\"]", NULL, ROLE));
	assert_true(may("[\"" ROLE "\"]", "somebody", SESSION));
	assert_true(may("[\"" SESSION "\"]", NULL, SESSION));
	assert_true(may("[\"arn:aws:iam::*:role/Resp*\"]", NULL, SESSION));
	assert_false(may("[\"" ROLE "\"]", NULL,
		"arn:aws:sts::111122223333:assumed-role/Responders2/ana"));
	assert_false(may("[\"" ROLE "\"]", NULL,
		"arn:aws:sts::999922223333:assumed-role/Responders/ana"));
	/* Whoever types an ARN as their name has proved nothing. */
	assert_false(may("[\"" ROLE "\"]", ROLE, NULL));
}

static void test_the_refusal_names_all(void **state)
{
	json_t *who = json_pack("[s, s]", "ben", ROLE);
	const struct approver by = { .person = "ana", .arn = SESSION };
	char text[600];

	(void)state;
	approver_refusal(who, &by, "stop-instance", "2026-0001", text);
	assert_non_null(strstr(text, "for ben, " ROLE " to answer"));
	assert_non_null(strstr(text, "ana, " SESSION " is not among them"));
	assert_non_null(strstr(text, "nothing was decided"));
	json_decref(who);
	who = json_array();
	for (int i = 0; i < 100; i++) {
		json_array_append_new(who, json_sprintf("%0200d", i));
	}
	approver_refusal(who, &by, "stop-instance", "2026-0001", text);
	assert_non_null(strstr(text, "not among them"));
	json_decref(who);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_named_is_anybody),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_arns),
		cmocka_unit_test(test_the_refusal_names_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
