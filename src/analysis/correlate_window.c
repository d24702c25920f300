/* The sliding window: [t - timespan, t], judged at every item of one group. */
#include "analysis/correlate.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool compares(const struct sigma_correlation *corr, double v)
{
	for (size_t i = 0; i < corr->n_compares; i++) {
		double x = corr->compares[i].number;
		const bool holds[] = { v<x, v <= x, v> x, v >= x, v == x, v != x };
		if (!holds[corr->compares[i].op]) {
			return false;
		}
	}
	return corr->n_compares > 0;
}

struct window {
	const struct correlate *c;
	const struct sigma_correlation *corr;
	struct correlate_item *items;
	size_t n;
	size_t from; /* the window is items[from .. the one judged] */
};

/* Moves the window's start to the first item that is still in it; `leave` sees the others. */
static void slide(struct window *w, size_t to,
	void (*leave)(struct window *w, size_t i, void *ctx), void *ctx)
{
	while (w->items[w->from].time_ms < w->items[to].time_ms - w->corr->timespan_ms) {
		if (leave) {
			leave(w, w->from, ctx);
		}
		w->from++;
	}
	w->items[to].from = (uint32_t)w->from;
}

/* The same event, matched by another rule of the list: not a second event. */
static bool repeated(const struct window *w, size_t i)
{
	const struct track_ref *ref = w->items[i].ref;
	for (size_t k = i; k > 0 && w->items[k - 1].time_ms == w->items[i].time_ms; k--) {
		if (w->items[k - 1].ref->hash == ref->hash &&
			w->items[k - 1].ref->hi == ref->hi &&
			w->items[k - 1].ref->lo == ref->lo) {
			return true;
		}
	}
	return false;
}

/* ---- counting events ---- */

struct counting {
	const bool *counted;
	size_t n;
};

static void uncount(struct window *w, size_t i, void *ctx)
{
	struct counting *c = ctx;
	(void)w;
	c->n -= c->counted[i];
}

static void event_count(struct window *w)
{
	bool *counted = mem_zeroed(w->n, sizeof(bool));
	struct counting c = { counted, 0 };
	for (size_t i = 0; i < w->n; i++) {
		counted[i] = !repeated(w, i);
		c.n += counted[i];
		slide(w, i, uncount, &c);
		w->items[i].held = counted[i] && compares(w->corr, (double)c.n);
	}
	free(counted);
}

/* ---- counting distinct values ---- */

struct distinct {
	struct table counts;  /* hash of the values -> uint32_t */
	const uint64_t *keys; /* of each item; 0: it has no value */
	size_t n;
};

static void forget_value(struct window *w, size_t i, void *ctx)
{
	struct distinct *d = ctx;
	(void)w;
	if (d->keys[i]) {
		uint32_t *count = table_find(&d->counts, d->keys[i]);
		d->n -= --*count == 0;
	}
}

static uint64_t key_of(const struct window *w, size_t i)
{
	uint64_t key = 1;
	for (size_t k = 0; k < w->corr->n_fields; k++) {
		uint32_t v = correlate_value(w->c, w->corr, &w->items[i], w->corr->fields[k]);
		if (v == CORRELATE_NONE) {
			return 0;
		}
		key = table_mix(key, v + 1);
	}
	return key ? key : 1;
}

static void value_count(struct window *w)
{
	uint64_t *keys = mem_zeroed(w->n, sizeof(*keys));
	struct distinct d = { .keys = keys };
	table_init(&d.counts, sizeof(uint32_t), UINT32_MAX);
	for (size_t i = 0; i < w->n; i++) {
		keys[i] = key_of(w, i);
		if (keys[i]) {
			uint32_t *count =
				table_at(&d.counts, table_add(&d.counts, keys[i], NULL));
			d.n += (*count)++ == 0;
		}
		slide(w, i, forget_value, &d);
		w->items[i].held = keys[i] && compares(w->corr, (double)d.n);
	}
	table_deinit(&d.counts);
	free(keys);
}

/* ---- numbers: sum, average, percentile ---- */

/* Values by rank, in a Fenwick tree, so that the k-th of a window is found in log n. */
struct numbers {
	const double *values; /* of each item; not a number: it has none */
	double *sorted;       /* distinct */
	size_t n_sorted;
	uint32_t *tree;
	size_t n; /* in the window */
	long double sum;
};

static size_t rank_of(const struct numbers *s, double v)
{
	size_t low = 0;
	size_t high = s->n_sorted;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (s->sorted[mid] < v) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

static void put_number(struct numbers *s, double v, bool in)
{
	s->sum += in ? (long double)v : -(long double)v;
	s->n += in ? 1 : SIZE_MAX;
	for (size_t i = rank_of(s, v) + 1; i <= s->n_sorted; i += i & (~i + 1)) {
		s->tree[i] += in ? 1 : UINT32_MAX;
	}
}

static void leave_number(struct window *w, size_t i, void *ctx)
{
	struct numbers *s = ctx;
	(void)w;
	if (!isnan(s->values[i])) {
		put_number(s, s->values[i], false);
	}
}

/* The k-th smallest of the window, k from 0. */
static double nth(const struct numbers *s, size_t k)
{
	size_t at = 0;
	size_t step = 1;
	while (step * 2 <= s->n_sorted) {
		step *= 2;
	}
	for (; step; step /= 2) {
		if (at + step <= s->n_sorted && s->tree[at + step] <= k) {
			at += step;
			k -= s->tree[at];
		}
	}
	return s->sorted[at < s->n_sorted ? at : s->n_sorted - 1];
}

/* Between the two nearest ranks, as statistics packages do by default. */
static double percentile(const struct numbers *s, double p)
{
	double rank = p / 100 * (double)(s->n - 1);
	size_t low = (size_t)rank;
	double a = nth(s, low);
	double b = low + 1 < s->n ? nth(s, low + 1) : a;
	return a + (rank - (double)low) * (b - a);
}

static int number_order(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

static double number_of(const struct window *w, size_t i)
{
	uint32_t id = correlate_value(w->c, w->corr, &w->items[i], w->corr->fields[0]);
	struct str text =
		id == CORRELATE_NONE ? (struct str){ "", 0 } : pool_get(&w->c->pool, id);
	char *end = NULL;
	double v = text.n ? strtod(text.p, &end) : (double)NAN;
	return text.n && end == text.p + text.n && isfinite(v) ? v : (double)NAN;
}

static void sort_numbers(struct numbers *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isnan(s->values[i])) {
			s->sorted[s->n_sorted++] = s->values[i];
		}
	}
	qsort(s->sorted, s->n_sorted, sizeof(double), number_order);
	size_t kept = 0;
	for (size_t i = 0; i < s->n_sorted; i++) {
		if (kept == 0 || s->sorted[kept - 1] != s->sorted[i]) {
			s->sorted[kept++] = s->sorted[i];
		}
	}
	s->n_sorted = kept;
}

static double aggregate(const struct window *w, const struct numbers *s)
{
	switch (w->corr->kind) {
	case SIGMA_VALUE_SUM:
		return (double)s->sum;
	case SIGMA_VALUE_AVG:
		return (double)(s->sum / (long double)s->n);
	case SIGMA_VALUE_MEDIAN:
		return percentile(s, 50);
	default:
		return percentile(s, w->corr->percentile);
	}
}

static void number_values(struct window *w)
{
	double *values = mem_zeroed(w->n, sizeof(double));
	struct numbers s = { .values = values, .sorted = mem_zeroed(w->n, sizeof(double)) };
	for (size_t i = 0; i < w->n; i++) {
		values[i] = repeated(w, i) ? (double)NAN : number_of(w, i);
	}
	sort_numbers(&s, w->n);
	s.tree = mem_zeroed(s.n_sorted + 1, sizeof(*s.tree));
	for (size_t i = 0; i < w->n; i++) {
		bool has = !isnan(values[i]);
		if (has) {
			put_number(&s, values[i], true);
		}
		slide(w, i, leave_number, &s);
		w->items[i].held = has && compares(w->corr, aggregate(w, &s));
	}
	free(s.tree);
	free(s.sorted);
	free(values);
}

/* ---- rules near each other in time ---- */

static bool expression_holds(const struct sigma_node *n, const bool *fired)
{
	switch (n->op) {
	case SIGMA_FIRED:
		return fired[n->n];
	case SIGMA_NOT:
		return !expression_holds(n->kids[0], fired);
	default:
		for (size_t i = 0; i < n->n; i++) {
			if (expression_holds(n->kids[i], fired) == (n->op == SIGMA_OR)) {
				return n->op == SIGMA_OR;
			}
		}
		return n->op == SIGMA_AND;
	}
}

static void temporal(struct window *w)
{
	const struct sigma_correlation *corr = w->corr;
	int64_t last[SIGMA_CHILDREN_MAX];  /* when each rule fired last */
	int64_t chain[SIGMA_CHILDREN_MAX]; /* latest start of an ordered run up to each rule */
	for (size_t k = 0; k < corr->n_children; k++) {
		last[k] = chain[k] = INT64_MIN;
	}
	for (size_t i = 0; i < w->n; i++) {
		struct correlate_item *item = &w->items[i];
		int64_t run = item->child ? chain[item->child - 1] : item->time_ms;
		last[item->child] = item->time_ms;
		chain[item->child] = run > chain[item->child] ? run : chain[item->child];
		slide(w, i, NULL, NULL);
		bool fired[SIGMA_CHILDREN_MAX];
		size_t n = 0;
		int64_t oldest = item->time_ms - corr->timespan_ms;
		for (size_t k = 0; k < corr->n_children; k++) {
			fired[k] = last[k] >= oldest && last[k] != INT64_MIN;
			n += fired[k];
		}
		int64_t start = chain[corr->n_children - 1];
		if (corr->kind == SIGMA_TEMPORAL_ORDERED &&
			(start == INT64_MIN || start < oldest)) {
			n = 0;
		}
		item->held = corr->expression
				     ? n > 0 && expression_holds(corr->expression, fired)
				     : compares(corr, (double)n);
	}
}

void correlate_window(const struct correlate *c, const struct sigma_correlation *corr,
	struct correlate_item *items, size_t n)
{
	struct window w = { c, corr, items, n, 0 };
	switch (corr->kind) {
	case SIGMA_EVENT_COUNT:
		event_count(&w);
		break;
	case SIGMA_VALUE_COUNT:
		value_count(&w);
		break;
	case SIGMA_TEMPORAL:
	case SIGMA_TEMPORAL_ORDERED:
		temporal(&w);
		break;
	default:
		number_values(&w);
	}
}
