/*
 * AWS Signature Version 4 over libcrypto: Authorization header and presigned query.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
#ifndef CORDON_AWS_SIGV4_H
#define CORDON_AWS_SIGV4_H

#include "aws/wire.h"
#include "base/hash.h"
#include "base/secret.h"

#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

/* What signs. Borrowed for the call. */
struct sigv4_keys {
	const char *access_key;
	const struct secret *secret_key;
	const struct secret *session_token; /* NULL for long-lived keys */
};

struct sigv4_params {
	struct sigv4_keys keys;
	const char *region, *service; /* signing region and signing name */
	int64_t now_ms;
	bool s3; /* the path is signed as it is sent; else normalised and encoded once more */
	const char *payload_hash; /* lower-case hex, SIGV4_UNSIGNED; NULL = of wire_body() */
	bool token_unsigned;      /* the session token is added after signing */
	bool no_content_sha256;   /* do not send x-amz-content-sha256 (AWS's test suite) */
	int64_t expires_s;        /* presign: X-Amz-Expires */
};

/*
 * The last signing keys, so that a run of calls to one service derives its key once. Thread-safe.
 * Holds key material: wiped by sigv4_cache_free.
 */
struct sigv4_cache;
struct sigv4_cache *sigv4_cache_new(void);
void sigv4_cache_free(struct sigv4_cache *c);

/*
 * Adds X-Amz-Date, X-Amz-Security-Token, x-amz-content-sha256, Host and Authorization to the headers.
 * Every header that is there already is signed, save those that proxies and carriers change.
 * `cache` may be NULL. Signing the same request twice replaces the first signature.
 */
void sigv4_sign(
	struct sigv4_cache *cache, const struct sigv4_params *p, struct wire_request *r);
/* Puts the signature into the query instead; the payload is p->payload_hash or that of the body. */
void sigv4_presign(
	struct sigv4_cache *cache, const struct sigv4_params *p, struct wire_request *r);

/*
 * What follows a signed request in a body of signed chunks: each signature covers the one before.
 * Holds key material: wipe with sigv4_chain_wipe.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and -streaming-trailers.html
 */
struct sigv4_chain {
	unsigned char key[HASH_SHA256_BYTES];
	char scope[256]; /* the time and, on the next line, the credential scope */
	char last[HASH_SHA256_HEX];
};
/* After sigv4_sign with the same parameters. */
void sigv4_chain_begin(struct sigv4_cache *cache, const struct sigv4_params *p,
	const struct wire_request *r, struct sigv4_chain *out);
/* The signature of the next chunk (empty = the last), then of the trailer's "name:value\n" lines. */
void sigv4_chain_chunk(struct sigv4_chain *c, struct str bytes);
void sigv4_chain_trailer(struct sigv4_chain *c, struct str lines);
void sigv4_chain_wipe(struct sigv4_chain *c);

/* The canonical request and the string to sign of a request that has its date; for tests. */
void sigv4_canonical(
	const struct sigv4_params *p, const struct wire_request *r, struct buf *out);
void sigv4_string_to_sign(
	const struct sigv4_params *p, struct str canonical_text, struct buf *out);

#endif
