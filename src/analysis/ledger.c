#include "analysis/ledger.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX ((size_t)32 * 1024 * 1024)
#define SPELT_MAX   ((size_t)1024 * 1024 * 1024)
#define SUMS_MAX    16

/* Sums of one item before the record changed them. */
struct ledger_touch {
	uint32_t part, row;
	uint64_t before[SUMS_MAX];
};

void ledger_put(struct buf *b, uint64_t v)
{
	while (v >= 0x80) {
		buf_putc(b, (char)(v | 0x80));
		v >>= 7;
	}
	buf_putc(b, (char)v);
}

bool ledger_get(struct str *s, uint64_t *v)
{
	uint64_t out = 0;
	for (unsigned i = 0; i < LEDGER_NUMBER_MAX && i < s->n; i++) {
		uint64_t byte = (unsigned char)s->p[i];
		if (i == LEDGER_NUMBER_MAX - 1 && byte > 1) {
			return false;
		}
		out |= (byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*s = str_sub(*s, i + 1, SIZE_MAX);
			*v = out;
			return true;
		}
	}
	return false;
}

static struct table *table_of(const struct ledger *l, uint32_t part)
{
	return (void *)(l->state + l->plan->parts[part].at);
}

void ledger_init(struct ledger *l, const struct fold_plan *plan, void *state)
{
	*l = (struct ledger){ .plan = plan, .state = state };
	table_init(&l->changes, sizeof(struct ledger_change), CHANGES_MAX);
	buf_init(&l->spelt, SPELT_MAX);
	for (uint32_t i = 0; i < plan->n; i++) {
		if (plan->parts[i].shape == FOLD_TABLE) {
			table_of(l, i)->ledger = l;
		}
	}
}

void ledger_deinit(struct ledger *l)
{
	for (uint32_t i = 0; l->plan && i < l->plan->n; i++) {
		if (l->plan->parts[i].shape == FOLD_TABLE) {
			table_of(l, i)->ledger = NULL;
		}
	}
	table_deinit(&l->changes);
	buf_deinit(&l->spelt);
	free(l->rows);
	free(l->touched);
	*l = (struct ledger){ .plan = NULL };
}

static unsigned char *item_of(const struct ledger *l, uint32_t part, uint32_t row)
{
	const struct fold_part *p = &l->plan->parts[part];
	return p->shape == FOLD_TABLE ? table_at(table_of(l, part), row) : l->state + p->at;
}

static uint64_t read_sum(const struct fold_field *f, const unsigned char *item)
{
	uint32_t narrow = 0;
	uint64_t wide = 0;
	if (f->size == sizeof(wide)) {
		memcpy(&wide, item + f->at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, item + f->at, sizeof(narrow));
	return narrow;
}

/* No further than to nothing: what is read back may lie. */
static void lower(const struct fold_field *f, unsigned char *item, uint64_t by)
{
	uint64_t v = read_sum(f, item);
	v -= by < v ? by : v;
	uint32_t narrow = (uint32_t)v;
	if (f->size == sizeof(v)) {
		memcpy(item + f->at, &v, sizeof(v));
	} else {
		memcpy(item + f->at, &narrow, sizeof(narrow));
	}
}

static void keep_sums(struct ledger *l, uint32_t part, uint32_t row)
{
	for (size_t i = l->n_touched; i-- > 0;) {
		if (l->touched[i].part == part && l->touched[i].row == row) {
			return;
		}
	}
	if (l->n_touched == l->cap_touched) {
		l->cap_touched = l->cap_touched ? l->cap_touched * 2 : 64;
		l->touched = realloc(l->touched, l->cap_touched * sizeof(*l->touched));
		if (!l->touched) {
			BUG("out of memory");
		}
	}
	const struct fold_type *type = l->plan->parts[part].type;
	const unsigned char *item = item_of(l, part, row);
	struct ledger_touch *t = &l->touched[l->n_touched++];
	*t = (struct ledger_touch){ .part = part, .row = row };
	for (size_t i = 0, k = 0; i < type->n && k < SUMS_MAX; i++) {
		if (type->fields[i].kind == FOLD_SUM) {
			t->before[k++] = read_sum(&type->fields[i], item);
		}
	}
}

void ledger_touch(struct ledger *l, const struct table *t, size_t row)
{
	for (uint32_t i = 0; l->open && i < l->plan->n; i++) {
		if (l->plan->parts[i].shape == FOLD_TABLE && table_of(l, i) == t) {
			keep_sums(l, i, (uint32_t)row);
		}
	}
}

static void spell(const struct ledger *l, const struct ledger_touch *t, struct buf *out)
{
	const struct fold_type *type = l->plan->parts[t->part].type;
	const unsigned char *item = item_of(l, t->part, t->row);
	for (uint32_t i = 0, k = 0; i < type->n && k < SUMS_MAX; i++) {
		if (type->fields[i].kind != FOLD_SUM) {
			continue;
		}
		uint64_t more = read_sum(&type->fields[i], item) - t->before[k++];
		if (more) {
			ledger_put(out, t->part);
			ledger_put(out, t->row);
			ledger_put(out, i);
			ledger_put(out, more);
		}
	}
}

static void add_row(struct ledger *l)
{
	if (l->n_rows == l->cap_rows) {
		l->cap_rows = l->cap_rows ? l->cap_rows * 2 : 1024;
		l->rows = realloc(l->rows, l->cap_rows * sizeof(*l->rows));
		if (!l->rows) {
			BUG("out of memory");
		}
	}
	l->rows[l->n_rows++] = l->now;
}

void ledger_end(struct ledger *l)
{
	bool fresh = false;
	if (!l->open) {
		return;
	}
	l->open = false;
	size_t at = l->spelt.n;
	for (size_t i = 0; i < l->n_touched; i++) {
		spell(l, &l->touched[i], &l->spelt);
	}
	struct str text = { l->spelt.p + at, l->spelt.n - at };
	size_t change = table_add(&l->changes, table_hash(l->plan->n, text), &fresh);
	if (change == SIZE_MAX || !buf_ok(&l->spelt)) {
		BUG("a partial result of more than 32 million kinds of record");
	}
	if (fresh) {
		*(struct ledger_change *)table_at(&l->changes, change) =
			(struct ledger_change){ (uint32_t)at, (uint32_t)text.n };
	} else {
		l->spelt.n = at;
	}
	l->now.change = (uint32_t)change;
	add_row(l);
}

void ledger_begin(struct ledger *l, uint64_t key, bool line)
{
	ledger_end(l);
	l->open = true;
	l->now = (struct ledger_row){ .key = key, .line = line };
	l->n_touched = 0;
	for (uint32_t i = 0; i < l->plan->n; i++) {
		if (l->plan->parts[i].shape == FOLD_ONE) {
			keep_sums(l, i, 0);
		}
	}
}

void ledger_take_back(const struct ledger *l, uint32_t change)
{
	const struct ledger_change *c = table_at(&l->changes, change);
	struct str s = { l->spelt.p + c->at, c->n };
	uint64_t part = 0;
	uint64_t row = 0;
	uint64_t field = 0;
	uint64_t more = 0;
	while (ledger_get(&s, &part) && ledger_get(&s, &row) && ledger_get(&s, &field) &&
		ledger_get(&s, &more)) {
		if (part >= l->plan->n) {
			return;
		}
		const struct fold_part *p = &l->plan->parts[part];
		bool there = p->shape == FOLD_ONE ||
			     (p->shape == FOLD_TABLE && row < table_of(l, (uint32_t)part)->n);
		if (!there || field >= p->type->n || p->type->fields[field].kind != FOLD_SUM) {
			return;
		}
		lower(&p->type->fields[field], item_of(l, (uint32_t)part, (uint32_t)row), more);
	}
}
