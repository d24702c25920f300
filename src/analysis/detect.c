#include "analysis/detect.h"

#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

static const struct detect_hit *hit_of(const struct detect *d, size_t rule)
{
	return table_at(&d->r->hits, rule);
}

struct hit_ctx {
	struct detect *d;
	const struct event *e;
	struct track_ref ref;
};

static void hit(void *ctx, const struct sigma_rule *rule, size_t index)
{
	struct hit_ctx *c = ctx;
	const struct pool *pool = &c->d->r->track.pool;
	struct detect_hit *h = table_at(&c->d->r->hits, index);
	table_touch(&c->d->r->hits, index);
	if (!c->ref.set) {
		c->ref = track_ref_make(&c->d->r->track, c->e->time_ms, c->e->id, c->e->hash);
	}
	if (rule->feed != UINT32_MAX) {
		correlate_event(&c->d->correlate, rule, c->e, &c->ref);
	}
	h->n++;
	track_ref_last(pool, &h->last, &c->ref);
	track_refs_add(pool, &h->earliest, &c->ref);
}

static void see_web(void *ctx, struct reader *r, const struct event *e, bool fresh)
{
	(void)r;
	struct detect *d = ctx;
	if (fresh || d->duplicates) {
		struct hit_ctx c = { .d = d, .e = e };
		sigma_match_web(d->rules, e, hit, &c);
	}
}

static void see_event(void *ctx, struct reader *r, const struct event *e, bool fresh)
{
	(void)r;
	struct detect *d = ctx;
	if (!fresh && !d->duplicates) {
		return;
	}
	struct hit_ctx c = { .d = d, .e = e };
	plan_match(&d->planner, e, hit, &c);
}

void detect_init(
	struct detect *d, const struct sigma_set *rules, bool duplicates, struct reader *r)
{
	*d = (struct detect){ .rules = rules, .r = r, .duplicates = duplicates };
	correlate_init(&d->correlate, rules, r->shared->seed);
	plan_init(&d->planner, rules, r->shared->seed);
	r->on_event = see_event;
	r->on_web = rules->n_web ? see_web : NULL;
	r->on_event_ctx = d;
	/* Item i is rule i's, in every reader. */
	for (size_t i = 0; i < rules->n; i++) {
		if (table_add(&r->hits, table_mix(r->shared->seed, i), NULL) != i) {
			BUG("too many rules");
		}
	}
}

void detect_deinit(struct detect *d)
{
	correlate_free(d->results, d->n_results);
	correlate_deinit(&d->correlate);
	plan_deinit(&d->planner);
}

void detect_fold(struct detect *d, const struct detect *other)
{
	correlate_fold(
		&d->correlate, &d->r->track.pool, &other->correlate, &other->r->track.pool);
}

static int gravity(const char *level)
{
	static const char *const levels[] = { "critical", "high", "medium", "low" };
	int i = 0;
	while (i < 4 && strcmp(level, levels[i])) {
		i++;
	}
	return i;
}

static int rule_order(const void *a, const void *b, void *ctx)
{
	const struct sigma_rule *rules = ctx;
	const struct sigma_rule *x = &rules[*(const size_t *)a];
	const struct sigma_rule *y = &rules[*(const size_t *)b];
	int c = gravity(x->level) - gravity(y->level);
	return c ? c : strcmp(x->id, y->id);
}

void detect_judge(struct detect *d, json_t *rejected)
{
	correlate_judge(&d->correlate, &d->r->track, &d->results, &d->n_results);
	for (size_t i = 0; i < d->n_results; i++) {
		const struct correlate_result *r = &d->results[i];
		if (r->trouble) {
			json_array_append_new(rejected,
				json_pack("{s:o,s:s,s:i,s:i}", "file",
					doc_str(str_from(r->rule->file)), "reason", r->trouble,
					"count", 1, "line", r->rule->line));
		}
	}
}

static const struct correlate_result *result_of(const struct detect *d, size_t rule)
{
	for (size_t i = 0; i < d->n_results; i++) {
		if (d->results[i].rule == &d->rules->rules[rule]) {
			return &d->results[i];
		}
	}
	return NULL;
}

uint64_t detect_count(const struct detect *d, size_t rule)
{
	const struct correlate_result *r =
		d->rules->rules[rule].correlation ? result_of(d, rule) : NULL;
	return r ? r->n : hit_of(d, rule)->n;
}

struct span {
	int64_t first_ms, last_ms;
	const struct track_ref *events;
	size_t n_events;
};

static json_t *row(const struct detect *d, size_t i, const struct span *s)
{
	const struct sigma_rule *rule = &d->rules->rules[i];
	char first[32];
	char last[32];
	utc_rfc3339(s->first_ms, first);
	utc_rfc3339(s->last_ms, last);
	json_t *events = json_array();
	for (size_t k = 0; k < s->n_events; k++) {
		char id[128];
		track_ref_text(&d->r->track, &s->events[k], id, sizeof(id));
		json_array_append_new(events, doc_str(str_from(id)));
	}
	return json_pack("{s:s,s:s,s:s,s:s,s:O*,s:I,s:s,s:s,s:o}", "rule", rule->id, "title",
		rule->title, "level", rule->level, "author", rule->author, "tags", rule->tags,
		"count", (json_int_t)detect_count(d, i), "first", first, "last", last, "events",
		events);
}

/* Which values the events of each group share, the busiest groups first. */
static json_t *groups_json(const struct detect *d, const struct correlate_result *r)
{
	const struct sigma_correlation *corr = r->rule->correlation;
	json_t *out = json_array();
	for (size_t i = 0; i < r->n_groups; i++) {
		const struct correlate_group *g = &r->groups[i];
		char first[32];
		char last[32];
		json_t *by = json_object();
		for (size_t k = 0; k < corr->n_group; k++) {
			json_object_set_new(by, corr->group_by[k],
				doc_str(pool_get(&d->correlate.pool, g->values[k])));
		}
		utc_rfc3339(g->first_ms, first);
		utc_rfc3339(g->last_ms, last);
		json_array_append_new(
			out, json_pack("{s:o,s:I,s:s,s:s}", "by", by, "count", (json_int_t)g->n,
				     "first", first, "last", last));
	}
	return out;
}

static json_t *row_of(const struct detect *d, size_t i)
{
	const struct detect_hit *h = hit_of(d, i);
	const struct correlate_result *r =
		d->rules->rules[i].correlation ? result_of(d, i) : NULL;
	if (!r) {
		struct span s = { h->earliest.at[0].time_ms, h->last.time_ms, h->earliest.at,
			h->earliest.n };
		return row(d, i, &s);
	}
	struct span s = { r->first_ms, r->last_ms, r->cited, r->n_cited };
	json_t *out = row(d, i, &s);
	json_object_set_new(out, "groups", groups_json(d, r));
	return out;
}

json_t *detect_json(const struct detect *d)
{
	json_t *out = json_array();
	size_t *order = calloc(d->rules->n + 1, sizeof(*order));
	if (!order) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < d->rules->n; i++) {
		order[i] = i;
	}
	qsort_r(order, d->rules->n, sizeof(*order), rule_order, d->rules->rules);
	for (size_t i = 0; i < d->rules->n; i++) {
		if (detect_count(d, order[i]) && !d->rules->rules[order[i]].silent) {
			json_array_append_new(out, row_of(d, order[i]));
		}
	}
	free(order);
	return out;
}
