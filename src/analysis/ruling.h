/* What every ruling is made of: what is missing, what else it could be, whose deed it was. */
#ifndef CORDON_ANALYSIS_RULING_H
#define CORDON_ANALYSIS_RULING_H

#include "analysis/inquiry.h"

/* Certainty has a ceiling: chance and look-alikes never vanish. */
#define RULING_MOST 0.99

/* Adds a sentence (N_) about evidence that would settle it, once. */
void ruling_missing(struct inquiry *q, const char *text);
/* Adds another explanation with its probability and what speaks against it (N_). */
void ruling_alternative(
	struct inquiry *q, enum inquiry_class c, double confidence, const char *against);
/* The usual gaps in the evidence for a class. */
void ruling_gaps(struct inquiry *q, enum inquiry_class c);
/* Takes the claims about a suspect over into the verdict's. */
void ruling_claims(struct inquiry *q, const struct suspect *s);
/* The suspect is the attack's. */
bool ruling_is_attack(const struct inquiry *q, size_t suspect);
/* The row of S3's access logs is the attack's: its principals at its addresses, or visitors. */
bool ruling_reads(const struct inquiry *q, const struct s3log_row *row);

#endif
