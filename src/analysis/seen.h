/*
 * A set of 64-bit keys that all workers of a run share: what was read before, by whomever. The
 * keys are hashes already (table_hash), so no log can be written to crowd one corner of the set.
 */
#ifndef CORDON_ANALYSIS_SEEN_H
#define CORDON_ANALYSIS_SEEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEEN_SHARDS 256

/*
 * Keys with the same first byte: open addressing in order of the key, 0 = free. Each in a cache line
 * of its own, so that threads do not wait for shards that they do not use.
 */
struct seen_shard {
	_Alignas(64) _Atomic bool locked; /* held for a few instructions only */
	_Atomic(uint64_t *) slots;
	size_t n;
	_Atomic size_t cap;
	bool zero;     /* the key 0 is in the set */
	uint64_t past; /* keys that found no room */
};
struct seen {
	struct seen_shard shards[SEEN_SHARDS];
	size_t max; /* keys a shard may hold */
};

/* Empty set of about `max` keys at most. */
void seen_init(struct seen *s, size_t max);
void seen_deinit(struct seen *s);
/*
 * Adds a key; false when it was there. Past the ceiling every key counts as new: rather one event
 * twice than one not at all. Safe from several threads.
 */
bool seen_add(struct seen *s, uint64_t key);
/* Keys that were not kept, after all threads have ended: they may have been counted twice. */
uint64_t seen_past(const struct seen *s);
/* Begins to fetch what leads to the key's place; then, a little later, the place, for a seen_add soon after. */
void seen_announce(const struct seen *s, uint64_t key);
void seen_expect(const struct seen *s, uint64_t key);

#endif
