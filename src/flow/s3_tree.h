/* What lies below a place in a bucket, listed folder by folder, many side by side. */
#ifndef CORDON_FLOW_S3_TREE_H
#define CORDON_FLOW_S3_TREE_H

#include "aws/aws.h"

#define S3_TREE_BUCKET_MAX 256 /* an access point's ARN too */

/*
 * Takes "s3://bucket/key" apart. ERR_USAGE for another form. *key is "" when none is named; the
 * caller's.
 */
ERR_MUST_CHECK enum err_status s3_tree_place(
	const char *uri, char bucket[S3_TREE_BUCKET_MAX], char **key, struct err *err);

/* What is found; borrowed for the call. Each is called by the thread that walks. */
struct s3_tree_visitor {
	bool (*folder)(void *ctx, const char *prefix); /* "a/b/"; false: is not listed */
	bool (*object)(
		void *ctx, const json_t *item); /* as ListObjectsV2 has it; false: enough */
	void *ctx;
};
/*
 * Walks everything below `prefix`, which is "" or ends in a slash, in no order. Stops with S3's
 * error when a folder can't be listed.
 */
ERR_MUST_CHECK enum err_status s3_tree_walk(struct aws_client *aws, const char *bucket,
	const char *prefix, const struct s3_tree_visitor *visitor, struct err *err);

#endif
