/*
 * Items of one size in a growing array, found again by a 64-bit key. The key is the identity:
 * callers hash with table_hash, whose seed is drawn once a run so that no log can be written to
 * collide. Order of insertion is kept; nothing that reaches a result may depend on it.
 */
#ifndef CORDON_ANALYSIS_TABLE_H
#define CORDON_ANALYSIS_TABLE_H

#include "base/str.h"

/* Index + 1 of an item, 0 = free, and a part of its key, which tells most others without a look. */
struct table_slot {
	uint32_t at, tag;
};

struct ledger;
struct table {
	size_t item;              /* bytes of one item */
	size_t n, cap, max;       /* items held, room, ceiling */
	uint64_t *keys;           /* key of item i */
	unsigned char *items;     /* n * item bytes; moves when the table grows */
	struct table_slot *slots; /* open addressing */
	size_t n_slots;           /* power of two */
	uint64_t refused;         /* additions that the ceiling turned away */
	struct ledger *ledger;    /* told of every item that is about to change; mostly NULL */
};

/* Empty table of items of `item` bytes (0: a set of keys), at most `max` of them. */
void table_init(struct table *t, size_t item, size_t max);
/* Frees all. Safe on a zeroed struct. */
void table_deinit(struct table *t);
/* The item of a key or NULL. Valid until the next table_add. */
void *table_find(const struct table *t, uint64_t key);
/* Begins to fetch what leads to a key's item, for table_find or table_add a little later. */
void table_expect(const struct table *t, uint64_t key);
/* Index of a key or SIZE_MAX. */
size_t table_index(const struct table *t, uint64_t key);
/*
 * Index of the key's item, made (zeroed) when it is new; *fresh (may be NULL) tells which.
 * SIZE_MAX when the ceiling is reached.
 */
size_t table_add(struct table *t, uint64_t key, bool *fresh);
/* Item i is about to change, though nobody adds it; for the ledger. */
void table_touch(const struct table *t, size_t i);
/* Item i, i < n. */
void *table_at(const struct table *t, size_t i);

/* Seeded 64-bit hash of bytes. `seed` is the run's seed, or an earlier hash to chain fields. */
uint64_t table_hash(uint64_t seed, struct str s);
/* Mixes one integer into a hash. */
uint64_t table_mix(uint64_t h, uint64_t v);

#endif
