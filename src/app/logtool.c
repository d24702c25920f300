#include "app/logtool.h"
#include "app/progress.h"

#include "base/text.h"

#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX ((size_t)64 * 1024)

enum err_status logtool_read(
	struct app *app, struct logtool *out, size_t least, struct err *err)
{
	*out = (struct logtool){ .app = app, .copies = app_opt(app, "copies") != NULL };
	int i = 0;
	enum err_status st = span_read(app, &out->span, err);
	/* A folder may be called "year=2026": what is there is a path. */
	for (; st == ERR_OK && i < app->n_args && !source_takes(app->args[i]) &&
		access(app->args[i], F_OK) != 0 && query_is_term(str_from(app->args[i]));
		i++) {
		st = query_add(&out->query, str_from(app->args[i]), err);
	}
	if (st != ERR_OK) {
		return st;
	}
	out->paths = app->args + i;
	out->n_paths = (size_t)(app->n_args - i);
	if (out->query.n < least) {
		return err_set(err, ERR_USAGE,
			"what to look for? Write FIELD=VALUE, FIELD!=VALUE, FIELD~TEXT, "
			"FIELD>N or FIELD<N before the paths");
	}
	if (out->n_paths == 0) {
		return err_set(err, ERR_USAGE,
			"name files or folders to read, or - for standard input");
	}
	return app_logs(app, out->paths, out->n_paths, &out->source, err);
}

enum export_form logtool_form(const struct app *app)
{
	switch (app->output) {
	case APP_TABLE:
		return EXPORT_TEXT;
	case APP_CSV:
		return EXPORT_CSV;
	default:
		return EXPORT_JSONL;
	}
}

void logtool_row(const struct record *rec, struct export_row *out)
{
	*out = (struct export_row){ .time_ms = rec->time_ms,
		.source = str_from(record_source_word(rec->source)),
		.principal = rec->principal,
		.ip = rec->ip,
		.key = rec->key,
		.action = rec->action,
		.target = rec->target,
		.outcome = rec->outcome,
		.agent = rec->agent,
		.region = rec->region,
		.account = rec->account,
		.event = rec->id,
		.bytes = rec->bytes,
		.guessed_year = rec->guessed_year };
}

/* ---- the walk ---- */

struct sieve {
	const struct logtool *tool;
	reader_record_fn fn;
	void *ctx;
};

static void sift(void *ctx, const struct record *rec)
{
	const struct sieve *s = ctx;
	if ((rec->fresh || s->tool->copies) && query_match(&s->tool->query, rec)) {
		s->fn(s->ctx, rec);
	}
}

static void put_safe(const char *s)
{
	struct buf b;
	buf_init(&b, LINE_BYTES_MAX);
	text_terminal(str_from(s), &b);
	(void)fprintf(stderr, "%s", b.p ? b.p : "");
	buf_deinit(&b);
}

/* On stderr: stdout is for the records. */
static void say_lost(const struct app *app, const json_t *inputs)
{
	size_t i;
	json_t *r;
	json_array_foreach(json_object_get(inputs, "rejected"), i, r)
	{
		(void)fprintf(stderr, "%s ", app_tr(app, "Not read:"));
		char told[400];
		put_safe(doc_text_or(r, "file", ""));
		(void)fprintf(stderr, ": ");
		put_safe(
			i18n_told(app->lang, doc_text_or(r, "reason", ""), told, sizeof(told)));
		(void)fprintf(stderr, " (%lld)\n", (long long)doc_int(r, "count", 1));
	}
}

enum err_status logtool_walk(
	struct logtool *t, int threads, reader_record_fn fn, void *ctx, struct err *err)
{
	struct sieve sieve = { t, fn, ctx };
	struct progress shown = { .env = t->app->env };
	json_t *inputs = NULL;
	const struct walk_options opts = { .paths = t->paths,
		.n_paths = t->n_paths,
		.source = t->source,
		.window = { t->span.from_ms, t->span.to_ms, t->span.regions },
		.threads = threads,
		.on_record = sift,
		.ctx = &sieve,
		.progress = t->app->progress ? progress_show : NULL,
		.progress_ctx = &shown };
	progress_begin(&shown);
	enum err_status st = walk_records(t->app->env, &opts, &inputs, err);
	if (st == ERR_OK) {
		say_lost(t->app, inputs);
		if (json_array_size(json_object_get(inputs, "rejected"))) {
			t->app->exit_code = err_exit_code(ERR_PARTIAL);
		}
	}
	json_decref(inputs);
	return st;
}
