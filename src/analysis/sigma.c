#define PCRE2_CODE_UNIT_WIDTH 8

#include "analysis/sigma.h"

#include "base/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ARENA_MAX    (256u * 1024 * 1024)
#define RULES_MAX    20000u
#define RULE_BYTES   (1024u * 1024)
#define NAMES_MAX    65536u
#define FOLDERS_DEEP 16
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
	table_deinit(&s->by_name);
	arena_deinit(&s->arena);
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
			node = node->kids[i++] ? node : NULL;
		}
	}
	return node;
}

struct sigma_node *sigma_compile_named(struct sigma_compiler *c, const char *name)
{
	const json_t *value = json_object_get(c->detection, name);
	if (!value) {
		return sigma_refuse(
			c, "the condition names \"%s\", which the rule does not define", name);
	}
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

/* One condition, or a list of them: any. */
static struct sigma_node *compile_conditions(struct sigma_compiler *c)
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
	struct sigma_set *s, const json_t *root, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(root, key));
	return arena_cstr(&s->arena, str_from(text ? text : otherwise));
}

static bool asks_cloudtrail(const json_t *root)
{
	const char *product = doc_text(root, "logsource.product");
	const char *service = doc_text(root, "logsource.service");
	return product && !strcmp(product, "aws") &&
	       (!service || !strcmp(service, "cloudtrail"));
}

/* What the rule is made of, apart from its condition, that can't be had. */
static bool check_rule(struct sigma_compiler *c, const json_t *root)
{
	static const char *const kinds[] = { "correlation", "filter", "action" };
	for (size_t i = 0; i < 3; i++) {
		if (json_object_get(root, kinds[i])) {
			c->where = kinds[i];
			(void)sigma_refuse(
				c, "documents of the kind \"%s\" are not supported", kinds[i]);
			return false;
		}
	}
	const char *status = doc_text(root, "status");
	if (!json_object_get(root, "title") ||
		!json_is_object(json_object_get(root, "logsource"))) {
		c->where = "title";
		(void)sigma_refuse(c, "a rule needs a title and a logsource");
	} else if (!json_is_object(c->detection)) {
		c->where = "detection";
		(void)sigma_refuse(c, "the rule has no detection");
	} else if (json_object_get(c->detection, "timeframe")) {
		c->where = "detection.timeframe";
		(void)sigma_refuse(
			c, "timeframe was withdrawn from Sigma; write a correlation rule");
	} else if (status && !strcmp(status, "unsupported")) {
		c->where = "status";
		(void)sigma_refuse(c, "the rule itself says that it is unsupported");
	}
	return c->reason[0] == 0;
}

static void refuse(
	struct sigma_set *s, const char *file, int line, const char *rule, const char *reason)
{
	json_array_append_new(s->refused,
		json_pack("{s:o,s:i,s:o,s:o}", "file", doc_str(str_from(file)), "line", line,
			"rule", doc_str(str_from(rule)), "reason", doc_str(str_from(reason))));
}

static void keep_rule(
	struct sigma_set *s, const json_t *root, const char *file, struct sigma_node *condition)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->rules = realloc(s->rules, s->cap * sizeof(*s->rules));
		if (!s->rules) {
			BUG("out of memory");
		}
	}
	const char *title = keep(s, root, "title", "");
	s->rules[s->n++] = (struct sigma_rule){ .id = keep(s, root, "id", title),
		.title = title,
		.level = keep(s, root, "level", "informational"),
		.author = keep(s, root, "author", ""),
		.file = arena_cstr(&s->arena, str_from(file)),
		.tags = json_incref(json_object_get(root, "tags")),
		.applies = asks_cloudtrail(root),
		.condition = condition };
}

void sigma_add(struct sigma_set *s, struct str text, const char *file)
{
	struct yaml_doc doc = { 0 };
	struct err err = { 0 };
	if (s->n >= RULES_MAX) {
		refuse(s, file, 1, "", "more than 20,000 rules");
		return;
	}
	if (yaml_parse(text, file, &doc, &err) != ERR_OK) {
		refuse(s, file, 1, "", err.msg);
		return;
	}
	struct sigma_compiler c = { .set = s,
		.detection = json_object_get(doc.root, "detection"),
		.where = "detection.condition" };
	struct sigma_node *condition = check_rule(&c, doc.root) ? compile_conditions(&c) : NULL;
	if (condition) {
		keep_rule(s, doc.root, file, condition);
	} else {
		const char *id = doc_text(doc.root, "id");
		refuse(s, file, yaml_line(&doc, c.where), id ? id : "", c.reason);
	}
	yaml_deinit(&doc);
}

/* ---- files ---- */

static enum err_status load_file(
	struct env *env, const char *path, struct sigma_set *s, struct err *err)
{
	struct buf text;
	buf_init(&text, RULE_BYTES);
	enum err_status st = env_read_file(env, path, &text, err);
	if (st == ERR_OK) {
		sigma_add(s, buf_view(&text), path);
	}
	buf_deinit(&text);
	return st;
}

static int by_name_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err_status load_folder(
	struct env *env, const char *path, int depth, struct sigma_set *s, struct err *err)
{
	struct dirent **names = NULL;
	int n = depth < FOLDERS_DEEP ? scandir(path, &names, NULL, by_name_order) : -1;
	enum err_status st =
		n < 0 ? err_set(err, ERR_IO, "can't read the folder %s: %s", path,
				depth < FOLDERS_DEEP ? strerror(errno) : "nested too deep")
		      : ERR_OK;
	for (int i = 0; i < n; i++) {
		char sub[PATH_MAX];
		struct stat sb;
		struct str name = str_from(names[i]->d_name);
		int len = snprintf(sub, sizeof(sub), "%s/%s", path, names[i]->d_name);
		bool usable = st == ERR_OK && name.p[0] != '.' && len > 0 &&
			      len < (int)sizeof(sub) && lstat(sub, &sb) == 0;
		if (usable && S_ISDIR(sb.st_mode)) {
			st = load_folder(env, sub, depth + 1, s, err);
		} else if (usable &&
			   (str_ends(name, STR(".yml")) || str_ends(name, STR(".yaml")))) {
			st = load_file(env, sub, s, err);
		}
		free(names[i]);
	}
	free(names);
	return st;
}

enum err_status sigma_load(
	struct env *env, const char *path, struct sigma_set *s, struct err *err)
{
	struct stat sb;
	if (stat(path, &sb) != 0) {
		return err_set(err, ERR_NOT_FOUND, "can't read the rules in %s: %s", path,
			strerror(errno));
	}
	return S_ISDIR(sb.st_mode) ? load_folder(env, path, 0, s, err)
				   : load_file(env, path, s, err);
}

void sigma_load_builtin(struct sigma_set *s)
{
	for (const struct embed_file *f = sigma_builtin; f->name; f++) {
		sigma_add(s, (struct str){ f->data, f->size }, f->name);
	}
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
	if (n->op == SIGMA_NOT) {
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

static void index_name(struct sigma_set *s, const struct sigma_pattern *p, uint32_t rule)
{
	char name[128];
	for (size_t i = 0; i < p->n; i++) {
		name[i] = (char)p->tokens[i];
	}
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
		b->rules = realloc(b->rules, b->cap * sizeof(*b->rules));
		if (!b->rules) {
			BUG("out of memory");
		}
	}
	b->rules[b->n++] = rule;
}

void sigma_ready(struct sigma_set *s)
{
	s->always = calloc(s->n + 1, sizeof(*s->always));
	if (!s->always) {
		BUG("out of memory");
	}
	for (uint32_t i = 0; i < s->n; i++) {
		struct required r = { .n = 0 };
		if (!s->rules[i].applies) {
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
