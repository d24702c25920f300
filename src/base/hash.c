#include "base/hash.h"

#include "base/err.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SHA256_BLOCK 64

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

/* One of the two digests of RFC 2104: over the key, each byte changed by `pad`, and the text. */
static void hmac_round(EVP_MD_CTX *ctx, const unsigned char key[SHA256_BLOCK],
	unsigned char pad, struct str s, unsigned char out[HASH_SHA256_BYTES])
{
	unsigned char block[SHA256_BLOCK];
	for (size_t i = 0; i < sizeof(block); i++) {
		block[i] = key[i] ^ pad;
	}
	must(EVP_DigestInit_ex(ctx, algorithm(), NULL));
	must(EVP_DigestUpdate(ctx, block, sizeof(block)));
	must(EVP_DigestUpdate(ctx, s.n ? s.p : "", s.n));
	must(EVP_DigestFinal_ex(ctx, out, NULL));
	OPENSSL_cleanse(block, sizeof(block));
}

/* By hand: libcrypto's HMAC looks its parts up anew for every text, which takes longer than a short one. */
void hash_hmac_sha256(struct str key, struct str s, unsigned char out[HASH_SHA256_BYTES])
{
	unsigned char block[SHA256_BLOCK] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	must(ctx != NULL);
	if (key.n > sizeof(block)) {
		hash_sha256_of(key, block);
	} else if (key.n) {
		memcpy(block, key.p, key.n);
	}
	hmac_round(ctx, block, 0x36, s, out);
	hmac_round(ctx, block, 0x5c, (struct str){ (const char *)out, HASH_SHA256_BYTES }, out);
	OPENSSL_cleanse(block, sizeof(block));
	EVP_MD_CTX_free(ctx);
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
