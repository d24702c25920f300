/* journal_verify: any change to any byte of a case's records is found. */
#include "incident/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A chain made here, by the rule in journal.h, not by the code under test. */
static json_t *chain(size_t n)
{
	json_t *records = json_array();
	char hash[65] = "";

	for (size_t i = 0; i < n; i++) {
		json_t *rec = json_pack(
			"{s:I, s:s, s:s, s:s, s:s, s:{s:s, s:f, s:b, s:n}, s:s}", "seq",
			(json_int_t)i + 1, "time", "2026-08-01T10:00:00Z", "case", "2026-0001",
			"actor", "arn:aws:iam::111122223333:role/r", "kind",
			i == 0 ? "case.opened" : "case.note", "payload", "text", "señal", "x",
			0.25, "b", 1, "n", "prev", hash);
		struct buf text;
		buf_init(&text, 10000);
		doc_canonical(rec, &text);
		doc_sha256(rec, hash);
		buf_deinit(&text);
		json_object_set_new(rec, "hash", json_string(hash));
		json_array_append_new(records, rec);
	}
	return records;
}

static void test_chain_fits(void **state)
{
	(void)state;
	json_t *r = chain(4);
	struct err err = { 0 };

	assert_int_equal(journal_verify(r, &err), ERR_OK);
	json_decref(r);
}

static void test_every_flipped_byte_is_found(void **state)
{
	(void)state;
	json_t *r = chain(3);
	struct buf text;
	size_t parsed = 0;

	buf_init(&text, 10000);
	doc_canonical(r, &text);
	for (size_t i = 0; i < text.n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			json_t *changed = NULL;
			text.p[i] = (char)((unsigned char)text.p[i] ^ (1u << bit));
			if (doc_parse(buf_view(&text), 10000, &changed, NULL) == ERR_OK) {
				parsed++;
				if (journal_verify(changed, NULL) != ERR_INTEGRITY) {
					fail_msg("bit %d of byte %zu goes unseen: %s", bit, i,
						text.p);
				}
				json_decref(changed);
			}
			text.p[i] = (char)((unsigned char)text.p[i] ^ (1u << bit));
		}
	}
	assert_true(parsed > 1000);
	buf_deinit(&text);
	json_decref(r);
}

static void finds(json_t *records, const char *what)
{
	struct err err = { 0 };

	assert_int_equal(journal_verify(records, &err), ERR_INTEGRITY);
	if (strstr(err.msg, what) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", what, err.msg);
	}
	json_decref(records);
}

static void test_structure_is_checked(void **state)
{
	(void)state;
	json_t *r = chain(4);
	json_array_remove(r, 1);
	finds(r, "record 2");
	r = chain(4);
	json_array_remove(r, 0);
	finds(r, "record 1");
	r = chain(4);
	json_array_insert(r, 1, json_array_get(r, 2));
	finds(r, "record 2");
	r = chain(2);
	json_array_set_new(r, 1, json_string("x"));
	finds(r, "no JSON object");
	r = chain(2);
	json_object_set_new(json_array_get(r, 1), "seq", json_string("2"));
	finds(r, "wrong type");
	r = chain(2);
	json_object_del(json_array_get(r, 1), "payload");
	finds(r, "missing");
	r = chain(2);
	json_object_set_new(json_array_get(r, 1), "extra", json_true());
	finds(r, "changed");
	finds(json_array(), "no records");
	finds(json_object(), "no records");
}

/* Somebody who recomputes the hash of one record breaks the link to the next. */
static void test_rehashed_record_is_found(void **state)
{
	(void)state;
	json_t *r = chain(4);
	json_t *rec = json_array_get(r, 1);
	char hash[65];

	json_object_set_new(json_object_get(rec, "payload"), "text", json_string("other"));
	json_object_del(rec, "hash");
	doc_sha256(rec, hash);
	json_object_set_new(rec, "hash", json_string(hash));
	finds(r, "record 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_fits),
		cmocka_unit_test(test_every_flipped_byte_is_found),
		cmocka_unit_test(test_structure_is_checked),
		cmocka_unit_test(test_rehashed_record_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
