#include "app/exports.h"

#include "base/folder.h"
#include "report/export.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define BYTES_MAX ((size_t)1 << 30)

static struct export_options options_of(const struct app *app, const char *case_id)
{
	return (struct export_options){
		.lang = app->lang, .case_id = case_id, .version = CORDON_VERSION
	};
}

enum err_status exports_print(struct app *app, const json_t *investigation, const char *name,
	const char *case_id, struct err *err)
{
	struct buf text;
	const struct export_options opts = options_of(app, case_id);
	buf_init(&text, BYTES_MAX);
	enum err_status st = export_write(name, investigation, &opts, &text, err);
	if (st == ERR_OK && fwrite(text.p, 1, text.n, stdout) != text.n) {
		st = err_set(err, ERR_IO, "standard output: %s", err_errno(errno));
	}
	buf_deinit(&text);
	return st;
}

static enum err_status put(struct app *app, const char *dir, const char *file,
	const struct buf *text, struct err *err)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (n <= 0 || (size_t)n >= sizeof(path)) {
		return err_set(err, ERR_USAGE, "%.200s: the path is too long", dir);
	}
	return env_write_file(app->env, path, buf_view(text), 0600, err);
}

static enum err_status check_free(const char *dir, const char *file, struct err *err)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0) {
		return err_set(
			err, ERR_USAGE, "%s exists already; --force overwrites it", path);
	}
	return ERR_OK;
}

static enum err_status check_all_free(const char *dir, struct err *err)
{
	const char *file = NULL;
	enum err_status st = check_free(dir, "investigation.json", err);
	for (size_t i = 0; st == ERR_OK && export_name(i, &file); i++) {
		st = check_free(dir, file, err);
	}
	return st;
}

enum err_status exports_write(struct app *app, const json_t *investigation, const char *dir,
	bool force, struct err *err)
{
	const struct export_options opts = options_of(app, NULL);
	const char *file = NULL;
	struct buf text;
	enum err_status st = ERR_OK;
	buf_init(&text, BYTES_MAX);
	TRY(folder_make(dir, 0700, err));
	TRY(force ? ERR_OK : check_all_free(dir, err));
	doc_pretty(investigation, &text);
	TRY(put(app, dir, "investigation.json", &text, err));
	for (size_t i = 0; export_name(i, &file); i++) {
		buf_reset(&text);
		TRY(export_write(export_name(i, &file), investigation, &opts, &text, err));
		TRY(put(app, dir, file, &text, err));
	}
out:
	buf_deinit(&text);
	return st;
}
