#include "vector_model.h"

#include <stdlib.h>
#include <string.h>

static uint16_t text(struct vector_model *v, const char *s)
{
	if (!s || !s[0]) {
		return 0;
	}
	if (v->n_texts == VECTOR_MAX) {
		BUG("too many texts");
	}
	v->offsets[v->n_texts] = (uint32_t)v->text.n;
	buf_puts(&v->text, s);
	buf_putc(&v->text, '\0');
	return (uint16_t)v->n_texts++;
}

static uint8_t time_format(const char *s)
{
	if (!s) {
		return MODEL_TIME_DEFAULT;
	}
	return strcmp(s, "iso8601") == 0  ? MODEL_TIME_ISO8601
	       : strcmp(s, "rfc822") == 0 ? MODEL_TIME_RFC822
					  : MODEL_TIME_UNIX;
}

static uint8_t extra(struct vector_model *v, const json_t *ref)
{
	struct model_extra e = { time_format(doc_text(ref, "timestampFormat")),
		text(v, doc_text(ref, "queryName")),
		text(v, doc_text(ref, "xmlNamespace.prefix")),
		text(v, doc_text(ref, "xmlNamespace.uri")) };
	if (!e.xmlns_uri) {
		e.xmlns_uri = text(v, doc_text(ref, "xmlNamespace"));
	}
	if (!e.time && !e.query_name && !e.xmlns_prefix && !e.xmlns_uri) {
		return 0;
	}
	if (v->n_extras == 32) {
		BUG("too many extras");
	}
	v->extras[v->n_extras] = e;
	return (uint8_t)v->n_extras++;
}

static uint8_t type_of(const json_t *shape)
{
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = { { "structure", MODEL_STRUCTURE }, { "list", MODEL_LIST },
		{ "map", MODEL_MAP }, { "integer", MODEL_INTEGER }, { "long", MODEL_INTEGER },
		{ "float", MODEL_FLOAT }, { "double", MODEL_FLOAT },
		{ "boolean", MODEL_BOOLEAN }, { "blob", MODEL_BLOB },
		{ "timestamp", MODEL_TIMESTAMP } };
	const char *name = doc_text(shape, "type");
	if (doc_true(shape, "document")) {
		return MODEL_DOCUMENT;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0) {
			return types[i].type;
		}
	}
	return MODEL_STRING;
}

static uint8_t location(const char *s)
{
	static const char *const names[] = { "", "header", "headers", "uri", "querystring",
		"statusCode" };
	for (uint8_t i = 1; s && i < 6; i++) {
		if (strcmp(s, names[i]) == 0) {
			return i;
		}
	}
	return 0;
}

static uint8_t flag(const json_t *ref, const char *name, unsigned bit)
{
	return doc_true(ref, name) ? (uint8_t)bit : 0;
}

static uint16_t shape(struct vector_model *v, const char *name);

static void member(struct vector_model *v, size_t at, const char *name, const json_t *ref)
{
	struct model_member m = { .name = text(v, name),
		.wire = text(v, doc_text(ref, "locationName")) };
	if (m.wire && strcmp(doc_text(ref, "locationName"), name) == 0) {
		m.wire = 0;
	}
	/* gcc sees no bound that would fit a bit field without these. */
	m.location = (uint8_t)location(doc_text(ref, "location")) & 7u;
	m.extra = (uint8_t)extra(v, ref) & 31u;
	m.flags = (uint8_t)(flag(ref, "flattened", MODEL_FLATTENED) |
			    flag(ref, "idempotencyToken", MODEL_IDEMPOTENCY) |
			    flag(ref, "xmlAttribute", MODEL_XML_ATTR) |
			    flag(ref, "jsonvalue", MODEL_JSON_VALUE));
	m.shape = shape(v, doc_text(ref, "shape"));
	v->members[at] = m;
}

/* As tools/gen_model.py does: an XML payload without a name of its own is called as its shape. */
static void name_payload(struct vector_model *v, struct model_member *m, const json_t *ref)
{
	const struct model_shape *s = &v->shapes[m->shape];
	if (!m->wire && !s->wire && s->type == MODEL_STRUCTURE) {
		m->wire = text(v, doc_text(ref, "shape"));
	}
}

static uint16_t shape(struct vector_model *v, const char *name)
{
	json_t *known = json_object_get(v->ids, name);
	if (known) {
		return (uint16_t)json_integer_value(known);
	}
	const json_t *s = json_object_get(json_object_get(v->suite, "shapes"), name);
	uint16_t index = (uint16_t)v->n_shapes++;
	(void)json_object_set_new(v->ids, name, json_integer(index));
	struct model_shape out = { .type = type_of(s),
		.wire = text(v, doc_text(s, "locationName")),
		.flags = (uint8_t)(flag(s, "flattened", MODEL_FLATTENED) |
				   flag(s, "union", MODEL_UNION)),
		.extra = extra(v, s),
		.first = (uint16_t)v->n_members };
	json_t *members = json_object_get(s, "members"), *ref;
	const char *key;
	out.n = out.type == MODEL_STRUCTURE ? (uint16_t)json_object_size(members)
		: out.type == MODEL_LIST    ? 1
		: out.type == MODEL_MAP     ? 2
					    : 0;
	v->n_members += out.n;
	if (v->n_members > VECTOR_MAX || v->n_shapes > VECTOR_MAX) {
		BUG("suite too large");
	}
	size_t i = out.first;
	if (out.type == MODEL_STRUCTURE) {
		const char *payload = doc_text(s, "payload");
		json_object_foreach(members, key, ref)
		{
			member(v, i, key, ref);
			if (payload && strcmp(payload, key) == 0) {
				out.payload = (uint16_t)(i - out.first + 1);
				name_payload(v, &v->members[i], ref);
			}
			i++;
		}
	} else if (out.type == MODEL_LIST) {
		member(v, i, "", json_object_get(s, "member"));
	} else if (out.type == MODEL_MAP) {
		member(v, i, "", json_object_get(s, "key"));
		member(v, i + 1, "", json_object_get(s, "value"));
	}
	v->shapes[index] = out;
	return index;
}

static uint8_t protocol(const char *name)
{
	static const char *const names[] = { "ec2", "query", "json", "rest-json", "rest-xml" };
	for (uint8_t i = 0; i < 5; i++) {
		if (strcmp(name, names[i]) == 0) {
			return i;
		}
	}
	BUG("protocol");
}

struct vector_model *vector_model_new(const json_t *suite, const json_t *given)
{
	struct vector_model *v = calloc(1, sizeof(*v));
	char wrapper[256];
	buf_init(&v->text, 1u << 20);
	buf_putc(&v->text, '\0');
	v->n_texts = 1;
	v->n_extras = 1;
	v->ids = json_object();
	v->suite = suite;
	const json_t *meta = json_object_get(suite, "metadata");
	const json_t *input = json_object_get(given, "input");
	const json_t *output = json_object_get(given, "output");
	v->service = (struct model_service){ .name = text(v, "suite"),
		.api_version = text(v, doc_text(meta, "apiVersion")),
		.json_version = text(v, doc_text(meta, "jsonVersion")),
		.target_prefix = text(v, doc_text(meta, "targetPrefix")),
		.n_operations = 1,
		.protocol = protocol(doc_text(meta, "protocol")) };
	(void)snprintf(wrapper, sizeof(wrapper), "%sResult", doc_text(given, "name"));
	v->op = (struct model_operation){ .name = text(v, doc_text(given, "name")),
		.method = text(v, doc_text(given, "http.method")),
		.uri = text(v, doc_text(given, "http.requestUri")),
		.iam = text(v, "suite:Op"),
		.host_prefix = text(v, doc_text(given, "endpoint.hostPrefix")),
		.flags = (uint8_t)(flag(given, "httpChecksumRequired",
					   MODEL_OP_CHECKSUM_REQUIRED) |
				   (doc_get(given, "requestcompression") ? MODEL_OP_COMPRESS
									 : 0)),
		.result_wrapper = v->service.protocol == MODEL_QUERY ? text(v, wrapper) : 0,
		.input_wire = text(v, doc_text(input, "locationName")),
		.input_xmlns = text(v, doc_text(input, "xmlNamespace.uri")) };
	v->op.input = input ? shape(v, doc_text(input, "shape")) : MODEL_NO_SHAPE;
	v->op.output = output ? shape(v, doc_text(output, "shape")) : MODEL_NO_SHAPE;
	v->m = (struct model){ .text = v->text.p,
		.offsets = v->offsets,
		.extras = v->extras,
		.members = v->members,
		.shapes = v->shapes,
		.operations = &v->op,
		.services = &v->service,
		.n_services = 1 };
	return v;
}

void vector_model_free(struct vector_model *v)
{
	buf_deinit(&v->text);
	json_decref(v->ids);
	free(v);
}

struct model_call vector_model_call(const struct vector_model *v)
{
	return (struct model_call){ &v->m, &v->service, &v->op };
}
