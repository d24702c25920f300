#include "aws/ini.h"

#include <stdlib.h>
#include <string.h>

struct parser {
	struct ini *out;
	const char *name;
	int line;
	size_t cap;
	struct str section;
	struct str parent; /* key whose value was empty: sub-keys may follow */
	struct err *err;
};

static enum err_status bad(struct parser *p, const char *what)
{
	return err_set(p->err, ERR_CONFIG, "%s:%d: %s", p->name, p->line, what);
}

static enum err_status add(struct parser *p, struct str key, struct str value)
{
	struct ini *f = p->out;
	if (f->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 32;
		struct ini_item *items = realloc(f->items, cap * sizeof(*items));
		if (!items) {
			return err_set(p->err, ERR_LIMIT, "%s: out of memory", p->name);
		}
		f->items = items;
		p->cap = cap;
	}
	f->items[f->n++] = (struct ini_item){ p->section, arena_str(&f->arena, key),
		arena_str(&f->arena, value) };
	return ERR_OK;
}

/* " # comment" and " ; comment" end a value; a '#' inside a word does not. */
static struct str without_comment(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if ((s.p[i] == '#' || s.p[i] == ';') &&
			(s.p[i - 1] == ' ' || s.p[i - 1] == '\t')) {
			return str_trim(str_sub(s, 0, i));
		}
	}
	return str_trim(s);
}

static enum err_status section_line(struct parser *p, struct str line)
{
	size_t end = str_find_char(line, ']');
	if (end == SIZE_MAX) {
		return bad(p, "a section line must end in ']'");
	}
	struct str inner = str_trim(str_sub(line, 1, end - 1));
	struct buf name;
	buf_init(&name, 1024);
	/* Any white space between the words counts as one blank; quotes around a name are dropped. */
	bool blank = false;
	for (size_t i = 0; i < inner.n; i++) {
		char c = inner.p[i];
		if (c == ' ' || c == '\t') {
			blank = true;
		} else if (c != '"' && c != '\'') {
			if (blank && name.n) {
				buf_putc(&name, ' ');
			}
			blank = false;
			buf_putc(&name, c);
		}
	}
	bool ok = name.n && buf_ok(&name);
	p->section = arena_str(&p->out->arena, buf_view(&name));
	p->parent = (struct str){ 0 };
	buf_deinit(&name);
	/* A section without keys is one too: it is remembered by an item without a name. */
	return ok ? add(p, STR(""), STR("")) : bad(p, "a section needs a name");
}

static enum err_status key_line(struct parser *p, struct str line, bool indented)
{
	size_t equal = str_find_char(line, '=');
	if (indented && p->parent.n == 0) {
		/* The continuation of a text value: no key of AWS's takes one. */
		return ERR_OK;
	}
	if (equal == SIZE_MAX || equal == 0) {
		return bad(p, "expected KEY = VALUE");
	}
	if (p->section.n == 0) {
		return bad(p, "a key stands before the first [section]");
	}
	struct str key = str_trim(str_sub(line, 0, equal));
	struct str value = without_comment(str_sub(line, equal + 1, SIZE_MAX));
	if (!indented) {
		p->parent = value.n ? (struct str){ 0 } : key;
		return add(p, key, value);
	}
	struct buf full;
	buf_init(&full, 2048);
	buf_add_str(&full, p->parent);
	buf_putc(&full, '.');
	buf_add_str(&full, key);
	enum err_status st =
		buf_ok(&full) ? add(p, buf_view(&full), value) : bad(p, "key too long");
	buf_deinit(&full);
	return st;
}

static enum err_status parse_line(struct parser *p, struct str line)
{
	struct str trimmed = str_trim(line);
	bool indented = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
	if (trimmed.n == 0 || trimmed.p[0] == '#' || trimmed.p[0] == ';') {
		return ERR_OK;
	}
	if (trimmed.p[0] == '[' && !indented) {
		return section_line(p, trimmed);
	}
	return key_line(p, trimmed, indented);
}

enum err_status ini_parse(struct str text, const char *name, struct ini *out, struct err *err)
{
	struct ini f = { 0 };
	struct parser p = { .out = &f, .name = name, .err = err };
	if (text.n > INI_MAX_BYTES) {
		return err_set(
			err, ERR_LIMIT, "%s: larger than %zu bytes", name, INI_MAX_BYTES);
	}
	arena_init(&f.arena, INI_MAX_BYTES * 8);
	f.arena.wipe = true; /* the credentials file comes through here */
	if (str_starts(text, STR("\xef\xbb\xbf"))) {
		text = str_sub(text, 3, SIZE_MAX);
	}
	struct str rest = text, line;
	enum err_status st = ERR_OK;
	while (st == ERR_OK && rest.n && str_cut(&rest, '\n', &line)) {
		p.line++;
		st = parse_line(&p, line);
	}
	if (st == ERR_OK && f.arena.overflow) {
		st = err_set(err, ERR_LIMIT, "%s: too large", name);
	}
	if (st != ERR_OK) {
		ini_deinit(&f);
		return st;
	}
	*out = f;
	return ERR_OK;
}

void ini_deinit(struct ini *f)
{
	arena_deinit(&f->arena);
	free(f->items);
	*f = (struct ini){ 0 };
}

bool ini_get(const struct ini *f, const char *section, const char *key, struct str *out)
{
	for (size_t i = f->n; i > 0; i--) {
		const struct ini_item *item = &f->items[i - 1];
		if (str_is(item->section, section) && str_eq_nocase(item->key, str_from(key))) {
			*out = item->value;
			return true;
		}
	}
	return false;
}

bool ini_has_section(const struct ini *f, const char *section)
{
	for (size_t i = 0; i < f->n; i++) {
		if (str_is(f->items[i].section, section)) {
			return true;
		}
	}
	return false;
}
