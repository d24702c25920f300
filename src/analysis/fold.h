/*
 * How what several workers found becomes one: every kind of item says once, field by field, how
 * two of its kind are joined. All joins are sums, minima, maxima or choices that do not ask which
 * came first, so the result is the same whoever read what. The workers may be threads of one run
 * or processes on many machines: what is joined by these tables is saved by them as well (part.h).
 *
 * An item of a table is told from others by its 64-bit key, which must be made from texts
 * (pool_key), never from their numbers: each worker numbers its texts on its own.
 */
#ifndef CORDON_ANALYSIS_FOLD_H
#define CORDON_ANALYSIS_FOLD_H

#include "analysis/pool.h"
#include "base/buf.h"
#include "base/err.h"

enum fold_kind {
	FOLD_SAME,   /* an unsigned number (up to `arg` when arg is not 0), equal in all */
	FOLD_TEXT,   /* uint32_t, number of a text that is equal in all */
	FOLD_LEAST,  /* uint32_t, number of a text: the least one that is not empty */
	FOLD_TIME,   /* int64_t, milliseconds since 1970, equal in all */
	FOLD_ROW,    /* uint32_t, item of the earlier part `arg`, equal in all */
	FOLD_ROW_OR, /* the same, or FOLD_NONE */
	FOLD_SUM, /* uint32_t or uint64_t: over records, each once however often it was read */
	FOLD_TOTAL,  /* the same over all that was read */
	FOLD_MIN,    /* int64_t time or size; 0 = not set */
	FOLD_MAX,    /* int64_t time or size; 0 = not set */
	FOLD_OR,     /* bool */
	FOLD_AND,    /* bool */
	FOLD_FIRST,  /* struct track_ref, the earliest */
	FOLD_LAST,   /* struct track_ref, the latest */
	FOLD_REFS,   /* struct track_refs, the earliest few */
	FOLD_LOWEST, /* struct fold_lowest */
	FOLD_REAL,   /* double, equal in all */
	FOLD_CALL,   /* const struct api *, equal in all */
};
#define FOLD_NONE UINT32_MAX
/* The largest item that is joined: who has a larger one learns it from the compiler (TYPE). */
#define FOLD_ITEM_MAX 8192

struct intake;
struct outlet;
struct track_ref;

struct fold_field {
	uint16_t at, size;
	uint8_t kind;
	uint32_t arg;
};
#define FOLD_FIELD(type, member, kind, arg)                                               \
	{                                                                                 \
		(uint16_t) offsetof(type, member), (uint16_t)sizeof(((type *)0)->member), \
			kind, arg                                                         \
	}

struct fold_type {
	const char *name;
	size_t size;
	const struct fold_field *fields;
	size_t n;
	/* Offset + 1 of the FOLD_FIRST that decides which of two items is taken whole; 0 = none. */
	size_t winner;
};

/* The least few different numbers. */
#define FOLD_LOWEST_N 4
struct fold_lowest {
	int64_t at[FOLD_LOWEST_N];
	uint32_t n;
};
void fold_lowest_add(struct fold_lowest *l, int64_t v);

enum fold_shape {
	FOLD_TABLE, /* struct table */
	FOLD_LIST,  /* pointer, with counts of items and of room elsewhere */
	FOLD_ONE,   /* the item itself */
};

/* One collection of items within the state of a worker. */
struct fold_part {
	const struct fold_type *type;
	enum fold_shape shape;
	size_t at;            /* offset in the state */
	size_t at_n, at_room; /* FOLD_LIST: offsets of size_t */
	size_t max;           /* FOLD_LIST: items at most */
};

struct fold_plan {
	const struct fold_part *parts;
	size_t n;
	size_t pool; /* offset of the struct pool */
};
#define FOLD_PARTS_MAX 64

/*
 * Writes the state to `out`, and reads it back from the front of what comes in into a state that
 * was just begun. What is read is not trusted: ERR_INPUT for whatever a state can't be.
 */
void fold_save(const struct fold_plan *plan, const void *state, struct outlet *out);
ERR_MUST_CHECK enum err_status fold_load(
	const struct fold_plan *plan, void *state, struct intake *in, struct err *err);
/* Parts of the two, for who has more to write than states. */
void fold_save_ref(struct buf *out, const struct track_ref *r);
bool fold_load_ref(struct intake *in, const struct pool *texts, struct track_ref *r);
void fold_save_pool(const struct pool *p, struct outlet *out);
bool fold_load_pool(struct intake *in, struct pool *p);
/* Tells one plan from another, so that a result is only read by who has the same. */
uint64_t fold_print(const struct fold_plan *plan);

/*
 * Joins `from` into `into`; both are states of the same plan. The parts of `from` are freed one by
 * one as they are taken over, so that the two are never in memory whole; its texts stay.
 */
void fold_state(const struct fold_plan *plan, void *into, void *from);

#endif
