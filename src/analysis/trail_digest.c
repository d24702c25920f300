#include "analysis/trail_digest.h"

#include "base/hash.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

struct str trail_digest_tail(struct str key)
{
	struct str mark = STR("AWSLogs/");
	size_t at = str_find(key, mark);
	bool begins = at != SIZE_MAX && (at == 0 || key.p[at - 1] == '/');
	key = begins ? str_sub(key, at, SIZE_MAX) : key;
	return str_ends(key, STR(".gz")) ? str_sub(key, 0, key.n - 3) : key;
}

static bool digits(struct str s, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') {
			return false;
		}
	}
	return true;
}

static int number(struct str s, size_t at, size_t n)
{
	int v = 0;
	for (size_t i = at; i < at + n; i++) {
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

/* "20260801T100000Z" or "20260801T1000Z" */
static bool compact_time(struct str s, int64_t *ms)
{
	bool long_form = s.n == 16;
	if ((s.n != 14 && !long_form) || !digits(s, 0, 8) || s.p[8] != 'T' ||
		!digits(s, 9, s.n - 10) || s.p[s.n - 1] != 'Z') {
		return false;
	}
	struct utc_parts p = { .year = number(s, 0, 4),
		.month = number(s, 4, 2),
		.day = number(s, 6, 2),
		.hour = number(s, 9, 2),
		.minute = number(s, 11, 2),
		.second = long_form ? number(s, 13, 2) : 0 };
	if (p.month < 1 || p.month > 12 || p.day < 1 || p.day > 31 || p.hour > 23 ||
		p.minute > 59 || p.second > 59) {
		return false;
	}
	*ms = utc_join(&p);
	return true;
}

/* Cuts what follows the last `sep` off the end of *s. */
static bool cut_last(struct str *s, char sep, struct str *piece)
{
	for (size_t i = s->n; i > 0; i--) {
		if (s->p[i - 1] == sep) {
			*piece = str_sub(*s, i, SIZE_MAX);
			*s = str_sub(*s, 0, i - 1);
			return true;
		}
	}
	return false;
}

/* ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_TIME[_backfill]; trails may hold underscores. */
static bool digest_name(struct str rest, struct trail_name *n)
{
	struct str time;
	n->digest = true;
	if (str_ends(rest, STR("_backfill"))) {
		n->backfill = true;
		rest.n -= 9;
	}
	return cut_last(&rest, '_', &time) && compact_time(time, &n->time_ms) &&
	       cut_last(&rest, '_', &n->home) && str_cut(&rest, '_', &n->region) &&
	       (n->trail = rest).n > 0;
}

/* ACCOUNT_CloudTrail_REGION_TIME_UNIQUE */
static bool log_name(struct str rest, struct trail_name *n)
{
	struct str time;
	return str_cut(&rest, '_', &n->region) && str_cut(&rest, '_', &time) &&
	       compact_time(time, &n->time_ms) && rest.n > 0;
}

bool trail_digest_name(struct str key, struct trail_name *out)
{
	struct trail_name n = { 0 };
	struct str base = key;
	struct str kind;
	(void)cut_last(&(struct str){ key.p, key.n }, '/', &base);
	if (str_ends(base, STR(".gz"))) {
		base.n -= 3;
	}
	if (!str_ends(base, STR(".json"))) {
		return false;
	}
	base.n -= 5;
	if (!str_cut(&base, '_', &n.account) || !str_cut(&base, '_', &kind) ||
		n.account.n != 12 || !digits(n.account, 0, 12)) {
		return false;
	}
	bool known = str_is(kind, "CloudTrail-Digest")
			     ? digest_name(base, &n)
			     : str_is(kind, "CloudTrail") && log_name(base, &n);
	if (known) {
		*out = n;
	}
	return known;
}

/* ---- digests ---- */

static enum err_status need(
	const json_t *doc, const char *field, const char **out, struct err *err)
{
	const json_t *v = json_object_get(doc, field);
	if (!json_is_string(v)) {
		return err_set(
			err, ERR_INPUT, "no digest: \"%s\" is missing or no text", field);
	}
	*out = json_string_value(v);
	return ERR_OK;
}

/* A text, or null for the first digest of a chain; absent is malformed. */
static enum err_status need_or_null(
	const json_t *doc, const char *field, const char **out, struct err *err)
{
	if (json_is_null(json_object_get(doc, field))) {
		*out = NULL;
		return ERR_OK;
	}
	return need(doc, field, out, err);
}

static enum err_status need_time(
	const json_t *doc, const char *field, int64_t *ms, struct err *err)
{
	const char *text = NULL;
	enum err_status st = need(doc, field, &text, err);
	if (st == ERR_OK && !utc_parse(str_from(text), ms)) {
		return err_set(err, ERR_INPUT, "no digest: \"%s\" is no time", field);
	}
	return st;
}

static enum err_status check_logs(const json_t *logs, struct err *err)
{
	if (!json_is_array(logs) || json_array_size(logs) > TRAIL_DIGEST_LOGS_MAX) {
		return err_set(
			err, ERR_INPUT, "no digest: \"logFiles\" is no list, or too long");
	}
	for (size_t i = 0; i < json_array_size(logs); i++) {
		const json_t *log = json_array_get(logs, i);
		if (!json_is_string(json_object_get(log, "s3Object")) ||
			!json_is_string(json_object_get(log, "hashValue"))) {
			return err_set(err, ERR_INPUT,
				"no digest: item %zu of \"logFiles\" has no name or hash", i);
		}
	}
	return ERR_OK;
}

enum err_status trail_digest_read(struct str raw, struct trail_digest *out, struct err *err)
{
	struct trail_digest d = { 0 };
	enum err_status st = ERR_OK;
	TRY(doc_parse(raw, DOC_MAX_BYTES, &d.doc, err));
	TRY(need(d.doc, "digestS3Bucket", &d.bucket, err));
	TRY(need(d.doc, "digestS3Object", &d.object, err));
	TRY(need(d.doc, "digestPublicKeyFingerprint", &d.fingerprint, err));
	TRY(need(d.doc, "digestEndTime", &d.end_text, err));
	TRY(need_time(d.doc, "digestStartTime", &d.start_ms, err));
	TRY(need_time(d.doc, "digestEndTime", &d.end_ms, err));
	TRY(need_or_null(d.doc, "previousDigestS3Bucket", &d.previous_bucket, err));
	TRY(need_or_null(d.doc, "previousDigestS3Object", &d.previous_object, err));
	TRY(need_or_null(d.doc, "previousDigestHashValue", &d.previous_sha256, err));
	TRY(need_or_null(d.doc, "previousDigestSignature", &d.previous_signature, err));
	d.logs = json_object_get(d.doc, "logFiles");
	TRY(check_logs(d.logs, err));
	hash_sha256_hex(raw, d.sha256);
	*out = d;
	d.doc = NULL;
out:
	json_decref(d.doc);
	return st;
}

void trail_digest_deinit(struct trail_digest *d)
{
	json_decref(d->doc);
	*d = (struct trail_digest){ 0 };
}

void trail_digest_message(const struct trail_digest *d, struct buf *out)
{
	buf_printf(out, "%s\n%s/%s\n%s\n%s", d->end_text, d->bucket, d->object, d->sha256,
		d->previous_signature ? d->previous_signature : "null");
}
