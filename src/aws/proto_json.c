/*
 * JSON 1.0 and 1.1, and the JSON bodies of rest-json.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
#include "aws/proto.h"
#include "aws/value.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 80

/* ---- writing: API names to wire names ---- */

static json_t *to_wire(const struct model *m, const struct model_member *mem, const json_t *v);

/* NOLINTBEGIN(misc-no-recursion): validate.c bounds the depth */
static json_t *structure_to_wire(
	const struct model *m, const struct model_shape *s, const json_t *v)
{
	json_t *out = json_object();
	for (size_t i = 0; i < s->n; i++) {
		const struct model_member *mem = model_at(m, s, i);
		const json_t *item = json_object_get(v, model_name(m, mem));
		if (item && !json_is_null(item) && mem->location == MODEL_BODY) {
			(void)json_object_set_new(
				out, model_wire(m, mem), to_wire(m, mem, item));
		}
	}
	return out;
}

static json_t *time_to_wire(
	const struct model *m, const struct model_member *mem, const json_t *v)
{
	int64_t ms = 0;
	(void)value_time(v, &ms);
	enum model_time format = model_time_of(m, mem, MODEL_TIME_UNIX);
	if (format != MODEL_TIME_UNIX) {
		struct buf b;
		buf_init(&b, 64);
		value_time_text(ms, format, &b);
		json_t *text = doc_str(buf_view(&b));
		buf_deinit(&b);
		return text;
	}
	return ms % 1000 ? json_real((double)ms / 1000) : json_integer(ms / 1000);
}

static json_t *to_wire(const struct model *m, const struct model_member *mem, const json_t *v)
{
	const struct model_shape *s = model_shape_of(m, mem);
	json_t *out, *item;
	size_t i;
	const char *key;
	if ((mem->flags & MODEL_JSON_VALUE) && !json_is_string(v)) { /* text within the text */
		char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		out = json_string(text);
		free(text);
		return out;
	}
	switch (s->type) {
	case MODEL_STRUCTURE:
		return structure_to_wire(m, s, v);
	case MODEL_LIST:
		out = json_array();
		json_array_foreach((json_t *)(uintptr_t)v, i, item)
		{
			(void)json_array_append_new(out, to_wire(m, model_at(m, s, 0), item));
		}
		return out;
	case MODEL_MAP:
		out = json_object();
		json_object_foreach((json_t *)(uintptr_t)v, key, item)
		{
			(void)json_object_set_new(
				out, key, to_wire(m, model_at(m, s, 1), item));
		}
		return out;
	case MODEL_TIMESTAMP:
		return time_to_wire(m, mem, v);
	default:
		return json_incref((json_t *)(uintptr_t)v);
	}
}
/* NOLINTEND(misc-no-recursion) */

static int append(const char *p, size_t n, void *ctx)
{
	struct buf *b = ctx;
	buf_add(b, p, n);
	return buf_ok(b) ? 0 : -1;
}

void proto_json_write(
	const struct model *m, const struct model_shape *s, const json_t *v, struct buf *out)
{
	json_t *doc = structure_to_wire(m, s, v);
	(void)json_dump_callback(doc, append, out, JSON_COMPACT);
	json_decref(doc);
}

/* ---- reading: wire names to API names ---- */

/* A new reference; `v` is changed, and given back itself where it is the same on the wire. */
static json_t *from_wire(
	const struct model *m, const struct model_member *mem, json_t *v, int depth);

/* The member that stands in a body under this name. */
static const struct model_member *member_of(
	const struct model *m, const struct model_shape *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct model_member *mem = model_at(m, s, i);
		const char *name = model_wire(m, mem);
		/* Most names differ in their first letter, and there are many. */
		if (name[0] == key[0] && strcmp(name, key) == 0 && model_read_from_body(mem)) {
			return mem;
		}
	}
	return NULL;
}

static bool has_other_names(const struct model *m, const struct model_shape *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (model_at(m, s, i)->wire) {
			return true;
		}
	}
	return false;
}

/* What was read of an item into its place, where it mostly is already. */
static void put_back(json_t *object, const char *key, const json_t *item, json_t *read)
{
	if (read == item) {
		json_decref(read);
	} else {
		(void)json_object_set_new_nocheck(object, key, read);
	}
}

/* NOLINTBEGIN(misc-no-recursion): bounded by `depth` */
/*
 * In place, unless members have other names on the wire. What the model does not know is passed on as
 * it came: AWS adds members all the time.
 */
static json_t *structure_from_wire(
	const struct model *m, const struct model_shape *s, json_t *v, int depth)
{
	if (!json_is_object(v) || depth <= 0) {
		return json_object();
	}
	bool renamed = has_other_names(m, s);
	json_t *out = renamed ? json_object() : json_incref(v);
	for (void *at = json_object_iter(v), *next; at; at = next) {
		const char *key = json_object_iter_key(at);
		json_t *item = json_object_iter_value(at);
		next = json_object_iter_next(v, at);
		const struct model_member *mem = member_of(m, s, key);
		bool own = !mem && strcmp(key, "__type") == 0; /* the protocol's */
		if (json_is_null(item) || own) {
			if (!renamed) {
				(void)json_object_del(out, key);
			}
		} else if (mem && renamed) {
			(void)json_object_set_new_nocheck(
				out, model_name(m, mem), from_wire(m, mem, item, depth));
		} else if (mem) {
			put_back(out, key, item, from_wire(m, mem, item, depth));
		} else if (renamed && !json_object_get(out, key)) {
			(void)json_object_set_nocheck(out, key, item);
		}
	}
	return out;
}

static json_t *list_from_wire(
	const struct model *m, const struct model_member *element, json_t *v, int depth)
{
	size_t i;
	json_t *item;
	if (!json_is_array(v)) {
		return json_array();
	}
	json_array_foreach(v, i, item)
	{
		if (!json_is_null(item)) {
			(void)json_array_set_new(v, i, from_wire(m, element, item, depth));
		}
	}
	return json_incref(v);
}

static json_t *map_from_wire(
	const struct model *m, const struct model_member *value, json_t *v, int depth)
{
	const char *key;
	json_t *item;
	void *next;
	if (!json_is_object(v)) {
		return json_object();
	}
	json_object_foreach_safe(v, next, key, item)
	{
		if (json_is_null(item)) {
			(void)json_object_del(v, key);
		} else {
			put_back(v, key, item, from_wire(m, value, item, depth));
		}
	}
	return json_incref(v);
}

static json_t *from_wire(
	const struct model *m, const struct model_member *mem, json_t *v, int depth)
{
	const struct model_shape *s = model_shape_of(m, mem);
	switch (s->type) {
	case MODEL_STRUCTURE:
		return structure_from_wire(m, s, v, depth - 1);
	case MODEL_LIST:
		return list_from_wire(m, model_at(m, s, 0), v, depth);
	case MODEL_MAP:
		return map_from_wire(m, model_at(m, s, 1), v, depth);
	case MODEL_TIMESTAMP:
		if (json_is_number(v)) {
			return value_time_from_seconds(json_number_value(v));
		}
		return value_parse_time(str_from(json_string_value(v)));
	case MODEL_FLOAT:
		return json_is_integer(v) ? json_real(json_number_value(v)) : json_incref(v);
	default:
		return json_incref(v);
	}
}
/* NOLINTEND(misc-no-recursion) */

json_t *proto_json_read(const struct model *m, const struct model_shape *s, json_t *body)
{
	return s ? structure_from_wire(m, s, body, MAX_DEPTH) : json_object();
}

/* ---- the json protocol itself ---- */

enum err_status proto_json_build(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err)
{
	char text[192];
	const struct model_shape *input = model_input(c);
	r->method = "POST";
	buf_putc(&r->path, '/');
	(void)snprintf(text, sizeof(text), "application/x-amz-json-%s",
		model_text(c->m, c->service->json_version));
	wire_set(&r->headers, "Content-Type", str_from(text));
	(void)snprintf(text, sizeof(text), "%s.%s", model_text(c->m, c->service->target_prefix),
		model_text(c->m, c->op->name));
	wire_set(&r->headers, "X-Amz-Target", str_from(text));
	if (c->service->query_errors) {
		/* Asks for the error codes of the service's old query protocol. */
		wire_set(&r->headers, "x-amzn-query-mode", STR("true"));
	}
	if (input) {
		proto_json_write(c->m, input, params, &r->body);
	} else {
		buf_puts(&r->body, "{}");
	}
	return buf_ok(&r->body)
		       ? ERR_OK
		       : err_set(err, ERR_LIMIT, "the parameters are too large to send");
}

enum err_status proto_json_parse(const struct model_call *c, const struct wire_response *r,
	json_t **result, struct err *err)
{
	const struct model_shape *output = model_output(c);
	json_t *body = NULL;
	if (!output || str_trim(buf_view(&r->body)).n == 0) {
		*result = json_object();
		return ERR_OK;
	}
	enum err_status st = doc_parse(buf_view(&r->body), WIRE_MAX_BODY, &body, err);
	if (st != ERR_OK) {
		return st;
	}
	*result = proto_json_read(c->m, output, body);
	json_decref(body);
	return ERR_OK;
}
