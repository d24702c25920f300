/*
 * Logs out of buckets, for the analysis (analysis/source.h). The objects that come next, and the
 * next ranges of large ones, are fetched side by side while others are read; what lies fetched and
 * unread takes at most 64 MiB, and one range of 4 MiB for each reader more.
 */
#ifndef CORDON_FLOW_S3_SOURCE_H
#define CORDON_FLOW_S3_SOURCE_H

#include "analysis/source.h"
#include "aws/aws.h"

struct s3_source;

/* The client is borrowed. Free with s3_source_free (NULL is fine) when nobody reads any more. */
struct s3_source *s3_source_new(struct aws_client *aws);
void s3_source_free(struct s3_source *s);
/*
 * The door for the analysis; borrowed. A path is an object's, or a folder's with or without a slash
 * at its end; "s3://bucket" is all of it. An object that was written anew since it was listed is
 * not read.
 */
const struct source *s3_source_door(const struct s3_source *s);

#endif
