/* Lines sorted through memory and through files: the same order either way, and nothing left behind. */
#include "base/folder.h"
#include "base/spool.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct got {
	int64_t last;
	size_t n, stop;
	char before[64];
};

static bool see(void *ctx, struct str line)
{
	struct got *g = ctx;
	int64_t key = 0;
	struct str text = line;
	struct str number;
	assert_true(str_cut(&text, ' ', &number));
	assert_true(str_to_i64(number, &key));
	assert_true(key >= g->last);
	if (key == g->last) {
		assert_true(str_cmp(str_from(g->before), line) <= 0);
	}
	g->last = key;
	(void)snprintf(g->before, sizeof(g->before), "%.*s", STR_ARG(line));
	return ++g->n != g->stop;
}

static size_t sort_some(size_t memory, size_t n, size_t stop)
{
	struct spool *s = spool_new(env_system(), memory);
	struct got g = { .last = INT64_MIN, .stop = stop };
	uint64_t x = 1;
	for (size_t i = 0; i < n; i++) {
		char line[64];
		x = x * 6364136223846793005u + 1442695040888963407u;
		int64_t key = (int64_t)(x >> 52) - 2000;
		int len = snprintf(line, sizeof(line), "%lld %llu", (long long)key,
			(unsigned long long)(x >> 40 & 15));
		assert_int_equal(
			spool_add(s, key, (struct str){ line, (size_t)len }, NULL), ERR_OK);
	}
	assert_int_equal(spool_each(s, see, &g, NULL), ERR_OK);
	spool_free(s);
	return g.n;
}

static void test_in_memory(void **state)
{
	(void)state;
	assert_int_equal(sort_some(1u << 20, 3000, 0), 3000);
	assert_int_equal(sort_some(1u << 20, 0, 0), 0);
}

static void test_on_disk(void **state)
{
	(void)state;
	assert_int_equal(sort_some(4096, 5000, 0), 5000);
	assert_int_equal(sort_some(4096, 5000, 17), 17);
}

static void test_too_many_runs(void **state)
{
	(void)state;
	struct spool *s = spool_new(env_system(), 1);
	struct err err = { 0 };
	enum err_status st = ERR_OK;
	int n = 0;
	for (; n < SPOOL_RUNS_MAX + 3 && st == ERR_OK; n++) {
		st = spool_add(s, n, STR("x"), &err);
	}
	assert_int_equal(st, ERR_LIMIT);
	assert_non_null(strstr(err.msg, "--since"));
	assert_int_equal(n, SPOOL_RUNS_MAX + 2);
	spool_free(s);
}

static void test_nothing_is_left(void **state)
{
	(void)state;
	char *folder = NULL;
	assert_int_equal(folder_temp(env_system(), &folder, NULL), ERR_OK);
	char var[4200];
	(void)snprintf(var, sizeof(var), "TMPDIR=%s", folder);
	const char *const vars[] = { var, NULL };
	struct env_fake fake;
	env_fake_init(&fake, 0, 1, vars);
	struct spool *s = spool_new(&fake.base, 1);
	assert_int_equal(spool_add(s, 2, STR("b"), NULL), ERR_OK);
	assert_int_equal(spool_add(s, 1, STR("a"), NULL), ERR_OK);
	spool_free(s);
	DIR *d = opendir(folder);
	assert_non_null(d);
	int n = 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		n += e->d_name[0] != '.';
	}
	(void)closedir(d);
	assert_int_equal(n, 0);
	folder_remove(folder);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_memory),
		cmocka_unit_test(test_on_disk),
		cmocka_unit_test(test_too_many_runs),
		cmocka_unit_test(test_nothing_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
