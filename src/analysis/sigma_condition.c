/* "selection and not 1 of filter_*": the condition's grammar. */
#include "analysis/sigma.h"

#include <string.h>

#define NESTING_MAX 32

struct parser {
	struct sigma_compiler *c;
	struct str rest;
	struct str token; /* the one to look at; empty at the end */
	int depth;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void next(struct parser *p)
{
	p->rest = str_trim(p->rest);
	size_t n = p->rest.n && strchr("()|", p->rest.p[0]) ? 1 : 0;
	while (n == 0 || !strchr("()|", p->rest.p[0])) {
		if (n == p->rest.n || is_blank(p->rest.p[n]) || strchr("()|", p->rest.p[n])) {
			break;
		}
		n++;
	}
	p->token = str_sub(p->rest, 0, n);
	p->rest = str_sub(p->rest, n, SIZE_MAX);
}

static bool word(const struct parser *p, const char *w)
{
	return str_eq_nocase(p->token, str_from(w));
}

static struct sigma_node *parse_or(struct parser *p);

static struct sigma_node *pair(
	struct parser *p, enum sigma_op op, struct sigma_node *a, struct sigma_node *b)
{
	struct sigma_node *node = a && b ? sigma_node_new(p->c, op, 2) : NULL;
	if (node) {
		node->kids[0] = a;
		node->kids[1] = b;
	}
	return node;
}

/* "1 of them", "all of selection_*" */
static struct sigma_node *parse_of(struct parser *p, enum sigma_op op)
{
	next(p);
	if (!word(p, "of")) {
		return sigma_refuse(p->c, "\"of\" is missing in the condition");
	}
	next(p);
	bool them = word(p, "them");
	struct str pattern = p->token;
	if (pattern.n == 0) {
		return sigma_refuse(p->c, "the condition ends after \"of\"");
	}
	next(p);
	size_t n = json_object_size(p->c->detection);
	struct sigma_node *node = sigma_node_new(p->c, op, n);
	size_t found = 0;
	const char *name;
	const json_t *value;
	json_object_foreach((json_t *)(uintptr_t)p->c->detection, name, value)
	{
		bool reserved = !strcmp(name, "condition") || !strcmp(name, "timeframe");
		bool fits = them ? name[0] != '_' : str_glob(pattern, str_from(name));
		if (reserved || !fits || !node) {
			continue;
		}
		node->kids[found] = sigma_compile_named(p->c, name);
		if (!node->kids[found++]) {
			return NULL;
		}
	}
	if (node && found == 0) {
		return sigma_refuse(p->c, "\"of %.*s\" names nothing", STR_ARG(pattern));
	}
	if (node) {
		node->n = found;
	}
	return node;
}

static struct sigma_node *parse_primary(struct parser *p)
{
	if (++p->depth > NESTING_MAX) {
		return sigma_refuse(p->c, "a condition nested too deep");
	}
	struct sigma_node *node = NULL;
	if (word(p, "(")) {
		next(p);
		node = parse_or(p);
		if (node && !word(p, ")")) {
			return sigma_refuse(p->c, "a bracket is not closed in the condition");
		}
		next(p);
	} else if (word(p, "not")) {
		next(p);
		struct sigma_node *inner = parse_primary(p);
		node = inner ? sigma_node_new(p->c, SIGMA_NOT, 1) : NULL;
		if (node) {
			node->kids[0] = inner;
		}
	} else if (word(p, "1") || word(p, "any")) {
		node = parse_of(p, SIGMA_OR);
	} else if (word(p, "all")) {
		node = parse_of(p, SIGMA_AND);
	} else if (p->token.n == 0 || word(p, ")") || word(p, "|")) {
		return sigma_refuse(p->c, "a name is missing in the condition");
	} else {
		char name[128];
		if (p->token.n >= sizeof(name)) {
			return sigma_refuse(p->c, "a name in the condition is too long");
		}
		memcpy(name, p->token.p, p->token.n);
		name[p->token.n] = 0;
		next(p);
		node = sigma_compile_named(p->c, name);
	}
	p->depth--;
	return node;
}

static struct sigma_node *parse_and(struct parser *p)
{
	struct sigma_node *node = parse_primary(p);
	while (node && word(p, "and")) {
		next(p);
		node = pair(p, SIGMA_AND, node, parse_primary(p));
	}
	return node;
}

static struct sigma_node *parse_or(struct parser *p)
{
	struct sigma_node *node = parse_and(p);
	while (node && word(p, "or")) {
		next(p);
		node = pair(p, SIGMA_OR, node, parse_and(p));
	}
	return node;
}

struct sigma_node *sigma_compile_condition(struct sigma_compiler *c, const char *text)
{
	struct parser p = { .c = c, .rest = str_from(text) };
	next(&p);
	struct sigma_node *node = parse_or(&p);
	if (node && word(&p, "|")) {
		return sigma_refuse(c, "aggregation after \"|\" was withdrawn from Sigma; "
				       "write a correlation rule");
	}
	if (node && p.token.n) {
		return sigma_refuse(
			c, "\"%.*s\" was not expected in the condition", STR_ARG(p.token));
	}
	return node;
}
