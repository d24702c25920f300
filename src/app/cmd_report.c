#include "app/exports.h"
#include "incident/view.h"
#include "report/export.h"
#include "report/report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 64 * 1024 * 1024 };

/* --format, else what the file's name ends in, else words for a terminal and HTML for a pipe. */
static enum err_status choose_format(
	const struct app *app, enum report_format *out, struct err *err)
{
	const char *name = app_opt(app, "format");
	const char *file = app_opt(app, "file");
	const char *dot = file ? strrchr(file, '.') : NULL;

	if (name && export_known(name)) {
		return ERR_OK;
	}
	if (name && !report_format_from(name, out)) {
		return err_set(err, ERR_USAGE, "--format is html, md or json, not %s", name);
	}
	if (!name && !(dot && report_format_from(dot + 1, out))) {
		*out = file ? REPORT_HTML : app->output == APP_TABLE ? REPORT_MD : REPORT_HTML;
		if (!file && (app->output == APP_JSON || app->output == APP_JSONL) &&
			isatty(STDOUT_FILENO)) {
			*out = REPORT_JSON;
		}
	}
	return ERR_OK;
}

static enum err_status put(struct app *app, const struct buf *text, struct err *err)
{
	const char *file = app_opt(app, "file");

	if (!file) {
		if (fwrite(text->p, 1, text->n, stdout) != text->n || fflush(stdout) != 0) {
			return err_set(err, ERR_IO, "standard output: %s", err_errno(errno));
		}
		return ERR_OK;
	}
	if (!app_opt(app, "force") && access(file, F_OK) == 0) {
		return err_set(
			err, ERR_USAGE, "%s exists already; --force overwrites it", file);
	}
	return env_write_file(app->env, file, buf_view(text), 0600, err);
}

/* A report, or what the logs showed in a form for another tool. */
static enum err_status render(const struct app *app, const json_t *view,
	const struct report_options *report, struct buf *out, struct err *err)
{
	const char *name = app_opt(app, "format");
	const json_t *investigation = doc_get(view, "investigation");
	const struct export_options opts = {
		.lang = app->lang, .case_id = doc_text(view, "case"), .version = CORDON_VERSION
	};

	if (!name || !export_known(name)) {
		return report_write(view, report, out, err);
	}
	if (!investigation) {
		return err_set(err, ERR_NOT_FOUND,
			"the case has no analysis yet; cordon investigate makes one of its "
			"logs");
	}
	return export_write(name, investigation, &opts, out, err);
}

static enum err_status run(struct app *app, struct err *err)
{
	struct journal *journal = NULL;
	json_t *view = NULL;
	struct buf text = { 0 };
	char line[256] = "";
	struct report_options opts = {
		.lang = app->lang,
		.now_ms = env_now_ms(app->env),
		.version = CORDON_VERSION,
		.command_line = line,
	};
	enum err_status st = ERR_OK;

	buf_init(&text, MOST_BYTES);
	TRY(choose_format(app, &opts.format, err));
	(void)snprintf(line, sizeof(line), "cordon report %s --lang %s", app->args[0],
		i18n_code(app->lang));
	TRY(app_journal(app, &journal, err));
	TRY(view_read(journal, app->args[0], &view, err));
	TRY(render(app, view, &opts, &text, err));
	TRY(put(app, &text, err));
out:
	buf_deinit(&text);
	json_decref(view);
	return st;
}

static const struct app_option options[] = {
	{ "format", 0, "FORMAT",
		N_("What to write: html (one file that needs nothing else), md, json, or the "
		   "timeline and techniques for other tools"),
		"html|md|json|" EXPORTS_FORMATS },
	{ "file", 'f', "FILE", N_("Where to write it; standard output when not given"), NULL },
	{ "force", 0, NULL, N_("Overwrite a file that is there already"), NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct app_command cmd_report = {
	.name = "report",
	.usage = "CASE",
	.summary = N_("Render a case for people: HTML, Markdown or JSON"),
	.examples = "cordon report 2026-0042 --file report.html\t" N_(
		"write the report as one HTML file") "\n"
						     "cordon report 2026-0042 --format "
						     "md\t" N_("read the case on the "
							       "terminal") "\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
