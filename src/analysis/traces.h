/* What the hosts' own logs say: who got in over SSH or through the web server, and what followed. */
#ifndef CORDON_ANALYSIS_TRACES_H
#define CORDON_ANALYSIS_TRACES_H

#include "analysis/inquiry.h"

/* Adds an id to a list of cited events (made when NULL), up to INQUIRY_CITED; returns the list. */
json_t *traces_cite(json_t *events, const char *id);
/*
 * The strongest break-in over SSH no later than `before_ms`, its evidence in *best (whose claims
 * are replaced), its log-odds in *score; INQUIRY_NONE when none is even suspect.
 */
size_t traces_best_ssh(
	const struct inquiry *q, int64_t before_ms, double *score, struct inquiry_weigh *best);
/*
 * Adds the evidence of the first login with a key, in the day up to `before_ms` (INT64_MAX: ever),
 * that came from where its user never was and after which a way back in was left; false when
 * there is none.
 */
bool traces_strange_key(const struct inquiry *q, int64_t before_ms, struct inquiry_weigh *w);
/*
 * The request that brought the credentials of `s` out: answered, before their first use, and
 * either asking for this very role (*role), or just before, or from the same client.
 */
size_t traces_web_entry(const struct inquiry *q, const struct suspect *s, bool *role);
/* The first answered attempt of the same client with the same aim: where the entry began. */
size_t traces_first_of_client(const struct inquiry *q, size_t hit);
void traces_claim_web(struct inquiry *q, size_t hit, bool role);

#endif
