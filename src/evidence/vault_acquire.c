#include "base/folder.h"
#include "base/log.h"
#include "evidence/digest.h"
#include "evidence/sources.h"
#include "evidence/vault_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Past this S3 takes no single PutObject; the object is named as not taken. */
#define MOST_OBJECT_BYTES (5ull * 1024 * 1024 * 1024)

struct taking {
	struct vault *v;
	const json_t *view;
	const struct acquire_plan *plan;
	const char *dir; /* where copies lie: plan->dir, or a folder of our own */
	json_t *items, *failed;
	int64_t bytes;
	size_t lost;
};

static void failed(struct taking *t, const char *name, const struct err *why)
{
	struct err err = { 0 };
	json_t *payload = json_pack("{s:s, s:{s:s, s:s, s:s, s:s}}", "name", name, "error",
		"status", err_name(why->status), "code", why->code, "message", why->msg, "call",
		why->call);

	if (journal_append(t->v->journal, t->v->case_id, "evidence.failed", payload, NULL,
		    &err) != ERR_OK) {
		log_err(LOG_ERROR, "a failure to take evidence could not be recorded", &err);
	}
	(void)json_array_append_new(t->failed, payload);
	t->lost++;
}

static void taken(struct taking *t, struct vault_piece *pieces, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct vault_piece *p = &pieces[i];
		if (p->status != ERR_OK) {
			failed(t, p->name, &p->err);
		} else {
			(void)json_array_append(t->items, p->item);
			t->bytes += (int64_t)p->size;
		}
		json_decref(p->item);
		p->item = NULL;
	}
}

static void take_document(struct taking *t, const char *name, const json_t *doc,
	const json_t *source, const char *call)
{
	struct buf text = { 0 };
	struct vault_piece p = { .name = name, .source = source, .call = call };

	buf_init(&text, DOC_MAX_BYTES);
	doc_pretty(doc, &text);
	p.bytes = buf_view(&text);
	if (buf_ok(&text)) {
		vault_store(t->v, &p, 1);
	} else {
		p.status = err_set(&p.err, ERR_LIMIT, "larger than %zu bytes", DOC_MAX_BYTES);
	}
	taken(t, &p, 1);
	buf_deinit(&text);
}

static void take_findings(struct taking *t)
{
	const json_t *list = doc_get(t->view, "findings");

	for (size_t i = 0; i < json_array_size(list) && i < 1000; i++) {
		const json_t *f = json_array_get(list, i);
		char name[64];
		if (!doc_get(f, "raw")) {
			continue;
		}
		(void)snprintf(
			name, sizeof(name), i ? "finding-%zu.json" : "finding.json", i + 1);
		json_t *source = json_pack(
			"{s:s, s:s?}", "type", "guardduty-finding", "arn", doc_text(f, "arn"));
		take_document(t, name, doc_get(f, "raw"), source, NULL);
		json_decref(source);
	}
}

/* What is read about a resource before anybody changes it further. "{0}" is the resource id. */
static const struct question {
	const char *kind, *service, *operation, *call, *params;
} questions[] = {
	{ "Instance", "ec2", "DescribeInstances", "ec2:DescribeInstances",
		"{\"InstanceIds\":[\"{0}\"]}" },
	{ "Instance", "ec2", "DescribeVolumes", "ec2:DescribeVolumes",
		"{\"Filters\":[{\"Name\":\"attachment.instance-id\",\"Values\":[\"{0}\"]}]}" },
	{ "Instance", "ec2", "DescribeNetworkInterfaces", "ec2:DescribeNetworkInterfaces",
		"{\"Filters\":[{\"Name\":\"attachment.instance-id\",\"Values\":[\"{0}\"]}]}" },
	{ "Instance", "ec2", "DescribeInstanceAttribute", "ec2:DescribeInstanceAttribute",
		"{\"InstanceId\":\"{0}\",\"Attribute\":\"userData\"}" },
	{ "S3Bucket", "s3", "GetBucketPolicyStatus", "s3:GetBucketPolicyStatus",
		"{\"Bucket\":\"{0}\"}" },
	{ "S3Bucket", "s3", "GetBucketAcl", "s3:GetBucketAcl", "{\"Bucket\":\"{0}\"}" },
	{ "S3Bucket", "s3", "GetBucketPolicy", "s3:GetBucketPolicy", "{\"Bucket\":\"{0}\"}" },
	{ "RDSDBInstance", "rds", "DescribeDBInstances", "rds:DescribeDBInstances",
		"{\"DBInstanceIdentifier\":\"{0}\"}" },
};

/* The template with the id in it, as values and not as text: an id can't change its shape. */
/* NOLINTNEXTLINE(misc-no-recursion): the templates are our own, a few levels deep */
static json_t *with_id(const json_t *v, const char *id)
{
	const char *key = NULL;
	json_t *item = NULL;
	json_t *out = NULL;
	union {
		const json_t *c;
		json_t *m;
	} u = { v };

	if (json_is_string(v)) {
		return json_string(
			strcmp(json_string_value(v), "{0}") == 0 ? id : json_string_value(v));
	}
	if (json_is_array(v)) {
		out = json_array();
		for (size_t i = 0; i < json_array_size(v); i++) {
			(void)json_array_append_new(out, with_id(json_array_get(v, i), id));
		}
		return out;
	}
	out = json_object();
	json_object_foreach(u.m, key, item)
	{
		(void)json_object_set_new(out, key, with_id(item, id));
	}
	return out;
}

enum { MOST_QUESTIONS = sizeof(questions) / sizeof(questions[0]) };

static void ask_about(struct taking *t, const char *kind, const char *id)
{
	struct aws_request q[MOST_QUESTIONS] = { 0 };
	json_t *params[MOST_QUESTIONS] = { 0 };
	const struct question *asked[MOST_QUESTIONS] = { 0 };
	char *safe = sources_safe_path(id);
	char name[512];
	size_t n = 0;

	for (size_t i = 0; i < MOST_QUESTIONS; i++) {
		json_t *shape = NULL;
		if (strcmp(questions[i].kind, kind) != 0) {
			continue;
		}
		if (doc_parse(str_from(questions[i].params), 4096, &shape, NULL) != ERR_OK) {
			BUG("a template of questions[] is no JSON");
		}
		params[n] = with_id(shape, id);
		json_decref(shape);
		asked[n] = &questions[i];
		q[n].service = questions[i].service;
		q[n].operation = questions[i].operation;
		q[n].params = params[n];
		n++;
	}
	if (n && aws_call_many(t->v->aws, q, n, NULL) != ERR_OK) {
		/* each has its own status */
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "resources/%.200s/%s.json", safe,
			asked[i]->operation);
		json_t *source = json_pack(
			"{s:s, s:s, s:s}", "type", "resource-metadata", "kind", kind, "id", id);
		if (q[i].status == ERR_OK) {
			take_document(t, name, q[i].result, source, asked[i]->call);
		} else if (q[i].status != ERR_NOT_FOUND || i == 0) {
			failed(t, name,
				&q[i].err); /* "no policy" is an answer, not a failure */
		}
		json_decref(source);
		json_decref(q[i].result);
		json_decref(params[i]);
	}
	free(safe);
}

static void take_resources(struct taking *t)
{
	const json_t *list = doc_get(t->view, "resources");

	for (size_t i = 0; i < json_array_size(list) && i < 100; i++) {
		const json_t *r = json_array_get(list, i);
		if (doc_text(r, "kind") && doc_text(r, "id")) {
			ask_about(t, doc_text(r, "kind"), doc_text(r, "id"));
		}
	}
}

/* One log object: fetched into a file of ours and hashed on the way, then stored from there; the copy stays for the analysis. */
struct fetch {
	struct digest digest;
	json_t *params, *source;
	char *path;
	int64_t start_ms;
	struct err err;
	enum err_status status;
	char name[1100];
};

static void fetch_begin(
	struct taking *t, struct fetch *f, const json_t *object, struct aws_request *q)
{
	const char *bucket = doc_text_or(object, "bucket", "");
	const char *key = doc_text_or(object, "key", "");
	char *safe = sources_safe_path(key);
	struct buf b = { 0 };
	char *slash = NULL;

	*f = (struct fetch){ .digest.fd = -1, .start_ms = env_now_ms(t->v->env) };
	(void)snprintf(f->name, sizeof(f->name), "logs/%s/%.900s", bucket, safe);
	buf_init(&b, 8192);
	buf_printf(&b, "%s/%s", t->dir, f->name);
	f->path = buf_steal(&b);
	free(safe);
	f->params = json_pack("{s:s, s:s}", "Bucket", bucket, "Key", key);
	f->source = json_pack("{s:s, s:o, s:s, s:s}", "type", "log", "uri",
		json_sprintf("s3://%s/%s", bucket, key), "bucket", bucket, "key", key);
	if ((uint64_t)doc_int(object, "size", 0) > MOST_OBJECT_BYTES) {
		f->status = err_set(&f->err, ERR_LIMIT, "larger than 5 GiB; copy it by hand");
		return;
	}
	slash = strrchr(f->path, '/');
	*slash = '\0';
	f->status = folder_make(f->path, 0700, &f->err);
	*slash = '/';
	if (f->status == ERR_OK) {
		f->status = digest_open(&f->digest, f->path, &f->err);
	}
	*q = (struct aws_request){ .service = "s3",
		.operation = "GetObject",
		.params = f->params,
		.sink = &f->digest.sink };
}

static void fetch_end(
	struct taking *t, struct fetch *f, struct aws_request *q, struct vault_piece *p)
{
	char sha[HASH_SHA256_HEX] = "";
	struct err close_err = { 0 };
	enum err_status closed = digest_close(&f->digest, sha, &close_err);

	if (f->status == ERR_OK) {
		f->status = q->status;
		f->err = q->err;
	}
	if (f->status == ERR_OK && closed != ERR_OK) {
		f->status = closed;
		f->err = close_err;
	}
	if (f->status == ERR_OK && doc_text(q->result, "VersionId")) {
		(void)json_object_set(f->source, "version_id", doc_get(q->result, "VersionId"));
	}
	*p = (struct vault_piece){ .name = f->name,
		.path = f->path,
		.size = f->digest.size,
		.source = f->source,
		.call = "s3:GetObject",
		.start_ms = f->start_ms };
	memcpy(p->sha256, sha, sizeof(sha));
	if (f->status != ERR_OK) {
		failed(t, f->name, &f->err);
		(void)unlink(f->path);
	}
}

static void fetch_free(struct taking *t, struct fetch *f)
{
	if (!t->plan->dir) {
		(void)unlink(f->path);
	}
	json_decref(f->params);
	json_decref(f->source);
	free(f->path);
}

static void take_batch(struct taking *t, const json_t *objects, size_t from, size_t n)
{
	struct fetch f[VAULT_BATCH];
	struct aws_request all[VAULT_BATCH] = { 0 };
	struct aws_request go[VAULT_BATCH] = { 0 };
	size_t at[VAULT_BATCH] = { 0 };
	struct vault_piece pieces[VAULT_BATCH];
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		fetch_begin(t, &f[i], json_array_get(objects, from + i), &all[i]);
		if (f[i].status == ERR_OK) {
			at[m] = i;
			go[m++] = all[i];
		}
	}
	if (m && aws_call_many(t->v->aws, go, m, NULL) != ERR_OK) {
		/* each has its own status */
	}
	for (size_t i = 0; i < m; i++) {
		all[at[i]] = go[i];
	}
	m = 0;
	for (size_t i = 0; i < n; i++) {
		fetch_end(t, &f[i], &all[i], &pieces[m]);
		m += f[i].status == ERR_OK;
		json_decref(all[i].result);
	}
	vault_store(t->v, pieces, m);
	taken(t, pieces, m);
	for (size_t i = 0; i < n; i++) {
		fetch_free(t, &f[i]);
	}
}

static void take_logs(struct taking *t, const char *uri)
{
	json_t *objects = NULL;
	struct err err = { 0 };
	enum err_status st =
		sources_list(t->v->aws, uri, t->plan->from_ms, t->plan->to_ms, &objects, &err);
	size_t n = json_array_size(objects);

	if (st != ERR_OK) {
		failed(t, uri, &err);
	}
	for (size_t i = 0; i < n; i += VAULT_BATCH) {
		take_batch(t, objects, i, n - i < VAULT_BATCH ? n - i : VAULT_BATCH);
	}
	json_decref(objects);
}

enum err_status vault_acquire(struct vault *v, const json_t *case_view,
	const struct acquire_plan *plan, json_t **out, struct err *err)
{
	struct taking t = { .v = v,
		.view = case_view,
		.plan = plan,
		.items = json_array(),
		.failed = json_array() };
	char *own = NULL;
	enum err_status st = ERR_OK;

	t.dir = plan->dir;
	if (!t.dir) {
		TRY(folder_temp(v->env, &own, err));
		t.dir = own;
	}
	take_findings(&t);
	take_resources(&t);
	for (size_t i = 0; i < v->config->log_sources.n; i++) {
		take_logs(&t, v->config->log_sources.items[i]);
	}
	if (out) {
		*out = json_pack("{s:O, s:O, s:I}", "items", t.items, "failed", t.failed,
			"bytes", (json_int_t)t.bytes);
	}
	if (t.lost) {
		st = err_set(err, ERR_PARTIAL,
			"%zu pieces of evidence could not be taken, first: %s: %s", t.lost,
			doc_text_or(t.failed, "[0].name", "?"),
			doc_text_or(t.failed, "[0].error.message", ""));
	}
out:
	if (own) {
		folder_remove(own);
	}
	free(own);
	json_decref(t.items);
	json_decref(t.failed);
	return st;
}
