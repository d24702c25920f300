/*
 * revoke-cluster-access: an IAM principal's access entry in an EKS cluster is left without Kubernetes
 * groups, without access policies, and under a user name that nobody bound a role to. The entry itself
 * stays, so that undo gives it back as it was, creation date and all.
 */
#include "response/actions/iam.h"
#include "response/actions/registry.h"
#include "response/actions/setting.h"

#include <string.h>

#define POLICY "policy:"

/* The principal meant: parameter `principal`, or the role or user that the step names. */
static json_t *principal_of(const struct action_ctx *c)
{
	const char *given = ec2_with(c, "principal", NULL);
	const char *role = ec2_with(c, "role", NULL), *user = ec2_with(c, "user", NULL);
	const char *partition = c->region && strncmp(c->region, "cn-", 3) == 0 ? "aws-cn"
				: c->region && strncmp(c->region, "us-gov-", 7) == 0
					? "aws-us-gov"
					: "aws";
	if (given || (!role && !user)) {
		return given ? json_string(given) : NULL;
	}
	return json_sprintf("arn:%s:iam::%s:%s/%s", partition, c->account ? c->account : "",
		role ? "role" : "user", role ? role : user);
}

static json_t *entry_named(const struct action_ctx *c, const json_t *principal)
{
	return json_pack("{s:s,s:O}", "clusterName", c->id, "principalArn", principal);
}

static void take_policies(const json_t *answer, json_t *parts)
{
	size_t i;
	json_t *policy;
	json_array_foreach(json_object_get(answer, "associatedAccessPolicies"), i, policy)
	{
		json_t *name = json_sprintf(POLICY "%s", doc_text_or(policy, "policyArn", "?"));
		json_object_set(
			parts, json_string_value(name), json_object_get(policy, "accessScope"));
		json_decref(name);
	}
}

/* Why the entry must stay as it is (static), or NULL. */
static const char *objection(const json_t *entry, bool own)
{
	const char *type = doc_text_or(entry, "type", "STANDARD");
	if (own) {
		return N_("it is the access of cordon itself");
	}
	if (strcmp(type, "STANDARD") != 0) {
		return N_("it is the entry by which the cluster's nodes join it: without it "
			  "every node is lost; isolate the node instead");
	}
	return NULL;
}

static enum err_status read_parts(const struct action_ctx *c, json_t *notes, json_t **parts,
	const char **reason, struct err *err)
{
	json_t *principal = principal_of(c), *entry = NULL, *policies = NULL, *params = NULL;
	struct err local = { 0 };
	bool own = false;
	enum err_status st = ERR_OK;
	*parts = NULL;
	if (!principal) {
		*parts = json_object();
		*reason =
			N_("the finding names no IAM principal: who acted in the cluster is a "
			   "Kubernetes user or nobody that it could tell");
		goto out;
	}
	params = entry_named(c, principal);
	st = aws_call(c->aws, "eks", "DescribeAccessEntry", params, &entry, err ? err : &local);
	if (st == ERR_NOT_FOUND) {
		err_clear(err);
		st = ERR_OK;
		*parts = json_object();
		*reason = N_(
			"the principal has no access entry in the cluster; it may come in "
			"through the aws-auth ConfigMap: look with kubectl -n kube-system get "
			"configmap aws-auth -o yaml");
		goto out;
	}
	TRY(st);
	TRY(aws_call_paged(
		c->aws, "eks", "ListAssociatedAccessPolicies", params, 0, &policies, err));
	TRY(iam_is_caller(c, json_string_value(principal), &own, err));
	const json_t *e = json_object_get(entry, "accessEntry");
	*parts = json_pack("{s:O?,s:O?}", "groups", json_object_get(e, "kubernetesGroups"),
		"username", json_object_get(e, "username"));
	if (!json_is_array(json_object_get(*parts, "groups"))) {
		json_object_set_new(*parts, "groups", json_array());
	}
	take_policies(policies, *parts);
	json_object_set(notes, "principal", principal);
	*reason = objection(e, own);
out:
	json_decref(params);
	json_decref(policies);
	json_decref(entry);
	json_decref(principal);
	return st;
}

static json_t *wanted(const struct action_ctx *c, const json_t *parts)
{
	json_t *out = json_object(), *copy = json_deep_copy(parts), *value;
	const char *name;
	json_object_foreach(copy, name, value)
	{
		if (strncmp(name, POLICY, strlen(POLICY)) == 0) {
			json_object_set_new(out, name, json_null());
		}
	}
	json_object_set_new(out, "groups", json_array());
	json_object_set_new(out, "username", json_sprintf("cordon-cut-%.8s", c->token));
	json_decref(copy);
	return out;
}

static void add_policy(const struct action_ctx *c, struct batch *b, const json_t *principal,
	const char *arn, json_t *scope)
{
	json_t *params = entry_named(c, principal);
	json_object_set_new(params, "policyArn", json_string(arn));
	if (json_is_object(scope)) {
		json_object_set(params, "accessScope", scope);
		batch_add(b, "eks", "AssociateAccessPolicy", params);
	} else {
		batch_add_lenient(
			b, "eks", "DisassociateAccessPolicy", params, "ResourceNotFound*");
	}
}

static enum err_status write_parts(
	const struct action_ctx *c, const json_t *before, json_t *parts, struct err *err)
{
	const json_t *principal = json_object_get(before, "principal");
	json_t *update = entry_named(c, principal), *value;
	struct batch b;
	const char *name;
	batch_init(&b);
	json_object_foreach(parts, name, value)
	{
		if (strncmp(name, POLICY, strlen(POLICY)) == 0) {
			add_policy(c, &b, principal, name + strlen(POLICY), value);
		} else {
			json_object_set(update,
				strcmp(name, "groups") == 0 ? "kubernetesGroups" : "username",
				value);
		}
	}
	if (json_object_size(update) > 2) {
		batch_add(&b, "eks", "UpdateAccessEntry", json_incref(update));
	}
	enum err_status st = batch_run(&b, c->aws, err);
	batch_deinit(&b);
	json_decref(update);
	return st;
}

static const struct setting setting = {
	.what = "AccessEntry",
	.in_force = N_("the principal has no rights in the cluster already"),
	.done = N_(
		"The principal has neither groups nor access policies in cluster {0} any more, "
		"and no binding fits its new user name; tokens that it made are worthless."),
	.not_done = N_("The principal's access entry in cluster {0} still shows {1}."),
	.fleeting = true,
	.reads = 8,
	.read = read_parts,
	.wanted = wanted,
	.write = write_parts,
};
SETTING_PHASES(setting)

static const char *const calls[] = { "eks:DescribeAccessEntry",
	"eks:ListAssociatedAccessPolicies", "eks:UpdateAccessEntry",
	"eks:DisassociateAccessPolicy", "eks:AssociateAccessPolicy", "sts:GetCallerIdentity",
	NULL };

const struct action action_revoke_cluster_access = {
	.name = "revoke-cluster-access",
	.title = N_("Take away the principal's access to the cluster"),
	.why = N_("Credentials that were stolen open the cluster too, by its access entries. "
		  "Kubernetes asks IAM at every request, so what is taken away here counts at "
		  "once, for tokens as well that were made before."),
	.risk = N_("People and pipelines that use the same principal lose the cluster."),
	.undo_text = N_("Groups, user name and access policies with their scopes are put back; "
			"the entry itself was never deleted."),
	.kinds = "EKSCluster",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
