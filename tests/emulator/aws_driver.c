/*
 * One AWS client on a pipe, for tests that ask it thousands of things or watch it from outside. One
 * JSON document a line on standard input, one answer a line on standard output:
 *   {"open":{"vars":{"AWS_PROFILE":"p"},"profile":..,"region":..,"endpoint_url":..,
 *            "call_timeout_ms":..}}                          a client
 *   {"show":{"service":..,"operation":..,"params":{}}}   the signed request
 *   {"call":{"service":..,"operation":..,"params":{}}}   the call made
 *   {"close":{}}                                         the client freed
 * The client sees the variables it is given and no other. An answer is {"ok":RESULT} or
 * {"status":..,"code":..,"http":..,"message":..}.
 */
#include "aws/aws.h"
#include "base/wipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE ((size_t)16 * 1024 * 1024)

static json_t *vars;

static const char *var(struct env *e, const char *name)
{
	(void)e;
	return json_string_value(json_object_get(vars, name));
}

static json_t *answer(enum err_status st, json_t *taken, const struct err *e)
{
	if (st == ERR_OK) {
		return json_pack("{s:o}", "ok", taken ? taken : json_null());
	}
	json_decref(taken);
	return json_pack("{s:s,s:s,s:i,s:s}", "status", err_name(st), "code", e->code, "http",
		e->http_status, "message", e->msg);
}

static json_t *open_client(struct env *env, const json_t *asked, struct aws_client **client)
{
	struct err e = { 0 };
	aws_client_free(*client);
	*client = NULL;
	json_decref(vars);
	vars = json_incref(json_object_get(asked, "vars"));
	struct aws_options o = { .profile = doc_text(asked, "profile"),
		.region = doc_text(asked, "region"),
		.endpoint_url = doc_text(asked, "endpoint_url"),
		.call_timeout_ms = doc_int(asked, "call_timeout_ms", 0) };
	enum err_status st = aws_client_new(env, &o, client, &e);
	return answer(st, st == ERR_OK ? json_string(aws_client_region(*client)) : NULL, &e);
}

static json_t *make(struct aws_client *client, const json_t *asked, bool show)
{
	struct err e = { 0 };
	json_t *result = NULL;
	const char *service = doc_text_or(asked, "service", "");
	const char *operation = doc_text_or(asked, "operation", "");
	const json_t *params = json_object_get(asked, "params");
	enum err_status st =
		show ? aws_show_request(client, service, operation, params, &result, &e)
		     : aws_call(client, service, operation, params, &result, &e);
	return answer(st, result, &e);
}

static json_t *obey(struct env *env, const json_t *order, struct aws_client **client)
{
	const json_t *asked;
	if ((asked = json_object_get(order, "open"))) {
		return open_client(env, asked, client);
	}
	if (*client && (asked = json_object_get(order, "show"))) {
		return make(*client, asked, true);
	}
	if (*client && (asked = json_object_get(order, "call"))) {
		return make(*client, asked, false);
	}
	if (json_object_get(order, "close")) {
		aws_client_free(*client);
		*client = NULL;
		return json_pack("{s:n}", "ok");
	}
	return json_pack(
		"{s:s,s:s}", "status", "usage", "message", "unknown order, or no client");
}

int main(void)
{
	struct env_vtable table = *env_system()->v;
	struct env env = { &table };
	struct aws_client *client = NULL;
	char *line = malloc(MAX_LINE);
	wipe_libraries();
	table.var = var;
	while (line && fgets(line, (int)MAX_LINE, stdin)) {
		json_t *order = NULL;
		if (doc_parse(str_from(line), MAX_LINE, &order, NULL) != ERR_OK) {
			return 2;
		}
		json_t *said = obey(&env, order, &client);
		char *text = json_dumps(said, JSON_COMPACT);
		(void)puts(text ? text : "null");
		(void)fflush(stdout);
		wipe_free(text);
		json_decref(said);
		json_decref(order);
	}
	aws_client_free(client);
	json_decref(vars);
	free(line);
	return 0;
}
