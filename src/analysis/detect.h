/* What the rules found: counted, with the first, the last and the earliest few events of each. */
#ifndef CORDON_ANALYSIS_DETECT_H
#define CORDON_ANALYSIS_DETECT_H

#include "analysis/correlate.h"
#include "analysis/reader.h"
#include "analysis/sigma.h"

#define DETECT_CITED 20

struct detect_hit {
	uint64_t n;
	struct track_ref last;
	struct track_ref earliest[DETECT_CITED]; /* in order */
	size_t n_earliest;
};

struct detect {
	const struct sigma_set *rules;
	struct detect_hit *hits; /* one a rule */
	bool duplicates;         /* count an event each time it is read */
	struct correlate correlate;
	struct correlate_result *results; /* of the correlations, after detect_judge */
	size_t n_results;
};

void detect_init(
	struct detect *d, const struct sigma_set *rules, bool duplicates, uint64_t seed);
void detect_deinit(struct detect *d);
/* A reader_event_fn. */
void detect_event(void *ctx, struct reader *r, const struct event *e, bool fresh);
/* When all is read: judges the correlations. What can't be judged is added to `rejected`. */
void detect_judge(struct detect *d, const struct track *t, json_t *rejected);
/* How often the rule matched; for a correlation, at how many events its condition held. */
uint64_t detect_count(const struct detect *d, size_t rule);
/* "detections" of design 4.6: rules with hits, the gravest first; new reference. */
json_t *detect_json(const struct detect *d, const struct track *t);

#endif
