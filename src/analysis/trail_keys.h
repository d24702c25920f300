/*
 * The public keys that CloudTrail signs digests with: read from answers of ListPublicKeys, found
 * by fingerprint (the MD5 of the key's bytes, as the service names them).
 */
#ifndef CORDON_ANALYSIS_TRAIL_KEYS_H
#define CORDON_ANALYSIS_TRAIL_KEYS_H

#include "base/doc.h"
#include "base/rsa.h"

struct trail_key {
	char fingerprint[33];
	int64_t from_ms, to_ms; /* validity */
	struct rsa_key *key;
};
struct trail_keys {
	struct trail_key *items;
	size_t n;
};
/*
 * Adds the keys of a ListPublicKeys answer. A key whose fingerprint is not the MD5 of its bytes is
 * ERR_INTEGRITY. Safe to call several times; frees with trail_keys_deinit.
 */
ERR_MUST_CHECK enum err_status trail_keys_add(
	struct trail_keys *keys, const json_t *answer, struct err *err);
void trail_keys_deinit(struct trail_keys *keys);
/* NULL when there is none. */
const struct trail_key *trail_keys_find(const struct trail_keys *keys, const char *fingerprint);
/*
 * The key was in use when a digest that ends then was signed: within two hours, as AWS's own tool
 * allows; one of a backfill any time later.
 */
bool trail_keys_covers(const struct trail_key *key, int64_t end_ms, bool backfill);
/* The hexadecimal signature is this key's over `message`. */
bool trail_keys_signed(const struct trail_key *key, struct str message, struct str hex);

#endif
