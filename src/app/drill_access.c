#include "app/drill.h"

#include "app/drill_calls.h"
#include "response/policy.h"

#include <string.h>

static json_t *allow(json_t *actions_taken)
{
	return json_pack("{s:s, s:[{s:s, s:o, s:s}]}", "Version", "2012-10-17", "Statement",
		"Effect", "Allow", "Action", actions_taken, "Resource", "*");
}

static json_t *text_of(json_t *doc_taken)
{
	char *text = json_dumps(doc_taken, JSON_COMPACT);
	json_t *out = json_string(text);

	free(text);
	json_decref(doc_taken);
	return out;
}

static json_t *trust(json_t *principal_taken)
{
	return text_of(json_pack("{s:s, s:[{s:s, s:o, s:s}]}", "Version", "2012-10-17",
		"Statement", "Effect", "Allow", "Principal", principal_taken, "Action",
		"sts:AssumeRole"));
}

/*
 * What moto calls otherwise than IAM does: it takes settings of a bucket that it has no name for as
 * listing, making or deleting the bucket. Left: the action of the policy; right: what moto asks for.
 */
static const char *const moto_names[][2] = {
	{ "s3:GetBucketObjectLockConfiguration", "s3:ListBucket" },
	{ "s3:GetBucketOwnershipControls", "s3:ListBucket" },
	{ "s3:GetBucketPublicAccessBlock", "s3:ListBucket" },
	{ "s3:GetEncryptionConfiguration", "s3:ListBucket" },
	{ "s3:ListBucket", "s3:HeadBucket" },
	{ "s3:PutBucketOwnershipControls", "s3:CreateBucket" },
	{ "s3:PutBucketOwnershipControls", "s3:DeleteBucket" },
	{ "s3:PutBucketPublicAccessBlock", "s3:CreateBucket" },
	{ "s3:PutBucketPublicAccessBlock", "s3:DeleteBucket" },
};

static bool holds(const json_t *list, const char *text)
{
	size_t i;
	const json_t *v;

	json_array_foreach(list, i, v)
	{
		if (strcmp(json_string_value(v), text) == 0) {
			return true;
		}
	}
	return false;
}

/*
 * The emulator judges actions, and of resources only those of S3; it can't judge conditions. So the
 * actions are exactly the policy's, and what it can't judge is left out.
 */
static void for_the_emulator(json_t *policy)
{
	size_t i, k;
	json_t *statement, *resource;

	json_array_foreach(json_object_get(policy, "Statement"), i, statement)
	{
		json_t *actions = json_object_get(statement, "Action");
		bool s3 = false;
		json_array_foreach(json_object_get(statement, "Resource"), k, resource)
		{
			s3 = s3 ||
			     strncmp(json_string_value(resource), "arn:aws:s3:::", 13) == 0;
		}
		for (k = 0; k < sizeof(moto_names) / sizeof(moto_names[0]); k++) {
			if (holds(actions, moto_names[k][0])) {
				json_array_append_new(actions, json_string(moto_names[k][1]));
			}
		}
		json_object_del(statement, "Condition");
		if (!s3) {
			json_object_set_new(statement, "Resource", json_string("*"));
		}
	}
}

/* Exactly what `cordon policy` prints for this configuration: a call outside it fails the drill. */
enum err_status drill_access_allow(struct drill *d, struct err *err)
{
	struct drill_calls c = { d->admin, &d->arena, ERR_OK, err };
	const struct policy_options o = { .config = &d->config,
		.playbooks = d->playbooks,
		.account = d->story.world.account,
		.region = DRILL_REGION,
		.state = journal_calls(d->config.state) };
	json_t *policy = NULL;
	enum err_status st = policy_make(&o, &policy, err);

	if (st != ERR_OK) {
		return st;
	}
	for_the_emulator(policy);
	drill_calls_do(&c, "iam", "PutRolePolicy",
		json_pack("{s:s, s:s, s:o}", "RoleName", "cordon-responder", "PolicyName",
			"respond", "PolicyDocument", text_of(policy)));
	return c.st;
}

static void server_role(struct drill *d, struct drill_calls *c, int i)
{
	struct scenario *s = &d->story;
	const char *role = s->names.role[i];
	json_t *made;

	s->world.server[i].role_id = drill_calls_text(c, "iam", "CreateRole",
		json_pack("{s:s, s:o}", "RoleName", role, "AssumeRolePolicyDocument",
			trust(json_pack("{s:s}", "Service", "ec2.amazonaws.com"))),
		"Role.RoleId");
	drill_calls_do(c, "iam", "PutRolePolicy",
		json_pack("{s:s, s:s, s:o}", "RoleName", role, "PolicyName", "application",
			"PolicyDocument",
			text_of(allow(json_pack("[s,s,s]", "s3:GetObject", "s3:ListBucket",
				"s3:ListAllMyBuckets")))));
	made = drill_calls_get(c, "iam", "CreateInstanceProfile",
		json_pack("{s:s}", "InstanceProfileName", role));
	s->world.server[i].profile_arn =
		arena_cstr(c->arena, str_from(doc_text_or(made, "InstanceProfile.Arn", "")));
	s->world.server[i].profile_id = arena_cstr(
		c->arena, str_from(doc_text_or(made, "InstanceProfile.InstanceProfileId", "")));
	json_decref(made);
	drill_calls_do(c, "iam", "AddRoleToInstanceProfile",
		json_pack("{s:s, s:s}", "InstanceProfileName", role, "RoleName", role));
}

/* A user with a key; the secret is wanted only for the drill's own. */
static const char *user_with_key(struct drill_calls *c, const char *user, json_t *actions_taken,
	const char **id, const char **secret)
{
	json_t *made;
	const char *key;

	*id = drill_calls_text(
		c, "iam", "CreateUser", json_pack("{s:s}", "UserName", user), "User.UserId");
	drill_calls_do(c, "iam", "PutUserPolicy",
		json_pack("{s:s, s:s, s:o}", "UserName", user, "PolicyName", "work",
			"PolicyDocument", text_of(allow(actions_taken))));
	made = drill_calls_get(
		c, "iam", "CreateAccessKey", json_pack("{s:s}", "UserName", user));
	key = arena_cstr(c->arena, str_from(doc_text_or(made, "AccessKey.AccessKeyId", "")));
	if (secret != NULL) {
		*secret = arena_cstr(
			c->arena, str_from(doc_text_or(made, "AccessKey.SecretAccessKey", "")));
	}
	json_decref(made);
	return key;
}

/* What the intruder left in the account: rights, a user, a key. */
static void rogue(struct drill *d, struct drill_calls *c)
{
	struct scenario *s = &d->story;

	if (s->names.rogue_user == NULL) {
		return;
	}
	s->world.rogue_key_id = user_with_key(
		c, s->names.rogue_user, json_pack("[s]", "*"), &s->world.rogue_user_id, NULL);
	drill_calls_do(c, "iam", "PutUserPolicy",
		json_pack("{s:s, s:s, s:o}", "UserName", s->names.key_user, "PolicyName",
			s->names.rogue_policy, "PolicyDocument",
			text_of(allow(json_pack("[s]", "*")))));
}

static void responder(struct drill *d, struct drill_calls *c)
{
	const char *arn, *user_arn;
	json_t *session;

	user_arn = arena_cstr(
		c->arena, str_from("arn:aws:iam::123456789012:user/drill-administrator"));
	arn = drill_calls_text(c, "iam", "CreateRole",
		json_pack("{s:s, s:o}", "RoleName", "cordon-responder",
			"AssumeRolePolicyDocument", trust(json_pack("{s:s}", "AWS", user_arn))),
		"Role.Arn");
	session = drill_calls_get(c, "sts", "AssumeRole",
		json_pack("{s:s, s:s}", "RoleArn", arn, "RoleSessionName", "cordon-drill"));
	drill_env_set(&d->env, "AWS_ACCESS_KEY_ID",
		doc_text_or(session, "Credentials.AccessKeyId", ""));
	drill_env_set(&d->env, "AWS_SECRET_ACCESS_KEY",
		doc_text_or(session, "Credentials.SecretAccessKey", ""));
	drill_env_set(&d->env, "AWS_SESSION_TOKEN",
		doc_text_or(session, "Credentials.SessionToken", ""));
	d->responder_arn =
		arena_cstr(c->arena, str_from(doc_text_or(session, "AssumedRoleUser.Arn", "")));
	json_decref(session);
}

enum err_status drill_access_make(struct drill *d, struct err *err)
{
	struct drill_calls c = { d->admin, &d->arena, ERR_OK, err };
	struct scenario *s = &d->story;
	const char *ignored;

	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		server_role(d, &c, i);
	}
	drill_calls_do(&c, "iam", "CreateRole",
		json_pack("{s:s, s:o}", "RoleName", "cordon-quarantine",
			"AssumeRolePolicyDocument",
			trust(json_pack("{s:s}", "Service", "ec2.amazonaws.com"))));
	drill_calls_do(&c, "iam", "CreateInstanceProfile",
		json_pack("{s:s}", "InstanceProfileName", "cordon-quarantine"));
	drill_calls_do(&c, "iam", "AddRoleToInstanceProfile",
		json_pack("{s:s, s:s}", "InstanceProfileName", "cordon-quarantine", "RoleName",
			"cordon-quarantine"));
	s->world.key_id = user_with_key(&c, s->names.key_user,
		json_pack("[s,s,s]", "s3:GetObject", "s3:PutObject", "s3:ListBucket"),
		&s->world.key_user_id, NULL);
	rogue(d, &c);
	d->admin_key = user_with_key(
		&c, "drill-administrator", json_pack("[s]", "*"), &ignored, &d->admin_secret);
	responder(d, &c);
	return c.st;
}
