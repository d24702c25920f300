/* The verdict on whole cases: real ones where the data lies beside the checkout, and own ones. */
#include "analysis/investigate.h"

/* cmocka needs the four above first */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *investigate(const char *const *paths, size_t n)
{
	struct err err = { 0 };
	json_t *doc = NULL;
	struct investigate_options opts = { .paths = paths, .n_paths = n };
	enum err_status st = investigate_run(env_system(), &opts, &doc, &err);
	if (st != ERR_OK) {
		print_error("%s\n", err.msg);
	}
	assert_int_equal(st, ERR_OK);
	return doc;
}

static bool lists(const json_t *doc, const char *path, const char *text)
{
	size_t i;
	json_t *item;
	json_array_foreach(doc_get(doc, path), i, item)
	{
		if (!strcmp(json_string_value(item), text)) {
			return true;
		}
	}
	return false;
}

static void test_invictus(void **state)
{
	(void)state;
	const char *shared = getenv("CORDON_SHARED");
	if (!shared || !*shared) {
		skip();
	}
	char root[512];
	char truth_path[600];
	(void)snprintf(root, sizeof(root), "%s/data/cloudtrail/invictus/AWSLogs", shared);
	(void)snprintf(truth_path, sizeof(truth_path), "%s/data/cloudtrail/invictus/truth.json",
		shared);
	json_t *truth = json_load_file(truth_path, 0, NULL);
	assert_non_null(truth);
	const char *paths[] = { root };
	json_t *doc = investigate(paths, 1);
	assert_string_equal(doc_text(doc, "verdict.class"), doc_text(truth, "class"));
	assert_string_equal(doc_text(doc, "verdict.entry_time"), doc_text(truth, "entry"));
	assert_true(doc_real(doc, "verdict.confidence", 0) > 0.9);
	assert_int_equal(json_array_size(doc_get(doc, "verdict.source_ips")), 1);
	assert_true(lists(doc, "verdict.source_ips", doc_text(truth, "attacker_ips[0]")));
	assert_true(lists(doc, "verdict.principals", doc_text(truth, "principal")));
	size_t i;
	json_t *item;
	static const char *const keys[] = { "keys", "keys_created_by_attacker" };
	for (size_t k = 0; k < 2; k++) {
		json_array_foreach(doc_get(truth, keys[k]), i, item)
		{
			assert_true(lists(doc, "verdict.access_keys", json_string_value(item)));
		}
	}
	json_array_foreach(doc_get(truth, "role_sessions_used_by_attacker"), i, item)
	{
		assert_true(lists(doc, "verdict.principals", doc_text(item, "arn")));
		assert_true(lists(doc, "verdict.access_keys", doc_text(item, "key")));
	}
	json_array_foreach(doc_get(truth, "innocent_principals"), i, item)
	{
		assert_false(lists(doc, "verdict.principals", json_string_value(item)));
	}
	json_array_foreach(doc_get(truth, "innocent_ips"), i, item)
	{
		assert_false(lists(doc, "verdict.source_ips", json_string_value(item)));
	}
	assert_int_equal(json_array_size(json_object_get(doc, "timeline")),
		doc_int(truth, "attacker_ip_events", 0));
	json_decref(doc);
	json_decref(truth);
}

/* A server under password guessing that let nobody in: no incident, nobody accused. */
static void test_loghub(void **state)
{
	(void)state;
	const char *shared = getenv("CORDON_SHARED");
	if (!shared || !*shared) {
		skip();
	}
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/data/hostlogs/loghub/OpenSSH_2k.log", shared);
	const char *paths[] = { path };
	json_t *doc = investigate(paths, 1);
	assert_string_equal(doc_text(doc, "verdict.class"), "no_incident");
	assert_int_equal(json_array_size(doc_get(doc, "verdict.source_ips")), 0);
	json_decref(doc);
}

struct told {
	uint64_t bytes, total;
	int n, back;
};

static void tell(void *ctx, uint64_t bytes, uint64_t total)
{
	struct told *t = ctx;
	t->n++;
	t->back += bytes < t->bytes;
	t->bytes = bytes;
	t->total = total;
}

/* One large file tells of its progress while it is read, not only at its end. */
static void test_progress_within_a_file(void **state)
{
	(void)state;
	char path[] = "/tmp/cordon-large-XXXXXX";
	char line[300];
	uint64_t size = 0;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "w");
	assert_non_null(f);
	for (int i = 0; i < 40000; i++) {
		size += (uint64_t)fprintf(f,
			"{\"eventName\":\"ListBuckets\",\"eventSource\":\"s3.amazonaws.com\","
			"\"eventTime\":\"2026-08-01T10:00:00Z\",\"eventID\":\"%036d\"}\n",
			i);
	}
	assert_int_equal(fclose(f), 0);
	(void)snprintf(line, sizeof(line), "%s", path);
	const char *paths[] = { line };
	struct told told = { 0 };
	struct err err = { 0 };
	json_t *doc = NULL;
	struct investigate_options opts = { .paths = paths,
		.n_paths = 1,
		.threads = 1,
		.progress = tell,
		.progress_ctx = &told };
	assert_int_equal(investigate_run(env_system(), &opts, &doc, &err), ERR_OK);
	(void)unlink(path);
	assert_int_equal(doc_int(doc, "inputs.unique_events", 0), 40000);
	assert_int_equal(told.total, size);
	assert_int_equal(told.bytes, size);
	assert_int_equal(told.back, 0);
	assert_true(told.n >= 4);
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_invictus),
		cmocka_unit_test(test_loghub),
		cmocka_unit_test(test_progress_within_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
