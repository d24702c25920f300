/*
 * What a person answers to a step that waits. The first answer that came in time decides; every
 * other way in is refused with a sentence that says why and what to do.
 */
#ifndef CORDON_RESPONSE_APPROVAL_H
#define CORDON_RESPONSE_APPROVAL_H

#include "incident/journal.h"
#include "response/approver.h"

/*
 * The open question of the case about `step` (NULL: the only one there is); borrowed from the
 * view. ERR_NOT_FOUND: the case has no such step, or nothing waits; ERR_USAGE: several wait and
 * none was named; ERR_REFUSED: answered already, out of time, or put about a plan that has changed
 * since.
 */
ERR_MUST_CHECK enum err_status approval_find(const json_t *view, const char *step,
	int64_t now_ms, const json_t **question, struct err *err);

struct approval_answer {
	bool approved;
	struct approver by;
	const char *reason; /* "" is fine */
	const json_t
		*via; /* {"channel":"command"|"link", ..}: how the person came in; borrowed */
};
/*
 * An answer by somebody whom the question does not name is not recorded as one: ERR_REFUSED, and the
 * try stands in the journal as held back by the guard GUARD_APPROVER. Else
 * records the answer to a question of approval_find in the name of the journal's actor, and reads
 * back whether it was the first. ERR_CONFLICT: somebody else was faster, and said what.
 */
ERR_MUST_CHECK enum err_status approval_decide(struct journal *j, const char *case_id,
	const json_t *question, const struct approval_answer *answer, struct err *err);

#endif
