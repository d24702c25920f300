#include "analysis/detect.h"

#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

void detect_init(struct detect *d, const struct sigma_set *rules, bool duplicates)
{
	*d = (struct detect){ .rules = rules, .duplicates = duplicates };
	d->hits = calloc(rules->n + 1, sizeof(*d->hits));
	if (!d->hits) {
		BUG("out of memory");
	}
}

void detect_deinit(struct detect *d)
{
	free(d->hits);
}

struct hit_ctx {
	struct detect *d;
	struct track *t;
	struct track_ref ref;
};

static void keep_earliest(
	const struct track *t, struct detect_hit *h, const struct track_ref *ref)
{
	size_t i = h->n_earliest;
	while (i > 0 && track_ref_cmp(t, ref, &h->earliest[i - 1]) < 0) {
		i--;
	}
	if (i == DETECT_CITED) {
		return;
	}
	size_t last = h->n_earliest < DETECT_CITED ? h->n_earliest++ : DETECT_CITED - 1;
	for (; last > i; last--) {
		h->earliest[last] = h->earliest[last - 1];
	}
	h->earliest[i] = *ref;
}

static void hit(void *ctx, const struct sigma_rule *rule, size_t index)
{
	struct hit_ctx *c = ctx;
	struct detect_hit *h = &c->d->hits[index];
	(void)rule;
	if (h->n++ == 0 || track_ref_cmp(c->t, &c->ref, &h->last) > 0) {
		h->last = c->ref;
	}
	keep_earliest(c->t, h, &c->ref);
}

void detect_event(void *ctx, struct reader *r, const struct event *e, bool fresh)
{
	struct detect *d = ctx;
	if (!fresh && !d->duplicates) {
		return;
	}
	struct hit_ctx c = { d, &r->track,
		track_ref_make(&r->track, e->time_ms, e->id, e->hash) };
	sigma_match(d->rules, e, hit, &c);
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

static json_t *row(const struct detect *d, const struct track *t, size_t i)
{
	const struct sigma_rule *rule = &d->rules->rules[i];
	const struct detect_hit *h = &d->hits[i];
	char first[32];
	char last[32];
	utc_rfc3339(h->earliest[0].time_ms, first);
	utc_rfc3339(h->last.time_ms, last);
	json_t *events = json_array();
	for (size_t k = 0; k < h->n_earliest; k++) {
		char id[128];
		track_ref_text(t, &h->earliest[k], id, sizeof(id));
		json_array_append_new(events, doc_str(str_from(id)));
	}
	return json_pack("{s:s,s:s,s:s,s:s,s:O*,s:I,s:s,s:s,s:o}", "rule", rule->id, "title",
		rule->title, "level", rule->level, "author", rule->author, "tags", rule->tags,
		"count", (json_int_t)h->n, "first", first, "last", last, "events", events);
}

json_t *detect_json(const struct detect *d, const struct track *t)
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
		if (d->hits[order[i]].n) {
			json_array_append_new(out, row(d, t, order[i]));
		}
	}
	free(order);
	return out;
}
