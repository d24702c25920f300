#include "flow/s3_source.h"

#include "base/i18n.h"
#include "base/utc.h"
#include "flow/s3_fetch.h"
#include "flow/s3_tree.h"

#include <stdlib.h>
#include <string.h>

#define URI_MAX 2048 /* a key has at most 1024 bytes */

struct s3_source {
	struct aws_client *aws;
	struct s3_fetch *fetch;
	struct source door;
};

/* ---- listing ---- */

struct listing {
	struct s3_source *source;
	const char *bucket;
	const struct source_visitor *visitor;
	bool found;
};

/* "s3://bucket/a/b", without the slash at the end of a folder; NULL when it is too long. */
static const char *uri_of(const struct listing *l, const char *key, char out[URI_MAX])
{
	int n = snprintf(out, URI_MAX, "s3://%s/%s", l->bucket, key);
	if (n <= 0 || n >= URI_MAX) {
		return NULL;
	}
	if (out[n - 1] == '/') {
		out[n - 1] = '\0';
	}
	return out;
}

static bool see_folder(void *ctx, const char *prefix)
{
	struct listing *l = ctx;
	char uri[URI_MAX];
	l->found = true;
	return uri_of(l, prefix, uri) && l->visitor->folder(l->visitor->ctx, uri);
}

static bool see_object(void *ctx, const json_t *item)
{
	struct listing *l = ctx;
	const char *key = doc_text_or(item, "Key", "");
	struct s3_fetch_object o = { .etag = doc_text(item, "ETag"),
		.size = (uint64_t)doc_int(item, "Size", 0) };
	char uri[URI_MAX];
	l->found = true;
	/* What consoles leave where somebody "makes a folder". */
	bool marker = str_ends(str_from(key), STR("/"));
	o.path = marker ? NULL : uri_of(l, key, uri);
	(void)utc_parse(str_from(doc_text_or(item, "LastModified", "")), &o.changed_ms);
	if (o.path && l->visitor->object(l->visitor->ctx, o.path, o.size)) {
		s3_fetch_add(l->source->fetch, &o);
	}
	return true;
}

/* The object that is called so; its name is the first of all that begin with it. */
static enum err_status list_one(struct listing *l, const char *key, struct err *err)
{
	json_t *page = NULL;
	json_t *params =
		json_pack("{s:s,s:s,s:i}", "Bucket", l->bucket, "Prefix", key, "MaxKeys", 1);
	enum err_status st =
		aws_call(l->source->aws, "s3", "ListObjectsV2", params, &page, err);
	const json_t *item = json_array_get(json_object_get(page, "Contents"), 0);
	if (item && !strcmp(doc_text_or(item, "Key", ""), key)) {
		(void)see_object(l, item);
	}
	json_decref(page);
	json_decref(params);
	return st;
}

static enum err_status list(
	void *ctx, const char *path, const struct source_visitor *visitor, struct err *err)
{
	struct s3_source *s = ctx;
	char bucket[S3_TREE_BUCKET_MAX];
	char *key = NULL;
	struct listing l = { s, bucket, visitor, false };
	const struct s3_tree_visitor tree = { see_folder, see_object, &l };
	struct buf prefix;
	enum err_status st = ERR_OK;
	buf_init(&prefix, URI_MAX);
	TRY(s3_tree_place(path, bucket, &key, err));
	buf_puts(&prefix, key);
	if (*key && !str_ends(str_from(key), STR("/"))) {
		TRY(list_one(&l, key, err));
		buf_putc(&prefix, '/');
	}
	TRY(s3_tree_walk(s->aws, bucket, prefix.p ? prefix.p : "", &tree, err));
	if (!l.found) {
		st = err_set(err, ERR_NOT_FOUND,
			"no object and no folder is called so; aws s3 ls shows what there is");
	}
out:
	buf_deinit(&prefix);
	free(key);
	return st == ERR_OK ? st : err_prefix(err, "can't read %.200s", path);
}

/* ---- the door ---- */

static struct source_object *open_object(
	void *ctx, const char *path, uint64_t *size, int64_t *changed_ms)
{
	struct s3_source *s = ctx;
	return s3_fetch_open(s->fetch, path, size, changed_ms);
}

struct s3_source *s3_source_new(struct aws_client *aws)
{
	struct s3_source *s = calloc(1, sizeof(*s));
	if (!s) {
		BUG("out of memory");
	}
	s->aws = aws;
	s->fetch = s3_fetch_new(aws);
	s->door = (struct source){ s, list, open_object, s3_fetch_read, s3_fetch_close };
	return s;
}

void s3_source_free(struct s3_source *s)
{
	if (s) {
		s3_fetch_free(s->fetch);
	}
	free(s);
}

const struct source *s3_source_door(const struct s3_source *s)
{
	return &s->door;
}
