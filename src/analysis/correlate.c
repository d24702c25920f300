#include "analysis/correlate.h"

#include "analysis/intake.h"
#include "analysis/ledger.h"
#include "analysis/outlet.h"
#include "base/hash.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES   ((size_t)64 * 1024 * 1024)
#define LONG_TEXT    900u
#define GROUPS_SHOWN 20

void correlate_init(struct correlate *c, const struct sigma_set *rules, uint64_t seed)
{
	*c = (struct correlate){ .rules = rules };
	pool_init(&c->pool, seed, TEXT_BYTES);
	c->feeds = mem_zeroed(rules->n_feeds, sizeof(*c->feeds));
	c->share = rules->n_feeds ? CORRELATE_ROWS / rules->n_feeds : 0;
}

void correlate_deinit(struct correlate *c)
{
	for (size_t i = 0; c->rules && i < c->rules->n_feeds; i++) {
		free(c->feeds[i].refs);
		free(c->feeds[i].values);
	}
	free(c->feeds);
	pool_deinit(&c->pool);
	*c = (struct correlate){ .rules = NULL };
}

/* ---- keeping ---- */

static void grow(struct correlate_feed *f, size_t fields)
{
	f->cap = f->cap ? f->cap * 2 : 64;
	f->refs = mem_grown(f->refs, f->cap, sizeof(*f->refs));
	f->values = mem_grown(f->values, f->cap * (fields + 1), sizeof(*f->values));
}

struct first_text {
	struct pool *pool;
	uint32_t id;
};

/* The pool cuts long texts, so two of them could fall together: their hash tells them apart. */
static bool take_first(void *ctx, struct str text)
{
	struct first_text *t = ctx;
	char room[LONG_TEXT + 80];
	if (text.n > LONG_TEXT) {
		char digest[65];
		hash_sha256_hex(text, digest);
		int n = snprintf(
			room, sizeof(room), "%.*s #%s", (int)LONG_TEXT, text.p, digest);
		text = (struct str){ room, (size_t)n };
	}
	t->id = pool_put(t->pool, text);
	return true;
}

void correlate_event(struct correlate *c, const struct sigma_rule *rule, const struct event *e,
	const struct track_ref *ref)
{
	const struct sigma_feed *feed = &c->rules->feeds[rule->feed];
	struct correlate_feed *f = &c->feeds[rule->feed];
	if (++f->seen > c->share) {
		return;
	}
	if (f->n == f->cap) {
		grow(f, feed->n);
	}
	for (size_t i = 0; i < feed->n; i++) {
		struct first_text t = { &c->pool, CORRELATE_NONE };
		(void)sigma_each_text(e, feed->paths[i], feed->n_path[i], take_first, &t);
		f->values[f->n * feed->n + i] = t.id;
	}
	f->refs[f->n++] = *ref;
}

static void take_row(struct correlate *c, size_t feed, const struct track_ref *ref,
	const struct correlate *other, size_t row)
{
	size_t fields = c->rules->feeds[feed].n;
	struct correlate_feed *f = &c->feeds[feed];
	if (f->n == f->cap) {
		grow(f, fields);
	}
	for (size_t i = 0; i < fields; i++) {
		uint32_t value = other->feeds[feed].values[row * fields + i];
		f->values[f->n * fields + i] =
			value == CORRELATE_NONE
				? value
				: pool_put(&c->pool, pool_get(&other->pool, value));
	}
	f->refs[f->n++] = *ref;
}

void correlate_fold(struct correlate *c, struct pool *refs, const struct correlate *other,
	const struct pool *other_refs)
{
	c->pool.refused += other->pool.refused;
	for (size_t i = 0; i < c->rules->n_feeds; i++) {
		const struct correlate_feed *from = &other->feeds[i];
		c->feeds[i].seen += from->seen;
		/* Past the share the rule is not correlated anyway. */
		for (size_t k = 0; k < from->n && c->feeds[i].n < c->share; k++) {
			struct track_ref ref = from->refs[k];
			if (!ref.uuid) {
				ref.lo = pool_put(refs, pool_get(other_refs, (uint32_t)ref.lo));
			}
			take_row(c, i, &ref, other, k);
		}
	}
}

/* ---- other workers ---- */

void correlate_save(const struct correlate *c, struct outlet *out)
{
	fold_save_pool(&c->pool, out);
	for (size_t i = 0; i < c->rules->n_feeds; i++) {
		const struct correlate_feed *f = &c->feeds[i];
		size_t fields = c->rules->feeds[i].n;
		ledger_put(&out->buf, f->seen);
		ledger_put(&out->buf, f->n);
		for (size_t k = 0; k < f->n; k++) {
			fold_save_ref(&out->buf, &f->refs[k]);
			for (size_t v = 0; v < fields; v++) {
				ledger_put(&out->buf, (uint64_t)f->values[k * fields + v] + 1);
			}
			outlet_flow(out);
		}
	}
}

static bool load_row(
	struct correlate *c, size_t feed, const struct pool *refs, struct intake *in)
{
	struct correlate_feed *f = &c->feeds[feed];
	size_t fields = c->rules->feeds[feed].n;
	if (f->n == f->cap) {
		grow(f, fields);
	}
	if (!fold_load_ref(in, refs, &f->refs[f->n]) || !f->refs[f->n].set) {
		return false;
	}
	for (size_t v = 0; v < fields; v++) {
		uint64_t text = 0;
		bool none = false;
		if (!intake_number(in, &text)) {
			return false;
		}
		none = text == (uint64_t)CORRELATE_NONE + 1;
		if (!none && (text == 0 || text > c->pool.table.n)) {
			return false;
		}
		f->values[f->n * fields + v] = none ? CORRELATE_NONE : (uint32_t)(text - 1);
	}
	f->n++;
	return true;
}

enum err_status correlate_load(
	struct correlate *c, const struct pool *refs, struct intake *in, struct err *err)
{
	uint64_t n = 0;
	bool ok = fold_load_pool(in, &c->pool);
	for (size_t i = 0; ok && i < c->rules->n_feeds; i++) {
		ok = intake_number(in, &c->feeds[i].seen) && intake_number(in, &n) &&
		     n <= c->share;
		for (uint64_t k = 0; ok && k < n; k++) {
			ok = load_row(c, i, refs, in);
		}
	}
	return ok ? ERR_OK
		  : err_set(err, ERR_INPUT, "what it holds for correlations is damaged");
}

struct row_order {
	const struct pool *refs;
	const struct correlate_feed *feed;
};

static int by_ref(const void *a, const void *b, void *ctx)
{
	const struct row_order *o = ctx;
	return track_ref_order(o->refs, &o->feed->refs[*(const uint32_t *)a],
		&o->feed->refs[*(const uint32_t *)b]);
}

void correlate_drop_copies(struct correlate *c, const struct pool *refs)
{
	for (size_t i = 0; i < c->rules->n_feeds; i++) {
		struct correlate_feed *f = &c->feeds[i];
		size_t fields = c->rules->feeds[i].n;
		struct correlate_feed kept = { .seen = f->seen };
		struct row_order order = { refs, f };
		uint32_t *rows = mem_zeroed(f->n, sizeof(*rows));
		for (uint32_t k = 0; k < f->n; k++) {
			rows[k] = k;
		}
		qsort_r(rows, f->n, sizeof(*rows), by_ref, &order);
		for (size_t k = 0; k < f->n; k++) {
			if (k > 0 && by_ref(&rows[k], &rows[k - 1], &order) == 0) {
				kept.seen -= kept.seen > 0;
				continue;
			}
			if (kept.n == kept.cap) {
				grow(&kept, fields);
			}
			memcpy(kept.values + kept.n * fields, f->values + rows[k] * fields,
				fields * sizeof(*kept.values));
			kept.refs[kept.n++] = f->refs[rows[k]];
		}
		free(rows);
		free(f->refs);
		free(f->values);
		*f = kept;
	}
}

/* ---- reading back ---- */

static uint32_t row_value(
	const struct correlate *c, uint32_t feed, uint32_t row, const char *field)
{
	const struct sigma_feed *f = &c->rules->feeds[feed];
	for (size_t i = 0; i < f->n; i++) {
		if (!strcmp(f->fields[i], field)) {
			return c->feeds[feed].values[row * f->n + i];
		}
	}
	return CORRELATE_NONE;
}

uint32_t correlate_value(const struct correlate *c, const struct sigma_correlation *corr,
	const struct correlate_item *item, const char *field)
{
	const char *name = sigma_field_of(corr, item->child, field);
	for (int depth = 0; item->inner && depth < SIGMA_CHAIN_MAX; depth++) {
		corr = c->rules->rules[corr->rules[item->child]].correlation;
		item = item->inner;
		name = sigma_field_of(corr, item->child, name);
	}
	return row_value(c, item->feed, item->row, name);
}

/* ---- judging ---- */

/* The items of one correlation, and those that held, which a correlation above may use. */
struct judged {
	bool done;
	struct correlate_item *items;
	size_t n;
	const char *trouble;
};

struct judging {
	const struct correlate *c;
	const struct track *track;
	struct judged *of; /* one a rule */
};

static void judge(struct judging *j, uint32_t rule);

static size_t count_items(struct judging *j, const struct sigma_correlation *corr)
{
	size_t n = 0;
	for (size_t i = 0; i < corr->n_children; i++) {
		const struct sigma_rule *child = &j->c->rules->rules[corr->rules[i]];
		const struct judged *below = &j->of[corr->rules[i]];
		n += child->correlation ? below->n : j->c->feeds[child->feed].n;
	}
	return n;
}

/* False when a group-by field is missing. */
static bool group_key(const struct correlate *c, const struct sigma_correlation *corr,
	const struct correlate_item *item, uint32_t values[SIGMA_GROUP_MAX])
{
	for (size_t i = 0; i < corr->n_group; i++) {
		values[i] = correlate_value(c, corr, item, corr->group_by[i]);
		if (values[i] == CORRELATE_NONE) {
			return false;
		}
	}
	return true;
}

static void put_item(struct judging *j, const struct sigma_correlation *corr,
	struct table *groups, struct judged *out, struct correlate_item item)
{
	uint32_t values[SIGMA_GROUP_MAX];
	if (!group_key(j->c, corr, &item, values)) {
		return;
	}
	uint64_t key = 0;
	for (size_t i = 0; i < corr->n_group; i++) {
		key = table_mix(key, values[i] + 1);
	}
	item.group = (uint32_t)table_add(groups, key, NULL);
	out->items[out->n++] = item;
}

static void collect(struct judging *j, const struct sigma_correlation *corr, struct judged *out)
{
	const struct correlate *c = j->c;
	struct table groups;
	table_init(&groups, 0, UINT32_MAX);
	out->items = mem_zeroed(count_items(j, corr), sizeof(*out->items));
	for (uint32_t i = 0; i < corr->n_children; i++) {
		const struct sigma_rule *child = &c->rules->rules[corr->rules[i]];
		const struct judged *below = &j->of[corr->rules[i]];
		for (size_t k = 0; child->correlation && k < below->n; k++) {
			const struct correlate_item *in = &below->items[k];
			if (in->held) {
				put_item(j, corr, &groups, out,
					(struct correlate_item){ .time_ms = in->time_ms,
						.ref = in->ref,
						.inner = in,
						.child = i });
			}
		}
		const struct correlate_feed *f =
			child->correlation ? NULL : &c->feeds[child->feed];
		for (uint32_t k = 0; f && k < f->n; k++) {
			put_item(j, corr, &groups, out,
				(struct correlate_item){ .time_ms = f->refs[k].time_ms,
					.ref = &f->refs[k],
					.feed = child->feed,
					.row = k,
					.child = i });
		}
	}
	table_deinit(&groups);
}

/*
 * By group, then time. At one time the rules come in the order of the list, so that events of
 * the same second can be in order; else the event decides, which makes the order total.
 */
static int item_order(const void *a, const void *b, void *ctx)
{
	const struct correlate_item *x = a;
	const struct correlate_item *y = b;
	if (x->group != y->group) {
		return x->group < y->group ? -1 : 1;
	}
	if (x->time_ms != y->time_ms) {
		return x->time_ms < y->time_ms ? -1 : 1;
	}
	if (x->child != y->child) {
		return x->child < y->child ? -1 : 1;
	}
	return track_ref_cmp(ctx, x->ref, y->ref);
}

static const char *trouble_of(struct judging *j, const struct sigma_correlation *corr)
{
	for (size_t i = 0; i < corr->n_children; i++) {
		const struct sigma_rule *child = &j->c->rules->rules[corr->rules[i]];
		if (child->correlation) {
			judge(j, corr->rules[i]);
			if (j->of[corr->rules[i]].trouble) {
				return j->of[corr->rules[i]].trouble;
			}
		} else if (j->c->feeds[child->feed].seen > j->c->share) {
			return "a rule it needs matched too many events to correlate them; "
			       "make that rule narrower, or the time";
		}
	}
	return j->c->pool.refused ? "the values to group by are too many to be kept" : NULL;
}

/* NOLINTBEGIN(misc-no-recursion): correlations are tied without circles, SIGMA_CHAIN_MAX deep */
static void judge(struct judging *j, uint32_t rule)
{
	struct judged *out = &j->of[rule];
	const struct sigma_correlation *corr = j->c->rules->rules[rule].correlation;
	if (out->done) {
		return;
	}
	out->done = true;
	out->trouble = trouble_of(j, corr);
	if (out->trouble) {
		return;
	}
	collect(j, corr, out);
	qsort_r(out->items, out->n, sizeof(*out->items), item_order,
		(void *)(uintptr_t)j->track);
	for (size_t i = 0; i < out->n;) {
		size_t n = 1;
		while (i + n < out->n && out->items[i + n].group == out->items[i].group) {
			n++;
		}
		correlate_window(j->c, corr, out->items + i, n);
		i += n;
	}
}
/* NOLINTEND(misc-no-recursion) */

/* ---- telling ---- */

static int group_order(const void *a, const void *b, void *ctx)
{
	const struct correlate *c = ctx;
	const struct correlate_group *x = a;
	const struct correlate_group *y = b;
	if (x->n != y->n) {
		return x->n > y->n ? -1 : 1;
	}
	for (size_t i = 0; i < SIGMA_GROUP_MAX; i++) {
		int order = str_cmp(
			pool_get(&c->pool, x->values[i]), pool_get(&c->pool, y->values[i]));
		if (order) {
			return order;
		}
	}
	return 0;
}

static bool earlier(
	const struct judging *j, const struct correlate_item *a, const struct correlate_item *b)
{
	if (a->time_ms != b->time_ms) {
		return a->time_ms < b->time_ms;
	}
	return track_ref_cmp(j->track, a->ref, b->ref) < 0;
}

/* The events of the window that ends with `end`. */
static void cite(const struct correlate_item *start, const struct correlate_item *end,
	struct correlate_result *r)
{
	r->n_cited = 0;
	r->first_ms = start->time_ms;
	for (const struct correlate_item *i = start; i <= end && r->n_cited < CORRELATE_CITED;
		i++) {
		if (r->n_cited == 0 ||
			memcmp(&r->cited[r->n_cited - 1], i->ref, sizeof(*i->ref)) != 0) {
			r->cited[r->n_cited++] = *i->ref;
		}
	}
}

static void tell(struct judging *j, uint32_t rule, struct correlate_result *r)
{
	const struct judged *g = &j->of[rule];
	const struct sigma_correlation *corr = j->c->rules->rules[rule].correlation;
	const struct correlate_item *best = NULL;
	const struct correlate_item *group = g->items;
	struct correlate_group *into = NULL;
	*r = (struct correlate_result){ .rule = &j->c->rules->rules[rule],
		.trouble = g->trouble };
	r->groups = mem_zeroed(g->n, sizeof(*r->groups));
	for (size_t i = 0; i < g->n; i++) {
		const struct correlate_item *item = &g->items[i];
		if (item->group != group->group) {
			group = item;
			into = NULL;
		}
		if (!item->held) {
			continue;
		}
		if (!into) {
			into = &r->groups[r->n_groups++];
			into->first_ms = group[item->from].time_ms;
			(void)group_key(j->c, corr, item, into->values);
		}
		into->n++;
		into->last_ms = item->time_ms;
		r->n++;
		r->last_ms = item->time_ms > r->last_ms ? item->time_ms : r->last_ms;
		if (!best || earlier(j, item, best)) {
			best = item;
			cite(group + item->from, item, r);
		}
	}
	qsort_r(r->groups, r->n_groups, sizeof(*r->groups), group_order,
		(void *)(uintptr_t)j->c);
	r->n_groups = r->n_groups < GROUPS_SHOWN ? r->n_groups : GROUPS_SHOWN;
}

void correlate_judge(const struct correlate *c, const struct track *track,
	struct correlate_result **out, size_t *n)
{
	struct judging j = { c, track, mem_zeroed(c->rules->n, sizeof(struct judged)) };
	*out = mem_zeroed(c->rules->n, sizeof(**out));
	*n = 0;
	for (uint32_t i = 0; i < c->rules->n; i++) {
		if (c->rules->rules[i].correlation && c->rules->rules[i].source) {
			judge(&j, i);
			tell(&j, i, &(*out)[(*n)++]);
		}
	}
	for (size_t i = 0; i < c->rules->n; i++) {
		free(j.of[i].items);
	}
	free(j.of);
}

void correlate_free(struct correlate_result *results, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(results[i].groups);
	}
	free(results);
}
