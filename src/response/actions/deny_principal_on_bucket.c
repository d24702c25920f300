/*
 * deny-principal-on-bucket: one Deny statement for the principals of the case, merged into the
 * bucket's policy. The smallest cut that stops a known thief: everybody else goes on working.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/iam.h"
#include "response/actions/registry.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_MAX     20480 /* Amazon S3 User Guide, "Bucket policies": 20 KB */
#define PRINCIPALS_MAX 16

/* "CordonDeny20260042": S3 takes letters and digits. */
static void sid_of(const struct action_ctx *c, char out[IAM_NAME_MAX])
{
	size_t n = (size_t)snprintf(out, IAM_NAME_MAX, "CordonDeny");
	for (const char *p = c->case_id; *p && n < IAM_NAME_MAX - 1; p++) {
		if (isalnum((unsigned char)*p)) {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
}

/* The policy's own text; *out is NULL when the bucket has none. Heap. */
static enum err_status read_policy(const struct action_ctx *c, char **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "Bucket", c->id), *answer = NULL;
	enum err_status st = aws_call(c->aws, "s3", "GetBucketPolicy", params, &answer, err);
	json_decref(params);
	if (st == ERR_NOT_FOUND && (!err || strcmp(err->code, "NoSuchBucketPolicy") == 0)) {
		err_clear(err);
		*out = NULL;
		return ERR_OK;
	}
	if (st == ERR_OK) {
		*out = str_dup(str_from(doc_text_or(answer, "Policy", "")));
	}
	json_decref(answer);
	return st;
}

static enum err_status write_policy(
	const struct action_ctx *c, const char *text, struct err *err)
{
	json_t *params = json_pack("{s:s}", "Bucket", c->id);
	const char *operation = "DeleteBucketPolicy";
	if (text) {
		json_object_set_new(params, "Policy", json_string(text));
		operation = "PutBucketPolicy";
	}
	enum err_status st = aws_call(c->aws, "s3", operation, params, NULL, err);
	json_decref(params);
	return st;
}

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

static json_t *statement(const struct action_ctx *c, const json_t *principals)
{
	char sid[IAM_NAME_MAX], bucket[160], objects[164];
	const char *first = json_string_value(json_array_get(principals, 0));
	struct str rest = str_from(first ? first : ""), partition = STR("aws");
	(void)str_cut(&rest, ':', &partition);
	(void)str_cut(&rest, ':', &partition); /* arn:PARTITION:... */
	sid_of(c, sid);
	snprintf(bucket, sizeof(bucket), "arn:%.*s:s3:::%s", STR_ARG(partition), c->id);
	snprintf(objects, sizeof(objects), "%s/*", bucket);
	return json_pack("{s:s,s:s,s:{s:O},s:s,s:[s,s]}", "Sid", sid, "Effect", "Deny",
		"Principal", "AWS", principals, "Action", "s3:*", "Resource", bucket, objects);
}

/* Removes our statement from a parsed policy, whose statements become a list. */
static void without_ours(const struct action_ctx *c, json_t *policy)
{
	char sid[IAM_NAME_MAX];
	json_t *list = json_object_get(policy, "Statement");
	sid_of(c, sid);
	if (json_is_object(list)) {
		json_object_set_new(policy, "Statement", json_pack("[O]", list));
		list = json_object_get(policy, "Statement");
	} else if (!json_is_array(list)) {
		json_object_set_new(policy, "Statement", json_array());
		list = json_object_get(policy, "Statement");
	}
	for (size_t i = json_array_size(list); i-- > 0;) {
		const char *s = doc_text(json_array_get(list, i), "Sid");
		if (s && strcmp(s, sid) == 0) {
			json_array_remove(list, i);
		}
	}
}

/* `text` (NULL: no policy) with our statement in it. */
static enum err_status merged(const struct action_ctx *c, const char *text,
	const json_t *principals, json_t **out, struct err *err)
{
	json_t *policy = NULL;
	if (text) {
		enum err_status st = iam_document(text, &policy, err);
		if (st != ERR_OK) {
			return st;
		}
	} else {
		policy = json_pack("{s:s}", "Version", "2012-10-17");
	}
	without_ours(c, policy);
	json_array_append_new(json_object_get(policy, "Statement"), statement(c, principals));
	char *size = iam_text(policy);
	size_t n = strlen(size);
	free(size);
	if (n > POLICY_MAX) {
		json_decref(policy);
		return err_set(err, ERR_LIMIT,
			"the policy of bucket %s would have %zu bytes and S3 takes %d: shorten "
			"it, "
			"or cut the principal with deny-user or revoke-role-sessions",
			c->id, n, POLICY_MAX);
	}
	*out = policy;
	return ERR_OK;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *principals = json_array(), *old = NULL, *new = NULL;
	char *text = NULL;
	const char *why = NULL;
	TRY(principals_meant(c, principals, err));
	TRY(objection(c, principals, &why, err));
	TRY(read_policy(c, &text, err));
	json_t *seen = json_pack("{s:s,s:O,s:s}", "bucket", c->id, "principals", principals,
		"policy", text ? text : "none");
	if (why) {
		st = ec2_skip(seen, why, before, needed);
		goto out;
	}
	st = merged(c, text, principals, &new, err);
	if (st == ERR_OK && text) {
		st = iam_document(text, &old, err);
	}
	if (st != ERR_OK) {
		json_decref(seen);
	} else if (old && doc_eq(old, new)) {
		st = ec2_skip(
			seen, N_("the bucket denies the principal already"), before, needed);
	} else {
		*before = seen;
		*needed = true;
	}
out:
	free(text);
	json_decref(new);
	json_decref(old);
	json_decref(principals);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	enum err_status st = ERR_OK;
	char *present = NULL, *text = NULL;
	json_t *policy = NULL;
	/* What is there now, not what was: somebody may have written in between. */
	TRY(read_policy(c, &present, err));
	TRY(merged(c, present, json_object_get(before, "principals"), &policy, err));
	text = iam_text(policy);
	TRY(write_policy(c, text, err));
	*after = json_pack("{s:O}", "policy", policy);
out:
	free(text);
	free(present);
	json_decref(policy);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	enum err_status st = ERR_OK;
	char *text = NULL;
	json_t *now = NULL;
	TRY(read_policy(c, &text, err));
	if (text) {
		TRY(iam_document(text, &now, err));
	}
	*ok = now && doc_eq(now, json_object_get(after, "policy"));
	*proof = json_pack("{s:s,s:O,s:O?}", "bucket", c->id, "principals",
		json_object_get(before, "principals"), "policy", now);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("The policy of bucket {0} denies everything to the principals named "
			   "(how many: {1}); all other statements are as they were."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(json_array_size(
						   json_object_get(before, "principals")))));
	} else {
		phrase_set(*proof, "text",
			N_("The policy of bucket {0} is not as it was written; principals: "
			   "{1}."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(json_array_size(
						   json_object_get(before, "principals")))));
	}
out:
	json_decref(now);
	free(text);
	return st;
}

/* Somebody wrote the policy after us: our statement goes, theirs stay and are named. */
static enum err_status take_out(const struct action_ctx *c, json_t *now, const json_t *before,
	json_t *diffs, struct err *err)
{
	ec2_differ(diffs,
		&(struct ec2_difference){ .resource = c->id,
			.what = "BucketPolicy",
			.before = json_incref(json_object_get(before, "policy")),
			.now = json_deep_copy(now),
			.text = N_("Somebody changed the policy after the step: the step's "
				   "statement was taken out and the rest left as it is."),
			.blocking = false });
	without_ours(c, now);
	bool empty = json_array_size(json_object_get(now, "Statement")) == 0;
	char *text = empty ? NULL : iam_text(now);
	enum err_status st = write_policy(c, text, err);
	free(text);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *now = NULL, *was = NULL, *ours = NULL, *diffs = json_array();
	char *text = NULL;
	const char *old = doc_text_or(before, "policy", "none");
	bool none = strcmp(old, "none") == 0;
	TRY(read_policy(c, &text, err));
	if (text) {
		TRY(iam_document(text, &now, err));
	}
	if (!none) {
		TRY(iam_document(old, &was, err));
	}
	if (now ? was && doc_eq(now, was) : none) {
		goto done;
	}
	if (after) {
		ours = json_incref(json_object_get(after, "policy"));
	} else {
		TRY(merged(c, none ? NULL : old, json_object_get(before, "principals"), &ours,
			err));
	}
	if (ec2_forced(c) || (now && doc_eq(now, ours))) {
		TRY(write_policy(c, none ? NULL : old, err));
	} else if (now) {
		TRY(take_out(c, now, before, diffs, err));
	} else {
		ec2_differ(diffs, &(struct ec2_difference){ .resource = c->id,
					  .what = "BucketPolicy",
					  .before = json_string(old),
					  .text = N_("Somebody deleted the policy after the "
						     "step; it was not put back."),
					  .blocking = true });
	}
done:
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(ours);
	json_decref(was);
	json_decref(now);
	free(text);
	return st;
}

static const char *const calls[] = { "iam:GetRole", "iam:GetUser", "s3:GetBucketPolicy",
	"s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "sts:GetCallerIdentity", NULL };

const struct action action_deny_principal_on_bucket = {
	.name = "deny-principal-on-bucket",
	.title = N_("Deny the principal the bucket"),
	.why = N_("The data goes out through one identity. An explicit deny for it in the "
		  "bucket's "
		  "own policy beats whatever permissions it has, and troubles nobody else."),
	.risk = N_(
		"Everything that uses the bucket under this identity stops, honest work too."),
	.undo_text = N_(
		"The former policy is put back to the letter, or deleted when there was none; "
		"if somebody changed it since, only the step's statement is taken out."),
	.kinds = "S3Bucket",
	.calls = calls,
	.rounds = 2,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
