/* Reads of a tape that scan.c wrote. */
#include "analysis/scan_parts.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

static bool valid(const struct scan_tape *t, uint32_t node)
{
	return node < t->n;
}

enum scan_type scan_type_of(const struct scan_tape *t, uint32_t node)
{
	return valid(t, node) ? (enum scan_type)t->nodes[node].type : SCAN_NULL;
}

struct str scan_raw(const struct scan_tape *t, uint32_t node)
{
	if (!valid(t, node)) {
		return (struct str){ "", 0 };
	}
	const struct scan_node *n = &t->nodes[node];
	return (struct str){ t->text + n->start, n->end - n->start };
}

uint32_t scan_first(struct scan_tape *t, uint32_t node)
{
	if (!valid(t, node) || t->nodes[node].type < SCAN_OBJECT) {
		return SCAN_NONE;
	}
	if (t->nodes[node].first == SCAN_LAZY) {
		scan_lay_out(t, node);
	}
	const struct scan_node *n = &t->nodes[node];
	return n->first < n->limit ? n->first : SCAN_NONE;
}

uint32_t scan_after(const struct scan_tape *t, uint32_t parent, uint32_t node)
{
	if (!valid(t, parent) || !valid(t, node)) {
		return SCAN_NONE;
	}
	uint32_t next = t->nodes[node].next;
	return next < t->nodes[parent].limit ? next : SCAN_NONE;
}

static bool key_is(struct scan_tape *t, uint32_t node, struct str key)
{
	return str_eq(scan_text(t, node), key);
}

uint32_t scan_member(struct scan_tape *t, uint32_t node, struct str key)
{
	if (scan_type_of(t, node) != SCAN_OBJECT) {
		return SCAN_NONE;
	}
	uint32_t k = scan_first(t, node);
	while (k != SCAN_NONE) {
		if (key_is(t, k, key)) {
			return k + 1;
		}
		k = scan_after(t, node, k + 1);
	}
	return SCAN_NONE;
}

uint32_t scan_path(struct scan_tape *t, uint32_t node, const char *path)
{
	struct str rest = str_from(path);
	struct str step;
	while (node != SCAN_NONE && str_cut(&rest, '.', &step)) {
		node = scan_member(t, node, step);
	}
	return node;
}

static unsigned hex4(const char *p)
{
	unsigned v = 0;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		unsigned digit =
			c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
		v = v << 4 | digit;
	}
	return v;
}

static bool is_hex4(const char *p)
{
	for (int i = 0; i < 4; i++) {
		bool hex = (p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f') ||
			   (p[i] >= 'A' && p[i] <= 'F');
		if (!hex) {
			return false;
		}
	}
	return true;
}

/* p is on "\\uXXXX" (checked); *taken gets the bytes read, the bytes written come back. */
static size_t unicode(const char *p, size_t left, char *out, size_t *taken)
{
	unsigned c = hex4(p + 2);
	*taken = 6;
	if (c >= 0xd800 && c < 0xdc00 && left >= 12 && p[6] == '\\' && p[7] == 'u' &&
		is_hex4(p + 8)) {
		unsigned low = hex4(p + 8);
		if (low >= 0xdc00 && low < 0xe000) {
			*taken = 12;
			return str_utf8_put(
				0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00), out);
		}
	}
	return str_utf8_put(c >= 0xd800 && c < 0xe000 ? 0xfffd : c, out);
}

/* Takes any bytes: an escape that is cut off or unknown is copied as it stands. */
size_t scan_unescape(struct str raw, char *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	size_t n = 0;
	size_t i = 0;
	while (i < raw.n) {
		const char *p = raw.p + i;
		size_t left = raw.n - i;
		const char *known = *p == '\\' && left > 1 && p[1] ? strchr(from, p[1]) : NULL;
		if (known) {
			out[n++] = to[known - from];
			i += 2;
		} else if (*p == '\\' && left >= 6 && p[1] == 'u' && is_hex4(p + 2)) {
			size_t taken = 0;
			n += unicode(p, left, out + n, &taken);
			i += taken;
		} else {
			out[n++] = *p;
			i++;
		}
	}
	return n;
}

/*
 * Decoded text is never longer than its raw form, so each fits where it stands in the text. The
 * memory is sized by the whole value, so it never moves between two decodings of one scan.
 */
static void decode(struct scan_tape *t, struct scan_node *n)
{
	size_t size = t->nodes[0].end;
	if (t->decoded_cap < size) {
		free(t->decoded);
		t->decoded_cap = size;
		t->decoded = malloc(size);
		if (!t->decoded) {
			BUG("out of memory");
		}
	}
	struct str raw = { t->text + n->start, n->end - n->start };
	n->decoded_n = (uint32_t)scan_unescape(raw, t->decoded + n->start);
	n->escape = SCAN_DECODED;
}

struct str scan_text(struct scan_tape *t, uint32_t node)
{
	if (!valid(t, node) || t->nodes[node].type != SCAN_STRING) {
		return (struct str){ "", 0 };
	}
	struct scan_node *n = &t->nodes[node];
	if (n->escape == SCAN_PLAIN) {
		return scan_raw(t, node);
	}
	if (n->escape == SCAN_ESCAPED) {
		decode(t, n);
	}
	return (struct str){ t->decoded + n->start, n->decoded_n };
}

bool scan_is_true(const struct scan_tape *t, uint32_t node)
{
	return scan_type_of(t, node) == SCAN_TRUE ||
	       str_eq_nocase(scan_raw(t, node), STR("true"));
}
