#include "base/i18n.h"

#include "base/i18n_table.h"

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
