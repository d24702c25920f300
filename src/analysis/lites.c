#include "analysis/lites.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

static uint64_t total_with(const struct track *t, uint32_t k)
{
	uint64_t total = 0;
	for (uint32_t i = 0; i < t->edges.n; i++) {
		uint32_t n = track_edge_at(t, i)->n_calls;
		total += n < k ? n : k;
	}
	return total;
}

/* The K of the heading. */
static uint32_t share(const struct track *t)
{
	uint32_t low = 1;
	uint32_t high = UINT32_MAX;
	if (total_with(t, high) <= LITES_MAX) {
		return high;
	}
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (total_with(t, middle) <= LITES_MAX) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return low;
}

static void swap(struct track_lite *a, struct track_lite *b)
{
	struct track_lite c = *a;
	*a = *b;
	*b = c;
}

/* Brings the k earliest of `rows` to the front, in no order (quickselect). */
static void earliest(const struct track *t, struct track_lite *rows, size_t n, size_t k)
{
	while (n > 1 && k > 0 && k < n) {
		struct track_ref pivot = rows[n / 2].ref;
		size_t low = 0;
		size_t high = n;
		size_t i = 0;
		while (i < high) {
			int c = track_ref_cmp(t, &rows[i].ref, &pivot);
			if (c < 0) {
				swap(&rows[i++], &rows[low++]);
			} else if (c > 0) {
				swap(&rows[i], &rows[--high]);
			} else {
				i++;
			}
		}
		if (k <= low) {
			n = low;
		} else if (k < high) {
			return;
		} else {
			rows += high;
			n -= high;
			k -= high;
		}
	}
}

/* Lines of one edge side by side, edge after edge; from[e] is where edge e begins. */
static void group(struct track *t, size_t *from)
{
	size_t n_edges = t->edges.n;
	size_t *next = calloc(n_edges + 1, sizeof(*next));
	if (!next) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < t->n_lites; i++) {
		from[t->lites[i].edge + 1]++;
	}
	for (size_t e = 0; e < n_edges; e++) {
		from[e + 1] += from[e];
		next[e] = from[e];
	}
	/* Each swap brings one line home. */
	for (size_t e = 0; e < n_edges; e++) {
		while (next[e] < from[e + 1]) {
			struct track_lite *row = &t->lites[next[e]];
			if (row->edge == e) {
				next[e]++;
			} else {
				swap(row, &t->lites[next[row->edge]++]);
			}
		}
	}
	free(next);
}

static struct track_ref latest(const struct track *t, const struct track_lite *rows, size_t n)
{
	struct track_ref last = rows[0].ref;
	for (size_t i = 1; i < n; i++) {
		track_ref_last(&t->pool, &last, &rows[i].ref);
	}
	return last;
}

static size_t *cut(struct track *t, size_t k)
{
	size_t *from = calloc(t->edges.n + 2, sizeof(*from));
	if (!from) {
		BUG("out of memory");
	}
	group(t, from);
	size_t kept = 0;
	for (uint32_t e = 0; e < t->edges.n; e++) {
		struct track_lite *rows = t->lites + from[e];
		size_t n = from[e + 1] - from[e];
		if (n > k) {
			earliest(t, rows, n, k);
			n = k;
		}
		if (n == k && n > 0) {
			track_edge_at(t, e)->cut = latest(t, rows, n);
		}
		memmove(t->lites + kept, rows, n * sizeof(*rows));
		from[e] = kept;
		kept += n;
	}
	from[t->edges.n] = kept;
	t->n_lites = kept;
	return from;
}

int64_t lites_cut_ms(const struct track *t, uint32_t edge)
{
	const struct track_edge *e = edge == TRACK_NONE ? NULL : track_edge_at(t, edge);
	return e && e->cut.set ? e->cut.time_ms : INT64_MAX;
}

void lites_add(struct track *t, const struct track_lite *lite)
{
	const struct track_edge *e = track_edge_at(t, lite->edge);
	if (e->cut.set && track_ref_cmp(t, &lite->ref, &e->cut) > 0) {
		return;
	}
	if (t->n_lites == LITES_ROOM) {
		track_flush(t); /* the edges must know how many lines they had */
		free(cut(t, share(t)));
		for (size_t i = 0; i < TRACK_PLACE_SLOTS; i++) {
			struct track_place *p = &t->places[i];
			p->cut_ms = lites_cut_ms(t, p->edge);
		}
	}
	if (t->n_lites == t->cap_lites) {
		t->cap_lites = t->cap_lites ? t->cap_lites * 2 : 256;
		t->cap_lites = t->cap_lites < LITES_ROOM ? t->cap_lites : LITES_ROOM;
		t->lites = realloc(t->lites, t->cap_lites * sizeof(*t->lites));
		if (!t->lites) {
			BUG("out of memory");
		}
	}
	t->lites[t->n_lites++] = *lite;
}

static int order(const void *a, const void *b, void *ctx)
{
	const struct track_lite *x = a;
	const struct track_lite *y = b;
	if (x->edge != y->edge) {
		return x->edge < y->edge ? -1 : 1;
	}
	return track_ref_cmp(ctx, &x->ref, &y->ref);
}

void lites_drop_copies(struct track *t)
{
	size_t n = 0;
	if (t->n_lites) {
		qsort_r(t->lites, t->n_lites, sizeof(*t->lites), order, t);
	}
	for (size_t i = 0; i < t->n_lites; i++) {
		if (n == 0 || order(&t->lites[i], &t->lites[n - 1], t) != 0) {
			t->lites[n++] = t->lites[i];
		}
	}
	t->n_lites = n;
}

void lites_trim(struct track *t)
{
	if (t->n_lites > LITES_MAX) {
		free(cut(t, share(t)));
	}
}

void lites_settle(struct track *t, size_t edge_max)
{
	if (t->n_lites == 0) {
		return;
	}
	size_t k = share(t);
	size_t *from = cut(t, k < edge_max ? k : edge_max);
	for (uint32_t e = 0; e < t->edges.n; e++) {
		struct track_edge *edge = track_edge_at(t, e);
		edge->lites = t->lites + from[e];
		edge->n_lites = (uint32_t)(from[e + 1] - from[e]);
	}
	free(from);
}
