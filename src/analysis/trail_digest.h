/*
 * One CloudTrail digest: which log files were delivered in an hour, with the hash of each and of
 * the digest before. "CloudTrail digest file structure" and "Custom implementations of CloudTrail
 * log file integrity validation" of the CloudTrail User Guide.
 */
#ifndef CORDON_ANALYSIS_TRAIL_DIGEST_H
#define CORDON_ANALYSIS_TRAIL_DIGEST_H

#include "analysis/trail_keys.h"

#define TRAIL_DIGEST_LOGS_MAX 200000

/* Where an object of the trail stands, by its key. Slices into the key. */
struct trail_name {
	struct str account, region, trail, home; /* trail and home region: digests only */
	int64_t time_ms;                         /* in the name */
	bool digest, backfill;
};
/* False when the key is neither a digest's nor a log file's. */
bool trail_digest_name(struct str key, struct trail_name *out);
/*
 * The part of a key that a copy of the tree keeps: from "AWSLogs/" on (the whole without one), and
 * without ".gz", because the copy may lie there unpacked.
 */
struct str trail_digest_tail(struct str key);

/* A digest's fields, borrowed from its document. */
struct trail_digest {
	json_t *doc; /* owned */
	char sha256[65];
	const char *bucket, *object, *fingerprint, *end_text;
	const char *previous_bucket, *previous_object, *previous_sha256, *previous_signature;
	int64_t start_ms, end_ms;
	const json_t *logs; /* [{"s3Bucket","s3Object","hashValue",...}] */
};

/*
 * Reads the bytes of a digest (not compressed any more). ERR_INPUT names the field that is missing
 * or has the wrong type. Free with trail_digest_deinit.
 */
ERR_MUST_CHECK enum err_status trail_digest_read(
	struct str raw, struct trail_digest *out, struct err *err);
void trail_digest_deinit(struct trail_digest *d);

/*
 * Appends the text that is signed: end time, bucket/key, SHA-256 of the digest, signature of the
 * digest before (or "null"), a line each, no line end after the last.
 */
void trail_digest_message(const struct trail_digest *d, struct buf *out);

#endif
