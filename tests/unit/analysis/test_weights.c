/* The page on the method tells the weights that the program uses. */
#include "analysis/weights.h"
#include "base/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_page(void)
{
	char path[1024];
	(void)snprintf(path, sizeof(path), "%s/docs/analysis.md", getenv("CORDON_SOURCE"));
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	char *page = calloc(1, 256 * 1024);
	assert_non_null(page);
	assert_true(fread(page, 1, 256 * 1024 - 1, f) > 0);
	(void)fclose(f);
	return page;
}

static void test_page_tells_all(void **state)
{
	(void)state;
	char *page = read_page();
	int missing = 0;
	for (int i = 0; i < W_COUNT; i++) {
		const struct weight *w = weights_of((enum weight_id)i);
		char row[1024];
		(void)snprintf(
			row, sizeof(row), "| %+.1f | %s | %s |", w->value, w->text, w->reason);
		if (!strstr(page, row)) {
			print_message("# docs/analysis.md lacks: %s\n", row);
			missing++;
		}
	}
	free(page);
	assert_int_equal(missing, 0);
}

static void test_every_weight_is_sound(void **state)
{
	(void)state;
	for (int i = 0; i < W_COUNT; i++) {
		const struct weight *w = weights_of((enum weight_id)i);
		assert_int_equal(w->id, i);
		assert_true(fabs(w->value) > 0.0 && fabs(w->value) < 5.0);
		assert_true(weights_tenths(w->id) / 10.0 == w->value);
		assert_true(w->group > 0 && w->group < G_COUNT);
		assert_true(strlen(w->reason) > 10);
		/* No single piece of evidence accuses by itself. */
		assert_true(WEIGHTS_PRIOR + w->value < WEIGHTS_ACCUSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_tells_all),
		cmocka_unit_test(test_every_weight_is_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
