#include "analysis/event_tail.h"

#include "analysis/event_parts.h"
#include "analysis/table.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS       1024u
#define MEMBERS_MAX 6u
#define BYTES_MAX   1024u

/* Offsets of the members count from the tail's beginning. */
struct tail {
	uint64_t key;     /* hash of the text in this run; 0: nothing here */
	uint64_t content; /* hash of it in any run */
	uint32_t n, n_members;
	struct skim_member members[MEMBERS_MAX];
};

struct event_tails {
	uint64_t seed, wanted;
	const struct tail *jumped; /* recognised last, until it was asked for */
	struct tail slots[SLOTS];
};

struct event_tails *event_tail_new(uint64_t seed, uint64_t wanted)
{
	struct event_tails *t = calloc(1, sizeof(*t));
	if (!t) {
		BUG("out of memory");
	}
	t->seed = seed;
	t->wanted = wanted;
	return t;
}

void event_tail_free(struct event_tails *t)
{
	free(t);
}

static uint64_t key_of(const struct event_tails *t, struct str tail)
{
	return table_hash(t->seed, tail) | 1;
}

static void move(struct skim_member *m, uint32_t by)
{
	m->key += by;
	m->value += by;
}

size_t event_tail_known(
	struct event_tails *t, uint64_t hint, struct str text, size_t at, struct skim_out *out)
{
	const struct tail *tail = &t->slots[hint % SLOTS];
	t->jumped = NULL;
	if (tail->key == 0 || tail->n > text.n - at || out->room - out->n < tail->n_members ||
		key_of(t, (struct str){ text.p + at, tail->n }) != tail->key) {
		return 0;
	}
	for (uint32_t i = 0; i < tail->n_members; i++) {
		out->members[out->n] = tail->members[i];
		move(&out->members[out->n++], (uint32_t)at);
	}
	t->jumped = tail;
	return tail->n;
}

void event_tail_keep(struct event_tails *t, uint64_t hint, struct str text, size_t at,
	const struct skim_member *members, size_t n)
{
	struct str bytes = str_sub(text, at, SIZE_MAX);
	struct tail tail = { .key = key_of(t, bytes), .n = (uint32_t)bytes.n };
	for (size_t i = 0; i < n; i++) {
		if (members[i].known >= 64 || !(t->wanted >> members[i].known & 1)) {
			continue;
		}
		if (tail.n_members == MEMBERS_MAX) {
			return;
		}
		tail.members[tail.n_members] = members[i];
		move(&tail.members[tail.n_members++], -(uint32_t)at);
	}
	if (bytes.n <= BYTES_MAX) {
		tail.content = table_hash(EVENT_CONTENT_SEED, bytes);
		t->slots[hint % SLOTS] = tail;
	}
}

uint64_t event_tail_content(struct event_tails *t, struct str tail)
{
	const struct tail *known = t->jumped;
	t->jumped = NULL;
	return known ? known->content : table_hash(EVENT_CONTENT_SEED, tail);
}
