#include "aws/proto.h"

#include "aws/uri.h"

/* "{AccountId}." with the member's value, which must be able to stand in a host name. */
static enum err_status host_prefix(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err)
{
	struct str text = str_from(model_text(c->m, c->op->host_prefix)), name;
	while (text.n) {
		size_t open = str_find_char(text, '{');
		buf_add_str(&r->host_prefix, str_sub(text, 0, open));
		if (open == SIZE_MAX) {
			break;
		}
		text = str_sub(text, open + 1, SIZE_MAX);
		(void)str_cut(&text, '}', &name);
		const struct model_member *mem = model_member(c->m, model_input(c), name);
		const char *value =
			mem ? json_string_value(json_object_get(params, model_name(c->m, mem)))
			    : NULL;
		if (!value || !uri_host_label(str_from(value))) {
			return err_set(err, ERR_USAGE,
				"%s %s: %.*s becomes part of the host name: letters, digits "
				"and hyphens, at most 63",
				model_text(c->m, c->service->name),
				model_text(c->m, c->op->name), STR_ARG(name));
		}
		buf_puts(&r->host_prefix, value);
	}
	return ERR_OK;
}

enum err_status proto_build(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err)
{
	enum err_status st = host_prefix(c, params, r, err);
	if (st != ERR_OK) {
		return st;
	}
	switch ((enum model_protocol)c->service->protocol) {
	case MODEL_EC2:
	case MODEL_QUERY:
		return proto_query_build(c, params, r, err);
	case MODEL_JSON:
		return proto_json_build(c, params, r, err);
	case MODEL_REST_JSON:
	case MODEL_REST_XML:
		return proto_rest_build(c, params, r, err);
	}
	BUG("protocol");
}

enum err_status proto_parse(const struct model_call *c, const struct wire_response *r,
	json_t **result, struct err *err)
{
	switch ((enum model_protocol)c->service->protocol) {
	case MODEL_EC2:
	case MODEL_QUERY:
		return proto_query_parse(c, r, result, err);
	case MODEL_JSON:
		return proto_json_parse(c, r, result, err);
	case MODEL_REST_JSON:
	case MODEL_REST_XML:
		return proto_rest_parse(c, r, result, err);
	}
	BUG("protocol");
}
