/*
 * Did an exploit work? A request alone is an attempt, even when it is answered: proof is what the
 * host did next. A call out to the client or to the address that the request names, a web shell
 * that answers, a GuardDuty finding about the host.
 */
#ifndef CORDON_ANALYSIS_EFFECTS_H
#define CORDON_ANALYSIS_EFFECTS_H

#include "analysis/inquiry.h"

/*
 * Clocks of hosts, of AWS and of flow windows may be that far apart: what is tied by more than its
 * time is taken to have followed, even when it seems to have come first.
 */
#define EFFECTS_SKEW_MS (INT64_C(10) * 60 * 1000)

enum effects_strength {
	EFFECTS_NONE,
	EFFECTS_NEAR, /* soon after an answered exploit, by nothing else tied to it */
	EFFECTS_TIED, /* the addresses are those of the request */
};

struct effects {
	size_t hit; /* the request, or INQUIRY_NONE */
	enum effects_strength strength;
	char what[160];
	json_t *events; /* owned; NULL when none */
};

/* The request whose effect is proved best; the earliest of equals. Free with effects_deinit. */
void effects_find(const struct inquiry *q, struct effects *out);
void effects_deinit(struct effects *e);
/* GuardDuty saw this instance (a text of the pool) behave soon after the request. */
bool effects_on(const struct inquiry *q, const struct web_hit *h, uint32_t instance);
/* How a flow is cited: it has no id of its own. */
void effects_flow_text(const struct inquiry *q, const struct flow_row *f, char out[160]);
/* The inside of a network: flow logs of an interface show its private address. */
bool effects_is_inside(struct str ip);
/* By time, then by the addresses: the order of the rows themselves is that of the input. */
int effects_flow_order(
	const struct inquiry *q, const struct flow_row *a, const struct flow_row *b);
/* Something that followed is tied to this request. */
bool effects_tied(const struct inquiry *q, const struct web_hit *h);

#endif
