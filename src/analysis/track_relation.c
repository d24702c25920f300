/* What an edge was seen with: programs, keys, regions, calls, buckets. */
#include "analysis/track.h"

static uint64_t key_of(const struct track *t, const struct track_relation *r)
{
	uint64_t edge = table_mix(t->edges.keys[r->edge], (uint64_t)r->kind);
	return table_mix(edge, pool_key(&t->pool, r->what));
}

struct track_relation *track_relation_of(
	const struct track *t, uint32_t edge, enum track_rel kind, uint32_t what)
{
	const struct track_relation r = { .kind = kind, .edge = edge, .what = what };
	return table_find(&t->relations, key_of(t, &r));
}

static void add(
	const struct pool *pool, struct track_relation *r, const struct track_relation *more)
{
	r->kind = more->kind;
	r->edge = more->edge;
	r->what = more->what;
	r->n += more->n;
	r->n_denied += more->n_denied;
	r->n_ok += more->n_ok;
	r->bytes += more->bytes;
	track_ref_first(pool, &r->first, &more->first);
	track_ref_last(pool, &r->last, &more->last);
	track_ref_first(pool, &r->first_denied, &more->first_denied);
	track_ref_last(pool, &r->last_ok, &more->last_ok);
}

void track_relations_settle(struct track *t)
{
	size_t at[TRACK_TO_COME];
	for (size_t i = 0; i < t->n_to_come; i++) {
		at[i] = table_add(&t->relations, key_of(t, &t->relations_to_come[i]), NULL);
	}
	for (size_t i = 0; i < t->n_to_come; i++) {
		if (at[i] != SIZE_MAX) {
			add(&t->pool, table_at(&t->relations, at[i]), &t->relations_to_come[i]);
		}
	}
	t->n_to_come = 0;
}

void track_relation_add(struct track *t, const struct track_relation *more)
{
	table_expect(&t->relations, key_of(t, more));
	t->relations_to_come[t->n_to_come++] = *more;
	/* A ledger must see what each event adds by itself. */
	if (t->n_to_come == TRACK_TO_COME || t->edges.ledger) {
		track_relations_settle(t);
	}
}
