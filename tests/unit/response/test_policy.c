#include "response/policy.h"

#include "response/action.h"
#include "tests/unit/response/routing.h"

/* A call that the table does not know would be allowed on every resource. */
static void every_call_of_an_action_has_its_resources(void **state)
{
	(void)state;
	size_t unknown = 0;

	for (size_t i = 0; action_all[i] != NULL; i++) {
		for (size_t k = 0; action_all[i]->calls && action_all[i]->calls[k]; k++) {
			if (!policy_knows(action_all[i]->calls[k])) {
				print_error("%s: %s is not in policy_table.c\n",
					action_all[i]->name, action_all[i]->calls[k]);
				unknown++;
			}
		}
	}
	assert_int_equal(unknown, 0);
}

static void no_action_stands_twice_in_a_group(void **state)
{
	(void)state;
	for (size_t i = 0; i < policy_n_groups; i++) {
		struct str rest = str_from(policy_groups[i].actions), piece;
		json_t *seen = json_object();
		size_t n = 0;
		while (str_cut(&rest, ' ', &piece)) {
			char name[96];
			(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(piece));
			assert_non_null(strchr(name, ':'));
			json_object_set_new(seen, name, json_true());
			n++;
		}
		assert_int_equal(json_object_size(seen), n);
		json_decref(seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_of_an_action_has_its_resources),
		cmocka_unit_test(no_action_stands_twice_in_a_group),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
