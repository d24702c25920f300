#include "aws/sigv4.h"

#include "aws/uri.h"
#include "base/utc.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_CANONICAL ((size_t)1024 * 1024)
#define CACHE_SLOTS   16

/* ---- signing keys ---- */

struct slot {
	unsigned char id[HASH_SHA256_BYTES]; /* digest of everything the key depends on */
	unsigned char key[HASH_SHA256_BYTES];
	bool used;
};
struct sigv4_cache {
	pthread_mutex_t lock;
	struct slot slots[CACHE_SLOTS];
	size_t next;
};

struct sigv4_cache *sigv4_cache_new(void)
{
	struct sigv4_cache *c = calloc(1, sizeof(*c));
	if (c) {
		(void)pthread_mutex_init(&c->lock, NULL);
	}
	return c;
}

void sigv4_cache_free(struct sigv4_cache *c)
{
	if (!c) {
		return;
	}
	(void)pthread_mutex_destroy(&c->lock);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}

static void hmac(const unsigned char *key, const char *text, unsigned char *out)
{
	struct str k = { (const char *)key, HASH_SHA256_BYTES };
	hash_hmac_sha256(k, str_from(text), out);
}

static void derive(const struct sigv4_params *p, const char *date, unsigned char *out)
{
	struct buf start;
	buf_init(&start, 4096);
	start.wipe = true;
	buf_puts(&start, "AWS4");
	buf_add_str(&start, secret_reveal(p->keys.secret_key));
	unsigned char a[HASH_SHA256_BYTES], b[HASH_SHA256_BYTES];
	hash_hmac_sha256(buf_view(&start), str_from(date), a);
	hmac(a, p->region, b);
	hmac(b, p->service, a);
	hmac(a, "aws4_request", out);
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(b, sizeof(b));
	buf_deinit(&start);
}

static void key_id(const struct sigv4_params *p, const char *date, unsigned char *out)
{
	struct hash_sha256 *h = hash_sha256_new();
	struct str secret = secret_reveal(p->keys.secret_key);
	hash_sha256_add(h, secret.p, secret.n);
	const char *rest[] = { date, p->region, p->service };
	for (size_t i = 0; i < 3; i++) {
		hash_sha256_add(h, rest[i], strlen(rest[i]) + 1);
	}
	hash_sha256_end(h, out);
	hash_sha256_free(h);
}

static void signing_key(struct sigv4_cache *c, const struct sigv4_params *p, const char *date,
	unsigned char *out)
{
	if (!c) {
		derive(p, date, out);
		return;
	}
	unsigned char id[HASH_SHA256_BYTES];
	key_id(p, date, id);
	(void)pthread_mutex_lock(&c->lock);
	struct slot *slot = NULL;
	for (size_t i = 0; i < CACHE_SLOTS && !slot; i++) {
		if (c->slots[i].used && memcmp(c->slots[i].id, id, sizeof(id)) == 0) {
			slot = &c->slots[i];
		}
	}
	if (!slot) {
		slot = &c->slots[c->next++ % CACHE_SLOTS];
		derive(p, date, slot->key);
		memcpy(slot->id, id, sizeof(id));
		slot->used = true;
	}
	memcpy(out, slot->key, HASH_SHA256_BYTES);
	(void)pthread_mutex_unlock(&c->lock);
}

/* ---- canonical request ---- */

/* RFC 3986 section 5.2.4 and repeated slashes: "/a/./b//../c" is "/a/c". */
static void normalise(struct str path, struct buf *out)
{
	size_t marks[512], n = 0; /* where each kept segment begins in `out` */
	struct str rest = path, piece;
	buf_putc(out, '/');
	while (str_cut(&rest, '/', &piece)) {
		if (piece.n == 0 || str_is(piece, ".")) {
			continue;
		}
		if (str_is(piece, "..")) {
			if (n > 0) {
				out->n = marks[--n];
				out->p[out->n] = '\0';
			}
			continue;
		}
		if (n == sizeof(marks) / sizeof(marks[0])) {
			buf_add_str(out, piece);
			buf_putc(out, '/');
			continue;
		}
		marks[n++] = out->n;
		buf_add_str(out, piece);
		buf_putc(out, '/');
	}
	bool slash_end = path.n > 0 && path.p[path.n - 1] == '/';
	if (out->n > 1 && !slash_end) {
		out->p[--out->n] = '\0';
	}
}

static void canonical_path(const struct sigv4_params *p, struct str path, struct buf *out)
{
	if (p->s3) {
		buf_add_str(out, path.n ? path : STR("/"));
		return;
	}
	struct buf plain;
	buf_init(&plain, WIRE_MAX_PATH);
	normalise(path, &plain);
	uri_encode(buf_view(&plain), true, out);
	buf_deinit(&plain);
}

static int by_name_value(const void *a, const void *b)
{
	const struct wire_pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->value, y->value);
}

static void canonical_query(const struct wire_pairs *query, struct buf *out)
{
	struct wire_pair *sorted = query->n ? calloc(query->n, sizeof(*sorted)) : NULL;
	if (!sorted) {
		return;
	}
	memcpy(sorted, query->items, query->n * sizeof(*sorted));
	qsort(sorted, query->n, sizeof(*sorted), by_name_value);
	for (size_t i = 0; i < query->n; i++) {
		buf_printf(out, "%s%s=%s", i ? "&" : "", sorted[i].name, sorted[i].value);
	}
	free(sorted);
}

/* Headers that the carrier or a proxy may add, change or drop are not signed. */
static bool signed_header(const char *name)
{
	static const char *const skipped[] = { "authorization", "connection", "expect",
		"transfer-encoding", "user-agent", "x-amzn-trace-id" };
	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
		if (strcasecmp(name, skipped[i]) == 0) {
			return false;
		}
	}
	return true;
}

static void lower(const char *name, struct buf *out)
{
	for (; *name; name++) {
		bool capital = *name >= 'A' && *name <= 'Z';
		int c = capital ? *name - 'A' + 'a' : *name;
		buf_putc(out, (char)c);
	}
}

/* Trimmed, runs of white space as one blank. */
static void squeeze(const char *value, struct buf *out)
{
	struct str s = str_trim(str_from(value));
	bool blank = false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool white = c == ' ' || c == '\t' || c == '\r' || c == '\n';
		if (!white) {
			if (blank) {
				buf_putc(out, ' ');
			}
			buf_putc(out, c);
		}
		blank = white;
	}
}

struct ordered {
	const char *name, *value;
	size_t at; /* equal names keep their order */
};

static int by_header(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;
	int order = strcasecmp(x->name, y->name);
	return order ? order : (x->at < y->at ? -1 : 1);
}

/* Canonical headers to `out` (may be NULL) and their names, ';' between, to `names`. */
static void canonical_headers(
	const struct wire_pairs *headers, struct buf *out, struct buf *names)
{
	struct ordered *list = headers->n ? calloc(headers->n, sizeof(*list)) : NULL;
	size_t n = 0;
	for (size_t i = 0; list && i < headers->n; i++) {
		if (signed_header(headers->items[i].name)) {
			list[n++] = (struct ordered){ headers->items[i].name,
				headers->items[i].value, i };
		}
	}
	if (n > 1) {
		qsort(list, n, sizeof(*list), by_header);
	}
	for (size_t i = 0; i < n; i++) {
		bool again = i > 0 && strcasecmp(list[i].name, list[i - 1].name) == 0;
		if (!again) {
			if (i > 0) {
				buf_putc(names, ';');
			}
			lower(list[i].name, names);
		}
		if (!out) {
			continue;
		}
		if (again) {
			out->p[out->n - 1] = ','; /* in place of the line's end */
		} else {
			lower(list[i].name, out);
			buf_putc(out, ':');
		}
		squeeze(list[i].value, out);
		buf_putc(out, '\n');
	}
	free(list);
}

static void payload_hash(
	const struct sigv4_params *p, const struct wire_request *r, char out[HASH_SHA256_HEX])
{
	if (p->payload_hash) {
		(void)snprintf(out, HASH_SHA256_HEX, "%s", p->payload_hash);
	} else {
		hash_sha256_hex(wire_body(r), out);
	}
}

void sigv4_canonical(
	const struct sigv4_params *p, const struct wire_request *r, struct buf *out)
{
	struct buf names;
	buf_init(&names, MAX_CANONICAL);
	char hash[HASH_SHA256_HEX];
	payload_hash(p, r, hash);
	buf_printf(out, "%s\n", r->method);
	canonical_path(p, buf_view(&r->path), out);
	buf_putc(out, '\n');
	canonical_query(&r->query, out);
	buf_putc(out, '\n');
	canonical_headers(&r->headers, out, &names);
	buf_putc(out, '\n');
	buf_add_str(out, buf_view(&names));
	buf_printf(out, "\n%s", hash);
	buf_deinit(&names);
}

void sigv4_string_to_sign(const struct sigv4_params *p, struct str canonical, struct buf *out)
{
	char hash[HASH_SHA256_HEX], when[20];
	hash_sha256_hex(canonical, hash);
	utc_basic(p->now_ms, when);
	buf_printf(out, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", when, when,
		p->region, p->service, hash);
}

/* ---- signature ---- */

static void signature(struct sigv4_cache *cache, const struct sigv4_params *p,
	const struct wire_request *r, char out[HASH_SHA256_HEX])
{
	struct buf canonical, to_sign;
	buf_init(&canonical, MAX_CANONICAL);
	canonical.wipe = true; /* has the session token */
	buf_init(&to_sign, 4096);
	sigv4_canonical(p, r, &canonical);
	sigv4_string_to_sign(p, buf_view(&canonical), &to_sign);
	char when[20], date[9];
	utc_basic(p->now_ms, when);
	(void)snprintf(date, sizeof(date), "%.8s", when);
	unsigned char key[HASH_SHA256_BYTES], mac[HASH_SHA256_BYTES];
	signing_key(cache, p, date, key);
	struct str k = { (const char *)key, sizeof(key) };
	hash_hmac_sha256(k, buf_view(&to_sign), mac);
	hash_hex(mac, sizeof(mac), out);
	OPENSSL_cleanse(key, sizeof(key));
	buf_deinit(&canonical);
	buf_deinit(&to_sign);
}

void sigv4_sign(struct sigv4_cache *cache, const struct sigv4_params *p, struct wire_request *r)
{
	char when[20], hash[HASH_SHA256_HEX], sig[HASH_SHA256_HEX];
	struct str token = secret_reveal(p->keys.session_token);
	utc_basic(p->now_ms, when);
	payload_hash(p, r, hash);
	wire_remove(&r->headers, "Authorization");
	wire_remove(&r->headers, "X-Amz-Security-Token");
	wire_set(&r->headers, "Host", buf_view(&r->authority));
	wire_set(&r->headers, "X-Amz-Date", str_from(when));
	if (!p->no_content_sha256) {
		wire_set(&r->headers, "x-amz-content-sha256", str_from(hash));
	}
	if (token.n && !p->token_unsigned) {
		wire_set(&r->headers, "X-Amz-Security-Token", token);
	}
	signature(cache, p, r, sig);
	struct buf names, line;
	buf_init(&names, MAX_CANONICAL);
	buf_init(&line, MAX_CANONICAL);
	canonical_headers(&r->headers, NULL, &names);
	buf_printf(&line,
		"AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=",
		p->keys.access_key, when, p->region, p->service);
	buf_add_str(&line, buf_view(&names));
	buf_printf(&line, ", Signature=%s", sig);
	wire_add(&r->headers, "Authorization", buf_view(&line));
	if (token.n && p->token_unsigned) {
		wire_set(&r->headers, "X-Amz-Security-Token", token);
	}
	buf_deinit(&names);
	buf_deinit(&line);
}

static void add_encoded(struct wire_pairs *query, const char *name, struct str value)
{
	struct buf b;
	buf_init(&b, WIRE_MAX_PATH);
	uri_encode(value, false, &b);
	wire_add(query, name, buf_view(&b));
	buf_deinit(&b);
}

void sigv4_presign(
	struct sigv4_cache *cache, const struct sigv4_params *p, struct wire_request *r)
{
	char when[20], sig[HASH_SHA256_HEX];
	struct str token = secret_reveal(p->keys.session_token);
	utc_basic(p->now_ms, when);
	wire_set(&r->headers, "Host", buf_view(&r->authority));
	struct buf names, scope;
	buf_init(&names, MAX_CANONICAL);
	buf_init(&scope, 1024);
	canonical_headers(&r->headers, NULL, &names);
	buf_printf(&scope, "%s/%.8s/%s/%s/aws4_request", p->keys.access_key, when, p->region,
		p->service);
	wire_add(&r->query, "X-Amz-Algorithm", STR("AWS4-HMAC-SHA256"));
	add_encoded(&r->query, "X-Amz-Credential", buf_view(&scope));
	wire_add(&r->query, "X-Amz-Date", str_from(when));
	add_encoded(&r->query, "X-Amz-SignedHeaders", buf_view(&names));
	char expires[24];
	(void)snprintf(expires, sizeof(expires), "%lld", (long long)p->expires_s);
	wire_add(&r->query, "X-Amz-Expires", str_from(expires));
	if (token.n && !p->token_unsigned) {
		add_encoded(&r->query, "X-Amz-Security-Token", token);
	}
	signature(cache, p, r, sig);
	wire_add(&r->query, "X-Amz-Signature", str_from(sig));
	if (token.n && p->token_unsigned) {
		add_encoded(&r->query, "X-Amz-Security-Token", token);
	}
	buf_deinit(&names);
	buf_deinit(&scope);
}

/* ---- chunks ---- */

void sigv4_chain_begin(struct sigv4_cache *cache, const struct sigv4_params *p,
	const struct wire_request *r, struct sigv4_chain *out)
{
	char when[20], date[9];
	utc_basic(p->now_ms, when);
	(void)snprintf(date, sizeof(date), "%.8s", when);
	signing_key(cache, p, date, out->key);
	(void)snprintf(out->scope, sizeof(out->scope), "%s\n%s/%s/%s/aws4_request", when, date,
		p->region, p->service);
	const char *auth = wire_get(&r->headers, "Authorization");
	const char *seed = auth ? strstr(auth, "Signature=") : NULL;
	(void)snprintf(
		out->last, sizeof(out->last), "%s", seed ? seed + strlen("Signature=") : "");
}

/* `parts`: the digests that end the string to sign. */
static void chain(struct sigv4_chain *c, const char *algorithm, const char *parts)
{
	unsigned char mac[HASH_SHA256_BYTES];
	char text[512];
	(void)snprintf(
		text, sizeof(text), "%s\n%s\n%s\n%s", algorithm, c->scope, c->last, parts);
	hmac(c->key, text, mac);
	hash_hex(mac, sizeof(mac), c->last);
}

void sigv4_chain_chunk(struct sigv4_chain *c, struct str bytes)
{
	char none[HASH_SHA256_HEX], hash[HASH_SHA256_HEX], parts[2 * HASH_SHA256_HEX];
	hash_sha256_hex((struct str){ 0 }, none);
	hash_sha256_hex(bytes, hash);
	(void)snprintf(parts, sizeof(parts), "%s\n%s", none, hash);
	chain(c, "AWS4-HMAC-SHA256-PAYLOAD", parts);
}

void sigv4_chain_trailer(struct sigv4_chain *c, struct str lines)
{
	char hash[HASH_SHA256_HEX];
	hash_sha256_hex(lines, hash);
	chain(c, "AWS4-HMAC-SHA256-TRAILER", hash);
}

void sigv4_chain_wipe(struct sigv4_chain *c)
{
	OPENSSL_cleanse(c, sizeof(*c));
}
