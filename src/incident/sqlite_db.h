/*
 * The SQLite file of the store: opened, checked, given its schema; statements run on it; its
 * errors in words. Internal to src/incident.
 */
#ifndef CORDON_INCIDENT_SQLITE_DB_H
#define CORDON_INCIDENT_SQLITE_DB_H

#include "base/err.h"
#include "base/str.h"

#include <sqlite3.h>
#include <stdarg.h>

struct sqlite_db {
	sqlite3 *db;
	char *path;
	bool read_only;
};

/* Into a zeroed struct; close it also after a failure. */
ERR_MUST_CHECK enum err_status sqlite_db_open(
	struct sqlite_db *s, const char *path, struct err *err);
void sqlite_db_close(struct sqlite_db *s);
/* What SQLite's result means for a person, in one sentence with the next step. */
enum err_status sqlite_db_fail(
	const struct sqlite_db *s, int rc, const char *doing, struct err *err);
/* Prepares a statement; `types` of what is bound: t text, b struct str *, i int64_t. */
ERR_MUST_CHECK enum err_status sqlite_db_query(struct sqlite_db *s, sqlite3_stmt **out,
	struct err *err, const char *sql, const char *types, ...);
/* Runs a statement that gives no rows; a broken constraint is ERR_CONFLICT. */
ERR_MUST_CHECK enum err_status sqlite_db_run(
	struct sqlite_db *s, struct err *err, const char *sql, const char *types, ...);
/* Takes the write lock. */
ERR_MUST_CHECK enum err_status sqlite_db_begin(struct sqlite_db *s, struct err *err);
/* Ends the transaction: commits after ERR_OK, else rolls back and passes `st` on. */
ERR_MUST_CHECK enum err_status sqlite_db_end(
	struct sqlite_db *s, enum err_status st, struct err *err);
/* Text of a column, borrowed until the next step. */
struct str sqlite_db_column(sqlite3_stmt *stmt, int i);
void sqlite_db_column_copy(sqlite3_stmt *stmt, int i, char *out, size_t size);

#endif
