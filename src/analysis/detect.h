/* What the rules found: counted, with the first, the last and the earliest few events of each. */
#ifndef CORDON_ANALYSIS_DETECT_H
#define CORDON_ANALYSIS_DETECT_H

#include "analysis/correlate.h"
#include "analysis/plan.h"
#include "analysis/reader.h"
#include "analysis/sigma.h"

#include <jansson.h>

struct detect_hit {
	uint64_t n;
	struct track_ref last;
	struct track_refs earliest;
};

/* How one worker tries rules. The rules are shared; the hits go to its reader. */
struct detect {
	const struct sigma_set *rules;
	struct reader *r;
	bool duplicates; /* count an event each time it is read */
	struct planner planner;
	struct correlate correlate;
	struct correlate_result *results; /* of the correlations, after detect_judge */
	size_t n_results;
};

/* Makes room in the reader, and has it show its events. Both are borrowed. */
void detect_init(
	struct detect *d, const struct sigma_set *rules, bool duplicates, struct reader *r);
void detect_deinit(struct detect *d);
/* Takes in what another worker kept for correlations; the hits are joined with the readers. */
void detect_fold(struct detect *d, const struct detect *other);
/* When all is read: judges the correlations. What can't be judged is added to `rejected`. */
void detect_judge(struct detect *d, json_t *rejected);
/* How often the rule matched; for a correlation, at how many events its condition held. */
uint64_t detect_count(const struct detect *d, size_t rule);
/* "detections" of design 4.6: rules with hits, the gravest first; new reference. */
json_t *detect_json(const struct detect *d);

#endif
