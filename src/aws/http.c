#include "aws/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PARALLEL      64L
#define MAX_IDLE_CARRIERS 16
#define MAX_HEADER_BYTES  ((size_t)256 * 1024)

struct http {
	CURLM *multi;
	const struct http_pool *pool;
	struct http *next;
};
struct http_pool {
	pthread_mutex_t lock;
	struct http *idle;
	size_t n_idle;
	char *ca_bundle;
	struct http_options opts;
};
struct http_transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct str body;
	size_t header_bytes;
	bool stopped;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool curl_ready;

static void global_init(void)
{
	curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
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
	return p;
}

static void carrier_free(struct http *h)
{
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
	free(p);
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
	(void)curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, MAX_PARALLEL);
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
		wire_add(&x->response->headers, name,
			str_trim(str_sub(line, colon + 1, SIZE_MAX)));
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

/* ---- one transfer ---- */

static struct curl_slist *add_header(
	struct curl_slist *list, const char *name, const char *value)
{
	struct buf line;
	buf_init(&line, (size_t)64 * 1024);
	/* libcurl sends a header without value only when it is written "Name;". */
	buf_printf(&line, value[0] ? "%s: %s" : "%s;", name, value);
	struct curl_slist *more = curl_slist_append(list, line.p ? line.p : "");
	buf_deinit(&line);
	return more ? more : list;
}

static struct curl_slist *header_list(const struct wire_request *r)
{
	/* Headers that libcurl would add on its own are switched off ("Name:"). */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	list = curl_slist_append(list, "Accept:");
	if (!wire_get(&r->headers, "Content-Type")) {
		list = curl_slist_append(list, "Content-Type:");
	}
	for (size_t i = 0; i < r->headers.n; i++) {
		list = add_header(list, r->headers.items[i].name, r->headers.items[i].value);
	}
	return list;
}

static void set_body(struct http_exchange *x)
{
	CURL *e = x->transfer->easy;
	const struct wire_request *r = x->request;
	if (r->source) {
		(void)curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(
			e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->source->size);
		(void)curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
		(void)curl_easy_setopt(e, CURLOPT_READDATA, x);
		(void)curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
		(void)curl_easy_setopt(e, CURLOPT_SEEKDATA, x);
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
		return;
	}
	x->transfer->body = wire_body(r);
	if (strcmp(r->method, "HEAD") == 0) {
		(void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	} else if (strcmp(r->method, "GET") == 0 && x->transfer->body.n == 0) {
		(void)curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	} else if (strcmp(r->method, "DELETE") == 0 && x->transfer->body.n == 0) {
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

static void set_limits(const struct http *h, struct http_exchange *x)
{
	CURL *e = x->transfer->easy;
	const struct http_options *o = &h->pool->opts;
	long stall_s = (long)((o->stall_timeout_ms + 999) / 1000);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_timeout_ms);
	(void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, stall_s);
	(void)curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)o->max_age_s);
	if (x->timeout_ms > 0) {
		(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)x->timeout_ms);
	}
	if (h->pool->ca_bundle) {
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, h->pool->ca_bundle);
	}
	if (x->direct) {
		(void)curl_easy_setopt(e, CURLOPT_PROXY, "");
	}
}

static void transfer_free(struct http_exchange *x)
{
	struct http_transfer *t = x->transfer;
	x->transfer = NULL;
	if (t) {
		curl_easy_cleanup(t->easy);
		curl_slist_free_all(t->headers);
		free(t);
	}
}

enum err_status http_start(struct http *h, struct http_exchange *x, struct err *err)
{
	struct http_transfer *t = calloc(1, sizeof(*t));
	CURL *e = t ? curl_easy_init() : NULL;
	if (!e) {
		free(t);
		return err_set(err, ERR_FAILED, "libcurl can't begin a transfer");
	}
	struct buf url;
	buf_init(&url, (size_t)256 * 1024);
	wire_url(x->request, &url);
	t->easy = e;
	x->transfer = t;
	t->headers = header_list(x->request);
	(void)curl_easy_setopt(e, CURLOPT_URL, url.p ? url.p : "");
	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, x);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
	set_limits(h, x);
	set_body(x);
	CURLMcode code = buf_ok(&url) ? curl_multi_add_handle(h->multi, e) : CURLM_BAD_HANDLE;
	buf_deinit(&url);
	if (code != CURLM_OK) {
		transfer_free(x);
		return err_set(err, ERR_FAILED, "libcurl can't begin a transfer: %s",
			curl_multi_strerror(code));
	}
	return ERR_OK;
}

void http_run(struct http *h, int timeout_ms)
{
	int running = 0, ready = 0;
	(void)curl_multi_perform(h->multi, &running);
	if (running > 0 && timeout_ms > 0) {
		(void)curl_multi_poll(h->multi, NULL, 0, timeout_ms, &ready);
		(void)curl_multi_perform(h->multi, &running);
	}
}

static enum http_result result_of(CURLcode code, struct http_exchange *x)
{
	curl_off_t sent = 0;
	long request_bytes = 0;
	if (x->transfer->stopped) {
		return HTTP_STOPPED;
	}
	if (code == CURLE_OK) {
		return HTTP_OK;
	}
	const char *why = curl_easy_strerror(code);
	(void)snprintf(x->detail, sizeof(x->detail), "%s", why);
	x->timed_out = code == CURLE_OPERATION_TIMEDOUT;
	(void)curl_easy_getinfo(x->transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void)curl_easy_getinfo(x->transfer->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	return sent == 0 && request_bytes == 0 ? HTTP_UNSENT : HTTP_LOST;
}

struct http_exchange *http_done(struct http *h)
{
	int left = 0;
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
		transfer_free(x);
		return x;
	}
	return NULL;
}

void http_cancel(struct http *h, struct http_exchange *x)
{
	if (x->transfer) {
		(void)curl_multi_remove_handle(h->multi, x->transfer->easy);
		transfer_free(x);
	}
}

enum err_status http_once(struct http *h, struct http_exchange *x, struct err *err)
{
	enum err_status st = http_start(h, x, err);
	if (st != ERR_OK) {
		return st;
	}
	while (!http_done(h)) {
		http_run(h, 1000);
	}
	return ERR_OK;
}
