#include "flow/trail_bucket.h"

#include "analysis/trail_digest.h"
#include "base/utc.h"
#include "flow/s3_tree.h"

#include <stdlib.h>
#include <string.h>

#define OBJECTS_MAX ((size_t)2 * 1024 * 1024)
#define REGIONS_MAX 64
#define HOUR_MS     (3600 * INT64_C(1000))

struct trail_bucket {
	struct aws_client *aws;
	char bucket[S3_TREE_BUCKET_MAX];
	struct prune window;
	char **keys;
	size_t n, cap;
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

static bool see_folder(void *ctx, const char *prefix)
{
	return is_of_use(ctx, str_from(prefix));
}

static bool see_object(void *ctx, const json_t *item)
{
	struct trail_bucket *b = ctx;
	const char *key = doc_text_or(item, "Key", "");
	struct trail_name name;
	if (trail_digest_name(str_from(key), &name)) {
		add(b, key);
	}
	return b->n < OBJECTS_MAX;
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

enum err_status trail_bucket_open(struct aws_client *aws, const char *uri,
	const struct prune *window, struct trail_bucket **out, struct err *err)
{
	struct trail_bucket *b = calloc(1, sizeof(*b));
	const struct s3_tree_visitor tree = { see_folder, see_object, b };
	struct buf prefix;
	char *key = NULL;
	if (!b) {
		BUG("out of memory");
	}
	b->aws = aws;
	b->window = *window;
	b->source = (struct trail_source){ .ctx = b, .bucket = b->bucket, .fetch = fetch };
	enum err_status st = ERR_OK;
	buf_init(&prefix, 4096);
	TRY(s3_tree_place(uri, b->bucket, &key, err));
	buf_puts(&prefix, key);
	if (*key && !str_ends(str_from(key), STR("/"))) {
		buf_putc(&prefix, '/');
	}
	TRY(s3_tree_walk(aws, b->bucket, prefix.p ? prefix.p : "", &tree, err));
	if (b->n >= OBJECTS_MAX) {
		st = err_set(err, ERR_LIMIT,
			"%.200s holds more than two million objects in the window: name less "
			"with --since, --until or --region",
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
	buf_deinit(&prefix);
	free(key);
	return st;
}

void trail_bucket_free(struct trail_bucket *b)
{
	for (size_t i = 0; b && i < b->n; i++) {
		free(b->keys[i]);
	}
	if (b) {
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
