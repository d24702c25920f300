/* Unwraps what findings travel in: EventBridge, SQS, SNS, lists, lines. Room-internal. */
#ifndef CORDON_FINDING_ENVELOPE_H
#define CORDON_FINDING_ENVELOPE_H

#include "finding/finding.h"

/*
 * Adds what one parsed document holds to `set`, whose items have room to grow by FINDING_MAX_PARTS.
 * What can't be read goes to set->rejected. ERR_LIMIT past FINDING_MAX_PARTS.
 */
ERR_MUST_CHECK enum err_status envelope_open(
	json_t *doc, struct finding_set *set, struct err *err);
/* Notes a part that could not be read. ERR_LIMIT past FINDING_MAX_PARTS. */
ERR_MUST_CHECK enum err_status envelope_reject(
	struct finding_set *set, const char *reason, struct err *err);

#endif
