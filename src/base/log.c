#include "base/log.h"

#include "base/doc.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	struct env *env;
	enum log_level lowest;
	int fd;
	json_t *context;
	bool text;
} logger = { NULL, LOG_WARN, 2, NULL, false };

static const char *const names[] = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL" };

void log_setup(struct env *env, enum log_level lowest, int fd)
{
	logger.env = env;
	logger.lowest = lowest;
	logger.fd = fd;
}

void log_text(bool on)
{
	logger.text = on;
}

bool log_level_from(const char *name, enum log_level *out)
{
	if (name && str_eq_nocase(str_from(name), STR("off"))) {
		*out = LOG_OFF;
		return true;
	}
	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_eq_nocase(str_from(name), str_from(names[i]))) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level >= logger.lowest && level < LOG_OFF;
}

void log_context_take(json_t *fields)
{
	json_decref(logger.context);
	logger.context = fields;
}

static void write_line(const json_t *line, struct buf *out)
{
	/* jansson walks objects through a mutable handle; nothing is changed. */
	union {
		const json_t *borrowed;
		json_t *handle;
	} all = { line };
	const char *key;
	json_t *value;
	if (!logger.text) {
		char *dump = json_dumps(line, JSON_COMPACT);
		buf_puts(out, dump ? dump : "{}");
		buf_putc(out, '\n');
		free(dump);
		return;
	}
	buf_printf(out, "%s %s", json_string_value(json_object_get(line, "level")),
		json_string_value(json_object_get(line, "message")));
	json_object_foreach(all.handle, key, value)
	{
		if (strcmp(key, "level") != 0 && strcmp(key, "message") != 0) {
			char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
			buf_printf(out, " %s=%s", key, dump ? dump : "null");
			free(dump);
		}
	}
	buf_putc(out, '\n');
}

void log_event(enum log_level level, const char *message, json_t *fields_taken)
{
	if (log_enabled(level)) {
		char time[32];
		struct env *env = logger.env ? logger.env : env_system();
		utc_rfc3339(env_now_ms(env), time);
		json_t *line =
			json_pack("{s:s, s:s}", "timestamp", time, "level", names[level]);
		(void)json_object_set_new(line, "message", doc_str(str_from(message)));
		(void)json_object_update_missing(line, logger.context);
		(void)json_object_update_missing(line, fields_taken);
		struct buf text;
		buf_init(&text, 65536);
		write_line(line, &text);
		if (buf_ok(&text) && write(logger.fd, text.p, text.n) < 0) {
			/* Nowhere left to say it. */
		}
		buf_deinit(&text);
		json_decref(line);
	}
	json_decref(fields_taken);
}

void log_err(enum log_level level, const char *message, const struct err *e)
{
	if (!log_enabled(level)) {
		return;
	}
	json_t *f = json_object();
	(void)json_object_set_new(f, "status", json_string(err_name(e->status)));
	(void)json_object_set_new(f, "error", doc_str(str_from(e->msg)));
	if (e->code[0]) {
		(void)json_object_set_new(f, "code", doc_str(str_from(e->code)));
	}
	if (e->call[0]) {
		(void)json_object_set_new(f, "call", doc_str(str_from(e->call)));
	}
	if (e->request_id[0]) {
		(void)json_object_set_new(f, "request_id", doc_str(str_from(e->request_id)));
	}
	log_event(level, message, f);
}
