#include "base/env.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/secret.h"
#include "base/utc.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void times_round_trip(void **state)
{
	(void)state;
	char text[32];
	int64_t ms;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z" },
		{ "2024-02-29T23:59:59.120Z", "2024-02-29T23:59:59.120Z" },
		{ "2026-08-01T12:00:00+02:00", "2026-08-01T10:00:00Z" },
		{ "2026-08-01 10:00:00", "2026-08-01T10:00:00Z" },
		{ "2026-08-01", "2026-08-01T00:00:00Z" },
		{ "2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z" },
		{ "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(utc_parse(str_from(cases[i].in), &ms));
		utc_rfc3339(ms, text);
		assert_string_equal(text, cases[i].out);
	}
	static const char *const bad[] = { "", "2023-02-29", "2026-13-01",
		"2026-08-01T24:00:00Z", "2026-08-01T10:00:00Zx", "2026-08-01T10:00:00.Z",
		"1969-12-31", "26-08-01" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(utc_parse(str_from(bad[i]), &ms));
	}
	assert_true(utc_parse_http(STR("Sat, 01 Aug 2026 10:00:00 GMT"), &ms));
	char basic[20];
	utc_basic(ms, basic);
	assert_string_equal(basic, "20260801T100000Z");
	assert_false(utc_parse_http(STR("Sat, 01 Foo 2026 10:00:00 GMT"), &ms));
}

static void every_day_of_400_years_round_trips(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 146097; day++) {
		struct utc_parts p = utc_split(day * 86400000);
		assert_true(utc_join(&p) == day * 86400000);
	}
}

/* RFC 6234 and RFC 4231 give these. */
static void digests_are_the_standard_ones(void **state)
{
	(void)state;
	char hex[65];
	unsigned char mac[32];
	hash_sha256_hex(STR("abc"), hex);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), mac);
	hash_hex(mac, 32, hex);
	assert_string_equal(
		hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	/* RFC 4231, case 6: a key longer than a block. */
	char large[131];
	memset(large, 0xaa, sizeof(large));
	hash_hmac_sha256((struct str){ large, sizeof(large) },
		STR("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
	hash_hex(mac, 32, hex);
	assert_string_equal(
		hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	struct hash_sha256 *h = hash_sha256_new();
	hash_sha256_add(h, "a", 1);
	hash_sha256_add(h, "bc", 2);
	hash_sha256_end(h, mac);
	hash_sha256_free(h);
	hash_hex(mac, 32, hex);
	assert_memory_equal(hex, "ba7816bf", 8);
	unsigned char raw[4];
	size_t n = 0;
	assert_true(hash_unhex(STR("00ffAb10"), raw, sizeof(raw), &n));
	assert_int_equal(n, 4);
	assert_memory_equal(raw, "\x00\xff\xab\x10", 4);
	assert_false(hash_unhex(STR("00ffAb1000"), raw, sizeof(raw), &n));
	assert_false(hash_unhex(STR("00f"), raw, sizeof(raw), &n));
	assert_false(hash_unhex(STR("0g"), raw, sizeof(raw), &n));
}

static void base64_is_strict(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 100);
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" } };
	for (size_t i = 0; i < 5; i++) {
		buf_reset(&out);
		hash_base64(str_from(pairs[i][0]), &out);
		assert_string_equal(out.p ? out.p : "", pairs[i][1]);
		buf_reset(&out);
		assert_true(hash_unbase64(str_from(pairs[i][1]), &out));
		assert_string_equal(out.p ? out.p : "", pairs[i][0]);
	}
	assert_false(hash_unbase64(STR("Z"), &out));
	assert_false(hash_unbase64(STR("Zg=a"), &out));
	assert_false(hash_unbase64(STR("Z!=="), &out));
	buf_deinit(&out);
}

static void errors_are_safe_to_print(void **state)
{
	(void)state;
	struct err e = { 0 };
	assert_int_equal(
		err_set(&e, ERR_DENIED, "bad \x1b[31m%s\xff", "text\xc2\x9b"), ERR_DENIED);
	assert_string_equal(e.msg, "bad ?[31mtext???");
	assert_int_equal(err_prefix(&e, "%s", "reading"), ERR_DENIED);
	assert_string_equal(e.msg, "reading: bad ?[31mtext???");
	assert_int_equal(err_exit_code(ERR_DENIED), 4);
	assert_int_equal(err_exit_code(ERR_INTEGRITY), 8);
	assert_int_equal(err_exit_code(ERR_INTERRUPTED), 130);
}

static void secrets_compare_and_copy(void **state)
{
	(void)state;
	struct secret *s = secret_new(STR("wJalr"));
	struct secret *copy = secret_dup(s);
	assert_true(secret_eq(copy, STR("wJalr")));
	assert_false(secret_eq(copy, STR("wJalR")));
	assert_false(secret_eq(copy, STR("")));
	secret_free(s);
	secret_free(copy);
	secret_free(NULL);
}

static void files_are_written_whole_or_not_at_all(void **state)
{
	(void)state;
	char dir[] = "/tmp/cordon-test-XXXXXX";
	char path[64];
	struct err e = { 0 };
	struct buf b;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	struct env *env = env_system();
	assert_int_equal(env_write_file(env, path, STR("one"), 0600, &e), ERR_OK);
	assert_int_equal(env_write_file(env, path, STR("two"), 0600, &e), ERR_OK);
	buf_init(&b, 100);
	assert_int_equal(env_read_file(env, path, &b, &e), ERR_OK);
	assert_str_is(buf_view(&b), "two");
	buf_deinit(&b);
	buf_init(&b, 2);
	assert_int_equal(env_read_file(env, path, &b, &e), ERR_LIMIT);
	buf_deinit(&b);
	assert_int_equal(env_read_file(env, "/nonexistent/x", &b, &e), ERR_NOT_FOUND);
	assert_int_equal(env_write_file(env, "/nonexistent/x", STR("x"), 0600, &e), ERR_IO);
	/* A write cut off half-way, as on a full disk: the old content stays. */
	struct rlimit was, small = { 4, 4 };
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	enum err_status cut = env_write_file(env, path, STR("longer than four"), 0600, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(cut, ERR_IO);
	assert_non_null(strstr(e.msg, "nothing was changed"));
	buf_init(&b, 100);
	assert_int_equal(env_read_file(env, path, &b, &e), ERR_OK);
	assert_str_is(buf_view(&b), "two");
	buf_deinit(&b);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0); /* and no temporary file is left */
}

static void the_fake_world_repeats(void **state)
{
	(void)state;
	static const char *const vars[] = { "A=1", "EMPTY=", NULL };
	struct env_fake f;
	char a[37], b[37];
	env_fake_init(&f, 1000, 42, vars);
	env_uuid(&f.base, a);
	env_sleep_ms(&f.base, 5);
	assert_true(env_now_ms(&f.base) == 1005);
	assert_string_equal(env_var(&f.base, "A"), "1");
	assert_null(env_var(&f.base, "EMPTY"));
	assert_null(env_var(&f.base, "B"));
	env_fake_init(&f, 1000, 42, vars);
	env_uuid(&f.base, b);
	assert_string_equal(a, b);
	assert_int_equal(a[14], '4');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_round_trip),
		cmocka_unit_test(every_day_of_400_years_round_trips),
		cmocka_unit_test(digests_are_the_standard_ones),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(errors_are_safe_to_print),
		cmocka_unit_test(secrets_compare_and_copy),
		cmocka_unit_test(files_are_written_whole_or_not_at_all),
		cmocka_unit_test(the_fake_world_repeats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
