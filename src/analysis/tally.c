#include "analysis/tally.h"

#include "base/err.h"

#include <stdlib.h>

#define TEXT_MAX ((size_t)64 * 1024 * 1024)
#define ROWS_MAX ((size_t)256 * 1024)
#define USES_MAX ((size_t)2 * 1024 * 1024)

void tally_init(struct tally *t, uint64_t seed)
{
	*t = (struct tally){ .sorted = NULL };
	pool_init(&t->pool, seed, TEXT_MAX);
	table_init(&t->rows, sizeof(struct tally_row), ROWS_MAX);
	table_init(&t->uses, sizeof(struct tally_use), USES_MAX);
}

void tally_deinit(struct tally *t)
{
	pool_deinit(&t->pool);
	table_deinit(&t->rows);
	table_deinit(&t->uses);
	free(t->sorted);
}

static bool has_failed(const struct record *rec)
{
	static const char *const fine[] = { "ok", "", "ACCEPT", "NOERROR", "reported" };
	struct str o = rec->outcome;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		if (str_is(o, fine[i])) {
			return false;
		}
	}
	/* A status of HTTP below 400 is an answer. */
	return !(o.n == 3 && o.p[0] >= '1' && o.p[0] <= '3');
}

static void use(struct tally *t, uint32_t at, enum tally_kind kind, struct str text)
{
	bool fresh = false;
	if (text.n == 0) {
		return;
	}
	uint32_t id = pool_put(&t->pool, str_sub(text, 0, 512));
	uint64_t key = table_mix((uint64_t)at << 8 | (uint64_t)kind, id);
	size_t i = table_add(&t->uses, key, &fresh);
	if (i == SIZE_MAX) {
		return;
	}
	struct tally_use *u = table_at(&t->uses, i);
	u->row = at;
	u->kind = kind;
	u->text = id;
	u->n++;
	if (fresh) {
		((struct tally_row *)table_at(&t->rows, at))->distinct[kind]++;
	}
}

void tally_add(struct tally *t, const struct record *rec)
{
	bool fresh = false;
	struct str who = rec->principal.n ? rec->principal : rec->ip;
	uint32_t id = pool_put(&t->pool, who);
	size_t at = table_add(&t->rows, id, &fresh);
	if (at == SIZE_MAX) {
		return;
	}
	struct tally_row *r = table_at(&t->rows, at);
	r->principal = id;
	r->n++;
	r->n_failed += has_failed(rec);
	r->bytes +=
		rec->bytes > 0 && r->bytes < INT64_MAX / 2 ? rec->bytes % (INT64_MAX / 4) : 0;
	r->first_ms = fresh || rec->time_ms < r->first_ms ? rec->time_ms : r->first_ms;
	r->last_ms = fresh || rec->time_ms > r->last_ms ? rec->time_ms : r->last_ms;
	use(t, (uint32_t)at, TALLY_IP, rec->ip);
	use(t, (uint32_t)at, TALLY_ACTION, rec->action);
	use(t, (uint32_t)at, TALLY_REGION, rec->region);
	use(t, (uint32_t)at, TALLY_KEY, rec->key);
	use(t, (uint32_t)at, TALLY_AGENT, rec->agent);
	use(t, (uint32_t)at, TALLY_SOURCE, str_from(record_source_word(rec->source)));
}

static int row_order(const void *a, const void *b, void *pool)
{
	const struct tally_row *x = *(struct tally_row *const *)a;
	const struct tally_row *y = *(struct tally_row *const *)b;
	if (x->n != y->n) {
		return x->n > y->n ? -1 : 1;
	}
	return str_cmp(pool_get(pool, x->principal), pool_get(pool, y->principal));
}

struct tally_row **tally_sorted(const struct tally *t)
{
	struct tally_row **rows = calloc(t->rows.n + 1, sizeof(struct tally_row *));
	struct pool pool = t->pool;
	if (!rows) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < t->rows.n; i++) {
		rows[i] = table_at(&t->rows, i);
	}
	qsort_r(rows, t->rows.n, sizeof(struct tally_row *), row_order, &pool);
	return rows;
}

/* By row and kind; the highest count first, ties by name. */
static int use_order(const void *a, const void *b, void *pool)
{
	const struct tally_use *x = *(struct tally_use *const *)a;
	const struct tally_use *y = *(struct tally_use *const *)b;
	if (x->row != y->row) {
		return x->row < y->row ? -1 : 1;
	}
	if (x->kind != y->kind) {
		return x->kind < y->kind ? -1 : 1;
	}
	if (x->n != y->n) {
		return x->n > y->n ? -1 : 1;
	}
	return str_cmp(pool_get(pool, x->text), pool_get(pool, y->text));
}

void tally_settle(struct tally *t)
{
	t->sorted = calloc(t->uses.n + 1, sizeof(struct tally_use *));
	if (!t->sorted) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < t->uses.n; i++) {
		t->sorted[i] = table_at(&t->uses, i);
	}
	qsort_r(t->sorted, t->uses.n, sizeof(struct tally_use *), use_order, &t->pool);
}

size_t tally_top(const struct tally *t, const struct tally_row *row, enum tally_kind kind,
	const struct tally_use **out, size_t most)
{
	size_t at = table_index(&t->rows, row->principal);
	size_t low = 0;
	size_t high = t->uses.n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct tally_use *u = t->sorted[mid];
		bool before = u->row != at ? u->row < at : u->kind < kind;
		low = before ? mid + 1 : low;
		high = before ? high : mid;
	}
	size_t n = 0;
	while (n < most && low + n < t->uses.n && t->sorted[low + n]->row == at &&
		t->sorted[low + n]->kind == kind) {
		out[n] = t->sorted[low + n];
		n++;
	}
	return n;
}

uint64_t tally_refused(const struct tally *t)
{
	return t->rows.refused + t->uses.refused + t->pool.refused;
}
