/*
 * Skims JSON: finds where the members of one object (or the items of one array) begin and end
 * without looking inside them. Bytes are taken 64 at a time as masks (where are quotes,
 * backslashes, brackets?), by code for the processor at hand; what is made of the masks is the
 * same code for all of them (skim_impl.h), and the scalar variant is the reference.
 *
 * What lies inside a member is not judged, but for two things: brackets are counted, and control
 * characters in strings make the whole value no JSON. scan.c judges everything.
 */
#ifndef CORDON_ANALYSIS_SKIM_H
#define CORDON_ANALYSIS_SKIM_H

#include "base/str.h"

/* One member or item; offsets from the value's first byte. Strings without their quotes. */
struct skim_member {
	uint32_t key, key_n, value, value_n; /* of an item, key and key_n are 0 */
	uint8_t first;                   /* byte that the value begins with: '"' '{' 't' ... */
	bool key_escaped, value_escaped; /* backslashes within */
	uint8_t known;                   /* place of the key in skim_keys, or SKIM_UNKNOWN */
};

struct skim_out;
/*
 * Keys that are likely, as they stand in the text: "\"eventName\":", at most 32 bytes, the rest
 * zero. `next` and `other` are learnt: the keys that last came after each, which are tried first.
 * Whoever knows the value of one of them may say so: `jump` is shown the text from the value of the
 * key `jump_key` on and returns the length of an object, without blanks and backslashes, that was
 * skimmed before and stands there again; 0: not known. In the same way `rest` is shown the whole text
 * and where the key `rest_key` stands, and returns the length of all that is left of the object with
 * its bracket; the members of it that somebody wants it adds to `out` itself.
 */
#define SKIM_KEYS    64
#define SKIM_UNKNOWN 0xff
struct skim_key {
	char text[32];
	uint32_t n, bits; /* a bit for each byte of the text */
};
struct skim_keys {
	struct skim_key key[SKIM_KEYS];
	size_t n;
	uint8_t next[SKIM_KEYS + 1]; /* [0]: the first key; [i + 1]: what follows key i */
	uint8_t other[SKIM_KEYS + 1];
	uint8_t jump_key, rest_key;
	size_t (*jump)(void *ctx, struct str text); /* or NULL, and rest too */
	size_t (*rest)(void *ctx, struct str text, size_t at, struct skim_out *out);
	void *ctx;
};
void skim_keys_add(struct skim_keys *k, const char *name);

enum skim_result {
	SKIM_OK,
	SKIM_MORE,  /* the bytes end inside the value */
	SKIM_BAD,   /* not JSON */
	SKIM_LIMIT, /* more members than there is room for, or larger than 4 GiB */
};

struct skim_out {
	struct skim_member *members;
	size_t n, room;
	size_t used; /* bytes of the value; where the trouble is when there is any */
	size_t rest; /* where the rest begins that was jumped over; 0: none was */
	bool blanks; /* there is white space between the tokens, at any depth */
};

/*
 * Skims the object or array that `s` begins with. `keys` may be NULL. The bytes may be read up to
 * the end of s, never past it.
 */
enum skim_result skim_value(struct str s, struct skim_keys *keys, struct skim_out *out);

/* "avx512", "avx2", "neon" or "scalar"; the best one that this processor runs is set at first. */
const char *skim_name(void);
/* Sets a variant by name; false when this build or processor lacks it. For tests and bench. */
bool skim_use(const char *name);

#endif
