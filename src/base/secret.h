/* A secret: no print path, kept out of core dumps, wiped when it dies, compared in constant time. */
#ifndef CORDON_BASE_SECRET_H
#define CORDON_BASE_SECRET_H

#include "base/str.h"

struct secret; /* opaque on purpose */

/* Copy of `s` in memory of its own (MADV_DONTDUMP where the kernel grants it). Never NULL. */
struct secret *secret_new(struct str s);
/* Another holder's copy; NULL for NULL. */
struct secret *secret_dup(const struct secret *s);
/* Wipes and frees; NULL is fine. */
void secret_free(struct secret *s);
/* The bytes, for signing only; never log, print or store. Borrowed. Empty for NULL. */
struct str secret_reveal(const struct secret *s);
/* Constant-time comparison. */
bool secret_eq(const struct secret *s, struct str other);

#endif
