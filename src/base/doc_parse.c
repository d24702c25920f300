/*
 * JSON text (RFC 8259) to a tree of jansson's. Its own reader takes one byte at a time through four
 * functions, which made it the larger part of a call to a JSON service; what is accepted is the same,
 * and tests/fuzz/base/fuzz_doc.c holds this one to that one.
 */
#include "base/doc.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at, *end;
	struct buf text; /* of a string with escapes, of a real */
	int depth;
	const char *why; /* it failed at `at` */
	bool too_deep;
};

static json_t *value(struct reader *r);

static bool fail(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

static void skip_white(struct reader *r)
{
	while (r->at < r->end &&
		(*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t')) {
		r->at++;
	}
}

/* The next byte; 0 at the end (and for a NUL, which fits nowhere). */
static char here(const struct reader *r)
{
	if (r->at == r->end) {
		return '\0';
	}
	return *r->at;
}

/* The same past white space. */
static char next(struct reader *r)
{
	skip_white(r);
	return here(r);
}

/* ---- strings ---- */

static bool hex4(struct reader *r, uint32_t *out)
{
	unsigned char two[2];
	size_t n;
	struct str four = { r->at, 4 };
	if (r->end - r->at < 4) {
		return fail(r, "an escape is cut short");
	}
	if (!hash_unhex(four, two, sizeof(two), &n)) {
		return fail(r, "\\u wants four hexadecimal digits");
	}
	r->at += four.n;
	*out = (uint32_t)two[0] << 8 | two[1];
	return true;
}

/* After "\u": one code point, which above the first plane is written as two. */
static bool code_point(struct reader *r)
{
	uint32_t c, low;
	if (!hex4(r, &c)) {
		return false;
	}
	if (c >= 0xd800 && c <= 0xdbff) {
		if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') {
			return fail(r, "half a surrogate pair");
		}
		r->at += 2;
		if (!hex4(r, &low)) {
			return false;
		}
		if (low < 0xdc00 || low > 0xdfff) {
			return fail(r, "half a surrogate pair");
		}
		c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
	} else if (c >= 0xdc00 && c <= 0xdfff) {
		return fail(r, "half a surrogate pair");
	}
	char bytes[4];
	buf_add(&r->text, bytes, str_utf8_put(c, bytes));
	return true;
}

/* After the backslash. */
static bool escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = here(r);
	const char *found = c ? strchr(from, c) : NULL;
	if (c != 'u' && !found) {
		return fail(r, "no such escape");
	}
	r->at++;
	if (c == 'u') {
		return code_point(r);
	}
	buf_putc(&r->text, to[found - from]);
	return true;
}

/* After the opening quote. The slice is of the input or, until the next string, of r->text. */
static bool string(struct reader *r, struct str *out)
{
	const char *run = r->at; /* what is taken as it stands */
	bool plain = true;
	while (r->at < r->end && *r->at != '"') {
		unsigned char c = (unsigned char)*r->at;
		if (c == '\\') {
			if (plain) {
				buf_reset(&r->text);
				plain = false;
			}
			buf_add(&r->text, run, (size_t)(r->at - run));
			r->at++;
			if (!escape(r)) {
				return false;
			}
			run = r->at;
		} else if (c >= 0x80) {
			size_t n =
				str_utf8_len((struct str){ r->at, (size_t)(r->end - r->at) });
			if (n == 0) {
				return fail(r, "not UTF-8");
			}
			r->at += n;
		} else if (c < 0x20) {
			return fail(r, "a control character in a string");
		} else {
			r->at++;
		}
	}
	if (r->at == r->end) {
		return fail(r, "the string does not end");
	}
	*out = (struct str){ run, (size_t)(r->at - run) };
	r->at++;
	if (!plain) {
		buf_add_str(&r->text, *out);
		*out = buf_view(&r->text);
	}
	return true;
}

/* ---- numbers and words ---- */

static bool digits(struct reader *r)
{
	const char *first = r->at;
	while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
		r->at++;
	}
	return r->at > first;
}

static bool take(struct reader *r, char c)
{
	bool there = r->at < r->end && *r->at == c;
	r->at += there;
	return there;
}

static json_t *real(struct reader *r, struct str text)
{
	buf_reset(&r->text);
	buf_add_str(&r->text, text); /* strtod wants a NUL */
	errno = 0;
	double d = strtod(r->text.p, NULL);
	json_t *v = errno == ERANGE && (d > 1 || d < -1) ? NULL : json_real(d);
	if (!v) {
		(void)fail(r, "the number is too large");
	}
	return v;
}

static json_t *number(struct reader *r)
{
	const char *first = r->at;
	int64_t n;
	bool is_real = false;
	(void)take(r, '-');
	bool ok = take(r, '0') || digits(r);
	if (ok && take(r, '.')) {
		is_real = true;
		ok = digits(r);
	}
	if (ok && (take(r, 'e') || take(r, 'E'))) {
		is_real = true;
		(void)(take(r, '+') || take(r, '-'));
		ok = digits(r);
	}
	struct str text = { first, (size_t)(r->at - first) };
	if (!ok) {
		(void)fail(r, "not a number");
		return NULL;
	}
	if (is_real) {
		return real(r, text);
	}
	if (!str_to_i64(text, &n)) {
		(void)fail(r, "the integer is too large");
		return NULL;
	}
	return json_integer(n);
}

static json_t *word(struct reader *r)
{
	struct str rest = { r->at, (size_t)(r->end - r->at) };
	if (str_starts(rest, STR("true"))) {
		r->at += strlen("true");
		return json_true();
	}
	if (str_starts(rest, STR("false"))) {
		r->at += strlen("false");
		return json_false();
	}
	if (str_starts(rest, STR("null"))) {
		r->at += strlen("null");
		return json_null();
	}
	(void)fail(r, "a value is missing");
	return NULL;
}

/* ---- what holds others ---- */

/* NOLINTBEGIN(misc-no-recursion): bounded by DOC_MAX_DEPTH */
static bool members(struct reader *r, json_t *out)
{
	struct str key;
	for (size_t n = 1;; n++) {
		if (next(r) != '"') {
			return fail(r, "a name in quotes is missing");
		}
		r->at++;
		if (!string(r, &key)) {
			return false;
		}
		if (key.n && memchr(key.p, '\0', key.n)) {
			return fail(r, "a NUL in a name");
		}
		/* The name may lie in r->text, which the value takes for itself. */
		char *copy = key.p == r->text.p ? str_dup(key) : NULL;
		json_t *v = NULL;
		if (next(r) == ':') {
			r->at++;
			v = value(r);
		} else {
			(void)fail(r, "a colon is missing");
		}
		bool added = v && json_object_setn_new_nocheck(
					  out, copy ? copy : key.p, key.n, v) == 0;
		free(copy);
		if (!added) {
			return false;
		}
		if (json_object_size(out) < n) {
			return fail(r, "a duplicate name");
		}
		char c = next(r);
		if (c != ',' && c != '}') {
			return fail(r, "a comma or } is missing");
		}
		r->at++;
		if (c == '}') {
			return true;
		}
	}
}

static bool elements(struct reader *r, json_t *out)
{
	for (;;) {
		json_t *v = value(r);
		if (!v || json_array_append_new(out, v) != 0) {
			return false;
		}
		char c = next(r);
		if (c != ',' && c != ']') {
			return fail(r, "a comma or ] is missing");
		}
		r->at++;
		if (c == ']') {
			return true;
		}
	}
}

static json_t *nested(struct reader *r, char closing)
{
	if (r->depth == DOC_MAX_DEPTH) {
		r->too_deep = true;
		return NULL;
	}
	json_t *out = closing == '}' ? json_object() : json_array();
	r->at++;
	r->depth++;
	if (next(r) == closing) {
		r->at++;
	} else if (closing == '}' ? !members(r, out) : !elements(r, out)) {
		json_decref(out);
		out = NULL;
	}
	r->depth--;
	return out;
}

static json_t *value(struct reader *r)
{
	struct str text;
	char c = next(r);
	switch (c) {
	case '{':
		return nested(r, '}');
	case '[':
		return nested(r, ']');
	case '"':
		r->at++;
		return string(r, &text) ? json_stringn_nocheck(text.n ? text.p : "", text.n)
					: NULL;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? number(r) : word(r);
	}
}
/* NOLINTEND(misc-no-recursion) */

static enum err_status explain(const struct reader *r, struct str s, struct err *err)
{
	if (r->too_deep) {
		return err_set(
			err, ERR_LIMIT, "JSON is nested deeper than %d levels", DOC_MAX_DEPTH);
	}
	int line = 1, column = 1;
	for (const char *p = s.p; p < r->at; p++) {
		bool ends = *p == '\n';
		line += ends;
		column = ends ? 1 : column + 1;
	}
	return err_set(err, ERR_INPUT, "not valid JSON at line %d, column %d: %s", line, column,
		r->why ? r->why : "out of memory");
}

enum err_status doc_parse(struct str s, size_t max, json_t **out, struct err *err)
{
	if (s.n > max) {
		return err_set(
			err, ERR_LIMIT, "JSON of %zu bytes passes the limit of %zu", s.n, max);
	}
	s.p = s.n ? s.p : "";
	struct reader r = { .at = s.p, .end = s.p + s.n };
	buf_init(&r.text, s.n + 1);
	r.text.wipe = true; /* credentials come as JSON */
	json_t *v = value(&r);
	if (v && (next(&r) || r.at < r.end)) {
		json_decref(v);
		v = NULL;
		(void)fail(&r, "something follows the document");
	}
	enum err_status st = v ? ERR_OK : explain(&r, s, err);
	buf_deinit(&r.text);
	if (v) {
		*out = v;
	}
	return st;
}
