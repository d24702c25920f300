/*
 * What the bucket actions share: a bucket's policy with one statement of cordon's own merged in, and the
 * doors that a statement does not close.
 *
 * S3 has no condition on PutBucketPolicy, so two that write the policy of one bucket at the same time can
 * lose each other's statement: the engine runs no two steps on one policy side by side, of whatever
 * case or process (BUCKET_POLICY), and against anybody else what was written is read back and written
 * again. Each step's statement bears a Sid of its own, by which it is found again, whoever else changed
 * the policy.
 */
#ifndef CORDON_RESPONSE_ACTIONS_BUCKET_H
#define CORDON_RESPONSE_ACTIONS_BUCKET_H

#include "response/actions/iam.h"

#define BUCKET_POLICY_MAX 20480           /* Amazon S3 User Guide, "Bucket policies": 20 KB */
#define BUCKET_POLICY     "bucket-policy" /* struct action: document */
#define BUCKET_NAME_MAX   256
#define BUCKET_ALLOW_MAX  20 /* ARNs in the parameter `allow` */

/* The bucket of a step's id: of an object, what stands before the first '/'. */
void bucket_name(const struct action_ctx *c, char out[BUCKET_NAME_MAX]);
/* "CordonDeny" and letters and digits of the case and, when `step`, of the step's token. */
void bucket_sid(const struct action_ctx *c, bool step, char out[IAM_NAME_MAX]);
/* "arn:PARTITION:s3:::bucket"; new reference. */
json_t *bucket_arn(const struct action_ctx *c, const char *bucket);

/* The policy's own text; *out is NULL when the bucket has none. Heap. */
ERR_MUST_CHECK enum err_status bucket_policy_read(
	const struct action_ctx *c, const char *bucket, char **out, struct err *err);
/*
 * `text` (NULL: no policy) with the statement in it, in the place of one with the same Sid. ERR_LIMIT
 * when S3 would not take it. New reference.
 */
ERR_MUST_CHECK enum err_status bucket_policy_merged(const char *bucket, const char *text,
	const json_t *statement, json_t **out, struct err *err);
/* The bucket's policy holds exactly this statement. */
ERR_MUST_CHECK enum err_status bucket_policy_has(const struct action_ctx *c, const char *bucket,
	const json_t *statement, bool *has, struct err *err);
/* Merges the statement into the policy as it is now, until a read-back shows it. */
ERR_MUST_CHECK enum err_status bucket_policy_add(const struct action_ctx *c, const char *bucket,
	const json_t *statement, struct err *err);
/*
 * Takes the statement out. `old` is the policy's text from before the step ("none"): when nothing else
 * changed since, it is put back to the letter. Foreign changes stay and are named; cordon's own
 * statements of other steps are none. With `force` the policy from before the step is put back whatever
 * is there now, but for the statements of other steps that stand. A policy that somebody deleted stays deleted, and is named.
 */
ERR_MUST_CHECK enum err_status bucket_policy_undo(const struct action_ctx *c,
	const char *bucket, const char *old, const json_t *statement, json_t *differences,
	struct err *err);
/*
 * The apply and the undo of a step that is one statement in the policy of the bucket c->id, and nothing
 * else. Both take the statement over; `before` holds the policy's text from before the step.
 */
ERR_MUST_CHECK enum err_status bucket_statement_apply(
	const struct action_ctx *c, json_t *statement_taken, json_t **after, struct err *err);
ERR_MUST_CHECK enum err_status bucket_statement_undo(const struct action_ctx *c,
	const json_t *before, json_t *statement_taken, json_t **differences, struct err *err);

/*
 * Who a deny for everybody must leave out: the account's root, cordon itself (else only root could undo
 * it), and the ARNs of the step's parameter `allow`. New reference.
 */
ERR_MUST_CHECK enum err_status bucket_exempt(
	const struct action_ctx *c, json_t **out, struct err *err);
/*
 * Ways to the data that a deny in the bucket's policy leaves open or that it is good to know, as
 * phrases: statements for other accounts, replication, what presigned URLs do. `policy` may be
 * NULL. New reference.
 */
json_t *bucket_doors(const struct action_ctx *c, const char *bucket, const char *policy);

#endif
