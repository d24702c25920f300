#include "base/gz.h"

#define ZLIB_CONST /* next_in is a pointer to const */
#include <zlib.h>

#define CHUNK ((size_t)64 * 1024)

bool gz_is(struct str s)
{
	return s.n >= 2 && (unsigned char)s.p[0] == 0x1f && (unsigned char)s.p[1] == 0x8b;
}

static bool only_zeros(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i]) {
			return false;
		}
	}
	return true;
}

/* Inflates one member; *used gets the compressed bytes it took. */
static enum err_status inflate_member(
	struct str s, struct buf *out, size_t *used, struct err *err)
{
	z_stream z = { 0 };
	/* 15 + 16: gzip wrapper, largest window. */
	if (inflateInit2(&z, 31) != Z_OK) {
		return err_set(err, ERR_FAILED, "zlib can't start");
	}
	enum err_status st = ERR_OK;
	unsigned char chunk[CHUNK / 4];
	size_t given = 0;
	int rc = Z_OK;
	while (rc != Z_STREAM_END) {
		if (z.avail_in == 0 && given < s.n) {
			size_t n = s.n - given < CHUNK ? s.n - given : CHUNK;
			z.next_in = (const Bytef *)(s.p + given);
			z.avail_in = (uInt)n;
			given += n;
		}
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		rc = inflate(&z, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END) {
			st = err_set(err, ERR_INPUT,
				rc == Z_BUF_ERROR ? "gzip data is truncated"
						  : "gzip data is corrupt");
			break;
		}
		buf_add(out, chunk, sizeof(chunk) - z.avail_out);
		if (!buf_ok(out)) {
			st = err_set(err, ERR_LIMIT,
				"gzip data inflates to more than %zu bytes", out->max);
			break;
		}
	}
	*used = given - z.avail_in;
	(void)inflateEnd(&z);
	return st;
}

enum err_status gz_inflate(struct str s, struct buf *out, struct err *err)
{
	if (!gz_is(s)) {
		return err_set(err, ERR_INPUT, "not gzip data");
	}
	while (gz_is(s)) {
		size_t used = 0;
		enum err_status st = inflate_member(s, out, &used, err);
		if (st != ERR_OK) {
			return st;
		}
		s = str_sub(s, used, s.n);
	}
	if (!only_zeros(s)) {
		return err_set(err, ERR_INPUT, "%zu bytes follow the gzip data", s.n);
	}
	return ERR_OK;
}

enum err_status gz_deflate(struct str s, struct buf *out, struct err *err)
{
	z_stream z = { 0 };
	if (s.n > UINT32_MAX) {
		return err_set(
			err, ERR_LIMIT, "%zu bytes are too many for one gzip member", s.n);
	}
	if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		return err_set(err, ERR_FAILED, "zlib can't start");
	}
	unsigned char chunk[CHUNK / 4];
	z.next_in = (const Bytef *)s.p;
	z.avail_in = (uInt)s.n;
	int rc = Z_OK;
	while (rc == Z_OK) {
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		rc = deflate(&z, Z_FINISH);
		buf_add(out, chunk, sizeof(chunk) - z.avail_out);
	}
	(void)deflateEnd(&z);
	if (!buf_ok(out)) {
		return err_set(err, ERR_LIMIT, "gzip output passes %zu bytes", out->max);
	}
	return rc == Z_STREAM_END ? ERR_OK : err_set(err, ERR_FAILED, "zlib failed (%d)", rc);
}
