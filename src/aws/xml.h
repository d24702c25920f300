/*
 * XML as a small tree: expat underneath, document types refused, ceilings on depth and count.
 * Name-space prefixes of elements are dropped; attributes keep theirs ("xsi:type").
 */
#ifndef CORDON_AWS_XML_H
#define CORDON_AWS_XML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct xml_attr {
	const char *name, *value;
	struct xml_attr *next;
};
struct xml_node {
	const char *name; /* without prefix */
	uint32_t hash;    /* of the name: equal names have equal ones */
	struct str text;  /* of an element without children, without a NUL; else empty */
	struct xml_attr *attrs;
	struct xml_node *child; /* first */
	struct xml_node *next;  /* sibling */
};
struct xml_doc {
	struct arena arena; /* owns all nodes */
	void *parser;       /* expat's, which holds the bytes that the texts point into */
	struct xml_node *root;
};

#define XML_MAX_DEPTH 100
#define XML_MAX_NODES 2000000u

/* Caller's memory, freed by xml_deinit. ERR_INPUT (with line) or ERR_LIMIT. */
ERR_MUST_CHECK enum err_status xml_parse(struct str s, struct xml_doc *out, struct err *err);
void xml_deinit(struct xml_doc *d);
/* First child of that name, NULL when there is none or n is NULL. */
const struct xml_node *xml_child(const struct xml_node *n, const char *name);
/* Next sibling of the same name. */
const struct xml_node *xml_again(const struct xml_node *n);
/* Text of the first child of that name, "" when absent. */
struct str xml_text(const struct xml_node *n, const char *name);
/* Value of an attribute, NULL when absent. */
const char *xml_attr(const struct xml_node *n, const char *name);
/* Appends text escaped for element content and attribute values. */
void xml_escape(struct str s, struct buf *out);

#endif
