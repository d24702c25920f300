/*
 * What jansson reads, the scanner reads too, with the same texts; every vector variant lays out the
 * same tape as the scalar one; and no bytes whatsoever lead a read of the tape astray.
 */
#include "analysis/scan.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok) {
		abort();
	}
}

static void same_value(struct scan_tape *t, uint32_t node, const json_t *want)
{
	if (json_is_string(want)) {
		require(scan_type_of(t, node) == SCAN_STRING);
		struct str text = scan_text(t, node);
		require(text.n == json_string_length(want) &&
			memcmp(text.p, json_string_value(want), text.n) == 0);
	} else if (json_is_array(want)) {
		require(scan_type_of(t, node) == SCAN_ARRAY);
		size_t i = 0;
		for (uint32_t c = scan_first(t, node); c != SCAN_NONE;
			c = scan_after(t, node, c)) {
			same_value(t, c, json_array_get(want, i++));
		}
		require(i == json_array_size(want));
	} else if (json_is_object(want)) {
		const char *key;
		json_t *value;
		require(scan_type_of(t, node) == SCAN_OBJECT);
		json_object_foreach((json_t *)(uintptr_t)want, key, value)
		{
			same_value(t, scan_member(t, node, str_from(key)), value);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan_tape a;
	struct scan_tape b;
	size_t used_a = 0;
	size_t used_b = 0;
	struct str s = { (const char *)data, size };
	scan_init(&a);
	scan_init(&b);
	require(scan_use("scalar"));
	enum scan_result ra = scan_value(&a, s, true, &used_a);
	(void)scan_choose();
	enum scan_result rb = scan_value(&b, s, true, &used_b);
	require(ra == rb && a.n == b.n && used_a == used_b);
	for (size_t i = 0; i < a.n; i++) {
		const struct scan_node *x = &a.nodes[i];
		const struct scan_node *y = &b.nodes[i];
		require(x->start == y->start && x->end == y->end && x->next == y->next &&
			x->type == y->type && x->escape == y->escape);
	}
	json_t *doc = json_loadb(
		(const char *)data, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	/* Jansson takes a NUL after a number for a blank; RFC 8259 does not. */
	if (doc && ra != SCAN_LIMIT && !memchr(data, 0, size)) {
		require(ra == SCAN_OK);
		same_value(&a, 0, doc);
	}
	for (uint32_t i = 0; ra == SCAN_OK && i < a.n; i++) {
		struct str text = scan_text(&a, i);
		require(text.n <= size);
	}
	json_decref(doc);
	scan_deinit(&a);
	scan_deinit(&b);
	return 0;
}
