#include "incident/sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS        10000
#define APPLICATION_ID 0x636f7264 /* "cord" */
#define SCHEMA_VERSION 2
#define MAX_BODY_BYTES (64 * 1024 * 1024)

/*
 * The triggers make "append only" a property of the file, not of this program: another tool that
 * opens it is refused too. The sequence trigger is also the compare-and-swap.
 */
static const char schema[] =
	"CREATE TABLE cases(case_id TEXT PRIMARY KEY, year INTEGER NOT NULL, number INTEGER "
	"NOT NULL,"
	" head_seq INTEGER NOT NULL, head_hash TEXT NOT NULL,"
	" closed INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT '', state_seq INTEGER "
	"NOT NULL DEFAULT 0,"
	" UNIQUE(year, number)) STRICT;"
	"CREATE TABLE records(case_id TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL,"
	" body TEXT NOT NULL, PRIMARY KEY(case_id, seq)) STRICT;"
	"CREATE TRIGGER records_in_order BEFORE INSERT ON records WHEN NEW.seq IS NOT"
	" (SELECT coalesce(max(seq), 0) + 1 FROM records WHERE case_id = NEW.case_id)"
	" BEGIN SELECT RAISE(ABORT, 'records are appended in order'); END;"
	"CREATE TRIGGER records_keep BEFORE UPDATE ON records"
	" BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;"
	"CREATE TRIGGER records_stay BEFORE DELETE ON records"
	" BEGIN SELECT RAISE(ABORT, 'records are never removed'); END;"
	"CREATE TABLE claims(claim TEXT PRIMARY KEY, case_id TEXT NOT NULL,"
	" kept INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE INDEX claims_of_case ON claims(case_id);"
	"CREATE TABLE leases(case_id TEXT PRIMARY KEY, holder TEXT NOT NULL, fence INTEGER NOT "
	"NULL,"
	" until_ms INTEGER NOT NULL) STRICT;";

/* What schema 2 added: which resources were acted on lately. */
static const char schema_2[] =
	"CREATE TABLE acts(resource TEXT PRIMARY KEY, time_ms INTEGER NOT NULL) STRICT;"
	"CREATE INDEX acts_by_time ON acts(time_ms);";

/* A full disk has many faces: the shared memory of the write-ahead log is a file there too. */
static bool no_space(const struct sqlite_db *s, int rc)
{
	int reason = sqlite3_system_errno(s->db);

	return (rc & 0xff) == SQLITE_IOERR &&
	       (sqlite3_extended_errcode(s->db) == SQLITE_IOERR_SHMSIZE || reason == ENOSPC ||
		       reason == EDQUOT || reason == EFBIG);
}

/* What SQLite's result means for a person, in one sentence with the next step. */
enum err_status sqlite_db_fail(
	const struct sqlite_db *s, int rc, const char *doing, struct err *err)
{
	switch (no_space(s, rc) ? SQLITE_FULL : rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_IO,
			"%s %s: another process has held the store locked for %d s; "
			"end it or wait, then run this again",
			doing, s->path, BUSY_MS / 1000);
	case SQLITE_FULL:
		return err_set(err, ERR_IO,
			"%s %s: the disk is full; nothing was recorded; free some space and "
			"run this again",
			doing, s->path);
	case SQLITE_READONLY:
		return err_set(err, ERR_IO,
			"%s %s: the file or its folder is read-only for this user; fix its "
			"permissions or set `state` to another place",
			doing, s->path);
	case SQLITE_CANTOPEN:
		return err_set(err, ERR_IO,
			"%s %s: the files beside it can't be made, as in a read-only folder; "
			"fix the folder's permissions or set `state` to another place",
			doing, s->path);
	case SQLITE_CORRUPT:
		return err_set(err, ERR_INTEGRITY,
			"%s %s: the store is damaged (%s); keep this file as it is and restore "
			"a copy",
			doing, s->path, sqlite3_errmsg(s->db));
	case SQLITE_NOTADB:
		return err_set(err, ERR_CONFIG,
			"%s %s: the file is not a cordon store; set `state` to another path",
			doing, s->path);
	default:
		break;
	}
	return err_set(err, ERR_IO, "%s %s: %s (SQLite %d)", doing, s->path,
		sqlite3_errmsg(s->db), sqlite3_extended_errcode(s->db));
}

/* Prepares a statement and binds `types`: t text, b slice (struct str *), i int64_t. */
static enum err_status prepare(struct sqlite_db *s, sqlite3_stmt **out, struct err *err,
	const char *sql, const char *types, va_list ap)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	for (int i = 0; rc == SQLITE_OK && types[i] != '\0'; i++) {
		if (types[i] == 'i') {
			rc = sqlite3_bind_int64(st, i + 1, va_arg(ap, int64_t));
		} else if (types[i] == 'b') {
			const struct str *b = va_arg(ap, const struct str *);
			rc = sqlite3_bind_text64(
				st, i + 1, b->p, b->n, SQLITE_STATIC, SQLITE_UTF8);
		} else {
			rc = sqlite3_bind_text(
				st, i + 1, va_arg(ap, const char *), -1, SQLITE_STATIC);
		}
	}
	if (rc != SQLITE_OK) {
		sqlite3_finalize(st);
		return sqlite_db_fail(s, rc, "reading", err);
	}
	*out = st;
	return ERR_OK;
}

enum err_status sqlite_db_query(struct sqlite_db *s, sqlite3_stmt **out, struct err *err,
	const char *sql, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	enum err_status st = prepare(s, out, err, sql, types, ap);
	va_end(ap);
	return st;
}

/* Runs a statement that gives no rows; a broken constraint is ERR_CONFLICT. */
enum err_status sqlite_db_run(
	struct sqlite_db *s, struct err *err, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	va_list ap;

	va_start(ap, types);
	enum err_status st = prepare(s, &stmt, err, sql, types, ap);
	va_end(ap);
	if (st != ERR_OK) {
		return st;
	}
	int rc = sqlite3_step(stmt);
	if ((rc & 0xff) == SQLITE_CONSTRAINT) {
		st = err_set(err, ERR_CONFLICT, "%s: %s", s->path, sqlite3_errmsg(s->db));
	} else if (rc != SQLITE_DONE) {
		st = sqlite_db_fail(s, rc, "writing", err);
	}
	sqlite3_finalize(stmt);
	return st;
}

enum err_status sqlite_db_begin(struct sqlite_db *s, struct err *err)
{
	if (s->read_only) {
		return sqlite_db_fail(s, SQLITE_READONLY, "writing", err);
	}
	return sqlite_db_run(s, err, "BEGIN IMMEDIATE", "");
}

/* Ends the transaction: commits after ERR_OK, else rolls back and passes `st` on. */
enum err_status sqlite_db_end(struct sqlite_db *s, enum err_status st, struct err *err)
{
	if (st == ERR_OK) {
		st = sqlite_db_run(s, err, "COMMIT", "");
	}
	if (st != ERR_OK && sqlite3_get_autocommit(s->db) == 0) {
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	}
	return st;
}

struct str sqlite_db_column(sqlite3_stmt *stmt, int i)
{
	return (struct str){ (const char *)sqlite3_column_text(stmt, i),
		(size_t)sqlite3_column_bytes(stmt, i) };
}

void sqlite_db_column_copy(sqlite3_stmt *stmt, int i, char *out, size_t size)
{
	struct str s = sqlite_db_column(stmt, i);

	(void)snprintf(out, size, "%.*s", STR_ARG(s));
}

static enum err_status no_place(const char *what, const char *path, int error, struct err *err)
{
	return err_set(err, ERR_IO,
		"%s %s: %s; fix its permissions or the disk, or set `state` to another place",
		what, path, err_errno(error));
}

/* Makes the missing folders above the file, and the file itself, closed to other users. */
static enum err_status make_file(const char *path, struct err *err)
{
	char *copy = str_dup(str_from(path));
	enum err_status st = ERR_OK;

	for (char *p = copy + 1; *p != '\0' && st == ERR_OK; p++) {
		if (*p != '/') {
			continue;
		}
		*p = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST) {
			st = no_place("making the folder of the store", copy, errno, err);
		}
		*p = '/';
	}
	free(copy);
	if (st != ERR_OK) {
		return st;
	}
	/*
	 * Only a new file is opened here: to close one that another handle of this process has open would
	 * drop that one's POSIX locks, and two writers would then spoil the file.
	 */
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close(fd);
		return ERR_OK;
	}
	/* One that is there is SQLite's to open; perhaps it may only be read. */
	int error = errno;
	bool closed = error == EEXIST || error == EACCES || error == EROFS || error == EPERM;
	return closed && access(path, F_OK) == 0
		       ? ERR_OK
		       : no_place("opening the store", path, error, err);
}

static enum err_status pragma_int(
	struct sqlite_db *s, const char *sql, int64_t *out, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	enum err_status st = sqlite_db_query(s, &stmt, err, sql, "");

	if (st != ERR_OK) {
		return st;
	}
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(stmt, 0);
	} else {
		st = sqlite_db_fail(s, rc, "opening", err);
	}
	sqlite3_finalize(stmt);
	return st;
}

/* An empty file gets the schema; one of ours is checked; anything else is refused. */
static enum err_status settle_schema(struct sqlite_db *s, struct err *err)
{
	int64_t id = 0, version = 0, tables = 0;
	enum err_status st = ERR_OK;

	TRY(pragma_int(s, "PRAGMA application_id", &id, err));
	TRY(pragma_int(s, "PRAGMA user_version", &version, err));
	TRY(pragma_int(s, "SELECT count(*) FROM sqlite_schema", &tables, err));
	if (id == APPLICATION_ID && version == SCHEMA_VERSION) {
		return ERR_OK;
	}
	if (id == APPLICATION_ID && version > SCHEMA_VERSION) {
		return err_set(err, ERR_CONFIG,
			"%s was written by a newer cordon (schema %lld, this one knows %d); "
			"use that version",
			s->path, (long long)version, SCHEMA_VERSION);
	}
	if (id == APPLICATION_ID && s->read_only) {
		return ERR_OK; /* an older one is read as it is */
	}
	if (tables != 0 && id != APPLICATION_ID) {
		return err_set(err, ERR_CONFIG,
			"%s is a database of another program; set `state` to another path",
			s->path);
	}
	char sql[sizeof schema + sizeof schema_2 + 128];
	(void)snprintf(sql, sizeof sql,
		"%s%sPRAGMA application_id = %d; PRAGMA user_version = %d;",
		id == APPLICATION_ID ? "" : schema, schema_2, APPLICATION_ID, SCHEMA_VERSION);
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		return sqlite_db_fail(s, rc, "preparing", err);
	}
out:
	return st;
}

static enum err_status set_up(struct sqlite_db *s, struct err *err)
{
	int rc = sqlite3_open_v2(s->path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

	if (rc != SQLITE_OK) {
		return sqlite_db_fail(s, rc, "opening", err);
	}
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, MAX_BODY_BYTES);
	s->read_only = sqlite3_db_readonly(s->db, "main") == 1;
	rc = sqlite3_exec(s->db,
		s->read_only ? "PRAGMA trusted_schema = OFF"
			     : "PRAGMA trusted_schema = OFF; PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL",
		NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		return sqlite_db_fail(s, rc, "opening", err);
	}
	if (s->read_only) {
		return settle_schema(s, err);
	}
	/* Two processes may find the file empty at once: the second waits here and looks again. */
	enum err_status st = sqlite_db_begin(s, err);
	if (st == ERR_OK) {
		st = sqlite_db_end(s, settle_schema(s, err), err);
	}
	return st;
}

enum err_status sqlite_db_open(struct sqlite_db *s, const char *path, struct err *err)
{
	enum err_status st = make_file(path, err);

	if (st != ERR_OK) {
		return st;
	}
	s->path = str_dup(str_from(path));
	return set_up(s, err);
}

void sqlite_db_close(struct sqlite_db *s)
{
	sqlite3_close(s->db);
	free(s->path);
}
