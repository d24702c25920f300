/*
 * hand-over: says what a person must do, and does nothing itself. It is never "done": the case shows
 * it as a step that waits for people.
 */
#include "response/actions/hand_over.h"

#include "base/phrase.h"
#include "base/text.h"
#include "response/actions/registry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_MAX ((size_t)4096)

struct advice {
	const char *about;
	const char *text;    /* N_() */
	const char *command; /* {name} is a value of the step; NULL: nothing to type */
};

static const struct advice advices[] = {
	{ "root",
		N_("Ask the account's owner whether it was them. Root can't be denied anything "
		   "from inside its account."),
		NULL },
	{ "root",
		N_("In an organization with central root access, delete root's credentials "
		   "from the management account: the session that this gives may do it."),
		"aws sts assume-root --target-principal {account} --task-policy-arn "
		"arn=arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials" },
	{ "root",
		N_("Otherwise sign in as root: delete its access keys, change its password, "
		   "remove MFA devices that you do not know and add one of yours."),
		NULL },
	{ "root",
		N_("Change the password of the mailbox that root's address leads to: who reads "
		   "it can reset root."),
		NULL },
	{ "root", N_("Look at what root did and made."),
		"aws cloudtrail lookup-events --lookup-attributes "
		"AttributeKey=Username,AttributeValue=root --region {region}" },

	{ "identity-center",
		N_("Find the user: the session's name is the user's name in Identity Center."),
		"aws identitystore list-users --identity-store-id IDENTITY_STORE --filters "
		"AttributePath=UserName,AttributeValue=USER" },
	{ "identity-center",
		N_("Disable the user in the Identity Center console (Users, the user, Disable "
		   "user access), and end the active sessions on the same page."),
		NULL },
	{ "identity-center",
		N_("Role sessions that exist already last up to the permission set's session "
		   "duration. Deny them to this user only: an inline policy on the permission "
		   "set with the user's id as the condition identitystore:userId."),
		"aws sso-admin put-inline-policy-to-permission-set --instance-arn INSTANCE "
		"--permission-set-arn PERMISSION_SET --inline-policy file://deny-user.json" },
	{ "identity-center",
		N_("Take the assignment to this account away, if the user must not come back."),
		"aws sso-admin delete-account-assignment --instance-arn INSTANCE --target-id "
		"{account} --target-type AWS_ACCOUNT --permission-set-arn PERMISSION_SET "
		"--principal-type USER --principal-id USER_ID" },

	{ "federated",
		N_("Find who asked for this session: a user of this account with "
		   "GetFederationToken, or somebody an identity provider vouched for."),
		"aws cloudtrail lookup-events --lookup-attributes "
		"AttributeKey=EventName,AttributeValue=GetFederationToken --region {region}" },
	{ "federated",
		N_("Deny everything to the user who asked: the session can do no more than its "
		   "user may. Taking the user's key away does not end it."),
		"aws iam put-user-policy --user-name USER --policy-name cordon-deny "
		"--policy-document "
		"'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\","
		"\"Action\":\"*\",\"Resource\":\"*\"}]}'" },
	{ "federated",
		N_("Of an identity provider's user, disable the user there, and revoke the "
		   "sessions of the role that it assumes here."),
		NULL },

	{ "node", N_("See what runs on the node, and which pod the finding is about."),
		"kubectl get pods -A -o wide | grep NODE" },
	{ "node",
		N_("Let nothing new start on it; then delete the pods that are under no "
		   "suspicion, one by one: their owners start them elsewhere."),
		"kubectl cordon NODE" },
	{ "node", N_("When they have moved, approve the isolation of the node."), NULL },

	{ "kubernetes", N_("Get access to the cluster."),
		"aws eks update-kubeconfig --name {cluster} --region {region}" },
	{ "kubernetes", N_("Keep what the pod is and says, before anything else."),
		"kubectl -n {namespace} get {workload_type} {workload} -o yaml > "
		"workload.yaml; kubectl -n "
		"{namespace} logs {workload_type}/{workload} --all-containers > workload.log" },
	{ "kubernetes", N_("Mark the pod."),
		"kubectl -n {namespace} label {workload_type} {workload} "
		"cordon-quarantine=true --overwrite" },
	{ "kubernetes",
		N_("Cut its network. Network policies add up: one that allows the pod "
		   "something still wins, so take the labels from the pod that such a policy "
		   "selects; and the cluster's network plugin must enforce policies at all."),
		"echo "
		"'{\"apiVersion\":\"networking.k8s.io/"
		"v1\",\"kind\":\"NetworkPolicy\",\"metadata\":"
		"{\"name\":\"cordon-quarantine\"},\"spec\":{\"podSelector\":{\"matchLabels\":"
		"{\"cordon-quarantine\":\"true\"}},\"policyTypes\":[\"Ingress\",\"Egress\"]}}' "
		"| "
		"kubectl -n {namespace} apply -f -" },
	{ "kubernetes", N_("Let nothing new start on its node."),
		"kubectl cordon \"$(kubectl -n {namespace} get {workload_type} {workload} -o "
		"jsonpath='{.spec.nodeName}')\"" },
	{ "kubernetes",
		N_("See what the identity that acted may do, and take bindings away that "
		   "nobody answers for."),
		"kubectl auth can-i --list --as {username}; kubectl get "
		"rolebindings,clusterrolebindings -A -o wide" },
	{ "kubernetes",
		N_("Look at what its service account may do; a role bound to it in IAM has "
		   "sessions of its own to revoke."),
		"kubectl -n {namespace} get serviceaccount {service_account} -o yaml" },
	{ "kubernetes",
		N_("When evidence is taken, remove the workload through what owns it, or it "
		   "comes back."),
		"kubectl -n {namespace} get {workload_type} {workload} -o "
		"jsonpath='{.metadata.ownerReferences}'" },

	{ "image",
		N_("Find instances that were started from the image: they carry the malware "
		   "too."),
		"aws ec2 describe-instances --filters Name=image-id,Values={id} --region "
		"{region}" },
	{ "image", N_("Find what would start it again."),
		"aws ec2 describe-launch-template-versions --versions '$Latest' '$Default' "
		"--filters Name=image-id,Values={id} --region {region}" },
	{ "snapshot",
		N_("Find volumes that were made from the snapshot, and the instances that use "
		   "them."),
		"aws ec2 describe-volumes --filters Name=snapshot-id,Values={id} --region "
		"{region}" },
	{ "recovery-point", N_("Do not restore it. See what was restored from it already."),
		"aws backup list-restore-jobs --by-status COMPLETED --region {region}" },
	{ "recovery-point",
		N_("Find the last recovery point before the malware came, and tell those who "
		   "restore which one to use."),
		NULL },

	{ "model", N_("See who invoked the model, and whether invocations are logged at all."),
		"aws bedrock get-model-invocation-logging-configuration --region {region}; aws "
		"cloudtrail lookup-events --lookup-attributes "
		"AttributeKey=EventName,AttributeValue=InvokeModel --region {region}" },
	{ "model",
		N_("Put a guardrail before the application, or make the one it has stricter; "
		   "prompts come from its users, not from a credential that could be cut."),
		"aws bedrock list-guardrails --region {region}" },

	{ "database",
		N_("End the sessions that are open in the database: a security group does not. "
		   "For "
		   "MySQL: SHOW PROCESSLIST, CALL mysql.rds_kill(ID). For PostgreSQL: SELECT "
		   "pg_terminate_backend(pid) FROM pg_stat_activity."),
		NULL },
	{ "database", N_("See which rules let the caller reach the database, and narrow them."),
		"aws rds describe-db-instances --db-instance-identifier {id} --query "
		"'DBInstances[0].[PubliclyAccessible,VpcSecurityGroups]' --region {region}" },
};

static const char *value_of(const struct action_ctx *c, const char *name)
{
	if (strcmp(name, "id") == 0 || strcmp(name, "cluster") == 0) {
		return c->id;
	}
	if (strcmp(name, "account") == 0 || strcmp(name, "region") == 0) {
		return strcmp(name, "account") == 0 ? c->account : c->region;
	}
	return ec2_with(c, name, NULL);
}

static void put_value(const struct action_ctx *c, const char *name, struct buf *out)
{
	const char *value = value_of(c, name);
	if (value && value[0]) {
		text_shell(str_from(value), out);
		return;
	}
	for (const char *p = name; *p; p++) {
		buf_putc(out, (char)toupper((unsigned char)*p));
	}
}

/* Fills {name} where a name of letters stands between braces; other braces are the shell's. */
static char *command_of(const struct action_ctx *c, const char *template)
{
	struct buf out;
	char name[32];
	buf_init(&out, COMMAND_MAX * 4);
	for (const char *p = template; *p;) {
		size_t n = *p == '{' ? strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;
		if (n > 0 && n < sizeof(name) && p[n + 1] == '}') {
			memcpy(name, p + 1, n);
			name[n] = '\0';
			put_value(c, name, &out);
			p += n + 2;
		} else {
			buf_putc(&out, *p++);
		}
	}
	char *text = str_dup(buf_view(&out));
	buf_deinit(&out);
	return text;
}

json_t *hand_over_steps(const struct action_ctx *c, const char *about)
{
	json_t *out = NULL;
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		const struct advice *a = &advices[i];
		if (strcmp(a->about, about) != 0) {
			continue;
		}
		json_t *step = phrase_new(a->text, NULL);
		if (a->command) {
			char *command = command_of(c, a->command);
			json_object_set_new(step, "command", doc_str(str_from(command)));
			free(command);
		}
		out = out ? out : json_array();
		json_array_append_new(out, step);
	}
	return out;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	const char *about = ec2_with(c, "about", "");
	json_t *steps = hand_over_steps(c, about);
	if (!steps) {
		return err_set(err, ERR_CONFIG,
			"the step's parameter about says '%.40s': it must be root, "
			"identity-center, federated, node, "
			"kubernetes, image, snapshot, recovery-point, model or database",
			about);
	}
	return ec2_skip(json_pack("{s:s,s:o}", "about", about, "steps", steps),
		N_("this is for a person: the steps and their commands stand in the case"),
		before, needed);
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	(void)c;
	(void)err;
	*after = json_pack("{s:O?}", "steps", json_object_get(before, "steps"));
	return ERR_OK;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	(void)after;
	(void)err;
	*ok = false;
	*proof = json_pack("{s:O?}", "steps", json_object_get(before, "steps"));
	phrase_set(*proof, "text", N_("Nothing was done about {0}: a person must."),
		PHRASE_ARGS(c->id));
	return ERR_OK;
}

static const char *const calls[] = { NULL };

const struct action action_hand_over = {
	.name = "hand-over",
	.title = N_("Tell people what only they can do"),
	.why = N_("Not everything can be contained by a call to AWS. Saying so, with the steps "
		  "and the commands, is faster than letting somebody look for them at night."),
	.risk = N_("None: it only tells."),
	.undo_text = N_("Nothing is undone: nothing was done."),
	.kinds =
		"AccessKey Instance EKSCluster Container EBSSnapshot EC2Image EBSRecoveryPoint "
		"EC2RecoveryPoint S3RecoveryPoint Model RDSDBInstance RDSLimitlessDB",
	.calls = calls,
	.rounds = 1,
	.reversible = false,
	.observe = observe,
	.apply = apply,
	.verify = verify,
};
