#include "evidence/vault_inside.h"

#include <string.h>

/* One call whose "is there already" is no failure. */
static enum err_status call(struct aws_client *aws, const char *operation, json_t *params_taken,
	const char *fine, struct err *err)
{
	enum err_status st = aws_call(aws, "s3", operation, params_taken, NULL, err);

	json_decref(params_taken);
	if (st != ERR_OK && fine && err && strcmp(err->code, fine) == 0) {
		err_clear(err);
		return ERR_OK;
	}
	return st;
}

/*
 * Nobody bypasses governance; nothing travels without TLS. The latter is left out when the endpoint
 * itself has no TLS (an emulator on loopback): it would only lock cordon out.
 */
static enum err_status policy_of(
	struct aws_client *aws, const char *bucket, struct buf *out, struct err *err)
{
	json_t *probe = json_pack("{s:s}", "Bucket", bucket);
	json_t *shown = NULL;
	json_t *all = json_sprintf("arn:aws:s3:::%s/*", bucket);
	json_t *self = json_sprintf("arn:aws:s3:::%s", bucket);
	json_t *statements = json_array();
	json_t *policy = NULL;
	enum err_status st = aws_show_request(aws, "s3", "GetBucketPolicy", probe, &shown, err);

	if (st == ERR_OK) {
		(void)json_array_append_new(
			statements, json_pack("{s:s, s:s, s:s, s:s, s:O}", "Sid", "NoBypass",
					    "Effect", "Deny", "Principal", "*", "Action",
					    "s3:BypassGovernanceRetention", "Resource", all));
		if (strncmp(doc_text_or(shown, "url", ""), "https:", 6) == 0) {
			(void)json_array_append_new(statements,
				json_pack("{s:s, s:s, s:s, s:s, s:[O, O], s:{s:{s:s}}}", "Sid",
					"OnlyTls", "Effect", "Deny", "Principal", "*", "Action",
					"s3:*", "Resource", self, all, "Condition", "Bool",
					"aws:SecureTransport", "false"));
		}
		policy = json_pack(
			"{s:s, s:O}", "Version", "2012-10-17", "Statement", statements);
		doc_canonical(policy, out);
	}
	json_decref(policy);
	json_decref(statements);
	json_decref(all);
	json_decref(self);
	json_decref(probe);
	json_decref(shown);
	return st;
}

static json_t *create_params(struct aws_client *aws, const char *bucket)
{
	json_t *p = json_pack("{s:s, s:b}", "Bucket", bucket, "ObjectLockEnabledForBucket", 1);
	const char *region = aws_client_region(aws);

	if (strcmp(region, "us-east-1") != 0) { /* that region alone refuses to be named */
		(void)json_object_set_new(p, "CreateBucketConfiguration",
			json_pack("{s:s}", "LocationConstraint", region));
	}
	return p;
}

static json_t *encryption_params(const struct config *config)
{
	json_t *rule = config->evidence_kms_key
			       ? json_pack("{s:s, s:s}", "SSEAlgorithm", "aws:kms",
					 "KMSMasterKeyID", config->evidence_kms_key)
			       : json_pack("{s:s}", "SSEAlgorithm", "AES256");

	return json_pack("{s:s, s:{s:[{s:o, s:b}]}}", "Bucket", config->evidence_bucket,
		"ServerSideEncryptionConfiguration", "Rules",
		"ApplyServerSideEncryptionByDefault", rule, "BucketKeyEnabled", 1);
}

/* Nothing public, every version kept, everything encrypted. */
static enum err_status protect(
	struct aws_client *aws, const struct config *config, struct err *e)
{
	const char *bucket = config->evidence_bucket;
	enum err_status st = ERR_OK;
	TRY(call(aws, "PutPublicAccessBlock",
		json_pack("{s:s, s:{s:b, s:b, s:b, s:b}}", "Bucket", bucket,
			"PublicAccessBlockConfiguration", "BlockPublicAcls", 1,
			"IgnorePublicAcls", 1, "BlockPublicPolicy", 1, "RestrictPublicBuckets",
			1),
		NULL, e));
	TRY(call(aws, "PutBucketVersioning",
		json_pack("{s:s, s:{s:s}}", "Bucket", bucket, "VersioningConfiguration",
			"Status", "Enabled"),
		NULL, e));
	st = call(aws, "PutBucketEncryption", encryption_params(config), NULL, e);
out:
	return st;
}

static enum err_status lock(struct aws_client *aws, const struct config *config, struct err *e)
{
	const char *mode =
		config->evidence_lock_mode ? config->evidence_lock_mode : "GOVERNANCE";
	if (config->evidence_lock_days <= 0) {
		return ERR_OK;
	}
	return call(aws, "PutObjectLockConfiguration",
		json_pack("{s:s, s:{s:s, s:{s:{s:s, s:I}}}}", "Bucket", config->evidence_bucket,
			"ObjectLockConfiguration", "ObjectLockEnabled", "Enabled", "Rule",
			"DefaultRetention", "Mode", mode, "Days",
			(json_int_t)config->evidence_lock_days),
		NULL, e);
}

enum err_status vault_create_bucket(
	struct aws_client *aws, const struct config *config, struct err *err)
{
	const char *bucket = config->evidence_bucket;
	struct err local = { 0 };
	struct err *e = err ? err : &local;
	struct buf policy = { 0 };
	enum err_status st = ERR_OK;

	if (!bucket) {
		return err_set(err, ERR_CONFIG,
			"no evidence bucket is named: set evidence.bucket in cordon.yaml");
	}
	buf_init(&policy, 8192);
	TRY(call(
		aws, "CreateBucket", create_params(aws, bucket), "BucketAlreadyOwnedByYou", e));
	TRY(protect(aws, config, e));
	TRY(lock(aws, config, e));
	TRY(policy_of(aws, bucket, &policy, e));
	TRY(call(aws, "PutBucketPolicy",
		json_pack("{s:s, s:s}", "Bucket", bucket, "Policy", policy.p), NULL, e));
out:
	buf_deinit(&policy);
	if (st != ERR_OK) {
		(void)err_prefix(e, "bucket %s: ", bucket);
	}
	return st;
}
