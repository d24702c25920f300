/*
 * The owner's own hand: grave deeds with valid credentials, from where they are always used. An
 * insider and a thief at the owner's desk look the same, so no more is said than that.
 */
#ifndef CORDON_ANALYSIS_INSIDER_H
#define CORDON_ANALYSIS_INSIDER_H

#include "analysis/inquiry.h"

/* The suspect is where its owner is known to be, and nothing says that it is a stranger. */
bool insider_is_home(const struct suspect *s);
/* Decides for valid_credentials_known_origin, or asks, when the deeds are grave enough. */
bool insider_decide(struct inquiry *q);

#endif
