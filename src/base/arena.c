#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)16 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ .max = max };
}

void arena_deinit(struct arena *a)
{
	struct arena_block *b = a->head;
	while (b) {
		struct arena_block *next = b->next;
		if (a->wipe) {
			explicit_bzero(b->data, b->used);
		}
		free(b);
		b = next;
	}
	*a = (struct arena){ .max = a->max, .wipe = a->wipe };
}

void arena_reset(struct arena *a)
{
	arena_deinit(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
	size_t align = alignof(max_align_t);
	size_t room;
	if (__builtin_add_overflow(n, align - 1, &room)) {
		a->overflow = true;
		return NULL;
	}
	room &= ~(align - 1);
	if (a->overflow || room > a->max || a->used > a->max - room) {
		a->overflow = true;
		return NULL;
	}
	if (!a->head || a->head->cap - a->head->used < room) {
		size_t cap = room > BLOCK_BYTES ? room : BLOCK_BYTES;
		struct arena_block *b = malloc(sizeof(*b) + cap);
		if (!b) {
			abort();
		}
		b->next = a->head;
		b->used = 0;
		b->cap = cap;
		a->head = b;
	}
	void *p = a->head->data + a->head->used;
	a->head->used += room;
	a->used += room;
	memset(p, 0, room);
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes)) {
		a->overflow = true;
		return NULL;
	}
	return arena_alloc(a, bytes);
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
	if (!p) {
		return (struct str){ "", 0 };
	}
	if (s.n) {
		memcpy(p, s.p, s.n);
	}
	return (struct str){ p, s.n };
}

const char *arena_cstr(struct arena *a, struct str s)
{
	return arena_str(a, s).p;
}
