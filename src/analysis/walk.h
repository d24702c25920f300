/* Every record of any logs, one after another, for tools that look at records by themselves. */
#ifndef CORDON_ANALYSIS_WALK_H
#define CORDON_ANALYSIS_WALK_H

#include "analysis/reader.h"
#include "base/doc.h"
#include "base/env.h"

struct walk_options {
	const char *const *paths; /* files and folders; "-" is stdin */
	size_t n_paths;
	const struct source *source; /* of paths that are no files of this machine; or NULL */
	struct prune window;
	int threads; /* 0 = cores. With one, records come in the order of the files. */
	reader_record_fn on_record; /* one at a time, copies too */
	void *ctx;
	void (*progress)(void *ctx, uint64_t bytes, uint64_t total); /* may be NULL */
	void *progress_ctx;
};

/*
 * *inputs is what investigate says under "inputs": files, bytes, events, duplicates, what was
 * rejected or skipped, gaps; new reference. ERR_NOT_FOUND when a named path isn't there.
 */
ERR_MUST_CHECK enum err_status walk_records(
	struct env *env, const struct walk_options *opts, json_t **inputs, struct err *err);

#endif
