#include "incident/store.h"

#include "incident/holder.h"
#include "incident/sqlite_db.h"

#include <stdlib.h>
#include <string.h>

struct sqlite {
	struct store base;
	struct sqlite_db db;
};

static struct sqlite_db *self(struct store *s)
{
	return &((struct sqlite *)s)->db;
}

static enum err_status sqlite_next_number(
	struct store *base, int year, int64_t *number, struct err *err)
{
	struct sqlite_db *s = self(base);
	sqlite3_stmt *stmt = NULL;
	enum err_status st = sqlite_db_query(s, &stmt, err,
		"SELECT coalesce(max(number), 0) + 1 FROM cases WHERE year = ?", "i",
		(int64_t)year);

	if (st != ERR_OK) {
		return st;
	}
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*number = sqlite3_column_int64(stmt, 0);
	} else {
		st = sqlite_db_fail(s, rc, "reading", err);
	}
	sqlite3_finalize(stmt);
	return st;
}

static enum err_status sqlite_find_claim(
	struct store *base, const char *claim, char out_id[STORE_CASE_ID], struct err *err)
{
	struct sqlite_db *s = self(base);
	sqlite3_stmt *stmt = NULL;
	enum err_status st = sqlite_db_query(
		s, &stmt, err, "SELECT case_id FROM claims WHERE claim = ?", "t", claim);

	if (st != ERR_OK) {
		return st;
	}
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		sqlite_db_column_copy(stmt, 0, out_id, STORE_CASE_ID);
	} else if (rc == SQLITE_DONE) {
		out_id[0] = '\0';
	} else {
		st = sqlite_db_fail(s, rc, "reading", err);
	}
	sqlite3_finalize(stmt);
	return st;
}

static enum err_status sqlite_create(
	struct store *base, const struct store_create *c, struct err *err)
{
	struct sqlite_db *s = self(base);
	enum err_status st = sqlite_db_begin(s, err);

	if (st != ERR_OK) {
		return st;
	}
	TRY(sqlite_db_run(s, err,
		"INSERT INTO cases(case_id, year, number, head_seq, head_hash) VALUES(?, ?, ?, "
		"1, ?)",
		"tiit", c->case_id, (int64_t)c->year, c->number, c->hash));
	size_t i;
	json_t *v;
	json_array_foreach(c->claims, i, v)
	{
		TRY(sqlite_db_run(s, err, "INSERT INTO claims(claim, case_id) VALUES(?, ?)",
			"tt", json_string_value(v), c->case_id));
	}
	TRY(sqlite_db_run(s, err,
		"INSERT INTO records(case_id, seq, hash, body) VALUES(?, 1, ?, ?)", "ttb",
		c->case_id, c->hash, &c->body));
out:
	return sqlite_db_end(s, st, err);
}

static enum err_status sqlite_claim(
	struct store *base, const char *case_id, const json_t *claims, struct err *err)
{
	struct sqlite_db *s = self(base);
	enum err_status st = sqlite_db_begin(s, err);

	if (st != ERR_OK) {
		return st;
	}
	size_t i;
	json_t *v;
	json_array_foreach(claims, i, v)
	{
		TRY(sqlite_db_run(s, err,
			"INSERT OR IGNORE INTO claims(claim, case_id)"
			" SELECT ?, case_id FROM cases WHERE case_id = ? AND closed = 0",
			"tt", json_string_value(v), case_id));
	}
out:
	return sqlite_db_end(s, st, err);
}

static enum err_status sqlite_head(
	struct store *base, const char *case_id, struct store_head *head, struct err *err)
{
	struct sqlite_db *s = self(base);
	sqlite3_stmt *stmt = NULL;
	enum err_status st = sqlite_db_query(s, &stmt, err,
		"SELECT c.head_seq, c.head_hash,"
		" coalesce((SELECT max(seq) FROM records WHERE case_id = c.case_id), 0),"
		" coalesce((SELECT hash FROM records WHERE case_id = c.case_id AND seq = "
		"c.head_seq), '')"
		" FROM cases c WHERE c.case_id = ?",
		"t", case_id);

	if (st != ERR_OK) {
		return st;
	}
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE) {
		st = err_set(err, ERR_NOT_FOUND, "there is no case %s in %s", case_id, s->path);
	} else if (rc != SQLITE_ROW) {
		st = sqlite_db_fail(s, rc, "reading", err);
	} else if (sqlite3_column_int64(stmt, 0) != sqlite3_column_int64(stmt, 2) ||
		   !str_eq(sqlite_db_column(stmt, 1), sqlite_db_column(stmt, 3))) {
		st = err_set(err, ERR_INTEGRITY,
			"case %s: its last record was number %lld, the store now ends at "
			"number %lld with another hash or length; records were removed, added "
			"or changed behind cordon's back",
			case_id, (long long)sqlite3_column_int64(stmt, 0),
			(long long)sqlite3_column_int64(stmt, 2));
	} else {
		head->seq = sqlite3_column_int64(stmt, 0);
		sqlite_db_column_copy(stmt, 1, head->hash, sizeof head->hash);
	}
	sqlite3_finalize(stmt);
	return st;
}

/* The lease this append was made under must not have been taken over; then it is prolonged. */
static enum err_status check_fence(
	struct sqlite_db *s, const struct store_put *p, struct err *err)
{
	if (p->fence == 0) {
		return ERR_OK;
	}
	enum err_status st = sqlite_db_run(s, err,
		"UPDATE leases SET until_ms = max(until_ms, ?) WHERE case_id = ? AND fence = ?",
		"iti", p->renew_until_ms, p->case_id, p->fence);
	if (st == ERR_OK && sqlite3_changes(s->db) != 1) {
		st = err_set(err, ERR_REFUSED,
			"case %s: another process took the case over; this one stops",
			p->case_id);
	}
	return st;
}

static enum err_status put_claims(
	struct sqlite_db *s, const struct store_put *p, struct err *err)
{
	enum err_status st = ERR_OK;

	if (p->keep_claim != NULL) {
		TRY(sqlite_db_run(s, err,
			"INSERT INTO claims(claim, case_id, kept) VALUES(?, ?, 1) ON "
			"CONFLICT(claim) DO UPDATE SET kept = 1 WHERE case_id = "
			"excluded.case_id",
			"tt", p->keep_claim, p->case_id));
	}
	if (p->release_claims) {
		TRY(sqlite_db_run(s, err, "UPDATE cases SET closed = 1 WHERE case_id = ?", "t",
			p->case_id));
		TRY(sqlite_db_run(s, err, "DELETE FROM claims WHERE case_id = ? AND kept = 0",
			"t", p->case_id));
	}
out:
	return st;
}

static enum err_status put_act(struct sqlite_db *s, const struct store_put *p, struct err *err)
{
	if (p->acted == NULL) {
		return ERR_OK;
	}
	enum err_status st = sqlite_db_run(s, err,
		"INSERT INTO acts(resource, time_ms) VALUES(?, ?) ON CONFLICT(resource) DO"
		" UPDATE SET time_ms = max(time_ms, excluded.time_ms)",
		"ti", p->acted, p->now_ms);
	if (st == ERR_OK) {
		st = sqlite_db_run(s, err, "DELETE FROM acts WHERE time_ms < ?", "i",
			p->now_ms - STORE_ACTS_MS);
	}
	return st;
}

static enum err_status sqlite_put(
	struct store *base, const struct store_put *p, struct err *err)
{
	struct sqlite_db *s = self(base);
	enum err_status st = sqlite_db_begin(s, err);

	if (st != ERR_OK) {
		return st;
	}
	TRY(check_fence(s, p, err));
	TRY(sqlite_db_run(s, err,
		"INSERT INTO records(case_id, seq, hash, body) VALUES(?, ?, ?, ?)", "titb",
		p->case_id, p->seq, p->hash, &p->body));
	TRY(sqlite_db_run(s, err,
		"UPDATE cases SET head_seq = ?, head_hash = ? WHERE case_id = ?", "itt", p->seq,
		p->hash, p->case_id));
	TRY(put_claims(s, p, err));
	st = put_act(s, p, err);
out:
	return sqlite_db_end(s, st, err);
}

static enum err_status sqlite_read(
	struct store *base, const char *case_id, store_body_fn fn, void *ctx, struct err *err)
{
	struct sqlite_db *s = self(base);
	sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_ROW;
	enum err_status st = sqlite_db_query(s, &stmt, err,
		"SELECT seq, body FROM records WHERE case_id = ? ORDER BY seq", "t", case_id);

	while (st == ERR_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		st = fn(ctx, sqlite3_column_int64(stmt, 0), sqlite_db_column(stmt, 1), err);
	}
	if (st == ERR_OK && rc != SQLITE_DONE) {
		st = sqlite_db_fail(s, rc, "reading", err);
	}
	sqlite3_finalize(stmt);
	return st;
}

static enum err_status sqlite_cases(
	struct store *base, store_case_fn fn, void *ctx, struct err *err)
{
	struct sqlite_db *s = self(base);
	sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_ROW;
	enum err_status st = sqlite_db_query(s, &stmt, err,
		"SELECT c.case_id, coalesce(r.body, ''), c.head_seq, c.state, c.state_seq FROM "
		"cases c"
		" LEFT JOIN records r ON r.case_id = c.case_id AND r.seq = 1"
		" ORDER BY c.year DESC, c.number DESC",
		"");

	while (st == ERR_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct store_case c = {
			.case_id = (const char *)sqlite3_column_text(stmt, 0),
			.first = sqlite_db_column(stmt, 1),
			.head_seq = sqlite3_column_int64(stmt, 2),
			.state = (const char *)sqlite3_column_text(stmt, 3),
			.state_seq = sqlite3_column_int64(stmt, 4),
		};
		st = fn(ctx, &c, err);
	}
	if (st == ERR_OK && rc != SQLITE_DONE) {
		st = sqlite_db_fail(s, rc, "reading", err);
	}
	sqlite3_finalize(stmt);
	return st;
}

static void sqlite_cache_state(
	struct store *base, const char *case_id, int64_t seq, const char *state)
{
	struct sqlite_db *s = self(base);

	if (!s->read_only &&
		sqlite_db_run(s, NULL,
			"UPDATE cases SET state = ?, state_seq = ? WHERE case_id = ?", "tit",
			state, seq, case_id) != ERR_OK) {
		return; /* the next listing folds the case again */
	}
}

static enum err_status sqlite_lease(struct store *base, const struct store_lease *l,
	int64_t *fence, char holder[STORE_HOLDER], struct err *err)
{
	struct sqlite_db *s = self(base);
	sqlite3_stmt *stmt = NULL;
	enum err_status st = sqlite_db_begin(s, err);

	holder[0] = '\0';
	if (st != ERR_OK) {
		return st;
	}
	/* The fence rises with each new holder, never with a renewal. */
	TRY(sqlite_db_run(s, err,
		"INSERT INTO leases(case_id, holder, fence, until_ms) VALUES(?1, ?2, 1, ?3)"
		" ON CONFLICT(case_id) DO UPDATE SET until_ms = ?3,"
		" fence = fence + (holder IS NOT ?2), holder = ?2"
		" WHERE holder = ?2 OR holder = '' OR holder = ?4 OR until_ms <= ?5",
		"ttiti", l->case_id, l->holder, l->until_ms, l->replace ? l->replace : "",
		l->now_ms));
	TRY(sqlite_db_query(s, &stmt, err, "SELECT holder, fence FROM leases WHERE case_id = ?",
		"t", l->case_id));
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		st = sqlite_db_fail(s, rc, "reading", err);
		goto out;
	}
	sqlite_db_column_copy(stmt, 0, holder, STORE_HOLDER);
	if (strcmp(holder, l->holder) != 0) {
		st = holder_busy(l->case_id, err);
	} else {
		*fence = sqlite3_column_int64(stmt, 1);
	}
out:
	sqlite3_finalize(stmt);
	return sqlite_db_end(s, st, err);
}

static void sqlite_unlease(struct store *base, const char *case_id, const char *holder)
{
	struct sqlite_db *s = self(base);

	/* The row stays, so that the fence keeps rising. A failure leaves it to expire. */
	if (sqlite_db_run(s, NULL,
		    "UPDATE leases SET holder = '', until_ms = 0 WHERE case_id = ? AND holder "
		    "= ?",
		    "tt", case_id, holder) != ERR_OK) {
		return;
	}
}

static enum err_status sqlite_acts(
	struct store *base, int64_t since_ms, store_act_fn fn, void *ctx, struct err *err)
{
	struct sqlite_db *s = self(base);
	sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_ROW;
	enum err_status st = sqlite_db_query(s, &stmt, err,
		"SELECT resource, time_ms FROM acts WHERE time_ms >= ?", "i", since_ms);

	while (st == ERR_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		st = fn(ctx, (const char *)sqlite3_column_text(stmt, 0),
			sqlite3_column_int64(stmt, 1), err);
	}
	if (st == ERR_OK && rc != SQLITE_DONE) {
		st = sqlite_db_fail(s, rc, "reading", err);
	}
	sqlite3_finalize(stmt);
	return st;
}

/* A transaction that changes something and takes it back meets what a real one would meet. */
static enum err_status sqlite_probe(struct store *base, struct err *err)
{
	struct sqlite_db *s = self(base);
	enum err_status st = sqlite_db_begin(s, err);

	if (st != ERR_OK) {
		return st;
	}
	st = sqlite_db_run(
		s, err, "INSERT INTO acts(resource, time_ms) VALUES('probe', 0)", "");
	enum err_status end = sqlite_db_end(s, st == ERR_OK ? ERR_REFUSED : st, NULL);
	return st == ERR_OK && end == ERR_REFUSED ? ERR_OK : st;
}

static void sqlite_close(struct store *base)
{
	sqlite_db_close(self(base));
	free((struct sqlite *)base);
}

static const struct store_vtable vtable = {
	.close = sqlite_close,
	.next_number = sqlite_next_number,
	.find_claim = sqlite_find_claim,
	.create = sqlite_create,
	.claim = sqlite_claim,
	.head = sqlite_head,
	.put = sqlite_put,
	.read = sqlite_read,
	.cases = sqlite_cases,
	.cache_state = sqlite_cache_state,
	.lease = sqlite_lease,
	.unlease = sqlite_unlease,
	.acts = sqlite_acts,
	.probe = sqlite_probe,
};

enum err_status store_sqlite_open(const char *path, struct store **out, struct err *err)
{
	struct sqlite *s = calloc(1, sizeof *s);

	if (s == NULL) {
		BUG("out of memory");
	}
	s->base = (struct store){ .v = &vtable };
	enum err_status st = sqlite_db_open(&s->db, path, err);
	if (st != ERR_OK) {
		sqlite_close(&s->base);
		return st;
	}
	*out = &s->base;
	return ERR_OK;
}
