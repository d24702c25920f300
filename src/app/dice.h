/* Repeatable chance for generated logs: the same seed always gives the same story. Not for secrets. */
#ifndef CORDON_APP_DICE_H
#define CORDON_APP_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t s[4]; /* xoshiro256** (Blackman and Vigna, public domain algorithm) */
};

/* Starts a sequence of its own for each pair, so that a change in one part moves no other. */
void dice_init(struct dice *d, uint64_t seed, const char *label);
uint64_t dice_next(struct dice *d);
/* lo..hi, both included; lo when hi is less. */
int64_t dice_between(struct dice *d, int64_t lo, int64_t hi);
bool dice_chance(struct dice *d, int percent);
/* One of a NULL-terminated list that is not empty. */
const char *dice_pick(struct dice *d, const char *const *list);
/* n characters of the alphabet and a NUL. */
void dice_text(struct dice *d, const char *alphabet, size_t n, char *out);
/* Version 4 UUID text. */
void dice_uuid(struct dice *d, char out[37]);

#define DICE_HEX   "0123456789abcdef"
#define DICE_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

#endif
