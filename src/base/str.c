#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct str str_from(const char *s)
{
	return s ? (struct str){ s, strlen(s) } : (struct str){ NULL, 0 };
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n) {
		return false;
	}
	for (size_t i = 0; i < a.n; i++) {
		if (lower(a.p[i]) != lower(b.p[i])) {
			return false;
		}
	}
	return true;
}

bool str_is(struct str a, const char *b)
{
	return str_eq(a, str_from(b));
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	       (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

size_t str_find(struct str s, struct str needle)
{
	if (needle.n == 0) {
		return 0;
	}
	if (s.n < needle.n) {
		return SIZE_MAX;
	}
	const char *at = memmem(s.p, s.n, needle.p, needle.n);
	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

size_t str_find_char(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

struct str str_sub(struct str s, size_t start, size_t n)
{
	if (start >= s.n) {
		return (struct str){ NULL, 0 };
	}
	size_t left = s.n - start;
	return (struct str){ s.p + start, n < left ? n : left };
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_space(s.p[s.n - 1])) {
		s.n--;
	}
	return s;
}

bool str_cut(struct str *rest, char sep, struct str *piece)
{
	if (rest->n == 0) {
		return false;
	}
	size_t at = str_find_char(*rest, sep);
	if (at == SIZE_MAX) {
		*piece = *rest;
		*rest = (struct str){ NULL, 0 };
		return true;
	}
	*piece = (struct str){ rest->p, at };
	rest->p += at + 1;
	rest->n -= at + 1;
	return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
	bool negative = false;
	size_t i = 0;
	if (s.n && (s.p[0] == '-' || s.p[0] == '+')) {
		negative = s.p[0] == '-';
		i = 1;
	}
	if (i == s.n) {
		return false;
	}
	int64_t v = 0;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9') {
			return false;
		}
		int digit = s.p[i] - '0';
		/* Counting downwards reaches INT64_MIN too. */
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v)) {
			return false;
		}
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, v, &v)) {
		return false;
	}
	*out = v;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	if (c != 0) {
		return c;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

bool str_glob(struct str pattern, struct str s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;
	while (i < s.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == s.p[i])) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*') {
		p++;
	}
	return p == pattern.n;
}

char *str_dup(struct str s)
{
	char *p = malloc(s.n + 1);
	if (!p) {
		abort();
	}
	if (s.n) {
		memcpy(p, s.p, s.n);
	}
	p[s.n] = '\0';
	return p;
}

/* Length of the sequence a lead byte opens and the range of its second byte; 0 = no lead byte. */
static size_t utf8_lead(unsigned char c, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (c >= 0xc2 && c <= 0xdf) {
		return 2;
	}
	if (c >= 0xe0 && c <= 0xef) {
		*low = c == 0xe0 ? 0xa0 : 0x80;
		*high = c == 0xed ? 0x9f : 0xbf;
		return 3;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		*low = c == 0xf0 ? 0x90 : 0x80;
		*high = c == 0xf4 ? 0x8f : 0xbf;
		return 4;
	}
	return 0;
}

size_t str_utf8_len(struct str s)
{
	if (s.n == 0) {
		return 0;
	}
	unsigned char low, high;
	unsigned char c = (unsigned char)s.p[0];
	if (c < 0x80) {
		return 1;
	}
	size_t len = utf8_lead(c, &low, &high);
	if (len == 0 || s.n < len || (unsigned char)s.p[1] < low ||
		(unsigned char)s.p[1] > high) {
		return 0;
	}
	for (size_t i = 2; i < len; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return len;
}

size_t str_utf8_put(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, c >>= 6) {
		out[i] = (char)(0x80 | (c & 0x3f));
	}
	out[0] = (char)(0xf00u >> n | c); /* as many ones as there are bytes */
	return n;
}

bool str_is_utf8(struct str s)
{
	while (s.n) {
		size_t len = str_utf8_len(s);
		if (len == 0) {
			return false;
		}
		s = str_sub(s, len, s.n);
	}
	return true;
}
