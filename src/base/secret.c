#include "base/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Pages of its own: MADV_DONTDUMP works on whole pages only. */
struct secret {
	size_t n;
	size_t mapped;
	char bytes[];
};

struct secret *secret_new(struct str s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t mapped = (sizeof(struct secret) + s.n + 1 + page - 1) / page * page;
	struct secret *x =
		mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (x == MAP_FAILED) {
		abort();
	}
	(void)madvise(x, mapped, MADV_DONTDUMP);
	x->n = s.n;
	x->mapped = mapped;
	if (s.n) {
		memcpy(x->bytes, s.p, s.n);
	}
	return x;
}

struct secret *secret_dup(const struct secret *s)
{
	return s ? secret_new(secret_reveal(s)) : NULL;
}

void secret_free(struct secret *s)
{
	if (s) {
		size_t mapped = s->mapped;
		OPENSSL_cleanse(s, sizeof(*s) + s->n);
		(void)munmap(s, mapped);
	}
}

struct str secret_reveal(const struct secret *s)
{
	return s ? (struct str){ s->bytes, s->n } : (struct str){ NULL, 0 };
}

bool secret_eq(const struct secret *s, struct str other)
{
	struct str mine = secret_reveal(s);
	return mine.n == other.n &&
	       (mine.n == 0 || CRYPTO_memcmp(mine.p, other.p, mine.n) == 0);
}
