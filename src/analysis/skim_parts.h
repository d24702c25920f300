/* What the variants of skim.h have in common. */
#ifndef CORDON_ANALYSIS_SKIM_PARTS_H
#define CORDON_ANALYSIS_SKIM_PARTS_H

#include "analysis/skim.h"

#include <string.h>

/* Of 64 bytes, bit i for byte i. */
struct skim_masks {
	uint64_t quotes, slashes, open, close;
	uint64_t control, blank; /* below 0x20; up to 0x20 */
};

typedef enum skim_result (*skim_fn)(struct str s, struct skim_keys *keys, struct skim_out *out);
enum skim_result skim_scalar(struct str s, struct skim_keys *keys, struct skim_out *out);
enum skim_result skim_avx2(struct str s, struct skim_keys *keys, struct skim_out *out);
enum skim_result skim_avx512(struct str s, struct skim_keys *keys, struct skim_out *out);
enum skim_result skim_neon(struct str s, struct skim_keys *keys, struct skim_out *out);

static inline void skim_keys_learn(struct skim_keys *k, uint8_t before, uint8_t key)
{
	if (k->next[before] != key) {
		k->other[before] = k->next[before];
		k->next[before] = key;
	}
}

/* What need not be skimmed of a member whose key is at `at` and its value at `value`; 0: nothing. */
static inline size_t skim_keys_jump(const struct skim_keys *k, struct skim_out *out,
	struct str text, size_t at, size_t value)
{
	uint8_t key = out->members[out->n].known;
	if (k->jump && key == k->jump_key) {
		return k->jump(k->ctx, str_sub(text, value, SIZE_MAX));
	}
	return k->jump && key == k->rest_key ? k->rest(k->ctx, text, at, out) : 0;
}

uint8_t skim_keys_find(const struct skim_keys *k, struct str key);
bool skim_is_plain(struct str s);

#endif
