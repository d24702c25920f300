/*
 * What AWS sends is plain: no document types, no name spaces that matter. For that an XML library did
 * eight times as much as needs be done, and was the larger part of a call to EC2.
 */
#include "aws/xml.h"

#include <string.h>

#define ARENA_MAX ((size_t)512 * 1024 * 1024)
#define NAMES     256u /* a power of two */
#define MAX_ATTRS 32u  /* each is compared with those before it */

struct reader {
	const char *begin, *at, *end;
	struct xml_doc *doc;
	struct xml_node *open[XML_MAX_DEPTH]; /* path from the root */
	struct xml_node *last[XML_MAX_DEPTH]; /* last child of each */
	struct str tags[XML_MAX_DEPTH];       /* their names as they are written */
	size_t depth, nodes;
	/* Names repeat: the latest element of each slot lends its own to the next. */
	const struct xml_node *names[NAMES];
	struct str run;  /* text so far, where it stands in the input in one piece ... */
	struct buf text; /* ... and where it does not */
	const char *why; /* it failed at `at` */
	bool limit;
};

static bool fail(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

static bool fail_limit(struct reader *r, const char *why)
{
	r->limit = true;
	return fail(r, why);
}

/* ---- characters and names ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool skip_space(struct reader *r)
{
	const char *from = r->at;
	while (r->at < r->end && is_space(*r->at)) {
		r->at++;
	}
	return r->at > from;
}

static struct str rest(const struct reader *r)
{
	return (struct str){ r->at, (size_t)(r->end - r->at) };
}

static bool take(struct reader *r, struct str what)
{
	bool there = str_starts(rest(r), what);
	r->at += there ? what.n : 0;
	return there;
}

static bool take_char(struct reader *r, char c)
{
	bool there = r->at < r->end && *r->at == c;
	r->at += there;
	return there;
}

/* Bytes of the character at `at` (before `end`); 0 when XML knows no such character. */
static size_t char_len(const struct reader *r)
{
	unsigned char c = (unsigned char)*r->at;
	if (c < 0x80) {
		return c >= 0x20 || is_space(*r->at);
	}
	size_t n = str_utf8_len(rest(r));
	bool none = n == 3 && memcmp(r->at, "\xef\xbf", 2) == 0 && r->at[2] >= (char)0xbe;
	return none ? 0 : n;
}

/* Beyond ASCII more is taken for a letter than is one: nothing here depends on that. */
static bool in_name(char c, bool first)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		      c == ':' || (unsigned char)c >= 0x80;
	return letter || (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static bool name(struct reader *r, struct str *out)
{
	const char *from = r->at;
	while (r->at < r->end && in_name(*r->at, r->at == from)) {
		size_t n = char_len(r);
		if (n == 0) {
			break;
		}
		r->at += n;
	}
	*out = (struct str){ from, (size_t)(r->at - from) };
	return out->n > 0 || fail(r, "a name is missing");
}

/* Up to and past `end`. */
static bool skip_past(struct reader *r, struct str end)
{
	while (r->at < r->end) {
		if (take(r, end)) {
			return true;
		}
		size_t n = char_len(r);
		if (n == 0) {
			return fail(r, "no character of XML");
		}
		r->at += n;
	}
	return fail(r, "it ends too soon");
}

/* ---- text ---- */

static void forget_text(struct reader *r)
{
	r->run.n = 0;
	if (r->text.n) {
		buf_reset(&r->text);
	}
}

/* From now on the text is in the buffer. */
static struct buf *made(struct reader *r)
{
	buf_add_str(&r->text, r->run);
	r->run.n = 0;
	return &r->text;
}

/* Text from `from` to where the reader is. */
static void as_it_stands(struct reader *r, const char *from)
{
	struct str piece = { from, (size_t)(r->at - from) };
	if (!r->run.n && !r->text.n) {
		r->run = piece;
	} else if (r->run.n && r->run.p + r->run.n == from) {
		r->run.n += piece.n;
	} else {
		buf_add_str(made(r), piece);
	}
}

/* "#233" or "#xe9": a character that XML knows. */
static bool character(struct str code, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";
	bool hex = code.n > 1 && code.p[1] == 'x';
	uint32_t c = 0;
	code = str_sub(code, hex ? 2 : 1, SIZE_MAX);
	for (size_t i = 0; i < code.n && c < 0x110000; i++) {
		bool capital = code.p[i] >= 'A' && code.p[i] <= 'F';
		const char *digit =
			memchr(digits, capital ? code.p[i] | 0x20 : code.p[i], hex ? 16 : 10);
		c = digit ? c * (hex ? 16 : 10) + (uint32_t)(digit - digits) : 0x110000;
	}
	bool good = c >= 0x20 ? c < 0xd800 || (c > 0xdfff && c < 0xfffe) ||
					(c > 0xffff && c < 0x110000)
			      : c == '\n' || c == '\t' || c == '\r';
	char bytes[4];
	if (good) {
		buf_add(out, bytes, str_utf8_put(c, bytes));
	}
	return good;
}

/* At the '&'. A document without a type has these five names, and characters by number. */
static bool reference(struct reader *r)
{
	static const char *const names[] = { "lt", "gt", "amp", "quot", "apos" };
	static const char signs[] = "<>&\"'";
	r->at++;
	size_t n = str_find_char(rest(r), ';');
	struct str code = str_sub(rest(r), 0, n);
	if (n == SIZE_MAX || n == 0) {
		return fail(r, "an & stands alone");
	}
	if (code.p[0] == '#') {
		if (!character(code, made(r))) {
			return fail(r, "no character of XML");
		}
		r->at += n + 1;
		return true;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_is(code, names[i])) {
			buf_putc(made(r), signs[i]);
			r->at += n + 1;
			return true;
		}
	}
	return fail(r, "no such entity");
}

/* At a carriage return: every end of a line is one newline. */
static void line_end(struct reader *r, char c)
{
	r->at++;
	if (r->at < r->end && *r->at == '\n') {
		r->at++;
	}
	buf_putc(made(r), c);
}

/* Up to `end`, which is not taken: an element's text (with references) or a CDATA section's. */
static bool text(struct reader *r, struct str end, bool references)
{
	const char *from = r->at;
	while (r->at < r->end) {
		unsigned char c = (unsigned char)*r->at;
		bool plain = c >= 0x20 && c < 0x80 && c != '<' && c != '&' && c != ']';
		size_t n = plain ? 1 : char_len(r);
		if (n == 0) {
			return fail(r, "no character of XML");
		}
		if (plain) {
			r->at++;
		} else if (str_starts(rest(r), end)) {
			break;
		} else if (c == '\r') {
			as_it_stands(r, from);
			line_end(r, '\n');
			from = r->at;
		} else if (c == '&' && references) {
			as_it_stands(r, from);
			if (!reference(r)) {
				return false;
			}
			from = r->at;
		} else if (references && str_starts(rest(r), STR("]]>"))) {
			return fail(r, "]]> in a text");
		} else {
			r->at += n;
		}
	}
	as_it_stands(r, from);
	return true;
}

/* ---- elements ---- */

/* Without its prefix, as it was copied already or anew. */
static bool set_name(struct reader *r, struct xml_node *n, struct str full)
{
	struct str local = full;
	uint32_t hash = 0;
	for (size_t i = 0; i < full.n; i++) {
		if (full.p[i] == ':' && local.n == full.n) {
			local = str_sub(full, i + 1, SIZE_MAX);
			hash = 0;
		} else {
			hash = hash * 31 + (unsigned char)full.p[i];
		}
	}
	n->hash = hash ^ hash >> 15;
	const struct xml_node **slot = &r->names[n->hash % NAMES];
	bool same = *slot && (*slot)->hash == n->hash &&
		    strncmp((*slot)->name, local.n ? local.p : "", local.n) == 0 &&
		    (*slot)->name[local.n] == '\0';
	n->name = same ? (*slot)->name : arena_cstr(&r->doc->arena, local);
	*slot = n;
	return !r->doc->arena.overflow || fail_limit(r, "document too large");
}

/* After the opening quote. The value is left in r->text. */
static bool attribute_value(struct reader *r, char quote)
{
	buf_reset(&r->text);
	while (r->at < r->end && *r->at != quote) {
		size_t n = char_len(r);
		if (n == 0 || *r->at == '<') {
			return fail(r, "a value of an attribute can't hold this");
		}
		if (*r->at == '&') {
			if (!reference(r)) {
				return false;
			}
		} else if (*r->at == '\r') {
			line_end(r, ' ');
		} else if (is_space(*r->at)) {
			buf_putc(&r->text, ' ');
			r->at++;
		} else {
			buf_add(&r->text, r->at, n);
			r->at += n;
		}
	}
	return take_char(r, quote) || fail(r, "it ends too soon");
}

static bool attribute(struct reader *r, struct xml_node *n)
{
	struct arena *a = &r->doc->arena;
	struct str key;
	size_t have = 0;
	if (!name(r, &key)) {
		return false;
	}
	(void)skip_space(r);
	bool equal = take_char(r, '=');
	(void)skip_space(r);
	bool twice = take_char(r, '"');
	if (!equal || (!twice && !take_char(r, '\''))) {
		return fail(r, "an attribute without a value in quotes");
	}
	if (!attribute_value(r, twice ? '"' : '\'')) {
		return false;
	}
	for (const struct xml_attr *other = n->attrs; other; other = other->next, have++) {
		if (str_is(key, other->name)) {
			return fail(r, "an attribute stands there twice");
		}
	}
	struct xml_attr *attr = arena_alloc(a, sizeof(*attr));
	if (!attr || have == MAX_ATTRS) {
		return fail_limit(r, "document too large");
	}
	*attr = (struct xml_attr){ arena_cstr(a, key), arena_cstr(a, buf_view(&r->text)),
		n->attrs };
	n->attrs = attr;
	return true;
}

static bool close_element(struct reader *r)
{
	struct xml_node *n = r->open[--r->depth];
	if (n->child) {
		n->text = STR("");
	} else if (r->run.n) {
		n->text = r->run;
	} else {
		n->text = r->text.n ? arena_str(&r->doc->arena, buf_view(&r->text)) : STR("");
	}
	forget_text(r);
	return !r->doc->arena.overflow || fail_limit(r, "document too large");
}

/* At the name. */
static bool start_tag(struct reader *r)
{
	struct str tag;
	forget_text(r);
	if (r->depth == XML_MAX_DEPTH || ++r->nodes > XML_MAX_NODES) {
		return fail_limit(r, "too many or too deeply nested elements");
	}
	struct xml_node *n = arena_alloc(&r->doc->arena, sizeof(*n));
	if (!n) {
		return fail_limit(r, "document too large");
	}
	if (!name(r, &tag) || !set_name(r, n, tag)) {
		return false;
	}
	if (r->depth > 0) {
		struct xml_node *parent = r->open[r->depth - 1],
				*before = r->last[r->depth - 1];
		*(before ? &before->next : &parent->child) = n;
		r->last[r->depth - 1] = n;
	} else if (r->doc->root) {
		return fail(r, "a second root");
	} else {
		r->doc->root = n;
	}
	r->open[r->depth] = n;
	r->last[r->depth] = NULL;
	r->tags[r->depth++] = tag;
	for (;;) {
		bool space = skip_space(r);
		bool whole = take_char(r, '/');
		if (take_char(r, '>')) {
			forget_text(r);
			return !whole || close_element(r);
		}
		if (whole || !space) {
			return fail(r, "the tag does not end");
		}
		if (!attribute(r, n)) {
			return false;
		}
	}
}

/* After "</". */
static bool end_tag(struct reader *r)
{
	if (r->depth == 0 || !take(r, r->tags[r->depth - 1])) {
		return fail(r, "the end of an element that is not open");
	}
	(void)skip_space(r);
	return take_char(r, '>') ? close_element(r)
				 : fail(r, "the end of an element that is not open");
}

/* ---- the document ---- */

/* After "<?": for programs, which this one is not. */
static bool instruction(struct reader *r)
{
	struct str target;
	if (!name(r, &target)) {
		return false;
	}
	if (str_eq_nocase(target, STR("xml"))) {
		return fail(r, "an XML declaration that does not stand first, or is none");
	}
	if (take(r, STR("?>"))) {
		return true;
	}
	return skip_space(r) ? skip_past(r, STR("?>")) : fail(r, "it ends too soon");
}

/* After "<!". */
static bool beside_elements(struct reader *r)
{
	if (take(r, STR("--"))) {
		return skip_past(r, STR("--")) &&
		       (take_char(r, '>') || fail(r, "-- in a comment"));
	}
	if (r->depth > 0 && take(r, STR("[CDATA["))) {
		return text(r, STR("]]>"), false) &&
		       (take(r, STR("]]>")) || fail(r, "it ends too soon"));
	}
	/* No AWS answer has a document type; entity expansion begins with one. */
	return fail(r, take(r, STR("DOCTYPE")) ? "a document type is not accepted"
					       : "no markup that is known");
}

static bool markup(struct reader *r)
{
	r->at++;
	switch (r->at < r->end ? *r->at : '\0') {
	case '/':
		r->at++;
		return end_tag(r);
	case '!':
		r->at++;
		return beside_elements(r);
	case '?':
		r->at++;
		return instruction(r);
	default:
		return start_tag(r);
	}
}

/* ' NAME="value"' of the declaration; false, with nothing taken, when it is another. */
static bool pseudo_attribute(struct reader *r, struct str key, struct str *value)
{
	const char *from = r->at;
	bool there = skip_space(r) && take(r, key);
	(void)skip_space(r);
	there = there && take_char(r, '=');
	(void)skip_space(r);
	bool twice = there && take_char(r, '"');
	there = twice || (there && take_char(r, '\''));
	size_t n = there ? str_find_char(rest(r), twice ? '"' : '\'') : SIZE_MAX;
	if (n == SIZE_MAX) {
		r->at = from;
		return false;
	}
	*value = str_sub(rest(r), 0, n);
	r->at += n + 1;
	return true;
}

/* Letters, digits and a few signs. */
static bool is_word(struct str s)
{
	size_t n = 0;
	while (n < s.n && in_name(s.p[n], false) && s.p[n] != ':' && !(s.p[n] & 0x80)) {
		n++;
	}
	return n == s.n;
}

/* Latin-1 as UTF-8: what stands in the arena is read on. */
static bool recode(struct reader *r)
{
	struct buf out;
	buf_init(&out, 2 * (size_t)(r->end - r->begin));
	out.wipe = true;
	size_t done = (size_t)(r->at - r->begin); /* the declaration, which is ASCII */
	for (const char *p = r->begin; p < r->end; p++) {
		char bytes[4];
		buf_add(&out, bytes, str_utf8_put((unsigned char)*p, bytes));
	}
	struct str all = arena_str(&r->doc->arena, buf_view(&out));
	buf_deinit(&out);
	r->begin = all.p;
	r->at = all.p + done;
	r->end = all.p + all.n;
	return all.n > 0 || fail_limit(r, "document too large");
}

static bool declaration(struct reader *r)
{
	struct str version, encoding = STR("UTF-8"), standalone = STR("no");
	(void)take(r, STR("\xef\xbb\xbf"));
	r->begin = r->at;
	struct str all = rest(r);
	if (!str_starts(all, STR("<?xml")) || all.n < 6 || !is_space(all.p[5])) {
		return true;
	}
	r->at += 5;
	bool good = pseudo_attribute(r, STR("version"), &version) && is_word(version);
	(void)pseudo_attribute(r, STR("encoding"), &encoding);
	(void)pseudo_attribute(r, STR("standalone"), &standalone);
	(void)skip_space(r);
	good = good && (str_is(standalone, "yes") || str_is(standalone, "no"));
	if (!good || !take(r, STR("?>"))) {
		return fail(r, "the XML declaration is malformed");
	}
	if (str_eq_nocase(encoding, STR("ISO-8859-1"))) {
		return recode(r);
	}
	return str_eq_nocase(encoding, STR("UTF-8")) ||
	       str_eq_nocase(encoding, STR("US-ASCII")) ||
	       fail(r, "in neither UTF-8 nor ISO-8859-1");
}

static bool document(struct reader *r)
{
	if (!declaration(r)) {
		return false;
	}
	for (;;) {
		if (r->depth == 0) {
			(void)skip_space(r);
		}
		if (r->at == r->end) {
			break;
		}
		if (*r->at != '<' && r->depth == 0) {
			return fail(r, "text outside the root");
		}
		if (!(*r->at == '<' ? markup(r) : text(r, STR("<"), true))) {
			return false;
		}
	}
	return (r->depth == 0 && r->doc->root) || fail(r, "it ends too soon");
}

static enum err_status explain(const struct reader *r, struct err *err)
{
	size_t line = 1;
	for (const char *p = r->begin; p < r->at; p++) {
		line += *p == '\n';
	}
	return err_set(err, r->limit ? ERR_LIMIT : ERR_INPUT, "malformed XML, line %zu: %s",
		line, r->why);
}

enum err_status xml_parse(struct str s, struct xml_doc *out, struct err *err)
{
	struct xml_doc doc = { 0 };
	arena_init(&doc.arena, ARENA_MAX);
	doc.arena.wipe = true; /* STS hands out keys as XML */
	s.p = s.n ? s.p : "";
	struct reader r = { .begin = s.p, .at = s.p, .end = s.p + s.n, .doc = &doc };
	buf_init(&r.text, 2 * s.n); /* Latin-1 may grow to that */
	r.text.wipe = true;
	bool ok = document(&r);
	buf_deinit(&r.text);
	if (!ok) {
		enum err_status st = explain(&r, err);
		xml_deinit(&doc);
		return st;
	}
	*out = doc;
	return ERR_OK;
}
