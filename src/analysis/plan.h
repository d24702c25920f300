/*
 * Which rules an event has to be tried on. Calls that are alike (the same service, name, agent,
 * error; then the same caller and address) are alike to most tests of most rules, so what these
 * say is found out once and kept: rules that can't match any more are dropped, those that match
 * for certain are told apart, and only the rest is tried on each event.
 */
#ifndef CORDON_ANALYSIS_PLAN_H
#define CORDON_ANALYSIS_PLAN_H

#include "analysis/sigma.h"

/* Rules of one kind of event: the first n_sure match every one, the others are to be tried. */
struct plan {
	uint64_t key;
	const uint32_t *rules;
	uint32_t n, n_sure;
};

#define PLAN_SLOTS 4096u

/* Of one worker. */
struct planner {
	const struct sigma_set *rules;
	uint64_t seed;      /* so that no log can be written to be taken for another */
	struct arena arena; /* the lists */
	struct table
		lists; /* hash of a list -> struct plan, so that equal ones are kept once */
	struct table coarse; /* by service, name, agent and error: struct plan */
	struct plan *fine;   /* PLAN_SLOTS, by all that does not change from call to call */
	uint32_t *scratch;   /* room for a list of all rules */
};

void plan_init(struct planner *p, const struct sigma_set *rules, uint64_t seed);
void plan_deinit(struct planner *p);
/* Calls fn for every rule that the event matches; as sigma_match, and with the same result. */
void plan_match(struct planner *p, const struct event *e,
	void (*fn)(void *ctx, const struct sigma_rule *rule, size_t index), void *ctx);

#endif
