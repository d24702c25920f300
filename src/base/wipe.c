#include "base/wipe.h"

#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__has_feature)
#	include <sanitizer/asan_interface.h>
#else
#	define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#	define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define SMALL ((size_t)128)

/* ---- spare blocks ---- */

/*
 * The answer to one call is a tree of hundreds of blocks in a few sizes, which come and go together;
 * malloc keeps seven of a size at hand. Wiped blocks wait here for the thread's next, all zero but for
 * the pointer to the one behind. A block of size c is one in which malloc lets 16c + 8 bytes be used.
 */
#define SIZES     16u
#define SPARE_MAX ((size_t)256 * 1024) /* bytes kept for a thread, until it ends */

struct spare {
	struct spare *next;
};
struct spares {
	struct spare *of[SIZES + 1];
	size_t bytes;
	bool watched; /* the end of the thread gives them back */
};
static _Thread_local struct spares spares;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static bool can_watch;

static void give_back(void *of_thread)
{
	struct spares *s = of_thread;
	for (size_t i = 0; i <= SIZES; i++) {
		for (struct spare *p = s->of[i], *next; p; p = next) {
			next = p->next;
			free(p);
		}
	}
	*s = (struct spares){ 0 };
}

static void prepare(void)
{
	can_watch = pthread_key_create(&thread_end, give_back) == 0;
}

static bool watched(void)
{
	if (!spares.watched) {
		(void)pthread_once(&once, prepare);
		spares.watched = can_watch && pthread_setspecific(thread_end, &spares) == 0;
	}
	return spares.watched;
}

/* A wiped block of `n` usable bytes; false when it is not kept. */
static bool keep(void *p, size_t n)
{
	bool fits = n % 16 == 8 && n > 8 && n / 16 <= SIZES && spares.bytes + n <= SPARE_MAX;
	if (!fits || !watched()) {
		return false;
	}
	struct spare *s = p;
	s->next = spares.of[n / 16];
	spares.of[n / 16] = s;
	spares.bytes += n;
	ASAN_POISON_MEMORY_REGION(s + 1, n - sizeof(*s));
	return true;
}

/* At least `n` bytes, all zero, or NULL. */
static void *reuse(size_t n)
{
	size_t size = n <= 24 ? 1 : n / 16 + (n % 16 > 8);
	struct spare *s = size <= SIZES ? spares.of[size] : NULL;
	if (s) {
		n = size * 16 + 8;
		ASAN_UNPOISON_MEMORY_REGION(s + 1, n - sizeof(*s));
		spares.of[size] = s->next;
		spares.bytes -= n;
		s->next = NULL;
	}
	return s;
}

/* ---- the heap ---- */

void *wipe_malloc(size_t n)
{
	void *p = reuse(n);
	return p ? p : malloc(n);
}

void *wipe_calloc(size_t n, size_t size)
{
	size_t bytes;
	void *p = __builtin_mul_overflow(n, size, &bytes) ? NULL : reuse(bytes);
	return p ? p : calloc(n, size);
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
	if (!keep(p, n)) {
		free(p);
	}
}

void *wipe_realloc(void *p, size_t n)
{
	if (p && n == 0) {
		wipe_free(p);
		return NULL;
	}
	void *fresh = wipe_malloc(n);
	if (fresh && p) {
		size_t old = malloc_usable_size(p);
		memcpy(fresh, p, old < n ? old : n);
		wipe_free(p);
	}
	return fresh;
}

char *wipe_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = wipe_malloc(n);
	return copy ? memcpy(copy, s, n) : NULL;
}

static void *crypto_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipe_malloc(n);
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
