/* "field|modifier|modifier: value" -> tests. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "analysis/sigma.h"
#include "base/hash.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_DEPTH_MAX 32
#define VALUE_MAX       ((size_t)64 * 1024)

struct modifiers {
	bool contains, starts, ends, all, exists, cased, neq, windash, re, cidr, fieldref;
	bool base64, base64offset, wide, utf16be, utf16;
	bool re_i, re_m, re_s, compares, expand;
	enum sigma_compare compare;
	enum sigma_part part;
};

static bool read_modifier(struct sigma_compiler *c, struct str m, struct modifiers *out)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "contains", &out->contains },
		{ "startswith", &out->starts },
		{ "endswith", &out->ends },
		{ "all", &out->all },
		{ "exists", &out->exists },
		{ "cased", &out->cased },
		{ "neq", &out->neq },
		{ "windash", &out->windash },
		{ "re", &out->re },
		{ "i", &out->re_i },
		{ "m", &out->re_m },
		{ "s", &out->re_s },
		{ "cidr", &out->cidr },
		{ "fieldref", &out->fieldref },
		{ "base64", &out->base64 },
		{ "base64offset", &out->base64offset },
		{ "wide", &out->wide },
		{ "utf16le", &out->wide },
		{ "utf16be", &out->utf16be },
		{ "utf16", &out->utf16 },
		{ "expand", &out->expand },
	};
	static const char *const compares[] = { "lt", "lte", "gt", "gte" };
	static const char *const parts[] = { "minute", "hour", "day", "week", "month", "year" };
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (str_is(m, flags[i].name)) {
			*flags[i].flag = true;
			return true;
		}
	}
	for (size_t i = 0; i < 4; i++) {
		if (str_is(m, compares[i])) {
			out->compares = true;
			out->compare = (enum sigma_compare)i;
			return true;
		}
	}
	for (size_t i = 0; i < 6; i++) {
		if (str_is(m, parts[i])) {
			out->part = (enum sigma_part)(i + 1);
			return true;
		}
	}
	(void)sigma_refuse(c, "the modifier %.*s is not known", STR_ARG(m));
	return false;
}

bool sigma_read_path(struct sigma_compiler *c, struct str field, struct str **path, size_t *n)
{
	struct arena *a = &c->set->arena;
	*path = arena_array(a, FIELD_DEPTH_MAX, sizeof(struct str));
	*n = 0;
	struct str step;
	while (*path && *n < FIELD_DEPTH_MAX && str_cut(&field, '.', &step)) {
		(*path)[(*n)++] = arena_str(a, step);
	}
	if (!*path || *n == 0 || field.n) {
		(void)sigma_refuse(c, "a field name that can't be read");
		return false;
	}
	return true;
}

static struct sigma_node *leaf(struct sigma_compiler *c, const struct sigma_test *t)
{
	struct sigma_node *node = sigma_node_new(c, SIGMA_TEST, 0);
	if (node) {
		node->test = arena_alloc(&c->set->arena, sizeof(*t));
		if (!node->test) {
			return sigma_refuse(c, "too large");
		}
		*node->test = *t;
	}
	return node;
}

static struct sigma_node *negate(struct sigma_compiler *c, struct sigma_node *inner)
{
	struct sigma_node *node = inner ? sigma_node_new(c, SIGMA_NOT, 1) : NULL;
	if (node) {
		node->kids[0] = inner;
	}
	return node;
}

/* ---- kinds of values ---- */

static struct sigma_node *regex(struct sigma_compiler *c, struct sigma_test *t, struct str text,
	const struct modifiers *m)
{
	int code = 0;
	PCRE2_SIZE at = 0;
	uint32_t flags = (m->re_i ? PCRE2_CASELESS : 0) | (m->re_m ? PCRE2_MULTILINE : 0) |
			 (m->re_s ? PCRE2_DOTALL : 0) | PCRE2_NEVER_BACKSLASH_C;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)text.p, text.n, flags, &code, &at, NULL);
	if (!re) {
		PCRE2_UCHAR message[120] = { 0 };
		(void)pcre2_get_error_message(code, message, sizeof(message));
		return sigma_refuse(
			c, "a regular expression that can't be compiled: %s", message);
	}
	struct sigma_set *s = c->set;
	if (s->n_regexes == s->cap_regexes) {
		s->cap_regexes = s->cap_regexes ? s->cap_regexes * 2 : 16;
		s->regexes = mem_grown(s->regexes, s->cap_regexes, sizeof(*s->regexes));
	}
	s->regexes[s->n_regexes++] = re;
	t->kind = SIGMA_REGEX;
	t->regex = re;
	return leaf(c, t);
}

static struct sigma_node *cidr(struct sigma_compiler *c, struct sigma_test *t, struct str text)
{
	char address[64];
	size_t slash = str_find_char(text, '/');
	int64_t bits = 0;
	struct str host = str_sub(text, 0, slash);
	if (slash == SIZE_MAX || host.n >= sizeof(address) ||
		!str_to_i64(str_sub(text, slash + 1, SIZE_MAX), &bits)) {
		return sigma_refuse(c, "%.*s is no network", STR_ARG(text));
	}
	memcpy(address, host.p, host.n);
	address[host.n] = 0;
	t->kind = SIGMA_CIDR;
	t->net6 = strchr(address, ':') != NULL;
	t->net_bits = (int)bits;
	if (inet_pton(t->net6 ? AF_INET6 : AF_INET, address, t->net) != 1 || bits < 0 ||
		bits > (t->net6 ? 128 : 32)) {
		return sigma_refuse(c, "%.*s is no network", STR_ARG(text));
	}
	return leaf(c, t);
}

static void put16(struct buf *out, uint32_t unit, bool big)
{
	buf_putc(out, (char)(big ? unit >> 8 : unit & 0xff));
	buf_putc(out, (char)(big ? unit & 0xff : unit >> 8));
}

/* The text as UTF-16, after a byte order mark when `mark`. The text is well-formed UTF-8. */
static void utf16(struct str text, bool big, bool mark, struct buf *out)
{
	if (mark) {
		put16(out, 0xfeff, big);
	}
	for (size_t i = 0; i < text.n;) {
		size_t n = str_utf8_len(str_sub(text, i, SIZE_MAX));
		uint32_t c = (unsigned char)text.p[i];
		c &= n == 1 ? 0x7fu : 0xffu >> (n + 1);
		for (size_t k = 1; k < n; k++) {
			c = c << 6 | ((unsigned char)text.p[i + k] & 0x3fu);
		}
		if (c >= 0x10000) {
			put16(out, 0xd800 + ((c - 0x10000) >> 10), big);
			put16(out, 0xdc00 + ((c - 0x10000) & 0x3ff), big);
		} else {
			put16(out, c, big);
		}
		i += n ? n : text.n;
	}
}

static void wrap(struct sigma_pattern *p, bool before, bool after)
{
	if (before) {
		memmove(p->tokens + 1, p->tokens, p->n * sizeof(*p->tokens));
		p->tokens[0] = SIGMA_ANY;
		p->n++;
	}
	if (after) {
		p->tokens[p->n++] = SIGMA_ANY;
	}
}

static bool is_word(uint16_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* A dash (or slash) that begins a word stands for every dash that a shell would take there. */
static void widen_dashes(struct sigma_pattern *p)
{
	for (size_t i = 0; i + 1 < p->n; i++) {
		bool dash = p->tokens[i] == '-' || p->tokens[i] == '/';
		if (dash && (i == 0 || !is_word(p->tokens[i - 1])) &&
			is_word(p->tokens[i + 1])) {
			p->tokens[i] = SIGMA_DASH;
		}
	}
}

static struct sigma_node *text_leaf(struct sigma_compiler *c, struct sigma_test *t,
	struct str text, const struct modifiers *m)
{
	t->kind = SIGMA_TEXT;
	if (!sigma_pattern_read(&c->set->arena, text, t->cased, &t->pattern)) {
		return sigma_refuse(c, "too large");
	}
	if (m->windash) {
		widen_dashes(&t->pattern);
	}
	bool keyword = t->path == NULL;
	wrap(&t->pattern, m->contains || m->ends || keyword,
		m->contains || m->starts || keyword);
	return leaf(c, t);
}

/* Base64 of the text at each of the three offsets it may have in what was encoded. */
static struct sigma_node *base64_leaves(struct sigma_compiler *c, struct sigma_test *t,
	struct str raw, const struct modifiers *m)
{
	static const size_t start[] = { 0, 2, 3 };
	static const size_t cut[] = { 0, 3, 2 };
	struct modifiers plain = { .contains = true };
	size_t n = m->base64offset ? 3 : 1;
	struct sigma_node *any = sigma_node_new(c, SIGMA_OR, n);
	for (size_t i = 0; any && i < n; i++) {
		struct buf padded;
		struct buf encoded;
		buf_init(&padded, VALUE_MAX);
		buf_init(&encoded, VALUE_MAX * 2);
		buf_add(&padded, "   ", i);
		buf_add_str(&padded, raw);
		hash_base64(buf_view(&padded), &encoded);
		struct str text = buf_view(&encoded);
		if (m->base64offset) {
			size_t tail = cut[(raw.n + i) % 3];
			text = str_sub(text, start[i], text.n - start[i] - tail);
		}
		struct sigma_test one = *t;
		one.cased = true;
		any->kids[i] = text_leaf(c, &one, text, m->base64offset ? &plain : m);
		any = any->kids[i] ? any : NULL;
		buf_deinit(&padded);
		buf_deinit(&encoded);
	}
	return any;
}

/* The value without its escapes; wildcards have no encoded form. */
static bool unescaped(struct sigma_compiler *c, struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];
		char next = i + 1 < text.n ? text.p[i + 1] : 0;
		if (ch == '\\' && (next == '*' || next == '?' || next == '\\')) {
			buf_putc(out, next);
			i++;
		} else if (ch == '*' || ch == '?') {
			(void)sigma_refuse(c, "wildcards can't be encoded in base64 or UTF-16");
			return false;
		} else {
			buf_putc(out, ch);
		}
	}
	return buf_ok(out);
}

/* Bytes that are no text: a pattern of exactly them. */
static struct sigma_node *bytes_leaf(struct sigma_compiler *c, struct sigma_test *t,
	struct str raw, const struct modifiers *m)
{
	struct buf escaped;
	buf_init(&escaped, VALUE_MAX * 4);
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '*' || raw.p[i] == '?' || raw.p[i] == '\\') {
			buf_putc(&escaped, '\\');
		}
		buf_putc(&escaped, raw.p[i]);
	}
	struct sigma_node *node = text_leaf(c, t, buf_view(&escaped), m);
	buf_deinit(&escaped);
	return node;
}

static struct sigma_node *encoded(struct sigma_compiler *c, struct sigma_test *t,
	struct str text, const struct modifiers *m)
{
	struct buf plain;
	struct buf wide;
	struct sigma_node *node = NULL;
	buf_init(&plain, VALUE_MAX);
	buf_init(&wide, VALUE_MAX * 2 + 2);
	bool is_wide = m->wide || m->utf16be || m->utf16;
	if (unescaped(c, text, &plain)) {
		if (is_wide) {
			utf16(buf_view(&plain), m->utf16be, m->utf16, &wide);
		}
		struct str raw = buf_view(is_wide ? &wide : &plain);
		node = m->base64 || m->base64offset ? base64_leaves(c, t, raw, m)
						    : bytes_leaf(c, t, raw, m);
	}
	buf_deinit(&plain);
	buf_deinit(&wide);
	return node;
}

static struct sigma_node *number(struct sigma_compiler *c, struct sigma_test *t,
	const json_t *value, const struct modifiers *m)
{
	if (!json_is_number(value)) {
		return sigma_refuse(c, m->part ? "a part of a date is compared with a number"
					       : "lt, lte, gt and gte compare with a number");
	}
	t->kind = SIGMA_NUMBER;
	t->compare = m->compares ? m->compare : SIGMA_EQ;
	t->part = m->part;
	t->number = json_number_value(value);
	return leaf(c, t);
}

/* The value as the text that a log would hold. */
static bool value_text(const json_t *value, char *room, size_t size, struct str *out)
{
	if (json_is_string(value)) {
		*out = (struct str){ json_string_value(value), json_string_length(value) };
		return true;
	}
	int n = -1;
	if (json_is_boolean(value)) {
		n = snprintf(room, size, "%s", json_is_true(value) ? "true" : "false");
	} else if (json_is_integer(value)) {
		n = snprintf(room, size, "%lld", (long long)json_integer_value(value));
	} else if (json_is_real(value)) {
		n = snprintf(room, size, "%g", json_real_value(value));
	}
	*out = (struct str){ room, n > 0 ? (size_t)n : 0 };
	return n > 0;
}

/* "field|modifier: value", cut where it gets long. */
static const char *describe(struct sigma_compiler *c, const char *field, const json_t *value)
{
	char line[240];
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	(void)snprintf(
		line, sizeof(line), "%s: %s", *field ? field : "(anywhere)", text ? text : "?");
	free(text);
	return arena_cstr(&c->set->arena, str_from(line));
}

static struct sigma_node *plain_value(struct sigma_compiler *c, struct sigma_test t,
	const json_t *value, const struct modifiers *m)
{
	char room[64];
	struct str text;
	t.text = describe(c, t.text, value);
	if (json_is_null(value)) {
		t.kind = SIGMA_NULL;
		return leaf(c, &t);
	}
	if (m->exists) {
		if (!json_is_boolean(value)) {
			return sigma_refuse(c, "exists takes true or false");
		}
		t.kind = SIGMA_EXISTS;
		t.want = json_is_true(value);
		return leaf(c, &t);
	}
	if (m->compares || m->part) {
		return number(c, &t, value, m);
	}
	if (!value_text(value, room, sizeof(room), &text)) {
		return sigma_refuse(c, "a value that is neither text nor number");
	}
	if (m->re) {
		return regex(c, &t, text, m);
	}
	if (m->cidr) {
		return cidr(c, &t, text);
	}
	if (m->fieldref) {
		t.kind = SIGMA_FIELDREF;
		t.contains = m->contains;
		t.starts = m->starts;
		t.ends = m->ends;
		return sigma_read_path(c, text, &t.other, &t.n_other) ? leaf(c, &t) : NULL;
	}
	if (m->base64 || m->base64offset || m->wide || m->utf16 || m->utf16be) {
		return encoded(c, &t, text, m);
	}
	return text_leaf(c, &t, text, m);
}

/* Any of the texts that the value's placeholders make of it. */
static struct sigma_node *one_value(struct sigma_compiler *c, const struct sigma_test *t,
	const json_t *value, const struct modifiers *m)
{
	if (!m->expand || !json_is_string(value)) {
		return plain_value(c, *t, value, m);
	}
	json_t *texts = sigma_expand(
		c, (struct str){ json_string_value(value), json_string_length(value) });
	size_t n = json_array_size(texts);
	struct sigma_node *any = texts ? sigma_node_new(c, SIGMA_OR, n) : NULL;
	for (size_t i = 0; any && i < n; i++) {
		any->kids[i] = plain_value(c, *t, json_array_get(texts, i), m);
		any = any->kids[i] ? any : NULL;
	}
	json_decref(texts);
	return any;
}

struct sigma_node *sigma_compile_field(
	struct sigma_compiler *c, const char *field, const json_t *value)
{
	struct str rest = str_from(field);
	struct modifiers m = { .all = false };
	struct sigma_test t = { .kind = SIGMA_TEXT };
	struct str name = str_sub(rest, 0, str_find_char(rest, '|'));
	rest = str_sub(rest, name.n + 1, SIZE_MAX);
	struct str modifier;
	while (str_cut(&rest, '|', &modifier)) {
		if (!read_modifier(c, modifier, &m)) {
			return NULL;
		}
	}
	if ((m.re_i || m.re_m || m.re_s) && !m.re) {
		return sigma_refuse(c, "i, m and s belong to re");
	}
	if (name.n && !sigma_read_path(c, name, &t.path, &t.n_path)) {
		return NULL;
	}
	t.cased = m.cased;
	t.text = field;
	struct sigma_node *node = NULL;
	if (json_is_array(value)) {
		size_t n = json_array_size(value);
		if (n == 0) {
			return sigma_refuse(c, "an empty list");
		}
		node = sigma_node_new(c, m.all ? SIGMA_AND : SIGMA_OR, n);
		for (size_t i = 0; node && i < n; i++) {
			node->kids[i] = one_value(c, &t, json_array_get(value, i), &m);
			node = node->kids[i] ? node : NULL;
		}
	} else if (json_is_object(value)) {
		return sigma_refuse(c, "a map where a value is expected");
	} else {
		node = one_value(c, &t, value, &m);
	}
	return m.neq ? negate(c, node) : node;
}
