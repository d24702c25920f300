#include "analysis/lites.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Lines of both sorts of an edge lie side by side: bin 2 * edge + sort. */
#define SORTS 2u

static const uint32_t ceiling[SORTS] = { LITES_EVERYDAY, LITES_MARKED };

/* What the K are at a moment. */
struct shares {
	size_t k[SORTS];
};

static size_t sort_of(const struct track_lite *l)
{
	return (l->tags & TRACK_MARKED) != 0;
}

static size_t bin_of(const struct track_lite *l)
{
	return (size_t)l->edge * SORTS + sort_of(l);
}

/* How many lines of a sort may be held for a while between two cuts. */
static size_t room_of(size_t sort)
{
	return ceiling[sort] + ceiling[sort] / 2;
}

static uint64_t total_with(const struct track *t, size_t sort, uint32_t k)
{
	uint64_t total = 0;
	for (uint32_t i = 0; i < t->edges.n; i++) {
		const struct track_edge *e = track_edge_at(t, i);
		uint32_t n = sort ? e->n_marked : e->n_calls - e->n_marked;
		total += n < k ? n : k;
	}
	return total;
}

/* The K of the heading. */
static uint32_t share(const struct track *t, size_t sort)
{
	uint32_t low = 1;
	uint32_t high = UINT32_MAX;
	if (total_with(t, sort, high) <= ceiling[sort]) {
		return high;
	}
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (total_with(t, sort, middle) <= ceiling[sort]) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return low;
}

static struct shares shares(const struct track *t)
{
	return (struct shares){ { share(t, 0), share(t, 1) } };
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t c = *a;
	*a = *b;
	*b = c;
}

/* Brings the k earliest of the lines `rows` to the front, in no order (quickselect). */
static void earliest(const struct track *t, uint32_t *rows, size_t n, size_t k)
{
	while (n > 1 && k > 0 && k < n) {
		struct track_ref pivot = t->lites[rows[n / 2]].ref;
		size_t low = 0;
		size_t high = n;
		size_t i = 0;
		while (i < high) {
			int c = track_ref_cmp(t, &t->lites[rows[i]].ref, &pivot);
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

/* The lines of the bins that have at least K, bin after bin. */
struct full {
	size_t *from; /* by bin, n_bins + 1 of them */
	uint32_t *rows;
};

static struct full full_bins(const struct track *t, const struct shares *most)
{
	size_t n_bins = t->edges.n * SORTS;
	struct full f = { mem_zeroed(n_bins + 2, sizeof(*f.from)), NULL };
	size_t *n = f.from + 1; /* counts; then where the next line of the bin goes */
	for (size_t i = 0; i < t->n_lites; i++) {
		n[bin_of(&t->lites[i])]++;
	}
	size_t total = 0;
	for (size_t b = 0; b < n_bins; b++) {
		size_t more = n[b] >= most->k[b % SORTS] ? n[b] : 0;
		n[b] = more ? total : SIZE_MAX;
		total += more;
	}
	f.rows = mem_grown(NULL, total, sizeof(*f.rows));
	for (size_t i = 0; i < t->n_lites; i++) {
		size_t *next = &n[bin_of(&t->lites[i])];
		if (*next != SIZE_MAX) {
			f.rows[(*next)++] = (uint32_t)i;
		}
	}
	for (size_t b = 0; b < n_bins; b++) {
		n[b] = n[b] == SIZE_MAX ? f.from[b] : n[b];
	}
	return f;
}

static int64_t latest(const struct track *t, const uint32_t *rows, size_t n)
{
	int64_t last_ms = t->lites[rows[0]].ref.time_ms;
	for (size_t i = 1; i < n; i++) {
		int64_t ms = t->lites[rows[i]].ref.time_ms;
		last_ms = ms > last_ms ? ms : last_ms;
	}
	return last_ms;
}

static void drop(struct track *t, const bool *gone)
{
	size_t kept = 0;
	memset(t->n_sort, 0, sizeof(t->n_sort));
	for (size_t i = 0; i < t->n_lites; i++) {
		if (!gone[i]) {
			t->n_sort[sort_of(&t->lites[i])]++;
			t->lites[kept++] = t->lites[i];
		}
	}
	t->n_lites = kept;
}

/* Rows are kept at most as long as their edges say. */
static void cut_rows(struct track *t)
{
	for (size_t i = 0; i < TRACK_ROW_SLOTS && t->n_rows; i++) {
		struct track_row *row = &t->rows[i];
		if (row->person) {
			row->cut_ms = lites_cut_ms(track_edge_at(t, row->edge), row->tags);
		}
	}
}

static void cut(struct track *t)
{
	struct shares most = shares(t);
	struct full f = full_bins(t, &most);
	bool *gone = mem_zeroed(t->n_lites + 1, sizeof(*gone));
	for (size_t b = 0; b < t->edges.n * SORTS; b++) {
		uint32_t *rows = f.rows + f.from[b];
		size_t n = f.from[b + 1] - f.from[b];
		size_t k = most.k[b % SORTS];
		if (n == 0) {
			continue;
		}
		earliest(t, rows, n, k);
		track_edge_at(t, (uint32_t)(b / SORTS))->cut_ms[b % SORTS] = latest(t, rows, k);
		for (size_t i = k; i < n; i++) {
			gone[rows[i]] = true;
		}
	}
	drop(t, gone);
	free(gone);
	free(f.from);
	free(f.rows);
	cut_rows(t);
}

int64_t lites_cut_ms(const struct track_edge *e, unsigned tags)
{
	int64_t ms = e->cut_ms[(tags & TRACK_MARKED) != 0];
	return ms ? ms : INT64_MAX;
}

void lites_add(struct track *t, const struct track_lite *lite)
{
	size_t sort = sort_of(lite);
	if (lite->ref.time_ms > lites_cut_ms(track_edge_at(t, lite->edge), lite->tags)) {
		return;
	}
	if (t->n_sort[sort] == room_of(sort)) {
		track_flush(t); /* the edges must know how many lines they had */
		cut(t);
	}
	if (t->n_lites == t->cap_lites) {
		t->cap_lites = t->cap_lites ? t->cap_lites * 2 : 256;
		size_t room = room_of(0) + room_of(1);
		t->cap_lites = t->cap_lites < room ? t->cap_lites : room;
		t->lites = realloc(t->lites, t->cap_lites * sizeof(*t->lites));
		if (!t->lites) {
			BUG("out of memory");
		}
	}
	t->lites[t->n_lites++] = *lite;
	t->n_sort[sort]++;
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
	memset(t->n_sort, 0, sizeof(t->n_sort));
	for (size_t i = 0; i < t->n_lites; i++) {
		t->n_sort[sort_of(&t->lites[i])]++;
	}
	if (t->n_sort[0] > ceiling[0] || t->n_sort[1] > ceiling[1]) {
		cut(t);
	}
}
