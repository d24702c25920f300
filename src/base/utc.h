/* Times: milliseconds since 1970 UTC <-> the texts that AWS and logs use. No time zones, no libc. */
#ifndef CORDON_BASE_UTC_H
#define CORDON_BASE_UTC_H

#include "base/str.h"

struct utc_parts {
	int year, month, day, hour, minute, second, ms;
};

/* Civil date of a time (proleptic Gregorian). */
struct utc_parts utc_split(int64_t ms);
/* The inverse; the parts are taken as they are (month 1..12), no range check. */
int64_t utc_join(const struct utc_parts *p);
/*
 * RFC 3339 / ISO 8601: "2026-08-01T10:00:00Z", with fraction, with "+02:00", "T" or blank, or
 * the date alone. Years 1970..9999; leap second 60 accepted as 59. False on anything else.
 */
bool utc_parse(struct str s, int64_t *ms);
/* "2026-08-01T10:00:00Z" into out[32]; fraction ".123" only when ms is not 0. */
void utc_rfc3339(int64_t ms, char out[32]);
/* "20260801T100000Z" into out[20], as SigV4 wants. */
void utc_basic(int64_t ms, char out[20]);
/* "Sat, 01 Aug 2026 10:00:00 GMT" (RFC 9110), the HTTP Date header; false on anything else. */
bool utc_parse_http(struct str s, int64_t *ms);

#endif
