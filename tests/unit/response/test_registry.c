#include "response/action.h"
#include "tests/unit/unit.h"

#include <string.h>

static void every_action_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; action_all[i]; i++) {
		const struct action *a = action_all[i];
		assert_non_null(a->name);
		assert_non_null(a->title);
		assert_non_null(a->why);
		assert_non_null(a->risk);
		assert_non_null(a->undo_text);
		assert_non_null(a->kinds);
		assert_non_null(a->calls);
		assert_non_null(a->observe);
		assert_non_null(a->apply);
		assert_non_null(a->verify);
		assert_true(a->rounds > 0);
		assert_int_equal(a->reversible, a->undo != NULL);
		assert_ptr_equal(action_find(a->name), a);
		for (size_t k = 0; a->calls[k]; k++) {
			assert_non_null(strchr(a->calls[k], ':'));
		}
	}
	assert_null(action_find("no-such-action"));
	assert_null(action_find(NULL));
}

/* Sorted names are unique names. */
static void names_are_in_order(void **state)
{
	(void)state;
	for (size_t i = 1; action_all[i]; i++) {
		assert_true(strcmp(action_all[i - 1]->name, action_all[i]->name) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_action_is_complete),
		cmocka_unit_test(names_are_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
