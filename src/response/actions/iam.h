/* What the credential and bucket actions share: who is meant, inline policies, the caller's own name. */
#ifndef CORDON_RESPONSE_ACTIONS_IAM_H
#define CORDON_RESPONSE_ACTIONS_IAM_H

#include "response/action.h"

#define IAM_NAME_MAX     129   /* a policy, role or user name with its NUL */
#define IAM_DOCUMENT_MAX 32768 /* larger than any policy document AWS keeps */
#define IAM_READS        6     /* IAM shows a change after seconds: so often it is read again */

/* An inline policy of a user or role. Borrowed text. */
struct iam_inline {
	const char *kind; /* "User" or "Role", as it stands in the operations' names */
	const char *name; /* of the user or role */
	const char *policy;
};

/* Denies everything. New reference. */
json_t *iam_deny_all(void);
/*
 * Denies everything to credentials issued before `cutoff_ms`, rounded up to the second since
 * aws:TokenIssueTime has no fraction ("Revoke role temporary credentials", IAM User Guide).
 * New reference.
 */
json_t *iam_deny_older(int64_t cutoff_ms);
/* "cordon-WORD-CASE" with what a policy name may not hold replaced by '-'. */
void iam_policy_name(const struct action_ctx *c, const char *word, char out[IAM_NAME_MAX]);
/* The last segment of an ARN ("arn:aws:iam::1:role/a/b" -> "b"). Borrowed. */
const char *iam_name_of(const char *arn);
/*
 * A policy document as IAM and S3 give it: JSON, percent-encoded or not. *out is a new reference;
 * ERR_INPUT when it is no JSON object.
 */
ERR_MUST_CHECK enum err_status iam_document(const char *text, json_t **out, struct err *err);
/* Compact text of a document, heap; the caller frees. */
char *iam_text(const json_t *document);

/* *document is a new reference, NULL when there is no such policy, user or role. */
ERR_MUST_CHECK enum err_status iam_inline_get(const struct action_ctx *c,
	const struct iam_inline *p, json_t **document, struct err *err);
ERR_MUST_CHECK enum err_status iam_inline_put(const struct action_ctx *c,
	const struct iam_inline *p, const json_t *document, struct err *err);
/*
 * Reads the policy until it is `document`, IAM_READS times at most; *same says whether it came.
 */
ERR_MUST_CHECK enum err_status iam_inline_check(const struct action_ctx *c,
	const struct iam_inline *p, const json_t *document, bool *same, struct err *err);
/*
 * Deletes the policy when it is still `document` (any, when NULL or the step is forced); one
 * that somebody rewrote stays and is named in `differences`. A policy that is gone is fine.
 */
ERR_MUST_CHECK enum err_status iam_inline_undo(const struct action_ctx *c,
	const struct iam_inline *p, const json_t *document, json_t *differences,
	struct err *err);

/* The finding's access key resource: that of the step's id, else the first. NULL without one. */
const struct finding_resource *iam_key_resource(const struct action_ctx *c);
/*
 * The IAM user that the step is about, as {"user":name}, or {"reason":why there is none}: from
 * the parameter `user`, the finding, or iam:GetAccessKeyLastUsed. The caller's own user is none:
 * cordon does not cut the branch it sits on. *out is a new reference.
 */
ERR_MUST_CHECK enum err_status iam_user(
	const struct action_ctx *c, json_t **out, struct err *err);
/*
 * True when `arn` (a user, role, or account root) is the caller itself or covers it.
 */
ERR_MUST_CHECK enum err_status iam_is_caller(
	const struct action_ctx *c, const char *arn, bool *same, struct err *err);
/* The role is one that IAM Identity Center made for a permission set. */
bool iam_is_identity_center(const char *role);
/*
 * Why the sessions of a role (a GetRole answer) must not or can't be revoked, as a static
 * sentence, or NULL.
 */
const char *iam_role_refusal(const json_t *role);

#endif
