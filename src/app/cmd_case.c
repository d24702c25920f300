#include "app/answer.h"
#include "incident/view.h"

#include <string.h>

#define MAX_FILE ((size_t)DOC_MAX_BYTES)

static const struct app_option options[] = {
	{ "file", 'f', "FILE",
		N_("verify: records from this file (- for stdin) instead of the store; needs "
		   "no store and no network"),
		NULL },
	{ "records", 0, NULL, N_("show: the records as they were written"), NULL },
	{ "reason", 0, "TEXT", N_("close: why"), NULL },
	{ 0 },
};

static enum err_status list(struct app *app, struct err *err)
{
	struct journal *j = NULL;
	json_t *cases = NULL;
	const json_t *c;
	size_t i;
	enum err_status st = app_journal(app, &j, err);

	if (st == ERR_OK) {
		st = journal_cases(j, &cases, err);
	}
	if (st != ERR_OK) {
		return st;
	}
	if (app->output != APP_TABLE) {
		app_print_json(app, cases);
	}
	json_array_foreach(cases, i, c)
	{
		if (app->output != APP_TABLE) {
			break;
		}
		printf("%-11s %-18s %-21s ", doc_text_or(c, "case", "?"),
			doc_text_or(c, "state", "?"), doc_text_or(c, "opened", ""));
		answer_print_text(stdout, doc_text_or(c, "type", ""));
		printf("  ");
		answer_print_text(stdout, doc_text_or(c, "resources[0].id", ""));
		printf("\n");
	}
	if (app->output == APP_TABLE && json_array_size(cases) == 0) {
		printf("%s\n", app_tr(app, N_("There are no cases yet.")));
	}
	json_decref(cases);
	return ERR_OK;
}

static void print_case(const struct app *app, const json_t *view)
{
	const json_t *v;
	size_t i;

	answer_print_response(app, view, stdout);
	answer_print_line(app, stdout, N_("title"), json_object_get(view, "title"));
	answer_print_line(
		app, stdout, N_("verdict"), doc_get(view, "investigation.verdict.class"));
	json_array_foreach(json_object_get(view, "steps"), i, v)
	{
		printf("%3zu ", i + 1);
		answer_print_text(stdout, doc_text_or(v, "id", "?"));
		printf("  %s\n", doc_text_or(v, "state", "?"));
		answer_print_line(app, stdout, N_("before"), json_object_get(v, "before"));
		answer_print_line(app, stdout, N_("after"), json_object_get(v, "after"));
		answer_print_phrase(app, stdout, N_("proof"), doc_get(v, "proof"));
		answer_print_phrase(app, stdout, N_("reason"), v);
		answer_print_line(app, stdout, N_("error"), doc_get(v, "error.message"));
	}
	printf("\n");
	json_array_foreach(json_object_get(view, "timeline"), i, v)
	{
		printf("%s  ", doc_text_or(v, "time", ""));
		answer_print_text(stdout, doc_text_or(v, "text", ""));
		printf("\n");
	}
}

static enum err_status show(struct app *app, const char *id, struct err *err)
{
	struct journal *j = NULL;
	json_t *records = NULL, *view = NULL;
	enum err_status st = ERR_OK;

	TRY(app_journal(app, &j, err));
	TRY(journal_read(j, id, &records, err));
	if (app_opt(app, "records") != NULL) {
		app_print_json(app, records);
		goto out;
	}
	TRY(view_fold(records, &view, err));
	if (app->output == APP_TABLE) {
		print_case(app, view);
	} else {
		app_print_json(app, view);
	}
out:
	json_decref(view);
	json_decref(records);
	return st;
}

static json_t *lines_of(struct str text)
{
	json_t *out = json_array();
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		json_t *rec = NULL;
		line = str_trim(line);
		if (line.n > 0 && doc_parse(line, MAX_FILE, &rec, NULL) == ERR_OK) {
			json_array_append_new(out, rec);
		} else if (line.n > 0) {
			json_array_append_new(out, json_null()); /* verify names this one */
		}
	}
	return out;
}

/* An array of records, one a line, or a document that holds them under "records". */
static enum err_status read_records(
	struct app *app, const char *path, json_t **out, struct err *err)
{
	struct buf text = { 0 };
	json_t *doc = NULL;
	struct err why = { 0 };
	enum err_status st = app_read_input(app, path, MAX_FILE, &text, err);

	if (st != ERR_OK) {
		goto out;
	}
	if (doc_parse(buf_view(&text), MAX_FILE, &doc, &why) == ERR_OK) {
		json_t *inside = json_object_get(doc, "records");
		bool one = json_is_object(doc) && inside == NULL;
		*out = one ? json_pack("[O]", doc) : json_incref(inside ? inside : doc);
		goto out;
	}
	*out = lines_of(buf_view(&text));
	if (json_array_size(*out) < 2) {
		json_decref(*out);
		*out = NULL;
		st = err_set(err, ERR_INTEGRITY, "%s: %s", path, why.msg);
	}
out:
	json_decref(doc);
	buf_deinit(&text);
	return st;
}

static enum err_status verify(struct app *app, struct err *err)
{
	const char *file = app_opt(app, "file");
	const char *id = app->n_args > 1 ? app->args[1] : NULL;
	struct journal *j = NULL;
	json_t *records = NULL;
	int64_t n = 0;
	enum err_status st = ERR_OK;

	if (file == NULL && id == NULL) {
		return err_set(err, ERR_USAGE, "name the case, or give --file RECORDS");
	}
	if (file != NULL) {
		TRY(read_records(app, file, &records, err));
		n = (int64_t)json_array_size(records);
		id = doc_text_or(json_array_get(records, 0), "case", "?");
		st = journal_verify(records, err);
	} else {
		TRY(app_journal(app, &j, err));
		st = journal_check(j, id, &n, err);
	}
	if (st != ERR_OK && st != ERR_INTEGRITY) {
		goto out;
	}
	if (app->output != APP_TABLE) {
		json_t *doc = json_pack("{s:s, s:s, s:b, s:I, s:s?}", "schema",
			"cordon.verify/1", "case", id, "ok", st == ERR_OK, "records",
			(json_int_t)n, "misfit", st == ERR_OK || err == NULL ? NULL : err->msg);
		app_print_json(app, doc);
		json_decref(doc);
	} else if (st == ERR_OK) {
		printf("%s ", app_tr(app, N_("case")));
		answer_print_text(stdout, id);
		printf(": %lld %s\n", (long long)n, app_tr(app, N_("records, every one fits")));
	}
out:
	json_decref(records);
	return st;
}

/* Appends what a person says about a case. */
static enum err_status say(struct app *app, const char *id, const char *kind,
	json_t *payload_taken, struct err *err)
{
	struct journal *j = NULL;
	enum err_status st = app_journal(app, &j, err);

	if (st == ERR_OK) {
		answer_set_person(app, j);
		st = journal_append(j, id, kind, payload_taken, NULL, err);
	}
	if (st == ERR_OK && app->output == APP_TABLE) {
		printf("%s\n", app_tr(app, N_("Recorded.")));
	}
	json_decref(payload_taken);
	return st;
}

static enum err_status run(struct app *app, struct err *err)
{
	const char *what = app->args[0];
	const char *id = app->n_args > 1 ? app->args[1] : NULL;
	const char *text = app->n_args > 2 ? app->args[2] : NULL;

	if (strcmp(what, "list") == 0 && id == NULL) {
		return list(app, err);
	}
	if (strcmp(what, "verify") == 0 && text == NULL) {
		return verify(app, err);
	}
	if (strcmp(what, "show") == 0 && id != NULL && text == NULL) {
		return show(app, id, err);
	}
	if (strcmp(what, "note") == 0 && text != NULL) {
		return say(app, id, "case.note", json_pack("{s:s}", "text", text), err);
	}
	if (strcmp(what, "close") == 0 && id != NULL) {
		const char *why = app_opt(app, "reason");
		why = why ? why : (text ? text : "");
		return say(app, id, "case.closed", json_pack("{s:s}", "reason", why), err);
	}
	return err_set(err, ERR_USAGE,
		"usage: cordon case list | show CASE | verify CASE | note CASE TEXT | close "
		"CASE [REASON]; what waits for a person: cordon approve CASE STEP, cordon "
		"reject CASE STEP");
}

const struct app_command cmd_case = {
	.name = "case",
	.usage = "list|show|verify|note|close [CASE] [TEXT]",
	.summary = N_("Work with cases; recompute one from its records"),
	.text = N_("list shows all cases, newest first. show prints one case, with --records "
		   "what was written. verify recomputes the chain of a case and names the "
		   "first record that does not fit (exit code 8); with --file it needs nothing "
		   "but the records. note adds a remark. close ends a case; the next finding "
		   "on the resource opens a new one."),
	.examples = "cordon case list\tAll cases\n"
		    "cordon case show 2026-0042 --records --output json\tIts records\n"
		    "cordon case verify 2026-0042\tDoes everything fit?\n"
		    "cordon case verify --file records.json\tThe same, offline\n"
		    "cordon case close 2026-0042 benign\tEnd it\n",
	.options = options,
	.min_args = 1,
	.max_args = 3,
	.run = run,
};
