/*
 * One row a principal over any number of records: how much, from when to when, from where, with
 * what. Counts, minima and maxima, so the order of the records leaves no trace.
 */
#ifndef CORDON_ANALYSIS_TALLY_H
#define CORDON_ANALYSIS_TALLY_H

#include "analysis/pool.h"
#include "analysis/record.h"

enum tally_kind { TALLY_IP, TALLY_ACTION, TALLY_REGION, TALLY_KEY, TALLY_AGENT, TALLY_SOURCE };
#define TALLY_KINDS 6

struct tally_row {
	uint32_t principal;
	uint64_t n, n_failed;
	int64_t bytes; /* sent, as far as the records say */
	int64_t first_ms, last_ms;
	uint32_t distinct[TALLY_KINDS];
};

/* Something that a principal was seen with. */
struct tally_use {
	uint32_t row, text;
	enum tally_kind kind;
	uint64_t n;
};

struct tally {
	struct pool pool;
	struct table rows, uses;
	struct tally_use **sorted; /* after tally_settle */
};

void tally_init(struct tally *t, uint64_t seed);
void tally_deinit(struct tally *t);
/* Counts a record; its principal, or its address when it has none. */
void tally_add(struct tally *t, const struct record *rec);
/* After the last record. */
void tally_settle(struct tally *t);
/* Rows in order: most records first, then by name. The caller frees the array of t->rows.n. */
struct tally_row **tally_sorted(const struct tally *t);
/* After tally_settle: the uses of a kind counted highest, at most `most`, ties by name. */
size_t tally_top(const struct tally *t, const struct tally_row *row, enum tally_kind kind,
	const struct tally_use **out, size_t most);
/* Rows and uses that the ceilings turned away. */
uint64_t tally_refused(const struct tally *t);

#endif
