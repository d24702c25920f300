/*
 * JSON scanner for log data. One value at a time is checked against RFC 8259 and laid out as a
 * tape of nodes that point into the caller's bytes: nothing is copied, nothing is decoded until
 * somebody asks for it. UTF-8 is not judged here (who prints a text escapes it). Jansson is for
 * documents; this is for gigabytes.
 *
 * The inner loop (where does this string end?) sits behind scan_string_end, set once: the scalar
 * code is the reference that the vector variants must agree with.
 */
#ifndef CORDON_ANALYSIS_SCAN_H
#define CORDON_ANALYSIS_SCAN_H

#include "analysis/skim.h"

#define SCAN_DEPTH_MAX 128
#define SCAN_NODES_MAX (4u * 1024 * 1024)
/* The largest single value; an AWS event is at most 256 KiB, an array of them may be more. */
#define SCAN_VALUE_MAX (64u * 1024 * 1024)

enum scan_type {
	SCAN_NULL,
	SCAN_FALSE,
	SCAN_TRUE,
	SCAN_NUMBER,
	SCAN_STRING,
	SCAN_OBJECT,
	SCAN_ARRAY
};

/*
 * start..end: the value's bytes; a string's without its quotes. `next`: node after this value
 * (and all in it). Children of an object come as key, value, key, value ...; node 0 is the root.
 * An object or array may be laid out only when somebody asks for what is in it (scan_lazy); what
 * then turns out to be no JSON is empty.
 */
struct scan_node {
	uint32_t start, end, next;
	uint32_t first, limit; /* children: [first, limit); first SCAN_LAZY: not laid out yet */
	uint32_t decoded_n;    /* length of the text at `start` of the tape's `decoded` */
	uint8_t type;
	uint8_t escape; /* enum scan_escape */
	uint8_t depth;
};
#define SCAN_LAZY (UINT32_MAX - 1)
enum scan_escape { SCAN_PLAIN, SCAN_ESCAPED, SCAN_DECODED };

struct scan_tape {
	const char *text; /* the bytes of the value scanned last; borrowed */
	struct scan_node *nodes;
	size_t n, cap;
	struct skim_member *members; /* room for a look into an object */
	char *decoded; /* texts whose escapes are undone, each at the offset it has in `text` */
	size_t decoded_cap;
};

enum scan_result {
	SCAN_OK,
	SCAN_MORE,  /* the bytes end inside the value */
	SCAN_BAD,   /* not JSON */
	SCAN_LIMIT, /* too deep or too many nodes */
};

void scan_init(struct scan_tape *t);
void scan_deinit(struct scan_tape *t);
/*
 * Scans one value at the front of `s` (white space before it allowed). On SCAN_OK *used is the
 * bytes taken; otherwise the offset of the trouble. `whole` tells that no bytes follow, which
 * lets a bare number end there.
 */
enum scan_result scan_value(struct scan_tape *t, struct str s, bool whole, size_t *used);
/*
 * Begins a tape over `s`, whose root is the object or array that s is, as one that is laid out
 * only when asked for. More values within s may be added; all are nodes of the tape.
 */
void scan_lazy(struct scan_tape *t, struct str s);
uint32_t scan_lazy_add(struct scan_tape *t, struct str value, bool escaped);
/* Static text for a result that is not SCAN_OK. */
const char *scan_reason(enum scan_result r);

/* Reads of a tape. Node numbers; SCAN_NONE where there is nothing, accepted everywhere. */
#define SCAN_NONE UINT32_MAX
/* Value of `key` in the object `node`; escapes in keys are honoured; the first of duplicates. */
uint32_t scan_member(struct scan_tape *t, uint32_t node, struct str key);
/* Members of an object, or items of an array, without laying it out: valid until the next look. */
#define SCAN_MEMBERS 256
struct skim_out scan_skim(struct scan_tape *t, uint32_t node, enum skim_result *result);
/*
 * The bytes of a member, as they stand, without laying out the object: for one look into it. The
 * empty slice when there is none; escapes in keys are not honoured.
 */
struct str scan_peek(struct scan_tape *t, uint32_t node, struct str key);
/* Value at a dotted path of members, arrays not entered. */
uint32_t scan_path(struct scan_tape *t, uint32_t node, const char *path);
/* First child of an object or array, or SCAN_NONE; then scan_after until SCAN_NONE. */
uint32_t scan_first(struct scan_tape *t, uint32_t node);
/* Sibling after `node` in `parent`, or SCAN_NONE. */
uint32_t scan_after(const struct scan_tape *t, uint32_t parent, uint32_t node);
enum scan_type scan_type_of(const struct scan_tape *t, uint32_t node); /* SCAN_NULL for none */
/* The bytes as they stand (string: between the quotes, escapes not undone). */
struct str scan_raw(const struct scan_tape *t, uint32_t node);
/*
 * A string's text with its escapes undone: the raw slice when it has none, else decoded once into
 * the tape's own memory; valid until the next scan. Lone surrogates become U+FFFD, \\u0000 a NUL
 * byte. The empty slice for anything that is no string.
 */
struct str scan_text(struct scan_tape *t, uint32_t node);
/* Undoes JSON escapes of `raw` into `out`, which has room for raw.n bytes; returns the length. */
size_t scan_unescape(struct str raw, char *out);
/* true / "true"; false / others. */
bool scan_is_true(const struct scan_tape *t, uint32_t node);

/* First byte at or after p that is '"', '\\' or below 0x20; `end` when none. */
typedef const char *(*scan_string_end_fn)(const char *p, const char *end);
extern scan_string_end_fn scan_string_end;
const char *scan_string_end_scalar(const char *p, const char *end);
/* The best variant this processor runs; "scalar", "sse2", "avx2" or "neon". Sets the pointer. */
const char *scan_choose(void);
/* Sets a variant by name; false when this build or processor lacks it. For tests and bench. */
bool scan_use(const char *name);

#endif
