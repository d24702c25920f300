/*
 * The DynamoDB table of the store: its keys, its items, calls to it, its errors in words. Internal
 * to src/incident.
 *
 * One table, partition key `pk` (text), sort key `sk` (number):
 *   pk               sk          what
 *   case#ID          1 ..        a record: record_hash, record_writer and record_body, or record_gz,
 *                                or record_parts where the text is too long for one item
 *   case#ID          DYNAMODB_HEAD  the end of the chain (head_*), the lease (lease_*), case_*
 *   part#ID#SEQ#W    1 ..        pieces of a long record, written before it
 *   claim#SHA-256    0           claim_text, claim_case, claim_kept
 *   cases            YYYYNNNNNNNNN  case_id: every case, in order
 *   acts#YYYYMMDD    any         act_resource, act_ms, act_expires (the table's time to live)
 * Facts about DynamoDB (400 KB an item, 100 actions a transaction, 1 MB a page) from its developer
 * guide: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */
#ifndef CORDON_INCIDENT_DYNAMODB_TABLE_H
#define CORDON_INCIDENT_DYNAMODB_TABLE_H

#include "aws/aws.h"

#define DYNAMODB_HEAD \
	1000000 /* behind every record, so that a query from the end meets it first */
#define DYNAMODB_PK_SIZE 160
#define DYNAMODB_CASES   "cases"
#define DYNAMODB_YEAR    ((int64_t)1000000000) /* sk in "cases": year * this + number */
#define DYNAMODB_NOBODY  "-"                   /* holds no lease */
#define DYNAMODB_IS_NEW  "attribute_not_exists(pk)"

struct dynamodb_table {
	struct env *env;
	struct aws_client *aws;
	char *name;
};

/* Into a zeroed struct; close it also after a failure. `where` is "TABLE" or "REGION/TABLE". */
ERR_MUST_CHECK enum err_status dynamodb_table_open(struct dynamodb_table *t, struct env *env,
	const char *where, const struct aws_options *aws, struct err *err);
void dynamodb_table_close(struct dynamodb_table *t);

/*
 * A call about the table; its name is added to the parameters, which are taken. ERR_CONFLICT when a
 * condition did not hold or another transaction was under way. `result` may be NULL.
 */
ERR_MUST_CHECK enum err_status dynamodb_table_call(struct dynamodb_table *t,
	const char *operation, json_t *params_taken, json_t **result, struct err *err);
/* TransactWriteItems: [{"Put":{..}}, ..] without the table's name; taken. */
ERR_MUST_CHECK enum err_status dynamodb_table_write(
	struct dynamodb_table *t, json_t *actions_taken, struct err *err);
/* One item, as the table holds it now; *item is NULL when there is none. */
ERR_MUST_CHECK enum err_status dynamodb_table_get(
	struct dynamodb_table *t, const char *pk, int64_t sk, json_t **item, struct err *err);
/* Several items by key (array of keys, borrowed), in any order; those that are not there are left out. */
ERR_MUST_CHECK enum err_status dynamodb_table_get_many(
	struct dynamodb_table *t, const json_t *keys, json_t **items, struct err *err);

/* What a query asks for: items of `pk` with from <= sk <= to. */
struct dynamodb_range {
	const char *pk;
	int64_t from, to;
	bool backwards;
	int64_t limit;      /* 0 = all */
	const char *fields; /* "sk, record_hash", or NULL for whole items */
};
typedef enum err_status (*dynamodb_item_fn)(void *ctx, const json_t *item, struct err *err);
/* Follows the pages; what was written before the call is seen. */
ERR_MUST_CHECK enum err_status dynamodb_table_query(struct dynamodb_table *t,
	const struct dynamodb_range *range, dynamodb_item_fn fn, void *ctx, struct err *err);

/* {"pk":{"S":..},"sk":{"N":..}}, the start of an item too; new reference. */
json_t *dynamodb_table_key(const char *pk, int64_t sk);
void dynamodb_table_set_text(json_t *item, const char *name, struct str text);
void dynamodb_table_set_number(json_t *item, const char *name, int64_t n);
/* Borrowed; "" and `otherwise` when absent. */
const char *dynamodb_table_text(const json_t *item, const char *name);
int64_t dynamodb_table_number(const json_t *item, const char *name, int64_t otherwise);

/* Keys: of a case, of the acts of a day. */
void dynamodb_table_case(const char *case_id, char pk[DYNAMODB_PK_SIZE]);
void dynamodb_table_day(int64_t ms, char pk[DYNAMODB_PK_SIZE]);
/* {"S":..} and {"N":..}; new references. */
json_t *dynamodb_table_text_value(const char *text);
json_t *dynamodb_table_number_value(int64_t n);
/* An action of a transaction: {"Put":{"Item":..,"ConditionExpression":..}}; the item is taken. */
json_t *dynamodb_table_put(json_t *item_taken, const char *condition);
/* The parameters of UpdateItem, or of an action {"Update":..}; the values are taken. */
json_t *dynamodb_table_update(const char *pk, int64_t sk, const char *change,
	const char *condition, json_t *values_taken);

#endif
