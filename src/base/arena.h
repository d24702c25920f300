/* Arena: many small allocations that die together, with a ceiling that fails one unit of work. */
#ifndef CORDON_BASE_ARENA_H
#define CORDON_BASE_ARENA_H

#include "base/str.h"

struct arena_block;
struct arena {
	struct arena_block *head;
	size_t used;
	size_t max;
	bool overflow;
	bool wipe; /* set after arena_init for what may be secret */
};

/* Empty arena that hands out at most `max` bytes in all. */
void arena_init(struct arena *a, size_t max);
/* Frees everything handed out. Safe on a zeroed struct. */
void arena_deinit(struct arena *a);
/* Frees everything handed out and starts anew with the same ceiling. */
void arena_reset(struct arena *a);
/*
 * Zeroed memory aligned for any type, owned by the arena; NULL (and a->overflow) past the
 * ceiling.
 */
void *arena_alloc(struct arena *a, size_t n);
/* As arena_alloc for n elements of `size` bytes; NULL when the product overflows. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* Copy with a NUL after it; the empty slice past the ceiling. */
struct str arena_str(struct arena *a, struct str s);
/* As arena_str, as a C string; "" past the ceiling. */
const char *arena_cstr(struct arena *a, struct str s);

#endif
