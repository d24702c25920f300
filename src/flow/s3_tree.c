#include "flow/s3_tree.h"

#include <stdlib.h>
#include <string.h>

#define SIDE_BY_SIDE 16

struct walk {
	struct aws_client *aws;
	const char *bucket;
	const struct s3_tree_visitor *visitor;
	json_t *queue; /* parameters of the pages to list */
	bool enough;
};

enum err_status s3_tree_place(
	const char *uri, char bucket[S3_TREE_BUCKET_MAX], char **key, struct err *err)
{
	struct str rest = str_from(uri);
	if (!str_starts(rest, STR("s3://"))) {
		return err_set(
			err, ERR_USAGE, "%.200s is not of the form s3://bucket/prefix", uri);
	}
	rest = str_sub(rest, 5, SIZE_MAX);
	struct str name = str_sub(rest, 0, str_find_char(rest, '/'));
	if (name.n < 3 || name.n >= S3_TREE_BUCKET_MAX) {
		return err_set(err, ERR_USAGE, "%.200s names no bucket", uri);
	}
	memcpy(bucket, name.p, name.n);
	bucket[name.n] = '\0';
	*key = str_dup(name.n < rest.n ? str_sub(rest, name.n + 1, SIZE_MAX) : STR(""));
	return ERR_OK;
}

static void enqueue(struct walk *w, const char *prefix, const char *token)
{
	json_array_append_new(
		w->queue, json_pack("{s:s,s:s,s:s,s:s*}", "Bucket", w->bucket, "Prefix", prefix,
				  "Delimiter", "/", "ContinuationToken", token));
}

static void take_page(struct walk *w, const json_t *asked, const json_t *page)
{
	const struct s3_tree_visitor *v = w->visitor;
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(page, "Contents"), i, item)
	{
		if (doc_text(item, "Key") && !w->enough) {
			w->enough = !v->object(v->ctx, item);
		}
	}
	json_array_foreach(json_object_get(page, "CommonPrefixes"), i, item)
	{
		const char *prefix = doc_text(item, "Prefix");
		if (prefix && v->folder(v->ctx, prefix)) {
			enqueue(w, prefix, NULL);
		}
	}
	if (doc_text(page, "NextContinuationToken")) {
		enqueue(w, doc_text_or(asked, "Prefix", ""),
			doc_text(page, "NextContinuationToken"));
	}
}

static enum err_status list_some(struct walk *w, struct err *err)
{
	struct aws_request q[SIDE_BY_SIDE] = { 0 };
	json_t *asked[SIDE_BY_SIDE];
	size_t n = json_array_size(w->queue);
	n = n < SIDE_BY_SIDE ? n : SIDE_BY_SIDE;
	for (size_t i = 0; i < n; i++) {
		/* From the end: deep first, so the queue stays short. */
		size_t last = json_array_size(w->queue) - 1;
		asked[i] = json_incref(json_array_get(w->queue, last));
		(void)json_array_remove(w->queue, last);
		q[i].service = "s3";
		q[i].operation = "ListObjectsV2";
		q[i].params = asked[i];
	}
	enum err_status st = aws_call_many(w->aws, q, n, err);
	for (size_t i = 0; i < n; i++) {
		if (q[i].status == ERR_OK) {
			take_page(w, asked[i], q[i].result);
		}
		json_decref(q[i].result);
		json_decref(asked[i]);
	}
	return st;
}

enum err_status s3_tree_walk(struct aws_client *aws, const char *bucket, const char *prefix,
	const struct s3_tree_visitor *visitor, struct err *err)
{
	struct walk w = {
		.aws = aws, .bucket = bucket, .visitor = visitor, .queue = json_array()
	};
	enum err_status st = ERR_OK;
	enqueue(&w, prefix, NULL);
	while (st == ERR_OK && json_array_size(w.queue) && !w.enough) {
		st = list_some(&w, err);
	}
	json_decref(w.queue);
	return st;
}
