#include "aws/validate.h"

#include "aws/value.h"
#include "base/hash.h"

#include <string.h>

#define MAX_DEPTH 64

struct check {
	const struct model_call *call;
	struct buf path;
	int depth;
	struct err *err;
};

static enum err_status wrong(struct check *k, const char *what)
{
	return err_set(k->err, ERR_USAGE, "%s %s: %s %s",
		model_text(k->call->m, k->call->service->name),
		model_text(k->call->m, k->call->op->name), k->path.n ? k->path.p : "parameters",
		what);
}

static void add_name(struct check *k, const char *name)
{
	if (k->path.n) {
		buf_putc(&k->path, '.');
	}
	buf_puts(&k->path, name);
}

static enum err_status check_value(
	struct check *k, const struct model_member *mem, const json_t *v);

/* NOLINTBEGIN(misc-no-recursion): bounded by MAX_DEPTH */
/* Appends to the path, checks, and takes it off again. */
static enum err_status check_at(struct check *k, const char *key, size_t index,
	const struct model_member *mem, const json_t *v)
{
	size_t before = k->path.n;
	if (key) {
		add_name(k, key);
	} else {
		buf_printf(&k->path, "[%zu]", index);
	}
	enum err_status st = check_value(k, mem, v);
	if (st == ERR_OK && k->path.p) {
		k->path.n = before;
		k->path.p[before] = '\0';
	}
	return st;
}

static enum err_status unknown(struct check *k, const struct model_shape *s, const char *key)
{
	const struct model *m = k->call->m;
	add_name(k, key);
	for (size_t i = 0; i < s->n; i++) {
		const char *name = model_name(m, model_at(m, s, i));
		if (str_eq_nocase(str_from(name), str_from(key)) ||
			str_eq_nocase(
				str_from(model_wire(m, model_at(m, s, i))), str_from(key))) {
			char what[128];
			(void)snprintf(
				what, sizeof(what), "is no parameter; did you mean %s?", name);
			return wrong(k, what);
		}
	}
	return wrong(k, "is no parameter of this operation");
}

static enum err_status check_structure(
	struct check *k, const struct model_shape *s, const json_t *v)
{
	const struct model *m = k->call->m;
	if (v && !json_is_object(v)) {
		return wrong(k, "must be an object");
	}
	const char *key;
	json_t *item;
	json_object_foreach((json_t *)(uintptr_t)v, key, item)
	{
		const struct model_member *mem = model_member(m, s, str_from(key));
		if (!mem) {
			return unknown(k, s, key);
		}
		enum err_status st =
			json_is_null(item) ? ERR_OK : check_at(k, key, 0, mem, item);
		if (st != ERR_OK) {
			return st;
		}
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct model_member *mem = model_at(m, s, i);
		const json_t *have = json_object_get(v, model_name(m, mem));
		bool filled = (mem->flags & (MODEL_IDEMPOTENCY | MODEL_STREAMING)) != 0;
		if ((mem->flags & MODEL_REQUIRED) && !filled && (!have || json_is_null(have))) {
			add_name(k, model_name(m, mem));
			return wrong(k, "is required and missing");
		}
	}
	return ERR_OK;
}

static enum err_status check_list(struct check *k, const struct model_shape *s, const json_t *v)
{
	if (!json_is_array(v)) {
		return wrong(k, "must be a list");
	}
	size_t i;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)v, i, item)
	{
		enum err_status st = check_at(k, NULL, i, model_at(k->call->m, s, 0), item);
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

static enum err_status check_map(struct check *k, const struct model_shape *s, const json_t *v)
{
	if (!json_is_object(v)) {
		return wrong(k, "must be an object");
	}
	const char *key;
	json_t *item;
	json_object_foreach((json_t *)(uintptr_t)v, key, item)
	{
		enum err_status st = check_at(k, key, 0, model_at(k->call->m, s, 1), item);
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

static bool is_special_float(const json_t *v)
{
	const char *s = json_string_value(v);
	return s && (strcmp(s, "NaN") == 0 || strcmp(s, "Infinity") == 0 ||
			    strcmp(s, "-Infinity") == 0);
}

static bool is_base64(const json_t *v)
{
	if (!json_is_string(v)) {
		return false;
	}
	struct buf b;
	buf_init(&b, json_string_length(v) + 8);
	struct str s = { json_string_value(v), json_string_length(v) };
	bool ok = hash_unbase64(s, &b);
	buf_deinit(&b);
	return ok;
}

static enum err_status check_scalar(struct check *k, enum model_type type, const json_t *v)
{
	int64_t ms;
	switch (type) {
	case MODEL_STRING:
		return json_is_string(v) ? ERR_OK : wrong(k, "must be a string");
	case MODEL_INTEGER:
		return json_is_integer(v) ? ERR_OK : wrong(k, "must be an integer");
	case MODEL_FLOAT:
		return json_is_number(v) || is_special_float(v) ? ERR_OK
								: wrong(k, "must be a number");
	case MODEL_BOOLEAN:
		return json_is_boolean(v) ? ERR_OK : wrong(k, "must be true or false");
	case MODEL_BLOB:
		return is_base64(v) ? ERR_OK : wrong(k, "must be a base64 string");
	case MODEL_TIMESTAMP:
		return value_time(v, &ms) ? ERR_OK
					  : wrong(k, "must be a time: \"2026-08-01T10:00:00Z\" "
						     "or Unix seconds");
	default:
		return ERR_OK;
	}
}

static enum err_status check_value(
	struct check *k, const struct model_member *mem, const json_t *v)
{
	const struct model_shape *s = model_shape_of(k->call->m, mem);
	if (mem->flags & MODEL_JSON_VALUE) {
		return ERR_OK;
	}
	if (k->depth >= MAX_DEPTH) {
		return wrong(k, "is nested too deeply");
	}
	k->depth++;
	enum err_status st;
	switch (s->type) {
	case MODEL_STRUCTURE:
		st = check_structure(k, s, v);
		break;
	case MODEL_LIST:
		st = check_list(k, s, v);
		break;
	case MODEL_MAP:
		st = check_map(k, s, v);
		break;
	default:
		st = check_scalar(k, (enum model_type)s->type, v);
		break;
	}
	k->depth--;
	return st;
}
/* NOLINTEND(misc-no-recursion) */

enum err_status validate_params(
	const struct model_call *c, const json_t *params, struct err *err)
{
	static const struct model_shape none = { .type = MODEL_STRUCTURE };
	const struct model_shape *input = model_input(c);
	struct check k = { .call = c, .err = err };
	buf_init(&k.path, (size_t)64 * 1024);
	enum err_status st = check_structure(&k, input ? input : &none, params);
	buf_deinit(&k.path);
	return st;
}
