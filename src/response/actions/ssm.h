/*
 * Systems Manager as the actions use it: the document that cordon owns, a command on one instance,
 * an Automation execution. What comes back from a host or a runbook is hostile text.
 */
#ifndef CORDON_RESPONSE_ACTIONS_SSM_H
#define CORDON_RESPONSE_ACTIONS_SSM_H

#include "response/action.h"

#define SSM_NAME_MAX  129
#define SSM_PEERS_MAX 50

/* The isolation document as it stands in the account. */
struct ssm_document {
	char name[SSM_NAME_MAX];
	char version[16]; /* the version whose content is ours; "" when there is none yet */
	char hash[65];    /* the service's own hash when it is ours too: pins a command to it */
	bool exists;      /* a document of that name exists, ours or not */
};

/*
 * Looks the document up by its name and compares what it says with what this program carries; a
 * document that only has the name is not trusted. Reads only.
 */
ERR_MUST_CHECK enum err_status ssm_document_find(
	const struct action_ctx *c, struct ssm_document *out, struct err *err);
/*
 * Makes it so that a version with our content exists: creates the document or adds a version.
 * *made is "document", "version" or "none" (static).
 */
ERR_MUST_CHECK enum err_status ssm_document_ensure(const struct action_ctx *c,
	struct ssm_document *doc, const char **made, struct err *err);
/* Takes back what ensure made ("document", "version"), unless somebody built on it since. */
ERR_MUST_CHECK enum err_status ssm_document_remove(
	const struct action_ctx *c, const char *made, const char *version, struct err *err);

/*
 * What the agent says of the step's instance (an entry of DescribeInstanceInformation); NULL
 * when Systems Manager does not know it. *out is a new reference.
 */
ERR_MUST_CHECK enum err_status ssm_agent(
	const struct action_ctx *c, json_t **out, struct err *err);
/* Why no command can be sent to it (static), or NULL. */
const char *ssm_agent_objection(const json_t *agent);

/* What the script is to do; the members are the document's parameters. */
struct ssm_order {
	const char *action;    /* isolate, restore, status, survivors */
	const char *endpoints; /* NULL: none */
	int64_t seconds;       /* survivors: how far back, at most 99999 */
};

/*
 * Runs the document on the step's instance and waits for the end, at most the step's `timeout_seconds`
 * (120). *said is the script's own report, reduced to known members and cleaned: {"command","state",
 * "backend","ipv6","cases","exact","pinned","note","survivors","silent"}; the last two are lists of at
 * most SSM_PEERS_MAX addresses, each an address indeed and in its usual spelling. A script that reports an
 * error is ERR_FAILED with its note.
 */
ERR_MUST_CHECK enum err_status ssm_run(const struct action_ctx *c,
	const struct ssm_document *doc, const struct ssm_order *order, json_t **said,
	struct err *err);
/* The report in the last line of a command's output; exported for tests and fuzzing. */
ERR_MUST_CHECK enum err_status ssm_report(struct str output, json_t **said, struct err *err);

/*
 * Waits for an Automation execution, at most the step's `timeout_seconds` (900). *out is the
 * AutomationExecution. ERR_UNREACHABLE when it still runs then; ERR_FAILED with its own message
 * when it did not end in Success.
 */
ERR_MUST_CHECK enum err_status ssm_wait_execution(
	const struct action_ctx *c, const char *execution, json_t **out, struct err *err);
/* A client token in UUID form made from any text: the same text, the same token. */
void ssm_client_token(const char *text, char out[37]);

#endif
