#include "aws/http.h"

#include "base/mem.h"
#include "base/wipe.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_IDLE_CARRIERS 16
#define MAX_HEADER_BYTES  ((size_t)256 * 1024)
#define LOOK_US           ((int64_t)100 * 1000)
#define MAX_HINT          ((int64_t)1024 * 1024)

struct http {
	CURLM *multi;
	const struct http_pool *pool;
	struct http *next;
	int64_t idle_since_ms, idle_since_us; /* by the wall and by the monotonic clock */
	struct http_exchange *live;           /* under way */
	struct http_exchange *stalled;        /* ended by us, not yet fetched by http_done */
	int64_t looked_us;                    /* for stalls */
	CURL *spare[HTTP_MAX_PARALLEL];       /* handles with nothing to do */
	size_t n_spare;
};
struct http_pool {
	pthread_mutex_t lock;
	struct http *idle;
	size_t n_idle;
	char *ca_bundle, *proxy_tls, *proxy_plain, *no_proxy;
	struct http_options opts;
};
struct http_transfer {
	CURL *easy;
	struct curl_slist *headers; /* one block, into `lines` */
	struct buf lines;
	struct str body;
	size_t header_bytes;
	bool stopped;
	struct http_exchange *next; /* in `live` or `stalled` */
	curl_off_t moved;           /* bytes either way when it was last looked at ... */
	int64_t moved_us;           /* ... and had moved */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool curl_ready;

static void global_init(void)
{
	wipe_libraries();
	curl_ready = curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free,
			     wipe_realloc, wipe_strdup, wipe_calloc) == CURLE_OK;
}

/* The first of the variables that is set; "" keeps libcurl from looking on its own. */
static char *first_of(struct env *env, const char *const names[])
{
	const char *value = NULL;
	for (size_t i = 0; names[i] && !value; i++) {
		value = env_var(env, names[i]);
	}
	return str_dup(str_from(value));
}

static void find_proxies(struct http_pool *p)
{
	static const char *const tls[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
		"ALL_PROXY", NULL };
	static const char *const plain[] = { "http_proxy", "HTTP_PROXY", "all_proxy",
		"ALL_PROXY", NULL };
	static const char *const none[] = { "no_proxy", "NO_PROXY", NULL };
	p->proxy_tls = first_of(p->opts.env, tls);
	p->proxy_plain = first_of(p->opts.env, plain);
	p->no_proxy = first_of(p->opts.env, none);
}

/* ---- pool ---- */

struct http_pool *http_pool_new(const struct http_options *opts)
{
	struct http_pool *p = calloc(1, sizeof(*p));
	if (!p) {
		BUG("out of memory");
	}
	(void)pthread_once(&once, global_init);
	(void)pthread_mutex_init(&p->lock, NULL);
	p->opts = *opts;
	p->ca_bundle = opts->ca_bundle ? str_dup(str_from(opts->ca_bundle)) : NULL;
	p->opts.connect_timeout_ms = opts->connect_timeout_ms ? opts->connect_timeout_ms : 3000;
	p->opts.stall_timeout_ms = opts->stall_timeout_ms ? opts->stall_timeout_ms : 60000;
	p->opts.max_age_s = opts->max_age_s ? opts->max_age_s : 60;
	find_proxies(p);
	return p;
}

static void carrier_free(struct http *h)
{
	while (h->n_spare > 0) {
		curl_easy_cleanup(h->spare[--h->n_spare]);
	}
	(void)curl_multi_cleanup(h->multi);
	free(h);
}

void http_pool_free(struct http_pool *p)
{
	if (!p) {
		return;
	}
	while (p->idle) {
		struct http *h = p->idle;
		p->idle = h->next;
		carrier_free(h);
	}
	(void)pthread_mutex_destroy(&p->lock);
	free(p->ca_bundle);
	wipe_free(p->proxy_tls); /* may hold a password */
	wipe_free(p->proxy_plain);
	free(p->no_proxy);
	free(p);
}

/* Idle for too long by either clock: one of them stands still while the machine is frozen. */
static bool stale(const struct http_pool *p, const struct http *h)
{
	int64_t max_ms = p->opts.max_age_s * 1000;
	return env_now_ms(p->opts.env) - h->idle_since_ms > max_ms ||
	       (env_mono_us(p->opts.env) - h->idle_since_us) / 1000 > max_ms;
}

struct http *http_get(struct http_pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	struct http *h = p->idle;
	if (h) {
		p->idle = h->next;
		p->n_idle--;
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (h && stale(p, h)) {
		carrier_free(h);
		h = NULL;
	}
	if (h || !curl_ready) {
		return h;
	}
	h = calloc(1, sizeof(*h));
	CURLM *multi = curl_multi_init();
	if (!h || !multi) {
		free(h);
		(void)curl_multi_cleanup(multi);
		return NULL;
	}
	(void)curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)HTTP_MAX_PARALLEL);
	(void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	h->multi = multi;
	h->pool = p;
	return h;
}

void http_put(struct http_pool *p, struct http *h)
{
	if (!h) {
		return;
	}
	h->idle_since_ms = env_now_ms(p->opts.env);
	h->idle_since_us = env_mono_us(p->opts.env);
	(void)pthread_mutex_lock(&p->lock);
	bool keep = p->n_idle < MAX_IDLE_CARRIERS;
	if (keep) {
		h->next = p->idle;
		p->idle = h;
		p->n_idle++;
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (!keep) {
		carrier_free(h);
	}
}

/* ---- libcurl's callbacks ---- */

static void stop(struct http_exchange *x, const char *why)
{
	x->transfer->stopped = true;
	(void)snprintf(x->detail, sizeof(x->detail), "%s", why);
}

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
	struct http_exchange *x = user;
	struct str line = { p, size * n };
	x->transfer->header_bytes += line.n;
	if (x->transfer->header_bytes > MAX_HEADER_BYTES) {
		stop(x, "the answer's headers are too large");
		return 0;
	}
	if (str_starts(line, STR("HTTP/"))) { /* a new answer, after 100 Continue */
		wire_pairs_deinit(&x->response->headers);
		return line.n;
	}
	size_t colon = str_find_char(line, ':');
	if (colon != SIZE_MAX && colon > 0 && colon < 256 &&
		x->response->headers.n < WIRE_MAX_HEADERS) {
		char name[256];
		memcpy(name, p, colon);
		name[colon] = '\0';
		struct str value = str_trim(str_sub(line, colon + 1, SIZE_MAX));
		int64_t length;
		wire_add(&x->response->headers, name, value);
		/* The length is a hint of the server's: believed as far as it costs little. */
		if (!x->sink && str_eq_nocase(str_from(name), STR("Content-Length")) &&
			str_to_i64(value, &length) && length > 0) {
			buf_reserve(&x->response->body,
				length < MAX_HINT ? (size_t)length : MAX_HINT);
		}
	}
	return line.n;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
	struct http_exchange *x = user;
	size_t bytes = size * n;
	long status = 0;
	(void)curl_easy_getinfo(x->transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	x->bytes_in += bytes;
	bool wanted = status >= 200 && status < 300;
	if (wanted && x->sink) {
		x->delivered = true;
		if (!x->sink->write(x->sink->ctx, p, bytes)) {
			stop(x, "the receiver of the data stopped the transfer");
			return 0;
		}
		return bytes;
	}
	struct buf *out = wanted && x->body_out ? x->body_out : &x->response->body;
	buf_add(out, p, bytes);
	if (!buf_ok(out)) {
		stop(x, "the answer is larger than its ceiling");
		return 0;
	}
	return bytes;
}

static size_t on_read(char *p, size_t size, size_t n, void *user)
{
	struct http_exchange *x = user;
	const struct aws_source *s = x->request->source;
	size_t got = s->read(s->ctx, p, size * n);
	if (got == SIZE_MAX) {
		stop(x, "the data to send could not be read");
		return CURL_READFUNC_ABORT;
	}
	return got;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
	const struct http_exchange *x = user;
	const struct aws_source *s = x->request->source;
	if (offset != 0 || origin != SEEK_SET || !s->rewind || !s->rewind(s->ctx)) {
		return CURL_SEEKFUNC_CANTSEEK;
	}
	return CURL_SEEKFUNC_OK;
}

/*
 * A connection is there and the request is about to go into it. When a kept connection breaks
 * before an answer came, libcurl would send the same bytes again on a new one; whether that is
 * harmless only the caller knows, so the second time ends the transfer.
 */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's signature */
static int on_connected(void *user, char *to, char *from, int to_port, int from_port)
{
	struct http_exchange *x = user;
	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	if (x->sent && !x->may_resend) {
		return CURL_PREREQFUNC_ABORT;
	}
	x->sent = true;
	return CURL_PREREQFUNC_OK;
}

/* ---- one transfer ---- */

/* As libcurl wants them: texts behind each other, and a list that points at them. */
static void make_headers(struct http_transfer *t, const struct wire_request *r)
{
	/* Headers that libcurl would add on its own are switched off ("Name:"). */
	static const char *const off[] = { "Expect:", "Accept:", "Content-Type:" };
	bool typed = wire_get(&r->headers, "Content-Type") != NULL;
	size_t n_off = typed ? 2 : 3, n = n_off + r->headers.n;
	t->headers = mem_zeroed(n, sizeof(*t->headers));
	buf_init(&t->lines, MAX_HEADER_BYTES);
	t->lines.wipe = true;
	for (size_t i = 0; i < n_off; i++) {
		buf_add(&t->lines, off[i], strlen(off[i]) + 1);
	}
	for (size_t i = 0; i < r->headers.n; i++) {
		const char *value = r->headers.items[i].value;
		buf_puts(&t->lines, r->headers.items[i].name);
		/* libcurl sends a header without value only when it is written "Name;". */
		buf_puts(&t->lines, value[0] ? ": " : ";");
		buf_add(&t->lines, value, strlen(value) + 1);
	}
	char *line = t->lines.p;
	for (size_t i = 0; i < n && buf_ok(&t->lines); i++) {
		t->headers[i].data = line;
		t->headers[i].next = i + 1 < n ? &t->headers[i + 1] : NULL;
		line += strlen(line) + 1;
	}
}

static void set_body(struct http_exchange *x)
{
	CURL *e = x->transfer->easy;
	const struct wire_request *r = x->request;
	/* Undoes what an earlier transfer of the handle was: POST, HEAD, an upload. In this order. */
	(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, NULL);
	(void)curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, NULL);
	if (r->source) {
		(void)curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(
			e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->source->size);
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
		return;
	}
	x->transfer->body = wire_body(r);
	if (strcmp(r->method, "HEAD") == 0) {
		(void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	} else if (x->transfer->body.n == 0 &&
		   (strcmp(r->method, "GET") == 0 || strcmp(r->method, "DELETE") == 0)) {
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
	} else {
		(void)curl_easy_setopt(e, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(
			e, CURLOPT_POSTFIELDS, x->transfer->body.n ? x->transfer->body.p : "");
		(void)curl_easy_setopt(
			e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->transfer->body.n);
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
	}
}

/* What holds for every transfer of a pool. */
static CURL *new_handle(const struct http_pool *p)
{
	CURL *e = curl_easy_init();
	if (!e) {
		return NULL;
	}
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	(void)curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
	(void)curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)p->opts.connect_timeout_ms);
	(void)curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)p->opts.max_age_s);
	(void)curl_easy_setopt(e, CURLOPT_NOPROXY, p->no_proxy);
	if (p->ca_bundle) {
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, p->ca_bundle);
	}
	return e;
}

/* Everything that new_handle does not set, so that nothing of an earlier transfer is left. */
static void set_transfer(const struct http_pool *p, struct http_exchange *x, const char *url)
{
	CURL *e = x->transfer->easy;
	const char *proxy = x->request->tls ? p->proxy_tls : p->proxy_plain;
	(void)curl_easy_setopt(e, CURLOPT_URL, url);
	(void)curl_easy_setopt(e, CURLOPT_PROXY, x->direct ? "" : proxy);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)x->timeout_ms);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, x->transfer->headers);
	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, x);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
	(void)curl_easy_setopt(e, CURLOPT_READDATA, x);
	(void)curl_easy_setopt(e, CURLOPT_SEEKDATA, x);
	(void)curl_easy_setopt(e, CURLOPT_PREREQDATA, x);
	set_body(x);
}

static void unlink_from(struct http_exchange **list, const struct http_exchange *x)
{
	while (*list && *list != x) {
		list = &(*list)->transfer->next;
	}
	if (*list) {
		*list = x->transfer->next;
	}
}

static void transfer_free(struct http *h, struct http_exchange *x)
{
	struct http_transfer *t = x->transfer;
	if (t) {
		unlink_from(&h->live, x);
		unlink_from(&h->stalled, x);
		x->transfer = NULL;
		if (h->n_spare < HTTP_MAX_PARALLEL) {
			h->spare[h->n_spare++] = t->easy;
		} else {
			curl_easy_cleanup(t->easy);
		}
		free(t->headers);
		buf_deinit(&t->lines);
		free(t);
	}
}

enum err_status http_start(struct http *h, struct http_exchange *x, struct err *err)
{
	struct http_transfer *t = calloc(1, sizeof(*t));
	CURL *e = h->n_spare > 0 ? h->spare[--h->n_spare] : new_handle(h->pool);
	if (!t || !e) {
		curl_easy_cleanup(e);
		free(t);
		return err_set(err, ERR_FAILED, "libcurl can't begin a transfer");
	}
	struct buf url;
	buf_init(&url, (size_t)256 * 1024);
	wire_url(x->request, &url);
	t->easy = e;
	x->transfer = t;
	make_headers(t, x->request);
	set_transfer(h->pool, x, url.p ? url.p : "");
	bool whole = buf_ok(&url) && buf_ok(&t->lines);
	CURLMcode code = whole ? curl_multi_add_handle(h->multi, e) : CURLM_BAD_HANDLE;
	buf_deinit(&url);
	if (code != CURLM_OK) {
		transfer_free(h, x);
		return err_set(err, ERR_FAILED, "libcurl can't begin a transfer: %s",
			curl_multi_strerror(code));
	}
	t->moved_us = env_mono_us(h->pool->opts.env);
	t->next = h->live;
	h->live = x;
	return ERR_OK;
}

static bool has_moved(struct http_exchange *x, int64_t now_us)
{
	struct http_transfer *t = x->transfer;
	curl_off_t up = 0, down = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_off_t moved = up + down + (curl_off_t)t->header_bytes + (x->sent ? 1 : 0);
	bool has = moved != t->moved;
	if (has) {
		t->moved = moved;
		t->moved_us = now_us;
	}
	return has;
}

/* libcurl's own low-speed limit averages over seconds; this is exact to a tenth of one. */
static void end_stalled(struct http *h)
{
	int64_t now = env_mono_us(h->pool->opts.env);
	if (now - h->looked_us < LOOK_US) {
		return;
	}
	h->looked_us = now;
	int64_t limit_us = h->pool->opts.stall_timeout_ms * 1000;
	for (struct http_exchange *x = h->live, *next; x; x = next) {
		next = x->transfer->next;
		if (has_moved(x, now) || now - x->transfer->moved_us < limit_us) {
			continue;
		}
		(void)curl_multi_remove_handle(h->multi, x->transfer->easy);
		unlink_from(&h->live, x);
		x->transfer->next = h->stalled;
		h->stalled = x;
	}
}

void http_run(struct http *h, int timeout_ms)
{
	int running = 0, ready = 0;
	(void)curl_multi_perform(h->multi, &running);
	if (running > 0 && timeout_ms > 0) {
		(void)curl_multi_poll(h->multi, NULL, 0, timeout_ms, &ready);
		(void)curl_multi_perform(h->multi, &running);
	}
	end_stalled(h);
}

static enum http_result result_of(CURLcode code, struct http_exchange *x)
{
	if (x->transfer->stopped) {
		return HTTP_STOPPED;
	}
	if (code == CURLE_OK) {
		return HTTP_OK;
	}
	bool resend = code == CURLE_ABORTED_BY_CALLBACK;
	const char *why = resend ? "the connection was closed before an answer came"
				 : curl_easy_strerror(code);
	(void)snprintf(x->detail, sizeof(x->detail), "%s", why);
	x->timed_out = code == CURLE_OPERATION_TIMEDOUT;
	return x->sent ? HTTP_LOST : HTTP_UNSENT;
}

static struct http_exchange *done_stalled(struct http *h)
{
	struct http_exchange *x = h->stalled;
	(void)snprintf(x->detail, sizeof(x->detail), "nothing was sent or received for %lld s",
		(long long)(h->pool->opts.stall_timeout_ms / 1000));
	x->timed_out = true;
	x->result = x->sent ? HTTP_LOST : HTTP_UNSENT;
	transfer_free(h, x);
	return x;
}

struct http_exchange *http_done(struct http *h)
{
	int left = 0;
	if (h->stalled) {
		return done_stalled(h);
	}
	for (CURLMsg *m = curl_multi_info_read(h->multi, &left); m;
		m = curl_multi_info_read(h->multi, &left)) {
		if (m->msg != CURLMSG_DONE) {
			continue;
		}
		struct http_exchange *x = NULL;
		CURLcode code = m->data.result;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
		long status = 0;
		curl_off_t sent = 0;
		(void)curl_easy_getinfo(x->transfer->easy, CURLINFO_RESPONSE_CODE, &status);
		(void)curl_easy_getinfo(x->transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
		x->bytes_out = (uint64_t)sent;
		x->response->status = (int)status;
		x->result = result_of(code, x);
		(void)curl_multi_remove_handle(h->multi, x->transfer->easy);
		transfer_free(h, x);
		return x;
	}
	return NULL;
}

void http_cancel(struct http *h, struct http_exchange *x)
{
	if (x->transfer) {
		(void)curl_multi_remove_handle(h->multi, x->transfer->easy);
		transfer_free(h, x);
		x->result = HTTP_CANCELLED;
		(void)snprintf(x->detail, sizeof(x->detail), "cancelled");
	}
}

enum err_status http_once(struct http *h, struct http_exchange *x, struct err *err)
{
	enum err_status st = http_start(h, x, err);
	if (st != ERR_OK) {
		return st;
	}
	while (!http_done(h)) {
		if (h->pool->opts.cancel && atomic_load(h->pool->opts.cancel)) {
			http_cancel(h, x);
			return err_set(err, ERR_INTERRUPTED, "cancelled");
		}
		http_run(h, HTTP_LOOK_MS);
	}
	return ERR_OK;
}
