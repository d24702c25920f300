/* An HTTP request before it is sent and the answer after it came, free of any transport. */
#ifndef CORDON_AWS_WIRE_H
#define CORDON_AWS_WIRE_H

#include "aws/aws.h"

#define WIRE_MAX_BODY \
	((size_t)64 * 1024 * 1024) /* of a document; streams have no ceiling here */
#define WIRE_MAX_PATH    ((size_t)16 * 1024)
#define WIRE_MAX_HEADERS 512

struct wire_pair {
	char *name, *value;
};
/* Names and values in order; the texts are owned. Zero-initialised = empty. */
struct wire_pairs {
	struct wire_pair *items;
	size_t n, cap;
};
/* Appends copies; past WIRE_MAX_HEADERS * 8 pairs nothing is added. */
void wire_add(struct wire_pairs *p, const char *name, struct str value);
/* Replaces the first pair of that name (ASCII case ignored) or appends. */
void wire_set(struct wire_pairs *p, const char *name, struct str value);
/* Value of the first pair of that name (ASCII case ignored), or NULL. */
const char *wire_get(const struct wire_pairs *p, const char *name);
/* Drops every pair of that name (ASCII case ignored). */
void wire_remove(struct wire_pairs *p, const char *name);
void wire_pairs_deinit(struct wire_pairs *p);

struct wire_request {
	const char *method; /* static or from the model */
	bool tls;
	struct buf host_prefix;    /* of the operation, with its dot */
	struct buf authority;      /* host[:port] */
	struct buf path;           /* as sent: begins with '/', encoded once */
	struct wire_pairs query;   /* names and values encoded; a name alone has value "" */
	struct wire_pairs headers; /* header values as they are */
	struct buf body;           /* when neither blob nor source is set */
	struct str blob;           /* borrowed body */
	const struct aws_source *source; /* streamed body */
};
void wire_request_init(struct wire_request *r);
void wire_request_deinit(struct wire_request *r);
/* The bytes of the body that lie in memory; empty when it is streamed. */
struct str wire_body(const struct wire_request *r);
/* "?a=b&c" or nothing, as sent. */
void wire_query_text(const struct wire_request *r, struct buf *out);
/* Scheme, host, path and query. */
void wire_url(const struct wire_request *r, struct buf *out);

struct wire_response {
	int status; /* 0 = no answer */
	struct wire_pairs headers;
	struct buf body; /* empty when the body went to a sink */
};
void wire_response_init(struct wire_response *r, size_t max_body);
/* Forgets the content, for another attempt. */
void wire_response_reset(struct wire_response *r);
void wire_response_deinit(struct wire_response *r);

#endif
