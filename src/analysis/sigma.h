/*
 * Sigma (specification 2.1.0: rules, filters, correlations) over CloudTrail events. A rule becomes
 * a tree of tests over fields once; rules that ask for certain event names are only tried on
 * those. What can't be supported is refused with its place and reason, never skipped in silence.
 * Where the specification is silent, cordon does as pySigma, its reference implementation, does.
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

enum sigma_op {
	SIGMA_AND,
	SIGMA_OR,
	SIGMA_NOT,
	SIGMA_TEST,
	SIGMA_FIRED, /* in a correlation's condition: rule `n` of its list has fired */
};
enum sigma_kind {
	SIGMA_TEXT,
	SIGMA_NULL,
	SIGMA_REGEX,
	SIGMA_CIDR,
	SIGMA_EXISTS,
	SIGMA_FIELDREF,
	SIGMA_NUMBER,
};
enum sigma_compare {
	SIGMA_LT,
	SIGMA_LTE,
	SIGMA_GT,
	SIGMA_GTE,
	SIGMA_EQ,
	SIGMA_NEQ,
};
/* Part of a date that a number is compared with, in the clock that the text is written in. */
enum sigma_part {
	SIGMA_WHOLE, /* no date: the number itself */
	SIGMA_MINUTE,
	SIGMA_HOUR,
	SIGMA_DAY,
	SIGMA_WEEK, /* ISO 8601 */
	SIGMA_MONTH,
	SIGMA_YEAR,
};

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
	enum sigma_part part;
	double number;
	const char *text; /* "field|modifier: value", for people */
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

/* Logs that rules can be tried on. */
enum sigma_source {
	SIGMA_NOWHERE,
	SIGMA_CLOUDTRAIL, /* product aws, service cloudtrail or none */
	SIGMA_WEB,        /* category webserver: access logs, fields named as in W3C logs */
};

struct sigma_correlation;
struct sigma_rule {
	const char *id, *name, *title, *level, *author, *file, *description;
	const char *product, *service, *category; /* "" when not asked for */
	json_t *tags;                             /* owned */
	int line;                                 /* of the document in its file */
	enum sigma_source source;
	bool silent;                  /* only feeds correlations that do not `generate` it */
	struct sigma_node *condition; /* NULL: a correlation */
	struct sigma_correlation *correlation; /* or NULL */
	uint32_t feed;                         /* place among the set's feeds, or UINT32_MAX */
};

enum sigma_kind_of_correlation {
	SIGMA_EVENT_COUNT,
	SIGMA_VALUE_COUNT,
	SIGMA_TEMPORAL,
	SIGMA_TEMPORAL_ORDERED,
	SIGMA_VALUE_SUM,
	SIGMA_VALUE_AVG,
	SIGMA_VALUE_PERCENTILE,
	SIGMA_VALUE_MEDIAN,
};
#define SIGMA_CHILDREN_MAX 64
#define SIGMA_GROUP_MAX    16
#define SIGMA_COMPARES_MAX 6
#define SIGMA_CHAIN_MAX    8
#define SIGMA_FEED_MAX     (SIGMA_GROUP_MAX * 2)

struct sigma_alias {
	const char *name, *rule, *field;
};
/* A correlation as written, and what its references came to. */
struct sigma_correlation {
	enum sigma_kind_of_correlation kind;
	const char *children[SIGMA_CHILDREN_MAX]; /* id or name */
	uint32_t rules[SIGMA_CHILDREN_MAX];       /* the same, as places in the set */
	size_t n_children;
	const char *group_by[SIGMA_GROUP_MAX];
	size_t n_group;
	const char *fields[SIGMA_GROUP_MAX]; /* whose values are counted or added up */
	size_t n_fields;
	struct sigma_alias *aliases;
	size_t n_aliases;
	int64_t timespan_ms;
	struct {
		enum sigma_compare op;
		double number;
	} compares[SIGMA_COMPARES_MAX];
	size_t n_compares;
	struct sigma_node *expression; /* "a and not b" instead of a count, or NULL */
	double percentile;             /* 0..100 */
	bool generate;
	int depth; /* 1: over rules only */
};

/* What must be kept of each event that a rule matches, because correlations ask for it. */
struct sigma_feed {
	uint32_t rule;
	const char *fields[SIGMA_FEED_MAX];
	struct str *paths[SIGMA_FEED_MAX];
	size_t n_path[SIGMA_FEED_MAX];
	size_t n;
};

/* A filter waits for the last rule. */
struct sigma_filter {
	const char *file, *product, *service, *category;
	int line;
	const char **rules; /* ids or names; NULL: any */
	size_t n_rules;
	struct sigma_node *condition;
};

struct sigma_set {
	struct arena arena;
	struct sigma_rule *rules;
	size_t n, cap;
	json_t *refused;      /* [{"file","line","rule","reason"}] */
	json_t *placeholders; /* {"name": [values]}, or NULL */
	struct sigma_filter *filters;
	size_t n_filters, cap_filters;
	struct sigma_feed *feeds;
	size_t n_feeds;
	struct table by_name; /* lower-case event name -> struct sigma_bucket */
	uint32_t *always;     /* rules to try on every event */
	size_t n_always;
	uint32_t *web; /* rules to try on every request to a web server */
	size_t n_web;
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
/*
 * What `%name%` stands for in values with the modifier expand: a YAML map of names to one value
 * or a list of them, wildcards allowed. To be read before the rules. ERR_CONFIG with FILE:LINE,
 * ERR_NOT_FOUND, ERR_IO.
 */
ERR_MUST_CHECK enum err_status sigma_load_placeholders(
	struct env *env, const char *path, struct sigma_set *s, struct err *err);
/*
 * Takes the rules, filters and correlations of one file; a bad one goes to `refused`. `file` is
 * for messages, borrowed.
 */
void sigma_add(struct sigma_set *s, struct str text, const char *file);
/* The rules that the program brings along (rules/). */
void sigma_load_builtin(struct sigma_set *s);
extern const struct embed_file sigma_builtin[];
/*
 * After the last rule: applies the filters, ties correlations to their rules, builds the index.
 * Correlations that can't be tied are refused then and never match.
 */
void sigma_ready(struct sigma_set *s);
/* Place of the rule with this id or name, or UINT32_MAX: none, or more than one. */
uint32_t sigma_find(const struct sigma_set *s, const char *id_or_name);
/* The field as `child` of the correlation calls it: aliases undone. */
const char *sigma_field_of(const struct sigma_correlation *c, size_t child, const char *field);
/*
 * The rule in words: what it asks for, which events it is tried on, what narrows it. New
 * reference: {"id","title",...,"logic":[lines],"source":"cloudtrail"|"web"|"none",
 * "tried_on":[event names] or null,...}.
 */
json_t *sigma_explain(const struct sigma_rule *rule);
/* Calls fn for every rule of CloudTrail that the event matches. */
void sigma_match(const struct sigma_set *s, const struct event *e,
	void (*fn)(void *ctx, const struct sigma_rule *rule, size_t index), void *ctx);
/* The same for rules of web servers; the event is a fragment with the fields of one request. */
void sigma_match_web(const struct sigma_set *s, const struct event *e,
	void (*fn)(void *ctx, const struct sigma_rule *rule, size_t index), void *ctx);

/* The rules that ask for this event name, or NULL. */
const struct sigma_bucket *sigma_named(const struct sigma_set *s, struct str event_name);
/* What is known of an event whose like is known. */
enum sigma_known {
	SIGMA_KNOWN_CALL,   /* eventSource, eventName, userAgent, errorCode */
	SIGMA_KNOWN_CALLER, /* these, userIdentity, sourceIPAddress, awsRegion, readOnly,
			       recipientAccountId */
};
enum sigma_foreseen { SIGMA_NEVER, SIGMA_ALWAYS, SIGMA_PERHAPS };
/* Whether the condition holds for all events, or none, that have what is known in common with e. */
enum sigma_foreseen sigma_foresee(
	const struct sigma_node *n, const struct event *e, enum sigma_known known);
/* Frees what sigma_match keeps for the calling thread; to be called before the thread ends. */
void sigma_thread_done(void);

/* Parts, in files of their own. */
struct sigma_compiler {
	struct sigma_set *set;
	const json_t *detection;
	const struct sigma_correlation *correlation; /* names are its children, or NULL */
	char reason[240];                            /* of a refusal; "" = none */
	const char *where;                           /* path in the YAML of what is refused */
	const char *selection;                       /* the one being compiled */
};
/* NULL with a reason in the compiler when the text can't be supported. */
struct sigma_node *sigma_compile_field(
	struct sigma_compiler *c, const char *field, const json_t *value);
struct sigma_node *sigma_compile_condition(struct sigma_compiler *c, const char *text);
struct sigma_node *sigma_compile_named(struct sigma_compiler *c, const char *name);
void sigma_refused(
	struct sigma_set *s, const char *file, int line, const char *rule, const char *reason);
/* The condition of a detection: one, or any of a list. */
struct sigma_node *sigma_compile_conditions(struct sigma_compiler *c);
/* Reads the document's correlation; NULL with a reason. */
struct sigma_correlation *sigma_read_correlation(struct sigma_compiler *c, const json_t *root);
/* Ties every correlation of the set to its rules and lists what they must keep. */
void sigma_tie_correlations(struct sigma_set *s);
/* Keeps a filter until all rules are there; false with a reason. */
bool sigma_read_filter(
	struct sigma_compiler *c, const json_t *root, const char *file, int line);
void sigma_apply_filters(struct sigma_set *s);
/* Dotted name -> its steps. False with a reason. */
bool sigma_read_path(struct sigma_compiler *c, struct str field, struct str **path, size_t *n);
/*
 * Every text that `text` becomes when its placeholders are replaced, as a JSON array; NULL with a
 * reason when one has no values. New reference.
 */
json_t *sigma_expand(struct sigma_compiler *c, struct str text);
/* Event names without one of which the rule can't match; false when there is no such list. */
bool sigma_required_names(const struct sigma_node *n, json_t *names);
struct sigma_node *sigma_node_new(struct sigma_compiler *c, enum sigma_op op, size_t n);
__attribute__((format(printf, 2, 3))) void *sigma_refuse(
	struct sigma_compiler *c, const char *fmt, ...);
/* "*" and "?" are wild, "\" guards them and itself. False when the arena is full. */
bool sigma_pattern_read(
	struct arena *a, struct str text, bool cased, struct sigma_pattern *out);
bool sigma_pattern_matches(const struct sigma_pattern *p, struct str text, bool cased);
bool sigma_test_matches(const struct sigma_test *t, const struct event *e);
bool sigma_node_matches(const struct sigma_node *n, const struct event *e);
/*
 * The event's values of a dotted field, walking into lists: `fn` is called for each that is not
 * null with its text, until it returns true. For correlations.
 */
typedef bool (*sigma_value_fn)(void *ctx, struct str text);
bool sigma_each_text(const struct event *e, const struct str *path, size_t n_path,
	sigma_value_fn fn, void *ctx);

#endif
