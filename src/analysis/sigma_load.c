/* Where rules and placeholder values come from: files, folders, the program itself. */
#include "analysis/sigma.h"

#include "base/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RULE_BYTES   ((size_t)1024 * 1024)
#define FOLDERS_DEEP 16

static enum err_status load_file(
	struct env *env, const char *path, struct sigma_set *s, struct err *err)
{
	struct buf text;
	buf_init(&text, RULE_BYTES);
	enum err_status st = env_read_file(env, path, &text, err);
	if (st == ERR_OK) {
		sigma_add(s, buf_view(&text), path);
	}
	buf_deinit(&text);
	return st;
}

static int by_name_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err_status load_folder(
	struct env *env, const char *path, int depth, struct sigma_set *s, struct err *err)
{
	struct dirent **names = NULL;
	int n = depth < FOLDERS_DEEP ? scandir(path, &names, NULL, by_name_order) : -1;
	enum err_status st =
		n < 0 ? err_set(err, ERR_IO, "can't read the folder %s: %s", path,
				depth < FOLDERS_DEEP ? err_errno(errno) : "nested too deep")
		      : ERR_OK;
	for (int i = 0; i < n; i++) {
		char sub[PATH_MAX];
		struct stat sb;
		struct str name = str_from(names[i]->d_name);
		int len = snprintf(sub, sizeof(sub), "%s/%s", path, names[i]->d_name);
		bool usable = st == ERR_OK && name.p[0] != '.' && len > 0 &&
			      len < (int)sizeof(sub) && lstat(sub, &sb) == 0;
		if (usable && S_ISDIR(sb.st_mode)) {
			st = load_folder(env, sub, depth + 1, s, err);
		} else if (usable &&
			   (str_ends(name, STR(".yml")) || str_ends(name, STR(".yaml")))) {
			st = load_file(env, sub, s, err);
		}
		free(names[i]);
	}
	free(names);
	return st;
}

enum err_status sigma_load(
	struct env *env, const char *path, struct sigma_set *s, struct err *err)
{
	struct stat sb;
	if (stat(path, &sb) != 0) {
		return err_set(err, ERR_NOT_FOUND, "can't read the rules in %s: %s", path,
			err_errno(errno));
	}
	return S_ISDIR(sb.st_mode) ? load_folder(env, path, 0, s, err)
				   : load_file(env, path, s, err);
}

void sigma_load_builtin(struct sigma_set *s)
{
	for (const struct embed_file *f = sigma_builtin; f->name; f++) {
		sigma_add(s, (struct str){ f->data, f->size }, f->name);
	}
}

/* Every value a text or number; the map's shape is checked so that sigma_expand need not. */
static enum err_status check_placeholders(
	const struct yaml_doc *doc, const char *path, struct err *err)
{
	const char *name;
	json_t *values;
	json_object_foreach(doc->root, name, values)
	{
		size_t n = json_is_array(values) ? json_array_size(values) : 1;
		bool fits = n > 0;
		for (size_t i = 0; i < n; i++) {
			json_t *v = json_is_array(values) ? json_array_get(values, i) : values;
			fits = fits && (json_is_string(v) || json_is_integer(v));
		}
		if (!fits) {
			return err_set(err, ERR_CONFIG,
				"%s:%d: the placeholder %s needs a text or a list of texts",
				path, yaml_line(doc, name), name);
		}
	}
	return ERR_OK;
}

enum err_status sigma_load_placeholders(
	struct env *env, const char *path, struct sigma_set *s, struct err *err)
{
	struct buf text;
	struct yaml_doc doc = { NULL, NULL };
	buf_init(&text, RULE_BYTES);
	enum err_status st = ERR_OK;
	TRY(env_read_file(env, path, &text, err));
	TRY(yaml_parse(buf_view(&text), path, &doc, err));
	if (!json_is_object(doc.root)) {
		st = err_set(err, ERR_CONFIG,
			"%s:1: placeholders are a map: \"name: [values]\"", path);
		goto out;
	}
	TRY(check_placeholders(&doc, path, err));
	json_decref(s->placeholders);
	s->placeholders = json_incref(doc.root);
out:
	yaml_deinit(&doc);
	buf_deinit(&text);
	return st;
}
