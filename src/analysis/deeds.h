/* What a suspect did: rights, credentials, logs, data. It tells what, not who. */
#ifndef CORDON_ANALYSIS_DEEDS_H
#define CORDON_ANALYSIS_DEEDS_H

#include "analysis/inquiry.h"

/* Adds the claims about deeds to the suspect's evidence. */
void deeds_weigh(const struct inquiry *q, struct suspect *s);

#endif
