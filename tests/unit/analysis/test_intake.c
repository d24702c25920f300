/* What a merge reads through a window: every byte once, whatever the window's borders cut. */
#include "analysis/intake.h"

#include "analysis/ledger.h"

#include "base/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <unistd.h>

#define NUMBERS UINT64_C(700000)

static const char path[] = "test_intake.part";

/* A number and a text of i % 50 bytes, more of them than a window holds. */
static void fill(struct buf *out)
{
	buf_init(out, 1u << 30);
	for (uint64_t i = 0; i < NUMBERS; i++) {
		ledger_put(out, i << i % 40);
		for (uint64_t k = 0; k < i % 50; k++) {
			buf_putc(out, (char)(i + k));
		}
	}
}

static void write_file(struct buf *data)
{
	unsigned char digest[HASH_SHA256_BYTES];
	hash_sha256_of(buf_view(data), digest);
	buf_add(data, digest, sizeof(digest));
	assert_int_equal(env_write_file(env_system(), path, buf_view(data), 0600, NULL), 0);
}

static void read_all(struct intake *in)
{
	unsigned char text[50];
	uint64_t v = 0;
	bool right = true;
	for (uint64_t i = 0; i < NUMBERS; i++) {
		right = right && intake_number(in, &v) && v == i << i % 40;
		right = right && (i % 50 == 0 || intake_bytes(in, text, i % 50));
		for (uint64_t k = 0; k < i % 50; k++) {
			right = right && text[k] == (unsigned char)(i + k);
		}
	}
	assert_true(right);
	assert_false(intake_has(in, 1));
	assert_false(intake_number(in, &v));
}

static void test_file_is_memory(void **state)
{
	(void)state;
	struct buf data;
	struct intake in;
	fill(&data);
	intake_memory(&in, buf_view(&data));
	read_all(&in);
	write_file(&data);
	assert_int_equal(intake_open(&in, NULL, path, NULL), ERR_OK);
	read_all(&in);
	assert_true(in.input.cap < data.n / 2);
	assert_true(intake_is_sound(&in));
	intake_close(&in);
	buf_deinit(&data);
	(void)unlink(path);
}

static bool sound(struct str bytes, size_t read)
{
	struct intake in;
	assert_int_equal(env_write_file(env_system(), path, bytes, 0600, NULL), 0);
	assert_int_equal(intake_open(&in, NULL, path, NULL), ERR_OK);
	(void)intake_has(&in, read);
	(void)intake_take(&in, read);
	bool is = intake_is_sound(&in);
	intake_close(&in);
	return is;
}

static void test_hash(void **state)
{
	(void)state;
	struct buf data;
	buf_init(&data, 1u << 24);
	for (size_t i = 0; i < 3u << 20; i++) {
		buf_putc(&data, (char)(i * 7));
	}
	write_file(&data);
	for (size_t read = 0; read <= INTAKE_MOST; read += INTAKE_MOST) {
		assert_true(sound(buf_view(&data), read));
		assert_false(sound(str_sub(buf_view(&data), 0, data.n - 1), read));
		assert_false(sound(str_sub(buf_view(&data), 0, 31), read));
		assert_false(sound((struct str){ "", 0 }, read));
		data.p[2u << 20] ^= 1;
		assert_false(sound(buf_view(&data), read));
		data.p[2u << 20] ^= 1;
	}
	buf_deinit(&data);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_is_memory),
		cmocka_unit_test(test_hash),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
