/* Memory that is there or ends the program: running out of it is no error that a caller could mend. */
#ifndef CORDON_BASE_MEM_H
#define CORDON_BASE_MEM_H

#include <stddef.h>

/* n elements of `size` bytes, zeroed; never NULL, n may be 0. The caller frees. */
void *mem_zeroed(size_t n, size_t size);
/* `p` (or NULL) with room for n elements of `size` bytes; what is new in it is not set. Never NULL. */
void *mem_grown(void *p, size_t n, size_t size);
/*
 * From now on pieces over a megabyte go back to the machine when they are freed. For who builds large
 * tables again and again: the C library would keep ever larger ones for itself.
 */
void mem_give_back(void);

#endif
