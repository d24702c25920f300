#include "analysis/trail_folder.h"

#include "analysis/table.h"
#include "analysis/trail_digest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX    ((size_t)2 * 1024 * 1024)
#define FOLDERS_DEEP 64
#define HEAD_MAX     ((size_t)256 * 1024)

struct trail_folder {
	struct env *env;
	char **paths;
	size_t n, cap;
	struct table by_tail; /* uint32_t: index */
	struct trail_source source;
};

static void add(struct trail_folder *f, const char *path)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 256;
		f->paths = realloc(f->paths, f->cap * sizeof(*f->paths));
		if (!f->paths) {
			BUG("out of memory");
		}
	}
	f->paths[f->n++] = str_dup(str_from(path));
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than FOLDERS_DEEP */
static enum err_status walk(
	struct trail_folder *f, const char *path, int depth, struct err *err)
{
	if (depth >= FOLDERS_DEEP) {
		return err_set(err, ERR_LIMIT, "%s: folders nested too deep", path);
	}
	DIR *d = opendir(path);
	if (!d) {
		enum err_status st = errno == EACCES ? ERR_DENIED : ERR_IO;
		return err_set(err, st, "can't open %s: %s", path, err_errno(errno));
	}
	enum err_status st = ERR_OK;
	for (struct dirent *e = readdir(d);          /* NOLINT(concurrency-mt-unsafe) */
		e && st == ERR_OK; e = readdir(d)) { /* NOLINT(concurrency-mt-unsafe) */
		char sub[PATH_MAX];
		struct stat sb;
		int n = snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) {
			continue;
		}
		if (n <= 0 || (size_t)n >= sizeof(sub) || lstat(sub, &sb) != 0) {
			st = err_set(err, ERR_IO, "can't look at a file below %s", path);
		} else if (S_ISDIR(sb.st_mode)) {
			st = walk(f, sub, depth + 1, err);
		} else if (S_ISREG(sb.st_mode) && f->n < FILES_MAX) {
			add(f, sub);
		} else if (S_ISREG(sb.st_mode)) {
			st = err_set(
				err, ERR_LIMIT, "more than two million files below %s", path);
		}
	}
	(void)closedir(d);
	return st;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *path_of(const struct trail_folder *f, const char *key)
{
	struct str tail = trail_digest_tail(str_from(key));
	const uint32_t *at = table_find(&f->by_tail, table_hash(0, tail));
	return at ? f->paths[*at] : NULL;
}

/* {"Metadata":{"signature":"...","signature-algorithm":"SHA256withRSA"}}, as the AWS CLI prints it. */
static void read_head(const struct trail_folder *f, const char *path, struct buf *signature)
{
	char name[PATH_MAX];
	struct buf text;
	json_t *doc = NULL;
	int n = snprintf(name, sizeof(name), "%s.head.json", path);
	if (n <= 0 || (size_t)n >= sizeof(name)) {
		return;
	}
	buf_init(&text, HEAD_MAX);
	if (env_read_file(f->env, name, &text, NULL) == ERR_OK &&
		doc_parse(buf_view(&text), HEAD_MAX, &doc, NULL) == ERR_OK) {
		buf_puts(signature, doc_text_or(doc, "Metadata.signature", ""));
	}
	json_decref(doc);
	buf_deinit(&text);
}

static enum err_status fetch(void *ctx, const char *bucket, const char *key, struct buf *out,
	struct buf *signature, struct err *err)
{
	const struct trail_folder *f = ctx;
	(void)bucket;
	const char *path = path_of(f, key);
	if (!path) {
		return err_set(err, ERR_NOT_FOUND, "%s is not in the tree", key);
	}
	enum err_status st = env_read_file(f->env, path, out, err);
	if (st == ERR_OK && signature) {
		read_head(f, path, signature);
	}
	return st;
}

enum err_status trail_folder_open(
	struct env *env, const char *path, struct trail_folder **out, struct err *err)
{
	struct stat sb;
	if (stat(path, &sb) != 0 || !S_ISDIR(sb.st_mode)) {
		return err_set(err, ERR_NOT_FOUND, "%s is no folder", path);
	}
	struct trail_folder *f = calloc(1, sizeof(*f));
	if (!f) {
		BUG("out of memory");
	}
	f->env = env;
	f->source = (struct trail_source){ .ctx = f, .fetch = fetch };
	table_init(&f->by_tail, sizeof(uint32_t), FILES_MAX);
	enum err_status st = walk(f, path, 0, err);
	if (st != ERR_OK) {
		trail_folder_free(f);
		return st;
	}
	if (f->n) {
		qsort(f->paths, f->n, sizeof(*f->paths), by_bytes);
	}
	for (size_t i = 0; i < f->n; i++) {
		bool fresh = false;
		struct str tail = trail_digest_tail(str_from(f->paths[i]));
		size_t at = table_add(&f->by_tail, table_hash(0, tail), &fresh);
		if (at != SIZE_MAX && fresh) {
			*(uint32_t *)table_at(&f->by_tail, at) = (uint32_t)i;
		}
	}
	*out = f;
	return ERR_OK;
}

void trail_folder_free(struct trail_folder *f)
{
	for (size_t i = 0; f && i < f->n; i++) {
		free(f->paths[i]);
	}
	if (f) {
		table_deinit(&f->by_tail);
		free(f->paths);
	}
	free(f);
}

const char *const *trail_folder_objects(const struct trail_folder *f, size_t *n)
{
	*n = f->n;
	return (const char *const *)f->paths;
}

const struct trail_source *trail_folder_source(const struct trail_folder *f)
{
	return &f->source;
}
