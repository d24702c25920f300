/*
 * Growable byte buffer with a ceiling. Errors are sticky: an append that would pass the ceiling
 * sets `overflow` and changes nothing, so a writer may append freely and ask buf_ok() once.
 */
#ifndef CORDON_BASE_BUF_H
#define CORDON_BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>

struct buf {
	char *p;  /* always NUL-terminated once something was appended; NULL before */
	size_t n; /* bytes in use, without the NUL */
	size_t cap;
	size_t max; /* ceiling for n */
	bool overflow;
	bool wipe; /* set after buf_init for what may be secret: no copy stays behind */
};

/* Empty buffer in the caller's memory that never holds more than `max` bytes. */
void buf_init(struct buf *b, size_t max);
/* Frees the bytes; the struct may be initialised again. Safe on a zeroed struct. */
void buf_deinit(struct buf *b);
/* Forgets the content, keeps the memory, clears `overflow`. */
void buf_reset(struct buf *b);
/* Makes room for `more` bytes at once, as far as the ceiling allows; changes nothing else. */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) void buf_vprintf(
	struct buf *b, const char *fmt, va_list ap);
/* No append was refused. */
bool buf_ok(const struct buf *b);
/* The content, borrowed until the next change. */
struct str buf_view(const struct buf *b);
/* Moves the bytes out as a NUL-terminated heap string (never NULL); the caller frees. */
char *buf_steal(struct buf *b);

#endif
