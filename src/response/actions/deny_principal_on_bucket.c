/*
 * deny-principal-on-bucket: one Deny statement for the principals of the case, merged into the
 * bucket's policy. The smallest cut that stops a known thief: everybody else goes on working.
 */
#include "base/phrase.h"
#include "response/actions/bucket.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <stdlib.h>
#include <string.h>

#define PRINCIPALS_MAX 16

/* ARN of the user or role by name; "" when it does not exist. */
static enum err_status arn_by_name(const struct action_ctx *c, const char *kind,
	const char *name, json_t *principals, struct err *err)
{
	bool role = strcmp(kind, "Role") == 0;
	json_t *params = json_pack("{s:s}", role ? "RoleName" : "UserName", name),
	       *answer = NULL;
	enum err_status st =
		aws_call(c->aws, "iam", role ? "GetRole" : "GetUser", params, &answer, err);
	if (st == ERR_NOT_FOUND) {
		err_clear(err);
		st = ERR_OK;
	} else if (st == ERR_OK) {
		json_array_append_new(principals,
			json_string(doc_text_or(answer, role ? "Role.Arn" : "User.Arn", "")));
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

/* The ARNs meant: parameter `principal` (text or list), else who the finding accuses. */
static enum err_status principals_meant(
	const struct action_ctx *c, json_t *principals, struct err *err)
{
	const json_t *given = json_object_get(c->with, "principal");
	const struct finding_resource *key = iam_key_resource(c);
	enum err_status st = ERR_OK;
	json_t *v;
	size_t i;
	if (json_is_string(given)) {
		json_array_append_new(principals, json_string(json_string_value(given)));
	} else if (json_is_array(given)) {
		json_array_foreach(given, i, v)
		{
			if (json_is_string(v) && i < PRINCIPALS_MAX) {
				json_array_append(principals, v);
			}
		}
	} else if (key && key->user_name.n > 0) {
		char *name = str_dup(key->user_name);
		if (str_is(key->user_type, "AssumedRole")) {
			st = arn_by_name(c, "Role", name, principals, err);
		} else if (str_is(key->user_type, "IAMUser")) {
			st = arn_by_name(c, "User", name, principals, err);
		}
		free(name);
	}
	return st;
}

/* NULL when every principal may be denied, else the reason against (static). */
static enum err_status objection(
	const struct action_ctx *c, const json_t *principals, const char **why, struct err *err)
{
	size_t i;
	json_t *v;
	*why = json_array_size(principals) > 0
		       ? NULL
		       : N_("the finding names no user or role of this account; give the ARN "
			    "in the step's parameter principal");
	json_array_foreach(principals, i, v)
	{
		const char *arn = json_string_value(v);
		bool own = false;
		if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":iam::") ||
			strchr(arn, '*')) {
			*why = N_("a principal must be the ARN of one user or role");
			return ERR_OK;
		}
		enum err_status st = iam_is_caller(c, arn, &own, err);
		if (st != ERR_OK) {
			return st;
		}
		if (own) {
			*why = N_("the principal is cordon itself or covers it: denied, only "
				  "the account's root could open the bucket again");
		}
	}
	return ERR_OK;
}

static json_t *statement_for(const struct action_ctx *c, const json_t *principals)
{
	char sid[IAM_NAME_MAX];
	json_t *bucket = bucket_arn(c, c->id);
	bucket_sid(c, false, sid);
	json_t *out = json_pack("{s:s,s:s,s:{s:O},s:s,s:[O,o]}", "Sid", sid, "Effect", "Deny",
		"Principal", "AWS", principals, "Action", "s3:*", "Resource", bucket,
		json_sprintf("%s/*", json_string_value(bucket)));
	json_decref(bucket);
	return out;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *principals = json_array(), *policy = NULL, *statement = NULL, *seen = NULL;
	char *text = NULL;
	const char *why = NULL;
	bool there = false;
	TRY(principals_meant(c, principals, err));
	TRY(objection(c, principals, &why, err));
	TRY(bucket_policy_read(c, c->id, &text, err));
	seen = json_pack("{s:s,s:O,s:s,s:o}", "bucket", c->id, "principals", principals,
		"policy", text ? text : "none", "doors", bucket_doors(c, c->id, text));
	if (why) {
		st = ec2_skip(json_incref(seen), why, before, needed);
		goto out;
	}
	statement = statement_for(c, principals);
	TRY(bucket_policy_merged(c->id, text, statement, &policy, err));
	TRY(bucket_policy_has(c, c->id, statement, &there, err));
	if (there) {
		st = ec2_skip(json_incref(seen), N_("the bucket denies the principal already"),
			before, needed);
		goto out;
	}
	json_object_set(seen, "will", statement);
	*before = json_incref(seen);
	*needed = true;
out:
	free(text);
	json_decref(seen);
	json_decref(statement);
	json_decref(policy);
	json_decref(principals);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	return bucket_statement_apply(
		c, statement_for(c, json_object_get(before, "principals")), after, err);
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const json_t *principals = json_object_get(before, "principals");
	const json_t *statement = json_object_get(after, "statement");
	enum err_status st = bucket_policy_has(c, c->id, statement, ok, err);
	if (st != ERR_OK) {
		return st;
	}
	*proof = json_pack("{s:s,s:O,s:O}", "bucket", c->id, "principals", principals,
		"statement", statement);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("The policy of bucket {0} denies everything to the principals named "
			   "(how many: {1}); all other statements are as they were."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(json_array_size(principals))));
	} else {
		phrase_set(*proof, "text",
			N_("The policy of bucket {0} is not as it was written; principals: "
			   "{1}."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(json_array_size(principals))));
	}
	return ERR_OK;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	(void)after;
	return bucket_statement_undo(c, before,
		statement_for(c, json_object_get(before, "principals")), differences, err);
}

static const char *const calls[] = { "iam:GetRole", "iam:GetUser", "s3:GetBucketPolicy",
	"s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetReplicationConfiguration",
	"sts:GetCallerIdentity", NULL };

const struct action action_deny_principal_on_bucket = {
	.name = "deny-principal-on-bucket",
	.title = N_("Deny the principal the bucket"),
	.why = N_("The data goes out through one identity. An explicit deny for it in the "
		  "bucket's own policy beats whatever permissions it has, and troubles nobody "
		  "else."),
	.risk = N_(
		"Everything that uses the bucket under this identity stops, honest work too."),
	.undo_text = N_(
		"The former policy is put back to the letter, or deleted when there was none; "
		"if somebody changed it since, only the step's statement is taken out."),
	.kinds = "S3Bucket",
	.calls = calls,
	.document = BUCKET_POLICY,
	.rounds = 2,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
