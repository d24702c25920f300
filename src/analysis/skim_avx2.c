#include "analysis/skim_parts.h"

#if defined(__x86_64__)
#	include <immintrin.h>

#	define TARGET __attribute__((target("avx2,pclmul,bmi,bmi2,popcnt")))
#	define NAME   skim_avx2

TARGET static inline uint64_t equal(__m256i low, __m256i high, char c)
{
	__m256i wanted = _mm256_set1_epi8(c);
	uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
	uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));
	return a | (uint64_t)b << 32;
}

TARGET static inline uint64_t up_to(__m256i low, __m256i high, char c)
{
	__m256i most = _mm256_set1_epi8(c);
	uint32_t a = (uint32_t)_mm256_movemask_epi8(
		_mm256_cmpeq_epi8(_mm256_min_epu8(low, most), low));
	uint32_t b = (uint32_t)_mm256_movemask_epi8(
		_mm256_cmpeq_epi8(_mm256_min_epu8(high, most), high));
	return a | (uint64_t)b << 32;
}

TARGET static inline void masks(const char *p, struct skim_masks *m)
{
	__m256i low = _mm256_loadu_si256((const void *)p);
	__m256i high = _mm256_loadu_si256((const void *)(p + 32));
	m->quotes = equal(low, high, '"');
	m->slashes = equal(low, high, '\\');
	m->control = up_to(low, high, 0x1f);
	m->blank = up_to(low, high, 0x20);
	/* With bit 5 set, '[' is '{' and ']' is '}', and nothing else is. */
	const __m256i bit = _mm256_set1_epi8(0x20);
	low = _mm256_or_si256(low, bit);
	high = _mm256_or_si256(high, bit);
	m->open = equal(low, high, '{');
	m->close = equal(low, high, '}');
}

TARGET static inline uint64_t prefix_xor(uint64_t x)
{
	__m128i product = _mm_clmulepi64_si128(
		_mm_set_epi64x(0, (int64_t)x), _mm_set1_epi8((char)0xff), 0);
	return (uint64_t)_mm_cvtsi128_si64(product);
}

TARGET static inline bool begins(const char *p, const struct skim_key *k)
{
	__m256i there = _mm256_loadu_si256((const void *)p);
	__m256i wanted = _mm256_loadu_si256((const void *)k->text);
	uint32_t same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(there, wanted));
	return (~same & k->bits) == 0;
}

#	include "analysis/skim_impl.h"
#endif
