#include "analysis/phrase.h"

#include <string.h>

#define TEXT_MAX (16u * 1024)

void phrase_fill(const char *template_text, const json_t *args, struct buf *out)
{
	for (const char *p = template_text; *p; p++) {
		bool hole = p[0] == '{' && p[1] >= '0' && p[1] <= '9' && p[2] == '}';
		if (!hole) {
			buf_putc(out, *p);
			continue;
		}
		const json_t *arg = json_array_get(args, (size_t)(p[1] - '0'));
		buf_puts(out, json_is_string(arg) ? json_string_value(arg) : "");
		p += 2;
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
	phrase_fill(template_text, list, &text);
	json_t *out = json_object();
	json_object_set_new(out, "text", doc_str(buf_view(&text)));
	json_object_set_new(out, "template", json_string(template_text));
	json_object_set_new(out, "args", list);
	buf_deinit(&text);
	return out;
}
