#include "incident/journal.h"

#include "base/crashpoint.h"
#include "base/hash.h"
#include "base/utc.h"
#include "incident/holder.h"
#include "incident/journal_lease.h"
#include "incident/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RECORD_BYTES ((size_t)16 << 20)
#define MAX_RECORDS      100000
#define MAX_TRIES        200
#define NO_HASH          ""

static enum err_status open_store(struct env *env, const char *where,
	const struct aws_options *aws, struct store **out, struct err *err)
{
	const struct str sqlite = STR("sqlite:"), dynamodb = STR("dynamodb:");
	struct str s = str_from(where);

	if (str_starts(s, dynamodb) && s.n > dynamodb.n) {
		return store_dynamodb_open(env, where + dynamodb.n, aws, out, err);
	}
	if (str_starts(s, sqlite) && s.n > sqlite.n) {
		return store_sqlite_open(where + sqlite.n, out, err);
	}
	return err_set(err, ERR_CONFIG,
		"`state` is \"%s\"; it should be sqlite:/path/cordon.db or dynamodb:TABLE",
		where ? where : "");
}

enum err_status journal_open(struct env *env, const char *where, const struct aws_options *aws,
	struct journal **out, struct err *err)
{
	struct store *store = NULL;
	enum err_status st = open_store(env, where, aws, &store, err);

	if (st != ERR_OK) {
		return st;
	}
	struct journal *j = calloc(1, sizeof *j);
	if (j == NULL) {
		BUG("out of memory");
	}
	j->env = env;
	j->store = store;
	j->actor = str_dup(STR("cordon"));
	holder_name(env, j->holder, sizeof j->holder);
	pthread_mutex_init(&j->lock, NULL);
	journal_lease_init(j);
	*out = j;
	return ERR_OK;
}

void journal_close(struct journal *j)
{
	if (j == NULL) {
		return;
	}
	journal_lease_deinit(j);
	j->store->v->close(j->store);
	pthread_mutex_destroy(&j->lock);
	free(j->actor);
	free(j);
}

void journal_set_actor(struct journal *j, const char *actor)
{
	pthread_mutex_lock(&j->lock);
	free(j->actor);
	j->actor = str_dup(str_from(actor));
	pthread_mutex_unlock(&j->lock);
}

/* A record about to be written, in the form it is hashed and kept in. */
struct draft {
	struct buf body;
	char hash[HASH_SHA256_HEX];
};

/*
 * The text is read back before it is kept: a payload that would not survive the round trip (and
 * so would never verify again) is refused now, while somebody can still act on it.
 */
static enum err_status draft_record(
	struct journal *j, json_t *rec, struct draft *d, struct err *err)
{
	json_t *again = NULL;
	char hash[HASH_SHA256_HEX];

	buf_init(&d->body, MAX_RECORD_BYTES);
	char now[32];
	utc_rfc3339(env_now_ms(j->env), now);
	json_object_set_new(rec, "time", json_string(now));
	json_object_set_new(rec, "actor", json_string(j->actor));
	doc_sha256(rec, d->hash);
	json_object_set_new(rec, "hash", json_string(d->hash));
	doc_canonical(rec, &d->body);
	if (!buf_ok(&d->body)) {
		return err_set(err, ERR_LIMIT, "a %s record is longer than %zu MiB",
			doc_text_or(rec, "kind", "?"), MAX_RECORD_BYTES / 1024 / 1024);
	}
	enum err_status st = doc_parse(buf_view(&d->body), MAX_RECORD_BYTES, &again, err);
	if (st == ERR_OK) {
		json_object_del(again, "hash");
		doc_sha256(again, hash);
		if (strcmp(hash, d->hash) != 0) {
			st = err_set(err, ERR_INPUT,
				"the payload of a %s record can't be kept as JSON",
				doc_text_or(rec, "kind", "?"));
		}
	}
	json_decref(again);
	return st;
}

static json_t *bare_record(const char *case_id, int64_t seq, const char *kind,
	const json_t *payload, const char *prev)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:s}", "seq", (json_int_t)seq, "case", case_id,
		"kind", kind, "payload", payload ? json_deep_copy(payload) : json_object(),
		"prev", prev);
}

static void add_claim(json_t *claims, const char *prefix, const char *text)
{
	if (text != NULL && text[0] != '\0') {
		json_array_append_new(claims, json_sprintf("%s:%s", prefix, text));
	}
}

/* What only one open case may own. The finding comes first: it decides when both are owned. */
static json_t *claims_of(const json_t *opened)
{
	json_t *claims = json_array();
	json_t *more = doc_get(opened, "keys");
	json_t *v;
	size_t i;

	add_claim(claims, "finding", doc_text(opened, "finding_arn"));
	add_claim(claims, "key", doc_text(opened, "key"));
	json_array_foreach(more, i, v)
	{
		const char *key = json_string_value(v);
		if (key != NULL && strcmp(key, doc_text_or(opened, "key", "")) != 0) {
			add_claim(claims, "key", key);
		}
	}
	return claims;
}

static enum err_status find_open(
	struct journal *j, const json_t *claims, char out_id[STORE_CASE_ID], struct err *err)
{
	json_t *v;
	size_t i;

	out_id[0] = '\0';
	json_array_foreach(claims, i, v)
	{
		enum err_status st =
			j->store->v->find_claim(j->store, json_string_value(v), out_id, err);
		if (st != ERR_OK || out_id[0] != '\0') {
			return st;
		}
	}
	return ERR_OK;
}

static enum err_status create_case(struct journal *j, const json_t *opened,
	const json_t *claims, char out_id[STORE_CASE_ID], struct err *err)
{
	struct store_create c = { .claims = claims };
	struct draft d = { 0 };
	json_t *rec = NULL;
	enum err_status st = ERR_OK;
	char id[STORE_CASE_ID];

	c.year = utc_split(env_now_ms(j->env)).year;
	TRY(j->store->v->next_number(j->store, c.year, &c.number, err));
	(void)snprintf(id, sizeof id, "%04d-%04lld", c.year, (long long)c.number);
	rec = bare_record(id, 1, "case.opened", opened, NO_HASH);
	TRY(draft_record(j, rec, &d, err));
	c.case_id = id;
	c.body = buf_view(&d.body);
	c.hash = d.hash;
	CRASHPOINT("before a case is made");
	TRY(j->store->v->create(j->store, &c, err));
	CRASHPOINT("after a case was made");
	memcpy(out_id, id, sizeof id);
out:
	json_decref(rec);
	buf_deinit(&d.body);
	return st;
}

/* A short random wait spreads competitors; the k-th loser waits longer. */
static void back_off(struct journal *j, int tries)
{
	unsigned char r = 0;

	env_random(j->env, &r, 1);
	env_sleep_ms(j->env, r % (tries < 20 ? tries + 1 : 20));
}

enum err_status journal_case_open(struct journal *j, const json_t *opened_payload,
	char out_id[32], bool *joined, struct err *err)
{
	json_t *claims = claims_of(opened_payload);
	char id[STORE_CASE_ID] = "";
	enum err_status st = ERR_CONFLICT;
	bool found = false;

	pthread_mutex_lock(&j->lock);
	for (int tries = 0; st == ERR_CONFLICT && tries < MAX_TRIES; tries++) {
		if (tries > 0) {
			back_off(j, tries);
		}
		st = find_open(j, claims, id, err);
		found = st == ERR_OK && id[0] != '\0';
		if (found) {
			st = j->store->v->claim(j->store, id, claims, err);
		} else if (st == ERR_OK) {
			st = create_case(j, opened_payload, claims, id, err);
		}
	}
	pthread_mutex_unlock(&j->lock);
	if (st == ERR_OK) {
		memcpy(out_id, id, sizeof id);
		*joined = found;
	}
	json_decref(claims);
	return st;
}

enum err_status journal_claim(struct journal *j, const char *case_id, const char *key,
	char owner[32], struct err *err)
{
	char id[STORE_CASE_ID] = "";
	json_t *claim = json_array();
	enum err_status st = ERR_OK;

	add_claim(claim, "key", key);
	pthread_mutex_lock(&j->lock);
	if (case_id != NULL) {
		st = j->store->v->claim(j->store, case_id, claim, err);
	}
	if (st == ERR_OK) {
		st = j->store->v->find_claim(
			j->store, json_string_value(json_array_get(claim, 0)), id, err);
	}
	pthread_mutex_unlock(&j->lock);
	if (st == ERR_OK) {
		memcpy(owner, id, sizeof id);
	}
	json_decref(claim);
	return st;
}

static enum err_status append_once(struct journal *j, const char *case_id, const char *kind,
	const json_t *payload, int64_t *out_seq, struct err *err)
{
	struct store_head head = { 0 };
	struct draft d = { 0 };
	char keep[512];
	json_t *rec = NULL;
	enum err_status st = ERR_OK;

	TRY(j->store->v->head(j->store, case_id, &head, err));
	if (head.seq >= MAX_RECORDS) {
		st = err_set(err, ERR_LIMIT, "case %s holds %d records; open a new case",
			case_id, MAX_RECORDS);
		goto out;
	}
	rec = bare_record(case_id, head.seq + 1, kind, payload, head.hash);
	TRY(draft_record(j, rec, &d, err));
	struct store_put p = { .case_id = case_id,
		.seq = head.seq + 1,
		.hash = d.hash,
		.body = buf_view(&d.body),
		.now_ms = env_now_ms(j->env) };
	struct journal_lease *lease = journal_lease_of(j, case_id);
	if (lease != NULL) {
		p.fence = lease->fence;
		p.renew_until_ms = p.now_ms + lease->ttl_ms;
	}
	p.release_claims = strcmp(kind, "case.closed") == 0;
	const char *arn = doc_text(payload, "finding_arn");
	if (strcmp(kind, "case.suppressed") == 0 && arn != NULL) {
		(void)snprintf(keep, sizeof keep, "finding:%s", arn);
		p.keep_claim = keep;
	}
	if (strcmp(kind, "step.intent") == 0) {
		p.acted = doc_text(payload, "resource.id");
	}
	CRASHPOINT("before a record is written");
	TRY(j->store->v->put(j->store, &p, err));
	CRASHPOINT("after a record was written");
	if (lease != NULL && p.renew_until_ms > lease->until_ms) {
		lease->until_ms = p.renew_until_ms;
	}
	if (out_seq != NULL) {
		*out_seq = p.seq;
	}
out:
	json_decref(rec);
	buf_deinit(&d.body);
	return st;
}

enum err_status journal_append(struct journal *j, const char *case_id, const char *kind,
	const json_t *payload, int64_t *out_seq, struct err *err)
{
	enum err_status st = ERR_CONFLICT;

	if (kind == NULL || kind[0] == '\0' || (payload != NULL && !json_is_object(payload))) {
		BUG("a record needs a kind and an object");
	}
	pthread_mutex_lock(&j->lock);
	for (int tries = 0; st == ERR_CONFLICT && tries < MAX_TRIES; tries++) {
		if (tries > 0) {
			back_off(j, tries);
		}
		st = append_once(j, case_id, kind, payload, out_seq, err);
	}
	pthread_mutex_unlock(&j->lock);
	return st;
}

/*
 * A record as it was kept. One whose text is not exactly what cordon writes was changed by
 * somebody: it is shown as unreadable, so that the rest of the case can still be read and
 * journal_verify names this one.
 */
static enum err_status take_body(void *ctx, int64_t seq, struct str body, struct err *err)
{
	json_t *records = ctx;
	json_t *rec = NULL;
	struct buf canonical;

	(void)err;
	buf_init(&canonical, MAX_RECORD_BYTES);
	if (doc_parse(body, MAX_RECORD_BYTES, &rec, NULL) == ERR_OK) {
		doc_canonical(rec, &canonical);
	}
	if (rec == NULL || !json_is_object(rec) || !str_eq(buf_view(&canonical), body)) {
		json_decref(rec);
		rec = json_pack("{s:I, s:s, s:{}}", "seq", (json_int_t)seq, "kind",
			"unreadable", "payload");
	}
	buf_deinit(&canonical);
	json_array_append_new(records, rec);
	return ERR_OK;
}

enum err_status journal_read(
	struct journal *j, const char *case_id, json_t **out, struct err *err)
{
	json_t *records = json_array();

	pthread_mutex_lock(&j->lock);
	enum err_status st = j->store->v->read(j->store, case_id, take_body, records, err);
	pthread_mutex_unlock(&j->lock);
	if (st == ERR_OK && json_array_size(records) == 0) {
		st = err_set(err, ERR_NOT_FOUND,
			"there is no case %s; `cordon case list` shows those that exist",
			case_id);
	}
	if (st != ERR_OK) {
		json_decref(records);
		return st;
	}
	*out = records;
	return ERR_OK;
}

enum err_status journal_check(
	struct journal *j, const char *case_id, int64_t *n_records, struct err *err)
{
	struct store_head head = { 0 };
	json_t *records = NULL;
	enum err_status st = journal_read(j, case_id, &records, err);

	if (st == ERR_OK) {
		st = journal_verify(records, err);
	}
	if (st == ERR_OK) {
		pthread_mutex_lock(&j->lock);
		st = j->store->v->head(j->store, case_id, &head, err);
		pthread_mutex_unlock(&j->lock);
	}
	if (st == ERR_OK) {
		*n_records = head.seq;
	}
	json_decref(records);
	return st;
}

/* One line of a listing that still needs its state folded. */
struct listing {
	json_t *rows;
};

static enum err_status take_case(void *ctx, const struct store_case *c, struct err *err)
{
	struct listing *l = ctx;
	json_t *first = NULL;

	(void)err;
	if (doc_parse(c->first, MAX_RECORD_BYTES, &first, NULL) != ERR_OK) {
		first = json_object();
	}
	json_t *row = json_pack("{s:s, s:s, s:s}", "case", c->case_id, "opened",
		doc_text_or(first, "time", ""), "state",
		c->state_seq == c->head_seq ? c->state : "");
	static const char *const fields[] = { "title", "type", "severity", "account", "region",
		"resources" };
	json_t *payload = json_object_get(first, "payload");
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		json_t *v = json_object_get(payload, fields[i]);
		json_object_set_new(row, fields[i], v ? json_incref(v) : json_null());
	}
	json_array_append_new(l->rows, row);
	json_decref(first);
	return ERR_OK;
}

static void fold_state(struct journal *j, json_t *row)
{
	const char *id = doc_text_or(row, "case", "");
	json_t *records = NULL;
	json_t *view = NULL;

	if (doc_text_or(row, "state", "")[0] != '\0') {
		return;
	}
	if (journal_read(j, id, &records, NULL) == ERR_OK &&
		view_fold(records, &view, NULL) == ERR_OK) {
		const char *state = doc_text_or(view, "state", "open");
		json_object_set_new(row, "state", json_string(state));
		pthread_mutex_lock(&j->lock);
		j->store->v->cache_state(
			j->store, id, (int64_t)json_array_size(records), state);
		pthread_mutex_unlock(&j->lock);
	} else {
		json_object_set_new(row, "state", json_string("unreadable"));
	}
	json_decref(view);
	json_decref(records);
}

enum err_status journal_cases(struct journal *j, json_t **out, struct err *err)
{
	struct listing l = { .rows = json_array() };
	json_t *row;
	size_t i;

	pthread_mutex_lock(&j->lock);
	enum err_status st = j->store->v->cases(j->store, take_case, &l, err);
	pthread_mutex_unlock(&j->lock);
	if (st != ERR_OK) {
		json_decref(l.rows);
		return st;
	}
	json_array_foreach(l.rows, i, row)
	{
		fold_state(j, row);
	}
	*out = l.rows;
	return ERR_OK;
}

static enum err_status take_act(
	void *ctx, const char *resource, int64_t time_ms, struct err *err)
{
	json_t *newest = ctx;

	(void)err;
	if (json_integer_value(json_object_get(newest, resource)) < time_ms) {
		json_object_set_new(newest, resource, json_integer(time_ms));
	}
	return ERR_OK;
}

enum err_status journal_acts(struct journal *j, int64_t since_ms, json_t **out, struct err *err)
{
	json_t *newest = json_object();

	pthread_mutex_lock(&j->lock);
	enum err_status st = j->store->v->acts(j->store, since_ms, take_act, newest, err);
	pthread_mutex_unlock(&j->lock);
	if (st != ERR_OK) {
		json_decref(newest);
		return st;
	}
	*out = newest;
	return ERR_OK;
}

enum err_status journal_probe(struct journal *j, struct err *err)
{
	pthread_mutex_lock(&j->lock);
	enum err_status st = j->store->v->probe(j->store, err);
	pthread_mutex_unlock(&j->lock);
	return st;
}

const char *const *journal_calls(const char *where)
{
	static const char *const none[] = { NULL };
	static const char *const dynamodb[] = { "dynamodb:BatchGetItem",
		"dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem",
		"dynamodb:Query", "dynamodb:UpdateItem", NULL };

	return str_starts(str_from(where), STR("dynamodb:")) ? dynamodb : none;
}
