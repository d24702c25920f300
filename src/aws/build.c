#include "aws/build.h"

#include "aws/proto.h"
#include "base/hash.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

/* ---- idempotency tokens ---- */

json_t *build_params(
	const struct model_call *c, struct env *env, const json_t *params, bool *has_token)
{
	const struct model_shape *input = model_input(c);
	json_t *out = params ? json_copy((json_t *)(uintptr_t)params) : NULL;
	*has_token = false;
	for (size_t i = 0; input && i < input->n; i++) {
		const struct model_member *mem = model_at(c->m, input, i);
		const char *name = model_name(c->m, mem);
		if (!(mem->flags & MODEL_IDEMPOTENCY)) {
			continue;
		}
		*has_token = true;
		const json_t *given = json_object_get(out, name);
		if (!given || json_is_null(given)) {
			char token[37];
			env_uuid(env, token);
			out = out ? out : json_object();
			(void)json_object_set_new(out, name, json_string(token));
		}
	}
	return out;
}

/* ---- compression: https://docs.aws.amazon.com/sdkref/latest/guide/feature-compression.html ---- */

#define COMPRESS_DEFAULT 10240
#define COMPRESS_HIGHEST 10485760

size_t build_compress_from(struct env *env, const struct profile_set *profiles)
{
	int64_t n = 0;
	struct str off = profile_setting(env, profiles, "AWS_DISABLE_REQUEST_COMPRESSION",
		"disable_request_compression");
	struct str from = profile_setting(env, profiles,
		"AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "request_min_compression_size_bytes");
	if (str_eq_nocase(off, STR("true"))) {
		return SIZE_MAX;
	}
	bool sound = str_to_i64(from, &n) && n >= 0 && n <= COMPRESS_HIGHEST;
	return sound ? (size_t)n : COMPRESS_DEFAULT;
}

/* A value behind those that the header has already. */
static void append_header(struct wire_request *r, const char *name, const char *value)
{
	struct buf text;
	const char *have = wire_get(&r->headers, name);
	buf_init(&text, WIRE_MAX_PATH);
	buf_printf(&text, "%s%s%s", have ? have : "", have && have[0] ? ", " : "", value);
	wire_set(&r->headers, name, buf_view(&text));
	buf_deinit(&text);
}

static void compress(struct wire_request *r)
{
	struct str plain = buf_view(&r->body);
	struct libdeflate_compressor *z = libdeflate_alloc_compressor(6);
	size_t room = libdeflate_gzip_compress_bound(z, plain.n);
	char *packed = z ? malloc(room) : NULL;
	size_t n = packed ? libdeflate_gzip_compress(z, plain.p, plain.n, packed, room) : 0;
	if (n > 0) {
		buf_reset(&r->body);
		buf_add(&r->body, packed, n);
		append_header(r, "Content-Encoding", "gzip");
	}
	free(packed);
	libdeflate_free_compressor(z);
}

/* ---- checksums ---- */

#define ALGORITHM "x-amz-sdk-checksum-algorithm"

/* The caller brings the value. */
static bool has_checksum(const struct wire_pairs *headers)
{
	static const char *const others[] = { "x-amz-checksum-algorithm", "x-amz-checksum-type",
		"x-amz-checksum-mode" };
	for (size_t i = 0; i < headers->n; i++) {
		struct str name = str_from(headers->items[i].name);
		bool other = false;
		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
			other = other || str_eq_nocase(name, str_from(others[k]));
		}
		if (!other && str_eq_nocase(str_sub(name, 0, 15), STR("x-amz-checksum-"))) {
			return true;
		}
	}
	return wire_get(headers, "Content-MD5") != NULL;
}

/*
 * The kind the caller named, else SHA-256, which evidence is known by. A part's checksum must be
 * of the kind named when the upload began, which only the caller knows.
 */
static enum checksum_kind kind_of(const struct model_call *c, const struct wire_request *r)
{
	const char *named = wire_get(&r->headers, ALGORITHM);
	if (!(c->op->flags & MODEL_OP_CHECKSUM) || has_checksum(&r->headers)) {
		return CHECKSUM_NONE;
	}
	if (named) {
		return checksum_named(str_from(named));
	}
	return strcmp(model_text(c->m, c->op->name), "UploadPart") == 0 ? CHECKSUM_NONE
									: CHECKSUM_SHA256;
}

enum checksum_kind build_trailer(const struct model_call *c, const struct wire_request *r)
{
	return r->source && !r->source->sha256_hex ? kind_of(c, r) : CHECKSUM_NONE;
}

/* Of a stream whose SHA-256 the caller knows. */
static void known_checksum(const char *hex, char out[CHECKSUM_MAX_BASE64])
{
	unsigned char raw[HASH_SHA256_BYTES];
	size_t n = 0;
	struct buf text;
	buf_init(&text, CHECKSUM_MAX_BASE64 - 1);
	if (hash_unhex(str_from(hex), raw, sizeof(raw), &n) && n == sizeof(raw)) {
		hash_base64((struct str){ (const char *)raw, n }, &text);
	}
	(void)snprintf(out, CHECKSUM_MAX_BASE64, "%s", text.p ? text.p : "");
	buf_deinit(&text);
}

/* The digest of what is sent, so that a body that was damaged on its way is refused. */
static enum err_status add_checksum(
	const struct model_call *c, struct wire_request *r, struct err *err)
{
	char value[CHECKSUM_MAX_BASE64] = "";
	uint8_t flags = c->op->flags;
	const char *named = wire_get(&r->headers, ALGORITHM);
	enum checksum_kind kind = kind_of(c, r);
	bool mine = !has_checksum(&r->headers);
	if ((flags & MODEL_OP_CHECKSUM) && named && mine && !kind) {
		return err_set(err, ERR_USAGE,
			"%s %s: ChecksumAlgorithm %s is not computed here; give its value in "
			"Checksum%s, or name SHA256 or CRC64NVME",
			model_text(c->m, c->service->name), model_text(c->m, c->op->name),
			named, named);
	}
	/* An empty body has a checksum too, where there must be one or one was asked for. */
	bool wanted = wire_body(r).n || r->source || named ||
		      (flags & (MODEL_OP_STREAM_IN | MODEL_OP_CHECKSUM_REQUIRED));
	if (!mine || !wanted) {
		return ERR_OK;
	}
	if (kind && r->source) {
		if (r->source->sha256_hex && kind == CHECKSUM_SHA256) {
			known_checksum(r->source->sha256_hex, value);
		}
	} else if (kind) {
		checksum_of(kind, wire_body(r), value);
	} else if ((flags & MODEL_OP_CHECKSUM_REQUIRED) && !(flags & MODEL_OP_CHECKSUM)) {
		checksum_of(CHECKSUM_MD5, wire_body(r), value);
		wire_set(&r->headers, "Content-MD5", str_from(value));
		return ERR_OK;
	}
	if (kind) {
		wire_set(&r->headers, ALGORITHM, str_from(checksum_name(kind)));
	}
	if (value[0]) {
		wire_set(&r->headers, checksum_header(kind), str_from(value));
	}
	return ERR_OK;
}

/* ---- all of it ---- */

/*
 * The length is the carrier's to say. A caller's own that is another would leave the server waiting
 * for what never comes, or the connection with bytes that nobody reads.
 */
static enum err_status check_length(
	const struct model_call *c, struct wire_request *r, struct err *err)
{
	const char *said = wire_get(&r->headers, "Content-Length");
	uint64_t have = r->source ? r->source->size : wire_body(r).n;
	int64_t n;
	if (said && (!str_to_i64(str_from(said), &n) || n < 0 || (uint64_t)n != have)) {
		return err_set(err, ERR_USAGE,
			"%s %s: ContentLength is %s, but the body has %llu bytes; leave it out",
			model_text(c->m, c->service->name), model_text(c->m, c->op->name), said,
			(unsigned long long)have);
	}
	wire_remove(&r->headers, "Content-Length");
	return ERR_OK;
}

enum err_status build_request(
	const struct build_input *in, struct wire_request *out, struct err *err)
{
	const struct model_call *c = in->call;
	enum err_status st = proto_build(c, in->params, out, err);
	if (st != ERR_OK || in->body_later) {
		return st;
	}
	if (c->op->flags & MODEL_OP_STREAM_IN) {
		out->blob = in->body;
		out->source = in->body.p ? NULL : in->source;
		if (!wire_get(&out->headers, "Content-Type")) {
			wire_set(
				&out->headers, "Content-Type", STR("application/octet-stream"));
		}
	}
	if ((c->op->flags & MODEL_OP_COMPRESS) && !out->blob.p && !out->source &&
		out->body.n >= in->compress_from) {
		compress(out);
	}
	st = check_length(c, out, err);
	return st == ERR_OK ? add_checksum(c, out, err) : st;
}
