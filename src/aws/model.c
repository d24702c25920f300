#include "aws/model.h"

#include <string.h>

const char *model_text(const struct model *m, uint16_t id)
{
	return m->text + m->offsets[id];
}

const struct model_service *model_service(const struct model *m, const char *name)
{
	size_t low = 0, high = m->n_services;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, model_text(m, m->services[mid].name));
		if (order == 0) {
			return &m->services[mid];
		}
		if (order < 0) {
			high = mid;
		} else {
			low = mid + 1;
		}
	}
	return NULL;
}

bool model_find(const struct model *m, const char *service, const char *operation,
	struct model_call *out)
{
	const struct model_service *s = model_service(m, service);
	if (!s) {
		return false;
	}
	size_t low = s->first_operation, high = low + s->n_operations;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(operation, model_text(m, m->operations[mid].name));
		if (order == 0) {
			*out = (struct model_call){ m, s, &m->operations[mid] };
			return true;
		}
		if (order < 0) {
			high = mid;
		} else {
			low = mid + 1;
		}
	}
	return false;
}

const struct model_member *model_at(
	const struct model *m, const struct model_shape *s, size_t i)
{
	return &m->members[s->first + i];
}

const struct model_member *model_member(
	const struct model *m, const struct model_shape *s, struct str name)
{
	if (s->type != MODEL_STRUCTURE) {
		return NULL;
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct model_member *mem = model_at(m, s, i);
		if (str_is(name, model_name(m, mem))) {
			return mem;
		}
	}
	return NULL;
}

const struct model_shape *model_shape_of(const struct model *m, const struct model_member *mem)
{
	return &m->shapes[mem->shape];
}

const char *model_name(const struct model *m, const struct model_member *mem)
{
	return model_text(m, mem->name);
}

const char *model_wire(const struct model *m, const struct model_member *mem)
{
	return model_text(m, mem->wire ? mem->wire : mem->name);
}

enum model_time model_time_of(
	const struct model *m, const struct model_member *mem, enum model_time otherwise)
{
	uint8_t own = m->extras[mem->extra].time;
	if (own == MODEL_TIME_DEFAULT) {
		own = m->extras[model_shape_of(m, mem)->extra].time;
	}
	return own == MODEL_TIME_DEFAULT ? otherwise : (enum model_time)own;
}

bool model_read_from_body(const struct model_member *mem)
{
	return mem->location == MODEL_BODY || mem->location == MODEL_URI ||
	       mem->location == MODEL_QUERYSTRING;
}

bool model_flattened(const struct model *m, const struct model_member *mem)
{
	return ((mem->flags | model_shape_of(m, mem)->flags) & MODEL_FLATTENED) != 0;
}

static const struct model_shape *shape_or_null(const struct model *m, uint16_t index)
{
	return index == MODEL_NO_SHAPE ? NULL : &m->shapes[index];
}

const struct model_shape *model_input(const struct model_call *c)
{
	return shape_or_null(c->m, c->op->input);
}

const struct model_shape *model_output(const struct model_call *c)
{
	return shape_or_null(c->m, c->op->output);
}

const struct model_member *model_payload(const struct model *m, const struct model_shape *s)
{
	return s && s->payload ? model_at(m, s, s->payload - 1u) : NULL;
}
