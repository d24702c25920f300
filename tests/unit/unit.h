/* What every unit test includes: cmocka and what it needs before it. */
#ifndef CORDON_TESTS_UNIT_H
#define CORDON_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * cmocka 1.1.5 reports a skipped test as "not ok N # SKIP", which meson counts as a failure. So a
 * test that lacks what it needs says so on stderr and ends.
 */
#undef skip
#define skip()                                                                    \
	do {                                                                      \
		print_error("SKIPPED %s: what it needs is not here\n", __func__); \
		return;                                                           \
	} while (0)

/* A slice against a C string, with both shown on failure. */
#define assert_str_is(slice, expected)                                               \
	do {                                                                         \
		struct str unit_s = (slice);                                         \
		assert_int_equal(unit_s.n, sizeof(expected) - 1);                    \
		assert_memory_equal(                                                 \
			unit_s.p ? unit_s.p : "", (expected), sizeof(expected) - 1); \
	} while (0)

#endif
