/*
 * Who called, as userIdentity tells it. The same text of it comes in every call of a session, so it is taken
 * apart once, and recognised where it stands again without being looked through.
 */
#ifndef CORDON_ANALYSIS_EVENT_WHO_H
#define CORDON_ANALYSIS_EVENT_WHO_H

#include "analysis/event.h"

struct event_whos;
/* `seed` is what only this run knows: by keyed hashes of it texts are told apart. */
struct event_whos *event_who_new(uint64_t seed);
void event_who_free(struct event_whos *w);
/*
 * The length of the identity that `text` begins with when it was read before; 0: not known. What
 * event_who_read is given next must be that identity.
 */
size_t event_who_known(struct event_whos *w, struct str text);
/* `text` probably begins with an identity that will be asked for soon: begins to fetch what is known of it. */
void event_who_expect(const struct event_whos *w, struct str text);
/*
 * The identity `json`, an object. It is kept for the next ones, but neither in the place of one that the
 * last EVENT_TURNS events use, nor when it is too long or escaped: then it is in *rare, and its slices
 * point into `json`.
 */
struct event_who *event_who_read(struct event_whos *w, struct str json, struct event_who *rare);

#endif
