/*
 * S3's chunked body ("aws-chunked"): a stream goes out in one pass, its checksum behind it, and
 * without TLS every chunk is signed. Memory: one chunk.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
#ifndef CORDON_AWS_CHUNKED_H
#define CORDON_AWS_CHUNKED_H

#include "aws/checksum.h"
#include "aws/sigv4.h"

/* S3 takes no chunk but the last below 8 KiB. */
#define CHUNKED_BYTES ((size_t)64 * 1024)

struct chunked {
	struct aws_source source; /* what is sent; its size is that of the whole body */
	const struct aws_source *inner;
	enum checksum_kind kind; /* of the trailer; NONE = no trailer */
	bool sign;
	struct sigv4_chain chain;
	struct checksum sum;
	uint64_t left; /* of the inner stream */
	bool ended;    /* the last chunk and the trailer are in `out` */
	char *chunk;   /* CHUNKED_BYTES */
	struct buf out;
	size_t at; /* in `out` */
};

/*
 * Over the borrowed `inner`, which must give exactly its size. `sign` without a trailer, or with
 * one; not neither. Stays where it is until chunked_deinit (safe on a zeroed struct).
 */
void chunked_init(
	struct chunked *c, const struct aws_source *inner, enum checksum_kind kind, bool sign);
/* The headers that announce it, and the request's source. */
void chunked_announce(struct chunked *c, struct wire_request *r);
/* What stands in x-amz-content-sha256. Static. */
const char *chunked_payload(const struct chunked *c);
/* Once the request is signed with that payload; again before every attempt. */
void chunked_start(struct chunked *c, struct sigv4_cache *cache, const struct sigv4_params *p,
	const struct wire_request *r);
void chunked_deinit(struct chunked *c);

#endif
