#include "analysis/trail_keys.h"

#include "base/hash.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

#define KEYS_MAX      10000
#define SIGNATURE_MAX 2048                       /* bytes; RSA-2048 makes 256 */
#define SIGNED_MS     (INT64_C(2) * 3600 * 1000) /* after its end, at most, a digest is signed */

/* Times of an answer: RFC 3339, or seconds since 1970 as the service writes them. */
static int64_t time_of(const json_t *key, const char *field, int64_t otherwise)
{
	const json_t *v = json_object_get(key, field);
	int64_t ms = otherwise;
	if (json_is_number(v)) {
		double s = json_number_value(v);
		return s > 0 && s < 253402300800.0 ? (int64_t)(s * 1000) : otherwise;
	}
	(void)utc_parse(str_from(json_string_value(v)), &ms);
	return ms;
}

static enum err_status add_key(struct trail_keys *keys, const json_t *item, struct err *err)
{
	const char *value = doc_text(item, "Value");
	const char *said = doc_text(item, "Fingerprint");
	struct trail_key k = { .from_ms = time_of(item, "ValidityStartTime", 0),
		.to_ms = time_of(item, "ValidityEndTime", INT64_MAX) };
	unsigned char md5[16];
	struct buf der;
	enum err_status st = ERR_OK;
	buf_init(&der, 16384);
	if (!value || !hash_unbase64(str_from(value), &der)) {
		st = err_set(err, ERR_INPUT, "a public key without a readable \"Value\"");
		goto out;
	}
	hash_md5_of(buf_view(&der), md5);
	hash_hex(md5, sizeof(md5), k.fingerprint);
	if (said && strcmp(said, k.fingerprint) != 0) {
		st = err_set(err, ERR_INTEGRITY,
			"the public key %.40s has the fingerprint %s: the file of keys was "
			"changed",
			said, k.fingerprint);
		goto out;
	}
	if (trail_keys_find(keys, k.fingerprint)) {
		goto out;
	}
	if (keys->n == KEYS_MAX) {
		st = err_set(err, ERR_LIMIT, "more than %d public keys", KEYS_MAX);
		goto out;
	}
	TRY(rsa_key_read(buf_view(&der), &k.key, err));
	keys->items = realloc(keys->items, (keys->n + 1) * sizeof(*keys->items));
	if (!keys->items) {
		BUG("out of memory");
	}
	keys->items[keys->n++] = k;
out:
	buf_deinit(&der);
	return st;
}

enum err_status trail_keys_add(struct trail_keys *keys, const json_t *answer, struct err *err)
{
	const json_t *list = json_object_get(answer, "PublicKeyList");
	if (!json_is_array(list)) {
		return err_set(err, ERR_INPUT,
			"no answer of ListPublicKeys: it has no \"PublicKeyList\"; save one "
			"with: "
			"aws cloudtrail list-public-keys");
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		enum err_status st = add_key(keys, json_array_get(list, i), err);
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

void trail_keys_deinit(struct trail_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		rsa_key_free(keys->items[i].key);
	}
	free(keys->items);
	*keys = (struct trail_keys){ 0 };
}

const struct trail_key *trail_keys_find(const struct trail_keys *keys, const char *fingerprint)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (!strcmp(keys->items[i].fingerprint, fingerprint)) {
			return &keys->items[i];
		}
	}
	return NULL;
}

bool trail_keys_covers(const struct trail_key *key, int64_t end_ms, bool backfill)
{
	return key->to_ms >= end_ms && (backfill || key->from_ms <= end_ms + SIGNED_MS);
}

bool trail_keys_signed(const struct trail_key *key, struct str message, struct str hex)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t n = 0;
	return hash_unhex(hex, signature, sizeof(signature), &n) && n > 0 &&
	       rsa_verify(key->key, message, (struct str){ (const char *)signature, n });
}
