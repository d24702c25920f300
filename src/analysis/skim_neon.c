#include "analysis/skim_parts.h"

#if defined(__aarch64__)
#	include <arm_neon.h>

#	define TARGET
#	define NAME skim_neon

/* One bit a byte: four vectors of 0x00 or 0xff, added up pair by pair until each bit is alone. */
static inline uint64_t bits(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
	static const uint8_t weights[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32,
		64, 128 };
	uint8x16_t weight = vld1q_u8(weights);
	uint8x16_t ab = vpaddq_u8(vandq_u8(a, weight), vandq_u8(b, weight));
	uint8x16_t cd = vpaddq_u8(vandq_u8(c, weight), vandq_u8(d, weight));
	uint8x16_t all = vpaddq_u8(ab, cd);
	all = vpaddq_u8(all, all);
	return vgetq_lane_u64(vreinterpretq_u64_u8(all), 0);
}

static inline uint64_t equal(const uint8x16_t v[4], char c)
{
	uint8x16_t wanted = vdupq_n_u8((uint8_t)c);
	return bits(vceqq_u8(v[0], wanted), vceqq_u8(v[1], wanted), vceqq_u8(v[2], wanted),
		vceqq_u8(v[3], wanted));
}

static inline void masks(const char *p, struct skim_masks *m)
{
	uint8x16_t v[4];
	const uint8x16_t space = vdupq_n_u8(0x20);
	for (int i = 0; i < 4; i++) {
		v[i] = vld1q_u8((const uint8_t *)p + i * 16);
	}
	m->quotes = equal(v, '"');
	m->slashes = equal(v, '\\');
	m->control = bits(vcltq_u8(v[0], space), vcltq_u8(v[1], space), vcltq_u8(v[2], space),
		vcltq_u8(v[3], space));
	m->blank = bits(vcleq_u8(v[0], space), vcleq_u8(v[1], space), vcleq_u8(v[2], space),
		vcleq_u8(v[3], space));
	/* With bit 5 set, '[' is '{' and ']' is '}', and nothing else is. */
	for (int i = 0; i < 4; i++) {
		v[i] = vorrq_u8(v[i], space);
	}
	m->open = equal(v, '{');
	m->close = equal(v, '}');
}

static inline uint64_t prefix_xor(uint64_t x)
{
	for (unsigned shift = 1; shift < 64; shift *= 2) {
		x ^= x << shift;
	}
	return x;
}

static inline bool begins(const char *p, const struct skim_key *k)
{
	return memcmp(p, k->text, k->n) == 0;
}

#	include "analysis/skim_impl.h"
#endif
