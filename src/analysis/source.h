/*
 * Logs that are no files of this machine: what "s3://BUCKET/PREFIX" names. This room asks for
 * nothing over a network; who can, fills this in (flow/s3_source.h).
 */
#ifndef CORDON_ANALYSIS_SOURCE_H
#define CORDON_ANALYSIS_SOURCE_H

#include "base/err.h"
#include "base/str.h"

/* Who is told of what lies there. Paths are whole, "s3://bucket/a/b.json.gz"; a folder's without
 * the slash at its end. False: not to be entered, not to be read. */
struct source_visitor {
	bool (*folder)(void *ctx, const char *path);
	bool (*object)(void *ctx, const char *path, uint64_t size);
	void *ctx;
};

/* An object being read; the source's own. */
struct source_object;

struct source {
	void *ctx;
	/*
	 * Everything below `path`, or the object that it names, in any order. All is listed before
	 * the first open. ERR_NOT_FOUND when nothing lies there.
	 */
	enum err_status (*list)(void *ctx, const char *path,
		const struct source_visitor *visitor, struct err *err);
	/*
	 * For several threads at once; objects are best opened in the order of their paths, because
	 * the next ones are fetched before they are asked for. Of listed objects only, each as often
	 * as it was listed; NULL for others. *changed_ms: when it was written last; 0 = unknown.
	 */
	struct source_object *(*open)(
		void *ctx, const char *path, uint64_t *size, int64_t *changed_ms);
	/* At most n bytes; 0 at the end, and when there are no more for a reason: N_() text, static. */
	size_t (*read)(struct source_object *o, void *into, size_t n, const char **trouble);
	void (*close)(struct source_object *o);
};

/* The path is one for a source, whatever lies on the disk. */
static inline bool source_takes(const char *path)
{
	return str_starts(str_from(path), STR("s3://"));
}

#endif
