/* What every unit test includes: cmocka and what it needs before it. */
#ifndef CORDON_TESTS_UNIT_H
#define CORDON_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A slice against a C string, with both shown on failure. */
#define assert_str_is(slice, expected)                                               \
	do {                                                                         \
		struct str unit_s = (slice);                                         \
		assert_int_equal(unit_s.n, sizeof(expected) - 1);                    \
		assert_memory_equal(                                                 \
			unit_s.p ? unit_s.p : "", (expected), sizeof(expected) - 1); \
	} while (0)

#endif
