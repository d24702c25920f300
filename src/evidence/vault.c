#include "evidence/digest.h"
#include "evidence/vault_inside.h"

#include "base/log.h"
#include "base/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 24 * 60 * 60 * 1000, MOST_KEY = 1024, MOST_NAMES = 9 };

char *vault_key(const struct vault *v, const char *name)
{
	struct buf b = { 0 };
	const char *prefix = v->config->evidence_prefix ? v->config->evidence_prefix : "";
	size_t n = strlen(prefix);

	buf_init(&b, 4096);
	buf_puts(&b, prefix);
	if (n && prefix[n - 1] != '/') {
		buf_putc(&b, '/');
	}
	buf_printf(&b, "%s/%s", v->case_id, name);
	return buf_steal(&b);
}

/* Asks once for everything a bucket should have; what it lacks is named. */
static json_t *lacks(const struct aws_request q[4])
{
	json_t *weak = json_array();
	const char *versioning = doc_text_or(q[0].result, "Status", "");
	const char *lock =
		doc_text_or(q[1].result, "ObjectLockConfiguration.ObjectLockEnabled", "");

	if (strcmp(versioning, "Enabled") != 0) {
		(void)json_array_append_new(weak, json_string("versioning"));
	}
	if (strcmp(lock, "Enabled") != 0) {
		(void)json_array_append_new(weak, json_string("object-lock"));
	}
	if (!json_array_size(doc_get(q[2].result, "ServerSideEncryptionConfiguration.Rules"))) {
		(void)json_array_append_new(weak, json_string("encryption"));
	}
	if (!doc_true(q[3].result, "PublicAccessBlockConfiguration.BlockPublicPolicy") ||
		!doc_true(q[3].result, "PublicAccessBlockConfiguration.BlockPublicAcls") ||
		!doc_true(q[3].result, "PublicAccessBlockConfiguration.IgnorePublicAcls") ||
		!doc_true(
			q[3].result, "PublicAccessBlockConfiguration.RestrictPublicBuckets")) {
		(void)json_array_append_new(weak, json_string("public-access-block"));
	}
	return weak;
}

static enum err_status inspect(struct vault *v, json_t **weak, struct err *err)
{
	static const char *const operations[4] = { "GetBucketVersioning",
		"GetObjectLockConfiguration", "GetBucketEncryption", "GetPublicAccessBlock" };
	struct aws_request q[4] = { 0 };
	json_t *params = json_pack("{s:s}", "Bucket", v->config->evidence_bucket);
	enum err_status st = ERR_OK;

	for (size_t i = 0; i < 4; i++) {
		q[i].service = "s3";
		q[i].operation = operations[i];
		q[i].params = params;
	}
	/* "Not configured" is an error of S3 for three of them: only the first one counts. */
	if (aws_call_many(v->aws, q, 4, NULL) != ERR_OK && q[0].status != ERR_OK) {
		st = q[0].status;
		if (err) {
			*err = q[0].err;
		}
	}
	if (st == ERR_NOT_FOUND) {
		st = err_set(err, ERR_NOT_FOUND,
			"the evidence bucket %s does not exist; make it with: cordon evidence "
			"init",
			v->config->evidence_bucket);
	} else if (st == ERR_DENIED) {
		st = err_prefix(err,
			"the evidence bucket %s can't be read (run: cordon doctor): ",
			v->config->evidence_bucket);
	}
	if (st == ERR_OK) {
		*weak = lacks(q);
		v->locks = strcmp(doc_text_or(q[1].result,
					  "ObjectLockConfiguration.ObjectLockEnabled", ""),
				   "Enabled") == 0;
	}
	for (size_t i = 0; i < 4; i++) {
		json_decref(q[i].result);
	}
	json_decref(params);
	return st;
}

/* What the case has stored already, so that nothing is stored twice. */
static enum err_status remember(struct vault *v, struct err *err)
{
	json_t *records = NULL;
	enum err_status st = journal_read(v->journal, v->case_id, &records, err);

	for (size_t i = 0; i < json_array_size(records); i++) {
		const json_t *r = json_array_get(records, i);
		const char *name = doc_text(r, "payload.name");
		if (name && strcmp(doc_text_or(r, "kind", ""), "evidence.stored") == 0) {
			(void)json_object_set(v->kept, name, doc_get(r, "payload"));
		}
	}
	json_decref(records);
	return st;
}

enum err_status vault_open(const struct desk *desk, const char *case_id, struct vault **out,
	json_t **weak, struct err *err)
{
	struct vault *v = NULL;
	json_t *lack = NULL;
	const char *account = NULL;
	const char *arn = NULL;
	enum err_status st = ERR_OK;

	if (!desk->config->evidence_bucket) {
		return err_set(err, ERR_CONFIG,
			"no evidence bucket is configured: set evidence.bucket in cordon.yaml, "
			"then make it with: cordon evidence init");
	}
	v = calloc(1, sizeof(*v));
	if (!v) {
		BUG("out of memory");
	}
	*v = (struct vault){ .env = desk->env,
		.aws = desk->aws,
		.journal = desk->journal,
		.config = desk->config,
		.kept = json_object() };
	(void)snprintf(v->case_id, sizeof(v->case_id), "%s", case_id);
	if (pthread_mutex_init(&v->mutex, NULL) != 0) {
		BUG("no mutex");
	}
	TRY(inspect(v, &lack, err));
	TRY(aws_caller(desk->aws, &account, &arn, err));
	v->operator_arn = str_dup(str_from(arn));
	TRY(remember(v, err));
	if (json_array_size(lack)) {
		log_event(LOG_WARN, "the evidence bucket lacks protection",
			json_pack("{s:s, s:O}", "bucket", desk->config->evidence_bucket,
				"lacks", lack));
	}
	*out = v;
	v = NULL;
	if (weak) {
		*weak = json_incref(lack);
	}
out:
	vault_free(v);
	json_decref(lack);
	return st;
}

void vault_free(struct vault *v)
{
	if (!v) {
		return;
	}
	(void)pthread_mutex_destroy(&v->mutex);
	json_decref(v->kept);
	free(v->operator_arn);
	free(v);
}

static void base64_of(const void *p, size_t n, struct buf *out)
{
	buf_init(out, 200);
	hash_base64((struct str){ p, n }, out);
}

/* Object Lock for one object from now on, or an empty object. */
static json_t *lock_of(const struct vault *v)
{
	char until[32];

	if (!v->locks || v->config->evidence_lock_days <= 0) {
		return json_object();
	}
	utc_rfc3339((env_now_ms(v->env) / 1000) * 1000 + v->config->evidence_lock_days * DAY_MS,
		until);
	return json_pack("{s:s, s:s}", "ObjectLockMode",
		v->config->evidence_lock_mode ? v->config->evidence_lock_mode : "GOVERNANCE",
		"ObjectLockRetainUntilDate", until);
}

static json_t *put_params(
	const struct vault *v, const struct vault_piece *p, const json_t *lock)
{
	char *key = vault_key(v, p->kept_name);
	unsigned char sha[HASH_SHA256_BYTES];
	size_t n = 0;
	unsigned char md5[16];
	struct buf sha64 = { 0 };
	struct buf md64 = { 0 };
	json_t *params = NULL;
	union {
		const json_t *c;
		json_t *m;
	} u = { lock };

	if (!hash_unhex(str_from(p->sha256), sha, sizeof(sha), &n) || n != sizeof(sha)) {
		BUG("a SHA-256 is 64 hex digits");
	}
	base64_of(sha, sizeof(sha), &sha64);
	params = json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "Bucket",
		v->config->evidence_bucket, "Key", key, "IfNoneMatch", "*", "ChecksumAlgorithm",
		"SHA256", "ChecksumSHA256", sha64.p, "Metadata", "sha256", p->sha256, "case",
		v->case_id);
	if (!p->path) { /* of a file it would cost another reading; the SHA-256 says more */
		hash_md5_of(p->bytes, md5);
		base64_of(md5, sizeof(md5), &md64);
		(void)json_object_set_new(params, "ContentMD5", json_string(md64.p));
	}
	if (v->config->evidence_kms_key) {
		(void)json_object_set_new(
			params, "ServerSideEncryption", json_string("aws:kms"));
		(void)json_object_set_new(
			params, "SSEKMSKeyId", json_string(v->config->evidence_kms_key));
	} else {
		(void)json_object_set_new(
			params, "ServerSideEncryption", json_string("AES256"));
	}
	(void)json_object_update(params, u.m);
	buf_deinit(&sha64);
	buf_deinit(&md64);
	free(key);
	return params;
}

/* Reads one version and hashes it. */
static enum err_status read_back(const struct vault *v, const struct vault_piece *p,
	const char *version, json_t **answer, char sha[HASH_SHA256_HEX], struct err *err)
{
	struct digest d = { 0 };
	char *key = vault_key(v, p->kept_name);
	json_t *params =
		json_pack("{s:s, s:s}", "Bucket", v->config->evidence_bucket, "Key", key);
	struct aws_request q = { .service = "s3", .operation = "GetObject", .params = params };
	enum err_status st = digest_open(&d, NULL, err);

	if (version) {
		(void)json_object_set_new(params, "VersionId", json_string(version));
	}
	q.sink = &d.sink;
	if (st == ERR_OK) {
		st = aws_call_many(v->aws, &q, 1, err);
	}
	if (digest_close(&d, sha, NULL) != ERR_OK) {
		BUG("a digest without a file can't fail");
	}
	if (st == ERR_OK) {
		*answer = q.result;
	} else {
		json_decref(q.result);
	}
	json_decref(params);
	free(key);
	return st;
}

/* The name is taken: by the same content (then that version is the evidence), or by another. */
static void settle(struct vault *v, struct vault_piece *p)
{
	char sha[HASH_SHA256_HEX] = "";
	json_t *answer = NULL;

	p->status = read_back(v, p, NULL, &answer, sha, &p->err);
	if (p->status == ERR_OK && strcmp(sha, p->sha256) != 0) {
		p->status = err_set(
			&p->err, ERR_CONFLICT, "%s holds other content already", p->kept_name);
	}
	if (p->status == ERR_OK) {
		p->there = true;
		p->put = answer;
		answer = NULL;
	}
	json_decref(answer);
}

static void verify_and_record(struct vault *v, struct vault_piece *p)
{
	char sha[HASH_SHA256_HEX] = "";
	json_t *answer = NULL;

	if (!p->there) {
		p->status =
			read_back(v, p, doc_text(p->put, "VersionId"), &answer, sha, &p->err);
		if (p->status == ERR_OK && strcmp(sha, p->sha256) != 0) {
			p->status = err_set(&p->err, ERR_INTEGRITY,
				"%s reads back with another SHA-256 than was sent",
				p->kept_name);
		}
	}
	if (p->status == ERR_OK) {
		p->item = manifest_item(v, p, p->there ? p->put : answer);
		p->status = journal_append(
			v->journal, v->case_id, "evidence.stored", p->item, NULL, &p->err);
	}
	if (p->status == ERR_OK) {
		(void)pthread_mutex_lock(&v->mutex);
		(void)json_object_set(v->kept, p->kept_name, p->item);
		(void)pthread_mutex_unlock(&v->mutex);
	}
	json_decref(answer);
}

/* NAME, NAME.2 ...: the first that is free in the case or holds the same content. */
static void choose_name(struct vault *v, struct vault_piece *p, int from)
{
	for (int i = from; i <= MOST_NAMES; i++) {
		(void)snprintf(
			p->kept_name, sizeof(p->kept_name), i > 1 ? "%s.%d" : "%s", p->name, i);
		(void)pthread_mutex_lock(&v->mutex);
		json_t *item = json_object_get(v->kept, p->kept_name);
		bool same = item && strcmp(doc_text_or(item, "sha256", ""), p->sha256) == 0;
		p->item = same ? json_incref(item) : NULL;
		(void)pthread_mutex_unlock(&v->mutex);
		if (!item || same) {
			return;
		}
	}
	p->status = err_set(&p->err, ERR_CONFLICT, "%s has been stored %d times already",
		p->name, MOST_NAMES);
}

static void put_all(struct vault *v, struct vault_piece *pieces, size_t n)
{
	struct aws_request q[VAULT_BATCH] = { 0 };
	json_t *params[VAULT_BATCH] = { 0 };
	size_t at[VAULT_BATCH] = { 0 };
	json_t *lock = lock_of(v);
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		struct vault_piece *p = &pieces[i];
		if (p->status == ERR_OK && p->path && !p->item && !p->put) {
			digest_file_close(&p->file);
			p->status = digest_file_open(
				&p->file, p->path, p->size, p->sha256, &p->err);
		}
		if (p->status != ERR_OK || p->item || p->put) {
			continue;
		}
		at[m] = i;
		params[m] = put_params(v, p, lock);
		q[m].service = "s3";
		q[m].operation = "PutObject";
		q[m].params = params[m];
		if (p->path) {
			q[m].source = &p->file.source;
		} else {
			q[m].body = p->bytes.n ? p->bytes : STR("");
		}
		m++;
	}
	if (m && aws_call_many(v->aws, q, m, NULL) != ERR_OK) {
		/* each has its own status */
	}
	for (size_t i = 0; i < m; i++) {
		struct vault_piece *p = &pieces[at[i]];
		p->status = q[i].status;
		p->err = q[i].err;
		p->put = q[i].result;
		if (p->status == ERR_CONFLICT) {
			settle(v, p);
		}
		json_decref(params[i]);
	}
	json_decref(lock);
}

static bool any_taken(struct vault *v, struct vault_piece *pieces, size_t n, int number)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (pieces[i].status == ERR_CONFLICT) {
			pieces[i].status = ERR_OK;
			choose_name(v, &pieces[i], number);
			any = any || pieces[i].status == ERR_OK;
		}
	}
	return any;
}

void vault_store(struct vault *v, struct vault_piece *pieces, size_t n)
{
	if (n > VAULT_BATCH) {
		BUG("a batch of the vault is larger than VAULT_BATCH");
	}
	for (size_t i = 0; i < n; i++) {
		struct vault_piece *p = &pieces[i];
		if (!p->path) {
			p->size = p->bytes.n;
			hash_sha256_hex(p->bytes, p->sha256);
		}
		if (strlen(p->name) > MOST_KEY - 64) {
			p->status = err_set(
				&p->err, ERR_LIMIT, "the name %.100s... is too long", p->name);
			continue;
		}
		choose_name(v, p, 1);
	}
	/* Other content under the name (a run that was killed before it could record it): the next
	 * number is tried. */
	put_all(v, pieces, n);
	for (int number = 2; number <= MOST_NAMES && any_taken(v, pieces, n, number);
		number++) {
		put_all(v, pieces, n);
	}
	for (size_t i = 0; i < n; i++) {
		if (pieces[i].status == ERR_OK && !pieces[i].item) {
			verify_and_record(v, &pieces[i]);
		}
		digest_file_close(&pieces[i].file);
		json_decref(pieces[i].put);
		pieces[i].put = NULL;
	}
}

enum err_status vault_put(struct vault *v, const char *name, struct str bytes,
	const json_t *source, json_t **item, struct err *err)
{
	struct vault_piece p = { .name = name, .bytes = bytes, .source = source };

	vault_store(v, &p, 1);
	if (p.status != ERR_OK) {
		if (err) {
			*err = p.err;
		}
		json_decref(p.item);
		(void)err_prefix(err, "evidence %.80s was not stored: ", name);
		return p.status;
	}
	if (item) {
		*item = json_incref(p.item);
	}
	json_decref(p.item);
	return ERR_OK;
}

enum err_status vault_seal(struct vault *v, struct err *err)
{
	json_t *records = NULL;
	json_t *items = json_array();
	json_t *manifest = NULL;
	json_t *source = json_pack("{s:s}", "type", "manifest");
	struct buf text = { 0 };
	enum err_status st = ERR_OK;

	buf_init(&text, DOC_MAX_BYTES);
	TRY(journal_read(v->journal, v->case_id, &records, err));
	size_t n = json_array_size(records);
	for (size_t i = 0; i < n; i++) {
		const json_t *r = json_array_get(records, i);
		if (strcmp(doc_text_or(r, "kind", ""), "evidence.stored") == 0) {
			(void)json_array_append(items, doc_get(r, "payload"));
		}
	}
	const json_t *last = json_array_get(records, n - 1);
	json_t *head = json_pack("{s:I, s:s}", "seq", (json_int_t)doc_int(last, "seq", 0),
		"hash", doc_text_or(last, "hash", ""));
	manifest = manifest_of(items, v->case_id, head, v->operator_arn, env_now_ms(v->env));
	json_decref(head);
	doc_canonical(manifest, &text);
	st = vault_put(v, "manifest.json", buf_view(&text), source, NULL, err);
out:
	buf_deinit(&text);
	json_decref(manifest);
	json_decref(source);
	json_decref(items);
	json_decref(records);
	return st;
}
