/* Values that are laid out one level at a time, when somebody asks for what is in them. */
#include "analysis/scan_parts.h"
#include "analysis/skim.h"

#include "base/err.h"

#include <stdlib.h>

static enum scan_type type_of(char first)
{
	switch (first) {
	case '"':
		return SCAN_STRING;
	case '{':
		return SCAN_OBJECT;
	case '[':
		return SCAN_ARRAY;
	case 't':
		return SCAN_TRUE;
	case 'f':
		return SCAN_FALSE;
	case 'n':
		return SCAN_NULL;
	default:
		return SCAN_NUMBER;
	}
}

/* A node for text[start, start + n); NULL when the tape is full. */
static struct scan_node *put(struct scan_tape *t, enum scan_type type, size_t start, size_t n)
{
	struct scan_node *node = scan_push(t, type, (uint32_t)start);
	if (node) {
		node->end = (uint32_t)(start + n);
		node->first = type >= SCAN_OBJECT ? SCAN_LAZY : node->first;
	}
	return node;
}

void scan_lazy(struct scan_tape *t, struct str s)
{
	t->text = s.p;
	t->n = 0;
	(void)put(t, type_of(s.n ? s.p[0] : 'n'), 0, s.n);
}

uint32_t scan_lazy_add(struct scan_tape *t, struct str value, bool escaped)
{
	size_t start = (size_t)(value.p - t->text);
	bool string = start > 0 && value.p[-1] == '"';
	enum scan_type type = string ? SCAN_STRING : type_of(value.n ? value.p[0] : 'n');
	struct scan_node *node = put(t, type, start, value.n);
	if (!node) {
		return SCAN_NONE;
	}
	node->escape = escaped ? SCAN_ESCAPED : SCAN_PLAIN;
	return (uint32_t)(node - t->nodes);
}

static bool put_members(struct scan_tape *t, uint32_t parent, const struct skim_out *found)
{
	size_t base = t->nodes[parent].start;
	uint8_t depth = (uint8_t)(t->nodes[parent].depth + 1);
	bool object = t->nodes[parent].type == SCAN_OBJECT;
	for (size_t i = 0; i < found->n; i++) {
		const struct skim_member *m = &found->members[i];
		struct scan_node *node =
			object ? put(t, SCAN_STRING, base + m->key, m->key_n) : NULL;
		if (object && !node) {
			return false;
		}
		if (node) {
			node->escape = m->key_escaped ? SCAN_ESCAPED : SCAN_PLAIN;
		}
		node = put(t, type_of((char)m->first), base + m->value, m->value_n);
		if (!node) {
			return false;
		}
		node->escape = m->value_escaped ? SCAN_ESCAPED : SCAN_PLAIN;
		node->depth = depth;
	}
	return true;
}

/* The thorough way: all of it at once. */
static bool lay_out_whole(struct scan_tape *t, uint32_t node)
{
	struct scan_node n = t->nodes[node];
	uint32_t at = (uint32_t)t->n;
	if (scan_more(t, n.start, n.end) != SCAN_OK) {
		t->n = at;
		return false;
	}
	t->nodes[node].first = t->nodes[at].first;
	t->nodes[node].limit = t->nodes[at].limit;
	return true;
}

struct skim_out scan_skim(struct scan_tape *t, uint32_t node, enum skim_result *result)
{
	if (!t->members) {
		t->members = calloc(SCAN_MEMBERS, sizeof(*t->members));
		if (!t->members) {
			BUG("out of memory");
		}
	}
	struct skim_out found = { .members = t->members, .room = SCAN_MEMBERS };
	*result = skim_value(scan_raw(t, node), NULL, &found);
	return found;
}

/* What has more members than a look takes in is laid out by the thorough scanner. */
void scan_lay_out(struct scan_tape *t, uint32_t node)
{
	struct scan_node n = t->nodes[node];
	uint32_t first = (uint32_t)t->n;
	t->nodes[node].first = t->nodes[node].limit = first;
	if (n.depth >= SCAN_DEPTH_MAX) {
		return;
	}
	enum skim_result r = SKIM_OK;
	struct skim_out found = scan_skim(t, node, &r);
	if (r == SKIM_LIMIT) {
		(void)lay_out_whole(t, node);
		return;
	}
	if (r == SKIM_OK && put_members(t, node, &found)) {
		t->nodes[node].limit = (uint32_t)t->n;
	} else {
		t->n = first;
	}
}

struct str scan_peek(struct scan_tape *t, uint32_t node, struct str key)
{
	enum skim_result r = SKIM_OK;
	if (scan_type_of(t, node) != SCAN_OBJECT) {
		return (struct str){ "", 0 };
	}
	struct str s = scan_raw(t, node);
	struct skim_out found = scan_skim(t, node, &r);
	for (size_t i = 0; r == SKIM_OK && i < found.n; i++) {
		const struct skim_member *m = &found.members[i];
		if (str_eq((struct str){ s.p + m->key, m->key_n }, key)) {
			return (struct str){ s.p + m->value, m->value_n };
		}
	}
	return (struct str){ "", 0 };
}
