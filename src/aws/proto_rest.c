/*
 * rest-json and rest-xml: members travel in the path, the query, headers and the body.
 * https://smithy.io/2.0/spec/http-bindings.html
 */
#include "aws/proto.h"
#include "aws/uri.h"
#include "aws/value.h"
#include "base/hash.h"

#include <string.h>
#include <strings.h>

static bool is_json(const struct model_call *c)
{
	return c->service->protocol == MODEL_REST_JSON;
}

/* ---- path and query ---- */

static const struct model_member *label_member(const struct model_call *c, struct str label)
{
	const struct model_shape *s = model_input(c);
	for (size_t i = 0; s && i < s->n; i++) {
		const struct model_member *mem = model_at(c->m, s, i);
		if (mem->location == MODEL_URI && str_is(label, model_wire(c->m, mem))) {
			return mem;
		}
	}
	return NULL;
}

/* Appends the value of "{Name}" or "{Name+}"; the latter keeps its slashes. */
static enum err_status add_label(const struct model_call *c, const json_t *params,
	struct str label, struct buf *out, struct err *err)
{
	bool greedy = str_ends(label, STR("+"));
	struct str name = greedy ? str_sub(label, 0, label.n - 1) : label;
	const struct model_member *mem = label_member(c, name);
	const json_t *v = mem ? json_object_get(params, model_name(c->m, mem)) : NULL;
	struct buf text;
	buf_init(&text, WIRE_MAX_PATH);
	if (v) {
		value_text(c->m, mem, v, MODEL_TIME_ISO8601, &text);
	}
	bool empty = text.n == 0;
	uri_encode(buf_view(&text), greedy, out);
	buf_deinit(&text);
	if (empty) {
		return err_set(err, ERR_USAGE,
			"%s %s: %.*s must not be empty: it is part of the URL",
			model_text(c->m, c->service->name), model_text(c->m, c->op->name),
			STR_ARG(name));
	}
	return ERR_OK;
}

static enum err_status build_path(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err)
{
	struct str uri = str_from(model_text(c->m, c->op->uri));
	size_t question = str_find_char(uri, '?');
	struct str path = str_sub(uri, 0, question);
	for (size_t i = 0; i < path.n; i++) {
		size_t end = str_find_char(str_sub(path, i, SIZE_MAX), '}');
		if (path.p[i] != '{' || end == SIZE_MAX) {
			buf_putc(&r->path, path.p[i]);
			continue;
		}
		enum err_status st =
			add_label(c, params, str_sub(path, i + 1, end - 1), &r->path, err);
		if (st != ERR_OK) {
			return st;
		}
		i += end;
	}
	/* Constants of the URI: "?acl", "?list-type=2". */
	struct str rest =
		question == SIZE_MAX ? (struct str){ 0 } : str_sub(uri, question + 1, SIZE_MAX);
	struct str piece;
	while (str_cut(&rest, '&', &piece)) {
		char name[128];
		size_t equal = str_find_char(piece, '=');
		struct str key = str_sub(piece, 0, equal);
		(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(key));
		wire_add(&r->query, name,
			equal == SIZE_MAX ? (struct str){ 0 }
					  : str_sub(piece, equal + 1, SIZE_MAX));
	}
	return ERR_OK;
}

static void add_query(struct wire_request *r, const char *name, struct str value)
{
	struct buf n, v;
	buf_init(&n, WIRE_MAX_PATH);
	buf_init(&v, WIRE_MAX_PATH);
	uri_encode(str_from(name), false, &n);
	uri_encode(value, false, &v);
	wire_add(&r->query, n.p ? n.p : "", buf_view(&v));
	buf_deinit(&n);
	buf_deinit(&v);
}

/* NOLINTBEGIN(misc-no-recursion): a list or map of scalars */
static void put_query(const struct model_call *c, const struct model_member *mem,
	const char *name, const json_t *v, struct wire_request *r)
{
	const struct model_shape *s = model_shape_of(c->m, mem);
	size_t i;
	const char *key;
	json_t *item;
	if (s->type == MODEL_LIST) {
		json_array_foreach((json_t *)(uintptr_t)v, i, item)
		{
			put_query(c, model_at(c->m, s, 0), name, item, r);
		}
		return;
	}
	if (s->type == MODEL_MAP) {
		/* Keys that are parameters of their own keep those. */
		json_object_foreach((json_t *)(uintptr_t)v, key, item)
		{
			if (!wire_get(&r->query, key)) {
				put_query(c, model_at(c->m, s, 1), key, item, r);
			}
		}
		return;
	}
	struct buf text;
	buf_init(&text, WIRE_MAX_PATH);
	value_text(c->m, mem, v, MODEL_TIME_ISO8601, &text);
	add_query(r, name, buf_view(&text));
	buf_deinit(&text);
}
/* NOLINTEND(misc-no-recursion) */

/* ---- headers ---- */

static bool header_safe(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '\r' || c == '\n' || c == 0) {
			return false;
		}
	}
	return true;
}

/* A list in a header: items joined, those with a comma or quote in quotes. */
static void header_list(const struct model_call *c, const struct model_shape *s,
	const json_t *v, struct buf *out)
{
	const struct model_member *element = model_at(c->m, s, 0);
	size_t i;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)v, i, item)
	{
		struct buf text;
		buf_init(&text, WIRE_MAX_PATH);
		value_text(c->m, element, item, MODEL_TIME_RFC822, &text);
		struct str t = buf_view(&text);
		bool quote = model_shape_of(c->m, element)->type == MODEL_STRING &&
			     (str_find_char(t, ',') != SIZE_MAX ||
				     str_find_char(t, '"') != SIZE_MAX);
		buf_puts(out, i ? "," : ""); /* as the SDKs: not every server trims */
		for (size_t k = 0; k < t.n && quote; k++) {
			if (k == 0) {
				buf_putc(out, '"');
			}
			if (t.p[k] == '"' || t.p[k] == '\\') {
				buf_putc(out, '\\');
			}
			buf_putc(out, t.p[k]);
		}
		if (quote) {
			buf_putc(out, '"');
		} else {
			buf_add_str(out, t);
		}
		buf_deinit(&text);
	}
}

static void header_value(const struct model_call *c, const struct model_member *mem,
	const json_t *v, struct buf *out)
{
	const struct model_shape *s = model_shape_of(c->m, mem);
	if (mem->flags & MODEL_JSON_VALUE) {
		char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		hash_base64(str_from(text), out);
		free(text);
	} else if (s->type == MODEL_LIST) {
		header_list(c, s, v, out);
	} else {
		value_text(c->m, mem, v, MODEL_TIME_RFC822, out);
	}
}

static enum err_status put_header(const struct model_call *c, const struct model_member *mem,
	const json_t *v, struct wire_request *r, struct err *err)
{
	struct buf text;
	enum err_status st = ERR_OK;
	buf_init(&text, WIRE_MAX_PATH);
	header_value(c, mem, v, &text);
	if (!header_safe(buf_view(&text)) || !buf_ok(&text)) {
		st = err_set(err, ERR_USAGE,
			"%s %s: %s can't be sent in a header: line break or too long",
			model_text(c->m, c->service->name), model_text(c->m, c->op->name),
			model_name(c->m, mem));
	} else if (text.n) {
		wire_set(&r->headers, model_wire(c->m, mem), buf_view(&text));
	}
	buf_deinit(&text);
	return st;
}

/* A map in headers: x-amz-meta-KEY. */
static enum err_status put_header_map(const struct model_call *c,
	const struct model_member *mem, const json_t *v, struct wire_request *r,
	struct err *err)
{
	const char *key;
	json_t *item;
	json_object_foreach((json_t *)(uintptr_t)v, key, item)
	{
		char name[256];
		struct str value = { json_string_value(item), json_string_length(item) };
		(void)snprintf(name, sizeof(name), "%s%s",
			mem->wire ? model_wire(c->m, mem) : "", key);
		if (!header_safe(value) || strpbrk(name, ":\r\n ") || strlen(name) > 200) {
			return err_set(err, ERR_USAGE, "%s %s: %s.%s can't be sent as a header",
				model_text(c->m, c->service->name),
				model_text(c->m, c->op->name), model_name(c->m, mem), key);
		}
		wire_set(&r->headers, name, value);
	}
	return ERR_OK;
}

/* ---- request body ---- */

static void content_type(struct wire_request *r, const char *type)
{
	if (!wire_get(&r->headers, "Content-Type")) {
		wire_set(&r->headers, "Content-Type", str_from(type));
	}
}

static void build_payload(const struct model_call *c, const struct model_member *payload,
	const json_t *params, struct wire_request *r)
{
	const struct model_shape *s = model_shape_of(c->m, payload);
	const json_t *v = json_object_get(params, model_name(c->m, payload));
	if (!v || json_is_null(v)) {
		if (is_json(c) && s->type == MODEL_STRUCTURE && !(s->flags & MODEL_UNION)) {
			buf_puts(&r->body, "{}");
			content_type(r, "application/json");
		}
		return;
	}
	struct str text = { json_string_value(v), json_string_length(v) };
	switch (s->type) {
	case MODEL_BLOB:
		(void)hash_unbase64(text, &r->body);
		content_type(r, "application/octet-stream");
		break;
	case MODEL_STRING:
		buf_add_str(&r->body, text);
		content_type(r, "text/plain");
		break;
	case MODEL_STRUCTURE:
		if (is_json(c)) {
			proto_json_write(c->m, s, v, &r->body);
			content_type(r, "application/json");
		} else {
			struct proto_element e = proto_xml_element(c->m,
				payload->wire || !s->wire ? model_wire(c->m, payload)
							  : model_text(c->m, s->wire),
				payload);
			proto_xml_write(c->m, s, v, e, &r->body);
			content_type(r, "application/xml");
		}
		break;
	default: /* a document */
		if (is_json(c)) {
			char *dump = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
			buf_puts(&r->body, dump ? dump : "");
			free(dump);
			content_type(r, "application/json");
		}
		break;
	}
}

static void build_body(const struct model_call *c, const json_t *params, struct wire_request *r)
{
	const struct model_shape *s = model_input(c);
	bool members = false, given = false;
	for (size_t i = 0; s && i < s->n; i++) {
		const struct model_member *mem = model_at(c->m, s, i);
		if (mem->location == MODEL_BODY) {
			const json_t *v = json_object_get(params, model_name(c->m, mem));
			members = true;
			given = given || (v && !json_is_null(v));
		}
	}
	if (!members) {
		return;
	}
	if (is_json(c)) {
		proto_json_write(c->m, s, params, &r->body);
		content_type(r, "application/json");
	} else if (given) {
		const struct model_extra *extra = &c->m->extras[s->extra];
		uint16_t name = s->wire ? s->wire : c->op->input_wire;
		uint16_t xmlns = c->op->input_xmlns ? c->op->input_xmlns : extra->xmlns_uri;
		struct proto_element e = { .name = model_text(c->m, name),
			.xmlns = model_text(c->m, xmlns) };
		proto_xml_write(c->m, s, params, e, &r->body);
		content_type(r, "application/xml");
	}
}

enum err_status proto_rest_build(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err)
{
	const struct model_shape *s = model_input(c);
	r->method = model_text(c->m, c->op->method);
	enum err_status st = build_path(c, params, r, err);
	for (size_t i = 0; s && st == ERR_OK && i < s->n; i++) {
		const struct model_member *mem = model_at(c->m, s, i);
		const json_t *v = json_object_get(params, model_name(c->m, mem));
		if (!v || json_is_null(v)) {
			continue;
		}
		if (mem->location == MODEL_QUERYSTRING) {
			put_query(c, mem, model_wire(c->m, mem), v, r);
		} else if (mem->location == MODEL_HEADER) {
			st = put_header(c, mem, v, r, err);
		} else if (mem->location == MODEL_HEADERS) {
			st = put_header_map(c, mem, v, r, err);
		}
	}
	if (st != ERR_OK) {
		return st;
	}
	const struct model_member *payload = model_payload(c->m, s);
	if (payload) {
		build_payload(c, payload, params, r);
	} else {
		build_body(c, params, r);
	}
	return buf_ok(&r->body) && buf_ok(&r->path)
		       ? ERR_OK
		       : err_set(err, ERR_LIMIT, "the parameters are too large to send");
}

/* ---- answers ---- */

/* The next item of a header list: "quoted \\" text" or up to a comma. Appends it to `out`. */
static struct str header_item(struct str s, bool date, struct buf *out)
{
	size_t i = 0;
	bool quoted = false, comma_seen = false;
	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t')) {
		i++;
	}
	for (; i < s.n; i++) {
		char c = s.p[i];
		if (c == '"') {
			quoted = !quoted;
		} else if (c == '\\' && quoted && i + 1 < s.n) {
			buf_putc(out, s.p[++i]);
		} else if (c == ',' && !quoted && (!date || comma_seen)) {
			i++;
			break;
		} else {
			/* "Mon, 16 Dec 2019 ...": the first comma is part of a date */
			comma_seen = comma_seen || c == ',';
			buf_putc(out, c);
		}
	}
	return str_sub(s, i, SIZE_MAX);
}

static json_t *header_list_out(
	const struct model_call *c, const struct model_shape *s, const char *text)
{
	const struct model_member *element = model_at(c->m, s, 0);
	bool date = model_shape_of(c->m, element)->type == MODEL_TIMESTAMP &&
		    model_time_of(c->m, element, MODEL_TIME_RFC822) == MODEL_TIME_RFC822;
	json_t *out = json_array();
	struct str rest = str_from(text);
	while (rest.n) {
		struct buf item;
		buf_init(&item, rest.n);
		rest = header_item(rest, date, &item);
		struct str value = str_trim(buf_view(&item));
		(void)json_array_append_new(out, value_parse(c->m, element, value));
		buf_deinit(&item);
	}
	return out;
}

static json_t *header_out(
	const struct model_call *c, const struct model_member *mem, const char *text)
{
	const struct model_shape *s = model_shape_of(c->m, mem);
	if (mem->flags & MODEL_JSON_VALUE) {
		struct buf b;
		json_t *v = NULL;
		buf_init(&b, WIRE_MAX_PATH);
		if (!hash_unbase64(str_from(text), &b) ||
			doc_parse(buf_view(&b), WIRE_MAX_PATH, &v, NULL) != ERR_OK) {
			v = doc_str(str_from(text));
		}
		buf_deinit(&b);
		return v;
	}
	return s->type == MODEL_LIST ? header_list_out(c, s, text)
				     : value_parse(c->m, mem, str_from(text));
}

static json_t *header_map_out(const struct model_call *c, const struct model_member *mem,
	const struct wire_response *r)
{
	const char *prefix = mem->wire ? model_wire(c->m, mem) : "";
	size_t n = strlen(prefix);
	json_t *out = json_object();
	for (size_t i = 0; i < r->headers.n; i++) {
		const struct wire_pair *h = &r->headers.items[i];
		if (strncasecmp(h->name, prefix, n) == 0 && str_is_utf8(str_from(h->name))) {
			(void)json_object_set_new(
				out, h->name + n, doc_str(str_from(h->value)));
		}
	}
	return out;
}

static void read_headers(const struct model_call *c, const struct model_shape *s,
	const struct wire_response *r, json_t *out)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct model_member *mem = model_at(c->m, s, i);
		json_t *v = NULL;
		if (mem->location == MODEL_STATUS) {
			v = json_integer(r->status);
		} else if (mem->location == MODEL_HEADERS) {
			v = header_map_out(c, mem, r);
		} else if (mem->location == MODEL_HEADER) {
			const char *text = wire_get(&r->headers, model_wire(c->m, mem));
			v = text ? header_out(c, mem, text) : NULL;
		}
		if (v) {
			(void)json_object_set_new(out, model_name(c->m, mem), v);
		}
	}
}

static enum err_status read_document(const struct model_call *c, const struct model_shape *s,
	const struct wire_response *r, json_t **out, struct err *err)
{
	enum err_status st;
	struct str body = buf_view(&r->body);
	if (str_trim(body).n == 0) {
		*out = json_object();
		return ERR_OK;
	}
	if (is_json(c)) {
		json_t *doc = NULL;
		st = doc_parse(body, WIRE_MAX_BODY, &doc, err);
		if (st == ERR_OK) {
			*out = s->type == MODEL_STRUCTURE ? proto_json_read(c->m, s, doc)
							  : json_incref(doc);
			json_decref(doc);
		}
		return st;
	}
	struct xml_doc doc;
	st = xml_parse(body, &doc, err);
	if (st == ERR_OK) {
		*out = proto_xml_read(c->m, s, doc.root);
		/* S3 GetBucketLocation: the root element is itself the member. */
		for (size_t i = 0; doc.root && !doc.root->child && i < s->n; i++) {
			const struct model_member *mem = model_at(c->m, s, i);
			if (mem->location == MODEL_BODY && doc.root->text.n &&
				strcmp(model_wire(c->m, mem), doc.root->name) == 0) {
				(void)json_object_set_new(*out, model_name(c->m, mem),
					value_parse(c->m, mem, doc.root->text));
			}
		}
		xml_deinit(&doc);
	}
	return st;
}

static enum err_status read_payload(const struct model_call *c,
	const struct model_member *payload, const struct wire_response *r, json_t *out,
	struct err *err)
{
	const struct model_shape *s = model_shape_of(c->m, payload);
	json_t *v = NULL;
	if (s->type == MODEL_BLOB || s->type == MODEL_STRING) {
		bool streaming = ((payload->flags | s->flags) & MODEL_STREAMING) != 0;
		if (r->body.n || streaming) {
			v = s->type == MODEL_BLOB ? value_blob(buf_view(&r->body))
						  : doc_str(buf_view(&r->body));
		}
	} else if (r->body.n) {
		enum err_status st = read_document(c, s, r, &v, err);
		if (st != ERR_OK) {
			return st;
		}
	}
	if (v) {
		(void)json_object_set_new(out, model_name(c->m, payload), v);
	}
	return ERR_OK;
}

enum err_status proto_rest_parse(const struct model_call *c, const struct wire_response *r,
	json_t **result, struct err *err)
{
	const struct model_shape *s = model_output(c);
	json_t *out = NULL;
	enum err_status st = ERR_OK;
	if (!s) {
		*result = json_object();
		return ERR_OK;
	}
	const struct model_member *payload = model_payload(c->m, s);
	if (payload) {
		out = json_object();
		st = read_payload(c, payload, r, out, err);
	} else {
		st = read_document(c, s, r, &out, err);
	}
	if (st != ERR_OK) {
		json_decref(out);
		return st;
	}
	read_headers(c, s, r, out);
	*result = out;
	return ERR_OK;
}
