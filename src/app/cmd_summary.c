#include "analysis/tally.h"
#include "app/logtool.h"
#include "base/text.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN          3 /* of the addresses, actions ... of a principal */
#define LINE_BYTES_MAX ((size_t)256 * 1024)

static const struct app_option options[] = {
	SPAN_OPTIONS,
	{ "copies", 0, NULL, N_("Also count records that were read before"), NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

static const char *const kind_names[TALLY_KINDS] = { "ips", "actions", "regions", "keys",
	"agents", "sources" };

static void take(void *ctx, const struct record *rec)
{
	tally_add(ctx, rec);
}

/* ---- rows ---- */

/* "iam:ListUsers (12), s3:GetObject (3), +7" */
static void put_uses(const struct tally *t, const struct tally_row *row, enum tally_kind kind,
	struct buf *out)
{
	const struct tally_use *top[SHOWN];
	size_t n = tally_top(t, row, kind, top, SHOWN);
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i ? ", " : "");
		text_terminal(pool_get(&t->pool, top[i]->text), out);
		buf_printf(out, " (%llu)", (unsigned long long)top[i]->n);
	}
	if (row->distinct[kind] > n) {
		buf_printf(out, ", +%llu", (unsigned long long)(row->distinct[kind] - n));
	}
}

static void put_text(const struct app *app, const struct tally *t, const struct tally_row *r)
{
	char first[32];
	char last[32];
	struct buf b;
	static const enum tally_kind kinds[] = { TALLY_IP, TALLY_ACTION, TALLY_KEY,
		TALLY_AGENT };
	static const char *const labels[] = { N_("addresses"), N_("actions"), N_("keys"),
		N_("agents") };
	buf_init(&b, LINE_BYTES_MAX);
	utc_rfc3339(r->first_ms, first);
	utc_rfc3339(r->last_ms, last);
	text_terminal(pool_get(&t->pool, r->principal), &b);
	buf_printf(&b, "\n  %llu %s, %llu %s, %s .. %s\n", (unsigned long long)r->n,
		app_tr(app, "records"), (unsigned long long)r->n_failed,
		app_tr(app, "unsuccessful"), first, last);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (r->distinct[kinds[i]]) {
			buf_printf(&b, "  %s: ", app_tr(app, labels[i]));
			put_uses(t, r, kinds[i], &b);
			buf_putc(&b, '\n');
		}
	}
	printf("%s", b.p ? b.p : "");
	buf_deinit(&b);
}

static void put_csv_cell(struct str s, struct buf *b)
{
	text_csv(s, b);
	buf_putc(b, ',');
}

static void put_csv(const struct tally *t, const struct tally_row *r)
{
	char when[2][32];
	struct buf b;
	struct buf uses;
	buf_init(&b, LINE_BYTES_MAX);
	buf_init(&uses, LINE_BYTES_MAX);
	utc_rfc3339(r->first_ms, when[0]);
	utc_rfc3339(r->last_ms, when[1]);
	put_csv_cell(pool_get(&t->pool, r->principal), &b);
	buf_printf(&b, "%llu,%llu,%lld,%s,%s", (unsigned long long)r->n,
		(unsigned long long)r->n_failed, (long long)r->bytes, when[0], when[1]);
	for (int k = 0; k < TALLY_KINDS; k++) {
		buf_reset(&uses);
		put_uses(t, r, (enum tally_kind)k, &uses);
		buf_printf(&b, ",%u,", r->distinct[k]);
		text_csv(buf_view(&uses), &b);
	}
	printf("%s\n", b.p ? b.p : "");
	buf_deinit(&uses);
	buf_deinit(&b);
}

static json_t *uses_json(const struct tally *t, const struct tally_row *r, enum tally_kind kind)
{
	const struct tally_use *top[10];
	size_t n = tally_top(t, r, kind, top, 10);
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(list, json_pack("{s:o,s:I}", "name",
						    doc_str(pool_get(&t->pool, top[i]->text)),
						    "count", (json_int_t)top[i]->n));
	}
	return json_pack("{s:i,s:o}", "distinct", (int)r->distinct[kind], "top", list);
}

static void put_json(const struct tally *t, const struct tally_row *r)
{
	char first[32];
	char last[32];
	utc_rfc3339(r->first_ms, first);
	utc_rfc3339(r->last_ms, last);
	json_t *doc = json_pack("{s:o,s:I,s:I,s:I,s:s,s:s}", "principal",
		doc_str(pool_get(&t->pool, r->principal)), "records", (json_int_t)r->n,
		"failed", (json_int_t)r->n_failed, "bytes", (json_int_t)r->bytes, "first",
		first, "last", last);
	for (int k = 0; k < TALLY_KINDS; k++) {
		json_object_set_new(doc, kind_names[k], uses_json(t, r, (enum tally_kind)k));
	}
	app_print_line(doc);
	json_decref(doc);
}

static void print_all(struct app *app, struct tally *t)
{
	tally_settle(t);
	struct tally_row **rows = tally_sorted(t);
	if (app->output == APP_CSV) {
		printf("principal,records,failed,bytes,first,last");
		for (int k = 0; k < TALLY_KINDS; k++) {
			printf(",n_%s,%s", kind_names[k], kind_names[k]);
		}
		printf("\n");
	}
	for (size_t i = 0; i < t->rows.n; i++) {
		if (app->output == APP_CSV) {
			put_csv(t, rows[i]);
		} else if (app->output == APP_TABLE) {
			put_text(app, t, rows[i]);
		} else {
			put_json(t, rows[i]);
		}
	}
	free(rows);
	if (tally_refused(t)) {
		(void)fprintf(stderr, "%s %llu\n",
			app_tr(app,
				N_("Past the ceiling on principals and what they used, and not "
				   "counted:")),
			(unsigned long long)tally_refused(t));
	}
}

static enum err_status run(struct app *app, struct err *err)
{
	struct logtool tool;
	struct tally tally;
	uint64_t seed = 0;
	enum err_status st = logtool_read(app, &tool, 0, err);
	if (st != ERR_OK) {
		return st;
	}
	env_random(app->env, &seed, sizeof(seed));
	tally_init(&tally, seed);
	st = logtool_walk(&tool, 0, take, &tally, err);
	if (st == ERR_OK) {
		print_all(app, &tally);
	}
	tally_deinit(&tally);
	return st;
}

const struct app_command cmd_summary = {
	.name = "summary",
	.usage = "[FIELD=VALUE...] PATH|s3://BUCKET/PREFIX...",
	.summary = N_("One row for each principal in logs of any kind"),
	.text = N_(
		"Reads every format that investigate reads and prints for each principal (or "
		"address, where a record names none) how many records there are, how many of "
		"them failed, from when to when, and the addresses, actions, regions, keys "
		"and agents seen most. Conditions are those of search. Memory follows the "
		"number of principals, not of records. Exit code 6 when something could not be "
		"read; it is named on standard error."),
	.examples = "cordon summary AWSLogs/\t" N_(
		"who did how much") "\n"
				    "cordon summary outcome=AccessDenied* AWSLogs/ --output "
				    "csv\t" N_("who was refused, for a spreadsheet") "\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
