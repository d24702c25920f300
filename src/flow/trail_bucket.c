#include "flow/trail_bucket.h"

#include "analysis/trail_digest.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

#define OBJECTS_MAX  ((size_t)2 * 1024 * 1024)
#define SIDE_BY_SIDE 16
#define REGIONS_MAX  64
#define HOUR_MS      (3600 * INT64_C(1000))

struct trail_bucket {
	struct aws_client *aws;
	char bucket[64];
	struct prune window;
	char **keys;
	size_t n, cap;
	json_t *queue; /* parameters of the pages to list */
	struct trail_source source;
};

static void add(struct trail_bucket *b, const char *key)
{
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 256;
		b->keys = realloc(b->keys, b->cap * sizeof(*b->keys));
		if (!b->keys) {
			BUG("out of memory");
		}
	}
	b->keys[b->n++] = str_dup(str_from(key));
}

static void enqueue(struct trail_bucket *b, const char *prefix, const char *token)
{
	json_array_append_new(
		b->queue, json_pack("{s:s,s:s,s:s,s:s*}", "Bucket", b->bucket, "Prefix", prefix,
				  "Delimiter", "/", "ContinuationToken", token));
}

/* Below an account's folder only CloudTrail's own are of use. */
static bool is_of_use(const struct trail_bucket *b, struct str folder)
{
	struct str tail = trail_digest_tail(folder);
	struct str part;
	bool account = false;
	if (prune_path(&b->window, folder) != PRUNE_NO) {
		return false;
	}
	while (str_cut(&tail, '/', &part)) {
		if (account) {
			return str_starts(part, STR("CloudTrail"));
		}
		account = part.n == 12 && part.p[0] >= '0' && part.p[0] <= '9';
	}
	return true;
}

static void take_page(struct trail_bucket *b, const json_t *asked, const json_t *page)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(page, "Contents"), i, item)
	{
		const char *key = doc_text(item, "Key");
		struct trail_name name;
		if (key && b->n < OBJECTS_MAX && trail_digest_name(str_from(key), &name)) {
			add(b, key);
		}
	}
	json_array_foreach(json_object_get(page, "CommonPrefixes"), i, item)
	{
		const char *prefix = doc_text(item, "Prefix");
		if (prefix && is_of_use(b, str_from(prefix))) {
			enqueue(b, prefix, NULL);
		}
	}
	if (doc_text(page, "NextContinuationToken")) {
		enqueue(b, doc_text_or(asked, "Prefix", ""),
			doc_text(page, "NextContinuationToken"));
	}
}

/* Lists the next folders of the queue side by side. */
static enum err_status list_some(struct trail_bucket *b, struct err *err)
{
	struct aws_request q[SIDE_BY_SIDE] = { 0 };
	json_t *asked[SIDE_BY_SIDE];
	size_t n = json_array_size(b->queue);
	n = n < SIDE_BY_SIDE ? n : SIDE_BY_SIDE;
	for (size_t i = 0; i < n; i++) {
		/* From the end: deep first, so the queue stays short. */
		size_t last = json_array_size(b->queue) - 1;
		asked[i] = json_incref(json_array_get(b->queue, last));
		(void)json_array_remove(b->queue, last);
		q[i].service = "s3";
		q[i].operation = "ListObjectsV2";
		q[i].params = asked[i];
	}
	enum err_status st = aws_call_many(b->aws, q, n, err);
	for (size_t i = 0; i < n; i++) {
		if (q[i].status == ERR_OK) {
			take_page(b, asked[i], q[i].result);
		}
		json_decref(q[i].result);
		json_decref(asked[i]);
	}
	return st;
}

static enum err_status fetch(void *ctx, const char *bucket, const char *key, struct buf *out,
	struct buf *signature, struct err *err)
{
	const struct trail_bucket *b = ctx;
	json_t *params = json_pack(
		"{s:s,s:s}", "Bucket", bucket && *bucket ? bucket : b->bucket, "Key", key);
	struct aws_request q = {
		.service = "s3", .operation = "GetObject", .params = params, .body_out = out
	};
	enum err_status st = aws_call_many(b->aws, &q, 1, err);
	if (st == ERR_OK && signature) {
		buf_puts(signature, doc_text_or(q.result, "Metadata.signature", ""));
	}
	json_decref(q.result);
	json_decref(params);
	return st;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "s3://bucket/prefix", the prefix made to end in a slash. */
static enum err_status read_uri(
	struct trail_bucket *b, const char *uri, char **prefix, struct err *err)
{
	struct str rest = str_from(uri);
	if (!str_starts(rest, STR("s3://"))) {
		return err_set(
			err, ERR_USAGE, "%.200s is not of the form s3://bucket/prefix", uri);
	}
	rest = str_sub(rest, 5, SIZE_MAX);
	struct str bucket = str_sub(rest, 0, str_find_char(rest, '/'));
	if (bucket.n < 3 || bucket.n >= sizeof(b->bucket)) {
		return err_set(err, ERR_USAGE, "%.200s names no bucket", uri);
	}
	memcpy(b->bucket, bucket.p, bucket.n);
	rest = str_sub(rest, bucket.n + 1, SIZE_MAX);
	struct buf text;
	buf_init(&text, 4096);
	buf_add_str(&text, rest);
	if (rest.n && rest.p[rest.n - 1] != '/') {
		buf_putc(&text, '/');
	}
	*prefix = buf_steal(&text);
	return ERR_OK;
}

enum err_status trail_bucket_open(struct aws_client *aws, const char *uri,
	const struct prune *window, struct trail_bucket **out, struct err *err)
{
	struct trail_bucket *b = calloc(1, sizeof(*b));
	char *prefix = NULL;
	if (!b) {
		BUG("out of memory");
	}
	b->aws = aws;
	b->window = *window;
	b->queue = json_array();
	b->source = (struct trail_source){ .ctx = b, .bucket = b->bucket, .fetch = fetch };
	enum err_status st = ERR_OK;
	TRY(read_uri(b, uri, &prefix, err));
	enqueue(b, prefix, NULL);
	while (json_array_size(b->queue) && b->n < OBJECTS_MAX) {
		TRY(list_some(b, err));
	}
	if (b->n >= OBJECTS_MAX) {
		st = err_set(err, ERR_LIMIT,
			"%.200s holds more than two million objects in the window: name less "
			"with "
			"--since, --until or --region",
			uri);
		goto out;
	}
	if (b->n) {
		qsort(b->keys, b->n, sizeof(*b->keys), by_bytes);
	}
	*out = b;
	b = NULL;
out:
	trail_bucket_free(b);
	free(prefix);
	return st;
}

void trail_bucket_free(struct trail_bucket *b)
{
	for (size_t i = 0; b && i < b->n; i++) {
		free(b->keys[i]);
	}
	if (b) {
		json_decref(b->queue);
		free(b->keys);
	}
	free(b);
}

const char *const *trail_bucket_objects(const struct trail_bucket *b, size_t *n)
{
	*n = b->n;
	return (const char *const *)b->keys;
}

const struct trail_source *trail_bucket_source(const struct trail_bucket *b)
{
	return &b->source;
}

/* ---- keys ---- */

/* The regions of the digests, and from when to when they are. */
struct regions {
	struct str name[REGIONS_MAX];
	size_t n;
	int64_t from_ms, to_ms;
};

static void see(struct regions *r, const struct trail_name *n)
{
	size_t i = 0;
	r->from_ms = n->time_ms < r->from_ms ? n->time_ms : r->from_ms;
	r->to_ms = n->time_ms > r->to_ms ? n->time_ms : r->to_ms;
	while (i < r->n && !str_eq(r->name[i], n->region)) {
		i++;
	}
	if (i == r->n && r->n < REGIONS_MAX) {
		r->name[r->n++] = n->region;
	}
}

/* A key is valid for a while around the digests that it signs; two hours more as AWS's own tool. */
static enum err_status ask(struct aws_client *aws, const struct regions *r,
	struct trail_keys *keys, struct err *err)
{
	char from[32];
	char to[32];
	enum err_status st = ERR_OK;
	utc_rfc3339(r->from_ms - 2 * HOUR_MS, from);
	utc_rfc3339(r->to_ms + 2 * HOUR_MS, to);
	json_t *params = json_pack("{s:s,s:s}", "StartTime", from, "EndTime", to);
	for (size_t i = 0; i < r->n && st == ERR_OK; i++) {
		char *region = str_dup(r->name[i]);
		const char *token = NULL;
		do {
			struct aws_request q = { .service = "cloudtrail",
				.operation = "ListPublicKeys",
				.params = params,
				.region = region };
			st = aws_call_many(aws, &q, 1, err);
			st = st == ERR_OK ? trail_keys_add(keys, q.result, err) : st;
			token = st == ERR_OK ? doc_text(q.result, "NextToken") : NULL;
			(void)json_object_del(params, "NextToken");
			if (token) {
				json_object_set_new(params, "NextToken", json_string(token));
			}
			json_decref(q.result);
		} while (json_object_get(params, "NextToken"));
		free(region);
	}
	json_decref(params);
	return st;
}

enum err_status trail_bucket_keys(
	const struct trail_bucket *b, struct trail_keys *keys, struct err *err)
{
	struct regions r = { .from_ms = INT64_MAX, .to_ms = 0 };
	for (size_t i = 0; i < b->n; i++) {
		struct trail_name n;
		if (trail_digest_name(str_from(b->keys[i]), &n) && n.digest) {
			see(&r, &n);
		}
	}
	return r.n ? ask(b->aws, &r, keys, err) : ERR_OK;
}
