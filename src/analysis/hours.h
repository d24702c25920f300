/* In which hours there are records of which source: what shows where a log has holes. */
#ifndef CORDON_ANALYSIS_HOURS_H
#define CORDON_ANALYSIS_HOURS_H

#include "analysis/record.h"
#include "analysis/table.h"

struct hours_hour {
	uint32_t source;
	int64_t hour; /* since 1970 */
};

/* Empty table for hours_add; table_deinit frees it. */
void hours_init(struct table *t);
void hours_add(struct table *t, enum record_source source, int64_t ms);
/* The hours of a source in order, each once; *n of them. The caller frees. */
int64_t *hours_of(const struct table *t, enum record_source source, size_t *n);
/*
 * Calls `fn` for every stretch of at least `least` hours without a record of the source, between
 * its first and its last hour, in order of time.
 */
typedef void (*hours_gap_fn)(void *ctx, int64_t from_ms, int64_t to_ms);
void hours_gaps(const struct table *t, enum record_source source, int64_t least,
	hours_gap_fn fn, void *ctx);

#endif
