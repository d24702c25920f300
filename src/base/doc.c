#include "base/doc.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* jansson recurses up to its own compile-time limit; count first, so that ours holds. */
static bool too_deep(struct str s)
{
	size_t depth = 0, brackets = 0;
	bool in_string = false;
	/* Most texts have fewer than may be nested, which is seen faster than how deep they go. */
	for (size_t i = 0; i < s.n; i++) {
		brackets += s.p[i] == '{';
		brackets += s.p[i] == '[';
	}
	if (brackets <= DOC_MAX_DEPTH) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (in_string) {
			if (c == '\\') {
				i++;
			} else if (c == '"') {
				in_string = false;
			}
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > DOC_MAX_DEPTH) {
				return true;
			}
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return false;
}

enum err_status doc_parse(struct str s, size_t max, json_t **out, struct err *err)
{
	if (s.n > max) {
		return err_set(
			err, ERR_LIMIT, "JSON of %zu bytes passes the limit of %zu", s.n, max);
	}
	if (too_deep(s)) {
		return err_set(
			err, ERR_LIMIT, "JSON is nested deeper than %d levels", DOC_MAX_DEPTH);
	}
	json_error_t why;
	json_t *v = json_loadb(s.n ? s.p : "", s.n,
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	if (!v) {
		return err_set(err, ERR_INPUT, "not valid JSON at line %d, column %d: %s",
			why.line, why.column, why.text);
	}
	*out = v;
	return ERR_OK;
}

json_t *doc_get(const json_t *root, const char *path)
{
	const json_t *at = root;
	struct str rest = str_from(path);
	while (rest.n && at) {
		if (rest.p[0] == '[') {
			size_t close = str_find_char(rest, ']');
			int64_t i;
			if (close == SIZE_MAX || !str_to_i64(str_sub(rest, 1, close - 1), &i) ||
				i < 0) {
				return NULL;
			}
			at = json_array_get(at, (size_t)i);
			rest = str_sub(rest, close + 1, rest.n);
		} else {
			size_t n = 0;
			while (n < rest.n && rest.p[n] != '.' && rest.p[n] != '[') {
				n++;
			}
			at = json_object_getn(at, rest.p, n);
			rest = str_sub(rest, n, rest.n);
		}
		if (rest.n && rest.p[0] == '.') {
			rest = str_sub(rest, 1, rest.n);
		}
	}
	/* jansson's borrowed values are not const; the document is the caller's own. */
	union {
		const json_t *in;
		json_t *out;
	} cast = { at };
	return cast.out;
}

const char *doc_text(const json_t *root, const char *path)
{
	return json_string_value(doc_get(root, path));
}

const char *doc_text_or(const json_t *root, const char *path, const char *otherwise)
{
	const char *t = doc_text(root, path);
	return t ? t : otherwise;
}

int64_t doc_int(const json_t *root, const char *path, int64_t otherwise)
{
	const json_t *v = doc_get(root, path);
	int64_t n;
	if (json_is_integer(v)) {
		return (int64_t)json_integer_value(v);
	}
	if (json_is_real(v)) {
		double d = json_real_value(v);
		return d > -9e18 && d < 9e18 ? (int64_t)d : otherwise;
	}
	if (json_is_string(v) && str_to_i64(str_from(json_string_value(v)), &n)) {
		return n;
	}
	return otherwise;
}

double doc_real(const json_t *root, const char *path, double otherwise)
{
	const json_t *v = doc_get(root, path);
	if (json_is_number(v)) {
		return json_number_value(v);
	}
	if (json_is_string(v)) {
		const char *t = json_string_value(v);
		char *end = NULL;
		double d = strtod(t, &end);
		return *t && end && *end == '\0' ? d : otherwise;
	}
	return otherwise;
}

bool doc_true(const json_t *root, const char *path)
{
	const json_t *v = doc_get(root, path);
	return json_is_true(v) ||
	       (json_is_string(v) &&
		       str_eq_nocase(str_from(json_string_value(v)), STR("true")));
}

static int add_piece(const char *p, size_t n, void *ctx)
{
	buf_add(ctx, p, n);
	return 0;
}

void doc_canonical(const json_t *v, struct buf *out)
{
	(void)json_dump_callback(v, add_piece, out,
		JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
}

static int add_calm_piece(const char *p, size_t n, void *ctx)
{
	text_json((struct str){ p, n }, ctx);
	return 0;
}

void doc_line(const json_t *v, struct buf *out)
{
	(void)json_dump_callback(v, add_calm_piece, out,
		JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	buf_putc(out, '\n');
}

void doc_pretty(const json_t *v, struct buf *out)
{
	(void)json_dump_callback(v, add_calm_piece, out,
		JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	buf_putc(out, '\n');
}

void doc_sha256(const json_t *v, char out[65])
{
	struct buf text;
	buf_init(&text, (size_t)1 << 31);
	doc_canonical(v, &text);
	hash_sha256_hex(buf_view(&text), out);
	buf_deinit(&text);
}

/* Eight bytes at a time: nearly all text is plain, and jansson's own check goes by single bytes. */
static bool is_ascii(struct str s)
{
	uint64_t all = 0, eight;
	size_t i = 0;
	for (; i + sizeof(eight) <= s.n; i += sizeof(eight)) {
		memcpy(&eight, s.p + i, sizeof(eight));
		all |= eight;
	}
	for (; i < s.n; i++) {
		all |= (unsigned char)s.p[i];
	}
	return (all & UINT64_C(0x8080808080808080)) == 0;
}

json_t *doc_str(struct str s)
{
	json_t *v = is_ascii(s) ? json_stringn_nocheck(s.n ? s.p : "", s.n)
				: json_stringn(s.p, s.n);
	if (v) {
		return v;
	}
	struct buf clean;
	buf_init(&clean, SIZE_MAX / 4);
	while (s.n) {
		size_t len = str_utf8_len(s);
		if (len) {
			buf_add(&clean, s.p, len);
		} else {
			buf_add(&clean, "\xef\xbf\xbd", 3);
			len = 1;
		}
		s = str_sub(s, len, s.n);
	}
	v = json_stringn(clean.p, clean.n);
	buf_deinit(&clean);
	return v;
}

bool doc_eq(const json_t *a, const json_t *b)
{
	return (!a && !b) || (a && b && json_equal(a, b));
}
