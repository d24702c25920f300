#include "analysis/hours.h"

#include "base/err.h"

#include <stdlib.h>

#define HOURS_MAX  ((size_t)1024 * 1024)
#define HOUR_MS    (INT64_C(3600) * 1000)
#define REGION_MAX 32
/* A log that once went on without a pause for so many hours is broken by a shorter silence. */
#define STEADY_HOURS 18
#define SILENT_HOURS 3
#define HOLES_MAX    2

void hours_init(struct table *t)
{
	table_init(t, sizeof(struct hours_hour), HOURS_MAX);
}

void hours_add(struct table *t, struct pool *pool, enum record_source source, struct str region,
	int64_t ms)
{
	int64_t hour = ms / HOUR_MS;
	uint32_t text = pool_put(pool, str_sub(region, 0, REGION_MAX));
	uint64_t key = table_mix((uint64_t)source + 1, (uint64_t)hour);
	size_t at = table_add(t, table_mix(key, pool_key(pool, text)), NULL);
	if (at != SIZE_MAX) {
		*(struct hours_hour *)table_at(t, at) = (struct hours_hour){
			.source = (uint32_t)source, .region = text, .hour = hour
		};
	}
}

static int order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static void *room(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);
	if (!p) {
		BUG("out of memory");
	}
	return p;
}

int64_t *hours_of(const struct table *t, enum record_source source, size_t *n)
{
	int64_t *hours = room(t->n, sizeof(*hours));
	size_t found = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct hours_hour *h = table_at(t, i);
		if (h->source == (uint32_t)source) {
			hours[found++] = h->hour;
		}
	}
	if (found) {
		qsort(hours, found, sizeof(*hours), order);
	}
	*n = 0;
	for (size_t i = 0; i < found; i++) {
		if (*n == 0 || hours[i] != hours[*n - 1]) {
			hours[(*n)++] = hours[i];
		}
	}
	return hours;
}

static int region_order(const void *a, const void *b, void *pool)
{
	const struct hours_hour *x = a;
	const struct hours_hour *y = b;
	int c = str_cmp(pool_get(pool, x->region), pool_get(pool, y->region));
	return c ? c : order(&x->hour, &y->hour);
}

void hours_regions(const struct table *t, const struct pool *pool, enum record_source source,
	hours_region_fn fn, void *ctx)
{
	struct hours_hour *rows = room(t->n, sizeof(*rows));
	int64_t *hours = room(t->n, sizeof(*hours));
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct hours_hour *h = table_at(t, i);
		if (h->source == (uint32_t)source && h->region) {
			rows[n++] = *h;
		}
	}
	struct pool texts = *pool;
	if (n) {
		qsort_r(rows, n, sizeof(*rows), region_order, &texts);
	}
	for (size_t i = 0; i < n;) {
		size_t k = 0;
		while (i + k < n && rows[i + k].region == rows[i].region) {
			hours[k] = rows[i + k].hour;
			k++;
		}
		fn(ctx, pool_get(&texts, rows[i].region), hours, k);
		i += k;
	}
	free(hours);
	free(rows);
}

void hours_gaps(const int64_t *hours, size_t n, int64_t least, hours_gap_fn fn, void *ctx)
{
	for (size_t i = 1; i < n; i++) {
		if (hours[i] - hours[i - 1] > least) {
			fn(ctx, (hours[i - 1] + 1) * HOUR_MS, hours[i] * HOUR_MS);
		}
	}
}

bool hours_steady(const int64_t *hours, size_t n)
{
	size_t run = 1;
	size_t best = 0;
	for (size_t i = 1; i < n; i++) {
		run = hours[i] - hours[i - 1] == 1 ? run + 1 : 1;
		best = run > best ? run : best;
	}
	return best >= STEADY_HOURS;
}

static void count(void *ctx, int64_t from_ms, int64_t to_ms)
{
	size_t *n = ctx;
	(void)from_ms;
	(void)to_ms;
	(*n)++;
}

bool hours_hole(const int64_t *hours, size_t n)
{
	size_t holes = 0;
	hours_gaps(hours, n, SILENT_HOURS, count, &holes);
	return holes > 0 && holes <= HOLES_MAX && hours_steady(hours, n);
}
