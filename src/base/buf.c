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
	if (b->n + 1 < b->cap && b->n < b->max) {
		b->p[b->n++] = c;
		b->p[b->n] = '\0';
	} else {
		buf_add(b, &c, 1);
	}
}

void buf_reserve(struct buf *b, size_t more)
{
	size_t room = b->max - b->n;
	bool before = b->overflow;
	(void)reserve(b, more < room ? more : room);
	b->overflow = before;
	if (b->p) {
		b->p[b->n] = '\0';
	}
}

/* Mostly there is room already, so it is written there first and only else measured. */
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	size_t room = b->cap > b->n ? b->cap - b->n : 0;
	int n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, ap);
	bool fits = n >= 0 && (size_t)n < room && (size_t)n <= b->max - b->n;
	if (fits) {
		b->n += (size_t)n;
	} else {
		if (room) {
			b->p[b->n] = '\0';
		}
		if (n < 0) {
			b->overflow = true;
		} else if (reserve(b, (size_t)n)) {
			(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
			b->n += (size_t)n;
		}
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
