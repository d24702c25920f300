#include "app/logtool.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES ((size_t)1024 * 1024)

static const struct app_option options[] = {
	SPAN_OPTIONS,
	{ "raw", 0, NULL, N_("Print the records as they stand in the log, one a line"), NULL },
	{ "count", 0, NULL, N_("Print only how many there are"), NULL },
	{ "limit", 0, "N", N_("Stop printing after so many"), NULL },
	{ "copies", 0, NULL, N_("Also show records that were read before"), NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

struct hits {
	enum export_form form;
	struct buf line;
	bool raw, count;
	uint64_t n, limit;
};

/* A record of JSON may be spread over lines; white space between its values is not part of it. */
static void put_raw(struct str text, struct buf *out)
{
	bool quoted = false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		quoted ^= c == '"' && (i == 0 || text.p[i - 1] != '\\');
		bool breaks = c == '\n' || c == '\r';
		buf_putc(out, (char)(!quoted && breaks ? ' ' : c));
	}
	buf_putc(out, '\n');
}

static void take(void *ctx, const struct record *rec)
{
	struct hits *h = ctx;
	struct export_row row;
	if (++h->n > h->limit || h->count) {
		return;
	}
	buf_reset(&h->line);
	if (h->raw) {
		put_raw(rec->text, &h->line);
	} else {
		logtool_row(rec, &row);
		export_row_write(h->form, &row, &h->line);
	}
	(void)fwrite(h->line.p, 1, h->line.n, stdout);
}

static enum err_status read_limit(struct app *app, uint64_t *out, struct err *err)
{
	int64_t n = 0;
	const char *text = app_opt(app, "limit");
	*out = UINT64_MAX;
	if (text && (!str_to_i64(str_from(text), &n) || n < 1)) {
		return err_set(err, ERR_USAGE, "--limit %s is no number of records", text);
	}
	if (text) {
		*out = (uint64_t)n;
	}
	return ERR_OK;
}

static enum err_status run(struct app *app, struct err *err)
{
	struct logtool tool;
	struct hits h = { .form = logtool_form(app),
		.raw = app_opt(app, "raw") != NULL,
		.count = app_opt(app, "count") != NULL };
	enum err_status st = read_limit(app, &h.limit, err);
	buf_init(&h.line, (size_t)8 * LINE_BYTES);
	TRY(st);
	TRY(logtool_read(app, &tool, 1, err));
	if (!h.raw && !h.count) {
		printf("%s", export_row_head(h.form));
	}
	/* One thread: the records come in the order of the files. */
	TRY(logtool_walk(&tool, 1, take, &h, err));
	if (h.count && app->output == APP_TABLE) {
		printf("%llu\n", (unsigned long long)h.n);
	} else if (h.count) {
		printf("{\"count\":%llu}\n", (unsigned long long)h.n);
	}
out:
	buf_deinit(&h.line);
	return st;
}

const struct app_command cmd_search = {
	.name = "search",
	.usage = "FIELD=VALUE... PATH|s3://BUCKET/PREFIX...",
	.summary = N_("Find records in logs of any kind"),
	.text = N_(
		"Reads every format that investigate reads and prints the records for which "
		"all conditions hold, as they come. FIELD=VALUE compares without regard to "
		"case; * and ? are wildcards, a comma parts alternatives, and an address may "
		"be a network (10.0.0.0/8). FIELD!=VALUE is its opposite, FIELD~TEXT looks "
		"for a text within, FIELD>N and FIELD<N compare numbers and times. Fields of "
		"every record: time, source (cloudtrail, web, ssh, flow, dns, s3, guardduty), "
		"principal, ip, key, action, target, outcome, agent, region, account, id, "
		"bytes, file, and text, the whole of it. Of JSON records also every member "
		"by its path, such as requestParameters.bucketName; any item of a list may "
		"match. FIELD= finds records without it. Exit code 6 when something could not "
		"be read; it is named on standard error."),
	.examples = "cordon search eventName=CreateUser,CreateAccessKey AWSLogs/\t" N_(
		"who made users and keys") "\n"
					   "cordon search key=AKIAIOSFODNN7EXAMPLE "
					   "'ip!=203.0.113.0/24' AWSLogs/ --output csv\t" N_(
						   "a key outside the office") "\n"
									       "cordon search "
									       "source=web "
									       "target~../ "
									       "access.log "
									       "--raw\t" N_(
										       "lines "
										       "of a "
										       "log as "
										       "they "
										       "are") "\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
