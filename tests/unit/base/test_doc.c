#include "base/config.h"
#include "base/doc.h"
#include "base/gz.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/yaml.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void paths_reach_values(void **state)
{
	(void)state;
	json_t *d = NULL;
	struct err e = { 0 };
	assert_int_equal(
		doc_parse(STR("{\"a\":[{\"b\":\"7\"},{\"c\":true}],\"n\":2.5}"), 1000, &d, &e),
		ERR_OK);
	assert_string_equal(doc_text(d, "a[0].b"), "7");
	assert_int_equal(doc_int(d, "a[0].b", -1), 7);
	assert_true(doc_true(d, "a[1].c"));
	assert_null(doc_get(d, "a[2].c"));
	assert_null(doc_get(d, "a[x]"));
	assert_true(doc_real(d, "n", 0) > 2.4);
	json_decref(d);
}

static void documents_have_ceilings(void **state)
{
	(void)state;
	json_t *d = NULL;
	struct err e = { 0 };
	assert_int_equal(doc_parse(STR("[1]"), 2, &d, &e), ERR_LIMIT);
	assert_int_equal(doc_parse(STR("{\"a\":1,\"a\":2}"), 100, &d, &e), ERR_INPUT);
	assert_int_equal(doc_parse(STR("[1] x"), 100, &d, &e), ERR_INPUT);
	char deep[400];
	memset(deep, '[', sizeof(deep));
	assert_int_equal(
		doc_parse((struct str){ deep, sizeof(deep) }, 1000, &d, &e), ERR_LIMIT);
	assert_null(d);
}

static void what_is_no_json_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "{\"a\":1,\n \"a\":2}", "[1,\n2,]", "[1 2]",
		"{\"a\" 1}", "{a:1}", "{\"a\":1", "\"a", "\"\t\"", "\"\xc3\"",
		"\"\xed\xa0\x80\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "\"\\ud800\"",
		"\"\\udc00\"", "{\"\\u0000\":1}", "01", "1.", "-", "1e+", "1e999",
		"9223372036854775808", "nul" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *d = NULL;
		struct err e = { 0 };
		assert_int_equal(doc_parse(str_from(bad[i]), 100, &d, &e), ERR_INPUT);
		assert_null(d);
		assert_non_null(strstr(e.msg, "not valid JSON at line "));
	}
}

static void every_form_of_json_is_read(void **state)
{
	(void)state;
	json_t *d = NULL;
	assert_int_equal(
		doc_parse(
			STR(" {\"\\u0061\\n\" : [ -0, 1.5e-2, true, false, null, {}, [] ],\r\n"
			    "\t\"\": "
			    "\"\\u00e9\\uD83D\\uDE00\\u0000x\\\"\\\\\\/\\b\\f\\n\\r\\t\" }\n"),
			1000, &d, NULL),
		ERR_OK);
	const json_t *list = json_object_get(d, "a\n");
	assert_int_equal(json_array_size(list), 7);
	assert_true(json_is_integer(json_array_get(list, 0)));
	assert_true(json_real_value(json_array_get(list, 1)) > 0.0149);
	assert_true(json_is_null(json_array_get(list, 4)));
	static const char text[] = "\xc3\xa9\xf0\x9f\x98\x80\0x\"\\/\b\f\n\r\t";
	const json_t *v = json_object_get(d, "");
	assert_int_equal(json_string_length(v), sizeof(text) - 1);
	assert_memory_equal(json_string_value(v), text, sizeof(text));
	json_decref(d);
	/* As deep as may be, and one level more. */
	char nested[2 * (DOC_MAX_DEPTH + 1)];
	memset(nested, '[', sizeof(nested) / 2);
	memset(nested + sizeof(nested) / 2, ']', sizeof(nested) / 2);
	struct str all = { nested, sizeof(nested) };
	assert_int_equal(doc_parse(all, 1000, &d, NULL), ERR_LIMIT);
	assert_int_equal(doc_parse(str_sub(all, 1, all.n - 2), 1000, &d, NULL), ERR_OK);
	json_decref(d);
}

static void canonical_text_is_one(void **state)
{
	(void)state;
	json_t *a = NULL, *b = NULL;
	char x[65], y[65];
	assert_int_equal(
		doc_parse(STR("{\"b\":1,\"a\":[1.5,\"\\u00e9\"]}"), 100, &a, NULL), ERR_OK);
	assert_int_equal(
		doc_parse(STR(" {\"a\" : [1.5, \"\xc3\xa9\"], \"b\":1} "), 100, &b, NULL),
		ERR_OK);
	doc_sha256(a, x);
	doc_sha256(b, y);
	assert_string_equal(x, y);
	struct buf t;
	buf_init(&t, 100);
	doc_canonical(a, &t);
	assert_string_equal(t.p, "{\"a\":[1.5,\"\xc3\xa9\"],\"b\":1}");
	buf_deinit(&t);
	json_decref(a);
	json_decref(b);
}

static void lines_show_reals_as_people_write_them(void **state)
{
	(void)state;
	json_t *v = json_pack("{s:f, s:f, s:s}", "z", 0.99, "a", 0.1 + 0.2, "t", "x\n");
	struct buf t;
	buf_init(&t, 100);
	doc_line(v, &t);
	assert_string_equal(t.p, "{\"z\":0.99,\"a\":0.3,\"t\":\"x\\n\"}\n");
	buf_deinit(&t);
	json_decref(v);
}

static void yaml_knows_lines_and_types(void **state)
{
	(void)state;
	struct yaml_doc d = { 0 };
	struct err e = { 0 };
	assert_int_equal(
		yaml_parse(STR("a: 1\nlist:\n  - id: x\n    on: yes\n  - id: y\n"
			       "account: 012345678901\nbig: 111122223333\nt: true\nr: 7.5\n"
			       "q: '5'\n"),
			"f.yaml", &d, &e),
		ERR_OK);
	assert_int_equal(yaml_line(&d, "list[1].id"), 5);
	assert_int_equal(yaml_line(&d, "list[0].missing"), 3);
	assert_string_equal(doc_text(d.root, "list[0].on"), "yes");
	assert_string_equal(doc_text(d.root, "account"), "012345678901");
	assert_string_equal(doc_text(d.root, "big"), "111122223333");
	assert_true(json_is_true(doc_get(d.root, "t")));
	assert_true(json_is_real(doc_get(d.root, "r")));
	assert_string_equal(doc_text(d.root, "q"), "5");
	yaml_deinit(&d);
	static const char *const bad[] = { "a: &x 1\nb: *x\n", "a: 1\na: 2\n",
		"---\na: 1\n---\nb: 1\n", "a: !!python/object x\n", "a: [1, 2\n",
		"? [a, b]\n: 1\n" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(yaml_parse(str_from(bad[i]), "f.yaml", &d, &e), ERR_CONFIG);
		assert_non_null(strstr(e.msg, "f.yaml:"));
	}
}

static void write_temp(char *path, const char *text)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static void configuration_is_checked(void **state)
{
	(void)state;
	static const char *const vars[] = { "CORDON_MODE=auto",
		"CORDON_NOTIFY_LANGUAGES=en, es", NULL };
	struct env_fake f;
	struct config c;
	struct err e = { 0 };
	env_fake_init(&f, 0, 1, vars);
	char good[] = "/tmp/cordon-test-XXXXXX";
	write_temp(good, "mode: approve\nevidence:\n  bucket: b\n  lock_days: 7\n");
	assert_int_equal(config_load(&f.base, good, &c, &e), ERR_OK);
	assert_int_equal(c.mode, CONFIG_AUTO); /* the variable goes before the file */
	assert_string_equal(c.evidence_bucket, "b");
	assert_int_equal(c.evidence_lock_days, 7);
	assert_int_equal(c.languages.n, 2);
	assert_string_equal(c.languages.items[1], "es");
	assert_string_equal(c.environment_tag, "Environment");
	assert_non_null(strstr(c.state, "sqlite:"));
	config_deinit(&c);
	(void)unlink(good);

	env_fake_init(&f, 0, 1, NULL);
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "mode: auto\nevidence:\n  buckte: b\n",
			":3: unknown key 'evidence.buckte' (nearest: 'evidence.bucket')" },
		{ "evidence:\n  lock_days: many\n",
			":2: evidence.lock_days must be a whole number" },
		{ "mode: always\n", ":1: mode must be one of observe|approve|auto" },
		{ "notify:\n  languages: [fr]\n", "'fr' is not a language" },
		{ "notify:\n  phone_numbers: [4]\n", "must be text" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char path[] = "/tmp/cordon-test-XXXXXX";
		write_temp(path, bad[i].text);
		assert_int_equal(config_load(&f.base, path, &c, &e), ERR_CONFIG);
		assert_non_null(strstr(e.msg, bad[i].message));
		(void)unlink(path);
	}
	assert_int_equal(config_load(&f.base, "/nonexistent.yaml", &c, &e), ERR_CONFIG);
}

static void text_is_made_safe(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 1000);
	text_terminal(STR("a\x1b[2J\xe2\x80\xae\xff\xc3\xa9"), &b);
	assert_string_equal(b.p, "a\\x1B[2J\\u{202E}\\xFF\xc3\xa9");
	buf_reset(&b);
	text_html(STR("<a href='x'>&\""), &b);
	assert_string_equal(b.p, "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
	buf_reset(&b);
	text_csv(STR("=HYPERLINK(\"x\")"), &b);
	assert_string_equal(b.p, "\"'=HYPERLINK(\"\"x\"\")\"");
	buf_reset(&b);
	text_json(STR("\"a\xc3\xa9\x7f\xc2\x9b\xe2\x80\xae\xf0\x9f\xa6\x80\xf3\xa0\x81\x81\""),
		&b);
	assert_string_equal(
		b.p, "\"a\xc3\xa9\\u007f\\u009b\\u202e\xf0\x9f\xa6\x80\\udb40\\udc41\"");
	buf_reset(&b);
	text_shell(STR("it's $(x)"), &b);
	assert_string_equal(b.p, "'it'\\''s $(x)'");
	buf_reset(&b);
	text_markdown(STR("<b>*x*|"), &b);
	assert_string_equal(b.p, "\\<b\\>\\*x\\*\\|");
	buf_reset(&b);
	text_clip(STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"), 4, &b);
	assert_string_equal(b.p, "\xc3\xa9...");
	buf_reset(&b);
	text_clip(STR("abcd"), 4, &b);
	assert_string_equal(b.p, "abcd");
	buf_deinit(&b);
}

static void gzip_has_a_ceiling(void **state)
{
	(void)state;
	struct buf plain, packed, again;
	struct err e = { 0 };
	buf_init(&plain, 1 << 20);
	buf_init(&packed, 1 << 20);
	for (int i = 0; i < 20000; i++) {
		buf_printf(&plain, "line %d\n", i);
	}
	assert_int_equal(gz_deflate(buf_view(&plain), &packed, &e), ERR_OK);
	assert_int_equal(gz_deflate(STR("second member"), &packed, &e), ERR_OK);
	buf_init(&again, 1 << 20);
	assert_int_equal(gz_inflate(buf_view(&packed), &again, &e), ERR_OK);
	assert_int_equal(again.n, plain.n + 13);
	assert_memory_equal(again.p, plain.p, plain.n);
	buf_deinit(&again);
	buf_init(&again, 1000);
	assert_int_equal(gz_inflate(buf_view(&packed), &again, &e), ERR_LIMIT);
	buf_deinit(&again);
	buf_init(&again, 1 << 20);
	assert_int_equal(
		gz_inflate(str_sub(buf_view(&packed), 0, packed.n / 2), &again, &e), ERR_INPUT);
	buf_puts(&packed, "trailing text");
	buf_reset(&again);
	assert_int_equal(gz_inflate(buf_view(&packed), &again, &e), ERR_INPUT);
	assert_int_equal(gz_inflate(STR("plain"), &again, &e), ERR_INPUT);
	buf_deinit(&again);
	buf_deinit(&plain);
	buf_deinit(&packed);
}

static void languages_are_chosen(void **state)
{
	(void)state;
	static const char *const es[] = { "LANG=es_ES.UTF-8", NULL };
	static const char *const c[] = { "LC_ALL=C.UTF-8", "LANG=es_ES.UTF-8", NULL };
	static const char *const own[] = { "CORDON_LANG=es", "LC_ALL=C", NULL };
	struct env_fake f;
	enum i18n_lang lang;
	env_fake_init(&f, 0, 1, es);
	assert_int_equal(i18n_choose(&f.base, NULL), I18N_ES);
	assert_int_equal(i18n_choose(&f.base, "en"), I18N_EN);
	env_fake_init(&f, 0, 1, c);
	assert_int_equal(i18n_choose(&f.base, NULL), I18N_EN);
	env_fake_init(&f, 0, 1, own);
	assert_int_equal(i18n_choose(&f.base, NULL), I18N_ES);
	assert_false(i18n_from("fr", &lang));
	assert_false(i18n_from("est", &lang));
	assert_string_equal(i18n_tr(I18N_ES, "yes"), "s\xc3\xad");
	assert_string_equal(i18n_tr(I18N_EN, "yes"), "yes");
	assert_string_equal(i18n_tr(I18N_ES, "no such text"), "no such text");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_reach_values),
		cmocka_unit_test(documents_have_ceilings),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(every_form_of_json_is_read),
		cmocka_unit_test(canonical_text_is_one),
		cmocka_unit_test(lines_show_reals_as_people_write_them),
		cmocka_unit_test(yaml_knows_lines_and_types),
		cmocka_unit_test(configuration_is_checked),
		cmocka_unit_test(text_is_made_safe),
		cmocka_unit_test(gzip_has_a_ceiling),
		cmocka_unit_test(languages_are_chosen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
