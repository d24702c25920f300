#include "app/listener.h"

#include "base/log.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener {
	struct listener_handler handler;
	int fd;
	int port;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t fewer;
	int running; /* connections being served */
	atomic_bool ending;
};

struct connection {
	struct listener *web;
	int fd;
	char peer[64];
};

/* ---- the request's head ---- */

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 127) {
			return false;
		}
	}
	return s.n > 0;
}

static struct str without_cr(struct str line)
{
	return line.n > 0 && line.p[line.n - 1] == '\r' ? str_sub(line, 0, line.n - 1) : line;
}

static int parse_line(struct str line, struct listener_request *out)
{
	struct str target, version = line;

	if (!str_cut(&version, ' ', &out->method) || !str_cut(&version, ' ', &target) ||
		!is_token(out->method) || !is_token(target) || target.p[0] != '/') {
		return 400;
	}
	if (!str_is(version, "HTTP/1.1") && !str_is(version, "HTTP/1.0")) {
		return 505;
	}
	size_t mark = str_find_char(target, '?');
	out->path = mark == SIZE_MAX ? target : str_sub(target, 0, mark);
	out->query =
		mark == SIZE_MAX ? (struct str){ "", 0 } : str_sub(target, mark + 1, target.n);
	return 0;
}

static int parse_header(struct str line, struct listener_request *out, bool *has_length)
{
	struct str name, value = line;
	int64_t n = 0;

	if (!str_cut(&value, ':', &name) || !is_token(name)) {
		return 400;
	}
	value = str_trim(value);
	if (str_eq_nocase(name, STR("content-length"))) {
		if (*has_length || !str_to_i64(value, &n) || n < 0) {
			return 400; /* two lengths are how requests are smuggled */
		}
		*has_length = true;
		out->length = (size_t)n;
	} else if (str_eq_nocase(name, STR("transfer-encoding"))) {
		return 411;
	} else if (str_eq_nocase(name, STR("accept-language"))) {
		out->accept_language = value;
	} else if (str_eq_nocase(name, STR("x-forwarded-for"))) {
		out->forwarded_for = value;
	}
	return out->length > LISTENER_BODY_MAX ? 413 : 0;
}

int listener_parse(struct str head, struct listener_request *out)
{
	struct str line;
	bool has_length = false;
	int wrong;

	*out = (struct listener_request){ 0 };
	if (!str_cut(&head, '\n', &line)) {
		return 400;
	}
	wrong = parse_line(without_cr(line), out);
	for (int i = 0; wrong == 0 && i < 100 && str_cut(&head, '\n', &line); i++) {
		line = without_cr(line);
		if (line.n == 0) {
			return 0;
		}
		wrong = parse_header(line, out, &has_length);
	}
	return wrong;
}

/* ---- one connection ---- */

static int64_t now_ms(const struct listener *w)
{
	return env_mono_us(w->handler.env) / 1000;
}

static bool wait_for(const struct listener *w, int fd, short events, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = until - now_ms(w);

	return left > 0 && poll(&p, 1, (int)left) > 0;
}

/* Place after the empty line that ends the head, or 0 when it is not there yet. */
static size_t head_end(struct str s)
{
	size_t crlf = str_find(s, STR("\r\n\r\n")), lf = str_find(s, STR("\n\n"));

	return crlf != SIZE_MAX ? crlf + 4 : lf != SIZE_MAX ? lf + 2 : 0;
}

/* The status of what is wrong, 0 when the request is whole, -1 when the other end went away. */
static int receive(
	const struct connection *c, struct buf *in, struct listener_request *r, size_t *body)
{
	int64_t until = now_ms(c->web) + LISTENER_MS;
	char piece[2048];
	int wrong = 0;

	*body = 0;
	while (wrong == 0 && (*body == 0 || in->n < *body + r->length)) {
		if (!wait_for(c->web, c->fd, POLLIN, until)) {
			return 408;
		}
		ssize_t n = recv(c->fd, piece, sizeof(piece), 0);
		if (n <= 0) {
			return -1;
		}
		buf_add(in, piece, (size_t)n);
		if (!buf_ok(in)) {
			return 413;
		}
		if (*body == 0) {
			*body = head_end(buf_view(in));
			wrong = *body == 0 ? (in->n > LISTENER_HEAD_MAX ? 413 : 0)
					   : listener_parse(str_sub(buf_view(in), 0, *body), r);
		} else if (listener_parse(str_sub(buf_view(in), 0, *body), r) != 0) {
			return 400; /* the text may have moved: the slices are taken anew */
		}
	}
	return wrong;
}

static void send_all(const struct connection *c, struct str s)
{
	int64_t until = now_ms(c->web) + LISTENER_MS;
	size_t at = 0;

	while (at < s.n && wait_for(c->web, c->fd, POLLOUT, until)) {
		ssize_t n = send(c->fd, s.p + at, s.n - at, MSG_NOSIGNAL);
		if (n <= 0) {
			return;
		}
		at += (size_t)n;
	}
}

static void refuse(const struct connection *c, int status)
{
	char line[160];

	(void)snprintf(line, sizeof(line),
		"HTTP/1.1 %d Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		status);
	send_all(c, str_from(line));
}

static void serve(struct connection *c, char after[32])
{
	struct listener_request r = { 0 };
	struct buf in, out;
	size_t body = 0;

	buf_init(&in, LISTENER_HEAD_MAX + LISTENER_BODY_MAX + 4096);
	buf_init(&out, (size_t)1024 * 1024);
	int wrong = receive(c, &in, &r, &body);
	if (wrong > 0) {
		refuse(c, wrong);
	} else if (wrong == 0) {
		const struct listener_handler *h = &c->web->handler;
		h->answer(h->ctx, &r, str_sub(buf_view(&in), body, r.length), c->peer, &out,
			after);
		send_all(c, buf_view(&out));
	}
	buf_deinit(&out);
	buf_deinit(&in);
}

static void *run_connection(void *arg)
{
	struct connection *c = arg;
	struct listener *w = c->web;
	char after[32] = "";

	serve(c, after);
	(void)shutdown(c->fd, SHUT_RDWR);
	(void)close(c->fd);
	if (after[0] != '\0') {
		w->handler.after(w->handler.ctx, after);
	}
	free(c);
	(void)pthread_mutex_lock(&w->lock);
	w->running--;
	(void)pthread_cond_broadcast(&w->fewer);
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- the listener ---- */

static void hand_over(struct listener *w, int fd, const char *peer)
{
	struct connection *c = calloc(1, sizeof(*c));
	pthread_attr_t detached;
	pthread_t thread;

	if (c == NULL) {
		BUG("out of memory");
	}
	*c = (struct connection){ .web = w, .fd = fd };
	(void)snprintf(c->peer, sizeof(c->peer), "%s", peer);
	(void)pthread_mutex_lock(&w->lock);
	w->running++;
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_attr_init(&detached);
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &detached, run_connection, c) != 0) {
		(void)run_connection(c); /* then this thread does it */
	}
	(void)pthread_attr_destroy(&detached);
}

static void wait_for_room(struct listener *w)
{
	(void)pthread_mutex_lock(&w->lock);
	while (w->running >= LISTENER_AT_ONCE) {
		(void)pthread_cond_wait(&w->fewer, &w->lock);
	}
	(void)pthread_mutex_unlock(&w->lock);
}

static void *accept_all(void *arg)
{
	struct listener *w = arg;

	while (!atomic_load(&w->ending)) {
		struct sockaddr_storage from;
		socklen_t n = sizeof(from);
		char peer[64] = "";
		if (!wait_for(w, w->fd, POLLIN, now_ms(w) + 250)) {
			continue;
		}
		int fd = accept4(
			w->fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			continue;
		}
		(void)getnameinfo((struct sockaddr *)&from, n, peer, sizeof(peer), NULL, 0,
			NI_NUMERICHOST);
		wait_for_room(w);
		hand_over(w, fd, peer);
	}
	return NULL;
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
		return err_set(err, ERR_CONFIG, "can't listen on %.60s: %s", text,
			strerror(why)); /* NOLINT(concurrency-mt-unsafe) */
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
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->fewer, NULL);
	if (pthread_create(&w->thread, NULL, accept_all, w) != 0) {
		BUG("no thread to be had");
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
	atomic_store(&w->ending, true);
	(void)pthread_join(w->thread, NULL);
	(void)close(w->fd);
	(void)pthread_mutex_lock(&w->lock);
	while (w->running > 0) {
		(void)pthread_cond_wait(&w->fewer, &w->lock);
	}
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_mutex_destroy(&w->lock);
	(void)pthread_cond_destroy(&w->fewer);
	free(w);
}
