#include "analysis/plan.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

#define LIST_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define COARSE_MAX     ((size_t)128 * 1024)

void plan_init(struct planner *p, const struct sigma_set *rules, uint64_t seed)
{
	*p = (struct planner){ .rules = rules, .seed = seed };
	arena_init(&p->arena, LIST_BYTES_MAX);
	table_init(&p->lists, sizeof(struct plan), COARSE_MAX);
	table_init(&p->coarse, sizeof(struct plan), COARSE_MAX);
	p->fine = calloc(PLAN_SLOTS, sizeof(*p->fine));
	p->scratch = calloc(rules->n + 1, sizeof(*p->scratch));
	if (!p->fine || !p->scratch) {
		BUG("out of memory");
	}
}

void plan_deinit(struct planner *p)
{
	arena_deinit(&p->arena);
	table_deinit(&p->lists);
	table_deinit(&p->coarse);
	free(p->fine);
	free(p->scratch);
	*p = (struct planner){ .rules = NULL };
}

/* What was foreseen of rules so far: in `scratch`, the sure ones first. */
struct draft {
	struct planner *p;
	const struct event *e;
	enum sigma_known known;
	uint32_t n, n_sure;
};

static void consider(struct draft *d, uint32_t rule)
{
	uint32_t *list = d->p->scratch;
	enum sigma_foreseen f =
		sigma_foresee(d->p->rules->rules[rule].condition, d->e, d->known);
	if (f == SIGMA_NEVER) {
		return;
	}
	uint32_t at = d->n++;
	if (f == SIGMA_ALWAYS) {
		list[at] = list[d->n_sure];
		at = d->n_sure++;
	}
	list[at] = rule;
}

/* The list is kept; lists that are alike are kept once. */
static bool keep(struct planner *p, const struct draft *d, struct plan *out)
{
	struct str bytes = { (const char *)p->scratch, d->n * sizeof(*p->scratch) };
	bool fresh = false;
	size_t at = table_add(&p->lists, table_hash(p->seed ^ d->n_sure, bytes), &fresh);
	if (at == SIZE_MAX) {
		return false;
	}
	struct plan *list = table_at(&p->lists, at);
	if (fresh) {
		uint32_t *rules = arena_array(&p->arena, d->n + 1, sizeof(*rules));
		if (!rules) {
			return false;
		}
		memcpy(rules, p->scratch, bytes.n);
		*list = (struct plan){ .rules = rules, .n = d->n, .n_sure = d->n_sure };
	}
	if (!list->rules) {
		return false;
	}
	out->rules = list->rules;
	out->n = list->n;
	out->n_sure = list->n_sure;
	return true;
}

static bool make_coarse(struct planner *p, const struct event *e, struct plan *out)
{
	struct draft d = { .p = p, .e = e, .known = SIGMA_KNOWN_CALL };
	const struct sigma_bucket *named = sigma_named(p->rules, e->name);
	for (size_t i = 0; named && i < named->n; i++) {
		consider(&d, named->rules[i]);
	}
	for (size_t i = 0; i < p->rules->n_always; i++) {
		consider(&d, p->rules->always[i]);
	}
	return keep(p, &d, out);
}

static bool coarse_of(struct planner *p, const struct event *e, struct plan *out)
{
	uint64_t key = table_hash(table_mix(p->seed, e->call), e->agent);
	bool fresh = false;
	size_t at = table_add(&p->coarse, key, &fresh);
	if (at == SIZE_MAX) {
		return make_coarse(p, e, out);
	}
	struct plan *kept = table_at(&p->coarse, at);
	if (fresh && !make_coarse(p, e, kept)) {
		return false;
	}
	*out = *kept;
	return kept->rules != NULL;
}

static const struct plan *plan_of(struct planner *p, const struct event *e)
{
	uint64_t key = table_mix(table_mix(e->who->hash, e->origin), e->call);
	struct plan *fine = &p->fine[key % PLAN_SLOTS];
	if (fine->key == key && fine->rules) {
		return fine;
	}
	struct plan coarse;
	if (!coarse_of(p, e, &coarse)) {
		return NULL;
	}
	*fine = coarse;
	fine->key = key;
	if (coarse.n == coarse.n_sure) {
		return fine;
	}
	struct draft d = { .p = p,
		.e = e,
		.known = SIGMA_KNOWN_CALLER,
		.n = coarse.n_sure,
		.n_sure = coarse.n_sure };
	memcpy(p->scratch, coarse.rules, coarse.n_sure * sizeof(*p->scratch));
	for (uint32_t i = coarse.n_sure; i < coarse.n; i++) {
		consider(&d, coarse.rules[i]);
	}
	fine->rules = NULL;
	return keep(p, &d, fine) ? fine : NULL;
}

void plan_match(struct planner *p, const struct event *e,
	void (*fn)(void *ctx, const struct sigma_rule *rule, size_t index), void *ctx)
{
	const struct sigma_rule *rules = p->rules->rules;
	/* What is left of a record that lost its time or name is like no other. */
	const struct plan *plan = e->call ? plan_of(p, e) : NULL;
	if (!plan) {
		sigma_match(p->rules, e, fn, ctx);
		return;
	}
	for (uint32_t i = 0; i < plan->n; i++) {
		uint32_t rule = plan->rules[i];
		if (i < plan->n_sure || sigma_node_matches(rules[rule].condition, e)) {
			fn(ctx, &rules[rule], rule);
		}
	}
}
