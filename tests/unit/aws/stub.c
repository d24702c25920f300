#include "stub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct connection {
	struct stub *stub;
	int fd;
};

static size_t content_length(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length:");
	return at ? (size_t)strtoul(at + 17, NULL, 10) : 0;
}

/* Head and body of one request; NULL when the client closed. */
static char *read_request(int fd)
{
	size_t cap = 1u << 20, n = 0;
	char *text = calloc(1, cap + 1);
	for (;;) {
		char *end = strstr(text, "\r\n\r\n");
		if (end && n >= (size_t)(end + 4 - text) + content_length(text)) {
			return text;
		}
		ssize_t got = n < cap ? recv(fd, text + n, cap - n, 0) : 0;
		if (got <= 0) {
			free(text);
			return NULL;
		}
		n += (size_t)got;
	}
}

/* Shorter when the test is over. */
static void rest(struct stub *s, int ms)
{
	for (; ms > 0 && !atomic_load(&s->stopping); ms -= 20) {
		struct timespec t = { 0, (long)(ms < 20 ? ms : 20) * 1000000 };
		(void)nanosleep(&t, NULL);
	}
}

static void say(struct stub *s, int fd, const struct stub_answer *a)
{
	size_t n = strlen(a->text), piece = a->drip_ms ? 1 : n;
	for (size_t i = 0; i < n; i += piece) {
		if (send(fd, a->text + i, piece, MSG_NOSIGNAL) < 0) {
			return;
		}
		rest(s, a->drip_ms);
	}
}

static void patience(int fd, int ms)
{
	struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static void *serve(void *arg)
{
	struct connection *c = arg;
	struct stub *s = c->stub;
	for (char *text = read_request(c->fd); text; text = read_request(c->fd)) {
		(void)pthread_mutex_lock(&s->lock);
		size_t i = s->n_requests++;
		if (i < STUB_MAX) {
			s->requests[i] = text;
		} else {
			free(text);
		}
		struct stub_answer a = s->answers[i < s->n_answers ? i : s->n_answers - 1];
		(void)pthread_mutex_unlock(&s->lock);
		rest(s, a.delay_ms);
		if (!a.text) {
			break;
		}
		say(s, c->fd, &a);
		if (a.close) {
			break;
		}
		patience(c->fd, a.idle_ms ? a.idle_ms : 20000);
	}
	(void)shutdown(c->fd, SHUT_RDWR);
	(void)close(c->fd);
	(void)atomic_fetch_sub(&s->open, 1);
	free(c);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct stub *s = arg;
	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		if (fd < 0 || atomic_load(&s->stopping)) {
			if (fd >= 0) {
				(void)close(fd);
			}
			return NULL;
		}
		(void)pthread_mutex_lock(&s->lock);
		s->n_connections++;
		(void)pthread_mutex_unlock(&s->lock);
		patience(fd, 20000);
		struct connection *c = calloc(1, sizeof(*c));
		*c = (struct connection){ s, fd };
		(void)atomic_fetch_add(&s->open, 1);
		pthread_t t;
		if (pthread_create(&t, NULL, serve, c) != 0) {
			abort();
		}
		(void)pthread_detach(t);
	}
}

void stub_start(struct stub *s, const struct stub_answer *answers, size_t n)
{
	memset(s, 0, sizeof(*s));
	s->answers = answers;
	s->n_answers = n;
	(void)pthread_mutex_init(&s->lock, NULL);
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, size) != 0 ||
		listen(s->fd, 64) != 0 ||
		getsockname(s->fd, (struct sockaddr *)&a, &size) != 0) {
		abort();
	}
	s->port = ntohs(a.sin_port);
	(void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", s->port);
	if (pthread_create(&s->acceptor, NULL, accept_all, s) != 0) {
		abort();
	}
}

/* Clients must be gone (their connections closed) before. */
void stub_stop(struct stub *s)
{
	atomic_store(&s->stopping, true);
	(void)shutdown(s->fd, SHUT_RDWR);
	(void)pthread_join(s->acceptor, NULL);
	(void)close(s->fd);
	for (int i = 0; i < 2000 && atomic_load(&s->open) > 0; i++) {
		(void)usleep(5000);
	}
	for (size_t i = 0; i < STUB_MAX; i++) {
		free(s->requests[i]);
	}
	(void)pthread_mutex_destroy(&s->lock);
}

static size_t locked(struct stub *s, const size_t *n)
{
	(void)pthread_mutex_lock(&s->lock);
	size_t copy = *n;
	(void)pthread_mutex_unlock(&s->lock);
	return copy;
}

size_t stub_requests(struct stub *s)
{
	return locked(s, &s->n_requests);
}

size_t stub_connections(struct stub *s)
{
	return locked(s, &s->n_connections);
}

void stub_header(struct stub *s, size_t i, const char *name, char *out, size_t size)
{
	char want[128];
	(void)snprintf(want, sizeof(want), "\r\n%s: ", name);
	(void)pthread_mutex_lock(&s->lock);
	const char *at =
		i < STUB_MAX && s->requests[i] ? strcasestr(s->requests[i], want) : NULL;
	size_t n = at ? strcspn(at + strlen(want), "\r") : 0;
	(void)snprintf(out, size, "%.*s", (int)n, at ? at + strlen(want) : "");
	(void)pthread_mutex_unlock(&s->lock);
}

const char *stub_text(
	char *out, size_t size, const char *status, const char *headers, const char *body)
{
	(void)snprintf(out, size, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
		headers, strlen(body), body);
	return out;
}

/* ---- environment ---- */

int64_t stub_patience(int64_t ms)
{
	const char *factor = getenv("CORDON_SLOW");
	return ms * (factor ? strtol(factor, NULL, 10) : 1);
}

static struct stub_env *own(struct env *e)
{
	return (struct stub_env *)(void *)e;
}

static int64_t now_ms(struct env *e)
{
	return atomic_load(&own(e)->now_ms);
}

static int64_t mono_us(struct env *e)
{
	return now_ms(e) * 1000;
}

static void randomness(struct env *e, void *out, size_t n)
{
	(void)e;
	env_random(env_system(), out, n);
}

static void sleep_ms(struct env *e, int64_t ms)
{
	(void)atomic_fetch_add(&own(e)->now_ms, ms);
	(void)atomic_fetch_add(&own(e)->slept_ms, ms);
}

static const char *var(struct env *e, const char *name)
{
	size_t n = strlen(name);
	for (const char *const *v = own(e)->vars; v && *v; v++) {
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=') {
			return *v + n + 1;
		}
	}
	return NULL;
}

static enum err_status read_file(
	struct env *e, const char *path, struct buf *out, struct err *err)
{
	(void)e;
	return env_read_file(env_system(), path, out, err);
}

static enum err_status write_file(
	struct env *e, const char *path, struct str data, int mode, struct err *err)
{
	(void)e;
	return env_write_file(env_system(), path, data, mode, err);
}

void stub_env_init(struct stub_env *e, int64_t start_ms, const char *const *vars)
{
	static const struct env_vtable table = { now_ms, mono_us, randomness, sleep_ms, var,
		read_file, write_file };
	memset(e, 0, sizeof(*e));
	e->base.v = &table;
	atomic_store(&e->now_ms, start_ms);
	e->vars = vars;
}
