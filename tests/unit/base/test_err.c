/* What went wrong, in the language of the reader; what is kept stays English. */
#include "base/err.h"
#include "base/i18n.h"
#include "base/i18n_table.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const char *in_spanish(const char *text)
{
	return i18n_tr(I18N_ES, text);
}

static const char *retold_in_spanish(const char *text, char *out, size_t size)
{
	return i18n_told(I18N_ES, text, out, size);
}

static void test_spoken(void **state)
{
	(void)state;
	struct err e = { 0 };
	(void)err_set(&e, ERR_NOT_FOUND, "can't read %s: %s", "/x", "gone");
	assert_string_equal(err_told(&e), "can't read /x: gone");
	err_speak(in_spanish, retold_in_spanish);
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
	err_speak(NULL, NULL);
}

/* Why it went wrong is told as well when it is known; what only looks like it is not touched. */
static void test_reason(void **state)
{
	(void)state;
	struct err e = { 0 };
	err_speak(in_spanish, retold_in_spanish);
	(void)err_set(&e, ERR_NOT_FOUND, "can't open %s: %s", "out of memory", err_errno(2));
	assert_string_equal(e.msg, "can't open out of memory: No such file or directory");
	assert_string_equal(err_told(&e),
		"no se puede abrir out of memory: no existe el archivo o la carpeta");
	struct err inner = { 0 };
	(void)err_set(&inner, ERR_INPUT, "%s", "not valid YAML");
	assert_string_equal(err_told(&inner), "no es YAML válido");
	/* Behind a number, a cut text and a real; and in front of what to do about it. */
	(void)err_set(&e, ERR_IO, "%zu %.*s %5.1f %ld: %s (wait)", (size_t)1 << 40, 2, "abc",
		2.5, -7L, "cancelled");
	assert_string_equal(err_told(&e), "1099511627776 ab   2.5 -7: cancelado (wait)");
	(void)err_set(&e, ERR_INPUT, "%s: %s must be text", "not valid YAML", "cancelled");
	assert_string_equal(err_told(&e), "not valid YAML: cancelled debe ser texto");
	/* A reason with a reason of its own, and names in it. */
	(void)err_set(&inner, ERR_INPUT, "can't open %s: %s", "/a b", err_errno(13));
	(void)err_set(&e, ERR_INPUT, "%s can't be merged: %s", "x", inner.msg);
	assert_string_equal(e.msg, "x can't be merged: can't open /a b: Permission denied");
	assert_string_equal(
		err_told(&e), "x no se puede unir: no se puede abrir /a b: permiso denegado");
	(void)err_set(&e, ERR_INPUT, "x: %s", "JSON is nested deeper than 12 levels");
	assert_string_equal(err_told(&e), "x: el JSON está anidado a más de 12 niveles");
	(void)err_set(&e, ERR_INPUT, "x: %s",
		"the placeholder %a% has no values; give them with --placeholders FILE");
	assert_string_equal(err_told(&e),
		"x: el marcador %a% no tiene valores; indíquelos con --placeholders ARCHIVO");
	(void)err_set(&e, ERR_INPUT, "x: %s", "JSON is nested deeper than many levels");
	assert_string_equal(err_told(&e), "x: JSON is nested deeper than many levels");
	/* No room for a longer reason. */
	char text[384];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	(void)err_set(&e, ERR_IO, "%s: %s", text, "out of memory");
	assert_string_equal(e.msg + 383, ": out of memory");
	assert_string_equal(e.told + 383, ": no queda memor");
	assert_int_equal(strlen(e.told), sizeof(e.told) - 1);
	err_speak(NULL, NULL);
}

/* Whatever the text, and wherever it is cut: an answer that is a text, within its room. */
static void test_any_text(void **state)
{
	(void)state;
	char text[1200];
	char out[64];
	for (size_t i = 0; i < i18n_table_es_count; i += 7) {
		const char *english = i18n_table_es[i].english;
		assert_ptr_equal(
			i18n_told(I18N_ES, english, out, sizeof(out)), i18n_table_es[i].other);
		for (size_t n = strlen(english); n > 0; n -= n > 20 ? 20 : 1) {
			(void)snprintf(text, sizeof(text), "%.*s", (int)n, english);
			const char *told = i18n_told(I18N_ES, text, out, sizeof(out));
			assert_true(told != out || strlen(told) < sizeof(out));
			assert_ptr_equal(i18n_told(I18N_EN, text, out, sizeof(out)), text);
		}
	}
	assert_string_equal(i18n_told(I18N_ES, "", out, sizeof(out)), "");
}

static void test_no_room(void **state)
{
	(void)state;
	struct err e = { 0 };
	char text[600];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	err_speak(in_spanish, retold_in_spanish);
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
	err_speak(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spoken),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
