#include "base/arena.h"
#include "base/buf.h"
#include "base/wipe.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
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
	static const uint32_t edges[] = { 0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff,
		0x10000, 0x10ffff };
	static const size_t lengths[] = { 1, 1, 2, 2, 3, 3, 3, 3, 4, 4 };
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		char bytes[4];
		struct str one = { bytes, str_utf8_put(edges[i], bytes) };
		assert_int_equal(one.n, lengths[i]);
		assert_int_equal(str_utf8_len(one), lengths[i]);
	}
	char euro[4];
	assert_int_equal(str_utf8_put(0x20ac, euro), 3);
	assert_memory_equal(euro, "\xe2\x82\xac", 3);
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

/* Printed where there is room, measured where there is none: the result is the same. */
static void printing_fits_or_changes_nothing(void **state)
{
	(void)state;
	for (size_t max = 0; max < 140; max += 3) {
		struct buf b;
		char want[256] = "";
		size_t n = 0;
		buf_init(&b, max);
		b.wipe = max % 2 != 0;
		for (int i = 0; i < 30 && buf_ok(&b); i++) {
			char piece[32];
			int len = snprintf(piece, sizeof(piece), "%d-%s", i * 37, "xyz");
			buf_printf(&b, "%d-%s", i * 37, "xyz");
			assert_int_equal(buf_ok(&b), n + (size_t)len <= max);
			if (buf_ok(&b)) {
				memcpy(want + n, piece, (size_t)len + 1);
				n += (size_t)len;
			}
			assert_true(str_is(buf_view(&b), want));
			assert_true(!b.p || b.p[b.n] == '\0');
		}
		buf_deinit(&b);
	}
}

static void room_is_made_within_the_ceiling(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 1000);
	buf_puts(&b, "abc");
	buf_reserve(&b, 500);
	assert_true(b.cap > 503 && b.n == 3 && buf_ok(&b));
	buf_reserve(&b, SIZE_MAX);
	assert_true(b.cap < 3000 && buf_ok(&b));
	assert_string_equal(b.p, "abc");
	for (int i = 0; i < 997; i++) {
		buf_putc(&b, 'x');
	}
	assert_true(buf_ok(&b));
	buf_putc(&b, 'x');
	assert_false(buf_ok(&b));
	assert_int_equal(b.n, 1000);
	buf_deinit(&b);
}

/* Blocks that come again are empty; those of a thread go with it (a checker of leaks would tell). */
static void *use_blocks(void *arg)
{
	enum { BLOCKS = 64 };
	char *blocks[BLOCKS];
	size_t *full = arg;
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < BLOCKS; i++) {
			size_t n = 8 + i * 5;
			blocks[i] = i % 2 ? wipe_calloc(1, n) : wipe_malloc(n);
			for (size_t k = 0; i % 2 && k < n; k++) {
				*full += blocks[i][k] != 0;
			}
			memset(blocks[i], 'x', n);
		}
		for (size_t i = 0; i < BLOCKS; i++) {
			wipe_free(blocks[i]);
		}
	}
	return NULL;
}

static void blocks_come_again(void **state)
{
	(void)state;
	pthread_t threads[4];
	size_t full[5] = { 0 };
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, use_blocks, &full[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	(void)use_blocks(&full[4]);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(full[i], 0);
	}
	/* From malloc, and back to it. */
	char *p = malloc(40);
	memset(p, 's', 40);
	wipe_free(p);
	p = wipe_strdup("a text of twenty-four b.");
	assert_string_equal(p, "a text of twenty-four b.");
	free(p);
}

/* What a wiped block held is gone although the heap keeps the block. */
static void blocks_are_wiped(void **state)
{
	(void)state;
	for (size_t n = 1; n < 400; n += 7) {
		char *p = wipe_malloc(n);
		memset(p, 'S', n);
		p = wipe_realloc(p, n + 50);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(p[i], 'S');
		}
		wipe_free(p);
	}
	wipe_free(NULL);
	assert_null(wipe_realloc(wipe_malloc(5), 0));
	struct arena a;
	arena_init(&a, 1000);
	a.wipe = true;
	const char *text = arena_cstr(&a, STR("secret"));
	assert_string_equal(text, "secret");
	arena_reset(&a);
	assert_true(a.wipe);
	arena_deinit(&a);
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
		cmocka_unit_test(printing_fits_or_changes_nothing),
		cmocka_unit_test(room_is_made_within_the_ceiling),
		cmocka_unit_test(blocks_are_wiped),
		cmocka_unit_test(blocks_come_again),
		cmocka_unit_test(an_arena_refuses_past_its_ceiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
