/* Which part of the logs a command is asked about: --since, --until and --region. */
#ifndef CORDON_APP_SPAN_H
#define CORDON_APP_SPAN_H

#include "app/app.h"

/* The rows for a command's table of options. */
#define SPAN_OPTIONS                                                                       \
	{ "since", 0, "TIME",                                                              \
		N_("Only what happened at or after: 2026-08-01T10:00:00Z, 2026-08-01, or " \
		   "24h, "                                                                 \
		   "30d before now"),                                                      \
		NULL },                                                                    \
	{                                                                                  \
		"until", 0, "TIME", N_("Only what happened at or before"), NULL            \
	}

struct span {
	int64_t from_ms, to_ms; /* 0 = open */
	struct str regions;     /* "eu-west-1,us-east-1"; empty = all */
	char first_region[64];
};

/*
 * Reads the options. ERR_USAGE for what is no time, and for an end before the beginning. When
 * --region names several, AWS is asked in the first. `out` must outlive the command.
 */
ERR_MUST_CHECK enum err_status span_read(struct app *app, struct span *out, struct err *err);
/* "2026-08-01T10:00Z", "2026-08-01", "24h", "-30d"; false on anything else. `now_ms` for the last. */
bool span_time(struct str text, int64_t now_ms, int64_t *out);

#endif
