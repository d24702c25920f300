#include "analysis/pool.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024u
/* Ceiling on the count: a text takes about 48 bytes beside its own. */
#define TEXTS_MAX ((size_t)4 * 1024 * 1024)
#define PROBES    4
#define RECENT    1024u

struct pool_recent {
	uint64_t key;
	uint32_t id;
};

void pool_init(struct pool *p, uint64_t seed, size_t max)
{
	*p = (struct pool){ .seed = seed };
	arena_init(&p->arena, max);
	table_init(&p->table, sizeof(struct str), TEXTS_MAX);
	p->recent = mem_grown(NULL, RECENT, sizeof(*p->recent));
	memset(p->recent, 0, RECENT * sizeof(*p->recent));
	(void)pool_put(p, (struct str){ "", 0 });
}

void pool_deinit(struct pool *p)
{
	free(p->recent);
	p->recent = NULL;
	table_deinit(&p->table);
	arena_deinit(&p->arena);
}

uint32_t pool_find(const struct pool *p, struct str s)
{
	s = str_sub(s, 0, TEXT_MAX);
	uint64_t key = table_hash(p->seed, s);
	for (uint64_t i = 0; i < PROBES; i++) {
		size_t at = table_index(&p->table, key + i);
		if (at == SIZE_MAX) {
			return UINT32_MAX;
		}
		if (str_eq(*(struct str *)table_at(&p->table, at), s)) {
			return (uint32_t)at;
		}
	}
	return UINT32_MAX;
}

static uint32_t put(struct pool *p, struct str s, uint64_t key)
{
	for (uint64_t i = 0; i < PROBES; i++) {
		size_t at = table_index(&p->table, key + i);
		if (at != SIZE_MAX) {
			if (str_eq(*(struct str *)table_at(&p->table, at), s)) {
				return (uint32_t)at;
			}
			continue;
		}
		struct str kept = arena_str(&p->arena, s);
		if (p->arena.overflow) {
			break;
		}
		at = table_add(&p->table, key + i, NULL);
		if (at == SIZE_MAX) {
			break;
		}
		*(struct str *)table_at(&p->table, at) = kept;
		return (uint32_t)at;
	}
	p->refused++;
	return 0;
}

uint32_t pool_put(struct pool *p, struct str s)
{
	s = str_sub(s, 0, TEXT_MAX);
	uint64_t key = table_hash(p->seed, s);
	struct pool_recent *recent = &p->recent[key % RECENT];
	if (recent->key != key || recent->id == 0) {
		*recent = (struct pool_recent){ key, put(p, s, key) };
	}
	return recent->id;
}

uint64_t pool_key(const struct pool *p, uint32_t id)
{
	return id < p->table.n ? p->table.keys[id] : 0;
}

struct str pool_get(const struct pool *p, uint32_t id)
{
	return id < p->table.n ? *(struct str *)table_at(&p->table, id) : (struct str){ "", 0 };
}

int pool_order(const struct pool *p, uint32_t a, uint32_t b)
{
	return a == b ? 0 : str_cmp(pool_get(p, a), pool_get(p, b));
}

uint32_t pool_least(const struct pool *p, uint32_t a, uint32_t b)
{
	if (a == b || a == 0 || b == 0) {
		return a ? a : b;
	}
	return str_cmp(pool_get(p, a), pool_get(p, b)) < 0 ? a : b;
}
