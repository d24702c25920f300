/*
 * Every text of a case is the intruder's: whatever stands in it, a page stays a page, a table a
 * table, and a document a document.
 */
#include "base/env.h"
#include "base/str.h"
#include "report/export.h"
#include "report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RTL "\xe2\x80\xae" /* U+202E */

static const char *const texts[] = { "<script>alert(1)</script>", "\x1b[2J\x1b]0;owned\x07",
	RTL "gnp.exe", "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1",
	"a\nb,c\r\n\"d", "| pipe | pipe |", "](javascript:alert(1))",
	"`x`\n```\n# Heading\n- [ ] x", "x\" onmouseover=\"y' onmouseover='z",
	"</style></title><b>", "&lt;b&gt;", "\xc2\x9b[31m", "\xef\xbb\xbf\xe2\x80\x8b",
	"javascript:alert(1)", "{0} {1!} {{", "%s%n%x" };

static json_t *sample(void)
{
	char path[512];
	struct buf b;
	json_t *v = NULL;
	struct err e = { 0 };
	(void)snprintf(path, sizeof(path), "%s/tests/golden/case-web-exploit.json",
		getenv("CORDON_SOURCE")); /* test only: the harness passes the source folder */
	buf_init(&b, DOC_MAX_BYTES);
	assert_int_equal(env_read_file(env_system(), path, &b, &e), ERR_OK);
	assert_int_equal(doc_parse(buf_view(&b), DOC_MAX_BYTES, &v, &e), ERR_OK);
	buf_deinit(&b);
	return v;
}

/* All texts below become `text`, times and classes too; `every` nth only, so that shapes stay. */
static void poison(json_t *v, const char *text, int every, int *n)
{
	size_t i;
	const char *key;
	json_t *item;
	if (json_is_string(v) && (*n)++ % every == 0) {
		(void)json_string_set(v, text);
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, item)
		{
			poison(item, text, every, n);
		}
	} else if (json_is_object(v)) {
		json_object_foreach(v, key, item)
		{
			poison(item, text, every, n);
		}
	}
}

/* As assert_null(strstr()), with what stands around it. */
static void assert_lacks(const char *out, const char *what)
{
	const char *at = strstr(out, what);
	if (at) {
		size_t before = (size_t)(at - out) < 80 ? (size_t)(at - out) : 80;
		fail_msg("%s in: %.200s", what, at - before);
	}
}

/* No control character but line ends (and tabs where they part cells), no bidirectional override. */
static void assert_calm(const char *out)
{
	for (const unsigned char *p = (const unsigned char *)out; *p; p++) {
		bool c0 = (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f;
		if (c0 || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)) {
			size_t before = (size_t)(p - (const unsigned char *)out);
			fail_msg("%02x %02x after: %.120s", p[0], p[1],
				(const char *)p - (before < 80 ? before : 80));
		}
	}
	assert_lacks(out, RTL);
}

static void check_html(const json_t *view, enum i18n_lang lang)
{
	struct report_options o = { REPORT_HTML, lang, 1785582390000, "0.1.0",
		"cordon report" };
	struct err e = { 0 };
	struct buf b;
	buf_init(&b, 64u << 20);
	assert_int_equal(report_write(view, &o, &b, &e), ERR_OK);
	assert_calm(b.p);
	assert_lacks(b.p, "<script");
	assert_lacks(b.p, "</style></title><b>");
	assert_lacks(b.p, "\" onmouseover=");
	assert_lacks(b.p, "' onmouseover=");
	assert_lacks(b.p, "href=\"javascript");
	assert_true(str_ends(str_trim(buf_view(&b)), STR("</html>")));
	buf_deinit(&b);
}

/* `what` stands in the line as mark-up: neither behind a backslash nor between backticks. */
static bool marks_up(struct str line, struct str what)
{
	size_t at = str_find(line, what);
	size_t ticks = 0;
	for (size_t i = 0; at != SIZE_MAX && i < at; i++) {
		ticks += line.p[i] == '`' && (i == 0 || line.p[i - 1] != '\\');
	}
	return at != SIZE_MAX && ticks % 2 == 0 && (at == 0 || line.p[at - 1] != '\\');
}

/* Line by line; an indented block is shown as it is, whatever stands in it. */
static void check_markdown(const char *out)
{
	struct str rest = str_from(out);
	struct str line;
	assert_calm(out);
	while (str_cut(&rest, '\n', &line)) {
		bool marked = marks_up(line, STR("<script")) || marks_up(line, STR("](java")) ||
			      str_starts(line, STR("# Heading")) ||
			      str_starts(line, STR("- [ ] x"));
		if (marked && !str_starts(line, STR("    "))) {
			fail_msg("mark-up of the intruder's: %.*s",
				STR_ARG(str_sub(line, 0, 200)));
		}
	}
}

static bool is_formula(char c)
{
	return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r';
}

/* Cells by the rules of RFC 4180: none begins a formula, all rows have as many as the first. */
static void check_csv(const char *out)
{
	size_t cells = 0;
	size_t first = 0;
	bool quoted = false;
	bool begin = true;
	for (const char *p = out; *p; p++) {
		if (begin) {
			assert_false(is_formula(*p == '"' ? p[1] : *p));
			cells++;
		}
		if (begin && *p == '"') {
			quoted = true;
		} else if (quoted && *p == '"') {
			quoted = p[1] == '"';
			p += quoted;
		} else if (!quoted && *p == '\n') {
			first = first ? first : cells;
			assert_int_equal(cells, first);
			cells = 0;
		}
		begin = !quoted && (*p == ',' || *p == '\n');
	}
	assert_false(quoted);
}

static void check_body(const char *out)
{
	size_t bars = 0;
	for (const char *p = out; *p; p++) {
		bars += *p == '|';
		if (*p == '\n') {
			assert_int_equal(bars, 10);
			bars = 0;
		}
	}
}

static void check_json_lines(const char *out)
{
	struct str rest = str_from(out);
	struct str line;
	while (str_cut(&rest, '\n', &line)) {
		struct err e = { 0 };
		json_t *v = NULL;
		if (line.n) {
			assert_int_equal(doc_parse(line, DOC_MAX_BYTES, &v, &e), ERR_OK);
		}
		json_decref(v);
	}
}

static void check_layer(const char *out)
{
	struct err e = { 0 };
	json_t *layer = NULL;
	size_t i;
	json_t *t;
	assert_int_equal(doc_parse(str_from(out), DOC_MAX_BYTES, &layer, &e), ERR_OK);
	json_array_foreach(json_object_get(layer, "techniques"), i, t)
	{
		const char *id = doc_text(t, "techniqueID");
		assert_true(
			id && id[0] == 'T' && strspn(id + 1, "0123456789.") == strlen(id + 1));
	}
	json_decref(layer);
}

static void check_export(const char *name, const char *out)
{
	assert_calm(out);
	if (!strcmp(name, "csv") || !strcmp(name, "timesketch-csv")) {
		check_csv(out);
	} else if (!strcmp(name, "bodyfile")) {
		check_body(out);
	} else if (!strcmp(name, "markdown")) {
		check_markdown(out);
	} else if (!strcmp(name, "navigator")) {
		check_layer(out);
	} else {
		check_json_lines(out);
	}
}

static void check_exports(const json_t *view)
{
	const json_t *doc = json_object_get(view, "investigation");
	const char *file = NULL;
	for (size_t i = 0; export_name(i, &file); i++) {
		struct export_options o = { .version = "0.1.0" };
		struct err e = { 0 };
		struct buf b;
		buf_init(&b, 64u << 20);
		assert_int_equal(export_write(export_name(i, &file), doc, &o, &b, &e), ERR_OK);
		check_export(export_name(i, &file), b.n ? b.p : "");
		buf_deinit(&b);
	}
}

static void check_notes(const json_t *view)
{
	struct report_options o = { REPORT_MD, I18N_EN, 1785582390000, "0.1.0",
		"cordon report" };
	struct err e = { 0 };
	struct buf b;
	buf_init(&b, 64u << 20);
	assert_int_equal(report_write(view, &o, &b, &e), ERR_OK);
	check_markdown(b.p);
	buf_deinit(&b);
}

static void test_every_text_in_every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		/* Everywhere at once, and here and there, so that what is parsed first still is. */
		for (int every = 1; every <= 3; every += 2) {
			json_t *view = sample();
			int n = 0;
			poison(view, texts[i], every, &n);
			assert_true(n > 100);
			check_html(view, every == 1 ? I18N_EN : I18N_ES);
			check_notes(view);
			check_exports(view);
			json_decref(view);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_text_in_every_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
