#include "response/actions/ssm.h"

#include "base/embed.h"
#include "base/hash.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/yaml.h"
#include "response/actions/cidr.h"
#include "response/actions/ec2.h"

#include <stdio.h>
#include <string.h>

extern const struct embed_file ssm_documents[];

#define DOCUMENT_MAX     65536 /* AWS: a document has at most 64 KiB */
#define OUTPUT_MAX       24000 /* GetCommandInvocation cuts there */
#define COMMAND_TIMEOUT  120
#define RUNBOOK_TIMEOUT  900
#define DELIVERY_TIMEOUT 60
#define ACTIVE_READS     10

static struct str content(void)
{
	return (struct str){ ssm_documents[0].data, ssm_documents[0].size };
}

static const char *document_name(const struct action_ctx *c)
{
	const char *name = c->config ? c->config->ssm_document : NULL;
	return ec2_with(c, "document", name && *name ? name : "cordon-isolate");
}

/* Same bytes, or the same document written otherwise (the service may reformat). */
static bool is_ours(const char *text)
{
	struct yaml_doc theirs = { 0 }, ours = { 0 };
	struct err ignored = { 0 };
	if (str_eq(str_trim(str_from(text)), str_trim(content()))) {
		return true;
	}
	if (strlen(text) > DOCUMENT_MAX ||
		yaml_parse(str_from(text), "document", &theirs, &ignored) != ERR_OK) {
		return false;
	}
	bool same = yaml_parse(content(), "cordon-isolate.yaml", &ours, &ignored) == ERR_OK &&
		    doc_eq(theirs.root, ours.root);
	yaml_deinit(&theirs);
	yaml_deinit(&ours);
	return same;
}

enum err_status ssm_document_find(
	const struct action_ctx *c, struct ssm_document *out, struct err *err)
{
	struct batch b;
	enum err_status st = ERR_OK;
	char sha[HASH_SHA256_HEX];
	const char *name = document_name(c);
	memset(out, 0, sizeof(*out));
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	batch_init(&b);
	size_t get = batch_add_lenient(&b, "ssm", "GetDocument",
		json_pack("{s:s,s:s}", "Name", name, "DocumentVersion", "$LATEST"),
		"InvalidDocument");
	size_t describe = batch_add_lenient(&b, "ssm", "DescribeDocument",
		json_pack("{s:s,s:s}", "Name", name, "DocumentVersion", "$LATEST"),
		"InvalidDocument");
	TRY(batch_run(&b, c->aws, err));
	const json_t *got = batch_result(&b, get), *told = batch_result(&b, describe);
	out->exists = got != NULL;
	if (got && is_ours(doc_text_or(got, "Content", ""))) {
		(void)snprintf(out->version, sizeof(out->version), "%s",
			doc_text_or(got, "DocumentVersion", ""));
		hash_sha256_hex(str_from(doc_text_or(got, "Content", "")), sha);
		/* Only when the service's hash is over the bytes we compared does it prove anything. */
		if (strcmp(sha, doc_text_or(told, "Document.Hash", "")) == 0) {
			memcpy(out->hash, sha, sizeof(out->hash));
		}
	}
out:
	batch_deinit(&b);
	return st;
}

/* A new version can be run only when it is Active. */
static enum err_status wait_active(
	const struct action_ctx *c, const struct ssm_document *doc, struct err *err)
{
	for (int try = 0; try < ACTIVE_READS; try++) {
		json_t *params = json_pack(
			       "{s:s,s:s}", "Name", doc->name, "DocumentVersion", doc->version),
		       *answer = NULL;
		enum err_status st =
			aws_call(c->aws, "ssm", "DescribeDocument", params, &answer, err);
		bool active = strcmp(doc_text_or(answer, "Document.Status", ""), "Active") == 0;
		json_decref(answer);
		json_decref(params);
		if (st != ERR_OK || active) {
			return st;
		}
		ec2_pause(c, try);
	}
	return err_set(err, ERR_UNREACHABLE,
		"the document %s does not become active; see why with: aws ssm "
		"describe-document --name %s",
		doc->name, doc->name);
}

enum err_status ssm_document_ensure(const struct action_ctx *c, struct ssm_document *doc,
	const char **made, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *params = NULL, *answer = NULL;
	char sha[HASH_SHA256_HEX];
	TRY(ssm_document_find(c, doc, err));
	*made = "none";
	if (doc->version[0]) {
		goto out;
	}
	params = json_pack("{s:s,s:o,s:s}", "Name", doc->name, "Content", doc_str(content()),
		"DocumentFormat", "YAML");
	if (doc->exists) {
		/* The default version is left alone: nothing of anybody else changes. */
		json_object_set_new(params, "DocumentVersion", json_string("$LATEST"));
		TRY(aws_call(c->aws, "ssm", "UpdateDocument", params, &answer, err));
		*made = "version";
	} else {
		json_object_set_new(params, "DocumentType", json_string("Command"));
		json_object_set_new(params, "Tags",
			json_pack("[{s:s,s:s}]", "Key", EC2_TAG_CASE, "Value", c->case_id));
		TRY(aws_call(c->aws, "ssm", "CreateDocument", params, &answer, err));
		*made = "document";
	}
	(void)snprintf(doc->version, sizeof(doc->version), "%s",
		doc_text_or(answer, "DocumentDescription.DocumentVersion", "1"));
	hash_sha256_hex(content(), sha);
	if (strcmp(sha, doc_text_or(answer, "DocumentDescription.Hash", "")) == 0) {
		memcpy(doc->hash, sha, sizeof(doc->hash));
	}
	TRY(wait_active(c, doc, err));
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

enum err_status ssm_document_remove(
	const struct action_ctx *c, const char *made, const char *version, struct err *err)
{
	struct ssm_document now;
	struct batch b;
	enum err_status st = ssm_document_find(c, &now, err);
	bool whole = strcmp(made, "document") == 0;
	if (st != ERR_OK || (!whole && strcmp(made, "version") != 0) ||
		strcmp(now.version, version) != 0) {
		return st;
	}
	json_t *params = json_pack("{s:s}", "Name", now.name);
	if (!whole) {
		json_object_set_new(params, "DocumentVersion", json_string(version));
	}
	batch_init(&b);
	batch_add_lenient(&b, "ssm", "DeleteDocument", params, "InvalidDocument*");
	st = batch_run(&b, c->aws, err);
	batch_deinit(&b);
	return st;
}

enum err_status ssm_agent(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *params = json_pack(
		       "{s:[{s:s,s:[s]}]}", "Filters", "Key", "InstanceIds", "Values", c->id),
	       *answer = NULL;
	enum err_status st =
		aws_call(c->aws, "ssm", "DescribeInstanceInformation", params, &answer, err);
	if (st == ERR_OK) {
		*out = json_incref(doc_get(answer, "InstanceInformationList[0]"));
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

const char *ssm_agent_objection(const json_t *agent)
{
	if (!agent) {
		return N_("Systems Manager does not know the instance: no agent, no profile "
			  "that lets it register, or no way to the endpoints");
	}
	if (strcmp(doc_text_or(agent, "PingStatus", ""), "Online") != 0) {
		return N_(
			"the agent on the instance has lost its connection to Systems Manager");
	}
	if (strcmp(doc_text_or(agent, "PlatformType", ""), "Linux") != 0) {
		return N_("the isolation script is for Linux and the instance runs something "
			  "else");
	}
	return NULL;
}

/* A text of the host's, cleaned, under `key`. */
static void copy_text(const json_t *from, json_t *to, const char *key, size_t max)
{
	struct buf clean;
	buf_init(&clean, 4 * max + 16);
	text_clip(str_from(doc_text_or(from, key, "")), max, &clean);
	json_object_set_new(to, key, doc_str(buf_view(&clean)));
	buf_deinit(&clean);
}

/* The list of addresses under `key`: what is none is left out. */
static void copy_addresses(const json_t *from, json_t *to, const char *key)
{
	json_t *out = json_array(), *v;
	size_t i;
	json_array_foreach(json_object_get(from, key), i, v)
	{
		struct cidr address;
		char text[CIDR_TEXT];
		if (json_array_size(out) >= SSM_PEERS_MAX || !json_is_string(v) ||
			!cidr_parse(str_from(json_string_value(v)), &address) ||
			address.prefix != (address.v6 ? 128 : 32)) {
			continue;
		}
		cidr_text(&address, text);
		text[strcspn(text, "/")] = '\0';
		json_array_append_new(out, json_string(text));
	}
	json_object_set_new(to, key, out);
}

enum err_status ssm_report(struct str output, json_t **said, struct err *err)
{
	struct str rest = output, line, last = { 0 };
	json_t *raw = NULL, *clean, *v;
	size_t i;
	while (str_cut(&rest, '\n', &line)) {
		last = str_trim(line).n > 0 ? str_trim(line) : last;
	}
	struct err detail = { 0 };
	if (last.n == 0 || doc_parse(last, OUTPUT_MAX, &raw, &detail) != ERR_OK ||
		strcmp(doc_text_or(raw, "schema", ""), "cordon.isolate/1") != 0) {
		json_decref(raw);
		return err_set(err, ERR_INPUT,
			"the script on the host ended without its report; what it printed is "
			"in the command's output");
	}
	clean = json_object();
	copy_text(raw, clean, "state", 16);
	copy_text(raw, clean, "backend", 16);
	copy_text(raw, clean, "ipv6", 16);
	copy_text(raw, clean, "note", 200);
	copy_addresses(raw, clean, "survivors");
	copy_addresses(raw, clean, "silent");
	json_object_set_new(
		clean, "exact", json_boolean(json_is_true(json_object_get(raw, "exact"))));
	json_object_set_new(clean, "pinned", json_integer(doc_int(raw, "pinned", 0)));
	json_t *cases = json_array();
	json_array_foreach(json_object_get(raw, "cases"), i, v)
	{
		if (i < 32 && json_is_string(v) && json_string_length(v) <= 64) {
			json_array_append(cases, v);
		}
	}
	json_object_set_new(clean, "cases", cases);
	json_decref(raw);
	*said = clean;
	return ERR_OK;
}

/* Status words of GetCommandInvocation after which nothing more comes. */
static bool command_over(const char *status)
{
	static const char *const words[] = { "Success", "Failed", "TimedOut", "Cancelled" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(status, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Looks at once, then ever more seldom up to every 3 s, as long as the step may take. */
static enum err_status wait_for(const struct action_ctx *c, struct aws_wait *wait,
	int64_t seconds, json_t **answer, struct err *err)
{
	wait->service = "ssm";
	wait->first_pause_ms = 100;
	wait->pause_ms = 3000;
	wait->timeout_ms = doc_int(c->with, "timeout_seconds", seconds) * 1000;
	return aws_wait(c->aws, wait, answer, err);
}

/* It shows only a moment after it was sent. */
static enum aws_verdict judge_command(void *ctx, const json_t *answer, const struct err *err)
{
	(void)ctx;
	if (err) {
		bool early = strcmp(err->code, "InvocationDoesNotExist") == 0;
		return early ? AWS_WAIT_ON : AWS_WAIT_FAILED;
	}
	return command_over(doc_text_or(answer, "Status", "")) ? AWS_WAIT_DONE : AWS_WAIT_ON;
}

static enum err_status wait_command(
	const struct action_ctx *c, const char *command, json_t **out, struct err *err)
{
	json_t *params = json_pack("{s:s,s:s}", "CommandId", command, "InstanceId", c->id);
	struct aws_wait wait = {
		.operation = "GetCommandInvocation", .params = params, .judge = judge_command
	};
	enum err_status st = wait_for(c, &wait, COMMAND_TIMEOUT, out, err);
	if (st == ERR_LIMIT) {
		st = err_set(err, ERR_UNREACHABLE,
			"command %s on %s does not end: the agent may have been cut off; see: "
			"aws ssm get-command-invocation --command-id %s --instance-id %s",
			command, c->id, command, c->id);
	}
	json_decref(params);
	return st;
}

static enum err_status send_command(const struct action_ctx *c, const struct ssm_document *doc,
	const struct ssm_order *order, json_t **answer, struct err *err)
{
	char comment[100], seconds[24];
	(void)snprintf(
		comment, sizeof(comment), "cordon case %s: %s", c->case_id, order->action);
	(void)snprintf(seconds, sizeof(seconds), "%lld", (long long)order->seconds);
	json_t *params = json_pack("{s:s,s:s,s:[s],s:i,s:s,s:{s:[s],s:[s],s:[s],s:[s]}}",
		"DocumentName", doc->name, "DocumentVersion", doc->version, "InstanceIds",
		c->id, "TimeoutSeconds", DELIVERY_TIMEOUT, "Comment", comment, "Parameters",
		"action", order->action, "caseId", c->case_id, "endpoints",
		order->endpoints ? order->endpoints : "", "seconds", seconds);
	if (doc->hash[0]) {
		json_object_set_new(params, "DocumentHash", json_string(doc->hash));
		json_object_set_new(params, "DocumentHashType", json_string("Sha256"));
	}
	enum err_status st = aws_call(c->aws, "ssm", "SendCommand", params, answer, err);
	json_decref(params);
	return st;
}

enum err_status ssm_run(const struct action_ctx *c, const struct ssm_document *doc,
	const struct ssm_order *order, json_t **said, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *sent = NULL, *end = NULL, *report = NULL;
	TRY(send_command(c, doc, order, &sent, err));
	const char *command = doc_text_or(sent, "Command.CommandId", "");
	TRY(wait_command(c, command, &end, err));
	const char *status = doc_text_or(end, "Status", "");
	if (strcmp(status, "TimedOut") == 0 || strcmp(status, "Cancelled") == 0) {
		st = err_set(err, ERR_FAILED, "command %s on %s ended as %s (%s)", command,
			c->id, status, doc_text_or(end, "StatusDetails", ""));
		goto out;
	}
	TRY(ssm_report(str_from(doc_text_or(end, "StandardOutputContent", "")), &report, err));
	json_object_set_new(report, "command", json_string(command));
	if (strcmp(doc_text_or(report, "state", ""), "error") == 0) {
		st = err_set(err, ERR_FAILED, "%s refused to %s: %s", c->id, order->action,
			doc_text_or(report, "note", ""));
		goto out;
	}
	*said = report;
	report = NULL;
out:
	json_decref(report);
	json_decref(end);
	json_decref(sent);
	return st;
}

static enum aws_verdict judge_execution(void *ctx, const json_t *answer, const struct err *err)
{
	static const char *const running[] = { "Pending", "InProgress", "Waiting",
		"PendingApproval", "Approved", "Scheduled", "Cancelling", "RunbookInProgress" };
	(void)ctx;
	const char *status =
		doc_text_or(answer, "AutomationExecution.AutomationExecutionStatus", "");
	for (size_t i = 0; !err && i < sizeof(running) / sizeof(running[0]); i++) {
		if (strcmp(status, running[i]) == 0) {
			return AWS_WAIT_ON;
		}
	}
	return err ? AWS_WAIT_FAILED : AWS_WAIT_DONE;
}

enum err_status ssm_wait_execution(
	const struct action_ctx *c, const char *execution, json_t **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "AutomationExecutionId", execution), *answer = NULL;
	struct aws_wait wait = { .operation = "GetAutomationExecution",
		.params = params,
		.judge = judge_execution };
	enum err_status st = wait_for(c, &wait, RUNBOOK_TIMEOUT, &answer, err);
	if (st == ERR_LIMIT) {
		st = err_set(err, ERR_UNREACHABLE,
			"the runbook still runs (execution %s): wait and run cordon resume",
			execution);
	}
	const char *status =
		doc_text_or(answer, "AutomationExecution.AutomationExecutionStatus", "");
	if (st == ERR_OK && strcmp(status, "Success") != 0) {
		st = err_set(err, ERR_FAILED, "the runbook ended as %s (execution %s): %.200s",
			status, execution,
			doc_text_or(answer, "AutomationExecution.FailureMessage", ""));
	}
	if (st == ERR_OK) {
		*out = json_incref(json_object_get(answer, "AutomationExecution"));
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

void ssm_client_token(const char *text, char out[37])
{
	char sha[HASH_SHA256_HEX];
	hash_sha256_hex(str_from(text), sha);
	(void)snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", sha, sha + 8, sha + 12, sha + 16,
		sha + 20);
}
