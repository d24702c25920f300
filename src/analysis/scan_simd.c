/* Variants of scan_string_end. Each must agree with the scalar one byte for byte. */
#include "analysis/scan.h"

#if defined(__x86_64__)
#	include <immintrin.h>
#elif defined(__aarch64__)
#	include <arm_neon.h>
#endif

scan_string_end_fn scan_string_end = scan_string_end_scalar;

const char *scan_string_end_scalar(const char *p, const char *end)
{
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) {
		p++;
	}
	return p;
}

#if defined(__x86_64__)
static const char *string_end_sse2(const char *p, const char *end)
{
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i slash = _mm_set1_epi8('\\');
	const __m128i control = _mm_set1_epi8(0x1f);
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const void *)p);
		__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
		hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
		unsigned mask = (unsigned)_mm_movemask_epi8(hit);
		if (mask) {
			return p + __builtin_ctz(mask);
		}
		p += 16;
	}
	return scan_string_end_scalar(p, end);
}

__attribute__((target("avx2"))) static const char *string_end_avx2(
	const char *p, const char *end)
{
	const __m256i quote = _mm256_set1_epi8('"');
	const __m256i slash = _mm256_set1_epi8('\\');
	const __m256i control = _mm256_set1_epi8(0x1f);
	while (end - p >= 32) {
		__m256i v = _mm256_loadu_si256((const void *)p);
		__m256i hit = _mm256_or_si256(
			_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, slash));
		hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(_mm256_min_epu8(v, control), v));
		unsigned mask = (unsigned)_mm256_movemask_epi8(hit);
		if (mask) {
			return p + __builtin_ctz(mask);
		}
		p += 32;
	}
	return string_end_sse2(p, end);
}
#elif defined(__aarch64__)
static const char *string_end_neon(const char *p, const char *end)
{
	const uint8x16_t quote = vdupq_n_u8('"');
	const uint8x16_t slash = vdupq_n_u8('\\');
	const uint8x16_t space = vdupq_n_u8(0x20);
	while (end - p >= 16) {
		uint8x16_t v = vld1q_u8((const uint8_t *)p);
		uint8x16_t hit = vorrq_u8(vceqq_u8(v, quote), vceqq_u8(v, slash));
		hit = vorrq_u8(hit, vcltq_u8(v, space));
		if (vmaxvq_u8(hit)) {
			break;
		}
		p += 16;
	}
	return scan_string_end_scalar(p, end);
}
#endif

struct variant {
	const char *name;
	scan_string_end_fn fn;
};

/* Best first; the scalar one is always there. */
static const struct variant variants[] = {
#if defined(__x86_64__)
	{ "avx2", string_end_avx2 },
	{ "sse2", string_end_sse2 },
#elif defined(__aarch64__)
	{ "neon", string_end_neon },
#endif
	{ "scalar", scan_string_end_scalar },
};

static bool runs(const struct variant *v)
{
#if defined(__x86_64__)
	return v->fn != string_end_avx2 || __builtin_cpu_supports("avx2");
#else
	(void)v;
	return true;
#endif
}

const char *scan_choose(void)
{
	size_t i = 0;
	while (!runs(&variants[i])) {
		i++;
	}
	scan_string_end = variants[i].fn;
	return variants[i].name;
}

bool scan_use(const char *name)
{
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		if (str_is(str_from(name), variants[i].name) && runs(&variants[i])) {
			scan_string_end = variants[i].fn;
			return true;
		}
	}
	return false;
}
