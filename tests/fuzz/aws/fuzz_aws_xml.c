/* Our reader of XML beside expat: the same texts are documents, with the same elements in them. */
#include "aws/xml.h"

#include <expat.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const struct xml_node *n)
{
	size_t sum = 1;
	for (const struct xml_node *c = n->child; c; c = c->next) {
		sum += count(c);
	}
	return sum;
}

/* An element as text: "(name @key=value text(child))"; text beside children is left out. */
static void write_attr(struct buf *out, const char *name, const char *value)
{
	buf_puts(out, "@");
	buf_puts(out, name);
	buf_puts(out, "=");
	buf_puts(out, value);
	buf_puts(out, " ");
}

static void write_attrs(struct buf *out, const struct xml_attr *a)
{
	if (a) { /* the last comes first */
		write_attrs(out, a->next);
		write_attr(out, a->name, a->value);
	}
}

static void write_mine(struct buf *out, const struct xml_node *n)
{
	buf_puts(out, "(");
	buf_puts(out, n->name);
	buf_puts(out, " ");
	write_attrs(out, n->attrs);
	buf_add_str(out, n->text);
	for (const struct xml_node *c = n->child; c; c = c->next) {
		write_mine(out, c);
	}
	buf_puts(out, ")");
}

struct theirs {
	XML_Parser parser;
	struct buf out, text;
	bool parent; /* the latest tag was an end */
	size_t depth;
	bool beyond; /* what only we refuse: types, depth */
};

static void XMLCALL on_start(void *user, const char *name, const char **attrs)
{
	struct theirs *t = user;
	const char *colon = strchr(name, ':');
	buf_puts(&t->out, "(");
	buf_puts(&t->out, colon ? colon + 1 : name);
	buf_puts(&t->out, " ");
	size_t n = 0;
	for (; attrs[n]; n += 2) {
		write_attr(&t->out, attrs[n], attrs[n + 1]);
	}
	buf_reset(&t->text);
	t->parent = false;
	t->beyond = t->beyond || ++t->depth > XML_MAX_DEPTH;
}

static void XMLCALL on_end(void *user, const char *name)
{
	struct theirs *t = user;
	(void)name;
	if (!t->parent) {
		buf_add_str(&t->out, buf_view(&t->text));
	}
	buf_puts(&t->out, ")");
	buf_reset(&t->text);
	t->parent = true;
	t->depth--;
}

static void XMLCALL on_text(void *user, const char *s, int n)
{
	struct theirs *t = user;
	buf_add(&t->text, s, (size_t)n);
}

static void XMLCALL on_doctype(
	void *user, const char *name, const char *sysid, const char *pubid, int internal)
{
	struct theirs *t = user;
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	t->beyond = true;
	(void)XML_StopParser(t->parser, XML_FALSE);
}

static bool read_theirs(const uint8_t *data, size_t size, struct theirs *t)
{
	XML_SetUserData(t->parser, t);
	XML_SetElementHandler(t->parser, on_start, on_end);
	XML_SetCharacterDataHandler(t->parser, on_text);
	XML_SetStartDoctypeDeclHandler(t->parser, on_doctype);
	return XML_Parse(t->parser, (const char *)data, (int)size, 1) == XML_STATUS_OK &&
	       !t->beyond;
}

/*
 * Beyond ASCII we take more for letters, and of encodings fewer are read: there it is enough that what
 * expat reads as UTF-8 or Latin-1 is read alike.
 */
static void compare(const uint8_t *data, size_t size, const struct xml_node *root)
{
	struct theirs t = { .parser = XML_ParserCreate(NULL) };
	struct buf mine;
	bool ascii = true;
	for (size_t i = 0; i < size; i++) {
		ascii = ascii && data[i] < 0x80;
	}
	buf_init(&t.out, SIZE_MAX / 4);
	buf_init(&t.text, SIZE_MAX / 4);
	buf_init(&mine, SIZE_MAX / 4);
	bool theirs = read_theirs(data, size, &t);
	if (root) {
		write_mine(&mine, root);
	}
	bool same = root && str_eq(buf_view(&mine), buf_view(&t.out));
	if (theirs ? !same : root && ascii && !t.beyond) {
		__builtin_trap();
	}
	buf_deinit(&t.out);
	buf_deinit(&t.text);
	buf_deinit(&mine);
	XML_ParserFree(t.parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xml_doc doc = { 0 };
	struct str s = { (const char *)data, size };
	enum err_status st = xml_parse(s, &doc, NULL);
	/* A document without a root, or more elements than bytes, would be a fault. */
	if (st == ERR_OK && (!doc.root || count(doc.root) > size)) {
		__builtin_trap();
	}
	bool utf16 = size && (memchr(data, '\0', size) || data[0] >= 0xfe);
	if (!utf16 && st != ERR_LIMIT) {
		compare(data, size, st == ERR_OK ? doc.root : NULL);
	}
	xml_deinit(&doc);
	return 0;
}
