/* A rule in words. */
#include "analysis/sigma.h"

#include <stdio.h>
#include <string.h>

#define LINES_MAX 2000
#define LINE_MAX  400

static void say(json_t *lines, int depth, const char *text)
{
	char line[LINE_MAX];
	if (json_array_size(lines) < LINES_MAX) {
		(void)snprintf(line, sizeof(line), "%*s%s", depth * 2, "", text);
		json_array_append_new(lines, doc_str(str_from(line)));
	}
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the rule, whose nesting is bounded */
static void say_node(json_t *lines, const struct sigma_node *n, int depth,
	const struct sigma_correlation *corr)
{
	static const char *const words[] = { "all of:", "any of:", "not:" };
	if (n->op == SIGMA_TEST) {
		say(lines, depth, n->test->text ? n->test->text : "");
	} else if (n->op == SIGMA_FIRED) {
		say(lines, depth, corr ? corr->children[n->n] : "");
	} else if (n->n == 1 && n->op != SIGMA_NOT) {
		say_node(lines, n->kids[0], depth, corr);
	} else {
		say(lines, depth, words[n->op]);
		for (size_t i = 0; i < (n->op == SIGMA_NOT ? 1 : n->n); i++) {
			say_node(lines, n->kids[i], depth + 1, corr);
		}
	}
}
/* NOLINTEND(misc-no-recursion) */

static void say_list(json_t *lines, const char *head, const char *const *texts, size_t n)
{
	char line[LINE_MAX];
	size_t at = (size_t)snprintf(line, sizeof(line), "%s", head);
	for (size_t i = 0; i < n && at < sizeof(line); i++) {
		at += (size_t)snprintf(
			line + at, sizeof(line) - at, "%s%s", i ? ", " : " ", texts[i]);
	}
	say(lines, 0, line);
}

static void say_correlation(json_t *lines, const struct sigma_correlation *c)
{
	static const char *const what[] = { "events", "distinct values", "different rules",
		"different rules, in this order", "sum", "average", "percentile", "median" };
	static const char *const signs[] = { "<", "<=", ">", ">=", "=", "!=" };
	char line[LINE_MAX];
	say_list(lines, "of these rules:", c->children, c->n_children);
	if (c->n_group) {
		say_list(lines, "with the same:", c->group_by, c->n_group);
	}
	(void)snprintf(
		line, sizeof(line), "within %lld seconds:", (long long)(c->timespan_ms / 1000));
	say(lines, 0, line);
	if (c->n_fields) {
		say_list(lines, "  values of:", c->fields, c->n_fields);
	}
	if (c->expression) {
		say_node(lines, c->expression, 1, c);
	}
	for (size_t i = 0; i < c->n_compares && !c->expression; i++) {
		(void)snprintf(line, sizeof(line), "%s %s %g", what[c->kind],
			signs[c->compares[i].op], c->compares[i].number);
		say(lines, 1, line);
	}
}

json_t *sigma_explain(const struct sigma_rule *rule)
{
	json_t *lines = json_array();
	json_t *names = json_array();
	json_t *out = json_object();

	if (rule->correlation) {
		say_correlation(lines, rule->correlation);
	} else {
		say_node(lines, rule->condition, 0, NULL);
		bool some = rule->source == SIGMA_CLOUDTRAIL &&
			    sigma_required_names(rule->condition, names);
		json_object_set(out, "tried_on", some ? names : json_null());
	}
	static const char *const sources[] = { "none", "cloudtrail", "web" };
	json_object_set_new(out, "source", json_string(sources[rule->source]));
	json_object_set(out, "logic", lines);
	json_decref(lines);
	json_decref(names);
	return out;
}
