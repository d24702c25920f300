/*
 * quarantine-object: a tag on the object, and a deny in the bucket's policy for what bears the tag. The
 * tag is written before the deny and taken away after it: a responder whom the deny does not exempt by
 * mistake can still be undone.
 */
#include "base/phrase.h"
#include "response/actions/bucket.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <stdlib.h>
#include <string.h>

#define TAG      "cordon-quarantine"
#define TAGS_MAX 10 /* of an object */

/* {"Bucket","Key","VersionId"?}; new reference. */
static json_t *object_of(const struct action_ctx *c)
{
	char bucket[BUCKET_NAME_MAX];
	const char *slash = strchr(c->id, '/');
	bucket_name(c, bucket);
	return json_pack("{s:s,s:s,s:s*}", "Bucket", bucket, "Key", slash ? slash + 1 : "",
		"VersionId", ec2_with(c, "version", NULL));
}

/* The tag's value is the step's own: two objects of a case are let go one by one. */
static json_t *statement_for(const struct action_ctx *c, const json_t *allowed)
{
	char sid[IAM_NAME_MAX], bucket[BUCKET_NAME_MAX];
	bucket_name(c, bucket);
	bucket_sid(c, true, sid);
	json_t *arn = bucket_arn(c, bucket);
	json_t *out = json_pack("{s:s,s:s,s:s,s:[s,s,s,s,s,s],s:o,s:{s:{s:s},s:{s:O}}}", "Sid",
		sid, "Effect", "Deny", "Principal", "*", "Action", "s3:GetObject",
		"s3:GetObjectVersion", "s3:PutObjectTagging", "s3:PutObjectVersionTagging",
		"s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging", "Resource",
		json_sprintf("%s/*", json_string_value(arn)), "Condition", "StringEquals",
		"s3:ExistingObjectTag/" TAG, c->token, "ArnNotLike", "aws:PrincipalArn",
		allowed);
	json_decref(arn);
	return out;
}

static enum err_status read_tags(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *params = object_of(c), *answer = NULL;
	enum err_status st = aws_call(c->aws, "s3", "GetObjectTagging", params, &answer, err);
	if (st == ERR_OK) {
		json_t *tags = json_object_get(answer, "TagSet");
		*out = json_is_array(tags) ? json_incref(tags) : json_array();
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

/* The tags without ours; new reference. */
static json_t *others(const json_t *tags)
{
	json_t *out = json_array(), *tag;
	size_t i;
	json_array_foreach(tags, i, tag)
	{
		if (strcmp(doc_text_or(tag, "Key", ""), TAG) != 0) {
			json_array_append(out, tag);
		}
	}
	return out;
}

static enum err_status write_tags(
	const struct action_ctx *c, const json_t *tags, struct err *err)
{
	json_t *params = object_of(c);
	const char *operation = "DeleteObjectTagging";
	if (json_array_size(tags) > 0) {
		json_object_set_new(params, "Tagging", json_pack("{s:O}", "TagSet", tags));
		operation = "PutObjectTagging";
	}
	enum err_status st = aws_call(c->aws, "s3", operation, params, NULL, err);
	json_decref(params);
	return st;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *tags = NULL, *allowed = NULL, *seen = NULL, *rest = NULL;
	char bucket[BUCKET_NAME_MAX];
	char *text = NULL;
	enum err_status st = ERR_OK;
	bucket_name(c, bucket);
	TRY(read_tags(c, &tags, err));
	TRY(bucket_exempt(c, &allowed, err));
	TRY(bucket_policy_read(c, bucket, &text, err));
	seen = json_pack("{s:o,s:O,s:O,s:s,s:o}", "object", object_of(c), "tags", tags,
		"allowed", allowed, "policy", text ? text : "none", "doors",
		bucket_doors(c, bucket, text));
	rest = others(tags);
	if (json_array_size(rest) == TAGS_MAX) {
		st = ec2_skip(json_incref(seen),
			N_("the object bears ten tags, and S3 takes no more: take one away, or "
			   "lock the bucket"),
			before, needed);
	} else if (ec2_tag(tags, TAG)) {
		st = ec2_skip(json_incref(seen), N_("the object is in quarantine already"),
			before, needed);
	} else {
		*before = json_incref(seen);
		*needed = true;
	}
out:
	free(text);
	json_decref(rest);
	json_decref(seen);
	json_decref(allowed);
	json_decref(tags);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	json_t *statement = statement_for(c, json_object_get(before, "allowed"));
	json_t *tags = NULL, *now = NULL;
	char bucket[BUCKET_NAME_MAX];
	enum err_status st = ERR_OK;
	bucket_name(c, bucket);
	TRY(read_tags(c, &now, err));
	tags = others(now);
	json_array_append_new(tags, json_pack("{s:s,s:s}", "Key", TAG, "Value", c->token));
	TRY(write_tags(c, tags, err));
	TRY(bucket_policy_add(c, bucket, statement, err));
	*after = json_pack("{s:O,s:O}", "statement", statement, "tags", tags);
out:
	json_decref(now);
	json_decref(tags);
	json_decref(statement);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *tags = NULL;
	char bucket[BUCKET_NAME_MAX];
	bool denied = false;
	enum err_status st = ERR_OK;
	(void)before;
	bucket_name(c, bucket);
	TRY(read_tags(c, &tags, err));
	TRY(bucket_policy_has(c, bucket, json_object_get(after, "statement"), &denied, err));
	const char *tag = ec2_tag(tags, TAG);
	*ok = denied && tag && strcmp(tag, c->token) == 0;
	*proof = json_pack("{s:s,s:O,s:b}", "object", c->id, "tags", tags, "denied", denied);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("Object {0} bears the quarantine tag, and the bucket's policy "
			   "denies reading what bears it."),
			PHRASE_ARGS(c->id));
	} else {
		phrase_set(*proof, "text", N_("Object {0} can still be read."),
			PHRASE_ARGS(c->id));
	}
out:
	json_decref(tags);
	return st;
}

static enum err_status untag(
	const struct action_ctx *c, const json_t *before, json_t *diffs, struct err *err)
{
	json_t *now = NULL, *rest = NULL, *was = others(json_object_get(before, "tags"));
	struct err local = { 0 };
	enum err_status st = read_tags(c, &now, err ? err : &local);
	if (st == ERR_NOT_FOUND) {
		err_clear(err);
		st = ERR_OK;
		ec2_differ(
			diffs, &(struct ec2_difference){ .resource = c->id,
				       .what = "ObjectTagging",
				       .before = json_incref(json_object_get(before, "tags")),
				       .text = N_("The object no longer exists.") });
		goto out;
	}
	TRY(st);
	rest = others(now);
	if (!doc_eq(rest, was)) {
		ec2_differ(diffs,
			&(struct ec2_difference){ .resource = c->id,
				.what = "ObjectTagging",
				.before = json_incref(json_object_get(before, "tags")),
				.now = json_incref(now),
				.text = N_("Somebody changed the object's tags after the step: "
					   "only the quarantine tag was taken away.") });
	}
	if (!doc_eq(rest, now)) {
		TRY(write_tags(c, rest, err));
	}
out:
	json_decref(was);
	json_decref(rest);
	json_decref(now);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	json_t *diffs = json_array();
	json_t *statement = statement_for(c, json_object_get(before, "allowed"));
	char bucket[BUCKET_NAME_MAX];
	enum err_status st = ERR_OK;
	(void)after;
	bucket_name(c, bucket);
	TRY(bucket_policy_undo(
		c, bucket, doc_text_or(before, "policy", "none"), statement, diffs, err));
	TRY(untag(c, before, diffs, err));
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(statement);
	json_decref(diffs);
	return st;
}

static const char *const calls[] = { "s3:GetObjectTagging", "s3:GetObjectVersionTagging",
	"s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:DeleteObjectTagging",
	"s3:DeleteObjectVersionTagging", "s3:GetBucketPolicy", "s3:PutBucketPolicy",
	"s3:DeleteBucketPolicy", "s3:GetReplicationConfiguration", "sts:GetCallerIdentity",
	NULL };

const struct action action_quarantine_object = {
	.name = "quarantine-object",
	.title = N_("Let nobody read the object"),
	.why = N_(
		"Malware in a bucket is harmless until somebody fetches it. A tag and a deny "
		"for what bears it keep the object as evidence and everybody's hands off it."),
	.risk = N_("Whatever reads this object fails; other objects are not concerned."),
	.undo_text = N_("The object's tags and the bucket's policy are put back as they were."),
	.kinds = "S3Object",
	.calls = calls,
	.document = BUCKET_POLICY,
	.rounds = 5,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
