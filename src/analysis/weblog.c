#include "analysis/weblog.h"

#include "analysis/clf.h"
#include "base/err.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

#define HITS_MAX    ((size_t)512 * 1024)
#define CLIENTS_MAX ((size_t)1024 * 1024)
#define NORMS_MAX   ((size_t)128 * 1024)

void web_init(struct web *w, struct pool *pool)
{
	*w = (struct web){ .pool = pool };
	table_init(&w->clients, sizeof(struct web_client), CLIENTS_MAX);
	table_init(&w->norms, sizeof(struct fold_lowest), NORMS_MAX);
}

void web_deinit(struct web *w)
{
	free(w->hits);
	table_deinit(&w->clients);
	table_deinit(&w->norms);
}

/* ---- formats ---- */

/* "GET /path HTTP/1.1"; attackers send half of it or something else altogether. */
static void read_request(struct str request, struct web_line *l)
{
	struct str rest = request;
	l->method = clf_word(&rest);
	rest = str_trim(rest);
	size_t http = rest.n;
	for (size_t i = rest.n; i > 0; i--) {
		if (rest.p[i - 1] == ' ') {
			http = i - 1;
			break;
		}
	}
	bool version = str_starts(str_sub(rest, http + 1, SIZE_MAX), STR("HTTP/"));
	l->target = version ? str_sub(rest, 0, http) : rest;
	if (l->target.n == 0) {
		l->target = l->method;
		l->method = (struct str){ "", 0 };
	}
}

static bool combined(struct str line, struct web_line *l)
{
	struct str rest = line;
	l->ip = clf_word(&rest);
	if (!clf_is_address(l->ip)) {
		l->host = l->ip;
		l->ip = clf_word(&rest);
		if (!clf_is_address(l->ip)) {
			return false;
		}
	}
	struct str request;
	if (!clf_bracketed_time(&rest, &l->time_ms) || !clf_quoted(&rest, &request)) {
		return false;
	}
	read_request(request, l);
	int64_t status = 0;
	if (!str_to_i64(clf_word(&rest), &status) || status < 0 || status > 999) {
		return false;
	}
	l->status = (int)status;
	if (!str_to_i64(clf_word(&rest), &l->bytes)) {
		l->bytes = -1;
	}
	if (clf_quoted(&rest, &l->referer)) {
		(void)clf_quoted(&rest, &l->agent);
	}
	return true;
}

static struct str before_port(struct str s)
{
	size_t colon = SIZE_MAX;
	for (size_t i = 0; i < s.n; i++) {
		colon = s.p[i] == ':' ? i : colon;
	}
	return str_sub(s, 0, colon);
}

/* type time elb client:port target:port 3 times status target_status received sent "request" ... */
static bool alb(struct str line, struct web_line *l)
{
	static const char *const types[] = { "http", "https", "h2", "ws", "wss", "grpcs" };
	struct str rest = line;
	struct str type = clf_word(&rest);
	bool known = false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		known |= str_is(type, types[i]);
	}
	if (!known || !utc_parse(clf_word(&rest), &l->time_ms)) {
		return false;
	}
	(void)clf_word(&rest);
	l->ip = before_port(clf_word(&rest));
	l->host = before_port(clf_word(&rest));
	for (int i = 0; i < 3; i++) {
		(void)clf_word(&rest);
	}
	int64_t status = 0;
	(void)str_to_i64(clf_word(&rest), &status);
	int64_t target_status = 0;
	(void)str_to_i64(clf_word(&rest), &target_status);
	(void)clf_word(&rest);
	if (!str_to_i64(clf_word(&rest), &l->bytes)) {
		l->bytes = -1;
	}
	l->status = status >= 0 && status <= 999 ? (int)status : 0;
	struct str request;
	if (!clf_is_address(l->ip) || !clf_quoted(&rest, &request)) {
		return false;
	}
	read_request(request, l);
	(void)clf_quoted(&rest, &l->agent);
	l->alb = true;
	return true;
}

bool web_parse(struct str line, struct web_line *out)
{
	struct web_line l = { .bytes = -1 };
	if (!alb(line, &l)) {
		l = (struct web_line){ .bytes = -1 };
		if (!combined(line, &l)) {
			return false;
		}
	}
	*out = l;
	return true;
}

/* ---- what was seen ---- */

/* Path without host and query: "http://h:80/a?b" -> "/a". */
static struct str path_of(struct str target)
{
	size_t scheme = str_find(str_sub(target, 0, 12), STR("://"));
	if (scheme != SIZE_MAX) {
		target = str_sub(target, scheme + 3, SIZE_MAX);
		size_t slash = str_find_char(target, '/');
		target = slash == SIZE_MAX ? STR("/") : str_sub(target, slash, SIZE_MAX);
	}
	return str_sub(target, 0, str_find_char(target, '?'));
}

static struct web_hit *new_hit(struct web *w)
{
	if (w->n_hits == w->cap_hits) {
		if (w->cap_hits >= HITS_MAX) {
			w->refused++;
			return NULL;
		}
		w->cap_hits = w->cap_hits ? w->cap_hits * 2 : 64;
		w->hits = realloc(w->hits, w->cap_hits * sizeof(*w->hits));
		if (!w->hits) {
			BUG("out of memory");
		}
	}
	return &w->hits[w->n_hits++];
}

/*
 * Order must not matter, so the smallest sizes are kept, not the first: a path with more sizes
 * than there is room for says little anyway.
 */
static void learn_norm(struct web *w, const struct web_line *l)
{
	size_t at = table_add(&w->norms, table_hash(w->pool->seed, path_of(l->target)), NULL);
	if (at != SIZE_MAX) {
		fold_lowest_add(table_at(&w->norms, at), l->bytes);
	}
}

static bool is_norm(const struct web *w, const struct web_hit *h)
{
	const struct fold_lowest *n =
		table_find(&w->norms, table_hash(w->pool->seed, pool_get(w->pool, h->path)));
	for (uint32_t i = 0; n && i < n->n; i++) {
		if (n->at[i] == h->bytes) {
			return true;
		}
	}
	return false;
}

#define DECODED_MAX 8192

static void count_line(
	struct web *w, const struct web_line *l, uint32_t ip, enum web_attack attack)
{
	bool fresh = false;
	size_t at = table_add(&w->clients, pool_key(w->pool, ip), &fresh);
	w->first_ms = w->n_lines == 0 || l->time_ms < w->first_ms ? l->time_ms : w->first_ms;
	w->last_ms = w->n_lines == 0 || l->time_ms > w->last_ms ? l->time_ms : w->last_ms;
	w->n_lines++;
	if (at != SIZE_MAX) {
		struct web_client *c = table_at(&w->clients, at);
		c->ip = ip;
		c->n++;
		c->n_attacks += attack != WEB_NONE;
		c->n_failed += l->status >= 400 && l->status < 500;
		c->first_ms = fresh || l->time_ms < c->first_ms ? l->time_ms : c->first_ms;
		c->last_ms = fresh || l->time_ms > c->last_ms ? l->time_ms : c->last_ms;
	}
	if (attack == WEB_NONE && l->status >= 200 && l->status < 300 && l->bytes >= 0) {
		learn_norm(w, l);
	}
}

void web_add(struct web *w, const struct web_line *l, struct str id, struct line_key key)
{
	uint32_t ip = pool_put(w->pool, l->ip);
	char room[DECODED_MAX];
	struct web_aim aim = { .role = { "", 0 }, .callee = { "", 0 } };
	enum web_attack attack = web_judge(l, room, sizeof(room), &aim);
	if (key.fresh) {
		count_line(w, l, ip, attack);
	}
	struct web_hit *h = attack == WEB_NONE ? NULL : new_hit(w);
	if (h) {
		*h = (struct web_hit){ .time_ms = l->time_ms,
			.key = key.key,
			.attack = attack,
			.ip = ip,
			.target = pool_put(w->pool, str_sub(l->target, 0, 512)),
			.agent = pool_put(w->pool, str_sub(l->agent, 0, 256)),
			.id = pool_put(w->pool, id),
			.path = pool_put(w->pool, path_of(l->target)),
			.role = pool_put(w->pool, aim.role),
			.callee = pool_put(w->pool, aim.callee),
			.status = l->status,
			.bytes = l->bytes };
	}
}

/* Copies of one line side by side, the one to cite first. */
static int by_key(const void *a, const void *b, void *pool)
{
	const struct web_hit *x = a;
	const struct web_hit *y = b;
	if (x->key != y->key) {
		return x->key < y->key ? -1 : 1;
	}
	return str_cmp(pool_get(pool, x->id), pool_get(pool, y->id));
}

static void drop_copies(struct web *w)
{
	size_t n = 0;
	if (w->n_hits) {
		qsort_r(w->hits, w->n_hits, sizeof(*w->hits), by_key, w->pool);
	}
	for (size_t i = 0; i < w->n_hits; i++) {
		if (n == 0 || w->hits[i].key != w->hits[n - 1].key) {
			w->hits[n++] = w->hits[i];
		}
	}
	w->n_hits = n;
}

/* Files of one name in several folders may have the same id for different lines. */
static int by_time(const void *a, const void *b, void *pool)
{
	const struct web_hit *x = a;
	const struct web_hit *y = b;
	const uint32_t texts[][2] = { { x->id, y->id }, { x->ip, y->ip },
		{ x->target, y->target }, { x->agent, y->agent } };
	int c = 0;
	if (x->time_ms != y->time_ms) {
		return x->time_ms < y->time_ms ? -1 : 1;
	}
	for (size_t i = 0; c == 0 && i < sizeof(texts) / sizeof(texts[0]); i++) {
		c = pool_order(pool, texts[i][0], texts[i][1]);
	}
	if (c || x->status != y->status) {
		return c ? c : x->status < y->status ? -1 : 1;
	}
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

/* Answers of one client that look alike, and the first two paths that got them. */
struct alike {
	uint32_t path[2];
	bool many;
};

static uint64_t alike_key(const struct web_hit *h)
{
	return table_mix(table_mix(h->ip, (uint64_t)h->status), (uint64_t)h->bytes);
}

static void count_alike(struct table *t, const struct web_hit *h)
{
	bool fresh = false;
	size_t at = table_add(t, alike_key(h), &fresh);
	if (at == SIZE_MAX) {
		return;
	}
	struct alike *a = table_at(t, at);
	if (fresh) {
		a->path[0] = a->path[1] = h->path;
	} else if (a->path[0] == a->path[1]) {
		a->path[1] = h->path;
	} else if (h->path != a->path[0] && h->path != a->path[1]) {
		a->many = true;
	}
}

/*
 * A site that answers 200 to everything makes every probe look like a success: when one client
 * gets an answer of the same size to attempts on three different paths, none of them worked. Nor
 * did one that got what harmless requests for the same path get.
 */
void web_settle(struct web *w)
{
	drop_copies(w);
	if (w->n_hits) {
		qsort_r(w->hits, w->n_hits, sizeof(*w->hits), by_time, w->pool);
	}
	struct table alike;
	table_init(&alike, sizeof(struct alike), HITS_MAX);
	for (size_t i = 0; i < w->n_hits; i++) {
		count_alike(&alike, &w->hits[i]);
	}
	for (size_t i = 0; i < w->n_hits; i++) {
		struct web_hit *h = &w->hits[i];
		const struct alike *a = table_find(&alike, alike_key(h));
		bool catch_all = h->bytes >= 0 && a && a->many;
		bool answered = h->status >= 200 && h->status < 300 && h->bytes != 0;
		/* Log4Shell works, or not, whatever page is sent back; code that runs may
		 * as well end in an error or a redirect. */
		bool odd = (h->status >= 300 && h->status < 400) || h->status >= 500;
		bool runs = h->attack == WEB_COMMAND || h->attack == WEB_SHELL;
		h->possible = h->attack == WEB_JNDI || (runs && (odd || answered));
		h->success = answered && h->attack != WEB_PROBE && h->attack != WEB_JNDI &&
			     !catch_all && !is_norm(w, h);
	}
	table_deinit(&alike);
}
