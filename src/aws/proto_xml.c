/* XML bodies: written for rest-xml, read for query, ec2 and rest-xml. */
#include "aws/proto.h"
#include "aws/value.h"

#include <stdatomic.h>
#include <string.h>

#define MAX_DEPTH 80
#define HINTS     1024u /* a power of two */

/* ---- writing ---- */

struct writer {
	const struct model *m;
	struct buf *out;
};

static void write_value(const struct writer *w, const struct model_member *mem,
	const struct proto_element *e, const json_t *v);

static void open_tag(const struct writer *w, const struct proto_element *e)
{
	buf_printf(w->out, "<%s", e->name);
	if (e->xmlns && e->xmlns[0]) {
		bool prefixed = e->prefix && e->prefix[0];
		buf_printf(w->out, " xmlns%s%s=\"", prefixed ? ":" : "",
			prefixed ? e->prefix : "");
		xml_escape(str_from(e->xmlns), w->out);
		buf_putc(w->out, '"');
	}
}

static void close_tag(const struct writer *w, const char *name)
{
	buf_printf(w->out, "</%s>", name);
}

static void escaped_scalar(
	const struct writer *w, const struct model_member *mem, const json_t *v)
{
	struct buf text;
	buf_init(&text, WIRE_MAX_BODY);
	value_text(w->m, mem, v, MODEL_TIME_ISO8601, &text);
	xml_escape(buf_view(&text), w->out);
	buf_deinit(&text);
}

struct proto_element proto_xml_element(
	const struct model *m, const char *name, const struct model_member *mem)
{
	const struct model_extra *extra = &m->extras[mem->extra];
	if (!extra->xmlns_uri) {
		extra = &m->extras[model_shape_of(m, mem)->extra];
	}
	return (struct proto_element){ name, model_text(m, extra->xmlns_uri),
		model_text(m, extra->xmlns_prefix) };
}

/* Attributes of a structure's own element, the prefixed name space they need first. */
static void write_attributes(
	const struct writer *w, const struct model_shape *s, const json_t *v)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct model_member *mem = model_at(w->m, s, i);
		const json_t *item = json_object_get(v, model_name(w->m, mem));
		if ((mem->flags & MODEL_XML_ATTR) && item && !json_is_null(item)) {
			buf_printf(w->out, " %s=\"", model_wire(w->m, mem));
			escaped_scalar(w, mem, item);
			buf_putc(w->out, '"');
		}
	}
}

/* NOLINTBEGIN(misc-no-recursion): validate.c bounds the depth */
static void write_members(const struct writer *w, const struct model_shape *s, const json_t *v)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct model_member *mem = model_at(w->m, s, i);
		const json_t *item = json_object_get(v, model_name(w->m, mem));
		if (!item || json_is_null(item) || mem->location != MODEL_BODY ||
			(mem->flags & MODEL_XML_ATTR)) {
			continue;
		}
		struct proto_element e = proto_xml_element(w->m, model_wire(w->m, mem), mem);
		write_value(w, mem, &e, item);
	}
}

static void write_list(const struct writer *w, const struct model_member *mem,
	const struct proto_element *e, const json_t *v)
{
	const struct model_member *element = model_at(w->m, model_shape_of(w->m, mem), 0);
	bool flat = model_flattened(w->m, mem);
	const char *own = model_wire(w->m, element);
	struct proto_element each = { .name = e->name };
	if (!flat) {
		each = proto_xml_element(w->m, own[0] ? own : "member", element);
		open_tag(w, e);
		buf_putc(w->out, '>');
	}
	size_t i;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)v, i, item)
	{
		write_value(w, element, &each, item);
	}
	if (!flat) {
		close_tag(w, e->name);
	}
}

static void write_map(const struct writer *w, const struct model_member *mem,
	const struct proto_element *e, const json_t *v)
{
	const struct model_shape *s = model_shape_of(w->m, mem);
	const struct model_member *key_ref = model_at(w->m, s, 0),
				  *value_ref = model_at(w->m, s, 1);
	bool flat = model_flattened(w->m, mem);
	struct proto_element entry = { .name = flat ? e->name : "entry" };
	struct proto_element key_element = proto_xml_element(
		w->m, key_ref->wire ? model_wire(w->m, key_ref) : "key", key_ref);
	struct proto_element value_element = proto_xml_element(
		w->m, value_ref->wire ? model_wire(w->m, value_ref) : "value", value_ref);
	if (!flat) {
		open_tag(w, e);
		buf_putc(w->out, '>');
	}
	const char *key;
	json_t *item;
	json_object_foreach((json_t *)(uintptr_t)v, key, item)
	{
		open_tag(w, &entry);
		buf_putc(w->out, '>');
		open_tag(w, &key_element);
		buf_putc(w->out, '>');
		xml_escape(str_from(key), w->out);
		close_tag(w, key_element.name);
		write_value(w, value_ref, &value_element, item);
		close_tag(w, entry.name);
	}
	if (!flat) {
		close_tag(w, e->name);
	}
}

static void write_value(const struct writer *w, const struct model_member *mem,
	const struct proto_element *e, const json_t *v)
{
	const struct model_shape *s = model_shape_of(w->m, mem);
	switch (s->type) {
	case MODEL_LIST:
		write_list(w, mem, e, v);
		return;
	case MODEL_MAP:
		write_map(w, mem, e, v);
		return;
	default:
		break;
	}
	open_tag(w, e);
	if (s->type == MODEL_STRUCTURE) {
		write_attributes(w, s, v);
		buf_putc(w->out, '>');
		write_members(w, s, v);
	} else {
		buf_putc(w->out, '>');
		escaped_scalar(w, mem, v);
	}
	close_tag(w, e->name);
}
/* NOLINTEND(misc-no-recursion) */

void proto_xml_write(const struct model *m, const struct model_shape *s, const json_t *v,
	struct proto_element element, struct buf *out)
{
	struct writer w = { m, out };
	open_tag(&w, &element);
	write_attributes(&w, s, v);
	buf_putc(out, '>');
	write_members(&w, s, v);
	close_tag(&w, element.name);
}

/* ---- reading ---- */

static json_t *read_value(const struct model *m, const struct model_member *mem,
	const struct xml_node *node, int depth);

/* A flattened list's elements stand under the list's own parent, under the element's name. */
static const char *member_element(const struct model *m, const struct model_member *mem)
{
	const struct model_shape *s = model_shape_of(m, mem);
	if (s->type == MODEL_LIST && model_flattened(m, mem)) {
		const struct model_member *element = model_at(m, s, 0);
		if (element->wire) {
			return model_wire(m, element);
		}
	}
	return model_wire(m, mem);
}

static void add_plain(json_t *out, const struct xml_node *node, int depth);

/* NOLINTBEGIN(misc-no-recursion): bounded by `depth` */
static json_t *read_map(const struct model *m, const struct model_member *mem,
	const struct xml_node *node, int depth)
{
	const struct model_shape *s = model_shape_of(m, mem);
	const struct model_member *key_ref = model_at(m, s, 0), *value_ref = model_at(m, s, 1);
	const char *key_name = key_ref->wire ? model_wire(m, key_ref) : "key";
	const char *value_name = value_ref->wire ? model_wire(m, value_ref) : "value";
	bool flat = model_flattened(m, mem);
	json_t *out = json_object();
	const struct xml_node *entry = flat ? node : node->child;
	while (entry) {
		const struct xml_node *value = xml_child(entry, value_name);
		struct str key = xml_text(entry, key_name);
		if (value && str_is_utf8(key)) {
			(void)json_object_setn_new(out, key.p ? key.p : "", key.n,
				read_value(m, value_ref, value, depth));
		}
		entry = flat ? xml_again(entry) : entry->next;
	}
	return out;
}

static json_t *read_list(const struct model *m, const struct model_member *mem,
	const struct xml_node *node, int depth)
{
	const struct model_member *element = model_at(m, model_shape_of(m, mem), 0);
	bool flat = model_flattened(m, mem);
	json_t *out = json_array();
	const struct xml_node *item = flat ? node : node->child;
	while (item) {
		(void)json_array_append_new(out, read_value(m, element, item, depth));
		item = flat ? xml_again(item) : item->next;
	}
	return out;
}

/* An element of which the model knows nothing: text, or an object; repeated ones are a list. */
static json_t *plain_value(const struct xml_node *node, int depth)
{
	if (!node->child || depth <= 0) {
		return doc_str(node->text);
	}
	json_t *out = json_object();
	for (const struct xml_node *c = node->child; c; c = c->next) {
		add_plain(out, c, depth - 1);
	}
	return out;
}

static void add_plain(json_t *out, const struct xml_node *node, int depth)
{
	json_t *have = json_object_get(out, node->name), *v = plain_value(node, depth);
	if (json_is_array(have)) {
		(void)json_array_append_new(have, v);
	} else if (have) {
		(void)json_object_set_new(out, node->name, json_pack("[O,o]", have, v));
	} else {
		(void)json_object_set_new(out, node->name, v);
	}
}

static bool stands_for(
	const struct model *m, const struct model_member *mem, const struct xml_node *node)
{
	return strcmp(model_wire(m, mem), node->name) == 0 ||
	       strcmp(member_element(m, mem), node->name) == 0;
}

/*
 * The member that an element stands for, NULL when the model does not know it. Answers repeat the
 * same elements, so where a name was found is remembered: only as a hint, which is tried first.
 */
static const struct model_member *member_of(
	const struct model *m, const struct model_shape *s, const struct xml_node *node)
{
	static _Atomic uint16_t hints[HINTS];
	size_t shape = (size_t)(s - m->shapes);
	_Atomic uint16_t *hint = &hints[(node->hash ^ shape * 0x9e5u) % HINTS];
	size_t at = atomic_load_explicit(hint, memory_order_relaxed);
	if (at < s->n && stands_for(m, model_at(m, s, at), node)) {
		return model_at(m, s, at);
	}
	for (size_t i = 0; i < s->n; i++) {
		if (stands_for(m, model_at(m, s, i), node)) {
			atomic_store_explicit(hint, (uint16_t)i, memory_order_relaxed);
			return model_at(m, s, i);
		}
	}
	return NULL;
}

static void read_attributes(const struct model *m, const struct model_shape *s,
	const struct xml_node *node, json_t *out)
{
	for (size_t i = 0; node->attrs && i < s->n; i++) {
		const struct model_member *mem = model_at(m, s, i);
		const char *text = NULL;
		if ((mem->flags & MODEL_XML_ATTR) && model_read_from_body(mem)) {
			text = xml_attr(node, model_wire(m, mem));
		}
		if (text) {
			(void)json_object_set_new_nocheck(
				out, model_name(m, mem), value_parse(m, mem, str_from(text)));
		}
	}
}

/* Some services name flattened elements by the list after all, when not by the element. */
static const struct xml_node *first_of(const struct model *m, const struct model_member *mem,
	const struct xml_node *parent, const struct xml_node *node)
{
	const char *element = member_element(m, mem);
	const struct xml_node *better = NULL;
	if (element != model_wire(m, mem) && strcmp(element, node->name) != 0) {
		better = xml_child(parent, element);
	}
	return better ? better : node;
}

/*
 * Of repeated elements the first counts; a flattened list takes all of them then. What the model
 * does not know is passed on under its own name: AWS adds members all the time.
 */
static json_t *read_structure(const struct model *m, const struct model_shape *s,
	const struct xml_node *node, int depth)
{
	json_t *out = json_object(), *rest = NULL;
	uint64_t done[MODEL_MAX_MEMBERS / 64] = { 0 };
	if (!node || depth <= 0) {
		return out;
	}
	read_attributes(m, s, node, out);
	for (const struct xml_node *c = node->child; c; c = c->next) {
		const struct model_member *mem = member_of(m, s, c);
		if (!mem) {
			rest = rest ? rest : json_object();
			add_plain(rest, c, depth);
			continue;
		}
		size_t i = (size_t)(mem - model_at(m, s, 0)) % MODEL_MAX_MEMBERS;
		if ((done[i / 64] >> i % 64 & 1) || !model_read_from_body(mem) ||
			(mem->flags & MODEL_XML_ATTR)) {
			continue;
		}
		done[i / 64] |= UINT64_C(1) << i % 64;
		json_t *v = read_value(m, mem, first_of(m, mem, node, c), depth);
		(void)json_object_set_new_nocheck(out, model_name(m, mem), v);
	}
	if (rest) {
		(void)json_object_update_missing(out, rest);
		json_decref(rest);
	}
	return out;
}

static json_t *read_value(const struct model *m, const struct model_member *mem,
	const struct xml_node *node, int depth)
{
	const struct model_shape *s = model_shape_of(m, mem);
	switch (s->type) {
	case MODEL_STRUCTURE:
		return read_structure(m, s, node, depth - 1);
	case MODEL_LIST:
		return read_list(m, mem, node, depth - 1);
	case MODEL_MAP:
		return read_map(m, mem, node, depth - 1);
	default:
		return value_parse(m, mem, node->text);
	}
}
/* NOLINTEND(misc-no-recursion) */

json_t *proto_xml_read(
	const struct model *m, const struct model_shape *s, const struct xml_node *node)
{
	return s ? read_structure(m, s, node, MAX_DEPTH) : json_object();
}
