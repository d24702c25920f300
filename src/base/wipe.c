#include "base/wipe.h"

#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL ((size_t)128)

void *wipe_malloc(size_t n)
{
	return malloc(n);
}

void *wipe_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}

void wipe_free(void *p)
{
	if (!p) {
		return;
	}
	size_t n = malloc_usable_size(p);
	volatile uint64_t *word = p;
	if (n <= SMALL) { /* most are */
		for (size_t i = 0; i < n / sizeof(*word); i++) {
			word[i] = 0;
		}
		/* What malloc calls usable is a multiple of eight, save under a checker of memory. */
		if (n % sizeof(*word)) {
			explicit_bzero((char *)p + n / sizeof(*word) * sizeof(*word),
				n % sizeof(*word));
		}
	} else {
		explicit_bzero(p, n);
	}
	free(p);
}

void *wipe_realloc(void *p, size_t n)
{
	if (p && n == 0) {
		wipe_free(p);
		return NULL;
	}
	void *fresh = malloc(n);
	if (fresh && p) {
		size_t old = malloc_usable_size(p);
		memcpy(fresh, p, old < n ? old : n);
		wipe_free(p);
	}
	return fresh;
}

char *wipe_strdup(const char *s)
{
	return strdup(s);
}

static void *crypto_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipe_realloc(p, n);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wipe_free(p);
}

void wipe_libraries(void)
{
	json_set_alloc_funcs(wipe_malloc, wipe_free);
	(void)CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
}
