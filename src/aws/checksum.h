/*
 * The digests that S3 takes beside a body, by AWS's names for them.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
#ifndef CORDON_AWS_CHECKSUM_H
#define CORDON_AWS_CHECKSUM_H

#include "base/buf.h"

enum checksum_kind {
	CHECKSUM_NONE,
	CHECKSUM_CRC32,
	CHECKSUM_CRC32C,
	CHECKSUM_CRC64NVME,
	CHECKSUM_MD5,
	CHECKSUM_SHA1,
	CHECKSUM_SHA256,
	CHECKSUM_SHA512,
};
#define CHECKSUM_MAX_BASE64 89 /* of the longest, with NUL */

/* By its name in requests ("CRC64NVME"). NONE when it is not computed here: the caller brings it. */
enum checksum_kind checksum_named(struct str name);
/* "CRC64NVME"; "" for NONE. Static. */
const char *checksum_name(enum checksum_kind kind);
/* "x-amz-checksum-crc64nvme"; "" for NONE. Static. */
const char *checksum_header(enum checksum_kind kind);
/* Length of the value in base64. */
size_t checksum_length(enum checksum_kind kind);

/* A running digest. Begin, add, end; `end` frees it, so does `deinit` (safe on a zeroed struct). */
struct checksum {
	enum checksum_kind kind;
	uint64_t crc;
	void *digest;
};
void checksum_begin(struct checksum *c, enum checksum_kind kind);
void checksum_add(struct checksum *c, struct str bytes);
/* Base64 text of the digest, the form in which it travels. */
void checksum_end(struct checksum *c, char out[CHECKSUM_MAX_BASE64]);
void checksum_deinit(struct checksum *c);

/* All at once. */
void checksum_of(enum checksum_kind kind, struct str bytes, char out[CHECKSUM_MAX_BASE64]);

#endif
