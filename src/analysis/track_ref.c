#include "analysis/track.h"

#include <stdio.h>
#include <string.h>

/* Eight hexadecimal digits at once; *bad gets bits when one of them is none. */
static uint64_t hex8(const char *p, uint64_t *bad)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t v = 0;
	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	/* Letters have bit 6; their value is the low nibble and nine. */
	uint64_t letter = v >> 6 & ones;
	uint64_t low = v & ones * 0x0f;
	uint64_t nibble = low + letter * 9;
	/* High nibble 3 or 6; a digit's low one up to 9, a letter's from 1 to 6. */
	*bad |= (v & ones * 0xf0) ^ (ones * 0x30 + letter * 0x30);
	*bad |= (low + ones * 6) & ones * 0x10 & ~(letter * 0x10);
	*bad |= (nibble & ones * 0x10) | (letter * 0x10 & ~(low + ones * 15));
	nibble = (nibble << 4 | nibble >> 8) & UINT64_C(0x00ff00ff00ff00ff);
	nibble = (nibble << 8 | nibble >> 16) & UINT64_C(0x0000ffff0000ffff);
	return (nibble << 16 | nibble >> 32) & 0xffffffffu;
}

/* Lower-case 8-4-4-4-12 text as two numbers. */
static bool uuid_read(struct str s, uint64_t *hi, uint64_t *lo)
{
	char digits[32];
	uint64_t bad = 0;
	if (s.n != 36 || s.p[8] != '-' || s.p[13] != '-' || s.p[18] != '-' || s.p[23] != '-') {
		return false;
	}
	memcpy(digits, s.p, 8);
	memcpy(digits + 8, s.p + 9, 4);
	memcpy(digits + 12, s.p + 14, 4);
	memcpy(digits + 16, s.p + 19, 4);
	memcpy(digits + 20, s.p + 24, 12);
	*hi = hex8(digits, &bad) << 32 | hex8(digits + 8, &bad);
	*lo = hex8(digits + 16, &bad) << 32 | hex8(digits + 24, &bad);
	return bad == 0;
}

struct track_ref track_ref_make(struct track *t, int64_t time_ms, struct str id, uint64_t hash)
{
	struct track_ref r = { .time_ms = time_ms, .hash = hash & (UINT64_MAX >> 2), .set = 1 };
	uint64_t hi = 0;
	uint64_t lo = 0;
	if (uuid_read(id, &hi, &lo)) {
		r.uuid = 1;
		r.hi = hi;
		r.lo = lo;
	} else {
		r.lo = pool_put(&t->pool, id);
	}
	return r;
}

static void ref_text(const struct pool *p, const struct track_ref *r, char *out, size_t size)
{
	if (!r->uuid) {
		struct str s = pool_get(p, (uint32_t)r->lo);
		(void)snprintf(out, size, "%.*s", STR_ARG(s));
		return;
	}
	(void)snprintf(out, size, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(r->hi >> 32),
		(unsigned)(r->hi >> 16 & 0xffff), (unsigned)(r->hi & 0xffff),
		(unsigned)(r->lo >> 48), (unsigned long long)(r->lo & 0xffffffffffffu));
}

void track_ref_text(const struct track *t, const struct track_ref *r, char *out, size_t size)
{
	ref_text(&t->pool, r, out, size);
}

/* Ids that are no UUIDs, or only one of them is. */
static int text_order(
	const struct pool *p, const struct track_ref *a, const struct track_ref *b)
{
	char left[128];
	char right[128];
	ref_text(p, a, left, sizeof(left));
	ref_text(p, b, right, sizeof(right));
	return strcmp(left, right);
}

int track_ref_id_order(
	const struct pool *p, const struct track_ref *a, const struct track_ref *b)
{
	if (a->time_ms != b->time_ms) {
		return a->time_ms < b->time_ms ? -1 : 1;
	}
	if (a->uuid && b->uuid) {
		if (a->hi != b->hi) {
			return a->hi < b->hi ? -1 : 1;
		}
		if (a->lo != b->lo) {
			return a->lo < b->lo ? -1 : 1;
		}
	} else if (a->uuid != b->uuid || a->lo != b->lo) {
		return text_order(p, a, b);
	}
	return 0;
}

int track_ref_order(const struct pool *p, const struct track_ref *a, const struct track_ref *b)
{
	int c = track_ref_id_order(p, a, b);
	return c ? c : a->hash < b->hash ? -1 : a->hash > b->hash;
}

int track_ref_cmp(const struct track *t, const struct track_ref *a, const struct track_ref *b)
{
	return track_ref_order(&t->pool, a, b);
}

void track_ref_first(
	const struct pool *p, struct track_ref *into, const struct track_ref *other)
{
	if (other->set && (!into->set || track_ref_order(p, other, into) < 0)) {
		*into = *other;
	}
}

void track_ref_last(const struct pool *p, struct track_ref *into, const struct track_ref *other)
{
	if (other->set && (!into->set || track_ref_order(p, other, into) > 0)) {
		*into = *other;
	}
}

void track_refs_add(const struct pool *p, struct track_refs *into, const struct track_ref *r)
{
	uint32_t i = into->n;
	while (i > 0 && track_ref_order(p, r, &into->at[i - 1]) < 0) {
		i--;
	}
	if (i == TRACK_REFS || (i > 0 && track_ref_order(p, r, &into->at[i - 1]) == 0)) {
		return;
	}
	uint32_t last = into->n < TRACK_REFS ? into->n++ : TRACK_REFS - 1;
	for (; last > i; last--) {
		into->at[last] = into->at[last - 1];
	}
	into->at[i] = *r;
}
