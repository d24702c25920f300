/* A trail in its bucket: the objects listed, fetched, and the public keys asked for. */
#ifndef CORDON_FLOW_TRAIL_BUCKET_H
#define CORDON_FLOW_TRAIL_BUCKET_H

#include "analysis/prune.h"
#include "analysis/trail_verify.h"
#include "aws/aws.h"

struct trail_bucket;

/*
 * Lists log files and digests below "s3://bucket/prefix" that may matter for `window`; other
 * services' folders are not entered. ERR_USAGE for another form, ERR_LIMIT past two million
 * objects, and what S3 answers. Free with trail_bucket_free.
 */
ERR_MUST_CHECK enum err_status trail_bucket_open(struct aws_client *aws, const char *uri,
	const struct prune *window, struct trail_bucket **out, struct err *err);
void trail_bucket_free(struct trail_bucket *b);
/* Every object's key; borrowed. */
const char *const *trail_bucket_objects(const struct trail_bucket *b, size_t *n);
/* The door for trail_verify; borrowed. */
const struct trail_source *trail_bucket_source(const struct trail_bucket *b);
/* Asks CloudTrail in every region that the digests are of for its public keys. */
ERR_MUST_CHECK enum err_status trail_bucket_keys(
	const struct trail_bucket *b, struct trail_keys *keys, struct err *err);

#endif
