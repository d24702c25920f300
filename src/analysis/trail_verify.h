/*
 * Were the log files of a trail changed since CloudTrail wrote them? Every digest is checked
 * against the signature of AWS, every log file against the hash in its digest, and the digests
 * against each other, from the newest back. "Validating CloudTrail log file integrity" of the
 * CloudTrail User Guide.
 */
#ifndef CORDON_ANALYSIS_TRAIL_VERIFY_H
#define CORDON_ANALYSIS_TRAIL_VERIFY_H

#include "analysis/trail_keys.h"

/* Where the objects lie: a folder, or a bucket. Functions are called from several threads. */
struct trail_source {
	void *ctx;
	const char *bucket; /* NULL: a copy, whose bucket is not known */
	/*
	 * Appends the object's bytes as they are stored. `bucket` and `key` are as a digest names
	 * them. `signature` (may be NULL) gets the hexadecimal signature of the object's metadata,
	 * nothing when there is none. ERR_NOT_FOUND when the object is not there.
	 */
	enum err_status (*fetch)(void *ctx, const char *bucket, const char *key,
		struct buf *out, struct buf *signature, struct err *err);
};

struct trail_options {
	const struct trail_source *source;
	const char *const
		*objects; /* every key of the tree; others than the trail's are passed over */
	size_t n_objects;
	const struct trail_keys *keys;
	int64_t from_ms, to_ms; /* only digests that end in here; 0 = open */
	struct str regions;     /* "eu-west-1,us-east-1"; empty = all */
	int threads;            /* 0 = cores */
	bool complete; /* the list has every object that there is: what it lacks was deleted */
	void (*progress)(void *ctx, uint64_t done,
		uint64_t total); /* may be NULL; one thread at a time */
	void *progress_ctx;
};

/*
 * *out is "cordon.trail/1": counts, a row a chain, the gaps, and every problem by kind with the
 * object's name; new reference. The same input gives the same document. ERR_OK when all that was
 * checked is as AWS wrote it; ERR_INTEGRITY when something is not; ERR_PARTIAL when nothing speaks
 * against it, but a signature or key was not to be had. *out is set in all three cases.
 */
ERR_MUST_CHECK enum err_status trail_verify(
	const struct trail_options *opts, json_t **out, struct err *err);

#endif
