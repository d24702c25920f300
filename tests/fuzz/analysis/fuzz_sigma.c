/* Rules, a line of "===", an event: neither may lead the other astray, nor what correlates them. */
#include "analysis/correlate.h"
#include "analysis/plan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TIMES 6

struct judged {
	struct correlate correlate;
	const struct event *e;
};

/* The event comes several times, ever later. */
static void hit(void *ctx, const struct sigma_rule *rule, size_t index)
{
	struct judged *s = ctx;
	(void)index;
	for (int64_t i = 0; rule->feed != UINT32_MAX && i < TIMES; i++) {
		struct track_ref ref = { .time_ms = i * i * 1000,
			.hash = (uint64_t)i & 0xffff,
			.set = 1,
			.uuid = true };
		correlate_event(&s->correlate, rule, s->e, &ref);
	}
}

static void judge(const struct judged *s)
{
	struct track track;
	struct correlate_result *results = NULL;
	size_t n = 0;
	track_init(&track, 1, NULL, STR(""));
	correlate_judge(&s->correlate, &track, &results, &n);
	correlate_free(results, n);
	track_deinit(&track);
}

static void explain(const struct sigma_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		json_decref(sigma_explain(&set->rules[i]));
	}
}

struct hits {
	size_t n;
	size_t rules;
};

static void count(void *ctx, const struct sigma_rule *rule, size_t index)
{
	struct hits *h = ctx;
	(void)rule;
	h->n++;
	h->rules += (index + 1) * (index + 7);
}

/* A plan matches what the rules by themselves do, the first time and the next. */
static void try_event(const struct sigma_set *set, struct str json)
{
	struct event e;
	struct event_reader *reader = event_reader_new(3);
	struct planner planner;
	plan_init(&planner, set, 5);
	for (int i = 0; i < 2 && event_read(reader, json, &e); i++) {
		struct hits plain = { 0 };
		struct hits planned = { 0 };
		sigma_match(set, &e, count, &plain);
		plan_match(&planner, &e, count, &planned);
		if (plain.n != planned.n || plain.rules != planned.rules) {
			abort();
		}
	}
	plan_deinit(&planner);
	event_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = { (const char *)data, size };
	size_t at = str_find(all, STR("\n===\n"));
	struct sigma_set set;
	sigma_init(&set);
	set.placeholders = json_pack("{s:[s,s],s:i}", "Admins", "adm*", "root", "n", 5);
	sigma_add(&set, str_sub(all, 0, at), "rule.yml");
	sigma_ready(&set);
	struct scan_tape tape;
	size_t used = 0;
	struct event e;
	struct judged seen = { .e = &e };
	correlate_init(&seen.correlate, &set, 1);
	explain(&set);
	scan_init(&tape);
	struct str event = at == SIZE_MAX ? STR("{}") : str_sub(all, at + 5, SIZE_MAX);
	if (scan_value(&tape, event, true, &used) == SCAN_OK) {
		event_fragment(&tape, 0, &e);
		sigma_match(&set, &e, hit, &seen);
		judge(&seen);
		try_event(&set, event);
	}
	scan_deinit(&tape);
	correlate_deinit(&seen.correlate);
	sigma_deinit(&set);
	return 0;
}
