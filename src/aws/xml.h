/*
 * XML 1.0 as a small tree: UTF-8 or ISO-8859-1, document types refused, ceilings on depth and count.
 * Name-space prefixes of elements are dropped; attributes keep theirs ("xsi:type"). What is refused and
 * what comes of the rest is held to expat's verdict by tests/fuzz/aws/fuzz_aws_xml.c.
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
	struct xml_node *root;
};

#define XML_MAX_DEPTH 100
#define XML_MAX_NODES 2000000u

/*
 * Caller's memory, freed by xml_deinit. ERR_INPUT (with line) or ERR_LIMIT. Most texts point into `s`,
 * which must stay as long as the document does.
 */
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
