#include "aws/proto.h"

enum err_status proto_build(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err)
{
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
