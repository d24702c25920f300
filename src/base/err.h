/*
 * One status type for everything that can fail, and one struct that says what went wrong.
 * Status values map to the exit codes of docs (0 ok ... 8 integrity, 130 interrupted).
 */
#ifndef CORDON_BASE_ERR_H
#define CORDON_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum err_status {
	ERR_OK = 0,
	ERR_FAILED,      /* anything without a better name */
	ERR_USAGE,       /* wrong command line */
	ERR_CONFIG,      /* configuration or credentials missing or wrong */
	ERR_DENIED,      /* AWS refused: not authorised */
	ERR_UNREACHABLE, /* network down, time-out, throttled for too long */
	ERR_PARTIAL,     /* some of it done */
	ERR_AWAITING,    /* waits for a person */
	ERR_INTEGRITY,   /* a hash or chain does not fit */
	ERR_NOT_FOUND,   /* the thing named does not exist */
	ERR_CONFLICT,    /* somebody else changed it, or it exists already */
	ERR_INPUT,       /* malformed input */
	ERR_LIMIT,       /* a ceiling on size, depth, count or time was reached */
	ERR_IO,          /* file system: full, unreadable ... */
	ERR_REFUSED,     /* cordon itself refused: guard, dry run, safety rule */
	ERR_INTERRUPTED, /* signal */
};

/* What went wrong. Caller's memory; zero-initialise. All text is safe to print on a terminal. */
struct err {
	enum err_status status;
	char msg[400]; /* what, why, and the next thing to do; English: for records, programs */
	char told[400];      /* the same in the language of err_speak; "" = no other than msg */
	char code[80];       /* AWS error code ("AccessDenied"), or "" */
	char request_id[80]; /* AWS request id, or "" */
	char call[96];       /* "ec2:DescribeInstances", or "" */
	int http_status;     /* 0 when no answer came */
	bool retryable;      /* AWS or the transport says a repeat may work */
	const char *file;    /* where it was first set */
	int line;
};

#define ERR_MUST_CHECK __attribute__((warn_unused_result))

/*
 * Fills `e` (may be NULL) and returns `status`. Control characters in the formatted text are
 * replaced by '?'. Use the macro err_set(), which adds the place.
 */
__attribute__((format(printf, 5, 6))) enum err_status err_set_at(struct err *e,
	enum err_status status, const char *file, int line, const char *fmt, ...);
#define err_set(e, status, ...) err_set_at((e), (status), __FILE__, __LINE__, __VA_ARGS__)

/*
 * From now on errors also say what went wrong in another language: `translate` gives a format with
 * the same conversions, or the one it got when it knows none (po/es/errors.po); `retell` the same for
 * a sentence that was made of one (i18n_told). NULL: English alone, as at first. Set before other
 * threads are there.
 */
typedef const char *(*err_retell_fn)(const char *text, char *out, size_t size);
void err_speak(const char *(*translate)(const char *format), err_retell_fn retell);
/* For people: in the language that is spoken, as far as it can be said in it. */
const char *err_told(const struct err *e);
/* Puts "text: " before the message of an error that is passed on. Returns e's status. */
__attribute__((format(printf, 2, 3))) enum err_status err_prefix(
	struct err *e, const char *fmt, ...);
/* Zeroes *e (may be NULL). */
void err_clear(struct err *e);
/* Short lower-case name: "denied", "unreachable" ... for logs and JSON. Static. */
const char *err_name(enum err_status status);
/* The system's words for an errno, without its locale; static, for any thread. */
const char *err_errno(int code);
/* Process exit code of a status (design 4.8). */
int err_exit_code(enum err_status status);

/* The one flow macro: on failure goes to `out:` with `st` holding the status. */
#define TRY(expr)                   \
	do {                        \
		st = (expr);        \
		if (st != ERR_OK) { \
			goto out;   \
		}                   \
	} while (0)

/* A broken invariant of our own: prints the place and aborts. Never for outside conditions. */
_Noreturn void err_bug(const char *file, int line, const char *what);
#define BUG(what) err_bug(__FILE__, __LINE__, (what))

#endif
