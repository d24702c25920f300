#include "response/actions/function.h"

#include "response/actions/iam.h"

#include <string.h>

json_t *function_named(const struct action_ctx *c)
{
	return json_pack("{s:s}", "FunctionName", c->id);
}

static void add_door(json_t *doors, const char *door, const char *who)
{
	json_array_append_new(doors, json_pack("{s:s,s:s}", "door", door, "who", who));
}

/* The statement's principal as one text: "*", a service, an ARN, or the first of several. */
static const char *principal_of(const json_t *statement)
{
	json_t *p = json_object_get(statement, "Principal");
	const char *key;
	json_t *value;
	if (json_is_string(p)) {
		return json_string_value(p);
	}
	json_object_foreach(p, key, value)
	{
		const json_t *first = json_is_array(value) ? json_array_get(value, 0) : value;
		return json_is_string(first) ? json_string_value(first) : key;
	}
	return "?";
}

static void add_policy(const json_t *answer, json_t *doors)
{
	json_t *policy = NULL, *statement;
	struct err ignored = { 0 };
	size_t i;
	if (iam_document(doc_text_or(answer, "Policy", ""), &policy, &ignored) != ERR_OK) {
		add_door(doors, "unknown", "the resource policy can't be read");
		return;
	}
	json_array_foreach(json_object_get(policy, "Statement"), i, statement)
	{
		if (strcmp(doc_text_or(statement, "Effect", ""), "Allow") == 0) {
			add_door(doors, "resource policy", principal_of(statement));
		}
	}
	json_decref(policy);
}

json_t *function_doors(const struct action_ctx *c)
{
	json_t *doors = json_array(), *url;
	struct err ignored = { 0 };
	struct batch b;
	size_t i;
	batch_init(&b);
	size_t at_urls = batch_add_lenient(
		&b, "lambda", "ListFunctionUrlConfigs", function_named(c), BATCH_ANY);
	size_t at_policy = batch_add_lenient(
		&b, "lambda", "GetPolicy", function_named(c), "ResourceNotFound*");
	if (batch_run(&b, c->aws, &ignored) != ERR_OK || !batch_ok(&b, at_urls)) {
		add_door(doors, "unknown", "the function's URLs or policy can't be read");
	}
	json_array_foreach(
		json_object_get(batch_result(&b, at_urls), "FunctionUrlConfigs"), i, url)
	{
		const char *auth = doc_text_or(url, "AuthType", "?");
		add_door(doors, "function URL",
			strcmp(auth, "NONE") == 0 ? "everybody on the Internet" : auth);
	}
	if (batch_ok(&b, at_policy)) {
		add_policy(batch_result(&b, at_policy), doors);
	}
	batch_deinit(&b);
	return doors;
}
