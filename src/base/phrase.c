#include "base/phrase.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)16 * 1024)

static void fill(
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

void phrase_set(
	json_t *doc, const char *key, const char *template_text, const char *const *args)
{
	json_t *list = json_array();
	for (size_t i = 0; args && args[i] && i < PHRASE_ARGS_MAX; i++) {
		json_array_append_new(list, doc_str(str_from(args[i])));
	}
	struct buf text;
	buf_init(&text, TEXT_MAX);
	fill(I18N_EN, template_text, list, &text);
	json_object_set_new(doc, key, doc_str(buf_view(&text)));
	json_object_set_new(doc, "template", json_string(template_text));
	json_object_set_new(doc, "args", list);
	buf_deinit(&text);
}

json_t *phrase_new(const char *template_text, const char *const *args)
{
	json_t *out = json_object();
	phrase_set(out, "text", template_text, args);
	return out;
}

const char *phrase_number(size_t n, char out[24])
{
	(void)snprintf(out, 24, "%zu", n);
	return out;
}

void phrase_say(enum i18n_lang lang, const json_t *phrase, struct buf *out)
{
	const char *template_text = doc_text(phrase, "template");
	if (template_text) {
		fill(lang, template_text, doc_get(phrase, "args"), out);
		return;
	}
	const char *text = doc_text_or(phrase, "text", doc_text_or(phrase, "reason", ""));
	if (*text) {
		buf_puts(out, i18n_tr(lang, text));
	}
}
