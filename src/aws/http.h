/*
 * The carrier: libcurl's multi interface on the calling thread. It sends bytes as they are given:
 * no redirects, no path cleaning, no decoding, HTTP/1.1, twice only when told. A carrier is used by one
 * thread at a time; the pool hands them out and keeps their connections, but not past max_age_s by
 * any clock: a frozen machine (Lambda between two events) loses its connections without noticing.
 * Proxies are those of the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, or lower case.
 */
#ifndef CORDON_AWS_HTTP_H
#define CORDON_AWS_HTTP_H

#include "aws/wire.h"

#include <stdatomic.h>

struct http;
struct http_pool;

struct http_options {
	struct env *env;
	const char *ca_bundle;      /* NULL = the system's */
	int64_t connect_timeout_ms; /* 0 = 3000 */
	int64_t stall_timeout_ms;   /* without any byte; 0 = 60000 */
	int64_t max_age_s;          /* a connection idle for longer is not used; 0 = 60 */
	const atomic_bool *cancel;  /* set: http_once gives up; may be NULL */
};
/* Requests that one carrier has under way at a time; more wait their turn in libcurl. */
#define HTTP_MAX_PARALLEL 64
/* How often, at least, a wait looks whether it was cancelled. */
#define HTTP_LOOK_MS 200

/* Copies the options. Never NULL. */
struct http_pool *http_pool_new(const struct http_options *opts);
/* All carriers must have been given back. NULL is fine. */
void http_pool_free(struct http_pool *p);
/* A carrier of this thread's own until http_put; NULL when libcurl can't be set up. */
struct http *http_get(struct http_pool *p);
void http_put(struct http_pool *p, struct http *h);

enum http_result {
	HTTP_OK,      /* an answer came whole; its status may be anything */
	HTTP_UNSENT,  /* failed before the server can have acted: name, connection, TLS */
	HTTP_LOST,    /* failed after bytes were sent: the server may have acted */
	HTTP_STOPPED, /* the sink, the source or a ceiling on this side ended it */
	HTTP_CANCELLED,
};

/* One request under way. Zero-initialise, fill the first part; must stay until done. */
struct http_exchange {
	const struct wire_request *request;
	struct wire_response *response; /* initialised */
	struct buf *body_out;           /* a 2xx body goes here ... */
	const struct aws_sink *sink;    /* ... or here, instead of response->body */
	int64_t timeout_ms;             /* bound of the whole exchange, 0 = none */
	bool direct;                    /* never through a proxy (link-local addresses) */
	bool may_resend; /* at once, when a kept connection breaks without an answer */
	void *owner;     /* the caller's */

	enum http_result result;
	char detail[200]; /* why, when the result is not HTTP_OK */
	bool timed_out;
	bool delivered; /* the sink has had bytes */
	bool sent;      /* a connection was there and the request went into it */
	uint64_t bytes_in, bytes_out;
	struct http_transfer *transfer; /* http.c's */
};

/* Begins; ERR_FAILED when libcurl refuses (nothing is sent then). */
ERR_MUST_CHECK enum err_status http_start(
	struct http *h, struct http_exchange *x, struct err *err);
/* Drives all transfers, waiting at most `timeout_ms` for something to happen. */
void http_run(struct http *h, int timeout_ms);
/* A finished exchange, NULL when there is none at the moment. */
struct http_exchange *http_done(struct http *h);
/* Ends an exchange without waiting for it. */
void http_cancel(struct http *h, struct http_exchange *x);

/* Start, drive and wait for one exchange: for small requests outside the call engine. */
ERR_MUST_CHECK enum err_status http_once(
	struct http *h, struct http_exchange *x, struct err *err);

#endif
