/*
 * The five wire protocols behind two functions. Parameters must have passed validate_params.
 */
#ifndef CORDON_AWS_PROTO_H
#define CORDON_AWS_PROTO_H

#include "aws/model.h"
#include "aws/wire.h"
#include "aws/xml.h"

/*
 * Fills method, path, query, headers and body; the host is left to the caller. `params` may be
 * NULL. ERR_USAGE when a URI label is empty, ERR_LIMIT when a ceiling is passed.
 */
ERR_MUST_CHECK enum err_status proto_build(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err);
/* The document of a successful answer; a new reference. ERR_INPUT when the body is malformed. */
ERR_MUST_CHECK enum err_status proto_parse(const struct model_call *c,
	const struct wire_response *r, json_t **result, struct err *err);

/* ---- parts that the protocols share; not for use outside proto_*.c ---- */

enum err_status proto_query_build(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err);
enum err_status proto_query_parse(const struct model_call *c, const struct wire_response *r,
	json_t **result, struct err *err);
enum err_status proto_json_build(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err);
enum err_status proto_json_parse(const struct model_call *c, const struct wire_response *r,
	json_t **result, struct err *err);
enum err_status proto_rest_build(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err);
enum err_status proto_rest_parse(const struct model_call *c, const struct wire_response *r,
	json_t **result, struct err *err);

/* JSON body text of a value under its wire names; members that live elsewhere are left out. */
void proto_json_write(
	const struct model *m, const struct model_shape *s, const json_t *v, struct buf *out);
/* The inverse: members of `s` found in a parsed body, which is used up for it; new reference. */
json_t *proto_json_read(const struct model *m, const struct model_shape *s, json_t *body);

/* Name and name space (with its prefix, if any) of the element that holds a value. */
struct proto_element {
	const char *name, *xmlns, *prefix;
};
/* Name space of a member's element: the member's own, else its shape's. */
struct proto_element proto_xml_element(
	const struct model *m, const char *name, const struct model_member *mem);
/* XML element of a structure; members that live elsewhere are left out. */
void proto_xml_write(const struct model *m, const struct model_shape *s, const json_t *v,
	struct proto_element element, struct buf *out);
/* Members of the structure `s` found under `node`; new reference, {} when node is NULL. */
json_t *proto_xml_read(
	const struct model *m, const struct model_shape *s, const struct xml_node *node);

#endif
