/*
 * Heap blocks that are wiped when they are freed, for everything that may carry a secret on its way
 * into a struct secret: answers, configuration files, the libraries that read them. The heap is
 * malloc's own, so a block may come from either and go to either. Of small blocks each thread keeps up
 * to 256 KiB, wiped, for its next ones; they go back to malloc when it ends.
 */
#ifndef CORDON_BASE_WIPE_H
#define CORDON_BASE_WIPE_H

#include <stddef.h>

void *wipe_malloc(size_t n);
void *wipe_calloc(size_t n, size_t size);
/* Always a new block; the old one is wiped. NULL leaves the old one as it was. */
void *wipe_realloc(void *p, size_t n);
char *wipe_strdup(const char *s);
/* NULL is fine. */
void wipe_free(void *p);

/*
 * From now on jansson frees by wiping, and OpenSSL too when this comes before its first use.
 * May be called again.
 */
void wipe_libraries(void);

#endif
