#include "app/logtool.h"

#include "base/spool.h"

#include <string.h>

#define SPOOL_MEMORY ((size_t)96 * 1024 * 1024)
#define LINE_BYTES   SPOOL_LINE_MAX

static const struct app_option options[] = {
	SPAN_OPTIONS,
	{ "format", 0, "FORMAT",
		N_("For other tools: Timesketch as JSONL or CSV, or a body file for mactime"),
		"timesketch|timesketch-csv|bodyfile" },
	{ "case", 0, "ID", N_("Case id to put into every row for Timesketch"), NULL },
	{ "copies", 0, NULL, N_("Also show records that were read before"), NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

struct lines {
	struct spool *spool;
	struct buf line;
	enum export_form form;
	struct str case_id;
	enum err_status st;
	struct err *err;
};

static void take(void *ctx, const struct record *rec)
{
	struct lines *l = ctx;
	struct export_row row;
	if (l->st != ERR_OK) {
		return;
	}
	logtool_row(rec, &row);
	row.case_id = l->case_id;
	buf_reset(&l->line);
	export_row_write(l->form, &row, &l->line);
	l->st = spool_add(l->spool, rec->time_ms, buf_view(&l->line), l->err);
}

static bool print(void *ctx, struct str line)
{
	(void)ctx;
	return fwrite(line.p, 1, line.n, stdout) == line.n;
}

static enum export_form form_of(const struct app *app)
{
	const char *name = app_opt(app, "format");
	if (!name) {
		return logtool_form(app);
	}
	if (!strcmp(name, "bodyfile")) {
		return EXPORT_BODY;
	}
	return !strcmp(name, "timesketch") ? EXPORT_TIMESKETCH : EXPORT_TIMESKETCH_CSV;
}

static enum err_status run(struct app *app, struct err *err)
{
	struct logtool tool;
	struct lines l = { .form = form_of(app), .err = err };
	enum err_status st = logtool_read(app, &tool, 0, err);
	if (st != ERR_OK) {
		return st;
	}
	l.case_id = str_from(app_opt(app, "case"));
	l.spool = spool_new(app->env, SPOOL_MEMORY);
	buf_init(&l.line, LINE_BYTES);
	TRY(logtool_walk(&tool, 0, take, &l, err));
	TRY(l.st);
	printf("%s", export_row_head(l.form));
	TRY(spool_each(l.spool, print, NULL, err));
out:
	buf_deinit(&l.line);
	spool_free(l.spool);
	return st;
}

const struct app_command cmd_timeline = {
	.name = "timeline",
	.usage = "[FIELD=VALUE...] PATH|s3://BUCKET/PREFIX...",
	.summary = N_("Put the records of all logs in order of time"),
	.text = N_("Reads every format that investigate reads, from files, folders and "
		   "standard input (-), and prints one line a record, in order of time, "
		   "whatever file it came from. What memory does not hold is sorted on disk "
		   "(TMPDIR). Conditions are those of search. Copies of a record are left out. "
		   "Lines without a year get the one nearest to the time of their file. Exit "
		   "code 6 when something could not be read; it is named on standard error."),
	.examples = "cordon timeline AWSLogs/ access.log auth.log\t" N_(
		"everything in order") "\n"
				       "cordon timeline ip=198.51.100.77 logs/ "
				       "--output csv\t" N_(
					       "what an address did, for a "
					       "spreadsheet") "\n"
							      "cordon timeline "
							      "logs/ --since "
							      "24h --format "
							      "timesketch\t" N_(
								      "the last day, for "
								      "Timesketch") "\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
