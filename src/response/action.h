/*
 * A containment measure (design 4.2). One file in actions/ exports one const struct action.
 * The engine journals; an action only reads, changes, reads back, and restores.
 */
#ifndef CORDON_RESPONSE_ACTION_H
#define CORDON_RESPONSE_ACTION_H

#include "aws/aws.h"
#include "base/config.h"
#include "finding/finding.h"

/* What an action works with; everything is borrowed for the call. */
struct action_ctx {
	struct env *env;
	struct aws_client *aws;
	const struct config *config;
	const struct finding *finding; /* NULL in undo and resume of an old case */
	const char *case_id;
	const char *step_id;
	const char
		*token; /* stable across retries of the step: idempotency token (<= 32 chars) */
	const char *account, *region;
	const char *kind;   /* finding_kind_name of the resource */
	const char *id;     /* resource id */
	const json_t *with; /* the step's parameters from the playbook; {} at least */
	const json_t
		*facts; /* {"<step id>":{action,resource,before,after}} of the steps of this
				  * case done in this run so far; {} at least */
	/* Durable note in the middle of a step (state that resume or undo must know, such as the id
	 * of a thing just created). Journalled as step.progress; the later `partial` handed to
	 * apply/undo is the merge of all notes. */
	enum err_status (*progress)(void *ctx, const json_t *partial, struct err *err);
	/* Hands an artifact (console output, screenshot) to the evidence vault. May be NULL. */
	enum err_status (*artifact)(
		void *ctx, const char *name, struct str bytes, struct err *err);
	void *hook_ctx;
	const json_t
		*partial; /* merged progress notes of an interrupted earlier try; {} at least */
};

struct action {
	const char *name; /* "isolate-network": as playbooks and outputs name it */
	const char
		*title;  /* N_() sentence for people: "Isolate the instance from the network" */
	const char *why; /* N_() why it is done (the course text of `drill`) */
	const char *risk;      /* N_() what it may break */
	const char *undo_text; /* N_() how it is undone */
	const char *kinds;     /* resource kinds it takes: "Instance" or "Instance AccessKey" */
	const char *const
		*calls; /* NULL-terminated "ec2:ModifyNetworkInterfaceAttribute" ...: every
				   * call it may make, read or write, IAM names */
	/*
	 * A document that hangs on the resource's bucket and that it reads, changes and writes as a
	 * whole ("bucket-policy"), or NULL. The engine runs no two steps on the same one side by side:
	 * the one that wrote last would take away what the other wrote.
	 */
	const char *document;
	int rounds; /* sequential round trips of apply at most, for the plan */
	bool reversible;
	/*
	 * Reads what is there. *before gets everything undo needs (new reference); what the thing
	 * will be may stand under "will", which the plan shows as `after`. Sets *needed to
	 * false when the measure is already in force or does not apply; then "reason" in *before says
	 * why and the step is skipped; "not_before" (RFC 3339) beside it: it can't be told before then,
	 * so whoever runs the case again after it looks again. Never changes anything.
	 */
	enum err_status (*observe)(
		const struct action_ctx *c, json_t **before, bool *needed, struct err *err);
	/* Makes it so; may run again after a crash (ctx->partial) and must then complete. *after gets
	 * what was made (ids, new values). */
	enum err_status (*apply)(const struct action_ctx *c, const json_t *before,
		json_t **after, struct err *err);
	/* Reads back and proves it. *ok and *proof (what was read, the sentence for people, a phrase). */
	enum err_status (*verify)(const struct action_ctx *c, const json_t *before,
		const json_t *after, bool *ok, json_t **proof, struct err *err);
	/*
	 * Restores exactly what observe saw. First compares the present with `after` (drift):
	 * what somebody else changed meanwhile is not overwritten but named in *differences (array,
	 * new reference) and ERR_CONFLICT is returned unless ctx->with has {"force": true}. `after` may
	 * be NULL (killed before a result): then ctx->partial tells what was made. Repeating a done
	 * undo is fine. NULL when not reversible.
	 */
	enum err_status (*undo)(const struct action_ctx *c, const json_t *before,
		const json_t *after, json_t **differences, struct err *err);
};

/* All actions, NULL-terminated; actions/registry.c. */
extern const struct action *const action_all[];
/* By name, or NULL. */
const struct action *action_find(const char *name);

#endif
