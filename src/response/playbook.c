#include "response/playbook.h"

#include "base/embed.h"
#include "response/playbook_model.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE  ((size_t)1 << 20)
#define MAX_ARENA ((size_t)64 << 20)

extern const struct embed_file playbook_files[]; /* made by tools/embed.py from playbooks/ */

static enum err_status add_text(
	struct playbook_set *s, struct str text, const char *file, struct err *err)
{
	enum err_status st = ERR_OK;
	struct playbook p;
	if (s->n == PLAYBOOK_MAX) {
		return err_set(
			err, ERR_CONFIG, "%s: more than %d playbooks", file, PLAYBOOK_MAX);
	}
	TRY(playbook_parse(&s->arena, text, file, &p, err));
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->items[i].name, p.name) == 0) {
			st = err_set(err, ERR_CONFIG, "%s:1: the name '%.60s' is taken by %s",
				file, p.name, s->items[i].file);
			json_decref(p.doc);
			goto out;
		}
	}
	s->items[s->n++] = p;
out:
	return st;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the *.yaml files, sorted, in the set's arena. */
/* NOLINTBEGIN(concurrency-mt-unsafe): glibc's readdir is safe on a stream of one's own */
static enum err_status list_folder(
	struct arena *arena, const char *folder, const char ***out, size_t *n, struct err *err)
{
	enum err_status st = ERR_OK;
	const char **names = arena_array(arena, PLAYBOOK_MAX, sizeof(*names));
	DIR *d = opendir(folder);
	if (d == NULL || names == NULL) {
		st = err_set(err, ERR_CONFIG, "playbooks: can't read the folder %s: %s", folder,
			err_errno(errno));
		goto out;
	}
	*n = 0;
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		struct str name = str_from(e->d_name);
		if (name.n == 0 || name.p[0] == '.' || !str_ends(name, STR(".yaml"))) {
			continue;
		}
		if (*n == PLAYBOOK_MAX) {
			st = err_set(err, ERR_CONFIG, "%s: more than %d playbooks", folder,
				PLAYBOOK_MAX);
			goto out;
		}
		names[(*n)++] = arena_cstr(arena, name);
	}
	qsort(names, *n, sizeof(*names), by_name);
	*out = names;
out:
	if (d != NULL) {
		(void)closedir(d);
	}
	return st;
}

/* NOLINTEND(concurrency-mt-unsafe) */

static enum err_status load_folder(
	struct env *env, struct playbook_set *s, const char *folder, struct err *err)
{
	enum err_status st = ERR_OK;
	const char **names = NULL;
	size_t n = 0;
	struct buf text;

	buf_init(&text, MAX_FILE);
	TRY(list_folder(&s->arena, folder, &names, &n, err));
	for (size_t i = 0; i < n; i++) {
		char path[4096];
		int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (len < 0 || (size_t)len >= sizeof(path)) {
			st = err_set(err, ERR_CONFIG, "%s: the path is too long", folder);
			goto out;
		}
		buf_reset(&text);
		TRY(env_read_file(env, path, &text, err));
		TRY(add_text(s, buf_view(&text), path, err));
	}
	if (s->n == 0) {
		st = err_set(err, ERR_CONFIG, "%s: no playbook (*.yaml) in it", folder);
	}
out:
	buf_deinit(&text);
	return st;
}

static enum err_status load_built_in(struct playbook_set *s, struct err *err)
{
	enum err_status st = ERR_OK;
	for (const struct embed_file *f = playbook_files; st == ERR_OK && f->name != NULL;
		f++) {
		st = add_text(s, (struct str){ f->data, f->size }, f->name, err);
	}
	return st;
}

enum err_status playbook_load(struct env *env, const struct config *config,
	struct playbook_set **out, struct err *err)
{
	enum err_status st = ERR_OK;
	struct playbook_set *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		BUG("out of memory");
	}
	arena_init(&s->arena, MAX_ARENA);
	s->items = arena_array(&s->arena, PLAYBOOK_MAX, sizeof(*s->items));
	if (s->items == NULL) {
		BUG("the arena is too small");
	}
	TRY(config->playbooks != NULL ? load_folder(env, s, config->playbooks, err)
				      : load_built_in(s, err));
	*out = s;
	s = NULL;
out:
	playbook_set_free(s);
	return st;
}

void playbook_set_free(struct playbook_set *s)
{
	if (s == NULL) {
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		json_decref(s->items[i].doc);
	}
	arena_deinit(&s->arena);
	free(s);
}

json_t *playbook_list(const struct playbook_set *s)
{
	json_t *out = json_array();
	for (size_t i = 0; i < s->n; i++) {
		const struct playbook *p = &s->items[i];
		json_t *types = json_array();
		json_t *steps = json_object_get(p->doc, "steps");
		for (size_t k = 0; k < p->n_answers; k++) {
			for (size_t n = 0; n < p->answers[k].types.n; n++) {
				json_array_append_new(
					types, json_string(p->answers[k].types.items[n]));
			}
		}
		json_array_append_new(
			out, json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", p->name, "title",
				     p->title, "file", p->file, "answers", types, "steps",
				     json_deep_copy(steps)));
	}
	return out;
}

enum err_status playbook_source(
	const struct playbook_set *s, const char *name, struct str *out, struct err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->items[i].name, name) == 0) {
			*out = s->items[i].source;
			return ERR_OK;
		}
	}
	return err_set(err, ERR_NOT_FOUND,
		"no playbook is called '%.60s': see cordon playbook list", name);
}
