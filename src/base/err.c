#include "base/err.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int exit_code;
} statuses[] = {
	[ERR_OK] = { "ok", 0 },
	[ERR_FAILED] = { "failed", 1 },
	[ERR_USAGE] = { "usage", 2 },
	[ERR_CONFIG] = { "config", 3 },
	[ERR_DENIED] = { "denied", 4 },
	[ERR_UNREACHABLE] = { "unreachable", 5 },
	[ERR_PARTIAL] = { "partial", 6 },
	[ERR_AWAITING] = { "awaiting", 7 },
	[ERR_INTEGRITY] = { "integrity", 8 },
	[ERR_NOT_FOUND] = { "not_found", 1 },
	[ERR_CONFLICT] = { "conflict", 1 },
	[ERR_INPUT] = { "input", 1 },
	[ERR_LIMIT] = { "limit", 1 },
	[ERR_IO] = { "io", 1 },
	[ERR_REFUSED] = { "refused", 1 },
	[ERR_INTERRUPTED] = { "interrupted", 130 },
};

static const char *(*spoken)(const char *format);
static err_retell_fn retold;

void err_speak(const char *(*translate)(const char *format), err_retell_fn retell)
{
	spoken = translate;
	retold = retell;
}

const char *err_told(const struct err *e)
{
	return e->told[0] ? e->told : e->msg;
}

/* The same conversions in the same order: tools/check_po.py sees to it. */
__attribute__((format_arg(1))) static const char *translated(const char *fmt)
{
	return spoken ? spoken(fmt) : fmt;
}

/* Bytes that could steer a terminal become '?'; a UTF-8 sequence cut at the end goes away. */
static void make_printable(char *text)
{
	struct str s = str_from(text);
	size_t at = 0;
	while (at < s.n) {
		size_t len = str_utf8_len(str_sub(s, at, s.n));
		unsigned char c = (unsigned char)text[at];
		bool c1 = len == 2 && c == 0xc2 && (unsigned char)text[at + 1] < 0xa0;
		if (len == 0 || c1 || (c < 0x20 && c != '\n') || c == 0x7f) {
			len = len ? len : 1;
			memset(text + at, '?', len);
		}
		at += len;
	}
}

/* Takes the argument of the conversion after a '%'; *text when it is a whole string. Where it ends. */
static const char *take_argument(const char *p, va_list *ap, const char **text)
{
	bool cut = false;
	int longs = 0;
	bool size = false;
	for (; *p && strchr("-+ #0123456789.*", *p); p++) {
		cut |= *p == '.';
		if (*p == '*') {
			(void)va_arg(*ap, int);
		}
	}
	for (; *p && strchr("hlzjt", *p); p++) {
		longs += *p == 'l';
		size |= *p != 'l' && *p != 'h';
	}
	if (*p == 's' || *p == 'p') {
		const char *arg = va_arg(*ap, const char *);
		*text = *p == 's' && !cut ? arg : NULL;
	} else if (*p && strchr("eEfFgG", *p)) {
		(void)va_arg(*ap, double);
	} else if (*p != '%' && *p != '\0') {
		bool wide = longs > 0 || size; /* all of them 64 bits where cordon runs */
		_Static_assert(
			sizeof(long) == sizeof(long long) && sizeof(long) == sizeof(size_t),
			"sizes of integers are told apart by nothing else here");
		long skipped = wide ? va_arg(*ap, long) : va_arg(*ap, int);
		(void)skipped;
	}
	return *p ? p + 1 : p;
}

/*
 * What stands behind a colon at the end says why, often in a sentence of its own; names stand
 * elsewhere. NULL: there is none.
 */
static const char *reason_of(const char *fmt, va_list *ap)
{
	const char *p = fmt;
	while ((p = strchr(p, '%'))) {
		const char *text = NULL;
		bool begins = p == fmt || (p >= fmt + 2 && memcmp(p - 2, ": ", 2) == 0);
		p = take_argument(p + 1, ap, &text);
		bool ends = *p == '\0' || *p == ';' || strncmp(p, " (", 2) == 0;
		if (text && begins && ends) {
			return text;
		}
	}
	return NULL;
}

static const char *last_of(const char *text, const char *part)
{
	const char *found = NULL;
	for (const char *p = strstr(text, part); p && *part; p = strstr(p + 1, part)) {
		found = p;
	}
	return found;
}

/* The same in the language that is spoken, with its reason; "" when neither has a translation. */
__attribute__((format(printf, 2, 0))) static void tell(
	struct err *e, const char *fmt, va_list *args)
{
	va_list ap;
	va_copy(ap, *args);
	const char *why = reason_of(fmt, &ap);
	va_end(ap);
	char room[sizeof(e->told)];
	const char *why_told = why ? retold(why, room, sizeof(room)) : NULL;
	if (translated(fmt) == fmt && why_told == why) {
		return;
	}
	int n = vsnprintf(e->told, sizeof(e->told), translated(fmt), *args);
	const char *at = why_told != why ? last_of(e->told, why) : NULL;
	if (at && n > 0 && (size_t)n < sizeof(e->told)) {
		char rest[sizeof(e->told)];
		size_t head = (size_t)(at - e->told);
		memcpy(rest, at + strlen(why), strlen(at + strlen(why)) + 1);
		(void)snprintf(e->told + head, sizeof(e->told) - head, "%s%s", why_told, rest);
	}
	make_printable(e->told);
}

enum err_status err_set_at(
	struct err *e, enum err_status status, const char *file, int line, const char *fmt, ...)
{
	if (e) {
		err_clear(e);
		e->status = status;
		e->file = file;
		e->line = line;
		va_list ap;
		va_start(ap, fmt);
		(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
		va_end(ap);
		make_printable(e->msg);
		if (spoken) {
			va_start(ap, fmt);
			tell(e, fmt, &ap);
			va_end(ap);
		}
	}
	return status;
}

/* "head: text", as much of it as there is room for. */
static void put_before(char text[400], const char *head, int n)
{
	if (n < 0 || n + 3 > 400) {
		return;
	}
	size_t at = (size_t)n + 2;
	size_t rest = strnlen(text, 400 - at - 1);
	memmove(text + at, text, rest);
	memcpy(text, head, (size_t)n);
	memcpy(text + n, ": ", 2);
	text[at + rest] = '\0';
	make_printable(text);
}

enum err_status err_prefix(struct err *e, const char *fmt, ...)
{
	if (!e) {
		return ERR_FAILED;
	}
	char head[sizeof(e->msg)];
	va_list ap;
	if (e->told[0] || translated(fmt) != fmt) {
		if (!e->told[0]) {
			memcpy(e->told, e->msg, sizeof(e->told));
		}
		va_start(ap, fmt);
		int n = vsnprintf(head, sizeof(head), translated(fmt), ap);
		va_end(ap);
		put_before(e->told, head, n);
	}
	va_start(ap, fmt);
	int n = vsnprintf(head, sizeof(head), fmt, ap);
	va_end(ap);
	put_before(e->msg, head, n);
	return e->status;
}

void err_clear(struct err *e)
{
	if (e) {
		memset(e, 0, sizeof(*e));
	}
}

const char *err_name(enum err_status status)
{
	size_t i = (size_t)status;
	return i < sizeof(statuses) / sizeof(statuses[0]) ? statuses[i].name : "failed";
}

const char *err_errno(int code)
{
	const char *words = strerrordesc_np(code);
	return words != NULL ? words : "an error the system has no words for";
}

int err_exit_code(enum err_status status)
{
	size_t i = (size_t)status;
	return i < sizeof(statuses) / sizeof(statuses[0]) ? statuses[i].exit_code : 1;
}

void err_bug(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "cordon: broken invariant at %s:%d: %s\n", file, line, what);
	abort();
}
