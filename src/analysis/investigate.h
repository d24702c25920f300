/* Root cause from log files: files in, one document out (design 4.6). No AWS calls. */
#ifndef CORDON_ANALYSIS_INVESTIGATE_H
#define CORDON_ANALYSIS_INVESTIGATE_H

#include "base/doc.h"
#include "base/env.h"
#include "base/i18n.h"

struct investigate_options {
	const char *const *paths; /* files and folders; "-" is stdin */
	size_t n_paths;
	const char *rules_dir;  /* Sigma rules; NULL = the built-in ones */
	int threads;            /* 0 = cores */
	int64_t from_ms, to_ms; /* only events in the window; 0 = open */
	size_t timeline_max;    /* entries of the timeline, 0 = 10,000 */
	const json_t *findings; /* raw GuardDuty findings of the case (array) or NULL */
	const char *
		own_marker; /* user-agent marker of cordon's own calls, "md/case#" by default */
	void (*progress)(void *ctx, uint64_t bytes, uint64_t total); /* may be NULL */
	void *progress_ctx;
};

/* *out is `cordon.investigation/1`; new reference. The same input always gives the same document. */
ERR_MUST_CHECK enum err_status investigate_run(
	struct env *env, const struct investigate_options *opts, json_t **out, struct err *err);

/*
 * Counts the events that each rule matches, every event as it stands (no duplicates removed).
 * `rules_dir` NULL: the built-in rules. *out is {"counts":{rule id: n}, "refused":[{"file",
 * "line","rule","reason"}]}; new reference.
 */
ERR_MUST_CHECK enum err_status investigate_rules_test(struct env *env, const char *rules_dir,
	const char *const *paths, size_t n_paths, json_t **out, struct err *err);
/* {"rules":[{"id","title","level","author","tags","file","applies"}], "refused":[..]}. */
ERR_MUST_CHECK enum err_status investigate_rules_list(
	struct env *env, const char *rules_dir, json_t **out, struct err *err);

#endif
