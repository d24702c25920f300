#include "base/buf.h"

#include "base/wipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_deinit(struct buf *b)
{
	if (b->wipe) {
		wipe_free(b->p);
	} else {
		free(b->p);
	}
	*b = (struct buf){ .max = b->max, .wipe = b->wipe };
}

void buf_reset(struct buf *b)
{
	if (b->wipe && b->p) {
		explicit_bzero(b->p, b->n);
	}
	b->n = 0;
	b->overflow = false;
	if (b->p) {
		b->p[0] = '\0';
	}
}

static bool reserve(struct buf *b, size_t more)
{
	size_t need;
	if (__builtin_add_overflow(b->n, more, &need) || need > b->max || need == SIZE_MAX) {
		b->overflow = true;
		return false;
	}
	if (need + 1 <= b->cap) {
		return true;
	}
	size_t cap = b->cap ? b->cap : 64;
	while (cap < need + 1) {
		cap = cap > SIZE_MAX / 2 ? need + 1 : cap * 2;
	}
	char *p = b->wipe ? wipe_realloc(b->p, cap) : realloc(b->p, cap);
	if (!p) {
		abort();
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n)) {
		return;
	}
	if (n) {
		memcpy(b->p + b->n, p, n);
	}
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0) {
		b->overflow = true;
	} else if (reserve(b, (size_t)n)) {
		(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

bool buf_ok(const struct buf *b)
{
	return !b->overflow;
}

struct str buf_view(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}

char *buf_steal(struct buf *b)
{
	char *p = b->p ? b->p : str_dup((struct str){ NULL, 0 });
	*b = (struct buf){ .max = b->max, .wipe = b->wipe };
	return p;
}
