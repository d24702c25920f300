/* Sigma rules: the counts that three other evaluators agree on, the specification, refusals. */
#include "analysis/investigate.h"
#include "analysis/sigma.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *shared(void)
{
	const char *s = getenv("CORDON_SHARED");
	return s && *s ? s : NULL;
}

static json_t *count(const char *rules, const char *logs)
{
	char rules_path[600];
	char logs_path[600];
	struct err err = { 0 };
	json_t *out = NULL;
	(void)snprintf(rules_path, sizeof(rules_path), "%s/data/sigma/%s", shared(), rules);
	(void)snprintf(logs_path, sizeof(logs_path), "%s/data/cloudtrail/%s", shared(), logs);
	const char *paths[] = { logs_path };
	const struct investigate_options opts = {
		.paths = paths, .n_paths = 1, .rules = { rules_path, NULL }
	};
	assert_int_equal(investigate_rules_test(env_system(), &opts, &out, &err), ERR_OK);
	return out;
}

static void test_counts(void **state)
{
	(void)state;
	static const char *const sets[][2] = { { "invictus", "invictus/AWSLogs" },
		{ "stratus", "stratus" }, { "traildiscover", "traildiscover" },
		{ "panther-tests", "panther-tests/cloudtrail-records.json.gz" } };
	if (!shared()) {
		skip();
	}
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/data/sigma/expected.json", shared());
	json_t *expected = json_load_file(path, 0, NULL);
	assert_non_null(expected);
	for (size_t i = 0; i < 4; i++) {
		json_t *out = count("rules", sets[i][1]);
		json_t *want = json_object_get(
			json_object_get(json_object_get(expected, "sets"), sets[i][0]),
			"counts");
		const char *id;
		json_t *n;
		assert_int_equal(json_object_size(want), 57);
		json_object_foreach(want, id, n)
		{
			json_t *got = json_object_get(json_object_get(out, "counts"), id);
			if (json_integer_value(got) != json_integer_value(n)) {
				fail_msg("%s: %s", sets[i][0], id);
			}
		}
		assert_int_equal(json_array_size(json_object_get(out, "refused")), 0);
		json_decref(out);
	}
	json_decref(expected);
}

static void test_refused(void **state)
{
	(void)state;
	if (!shared()) {
		skip();
	}
	json_t *out = count("unsupported", "stratus");
	assert_int_equal(json_array_size(json_object_get(out, "refused")), 8);
	assert_int_equal(json_object_size(json_object_get(out, "counts")), 0);
	json_decref(out);
	out = count("placeholder", "stratus");
	assert_int_equal(json_array_size(json_object_get(out, "refused")), 1);
	assert_int_equal(doc_int(out, "refused[0].line", 0), 25);
	json_decref(out);
}

static void hit(void *ctx, const struct sigma_rule *rule, size_t index)
{
	(void)rule;
	(void)index;
	++*(int *)ctx;
}

/* 1 when a rule of this detection matches the event, 0 when not, -1 when it is refused. */
static int try(const char *detection, const char *event)
{
	char text[4096];
	struct sigma_set set;
	struct scan_tape tape;
	size_t used = 0;
	int n = 0;
	(void)snprintf(text, sizeof(text),
		"title: t\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n%s",
		detection);
	sigma_init(&set);
	sigma_add(&set, str_from(text), "t.yml");
	sigma_ready(&set);
	scan_init(&tape);
	assert_int_equal(scan_value(&tape, str_from(event), true, &used), SCAN_OK);
	struct event e;
	event_fragment(&tape, 0, &e);
	sigma_match(&set, &e, hit, &n);
	n = set.n ? n : -1;
	scan_deinit(&tape);
	sigma_deinit(&set);
	return n;
}

/* One selection "s" with one field. */
static int field(const char *line, const char *event)
{
	char text[1024];
	(void)snprintf(text, sizeof(text), "  s:\n    %s\n  condition: s\n", line);
	return try(text, event);
}

static void test_values(void **state)
{
	(void)state;
	assert_int_equal(field("a: X", "{\"a\":\"x\"}"), 1);
	assert_int_equal(field("a|cased: X", "{\"a\":\"x\"}"), 0);
	assert_int_equal(field("a: x*z", "{\"a\":\"xyyz\"}"), 1);
	assert_int_equal(field("a: x?z", "{\"a\":\"xyyz\"}"), 0);
	assert_int_equal(field("a: 'x\\*z'", "{\"a\":\"xyz\"}"), 0);
	assert_int_equal(field("a: 'x\\*z'", "{\"a\":\"x*z\"}"), 1);
	assert_int_equal(field("a: ''", "{\"a\":\"\"}"), 1);
	assert_int_equal(field("a: ''", "{}"), 0);
	assert_int_equal(field("a: null", "{}"), 1);
	assert_int_equal(field("a: null", "{\"a\":null}"), 1);
	assert_int_equal(field("a: null", "{\"a\":\"\"}"), 0);
	assert_int_equal(field("a: 'false'", "{\"a\":false}"), 1);
	assert_int_equal(field("a: 5", "{\"a\":5}"), 1);
	assert_int_equal(
		field("a.b.c: x", "{\"a\":[{\"b\":{}},{\"b\":{\"c\":[\"y\",\"x\"]}}]}"), 1);
	assert_int_equal(field("a|contains: '\"b\":1'", "{\"a\":{ \"b\" : 1 }}"), 1);
	assert_int_equal(
		field("a|contains: '\"b\":1'", "{\"a\":{\"p\":\"{\\\"b\\\":1}\"}}"), 1);
	assert_int_equal(field("a|contains: '*'", "{\"a\":null}"), 0);
	assert_int_equal(field("a|neq: x", "{\"a\":\"y\"}"), 1);
}

static void test_modifiers(void **state)
{
	(void)state;
	assert_int_equal(field("a|contains|all: [b, c]", "{\"a\":\"xcb\"}"), 1);
	assert_int_equal(field("a|contains|all: [b, d]", "{\"a\":\"xcb\"}"), 0);
	assert_int_equal(field("a|startswith: b", "{\"a\":\"bc\"}"), 1);
	assert_int_equal(field("a|endswith: b", "{\"a\":\"bc\"}"), 0);
	assert_int_equal(field("a|re: 'b+$'", "{\"a\":\"xbb\"}"), 1);
	assert_int_equal(field("a|re: 'B+$'", "{\"a\":\"xbb\"}"), 0);
	assert_int_equal(field("a|re|i: 'B+$'", "{\"a\":\"xbb\"}"), 1);
	assert_int_equal(field("a|cidr: 10.0.0.0/8", "{\"a\":\"10.9.8.7\"}"), 1);
	assert_int_equal(field("a|cidr: 10.0.0.0/8", "{\"a\":\"11.9.8.7\"}"), 0);
	assert_int_equal(field("a|cidr: '2001:db8::/32'", "{\"a\":\"2001:db8::1\"}"), 1);
	assert_int_equal(field("a|exists: true", "{\"a\":1}"), 1);
	assert_int_equal(field("a|exists: false", "{\"a\":1}"), 0);
	assert_int_equal(field("a|gt: 3", "{\"a\":4}"), 1);
	assert_int_equal(field("a|lte: 3", "{\"a\":\"4\"}"), 0);
	assert_int_equal(field("a|fieldref: b.c", "{\"a\":\"X\",\"b\":{\"c\":\"x\"}}"), 1);
	assert_int_equal(field("a|windash|contains: ' -x'", "{\"a\":\"c /x\"}"), 1);
	assert_int_equal(field("a|base64: foo", "{\"a\":\"Zm9v\"}"), 1);
	/* "foobar" inside "a foobar b", "aa foobar" and "foobar": all three offsets */
	assert_int_equal(
		field("a|base64offset|contains: foobar", "{\"a\":\"YSBmb29iYXIgYg==\"}"), 1);
	assert_int_equal(
		field("a|base64offset|contains: foobar", "{\"a\":\"eGZvb2Jhcg==\"}"), 1);
	assert_int_equal(field("a|base64offset|contains: foobar", "{\"a\":\"Zm9vYmFy\"}"), 1);
	assert_int_equal(field("a|wide|base64offset|contains: ab", "{\"a\":\"YQBiAA==\"}"), 1);
	assert_int_equal(field("a|exists: true", "{\"a\":[]}"), 1);
	assert_int_equal(field("a.b|exists: true", "{\"a\":[{},{\"b\":null}]}"), 1);
	assert_int_equal(field("a|neq: 3", "{\"a\":4}"), 1);
	assert_int_equal(field("a|fieldref|neq: b", "{\"a\":1,\"b\":2}"), 1);
	assert_int_equal(field("a|nosuch: x", "{}"), -1);
	assert_int_equal(field("a|re: '('", "{}"), -1);
	assert_int_equal(field("a|cidr: 10.0.0.0/99", "{}"), -1);
}

/* Bytes in the log are compared as they stand, whatever the rule wrote them as. */
static void test_encodings(void **state)
{
	(void)state;
	/* U+00F1 and U+1D11E as UTF-16, little and big end first, and with a mark */
	assert_int_equal(field("a|utf16le|base64: '\u00f1'", "{\"a\":\"8QA=\"}"), 1);
	assert_int_equal(field("a|utf16be|base64: '\u00f1'", "{\"a\":\"APE=\"}"), 1);
	assert_int_equal(field("a|utf16|base64: '\u00f1'", "{\"a\":\"//7xAA==\"}"), 1);
	assert_int_equal(field("a|wide|base64: '\U0001d11e'", "{\"a\":\"NNge3Q==\"}"), 1);
	assert_int_equal(field("a|wide: '\\*'", "{\"a\":\"*\\u0000\"}"), 1);
	assert_int_equal(field("a|base64: '\\*'", "{\"a\":\"Kg==\"}"), 1);
	assert_int_equal(field("a|base64: 'x*'", "{}"), -1);
}

static void test_dates(void **state)
{
	(void)state;
	static const char ev[] = "{\"t\":\"2026-01-01T23:59:08+05:00\",\"d\":\"2027-01-03\"}";
	assert_int_equal(field("t|hour: 23", ev), 1);
	assert_int_equal(field("t|minute: 59", ev), 1);
	assert_int_equal(field("t|day: 1", ev), 1);
	assert_int_equal(field("t|month: 1", ev), 1);
	assert_int_equal(field("t|year: 2026", ev), 1);
	assert_int_equal(field("t|week: 1", ev), 1);
	/* 3 January 2027 is a Sunday, of the last week of 2026 */
	assert_int_equal(field("d|week: 53", ev), 1);
	assert_int_equal(field("t|hour|gte: 22", ev), 1);
	assert_int_equal(field("t|hour|lt: 22", ev), 0);
	assert_int_equal(field("t|hour: [1, 23]", ev), 1);
	assert_int_equal(field("t|hour: x", ev), -1);
	assert_int_equal(field("x|hour: 1", "{\"x\":\"soon\"}"), 0);
}

static void expand(const char *value, const char *event, int want)
{
	char text[600];
	struct sigma_set set;
	struct scan_tape tape;
	size_t used = 0;
	int n = 0;
	(void)snprintf(text, sizeof(text),
		"title: t\nlogsource: {product: aws}\ndetection:\n  s:\n    a|expand: %s\n"
		"  condition: s\n",
		value);
	sigma_init(&set);
	set.placeholders = json_pack("{s:[s,s],s:i}", "who", "ann", "b*", "n", 7);
	sigma_add(&set, str_from(text), "t.yml");
	sigma_ready(&set);
	scan_init(&tape);
	assert_int_equal(scan_value(&tape, str_from(event), true, &used), SCAN_OK);
	struct event e;
	event_fragment(&tape, 0, &e);
	sigma_match(&set, &e, hit, &n);
	assert_int_equal(set.n ? n : -1, want);
	if (want < 0) {
		assert_int_equal(doc_int(json_array_get(set.refused, 0), "line", 0), 5);
	}
	scan_deinit(&tape);
	sigma_deinit(&set);
}

static void test_placeholders(void **state)
{
	(void)state;
	expand("'%who%'", "{\"a\":\"ann\"}", 1);
	expand("'%who%'", "{\"a\":\"bob\"}", 1);
	expand("'%who%'", "{\"a\":\"carl\"}", 0);
	expand("'x-%who%-%n%'", "{\"a\":\"x-ann-7\"}", 1);
	expand("'\\%who%n%'", "{\"a\":\"%who7\"}", 1);
	expand("'100%'", "{\"a\":\"100%\"}", 1);
	expand("'%nobody%'", "{}", -1);
}

static void test_conditions(void **state)
{
	(void)state;
	static const char ev[] = "{\"a\":\"1\",\"b\":\"2\"}";
	static const char sel[] =
		"  sa:\n    a: 1\n  sb:\n    b: 3\n  _x:\n    a: 9\n  condition: ";
	static const struct {
		const char *condition;
		int want;
	} cases[] = { { "sa", 1 }, { "sb", 0 }, { "sa and not sb", 1 },
		{ "sa and sb or sa", 1 }, { "sa and (sb or sb)", 0 }, { "1 of s*", 1 },
		{ "all of s*", 0 }, { "1 of them", 1 }, { "all of them", 0 },
		{ "not 1 of sb*", 1 }, { "[sb, sa]", 1 }, { "nosuch", -1 }, { "sa and", -1 },
		{ "(sa", -1 }, { "sa sb", -1 }, { "sa | count() > 5", -1 }, { "1 of q*", -1 } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		(void)snprintf(text, sizeof(text), "%s%s\n", sel, cases[i].condition);
		if (try(text, ev) != cases[i].want) {
			fail_msg("%s", cases[i].condition);
		}
	}
	assert_int_equal(try("  keywords:\n    - 'needle'\n  condition: keywords\n",
				 "{\"x\":[\"a NEEDLE b\"]}"),
		1);
	assert_int_equal(try("  s:\n    - a: 9\n    - b: 2\n  condition: s\n", ev), 1);
	assert_int_equal(try("  s:\n    a: 1\n  timeframe: 5m\n  condition: s\n", ev), -1);
}

/* The rules of the program are all read. */
static void test_builtin(void **state)
{
	(void)state;
	struct err err = { 0 };
	json_t *out = NULL;
	assert_int_equal(investigate_rules_list(env_system(),
				 &(struct investigate_rules){ NULL, NULL }, &out, &err),
		ERR_OK);
	assert_int_equal(json_array_size(json_object_get(out, "refused")), 0);
	assert_true(json_array_size(json_object_get(out, "rules")) >= 14);
	json_decref(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_modifiers),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_placeholders),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
