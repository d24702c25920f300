/*
 * What stands at the end of a record, from eventType on, says where a call was made, not what it did: it is
 * the same again and again for a service in a region. A tail that was read before is recognised by a
 * keyed hash of its bytes and jumped over.
 */
#ifndef CORDON_ANALYSIS_EVENT_TAIL_H
#define CORDON_ANALYSIS_EVENT_TAIL_H

#include "analysis/skim.h"

#include <stdint.h>

struct event_tails;
/* `seed`: what only this run knows. `wanted`: a bit for each known key whose member is needed again. */
struct event_tails *event_tail_new(uint64_t seed, uint64_t wanted);
void event_tail_free(struct event_tails *t);
/*
 * The length of the tail that stands at text[at] when it was read before and `hint` led to it; its
 * wanted members are added to *out. 0: not known.
 */
size_t event_tail_known(
	struct event_tails *t, uint64_t hint, struct str text, size_t at, struct skim_out *out);
/*
 * Keeps the tail from text[at] to the end of the text for later, `members` being the n that are in it.
 * Not one with more wanted members than there is room for.
 */
void event_tail_keep(struct event_tails *t, uint64_t hint, struct str text, size_t at,
	const struct skim_member *members, size_t n);
/* Hash of the tail's bytes, the same in any run; the one found known last costs nothing. */
uint64_t event_tail_content(struct event_tails *t, struct str tail);

#endif
