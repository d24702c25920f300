/*
 * Correlations: what single rules matched, brought together over time. While logs stream, the
 * fields that correlations ask for are kept of each matching event; when all is read, the kept
 * events are sorted and every correlation is judged with a sliding window, so neither the order
 * of the input nor the number of threads shows in the answer.
 *
 * A window is [t - timespan, t], both ends in, and is judged at every matching event t. An event
 * that lacks a group-by field belongs to no group and is not correlated. Memory is bounded: past
 * CORRELATE_ROWS kept events the correlations concerned are not judged, and say so.
 */
#ifndef CORDON_ANALYSIS_CORRELATE_H
#define CORDON_ANALYSIS_CORRELATE_H

#include "analysis/sigma.h"
#include "analysis/track.h"

/* Kept events of all rules together; each rule has an equal share. */
#define CORRELATE_ROWS  ((size_t)1024 * 1024)
#define CORRELATE_CITED 20
/* Value of a field that the event does not have. */
#define CORRELATE_NONE UINT32_MAX

struct correlate_feed {
	struct track_ref *refs;
	uint32_t *values; /* fields of the feed, row after row; texts in the pool */
	size_t n, cap;
	uint64_t seen; /* rows offered; more than n when the share was used up */
};

struct intake;
struct outlet;
struct correlate {
	const struct sigma_set *rules;
	struct pool pool;
	struct correlate_feed *feeds; /* as rules->feeds */
	size_t share;                 /* rows of a feed */
};

/* `rules` is ready and borrowed. */
void correlate_init(struct correlate *c, const struct sigma_set *rules, uint64_t seed);
void correlate_deinit(struct correlate *c);
/* The event matched a rule that has a feed: keeps it. */
void correlate_event(struct correlate *c, const struct sigma_rule *rule, const struct event *e,
	const struct track_ref *ref);

/* Takes in what another worker kept; the pools are those of their references. */
void correlate_fold(struct correlate *c, struct pool *refs, const struct correlate *other,
	const struct pool *other_refs);

/* What was kept, as bytes and back; the references' texts are numbers in `refs`. */
void correlate_save(const struct correlate *c, struct outlet *out);
ERR_MUST_CHECK enum err_status correlate_load(
	struct correlate *c, const struct pool *refs, struct intake *in, struct err *err);
/* Rows that several workers kept of one event are kept once. */
void correlate_drop_copies(struct correlate *c, const struct pool *refs);

/* Who it was about: one set of values of the group-by fields. */
struct correlate_group {
	uint32_t values[SIGMA_GROUP_MAX];
	uint64_t n;
	int64_t first_ms, last_ms;
};
/* What one correlation found. */
struct correlate_result {
	const struct sigma_rule *rule;
	const char *trouble;       /* why it was not judged, or NULL; static text */
	uint64_t n;                /* events at which the condition held */
	int64_t first_ms, last_ms; /* start of the first window, end of the last */
	struct track_ref cited[CORRELATE_CITED]; /* events of the first window, in order */
	size_t n_cited;
	struct correlate_group *groups; /* the busiest first */
	size_t n_groups;
};
/*
 * Judges every correlation that could be tied. *out has one result for each, in the order of the
 * set; free with correlate_free. `track` orders events and is the one that made the references.
 */
void correlate_judge(const struct correlate *c, const struct track *track,
	struct correlate_result **out, size_t *n);
void correlate_free(struct correlate_result *results, size_t n);

/* Parts, in files of their own. */
/* One thing that happened to a correlation: a rule matched, or a correlation below it did. */
struct correlate_item {
	int64_t time_ms;
	const struct track_ref *ref;
	const struct correlate_item *inner; /* below; NULL: row `row` of `feed` */
	uint32_t feed, row;
	uint32_t child; /* place in the correlation's list */
	uint32_t group; /* items of one group have the same number */
	bool held;      /* out: the condition held at this item */
	uint32_t from;  /* out: first item of that window, counted from the group's first */
};
/* Judges the items of one group, sorted by time; sets held and from. */
void correlate_window(const struct correlate *c, const struct sigma_correlation *corr,
	struct correlate_item *items, size_t n);
/* The item's value of a field as the correlation calls it; CORRELATE_NONE when it has none. */
uint32_t correlate_value(const struct correlate *c, const struct sigma_correlation *corr,
	const struct correlate_item *item, const char *field);

#endif
