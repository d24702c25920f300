/* What the rules found: counted, with the first, the last and the earliest few events of each. */
#ifndef CORDON_ANALYSIS_DETECT_H
#define CORDON_ANALYSIS_DETECT_H

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
};

void detect_init(struct detect *d, const struct sigma_set *rules, bool duplicates);
void detect_deinit(struct detect *d);
/* A reader_event_fn. */
void detect_event(void *ctx, struct reader *r, const struct event *e, bool fresh);
/* "detections" of design 4.6: rules with hits, the gravest first; new reference. */
json_t *detect_json(const struct detect *d, const struct track *t);

#endif
