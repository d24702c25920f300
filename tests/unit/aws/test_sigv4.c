/* The signer against AWS's published suite (when it is there) and against our own cases. */

#include "tests/unit/unit.h"

#include "aws/chunked.h"
#include "aws/sigv4.h"
#include "aws/uri.h"
#include "base/hash.h"
#include "base/utc.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool slurp(const char *dir, const char *name, struct buf *out)
{
	char path[1024];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	buf_init(out, 1u << 20);
	return env_read_file(env_system(), path, out, NULL) == ERR_OK;
}

/* Splits "name=value" pairs of a raw query; both sides are decoded, then encoded as on the wire. */
static void add_query(struct wire_request *r, struct str query)
{
	struct str piece;
	while (str_cut(&query, '&', &piece)) {
		size_t equal = str_find_char(piece, '=');
		struct str parts[2] = { str_sub(piece, 0, equal),
			equal == SIZE_MAX ? (struct str){ 0 }
					  : str_sub(piece, equal + 1, SIZE_MAX) };
		struct buf encoded[2];
		for (int i = 0; i < 2; i++) {
			struct buf raw;
			buf_init(&raw, 4096);
			buf_init(&encoded[i], 4096);
			uri_decode(parts[i], &raw);
			uri_encode(buf_view(&raw), false, &encoded[i]);
			buf_deinit(&raw);
		}
		wire_add(&r->query, encoded[0].p, buf_view(&encoded[1]));
		buf_deinit(&encoded[0]);
		buf_deinit(&encoded[1]);
	}
}

static void read_request(struct str text, bool encode_path, struct wire_request *r)
{
	static const char *const methods[] = { "GET", "POST" };
	struct str line;
	wire_request_init(r);
	assert_true(str_cut(&text, '\n', &line));
	size_t space = str_find_char(line, ' ');
	r->method = methods[str_is(str_sub(line, 0, space), "POST")];
	struct str target = str_sub(line, space + 1, line.n - space - 1 - strlen(" HTTP/1.1"));
	size_t question = str_find_char(target, '?');
	struct str path = str_sub(target, 0, question);
	if (encode_path) {
		uri_encode(path, true, &r->path);
	} else {
		buf_add_str(&r->path, path);
	}
	if (question != SIZE_MAX) {
		add_query(r, str_sub(target, question + 1, SIZE_MAX));
	}
	while (str_cut(&text, '\n', &line) && line.n) {
		size_t colon = str_find_char(line, ':');
		if (line.p[0] == ' ') { /* a folded value goes on */
			struct wire_pair *last = &r->headers.items[r->headers.n - 1];
			char more[256];
			(void)snprintf(
				more, sizeof(more), "%s\n%.*s", last->value, STR_ARG(line));
			free(last->value);
			last->value = str_dup(str_from(more));
			continue;
		}
		char name[64];
		(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(str_sub(line, 0, colon)));
		wire_add(&r->headers, name, str_sub(line, colon + 1, SIZE_MAX));
		if (str_eq_nocase(str_from(name), STR("host"))) {
			buf_add_str(&r->authority, str_sub(line, colon + 1, SIZE_MAX));
		}
	}
	buf_add_str(&r->body, text);
}

static void check_file(const char *dir, const char *name, struct str got)
{
	struct buf want;
	assert_true(slurp(dir, name, &want));
	if (!str_eq(buf_view(&want), got)) {
		print_error("%s/%s\n--- wanted\n%s\n--- got\n%.*s\n", dir, name, want.p,
			STR_ARG(got));
		fail();
	}
	buf_deinit(&want);
}

static void check_texts(const char *dir, const char *kind, const struct sigv4_params *p,
	const struct wire_request *r)
{
	struct buf canonical, to_sign;
	char name[64];
	buf_init(&canonical, 1u << 16);
	buf_init(&to_sign, 1u << 16);
	sigv4_canonical(p, r, &canonical);
	(void)snprintf(name, sizeof(name), "%s-canonical-request.txt", kind);
	check_file(dir, name, buf_view(&canonical));
	sigv4_string_to_sign(p, buf_view(&canonical), &to_sign);
	(void)snprintf(name, sizeof(name), "%s-string-to-sign.txt", kind);
	check_file(dir, name, buf_view(&to_sign));
	buf_deinit(&canonical);
	buf_deinit(&to_sign);
}

static void check_case(const char *dir)
{
	struct buf text, context;
	json_t *c = NULL;
	int64_t when = 0;
	assert_true(slurp(dir, "request.txt", &text));
	assert_true(slurp(dir, "context.json", &context));
	assert_int_equal(doc_parse(buf_view(&context), 65536, &c, NULL), ERR_OK);
	assert_true(utc_parse(str_from(doc_text(c, "timestamp")), &when));
	struct secret *key = secret_new(str_from(doc_text(c, "credentials.secret_access_key")));
	const char *token = doc_text(c, "credentials.token");
	struct secret *session = token ? secret_new(str_from(token)) : NULL;
	bool normalize = doc_true(c, "normalize");
	struct sigv4_params p = {
		.keys = { doc_text(c, "credentials.access_key_id"), key, session },
		.region = doc_text(c, "region"),
		.service = doc_text(c, "service"),
		.now_ms = when,
		.s3 = !normalize,
		.no_content_sha256 = !doc_true(c, "sign_body"),
		.token_unsigned = doc_true(c, "omit_session_token"),
		.expires_s = doc_int(c, "expiration_in_seconds", 0),
	};
	struct wire_request r;
	read_request(buf_view(&text), !normalize, &r);
	sigv4_sign(NULL, &p, &r);
	const char *auth = wire_get(&r.headers, "Authorization");
	check_file(dir, "header-signature.txt", str_from(strstr(auth, "Signature=") + 10));
	if (p.token_unsigned) {
		wire_remove(&r.headers, "X-Amz-Security-Token");
	}
	check_texts(dir, "header", &p, &r);
	wire_request_deinit(&r);

	read_request(buf_view(&text), !normalize, &r);
	sigv4_presign(NULL, &p, &r);
	const char *signature = wire_get(&r.query, "X-Amz-Signature");
	check_file(dir, "query-signature.txt", str_from(signature));
	wire_remove(&r.query, "X-Amz-Signature");
	if (p.token_unsigned) {
		wire_remove(&r.query, "X-Amz-Security-Token");
	}
	check_texts(dir, "query", &p, &r);
	wire_request_deinit(&r);

	secret_free(key);
	secret_free(session);
	json_decref(c);
	buf_deinit(&text);
	buf_deinit(&context);
}

static void test_aws_suite(void **state)
{
	(void)state;
	const char *shared = getenv("CORDON_SHARED");
	char root[900];
	if (!shared || !shared[0]) {
		skip();
	}
	(void)snprintf(root, sizeof(root), "%s/vectors/sigv4", shared);
	DIR *d = opendir(root);
	assert_non_null(d);
	int n = 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		char dir[1200];
		if (e->d_name[0] == '.' || strchr(e->d_name, '.')) {
			continue;
		}
		(void)snprintf(dir, sizeof(dir), "%s/%s", root, e->d_name);
		check_case(dir);
		n++;
	}
	(void)closedir(d);
	assert_int_equal(n, 38);
}

/* The worked example of the S3 API reference ("GET Object", 24 May 2013). */
static void test_s3_example(void **state)
{
	(void)state;
	struct secret *key = secret_new(STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
	struct sigv4_params p = { .keys = { "AKIAIOSFODNN7EXAMPLE", key, NULL },
		.region = "us-east-1",
		.service = "s3",
		.now_ms = 1369353600000,
		.s3 = true };
	struct wire_request r;
	wire_request_init(&r);
	r.method = "GET";
	buf_puts(&r.authority, "examplebucket.s3.amazonaws.com");
	buf_puts(&r.path, "/test.txt");
	wire_add(&r.headers, "Range", STR("bytes=0-9"));
	wire_add(&r.headers, "User-Agent", STR("never signed"));
	sigv4_sign(NULL, &p, &r);
	assert_non_null(strstr(wire_get(&r.headers, "Authorization"),
		"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature="
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
	/* Signing again, as a retry does, gives one signature, not two. */
	size_t n = r.headers.n;
	sigv4_sign(NULL, &p, &r);
	assert_int_equal(r.headers.n, n);
	wire_request_deinit(&r);
	secret_free(key);
}

/* S3 keys are signed as they are sent: no dot is taken out, nothing is encoded twice. */
static void test_paths(void **state)
{
	(void)state;
	struct secret *key = secret_new(STR("s"));
	struct sigv4_params p = {
		.keys = { "AKID", key, NULL }, .region = "r", .service = "s3", .s3 = true
	};
	struct wire_request r;
	struct buf out;
	wire_request_init(&r);
	buf_init(&out, 65536);
	buf_puts(&r.path, "/a%20b/../c//d%2Fe");
	r.method = "GET";
	sigv4_canonical(&p, &r, &out);
	assert_non_null(strstr(out.p, "GET\n/a%20b/../c//d%2Fe\n"));
	buf_reset(&out);
	p.s3 = false;
	sigv4_canonical(&p, &r, &out);
	assert_non_null(strstr(out.p, "GET\n/c/d%252Fe\n"));
	buf_deinit(&out);
	wire_request_deinit(&r);
	secret_free(key);
}

struct shared {
	struct sigv4_cache *cache;
	const struct secret *keys[2];
};

static void *sign_often(void *arg)
{
	const struct shared *s = arg;
	for (int i = 0; i < 200; i++) {
		char region[16];
		(void)snprintf(region, sizeof(region), "r-%d", i % 20);
		struct sigv4_params p = { .keys = { "AKID", s->keys[i / 7 % 2], NULL },
			.region = region,
			.service = i / 3 % 2 ? "ec2" : "sts",
			.now_ms = 1700000000000 + (int64_t)(i / 11 % 3) * 86400000 };
		struct wire_request with, without;
		wire_request_init(&with);
		wire_request_init(&without);
		buf_puts(&with.authority, "h");
		buf_puts(&without.authority, "h");
		sigv4_sign(s->cache, &p, &with);
		sigv4_sign(NULL, &p, &without);
		if (strcmp(wire_get(&with.headers, "Authorization"),
			    wire_get(&without.headers, "Authorization")) != 0) {
			return arg;
		}
		wire_request_deinit(&with);
		wire_request_deinit(&without);
	}
	return NULL;
}

/*
 * More regions, services, days and secrets (as after a renewal) than slots, from several threads: the
 * cache never gives another key.
 */
static void test_cache(void **state)
{
	(void)state;
	struct secret *key = secret_new(STR("secret")), *other = secret_new(STR("renewed"));
	struct shared s = { sigv4_cache_new(), { key, other } };
	pthread_t t[4];
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&t[i], NULL, sign_often, &s), 0);
	}
	for (int i = 0; i < 4; i++) {
		void *bad = NULL;
		assert_int_equal(pthread_join(t[i], &bad), 0);
		assert_null(bad);
	}
	sigv4_cache_free(s.cache);
	secret_free(key);
	secret_free(other);
}

/* ---- signed chunks: the worked examples of AWS's documentation ---- */

static size_t give_a(void *ctx, void *out, size_t n)
{
	size_t *left = ctx;
	n = n < *left ? n : *left;
	memset(out, 'a', n);
	*left -= n;
	return n;
}

/* 66560 bytes 'a' put to examplebucket/chunkObject.txt, in chunks of 64 KiB. */
static void stream_of_a(enum checksum_kind kind, const char *const *signatures, size_t n)
{
	struct secret *key = secret_new(STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
	struct sigv4_params p = { .keys = { "AKIAIOSFODNN7EXAMPLE", key, NULL },
		.region = "us-east-1",
		.service = "s3",
		.now_ms = 1369353600000,
		.s3 = true };
	size_t left = 66560;
	struct aws_source source = { .read = give_a, .ctx = &left, .size = left };
	struct wire_request r;
	struct chunked c = { 0 };
	char length[24], bytes[8192];
	wire_request_init(&r);
	r.method = "PUT";
	buf_puts(&r.authority, "s3.amazonaws.com");
	buf_puts(&r.path, "/examplebucket/chunkObject.txt");
	wire_set(&r.headers, "x-amz-storage-class", STR("REDUCED_REDUNDANCY"));
	chunked_init(&c, &source, kind, true);
	chunked_announce(&c, &r);
	(void)snprintf(length, sizeof(length), "%zu", (size_t)c.source.size);
	if (kind == CHECKSUM_NONE) { /* the second example does not sign it */
		wire_set(&r.headers, "Content-Length", str_from(length));
	}
	p.payload_hash = chunked_payload(&c);
	sigv4_sign(NULL, &p, &r);
	assert_non_null(strstr(wire_get(&r.headers, "Authorization"), signatures[0]));
	chunked_start(&c, NULL, &p, &r);
	struct buf all;
	buf_init(&all, 1u << 20);
	for (size_t got = 1; got > 0;) {
		got = c.source.read(c.source.ctx, bytes, sizeof(bytes));
		assert_true(got != SIZE_MAX);
		buf_add(&all, bytes, got);
	}
	assert_int_equal(all.n, c.source.size);
	for (size_t i = 1; i < n; i++) {
		if (!strstr(all.p, signatures[i])) { /* no byte of it is NUL */
			fail_msg("no %s", signatures[i]);
		}
	}
	buf_deinit(&all);
	chunked_deinit(&c);
	wire_request_deinit(&r);
	secret_free(key);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html#example-signature-calculations-streaming */
static void test_chunks(void **state)
{
	(void)state;
	static const char *const want[] = {
		"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
		"10000;chunk-signature="
		"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\na",
		"a\r\n400;chunk-signature="
		"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\na",
		"a\r\n0;chunk-signature="
		"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
	};
	stream_of_a(CHECKSUM_NONE, want, 4);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html */
static void test_chunks_with_trailer(void **state)
{
	(void)state;
	static const char *const want[] = {
		"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
		"10000;chunk-signature="
		"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\na",
		"a\r\n400;chunk-signature="
		"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\na",
		"a\r\n0;chunk-signature="
		"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
		"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:"
		"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
	};
	stream_of_a(CHECKSUM_CRC32C, want, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws_suite),
		cmocka_unit_test(test_s3_example),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_chunks_with_trailer),
	};
	return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
