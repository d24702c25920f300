/* Lines for a timeline under their ceilings: which are kept does not depend on the order. */
#include "analysis/lites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#define BUSY   (LITES_EVERYDAY * 2)
#define EDGES  3u
#define ATTACK 1u

/* Edge 0 is busy all day and refused once; ATTACK makes ten calls, three refused; 2 makes five. */
static const uint32_t everyday[EDGES] = { BUSY, 7, 5 };
static const uint32_t marked[EDGES] = { 1, 3, 0 };

static void begin(struct track *t, struct seen *seen)
{
	seen_init(seen, 1024);
	track_init(t, 7, seen, STR(""));
	for (uint64_t e = 0; e < EDGES; e++) {
		assert_int_equal(table_add(&t->edges, e + 1, NULL), e);
	}
}

static void add(struct track *t, uint32_t edge, uint32_t i, unsigned tags)
{
	struct track_lite lite = { .edge = edge, .tags = tags };
	lite.ref = (struct track_ref){ .time_ms = i,
		.hi = edge,
		.lo = (uint64_t)i * 2 + (tags != 0),
		.uuid = 1,
		.set = 1 };
	/* What track_flush does for calls that were read. */
	track_edge_at(t, edge)->n_calls++;
	track_edge_at(t, edge)->n_marked += tags != 0;
	lites_add(t, &lite);
}

static void end(struct track *t, struct seen *seen)
{
	track_deinit(t);
	seen_deinit(seen);
}

/* All lines, the earliest or the latest first. */
static void fill(struct track *t, bool backwards)
{
	for (uint32_t k = 0; k < EDGES; k++) {
		uint32_t e = backwards ? EDGES - 1 - k : k;
		for (uint32_t i = 0; i < everyday[e]; i++) {
			add(t, e, backwards ? everyday[e] - 1 - i : i, 0);
		}
		for (uint32_t i = 0; i < marked[e]; i++) {
			add(t, e, 1000000 + (backwards ? marked[e] - 1 - i : i), TRACK_DENIED);
		}
	}
}

static void check(struct track *t)
{
	uint32_t n[EDGES] = { 0 };
	uint32_t refused = 0;
	int64_t last_ms = 0;
	lites_trim(t);
	assert_true(t->n_lites <= LITES_EVERYDAY + LITES_MARKED);
	for (size_t i = 0; i < t->n_lites; i++) {
		const struct track_lite *l = &t->lites[i];
		n[l->edge]++;
		refused += l->edge == 0 && l->tags & TRACK_DENIED;
		last_ms = l->edge == 0 && l->tags == 0 && l->ref.time_ms > last_ms
				  ? l->ref.time_ms
				  : last_ms;
	}
	for (uint32_t e = 1; e < EDGES; e++) {
		assert_int_equal(n[e], everyday[e] + marked[e]);
	}
	/* The earliest of the busy one, and the one that was refused though it came last. */
	assert_int_equal(refused, 1);
	assert_true(n[0] > LITES_EVERYDAY / 2);
	assert_int_equal(last_ms, n[0] - 2);
}

static void test_attack_keeps_its_lines(void **state)
{
	(void)state;
	for (int backwards = 0; backwards < 2; backwards++) {
		struct track t;
		struct seen seen;
		begin(&t, &seen);
		fill(&t, backwards);
		check(&t);
		end(&t, &seen);
	}
}

/* Everyday lines alone, more than their ceiling: marked ones' room is not taken. */
static void test_trim(void **state)
{
	(void)state;
	struct track t;
	struct seen seen;
	begin(&t, &seen);
	for (uint32_t i = 0; i < LITES_EVERYDAY + 10; i++) {
		add(&t, i % 2, i, 0);
	}
	lites_trim(&t);
	assert_true(t.n_lites <= LITES_EVERYDAY);
	assert_int_equal(t.n_sort[0], t.n_lites);
	assert_int_equal(t.n_sort[1], 0);
	end(&t, &seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attack_keeps_its_lines),
		cmocka_unit_test(test_trim),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
