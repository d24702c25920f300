#include "base/utc.h"
#include "evidence/vault_inside.h"

#include <stdio.h>
#include <stdlib.h>

/* UUID version 7: sorts by time. https://www.rfc-editor.org/rfc/rfc9562#section-5.7 */
static void uuid7(struct env *env, int64_t now_ms, char out[37])
{
	unsigned char b[16];
	char hex[33];

	env_random(env, b, sizeof(b));
	for (int i = 0; i < 6; i++) {
		b[i] = (unsigned char)((uint64_t)now_ms >> (40 - 8 * i));
	}
	b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	hash_hex(b, sizeof(b), hex);
	(void)snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		hex + 20);
}

static void set_text(json_t *obj, const char *key, const char *text)
{
	(void)json_object_set_new(obj, key, text && *text ? json_string(text) : json_null());
}

json_t *manifest_item(const struct vault *v, const struct vault_piece *p, const json_t *lock)
{
	char id[37];
	char start[32];
	char end[32];
	int64_t now = env_now_ms(v->env);
	char *key = vault_key(v, p->kept_name);
	json_t *item = NULL;

	uuid7(v->env, now, id);
	utc_rfc3339(p->start_ms ? p->start_ms : now, start);
	utc_rfc3339(now, end);
	item = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "schema",
		"cordon.evidence/1", "evidence_id", id, "case_id", v->case_id, "name",
		p->kept_name, "bucket", v->config->evidence_bucket, "key", key, "sha256",
		p->sha256, "size", (json_int_t)p->size);
	set_text(item, "version_id", doc_text(p->put, "VersionId"));
	set_text(item, "lock_mode", doc_text(lock, "ObjectLockMode"));
	set_text(item, "retain_until", doc_text(lock, "ObjectLockRetainUntilDate"));
	(void)json_object_set_new(
		item, "source", p->source ? json_deep_copy(p->source) : json_object());
	(void)json_object_set_new(item, "method",
		json_pack("{s:s, s:s, s:s}", "tool", "cordon", "version", CORDON_VERSION,
			"call", p->call ? p->call : "handed over"));
	(void)json_object_set_new(item, "times",
		json_pack("{s:s, s:s, s:s}", "start", start, "end", end, "clock_source",
			"system"));
	json_t *s3 = json_object();
	set_text(s3, "etag", doc_text(p->put, "ETag"));
	set_text(s3, "encryption", doc_text(p->put, "ServerSideEncryption"));
	set_text(s3, "kms_key", doc_text(p->put, "SSEKMSKeyId"));
	(void)json_object_set_new(item, "s3", s3);
	(void)json_object_set_new(item, "operator", json_pack("{s:s}", "arn", v->operator_arn));
	free(key);
	return item;
}

json_t *manifest_of(const json_t *items, const char *case_id, const json_t *head,
	const char *operator_arn, int64_t now_ms)
{
	char now[32];
	json_t *list = json_array();

	utc_rfc3339(now_ms, now);
	for (size_t i = 0; i < json_array_size(items); i++) {
		(void)json_array_append(list, json_array_get(items, i));
	}
	return json_pack("{s:s, s:s, s:s, s:{s:s}, s:O?, s:o}", "schema", "cordon.manifest/1",
		"case", case_id, "sealed", now, "operator", "arn",
		operator_arn ? operator_arn : "", "journal_head", head, "items", list);
}
