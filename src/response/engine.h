/* The engine: runs a plan step by step under the journal, resumes it, undoes it (design 4.2). */
#ifndef CORDON_RESPONSE_ENGINE_H
#define CORDON_RESPONSE_ENGINE_H

#include "incident/journal.h"
#include "response/action.h"
#include "response/approver.h"

/* What the caller is told while it runs (narration, progress); NULL members are fine. */
struct engine_watch {
	void (*step)(void *ctx, const char *step_id, const struct action *a, const char *state,
		const json_t *record_payload); /* state as in view.h */
	void *ctx;
};

struct engine {
	struct env *env;
	struct aws_client *aws;
	struct journal *journal;
	const struct config *config;
	const struct finding *finding; /* may be NULL in resume and undo */
	const char *account, *region;
	bool dry_run; /* all of it, but nothing is recorded and the client refuses mutating calls */
	/* --yes: steps in mode approve run too, recorded as approved by the actor; only those that
	 * `approver` may approve (its strings live as long as the run). */
	bool approve_all;
	struct approver approver;
	bool approve_seen; /* they saw the plan: then their yes answers a guard's question too */
	int max_threads;   /* 0 = 8 */
	struct engine_watch watch;
	enum err_status (*artifact)(void *ctx, const char *step_id, const char *name,
		struct str bytes, struct err *err);
	void *artifact_ctx;
};

/*
 * Runs the steps of `plan` (cordon.plan/1) for a case: intent durable, apply, result durable,
 * verify, recorded. Independent steps run side by side; a failed step fails only what needs it.
 * *out is `cordon.response/1` (design 4.8). ERR_OK contained or nothing to do, ERR_PARTIAL,
 * ERR_AWAITING, ERR_FAILED. The case must be locked by the caller. In a dry run there may be no case
 * (NULL), and each action has `would_call`: what it sent and the client held back.
 */
ERR_MUST_CHECK enum err_status engine_run(const struct engine *e, const char *case_id,
	const json_t *plan, json_t **out, struct err *err);
/*
 * Finishes what a killed run left: first any step that leaves a host more open than before. An
 * undo that was killed is finished instead. Failed steps are tried once more. *out and status as
 * engine_run.
 */
ERR_MUST_CHECK enum err_status engine_resume(
	const struct engine *e, const char *case_id, json_t **out, struct err *err);
/*
 * Undoes the case's done steps in reverse order (only `step_id` when not NULL). *out:
 * {"schema":"cordon.undo/1","case","undone":[..],"kept":[..],"differences":[..],"errors":[..]}.
 * `force` overwrites foreign changes. A whole case is first marked case.suppressed, so that its
 * findings do not re-trigger. `kept`: what can't or need not be taken back (snapshots). A step that
 * fails to be undone does not stop the others: ERR_PARTIAL, ERR_FAILED.
 */
ERR_MUST_CHECK enum err_status engine_undo(const struct engine *e, const char *case_id,
	const char *step_id, bool force, json_t **out, struct err *err);

/* cordon.response/1 of a case view; new reference. */
json_t *engine_answer(const json_t *view);

/*
 * From a signal handler: the running steps are finished, no other is started, and the run or undo
 * ends with ERR_INTERRUPTED and the next command in its message.
 */
void engine_interrupt(void);

#endif
