/*
 * The generated stories against the analysis: for many seeds the right class is found, the intruder's addresses
 * and keys are named, and nobody innocent is. CORDON_SEEDS widens the run.
 */
#include "stories.h"

#include "analysis/investigate.h"
#include "base/doc.h"
#include "base/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool holds(const json_t *list, const char *text)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (strcmp(json_string_value(item), text) == 0) {
			return true;
		}
	}
	return false;
}

static void write_logs(const struct scenario *s, const char *dir)
{
	char path[1024];

	for (size_t i = 0; i < s->n_files; i++) {
		char *slash;

		(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, s->files[i].bucket,
			s->files[i].key);
		slash = strrchr(path, '/');
		*slash = '\0';
		assert_int_equal(folder_make(path, 0700, NULL), ERR_OK);
		*slash = '/';
		assert_int_equal(
			env_write_file(env_system(), path, s->files[i].bytes, 0600, NULL),
			ERR_OK);
	}
}

/* Every one accused is guilty, and every guilty one is accused. */
static int compare(const struct scenario *s, const json_t *verdict, const char *list)
{
	const json_t *truth = doc_get(s->truth, list), *said = doc_get(verdict, list);
	size_t i;
	json_t *item;
	int wrong = 0;

	json_array_foreach(said, i, item)
	{
		if (!holds(truth, json_string_value(item))) {
			print_message("# %s %llu: innocent in %s: %s\n", scenario_name(s->kind),
				(unsigned long long)s->seed, list, json_string_value(item));
			wrong++;
		}
	}
	json_array_foreach(truth, i, item)
	{
		if (!holds(said, json_string_value(item))) {
			print_message("# %s %llu: missing in %s: %s\n", scenario_name(s->kind),
				(unsigned long long)s->seed, list, json_string_value(item));
			wrong++;
		}
	}
	return wrong;
}

static int judge(enum scenario_kind kind, uint64_t seed)
{
	struct scenario s;
	struct err err = { 0 };
	json_t *result = NULL, *findings;
	const json_t *verdict;
	const char *class, *paths[1];
	char *dir = NULL;
	int wrong = 0;

	assert_int_equal(stories_play(&s, kind, seed, &err), ERR_OK);
	assert_int_equal(folder_temp(env_system(), &dir, &err), ERR_OK);
	write_logs(&s, dir);
	paths[0] = dir;
	findings = json_pack("[O]", doc_get(s.event, "detail"));
	const struct investigate_options opts = {
		.paths = paths, .n_paths = 1, .findings = findings
	};

	assert_int_equal(investigate_run(env_system(), &opts, &result, &err), ERR_OK);
	verdict = doc_get(result, "verdict");
	class = doc_text_or(verdict, "class", "");
	if (strcmp(class, doc_text(s.truth, "class")) != 0) {
		print_message("# %s %llu: %s, not %s\n", scenario_name(kind),
			(unsigned long long)seed, class, doc_text(s.truth, "class"));
		wrong++;
	}
	wrong += compare(&s, verdict, "source_ips");
	wrong += compare(&s, verdict, "access_keys");
	assert_int_equal(json_array_size(doc_get(result, "inputs.rejected")), 0);
	json_decref(result);
	json_decref(findings);
	folder_remove(dir);
	free(dir);
	scenario_deinit(&s);
	return wrong;
}

static void many_seeds(enum scenario_kind kind)
{
	const char *told = getenv("CORDON_SEEDS");
	uint64_t n = told != NULL ? strtoull(told, NULL, 10) : 20;
	int wrong = 0;

	for (uint64_t seed = 1; seed <= n; seed++) {
		wrong += judge(kind, seed);
	}
	assert_int_equal(wrong, 0);
}

static void web_exploit(void **state)
{
	(void)state;
	many_seeds(SCENARIO_WEB_EXPLOIT);
}

static void stolen_key(void **state)
{
	(void)state;
	many_seeds(SCENARIO_STOLEN_KEY);
}

static void ssh_brute_force(void **state)
{
	(void)state;
	many_seeds(SCENARIO_SSH_BRUTE_FORCE);
}

static void false_alarm(void **state)
{
	(void)state;
	many_seeds(SCENARIO_FALSE_ALARM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(web_exploit),
		cmocka_unit_test(stolen_key),
		cmocka_unit_test(ssh_brute_force),
		cmocka_unit_test(false_alarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
