/*
 * Workers that read files side by side, each into a state of its own; afterwards all are one. The
 * result is the same for any number of workers and any order of files.
 */
#ifndef CORDON_ANALYSIS_CREW_H
#define CORDON_ANALYSIS_CREW_H

#include "analysis/detect.h"
#include "analysis/files.h"

#define CREW_MAX 64

struct crew_worker {
	struct reader reader;
	struct detect detect;
	struct crew *crew;
	_Atomic uint64_t
		share; /* its files that nobody has taken yet: first << 32 | one past */
};

struct crew {
	struct reader_shared shared;
	const struct sigma_set *rules;
	bool apart;      /* the workers' results are not joined: for a partial result */
	bool every_copy; /* rules see an event each time it is read */
	struct crew_worker *workers;
	size_t n_workers;
	/* May be NULL. Called from the thread that called crew_read. */
	void (*progress)(void *ctx, uint64_t bytes, uint64_t total);
	void *progress_ctx;

	/* while reading */
	struct files files;
	_Atomic uint64_t raw_done; /* bytes of files taken, as they lie there */
};

/*
 * `threads` 0: one for each core. The rules must be ready, outlive the crew, and are not changed.
 * What else there is to set (shared.window ...) is set between this and crew_read.
 */
void crew_init(struct crew *c, uint64_t seed, const struct sigma_set *rules, int threads);
void crew_deinit(struct crew *c);
/*
 * Reads files and folders ("-" is stdin) and joins what the workers found. ERR_NOT_FOUND when a
 * named one isn't there.
 */
ERR_MUST_CHECK enum err_status crew_read(
	struct crew *c, const char *const *paths, size_t n_paths, struct err *err);
/*
 * For results of others: a crew that reads nothing is begun; a guest, made like its own workers,
 * is filled by somebody, taken in, and dismissed.
 */
void crew_begin(struct crew *c);
struct crew_worker *crew_guest(struct crew *c);
void crew_take(struct crew *c, struct crew_worker *guest);
void crew_dismiss(struct crew_worker *guest);
/* What all found, after crew_read; the crew's. */
struct reader *crew_reader(struct crew *c);
struct detect *crew_detect(struct crew *c);

#endif
