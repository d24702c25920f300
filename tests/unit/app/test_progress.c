/* What is told of a long reading: share, rate and time left, as far as they can be known. */
#include "app/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#define SECOND (1000 * INT64_C(1000))
#define MB     UINT64_C(1000000)

static void expect(uint64_t bytes, uint64_t total, int64_t elapsed_us, const char *text)
{
	char out[64];
	progress_text(bytes, total, elapsed_us, out);
	assert_string_equal(out, text);
}

static void test_text(void **state)
{
	(void)state;
	expect(0, 100 * MB, 0, "  0 %");
	expect(0, 100 * MB, 9 * SECOND, "  0 %");
	expect(50 * MB, 100 * MB, SECOND / 4, " 50 %");
	expect(50 * MB, 100 * MB, SECOND, " 50 %  50.0 MB/s  0:00:01");
	expect(1 * MB, 7201 * MB, SECOND, "  0 %  1.0 MB/s  2:00:00");
	/* More than was expected: a file that grew meanwhile. */
	expect(120 * MB, 100 * MB, SECOND, "100 %  120.0 MB/s  0:00:00");
	/* Standard input ends when it ends. */
	expect(1700 * MB, 0, 2 * SECOND, "1700 MB  850.0 MB/s");
	expect(0, 0, 0, "0 MB");
	expect(UINT64_MAX, UINT64_MAX, INT64_MAX, "100 %  2.0 MB/s  0:00:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
