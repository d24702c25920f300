/* The wire protocols against the published compliance suites (when they are there). */

#include "tests/unit/unit.h"

#include "aws/build.h"
#include "aws/endpoint.h"
#include "aws/errors.h"
#include "aws/proto.h"
#include "aws/uri.h"
#include "aws/validate.h"
#include "aws/value.h"
#include "base/hash.h"
#include "vector_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Random tokens of the suites: UUIDs of nothing but zeros. */
static void zeros(struct env *e, void *out, size_t n)
{
	(void)e;
	memset(out, 0, n);
}

static const char *no_var(struct env *e, const char *name)
{
	(void)e;
	(void)name;
	return NULL;
}

static const struct env_vtable zero_table = { .random = zeros, .var = no_var };
static struct env zero_env = { &zero_table };

/* The suites write blobs as plain text and times as Unix seconds: to cordon's forms. */
static json_t *convert(const struct model *m, const struct model_member *mem,
	const struct model_shape *s, const json_t *v)
{
	json_t *out, *item;
	size_t i;
	const char *key;
	if (json_is_null(v)) {
		return json_deep_copy(v);
	}
	if (mem && (mem->flags & MODEL_JSON_VALUE) && mem->location == MODEL_HEADER) {
		/* the suites have its text, cordon the value */
		return json_loads(json_string_value(v), JSON_DECODE_ANY, NULL);
	}
	switch (s->type) {
	case MODEL_STRUCTURE:
		out = json_object();
		json_object_foreach((json_t *)(uintptr_t)v, key, item)
		{
			const struct model_member *k = model_member(m, s, str_from(key));
			(void)json_object_set_new(out, key,
				k ? convert(m, k, model_shape_of(m, k), item)
				  : json_deep_copy(item));
		}
		return out;
	case MODEL_LIST:
		out = json_array();
		json_array_foreach((json_t *)(uintptr_t)v, i, item)
		{
			const struct model_member *k = model_at(m, s, 0);
			(void)json_array_append_new(
				out, convert(m, k, model_shape_of(m, k), item));
		}
		return out;
	case MODEL_MAP:
		out = json_object();
		json_object_foreach((json_t *)(uintptr_t)v, key, item)
		{
			const struct model_member *k = model_at(m, s, 1);
			(void)json_object_set_new(
				out, key, convert(m, k, model_shape_of(m, k), item));
		}
		return out;
	case MODEL_BLOB:
		return value_blob(str_from(json_string_value(v)));
	case MODEL_TIMESTAMP:
		return value_time_from_seconds(json_number_value(v));
	case MODEL_FLOAT:
		return json_is_integer(v) ? json_real(json_number_value(v)) : json_deep_copy(v);
	default:
		return json_deep_copy(v);
	}
}

/* ---- bodies ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Pairs decoded and sorted, one a line. */
static void sorted_form(struct str s, struct buf *out)
{
	char *pairs[512];
	size_t n = 0;
	struct str piece;
	while (n < 512 && str_cut(&s, '&', &piece)) {
		struct buf b;
		buf_init(&b, 1u << 16);
		uri_decode(piece, &b);
		if (str_find_char(piece, '=') == SIZE_MAX) {
			buf_putc(&b, '=');
		}
		pairs[n++] = buf_steal(&b);
	}
	qsort(pairs, n, sizeof(pairs[0]), by_text);
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s\n", pairs[i]);
		free(pairs[i]);
	}
}

static void flat_xml(const struct xml_node *n, struct buf *out)
{
	char *attrs[16];
	size_t n_attrs = 0;
	buf_printf(out, "<%s", n->name);
	for (const struct xml_attr *a = n->attrs; a && n_attrs < 16; a = a->next) {
		char text[256];
		(void)snprintf(text, sizeof(text), " %s=%s", a->name, a->value);
		attrs[n_attrs++] = str_dup(str_from(text));
	}
	qsort(attrs, n_attrs, sizeof(attrs[0]), by_text);
	for (size_t i = 0; i < n_attrs; i++) {
		buf_puts(out, attrs[i]);
		free(attrs[i]);
	}
	buf_putc(out, '>');
	buf_add_str(out, n->text);
	for (const struct xml_node *c = n->child; c; c = c->next) {
		flat_xml(c, out);
	}
	buf_puts(out, "</>");
}

static void normal_body(const struct model_call *c, struct str body, struct buf *out)
{
	body = str_trim(body);
	json_t *doc = json_loadb(body.p ? body.p : "", body.n, JSON_DECODE_ANY, NULL);
	struct xml_doc xml;
	if (c->service->protocol == MODEL_EC2 || c->service->protocol == MODEL_QUERY) {
		sorted_form(body, out);
	} else if (doc) {
		doc_canonical(doc, out);
	} else if (body.n && body.p[0] == '<' && xml_parse(body, &xml, NULL) == ERR_OK) {
		flat_xml(xml.root, out);
		xml_deinit(&xml);
	} else {
		buf_add_str(out, body);
	}
	json_decref(doc);
}

static bool same(const char *id, const char *what, struct str want, struct str got)
{
	if (!str_eq(want, got)) {
		print_error("%s: %s\n  wanted %.*s\n  got    %.*s\n", id, what, STR_ARG(want),
			STR_ARG(got));
	}
	return str_eq(want, got);
}

/* ---- requests ---- */

/* ", " and "," between the items of a list are as good. */
static void put_list(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' || i == 0 || s.p[i - 1] != ',') {
			buf_putc(out, s.p[i]);
		}
	}
}

static bool same_header(const char *id, const char *name, struct str want, struct str got)
{
	struct buf a, b;
	buf_init(&a, 1u << 16);
	buf_init(&b, 1u << 16);
	put_list(want, &a);
	put_list(got, &b);
	bool ok = same(id, name, buf_view(&a), buf_view(&b));
	buf_deinit(&a);
	buf_deinit(&b);
	return ok;
}

static bool check_headers(const char *id, const json_t *want, const struct wire_request *r)
{
	const char *name;
	json_t *value;
	bool ok = true;
	json_object_foreach(json_object_get(want, "headers"), name, value)
	{
		const char *got = wire_get(&r->headers, name);
		struct str w = str_from(json_string_value(value));
		struct str g = str_from(got);
		if (str_eq_nocase(str_from(name), STR("Content-Type"))) {
			g = str_sub(g, 0, str_find_char(g, ';'));
		}
		ok = same_header(id, name, w, g) && ok;
	}
	size_t i;
	json_array_foreach(json_object_get(want, "forbidHeaders"), i, value)
	{
		if (wire_get(&r->headers, json_string_value(value))) {
			print_error(
				"%s: header %s is forbidden\n", id, json_string_value(value));
			ok = false;
		}
	}
	return ok;
}

static bool check_uri(const char *id, const char *want, const struct wire_request *r)
{
	struct buf got, a, b;
	buf_init(&got, 1u << 16);
	buf_init(&a, 1u << 16);
	buf_init(&b, 1u << 16);
	struct str w = str_from(want);
	size_t question = str_find_char(w, '?');
	wire_query_text(r, &got);
	sorted_form(
		question == SIZE_MAX ? (struct str){ 0 } : str_sub(w, question + 1, SIZE_MAX),
		&a);
	sorted_form(str_sub(buf_view(&got), 1, SIZE_MAX), &b);
	bool ok = same(id, "path", str_sub(w, 0, question), buf_view(&r->path)) &&
		  same(id, "query", buf_view(&a), buf_view(&b));
	buf_deinit(&got);
	buf_deinit(&a);
	buf_deinit(&b);
	return ok;
}

static bool check_host(const char *id, const json_t *suite, const json_t *test,
	const struct model_call *c, struct wire_request *r)
{
	struct profile_set none = { .name = "default" };
	struct endpoint_rules rules = { .env = &zero_env,
		.profiles = &none,
		.explicit_url = doc_text(suite, "clientEndpoint") };
	char region[64], host[256];
	struct err e = { 0 };
	const char *want = doc_text(test, "serialized.host");
	if (!rules.explicit_url) {
		return true;
	}
	if (endpoint_apply(&rules, c, "us-east-1", r, region, &e) != ERR_OK) {
		print_error("%s: %s\n", id, e.msg);
		return false;
	}
	/* The suites write an endpoint's path behind its host. */
	(void)snprintf(host, sizeof(host), "%s", want ? want : "example.com");
	host[strcspn(host, "/")] = '\0';
	return same(id, "host", str_from(host), buf_view(&r->authority));
}

static bool check_body(
	const char *id, const struct model_call *c, const json_t *ser, struct wire_request *r)
{
	struct buf want, got;
	buf_init(&want, 1u << 20);
	buf_init(&got, 1u << 20);
	normal_body(c, str_from(doc_text(ser, "body")), &want);
	normal_body(c, wire_body(r), &got);
	bool ok = same(id, "body", buf_view(&want), buf_view(&got));
	buf_deinit(&want);
	buf_deinit(&got);
	return ok;
}

static bool check_input(const json_t *suite, const json_t *test)
{
	const char *id = doc_text(test, "id");
	struct vector_model *v = vector_model_new(suite, json_object_get(test, "given"));
	struct model_call c = vector_model_call(v);
	struct wire_request r;
	struct err e = { 0 };
	bool has_token;
	json_t *given = model_input(&c) ? convert(c.m, NULL, model_input(&c),
						  json_object_get(test, "params"))
					: json_object();
	json_t *params = build_params(&c, &zero_env, given, &has_token);
	const struct build_input in = { .call = &c, .params = params, .compress_from = 0 };
	const json_t *ser = json_object_get(test, "serialized");
	wire_request_init(&r);
	bool ok = build_request(&in, &r, &e) == ERR_OK;
	if (ok) {
		ok = check_host(id, suite, test, &c, &r) &&
		     same(id, "method", str_from(doc_text(ser, "method")),
			     str_from(r.method)) &&
		     check_uri(id, doc_text(ser, "uri"), &r) && check_headers(id, ser, &r) &&
		     (!json_object_get(ser, "body") || check_body(id, &c, ser, &r));
	} else {
		print_error("%s: %s\n", id, e.msg);
	}
	wire_request_deinit(&r);
	json_decref(given);
	json_decref(params);
	vector_model_free(v);
	return ok;
}

/* ---- answers ---- */

static bool check_output(const json_t *suite, const json_t *test)
{
	const char *id = doc_text(test, "id");
	struct vector_model *v = vector_model_new(suite, json_object_get(test, "given"));
	struct model_call c = vector_model_call(v);
	struct wire_response r;
	struct err e = { 0 };
	const char *name;
	json_t *value, *result = NULL;
	bool ok = true;
	wire_response_init(&r, WIRE_MAX_BODY);
	r.status = (int)doc_int(test, "response.status_code", 200);
	json_object_foreach(doc_get(test, "response.headers"), name, value)
	{
		wire_add(&r.headers, name, str_from(json_string_value(value)));
	}
	buf_puts(&r.body, doc_text_or(test, "response.body", ""));
	if (json_object_get(test, "error")) {
		(void)errors_from(&c, &r, &e);
		ok = same(id, "code", str_from(doc_text(test, "errorCode")), str_from(e.code));
		const char *message = doc_text(test, "errorMessage");
		if (message && !strstr(e.msg, message)) {
			print_error("%s: no message in %s\n", id, e.msg);
			ok = false;
		}
	} else if (proto_parse(&c, &r, &result, &e) != ERR_OK) {
		print_error("%s: %s\n", id, e.msg);
		ok = false;
	} else {
		struct buf want, got;
		const json_t *expected = json_object_get(test, "result");
		json_t *wanted = model_output(&c)
					 ? convert(c.m, NULL, model_output(&c), expected)
					 : json_object();
		buf_init(&want, 1u << 20);
		buf_init(&got, 1u << 20);
		doc_canonical(wanted, &want);
		doc_canonical(result, &got);
		ok = same(id, "result", buf_view(&want), buf_view(&got));
		buf_deinit(&want);
		buf_deinit(&got);
		json_decref(wanted);
	}
	json_decref(result);
	wire_response_deinit(&r);
	vector_model_free(v);
	return ok;
}

static void run(const char *direction, bool (*check)(const json_t *, const json_t *), int total)
{
	static const char *const files[] = { "ec2", "query", "json", "json_1_0", "rest-json",
		"rest-xml" };
	const char *shared = getenv("CORDON_SHARED");
	int n = 0, bad = 0;
	if (!shared || !shared[0]) {
		skip();
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[1024];
		(void)snprintf(path, sizeof(path), "%s/vectors/protocols/%s/%s.json", shared,
			direction, files[i]);
		json_t *suites = json_load_file(path, 0, NULL), *suite, *test;
		size_t a, b;
		assert_non_null(suites);
		json_array_foreach(suites, a, suite)
		{
			json_array_foreach(json_object_get(suite, "cases"), b, test)
			{
				n++;
				bad += !check(suite, test);
			}
		}
		json_decref(suites);
	}
	assert_int_equal(n, total);
	assert_int_equal(bad, 0);
}

static void test_requests(void **state)
{
	(void)state;
	run("input", check_input, 349);
}

static void test_answers(void **state)
{
	(void)state;
	run("output", check_output, 326);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_answers),
	};
	return cmocka_run_group_tests_name("protocols", tests, NULL, NULL);
}
