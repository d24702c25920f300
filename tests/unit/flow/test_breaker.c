/* The circuit breaker's count: what was contained lately, and what the route would add to it. */
#include "base/folder.h"
#include "flow/stages.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS   1785578400000 /* 2026-08-01T10:00:00Z */
#define INSTANCE "i-0a1b2c3d4e5f67890"

static void acted_on(struct journal *j, const char *case_id, const char *resource)
{
	json_t *p = json_pack("{s:s, s:{s:s, s:s}}", "step", "s", "resource", "kind",
		"Instance", "id", resource);

	assert_int_equal(journal_append(j, case_id, "step.intent", p, NULL, NULL), ERR_OK);
	json_decref(p);
}

/* Resources contained lately, of which `same` is this finding's own; minutes ago. */
struct lately {
	int others;
	bool same;
	int minutes;
	int64_t contained; /* once the route has run */
};

static void check(const struct lately *c)
{
	struct env_fake env;
	struct journal *j = NULL;
	struct config config = { .breaker_actions = 3, .breaker_minutes = 5 };
	char *folder = NULL, where[200], id[32], name[16];
	bool joined = false;
	int64_t contained = -1;
	json_t *opened = json_pack("{s:s, s:s}", "finding_arn", "arn:1", "key", "k1");
	json_t *route = json_pack("{s:[{s:s, s:{s:s}}, {s:s, s:{s:s}}, {s:s, s:{s:s}}]}",
		"steps", "mode", "auto", "resource", "id", INSTANCE, "mode", "auto", "resource",
		"id", INSTANCE, "mode", "approve", "resource", "id", "i-asked");

	assert_int_equal(folder_temp(env_system(), &folder, NULL), ERR_OK);
	(void)snprintf(where, sizeof(where), "sqlite:%s/cases.db", folder);
	env_fake_init(&env, NOW_MS, 1, NULL);
	assert_int_equal(journal_open(&env.base, where, NULL, &j, NULL), ERR_OK);
	assert_int_equal(journal_case_open(j, opened, id, &joined, NULL), ERR_OK);
	for (int k = 0; k < c->others * 2; k++) { /* two steps on each */
		(void)snprintf(name, sizeof(name), "i-%d", k / 2);
		acted_on(j, id, name);
	}
	if (c->same) {
		acted_on(j, id, INSTANCE);
	}
	env.now_ms += (int64_t)c->minutes * 60000;
	json_t *view = json_pack("{s:s}", "case", id);
	struct flow f = { .env = &env.base, .journal = j, .config = &config };
	assert_int_equal(stages_breaker(&f, view, route, &contained, NULL), ERR_OK);
	assert_int_equal(contained, c->contained);
	json_decref(view);
	json_decref(route);
	json_decref(opened);
	journal_close(j);
	folder_remove(folder);
	free(folder);
}

static void test_resources_are_counted_once_and_for_a_while(void **state)
{
	static const struct lately cases[] = { { 0, false, 1, 1 }, { 2, false, 1, 3 },
		{ 3, false, 1, 4 }, { 3, false, 6, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		check(&cases[i]);
	}
}

/* What this route touches and was touched before is no new resource. */
static void test_its_own_resource_does_not_count_twice(void **state)
{
	(void)state;
	check(&(struct lately){ 2, true, 1, 0 });
	check(&(struct lately){ 3, true, 1, 0 });
}

/* Three at the same moment, the last of whom looked at its clock before the slice of time ended. */
static void test_a_slice_that_ends_lets_nobody_through(void **state)
{
	static const int64_t at[] = { NOW_MS, NOW_MS, NOW_MS - 1 }; /* a slice is a minute */
	struct env_fake env;
	struct journal *j = NULL;
	struct config config = { .breaker_actions = 2, .breaker_minutes = 5 };
	char *folder = NULL, where[200], id[32], name[16];
	bool joined;

	(void)state;
	assert_int_equal(folder_temp(env_system(), &folder, NULL), ERR_OK);
	(void)snprintf(where, sizeof(where), "sqlite:%s/cases.db", folder);
	env_fake_init(&env, NOW_MS, 1, NULL);
	assert_int_equal(journal_open(&env.base, where, NULL, &j, NULL), ERR_OK);
	for (int k = 0; k < 3; k++) {
		int64_t contained = -1;
		(void)snprintf(name, sizeof(name), "i-%d", k);
		json_t *opened = json_pack("{s:s}", "key", name);
		json_t *route = json_pack("{s:[{s:s, s:{s:s}}]}", "steps", "mode", "auto",
			"resource", "id", name);
		env.now_ms = at[k];
		assert_int_equal(journal_case_open(j, opened, id, &joined, NULL), ERR_OK);
		json_t *view = json_pack("{s:s}", "case", id);
		struct flow f = { .env = &env.base, .journal = j, .config = &config };
		assert_int_equal(stages_breaker(&f, view, route, &contained, NULL), ERR_OK);
		assert_int_equal(contained, k + 1);
		json_decref(view);
		json_decref(route);
		json_decref(opened);
	}
	journal_close(j);
	folder_remove(folder);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resources_are_counted_once_and_for_a_while),
		cmocka_unit_test(test_its_own_resource_does_not_count_twice),
		cmocka_unit_test(test_a_slice_that_ends_lets_nobody_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
