#include "aws/chunked.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIGNATURE   ";chunk-signature="
#define TRAILER_SIGNATURE "x-amz-trailer-signature:"
#define SIGNATURE_HEX     (HASH_SHA256_HEX - 1)
#define MAX_FRAME         ((size_t)512) /* around a chunk, or the trailer */

static uint64_t header_size(const struct chunked *c, uint64_t n)
{
	char hex[24];
	int digits = snprintf(hex, sizeof(hex), "%" PRIx64, n);
	uint64_t sign = c->sign ? strlen(CHUNK_SIGNATURE) + SIGNATURE_HEX : 0;
	return (uint64_t)digits + sign + 2;
}

static uint64_t encoded_size(const struct chunked *c)
{
	uint64_t full = c->inner->size / CHUNKED_BYTES, rest = c->inner->size % CHUNKED_BYTES;
	uint64_t size = full * (header_size(c, CHUNKED_BYTES) + CHUNKED_BYTES + 2);
	size += rest ? header_size(c, rest) + rest + 2 : 0;
	size += header_size(c, 0);
	if (c->kind) {
		size += strlen(checksum_header(c->kind)) + 1 + checksum_length(c->kind) + 2;
		size += c->sign ? strlen(TRAILER_SIGNATURE) + SIGNATURE_HEX + 2 : 0;
	}
	return size + 2;
}

static void put_header(struct chunked *c, struct str bytes)
{
	buf_printf(&c->out, "%zx", bytes.n);
	if (c->sign) {
		sigv4_chain_chunk(&c->chain, bytes);
		buf_printf(&c->out, CHUNK_SIGNATURE "%s", c->chain.last);
	}
	buf_puts(&c->out, "\r\n");
}

static void put_end(struct chunked *c)
{
	put_header(c, (struct str){ 0 });
	if (c->kind) {
		char value[CHECKSUM_MAX_BASE64], line[160];
		checksum_end(&c->sum, value);
		(void)snprintf(line, sizeof(line), "%s:%s", checksum_header(c->kind), value);
		buf_printf(&c->out, "%s\r\n", line);
		if (c->sign) {
			(void)snprintf(
				line, sizeof(line), "%s:%s\n", checksum_header(c->kind), value);
			sigv4_chain_trailer(&c->chain, str_from(line));
			buf_printf(&c->out, TRAILER_SIGNATURE "%s\r\n", c->chain.last);
		}
	}
	buf_puts(&c->out, "\r\n");
	c->ended = true;
}

/* The next piece of the body into `out`; false when the inner stream fails or is short. */
static bool produce(struct chunked *c)
{
	buf_reset(&c->out);
	c->at = 0;
	if (c->left == 0) {
		put_end(c);
		return true;
	}
	size_t want = c->left < CHUNKED_BYTES ? (size_t)c->left : CHUNKED_BYTES, have = 0;
	while (have < want) {
		size_t n = c->inner->read(c->inner->ctx, c->chunk + have, want - have);
		if (n == SIZE_MAX || n == 0) {
			return false;
		}
		have += n;
	}
	struct str bytes = { c->chunk, have };
	checksum_add(&c->sum, bytes);
	put_header(c, bytes);
	buf_add_str(&c->out, bytes);
	buf_puts(&c->out, "\r\n");
	c->left -= have;
	return buf_ok(&c->out);
}

static size_t read_chunked(void *ctx, void *out, size_t n)
{
	struct chunked *c = ctx;
	size_t done = 0;
	while (done < n) {
		if (c->at == c->out.n) {
			if (c->ended) {
				break;
			}
			if (!produce(c)) {
				return SIZE_MAX;
			}
		}
		size_t here = c->out.n - c->at < n - done ? c->out.n - c->at : n - done;
		memcpy((char *)out + done, c->out.p + c->at, here);
		c->at += here;
		done += here;
	}
	return done;
}

/* Only the inner stream: a new attempt is signed anew, and chunked_start does the rest. */
static bool rewind_chunked(void *ctx)
{
	struct chunked *c = ctx;
	return c->inner->rewind && c->inner->rewind(c->inner->ctx);
}

void chunked_init(
	struct chunked *c, const struct aws_source *inner, enum checksum_kind kind, bool sign)
{
	chunked_deinit(c);
	c->inner = inner;
	c->kind = kind;
	c->sign = sign;
	c->chunk = malloc(CHUNKED_BYTES);
	if (!c->chunk) {
		BUG("out of memory");
	}
	buf_init(&c->out, CHUNKED_BYTES + MAX_FRAME);
	c->source = (struct aws_source){ .read = read_chunked,
		.rewind = rewind_chunked,
		.ctx = c,
		.size = encoded_size(c) };
}

void chunked_announce(struct chunked *c, struct wire_request *r)
{
	char text[24];
	struct buf encoding;
	const char *have = wire_get(&r->headers, "Content-Encoding");
	buf_init(&encoding, WIRE_MAX_PATH);
	buf_printf(&encoding, "%s%saws-chunked", have ? have : "", have ? "," : "");
	wire_set(&r->headers, "Content-Encoding", buf_view(&encoding));
	buf_deinit(&encoding);
	(void)snprintf(text, sizeof(text), "%" PRIu64, c->inner->size);
	wire_set(&r->headers, "x-amz-decoded-content-length", str_from(text));
	if (c->kind) {
		wire_set(&r->headers, "x-amz-trailer", str_from(checksum_header(c->kind)));
	}
	r->source = &c->source;
}

const char *chunked_payload(const struct chunked *c)
{
	if (!c->sign) {
		return "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
	}
	return c->kind ? "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
		       : "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
}

void chunked_start(struct chunked *c, struct sigv4_cache *cache, const struct sigv4_params *p,
	const struct wire_request *r)
{
	if (c->sign) {
		sigv4_chain_begin(cache, p, r, &c->chain);
	}
	checksum_deinit(&c->sum);
	checksum_begin(&c->sum, c->kind);
	c->left = c->inner->size;
	c->ended = false;
	c->at = 0;
	buf_reset(&c->out);
}

void chunked_deinit(struct chunked *c)
{
	sigv4_chain_wipe(&c->chain);
	checksum_deinit(&c->sum);
	free(c->chunk);
	buf_deinit(&c->out);
	*c = (struct chunked){ 0 };
}
