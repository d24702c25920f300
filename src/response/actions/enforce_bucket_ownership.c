/*
 * enforce-bucket-ownership: ACLs count no more, neither the bucket's nor its objects'. Grants that let
 * others in are taken from the bucket's ACL before, since S3 refuses the setting while there are any.
 */
#include "response/actions/iam.h"
#include "response/actions/registry.h"
#include "response/actions/setting.h"

#include <string.h>

#define OWNERSHIP "ownership"
#define GRANTS    "grants"
#define ENFORCED  "BucketOwnerEnforced"

static json_t *bucket_of(const struct action_ctx *c)
{
	return json_pack("{s:s}", "Bucket", c->id);
}

static enum err_status read_ownership(const struct action_ctx *c, json_t **out, struct err *err)
{
	struct err local = { 0 };
	json_t *params = bucket_of(c), *answer = NULL;
	err = err ? err : &local;
	enum err_status st =
		aws_call(c->aws, "s3", "GetBucketOwnershipControls", params, &answer, err);
	if (st == ERR_OK) {
		*out = json_string(doc_text_or(
			answer, "OwnershipControls.Rules[0].ObjectOwnership", "none"));
	} else if (strcmp(err->code, "OwnershipControlsNotFoundError") == 0) {
		err_clear(err);
		st = ERR_OK;
		*out = json_string("none");
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

/* Grants to anybody but the owner: [{"who","permission"}]; new reference. */
static json_t *grants_of(const json_t *acl)
{
	json_t *out = json_array(), *grant;
	const char *owner = doc_text_or(acl, "Owner.ID", "?");
	size_t i;
	json_array_foreach(json_object_get(acl, "Grants"), i, grant)
	{
		const char *who = doc_text_or(
			grant, "Grantee.ID", doc_text_or(grant, "Grantee.URI", "?"));
		if (strcmp(who, owner) != 0) {
			json_array_append_new(
				out, json_pack("{s:s,s:s}", "who", who, "permission",
					     doc_text_or(grant, "Permission", "?")));
		}
	}
	return out;
}

static enum err_status read_parts(const struct action_ctx *c, json_t *notes, json_t **parts,
	const char **reason, struct err *err)
{
	json_t *params = bucket_of(c), *acl = NULL, *ownership = NULL;
	enum err_status st = ERR_OK;
	(void)reason;
	TRY(read_ownership(c, &ownership, err));
	TRY(aws_call(c->aws, "s3", "GetBucketAcl", params, &acl, err));
	*parts = json_pack("{s:O,s:o}", OWNERSHIP, ownership, GRANTS, grants_of(acl));
	json_object_set_new(notes, "acl",
		json_pack("{s:O?,s:O?}", "Owner", json_object_get(acl, "Owner"), "Grants",
			json_object_get(acl, "Grants")));
out:
	json_decref(ownership);
	json_decref(acl);
	json_decref(params);
	return st;
}

static json_t *wanted(const struct action_ctx *c, const json_t *parts)
{
	(void)c;
	(void)parts;
	return json_pack("{s:s,s:[]}", OWNERSHIP, ENFORCED, GRANTS);
}

static enum err_status write_ownership(
	const struct action_ctx *c, const char *rule, struct err *err)
{
	json_t *params = bucket_of(c);
	const char *operation = "DeleteBucketOwnershipControls";
	if (strcmp(rule, "none") != 0) {
		json_object_set_new(params, "OwnershipControls",
			json_pack("{s:[{s:s}]}", "Rules", "ObjectOwnership", rule));
		operation = "PutBucketOwnershipControls";
	}
	enum err_status st = aws_call(c->aws, "s3", operation, params, NULL, err);
	json_decref(params);
	return st;
}

static enum err_status write_acl(
	const struct action_ctx *c, const json_t *before, const json_t *grants, struct err *err)
{
	json_t *params = bucket_of(c);
	if (json_array_size(grants) == 0) {
		json_object_set_new(params, "ACL", json_string("private"));
	} else {
		json_object_set(params, "AccessControlPolicy", json_object_get(before, "acl"));
	}
	enum err_status st = aws_call(c->aws, "s3", "PutBucketAcl", params, NULL, err);
	json_decref(params);
	return st;
}

/* The way there: the ACL, then the rule that switches ACLs off. The way back: the other way round. */
static enum err_status write_parts(
	const struct action_ctx *c, const json_t *before, json_t *parts, struct err *err)
{
	const char *rule = doc_text(parts, OWNERSHIP);
	const json_t *grants = json_object_get(parts, GRANTS);
	bool there = grants && json_array_size(grants) == 0;
	enum err_status st = ERR_OK;
	if (there) {
		TRY(write_acl(c, before, grants, err));
	}
	if (rule) {
		TRY(write_ownership(c, rule, err));
	}
	if (grants && !there) {
		TRY(write_acl(c, before, grants, err));
	}
out:
	return st;
}

static const struct setting setting = {
	.what = "BucketOwnership",
	.in_force =
		N_("the bucket's owner is enforced already, and its ACL lets nobody else in"),
	.done = N_("ACLs of bucket {0} and of its objects count no more: everything in it "
		   "belongs to its owner."),
	.not_done = N_("Bucket {0} does not show the new value of {1}."),
	.read = read_parts,
	.wanted = wanted,
	.write = write_parts,
};
SETTING_PHASES(setting)

static const char *const calls[] = { "s3:GetBucketOwnershipControls", "s3:GetBucketAcl",
	"s3:PutBucketOwnershipControls", "s3:PutBucketAcl", NULL };

const struct action action_enforce_bucket_ownership = {
	.name = "enforce-bucket-ownership",
	.title = N_("Let no ACL count in the bucket"),
	.why = N_("An ACL on one object among millions gives it to another account or to "
		  "everybody, and no policy shows it. With the bucket's owner enforced, no ACL "
		  "counts."),
	.risk = N_(
		"Accounts that read or write by ACL, or that upload with an ACL, are refused."),
	.undo_text = N_(
		"The former ownership rule is put back, then the bucket's ACL; ACLs of objects "
		"count again as they were."),
	.kinds = "S3Bucket",
	.calls = calls,
	.rounds = 2,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
