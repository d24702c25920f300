#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define MAX_BYTES ((size_t)1024 * 1024)
#define MAX_DEPTH 64
#define MAX_NODES 100000

struct parser {
	yaml_parser_t yaml;
	const char *name;
	json_t *lines;
	struct buf path;
	size_t nodes;
};

static enum err_status at_line(
	struct parser *p, struct err *err, const yaml_event_t *ev, const char *what)
{
	return err_set(err, ERR_CONFIG, "%s:%zu: %s", p->name, ev->start_mark.line + 1, what);
}

static enum err_status next_event(struct parser *p, yaml_event_t *ev, struct err *err)
{
	if (!yaml_parser_parse(&p->yaml, ev)) {
		return err_set(err, ERR_CONFIG, "%s:%zu: %s", p->name,
			p->yaml.problem_mark.line + 1,
			p->yaml.problem ? p->yaml.problem : "not valid YAML");
	}
	return ERR_OK;
}

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9') {
			return false;
		}
	}
	return s.n > 0;
}

/* The core schema, narrowed: see the header for what stays text. */
static json_t *plain_scalar(struct str s)
{
	int64_t n;
	struct str body = s.n && (s.p[0] == '-' || s.p[0] == '+') ? str_sub(s, 1, s.n) : s;
	if (s.n == 0 || str_is(s, "~") || str_is(s, "null") || str_is(s, "Null") ||
		str_is(s, "NULL")) {
		return json_null();
	}
	if (str_is(s, "true") || str_is(s, "True") || str_is(s, "TRUE")) {
		return json_true();
	}
	if (str_is(s, "false") || str_is(s, "False") || str_is(s, "FALSE")) {
		return json_false();
	}
	bool leading_zero = body.n > 1 && body.p[0] == '0' && body.p[1] != '.';
	if (!leading_zero && body.n < 12 && all_digits(body) && str_to_i64(s, &n)) {
		return json_integer(n);
	}
	size_t point = str_find_char(body, '.');
	if (!leading_zero && point != SIZE_MAX && all_digits(str_sub(body, 0, point)) &&
		all_digits(str_sub(body, point + 1, body.n)) && body.n < 20) {
		char *text = str_dup(s);
		json_t *v = json_real(strtod(text, NULL));
		free(text);
		return v;
	}
	return doc_str(s);
}

static void note_line(struct parser *p, const yaml_event_t *ev)
{
	(void)json_object_set_new(p->lines, p->path.p ? p->path.p : "",
		json_integer((json_int_t)ev->start_mark.line + 1));
}

static void path_cut(struct parser *p, size_t n)
{
	p->path.n = n;
	if (p->path.p) {
		p->path.p[n] = '\0';
	}
}

static enum err_status value(
	struct parser *p, yaml_event_t *ev, int depth, json_t **out, struct err *err);

/* NOLINTBEGIN(misc-no-recursion): bounded by MAX_DEPTH */
static enum err_status sequence(struct parser *p, int depth, json_t **out, struct err *err)
{
	json_t *list = json_array();
	enum err_status st = ERR_OK;
	for (size_t i = 0;; i++) {
		yaml_event_t ev;
		TRY(next_event(p, &ev, err));
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			break;
		}
		size_t mark = p->path.n;
		buf_printf(&p->path, "[%zu]", i);
		json_t *item = NULL;
		st = value(p, &ev, depth + 1, &item, err);
		yaml_event_delete(&ev);
		path_cut(p, mark);
		if (st != ERR_OK) {
			goto out;
		}
		(void)json_array_append_new(list, item);
	}
	*out = json_incref(list);
out:
	json_decref(list);
	return st;
}

static enum err_status member(
	struct parser *p, yaml_event_t *key_ev, int depth, json_t *map, struct err *err)
{
	if (key_ev->type != YAML_SCALAR_EVENT) {
		return at_line(p, err, key_ev, "a key must be plain text");
	}
	struct str key = { (const char *)key_ev->data.scalar.value,
		key_ev->data.scalar.length };
	if (memchr(key.p, 0, key.n) || !str_is_utf8(key)) {
		return at_line(p, err, key_ev, "a key must be plain text");
	}
	if (json_object_getn(map, key.p, key.n)) {
		return err_set(err, ERR_CONFIG, "%s:%zu: key '%.*s' appears twice", p->name,
			key_ev->start_mark.line + 1, STR_ARG(key));
	}
	size_t mark = p->path.n;
	buf_printf(&p->path, "%s%.*s", mark ? "." : "", STR_ARG(key));
	note_line(p, key_ev);
	yaml_event_t ev;
	json_t *v = NULL;
	enum err_status st = next_event(p, &ev, err);
	if (st == ERR_OK) {
		st = value(p, &ev, depth + 1, &v, err);
		yaml_event_delete(&ev);
	}
	path_cut(p, mark);
	if (st == ERR_OK) {
		(void)json_object_setn_new(map, key.p, key.n, v);
	}
	return st;
}

static enum err_status mapping(struct parser *p, int depth, json_t **out, struct err *err)
{
	json_t *map = json_object();
	enum err_status st = ERR_OK;
	for (;;) {
		yaml_event_t ev;
		TRY(next_event(p, &ev, err));
		if (ev.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&ev);
			break;
		}
		st = member(p, &ev, depth, map, err);
		yaml_event_delete(&ev);
		if (st != ERR_OK) {
			goto out;
		}
	}
	*out = json_incref(map);
out:
	json_decref(map);
	return st;
}

static enum err_status scalar(
	struct parser *p, const yaml_event_t *ev, json_t **out, struct err *err)
{
	struct str s = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	if (ev->data.scalar.tag) {
		return at_line(p, err, ev, "tags are not allowed");
	}
	*out = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_scalar(s) : doc_str(s);
	return ERR_OK;
}

static enum err_status value(
	struct parser *p, yaml_event_t *ev, int depth, json_t **out, struct err *err)
{
	if (depth > MAX_DEPTH) {
		return at_line(p, err, ev, "nested too deeply");
	}
	if (++p->nodes > MAX_NODES || !buf_ok(&p->path)) {
		return at_line(p, err, ev, "too many values");
	}
	if (!json_object_get(p->lines, p->path.p ? p->path.p : "")) {
		note_line(p, ev);
	}
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return scalar(p, ev, out, err);
	case YAML_SEQUENCE_START_EVENT:
		return sequence(p, depth, out, err);
	case YAML_MAPPING_START_EVENT:
		return mapping(p, depth, out, err);
	case YAML_ALIAS_EVENT:
		return at_line(p, err, ev, "aliases are not allowed");
	default:
		return at_line(p, err, ev, "a value is missing");
	}
}
/* NOLINTEND(misc-no-recursion) */

/* Reads events up to and including the start of the document. *empty when there is none. */
static enum err_status document_start(struct parser *p, bool *empty, struct err *err)
{
	for (;;) {
		yaml_event_t ev;
		enum err_status st = next_event(p, &ev, err);
		if (st != ERR_OK) {
			return st;
		}
		yaml_event_type_t type = ev.type;
		yaml_event_delete(&ev);
		if (type == YAML_DOCUMENT_START_EVENT || type == YAML_STREAM_END_EVENT) {
			*empty = type == YAML_STREAM_END_EVENT;
			return ERR_OK;
		}
	}
}

/* The document whose start was read, up to and including its end. */
static enum err_status document_body(struct parser *p, struct yaml_doc *out, struct err *err)
{
	yaml_event_t ev;
	json_t *v = NULL;
	enum err_status st = ERR_OK;
	p->lines = json_object();
	path_cut(p, 0);
	TRY(next_event(p, &ev, err));
	st = value(p, &ev, 0, &v, err);
	yaml_event_delete(&ev);
	if (st == ERR_OK) {
		TRY(next_event(p, &ev, err));
		yaml_event_delete(&ev);
		*out = (struct yaml_doc){ json_incref(v), json_incref(p->lines) };
	}
out:
	json_decref(v);
	json_decref(p->lines);
	p->lines = NULL;
	return st;
}

static enum err_status start(
	struct parser *p, struct str text, const char *name, struct err *err)
{
	*p = (struct parser){ .name = name };
	if (text.n > MAX_BYTES) {
		return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", name, MAX_BYTES);
	}
	if (!yaml_parser_initialize(&p->yaml)) {
		return err_set(err, ERR_FAILED, "libyaml can't start");
	}
	buf_init(&p->path, 8192);
	yaml_parser_set_input_string(
		&p->yaml, (const unsigned char *)(text.n ? text.p : ""), text.n);
	return ERR_OK;
}

static enum err_status nothing_follows(struct parser *p, struct err *err)
{
	yaml_event_t ev;
	enum err_status st = next_event(p, &ev, err);
	if (st == ERR_OK) {
		if (ev.type != YAML_STREAM_END_EVENT) {
			st = at_line(p, err, &ev, "only one document is allowed in this file");
		}
		yaml_event_delete(&ev);
	}
	return st;
}

enum err_status yaml_parse(
	struct str text, const char *name, struct yaml_doc *out, struct err *err)
{
	struct parser p;
	struct yaml_doc doc = { NULL, NULL };
	bool empty = false;
	enum err_status st = start(&p, text, name, err);
	if (st != ERR_OK) {
		return st;
	}
	TRY(document_start(&p, &empty, err));
	if (empty) {
		doc = (struct yaml_doc){ json_object(), json_object() };
	} else {
		TRY(document_body(&p, &doc, err));
		TRY(nothing_follows(&p, err));
	}
	*out = doc;
	doc = (struct yaml_doc){ NULL, NULL };
out:
	yaml_deinit(&doc);
	buf_deinit(&p.path);
	yaml_parser_delete(&p.yaml);
	return st;
}

enum err_status yaml_parse_all(
	struct str text, const char *name, yaml_take_fn take, void *ctx, struct err *err)
{
	struct parser p;
	bool empty = false;
	enum err_status st = start(&p, text, name, err);
	if (st != ERR_OK) {
		return st;
	}
	for (;;) {
		struct yaml_doc doc = { NULL, NULL };
		TRY(document_start(&p, &empty, err));
		if (empty) {
			break;
		}
		TRY(document_body(&p, &doc, err));
		st = take(ctx, &doc, err);
		yaml_deinit(&doc);
		if (st != ERR_OK) {
			break;
		}
	}
out:
	buf_deinit(&p.path);
	yaml_parser_delete(&p.yaml);
	return st;
}

void yaml_deinit(struct yaml_doc *d)
{
	json_decref(d->root);
	json_decref(d->lines);
	*d = (struct yaml_doc){ NULL, NULL };
}

int yaml_line(const struct yaml_doc *d, const char *path)
{
	struct str s = str_from(path);
	for (;;) {
		const json_t *line = json_object_getn(d->lines, s.n ? s.p : "", s.n);
		if (json_is_integer(line)) {
			return (int)json_integer_value(line);
		}
		while (s.n && s.p[s.n - 1] != '.' && s.p[s.n - 1] != '[') {
			s.n--;
		}
		if (s.n == 0) {
			return 1;
		}
		s.n--;
	}
}
