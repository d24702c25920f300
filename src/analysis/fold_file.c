/* A state as bytes, and back: the same tables that join states say what is written of them. */
#include "analysis/fold.h"

#include "analysis/intake.h"
#include "analysis/ledger.h"
#include "analysis/outlet.h"
#include "analysis/track.h"
#include "base/i18n.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX  1024u
#define TIME_MAX  INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define POOL_MAX  ((size_t)4 * 1024 * 1024)
#define ITEMS_MAX ((size_t)64 * 1024 * 1024)

/* ---- writing ---- */

static uint64_t load_number(const void *p, size_t size)
{
	uint64_t wide = 0;
	uint32_t word = 0;
	uint16_t half = 0;
	switch (size) {
	case sizeof(wide):
		memcpy(&wide, p, sizeof(wide));
		return wide;
	case sizeof(word):
		memcpy(&word, p, sizeof(word));
		return word;
	case sizeof(half):
		memcpy(&half, p, sizeof(half));
		return half;
	default:
		return *(const unsigned char *)p;
	}
}

void fold_save_ref(struct buf *out, const struct track_ref *r)
{
	ledger_put(out, (uint64_t)r->set | (uint64_t)r->uuid << 1);
	if (r->set) {
		ledger_put(out, (uint64_t)r->time_ms);
		ledger_put(out, r->hash);
		buf_add(out, &r->hi, r->uuid ? sizeof(r->hi) : 0);
		if (r->uuid) {
			buf_add(out, &r->lo, sizeof(r->lo));
		} else {
			ledger_put(out, r->lo);
		}
	}
}

static void put_field(const struct fold_field *f, const unsigned char *value, struct buf *out)
{
	const struct track_refs *refs = (const void *)value;
	const struct fold_lowest *lowest = (const void *)value;
	const struct api *call = NULL;
	switch (f->kind) {
	case FOLD_FIRST:
	case FOLD_LAST:
		fold_save_ref(out, (const void *)value);
		break;
	case FOLD_REFS:
		ledger_put(out, refs->n);
		for (uint32_t i = 0; i < refs->n; i++) {
			fold_save_ref(out, &refs->at[i]);
		}
		break;
	case FOLD_LOWEST:
		ledger_put(out, lowest->n);
		for (uint32_t i = 0; i < lowest->n; i++) {
			ledger_put(out, (uint64_t)lowest->at[i]);
		}
		break;
	case FOLD_REAL:
		buf_add(out, value, sizeof(double));
		break;
	case FOLD_CALL:
		memcpy(&call, value, sizeof(call));
		ledger_put(out, (uint64_t)(call - api_row(0)));
		break;
	default:
		ledger_put(out, load_number(value, f->size));
		break;
	}
}

static void put_item(const struct fold_type *type, const unsigned char *item, struct buf *out)
{
	for (size_t i = 0; i < type->n; i++) {
		put_field(&type->fields[i], item + type->fields[i].at, out);
	}
}

void fold_save_pool(const struct pool *p, struct outlet *out)
{
	ledger_put(&out->buf, p->table.n);
	ledger_put(&out->buf, p->refused);
	for (uint32_t i = 0; i < p->table.n; i++) {
		struct str s = pool_get(p, i);
		ledger_put(&out->buf, s.n);
		buf_add_str(&out->buf, s);
		outlet_flow(out);
	}
}

void fold_save(const struct fold_plan *plan, const void *state, struct outlet *out)
{
	const unsigned char *base = state;
	fold_save_pool((const void *)(base + plan->pool), out);
	for (size_t i = 0; i < plan->n; i++) {
		const struct fold_part *p = &plan->parts[i];
		const struct table *t = (const void *)(base + p->at);
		const unsigned char *items = base + p->at;
		size_t n = 1;
		if (p->shape == FOLD_TABLE) {
			items = t->items;
			n = t->n;
			ledger_put(&out->buf, t->refused);
		} else if (p->shape == FOLD_LIST) {
			memcpy(&items, base + p->at, sizeof(items));
			memcpy(&n, base + p->at_n, sizeof(n));
		}
		ledger_put(&out->buf, n);
		for (size_t k = 0; k < n; k++) {
			if (p->shape == FOLD_TABLE) {
				buf_add(&out->buf, &t->keys[k], sizeof(t->keys[k]));
			}
			put_item(p->type, items + k * p->type->size, &out->buf);
			outlet_flow(out);
		}
	}
}

uint64_t fold_print(const struct fold_plan *plan)
{
	uint64_t h = plan->n;
	for (size_t i = 0; i < plan->n; i++) {
		const struct fold_type *type = plan->parts[i].type;
		h = table_hash(table_mix(h, plan->parts[i].shape), str_from(type->name));
		for (size_t k = 0; k < type->n; k++) {
			const struct fold_field *f = &type->fields[k];
			h = table_mix(
				h, (uint64_t)f->kind << 48 | (uint64_t)f->size << 32 | f->arg);
		}
	}
	size_t calls = 0;
	for (; api_row(calls); calls++) {
		h = table_hash(h, str_from(api_row(calls)->name));
	}
	return table_mix(h, calls);
}

/* ---- reading ---- */

struct loading {
	const struct fold_plan *plan;
	unsigned char *state;
	struct pool *pool;
	struct intake *in;
	size_t counts[FOLD_PARTS_MAX]; /* items of the parts read so far */
	size_t calls;
	const char *trouble;
};

static bool fail(struct loading *l, const char *why)
{
	l->trouble = l->trouble ? l->trouble : why;
	return false;
}

static bool get(struct loading *l, uint64_t *v)
{
	return intake_number(l->in, v) || fail(l, N_("it ends in the midst of a number"));
}

static bool get_bytes(struct loading *l, void *out, size_t n)
{
	return intake_bytes(l->in, out, n) || fail(l, N_("it is cut off"));
}

static bool get_below(struct loading *l, uint64_t limit, uint64_t *v)
{
	return get(l, v) && (*v < limit || fail(l, N_("a number in it leads nowhere")));
}

static bool get_time(struct loading *l, int64_t *ms)
{
	uint64_t v = 0;
	if (!get(l, &v)) {
		return false;
	}
	*ms = (int64_t)v;
	return (*ms >= -TIME_MAX && *ms <= TIME_MAX) || fail(l, N_("a time in it is none"));
}

static bool get_ref(struct loading *l, struct track_ref *r)
{
	uint64_t flags = 0;
	uint64_t hash = 0;
	uint64_t lo = 0;
	int64_t ms = 0;
	*r = (struct track_ref){ .set = 0 };
	if (!get_below(l, 4, &flags) || !(flags & 1)) {
		return l->trouble == NULL;
	}
	if (!get_time(l, &ms) || !get(l, &hash)) {
		return false;
	}
	r->set = 1;
	r->uuid = flags >> 1 & 1;
	r->time_ms = ms;
	r->hash = hash & (UINT64_MAX >> 2);
	if (r->uuid) {
		return get_bytes(l, &r->hi, sizeof(r->hi)) &&
		       get_bytes(l, &r->lo, sizeof(r->lo));
	}
	if (!get_below(l, l->pool->table.n, &lo)) {
		return false;
	}
	r->lo = lo;
	return true;
}

static bool get_refs(struct loading *l, struct track_refs *refs)
{
	uint64_t n = 0;
	struct track_ref r;
	*refs = (struct track_refs){ .n = 0 };
	if (!get_below(l, TRACK_REFS + 1, &n)) {
		return false;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (!get_ref(l, &r)) {
			return false;
		}
		if (r.set) {
			track_refs_add(l->pool, refs, &r);
		}
	}
	return true;
}

static bool get_lowest(struct loading *l, struct fold_lowest *lowest)
{
	uint64_t n = 0;
	uint64_t v = 0;
	*lowest = (struct fold_lowest){ .n = 0 };
	if (!get_below(l, FOLD_LOWEST_N + 1, &n)) {
		return false;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (!get(l, &v)) {
			return false;
		}
		fold_lowest_add(lowest, (int64_t)v);
	}
	return true;
}

/* A number into `size` bytes; what it may be at most depends on what it is. */
static bool get_number(struct loading *l, const struct fold_field *f, void *out)
{
	uint64_t v = 0;
	uint64_t limit = f->size < sizeof(v) ? (UINT64_C(1) << (f->size * 8)) - 1 : UINT64_MAX;
	if (!get(l, &v)) {
		return false;
	}
	if (f->kind == FOLD_TEXT || f->kind == FOLD_LEAST) {
		limit = l->pool->table.n - 1;
	} else if (f->kind == FOLD_OR || f->kind == FOLD_AND) {
		limit = 1;
	} else if (f->kind == FOLD_SAME && f->arg) {
		limit = f->arg;
	} else if ((f->kind == FOLD_ROW || f->kind == FOLD_ROW_OR) &&
		   !(f->kind == FOLD_ROW_OR && v == FOLD_NONE)) {
		if (l->counts[f->arg] == 0) {
			return fail(l, N_("a number in it leads nowhere"));
		}
		limit = l->counts[f->arg] - 1;
	}
	if (v > limit) {
		return fail(l, N_("a number in it leads nowhere"));
	}
	uint32_t word = (uint32_t)v;
	uint16_t half = (uint16_t)v;
	unsigned char byte = (unsigned char)v;
	const void *from = f->size == sizeof(v)      ? (const void *)&v
			   : f->size == sizeof(word) ? (const void *)&word
			   : f->size == sizeof(half) ? (const void *)&half
						     : (const void *)&byte;
	memcpy(out, from, f->size);
	return true;
}

static bool get_field(struct loading *l, const struct fold_field *f, void *out)
{
	uint64_t v = 0;
	double real = 0;
	switch (f->kind) {
	case FOLD_FIRST:
	case FOLD_LAST:
		return get_ref(l, out);
	case FOLD_REFS:
		return get_refs(l, out);
	case FOLD_LOWEST:
		return get_lowest(l, out);
	case FOLD_TIME:
	case FOLD_MIN:
	case FOLD_MAX:
		return get_time(l, out);
	case FOLD_REAL:
		if (!get_bytes(l, &real, sizeof(real)) || !isfinite(real)) {
			return fail(l, N_("a number in it is none"));
		}
		memcpy(out, &real, sizeof(real));
		return true;
	case FOLD_CALL:
		if (!get_below(l, l->calls, &v)) {
			return false;
		}
		memcpy(out, &(const struct api *){ api_row(v) }, sizeof(const struct api *));
		return true;
	default:
		return get_number(l, f, out);
	}
}

static bool get_item(struct loading *l, const struct fold_type *type, unsigned char *item)
{
	for (size_t i = 0; i < type->n; i++) {
		if (!get_field(l, &type->fields[i], item + type->fields[i].at)) {
			return false;
		}
	}
	return true;
}

static bool get_pool(struct loading *l)
{
	uint64_t n = 0;
	uint64_t length = 0;
	if (!get_below(l, POOL_MAX, &n) || !get(l, &l->pool->refused)) {
		return false;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (!get_below(l, TEXT_MAX + 1, &length)) {
			return false;
		}
		struct str s = intake_has(l->in, length) ? intake_take(l->in, length)
							 : (struct str){ "", 0 };
		if (s.n != length || pool_put(l->pool, s) != i) {
			return fail(l, N_("its texts are not as they are written"));
		}
	}
	return true;
}

/* Tables may hold items already that every state begins with; they must be the same. */
static bool get_table(
	struct loading *l, const struct fold_type *type, struct table *t, size_t n)
{
	_Alignas(16) unsigned char item[FOLD_ITEM_MAX];
	bool begun = t->n > 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t key = 0;
		bool fresh = false;
		memset(item, 0, type->size);
		if (!get_bytes(l, &key, sizeof(key)) || !get_item(l, type, item)) {
			return false;
		}
		if (table_add(t, key, &fresh) != i || fresh == begun) {
			return fail(l, N_("an item in it comes twice or not at all"));
		}
		if (type->size) {
			memcpy(table_at(t, i), item, type->size);
		}
	}
	return t->n == n || fail(l, N_("an item in it comes twice or not at all"));
}

static bool get_list(struct loading *l, const struct fold_part *p, size_t n)
{
	size_t cap = 0;
	unsigned char *items = NULL;
	size_t got = 0;
	bool ok = n <= p->max || fail(l, N_("a list in it is too long"));
	/* Room grows with what is read, not with what is claimed. */
	while (ok && got < n) {
		if (got == cap) {
			cap = cap ? cap * 2 : 256;
			items = realloc(items, cap * p->type->size);
			if (!items) {
				BUG("out of memory");
			}
		}
		memset(items + got * p->type->size, 0, p->type->size);
		ok = get_item(l, p->type, items + got * p->type->size);
		got += ok;
	}
	memcpy(l->state + p->at, &items, sizeof(items));
	memcpy(l->state + p->at_n, &got, sizeof(got));
	memcpy(l->state + p->at_room, &cap, sizeof(cap));
	return ok;
}

static bool get_part(struct loading *l, size_t i)
{
	const struct fold_part *p = &l->plan->parts[i];
	struct table *t = (void *)(l->state + p->at);
	uint64_t n = 0;
	if (p->shape == FOLD_TABLE && !get(l, &t->refused)) {
		return false;
	}
	if (!get_below(l, ITEMS_MAX, &n)) {
		return false;
	}
	l->counts[i] = n;
	if (p->shape == FOLD_TABLE) {
		return get_table(l, p->type, t, n);
	}
	if (p->shape == FOLD_LIST) {
		return get_list(l, p, n);
	}
	return (n == 1 || fail(l, N_("a part of it is missing"))) &&
	       get_item(l, p->type, l->state + p->at);
}

enum err_status fold_load(
	const struct fold_plan *plan, void *state, struct intake *in, struct err *err)
{
	struct loading l = { .plan = plan, .state = state, .in = in };
	l.pool = (void *)(l.state + plan->pool);
	while (api_row(l.calls)) {
		l.calls++;
	}
	bool ok = get_pool(&l);
	for (size_t i = 0; ok && i < plan->n; i++) {
		ok = get_part(&l, i);
	}
	if (!ok) {
		return err_set(err, ERR_INPUT, "%s", l.trouble);
	}
	return ERR_OK;
}

bool fold_load_ref(struct intake *in, const struct pool *texts, struct track_ref *r)
{
	struct loading l = { .pool = (struct pool *)(uintptr_t)texts, .in = in };
	return get_ref(&l, r);
}

bool fold_load_pool(struct intake *in, struct pool *p)
{
	struct loading l = { .pool = p, .in = in };
	return get_pool(&l);
}
