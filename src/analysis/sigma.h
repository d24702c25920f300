/*
 * Sigma rules (specification 2.1.0, single rules) over CloudTrail events. A rule becomes a tree of
 * tests over fields once; rules that ask for certain event names are only tried on those. What
 * can't be supported is refused with its place and reason, never skipped in silence.
 */
#ifndef CORDON_ANALYSIS_SIGMA_H
#define CORDON_ANALYSIS_SIGMA_H

#include "analysis/event.h"
#include "analysis/table.h"
#include "base/arena.h"
#include "base/doc.h"
#include "base/embed.h"
#include "base/env.h"

#include <jansson.h>

enum sigma_op { SIGMA_AND, SIGMA_OR, SIGMA_NOT, SIGMA_TEST };
enum sigma_kind {
	SIGMA_TEXT,
	SIGMA_NULL,
	SIGMA_REGEX,
	SIGMA_CIDR,
	SIGMA_EXISTS,
	SIGMA_FIELDREF,
	SIGMA_NUMBER,
};
enum sigma_compare { SIGMA_LT, SIGMA_LTE, SIGMA_GT, SIGMA_GTE };

/* Tokens of a pattern: a byte, or one of these. */
#define SIGMA_ANY  256 /* any run of bytes */
#define SIGMA_ONE  257 /* any one byte */
#define SIGMA_DASH 258 /* '-', '/', or one of three long dashes */

struct sigma_pattern {
	uint16_t *tokens;
	size_t n;
};

/* One value of one field. */
struct sigma_test {
	enum sigma_kind kind;
	struct str *path; /* steps of the field's name; NULL: a keyword, over the whole event */
	size_t n_path;
	bool cased, contains, starts, ends, want;
	struct sigma_pattern pattern;
	void *regex;       /* pcre2_code */
	struct str *other; /* fieldref */
	size_t n_other;
	enum sigma_compare compare;
	double number;
	unsigned char net[16];
	int net_bits;
	bool net6;
};

struct sigma_node {
	enum sigma_op op;
	struct sigma_node **kids;
	size_t n;
	struct sigma_test *test;
};

struct sigma_rule {
	const char *id, *title, *level, *author, *file;
	json_t *tags; /* owned */
	bool applies; /* asks for CloudTrail (or names no source) */
	struct sigma_node *condition;
};

struct sigma_set {
	struct arena arena;
	struct sigma_rule *rules;
	size_t n, cap;
	json_t *refused;      /* [{"file","line","rule","reason"}] */
	struct table by_name; /* lower-case event name -> struct sigma_bucket */
	uint32_t *always;     /* rules to try on every event */
	size_t n_always;
	void **regexes; /* to free */
	size_t n_regexes, cap_regexes;
};
struct sigma_bucket {
	uint32_t *rules;
	size_t n, cap;
};

void sigma_init(struct sigma_set *s);
void sigma_deinit(struct sigma_set *s);
/* Reads every .yml and .yaml below a folder (or one file). ERR_NOT_FOUND, ERR_IO. */
ERR_MUST_CHECK enum err_status sigma_load(
	struct env *env, const char *path, struct sigma_set *s, struct err *err);
/* Takes one rule from text; a bad one goes to `refused`. `file` is for messages, borrowed. */
void sigma_add(struct sigma_set *s, struct str text, const char *file);
/* The rules that the program brings along (rules/). */
void sigma_load_builtin(struct sigma_set *s);
extern const struct embed_file sigma_builtin[];
/* After the last rule: builds the index. */
void sigma_ready(struct sigma_set *s);
/* Calls fn for every rule that the event matches. */
void sigma_match(const struct sigma_set *s, const struct event *e,
	void (*fn)(void *ctx, const struct sigma_rule *rule, size_t index), void *ctx);

/* Parts, in files of their own. */
struct sigma_compiler {
	struct sigma_set *set;
	const json_t *detection;
	char reason[240];  /* of a refusal; "" = none */
	const char *where; /* path in the YAML of what is refused */
};
/* NULL with a reason in the compiler when the text can't be supported. */
struct sigma_node *sigma_compile_field(
	struct sigma_compiler *c, const char *field, const json_t *value);
struct sigma_node *sigma_compile_condition(struct sigma_compiler *c, const char *text);
struct sigma_node *sigma_compile_named(struct sigma_compiler *c, const char *name);
struct sigma_node *sigma_node_new(struct sigma_compiler *c, enum sigma_op op, size_t n);
__attribute__((format(printf, 2, 3))) void *sigma_refuse(
	struct sigma_compiler *c, const char *fmt, ...);
/* "*" and "?" are wild, "\" guards them and itself. False when the arena is full. */
bool sigma_pattern_read(
	struct arena *a, struct str text, bool cased, struct sigma_pattern *out);
bool sigma_pattern_matches(const struct sigma_pattern *p, struct str text, bool cased);
bool sigma_test_matches(const struct sigma_test *t, const struct event *e);

#endif
