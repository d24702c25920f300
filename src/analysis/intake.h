/*
 * The bytes of a partial result from front to back: out of memory, or through a window over a file
 * or an object, so that a large one is never in memory whole. The SHA-256 that such a file ends with
 * is not among them; it is compared when the end is reached.
 */
#ifndef CORDON_ANALYSIS_INTAKE_H
#define CORDON_ANALYSIS_INTAKE_H

#include "analysis/input.h"
#include "base/hash.h"

/* So many bytes can be asked for at once. */
#define INTAKE_MOST 4096u

struct intake {
	struct str rest;    /* at hand; starts anywhere, INTAKE_MOST of it after intake_has */
	struct input input; /* brings more */
	struct hash_sha256 *hash; /* of what was taken; NULL: all there is lies in `rest` */
	size_t shown;             /* bytes of the window that `rest` began with */
};

/* Bytes of memory, without a hash at the end; borrowed. */
void intake_memory(struct intake *in, struct str bytes);
/* A file, or an object of the source (or NULL). As input_open; intake_close in any case. */
ERR_MUST_CHECK enum err_status intake_open(
	struct intake *in, const struct source *source, const char *path, struct err *err);
void intake_close(struct intake *in);
/* n bytes (INTAKE_MOST at most) are at hand, if there are as many. */
bool intake_has(struct intake *in, size_t n);
/* Takes up to n of the bytes at hand. */
struct str intake_take(struct intake *in, size_t n);
bool intake_bytes(struct intake *in, void *out, size_t n);
/* A number of seven bits a byte, lowest first (ledger_put). */
bool intake_number(struct intake *in, uint64_t *v);
/* Reads what is left; whether all fits the hash at the end. False for what is cut off, too. */
bool intake_is_sound(struct intake *in);

#endif
