#include "analysis/scan_parts.h"

#include "base/err.h"
#include "base/i18n.h"

#include <stdlib.h>
#include <string.h>

/* State of one scan: the frames are the containers that are open. */
struct scanner {
	struct scan_tape *tape;
	const char *base, *p, *end;
	uint32_t open[SCAN_DEPTH_MAX];
	int depth;
	bool whole;
};

void scan_init(struct scan_tape *t)
{
	*t = (struct scan_tape){ 0 };
}

void scan_deinit(struct scan_tape *t)
{
	free(t->nodes);
	free(t->decoded);
	free(t->members);
	*t = (struct scan_tape){ 0 };
}

struct scan_node *scan_push(struct scan_tape *t, enum scan_type type, uint32_t start)
{
	if (t->n == t->cap) {
		if (t->cap >= SCAN_NODES_MAX) {
			return NULL;
		}
		size_t cap = t->cap ? t->cap * 2 : 512;
		struct scan_node *nodes = realloc(t->nodes, cap * sizeof(*nodes));
		if (!nodes) {
			BUG("out of memory");
		}
		t->nodes = nodes;
		t->cap = cap;
	}
	struct scan_node *n = &t->nodes[t->n++];
	uint32_t next = (uint32_t)t->n;
	*n = (struct scan_node){ .start = start,
		.end = start,
		.next = next,
		.first = next,
		.limit = next,
		.type = (uint8_t)type };
	return n;
}

static struct scan_node *push(struct scanner *s, enum scan_type type, const char *start)
{
	struct scan_node *n = scan_push(s->tape, type, (uint32_t)(start - s->base));
	if (n) {
		n->depth = (uint8_t)s->depth;
	}
	return n;
}

static void skip_space(struct scanner *s)
{
	while (s->p < s->end &&
		(*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t')) {
		s->p++;
	}
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* p is on a backslash; moves past the escape. */
static enum scan_result escape(struct scanner *s)
{
	if (s->end - s->p < 2) {
		return SCAN_MORE;
	}
	if (s->p[1] != 'u') {
		if (!s->p[1] || !strchr("\"\\/bfnrt", s->p[1])) {
			return SCAN_BAD;
		}
		s->p += 2;
		return SCAN_OK;
	}
	for (int i = 2; i < 6; i++) {
		if (s->end - s->p <= i) {
			return SCAN_MORE;
		}
		if (!is_hex(s->p[i])) {
			return SCAN_BAD;
		}
	}
	s->p += 6;
	return SCAN_OK;
}

/* p is on the opening quote. */
static enum scan_result string(struct scanner *s)
{
	const char *start = s->p + 1;
	bool escaped = false;
	s->p = start;
	for (;;) {
		s->p = scan_string_end(s->p, s->end);
		if (s->p >= s->end) {
			return SCAN_MORE;
		}
		if (*s->p == '"') {
			break;
		}
		if (*s->p != '\\') {
			return SCAN_BAD;
		}
		escaped = true;
		enum scan_result r = escape(s);
		if (r != SCAN_OK) {
			return r;
		}
	}
	struct scan_node *n = push(s, SCAN_STRING, start);
	if (!n) {
		return SCAN_LIMIT;
	}
	n->end = (uint32_t)(s->p - s->base);
	n->escape = escaped ? SCAN_ESCAPED : SCAN_PLAIN;
	s->p++;
	return SCAN_OK;
}

static bool digits(struct scanner *s)
{
	const char *from = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		s->p++;
	}
	return s->p > from;
}

static enum scan_result number_end(const struct scanner *s)
{
	return s->p < s->end || s->whole ? SCAN_BAD : SCAN_MORE;
}

static enum scan_result number(struct scanner *s)
{
	const char *start = s->p;
	if (*s->p == '-') {
		s->p++;
	}
	const char *first = s->p;
	if (!digits(s) || (*first == '0' && s->p - first > 1)) {
		return number_end(s);
	}
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!digits(s)) {
			return number_end(s);
		}
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-')) {
			s->p++;
		}
		if (!digits(s)) {
			return number_end(s);
		}
	}
	if (s->p == s->end && !s->whole) {
		return SCAN_MORE;
	}
	struct scan_node *n = push(s, SCAN_NUMBER, start);
	if (!n) {
		return SCAN_LIMIT;
	}
	n->end = (uint32_t)(s->p - s->base);
	return SCAN_OK;
}

static enum scan_result literal(struct scanner *s, const char *word, enum scan_type type)
{
	size_t n = strlen(word);
	size_t have = (size_t)(s->end - s->p);
	if (memcmp(s->p, word, have < n ? have : n) != 0) {
		return SCAN_BAD;
	}
	if (have < n) {
		return SCAN_MORE;
	}
	struct scan_node *node = push(s, type, s->p);
	if (!node) {
		return SCAN_LIMIT;
	}
	s->p += n;
	node->end = (uint32_t)(s->p - s->base);
	return SCAN_OK;
}

static enum scan_result open_container(struct scanner *s, enum scan_type type)
{
	if (s->depth == SCAN_DEPTH_MAX) {
		return SCAN_LIMIT;
	}
	if (!push(s, type, s->p)) {
		return SCAN_LIMIT;
	}
	s->open[s->depth++] = (uint32_t)(s->tape->n - 1);
	s->p++;
	return SCAN_OK;
}

static void close_container(struct scanner *s)
{
	struct scan_node *n = &s->tape->nodes[s->open[--s->depth]];
	s->p++;
	n->end = (uint32_t)(s->p - s->base);
	n->next = n->limit = (uint32_t)s->tape->n;
}

/* One scalar, or the opening of a container. */
static enum scan_result begin_value(struct scanner *s)
{
	switch (*s->p) {
	case '"':
		return string(s);
	case '{':
		return open_container(s, SCAN_OBJECT);
	case '[':
		return open_container(s, SCAN_ARRAY);
	case 't':
		return literal(s, "true", SCAN_TRUE);
	case 'f':
		return literal(s, "false", SCAN_FALSE);
	case 'n':
		return literal(s, "null", SCAN_NULL);
	default:
		return *s->p == '-' || (*s->p >= '0' && *s->p <= '9') ? number(s) : SCAN_BAD;
	}
}

/* Key and colon of the next member. */
static enum scan_result member_key(struct scanner *s)
{
	if (*s->p != '"') {
		return SCAN_BAD;
	}
	enum scan_result r = string(s);
	if (r != SCAN_OK) {
		return r;
	}
	skip_space(s);
	if (s->p == s->end) {
		return SCAN_MORE;
	}
	if (*s->p != ':') {
		return SCAN_BAD;
	}
	s->p++;
	return SCAN_OK;
}

/*
 * After a value inside a container: a comma leads to the next one, a bracket closes (and then the
 * container is itself a value that ended). Leaves p on the first byte of what comes next.
 */
static enum scan_result after_value(struct scanner *s, bool *comma)
{
	while (s->depth > 0) {
		skip_space(s);
		if (s->p == s->end) {
			return SCAN_MORE;
		}
		bool object = s->tape->nodes[s->open[s->depth - 1]].type == SCAN_OBJECT;
		if (*s->p == ',') {
			s->p++;
			*comma = true;
			return SCAN_OK;
		}
		if (*s->p != (object ? '}' : ']')) {
			return SCAN_BAD;
		}
		close_container(s);
	}
	return SCAN_OK;
}

static enum scan_result run(struct scanner *s)
{
	bool comma = false; /* a comma was read: no closing bracket may follow */
	bool opened = false;
	for (;;) {
		skip_space(s);
		if (s->p == s->end) {
			return SCAN_MORE;
		}
		bool in_object = s->depth > 0 &&
				 s->tape->nodes[s->open[s->depth - 1]].type == SCAN_OBJECT;
		enum scan_result r = SCAN_OK;
		bool empty = opened && !comma && *s->p == (in_object ? '}' : ']');
		if (empty) {
			close_container(s);
		} else {
			if (in_object) {
				r = member_key(s);
				if (r != SCAN_OK) {
					return r;
				}
				skip_space(s);
				if (s->p == s->end) {
					return SCAN_MORE;
				}
			}
			int depth = s->depth;
			r = begin_value(s);
			if (r != SCAN_OK) {
				return r;
			}
			opened = s->depth > depth;
			comma = false;
			if (opened) {
				continue;
			}
		}
		opened = false;
		comma = false;
		r = after_value(s, &comma);
		if (r != SCAN_OK || s->depth == 0) {
			return r;
		}
	}
}

enum scan_result scan_more(struct scan_tape *t, uint32_t start, uint32_t end)
{
	struct scanner sc = { .tape = t,
		.base = t->text,
		.p = t->text + start,
		.end = t->text + end,
		.whole = true };
	return run(&sc);
}

enum scan_result scan_value(struct scan_tape *t, struct str s, bool whole, size_t *used)
{
	size_t room = s.n < SCAN_VALUE_MAX ? s.n : SCAN_VALUE_MAX;
	struct scanner sc = { .tape = t,
		.base = s.p,
		.p = s.p,
		.end = s.p + room,
		.whole = whole && room == s.n };
	t->text = s.p;
	t->n = 0;
	enum scan_result r = s.n ? run(&sc) : SCAN_MORE;
	*used = (size_t)(sc.p - sc.base);
	return r == SCAN_MORE && room < s.n ? SCAN_LIMIT : r;
}

const char *scan_reason(enum scan_result r)
{
	switch (r) {
	case SCAN_MORE:
		return N_("the file ends inside a JSON value");
	case SCAN_BAD:
		return N_("not JSON");
	case SCAN_LIMIT:
		return N_("nested deeper than 128 levels or larger than 64 MiB");
	default:
		return "";
	}
}
