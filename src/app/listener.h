/*
 * A small HTTP/1.1 listener for approval links, for use behind a proxy that speaks TLS: one request a
 * connection, a few at once, everything bounded. Nothing else is served.
 */
#ifndef CORDON_APP_LISTENER_H
#define CORDON_APP_LISTENER_H

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

#define LISTENER_HEAD_MAX ((size_t)16384) /* request line and headers */
#define LISTENER_BODY_MAX ((size_t)8192)
#define LISTENER_AT_ONCE  16    /* connections; more wait in the kernel */
#define LISTENER_MS       10000 /* for a whole request, and again for its answer */

/* A request's head taken apart; slices of the text. */
struct listener_request {
	struct str method, path, query;
	struct str accept_language, forwarded_for;
	size_t length; /* of the body */
};
/*
 * Reads "METHOD /path?query HTTP/1.x" and the headers up to the empty line. 0, or the HTTP status of
 * what is wrong with it (400, 411, 413, 505). Pure.
 */
int listener_parse(struct str head, struct listener_request *out);

/* Answers one request: fills `out` with the whole response, status line and all. `after` runs when it
 * has been sent. Called from several threads. */
struct listener_handler {
	struct env *env;
	void (*answer)(void *ctx, const struct listener_request *r, struct str body,
		const char *peer, struct buf *out, char after[32]);
	void (*after)(void *ctx, const char *what); /* with the text that answer left, if any */
	void *ctx;
};

struct listener;
/*
 * Listens on "ADDRESS:PORT" ("[::1]:8080" for IPv6; port 0: any, listener_port tells). ERR_CONFIG when the
 * text is none or can't be bound. Runs in threads of its own until listener_stop, which waits for them.
 */
ERR_MUST_CHECK enum err_status listener_start(const char *listen,
	const struct listener_handler *handler, struct listener **out, struct err *err);
int listener_port(const struct listener *w);
void listener_stop(struct listener *w); /* NULL is fine */

#endif
