#include "base/i18n.h"

#include "base/i18n_table.h"

#include <stdio.h>
#include <string.h>

const char *i18n_tr(enum i18n_lang lang, const char *text)
{
	if (lang != I18N_ES || !text) {
		return text;
	}
	size_t low = 0, high = i18n_table_es_count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(text, i18n_table_es[mid].english);
		if (c == 0) {
			return i18n_table_es[mid].other;
		}
		if (c < 0) {
			high = mid;
		} else {
			low = mid + 1;
		}
	}
	return text;
}

/* ---- sentences that were formatted ---- */

#define ARGS_MAX 8
/* Letters that a text must have beside its conversions, to be told by them. */
#define LITERAL_MIN 6
#define MARK        '\x01' /* in front of a conversion, where "%%" has become "%" */
#define FORMAT_MAX  1024

/* A format whose conversions begin with MARK; nothing when it is too long, or has none. */
static struct str marked(const char *format, char room[FORMAT_MAX])
{
	size_t n = 0;
	bool any = false;
	for (; *format && n < FORMAT_MAX; format++) {
		bool plain = *format != '%' || format[1] == '%';
		room[n++] = (char)(plain ? *format : MARK);
		any |= !plain;
		format += *format == '%' && plain;
	}
	return (struct str){ room, any && n < FORMAT_MAX ? n : 0 };
}

/* The next conversion of a format and what stands before it; false when only text is left. */
static bool next_conversion(struct str *rest, struct str *before, char *kind)
{
	for (size_t i = 0; i + 1 < rest->n; i++) {
		if (rest->p[i] != MARK) {
			continue;
		}
		size_t n = i + 1;
		while (n < rest->n && strchr("-+ #0123456789.*hlzjt", rest->p[n])) {
			n++;
		}
		*before = str_sub(*rest, 0, i);
		*kind = (char)(n < rest->n ? rest->p[n] : 's');
		*rest = str_sub(*rest, n + 1, SIZE_MAX);
		return true;
	}
	return false;
}

static bool fits(char kind, struct str arg)
{
	for (size_t i = 0; kind != 's' && i < arg.n; i++) {
		if (!strchr("0123456789-+.", arg.p[i])) {
			return false;
		}
	}
	return kind == 's' || arg.n > 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t letters(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		n += is_letter(s.p[i]);
	}
	return n;
}

/* What the format's conversions became in the text; how many letters of it are the format's own. */
static size_t match(struct str format, struct str text, struct str *args, size_t *n_args)
{
	struct str before;
	char kind = 0;
	size_t own = 0;
	char last = 0;
	for (*n_args = 0; next_conversion(&format, &before, &kind); last = kind) {
		size_t at = *n_args ? str_find(text, before) : 0;
		bool found = *n_args < ARGS_MAX && at != SIZE_MAX &&
			     str_starts(str_sub(text, at, SIZE_MAX), before);
		if (!found || (*n_args && !fits(last, str_sub(text, 0, at)))) {
			return 0;
		}
		if (*n_args) {
			args[*n_args - 1] = str_sub(text, 0, at);
		}
		text = str_sub(text, at + before.n, SIZE_MAX);
		own += letters(before);
		(*n_args)++;
	}
	if (*n_args == 0 || !str_ends(text, format)) {
		return 0;
	}
	args[*n_args - 1] = str_sub(text, 0, text.n - format.n);
	return fits(last, args[*n_args - 1]) ? own + letters(format) : 0;
}

static void put_together(struct str format, const struct str *args, char *out, size_t size)
{
	struct str before;
	char kind = 0;
	size_t n = 0;
	for (size_t i = 0; next_conversion(&format, &before, &kind) && n < size; i++) {
		n += (size_t)snprintf(
			out + n, size - n, "%.*s%.*s", STR_ARG(before), STR_ARG(args[i]));
	}
	if (n < size) {
		(void)snprintf(out + n, size - n, "%.*s", STR_ARG(format));
	}
}

const char *i18n_told(enum i18n_lang lang, const char *text, char *out, size_t size)
{
	char room[FORMAT_MAX];
	struct str args[ARGS_MAX];
	struct str best_args[ARGS_MAX];
	const struct i18n_entry *best = NULL;
	size_t n_best = 0;
	size_t most = LITERAL_MIN - 1;
	size_t n = 0;
	const char *same = i18n_tr(lang, text);
	if (lang != I18N_ES || same != text) {
		return same;
	}
	for (size_t i = 0; i < i18n_table_es_count; i++) {
		const struct i18n_entry *e = &i18n_table_es[i];
		size_t own = match(marked(e->english, room), str_from(text), args, &n);
		if (own > most || (own == most && best && n > n_best)) {
			most = own;
			best = e;
			n_best = n;
			memcpy(best_args, args, sizeof(args));
		}
	}
	if (!best) {
		return text;
	}
	if (str_ends(str_from(best->english), STR(": %s")) && best_args[n_best - 1].n) {
		best_args[n_best - 1] = str_from(i18n_tr(lang, best_args[n_best - 1].p));
	}
	put_together(marked(best->other, room), best_args, out, size);
	return out;
}

const char *i18n_trn(enum i18n_lang lang, const char *one, const char *many, long n)
{
	return i18n_tr(lang, n == 1 ? one : many);
}

bool i18n_from(const char *name, enum i18n_lang *out)
{
	struct str s = str_from(name);
	struct str head = str_sub(s, 0, 2);
	if (s.n > 2 && s.p[2] != '_' && s.p[2] != '-' && s.p[2] != '.') {
		return str_is(s, "POSIX") ? (*out = I18N_EN, true) : false;
	}
	if (str_eq_nocase(head, STR("es"))) {
		*out = I18N_ES;
		return true;
	}
	if (str_eq_nocase(head, STR("en")) || str_is(s, "C") || str_starts(s, STR("C."))) {
		*out = I18N_EN;
		return true;
	}
	return false;
}

enum i18n_lang i18n_choose(struct env *env, const char *flag)
{
	static const char *const vars[] = { "CORDON_LANG", "LC_ALL", "LC_MESSAGES", "LANG" };
	enum i18n_lang lang = I18N_EN;
	if (flag && i18n_from(flag, &lang)) {
		return lang;
	}
	for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
		const char *v = env_var(env, vars[i]);
		if (v) {
			return i18n_from(v, &lang) ? lang : I18N_EN;
		}
	}
	return I18N_EN;
}

const char *i18n_code(enum i18n_lang lang)
{
	return lang == I18N_ES ? "es" : "en";
}
