/*
 * contain-runbook: AWS's own runbook AWSSupport-ContainEC2Instance instead of isolate-network.
 * https://docs.aws.amazon.com/systems-manager-automation-runbooks/latest/userguide/automation-awssupport-containec2instance.html
 * Its parameters are asked of the document itself, so that a change on AWS's side is noticed and
 * not guessed around. AWS's pages disagree whether it ends tracked connections.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/iam.h"
#include "response/actions/registry.h"
#include "response/actions/ssm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNBOOK "AWSSupport-ContainEC2Instance"

/* {interface: [groups]} of the instance; new reference. */
static json_t *interfaces_of(const json_t *instance)
{
	json_t *out = json_object(), *eni;
	size_t i;
	json_array_foreach(json_object_get(instance, "NetworkInterfaces"), i, eni)
	{
		json_object_set_new(
			out, doc_text_or(eni, "NetworkInterfaceId", ""), ec2_groups_of(eni));
	}
	return out;
}

static enum err_status read_interfaces(
	const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *instance = NULL;
	enum err_status st = ec2_instance(c, &instance, err);
	if (st == ERR_OK) {
		*out = interfaces_of(instance);
	}
	json_decref(instance);
	return st;
}

/* Names of the parameters that the runbook declares; *out is NULL when it is not to be had here. */
static enum err_status declared(const struct action_ctx *c, json_t **out, struct err *err)
{
	struct batch b;
	json_t *p;
	size_t i;
	batch_init(&b);
	size_t at = batch_add_lenient(&b, "ssm", "DescribeDocument",
		json_pack("{s:s}", "Name", RUNBOOK), "InvalidDocument");
	enum err_status st = batch_run(&b, c->aws, err);
	if (st == ERR_OK && batch_ok(&b, at)) {
		*out = json_array();
		json_array_foreach(doc_get(batch_result(&b, at), "Document.Parameters"), i, p)
		{
			json_array_append_new(*out, json_string(doc_text_or(p, "Name", "")));
		}
	} else {
		*out = NULL;
	}
	batch_deinit(&b);
	return st;
}

static bool has(const json_t *names, const char *name)
{
	size_t i;
	json_t *v;
	json_array_foreach(names, i, v)
	{
		if (strcmp(json_string_value(v), name) == 0) {
			return true;
		}
	}
	return false;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *names = NULL, *interfaces = NULL;
	TRY(read_interfaces(c, &interfaces, err));
	TRY(declared(c, &names, err));
	json_t *seen = json_pack("{s:s,s:s,s:O,s:O?}", "instance", c->id, "runbook", RUNBOOK,
		"interfaces", interfaces, "parameters", names);
	if (!names) {
		st = ec2_skip(seen, N_("AWS does not offer the runbook in this region"), before,
			needed);
	} else if (!has(names, "Action") || !has(names, "InstanceId") ||
		   !has(names, "DryRun")) {
		st = ec2_skip(seen,
			N_("the runbook's parameters are not those it is documented with: use "
			   "isolate-network"),
			before, needed);
	} else {
		*before = seen;
		*needed = true;
	}
out:
	json_decref(interfaces);
	json_decref(names);
	return st;
}

static void put(json_t *params, const json_t *names, const char *name, const char *value)
{
	if (value && *value && has(names, name)) {
		json_object_set_new(params, name, json_pack("[s]", value));
	}
}

/* The ARN of the role or user that cordon acts as, the backup's reader; "" when unknown. */
static enum err_status own_arn(const struct action_ctx *c, char out[256], struct err *err)
{
	const char *account, *arn;
	enum err_status st = aws_caller(c->aws, &account, &arn, err);
	const char *role = st == ERR_OK ? strstr(arn, ":assumed-role/") : NULL;
	out[0] = '\0';
	if (st != ERR_OK || !role) {
		if (st == ERR_OK && strstr(arn, ":user/")) {
			snprintf(out, 256, "%s", arn);
		}
		return st;
	}
	role += strlen(":assumed-role/");
	struct str rest = str_from(arn), partition = STR("aws");
	(void)str_cut(&rest, ':', &partition);
	(void)str_cut(&rest, ':', &partition);
	snprintf(out, 256, "arn:%.*s:iam::%s:role/%.*s", STR_ARG(partition), account,
		(int)strcspn(role, "/"), role);
	return ERR_OK;
}

/* The step's own `parameters` win; one that the runbook does not declare is a mistake. */
static enum err_status add_given(
	const struct action_ctx *c, json_t *params, const json_t *names, struct err *err)
{
	const char *name;
	json_t *v;
	json_object_foreach(json_object_get(c->with, "parameters"), name, v)
	{
		if (!has(names, name) || strcmp(name, "Action") == 0 ||
			strcmp(name, "InstanceId") == 0) {
			return err_set(err, ERR_CONFIG,
				"the step gives the runbook a parameter %s that it does not "
				"take",
				name);
		}
		json_object_set_new(
			params, name, json_is_array(v) ? json_incref(v) : json_pack("[O]", v));
	}
	return ERR_OK;
}

static enum err_status parameters(const struct action_ctx *c, const json_t *names,
	const char *action, json_t **out, struct err *err)
{
	char self[256];
	json_t *params = json_object();
	enum err_status st = ERR_OK;
	const char *bucket =
		ec2_with(c, "backup_bucket", c->config ? c->config->evidence_bucket : NULL);
	TRY(own_arn(c, self, err));
	put(params, names, "Action", action);
	put(params, names, "InstanceId", c->id);
	put(params, names, "DryRun", doc_true(c->with, "dry_run") ? "true" : "false");
	put(params, names, "BackupS3BucketName", bucket);
	put(params, names, "AutomationAssumeRole", ec2_with(c, "assume_role", NULL));
	if (strcmp(action, "Contain") == 0) {
		put(params, names, "BackupS3BucketAccess", ec2_with(c, "backup_access", self));
	}
	TRY(add_given(c, params, names, err));
	*out = params;
	params = NULL;
out:
	json_decref(params);
	return st;
}

static enum err_status start(const struct action_ctx *c, const json_t *params,
	const char *token, char id[64], struct err *err)
{
	json_t *call = json_pack("{s:s,s:O,s:s}", "DocumentName", RUNBOOK, "Parameters", params,
		       "ClientToken", token),
	       *answer = NULL;
	enum err_status st =
		aws_call(c->aws, "ssm", "StartAutomationExecution", call, &answer, err);
	if (st == ERR_OK) {
		snprintf(id, 64, "%s", doc_text_or(answer, "AutomationExecutionId", ""));
	}
	json_decref(answer);
	json_decref(call);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *params = NULL, *run = NULL;
	char token[37], id[64];
	const char *earlier = doc_text(c->partial, "execution");
	if (earlier) {
		snprintf(id, sizeof(id), "%s", earlier);
	} else {
		TRY(parameters(
			c, json_object_get(before, "parameters"), "Contain", &params, err));
		ssm_client_token(c->token, token);
		TRY(start(c, params, token, id, err));
		TRY(ec2_note(c, json_pack("{s:s}", "execution", id), err));
	}
	TRY(ssm_wait_execution(c, id, &run, err));
	*after = json_pack("{s:s,s:O?,s:b}", "execution", id, "outputs",
		json_object_get(run, "Outputs"), "dry_run", doc_true(c->with, "dry_run"));
out:
	json_decref(run);
	json_decref(params);
	return st;
}

/* Every interface left its former groups. */
static bool moved(const json_t *before, const json_t *now)
{
	const char *eni;
	json_t *groups;
	bool all = json_object_size(before) > 0;
	json_object_foreach((json_t *)(uintptr_t)before, eni, groups)
	{
		const json_t *present = json_object_get(now, eni);
		all = all && present && !doc_eq(present, groups);
	}
	return all;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *run = NULL, *now = NULL;
	const char *id = doc_text_or(after, "execution", "");
	TRY(ssm_wait_execution(c, id, &run, err));
	TRY(read_interfaces(c, &now, err));
	*ok = !doc_true(after, "dry_run") && moved(json_object_get(before, "interfaces"), now);
	*proof = json_pack("{s:s,s:s,s:O}", "execution", id, "status",
		doc_text_or(run, "AutomationExecutionStatus", ""), "interfaces", now);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("The runbook ended in Success (execution {0}) and every interface "
			   "of {1} left its former security groups."),
			PHRASE_ARGS(id, c->id));
	} else if (doc_true(after, "dry_run")) {
		phrase_set(*proof, "text",
			N_("The runbook only previewed (execution {0}): {1} is not contained."),
			PHRASE_ARGS(id, c->id));
	} else {
		phrase_set(*proof, "text",
			N_("The runbook ended in Success (execution {0}), yet interfaces of "
			   "{1} still have their former security groups."),
			PHRASE_ARGS(id, c->id));
	}
out:
	json_decref(now);
	json_decref(run);
	return st;
}

/* The backup's key in any text of the outputs: "2026/11/24/07/51/EXECUTION.json". Heap or NULL. */
static char *find_key(const json_t *outputs, const char *execution)
{
	char end[80];
	const char *name;
	json_t *list, *v;
	size_t i;
	snprintf(end, sizeof(end), "%s.json", execution);
	json_object_foreach((json_t *)(uintptr_t)outputs, name, list)
	{
		json_array_foreach(list, i, v)
		{
			const char *text = json_is_string(v) ? json_string_value(v) : "";
			const char *hit = strstr(text, end), *from = hit;
			while (hit && from > text && strchr("0123456789/", from[-1])) {
				from--;
			}
			if (hit) {
				return str_dup((struct str){
					from, (size_t)(hit - from) + strlen(end) });
			}
		}
	}
	return NULL;
}

/* The name of the backup's bucket in the outputs, or NULL. Borrowed. */
static const char *find_bucket(const json_t *outputs)
{
	const char *name;
	json_t *list;
	json_object_foreach((json_t *)(uintptr_t)outputs, name, list)
	{
		if (str_ends(str_from(name), STR("BackupS3BucketName"))) {
			return json_string_value(json_array_get(list, 0));
		}
	}
	return NULL;
}

static enum err_status release(
	const struct action_ctx *c, const json_t *before, const json_t *after, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *params = NULL, *run = NULL;
	const json_t *names = json_object_get(before, "parameters");
	const json_t *outputs = json_object_get(after, "outputs");
	char token[37], id[64];
	char *key = find_key(outputs, doc_text_or(after, "execution", ""));
	TRY(parameters(c, names, "Release", &params, err));
	put(params, names, "BackupS3BucketName", find_bucket(outputs));
	put(params, names, "BackupS3KeyName", key);
	/* A new token each time: an undo may be tried again after a failed one. */
	env_uuid(c->env, token);
	TRY(start(c, params, token, id, err));
	TRY(ssm_wait_execution(c, id, &run, err));
out:
	free(key);
	json_decref(run);
	json_decref(params);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *now = NULL, *known = NULL, *run = NULL, *diffs = json_array();
	const json_t *was = json_object_get(before, "interfaces");
	const char *execution = doc_text(after ? after : c->partial, "execution");
	TRY(read_interfaces(c, &now, err));
	if (doc_eq(now, was) || !execution) {
		goto done;
	}
	if (after) {
		known = json_incref((json_t *)(uintptr_t)after);
	} else {
		TRY(ssm_wait_execution(c, execution, &run, err));
		known = json_pack("{s:s,s:O?}", "execution", execution, "outputs",
			json_object_get(run, "Outputs"));
	}
	TRY(release(c, before, known, err));
	json_decref(now);
	now = NULL;
	TRY(read_interfaces(c, &now, err));
	if (!doc_eq(now, was)) {
		ec2_differ(diffs,
			&(struct ec2_difference){ .resource = c->id,
				.what = "security groups",
				.before = json_deep_copy(was),
				.now = json_incref(now),
				.text = N_("The runbook ended its release, yet the interfaces "
					   "do not have their former security groups."),
				.blocking = true });
	}
done:
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(run);
	json_decref(known);
	json_decref(now);
	return st;
}

static const char *const calls[] = { "ec2:DescribeInstances", "ssm:DescribeDocument",
	"ssm:StartAutomationExecution", "ssm:GetAutomationExecution", "sts:GetCallerIdentity",
	NULL };

const struct action action_contain_runbook = {
	.name = "contain-runbook",
	.title = N_("Contain the instance with AWS's own runbook"),
	.why = N_("Some teams are bound to the procedure that AWS publishes and supports. The "
		  "runbook AWSSupport-ContainEC2Instance does what isolate-network does, in "
		  "AWS's way."),
	.risk = N_("It takes minutes, needs many rights, may move the instance out of its Auto "
		   "Scaling group, and may leave connections alive that were open before."),
	.undo_text =
		N_("The runbook is run again with the action Release, from the backup that it "
		   "wrote to S3; the interfaces are then compared with those before."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 5,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
