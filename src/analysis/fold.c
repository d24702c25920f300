#include "analysis/fold.h"

#include "analysis/track.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* What the numbers of the other state are in this one. */
struct map {
	uint32_t *texts;
	uint32_t *rows[FOLD_PARTS_MAX];
	const struct pool *pool; /* of the state that grows */
};

void fold_lowest_add(struct fold_lowest *l, int64_t v)
{
	uint32_t i = 0;
	while (i < l->n && l->at[i] < v) {
		i++;
	}
	if (i == FOLD_LOWEST_N || (i < l->n && l->at[i] == v)) {
		return;
	}
	uint32_t last = l->n < FOLD_LOWEST_N ? l->n++ : FOLD_LOWEST_N - 1;
	for (; last > i; last--) {
		l->at[last] = l->at[last - 1];
	}
	l->at[i] = v;
}

static void *room(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);
	if (!p) {
		BUG("out of memory");
	}
	return p;
}

/* ---- numbers of the other state -> numbers of this one ---- */

static void map_ref(const struct map *m, struct track_ref *r)
{
	if (r->set && !r->uuid) {
		r->lo = m->texts[r->lo];
	}
}

static void map_refs(const struct map *m, struct track_refs *refs)
{
	for (uint32_t i = 0; i < refs->n; i++) {
		map_ref(m, &refs->at[i]);
	}
}

/* False when the item hangs on another one that found no room. */
static bool map_field(const struct map *m, const struct fold_field *f, void *value)
{
	uint32_t *number = value;
	switch (f->kind) {
	case FOLD_TEXT:
	case FOLD_LEAST:
		*number = m->texts[*number];
		return true;
	case FOLD_ROW:
	case FOLD_ROW_OR:
		if (*number != FOLD_NONE) {
			*number = m->rows[f->arg][*number];
			return *number != FOLD_NONE;
		}
		return true;
	case FOLD_FIRST:
	case FOLD_LAST:
		map_ref(m, value);
		return true;
	case FOLD_REFS:
		map_refs(m, value);
		return true;
	default:
		return true;
	}
}

static bool map_item(const struct map *m, const struct fold_type *type, unsigned char *item)
{
	for (size_t i = 0; i < type->n; i++) {
		if (!map_field(m, &type->fields[i], item + type->fields[i].at)) {
			return false;
		}
	}
	return true;
}

/* ---- joining ---- */

static void add_up(const struct fold_field *f, void *into, const void *from)
{
	if (f->size == sizeof(uint64_t)) {
		*(uint64_t *)into += *(const uint64_t *)from;
	} else {
		*(uint32_t *)into += *(const uint32_t *)from;
	}
}

static void join_field(
	const struct map *m, const struct fold_field *f, void *into, const void *from)
{
	uint32_t *text = into;
	int64_t *number = into;
	const int64_t *other = from;
	const struct track_refs *refs = from;
	const struct fold_lowest *lowest = from;
	switch (f->kind) {
	case FOLD_LEAST:
		*text = pool_least(m->pool, *text, *(const uint32_t *)from);
		break;
	case FOLD_SUM:
	case FOLD_TOTAL:
		add_up(f, into, from);
		break;
	case FOLD_MIN:
		*number = *number == 0 || (*other != 0 && *other < *number) ? *other : *number;
		break;
	case FOLD_MAX:
		*number = *number == 0 || (*other != 0 && *other > *number) ? *other : *number;
		break;
	case FOLD_OR:
		*(bool *)into = *(bool *)into || *(const bool *)from;
		break;
	case FOLD_AND:
		*(bool *)into = *(bool *)into && *(const bool *)from;
		break;
	case FOLD_FIRST:
		track_ref_first(m->pool, into, from);
		break;
	case FOLD_LAST:
		track_ref_last(m->pool, into, from);
		break;
	case FOLD_REFS:
		for (uint32_t i = 0; i < refs->n; i++) {
			track_refs_add(m->pool, into, &refs->at[i]);
		}
		break;
	case FOLD_LOWEST:
		for (uint32_t i = 0; i < lowest->n; i++) {
			fold_lowest_add(into, lowest->at[i]);
		}
		break;
	default:
		break;
	}
}

static void join_item(const struct map *m, const struct fold_type *type, unsigned char *into,
	const unsigned char *from)
{
	if (type->winner) {
		size_t at = type->winner - 1;
		if (track_ref_order(m->pool, (const void *)(from + at),
			    (const void *)(into + at)) < 0) {
			memcpy(into, from, type->size);
		}
		return;
	}
	for (size_t i = 0; i < type->n; i++) {
		const struct fold_field *f = &type->fields[i];
		join_field(m, f, into + f->at, from + f->at);
	}
}

/* `rows` gets the places in `into` of the items of `from`. */
static void fold_table(const struct map *m, const struct fold_type *type, uint32_t *rows,
	struct table *into, struct table *from)
{
	_Alignas(16) unsigned char item[FOLD_ITEM_MAX];
	for (size_t i = 0; i < from->n; i++) {
		rows[i] = FOLD_NONE;
		if (type->size) {
			memcpy(item, table_at(from, i), type->size);
		}
		bool fresh = false;
		size_t at = map_item(m, type, item) ? table_add(into, from->keys[i], &fresh)
						    : SIZE_MAX;
		if (at == SIZE_MAX) {
			continue;
		}
		rows[i] = (uint32_t)at;
		if (fresh && type->size) {
			memcpy(table_at(into, at), item, type->size);
		} else if (type->size) {
			join_item(m, type, table_at(into, at), item);
		}
	}
	into->refused += from->refused;
	table_deinit(from);
}

static void fold_list(const struct map *m, const struct fold_part *p, unsigned char *into,
	unsigned char *from)
{
	size_t size = p->type->size;
	unsigned char **items = (void *)(into + p->at);
	size_t *n = (void *)(into + p->at_n);
	size_t *cap = (void *)(into + p->at_room);
	unsigned char **others = (void *)(from + p->at);
	size_t *n_others = (void *)(from + p->at_n);
	size_t more = *n_others;
	more = *n + more > p->max ? p->max - *n : more;
	if (*n + more > *cap) {
		unsigned char *moved = realloc(*items, (*n + more) * size);
		if (!moved) {
			BUG("out of memory");
		}
		*items = moved;
		*cap = *n + more;
	}
	for (size_t i = 0; i < more; i++) {
		unsigned char *item = *items + *n * size;
		memcpy(item, *others + i * size, size);
		*n += map_item(m, p->type, item) ? 1 : 0;
	}
	free(*others);
	*others = NULL;
	*n_others = 0;
	memset(from + p->at_room, 0, sizeof(size_t));
}

static void fold_texts(struct map *m, struct pool *into, const struct pool *from)
{
	m->pool = into;
	m->texts = room(from->table.n, sizeof(uint32_t));
	for (uint32_t i = 0; i < from->table.n; i++) {
		m->texts[i] = pool_put(into, pool_get(from, i));
	}
	into->refused += from->refused;
}

static void fold_one(struct map *m, const struct fold_type *type, unsigned char *into,
	const unsigned char *from)
{
	_Alignas(16) unsigned char item[FOLD_ITEM_MAX];
	if (type->size > sizeof(item)) {
		BUG("an item larger than there is room for");
	}
	memcpy(item, from, type->size);
	if (map_item(m, type, item)) {
		join_item(m, type, into, item);
	}
}

void fold_state(const struct fold_plan *plan, void *into, void *from)
{
	struct map m = { .texts = NULL };
	unsigned char *a = into;
	unsigned char *b = from;
	fold_texts(&m, (void *)(a + plan->pool), (void *)(b + plan->pool));
	for (size_t i = 0; i < plan->n; i++) {
		const struct fold_part *p = &plan->parts[i];
		if (p->shape == FOLD_TABLE) {
			struct table *t = (void *)(b + p->at);
			m.rows[i] = room(t->n, sizeof(uint32_t));
			fold_table(&m, p->type, m.rows[i], (void *)(a + p->at), t);
		} else if (p->shape == FOLD_LIST) {
			fold_list(&m, p, a, b);
		} else {
			fold_one(&m, p->type, a + p->at, b + p->at);
		}
	}
	for (size_t i = 0; i < plan->n; i++) {
		free(m.rows[i]);
	}
	free(m.texts);
}
