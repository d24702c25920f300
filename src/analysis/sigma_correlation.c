/* Correlation documents: read, tied to their rules, and told what they must keep of events. */
#include "analysis/sigma.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMESPAN_MAX_S ((int64_t)10 * 366 * 86400)
#define ALIASES_MAX    256

static const char *const kinds[] = { "event_count", "value_count", "temporal",
	"temporal_ordered", "value_sum", "value_avg", "value_percentile", "value_median" };
static const char *const compares[] = { "lt", "lte", "gt", "gte", "eq", "neq" };

static bool is_temporal(const struct sigma_correlation *c)
{
	return c->kind == SIGMA_TEMPORAL || c->kind == SIGMA_TEMPORAL_ORDERED;
}

/* "5m" -> ms */
static bool read_timespan(struct sigma_compiler *c, const json_t *value, int64_t *ms)
{
	const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct str s = str_from(json_string_value(value));
	int64_t n = 0;
	for (size_t i = 0; s.n > 1 && i < 4; i++) {
		if (s.p[s.n - 1] == units[i].letter && str_to_i64(str_sub(s, 0, s.n - 1), &n) &&
			n > 0 && n <= TIMESPAN_MAX_S / units[i].seconds) {
			*ms = n * units[i].seconds * 1000;
			return true;
		}
	}
	(void)sigma_refuse(c, "timespan is a number and one of s, m, h, d, such as 15m");
	return false;
}

/* One text or a list of them. */
static bool read_texts(
	struct sigma_compiler *c, const json_t *value, size_t max, const char **out, size_t *n)
{
	size_t count = json_is_array(value) ? json_array_size(value) : value ? 1 : 0;
	if (count > max) {
		(void)sigma_refuse(c, "a list of more than %zu", max);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
		if (!json_is_string(item) || !json_string_length(item)) {
			(void)sigma_refuse(c, "a text or a list of texts is expected");
			return false;
		}
		out[i] = arena_cstr(&c->set->arena, str_from(json_string_value(item)));
	}
	*n = count;
	return true;
}

static bool read_aliases(
	struct sigma_compiler *c, const json_t *value, struct sigma_correlation *out)
{
	struct arena *a = &c->set->arena;
	const char *name;
	const json_t *of;
	out->aliases = arena_array(a, ALIASES_MAX, sizeof(*out->aliases));
	json_object_foreach((json_t *)(uintptr_t)value, name, of)
	{
		const char *rule;
		const json_t *field;
		json_object_foreach((json_t *)(uintptr_t)of, rule, field)
		{
			if (!json_is_string(field) || !out->aliases ||
				out->n_aliases == ALIASES_MAX) {
				(void)sigma_refuse(c,
					"the alias %s is no map of rules to "
					"fields, or there are too many",
					name);
				return false;
			}
			out->aliases[out->n_aliases++] =
				(struct sigma_alias){ arena_cstr(a, str_from(name)),
					arena_cstr(a, str_from(rule)),
					arena_cstr(a, str_from(json_string_value(field))) };
		}
		if (!json_is_object(of)) {
			(void)sigma_refuse(
				c, "the alias %s is no map of rules to fields", name);
			return false;
		}
	}
	return true;
}

static bool read_compares(
	struct sigma_compiler *c, const json_t *map, struct sigma_correlation *out)
{
	const char *key;
	const json_t *value;
	json_object_foreach((json_t *)(uintptr_t)map, key, value)
	{
		size_t i = 0;
		while (i < 6 && strcmp(key, compares[i]) != 0) {
			i++;
		}
		if (i < 6 && json_is_number(value)) {
			out->compares[out->n_compares].op = (enum sigma_compare)i;
			out->compares[out->n_compares++].number = json_number_value(value);
		} else if (!strcmp(key, "percentile") && json_is_number(value) &&
			   json_number_value(value) >= 0 && json_number_value(value) <= 100) {
			out->percentile = json_number_value(value);
		} else if (strcmp(key, "field") != 0) {
			(void)sigma_refuse(
				c, "\"%s\" in the condition is unknown or no number", key);
			return false;
		}
	}
	return read_texts(
		c, json_object_get(map, "field"), SIGMA_GROUP_MAX, out->fields, &out->n_fields);
}

static bool read_condition(
	struct sigma_compiler *c, const json_t *value, struct sigma_correlation *out)
{
	if (json_is_string(value) && is_temporal(out)) {
		/* Selectors ("1 of x*") choose among the names in the list of rules. */
		json_t *names = json_object();
		for (size_t i = 0; i < out->n_children; i++) {
			json_object_set_new(names, out->children[i], json_true());
		}
		struct sigma_compiler inner = *c;
		inner.detection = names;
		inner.correlation = out;
		out->expression = sigma_compile_condition(&inner, json_string_value(value));
		memcpy(c->reason, inner.reason, sizeof(c->reason));
		json_decref(names);
		return out->expression != NULL;
	}
	if (value && !json_is_object(value)) {
		(void)sigma_refuse(c, "a condition in words belongs to temporal correlations");
		return false;
	}
	if (!read_compares(c, value, out)) {
		return false;
	}
	if (out->n_compares == 0 && is_temporal(out)) {
		out->compares[out->n_compares].op = SIGMA_GTE;
		out->compares[out->n_compares++].number = (double)out->n_children;
	}
	bool counts_values = out->kind != SIGMA_EVENT_COUNT && !is_temporal(out);
	if (out->n_compares == 0) {
		(void)sigma_refuse(c, "the correlation has no condition: gt, gte, lt, lte, eq "
				      "or neq with a number");
	} else if (counts_values && out->n_fields == 0) {
		(void)sigma_refuse(
			c, "condition.field is missing: the field whose values count");
	} else if (out->n_fields > 1 && out->kind != SIGMA_VALUE_COUNT) {
		(void)sigma_refuse(c, "only value_count takes several fields");
	} else if (!counts_values && out->n_fields) {
		(void)sigma_refuse(c, "condition.field belongs to correlations of values");
	}
	return c->reason[0] == 0;
}

/* Keys that change what the rule means; an unknown one must not be passed over. */
static bool check_keys(struct sigma_compiler *c, const json_t *map)
{
	static const char *const known[] = { "type", "rules", "aliases", "group-by", "timespan",
		"condition", "generate" };
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)map, key, value)
	{
		size_t i = 0;
		while (i < 7 && strcmp(key, known[i]) != 0) {
			i++;
		}
		if (i == 7) {
			(void)sigma_refuse(c, "\"%s\" is unknown in a correlation", key);
			return false;
		}
	}
	return true;
}

struct sigma_correlation *sigma_read_correlation(struct sigma_compiler *c, const json_t *root)
{
	const json_t *map = json_object_get(root, "correlation");
	const json_t *generate = json_object_get(map, "generate");
	struct sigma_correlation *out = arena_alloc(&c->set->arena, sizeof(*out));
	const char *type = doc_text_or(map, "type", "");
	size_t kind = 0;
	while (kind < 8 && strcmp(type, kinds[kind]) != 0) {
		kind++;
	}
	if (!out || !json_is_object(map) || !check_keys(c, map)) {
		return sigma_refuse(c, "a correlation is a map");
	}
	if (kind == 8) {
		c->where = "correlation.type";
		return sigma_refuse(c, "correlation type \"%s\" is unknown", type);
	}
	*out = (struct sigma_correlation){ .kind = (enum sigma_kind_of_correlation)kind,
		.percentile = 50,
		.generate = json_is_true(generate) };
	c->where = "correlation.rules";
	if (!read_texts(c, json_object_get(map, "rules"), SIGMA_CHILDREN_MAX, out->children,
		    &out->n_children)) {
		return NULL;
	}
	if (out->n_children == 0) {
		return sigma_refuse(c, "the correlation names no rules");
	}
	c->where = "correlation.group-by";
	if (!read_texts(c, json_object_get(map, "group-by"), SIGMA_GROUP_MAX, out->group_by,
		    &out->n_group)) {
		return NULL;
	}
	c->where = "correlation.timespan";
	if (!read_timespan(c, json_object_get(map, "timespan"), &out->timespan_ms)) {
		return NULL;
	}
	c->where = "correlation.aliases";
	if (!read_aliases(c, json_object_get(map, "aliases"), out)) {
		return NULL;
	}
	c->where = "correlation.condition";
	return read_condition(c, json_object_get(map, "condition"), out) ? out : NULL;
}

/* ---- tying ---- */

const char *sigma_field_of(const struct sigma_correlation *c, size_t child, const char *field)
{
	for (size_t i = 0; i < c->n_aliases; i++) {
		if (!strcmp(c->aliases[i].name, field) &&
			!strcmp(c->aliases[i].rule, c->children[child])) {
			return c->aliases[i].field;
		}
	}
	return field;
}

static struct sigma_feed *feed_of(struct sigma_set *s, uint32_t rule)
{
	if (s->rules[rule].feed == UINT32_MAX) {
		s->feeds = mem_grown(s->feeds, s->n_feeds + 1, sizeof(*s->feeds));
		s->rules[rule].feed = (uint32_t)s->n_feeds;
		s->feeds[s->n_feeds++] = (struct sigma_feed){ .rule = rule };
	}
	return &s->feeds[s->rules[rule].feed];
}

/* The rule's events must keep this field. False with a reason. */
static bool feed_field(struct sigma_compiler *c, uint32_t rule, const char *field)
{
	struct sigma_feed *f = feed_of(c->set, rule);
	for (size_t i = 0; i < f->n; i++) {
		if (!strcmp(f->fields[i], field)) {
			return true;
		}
	}
	if (f->n == SIGMA_FEED_MAX) {
		(void)sigma_refuse(c, "correlations ask for more than %d fields of one rule",
			SIGMA_FEED_MAX);
		return false;
	}
	if (!sigma_read_path(c, str_from(field), &f->paths[f->n], &f->n_path[f->n])) {
		return false;
	}
	f->fields[f->n++] = field;
	return true;
}

/* The same below the correlation, down to the rules. */
static bool need_field(
	struct sigma_compiler *c, const struct sigma_correlation *corr, const char *field)
{
	for (size_t i = 0; i < corr->n_children; i++) {
		const struct sigma_rule *child = &c->set->rules[corr->rules[i]];
		const char *name = sigma_field_of(corr, i, field);
		if (child->correlation ? !need_field(c, child->correlation, name)
				       : !feed_field(c, corr->rules[i], name)) {
			return false;
		}
	}
	return true;
}

enum tied { TIED_OPEN, TIED_NOW, TIED_DONE, TIED_NOT };

struct tying {
	struct sigma_compiler c;
	enum tied *states; /* one a rule */
};

static bool tie(struct tying *t, uint32_t at);

static bool tie_child(struct tying *t, struct sigma_correlation *corr, size_t i)
{
	struct sigma_set *s = t->c.set;
	uint32_t rule = sigma_find(s, corr->children[i]);
	if (rule == UINT32_MAX) {
		(void)sigma_refuse(&t->c,
			"the correlation needs the rule \"%s\", which is not "
			"there, was refused, or is not the only one",
			corr->children[i]);
		return false;
	}
	corr->rules[i] = rule;
	struct sigma_correlation *inner = s->rules[rule].correlation;
	if (!inner) {
		if (!s->rules[rule].source) {
			(void)sigma_refuse(&t->c,
				"the correlation needs the rule \"%s\", which "
				"asks for logs that are not read here",
				corr->children[i]);
			return false;
		}
		(void)feed_of(s, rule);
		return true;
	}
	if (t->states[rule] == TIED_NOW) {
		(void)sigma_refuse(&t->c, "correlations that need each other");
		return false;
	}
	if (!tie(t, rule)) {
		(void)sigma_refuse(&t->c, "the correlation needs \"%s\", which was refused",
			corr->children[i]);
		return false;
	}
	corr->depth = inner->depth >= corr->depth ? inner->depth + 1 : corr->depth;
	if (corr->depth > SIGMA_CHAIN_MAX) {
		(void)sigma_refuse(&t->c, "correlations chained too deep");
		return false;
	}
	return true;
}

/* NOLINTBEGIN(misc-no-recursion): a correlation under way is never entered again */
static bool tie(struct tying *t, uint32_t at)
{
	struct sigma_rule *r = &t->c.set->rules[at];
	struct sigma_correlation *corr = r->correlation;
	if (t->states[at] != TIED_OPEN) {
		return t->states[at] == TIED_DONE;
	}
	t->states[at] = TIED_NOW;
	corr->depth = 1;
	bool good = true;
	for (size_t i = 0; good && i < corr->n_children; i++) {
		t->c.reason[0] = 0;
		good = tie_child(t, corr, i);
	}
	for (size_t i = 0; good && i < corr->n_group; i++) {
		good = need_field(&t->c, corr, corr->group_by[i]);
	}
	for (size_t i = 0; good && i < corr->n_fields; i++) {
		good = need_field(&t->c, corr, corr->fields[i]);
	}
	t->states[at] = good ? TIED_DONE : TIED_NOT;
	r->source = good ? SIGMA_CLOUDTRAIL : SIGMA_NOWHERE;
	if (!good) {
		sigma_refused(t->c.set, r->file, r->line, r->id, t->c.reason);
	}
	return good;
}
/* NOLINTEND(misc-no-recursion) */

/* Rules that are only there for correlations say nothing of their own. */
static void silence(struct sigma_set *s, const struct sigma_correlation *corr)
{
	for (size_t i = 0; i < corr->n_children; i++) {
		s->rules[corr->rules[i]].silent = true;
	}
}

void sigma_tie_correlations(struct sigma_set *s)
{
	struct tying t = { .c = { .set = s } };
	t.states = mem_zeroed(s->n, sizeof(*t.states));
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->rules[i].correlation) {
			(void)tie(&t, i);
		}
	}
	for (uint32_t i = 0; i < s->n; i++) {
		const struct sigma_correlation *corr = s->rules[i].correlation;
		if (corr && t.states[i] == TIED_DONE && !corr->generate) {
			silence(s, corr);
		}
	}
	for (uint32_t i = 0; i < s->n; i++) {
		const struct sigma_correlation *corr = s->rules[i].correlation;
		for (size_t k = 0; corr && corr->generate && t.states[i] == TIED_DONE &&
				   k < corr->n_children;
			k++) {
			s->rules[corr->rules[k]].silent = false;
		}
	}
	free(t.states);
}
