/* Digests and encodings over libcrypto: SHA-256, HMAC, MD5 (only where a protocol asks), hex, base64. */
#ifndef CORDON_BASE_HASH_H
#define CORDON_BASE_HASH_H

#include "base/buf.h"

#define HASH_SHA256_BYTES 32
#define HASH_SHA256_HEX   65 /* with NUL */

struct hash_sha256; /* running digest */
/* Starts a digest; free with hash_sha256_free. Never NULL. */
struct hash_sha256 *hash_sha256_new(void);
void hash_sha256_add(struct hash_sha256 *h, const void *p, size_t n);
/* Ends it; afterwards only free. */
void hash_sha256_end(struct hash_sha256 *h, unsigned char out[HASH_SHA256_BYTES]);
void hash_sha256_free(struct hash_sha256 *h);

void hash_sha256_of(struct str s, unsigned char out[HASH_SHA256_BYTES]);
/* Lower-case hex of the digest, NUL-terminated. */
void hash_sha256_hex(struct str s, char out[HASH_SHA256_HEX]);
void hash_hmac_sha256(struct str key, struct str s, unsigned char out[HASH_SHA256_BYTES]);
void hash_md5_of(struct str s, unsigned char out[16]);
/* Lower-case hex, 2n+1 bytes written. */
void hash_hex(const void *p, size_t n, char *out);
/* The bytes of hex in either case; false when it is none, or has more than `room` bytes. *n gets how many. */
bool hash_unhex(struct str hex, void *out, size_t room, size_t *n);
/* Appends standard base64 with padding. */
void hash_base64(struct str s, struct buf *out);
/* Decodes standard base64 (padding optional, white space skipped); false when malformed. */
bool hash_unbase64(struct str s, struct buf *out);

#endif
