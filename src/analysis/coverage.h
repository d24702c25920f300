/*
 * Silence is proof only where something would have been heard. Nothing was found: is there a log
 * that would show an incident, does it cover the time, and is every question that the other
 * evidence raises answered? Only then is the answer "no incident".
 */
#ifndef CORDON_ANALYSIS_COVERAGE_H
#define CORDON_ANALYSIS_COVERAGE_H

#include "analysis/inquiry.h"

/* Decides between no_incident and undetermined when nobody is suspect. */
void coverage_decide(struct inquiry *q);
/* Whatever was decided: says what of the input was not read or found no room. */
void coverage_limits(struct inquiry *q);

#endif
