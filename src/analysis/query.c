#include "analysis/query.h"

#include "analysis/network.h"
#include "base/utc.h"

#include <stdio.h>

#define DEPTH_MAX 32

/* ---- reading ---- */

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-' || c == '@';
}

/* Where the operator stands: its length, or 0. */
static size_t operator_at(struct str s, size_t *at, enum query_op *op)
{
	size_t i = 0;
	while (i < s.n && is_name(s.p[i])) {
		i++;
	}
	*at = i;
	if (i == 0 || i >= s.n) {
		return 0;
	}
	switch (s.p[i]) {
	case '=':
		*op = QUERY_IS;
		return 1;
	case '~':
		*op = QUERY_HOLDS;
		return 1;
	case '>':
		*op = QUERY_MORE;
		return 1;
	case '<':
		*op = QUERY_LESS;
		return 1;
	case '!':
		*op = QUERY_IS_NOT;
		return i + 1 < s.n && s.p[i + 1] == '=' ? 2 : 0;
	default:
		return 0;
	}
}

bool query_is_term(struct str text)
{
	size_t at = 0;
	enum query_op op = QUERY_IS;
	return operator_at(text, &at, &op) > 0;
}

enum err_status query_add(struct query *q, struct str text, struct err *err)
{
	struct query_term t = { .op = QUERY_IS };
	size_t at = 0;
	size_t n = operator_at(text, &at, &t.op);
	if (n == 0) {
		return err_set(err, ERR_USAGE,
			"%.*s is no condition; write FIELD=VALUE, FIELD!=VALUE, FIELD~TEXT, "
			"FIELD>N or FIELD<N",
			STR_ARG(text));
	}
	if (q->n == QUERY_MAX) {
		return err_set(err, ERR_USAGE, "more than %d conditions", QUERY_MAX);
	}
	t.field = str_sub(text, 0, at);
	t.value = str_sub(text, at + n, SIZE_MAX);
	bool counts = t.op == QUERY_MORE || t.op == QUERY_LESS;
	bool ok = !counts || str_to_i64(t.value, &t.number) ||
		  (str_is(t.field, "time") && utc_parse(t.value, &t.number));
	if (!ok) {
		return err_set(err, ERR_USAGE,
			"%.*s compares with a number or a time, not %.*s", STR_ARG(t.field),
			STR_ARG(t.value));
	}
	if (t.op == QUERY_HOLDS && t.value.n == 0) {
		return err_set(
			err, ERR_USAGE, "%.*s~ needs a text to look for", STR_ARG(t.field));
	}
	q->terms[q->n++] = t;
	return ERR_OK;
}

/* ---- comparing ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool query_glob(struct str pattern, struct str s)
{
	size_t p = 0;
	size_t i = 0;
	size_t star = SIZE_MAX;
	size_t back = 0;
	while (i < s.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			back = i;
		} else if (p < pattern.n &&
			   (pattern.p[p] == '?' || lower(pattern.p[p]) == lower(s.p[i]))) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++back;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*') {
		p++;
	}
	return p == pattern.n;
}

static bool holds(struct str s, struct str needle)
{
	for (size_t i = 0; i + needle.n <= s.n; i++) {
		if (str_eq_nocase(str_sub(s, i, needle.n), needle)) {
			return true;
		}
	}
	return false;
}

/* One of the alternatives; a network when it looks like one and the text is an address. */
static bool is_any(struct str alternatives, struct str s)
{
	struct str one;
	if (alternatives.n == 0) {
		return s.n == 0;
	}
	while (str_cut(&alternatives, ',', &one)) {
		if (query_glob(one, s) || network_holds(one, s)) {
			return true;
		}
	}
	return false;
}

static bool compare(const struct query_term *t, struct str s)
{
	int64_t n = 0;
	switch (t->op) {
	case QUERY_HOLDS:
		return holds(s, t->value);
	case QUERY_MORE:
		return str_to_i64(s, &n) && n > t->number;
	case QUERY_LESS:
		return str_to_i64(s, &n) && n < t->number;
	default:
		return is_any(t->value, s);
	}
}

/* ---- fields ---- */

static bool common_field(const struct record *rec, struct str name, struct str *out)
{
	const struct {
		const char *name;
		struct str text;
	} fields[] = {
		{ "principal", rec->principal },
		{ "ip", rec->ip },
		{ "key", rec->key },
		{ "action", rec->action },
		{ "target", rec->target },
		{ "outcome", rec->outcome },
		{ "agent", rec->agent },
		{ "region", rec->region },
		{ "account", rec->account },
		{ "id", rec->id },
		{ "text", rec->text },
		{ "file", str_from(rec->file) },
		{ "source", str_from(record_source_word(rec->source)) },
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (str_is(name, fields[i].name)) {
			*out = fields[i].text;
			return true;
		}
	}
	return false;
}

struct walk {
	const struct query_term *term;
	struct scan_tape *tape;
	bool found; /* the path leads to something */
};

/* Any value below `node` at `path` compares. */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than DEPTH_MAX */
static bool walk_path(struct walk *w, uint32_t node, struct str path, int depth)
{
	struct scan_tape *t = w->tape;
	if (node == SCAN_NONE || depth > DEPTH_MAX) {
		return false;
	}
	if (scan_type_of(t, node) == SCAN_ARRAY) {
		for (uint32_t c = scan_first(t, node); c != SCAN_NONE;
			c = scan_after(t, node, c)) {
			if (walk_path(w, c, path, depth + 1)) {
				return true;
			}
		}
		return false;
	}
	if (path.n == 0) {
		bool text = scan_type_of(t, node) == SCAN_STRING;
		if (scan_type_of(t, node) == SCAN_NULL) {
			return false;
		}
		w->found = true;
		return compare(w->term, text ? scan_text(t, node) : scan_raw(t, node));
	}
	/* A member's name may hold dots itself. */
	uint32_t whole = scan_member(t, node, path);
	if (whole != SCAN_NONE && walk_path(w, whole, STR(""), depth + 1)) {
		return true;
	}
	struct str step;
	struct str rest = path;
	(void)str_cut(&rest, '.', &step);
	return rest.n < path.n - step.n &&
	       walk_path(w, scan_member(t, node, step), rest, depth + 1);
}

static bool match_time(const struct query_term *t, int64_t ms)
{
	char text[32];
	if (t->op == QUERY_MORE) {
		return ms > t->number;
	}
	if (t->op == QUERY_LESS) {
		return ms < t->number;
	}
	utc_rfc3339(ms, text);
	return compare(t, str_from(text));
}

static bool match_term(const struct query_term *t, const struct record *rec)
{
	struct str text;
	if (str_is(t->field, "time")) {
		return match_time(t, rec->time_ms);
	}
	if (str_is(t->field, "bytes")) {
		char number[24];
		(void)snprintf(number, sizeof(number), "%lld", (long long)rec->bytes);
		return rec->bytes >= 0 && compare(t, str_from(number));
	}
	if (common_field(rec, t->field, &text)) {
		return compare(t, text);
	}
	if (!rec->tape) {
		return t->op == QUERY_IS && t->value.n == 0;
	}
	struct walk w = { t, rec->tape, false };
	bool any = walk_path(&w, rec->node, t->field, 0);
	return any || (!w.found && t->op == QUERY_IS && t->value.n == 0);
}

bool query_match(const struct query *q, const struct record *rec)
{
	for (size_t i = 0; i < q->n; i++) {
		bool not = q->terms[i].op == QUERY_IS_NOT;
		if (match_term(&q->terms[i], rec) == not ) {
			return false;
		}
	}
	return true;
}
