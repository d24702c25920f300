#include "analysis/seen.h"

#include "base/err.h"

#include <sched.h>
#include <stdlib.h>

#define FIRST_SLOTS 64u

void seen_init(struct seen *s, size_t max)
{
	*s = (struct seen){ .max = max / SEEN_SHARDS + 1 };
}

void seen_deinit(struct seen *s)
{
	for (size_t i = 0; i < SEEN_SHARDS && s->max; i++) {
		free(s->shards[i].slots);
	}
	*s = (struct seen){ .max = 0 };
}

static struct seen_shard *shard_of(const struct seen *s, uint64_t key)
{
	return (struct seen_shard *)(uintptr_t)&s->shards[key >> 56];
}

/* The bits below the shard's, scaled to the size, which need be no power of two. */
static size_t place_of(size_t cap, uint64_t key)
{
	__extension__ typedef unsigned __int128 wide;
	return (size_t)((wide)(key << 8) * cap >> 64);
}

static uint64_t *slot_of(uint64_t *slots, size_t cap, uint64_t key)
{
	size_t i = place_of(cap, key);
	while (slots[i] != 0 && slots[i] != key) {
		i = i + 1 == cap ? 0 : i + 1;
	}
	return &slots[i];
}

/* Half as large again: doubling would take twice what the keys need for half of the time. */
static void grow(struct seen_shard *h)
{
	size_t old = h->cap;
	uint64_t *kept = h->slots;
	size_t cap = old ? old + old / 2 : FIRST_SLOTS;
	uint64_t *slots = calloc(cap, sizeof(*slots));
	if (!slots) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < old; i++) {
		if (kept[i]) {
			*slot_of(slots, cap, kept[i]) = kept[i];
		}
	}
	free(kept);
	h->slots = slots;
	h->cap = cap;
}

static bool add(const struct seen *s, struct seen_shard *h, uint64_t key)
{
	if (key == 0) {
		bool fresh = !h->zero;
		h->zero = true;
		return fresh;
	}
	if (h->n * 5 >= h->cap * 4) {
		grow(h);
	}
	uint64_t *slot = slot_of(h->slots, h->cap, key);
	if (*slot == key) {
		return false;
	}
	if (h->n < s->max) {
		*slot = key;
		h->n++;
	} else {
		h->past++;
	}
	return true;
}

bool seen_add(struct seen *s, uint64_t key)
{
	struct seen_shard *h = shard_of(s, key);
	while (atomic_exchange_explicit(&h->locked, true, memory_order_acquire)) {
		(void)sched_yield();
	}
	bool fresh = add(s, h, key);
	atomic_store_explicit(&h->locked, false, memory_order_release);
	return fresh;
}

uint64_t seen_past(const struct seen *s)
{
	uint64_t n = 0;
	for (size_t i = 0; i < SEEN_SHARDS; i++) {
		n += s->shards[i].past;
	}
	return n;
}

void seen_announce(const struct seen *s, uint64_t key)
{
	__builtin_prefetch(shard_of(s, key), 1);
}

/* The place may be an old one when the shard grows meanwhile: it is only a hint. */
void seen_expect(const struct seen *s, uint64_t key)
{
	const struct seen_shard *h = shard_of(s, key);
	const uint64_t *slots = atomic_load_explicit(&h->slots, memory_order_relaxed);
	size_t cap = atomic_load_explicit(&h->cap, memory_order_relaxed);
	if (slots) {
		__builtin_prefetch(slots + place_of(cap, key), 1);
	}
}
