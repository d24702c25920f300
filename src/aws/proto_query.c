/*
 * AWS query and EC2 query: a form in the request, XML in the answer.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html, .../aws-ec2-query-protocol.html
 */
#include "aws/proto.h"
#include "aws/uri.h"
#include "aws/value.h"

#include <string.h>

#define MAX_PREFIX 1000

struct form {
	const struct model *m;
	bool ec2;
	struct buf prefix; /* "Filter.1.Value" */
	struct buf *body;
};

static void put(struct form *f, const struct model_member *mem, const json_t *v);

static void cut(struct form *f, size_t n)
{
	if (f->prefix.p) {
		f->prefix.n = n;
		f->prefix.p[n] = '\0';
	}
}

static void pair(struct form *f, struct str value)
{
	buf_putc(f->body, '&');
	uri_encode(buf_view(&f->prefix), false, f->body);
	buf_putc(f->body, '=');
	uri_encode(value, false, f->body);
}

/* EC2 names parameters by queryName, else by the wire name with a capital first letter. */
static void add_member_name(struct form *f, const struct model_member *mem)
{
	const char *name = model_wire(f->m, mem);
	uint16_t query_name = f->m->extras[mem->extra].query_name;
	if (f->ec2 && query_name) {
		name = model_text(f->m, query_name);
	} else if (f->ec2 && name[0] >= 'a' && name[0] <= 'z') {
		buf_putc(&f->prefix, (char)(name[0] - ('a' - 'A')));
		name++;
	}
	buf_puts(&f->prefix, name);
}

/* NOLINTBEGIN(misc-no-recursion): validate.c bounds the depth */
static void put_structure(struct form *f, const struct model_shape *s, const json_t *v)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct model_member *mem = model_at(f->m, s, i);
		const json_t *item = json_object_get(v, model_name(f->m, mem));
		if (!item || json_is_null(item)) {
			continue;
		}
		size_t before = f->prefix.n;
		if (before) {
			buf_putc(&f->prefix, '.');
		}
		add_member_name(f, mem);
		put(f, mem, item);
		cut(f, before);
	}
}

/* A flattened query list without a name of its own takes that of its elements. */
static void rename_last(struct form *f, const char *name)
{
	size_t at = f->prefix.n;
	while (at > 0 && f->prefix.p[at - 1] != '.') {
		at--;
	}
	cut(f, at);
	buf_puts(&f->prefix, name);
}

static void put_list(struct form *f, const struct model_member *mem, const json_t *v)
{
	const struct model_member *element = model_at(f->m, model_shape_of(f->m, mem), 0);
	if (json_array_size(v) == 0) {
		if (!f->ec2) {
			pair(f, (struct str){ 0 });
		}
		return;
	}
	char full[MAX_PREFIX + 1]; /* the prefix comes back as it was, even after a rename */
	size_t before = f->prefix.n;
	(void)snprintf(full, sizeof(full), "%s", f->prefix.p);
	if (!f->ec2 && !model_flattened(f->m, mem)) {
		buf_printf(&f->prefix, ".%s",
			element->wire ? model_wire(f->m, element) : "member");
	} else if (!f->ec2 && element->wire && !mem->wire) {
		rename_last(f, model_wire(f->m, element));
	}
	size_t base = f->prefix.n, i;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)v, i, item)
	{
		buf_printf(&f->prefix, ".%zu", i + 1);
		put(f, element, item);
		cut(f, base);
	}
	cut(f, 0);
	buf_add(&f->prefix, full, before);
}

static void put_map(struct form *f, const struct model_member *mem, const json_t *v)
{
	const struct model_shape *s = model_shape_of(f->m, mem);
	const struct model_member *key_ref = model_at(f->m, s, 0),
				  *value_ref = model_at(f->m, s, 1);
	size_t before = f->prefix.n, i = 0;
	const char *key;
	json_t *item;
	json_object_foreach((json_t *)(uintptr_t)v, key, item)
	{
		buf_printf(
			&f->prefix, "%s.%zu", model_flattened(f->m, mem) ? "" : ".entry", ++i);
		size_t entry = f->prefix.n;
		buf_printf(
			&f->prefix, ".%s", key_ref->wire ? model_wire(f->m, key_ref) : "key");
		pair(f, str_from(key));
		cut(f, entry);
		buf_printf(&f->prefix, ".%s",
			value_ref->wire ? model_wire(f->m, value_ref) : "value");
		put(f, value_ref, item);
		cut(f, before);
	}
}

static void put(struct form *f, const struct model_member *mem, const json_t *v)
{
	const struct model_shape *s = model_shape_of(f->m, mem);
	switch (s->type) {
	case MODEL_STRUCTURE:
		put_structure(f, s, v);
		return;
	case MODEL_LIST:
		put_list(f, mem, v);
		return;
	case MODEL_MAP:
		put_map(f, mem, v);
		return;
	default:
		break;
	}
	struct buf text;
	buf_init(&text, WIRE_MAX_BODY);
	text.wipe = true; /* a web identity token, a password */
	value_text(f->m, mem, v, MODEL_TIME_ISO8601, &text);
	pair(f, buf_view(&text));
	buf_deinit(&text);
}
/* NOLINTEND(misc-no-recursion) */

enum err_status proto_query_build(const struct model_call *c, const json_t *params,
	struct wire_request *r, struct err *err)
{
	struct form f = {
		.m = c->m, .ec2 = c->service->protocol == MODEL_EC2, .body = &r->body
	};
	const struct model_shape *input = model_input(c);
	buf_init(&f.prefix, MAX_PREFIX);
	r->method = "POST";
	buf_putc(&r->path, '/');
	wire_set(&r->headers, "Content-Type",
		STR("application/x-www-form-urlencoded; charset=utf-8"));
	buf_printf(&r->body, "Action=%s&Version=%s", model_text(c->m, c->op->name),
		model_text(c->m, c->service->api_version));
	if (input && params) {
		put_structure(&f, input, params);
	}
	bool ok = buf_ok(&r->body) && buf_ok(&f.prefix);
	buf_deinit(&f.prefix);
	return ok ? ERR_OK : err_set(err, ERR_LIMIT, "the parameters are too large to send");
}

enum err_status proto_query_parse(const struct model_call *c, const struct wire_response *r,
	json_t **result, struct err *err)
{
	const struct model_shape *output = model_output(c);
	if (!output || r->body.n == 0) {
		*result = json_object();
		return ERR_OK;
	}
	struct xml_doc doc;
	enum err_status st = xml_parse(buf_view(&r->body), &doc, err);
	if (st != ERR_OK) {
		return st;
	}
	const struct xml_node *node = doc.root;
	if (c->op->result_wrapper) {
		node = xml_child(node, model_text(c->m, c->op->result_wrapper));
	}
	*result = proto_xml_read(c->m, output, node);
	/* The protocol's own, where no element of the result keeps them apart. */
	static const char *const own[] = { "requestId", "RequestId", "ResponseMetadata" };
	for (size_t i = 0; !c->op->result_wrapper && i < sizeof(own) / sizeof(own[0]); i++) {
		if (!model_member(c->m, output, str_from(own[i]))) {
			(void)json_object_del(*result, own[i]);
		}
	}
	xml_deinit(&doc);
	return ERR_OK;
}
