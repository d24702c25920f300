/*
 * A result that is not finished: what a worker found in its share of the logs, in a file that
 * `cordon merge` joins with those of others. The answer is the one that a single run over all of
 * the logs would give, whoever read what and even if a record was read by several.
 *
 * The file: a line that says what it is, numbers (ledger_put) that say under which conditions it
 * was made, for each thread its state (fold_save), what it kept for correlations, and its ledger;
 * at last the SHA-256 of all before. Files that do not fit together are refused.
 */
#ifndef CORDON_ANALYSIS_PARTIAL_H
#define CORDON_ANALYSIS_PARTIAL_H

#include "analysis/crew.h"
#include "base/env.h"

#define PARTIAL_MAX ((size_t)2047 * 1024 * 1024)

/* What all the workers of one job must have in common. */
struct partial_terms {
	uint64_t seed; /* partial_seed */
	uint64_t rules;
	uint64_t window;
};

/* The seed of a job: the same for all its workers, and unknown to who writes logs. */
uint64_t partial_seed(const char *job);
void partial_terms_init(struct partial_terms *t, const char *job, const struct sigma_set *rules,
	const struct prune *window);
/* What a file under these terms begins with. */
void partial_heading(const struct partial_terms *t, struct buf *out);
/* Writes what the crew found, which was read with `accounts` on and not joined. */
ERR_MUST_CHECK enum err_status partial_write(struct env *env, const struct crew *c,
	const struct partial_terms *terms, const char *path, struct err *err);
/*
 * Takes a file, or an object that the crew's source has listed, into the crew, which was begun
 * (crew_begin) with the same rules and seed. ERR_INPUT when it is none, was made under other terms or
 * by another build, or is damaged; the crew is of no use then. The file is not held in memory whole.
 */
ERR_MUST_CHECK enum err_status partial_read(
	struct crew *c, const struct partial_terms *terms, const char *path, struct err *err);
/* After the last file: what several files hold is kept once. */
void partial_settle(struct crew *c);
/* The same from bytes without the hash at the end; for the fuzz target. */
ERR_MUST_CHECK enum err_status partial_take(
	struct crew *c, const struct partial_terms *terms, struct str bytes, struct err *err);

#endif
