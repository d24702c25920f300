/*
 * Lines sorted by a number, more of them than memory holds: what is over the budget goes to files
 * of a temporary folder, sorted, and is merged when it is read. Equal numbers are ordered by the
 * bytes of the lines, so the order of adding leaves no trace.
 */
#ifndef CORDON_BASE_SPOOL_H
#define CORDON_BASE_SPOOL_H

#include "base/env.h"

#define SPOOL_LINE_MAX ((size_t)1024 * 1024)
#define SPOOL_RUNS_MAX 512

struct spool;

/* `memory` bytes are held before a run is written out. Never NULL; free with spool_free. */
struct spool *spool_new(struct env *env, size_t memory);
void spool_free(struct spool *s);
/* Copies a line in (cut at SPOOL_LINE_MAX). ERR_IO when the disk is full, ERR_LIMIT past the runs. */
ERR_MUST_CHECK enum err_status spool_add(
	struct spool *s, int64_t key, struct str line, struct err *err);
/* Calls fn for every line in order until it returns false. Once. */
typedef bool (*spool_fn)(void *ctx, struct str line);
ERR_MUST_CHECK enum err_status spool_each(
	struct spool *s, spool_fn fn, void *ctx, struct err *err);

#endif
