#include "base/env.h"
#include "base/hash.h"
#include "report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *sample(void)
{
	char path[512];
	struct buf b = { 0 };
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

static char *render(const json_t *view, enum report_format format, enum i18n_lang lang)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	struct report_options o = { format, lang, 1785582390000, "0.1.0", "cordon report" };

	buf_init(&b, 64u << 20);
	assert_int_equal(report_write(view, &o, &b, &e), ERR_OK);
	return buf_steal(&b);
}

static size_t count(const char *in, const char *what)
{
	size_t n = 0;

	for (const char *p = strstr(in, what); p; p = strstr(p + 1, what)) {
		n++;
	}
	return n;
}

static void nothing_is_fetched_and_no_script_runs(void **state)
{
	json_t *view = sample();
	char *html = render(view, REPORT_HTML, I18N_EN);
	(void)state;

	assert_null(strstr(html, "<script"));
	assert_null(strstr(html, "src="));
	assert_int_equal(count(html, "url("), count(html, "url(#head)")); /* the arrow head */
	assert_null(strstr(html, "@import"));
	assert_null(strstr(html, "<link"));
	assert_null(strstr(html, " style="));
	assert_null(strstr(html, " onclick"));
	assert_non_null(strstr(html, "content=\"default-src 'none'; style-src 'sha256-"));
	free(html);
	json_decref(view);
}

static void the_policy_names_the_style_sheets_hash(void **state)
{
	json_t *view = sample();
	char *html = render(view, REPORT_HTML, I18N_ES);
	const char *from = strstr(html, "<style>") + 7;
	struct str css = { from, (size_t)(strstr(from, "</style>") - from) };
	unsigned char digest[HASH_SHA256_BYTES];
	struct buf want = { 0 };
	(void)state;

	buf_init(&want, 200);
	hash_sha256_of(css, digest);
	buf_puts(&want, "style-src 'sha256-");
	hash_base64((struct str){ (const char *)digest, sizeof(digest) }, &want);
	buf_puts(&want, "'");
	assert_non_null(strstr(html, want.p));
	buf_deinit(&want);
	free(html);
	json_decref(view);
}

static void the_intruders_text_is_escaped(void **state)
{
	json_t *view = sample();
	char *html = render(view, REPORT_HTML, I18N_EN);
	char *md = render(view, REPORT_MD, I18N_EN);
	(void)state;

	assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
	assert_null(strstr(html, "\xe2\x80\xae"));
	assert_null(strstr(md, "\xe2\x80\xae"));
	assert_non_null(strstr(html, "\\u{202E}exe.stcartnoc"));
	assert_null(strstr(md, "<script>"));
	free(md);
	free(html);
	json_decref(view);
}

/* What stands between `open` and `close` after *at; moves *at behind it. */
static bool between(
	const char **at, const char *open, const char *close, char *out, size_t size)
{
	const char *p = strstr(*at, open);
	const char *q = NULL;

	if (!p || !(q = strstr(p + strlen(open), close))) {
		return false;
	}
	p += strlen(open);
	(void)snprintf(out, size, "%.*s", (int)(q - p), p);
	*at = q;
	return true;
}

static void every_link_has_its_target(void **state)
{
	json_t *view = sample();
	char *html = render(view, REPORT_HTML, I18N_EN);
	const char *at = html;
	char id[64];
	char want[80];
	size_t n = 0;
	(void)state;

	while (between(&at, "href=\"#", "\"", id, sizeof(id))) {
		(void)snprintf(want, sizeof(want), " id=\"%s\"", id);
		assert_int_equal(count(html, want), 1);
		n++;
	}
	assert_true(n > 15);
	free(html);
	json_decref(view);
}

static void the_page_is_well_ordered(void **state)
{
	static const char *const pairs[] = { "section", "article", "details", "table", "ul",
		"li", "dl", "dd", "tr", "td", "p", "span", "code", "svg", "g", "a", "div",
		"main", "header", "footer", "h1", "h2", "h3" };
	json_t *view = sample();
	char *html = render(view, REPORT_HTML, I18N_EN);
	char open[24];
	char open_with[24];
	char close[24];
	(void)state;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		(void)snprintf(open, sizeof(open), "<%s>", pairs[i]);
		(void)snprintf(open_with, sizeof(open_with), "<%s ", pairs[i]);
		(void)snprintf(close, sizeof(close), "</%s>", pairs[i]);
		assert_int_equal(
			count(html, open) + count(html, open_with), count(html, close));
	}
	assert_int_equal(count(html, "<h1>"), 1);
	assert_int_equal(count(html, "<table>"), count(html, "<caption>"));
	assert_non_null(strstr(html, "<html lang=\"en\">"));
	assert_true(strlen(html) < 200000);
	free(html);
	json_decref(view);
}

static void it_says_what_was_done_and_why(void **state)
{
	static const char *const must[] = { "i-0a1b2c3d4e5f67890", "<del>terminate</del>",
		"<ins>stop</ins>", "cordon undo 2026-0042", "cordon resume 2026-0042",
		"cordon evidence verify 2026-0042", "cordon case verify 2026-0042", "T1190",
		"Exploit Public-Facing Application",
		"nothing from cloudtrail between 2026-08-01T09:30:00Z", "GetObject",
		"truncated gzip member", "sandbox", "link preview feature",
		"37 s after the case opened", "93 %", "GOVERNANCE" };
	json_t *view = sample();
	char *html = render(view, REPORT_HTML, I18N_EN);
	(void)state;

	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++) {
		if (!strstr(html, must[i])) {
			fail_msg("the report does not say: %s", must[i]);
		}
	}
	free(html);
	json_decref(view);
}

static void markdown_has_the_same_sections(void **state)
{
	static const char *const titles[] = { "## Needs you now", "## What was done",
		"## Root cause", "## Timeline", "## Reach", "## Evidence", "## MITRE ATT",
		"## Notifications", "## Notes", "## Recommendations", "## Raw findings" };
	json_t *view = sample();
	char *md = render(view, REPORT_MD, I18N_EN);
	const char *at = md;
	(void)state;

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		at = strstr(at, titles[i]);
		if (!at) {
			fail_msg("not there or out of order: %s", titles[i]);
		}
	}
	free(md);
	json_decref(view);
}

static void spanish_is_spanish(void **state)
{
	static const char *const never[] = { "Needs you now", "What was done", "Root cause",
		"Timeline", ">Evidence<", "Recommendations", "Attack graph", "How they came in",
		"Made by", "Locked until", "Measure verified", "severity", "weight",
		"Raw findings" };
	json_t *view = sample();
	char *html = render(view, REPORT_HTML, I18N_ES);
	const char *body = strstr(html, "<body>");
	(void)state;

	assert_non_null(strstr(html, "<html lang=\"es\">"));
	assert_non_null(strstr(html, "Causa ra\xc3\xadz"));
	assert_non_null(strstr(html, "Un intruso entr\xc3\xb3 por una aplicaci\xc3\xb3n web"));
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		const char *raw = strstr(body, "id=\"raw\"");
		const char *p = strstr(body, never[i]);
		if (p && p < raw && strncmp(p, "severity", 8) != 0) {
			fail_msg("English left in the Spanish report: %s", never[i]);
		}
	}
	free(html);
	json_decref(view);
}

static void sentences_of_the_analysis_are_translated(void **state)
{
	json_t *view = sample();
	json_t *claim = json_array_get(doc_get(view, "investigation.verdict.claims"), 0);
	char *html = NULL;
	(void)state;

	/* Any template that has a translation will do; its value is the intruder's. */
	(void)json_object_set_new(claim, "text", json_string("and <b>7</b> more"));
	(void)json_object_set_new(claim, "template", json_string("and {0} more"));
	(void)json_object_set_new(claim, "args", json_pack("[s]", "<b>7</b>"));
	html = render(view, REPORT_HTML, I18N_ES);
	assert_non_null(strstr(html, "y &lt;b&gt;7&lt;/b&gt; m\xc3\xa1s"));
	free(html);
	json_decref(view);
}

static void json_is_the_case_document(void **state)
{
	json_t *view = sample();
	char *text = render(view, REPORT_JSON, I18N_ES);
	json_t *back = NULL;
	struct err e = { 0 };
	(void)state;

	assert_int_equal(doc_parse(str_from(text), DOC_MAX_BYTES, &back, &e), ERR_OK);
	assert_true(doc_eq(view, back));
	json_decref(back);
	free(text);
	json_decref(view);
}

/* Three thousand events with long hostile text: cited ones stay linked, the page stays small. */
static void a_huge_case_stays_small(void **state)
{
	json_t *view = sample();
	json_t *timeline = doc_get(view, "investigation.timeline");
	json_t *evidence = doc_get(view, "evidence");
	char *agent = malloc(3001);
	char *html = NULL;
	(void)state;

	memset(agent, '<', 3000);
	agent[3000] = '\0';
	for (int i = 0; i < 3000; i++) {
		char id[32];
		(void)snprintf(id, sizeof(id), "noise-%d", i);
		(void)json_array_insert_new(timeline, 0,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "time",
				"2026-08-01T08:00:00Z", "event", id, "action", agent, "target",
				agent, "principal", agent, "user_agent", agent, "ip", agent));
	}
	for (int i = 0; i < 3000; i++) {
		(void)json_array_append(evidence, json_array_get(evidence, 0));
	}
	html = render(view, REPORT_HTML, I18N_EN);
	assert_true(strlen(html) < 2000000);
	assert_non_null(strstr(html, "more entries are in the JSON report"));
	assert_non_null(strstr(html, "</html>"));
	assert_non_null(strstr(html, "href=\"#e"));
	free(html);
	free(agent);
	json_decref(view);
}

/* Wrong types wherever a field is read: nothing crashes and the page ends. */
static void odd_documents_are_borne(void **state)
{
	static const char *const odd[] = { "{\"case\":\"2026-0001\"}",
		"{\"case\":\"x\",\"steps\":5,\"evidence\":{},\"investigation\":[],\"messages\":"
		"\"m\"}",
		"{\"case\":\"x\",\"steps\":[5,{\"before\":[],\"after\":{\"a\":{}},\"started\":"
		"1,"
		"\"finished\":\"never\"}],\"timeline\":[{\"time\":5},{}],\"notes\":[[]],"
		"\"investigation\":{\"verdict\":{\"class\":\"?\",\"chain\":[{},5,{\"link\":"
		"\"x\"}],"
		"\"claims\":[{\"events\":[1,null]}]},\"timeline\":[{\"time\":\"2026-01-01\","
		"\"tags\":[1,\"attack.t9999\"]}],\"scope\":{\"persistence\":[null,1.5,true,[[]]"
		"]}}}" };
	(void)state;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		json_t *view = NULL;
		struct err e = { 0 };
		assert_int_equal(doc_parse(str_from(odd[i]), 100000, &view, &e), ERR_OK);
		char *html = render(view, REPORT_HTML, I18N_ES);
		char *md = render(view, REPORT_MD, I18N_EN);
		assert_non_null(strstr(html, "</html>"));
		assert_true(strlen(md) > 100);
		free(md);
		free(html);
		json_decref(view);
	}
}

static void what_is_no_case_is_refused(void **state)
{
	json_t *view = json_pack("{s:i}", "case", 5);
	struct buf b = { 0 };
	struct err e = { 0 };
	struct report_options o = { REPORT_MD, I18N_EN, 0, "0", NULL };
	(void)state;

	buf_init(&b, 1000);
	assert_int_equal(report_write(view, &o, &b, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "no case document"));
	json_decref(view);
	view = sample();
	assert_int_equal(report_write(view, &o, &b, &e), ERR_LIMIT);
	json_decref(view);
	buf_deinit(&b);
}

static void formats_have_names(void **state)
{
	enum report_format f = REPORT_HTML;
	(void)state;

	assert_true(report_format_from("md", &f) && f == REPORT_MD);
	assert_true(report_format_from("json", &f) && f == REPORT_JSON);
	assert_false(report_format_from("pdf", &f));
	assert_false(report_format_from(NULL, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_fetched_and_no_script_runs),
		cmocka_unit_test(the_policy_names_the_style_sheets_hash),
		cmocka_unit_test(the_intruders_text_is_escaped),
		cmocka_unit_test(every_link_has_its_target),
		cmocka_unit_test(the_page_is_well_ordered),
		cmocka_unit_test(it_says_what_was_done_and_why),
		cmocka_unit_test(markdown_has_the_same_sections),
		cmocka_unit_test(spanish_is_spanish),
		cmocka_unit_test(sentences_of_the_analysis_are_translated),
		cmocka_unit_test(json_is_the_case_document),
		cmocka_unit_test(a_huge_case_stays_small),
		cmocka_unit_test(odd_documents_are_borne),
		cmocka_unit_test(what_is_no_case_is_refused),
		cmocka_unit_test(formats_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
