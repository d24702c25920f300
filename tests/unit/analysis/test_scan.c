/* The JSON scanner: RFC 8259 as JSONTestSuite puts it to the test, texts as jansson reads them. */
#include "analysis/scan.h"

#include <dirent.h>
#include <jansson.h>
/* cmocka needs the four above first */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum scan_result scan_whole(struct scan_tape *t, struct str s)
{
	size_t used = 0;
	enum scan_result r = scan_value(t, s, true, &used);
	while (r == SCAN_OK && used < s.n && strchr(" \t\r\n", s.p[used]) && s.p[used]) {
		used++;
	}
	return r == SCAN_OK && used < s.n ? SCAN_BAD : r;
}

static enum scan_result scan_literal(const char *text)
{
	struct scan_tape t;
	scan_init(&t);
	enum scan_result r = scan_whole(&t, str_from(text));
	scan_deinit(&t);
	return r;
}

static void test_grammar(void **state)
{
	(void)state;
	assert_int_equal(scan_literal("{}"), SCAN_OK);
	assert_int_equal(scan_literal(" [ ] "), SCAN_OK);
	assert_int_equal(
		scan_literal("{\"a\":[1,-2.5e+3,null,true,false,\"\\u00e9\"]}"), SCAN_OK);
	assert_int_equal(scan_literal("[1,]"), SCAN_BAD);
	assert_int_equal(scan_literal("{\"a\":1,}"), SCAN_BAD);
	assert_int_equal(scan_literal("[01]"), SCAN_BAD);
	assert_int_equal(scan_literal("[1"), SCAN_MORE);
	assert_int_equal(scan_literal("\"a"), SCAN_MORE);
	assert_int_equal(scan_literal("tru"), SCAN_MORE);
	assert_int_equal(scan_literal("trux"), SCAN_BAD);
	assert_int_equal(scan_literal("\"a\nb\""), SCAN_BAD);
	assert_int_equal(scan_literal("\"\\x\""), SCAN_BAD);
	assert_int_equal(scan_literal("1.x"), SCAN_BAD);
}

static void test_depth(void **state)
{
	(void)state;
	char deep[SCAN_DEPTH_MAX * 2 + 3];
	memset(deep, '[', SCAN_DEPTH_MAX);
	memset(deep + SCAN_DEPTH_MAX, ']', SCAN_DEPTH_MAX);
	deep[SCAN_DEPTH_MAX * 2] = 0;
	assert_int_equal(scan_literal(deep), SCAN_OK);
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	assert_int_equal(scan_literal(deep), SCAN_LIMIT);
}

static void test_reads(void **state)
{
	(void)state;
	struct scan_tape t;
	scan_init(&t);
	struct str s = STR("{\"a\":{\"b\":[\"x\",{\"c\":\"1\\n\\ud83d\\ude00\\ud800\"}]},"
			   "\"k\\u0065y\":true}");
	assert_int_equal(scan_whole(&t, s), SCAN_OK);
	uint32_t list = scan_path(&t, 0, "a.b");
	assert_int_equal(scan_type_of(&t, list), SCAN_ARRAY);
	uint32_t first = scan_first(&t, list);
	assert_true(str_is(scan_text(&t, first), "x"));
	uint32_t second = scan_after(&t, list, first);
	assert_int_equal(scan_after(&t, list, second), SCAN_NONE);
	struct str text = scan_text(&t, scan_member(&t, second, STR("c")));
	assert_true(str_is(text, "1\n\xf0\x9f\x98\x80\xef\xbf\xbd"));
	assert_true(scan_is_true(&t, scan_member(&t, 0, STR("key"))));
	assert_int_equal(scan_path(&t, 0, "a.none.b"), SCAN_NONE);
	scan_deinit(&t);
}

/* Every variant finds the same end at every offset and for every byte. */
static void test_variants(void **state)
{
	(void)state;
	static const char *const names[] = { "sse2", "avx2", "neon" };
	char text[200];
	for (size_t v = 0; v < 3; v++) {
		if (!scan_use(names[v])) {
			continue;
		}
		for (int c = 0; c < 256; c++) {
			for (size_t at = 0; at < 100; at += 7) {
				memset(text, 'a', sizeof(text));
				text[at] = (char)c;
				assert_ptr_equal(scan_string_end(text, text + 150),
					scan_string_end_scalar(text, text + 150));
				assert_ptr_equal(scan_string_end(text + 3, text + at + 1),
					scan_string_end_scalar(text + 3, text + at + 1));
			}
		}
	}
	assert_true(scan_use("scalar"));
	(void)scan_choose();
}

static void test_suite(void **state)
{
	(void)state;
	const char *shared = getenv("CORDON_SHARED");
	char folder[512];
	(void)snprintf(
		folder, sizeof(folder), "%s/vectors/json/test_parsing", shared ? shared : "");
	DIR *d = shared && *shared ? opendir(folder) : NULL;
	if (!d) {
		skip();
		return;
	}
	int n = 0;
	struct scan_tape t;
	scan_init(&t);
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		char path[800];
		static char text[1u << 20];
		if ((e->d_name[0] != 'y' && e->d_name[0] != 'n') || e->d_name[1] != '_') {
			continue;
		}
		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		FILE *f = fopen(path, "rb");
		assert_non_null(f);
		size_t size = fread(text, 1, sizeof(text), f);
		(void)fclose(f);
		bool ok = scan_whole(&t, (struct str){ text, size }) == SCAN_OK;
		if (ok != (e->d_name[0] == 'y')) {
			fail_msg("%s", e->d_name);
		}
		n++;
	}
	(void)closedir(d);
	scan_deinit(&t);
	assert_true(n > 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_suite),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
