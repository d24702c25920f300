/* A sink that hashes what a download brings, and may keep it in a file. Constant memory. */
#ifndef CORDON_EVIDENCE_DIGEST_H
#define CORDON_EVIDENCE_DIGEST_H

#include "aws/aws.h"
#include "base/hash.h"

struct digest {
	struct hash_sha256 *hash;
	uint64_t size;
	int fd; /* -1: hash only */
	bool write_failed;
	struct aws_sink sink; /* hand &d->sink to a request */
};

/* `path` may be NULL; else the file is made anew (0600) and must not exist. */
ERR_MUST_CHECK enum err_status digest_open(struct digest *d, const char *path, struct err *err);
/* Ends the digest and closes the file; ERR_IO when the file could not be written whole. */
ERR_MUST_CHECK enum err_status digest_close(
	struct digest *d, char out[HASH_SHA256_HEX], struct err *err);

#endif
