/* The parts that access logs have in common: quoted fields and the time in brackets. */
#ifndef CORDON_ANALYSIS_CLF_H
#define CORDON_ANALYSIS_CLF_H

#include "base/str.h"

/* Cuts the next token up to a blank off the front, blanks before it skipped. */
struct str clf_word(struct str *rest);
/*
 * Cuts a text between double quotes off the front; a backslash guards the next byte. False when
 * none stands there or it does not end.
 */
bool clf_quoted(struct str *rest, struct str *out);
/* "10/Jul/2023:12:00:00 +0200", what stands between the brackets; false when it is no such time. */
bool clf_time(struct str s, int64_t *ms);
/* Cuts "[...]" off the front and reads the time in it. */
bool clf_bracketed_time(struct str *rest, int64_t *ms);
/* Digits and dots, or hexadecimal digits and colons: it may be an address. */
bool clf_is_address(struct str s);

#endif
