/*
 * In which hours there are records of which source, and of CloudTrail in which region: what shows
 * where a log has holes.
 */
#ifndef CORDON_ANALYSIS_HOURS_H
#define CORDON_ANALYSIS_HOURS_H

#include "analysis/pool.h"
#include "analysis/record.h"
#include "analysis/table.h"

struct hours_hour {
	uint32_t source;
	uint32_t region; /* text; 0 = none */
	int64_t hour;    /* since 1970 */
};

/* Empty table for hours_add; table_deinit frees it. */
void hours_init(struct table *t);
void hours_add(struct table *t, struct pool *pool, enum record_source source, struct str region,
	int64_t ms);
/* The hours of a source in order, each once; *n of them. The caller frees. */
int64_t *hours_of(const struct table *t, enum record_source source, size_t *n);
/* Calls `fn` for each region of a source, by name, with its hours in order. */
typedef void (*hours_region_fn)(void *ctx, struct str region, const int64_t *hours, size_t n);
void hours_regions(const struct table *t, const struct pool *pool, enum record_source source,
	hours_region_fn fn, void *ctx);
/*
 * Calls `fn` for every stretch of at least `least` hours without a record, between the first and
 * the last hour, in order of time.
 */
typedef void (*hours_gap_fn)(void *ctx, int64_t from_ms, int64_t to_ms);
void hours_gaps(const int64_t *hours, size_t n, int64_t least, hours_gap_fn fn, void *ctx);
/* At some time there was a record every hour for most of a day: nights do not silence it. */
bool hours_steady(const int64_t *hours, size_t n);
/* Steady, and silent for three hours or more, once or twice. */
bool hours_hole(const int64_t *hours, size_t n);

#endif
