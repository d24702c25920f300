/* Does an event match? The rules of comparison are those of the specification and of data/README. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "analysis/sigma.h"

#include "base/utc.h"

#include <arpa/inet.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPACT_MAX ((size_t)512 * 1024)
#define MATCH_LIMIT 200000u
#define DEPTH_LIMIT 2000u
#define HEAP_LIMIT  4096u /* KiB */

/* A map or list as JSON text without blanks; `unescape` also drops one level of backslashes. */
static struct str compact(const struct scan_tape *t, uint32_t node, bool unescape, char *room)
{
	struct str raw = scan_raw(t, node);
	size_t n = 0;
	bool quoted = false;
	for (size_t i = 0; i < raw.n && n + 2 < COMPACT_MAX; i++) {
		char c = raw.p[i];
		if (quoted && c == '\\' && i + 1 < raw.n) {
			i++;
			if (!unescape) {
				room[n++] = c;
			}
			room[n++] = raw.p[i];
			continue;
		}
		quoted = c == '"' ? !quoted : quoted;
		if (quoted || (c != ' ' && c != '\n' && c != '\r' && c != '\t')) {
			room[n++] = c;
		}
	}
	return (struct str){ room, n };
}

static _Thread_local pcre2_match_data *data;
static _Thread_local pcre2_match_context *limits;

void sigma_thread_done(void)
{
	pcre2_match_data_free(data);
	pcre2_match_context_free(limits);
	data = NULL;
	limits = NULL;
}

static bool regex_matches(const struct sigma_test *t, struct str text)
{
	if (!data) {
		data = pcre2_match_data_create(1, NULL);
		limits = pcre2_match_context_create(NULL);
		if (!data || !limits) {
			BUG("out of memory");
		}
		(void)pcre2_set_match_limit(limits, MATCH_LIMIT);
		(void)pcre2_set_depth_limit(limits, DEPTH_LIMIT);
		(void)pcre2_set_heap_limit(limits, HEAP_LIMIT);
	}
	return pcre2_match(t->regex, (PCRE2_SPTR)text.p, text.n, 0, 0, data, limits) >= 0;
}

static bool cidr_matches(const struct sigma_test *t, struct str text)
{
	char address[64];
	unsigned char bytes[16];
	if (text.n == 0 || text.n >= sizeof(address)) {
		return false;
	}
	memcpy(address, text.p, text.n);
	address[text.n] = 0;
	if (inet_pton(t->net6 ? AF_INET6 : AF_INET, address, bytes) != 1) {
		return false;
	}
	for (int bit = 0; bit < t->net_bits; bit++) {
		int mask = 0x80 >> (bit % 8);
		if ((bytes[bit / 8] & mask) != (t->net[bit / 8] & mask)) {
			return false;
		}
	}
	return true;
}

/* ISO 8601: the week that holds the year's first Thursday is the first. */
static int iso_week(const struct utc_parts *p)
{
	int64_t day = utc_join(&(struct utc_parts){ p->year, p->month, p->day, 0, 0, 0, 0 }) /
		      86400000;
	int64_t thursday = day - (day + 3) % 7 + 3;
	struct utc_parts t = utc_split(thursday * 86400000);
	int64_t january = utc_join(&(struct utc_parts){ t.year, 1, 1, 0, 0, 0, 0 }) / 86400000;
	return (int)((thursday - january) / 7) + 1;
}

/* As the text says it: no zone is converted (specification, "Time modifiers"). */
static bool date_part(enum sigma_part part, struct str text, double *out)
{
	int64_t ms = 0;
	char room[24];
	struct str clock = str_sub(text, 0, 19);
	/* The zone is cut off, the clock of the text stays. */
	int n = snprintf(
		room, sizeof(room), "%.*s%s", STR_ARG(clock), clock.n == 19 ? "Z" : "");
	if (!utc_parse((struct str){ room, (size_t)n }, &ms)) {
		return false;
	}
	struct utc_parts p = utc_split(ms);
	const int values[] = { 0, p.minute, p.hour, p.day, iso_week(&p), p.month, p.year };
	*out = values[part];
	return true;
}

static bool number_matches(const struct sigma_test *t, struct str text)
{
	char room[64];
	char *end = NULL;
	if (text.n == 0 || text.n >= sizeof(room)) {
		return false;
	}
	double v = 0;
	if (t->part) {
		if (!date_part(t->part, text, &v)) {
			return false;
		}
	} else {
		memcpy(room, text.p, text.n);
		room[text.n] = 0;
		v = strtod(room, &end);
		if (*end) {
			return false;
		}
	}
	switch (t->compare) {
	case SIGMA_LT:
		return v < t->number;
	case SIGMA_LTE:
		return v <= t->number;
	case SIGMA_GT:
		return v > t->number;
	case SIGMA_GTE:
		return v >= t->number;
	case SIGMA_EQ:
		return v == t->number;
	default:
		return v != t->number;
	}
}

/* ---- values of a field ---- */

typedef bool (*value_fn)(const void *ctx, const struct event *e, uint32_t node);

struct value_visit {
	value_fn fn;
	const void *ctx;
};

/* Walks into maps and, on the way and at the end, into every item of lists; true stops. */
static bool each_value(const struct event *e, uint32_t node, const struct str *path, size_t n,
	const struct value_visit *visit)
{
	struct scan_tape *t = e->tape;
	if (node == SCAN_NONE) {
		return false;
	}
	if (scan_type_of(t, node) == SCAN_ARRAY) {
		for (uint32_t c = scan_first(t, node); c != SCAN_NONE;
			c = scan_after(t, node, c)) {
			if (each_value(e, c, path, n, visit)) {
				return true;
			}
		}
		return false;
	}
	if (n == 0) {
		return visit->fn(visit->ctx, e, node);
	}
	return each_value(e, scan_member(t, node, path[0]), path + 1, n - 1, visit);
}

/* Texts that a value is compared as: its own, or for a map its JSON, plain and unescaped. */
static size_t texts_of(const struct event *e, uint32_t node, struct str out[2])
{
	static _Thread_local char room[2][COMPACT_MAX];
	enum scan_type type = scan_type_of(e->tape, node);
	if (type == SCAN_NULL) {
		return 0;
	}
	if (type == SCAN_STRING) {
		out[0] = scan_text(e->tape, node);
		return 1;
	}
	if (type != SCAN_OBJECT && type != SCAN_ARRAY) {
		out[0] = scan_raw(e->tape, node);
		return 1;
	}
	out[0] = compact(e->tape, node, false, room[0]);
	out[1] = compact(e->tape, node, true, room[1]);
	return 2;
}

static bool text_matches(const struct sigma_test *t, struct str text)
{
	switch (t->kind) {
	case SIGMA_TEXT:
		return sigma_pattern_matches(&t->pattern, text, t->cased);
	case SIGMA_REGEX:
		return regex_matches(t, text);
	case SIGMA_CIDR:
		return cidr_matches(t, text);
	case SIGMA_NUMBER:
		return number_matches(t, text);
	default:
		return false;
	}
}

static bool see_value(const void *ctx, const struct event *e, uint32_t node)
{
	struct str texts[2];
	size_t n = texts_of(e, node, texts);
	for (size_t i = 0; i < n; i++) {
		if (text_matches(ctx, texts[i])) {
			return true;
		}
	}
	return false;
}

struct text_visit {
	sigma_value_fn fn;
	void *ctx;
};

static bool see_text(const void *ctx, const struct event *e, uint32_t node)
{
	const struct text_visit *v = ctx;
	struct str texts[2];
	return texts_of(e, node, texts) > 0 && v->fn(v->ctx, texts[0]);
}

bool sigma_each_text(const struct event *e, const struct str *path, size_t n_path,
	sigma_value_fn fn, void *ctx)
{
	struct text_visit v = { fn, ctx };
	struct value_visit visit = { see_text, &v };
	return each_value(e, e->root, path, n_path, &visit);
}

static bool see_something(const void *ctx, const struct event *e, uint32_t node)
{
	(void)ctx;
	return scan_type_of(e->tape, node) != SCAN_NULL;
}

/* ---- fieldref ---- */

struct pair_ctx {
	const struct sigma_test *t;
	struct str mine;
};

static bool see_other(const void *ctx, const struct event *e, uint32_t node)
{
	const struct pair_ctx *p = ctx;
	struct str texts[2];
	if (texts_of(e, node, texts) == 0) {
		return false;
	}
	struct str other = texts[0];
	struct str mine = p->mine;
	if (p->t->starts) {
		mine = str_sub(mine, 0, other.n);
	} else if (p->t->ends) {
		mine = mine.n >= other.n ? str_sub(mine, mine.n - other.n, SIZE_MAX) : mine;
	} else if (p->t->contains) {
		for (size_t i = 0; i + other.n <= mine.n; i++) {
			if (str_eq_nocase(str_sub(mine, i, other.n), other)) {
				return true;
			}
		}
		return false;
	}
	return p->t->cased ? str_eq(mine, other) : str_eq_nocase(mine, other);
}

static bool see_mine(const void *ctx, const struct event *e, uint32_t node)
{
	const struct sigma_test *t = ctx;
	struct str texts[2];
	size_t n = texts_of(e, node, texts);
	/* The other field's text may need the same room: only plain texts are referred to. */
	if (n != 1) {
		return false;
	}
	struct pair_ctx p = { t, texts[0] };
	struct value_visit visit = { see_other, &p };
	return each_value(e, e->root, t->other, t->n_other, &visit);
}

/* ---- the whole event ---- */

static bool keyword_matches(const struct sigma_test *t, const struct event *e)
{
	struct str texts[2];
	size_t n = texts_of(e, e->root, texts);
	for (size_t i = 0; i < n; i++) {
		if (text_matches(t, texts[i])) {
			return true;
		}
	}
	return false;
}

/* There, whatever its value; inside lists, in any item. */
static bool field_present(
	const struct event *e, uint32_t node, const struct str *path, size_t n)
{
	struct scan_tape *t = e->tape;
	if (node == SCAN_NONE || n == 0) {
		return node != SCAN_NONE;
	}
	if (scan_type_of(t, node) != SCAN_ARRAY) {
		return field_present(e, scan_member(t, node, path[0]), path + 1, n - 1);
	}
	for (uint32_t c = scan_first(t, node); c != SCAN_NONE; c = scan_after(t, node, c)) {
		if (field_present(e, c, path, n)) {
			return true;
		}
	}
	return false;
}

bool sigma_test_matches(const struct sigma_test *t, const struct event *e)
{
	if (!t->path) {
		return keyword_matches(t, e);
	}
	if (t->kind == SIGMA_EXISTS) {
		return field_present(e, e->root, t->path, t->n_path) == t->want;
	}
	struct value_visit visit = { see_value, t };
	if (t->kind == SIGMA_NULL) {
		visit.fn = see_something;
		return !each_value(e, e->root, t->path, t->n_path, &visit);
	}
	if (t->kind == SIGMA_FIELDREF) {
		visit.fn = see_mine;
	}
	return each_value(e, e->root, t->path, t->n_path, &visit);
}

bool sigma_node_matches(const struct sigma_node *n, const struct event *e)
{
	switch (n->op) {
	case SIGMA_TEST:
		return sigma_test_matches(n->test, e);
	case SIGMA_NOT:
		return !sigma_node_matches(n->kids[0], e);
	default:
		for (size_t i = 0; i < n->n; i++) {
			if (sigma_node_matches(n->kids[i], e) == (n->op == SIGMA_OR)) {
				return n->op == SIGMA_OR;
			}
		}
		return n->op == SIGMA_AND;
	}
}

static bool is_known(const struct sigma_test *t, enum sigma_known known)
{
	static const struct {
		const char *field;
		enum sigma_known from;
	} fields[] = {
		{ "eventSource", SIGMA_KNOWN_CALL },
		{ "eventName", SIGMA_KNOWN_CALL },
		{ "userAgent", SIGMA_KNOWN_CALL },
		{ "errorCode", SIGMA_KNOWN_CALL },
		{ "userIdentity", SIGMA_KNOWN_CALLER },
		{ "sourceIPAddress", SIGMA_KNOWN_CALLER },
		{ "awsRegion", SIGMA_KNOWN_CALLER },
		{ "readOnly", SIGMA_KNOWN_CALLER },
		{ "recipientAccountId", SIGMA_KNOWN_CALLER },
	};
	bool mine = false;
	bool other = t->kind != SIGMA_FIELDREF;
	for (size_t i = 0; t->path && i < sizeof(fields) / sizeof(fields[0]); i++) {
		bool usable = fields[i].from <= known;
		mine |= usable && str_is(t->path[0], fields[i].field);
		other |= usable && t->n_other && str_is(t->other[0], fields[i].field);
	}
	return mine && other;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the condition, which is bounded */
enum sigma_foreseen sigma_foresee(
	const struct sigma_node *n, const struct event *e, enum sigma_known known)
{
	if (n->op == SIGMA_TEST) {
		if (!is_known(n->test, known)) {
			return SIGMA_PERHAPS;
		}
		return sigma_test_matches(n->test, e) ? SIGMA_ALWAYS : SIGMA_NEVER;
	}
	if (n->op == SIGMA_NOT) {
		enum sigma_foreseen inner = sigma_foresee(n->kids[0], e, known);
		return inner == SIGMA_PERHAPS  ? SIGMA_PERHAPS
		       : inner == SIGMA_ALWAYS ? SIGMA_NEVER
					       : SIGMA_ALWAYS;
	}
	/* One that never holds decides an AND, one that always does an OR. */
	enum sigma_foreseen decides = n->op == SIGMA_OR ? SIGMA_ALWAYS : SIGMA_NEVER;
	enum sigma_foreseen all = n->op == SIGMA_OR ? SIGMA_NEVER : SIGMA_ALWAYS;
	for (size_t i = 0; i < n->n; i++) {
		enum sigma_foreseen kid = sigma_foresee(n->kids[i], e, known);
		if (kid == decides) {
			return decides;
		}
		all = kid == SIGMA_PERHAPS ? SIGMA_PERHAPS : all;
	}
	return all;
}

const struct sigma_bucket *sigma_named(const struct sigma_set *s, struct str event_name)
{
	char name[128];
	size_t n = event_name.n < sizeof(name) ? event_name.n : 0;
	for (size_t i = 0; i < n; i++) {
		char c = event_name.p[i];
		name[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	return table_find(&s->by_name, table_hash(0, (struct str){ name, n }));
}

void sigma_match(const struct sigma_set *s, const struct event *e,
	void (*fn)(void *ctx, const struct sigma_rule *rule, size_t index), void *ctx)
{
	const struct sigma_bucket *b = sigma_named(s, e->name);
	for (size_t i = 0; b && i < b->n; i++) {
		if (sigma_node_matches(s->rules[b->rules[i]].condition, e)) {
			fn(ctx, &s->rules[b->rules[i]], b->rules[i]);
		}
	}
	for (size_t i = 0; i < s->n_always; i++) {
		if (sigma_node_matches(s->rules[s->always[i]].condition, e)) {
			fn(ctx, &s->rules[s->always[i]], s->always[i]);
		}
	}
}

void sigma_match_web(const struct sigma_set *s, const struct event *e,
	void (*fn)(void *ctx, const struct sigma_rule *rule, size_t index), void *ctx)
{
	for (size_t i = 0; i < s->n_web; i++) {
		if (sigma_node_matches(s->rules[s->web[i]].condition, e)) {
			fn(ctx, &s->rules[s->web[i]], s->web[i]);
		}
	}
}
