/*
 * S3 server access logs: who read, wrote or deleted which objects of which bucket, from where,
 * and how many bytes left. One row for each (requester, address, bucket, kind of access).
 * Fields: "Amazon S3 server access log format" of the S3 User Guide.
 */
#ifndef CORDON_ANALYSIS_S3LOG_H
#define CORDON_ANALYSIS_S3LOG_H

#include "analysis/pool.h"

enum s3log_kind {
	S3LOG_READ,   /* content of an object went out */
	S3LOG_LIST,   /* names of objects, or what is known about one */
	S3LOG_WRITE,  /* an object or a part of one came in, or was copied */
	S3LOG_DELETE, /* by a caller or by a lifecycle rule */
	S3LOG_CONFIG, /* policy, ACL and other settings of bucket or object */
	S3LOG_OTHER,
};

/* One line, slices into it; "-" is the empty slice. */
struct s3log_line {
	int64_t time_ms;
	struct str owner, bucket, ip, requester, request_id, operation, key, request;
	struct str error, referer, agent, version_id, tls;
	int status;    /* 0: none */
	int64_t bytes; /* sent; -1 = none named */
	int64_t object_size;
	enum s3log_kind kind;
	bool anonymous; /* the request was not authenticated */
};

struct s3log_row {
	uint32_t requester, ip, bucket; /* requester: ARN, canonical id, or 0 for nobody */
	enum s3log_kind kind;
	uint64_t n, n_denied, bytes;
	uint64_t n_objects; /* after s3log_settle: different keys */
	int64_t first_ms, last_ms;
	uint32_t cite; /* "file:line" of one of its lines, the least */
};

/* An object that a row is about. */
struct s3log_object {
	uint32_t row;
};

struct s3log {
	struct pool *pool;
	struct table rows;    /* struct s3log_row */
	struct table objects; /* struct s3log_object, by row and key */
	uint64_t n_lines;
	int64_t first_ms, last_ms;
};

void s3log_init(struct s3log *s, struct pool *pool);
void s3log_deinit(struct s3log *s);
/* False when the line is no S3 server access log record. */
bool s3log_parse(struct str line, struct s3log_line *out);
/* Takes one line in. `id` is how it will be cited. */
void s3log_add(struct s3log *s, const struct s3log_line *l, struct str id);
/* The row of this requester, address, bucket and kind, or NULL. */
const struct s3log_row *s3log_row_of(const struct s3log *s, struct str requester, struct str ip,
	struct str bucket, enum s3log_kind kind);
/* After the last line: counts the objects of each row. */
void s3log_settle(struct s3log *s);

#endif
