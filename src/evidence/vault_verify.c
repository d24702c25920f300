#include "evidence/digest.h"
#include "evidence/vault_inside.h"

#include "base/utc.h"

#include <stdio.h>
#include <string.h>

/* The lock may have become stronger since, never weaker. Says what is wrong, or returns false. */
static bool lock_wrong(const json_t *item, const json_t *answer, char out[200])
{
	const char *want = doc_text(item, "retain_until");
	const char *mode = doc_text(item, "lock_mode");
	const char *has = doc_text(answer, "ObjectLockRetainUntilDate");
	const char *has_mode = doc_text_or(answer, "ObjectLockMode", "");
	int64_t want_ms = 0;
	int64_t has_ms = 0;

	if (!want || !utc_parse(str_from(want), &want_ms)) {
		return false;
	}
	if (!has || !utc_parse(str_from(has), &has_ms)) {
		(void)snprintf(out, 200, "its lock is gone (was until %.40s)", want);
		return true;
	}
	if (has_ms / 1000 < want_ms / 1000) {
		(void)snprintf(
			out, 200, "its retention was shortened from %.40s to %.40s", want, has);
		return true;
	}
	if (mode && strcmp(mode, has_mode) != 0 && strcmp(has_mode, "COMPLIANCE") != 0) {
		(void)snprintf(out, 200, "its lock mode was changed from %.20s to %.20s", mode,
			has_mode[0] ? has_mode : "none");
		return true;
	}
	return false;
}

struct check {
	struct digest digest;
	json_t *params;
	const json_t *item;
};

static void begin(struct check *c, struct aws_request *q, const json_t *item)
{
	*c = (struct check){ .item = item };
	c->params = json_pack("{s:s, s:s}", "Bucket", doc_text_or(item, "bucket", ""), "Key",
		doc_text_or(item, "key", ""));
	if (doc_text(item, "version_id")) {
		(void)json_object_set(c->params, "VersionId", doc_get(item, "version_id"));
	}
	if (digest_open(&c->digest, NULL, NULL) != ERR_OK) {
		BUG("a digest without a file can't fail");
	}
	*q = (struct aws_request){ .service = "s3",
		.operation = "GetObject",
		.params = c->params,
		.sink = &c->digest.sink };
}

/* Compares one object; the finding goes into the result, whose "ok" is null when unchecked. */
static json_t *judge(struct check *c, const struct aws_request *q, enum err_status *st)
{
	char sha[HASH_SHA256_HEX] = "";
	char problem[200] = "";
	bool gone = q->status == ERR_NOT_FOUND;
	json_t *r =
		json_pack("{s:s, s:s, s:s?, s:s?}", "name", doc_text_or(c->item, "name", "?"),
			"key", doc_text_or(c->item, "key", ""), "version_id",
			doc_text(c->item, "version_id"), "sha256", doc_text(c->item, "sha256"));

	if (digest_close(&c->digest, sha, NULL) != ERR_OK) {
		BUG("a digest without a file can't fail");
	}
	*st = ERR_OK;
	if (q->status != ERR_OK && !gone) {
		*st = q->status;
		(void)json_object_set_new(r, "ok", json_null());
		(void)json_object_set_new(r, "problem", json_string(q->err.msg));
		return r;
	}
	if (gone) {
		(void)snprintf(problem, sizeof(problem), "this version was deleted");
	} else if (strcmp(sha, doc_text_or(c->item, "sha256", "")) != 0) {
		(void)snprintf(problem, sizeof(problem),
			"its SHA-256 is %.64s, not what the journal says", sha);
	} else if ((int64_t)c->digest.size != doc_int(c->item, "size", -1)) {
		(void)snprintf(problem, sizeof(problem), "its size is %llu bytes",
			(unsigned long long)c->digest.size);
	} else {
		(void)lock_wrong(c->item, q->result, problem);
	}
	if (problem[0]) {
		*st = ERR_INTEGRITY;
		(void)json_object_set_new(r, "problem", json_string(problem));
	}
	(void)json_object_set_new(r, "ok", json_boolean(!problem[0]));
	return r;
}

struct tally {
	json_t *list;
	struct err first_bad, first_unchecked;
	size_t bad, unchecked;
};

static void batch(
	struct aws_client *aws, const json_t *items, size_t from, size_t n, struct tally *t)
{
	struct check checks[VAULT_BATCH];
	struct aws_request q[VAULT_BATCH];

	for (size_t i = 0; i < n; i++) {
		begin(&checks[i], &q[i], json_array_get(items, from + i));
	}
	if (aws_call_many(aws, q, n, NULL) != ERR_OK) {
		/* each has its own status */
	}
	for (size_t i = 0; i < n; i++) {
		enum err_status st = ERR_OK;
		json_t *r = judge(&checks[i], &q[i], &st);
		const char *name = doc_text_or(r, "name", "?");
		const char *problem = doc_text_or(r, "problem", "");
		if (st == ERR_INTEGRITY && !t->bad++) {
			(void)err_set(&t->first_bad, st, "%s: %s", name, problem);
		} else if (st != ERR_OK && st != ERR_INTEGRITY && !t->unchecked++) {
			(void)err_set(&t->first_unchecked, st, "%s could not be checked: %s",
				name, problem);
		}
		(void)json_array_append_new(t->list, r);
		json_decref(checks[i].params);
		json_decref(q[i].result);
	}
}

enum err_status vault_verify(struct env *env, struct aws_client *aws, const json_t *case_view,
	json_t **out, struct err *err)
{
	const json_t *items = doc_get(case_view, "evidence");
	size_t n = json_array_size(items);
	struct tally t = { .list = json_array() };
	const struct err *worst = NULL;
	char now[32];

	utc_rfc3339(env_now_ms(env), now);
	for (size_t i = 0; i < n; i += VAULT_BATCH) {
		batch(aws, items, i, n - i < VAULT_BATCH ? n - i : VAULT_BATCH, &t);
	}
	if (out) {
		*out = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:o}", "schema",
			"cordon.evidence-check/1", "case", doc_text_or(case_view, "case", ""),
			"time", now, "objects", (json_int_t)n, "wrong", (json_int_t)t.bad,
			"unchecked", (json_int_t)t.unchecked, "ok", t.bad + t.unchecked == 0,
			"items", t.list);
	} else {
		json_decref(t.list);
	}
	worst = t.bad ? &t.first_bad : t.unchecked ? &t.first_unchecked : NULL;
	if (worst && err) {
		*err = *worst;
	}
	return worst ? worst->status : ERR_OK;
}
