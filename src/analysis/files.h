/* Which files to read: paths given, folders walked, in an order that the disk does not decide. */
#ifndef CORDON_ANALYSIS_FILES_H
#define CORDON_ANALYSIS_FILES_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct files {
	char **paths; /* "-" is stdin */
	size_t n, cap;
	uint64_t bytes; /* of all, as they lie there */
};
/* Something that can't be read, and why: static text. */
typedef void (*files_reject_fn)(void *ctx, const char *path, const char *reason);

/*
 * Takes in files, and every file below folders, sorted by name. ERR_NOT_FOUND when a path that was
 * named isn't there. Folders that are links are not entered, so a loop can't trap the walk.
 */
ERR_MUST_CHECK enum err_status files_find(struct files *f, const char *const *paths,
	size_t n_paths, files_reject_fn reject, void *ctx, struct err *err);
void files_deinit(struct files *f);
/* "a/b/c.log" -> "c.log". */
const char *files_base_name(const char *path);

#endif
