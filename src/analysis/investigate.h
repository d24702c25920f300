/* Root cause from log files: files in, one document out (design 4.6). No AWS calls. */
#ifndef CORDON_ANALYSIS_INVESTIGATE_H
#define CORDON_ANALYSIS_INVESTIGATE_H

#include "analysis/prune.h"
#include "analysis/source.h"
#include "base/doc.h"
#include "base/env.h"
#include "base/i18n.h"

/* Where Sigma rules come from. */
struct investigate_rules {
	const char *dir;          /* folder or file; NULL = the built-in ones */
	const char *placeholders; /* YAML file of values for the modifier expand, or NULL */
};

struct investigate_options {
	const char *const *paths; /* files and folders; "-" is stdin */
	size_t n_paths;
	const struct source *source; /* of paths that are no files of this machine; or NULL */
	struct investigate_rules rules;
	int threads;            /* 0 = cores */
	struct prune window;    /* only records in here; nothing set = all */
	size_t timeline_max;    /* entries of the timeline, 0 = 10,000 */
	const json_t *findings; /* raw GuardDuty findings of the case (array) or NULL */
	const char *
		own_marker; /* user-agent marker of cordon's own calls, "md/case#" by default */
	void (*progress)(void *ctx, uint64_t bytes, uint64_t total); /* may be NULL */
	void *progress_ctx;
	const char *
		partial; /* file to write a partial result to, instead of a document; or NULL */
	const char *job; /* text that the workers of one job share; NULL = "" */
};

/* *out is `cordon.investigation/1` (NULL for a partial result); new reference. The same input always gives the same document. */
ERR_MUST_CHECK enum err_status investigate_run(
	struct env *env, const struct investigate_options *opts, json_t **out, struct err *err);

/*
 * Joins partial results: *out is the document that one run over all of the logs would give. Of the
 * options, `paths` are the partial results; rules, window and job must be those they were made with.
 */
ERR_MUST_CHECK enum err_status investigate_merge(
	struct env *env, const struct investigate_options *opts, json_t **out, struct err *err);

/*
 * Counts the events that each rule matches, every event as it stands (no duplicates removed); of
 * a correlation, the events at which its condition held. Of the options, paths, source and rules
 * count. *out is {"counts":{rule id: n},
 * "refused":[{"file","line","rule","reason"}]}; new reference.
 */
ERR_MUST_CHECK enum err_status investigate_rules_test(
	struct env *env, const struct investigate_options *opts, json_t **out, struct err *err);
/*
 * {"rules":[{"id","title","level","author","description","tags","file","line","applies","kind"}],
 * "refused":[..]}
 */
ERR_MUST_CHECK enum err_status investigate_rules_list(
	struct env *env, const struct investigate_rules *from, json_t **out, struct err *err);
/*
 * The rules with this id, name or title, each as in the list with "logic" (lines), "tried_on"
 * (event names, or null: every event) and, for a correlation, what it brings together.
 * ERR_NOT_FOUND.
 */
ERR_MUST_CHECK enum err_status investigate_rules_explain(struct env *env,
	const struct investigate_rules *from, const char *which, json_t **out, struct err *err);

#endif
