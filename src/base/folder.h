/* Folders: made with their parents, temporary ones, and removed with all that is in them. */
#ifndef CORDON_BASE_FOLDER_H
#define CORDON_BASE_FOLDER_H

#include "base/env.h"

/* Makes `path` and the missing folders above it with `mode`. An existing folder is fine. */
ERR_MUST_CHECK enum err_status folder_make(const char *path, int mode, struct err *err);
/* A new empty folder (mode 0700) below TMPDIR or /tmp; *out is the caller's to free. */
ERR_MUST_CHECK enum err_status folder_temp(struct env *env, char **out, struct err *err);
/* Removes a folder and everything in it; links are removed, never followed. Best effort. */
void folder_remove(const char *path);

#endif
