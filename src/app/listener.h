/*
 * The HTTP server of approval links (libmicrohttpd), for use behind a proxy that speaks TLS and bounds
 * slow clients: a few connections at once, everything bounded. Nothing else is served.
 */
#ifndef CORDON_APP_LISTENER_H
#define CORDON_APP_LISTENER_H

#include "base/buf.h"
#include "base/err.h"

#define LISTENER_HEAD_MAX ((size_t)32768) /* memory of a connection: request line and headers */
#define LISTENER_BODY_MAX ((size_t)8192)
#define LISTENER_AT_ONCE  16u /* connections */
#define LISTENER_IDLE_S   10u /* a connection on which nothing moves for so long is closed */

/* A request; slices that live until the answer returns. Everything in it is hostile. */
struct listener_request {
	struct str method, path, query, body;
	struct str accept_language, forwarded_for, peer;
};
struct listener_answer {
	int status;
	struct buf body;
	const char *const *headers; /* name, value, ..., NULL; static */
	char csp[256];              /* value of Content-Security-Policy */
	char after[32];             /* what `after` gets; "" = it is not called */
};

/* Answers one request. Called from several threads; `after` when the answer has been sent. */
struct listener_handler {
	void (*answer)(
		void *ctx, const struct listener_request *r, struct listener_answer *out);
	void (*after)(void *ctx, const char *what);
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
