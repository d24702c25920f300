#include "analysis/skim_parts.h"

#if defined(__x86_64__)
#	include <immintrin.h>

#	define TARGET \
		__attribute__((target("avx512f,avx512bw,avx512vl,pclmul,bmi,bmi2,popcnt")))
#	define NAME skim_avx512

TARGET static inline void masks(const char *p, struct skim_masks *m)
{
	__m512i v = _mm512_loadu_si512((const void *)p);
	m->quotes = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'));
	m->slashes = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
	m->control = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20));
	m->blank = _mm512_cmple_epu8_mask(v, _mm512_set1_epi8(0x20));
	/* With bit 5 set, '[' is '{' and ']' is '}', and nothing else is. */
	v = _mm512_or_si512(v, _mm512_set1_epi8(0x20));
	m->open = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('{'));
	m->close = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('}'));
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
	return _mm256_mask_cmpneq_epi8_mask(k->bits, there, wanted) == 0;
}

#	include "analysis/skim_impl.h"
#endif
