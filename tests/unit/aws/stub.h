/* A scripted HTTP server on a loopback port, in threads of the test. */
#ifndef CORDON_TEST_STUB_H
#define CORDON_TEST_STUB_H

#include "base/env.h"

#include <pthread.h>
#include <stdatomic.h>

#define STUB_MAX 64

/* One answer, whole, as it goes over the wire. NULL text: the connection is cut instead. */
struct stub_answer {
	const char *text;
	int delay_ms;
	int drip_ms; /* between two bytes of it; 0 = all at once */
	int idle_ms; /* the connection is closed when no request comes for so long; 0 = 20 s */
	bool close;  /* afterwards */
};

struct stub {
	int fd, port;
	char url[64];
	const struct stub_answer *answers; /* the last one repeats */
	size_t n_answers;
	pthread_mutex_t lock;
	size_t n_requests, n_connections;
	char *requests[STUB_MAX]; /* head and body as received */
	pthread_t acceptor;
	atomic_bool stopping;
	atomic_int open;
};

void stub_start(struct stub *s, const struct stub_answer *answers, size_t n);
void stub_stop(struct stub *s);
/* Requests and connections so far. */
size_t stub_requests(struct stub *s);
size_t stub_connections(struct stub *s);
/* Copies the value of a header of request i; "" when absent. */
void stub_header(struct stub *s, size_t i, const char *name, char *out, size_t size);

/* An upper bound of time for a test, longer where everything is slow (CORDON_SLOW, a factor). */
int64_t stub_patience(int64_t ms);

/* A clock that only sleeping moves; variables from a list; randomness and files are real. */
struct stub_env {
	struct env base;
	atomic_llong now_ms, slept_ms;
	const char *const *vars;
};
void stub_env_init(struct stub_env *e, int64_t now_ms, const char *const *vars);

/* An answer with its Content-Length, in a static buffer of the caller's. */
const char *stub_text(
	char *out, size_t size, const char *status, const char *headers, const char *body);

#endif
