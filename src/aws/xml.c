#include "aws/xml.h"

#include <string.h>

void xml_deinit(struct xml_doc *d)
{
	arena_deinit(&d->arena);
	*d = (struct xml_doc){ 0 };
}

const struct xml_node *xml_child(const struct xml_node *n, const char *name)
{
	for (const struct xml_node *c = n ? n->child : NULL; c; c = c->next) {
		/* Most names differ in their first letter, and there are many. */
		if (c->name[0] == name[0] && strcmp(c->name, name) == 0) {
			return c;
		}
	}
	return NULL;
}

const struct xml_node *xml_again(const struct xml_node *n)
{
	for (const struct xml_node *c = n->next; c; c = c->next) {
		if (strcmp(c->name, n->name) == 0) {
			return c;
		}
	}
	return NULL;
}

struct str xml_text(const struct xml_node *n, const char *name)
{
	const struct xml_node *c = xml_child(n, name);
	return c ? c->text : (struct str){ 0 };
}

const char *xml_attr(const struct xml_node *n, const char *name)
{
	for (const struct xml_attr *a = n->attrs; a; a = a->next) {
		if (strcmp(a->name, name) == 0) {
			return a->value;
		}
	}
	return NULL;
}

void xml_escape(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		switch (c) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		case '\r':
		case '\n':
		case '\t':
			buf_printf(out, "&#x%X;", c);
			break;
		default:
			buf_putc(out, (char)c);
			break;
		}
	}
}
