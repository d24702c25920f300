/*
 * What each record added to which count. A worker on another machine may have read the same record
 * (a copied file, a trail of the organisation beside one of the account), and sums can't tell:
 * when the results are joined, what the copy added is taken back. Minima, maxima and choices need
 * no such thing. Kept only for partial results (partial.h).
 *
 * Records are alike in what they add far more often than not, so each such change is kept once.
 */
#ifndef CORDON_ANALYSIS_LEDGER_H
#define CORDON_ANALYSIS_LEDGER_H

#include "analysis/fold.h"
#include "base/buf.h"

struct ledger_row {
	uint64_t key;    /* of the record, as in the set of what was seen */
	uint32_t change; /* item of `changes` */
	bool line;       /* a record of a line log, not a CloudTrail event */
};

/* Where a change is spelt: part, row, field, amount, ... as numbers of seven bits a byte. */
struct ledger_change {
	uint32_t at, n;
};

struct ledger_touch;
struct ledger {
	const struct fold_plan *plan;
	unsigned char *state;
	struct table changes; /* struct ledger_change, by content */
	struct buf spelt;
	struct ledger_row *rows;
	size_t n_rows, cap_rows;

	/* the record that is being read */
	bool open;
	struct ledger_row now;
	struct ledger_touch *touched;
	size_t n_touched, cap_touched;
};

/* Keeps account of `state`; from now on its tables tell what is touched. */
void ledger_init(struct ledger *l, const struct fold_plan *plan, void *state);
void ledger_deinit(struct ledger *l);
/* Counts that change from here to the next call belong to this record. */
void ledger_begin(struct ledger *l, uint64_t key, bool line);
void ledger_end(struct ledger *l);
/* The item is about to change; called by tables. */
void ledger_touch(struct ledger *l, const struct table *t, size_t row);
/* Takes back from the state what a change added. */
void ledger_take_back(const struct ledger *l, uint32_t change);

/* Numbers of seven bits a byte, lowest first. False when the bytes end or the number is too long. */
#define LEDGER_NUMBER_MAX 10 /* bytes */
void ledger_put(struct buf *b, uint64_t v);
bool ledger_get(struct str *s, uint64_t *v);

#endif
