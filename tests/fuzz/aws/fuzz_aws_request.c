/* Bytes 0 and 1: the operation. Then its parameters as JSON. What passes the checks is built and signed. */
#include "aws/build.h"
#include "aws/endpoint.h"
#include "aws/sigv4.h"
#include "aws/validate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what)                     \
	do {                              \
		if (!(what)) {            \
			__builtin_trap(); \
		}                         \
	} while (0)

static bool one_line(struct str s)
{
	return str_find_char(s, '\r') == SIZE_MAX && str_find_char(s, '\n') == SIZE_MAX &&
	       str_find_char(s, '\0') == SIZE_MAX;
}

static bool visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~') {
			return false;
		}
	}
	return true;
}

/* Nothing that a caller says can end a line of the request or leave its place in it. */
static void check(struct wire_request *r)
{
	struct buf url;
	buf_init(&url, 1u << 20);
	wire_url(r, &url);
	REQUIRE(r->path.n > 0 && r->path.p[0] == '/' && visible(buf_view(&url)));
	for (size_t i = 0; i < r->headers.n; i++) {
		REQUIRE(visible(str_from(r->headers.items[i].name)));
		REQUIRE(one_line(str_from(r->headers.items[i].value)));
	}
	buf_deinit(&url);
}

static void sign(struct wire_request *r)
{
	struct secret *key = secret_new(STR("secret"));
	struct sigv4_params p = { .keys = { "AKIAEXAMPLE", key, NULL },
		.region = "eu-west-1",
		.service = "x",
		.now_ms = 1800000000000 };
	sigv4_sign(NULL, &p, r);
	check(r);
	p.expires_s = 60;
	sigv4_presign(NULL, &p, r);
	check(r);
	secret_free(key);
}

static void build(const struct model_call *c, const json_t *given)
{
	static const char *const vars[] = { NULL };
	struct env_fake env;
	struct profile_set none = { .name = "default" };
	struct endpoint_rules rules = { .env = &env.base, .profiles = &none };
	struct wire_request r;
	char region[64];
	bool token;
	env_fake_init(&env, 1800000000000, 1, vars);
	json_t *params = build_params(c, &env.base, given, &token);
	const struct build_input in = { .call = c, .params = params, .compress_from = 1000 };
	wire_request_init(&r);
	if (build_request(&in, &r, NULL) == ERR_OK &&
		endpoint_apply(&rules, c, "eu-west-1", &r, region, NULL) == ERR_OK) {
		sign(&r);
	}
	wire_request_deinit(&r);
	json_decref(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2) {
		return 0;
	}
	const struct model *m = &model_table;
	size_t n = 0, at = ((size_t)data[0] << 8) | data[1];
	for (size_t i = 0; i < m->n_services; i++) {
		n += m->services[i].n_operations;
	}
	at %= n;
	size_t s = 0;
	while (at >= (size_t)m->services[s].first_operation + m->services[s].n_operations) {
		s++;
	}
	struct model_call c = { m, &m->services[s], &m->operations[at] };
	json_t *params = NULL;
	struct str text = { (const char *)data + 2, size - 2 };
	if (doc_parse(text, 1u << 20, &params, NULL) == ERR_OK) {
		if (validate_params(&c, params, NULL) == ERR_OK) {
			build(&c, params);
		}
		json_decref(params);
	}
	return 0;
}
