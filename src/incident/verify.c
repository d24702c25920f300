#include "base/utc.h"
#include "incident/journal.h"

#include <string.h>

/* The text of a field that every record has. */
static const char *text_of(const json_t *rec, const char *key)
{
	return json_string_value(json_object_get(rec, key));
}

static enum err_status misfit(const json_t *rec, size_t i, const char *why, struct err *err)
{
	const char *kind = json_is_object(rec) ? text_of(rec, "kind") : NULL;
	const char *time = json_is_object(rec) ? text_of(rec, "time") : NULL;

	return err_set(err, ERR_INTEGRITY, "record %zu (%s, %s) does not fit: %s", i + 1,
		kind ? kind : "no kind", time ? time : "no time", why);
}

/* Why a record lacks the shape of one, or NULL. */
static const char *bad_shape(const json_t *rec)
{
	static const char *const texts[] = { "time", "case", "actor", "kind", "prev", "hash" };
	int64_t ms;

	if (!json_is_object(rec)) {
		return "it is no JSON object";
	}
	if (text_of(rec, "kind") != NULL && strcmp(text_of(rec, "kind"), "unreadable") == 0) {
		return "its text is not what was written";
	}
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (text_of(rec, texts[i]) == NULL) {
			return "a field is missing or of the wrong type";
		}
	}
	if (!json_is_integer(json_object_get(rec, "seq")) ||
		!json_is_object(json_object_get(rec, "payload"))) {
		return "a field is missing or of the wrong type";
	}
	if (!utc_parse(str_from(text_of(rec, "time")), &ms)) {
		return "its time can't be read";
	}
	return NULL;
}

static enum err_status verify_one(
	const json_t *rec, size_t i, const json_t *before, struct err *err)
{
	const char *why = bad_shape(rec);
	const char *prev = before ? text_of(before, "hash") : "";
	char hash[65];

	if (why != NULL) {
		return misfit(rec, i, why, err);
	}
	json_t *bare = json_deep_copy(rec);
	json_object_del(bare, "hash");
	doc_sha256(bare, hash);
	json_decref(bare);
	if (strcmp(hash, text_of(rec, "hash")) != 0) {
		return misfit(
			rec, i, "its content does not give its hash; it was changed", err);
	}
	if (json_integer_value(json_object_get(rec, "seq")) != (json_int_t)i + 1) {
		return misfit(rec, i,
			"its number is not the next; records are missing or moved", err);
	}
	if (strcmp(prev, text_of(rec, "prev")) != 0) {
		return misfit(rec, i, "it does not continue the record before it", err);
	}
	if (before == NULL && strcmp(text_of(rec, "kind"), "case.opened") != 0) {
		return misfit(rec, i, "a case begins with case.opened", err);
	}
	if (before != NULL && strcmp(text_of(rec, "case"), text_of(before, "case")) != 0) {
		return misfit(rec, i, "it belongs to another case", err);
	}
	return ERR_OK;
}

enum err_status journal_verify(const json_t *records, struct err *err)
{
	const json_t *before = NULL;
	json_t *rec;
	size_t i;

	if (!json_is_array(records) || json_array_size(records) == 0) {
		return err_set(err, ERR_INTEGRITY,
			"there are no records: expected an array of at least one");
	}
	json_array_foreach(records, i, rec)
	{
		enum err_status st = verify_one(rec, i, before, err);
		if (st != ERR_OK) {
			return st;
		}
		before = rec;
	}
	return ERR_OK;
}
