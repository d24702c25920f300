#include "aws/xml.h"

#include "base/wipe.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)512 * 1024 * 1024)

struct reader {
	XML_Parser parser;
	struct xml_doc *doc;
	struct xml_node *open[XML_MAX_DEPTH]; /* path from the root */
	struct xml_node *last[XML_MAX_DEPTH]; /* last child of each */
	size_t depth, nodes;
	struct buf text;
	const char *fault; /* why the parser was stopped */
	bool limit;
};

static void stop(struct reader *r, const char *why, bool limit)
{
	if (!r->fault) {
		r->fault = why;
		r->limit = limit;
	}
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
	const char *colon = strchr(name, ':');
	return colon ? colon + 1 : name;
}

static void XMLCALL on_start(void *user, const char *name, const char **attrs)
{
	struct reader *r = user;
	struct arena *a = &r->doc->arena;
	if (r->depth == XML_MAX_DEPTH || ++r->nodes > XML_MAX_NODES) {
		stop(r, "too many or too deeply nested elements", true);
		return;
	}
	struct xml_node *n = arena_alloc(a, sizeof(*n));
	if (!n) {
		stop(r, "document too large", true);
		return;
	}
	n->name = arena_cstr(a, str_from(local_name(name)));
	for (size_t i = 0; attrs[i]; i += 2) {
		struct xml_attr *attr = arena_alloc(a, sizeof(*attr));
		if (!attr) {
			stop(r, "document too large", true);
			return;
		}
		attr->name = arena_cstr(a, str_from(attrs[i]));
		attr->value = arena_cstr(a, str_from(attrs[i + 1]));
		attr->next = n->attrs;
		n->attrs = attr;
	}
	if (r->depth == 0) {
		r->doc->root = n;
	} else if (r->last[r->depth - 1]) {
		r->last[r->depth - 1]->next = n;
	} else {
		r->open[r->depth - 1]->child = n;
	}
	if (r->depth > 0) {
		r->last[r->depth - 1] = n;
	}
	r->open[r->depth] = n;
	r->last[r->depth] = NULL;
	r->depth++;
	buf_reset(&r->text);
}

static void XMLCALL on_end(void *user, const char *name)
{
	struct reader *r = user;
	(void)name;
	if (r->depth == 0) {
		return;
	}
	struct xml_node *n = r->open[--r->depth];
	if (!n->child) {
		n->text = arena_str(&r->doc->arena, buf_view(&r->text));
		if (r->doc->arena.overflow || !buf_ok(&r->text)) {
			stop(r, "document too large", true);
		}
	}
	buf_reset(&r->text);
}

static void XMLCALL on_text(void *user, const char *s, int n)
{
	struct reader *r = user;
	if (n > 0) {
		buf_add(&r->text, s, (size_t)n);
	}
}

/* No AWS answer has a document type; entity expansion begins with one. */
static void XMLCALL on_doctype(
	void *user, const char *name, const char *sysid, const char *pubid, int internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	stop(user, "a document type is not accepted", false);
}

enum err_status xml_parse(struct str s, struct xml_doc *out, struct err *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	/* STS hands out keys as XML: neither expat nor the tree leaves a copy. */
	static const XML_Memory_Handling_Suite memory = { wipe_malloc, wipe_realloc,
		wipe_free };
	XML_Parser parser = XML_ParserCreate_MM(NULL, &memory, NULL);
	if (!r || !parser) {
		free(r);
		XML_ParserFree(parser);
		return err_set(err, ERR_LIMIT, "out of memory for XML");
	}
	struct xml_doc doc = { 0 };
	enum err_status st = ERR_OK;
	arena_init(&doc.arena, ARENA_MAX);
	doc.arena.wipe = true;
	buf_init(&r->text, s.n);
	r->text.wipe = true;
	r->parser = parser;
	r->doc = &doc;
	XML_SetUserData(parser, r);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	if (s.n > INT32_MAX) {
		st = err_set(err, ERR_LIMIT, "XML of %zu bytes is too large", s.n);
	} else if (XML_Parse(parser, s.p ? s.p : "", (int)s.n, 1) != XML_STATUS_OK) {
		const char *why =
			r->fault ? r->fault : XML_ErrorString(XML_GetErrorCode(parser));
		st = err_set(err, r->limit ? ERR_LIMIT : ERR_INPUT,
			"malformed XML, line %lu: %s", XML_GetCurrentLineNumber(parser), why);
	}
	XML_ParserFree(parser);
	buf_deinit(&r->text);
	free(r);
	if (st != ERR_OK) {
		arena_deinit(&doc.arena);
		return st;
	}
	*out = doc;
	return ERR_OK;
}

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
