/*
 * lock-bucket: everybody is denied the bucket but those who are named. For a bucket whose data is
 * going out and nobody knows under which identity, or under several.
 */
#include "base/phrase.h"
#include "response/actions/bucket.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <stdlib.h>

/*
 * A service that acts for itself (log delivery) has no aws:PrincipalArn, which ArnNotLike takes for
 * "not like": hence the second condition ("AWS global condition context keys", IAM User Guide).
 */
static json_t *statement_for(const struct action_ctx *c, const json_t *allowed)
{
	char sid[IAM_NAME_MAX];
	json_t *bucket = bucket_arn(c, c->id);
	bucket_sid(c, true, sid);
	json_t *out = json_pack("{s:s,s:s,s:s,s:s,s:[O,o],s:{s:{s:O},s:{s:s}}}", "Sid", sid,
		"Effect", "Deny", "Principal", "*", "Action", "s3:*", "Resource", bucket,
		json_sprintf("%s/*", json_string_value(bucket)), "Condition", "ArnNotLike",
		"aws:PrincipalArn", allowed, "Bool", "aws:PrincipalIsAWSService", "false");
	json_decref(bucket);
	return out;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *allowed = NULL, *statement = NULL, *policy = NULL, *seen = NULL;
	char *text = NULL;
	bool there = false;
	enum err_status st = ERR_OK;
	TRY(bucket_exempt(c, &allowed, err));
	TRY(bucket_policy_read(c, c->id, &text, err));
	statement = statement_for(c, allowed);
	TRY(bucket_policy_merged(c->id, text, statement, &policy, err));
	TRY(bucket_policy_has(c, c->id, statement, &there, err));
	seen = json_pack("{s:s,s:O,s:s,s:o}", "bucket", c->id, "allowed", allowed, "policy",
		text ? text : "none", "doors", bucket_doors(c, c->id, text));
	if (there) {
		st = ec2_skip(
			json_incref(seen), N_("the bucket is locked already"), before, needed);
		goto out;
	}
	json_object_set(seen, "will", statement);
	*before = json_incref(seen);
	*needed = true;
out:
	free(text);
	json_decref(seen);
	json_decref(policy);
	json_decref(statement);
	json_decref(allowed);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	return bucket_statement_apply(
		c, statement_for(c, json_object_get(before, "allowed")), after, err);
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const json_t *statement = json_object_get(after, "statement");
	enum err_status st = bucket_policy_has(c, c->id, statement, ok, err);
	(void)before;
	if (st != ERR_OK) {
		return st;
	}
	*proof = json_pack("{s:s,s:O}", "bucket", c->id, "statement", statement);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("The policy of bucket {0} denies everything to everybody but those "
			   "who are named in it; all other statements are as they were."),
			PHRASE_ARGS(c->id));
	} else {
		phrase_set(*proof, "text",
			N_("The policy of bucket {0} does not hold the step's statement: "
			   "somebody wrote it again."),
			PHRASE_ARGS(c->id));
	}
	return ERR_OK;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	(void)after;
	return bucket_statement_undo(c, before,
		statement_for(c, json_object_get(before, "allowed")), differences, err);
}

static const char *const calls[] = { "s3:GetBucketPolicy", "s3:PutBucketPolicy",
	"s3:DeleteBucketPolicy", "s3:GetReplicationConfiguration", "sts:GetCallerIdentity",
	NULL };

const struct action action_lock_bucket = {
	.name = "lock-bucket",
	.title = N_("Deny the bucket to everybody but those who are named"),
	.why = N_("When data leaves under an identity that is not known, or under several, "
		  "only the bucket itself can be closed. cordon and the account's root stay "
		  "let in, so that it can be opened again."),
	.risk = N_("Everything that uses the bucket stops, except AWS services that write into "
		   "it for themselves (log delivery)."),
	.undo_text = N_(
		"The former policy is put back to the letter, or deleted when there was none; "
		"if somebody changed it since, only the step's statement is taken out."),
	.kinds = "S3Bucket",
	.calls = calls,
	.document = BUCKET_POLICY,
	.rounds = 3,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
