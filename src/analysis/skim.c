#include "analysis/skim_parts.h"

#include "base/err.h"

void skim_keys_add(struct skim_keys *k, const char *name)
{
	size_t n = strlen(name);
	if (k->n == SKIM_KEYS || n + 3 >= sizeof(k->key[0].text)) {
		BUG("a key too long to be a likely one");
	}
	struct skim_key *key = &k->key[k->n];
	key->text[0] = '"';
	memcpy(key->text + 1, name, n);
	key->text[n + 1] = '"';
	key->text[n + 2] = ':';
	key->n = (uint32_t)n + 3;
	key->bits = (UINT32_C(1) << key->n) - 1;
	k->next[k->n] = (uint8_t)k->n;
	k->n++;
}

uint8_t skim_keys_find(const struct skim_keys *k, struct str key)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->key[i].n == key.n + 3 && memcmp(k->key[i].text + 1, key.p, key.n) == 0) {
			return (uint8_t)i;
		}
	}
	return SKIM_UNKNOWN;
}

/* true, false, null, or a number of RFC 8259. */
bool skim_is_plain(struct str s)
{
	size_t i = 0;
	if (s.n == 0 || s.p[0] == 't' || s.p[0] == 'f' || s.p[0] == 'n') {
		return str_is(s, "true") || str_is(s, "false") || str_is(s, "null");
	}
	i += s.p[0] == '-';
	size_t whole = i;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
	}
	if (i == whole || (s.p[whole] == '0' && i > whole + 1)) {
		return false;
	}
	if (i < s.n && s.p[i] == '.') {
		size_t part = ++i;
		for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		}
		if (i == part) {
			return false;
		}
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
		size_t part = i;
		for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		}
		if (i == part) {
			return false;
		}
	}
	return i == s.n;
}

/* ---- scalar ---- */

static inline void masks(const char *p, struct skim_masks *m)
{
	*m = (struct skim_masks){ 0 };
	for (unsigned i = 0; i < 64; i++) {
		uint64_t bit = UINT64_C(1) << i;
		unsigned char c = (unsigned char)p[i];
		m->quotes |= c == '"' ? bit : 0;
		m->slashes |= c == '\\' ? bit : 0;
		m->open |= c == '{' || c == '[' ? bit : 0;
		m->close |= c == '}' || c == ']' ? bit : 0;
		m->control |= c < 0x20 ? bit : 0;
		m->blank |= c <= 0x20 ? bit : 0;
	}
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

#define TARGET
#define NAME skim_scalar
#include "analysis/skim_impl.h"

/* ---- choice ---- */

struct variant {
	const char *name;
	skim_fn fn;
};

/* Best first; the scalar one is always there. */
static const struct variant variants[] = {
#if defined(__x86_64__)
	{ "avx512", skim_avx512 },
	{ "avx2", skim_avx2 },
#elif defined(__aarch64__)
	{ "neon", skim_neon },
#endif
	{ "scalar", skim_scalar },
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static bool runs(const struct variant *v)
{
#if defined(__x86_64__)
	bool common = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi") &&
		      __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
	if (v->fn == skim_avx512) {
		return common && __builtin_cpu_supports("avx512f") &&
		       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
	}
	return v->fn != skim_avx2 || (common && __builtin_cpu_supports("avx2"));
#else
	(void)v;
	return true;
#endif
}

/* Threads that choose at the same time choose the same. */
static _Atomic(const struct variant *) chosen;

static const struct variant *variant(void)
{
	const struct variant *v = chosen;
	if (!v) {
		v = variants;
		while (!runs(v)) {
			v++;
		}
		chosen = v;
	}
	return v;
}

const char *skim_name(void)
{
	return variant()->name;
}

bool skim_use(const char *name)
{
	for (size_t i = 0; i < VARIANTS; i++) {
		if (str_is(str_from(name), variants[i].name) && runs(&variants[i])) {
			chosen = &variants[i];
			return true;
		}
	}
	return false;
}

enum skim_result skim_value(struct str s, struct skim_keys *keys, struct skim_out *out)
{
	out->used = out->rest = 0;
	if (s.n == 0) {
		return SKIM_MORE;
	}
	if (s.n > UINT32_MAX) {
		s.n = UINT32_MAX;
	}
	return s.p[0] == '{' || s.p[0] == '[' ? variant()->fn(s, keys, out) : SKIM_BAD;
}
