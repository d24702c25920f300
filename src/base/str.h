/* Slices of text: a pointer and a length, passed by value, owning nothing. */
#ifndef CORDON_BASE_STR_H
#define CORDON_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. `p` need not end in NUL and may be NULL when n is 0. */
struct str {
	const char *p;
	size_t n;
};

/* A slice of a string literal. */
#define STR(lit) ((struct str){ ("" lit ""), sizeof(lit) - 1 })
/* Arguments for a "%.*s" conversion. */
#define STR_ARG(s) ((int)((s).n > 65535 ? 65535 : (s).n)), ((s).p ? (s).p : "")

/* A slice of a C string; NULL gives the empty slice. Borrowed from `s`. */
struct str str_from(const char *s);
/* Bytes equal; an empty slice equals an empty slice. */
bool str_eq(struct str a, struct str b);
/* Equal without regard to ASCII case. */
bool str_eq_nocase(struct str a, struct str b);
/* a equals the C string b. */
bool str_is(struct str a, const char *b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Offset of the first `needle` in `s`, or SIZE_MAX. An empty needle is found at 0. */
size_t str_find(struct str s, struct str needle);
/* Offset of the first byte `c` in `s`, or SIZE_MAX. */
size_t str_find_char(struct str s, char c);
/* From `start`, at most `n` bytes; clamped to the slice. */
struct str str_sub(struct str s, size_t start, size_t n);
/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);
/*
 * Cuts the next piece up to `sep` off the front of *rest. Returns false when nothing is left;
 * "a,,b" gives "a", "", "b"; "" gives nothing; a trailing separator adds no empty piece.
 */
bool str_cut(struct str *rest, char sep, struct str *piece);
/* Decimal integer with optional sign, the whole slice; false on anything else or overflow. */
bool str_to_i64(struct str s, int64_t *out);
/* Orders as memcmp, shorter first. */
int str_cmp(struct str a, struct str b);
/* Glob over the whole slice: `*` any run, `?` one byte, all else literal; case counts. */
bool str_glob(struct str pattern, struct str s);
/* Heap copy with a NUL after it; the caller frees. Aborts when memory is out. */
char *str_dup(struct str s);
/* Bytes of the well-formed UTF-8 character at the front; 0 when there is none. */
size_t str_utf8_len(struct str s);
/* The bytes of a code point, which must be one; how many they are. */
size_t str_utf8_put(uint32_t c, char out[4]);
/* True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);

#endif
