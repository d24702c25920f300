/* An investigation written in the forms of report/export.h: one to stdout, or all into a folder. */
#ifndef CORDON_APP_EXPORTS_H
#define CORDON_APP_EXPORTS_H

#include "app/app.h"

/* The values of a --format option. */
#define EXPORTS_FORMATS "csv|jsonl|timesketch|timesketch-csv|bodyfile|navigator|markdown"

/* Prints the investigation in the form named. `case_id` may be NULL. */
ERR_MUST_CHECK enum err_status exports_print(struct app *app, const json_t *investigation,
	const char *name, const char *case_id, struct err *err);
/*
 * Writes investigation.json and every form into `dir`, which is made when it isn't there. ERR_USAGE
 * when a file is there already and `force` is not set.
 */
ERR_MUST_CHECK enum err_status exports_write(struct app *app, const json_t *investigation,
	const char *dir, bool force, struct err *err);

#endif
