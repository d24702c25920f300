/*
 * Objects on their way: threads that fetch ranges of what is read and of what will be read next.
 * Internal to s3_source.c.
 */
#ifndef CORDON_FLOW_S3_FETCH_H
#define CORDON_FLOW_S3_FETCH_H

#include "analysis/source.h"
#include "aws/aws.h"

struct s3_fetch;

struct s3_fetch_object {
	const char *path; /* "s3://bucket/key" */
	const char *etag; /* or NULL: then it may change while it is read */
	uint64_t size;
	int64_t changed_ms;
};

struct s3_fetch *s3_fetch_new(struct aws_client *aws);
void s3_fetch_free(struct s3_fetch *f);
/* Copies what it is given. Before the first open, from one thread. */
void s3_fetch_add(struct s3_fetch *f, const struct s3_fetch_object *object);
/* As struct source says. */
struct source_object *s3_fetch_open(
	struct s3_fetch *f, const char *path, uint64_t *size, int64_t *changed_ms);
size_t s3_fetch_read(struct source_object *o, void *into, size_t n, const char **trouble);
void s3_fetch_close(struct source_object *o);

#endif
