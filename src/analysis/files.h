/* Which files to read: paths given, folders walked, in an order that the disk does not decide. */
#ifndef CORDON_ANALYSIS_FILES_H
#define CORDON_ANALYSIS_FILES_H

#include "analysis/prune.h"
#include "analysis/source.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct files {
	char **paths; /* "-" is stdin */
	size_t n, cap;
	uint64_t bytes; /* of all, as they lie there */
};
/* What is left out, and whom to tell of it. */
struct files_filter {
	const struct prune
		*window; /* folders and files that can't hold anything in it; or NULL */
	/* Something that can't be read, and why: static text. */
	void (*reject)(void *ctx, const char *path, const char *reason);
	/* Something that is left out because of the window. */
	void (*skip)(void *ctx, const char *path, const char *reason);
	void *ctx;
	const struct source *source; /* of what is no file of this machine; or NULL */
};

/*
 * Takes in files, and every file below folders, sorted by name. ERR_NOT_FOUND when a path that was
 * named isn't there, and what the source says. Pruning is the same on the disk and elsewhere. Folders that are links are not entered, so a loop can't trap the walk.
 */
ERR_MUST_CHECK enum err_status files_find(struct files *f, const char *const *paths,
	size_t n_paths, const struct files_filter *filter, struct err *err);
void files_deinit(struct files *f);
/* "a/b/c.log" -> "c.log". */
const char *files_base_name(const char *path);

#endif
