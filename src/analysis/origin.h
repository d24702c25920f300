/* Is a credential where it is at home? Address, program and overlap, against its other uses. */
#ifndef CORDON_ANALYSIS_ORIGIN_H
#define CORDON_ANALYSIS_ORIGIN_H

#include "analysis/inquiry.h"

#define ORIGIN_PROGRAMS 160

/* The same family of program was used by both. */
bool origin_shares_program(
	const struct inquiry *q, const struct suspect *a, const struct suspect *b);
/* The families of a suspect's programs, as words. */
void origin_programs(
	const struct inquiry *q, const struct suspect *s, char out[ORIGIN_PROGRAMS]);
/* A person who used the same programs at another place before, and is not there any more. */
bool origin_moved_in(const struct inquiry *q, const struct suspect *s);
/* Adds what the suspect's address says for and against it. */
void origin_weigh(const struct inquiry *q, struct suspect *s);

#endif
