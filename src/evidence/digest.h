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

/* A file as the body of a request, read piece by piece. */
struct digest_file {
	int fd;
	struct aws_source source; /* hand &f->source to a request */
};
/* `sha256_hex` is borrowed until the close. ERR_IO. */
ERR_MUST_CHECK enum err_status digest_file_open(struct digest_file *f, const char *path,
	uint64_t size, const char *sha256_hex, struct err *err);
void digest_file_close(struct digest_file *f);

#endif
