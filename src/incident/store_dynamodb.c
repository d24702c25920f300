#include "incident/store.h"

#include "base/hash.h"
#include "incident/dynamodb_body.h"
#include "incident/dynamodb_lease.h"
#include "incident/dynamodb_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT      1  /* of the items; a newer one is not touched */
#define MOST_CLAIMS 90 /* of one transaction, beside the case itself */

struct dynamodb {
	struct store base;
	struct dynamodb_table table;
};

static struct dynamodb_table *self(struct store *s)
{
	return &((struct dynamodb *)s)->table;
}

/* A finding's ARN may be longer than a key may be. */
static void claim_pk(const char *claim, char pk[DYNAMODB_PK_SIZE])
{
	char hex[HASH_SHA256_HEX];

	hash_sha256_hex(str_from(claim), hex);
	(void)snprintf(pk, DYNAMODB_PK_SIZE, "claim#%s", hex);
}

/* ---- numbers ---- */

static enum err_status take_last(void *ctx, const json_t *item, struct err *err)
{
	(void)err;
	*(int64_t *)ctx = dynamodb_table_number(item, "sk", 0);
	return ERR_OK;
}

static enum err_status dynamodb_next_number(
	struct store *base, int year, int64_t *number, struct err *err)
{
	const struct dynamodb_range last = { .pk = DYNAMODB_CASES,
		.from = year * DYNAMODB_YEAR + 1,
		.to = year * DYNAMODB_YEAR + DYNAMODB_YEAR - 1,
		.backwards = true,
		.limit = 1,
		.fields = "sk" };
	int64_t sk = year * DYNAMODB_YEAR;
	enum err_status st = dynamodb_table_query(self(base), &last, take_last, &sk, err);

	if (st == ERR_OK) {
		*number = sk % DYNAMODB_YEAR + 1;
	}
	return st;
}

/* ---- claims ---- */

/*
 * A closed case does not give its claims back one by one: they lapse with it, and whoever needs one
 * puts its own in the place. So closing is one write however many claims there are.
 */
struct claim {
	char owner[STORE_CASE_ID]; /* "" when free */
	char stale[STORE_CASE_ID]; /* the closed case whose item is still there, or "" */
	bool kept;
};

static enum err_status look_at_claim(
	struct dynamodb_table *t, const char *text, struct claim *out, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	json_t *item = NULL, *head = NULL;
	enum err_status st = ERR_OK;

	memset(out, 0, sizeof *out);
	claim_pk(text, pk);
	TRY(dynamodb_table_get(t, pk, 0, &item, err));
	if (item == NULL) {
		goto out;
	}
	const char *owner = dynamodb_table_text(item, "claim_case");
	out->kept = dynamodb_table_number(item, "claim_kept", 0) != 0;
	dynamodb_table_case(owner, pk);
	if (!out->kept) {
		TRY(dynamodb_table_get(t, pk, DYNAMODB_HEAD, &head, err));
	}
	bool lapsed = !out->kept && dynamodb_table_number(head, "case_closed", 0) != 0;
	(void)snprintf(lapsed ? out->stale : out->owner, STORE_CASE_ID, "%.*s", 31, owner);
out:
	json_decref(head);
	json_decref(item);
	return st;
}

static enum err_status dynamodb_find_claim(
	struct store *base, const char *claim, char out_id[STORE_CASE_ID], struct err *err)
{
	struct claim c;
	enum err_status st = look_at_claim(self(base), claim, &c, err);

	if (st == ERR_OK) {
		memcpy(out_id, c.owner, STORE_CASE_ID);
	}
	return st;
}

/* The action that makes a claim a case's own, if it is as it was when looked at. */
static json_t *claim_action(
	const char *text, const char *case_id, const struct claim *was, bool kept)
{
	char pk[DYNAMODB_PK_SIZE];
	const char *before = was->stale[0] ? was->stale : was->owner;

	claim_pk(text, pk);
	json_t *item = dynamodb_table_key(pk, 0);
	dynamodb_table_set_text(item, "claim_text", str_from(text));
	dynamodb_table_set_text(item, "claim_case", str_from(case_id));
	dynamodb_table_set_number(item, "claim_kept", kept);
	json_t *action = dynamodb_table_put(item,
		before[0] ? "claim_case = :before AND claim_kept = :kept" : DYNAMODB_IS_NEW);
	if (before[0]) {
		json_object_set_new(json_object_get(action, "Put"), "ExpressionAttributeValues",
			json_pack("{s:o, s:o}", ":before", dynamodb_table_text_value(before),
				":kept", dynamodb_table_number_value(was->kept)));
	}
	return action;
}

static bool is_closed(
	struct dynamodb_table *t, const char *case_id, struct err *err, enum err_status *st)
{
	char pk[DYNAMODB_PK_SIZE];
	json_t *head = NULL;

	dynamodb_table_case(case_id, pk);
	*st = dynamodb_table_get(t, pk, DYNAMODB_HEAD, &head, err);
	bool closed = head == NULL || dynamodb_table_number(head, "case_closed", 0) != 0;
	json_decref(head);
	return closed;
}

/* Takes one claim that nobody has; somebody who was faster keeps it. */
static enum err_status take_claim(struct dynamodb_table *t, const char *text,
	const char *case_id, const struct claim *was, struct err *err)
{
	enum err_status st = dynamodb_table_write(
		t, json_pack("[o]", claim_action(text, case_id, was, false)), err);
	if (st == ERR_CONFLICT) {
		err_clear(err);
		st = ERR_OK;
	}
	return st;
}

static enum err_status dynamodb_claim(
	struct store *base, const char *case_id, const json_t *claims, struct err *err)
{
	struct dynamodb_table *t = self(base);
	enum err_status st = ERR_OK;
	bool looked = false;
	json_t *v;
	size_t i;

	json_array_foreach(claims, i, v)
	{
		struct claim was;
		const char *text = json_string_value(v);
		TRY(look_at_claim(t, text, &was, err));
		if (was.owner[0]) {
			continue;
		}
		if (!looked && is_closed(t, case_id, err, &st)) {
			break;
		}
		TRY(st);
		looked = true;
		TRY(take_claim(t, text, case_id, &was, err));
	}
out:
	return st;
}

/* ---- records ---- */

static void new_writer(struct dynamodb_table *t, char writer[37])
{
	env_uuid(t->env, writer);
}

static enum err_status record_action(struct dynamodb_table *t,
	const struct dynamodb_body *which, const char *hash, struct str body, json_t **out,
	struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];

	dynamodb_table_case(which->case_id, pk);
	json_t *item = dynamodb_table_key(pk, which->seq);
	dynamodb_table_set_text(item, "record_hash", str_from(hash));
	dynamodb_table_set_text(item, "record_writer", str_from(which->writer));
	enum err_status st = dynamodb_body_put(t, which, body, item, err);
	if (st != ERR_OK) {
		json_decref(item);
		return st;
	}
	*out = dynamodb_table_put(item, DYNAMODB_IS_NEW);
	return ERR_OK;
}

/*
 * A write that was refused, or whose answer never came, may be our own earlier try that did arrive.
 * The writer's mark tells. When it is not there, a try still under way can only fail from now on or
 * take the place first; either way the next try from a fresh head is right.
 */
static enum err_status settle(struct dynamodb_table *t, const struct dynamodb_body *which,
	enum err_status st, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	json_t *item = NULL;
	struct err look = { 0 };

	if (st != ERR_CONFLICT && st != ERR_UNREACHABLE) {
		return st;
	}
	dynamodb_table_case(which->case_id, pk);
	if (dynamodb_table_get(t, pk, which->seq, &item, &look) != ERR_OK) {
		if (err != NULL) {
			*err = look;
		}
		return look.status;
	}
	bool ours = strcmp(dynamodb_table_text(item, "record_writer"), which->writer) == 0;
	json_decref(item);
	if (ours) {
		err_clear(err);
		return ERR_OK;
	}
	return err_set(err, ERR_CONFLICT, "case %s: another record %lld came first",
		which->case_id, (long long)which->seq);
}

static json_t *new_head(const struct store_create *c, const char *writer)
{
	char pk[DYNAMODB_PK_SIZE];

	dynamodb_table_case(c->case_id, pk);
	json_t *head = dynamodb_table_key(pk, DYNAMODB_HEAD);
	dynamodb_table_set_number(head, "head_format", FORMAT);
	dynamodb_table_set_number(head, "head_seq", 1);
	dynamodb_table_set_text(head, "head_hash", str_from(c->hash));
	dynamodb_table_set_text(head, "head_writer", str_from(writer));
	dynamodb_table_set_text(head, "lease_holder", STR(DYNAMODB_NOBODY));
	dynamodb_table_set_number(head, "lease_fence", 0);
	dynamodb_table_set_number(head, "lease_until", 0);
	dynamodb_table_set_number(head, "case_closed", 0);
	return dynamodb_table_put(head, DYNAMODB_IS_NEW);
}

static enum err_status dynamodb_create(
	struct store *base, const struct store_create *c, struct err *err)
{
	struct dynamodb_table *t = self(base);
	char writer[37];
	json_t *actions = json_array(), *record = NULL, *v;
	json_t *index = dynamodb_table_key(DYNAMODB_CASES, c->year * DYNAMODB_YEAR + c->number);
	enum err_status st = ERR_OK;
	size_t i;

	new_writer(t, writer);
	const struct dynamodb_body which = { c->case_id, 1, writer };
	dynamodb_table_set_text(index, "case_id", str_from(c->case_id));
	json_array_append_new(actions, dynamodb_table_put(index, DYNAMODB_IS_NEW));
	json_array_append_new(actions, new_head(c, writer));
	TRY(record_action(t, &which, c->hash, c->body, &record, err));
	json_array_append_new(actions, record);
	json_array_foreach(c->claims, i, v)
	{
		struct claim was;
		if (i == MOST_CLAIMS) {
			break;
		}
		TRY(look_at_claim(t, json_string_value(v), &was, err));
		if (was.owner[0]) {
			st = err_set(err, ERR_CONFLICT, "case %s has it", was.owner);
			goto out;
		}
		json_array_append_new(
			actions, claim_action(json_string_value(v), c->case_id, &was, false));
	}
	st = settle(t, &which, dynamodb_table_write(t, json_incref(actions), err), err);
	if (st == ERR_OK && json_array_size(c->claims) > MOST_CLAIMS) {
		st = dynamodb_claim(base, c->case_id, c->claims, err);
	}
out:
	json_decref(actions);
	return st;
}

struct ends {
	json_t *head, *record;
};

static enum err_status take_end(void *ctx, const json_t *item, struct err *err)
{
	struct ends *e = ctx;
	bool head = dynamodb_table_number(item, "sk", 0) == DYNAMODB_HEAD;

	(void)err;
	json_t **to = head ? &e->head : &e->record;
	if (*to == NULL) {
		*to = json_deep_copy(item);
	}
	return ERR_OK;
}

static enum err_status judge_head(const struct dynamodb_table *t, const char *case_id,
	const struct ends *e, struct store_head *head, struct err *err)
{
	int64_t seq = dynamodb_table_number(e->head, "head_seq", 0);
	int64_t last = dynamodb_table_number(e->record, "sk", 0);
	const char *hash = dynamodb_table_text(e->head, "head_hash");

	if (e->head == NULL && e->record == NULL) {
		return err_set(err, ERR_NOT_FOUND, "there is no case %s in DynamoDB table %s",
			case_id, t->name);
	}
	if (dynamodb_table_number(e->head, "head_format", FORMAT) > FORMAT) {
		return err_set(err, ERR_CONFIG,
			"case %s was written by a newer cordon; use that version", case_id);
	}
	if (e->head == NULL || seq != last ||
		strcmp(hash, dynamodb_table_text(e->record, "record_hash")) != 0) {
		return err_set(err, ERR_INTEGRITY,
			"case %s: its last record was number %lld, the table now ends at "
			"number %lld with another hash or length; records were removed, added "
			"or changed behind cordon's back",
			case_id, (long long)seq, (long long)last);
	}
	head->seq = seq;
	(void)snprintf(head->hash, sizeof head->hash, "%s", hash);
	return ERR_OK;
}

static enum err_status dynamodb_head(
	struct store *base, const char *case_id, struct store_head *head, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	struct ends e = { 0 };

	dynamodb_table_case(case_id, pk);
	const struct dynamodb_range end = { .pk = pk,
		.from = 1,
		.to = DYNAMODB_HEAD,
		.backwards = true,
		.limit = 2,
		.fields = "sk, head_format, head_seq, head_hash, record_hash" };
	enum err_status st = dynamodb_table_query(self(base), &end, take_end, &e, err);
	if (st == ERR_OK) {
		st = judge_head(self(base), case_id, &e, head, err);
	}
	json_decref(e.head);
	json_decref(e.record);
	return st;
}

/* Moves the head on, if it is where this append saw it and the lease is still ours. */
static json_t *head_action(const struct store_put *p, const char *writer)
{
	char pk[DYNAMODB_PK_SIZE], change[256];
	json_t *values =
		json_pack("{s:o, s:o, s:o, s:o}", ":seq", dynamodb_table_number_value(p->seq),
			":hash", dynamodb_table_text_value(p->hash), ":writer",
			dynamodb_table_text_value(writer), ":before",
			dynamodb_table_number_value(p->seq - 1));

	dynamodb_table_case(p->case_id, pk);
	(void)snprintf(change, sizeof change,
		"SET head_seq = :seq, head_hash = :hash, head_writer = :writer%s%s",
		p->fence ? ", lease_until = :until" : "",
		p->release_claims ? ", case_closed = :closed" : "");
	if (p->fence) {
		json_object_set_new(values, ":fence", dynamodb_table_number_value(p->fence));
		json_object_set_new(
			values, ":until", dynamodb_table_number_value(p->renew_until_ms));
	}
	if (p->release_claims) {
		json_object_set_new(values, ":closed", dynamodb_table_number_value(1));
	}
	json_t *update = dynamodb_table_update(pk, DYNAMODB_HEAD, change,
		p->fence ? "head_seq = :before AND lease_fence = :fence" : "head_seq = :before",
		values);
	return json_pack("{s:o}", "Update", update);
}

/* A finding that must not trigger again stays with the case, unless another case owns it. */
static enum err_status add_kept(
	struct dynamodb_table *t, const struct store_put *p, json_t *actions, struct err *err)
{
	struct claim was;
	enum err_status st = look_at_claim(t, p->keep_claim, &was, err);

	if (st == ERR_OK && (was.owner[0] == '\0' || strcmp(was.owner, p->case_id) == 0)) {
		json_array_append_new(
			actions, claim_action(p->keep_claim, p->case_id, &was, true));
	}
	return st;
}

static json_t *act_action(struct dynamodb_table *t, const struct store_put *p)
{
	char pk[DYNAMODB_PK_SIZE];
	uint32_t r = 0;

	dynamodb_table_day(p->now_ms, pk);
	env_random(t->env, &r, sizeof r);
	json_t *item = dynamodb_table_key(pk, p->now_ms * 1000000 + r % 1000000);
	dynamodb_table_set_text(item, "act_resource", str_from(p->acted));
	dynamodb_table_set_number(item, "act_ms", p->now_ms);
	dynamodb_table_set_number(item, "act_expires", (p->now_ms + STORE_ACTS_MS) / 1000);
	return dynamodb_table_put(item, DYNAMODB_IS_NEW);
}

/* Was the lease taken over? Then there is no use in trying again. */
static enum err_status check_fence(
	struct dynamodb_table *t, const struct store_put *p, struct err *err)
{
	char pk[DYNAMODB_PK_SIZE];
	json_t *head = NULL;

	dynamodb_table_case(p->case_id, pk);
	enum err_status st = dynamodb_table_get(t, pk, DYNAMODB_HEAD, &head, err);
	if (st == ERR_OK && dynamodb_table_number(head, "lease_fence", 0) != p->fence) {
		st = err_set(err, ERR_REFUSED,
			"case %s: another process took the case over; this one stops",
			p->case_id);
	}
	json_decref(head);
	return st == ERR_OK ? ERR_CONFLICT : st;
}

static enum err_status dynamodb_put(
	struct store *base, const struct store_put *p, struct err *err)
{
	struct dynamodb_table *t = self(base);
	char writer[37];
	json_t *actions = json_array(), *record = NULL;
	enum err_status st = ERR_OK;

	new_writer(t, writer);
	const struct dynamodb_body which = { p->case_id, p->seq, writer };
	json_array_append_new(actions, head_action(p, writer));
	TRY(record_action(t, &which, p->hash, p->body, &record, err));
	json_array_append_new(actions, record);
	if (p->keep_claim != NULL) {
		TRY(add_kept(t, p, actions, err));
	}
	if (p->acted != NULL) {
		json_array_append_new(actions, act_action(t, p));
	}
	st = settle(t, &which, dynamodb_table_write(t, json_incref(actions), err), err);
	if (st == ERR_CONFLICT && p->fence != 0) {
		st = check_fence(t, p, err);
	}
out:
	json_decref(actions);
	return st;
}

/* ---- the rest is read and leased elsewhere ---- */

static enum err_status dynamodb_read(
	struct store *base, const char *case_id, store_body_fn fn, void *ctx, struct err *err)
{
	return dynamodb_read_case(self(base), case_id, fn, ctx, err);
}

static enum err_status dynamodb_cases(
	struct store *base, store_case_fn fn, void *ctx, struct err *err)
{
	return dynamodb_read_cases(self(base), fn, ctx, err);
}

static enum err_status dynamodb_acts(
	struct store *base, int64_t since_ms, store_act_fn fn, void *ctx, struct err *err)
{
	return dynamodb_read_acts(self(base), since_ms, fn, ctx, err);
}

static enum err_status dynamodb_lease(struct store *base, const struct store_lease *l,
	int64_t *fence, char holder[STORE_HOLDER], struct err *err)
{
	return dynamodb_lease_take(self(base), l, fence, holder, err);
}

static void dynamodb_unlease(struct store *base, const char *case_id, const char *holder)
{
	dynamodb_lease_give(self(base), case_id, holder);
}

static enum err_status dynamodb_probe(struct store *base, struct err *err)
{
	return dynamodb_read_probe(self(base), err);
}

static void dynamodb_cache_state(
	struct store *base, const char *case_id, int64_t seq, const char *state)
{
	char pk[DYNAMODB_PK_SIZE];

	dynamodb_table_case(case_id, pk);
	json_t *update = dynamodb_table_update(pk, DYNAMODB_HEAD,
		"SET case_state = :state, state_seq = :seq", "head_seq = :seq",
		json_pack("{s:o, s:o}", ":state", dynamodb_table_text_value(state), ":seq",
			dynamodb_table_number_value(seq)));
	if (dynamodb_table_call(self(base), "UpdateItem", update, NULL, NULL) != ERR_OK) {
		return; /* the next listing folds the case again */
	}
}

static void dynamodb_close(struct store *base)
{
	dynamodb_table_close(self(base));
	free((struct dynamodb *)base);
}

static const struct store_vtable vtable = {
	.close = dynamodb_close,
	.next_number = dynamodb_next_number,
	.find_claim = dynamodb_find_claim,
	.create = dynamodb_create,
	.claim = dynamodb_claim,
	.head = dynamodb_head,
	.put = dynamodb_put,
	.read = dynamodb_read,
	.cases = dynamodb_cases,
	.cache_state = dynamodb_cache_state,
	.lease = dynamodb_lease,
	.unlease = dynamodb_unlease,
	.acts = dynamodb_acts,
	.probe = dynamodb_probe,
};

enum err_status store_dynamodb_open(struct env *env, const char *table,
	const struct aws_options *aws, struct store **out, struct err *err)
{
	struct dynamodb *d = calloc(1, sizeof *d);

	if (d == NULL) {
		BUG("out of memory");
	}
	d->base.v = &vtable;
	enum err_status st = dynamodb_table_open(&d->table, env, table, aws, err);
	if (st != ERR_OK) {
		dynamodb_close(&d->base);
		return st;
	}
	*out = &d->base;
	return ERR_OK;
}
