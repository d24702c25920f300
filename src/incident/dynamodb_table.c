#include "incident/dynamodb_table.h"

#include "base/utc.h"
#include "incident/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_TIMEOUT_MS 10000
#define ATTEMPTS        5
#define MAX_PAGES       100000
#define MAX_REPEATS     50 /* of a batch that DynamoDB cut short */
#define BATCH           100

enum err_status dynamodb_table_open(struct dynamodb_table *t, struct env *env,
	const char *where, const struct aws_options *aws, struct err *err)
{
	struct str name = str_from(where), region;
	struct aws_options o = aws != NULL ? *aws : (struct aws_options){ 0 };
	char *own = NULL;

	if (str_find_char(name, '/') != SIZE_MAX && str_cut(&name, '/', &region)) {
		own = str_dup(region);
		o.region = own;
	}
	t->env = env;
	t->name = str_dup(name);
	/* The journal must be written even in a dry run's last words or past a caller's deadline. */
	o.refuse_mutating = false;
	o.deadline_ms = 0;
	o.observer = NULL;
	o.bookkeeping = true;
	o.call_timeout_ms = CALL_TIMEOUT_MS;
	o.max_attempts = env_var(env, "AWS_MAX_ATTEMPTS") == NULL ? ATTEMPTS : 0;
	enum err_status st = name.n == 0 ? err_set(err, ERR_CONFIG,
						   "`state` is \"dynamodb:%s\"; it should be "
						   "dynamodb:TABLE or dynamodb:REGION/TABLE",
						   where)
					 : aws_client_new(env, &o, &t->aws, err);
	free(own);
	return st;
}

void dynamodb_table_close(struct dynamodb_table *t)
{
	aws_client_free(t->aws);
	free(t->name);
}

/* DynamoDB's errors, with what to do next where the service's own words don't say it. */
static enum err_status explain(
	const struct dynamodb_table *t, const char *operation, struct err *e)
{
	const char *region = aws_client_region(t->aws);

	if (strcmp(e->code, "ResourceNotFoundException") == 0) {
		e->status = err_set(e, ERR_CONFIG,
			"there is no DynamoDB table %s in %s: make it with `aws cloudformation "
			"deploy --region %s --stack-name %s --template-file "
			"deploy/journal.yaml --parameter-overrides TableName=%s`, or correct "
			"`state`",
			t->name, region, region, t->name, t->name);
	} else if (e->status == ERR_DENIED) {
		char said[400];
		memcpy(said, e->msg, sizeof said);
		e->status = err_set(e, ERR_DENIED,
			"the journal in DynamoDB table %s needs dynamodb:%s: %.200s", t->name,
			operation, said);
	} else if (strcmp(e->code, "TransactionCanceledException") == 0 &&
		   strstr(e->msg, "ValidationError") != NULL) {
		e->status = err_prefix(e, "DynamoDB table %s", t->name);
		e->status = ERR_FAILED;
	} else if (strcmp(e->code, "TransactionConflictException") == 0) {
		e->status = ERR_CONFLICT;
	} else if (e->status == ERR_UNREACHABLE) {
		e->status = err_prefix(e, "the journal (DynamoDB table %s)", t->name);
	}
	return e->status;
}

enum err_status dynamodb_table_call(struct dynamodb_table *t, const char *operation,
	json_t *params_taken, json_t **result, struct err *err)
{
	struct err here = { 0 };

	if (strcmp(operation, "TransactWriteItems") != 0 &&
		strcmp(operation, "BatchGetItem") != 0) {
		json_object_set_new(params_taken, "TableName", json_string(t->name));
	}
	enum err_status st =
		aws_call(t->aws, "dynamodb", operation, params_taken, result, &here);
	json_decref(params_taken);
	if (st != ERR_OK) {
		st = explain(t, operation, &here);
		if (err != NULL) {
			*err = here;
		}
	}
	return st;
}

enum err_status dynamodb_table_write(
	struct dynamodb_table *t, json_t *actions_taken, struct err *err)
{
	json_t *action, *inner;
	const char *kind;
	size_t i;

	json_array_foreach(actions_taken, i, action)
	{
		json_object_foreach(action, kind, inner)
		{
			json_object_set_new(inner, "TableName", json_string(t->name));
		}
	}
	return dynamodb_table_call(t, "TransactWriteItems",
		json_pack("{s:o}", "TransactItems", actions_taken), NULL, err);
}

enum err_status dynamodb_table_get(
	struct dynamodb_table *t, const char *pk, int64_t sk, json_t **item, struct err *err)
{
	json_t *result = NULL;
	enum err_status st = dynamodb_table_call(t, "GetItem",
		json_pack("{s:o, s:b}", "Key", dynamodb_table_key(pk, sk), "ConsistentRead", 1),
		&result, err);

	if (st == ERR_OK) {
		*item = json_incref(json_object_get(result, "Item"));
	}
	json_decref(result);
	return st;
}

/* One BatchGetItem and, while DynamoDB answers with a part only, the rest. */
static enum err_status get_batch(
	struct dynamodb_table *t, json_t *keys_taken, json_t *items, struct err *err)
{
	json_t *wanted =
		json_pack("{s:{s:o, s:b}}", t->name, "Keys", keys_taken, "ConsistentRead", 1);
	enum err_status st = ERR_OK;

	for (int i = 0; st == ERR_OK && json_object_size(wanted) > 0; i++) {
		json_t *result = NULL;
		if (i == MAX_REPEATS) {
			st = err_set(err, ERR_UNREACHABLE,
				"DynamoDB table %s gives its items too slowly; try again "
				"later",
				t->name);
			break;
		}
		if (i > 0) {
			env_sleep_ms(t->env, (int64_t)20 * i);
		}
		st = dynamodb_table_call(t, "BatchGetItem",
			json_pack("{s:O}", "RequestItems", wanted), &result, err);
		if (st == ERR_OK) {
			(void)json_array_extend(items,
				json_object_get(json_object_get(result, "Responses"), t->name));
			json_decref(wanted);
			wanted = json_incref(json_object_get(result, "UnprocessedKeys"));
		}
		json_decref(result);
	}
	json_decref(wanted);
	return st;
}

enum err_status dynamodb_table_get_many(
	struct dynamodb_table *t, const json_t *keys, json_t **items, struct err *err)
{
	json_t *found = json_array();
	enum err_status st = ERR_OK;

	for (size_t at = 0; st == ERR_OK && at < json_array_size(keys); at += BATCH) {
		json_t *some = json_array();
		for (size_t i = at; i < at + BATCH && i < json_array_size(keys); i++) {
			json_array_append(some, json_array_get(keys, i));
		}
		st = get_batch(t, some, found, err);
	}
	if (st == ERR_OK) {
		*items = json_incref(found);
	}
	json_decref(found);
	return st;
}

static json_t *query_of(const struct dynamodb_range *r, const json_t *from)
{
	char low[24], high[24];

	(void)snprintf(low, sizeof low, "%lld", (long long)r->from);
	(void)snprintf(high, sizeof high, "%lld", (long long)r->to);
	json_t *q = json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}}, s:b, s:b}",
		"KeyConditionExpression", "pk = :pk AND sk BETWEEN :low AND :high",
		"ExpressionAttributeValues", ":pk", "S", r->pk, ":low", "N", low, ":high", "N",
		high, "ConsistentRead", 1, "ScanIndexForward", !r->backwards);
	if (r->limit > 0) {
		json_object_set_new(q, "Limit", json_integer(r->limit));
	}
	if (r->fields != NULL) {
		json_object_set_new(q, "ProjectionExpression", json_string(r->fields));
	}
	if (from != NULL) {
		json_object_set_new(q, "ExclusiveStartKey", json_deep_copy(from));
	}
	return q;
}

enum err_status dynamodb_table_query(struct dynamodb_table *t,
	const struct dynamodb_range *range, dynamodb_item_fn fn, void *ctx, struct err *err)
{
	json_t *from = NULL;
	enum err_status st = ERR_OK;
	bool more = true;

	for (int page = 0; st == ERR_OK && more; page++) {
		json_t *result = NULL, *item;
		size_t i;
		if (page == MAX_PAGES) {
			st = err_set(err, ERR_LIMIT, "DynamoDB table %s: %s has no end",
				t->name, range->pk);
			break;
		}
		st = dynamodb_table_call(t, "Query", query_of(range, from), &result, err);
		json_array_foreach(json_object_get(result, "Items"), i, item)
		{
			st = st == ERR_OK ? fn(ctx, item, err) : st;
		}
		json_decref(from);
		from = json_incref(json_object_get(result, "LastEvaluatedKey"));
		more = from != NULL && range->limit == 0;
		json_decref(result);
	}
	json_decref(from);
	return st;
}

json_t *dynamodb_table_key(const char *pk, int64_t sk)
{
	json_t *key = json_object();

	dynamodb_table_set_text(key, "pk", str_from(pk));
	dynamodb_table_set_number(key, "sk", sk);
	return key;
}

void dynamodb_table_set_text(json_t *item, const char *name, struct str text)
{
	json_object_set_new(item, name, json_pack("{s:o}", "S", doc_str(text)));
}

void dynamodb_table_set_number(json_t *item, const char *name, int64_t n)
{
	json_object_set_new(item, name, dynamodb_table_number_value(n));
}

const char *dynamodb_table_text(const json_t *item, const char *name)
{
	const char *text = json_string_value(json_object_get(json_object_get(item, name), "S"));

	return text != NULL ? text : "";
}

int64_t dynamodb_table_number(const json_t *item, const char *name, int64_t otherwise)
{
	const char *text = json_string_value(json_object_get(json_object_get(item, name), "N"));
	int64_t n = otherwise;

	return text != NULL && str_to_i64(str_from(text), &n) ? n : otherwise;
}

void dynamodb_table_case(const char *case_id, char pk[DYNAMODB_PK_SIZE])
{
	(void)snprintf(pk, DYNAMODB_PK_SIZE, case_id[0] == STORE_THING ? "thing#%s" : "case#%s",
		case_id);
}

void dynamodb_table_day(int64_t ms, char pk[DYNAMODB_PK_SIZE])
{
	char text[32];

	utc_rfc3339(ms, text);
	(void)snprintf(pk, DYNAMODB_PK_SIZE, "acts#%.4s%.2s%.2s", text, text + 5, text + 8);
}

json_t *dynamodb_table_text_value(const char *text)
{
	return json_pack("{s:o}", "S", doc_str(str_from(text)));
}

json_t *dynamodb_table_number_value(int64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%lld", (long long)n);
	return json_pack("{s:s}", "N", text);
}

json_t *dynamodb_table_put(json_t *item_taken, const char *condition)
{
	return json_pack(
		"{s:{s:o, s:s}}", "Put", "Item", item_taken, "ConditionExpression", condition);
}

json_t *dynamodb_table_update(const char *pk, int64_t sk, const char *change,
	const char *condition, json_t *values_taken)
{
	return json_pack("{s:o, s:s, s:s, s:o}", "Key", dynamodb_table_key(pk, sk),
		"UpdateExpression", change, "ConditionExpression", condition,
		"ExpressionAttributeValues", values_taken);
}
