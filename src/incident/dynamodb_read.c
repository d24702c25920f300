#include "incident/dynamodb_read.h"

#include "incident/dynamodb_body.h"

#include <string.h>

#define MAX_TEXT     ((size_t)32 << 20)
#define HEADS_A_READ ((size_t)40)
#define DAY_MS       ((int64_t)24 * 3600 * 1000)

/* One case being read. */
struct reading {
	struct dynamodb_table *t;
	const char *case_id;
	store_body_fn fn;
	void *ctx;
};

/* A text that can't be had whole is handed on as it is: the chain's check will name the record. */
static enum err_status take_record(void *ctx, const json_t *item, struct err *err)
{
	const struct reading *r = ctx;
	struct buf text;

	buf_init(&text, MAX_TEXT);
	enum err_status st = dynamodb_body_get(r->t, r->case_id, item, &text, err);
	if (st == ERR_OK || st == ERR_INTEGRITY) {
		st = r->fn(r->ctx, dynamodb_table_number(item, "sk", 0), buf_view(&text), err);
	}
	buf_deinit(&text);
	return st;
}

enum err_status dynamodb_read_case(struct dynamodb_table *t, const char *case_id,
	store_body_fn fn, void *ctx, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	struct reading r = { t, case_id, fn, ctx };

	dynamodb_table_case(case_id, pk);
	const struct dynamodb_range all = { .pk = pk, .from = 1, .to = DYNAMODB_HEAD - 1 };
	return dynamodb_table_query(t, &all, take_record, &r, err);
}

static enum err_status take_id(void *ctx, const json_t *item, struct err *err)
{
	(void)err;
	json_array_append_new(ctx, json_string(dynamodb_table_text(item, "case_id")));
	return ERR_OK;
}

static const json_t *find(const json_t *items, const char *pk, int64_t sk)
{
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		if (dynamodb_table_number(item, "sk", 0) == sk &&
			strcmp(dynamodb_table_text(item, "pk"), pk) == 0) {
			return item;
		}
	}
	return NULL;
}

static enum err_status give_case(struct dynamodb_table *t, const char *case_id,
	const json_t *items, const struct reading *to, store_case_fn fn, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	struct buf text;
	enum err_status st = ERR_OK;

	dynamodb_table_case(case_id, pk);
	const json_t *head = find(items, pk, DYNAMODB_HEAD), *first = find(items, pk, 1);
	buf_init(&text, MAX_TEXT);
	if (first != NULL) {
		st = dynamodb_body_get(t, case_id, first, &text, err);
	}
	if (st == ERR_OK || st == ERR_INTEGRITY) {
		const struct store_case c = { .case_id = case_id,
			.first = buf_view(&text),
			.head_seq = dynamodb_table_number(head, "head_seq", 0),
			.state = dynamodb_table_text(head, "case_state"),
			.state_seq = dynamodb_table_number(head, "state_seq", 0) };
		st = fn(to->ctx, &c, err);
	}
	buf_deinit(&text);
	return st;
}

static enum err_status give_some(struct dynamodb_table *t, const json_t *ids, size_t at,
	const struct reading *to, store_case_fn fn, struct err *err)
{
	json_t *keys = json_array(), *items = NULL;
	char pk[DYNAMODB_PK_SIZE];
	size_t end = at + HEADS_A_READ;
	enum err_status st;

	end = end < json_array_size(ids) ? end : json_array_size(ids);
	for (size_t i = at; i < end; i++) {
		dynamodb_table_case(json_string_value(json_array_get(ids, i)), pk);
		json_array_append_new(keys, dynamodb_table_key(pk, DYNAMODB_HEAD));
		json_array_append_new(keys, dynamodb_table_key(pk, 1));
	}
	st = dynamodb_table_get_many(t, keys, &items, err);
	for (size_t i = at; st == ERR_OK && i < end; i++) {
		st = give_case(
			t, json_string_value(json_array_get(ids, i)), items, to, fn, err);
	}
	json_decref(items);
	json_decref(keys);
	return st;
}

enum err_status dynamodb_read_cases(
	struct dynamodb_table *t, store_case_fn fn, void *ctx, struct err *err)
{
	const struct dynamodb_range all = {
		.pk = DYNAMODB_CASES, .from = 0, .to = 10000 * DYNAMODB_YEAR, .backwards = true
	};
	const struct reading to = { .t = t, .ctx = ctx };
	json_t *ids = json_array();
	enum err_status st = dynamodb_table_query(t, &all, take_id, ids, err);

	for (size_t at = 0; st == ERR_OK && at < json_array_size(ids); at += HEADS_A_READ) {
		st = give_some(t, ids, at, &to, fn, err);
	}
	json_decref(ids);
	return st;
}

struct acts {
	store_act_fn fn;
	void *ctx;
};

static enum err_status take_act(void *ctx, const json_t *item, struct err *err)
{
	const struct acts *a = ctx;

	return a->fn(a->ctx, dynamodb_table_text(item, "act_resource"),
		dynamodb_table_number(item, "act_ms", 0), err);
}

enum err_status dynamodb_read_acts(
	struct dynamodb_table *t, int64_t since_ms, store_act_fn fn, void *ctx, struct err *err)
{
	struct acts a = { fn, ctx };
	int64_t now = env_now_ms(t->env);
	enum err_status st = ERR_OK;

	/* One more day: another machine's clock may be ahead of ours at midnight. */
	since_ms = since_ms > now - STORE_ACTS_MS ? since_ms : now - STORE_ACTS_MS;
	for (int64_t day = since_ms; st == ERR_OK && day < now + DAY_MS + DAY_MS / 2;
		day += DAY_MS) {
		char pk[DYNAMODB_PK_SIZE];
		dynamodb_table_day(day, pk);
		const struct dynamodb_range some = {
			.pk = pk, .from = since_ms * 1000000, .to = INT64_MAX
		};
		st = dynamodb_table_query(t, &some, take_act, &a, err);
	}
	return st;
}

static bool has_key(const json_t *table, const char *name, const char *key, const char *type)
{
	const json_t *k, *a;
	size_t i, n;

	json_array_foreach(json_object_get(table, "KeySchema"), i, k)
	{
		json_array_foreach(json_object_get(table, "AttributeDefinitions"), n, a)
		{
			if (strcmp(doc_text_or(k, "AttributeName", ""), name) == 0 &&
				strcmp(doc_text_or(k, "KeyType", ""), key) == 0 &&
				strcmp(doc_text_or(a, "AttributeName", ""), name) == 0 &&
				strcmp(doc_text_or(a, "AttributeType", ""), type) == 0) {
				return true;
			}
		}
	}
	return false;
}

enum err_status dynamodb_read_probe(struct dynamodb_table *t, struct err *err)
{
	json_t *result = NULL;
	enum err_status st =
		dynamodb_table_call(t, "DescribeTable", json_object(), &result, err);
	const json_t *table = json_object_get(result, "Table");
	const char *status = doc_text_or(table, "TableStatus", "");

	if (st != ERR_OK) {
		goto out;
	}
	if (!has_key(table, "pk", "HASH", "S") || !has_key(table, "sk", "RANGE", "N")) {
		st = err_set(err, ERR_CONFIG,
			"DynamoDB table %s is not one of cordon's: its keys must be pk (text) "
			"and sk (number), as deploy/journal.yaml makes them",
			t->name);
	} else if (strcmp(status, "ACTIVE") != 0 && strcmp(status, "UPDATING") != 0) {
		st = err_set(err, ERR_UNREACHABLE,
			"DynamoDB table %s is %s; wait until it is ACTIVE", t->name, status);
	}
out:
	json_decref(result);
	return st;
}
