#include "app/dice.h"

#include <string.h>

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

void dice_init(struct dice *d, uint64_t seed, const char *label)
{
	uint64_t x = 0xcbf29ce484222325u; /* FNV-1a of the label */

	for (const char *p = label; *p != '\0'; p++) {
		x = (x ^ (unsigned char)*p) * 0x100000001b3u;
	}
	x ^= seed * 0x2545f4914f6cdd1du;
	for (size_t i = 0; i < 4; i++) {
		d->s[i] = splitmix(&x);
	}
}

uint64_t dice_next(struct dice *d)
{
	uint64_t *s = d->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

int64_t dice_between(struct dice *d, int64_t lo, int64_t hi)
{
	if (hi <= lo) {
		return lo;
	}
	return lo + (int64_t)(dice_next(d) % (uint64_t)(hi - lo + 1));
}

bool dice_chance(struct dice *d, int percent)
{
	return dice_between(d, 1, 100) <= percent;
}

const char *dice_pick(struct dice *d, const char *const *list)
{
	int64_t n = 0;

	while (list[n] != NULL) {
		n++;
	}
	return list[dice_between(d, 0, n - 1)];
}

void dice_text(struct dice *d, const char *alphabet, size_t n, char *out)
{
	int64_t last = (int64_t)strlen(alphabet) - 1;

	for (size_t i = 0; i < n; i++) {
		out[i] = alphabet[dice_between(d, 0, last)];
	}
	out[n] = '\0';
}

void dice_uuid(struct dice *d, char out[37])
{
	dice_text(d, DICE_HEX, 36, out);
	out[8] = out[13] = out[18] = out[23] = '-';
	out[14] = '4';
	out[19] = "89ab"[dice_between(d, 0, 3)];
}
