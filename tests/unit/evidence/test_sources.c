#include "base/utc.h"
#include "evidence/digest.h"
#include "evidence/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t at(const char *text)
{
	int64_t ms = 0;

	assert_true(utc_parse(str_from(text), &ms));
	return ms;
}

static void a_source_is_a_bucket_and_a_prefix(void **state)
{
	char bucket[64];
	const char *prefix = NULL;
	(void)state;

	assert_true(sources_parse("s3://trail/AWSLogs/", bucket, &prefix));
	assert_string_equal(bucket, "trail");
	assert_string_equal(prefix, "AWSLogs/");
	assert_true(sources_parse("s3://trail", bucket, &prefix));
	assert_string_equal(prefix, "");
	assert_false(sources_parse("/var/log", bucket, &prefix));
	assert_false(sources_parse("s3://", bucket, &prefix));
	assert_false(sources_parse(
		"s3://a-name-that-is-longer-than-sixty-three-characters-can-not-be-a-bucket/x",
		bucket, &prefix));
}

static void folders_outside_the_window_are_not_listed(void **state)
{
	int64_t from = at("2026-08-01T09:00:00Z");
	int64_t to = at("2026-08-01T23:30:00Z");
	(void)state;

	assert_true(
		sources_folder_fits("AWSLogs/111122223333/CloudTrail/eu-west-1/", from, to));
	assert_true(sources_folder_fits("x/2026/", from, to));
	assert_true(sources_folder_fits("x/2026/08/", from, to));
	assert_true(sources_folder_fits("x/2026/08/01/", from, to));
	/* delivered after midnight */
	assert_true(sources_folder_fits("x/2026/08/02/", from, to));
	assert_false(sources_folder_fits("x/2025/", from, to));
	assert_false(sources_folder_fits("x/2027/", from, to));
	assert_false(sources_folder_fits("x/2026/07/", from, to));
	assert_false(sources_folder_fits("x/2026/09/", from, to));
	assert_false(sources_folder_fits("x/2026/07/31/", from, to));
	assert_false(sources_folder_fits("x/2026/08/03/", from, to));
	assert_true(sources_folder_fits("x/year=2026/month=08/day=01/", from, to));
	assert_false(sources_folder_fits("x/year=2026/month=06/day=01/", from, to));
	assert_false(sources_folder_fits(
		"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/08/01/", from, to));
	/* an open end lets everything on that side through */
	assert_true(sources_folder_fits("x/2030/", from, 0));
	assert_true(sources_folder_fits("x/2020/", 0, to));
	/* the turn of the year */
	assert_true(sources_folder_fits(
		"x/2026/12/31/", at("2026-12-31T23:00:00Z"), at("2027-01-01T01:00:00Z")));
	assert_true(sources_folder_fits(
		"x/2027/", at("2026-12-31T23:00:00Z"), at("2026-12-31T23:59:00Z")));
}

static void names_say_their_time(void **state)
{
	static const char key[] = "AWSLogs/1/CloudTrail/eu-west-1/2026/08/01/"
				  "1_CloudTrail_eu-west-1_20260801T%sZ_aB.json.gz";
	static const struct {
		const char *time;
		bool fits;
	} cases[] = { { "0840", false }, { "0850", true }, { "0900", true }, { "1100", true },
		{ "1159", true }, { "1230", false } };
	int64_t from = at("2026-08-01T09:00:00Z");
	int64_t to = at("2026-08-01T10:00:00Z");
	char name[200];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str head = str_sub(str_from(key), 0, str_find(str_from(key), STR("%s")));
		(void)snprintf(
			name, sizeof(name), "%.*s%sZ_aB.json.gz", STR_ARG(head), cases[i].time);
		assert_int_equal(sources_key_fits(name, 0, from, to), cases[i].fits);
	}
	/* no time in the name: what was last changed before the window can't hold it */
	assert_true(sources_key_fits("web/access.log", at("2026-08-01T09:30:00Z"), from, to));
	assert_false(sources_key_fits("web/access.log", at("2026-07-30T09:30:00Z"), from, to));
	assert_true(sources_key_fits("web/access.log", 0, from, to));
}

static void a_key_never_leaves_its_folder(void **state)
{
	static const char *const cases[][2] = {
		{ "a/b.log", "a/b.log" },
		{ "../../etc/passwd", "_./_./etc/passwd" },
		{ "/abs//x", "abs/x" },
		{ "a/./b", "a/_/b" },
		{ ".hidden", "_hidden" },
		{ "a b\n\xe2\x80\xae.log", "a_b____.log" },
		{ "", "_" },
	};
	char *path = NULL;
	char *longer = malloc(600);
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		path = sources_safe_path(cases[i][0]);
		assert_string_equal(path, cases[i][1]);
		free(path);
	}
	memset(longer, 'x', 599);
	longer[599] = '\0';
	path = sources_safe_path(longer);
	assert_in_range(strlen(path), 201, 254);
	free(path);
	free(longer);
}

static void a_digest_keeps_what_it_hashes(void **state)
{
	struct digest d;
	struct err e = { 0 };
	char sha[HASH_SHA256_HEX];
	char path[] = "/tmp/cordon-digest-XXXXXX";
	struct buf b = { 0 };
	int fd = mkstemp(path);
	(void)state;

	assert_true(fd >= 0);
	(void)close(fd);
	/* never over something that is there */
	assert_int_equal(digest_open(&d, path, &e), ERR_IO);
	(void)unlink(path);
	assert_int_equal(digest_open(&d, path, &e), ERR_OK);
	assert_true(d.sink.write(d.sink.ctx, "ab", 2));
	assert_true(d.sink.write(d.sink.ctx, "c", 1));
	assert_int_equal(digest_close(&d, sha, &e), ERR_OK);
	assert_string_equal(
		sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(d.size, 3);
	buf_init(&b, 100);
	assert_int_equal(env_read_file(env_system(), path, &b, &e), ERR_OK);
	assert_string_equal(b.p, "abc");
	buf_deinit(&b);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_is_a_bucket_and_a_prefix),
		cmocka_unit_test(folders_outside_the_window_are_not_listed),
		cmocka_unit_test(names_say_their_time),
		cmocka_unit_test(a_key_never_leaves_its_folder),
		cmocka_unit_test(a_digest_keeps_what_it_hashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
