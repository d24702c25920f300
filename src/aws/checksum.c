#include "aws/checksum.h"

#include "base/err.h"
#include "base/hash.h"

#include <libdeflate.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *header;
	size_t bytes;
} kinds[] = {
	[CHECKSUM_NONE] = { "", "", 0 },
	[CHECKSUM_CRC32] = { "CRC32", "x-amz-checksum-crc32", 4 },
	[CHECKSUM_CRC32C] = { "CRC32C", "x-amz-checksum-crc32c", 4 },
	[CHECKSUM_CRC64NVME] = { "CRC64NVME", "x-amz-checksum-crc64nvme", 8 },
	[CHECKSUM_MD5] = { "MD5", "x-amz-checksum-md5", 16 },
	[CHECKSUM_SHA1] = { "SHA1", "x-amz-checksum-sha1", 20 },
	[CHECKSUM_SHA256] = { "SHA256", "x-amz-checksum-sha256", 32 },
	[CHECKSUM_SHA512] = { "SHA512", "x-amz-checksum-sha512", 64 },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

enum checksum_kind checksum_named(struct str name)
{
	for (size_t i = 1; i < N_KINDS; i++) {
		if (str_eq_nocase(name, str_from(kinds[i].name))) {
			return (enum checksum_kind)i;
		}
	}
	return CHECKSUM_NONE;
}

const char *checksum_name(enum checksum_kind kind)
{
	return kinds[kind].name;
}

const char *checksum_header(enum checksum_kind kind)
{
	return kinds[kind].header;
}

size_t checksum_length(enum checksum_kind kind)
{
	return (kinds[kind].bytes + 2) / 3 * 4;
}

/* ---- the two CRCs that no library here has; both are bit-reflected, all ones before and after ---- */

#define POLY_CRC32C 0x82F63B78u           /* RFC 3720, B.4 */
#define POLY_CRC64  0x9A6C9329AC4BC9B5ull /* NVM Express NVM Command Set, 5.2.1.3.4 */

/* tables[k][b]: what byte b does to the register when k more bytes follow it. */
static uint64_t crc32c_tables[8][256], crc64_tables[8][256];
static pthread_once_t tables_made = PTHREAD_ONCE_INIT;

static void make(uint64_t poly, uint64_t tables[8][256])
{
	for (uint64_t b = 0; b < 256; b++) {
		uint64_t r = b;
		for (int bit = 0; bit < 8; bit++) {
			r = r & 1 ? r >> 1 ^ poly : r >> 1;
		}
		tables[0][b] = r;
	}
	for (size_t k = 1; k < 8; k++) {
		for (size_t b = 0; b < 256; b++) {
			uint64_t r = tables[k - 1][b];
			tables[k][b] = r >> 8 ^ tables[0][r & 0xff];
		}
	}
}

static void make_tables(void)
{
	make(POLY_CRC32C, crc32c_tables);
	make(POLY_CRC64, crc64_tables);
}

static uint64_t crc_add(uint64_t r, uint64_t tables[8][256], struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = s.n;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t sum = 0;
		for (size_t k = 0; k < 8; k++) {
			sum ^= tables[7 - k][(r >> 8 * k ^ p[k]) & 0xff];
		}
		r = sum;
	}
	for (; n > 0; n--, p++) {
		r = r >> 8 ^ tables[0][(r ^ *p) & 0xff];
	}
	return r;
}

/* ---- the running digest ---- */

static const EVP_MD *method(enum checksum_kind kind)
{
	switch (kind) {
	case CHECKSUM_MD5:
		return EVP_md5();
	case CHECKSUM_SHA1:
		return EVP_sha1();
	case CHECKSUM_SHA256:
		return EVP_sha256();
	case CHECKSUM_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

void checksum_begin(struct checksum *c, enum checksum_kind kind)
{
	*c = (struct checksum){ .kind = kind };
	(void)pthread_once(&tables_made, make_tables);
	if (method(kind)) {
		c->digest = EVP_MD_CTX_new();
		if (!c->digest || EVP_DigestInit_ex(c->digest, method(kind), NULL) != 1) {
			BUG("libcrypto has no such digest");
		}
	} else if (kind == CHECKSUM_CRC32C) {
		c->crc = UINT32_MAX;
	} else if (kind == CHECKSUM_CRC64NVME) {
		c->crc = UINT64_MAX;
	}
}

void checksum_add(struct checksum *c, struct str bytes)
{
	if (c->digest) {
		(void)EVP_DigestUpdate(c->digest, bytes.p, bytes.n);
	} else if (c->kind == CHECKSUM_CRC32 && bytes.n) {
		c->crc = libdeflate_crc32((uint32_t)c->crc, bytes.p, bytes.n);
	} else if (c->kind == CHECKSUM_CRC32C) {
		c->crc = crc_add(c->crc, crc32c_tables, bytes);
	} else if (c->kind == CHECKSUM_CRC64NVME) {
		c->crc = crc_add(c->crc, crc64_tables, bytes);
	}
}

void checksum_end(struct checksum *c, char out[CHECKSUM_MAX_BASE64])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	size_t n = kinds[c->kind].bytes;
	if (c->digest) {
		(void)EVP_DigestFinal_ex(c->digest, raw, NULL);
	} else {
		uint64_t crc = c->kind == CHECKSUM_CRC32 ? c->crc : ~c->crc;
		for (size_t i = 0; i < n; i++) {
			raw[i] = (unsigned char)(crc >> 8 * (n - 1 - i));
		}
	}
	struct buf text;
	buf_init(&text, CHECKSUM_MAX_BASE64 - 1);
	hash_base64((struct str){ (const char *)raw, n }, &text);
	(void)snprintf(out, CHECKSUM_MAX_BASE64, "%s", text.p ? text.p : "");
	buf_deinit(&text);
	checksum_deinit(c);
}

void checksum_deinit(struct checksum *c)
{
	EVP_MD_CTX_free(c->digest);
	c->digest = NULL;
}

void checksum_of(enum checksum_kind kind, struct str bytes, char out[CHECKSUM_MAX_BASE64])
{
	struct checksum c;
	checksum_begin(&c, kind);
	checksum_add(&c, bytes);
	checksum_end(&c, out);
}
