/* How a suspect signed in to the console: after how many failures, with a second factor or not. */
#ifndef CORDON_ANALYSIS_SIGNIN_H
#define CORDON_ANALYSIS_SIGNIN_H

#include "analysis/inquiry.h"

/* Adds the claims about sign-ins to the suspect's evidence. */
void signin_weigh(const struct inquiry *q, struct suspect *s);

#endif
