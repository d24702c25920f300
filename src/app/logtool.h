/* What timeline, search and summary share: they read logs record by record and judge nothing. */
#ifndef CORDON_APP_LOGTOOL_H
#define CORDON_APP_LOGTOOL_H

#include "analysis/query.h"
#include "analysis/walk.h"
#include "app/span.h"
#include "report/export_row.h"

/* What was asked for. */
struct logtool {
	struct app *app;
	struct span span;
	struct query query;
	const char *const *paths;
	size_t n_paths;
	const struct source *source; /* of paths that are no files of this machine; or NULL */
	bool copies;                 /* show records that were read before */
};

/*
 * Takes the arguments apart: conditions come first, what is left are paths. ERR_USAGE when there
 * is no path, or fewer than `least` conditions.
 */
ERR_MUST_CHECK enum err_status logtool_read(
	struct app *app, struct logtool *out, size_t least, struct err *err);
/*
 * Walks the records and calls `fn` for those that are asked for. Afterwards, says on stderr what
 * was not read. ERR_PARTIAL when something was not.
 */
ERR_MUST_CHECK enum err_status logtool_walk(
	struct logtool *t, int threads, reader_record_fn fn, void *ctx, struct err *err);
/* The record as a row; slices into the record. */
void logtool_row(const struct record *rec, struct export_row *out);
/* The form of rows that --output asks for. */
enum export_form logtool_form(const struct app *app);

#endif
