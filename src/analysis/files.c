#include "analysis/files.h"

#include "base/i18n.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX    ((size_t)2 * 1024 * 1024)
#define FOLDERS_DEEP 64

struct walk {
	struct files *files;
	const struct files_filter *filter;
};

const char *files_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static void reject(const struct walk *w, const char *path, const char *reason)
{
	w->filter->reject(w->filter->ctx, path, reason);
}

/* Names that lie below what was named on the command line only: that itself is always read. */
static bool pruned(const struct walk *w, const char *path)
{
	enum prune_why why =
		w->filter->window ? prune_path(w->filter->window, str_from(path)) : PRUNE_NO;
	if (why != PRUNE_NO) {
		w->filter->skip(w->filter->ctx, path, prune_text(why));
	}
	return why != PRUNE_NO;
}

static void add(struct walk *w, const char *path, off_t size)
{
	struct files *f = w->files;
	if (f->n >= FILES_MAX) {
		reject(w, path, N_("past the first two million files"));
		return;
	}
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->paths = realloc(f->paths, f->cap * sizeof(*f->paths));
		if (!f->paths) {
			BUG("out of memory");
		}
	}
	f->paths[f->n++] = str_dup(str_from(path));
	f->bytes += size > 0 ? (uint64_t)size : 0;
}

static void walk_folder(struct walk *w, const char *path, int depth)
{
	DIR *d = depth < FOLDERS_DEEP ? opendir(path) : NULL;
	if (!d) {
		reject(w, path,
			depth < FOLDERS_DEEP ? N_("a folder that can't be opened")
					     : N_("folders nested too deep"));
		return;
	}
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		char sub[PATH_MAX];
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) {
			continue;
		}
		int n = snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		struct stat sb;
		if (n <= 0 || (size_t)n >= sizeof(sub) || lstat(sub, &sb) != 0) {
			reject(w, e->d_name, N_("a path that can't be followed"));
		} else if (pruned(w, sub)) {
			continue;
		} else if (S_ISDIR(sb.st_mode)) {
			walk_folder(w, sub, depth + 1);
		} else if (S_ISREG(sb.st_mode) || S_ISLNK(sb.st_mode)) {
			add(w, sub, sb.st_size);
		}
	}
	(void)closedir(d);
}

static bool enter_folder(void *ctx, const char *path)
{
	return !pruned(ctx, path);
}

static bool add_object(void *ctx, const char *path, uint64_t size)
{
	struct walk *w = ctx;
	size_t before = w->files->n;
	if (!pruned(w, path)) {
		add(w, path, (off_t)size);
	}
	return w->files->n > before;
}

static enum err_status walk_source(struct walk *w, const char *path, struct err *err)
{
	const struct source_visitor visitor = { enter_folder, add_object, w };
	const struct source *s = w->filter->source;
	return s ? s->list(s->ctx, path, &visitor, err)
		 : err_set(err, ERR_USAGE,
			   "can't read %s: only files and folders are read here", path);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum err_status files_find(struct files *f, const char *const *paths, size_t n_paths,
	const struct files_filter *filter, struct err *err)
{
	struct walk w = { f, filter };
	for (size_t i = 0; i < n_paths; i++) {
		struct stat sb;
		if (source_takes(paths[i])) {
			enum err_status st = walk_source(&w, paths[i], err);
			if (st != ERR_OK) {
				return st;
			}
		} else if (!strcmp(paths[i], "-")) {
			add(&w, "-", 0);
		} else if (stat(paths[i], &sb) != 0) {
			return err_set(err, ERR_NOT_FOUND, "can't read %s: %s", paths[i],
				err_errno(errno));
		} else if (S_ISDIR(sb.st_mode)) {
			walk_folder(&w, paths[i], 0);
		} else {
			add(&w, paths[i], sb.st_size);
		}
	}
	if (f->n) {
		qsort(f->paths, f->n, sizeof(*f->paths), by_bytes);
	}
	return ERR_OK;
}

void files_deinit(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->paths[i]);
	}
	free(f->paths);
	*f = (struct files){ 0 };
}
