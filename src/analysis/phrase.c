#include "analysis/phrase.h"

#include <string.h>

#define TEXT_MAX (16u * 1024)

void phrase_fill(
	enum i18n_lang lang, const char *template_text, const json_t *args, struct buf *out)
{
	for (const char *p = i18n_tr(lang, template_text); *p; p++) {
		bool digit = p[0] == '{' && p[1] >= '0' && p[1] <= '9';
		bool ours = digit && p[2] == '!' && p[3] == '}';
		if (!digit || (!ours && p[2] != '}')) {
			buf_putc(out, *p);
			continue;
		}
		const char *arg = json_string_value(json_array_get(args, (size_t)(p[1] - '0')));
		if (arg) {
			buf_puts(out, ours ? i18n_tr(lang, arg) : arg);
		}
		p += ours ? 3 : 2;
	}
}

json_t *phrase_new(const char *template_text, const char *const *args)
{
	json_t *list = json_array();
	for (size_t i = 0; args && args[i] && i < PHRASE_ARGS_MAX; i++) {
		json_array_append_new(list, doc_str(str_from(args[i])));
	}
	struct buf text;
	buf_init(&text, TEXT_MAX);
	phrase_fill(I18N_EN, template_text, list, &text);
	json_t *out = json_object();
	json_object_set_new(out, "text", doc_str(buf_view(&text)));
	json_object_set_new(out, "template", json_string(template_text));
	json_object_set_new(out, "args", list);
	buf_deinit(&text);
	return out;
}
