/* Is a credential where it is at home? Address, program and overlap, against its other uses. */
#ifndef CORDON_ANALYSIS_ORIGIN_H
#define CORDON_ANALYSIS_ORIGIN_H

#include "analysis/inquiry.h"

/* Adds what the suspect's address says for and against it. */
void origin_weigh(const struct inquiry *q, struct suspect *s);

#endif
