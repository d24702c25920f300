/*
 * revoke-role-sessions: what was issued to a role before now is denied everything. It comes
 * after the profile swap, or the host would simply fetch new credentials; and the swap hides
 * the role, so the finding's own profile counts as well as the present one.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/hand_over.h"
#include "response/actions/iam.h"
#include "response/actions/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROLES_MAX   8
#define CHAINED_MAX 20
#define SHARED_MAX  50

/* Who gets sessions of a role, by a word in its trust policy: where to look, and what comes back. */
static const struct {
	const char *word, *holder;
} holders[] = {
	{ "ec2.amazonaws.com", "instances" },
	{ "lambda.amazonaws.com", "functions" },
	{ "ecs-tasks.amazonaws.com", "tasks" },
	{ "pods.eks.amazonaws.com", "pods (EKS Pod Identity)" },
	{ "oidc.eks.", "pods (IAM roles for service accounts)" },
	{ "token.actions.githubusercontent.com", "a pipeline (OpenID Connect)" },
	{ ":saml-provider/", "people (SAML)" },
};

/* The kinds of holder that the trust policy names; "people or other roles" when it names none. */
static json_t *holders_of(const json_t *role)
{
	const char *trust = doc_text_or(role, "AssumeRolePolicyDocument", "");
	json_t *out = json_array();
	for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++) {
		if (strstr(trust, holders[i].word)) {
			json_array_append_new(out, json_string(holders[i].holder));
		}
	}
	if (json_array_size(out) == 0) {
		json_array_append_new(out, json_string("people or other roles"));
	}
	return out;
}

/* The policy names the ARN as a whole text. */
static bool names(const char *policy, const char *arn)
{
	size_t n = strlen(arn);
	for (const char *at = policy; n > 0 && (at = strstr(at, arn)); at += n) {
		if (at > policy && at[-1] == '"' && at[n] == '"') {
			return true;
		}
	}
	return false;
}

/*
 * Roles of the account whose trust policy names one of `roles`: a session of those may have been made
 * from a stolen one, and outlives it. JSON null when they may not be listed.
 */
static json_t *chained_roles(const struct action_ctx *c, const json_t *roles)
{
	json_t *none = json_object(), *answer = NULL, *out = json_array(), *role, *from;
	struct err ignored = { 0 };
	size_t i, k;
	if (aws_call_paged(c->aws, "iam", "ListRoles", none, 0, &answer, &ignored) != ERR_OK) {
		json_decref(out);
		out = json_null();
	}
	json_array_foreach(json_object_get(answer, "Roles"), i, role)
	{
		const char *trust = doc_text_or(role, "AssumeRolePolicyDocument", "");
		bool chained = false;
		json_array_foreach(roles, k, from)
		{
			chained = chained || names(trust, doc_text_or(from, "arn", ""));
		}
		if (chained && json_array_size(out) < CHAINED_MAX) {
			json_array_append(out, json_object_get(role, "RoleName"));
		}
	}
	json_decref(answer);
	json_decref(none);
	return out;
}

static bool is_quarantine(const struct action_ctx *c, const char *arn)
{
	const char *q = c->config ? c->config->quarantine_profile : NULL;
	return q && strcmp(iam_name_of(q), iam_name_of(arn)) == 0;
}

static void add_once(json_t *list, const char *text)
{
	size_t i;
	json_t *v;
	json_array_foreach(list, i, v)
	{
		if (strcmp(json_string_value(v), text) == 0) {
			return;
		}
	}
	if (json_array_size(list) < ROLES_MAX) {
		json_array_append_new(list, json_string(text));
	}
}

/* Profiles of the instance: as the finding says, and as it is now. */
static enum err_status profiles_of_instance(
	const struct action_ctx *c, json_t *profiles, struct err *err)
{
	json_t *params = ec2_filter("instance-id", c->id), *answer = NULL, *a;
	enum err_status st = ERR_OK;
	size_t i;
	for (size_t r = 0; c->finding && r < c->finding->n_resources; r++) {
		const struct finding_resource *res = &c->finding->resources[r];
		if (str_is(res->id, c->id) && res->instance_profile_arn.n > 0) {
			char *arn = str_dup(res->instance_profile_arn);
			add_once(profiles, arn);
			free(arn);
		}
	}
	TRY(aws_call(
		c->aws, "ec2", "DescribeIamInstanceProfileAssociations", params, &answer, err));
	json_array_foreach(json_object_get(answer, "IamInstanceProfileAssociations"), i, a)
	{
		const char *arn = doc_text(a, "IamInstanceProfile.Arn");
		if (arn) {
			add_once(profiles, arn);
		}
	}
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

static enum err_status roles_of_profile(
	const struct action_ctx *c, const char *arn, json_t *roles, struct err *err)
{
	json_t *params = json_pack("{s:s}", "InstanceProfileName", iam_name_of(arn));
	json_t *answer = NULL, *role;
	size_t i;
	enum err_status st =
		aws_call(c->aws, "iam", "GetInstanceProfile", params, &answer, err);
	if (st == ERR_NOT_FOUND) {
		err_clear(err);
		st = ERR_OK;
	}
	json_array_foreach(doc_get(answer, "InstanceProfile.Roles"), i, role)
	{
		if (doc_text(role, "RoleName")) {
			add_once(roles, doc_text(role, "RoleName"));
		}
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

/* Other instances that have one of the profiles: the deny cuts them too, until they fetch anew. */
static enum err_status sharers(
	const struct action_ctx *c, const json_t *profiles, json_t *shared, struct err *err)
{
	json_t *none = json_object(), *answer = NULL, *a, *p;
	size_t i, k;
	enum err_status st = aws_call_paged(
		c->aws, "ec2", "DescribeIamInstanceProfileAssociations", none, 0, &answer, err);
	json_array_foreach(json_object_get(answer, "IamInstanceProfileAssociations"), i, a)
	{
		const char *id = doc_text_or(a, "InstanceId", c->id);
		json_array_foreach(profiles, k, p)
		{
			if (doc_eq(p, doc_get(a, "IamInstanceProfile.Arn")) &&
				strcmp(id, c->id) != 0 &&
				json_array_size(shared) < SHARED_MAX) {
				json_array_append_new(shared, json_string(id));
			}
		}
	}
	json_decref(answer);
	json_decref(none);
	return st;
}

/* Names of the roles that the step is about, and the instances that share them. */
static enum err_status roles_meant(
	const struct action_ctx *c, json_t *roles, json_t *shared, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *profiles = json_array(), *v;
	const struct finding_resource *key = iam_key_resource(c);
	size_t i;
	if (ec2_with(c, "role", NULL)) {
		add_once(roles, ec2_with(c, "role", NULL));
		goto out;
	}
	if (strcmp(c->kind, "Instance") == 0) {
		TRY(profiles_of_instance(c, profiles, err));
		TRY(sharers(c, profiles, shared, err));
		json_array_foreach(profiles, i, v)
		{
			if (!is_quarantine(c, json_string_value(v))) {
				TRY(roles_of_profile(c, json_string_value(v), roles, err));
			}
		}
	} else if (key && str_is(key->user_type, "AssumedRole") && key->user_name.n > 0) {
		char *name = str_dup(key->user_name);
		add_once(roles, name);
		free(name);
	}
out:
	json_decref(profiles);
	return st;
}

/* Sorts one role into `roles` or, with the reason, into `refused`. */
static enum err_status weigh(const struct action_ctx *c, const char *name, json_t *roles,
	json_t *refused, struct err *err)
{
	json_t *params = json_pack("{s:s}", "RoleName", name), *answer = NULL;
	enum err_status st = aws_call(c->aws, "iam", "GetRole", params, &answer, err);
	const char *why = NULL;
	bool own = false;
	if (st == ERR_NOT_FOUND) {
		err_clear(err);
		st = ERR_OK;
		why = N_("it does not exist (any more)");
	} else if (st == ERR_OK) {
		why = iam_role_refusal(answer);
		st = iam_is_caller(c, doc_text_or(answer, "Role.Arn", ""), &own, err);
		if (own) {
			why = N_("it is the role that cordon itself acts as: revoking it would "
				 "end the response");
		}
	}
	if (st == ERR_OK && why) {
		json_array_append_new(
			refused, json_pack("{s:s,s:s}", "role", name, "reason", why));
	} else if (st == ERR_OK) {
		json_array_append_new(
			roles, json_pack("{s:s,s:s,s:o}", "role", name, "arn",
				       doc_text_or(answer, "Role.Arn", ""), "holders",
				       holders_of(json_object_get(answer, "Role"))));
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *meant = json_array(), *roles = json_array(), *refused = json_array(), *v;
	json_t *chained = NULL, *shared = json_array();
	size_t i;
	char policy[IAM_NAME_MAX];
	iam_policy_name(c, "revoke", policy);
	TRY(roles_meant(c, meant, shared, err));
	json_array_foreach(meant, i, v)
	{
		TRY(weigh(c, json_string_value(v), roles, refused, err));
	}
	chained = json_array_size(roles) > 0 ? chained_roles(c, roles) : json_array();
	if (doc_true(c->with, "chained")) {
		json_array_foreach(chained, i, v)
		{
			TRY(weigh(c, json_string_value(v), roles, refused, err));
		}
	}
	json_t *seen = json_pack("{s:s,s:O,s:O,s:O,s:O}", "policy", policy, "roles", roles,
		"refused", refused, "chained", chained, "shared_with", shared);
	if (json_array_size(roles) > 0) {
		*before = seen;
		*needed = true;
	} else if (json_array_size(refused) > 0) {
		const json_t *first = json_array_get(refused, 0);
		phrase_set(seen, "reason",
			N_("the sessions of role {0} can't be revoked: {1!}"),
			PHRASE_ARGS(doc_text_or(first, "role", ""),
				doc_text_or(first, "reason", "")));
		if (iam_is_identity_center(doc_text_or(first, "role", ""))) {
			json_object_set_new(
				seen, "steps", hand_over_steps(c, "identity-center"));
		}
		*before = seen;
		*needed = false;
	} else {
		st = ec2_skip(
			seen, N_("no role stands behind these credentials"), before, needed);
	}
out:
	json_decref(refused);
	json_decref(shared);
	json_decref(chained);
	json_decref(roles);
	json_decref(meant);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *role, *document = iam_deny_older(env_now_ms(c->env));
	const char *policy = doc_text_or(before, "policy", "");
	size_t i;
	json_array_foreach(json_object_get(before, "roles"), i, role)
	{
		const struct iam_inline p = { "Role", doc_text_or(role, "role", ""), policy };
		TRY(iam_inline_put(c, &p, document, err));
	}
	*after = json_pack("{s:s,s:O,s:O}", "policy", policy, "roles",
		json_object_get(before, "roles"), "document", document);
out:
	json_decref(document);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *role, *document = json_object_get(after, "document");
	const char *missing = NULL;
	size_t i;
	(void)before;
	json_array_foreach(json_object_get(after, "roles"), i, role)
	{
		const struct iam_inline p = { "Role", doc_text_or(role, "role", ""),
			doc_text_or(after, "policy", "") };
		bool same = false;
		TRY(iam_inline_check(c, &p, document, &same, err));
		missing = same || missing ? missing : p.name;
	}
	*ok = !missing;
	*proof = json_pack(
		"{s:O,s:O}", "roles", json_object_get(after, "roles"), "document", document);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("Credentials issued before {0} are denied everything. IAM may take "
			   "some minutes to apply it everywhere."),
			PHRASE_ARGS(doc_text_or(document,
				"Statement[0].Condition.DateLessThan.aws:TokenIssueTime",
				"?")));
	} else {
		phrase_set(*proof, "text",
			N_("Role {0} does not carry the policy as it was written."),
			PHRASE_ARGS(missing));
	}
out:
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *diffs = json_array(), *role;
	size_t i;
	json_array_foreach(json_object_get(before, "roles"), i, role)
	{
		const struct iam_inline p = { "Role", doc_text_or(role, "role", ""),
			doc_text_or(before, "policy", "") };
		TRY(iam_inline_undo(c, &p, json_object_get(after, "document"), diffs, err));
	}
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	return st;
}

static const char *const calls[] = { "ec2:DescribeIamInstanceProfileAssociations",
	"iam:GetInstanceProfile", "iam:GetRole", "iam:ListRoles", "iam:GetRolePolicy",
	"iam:PutRolePolicy", "iam:DeleteRolePolicy", "sts:GetCallerIdentity", NULL };

const struct action action_revoke_role_sessions = {
	.name = "revoke-role-sessions",
	.title = N_("Revoke the sessions of the role"),
	.why = N_("Credentials taken from a host keep working elsewhere until they expire, up "
		  "to 36 hours. A deny on everything issued before now makes them worthless at "
		  "once."),
	.risk = N_("Every holder of the role is cut, healthy hosts among them, until they "
		   "fetch new credentials; long-lived sessions must be started anew."),
	.undo_text =
		N_("The policy that the step added is deleted. Sessions that have not expired "
		   "by then work again."),
	.kinds = "Instance AccessKey Lambda",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
