#include "app/listener.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener {
	struct listener_handler handler;
	struct MHD_Daemon *daemon;
	int fd;
	int port;
};

/* One request on its way. */
struct exchange {
	char *uri; /* as it came, with its query */
	struct buf body;
	bool begun; /* the headers were seen */
	char after[32];
};

/* libmicrohttpd takes the query apart; the token in it must be read as it came. */
static void *begin(void *ctx, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *x = calloc(1, sizeof(*x));

	(void)ctx;
	(void)connection;
	if (x == NULL) {
		BUG("out of memory");
	}
	x->uri = str_dup(str_from(uri));
	buf_init(&x->body, LISTENER_BODY_MAX);
	return x;
}

static void end(void *ctx, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct listener *w = ctx;
	struct exchange *x = *state;

	(void)connection;
	(void)why;
	if (x == NULL) {
		return;
	}
	if (x->after[0] != '\0') {
		w->handler.after(w->handler.ctx, x->after);
	}
	buf_deinit(&x->body);
	free(x->uri);
	free(x);
	*state = NULL;
}

static struct str header(struct MHD_Connection *connection, const char *name)
{
	return str_from(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

static void peer_of(struct MHD_Connection *connection, char *out, size_t size)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	out[0] = '\0';
	if (info != NULL && info->client_addr != NULL) {
		socklen_t n = info->client_addr->sa_family == AF_INET6
				      ? sizeof(struct sockaddr_in6)
				      : sizeof(struct sockaddr_in);
		(void)getnameinfo(
			info->client_addr, n, out, (socklen_t)size, NULL, 0, NI_NUMERICHOST);
	}
}

static enum MHD_Result send_answer(
	struct MHD_Connection *connection, const struct listener_answer *a)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(a->body.n,
		a->body.p != NULL ? a->body.p : (char *)(uintptr_t) "", MHD_RESPMEM_MUST_COPY);

	if (r == NULL) {
		return MHD_NO;
	}
	for (size_t i = 0; a->headers != NULL && a->headers[i] != NULL; i += 2) {
		(void)MHD_add_response_header(r, a->headers[i], a->headers[i + 1]);
	}
	if (a->csp[0] != '\0') {
		(void)MHD_add_response_header(r, "Content-Security-Policy", a->csp);
	}
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result sent = MHD_queue_response(connection, (unsigned)a->status, r);
	MHD_destroy_response(r);
	return sent;
}

static enum MHD_Result finish(struct listener *w, struct MHD_Connection *connection,
	struct exchange *x, struct listener_request *r)
{
	struct listener_answer a = { .status = MHD_HTTP_CONTENT_TOO_LARGE };
	char peer[64];

	buf_init(&a.body, (size_t)1024 * 1024);
	if (buf_ok(&x->body)) {
		struct str uri = str_from(x->uri);
		size_t mark = str_find_char(uri, '?');
		peer_of(connection, peer, sizeof(peer));
		r->query = mark == SIZE_MAX ? STR("") : str_sub(uri, mark + 1, SIZE_MAX);
		r->body = buf_view(&x->body);
		r->accept_language = header(connection, "Accept-Language");
		r->forwarded_for = header(connection, "X-Forwarded-For");
		r->peer = str_from(peer);
		w->handler.answer(w->handler.ctx, r, &a);
		memcpy(x->after, a.after, sizeof(x->after));
	}
	enum MHD_Result sent = send_answer(connection, &a);
	buf_deinit(&a.body);
	return sent;
}

/* Called for the headers, for each piece of the body, and at the end. */
/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd's signature */
static enum MHD_Result take(void *ctx, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *piece, size_t *piece_n,
	void **state)
{
	struct exchange *x = *state;
	struct listener_request r = { .method = str_from(method), .path = str_from(url) };

	(void)version;
	if (!x->begun) {
		x->begun = true;
		return MHD_YES;
	}
	if (*piece_n > 0) {
		buf_add(&x->body, piece, *piece_n);
		*piece_n = 0;
		return MHD_YES;
	}
	return finish(ctx, connection, x, &r);
}

static enum err_status open_socket(const char *text, struct listener *w, struct err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	const char *colon = strrchr(text, ':');
	struct addrinfo *found = NULL;
	struct sockaddr_storage bound;
	socklen_t n = sizeof(bound);
	char host[64], port[8];
	int one = 1;
	struct str h = colon ? str_sub(str_from(text), 0, (size_t)(colon - text)) : STR("");

	if (h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']') {
		h = str_sub(h, 1, h.n - 2);
	}
	(void)snprintf(host, sizeof(host), "%.*s", STR_ARG(str_sub(h, 0, 63)));
	if (h.n == 0 || getaddrinfo(host, colon + 1, &hints, &found) != 0) {
		return err_set(err, ERR_CONFIG,
			"serve.listen is \"%.60s\"; it should be an address and a port, such "
			"as "
			"127.0.0.1:8080",
			text);
	}
	w->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(w->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	int failed = w->fd < 0 || bind(w->fd, found->ai_addr, found->ai_addrlen) != 0 ||
		     listen(w->fd, 64) != 0;
	int why = errno;
	freeaddrinfo(found);
	if (failed) {
		if (w->fd >= 0) {
			(void)close(w->fd);
		}
		return err_set(
			err, ERR_CONFIG, "can't listen on %.60s: %s", text, err_errno(why));
	}
	(void)getsockname(w->fd, (struct sockaddr *)&bound, &n);
	(void)getnameinfo(
		(struct sockaddr *)&bound, n, NULL, 0, port, sizeof(port), NI_NUMERICSERV);
	w->port = (int)strtol(port, NULL, 10);
	return ERR_OK;
}

enum err_status listener_start(const char *listen_on, const struct listener_handler *handler,
	struct listener **out, struct err *err)
{
	struct listener *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		BUG("out of memory");
	}
	w->handler = *handler;
	enum err_status st = open_socket(listen_on, w, err);
	if (st != ERR_OK) {
		free(w);
		return st;
	}
	w->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
		0, NULL, NULL, take, w, MHD_OPTION_LISTEN_SOCKET, w->fd,
		MHD_OPTION_CONNECTION_LIMIT, LISTENER_AT_ONCE, MHD_OPTION_CONNECTION_TIMEOUT,
		LISTENER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, LISTENER_HEAD_MAX,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, begin, w,
		MHD_OPTION_NOTIFY_COMPLETED, end, w, MHD_OPTION_END);
	if (w->daemon == NULL) {
		(void)close(w->fd);
		free(w);
		return err_set(err, ERR_FAILED, "the listener on %.60s can't start: %s",
			listen_on, err_errno(errno));
	}
	*out = w;
	return ERR_OK;
}

int listener_port(const struct listener *w)
{
	return w->port;
}

void listener_stop(struct listener *w)
{
	if (w == NULL) {
		return;
	}
	MHD_stop_daemon(w->daemon); /* waits for the threads, closes the socket */
	free(w);
}
