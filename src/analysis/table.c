#include "analysis/table.h"

#include "analysis/ledger.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64u

void table_init(struct table *t, size_t item, size_t max)
{
	*t = (struct table){ .item = item, .max = max < UINT32_MAX - 1 ? max : UINT32_MAX - 1 };
}

void table_deinit(struct table *t)
{
	free(t->keys);
	free(t->items);
	free(t->slots);
	*t = (struct table){ 0 };
}

static uint32_t tag_of(uint64_t key)
{
	return (uint32_t)(key >> 32);
}

static size_t slot_of(const struct table *t, uint64_t key)
{
	size_t mask = t->n_slots - 1;
	size_t i = (size_t)(key ^ (key >> 32)) & mask;
	uint32_t tag = tag_of(key);
	for (; t->slots[i].at; i = (i + 1) & mask) {
		size_t at = t->slots[i].at - 1;
		if (t->slots[i].tag == tag) {
			__builtin_prefetch(t->items + at * t->item);
			if (t->keys[at] == key) {
				break;
			}
		}
	}
	return i;
}

void table_expect(const struct table *t, uint64_t key)
{
	if (t->n_slots) {
		__builtin_prefetch(
			&t->slots[(size_t)(key ^ (key >> 32)) & (t->n_slots - 1)], 1);
	}
}

size_t table_index(const struct table *t, uint64_t key)
{
	if (t->n == 0) {
		return SIZE_MAX;
	}
	uint32_t found = t->slots[slot_of(t, key)].at;
	return found ? found - 1 : SIZE_MAX;
}

void *table_find(const struct table *t, uint64_t key)
{
	size_t i = table_index(t, key);
	return i == SIZE_MAX ? NULL : table_at(t, i);
}

void *table_at(const struct table *t, size_t i)
{
	return t->items + i * t->item;
}

static void rehash(struct table *t, size_t n_slots)
{
	t->slots = mem_grown(t->slots, n_slots, sizeof(*t->slots));
	memset(t->slots, 0, n_slots * sizeof(*t->slots));
	t->n_slots = n_slots;
	for (size_t i = 0; i < t->n; i++) {
		t->slots[slot_of(t, t->keys[i])] =
			(struct table_slot){ (uint32_t)(i + 1), tag_of(t->keys[i]) };
	}
}

void table_touch(const struct table *t, size_t i)
{
	if (t->ledger) {
		ledger_touch(t->ledger, t, i);
	}
}

size_t table_add(struct table *t, uint64_t key, bool *fresh)
{
	if (fresh) {
		*fresh = false;
	}
	size_t i = table_index(t, key);
	if (i != SIZE_MAX) {
		table_touch(t, i);
		return i;
	}
	if (t->n >= t->max) {
		t->refused++;
		return SIZE_MAX;
	}
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : FIRST_SLOTS / 2;
		t->keys = mem_grown(t->keys, t->cap, sizeof(*t->keys));
		t->items = mem_grown(t->items, t->cap, t->item);
	}
	if ((t->n + 1) * 4 > t->n_slots * 3) {
		rehash(t, t->n_slots ? t->n_slots * 2 : FIRST_SLOTS);
	}
	t->keys[t->n] = key;
	if (t->item) {
		memset(t->items + t->n * t->item, 0, t->item);
	}
	t->slots[slot_of(t, key)] = (struct table_slot){ (uint32_t)(t->n + 1), tag_of(key) };
	if (fresh) {
		*fresh = true;
	}
	t->n++;
	table_touch(t, t->n - 1);
	return t->n - 1;
}

/* 64 x 64 -> 128 bit product folded: every input bit reaches every output bit. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load8(const char *p)
{
	uint64_t v = 0;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* One to seven bytes. */
static uint64_t load_rest(const char *p, size_t n)
{
	uint64_t v = 0;
	if (n >= 4) {
		uint32_t low = 0;
		uint32_t high = 0;
		memcpy(&low, p, 4);
		memcpy(&high, p + n - 4, 4);
		return low | (uint64_t)high << 32;
	}
	v = (unsigned char)p[0];
	v |= (uint64_t)(unsigned char)p[n / 2] << 8;
	return v | (uint64_t)(unsigned char)p[n - 1] << 16;
}

#define ODD_A 0x9e3779b97f4a7c15u
#define ODD_B 0xd6e8feb86659fd93u

uint64_t table_mix(uint64_t h, uint64_t v)
{
	return fold(h ^ ODD_A, v ^ ODD_B);
}

/* One step: no bytes can be chosen to make the product nothing by who does not know the key. */
static uint64_t step(uint64_t h, const char *p, uint64_t key)
{
	return fold(h ^ load8(p), load8(p + 8) ^ key);
}

/*
 * Four sums side by side: a product takes longer than the processor needs to begin the next. The
 * last 64 bytes may have been taken in part already: that costs less than to find out.
 */
static uint64_t hash_long(uint64_t seed, const char *p, size_t n)
{
	const uint64_t key = seed ^ ODD_A;
	const char *last = p + n - 64;
	uint64_t a = seed ^ ODD_A;
	uint64_t b = seed ^ ODD_B;
	uint64_t c = seed + ODD_A;
	uint64_t d = seed + ODD_B;
	for (; p < last; p += 64) {
		a = step(a, p, key);
		b = step(b, p + 16, key);
		c = step(c, p + 32, key);
		d = step(d, p + 48, key);
	}
	a = step(a, last, key);
	b = step(b, last + 16, key);
	c = step(c, last + 32, key);
	d = step(d, last + 48, key);
	return fold(a ^ c, b ^ ODD_A) ^ fold(b ^ d, c ^ ODD_B);
}

uint64_t table_hash(uint64_t seed, struct str s)
{
	uint64_t h = seed ^ fold(s.n ^ ODD_B, ODD_A);
	const uint64_t key = seed ^ ODD_B;
	if (s.n >= 64) {
		return hash_long(h, s.p, s.n);
	}
	if (s.n >= 16) {
		uint64_t other = step(h + ODD_A, s.p + s.n - 16, key);
		h = step(h, s.p, key);
		if (s.n > 32) {
			other = step(other, s.p + s.n - 32, key);
			h = step(h, s.p + 16, key);
		}
		return fold(h ^ ODD_B, other ^ ODD_A);
	}
	if (s.n >= 8) {
		h = fold(h ^ load8(s.p), load8(s.p + s.n - 8) ^ key);
	} else if (s.n) {
		h = fold(h ^ load_rest(s.p, s.n), key);
	}
	return fold(h ^ ODD_B, ODD_A ^ s.n);
}
