/*
 * A trail's tree as it was downloaded: objects are found by what follows "AWSLogs/", wherever the
 * tree was put. S3's metadata does not come along with a download; the signature of a digest is
 * read from NAME.head.json beside it, an answer of HeadObject, when that is there.
 */
#ifndef CORDON_ANALYSIS_TRAIL_FOLDER_H
#define CORDON_ANALYSIS_TRAIL_FOLDER_H

#include "analysis/trail_verify.h"
#include "base/env.h"

struct trail_folder;

/*
 * Lists the files below `path`. ERR_NOT_FOUND, ERR_DENIED, ERR_LIMIT (more than two million files,
 * or nested more than 64 deep). Links are not followed. Free with trail_folder_free.
 */
ERR_MUST_CHECK enum err_status trail_folder_open(
	struct env *env, const char *path, struct trail_folder **out, struct err *err);
void trail_folder_free(struct trail_folder *f);
/* Every file's path; borrowed. */
const char *const *trail_folder_objects(const struct trail_folder *f, size_t *n);
/* The door for trail_verify; borrowed. */
const struct trail_source *trail_folder_source(const struct trail_folder *f);

#endif
