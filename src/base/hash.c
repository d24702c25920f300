#include "base/hash.h"

#include "base/err.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>

struct hash_sha256 {
	EVP_MD_CTX *ctx;
};

/* libcrypto fails here only when it is broken or memory is out: nothing a caller could mend. */
static void must(int ok)
{
	if (ok != 1) {
		BUG("libcrypto digest failed");
	}
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(sha256 != NULL);
}

/* Looked up once: with EVP_sha256() libcrypto would search its providers at every digest. */
static const EVP_MD *algorithm(void)
{
	(void)pthread_once(&once, fetch);
	return sha256;
}

struct hash_sha256 *hash_sha256_new(void)
{
	struct hash_sha256 *h = malloc(sizeof(*h));
	if (!h) {
		abort();
	}
	h->ctx = EVP_MD_CTX_new();
	must(h->ctx != NULL);
	must(EVP_DigestInit_ex(h->ctx, algorithm(), NULL));
	return h;
}

void hash_sha256_add(struct hash_sha256 *h, const void *p, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, p, n));
}

void hash_sha256_end(struct hash_sha256 *h, unsigned char out[HASH_SHA256_BYTES])
{
	must(EVP_DigestFinal_ex(h->ctx, out, NULL));
}

void hash_sha256_free(struct hash_sha256 *h)
{
	if (h) {
		EVP_MD_CTX_free(h->ctx);
		free(h);
	}
}

void hash_sha256_of(struct str s, unsigned char out[HASH_SHA256_BYTES])
{
	must(EVP_Digest(s.n ? s.p : "", s.n, out, NULL, algorithm(), NULL));
}

void hash_sha256_hex(struct str s, char out[HASH_SHA256_HEX])
{
	unsigned char digest[HASH_SHA256_BYTES];
	hash_sha256_of(s, digest);
	hash_hex(digest, sizeof(digest), out);
}

static pthread_once_t hmac_once = PTHREAD_ONCE_INIT;
static EVP_MAC_CTX *hmac;

/* With a key that is none: only then can it be copied. */
static void fetch_hmac(void)
{
	static const unsigned char none[HASH_SHA256_BYTES];
	char name[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
					OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	hmac = EVP_MAC_CTX_new(mac);
	must(hmac != NULL && EVP_MAC_init(hmac, none, sizeof(none), params));
	EVP_MAC_free(mac);
}

/* From a copy: to look its parts up anew for every text takes libcrypto longer than a short text. */
void hash_hmac_sha256(struct str key, struct str s, unsigned char out[HASH_SHA256_BYTES])
{
	size_t n = 0;
	(void)pthread_once(&hmac_once, fetch_hmac);
	EVP_MAC_CTX *c = EVP_MAC_CTX_dup(hmac);
	must(c != NULL &&
		EVP_MAC_init(c, (const unsigned char *)(key.n ? key.p : ""), key.n, NULL));
	must(EVP_MAC_update(c, (const unsigned char *)(s.n ? s.p : ""), s.n));
	must(EVP_MAC_final(c, out, &n, HASH_SHA256_BYTES));
	EVP_MAC_CTX_free(c);
}

void hash_md5_of(struct str s, unsigned char out[16])
{
	must(EVP_Digest(s.n ? s.p : "", s.n, out, NULL, EVP_md5(), NULL));
}

void hash_hex(const void *p, size_t n, char *out)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *b = p;
	for (size_t i = 0; i < n; i++) {
		out[i * 2] = hex[b[i] >> 4];
		out[i * 2 + 1] = hex[b[i] & 15];
	}
	out[n * 2] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	int letter = c | 0x20;
	return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool hash_unhex(struct str hex, void *out, size_t room, size_t *n)
{
	unsigned char *b = out;
	if (hex.n % 2 || hex.n / 2 > room) {
		return false;
	}
	for (size_t i = 0; i < hex.n; i += 2) {
		int high = nibble(hex.p[i]);
		int low = nibble(hex.p[i + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		b[i / 2] = (unsigned char)(high << 4 | low);
	}
	*n = hex.n / 2;
	return true;
}

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hash_base64(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = s.n - i;
		unsigned a = (unsigned char)s.p[i];
		unsigned b = left > 1 ? (unsigned char)s.p[i + 1] : 0u;
		unsigned c = left > 2 ? (unsigned char)s.p[i + 2] : 0u;
		unsigned v = a << 16 | b << 8 | c;
		char quad[4] = { alphabet[v >> 18 & 63], alphabet[v >> 12 & 63],
			alphabet[v >> 6 & 63], alphabet[v & 63] };
		for (size_t k = left + 1; k < 4; k++) {
			quad[k] = '=';
		}
		buf_add(out, quad, 4);
	}
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	if (c == '+') {
		return 62;
	}
	return c == '/' ? 63 : -1;
}

bool hash_unbase64(struct str s, struct buf *out)
{
	unsigned v = 0;
	int have = 0, pad = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
			continue;
		}
		if (c == '=') {
			pad++;
			continue;
		}
		int d = base64_value(c);
		if (d < 0 || pad) {
			return false;
		}
		v = v << 6 | (unsigned)d;
		if (++have == 4) {
			char three[3] = { (char)(v >> 16 & 255), (char)(v >> 8 & 255),
				(char)(v & 255) };
			buf_add(out, three, 3);
			have = 0;
			v = 0;
		}
	}
	if (have == 1 || pad > 2 || (pad && have + pad != 4)) {
		return false;
	}
	if (have == 2) {
		buf_putc(out, (char)(v >> 4 & 255));
	} else if (have == 3) {
		buf_putc(out, (char)(v >> 10 & 255));
		buf_putc(out, (char)(v >> 2 & 255));
	}
	return buf_ok(out);
}
