#define PCRE2_CODE_UNIT_WIDTH 8

#include "analysis/sigma.h"

#include "base/mem.h"
#include "base/yaml.h"

#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX    ((size_t)256 * 1024 * 1024)
#define RULES_MAX    20000u
#define NAMES_MAX    65536u
#define REQUIRED_MAX 256

void sigma_init(struct sigma_set *s)
{
	*s = (struct sigma_set){ .refused = json_array() };
	arena_init(&s->arena, ARENA_MAX);
	table_init(&s->by_name, sizeof(struct sigma_bucket), NAMES_MAX);
}

void sigma_deinit(struct sigma_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		json_decref(s->rules[i].tags);
	}
	for (size_t i = 0; i < s->by_name.n; i++) {
		free(((struct sigma_bucket *)table_at(&s->by_name, i))->rules);
	}
	for (size_t i = 0; i < s->n_regexes; i++) {
		pcre2_code_free(s->regexes[i]);
	}
	free(s->regexes);
	free(s->rules);
	free(s->always);
	free(s->web);
	table_deinit(&s->by_name);
	arena_deinit(&s->arena);
	free(s->filters);
	free(s->feeds);
	json_decref(s->placeholders);
	json_decref(s->refused);
}

void *sigma_refuse(struct sigma_compiler *c, const char *fmt, ...)
{
	va_list ap;
	if (!c->reason[0]) {
		va_start(ap, fmt);
		(void)vsnprintf(c->reason, sizeof(c->reason), fmt, ap);
		va_end(ap);
	}
	return NULL;
}

struct sigma_node *sigma_node_new(struct sigma_compiler *c, enum sigma_op op, size_t n)
{
	struct sigma_node *node = arena_alloc(&c->set->arena, sizeof(*node));
	struct sigma_node **kids =
		arena_array(&c->set->arena, n + 1, sizeof(struct sigma_node *));
	if (!node || !kids) {
		return sigma_refuse(c, "too large");
	}
	node->op = op;
	node->kids = kids;
	node->n = n;
	return node;
}

/* The line to name is the field's, not the condition's that led here. */
static void blame(struct sigma_compiler *c, const char *field)
{
	char path[400];
	if (c->selection && !c->correlation) {
		(void)snprintf(path, sizeof(path), "%s.%s.%s",
			str_starts(str_from(c->where), STR("filter")) ? "filter" : "detection",
			c->selection, field);
		c->where = arena_cstr(&c->set->arena, str_from(path));
	}
}

/* A map: all of its fields. */
static struct sigma_node *compile_map(struct sigma_compiler *c, const json_t *map)
{
	size_t n = json_object_size(map);
	if (n == 0) {
		return sigma_refuse(c, "a selection without fields");
	}
	struct sigma_node *node = sigma_node_new(c, SIGMA_AND, n);
	const char *field;
	const json_t *value;
	size_t i = 0;
	json_object_foreach((json_t *)(uintptr_t)map, field, value)
	{
		if (node) {
			node->kids[i] = sigma_compile_field(c, field, value);
			if (!node->kids[i++]) {
				blame(c, field);
				node = NULL;
			}
		}
	}
	return node;
}

/* A correlation's condition speaks of the rules in its list. */
static struct sigma_node *compile_child(struct sigma_compiler *c, const char *name)
{
	for (size_t i = 0; i < c->correlation->n_children; i++) {
		if (!strcmp(c->correlation->children[i], name)) {
			return sigma_node_new(c, SIGMA_FIRED, i);
		}
	}
	return sigma_refuse(
		c, "the condition names \"%s\", which is not in the list of rules", name);
}

struct sigma_node *sigma_compile_named(struct sigma_compiler *c, const char *name)
{
	if (c->correlation) {
		return compile_child(c, name);
	}
	const json_t *value = json_object_get(c->detection, name);
	if (!value) {
		return sigma_refuse(
			c, "the condition names \"%s\", which the rule does not define", name);
	}
	c->selection = name;
	if (json_is_object(value)) {
		return compile_map(c, value);
	}
	if (!json_is_array(value)) {
		return sigma_compile_field(c, "", value);
	}
	size_t n = json_array_size(value);
	if (n == 0) {
		return sigma_refuse(c, "\"%s\" is an empty list", name);
	}
	struct sigma_node *node = sigma_node_new(c, SIGMA_OR, n);
	for (size_t i = 0; node && i < n; i++) {
		const json_t *item = json_array_get(value, i);
		node->kids[i] = json_is_object(item) ? compile_map(c, item)
						     : sigma_compile_field(c, "", item);
		node = node->kids[i] ? node : NULL;
	}
	return node;
}

struct sigma_node *sigma_compile_conditions(struct sigma_compiler *c)
{
	const json_t *condition = json_object_get(c->detection, "condition");
	if (json_is_string(condition)) {
		return sigma_compile_condition(c, json_string_value(condition));
	}
	size_t n = json_array_size(condition);
	if (n == 0) {
		return sigma_refuse(c, "the rule has no condition");
	}
	struct sigma_node *node = sigma_node_new(c, SIGMA_OR, n);
	for (size_t i = 0; node && i < n; i++) {
		const char *text = json_string_value(json_array_get(condition, i));
		node->kids[i] = text ? sigma_compile_condition(c, text)
				     : sigma_refuse(c, "a condition that is no text");
		node = node->kids[i] ? node : NULL;
	}
	return node;
}

static const char *keep(
	struct sigma_set *s, const json_t *root, const char *path, const char *otherwise)
{
	return arena_cstr(&s->arena, str_from(doc_text_or(root, path, otherwise)));
}

void sigma_refused(
	struct sigma_set *s, const char *file, int line, const char *rule, const char *reason)
{
	json_array_append_new(s->refused,
		json_pack("{s:o,s:i,s:o,s:o}", "file", doc_str(str_from(file)), "line", line,
			"rule", doc_str(str_from(rule)), "reason", doc_str(str_from(reason))));
}

/* What the document is made of, apart from its condition, that can't be had. */
static bool check_document(struct sigma_compiler *c, const json_t *root)
{
	const char *status = doc_text(root, "status");
	const char *taxonomy = doc_text_or(root, "taxonomy", "sigma");
	bool correlation = json_object_get(root, "correlation") != NULL;
	if (!json_is_object(root)) {
		(void)sigma_refuse(c, "a rule is a map");
	} else if (json_object_get(root, "action")) {
		c->where = "action";
		(void)sigma_refuse(c, "collections with \"action\" were withdrawn from Sigma; "
				      "write every rule in full");
	} else if (!json_object_get(root, "title") && !json_object_get(root, "name")) {
		c->where = "title";
		(void)sigma_refuse(c, "a rule needs a title");
	} else if (!correlation && !json_is_object(json_object_get(root, "logsource"))) {
		c->where = "logsource";
		(void)sigma_refuse(c, "a rule needs a logsource");
	} else if (!correlation && !json_is_object(c->detection)) {
		c->where = "detection";
		(void)sigma_refuse(c, "the rule has no detection");
	} else if (json_object_get(c->detection, "timeframe")) {
		c->where = "detection.timeframe";
		(void)sigma_refuse(
			c, "timeframe was withdrawn from Sigma; write a correlation rule");
	} else if (status && !strcmp(status, "unsupported")) {
		c->where = "status";
		(void)sigma_refuse(c, "the rule itself says that it is unsupported");
	} else if (strcmp(taxonomy, "sigma") != 0) {
		c->where = "taxonomy";
		(void)sigma_refuse(
			c, "the taxonomy \"%s\" is not known; only \"sigma\" is", taxonomy);
	}
	return c->reason[0] == 0;
}

static enum sigma_source source_of(const struct sigma_rule *r)
{
	if (!strcmp(r->product, "aws") && (!*r->service || !strcmp(r->service, "cloudtrail"))) {
		return SIGMA_CLOUDTRAIL;
	}
	return !strcmp(r->category, "webserver") ? SIGMA_WEB : SIGMA_NOWHERE;
}

static struct sigma_rule *keep_rule(
	struct sigma_set *s, const json_t *root, const char *file, int line)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->rules = mem_grown(s->rules, s->cap, sizeof(*s->rules));
	}
	const char *name = keep(s, root, "name", "");
	const char *title = keep(s, root, "title", name);
	struct sigma_rule *r = &s->rules[s->n++];
	*r = (struct sigma_rule){ .id = keep(s, root, "id", title),
		.name = name,
		.title = title,
		.level = keep(s, root, "level", "informational"),
		.author = keep(s, root, "author", ""),
		.description = keep(s, root, "description", ""),
		.product = keep(s, root, "logsource.product", ""),
		.service = keep(s, root, "logsource.service", ""),
		.category = keep(s, root, "logsource.category", ""),
		.file = arena_cstr(&s->arena, str_from(file)),
		.line = line,
		.tags = json_incref(json_object_get(root, "tags")),
		.feed = UINT32_MAX };
	r->source = source_of(r);
	return r;
}

struct adding {
	struct sigma_set *set;
	const char *file;
};

/* One document of the file. */
static enum err_status add_document(void *ctx, const struct yaml_doc *doc, struct err *err)
{
	const struct adding *a = ctx;
	struct sigma_set *s = a->set;
	const json_t *root = doc->root;
	int line = yaml_line(doc, "title");
	struct sigma_compiler c = { .set = s, .where = "detection.condition" };
	struct sigma_node *condition = NULL;
	struct sigma_correlation *correlation = NULL;
	bool filter = json_object_get(root, "filter") != NULL;
	c.detection = json_object_get(root, filter ? "filter" : "detection");
	(void)err;
	if (s->n >= RULES_MAX) {
		(void)sigma_refuse(&c, "more than 20,000 rules");
	} else if (check_document(&c, root) && json_object_get(root, "correlation")) {
		c.where = "correlation";
		correlation = sigma_read_correlation(&c, root);
	} else if (!c.reason[0] && filter) {
		c.where = "filter";
		(void)sigma_read_filter(&c, root, a->file, line);
	} else if (!c.reason[0]) {
		condition = sigma_compile_conditions(&c);
	}
	if (c.reason[0]) {
		sigma_refused(s, a->file, yaml_line(doc, c.where),
			doc_text_or(root, "id", doc_text_or(root, "name", "")), c.reason);
	} else if (condition || correlation) {
		struct sigma_rule *r = keep_rule(s, root, a->file, line);
		r->condition = condition;
		r->correlation = correlation;
	}
	return ERR_OK;
}

void sigma_add(struct sigma_set *s, struct str text, const char *file)
{
	struct adding a = { s, file };
	struct err err = { 0 };
	if (yaml_parse_all(text, file, add_document, &a, &err) != ERR_OK) {
		sigma_refused(s, file, 1, "", err.msg);
	}
}

uint32_t sigma_find(const struct sigma_set *s, const char *id_or_name)
{
	uint32_t found = UINT32_MAX;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct sigma_rule *r = &s->rules[i];
		if (strcmp(r->id, id_or_name) && strcmp(r->name, id_or_name)) {
			continue;
		}
		if (found != UINT32_MAX) {
			return UINT32_MAX;
		}
		found = i;
	}
	return found;
}

/* ---- index ---- */

struct required {
	const struct sigma_pattern *names[REQUIRED_MAX];
	size_t n;
};

static bool is_plain_name(const struct sigma_test *t)
{
	if (t->kind != SIGMA_TEXT || t->n_path != 1 || !str_is(t->path[0], "eventName") ||
		t->cased) {
		return false;
	}
	for (size_t i = 0; i < t->pattern.n; i++) {
		if (t->pattern.tokens[i] > 255) {
			return false;
		}
	}
	return t->pattern.n > 0 && t->pattern.n < 128;
}

/* Event names without one of which the node can't be true; false when there is no such list. */
static bool requires(const struct sigma_node *n, struct required *out)
{
	if (n->op == SIGMA_TEST) {
		if (!is_plain_name(n->test) || out->n == REQUIRED_MAX) {
			return false;
		}
		out->names[out->n++] = &n->test->pattern;
		return true;
	}
	if (n->op == SIGMA_NOT || n->op == SIGMA_FIRED) {
		return false;
	}
	size_t from = out->n;
	for (size_t i = 0; i < n->n; i++) {
		bool has = requires(n->kids[i], out);
		if (has && n->op == SIGMA_AND) {
			return true;
		}
		if (!has) {
			out->n = n->op == SIGMA_OR ? from : out->n;
			if (n->op == SIGMA_OR) {
				return false;
			}
			out->n = from;
		}
	}
	return n->op == SIGMA_OR && n->n > 0;
}

/* A pattern without wildcards, shorter than 128 bytes. */
static void pattern_text(const struct sigma_pattern *p, char out[128])
{
	for (size_t i = 0; i < p->n; i++) {
		out[i] = (char)p->tokens[i];
	}
	out[p->n] = 0;
}

static void index_name(struct sigma_set *s, const struct sigma_pattern *p, uint32_t rule)
{
	char name[128];
	pattern_text(p, name);
	size_t at = table_add(&s->by_name, table_hash(0, (struct str){ name, p->n }), NULL);
	if (at == SIZE_MAX) {
		BUG("too many event names in rules");
	}
	struct sigma_bucket *b = table_at(&s->by_name, at);
	if (b->n && b->rules[b->n - 1] == rule) {
		return;
	}
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 4;
		b->rules = mem_grown(b->rules, b->cap, sizeof(*b->rules));
	}
	b->rules[b->n++] = rule;
}

bool sigma_required_names(const struct sigma_node *n, json_t *names)
{
	struct required r = { .n = 0 };
	if (!requires(n, &r)) {
		return false;
	}
	for (size_t i = 0; i < r.n; i++) {
		char name[128];
		pattern_text(r.names[i], name);
		json_array_append_new(names, doc_str(str_from(name)));
	}
	return true;
}

void sigma_ready(struct sigma_set *s)
{
	s->always = calloc(s->n + 1, sizeof(*s->always));
	s->web = calloc(s->n + 1, sizeof(*s->web));
	if (!s->always || !s->web) {
		BUG("out of memory");
	}
	sigma_apply_filters(s);
	sigma_tie_correlations(s);
	for (uint32_t i = 0; i < s->n; i++) {
		struct required r = { .n = 0 };
		const struct sigma_rule *rule = &s->rules[i];
		if (rule->condition && rule->source == SIGMA_WEB) {
			s->web[s->n_web++] = i;
		}
		if (!rule->condition || rule->source != SIGMA_CLOUDTRAIL) {
			continue;
		}
		if (!requires(s->rules[i].condition, &r) || s->by_name.n + r.n >= NAMES_MAX) {
			s->always[s->n_always++] = i;
			continue;
		}
		for (size_t k = 0; k < r.n; k++) {
			index_name(s, r.names[k], i);
		}
	}
}
