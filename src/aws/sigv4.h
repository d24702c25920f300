/*
 * AWS Signature Version 4 over libcrypto: Authorization header and presigned query.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
#ifndef CORDON_AWS_SIGV4_H
#define CORDON_AWS_SIGV4_H

#include "aws/wire.h"
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

/* The canonical request and the string to sign of a request that has its date; for tests. */
void sigv4_canonical(
	const struct sigv4_params *p, const struct wire_request *r, struct buf *out);
void sigv4_string_to_sign(const struct sigv4_params *p, struct str canonical, struct buf *out);

#endif
