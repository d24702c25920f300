/* Placeholders: `field|expand: '%name%\suffix'`. */
#include "analysis/sigma.h"

#include <string.h>

#define VALUES_MAX 4096
#define VALUE_MAX  ((size_t)64 * 1024)

/* Appends every way to end a text: the values of a placeholder, or the literal itself. */
static json_t *each_with(const json_t *so_far, const json_t *values)
{
	json_t *out = json_array();
	size_t n = json_is_array(values) ? json_array_size(values) : 1;
	for (size_t i = 0; i < json_array_size(so_far); i++) {
		const char *head = json_string_value(json_array_get(so_far, i));
		for (size_t k = 0; k < n && json_array_size(out) <= VALUES_MAX; k++) {
			const json_t *v =
				json_is_array(values) ? json_array_get(values, k) : values;
			struct buf b;
			buf_init(&b, VALUE_MAX);
			buf_add_str(&b, str_from(head));
			if (json_is_integer(v)) {
				buf_printf(&b, "%lld", (long long)json_integer_value(v));
			} else {
				buf_add_str(&b, str_from(json_string_value(v)));
			}
			json_array_append_new(out, doc_str(buf_view(&b)));
			buf_deinit(&b);
		}
	}
	return out;
}

/* Length of the placeholder's name when text begins "%name%"; 0 when it does not. */
static size_t name_at(struct str text)
{
	size_t n = 1;
	while (n < text.n && n < 128 && text.p[n] != '%' && text.p[n] != ' ' &&
		text.p[n] != '\\') {
		n++;
	}
	return text.n > 2 && text.p[0] == '%' && n > 1 && n < text.n && text.p[n] == '%' ? n - 1
											 : 0;
}

static void take_literal(json_t **so_far, struct buf *literal)
{
	if (literal->n) {
		json_t *text = doc_str(buf_view(literal));
		json_t *more = each_with(*so_far, text);
		json_decref(text);
		json_decref(*so_far);
		*so_far = more;
		literal->n = 0;
	}
}

json_t *sigma_expand(struct sigma_compiler *c, struct str text)
{
	json_t *out = json_pack("[s]", "");
	struct buf literal;
	buf_init(&literal, VALUE_MAX);
	for (size_t i = 0; i < text.n && out;) {
		struct str rest = str_sub(text, i, SIZE_MAX);
		size_t name = name_at(rest);
		if (str_starts(rest, STR("\\%"))) {
			buf_putc(&literal, '%');
			i += 2;
			continue;
		}
		if (name == 0) {
			buf_putc(&literal, text.p[i++]);
			continue;
		}
		const json_t *values = json_object_getn(c->set->placeholders, rest.p + 1, name);
		take_literal(&out, &literal);
		json_t *more = values ? each_with(out, values) : NULL;
		if (!values) {
			(void)sigma_refuse(c,
				"the placeholder %%%.*s%% has no values; give "
				"them with --placeholders FILE",
				(int)name, rest.p + 1);
		}
		json_decref(out);
		out = more;
		i += name + 2;
	}
	if (out) {
		take_literal(&out, &literal);
	}
	if (out && (json_array_size(out) > VALUES_MAX || !buf_ok(&literal))) {
		(void)sigma_refuse(c, "placeholders become more than %d values", VALUES_MAX);
		json_decref(out);
		out = NULL;
	}
	buf_deinit(&literal);
	return out;
}
