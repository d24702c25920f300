#include "analysis/hours.h"

#include "base/err.h"

#include <stdlib.h>

#define HOURS_MAX ((size_t)1024 * 1024)
#define HOUR_MS   (3600 * INT64_C(1000))

void hours_init(struct table *t)
{
	table_init(t, sizeof(struct hours_hour), HOURS_MAX);
}

void hours_add(struct table *t, enum record_source source, int64_t ms)
{
	int64_t hour = ms / HOUR_MS;
	size_t at = table_add(t, table_mix((uint64_t)source + 1, (uint64_t)hour), NULL);
	if (at != SIZE_MAX) {
		*(struct hours_hour *)table_at(t, at) =
			(struct hours_hour){ .source = (uint32_t)source, .hour = hour };
	}
}

static int order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

int64_t *hours_of(const struct table *t, enum record_source source, size_t *n)
{
	int64_t *hours = calloc(t->n + 1, sizeof(*hours));
	if (!hours) {
		BUG("out of memory");
	}
	*n = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct hours_hour *h = table_at(t, i);
		if (h->source == (uint32_t)source) {
			hours[(*n)++] = h->hour;
		}
	}
	if (*n) {
		qsort(hours, *n, sizeof(*hours), order);
	}
	return hours;
}

void hours_gaps(const struct table *t, enum record_source source, int64_t least,
	hours_gap_fn fn, void *ctx)
{
	size_t n = 0;
	int64_t *hours = hours_of(t, source, &n);
	for (size_t i = 1; i < n; i++) {
		if (hours[i] - hours[i - 1] > least) {
			fn(ctx, (hours[i - 1] + 1) * HOUR_MS, hours[i] * HOUR_MS);
		}
	}
	free(hours);
}
