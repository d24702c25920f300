/* What went wrong, in the language of the reader; what is kept stays English. */
#include "base/err.h"
#include "base/i18n.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <string.h>

static const char *in_spanish(const char *text)
{
	return i18n_tr(I18N_ES, text);
}

static void test_spoken(void **state)
{
	(void)state;
	struct err e = { 0 };
	(void)err_set(&e, ERR_NOT_FOUND, "can't read %s: %s", "/x", "gone");
	assert_string_equal(err_told(&e), "can't read /x: gone");
	err_speak(in_spanish);
	(void)err_set(&e, ERR_NOT_FOUND, "can't read %s: %s", "/x", "gone\x1b[2J");
	assert_string_equal(e.msg, "can't read /x: gone?[2J");
	assert_string_equal(err_told(&e), "no se puede leer /x: gone?[2J");
	/* What comes before, known or not. */
	(void)err_prefix(&e, "after %d attempts", 3);
	assert_string_equal(e.msg, "after 3 attempts: can't read /x: gone?[2J");
	assert_string_equal(err_told(&e), "tras 3 intentos: no se puede leer /x: gone?[2J");
	(void)err_prefix(&e, "step %s", "a");
	assert_string_equal(
		err_told(&e), "step a: tras 3 intentos: no se puede leer /x: gone?[2J");
	/* Nobody has put this into words: it is told as it is. */
	(void)err_set(&e, ERR_FAILED, "a thing that never happens: %d", 7);
	assert_string_equal(err_told(&e), "a thing that never happens: 7");
	(void)err_prefix(&e, "can't assume %s", "r");
	assert_string_equal(e.msg, "can't assume r: a thing that never happens: 7");
	assert_string_equal(
		err_told(&e), "no se puede asumir r: a thing that never happens: 7");
	err_speak(NULL);
}

static void test_no_room(void **state)
{
	(void)state;
	struct err e = { 0 };
	char text[600];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	err_speak(in_spanish);
	(void)err_set(&e, ERR_IO, "can't open %s", text);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_int_equal(strlen(e.told), sizeof(e.told) - 1);
	(void)err_prefix(&e, "can't assume %s", text + sizeof(text) - 21);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_true(str_starts(
		str_from(e.told), STR("no se puede asumir aaaaaaaaaaaaaaaaaaaa: no se")));
	/* A prefix that leaves no room for the rest is not put before it. */
	(void)err_set(&e, ERR_IO, "short");
	(void)err_prefix(&e, "%s", text);
	assert_string_equal(e.msg, "short");
	err_speak(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spoken),
		cmocka_unit_test(test_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
