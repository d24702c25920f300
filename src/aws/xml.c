#include "aws/xml.h"

#include "base/env.h"
#include "base/wipe.h"

#include <expat.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)512 * 1024 * 1024)
#define NAMES     256u /* a power of two */

struct reader {
	XML_Parser parser;
	struct xml_doc *doc;
	struct str in;                        /* expat's buffer */
	struct xml_node *open[XML_MAX_DEPTH]; /* path from the root */
	struct xml_node *last[XML_MAX_DEPTH]; /* last child of each */
	size_t depth, nodes;
	/* Names repeat: the latest element of each slot lends its own to the next. */
	const struct xml_node *names[NAMES];
	struct str run;    /* text so far, where it stands in `in` in one piece ... */
	struct buf text;   /* ... and where it does not */
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

/* Without its prefix, as it was copied already or anew. */
static void set_name(struct reader *r, struct xml_node *n, const char *name)
{
	const char *local = name, *p = name;
	uint32_t hash = 0;
	for (; *p; p++) {
		if (*p == ':' && local == name) {
			local = p + 1;
			hash = 0;
		} else {
			hash = hash * 31 + (unsigned char)*p;
		}
	}
	n->hash = hash ^ hash >> 15;
	const struct xml_node **slot = &r->names[n->hash % NAMES];
	bool same = *slot && (*slot)->hash == n->hash && strcmp((*slot)->name, local) == 0;
	n->name = same ? (*slot)->name
		       : arena_cstr(&r->doc->arena, (struct str){ local, (size_t)(p - local) });
	*slot = n;
}

static void forget_text(struct reader *r)
{
	r->run.n = 0;
	if (r->text.n) {
		buf_reset(&r->text);
	}
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
	set_name(r, n, name);
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
	forget_text(r);
}

static void XMLCALL on_end(void *user, const char *name)
{
	struct reader *r = user;
	(void)name;
	if (r->depth == 0) {
		return;
	}
	struct xml_node *n = r->open[--r->depth];
	if (n->child) {
		n->text = STR("");
	} else if (r->run.n) {
		n->text = r->run;
	} else {
		n->text = r->text.n ? arena_str(&r->doc->arena, buf_view(&r->text)) : STR("");
		if (r->doc->arena.overflow || !buf_ok(&r->text)) {
			stop(r, "document too large", true);
		}
	}
	forget_text(r);
}

/* Expat shows most text where it read it; what it had to make is elsewhere, and is copied. */
static void XMLCALL on_text(void *user, const char *s, int n)
{
	struct reader *r = user;
	struct str piece = { s, n > 0 ? (size_t)n : 0 };
	/* Below `in.p` the difference wraps around, far above any size. */
	bool here = (uintptr_t)s - (uintptr_t)r->in.p < r->in.n;
	if (here && !r->run.n && !r->text.n) {
		r->run = piece;
	} else if (here && r->run.n && r->run.p + r->run.n == s) {
		r->run.n += piece.n;
	} else {
		buf_add_str(&r->text, r->run);
		r->run.n = 0;
		buf_add_str(&r->text, piece);
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

/* In expat's own buffer, which lives as long as the parser. */
static enum err_status parse(struct reader *r, struct str s, struct err *err)
{
	if (s.n > INT32_MAX) {
		return err_set(err, ERR_LIMIT, "XML of %zu bytes is too large", s.n);
	}
	void *in = XML_GetBuffer(r->parser, s.n ? (int)s.n : 1);
	if (!in) {
		return err_set(err, ERR_LIMIT, "out of memory for XML");
	}
	if (s.n) {
		memcpy(in, s.p, s.n);
	}
	r->in = (struct str){ in, s.n };
	if (XML_ParseBuffer(r->parser, (int)s.n, 1) != XML_STATUS_OK) {
		const char *why =
			r->fault ? r->fault : XML_ErrorString(XML_GetErrorCode(r->parser));
		return err_set(err, r->limit ? ERR_LIMIT : ERR_INPUT,
			"malformed XML, line %lu: %s", XML_GetCurrentLineNumber(r->parser),
			why);
	}
	return ERR_OK;
}

/* Expat would ask the system for one at every document. */
static unsigned long salt;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void draw_salt(void)
{
	env_random(env_system(), &salt, sizeof(salt));
	salt = salt ? salt : 1; /* 0 means that there is none */
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
	struct xml_doc doc = { .parser = parser };
	arena_init(&doc.arena, ARENA_MAX);
	doc.arena.wipe = true;
	buf_init(&r->text, s.n);
	r->text.wipe = true;
	r->parser = parser;
	r->doc = &doc;
	(void)pthread_once(&once, draw_salt);
	(void)XML_SetHashSalt(parser, salt);
	XML_SetUserData(parser, r);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	enum err_status st = parse(r, s, err);
	buf_deinit(&r->text);
	free(r);
	if (st != ERR_OK) {
		xml_deinit(&doc);
		return st;
	}
	*out = doc;
	return ERR_OK;
}

void xml_deinit(struct xml_doc *d)
{
	XML_ParserFree(d->parser);
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
