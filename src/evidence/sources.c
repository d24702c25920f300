#include "evidence/sources.h"

#include "base/hash.h"
#include "base/utc.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Logs are delivered late: an event of the window may lie in a file named two hours later. */
enum {
	LATE_MS = 2 * 60 * 60 * 1000,
	EARLY_MS = 15 * 60 * 1000,
	SIDE_BY_SIDE = 16,
	MOST_CALLS = 20000
};

bool sources_parse(const char *uri, char bucket[64], const char **prefix)
{
	const char *p = strncmp(uri, "s3://", 5) == 0 ? uri + 5 : NULL;
	size_t n = p ? strcspn(p, "/") : 0;

	if (n < 3 || n > 63) {
		return false;
	}
	memcpy(bucket, p, n);
	bucket[n] = '\0';
	*prefix = p[n] ? p + n + 1 : "";
	return true;
}

/* A part "2026", "08", "year=2026": its number when it has `digits` digits, else -1. */
static int number_of(struct str part, size_t digits)
{
	size_t eq = str_find_char(part, '=');
	int n = 0;

	if (eq != SIZE_MAX) {
		part = str_sub(part, eq + 1, part.n);
	}
	if (part.n != digits) {
		return -1;
	}
	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] < '0' || part.p[i] > '9') {
			return -1;
		}
		n = n * 10 + (part.p[i] - '0');
	}
	return n;
}

/* The time that a run of date parts at the end of a folder covers; false when there is none. */
static bool folder_range(const char *prefix, int64_t *from, int64_t *to)
{
	struct str rest = str_from(prefix);
	struct str part;
	struct utc_parts first = { 0, 1, 1, 0, 0, 0, 0 };
	struct utc_parts last;
	int known = 0; /* 1 year, 2 month, 3 day */

	while (str_cut(&rest, '/', &part)) {
		int n = number_of(part, known == 0 ? 4 : 2);
		if (known == 0 && n >= 2006 && n <= 2199) {
			first.year = n;
			known = 1;
		} else if (known == 1 && n >= 1 && n <= 12) {
			first.month = n;
			known = 2;
		} else if (known == 2 && n >= 1 && n <= 31) {
			first.day = n;
			known = 3;
		} else if (known == 1 || known == 2) {
			known = 0; /* a number that was no year after all */
			first = (struct utc_parts){ 0, 1, 1, 0, 0, 0, 0 };
		}
	}
	if (known == 0) {
		return false;
	}
	last = first;
	if (known == 3) {
		last.day++;
	} else if (known == 2) {
		last.month++;
	} else {
		last.year++;
	}
	if (last.month > 12) {
		last.month = 1;
		last.year++;
	}
	*from = utc_join(&first);
	*to = utc_join(&last);
	return true;
}

bool sources_folder_fits(const char *prefix, int64_t from_ms, int64_t to_ms)
{
	int64_t from = 0;
	int64_t to = 0;

	if (strstr(prefix, "/CloudTrail-Digest/")) {
		return false; /* signatures of the files, not events */
	}
	if (!folder_range(prefix, &from, &to)) {
		return true;
	}
	return (to_ms == 0 || from <= to_ms + LATE_MS) && (from_ms == 0 || to >= from_ms);
}

/* "20260801T1005Z" between underscores, as CloudTrail and ALB name their files. */
static bool time_in_name(const char *key, int64_t *ms)
{
	for (const char *p = strchr(key, '_'); p; p = strchr(p + 1, '_')) {
		char iso[32];
		if (strnlen(p, 15) < 15 || p[9] != 'T' || p[14] != 'Z') {
			continue;
		}
		(void)snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:00Z", p + 1, p + 5,
			p + 7, p + 10, p + 12);
		if (utc_parse(str_from(iso), ms)) {
			return true;
		}
	}
	return false;
}

bool sources_key_fits(const char *key, int64_t modified_ms, int64_t from_ms, int64_t to_ms)
{
	int64_t at = 0;

	if (!sources_folder_fits(key, from_ms, to_ms)) {
		return false;
	}
	if (time_in_name(key, &at)) {
		return (from_ms == 0 || at >= from_ms - EARLY_MS) &&
		       (to_ms == 0 || at <= to_ms + LATE_MS);
	}
	return modified_ms == 0 || from_ms == 0 || modified_ms >= from_ms;
}

char *sources_safe_path(const char *key)
{
	struct buf b = { 0 };
	struct str rest = str_from(key);
	struct str part;

	buf_init(&b, 4096);
	while (str_cut(&rest, '/', &part)) {
		if (part.n == 0) {
			continue;
		}
		if (b.n) {
			buf_putc(&b, '/');
		}
		for (size_t i = 0; i < part.n && i < 200; i++) {
			char c = part.p[i];
			bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
				    (c >= 'a' && c <= 'z') || strchr("_=+@-", c) ||
				    (c == '.' && i > 0);
			if (!fine || !c) {
				c = '_';
			}
			buf_putc(&b, c);
		}
		if (part.n > 200) { /* keep what was cut apart */
			char sha[HASH_SHA256_HEX];
			hash_sha256_hex(part, sha);
			buf_printf(&b, "-%.16s", sha);
		}
	}
	if (b.n == 0) {
		buf_putc(&b, '_');
	}
	return buf_steal(&b);
}

struct walk {
	const char *bucket;
	int64_t from_ms, to_ms;
	json_t *queue; /* [{"Prefix","ContinuationToken"}] still to list */
	json_t *found;
	size_t calls;
	bool too_many;
};

static void enqueue(struct walk *w, const char *prefix, const char *token)
{
	json_t *e = json_pack("{s:s, s:s, s:s, s:i}", "Bucket", w->bucket, "Prefix", prefix,
		"Delimiter", "/", "MaxKeys", 1000);

	if (token) {
		(void)json_object_set_new(e, "ContinuationToken", json_string(token));
	}
	(void)json_array_append_new(w->queue, e);
}

static void take_objects(struct walk *w, const json_t *contents)
{
	for (size_t i = 0; i < json_array_size(contents); i++) {
		const json_t *o = json_array_get(contents, i);
		const char *key = doc_text_or(o, "Key", "");
		const char *modified = doc_text(o, "LastModified");
		int64_t ms = 0;
		size_t n = strlen(key);
		if (n == 0 || key[n - 1] == '/') {
			continue; /* the mark of a folder */
		}
		if (modified && !utc_parse(str_from(modified), &ms)) {
			ms = 0;
		}
		if (!sources_key_fits(key, ms, w->from_ms, w->to_ms)) {
			continue;
		}
		if (json_array_size(w->found) == SOURCES_MOST_OBJECTS) {
			w->too_many = true;
			return;
		}
		(void)json_array_append_new(
			w->found, json_pack("{s:s, s:s, s:I}", "bucket", w->bucket, "key", key,
					  "size", (json_int_t)doc_int(o, "Size", 0)));
	}
}

static void take_page(struct walk *w, const json_t *asked, const json_t *page)
{
	const json_t *folders = doc_get(page, "CommonPrefixes");

	take_objects(w, doc_get(page, "Contents"));
	for (size_t i = 0; i < json_array_size(folders); i++) {
		const char *prefix = doc_text(json_array_get(folders, i), "Prefix");
		if (prefix && sources_folder_fits(prefix, w->from_ms, w->to_ms)) {
			enqueue(w, prefix, NULL);
		}
	}
	if (doc_text(page, "NextContinuationToken")) {
		enqueue(w, doc_text_or(asked, "Prefix", ""),
			doc_text(page, "NextContinuationToken"));
	}
}

/* Lists the next folders of the queue side by side. */
static enum err_status step(struct walk *w, struct aws_client *aws, struct err *err)
{
	struct aws_request q[SIDE_BY_SIDE] = { 0 };
	json_t *asked[SIDE_BY_SIDE] = { 0 };
	size_t n = json_array_size(w->queue);
	enum err_status st = ERR_OK;

	n = n < SIDE_BY_SIDE ? n : SIDE_BY_SIDE;
	for (size_t i = 0; i < n; i++) {
		asked[i] = json_incref(json_array_get(w->queue, 0));
		(void)json_array_remove(w->queue, 0);
		q[i].service = "s3";
		q[i].operation = "ListObjectsV2";
		q[i].params = asked[i];
	}
	st = aws_call_many(aws, q, n, err);
	for (size_t i = 0; i < n; i++) {
		if (q[i].status == ERR_OK) {
			take_page(w, asked[i], q[i].result);
		}
		json_decref(q[i].result);
		json_decref(asked[i]);
	}
	w->calls += n;
	return st;
}

static int by_key(const void *a, const void *b)
{
	const json_t *const *x = a;
	const json_t *const *y = b;

	return strcmp(doc_text_or(*x, "key", ""), doc_text_or(*y, "key", ""));
}

/* The same order whatever came back first. */
static json_t *sorted(json_t *list)
{
	size_t n = json_array_size(list);
	json_t **all = calloc(n + 1, sizeof(json_t *));
	json_t *out = json_array();

	if (!all) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < n; i++) {
		all[i] = json_array_get(list, i);
	}
	qsort(all, n, sizeof(json_t *), by_key);
	for (size_t i = 0; i < n; i++) {
		(void)json_array_append(out, all[i]);
	}
	free(all);
	json_decref(list);
	return out;
}

enum err_status sources_list(struct aws_client *aws, const char *uri, int64_t from_ms,
	int64_t to_ms, json_t **out, struct err *err)
{
	char bucket[64] = "";
	const char *prefix = "";
	struct walk w = { .bucket = bucket, .from_ms = from_ms, .to_ms = to_ms };
	enum err_status st = ERR_OK;

	if (!sources_parse(uri, bucket, &prefix)) {
		return err_set(err, ERR_CONFIG,
			"log source %.100s is not of the form s3://bucket/prefix", uri);
	}
	w.queue = json_array();
	w.found = json_array();
	enqueue(&w, prefix, NULL);
	while (st == ERR_OK && json_array_size(w.queue) && !w.too_many &&
		w.calls < MOST_CALLS) {
		st = step(&w, aws, err);
	}
	if (st == ERR_OK && (w.too_many || json_array_size(w.queue))) {
		st = err_set(err, ERR_LIMIT,
			"%.100s has more than %d objects in the window; name a narrower prefix "
			"in evidence.log_sources",
			uri, SOURCES_MOST_OBJECTS);
	}
	*out = sorted(w.found);
	json_decref(w.queue);
	return st;
}
