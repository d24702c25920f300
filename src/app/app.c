#include "app/cli.h"
#include "app/parts.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *app_tr(const struct app *app, const char *text)
{
	return i18n_tr(app->lang, text);
}

const char *app_opt(const struct app *app, const char *name)
{
	const struct app_option *table = app->command->options;
	for (size_t i = 0; table && table[i].name; i++) {
		if (strcmp(table[i].name, name) == 0) {
			return app->option_values[i];
		}
	}
	BUG("a command asks for an option it does not have");
}

void app_print_json(struct app *app, const json_t *doc)
{
	struct buf text;
	buf_init(&text, (size_t)1 << 30);
	if (isatty(STDOUT_FILENO) && app->output != APP_JSONL) {
		doc_pretty(doc, &text);
	} else {
		doc_line(doc, &text);
	}
	(void)fwrite(text.p, 1, text.n, stdout);
	buf_deinit(&text);
}

void app_print_line(const json_t *doc)
{
	struct buf text;
	buf_init(&text, (size_t)1 << 30);
	doc_line(doc, &text);
	(void)fwrite(text.p, 1, text.n, stdout);
	buf_deinit(&text);
}

static enum err_status read_stdin(size_t max, struct buf *out, struct err *err)
{
	char chunk[65536];
	buf_init(out, max);
	for (;;) {
		ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (n == 0) {
			return ERR_OK;
		}
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_set(err, ERR_IO, "can't read standard input");
		}
		buf_add(out, chunk, (size_t)n);
		if (!buf_ok(out)) {
			return err_set(err, ERR_LIMIT,
				"standard input holds more than %zu bytes", max);
		}
	}
}

enum err_status app_read_input(
	struct app *app, const char *path, size_t max, struct buf *out, struct err *err)
{
	if (strcmp(path, "-") == 0) {
		return read_stdin(max, out, err);
	}
	buf_init(out, max);
	return env_read_file(app->env, path, out, err);
}

static bool want_color(struct env *env, const char *flag)
{
	const char *term = env_var(env, "TERM");
	if (flag && strcmp(flag, "auto") != 0) {
		return strcmp(flag, "always") == 0;
	}
	if (env_var(env, "NO_COLOR")) {
		return false;
	}
	if (env_var(env, "FORCE_COLOR")) {
		return true;
	}
	return isatty(STDOUT_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

static enum app_output output_from(const char *flag)
{
	static const char *const names[] = { "table", "json", "jsonl", "csv" };
	for (size_t i = 0; flag && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(flag, names[i]) == 0) {
			return (enum app_output)i;
		}
	}
	if (flag && strcmp(flag, "text") == 0) {
		return APP_TABLE;
	}
	return isatty(STDOUT_FILENO) ? APP_TABLE : APP_JSON;
}

static enum err_status set_up(struct app *app, const struct cli_flags *flags, struct err *err)
{
	enum err_status st = config_load(app->env, flags->config, &app->config, err);
	if (st != ERR_OK) {
		return st;
	}
	const char *progress = flags->progress;
	app->output = output_from(flags->output);
	app->color = want_color(app->env, flags->color);
	app->progress = isatty(STDERR_FILENO) && !(progress && strcmp(progress, "never") == 0);
	enum log_level level = LOG_WARN;
	(void)log_level_from(
		flags->log_level ? flags->log_level : app->config.log_level, &level);
	log_setup(app->env, level, STDERR_FILENO);
	return ERR_OK;
}

static void print_error(const struct app *app, const struct err *e)
{
	(void)fprintf(
		stderr, "cordon: %s\n", e->msg[0] ? err_told(e) : app_tr(app, N_("failed")));
	if (e->request_id[0]) {
		(void)fprintf(stderr, "  %s %s, %s %s\n", e->call, e->code,
			app_tr(app, N_("request")), e->request_id);
	}
}

static const char *in_spanish(const char *text)
{
	return i18n_tr(I18N_ES, text);
}

static const char *retold_in_spanish(const char *text, char *out, size_t size)
{
	return i18n_told(I18N_ES, text, out, size);
}

static enum err_status run(
	struct app *app, int argc, char **argv, const char **args, struct err *err)
{
	struct cli_flags flags = { 0 };
	app->lang = i18n_choose(app->env, cli_lang(argc, argv));
	err_speak(app->lang == I18N_ES ? in_spanish : NULL, retold_in_spanish);
	enum err_status st = cli_parse(app, argc, argv, args, &flags, err);
	if (st != ERR_OK) {
		return st;
	}
	if (flags.help || !app->command) {
		struct buf text;
		buf_init(&text, (size_t)256 * 1024);
		cli_help(app, app->command, &text);
		(void)fwrite(text.p, 1, text.n, stdout);
		buf_deinit(&text);
		return app->command || flags.help ? ERR_OK : ERR_USAGE;
	}
	st = set_up(app, &flags, err);
	return st == ERR_OK ? app->command->run(app, err) : st;
}

int app_main(struct env *env, int argc, char **argv)
{
	struct app app = { .env = env };
	struct err err = { 0 };
	const char **args = calloc((size_t)argc + 1, sizeof(*args));
	if (!args) {
		return 1;
	}
	/* A reader that went away ends a write with an error, not the process. */
	(void)signal(SIGPIPE, SIG_IGN);
	enum err_status st = run(&app, argc, argv, args, &err);
	if (st != ERR_OK && err.status != ERR_OK) {
		print_error(&app, &err);
	}
	/* What was too large for the buffer has failed before. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && st == ERR_OK) {
		(void)fprintf(stderr, "cordon: can't write the output: %s\n", err_errno(errno));
		st = ERR_IO;
	}
	parts_close(&app);
	config_deinit(&app.config);
	free(args);
	return st == ERR_OK ? app.exit_code : err_exit_code(st);
}
