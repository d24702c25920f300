/*
 * What jansson reads, the scanner reads too, with the same texts; every vector variant lays out the
 * same tape as the scalar one; and no bytes whatsoever lead a read of the tape astray. The same
 * holds of skimming, which lays out only what is asked for, and of the events read by it.
 */
#include "analysis/event.h"
#include "analysis/scan.h"
#include "analysis/skim.h"

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

#define MEMBERS 300

struct skimmed {
	enum skim_result result;
	struct skim_out out;
	struct skim_member members[MEMBERS];
};

static void skim_with(const char *variant, struct str s, struct skimmed *to)
{
	struct skim_keys keys = { .n = 0 };
	skim_keys_add(&keys, "eventName");
	skim_keys_add(&keys, "a");
	*to = (struct skimmed){ .result = SKIM_OK };
	to->out = (struct skim_out){ .members = to->members, .room = MEMBERS };
	require(skim_use(variant));
	to->result = skim_value(s, &keys, &to->out);
}

/* Every variant that runs here finds the same members as the scalar one. */
static void same_skim(struct str s, bool good)
{
	static const char *const variants[] = { "avx512", "avx2", "neon" };
	static struct skimmed plain;
	static struct skimmed other;
	const char *best = skim_name();
	skim_with("scalar", s, &plain);
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		if (!skim_use(variants[i])) {
			continue;
		}
		skim_with(variants[i], s, &other);
		require(plain.result == other.result && plain.out.n == other.out.n &&
			plain.out.used == other.out.used);
		require(plain.result != SKIM_OK || plain.out.blanks == other.out.blanks);
		for (size_t k = 0; k < plain.out.n; k++) {
			const struct skim_member *x = &plain.members[k];
			const struct skim_member *y = &other.members[k];
			require(x->key == y->key && x->key_n == y->key_n &&
				x->value == y->value && x->value_n == y->value_n &&
				x->first == y->first && x->key_escaped == y->key_escaped &&
				x->value_escaped == y->value_escaped && x->known == y->known);
		}
	}
	require(!good || plain.result == SKIM_OK || plain.result == SKIM_LIMIT);
	require(skim_use(best));
}

/* Laid out bit by bit, a value that is JSON holds what it does when it is laid out at once. */
static void same_lazily(struct str s, const json_t *doc)
{
	struct scan_tape lazy;
	scan_init(&lazy);
	scan_lazy(&lazy, s);
	same_value(&lazy, 0, doc);
	scan_deinit(&lazy);
}

/* A reader that knows the identity already jumps over it, and reads the same. */
static void read_again(struct event_reader *reader, struct str s, const struct event *first)
{
	struct event e;
	size_t used = 0;
	require(event_take(reader, s, &e, &used) == EVENT_OK && used <= s.n);
	require(e.hash == first->hash && e.origin == first->origin && e.call == first->call);
	require(e.who->here == first->who->here && str_eq(e.who->arn, first->who->arn));
	require(str_eq(e.id, first->id) && str_eq(event_target(&e), event_target(first)));
}

static void read_event(struct str s)
{
	struct event_reader *reader = event_reader_new(1);
	struct event e;
	size_t used = 0;
	if (event_take(reader, s, &e, &used) == EVENT_OK) {
		require(used <= s.n);
		(void)event_target(&e);
		(void)event_subject(&e);
		(void)event_succeeded(&e);
		(void)event_text(&e, e.response, "credentials.accessKeyId");
		read_again(reader, s, &e);
	}
	event_reader_free(reader);
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
		if (json_is_object(doc) || json_is_array(doc)) {
			struct str value = { s.p + a.nodes[0].start,
				a.nodes[0].end - a.nodes[0].start };
			same_skim(value, true);
			same_lazily(value, doc);
		}
	}
	same_skim(s, false);
	read_event(s);
	for (uint32_t i = 0; ra == SCAN_OK && i < a.n; i++) {
		struct str text = scan_text(&a, i);
		require(text.n <= size);
	}
	json_decref(doc);
	scan_deinit(&a);
	scan_deinit(&b);
	return 0;
}
