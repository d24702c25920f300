/*
 * An HTTP server that costs next to nothing, so that a benchmark measures its clients: one thread,
 * epoll, kept connections, answers out of files. A file is chosen by the first of the given words
 * that a request contains.
 *   canned_server WORD=FILE...        prints its port, serves until its standard input closes
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FILES   16
#define MAX_FDS     4096
#define MAX_REQUEST ((size_t)1 << 20)
#define EVENTS      256

struct canned {
	const char *word;
	char *answer; /* head and body */
	size_t n;
};
static struct canned files[MAX_FILES];
static int n_files;
static struct {
	char *p;
	size_t n;
} pending[MAX_FDS];

static void load(char *spec)
{
	char *equal = strrchr(spec, '=');
	FILE *f = equal && n_files < MAX_FILES ? fopen(equal + 1, "rb") : NULL;
	char *body = malloc(MAX_REQUEST);
	if (!f || !body) {
		(void)fprintf(stderr, "canned_server: can't use %s\n", spec);
		exit(2);
	}
	size_t n = fread(body, 1, MAX_REQUEST, f);
	(void)fclose(f);
	*equal = '\0';
	struct canned *c = &files[n_files++];
	c->word = spec;
	c->answer = malloc(n + 256);
	if (!c->answer) {
		exit(2);
	}
	c->n = (size_t)snprintf(c->answer, 256,
		"HTTP/1.1 200 OK\r\nx-amzn-RequestId: "
		"0f0e0d0c-0b0a-0908-0706-050403020100\r\nContent-Length: %zu\r\n\r\n",
		n);
	memcpy(c->answer + c->n, body, n);
	c->n += n;
	free(body);
}

/* Bytes of the first request in the text, 0 when it is not whole yet. */
static size_t whole(const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);
	if (!end) {
		return 0;
	}
	size_t head = (size_t)(end - p) + 4;
	const char *length = strcasestr(p, "\r\ncontent-length:");
	size_t body = length && length < end ? (size_t)strtoul(length + 17, NULL, 10) : 0;
	return n >= head + body ? head + body : 0;
}

static void drop(int fd)
{
	free(pending[fd].p);
	pending[fd].p = NULL;
	pending[fd].n = 0;
	(void)close(fd);
}

static int answer(int fd, const char *request, size_t n)
{
	const struct canned *c = &files[n_files - 1];
	for (int i = 0; i < n_files; i++) {
		if (memmem(request, n, files[i].word, strlen(files[i].word))) {
			c = &files[i];
			break;
		}
	}
	for (size_t sent = 0; sent < c->n;) {
		ssize_t k = send(fd, c->answer + sent, c->n - sent, MSG_NOSIGNAL);
		if (k <= 0) {
			return -1;
		}
		sent += (size_t)k;
	}
	return 0;
}

static void serve(int fd)
{
	if (!pending[fd].p) {
		pending[fd].p = malloc(MAX_REQUEST + 1);
	}
	char *p = pending[fd].p;
	size_t n = pending[fd].n;
	ssize_t got = p ? recv(fd, p + n, MAX_REQUEST - n, 0) : 0;
	if (got <= 0) {
		drop(fd);
		return;
	}
	n += (size_t)got;
	p[n] = '\0';
	for (size_t used = whole(p, n); used; used = whole(p, n)) {
		if (answer(fd, p, used) != 0) {
			drop(fd);
			return;
		}
		memmove(p, p + used, n - used + 1);
		n -= used;
	}
	pending[fd].n = n;
}

static void take(int listener, int poll)
{
	int one = 1, fd = accept(listener, NULL, NULL);
	if (fd < 0 || fd >= MAX_FDS) {
		(void)close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
	(void)epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	for (int i = 1; i < argc; i++) {
		load(argv[i]);
	}
	int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
	if (n_files == 0 || bind(listener, (struct sockaddr *)&a, size) != 0 ||
		listen(listener, 1024) != 0 ||
		getsockname(listener, (struct sockaddr *)&a, &size) != 0) {
		return 2;
	}
	(void)printf("%d\n", ntohs(a.sin_port));
	(void)fflush(stdout);
	const int watched[] = { STDIN_FILENO, listener };
	for (size_t i = 0; i < 2; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = watched[i] };
		(void)epoll_ctl(poll, EPOLL_CTL_ADD, watched[i], &e);
	}
	for (;;) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(poll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			char c;
			if (fd == listener) {
				take(listener, poll);
			} else if (fd != STDIN_FILENO) {
				serve(fd);
			} else if (read(fd, &c, 1) <= 0) {
				return 0;
			}
		}
	}
}
