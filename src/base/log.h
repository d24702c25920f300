/* One JSON line an event on stderr. Never a payload, never a credential. */
#ifndef CORDON_BASE_LOG_H
#define CORDON_BASE_LOG_H

#include "base/env.h"

#include <jansson.h>

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL, LOG_OFF };

/*
 * Sets up the process-wide logger once, before threads start: the lowest level written, the
 * clock, the descriptor. The default is LOG_WARN on stderr.
 */
void log_setup(struct env *env, enum log_level lowest, int fd);
/* Lines as "LEVEL message key=value ..." for people instead of JSON (Lambda's log format Text). */
void log_text(bool on);
/* "debug" ... "fatal" in any case (AWS_LAMBDA_LOG_LEVEL's words); false when unknown. */
bool log_level_from(const char *name, enum log_level *out);
bool log_enabled(enum log_level level);
/* Fields that every later line of this process carries (function_name, correlation_id ...);
 * takes the reference; NULL clears. Not thread-safe: call between units of work. */
void log_context_take(json_t *fields);
/*
 * Writes {"timestamp","level","message", fields...}. `fields` is consumed and may be NULL; build
 * it with json_pack. One write(2), so lines of several threads do not mix.
 */
void log_event(enum log_level level, const char *message, json_t *fields_taken);
/* The same with an error's parts as fields. */
void log_err(enum log_level level, const char *message, const struct err *e);

#endif
