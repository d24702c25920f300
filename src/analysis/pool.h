/* Texts kept once: every distinct text gets a number, equal texts the same one. */
#ifndef CORDON_ANALYSIS_POOL_H
#define CORDON_ANALYSIS_POOL_H

#include "analysis/table.h"
#include "base/arena.h"

struct pool {
	struct arena arena;
	struct table table; /* struct str */
	uint64_t seed;
	uint64_t refused;           /* texts not kept because the ceiling was reached */
	struct pool_recent *recent; /* texts put last, by hash: most are put again soon */
};

/* What tells a line of text from others, and whether it was not read before. */
struct line_key {
	uint64_t key;
	bool fresh;
};

/* Empty pool that keeps at most `max` bytes of text. Number 0 is the empty text. */
void pool_init(struct pool *p, uint64_t seed, size_t max);
void pool_deinit(struct pool *p);
/* Number of a text; texts past 1 KiB are kept cut. 0 when the ceiling is reached. */
uint32_t pool_put(struct pool *p, struct str s);
/* The text of a number, NUL after the end; owned by the pool. */
struct str pool_get(const struct pool *p, uint32_t id);
/* What the text's number stands for, the same in every pool of this seed. */
uint64_t pool_key(const struct pool *p, uint32_t id);
/* The one of two texts that comes first in byte order; an empty one gives way. */
uint32_t pool_least(const struct pool *p, uint32_t a, uint32_t b);
/* As str_cmp of the two texts. */
int pool_order(const struct pool *p, uint32_t a, uint32_t b);
/* Number of a text that is there already, or UINT32_MAX. */
uint32_t pool_find(const struct pool *p, struct str s);

#endif
