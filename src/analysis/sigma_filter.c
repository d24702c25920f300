/*
 * Filter documents: a condition that is added to other rules with AND. What they leave out is
 * therefore written "not selection", as pySigma has it.
 */
#include "analysis/sigma.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILTERS_MAX 4096
#define RULES_MAX   4096

static const char *source(struct sigma_set *s, const json_t *root, const char *path)
{
	return arena_cstr(&s->arena, str_from(doc_text_or(root, path, "")));
}

static bool read_rules(struct sigma_compiler *c, const json_t *rules, struct sigma_filter *out)
{
	struct arena *a = &c->set->arena;
	if (json_is_string(rules) && !strcasecmp(json_string_value(rules), "any")) {
		return true;
	}
	size_t n = json_is_array(rules)    ? json_array_size(rules)
		   : json_is_string(rules) ? 1
					   : 0;
	if (json_is_array(rules) && n == 0) {
		return true;
	}
	out->rules = arena_array(a, n + 1, sizeof(*out->rules));
	for (size_t i = 0; out->rules && i < n && n <= RULES_MAX; i++) {
		const char *name = json_string_value(
			json_is_array(rules) ? json_array_get(rules, i) : rules);
		if (name) {
			out->rules[out->n_rules++] = arena_cstr(a, str_from(name));
		}
	}
	if (n == 0 || out->n_rules != n) {
		c->where = "filter.rules";
		(void)sigma_refuse(c, "filter.rules names rules by id or name, or is \"any\"");
		return false;
	}
	return true;
}

bool sigma_read_filter(struct sigma_compiler *c, const json_t *root, const char *file, int line)
{
	struct sigma_set *s = c->set;
	json_t *detection = json_copy((json_t *)(uintptr_t)c->detection);
	struct sigma_filter f = { .file = arena_cstr(&s->arena, str_from(file)),
		.line = line,
		.product = source(s, root, "logsource.product"),
		.service = source(s, root, "logsource.service"),
		.category = source(s, root, "logsource.category") };
	c->where = "filter.condition";
	if (read_rules(c, json_object_get(detection, "rules"), &f)) {
		/* "rules" is no selection: "1 of them" must not see it. */
		json_object_del(detection, "rules");
		c->detection = detection;
		f.condition = sigma_compile_conditions(c);
		c->detection = NULL;
	}
	json_decref(detection);
	if (f.condition && s->n_filters == FILTERS_MAX) {
		(void)sigma_refuse(c, "more than %d filters", FILTERS_MAX);
		return false;
	}
	if (f.condition && s->n_filters == s->cap_filters) {
		s->cap_filters = s->cap_filters ? s->cap_filters * 2 : 8;
		s->filters = mem_grown(s->filters, s->cap_filters, sizeof(*s->filters));
	}
	if (f.condition) {
		s->filters[s->n_filters++] = f;
	}
	return f.condition != NULL;
}

/* What the filter says of the source, the rule must say too. */
static bool same_source(const struct sigma_filter *f, const struct sigma_rule *r)
{
	return (!*f->product || !strcmp(f->product, r->product)) &&
	       (!*f->service || !strcmp(f->service, r->service)) &&
	       (!*f->category || !strcmp(f->category, r->category));
}

static void narrow(struct sigma_set *s, const struct sigma_filter *f, struct sigma_rule *r)
{
	struct sigma_compiler c = { .set = s };
	if (!r->condition || !same_source(f, r)) {
		return;
	}
	struct sigma_node *both = sigma_node_new(&c, SIGMA_AND, 2);
	if (!both) {
		BUG("out of room for rules");
	}
	both->kids[0] = r->condition;
	both->kids[1] = f->condition;
	r->condition = both;
}

void sigma_apply_filters(struct sigma_set *s)
{
	for (size_t i = 0; i < s->n_filters; i++) {
		const struct sigma_filter *f = &s->filters[i];
		for (size_t k = 0; !f->rules && k < s->n; k++) {
			narrow(s, f, &s->rules[k]);
		}
		for (size_t k = 0; k < f->n_rules; k++) {
			uint32_t at = sigma_find(s, f->rules[k]);
			if (at != UINT32_MAX) {
				narrow(s, f, &s->rules[at]);
				continue;
			}
			char reason[240];
			(void)snprintf(reason, sizeof(reason),
				"the filter names the rule \"%s\", which is not there, was "
				"refused, or is not the only one",
				f->rules[k]);
			sigma_refused(s, f->file, f->line, "", reason);
		}
	}
}
