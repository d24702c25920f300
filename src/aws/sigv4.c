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

/* `when` begins with the date, eight digits, of which the key is. */
static void derive(const struct sigv4_params *p, const char *when, unsigned char *out)
{
	struct buf start;
	buf_init(&start, 4096);
	start.wipe = true;
	buf_puts(&start, "AWS4");
	buf_add_str(&start, secret_reveal(p->keys.secret_key));
	unsigned char a[HASH_SHA256_BYTES], b[HASH_SHA256_BYTES];
	hash_hmac_sha256(buf_view(&start), (struct str){ when, 8 }, a);
	hmac(a, p->region, b);
	hmac(b, p->service, a);
	hmac(a, "aws4_request", out);
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(b, sizeof(b));
	buf_deinit(&start);
}

static void key_id(const struct sigv4_params *p, const char *when, unsigned char *out)
{
	struct hash_sha256 *h = hash_sha256_new();
	struct str secret = secret_reveal(p->keys.secret_key);
	hash_sha256_add(h, when, 8);
	hash_sha256_add(h, p->region, strlen(p->region) + 1);
	hash_sha256_add(h, p->service, strlen(p->service) + 1);
	hash_sha256_add(h, secret.p, secret.n);
	hash_sha256_end(h, out);
	hash_sha256_free(h);
}

static void signing_key(struct sigv4_cache *c, const struct sigv4_params *p, const char *when,
	unsigned char *out)
{
	if (!c) {
		derive(p, when, out);
		return;
	}
	unsigned char id[HASH_SHA256_BYTES];
	key_id(p, when, id);
	(void)pthread_mutex_lock(&c->lock);
	struct slot *slot = NULL;
	for (size_t i = 0; i < CACHE_SLOTS && !slot; i++) {
		if (c->slots[i].used && memcmp(c->slots[i].id, id, sizeof(id)) == 0) {
			slot = &c->slots[i];
		}
	}
	if (!slot) {
		slot = &c->slots[c->next++ % CACHE_SLOTS];
		derive(p, when, slot->key);
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
		if (i > 0) {
			buf_putc(out, '&');
		}
		buf_puts(out, sorted[i].name);
		buf_putc(out, '=');
		buf_puts(out, sorted[i].value);
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
	size_t at = out->n;
	buf_puts(out, name);
	for (; at < out->n; at++) {
		bool capital = out->p[at] >= 'A' && out->p[at] <= 'Z';
		out->p[at] = (char)(capital ? out->p[at] - 'A' + 'a' : out->p[at]);
	}
}

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Trimmed, runs of white space as one blank. */
static void squeeze(const char *value, struct buf *out)
{
	struct str s = str_trim(str_from(value));
	for (size_t i = 0, word = 0; i < s.n; i++) {
		if (i + 1 == s.n || is_white(s.p[i + 1])) {
			buf_add(out, s.p + word, i + 1 - word);
			while (i + 1 < s.n && is_white(s.p[i + 1])) {
				i++;
			}
			word = i + 1;
			if (word < s.n) {
				buf_putc(out, ' ');
			}
		}
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

/* What is signed and asked for more than once, found once for each request. */
struct facts {
	char when[20]; /* "20260801T100000Z" */
	char hash[HASH_SHA256_HEX];
	struct buf scope; /* "20260801/eu-west-1/ec2/aws4_request" */
	struct buf lines; /* canonical headers; may have the session token */
	struct buf names; /* of the headers, ';' between */
};

static void add_scope(const struct sigv4_params *p, const char *when, struct buf *out)
{
	buf_add(out, when, 8);
	buf_putc(out, '/');
	buf_puts(out, p->region);
	buf_putc(out, '/');
	buf_puts(out, p->service);
	buf_puts(out, "/aws4_request");
}

static void facts_init(
	const struct sigv4_params *p, const struct wire_request *r, struct facts *f)
{
	utc_basic(p->now_ms, f->when);
	if (p->payload_hash) {
		(void)snprintf(f->hash, sizeof(f->hash), "%s", p->payload_hash);
	} else {
		hash_sha256_hex(wire_body(r), f->hash);
	}
	buf_init(&f->scope, 1024);
	buf_init(&f->lines, MAX_CANONICAL);
	f->lines.wipe = true;
	buf_init(&f->names, MAX_CANONICAL);
	add_scope(p, f->when, &f->scope);
}

static void facts_deinit(struct facts *f)
{
	buf_deinit(&f->scope);
	buf_deinit(&f->lines);
	buf_deinit(&f->names);
}

/* Once all that are to be signed are there. */
static void list_headers(const struct wire_pairs *headers, struct facts *f)
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
		if (i > 0 && strcasecmp(list[i].name, list[i - 1].name) == 0) {
			f->lines.p[f->lines.n - 1] = ','; /* in place of the line's end */
		} else {
			if (i > 0) {
				buf_putc(&f->names, ';');
			}
			size_t at = f->names.n;
			lower(list[i].name, &f->names);
			buf_add_str(&f->lines, str_sub(buf_view(&f->names), at, SIZE_MAX));
			buf_putc(&f->lines, ':');
		}
		squeeze(list[i].value, &f->lines);
		buf_putc(&f->lines, '\n');
	}
	free(list);
}

static void canonical(const struct sigv4_params *p, const struct wire_request *r,
	const struct facts *f, struct buf *out)
{
	buf_reserve(out, f->lines.n + f->names.n + 256);
	buf_puts(out, r->method);
	buf_putc(out, '\n');
	canonical_path(p, buf_view(&r->path), out);
	buf_putc(out, '\n');
	canonical_query(&r->query, out);
	buf_putc(out, '\n');
	buf_add_str(out, buf_view(&f->lines));
	buf_putc(out, '\n');
	buf_add_str(out, buf_view(&f->names));
	buf_putc(out, '\n');
	buf_puts(out, f->hash);
}

void sigv4_canonical(
	const struct sigv4_params *p, const struct wire_request *r, struct buf *out)
{
	struct facts f;
	facts_init(p, r, &f);
	list_headers(&r->headers, &f);
	canonical(p, r, &f, out);
	facts_deinit(&f);
}

static void string_to_sign(
	const char *when, struct str scope, struct str canonical_text, struct buf *out)
{
	char hash[HASH_SHA256_HEX];
	hash_sha256_hex(canonical_text, hash);
	buf_puts(out, "AWS4-HMAC-SHA256\n");
	buf_puts(out, when);
	buf_putc(out, '\n');
	buf_add_str(out, scope);
	buf_putc(out, '\n');
	buf_puts(out, hash);
}

void sigv4_string_to_sign(
	const struct sigv4_params *p, struct str canonical_text, struct buf *out)
{
	char when[20];
	struct buf scope;
	buf_init(&scope, 1024);
	utc_basic(p->now_ms, when);
	add_scope(p, when, &scope);
	string_to_sign(when, buf_view(&scope), canonical_text, out);
	buf_deinit(&scope);
}

/* ---- signature ---- */

static void signature(struct sigv4_cache *cache, const struct sigv4_params *p,
	const struct wire_request *r, const struct facts *f, char out[HASH_SHA256_HEX])
{
	struct buf text, to_sign;
	buf_init(&text, MAX_CANONICAL);
	text.wipe = true; /* has the session token */
	buf_init(&to_sign, 4096);
	canonical(p, r, f, &text);
	string_to_sign(f->when, buf_view(&f->scope), buf_view(&text), &to_sign);
	unsigned char key[HASH_SHA256_BYTES], mac[HASH_SHA256_BYTES];
	signing_key(cache, p, f->when, key);
	struct str k = { (const char *)key, sizeof(key) };
	hash_hmac_sha256(k, buf_view(&to_sign), mac);
	hash_hex(mac, sizeof(mac), out);
	OPENSSL_cleanse(key, sizeof(key));
	buf_deinit(&text);
	buf_deinit(&to_sign);
}

static void add_authorization(struct wire_pairs *headers, const struct sigv4_params *p,
	const struct facts *f, const char *sig)
{
	struct buf line;
	buf_init(&line, MAX_CANONICAL);
	buf_reserve(&line, f->scope.n + f->names.n + 256);
	buf_puts(&line, "AWS4-HMAC-SHA256 Credential=");
	buf_puts(&line, p->keys.access_key);
	buf_putc(&line, '/');
	buf_add_str(&line, buf_view(&f->scope));
	buf_puts(&line, ", SignedHeaders=");
	buf_add_str(&line, buf_view(&f->names));
	buf_puts(&line, ", Signature=");
	buf_puts(&line, sig);
	wire_add(headers, "Authorization", buf_view(&line));
	buf_deinit(&line);
}

void sigv4_sign(struct sigv4_cache *cache, const struct sigv4_params *p, struct wire_request *r)
{
	struct facts f;
	char sig[HASH_SHA256_HEX];
	struct str token = secret_reveal(p->keys.session_token);
	facts_init(p, r, &f);
	wire_remove(&r->headers, "Authorization");
	wire_remove(&r->headers, "X-Amz-Security-Token");
	wire_set(&r->headers, "Host", buf_view(&r->authority));
	wire_set(&r->headers, "X-Amz-Date", str_from(f.when));
	if (!p->no_content_sha256) {
		wire_set(&r->headers, "x-amz-content-sha256", str_from(f.hash));
	}
	if (token.n && !p->token_unsigned) {
		wire_set(&r->headers, "X-Amz-Security-Token", token);
	}
	list_headers(&r->headers, &f);
	signature(cache, p, r, &f, sig);
	add_authorization(&r->headers, p, &f, sig);
	if (token.n && p->token_unsigned) {
		wire_set(&r->headers, "X-Amz-Security-Token", token);
	}
	facts_deinit(&f);
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
	struct facts f;
	char sig[HASH_SHA256_HEX], expires[24];
	struct str token = secret_reveal(p->keys.session_token);
	struct buf credential;
	facts_init(p, r, &f);
	wire_set(&r->headers, "Host", buf_view(&r->authority));
	list_headers(&r->headers, &f);
	buf_init(&credential, 1024);
	buf_printf(&credential, "%s/%s", p->keys.access_key, f.scope.p);
	wire_add(&r->query, "X-Amz-Algorithm", STR("AWS4-HMAC-SHA256"));
	add_encoded(&r->query, "X-Amz-Credential", buf_view(&credential));
	wire_add(&r->query, "X-Amz-Date", str_from(f.when));
	add_encoded(&r->query, "X-Amz-SignedHeaders", buf_view(&f.names));
	(void)snprintf(expires, sizeof(expires), "%lld", (long long)p->expires_s);
	wire_add(&r->query, "X-Amz-Expires", str_from(expires));
	if (token.n && !p->token_unsigned) {
		add_encoded(&r->query, "X-Amz-Security-Token", token);
	}
	signature(cache, p, r, &f, sig);
	wire_add(&r->query, "X-Amz-Signature", str_from(sig));
	if (token.n && p->token_unsigned) {
		add_encoded(&r->query, "X-Amz-Security-Token", token);
	}
	buf_deinit(&credential);
	facts_deinit(&f);
}

/* ---- chunks ---- */

void sigv4_chain_begin(struct sigv4_cache *cache, const struct sigv4_params *p,
	const struct wire_request *r, struct sigv4_chain *out)
{
	char when[20];
	utc_basic(p->now_ms, when);
	signing_key(cache, p, when, out->key);
	(void)snprintf(out->scope, sizeof(out->scope), "%s\n%.8s/%s/%s/aws4_request", when,
		when, p->region, p->service);
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
