/*
 * Who may answer a step that waits: the list of a playbook's `approve.who`, or response.approvers.
 * An ARN is proved by AWS. A name is what this machine, or the person at a link, says: it stops a
 * mistake, not somebody who may write the journal.
 */
#ifndef CORDON_RESPONSE_APPROVER_H
#define CORDON_RESPONSE_APPROVER_H

#include "base/doc.h"
#include "base/err.h"

struct approver {
	const char *person; /* "ana": a user name, or a name typed at a link; NULL: none */
	const char *arn;    /* of the AWS caller; NULL: not known */
};

/*
 * Is `by` in `who` (globs over names and ARNs, any case; NULL or empty: anybody)? The ARN of a session
 * also counts as that of its role.
 */
bool approver_listed(const json_t *who, const struct approver *by);
/* Does the list name ARNs at all, so that AWS is worth asking? */
bool approver_wants_arn(const json_t *who);
/* The sentence for somebody who is not, for people and the journal. */
void approver_refusal(const json_t *who, const struct approver *by, const char *step,
	const char *case_id, char out[600]);

#endif
