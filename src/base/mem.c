#include "base/mem.h"

#include "base/err.h"

#include <malloc.h>
#include <stdlib.h>

void *mem_zeroed(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (p == NULL) {
		BUG("out of memory");
	}
	return p;
}

void *mem_grown(void *p, size_t n, size_t size)
{
	size_t bytes = 0;
	void *q = NULL;

	if (!__builtin_mul_overflow(n, size, &bytes)) {
		q = realloc(p, bytes > 0 ? bytes : 1);
	}
	if (q == NULL) {
		BUG("out of memory");
	}
	return q;
}

void mem_give_back(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
}
