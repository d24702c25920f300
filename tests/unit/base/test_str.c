#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static void cuts_keep_empty_pieces(void **state)
{
	(void)state;
	struct str rest = STR("a,,b,"), piece;
	assert_true(str_cut(&rest, ',', &piece));
	assert_str_is(piece, "a");
	assert_true(str_cut(&rest, ',', &piece));
	assert_str_is(piece, "");
	assert_true(str_cut(&rest, ',', &piece));
	assert_str_is(piece, "b");
	assert_false(str_cut(&rest, ',', &piece));
}

static void integers_have_bounds(void **state)
{
	(void)state;
	int64_t v = 7;
	assert_true(str_to_i64(STR("-9223372036854775808"), &v));
	assert_true(v == INT64_MIN);
	assert_true(str_to_i64(STR("9223372036854775807"), &v));
	assert_true(v == INT64_MAX);
	assert_false(str_to_i64(STR("9223372036854775808"), &v));
	assert_false(str_to_i64(STR(""), &v));
	assert_false(str_to_i64(STR("-"), &v));
	assert_false(str_to_i64(STR("1x"), &v));
	assert_true(v == INT64_MAX);
}

static void globs_match_whole_slices(void **state)
{
	(void)state;
	assert_true(str_glob(STR("Backdoor:*"), STR("Backdoor:EC2/C&CActivity.B!DNS")));
	assert_true(str_glob(
		STR("*:EC2/*BruteForce"), STR("UnauthorizedAccess:EC2/SSHBruteForce")));
	assert_false(str_glob(STR("Backdoor"), STR("Backdoor:EC2/Spambot")));
	assert_true(str_glob(STR("a?c*"), STR("abc")));
	assert_false(str_glob(STR("a?c"), STR("ac")));
	assert_true(str_glob(STR("**"), STR("")));
	/* The classic exponential case ends at once. */
	assert_false(
		str_glob(STR("*a*a*a*a*a*a*a*b"), STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
}

static void utf8_is_strict(void **state)
{
	(void)state;
	assert_true(str_is_utf8(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
	assert_false(str_is_utf8(STR("\xc0\xaf")));         /* overlong */
	assert_false(str_is_utf8(STR("\xed\xa0\x80")));     /* surrogate */
	assert_false(str_is_utf8(STR("\xf4\x90\x80\x80"))); /* past U+10FFFF */
	assert_false(str_is_utf8(STR("\xe2\x82")));         /* cut */
}

static void a_full_buffer_stays_as_it_was(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 5);
	buf_puts(&b, "abc");
	buf_puts(&b, "def");
	assert_false(buf_ok(&b));
	assert_str_is(buf_view(&b), "abc");
	buf_reset(&b);
	buf_printf(&b, "%05d", 42);
	assert_true(buf_ok(&b));
	assert_string_equal(b.p, "00042");
	char *taken = buf_steal(&b);
	assert_string_equal(taken, "00042");
	free(taken);
	assert_int_equal(b.n, 0);
	buf_deinit(&b);
}

static void an_arena_refuses_past_its_ceiling(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 100000);
	char *p = arena_alloc(&a, 50000);
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % 16, 0);
	assert_int_equal(p[49999], 0);
	assert_null(arena_alloc(&a, 60000));
	assert_true(a.overflow);
	assert_null(arena_alloc(&a, 1));
	arena_reset(&a);
	assert_null(arena_array(&a, SIZE_MAX / 2, 16));
	arena_reset(&a);
	assert_str_is(arena_str(&a, STR("text")), "text");
	arena_deinit(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_keep_empty_pieces),
		cmocka_unit_test(integers_have_bounds),
		cmocka_unit_test(globs_match_whole_slices),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(a_full_buffer_stays_as_it_was),
		cmocka_unit_test(an_arena_refuses_past_its_ceiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
