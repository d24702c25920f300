/*
 * One finding carried through the whole of cordon: case, guards, plan, containment, messages,
 * evidence, analysis. The one path that `respond`, Lambda, the daemon and the drill share.
 */
#ifndef CORDON_FLOW_FLOW_H
#define CORDON_FLOW_FLOW_H

#include "base/config.h"
#include "finding/finding.h"
#include "incident/journal.h"
#include "response/engine.h"
#include "response/playbook.h"

/* Narration: which stage was reached, with its document. Stages: "received" "case" "held" "planned"
 * "step" "contained" "notified" "evidence" "analysed" "done". */
typedef void (*flow_watch_fn)(void *ctx, const char *stage, const json_t *detail);

struct flow {
	struct env *env;
	struct aws_client *aws;
	struct journal *journal;
	const struct config *config;
	const struct playbook_set *playbooks;
	bool approve_all;
	bool approve_seen; /* after they saw the plan, engine.h */
	const char
		*person; /* who says so, as this machine knows them; NULL: only by their ARN */
	bool dry_run; /* the client refuses what changes anything; nothing is recorded or announced */
	/* Not NULL: evidence and verdict are put off, for flow_explain, and this is told of the case. */
	void (*postpone)(void *ctx, const char *case_id);
	void *postpone_ctx;
	flow_watch_fn watch;
	void *watch_ctx;
};

/*
 * Answers one finding. Idempotent: the same finding again changes nothing more. *out is
 * `cordon.response/1`. ERR_OK, ERR_PARTIAL, ERR_AWAITING, ERR_FAILED and what the layers give. What the
 * finding leaves out (account, region, tags) is filled in.
 */
ERR_MUST_CHECK enum err_status flow_answer(
	const struct flow *f, struct finding *finding, json_t **out, struct err *err);
/*
 * What would be done about a finding: the route with all guards, after looking at the account
 * (`cordon.plan/1`). Reads the journal and the account, changes neither.
 */
ERR_MUST_CHECK enum err_status flow_plan(
	const struct flow *f, struct finding *finding, json_t **out, struct err *err);
/* The plan run with a client that refuses changes: each action with the calls it would have sent. */
ERR_MUST_CHECK enum err_status flow_rehearse(
	const struct flow *f, struct finding *finding, json_t **out, struct err *err);
/* Finishes a case that a killed run left half done, to the same end. */
ERR_MUST_CHECK enum err_status flow_resume(
	const struct flow *f, const char *case_id, json_t **out, struct err *err);
/*
 * Carries out what the playbooks say about questions that nobody answered in time, in every case; closes
 * hosts that a killed run left more open than before; looks again at what could not be told before a
 * moment that has come. To be called every now and then. *n (may be NULL): how many cases were touched. Cases that somebody
 * else works on are left alone. The first failure is given; the others are tried all the same.
 */
ERR_MUST_CHECK enum err_status flow_tick(const struct flow *f, size_t *n, struct err *err);
/* What was put off: takes the evidence and finds the cause, unless the case has both. ERR_CONFLICT while
 * somebody else works on the case; what fails otherwise is in the journal and the log. */
ERR_MUST_CHECK enum err_status flow_explain(
	const struct flow *f, const char *case_id, struct err *err);
/* What findings must have in common to be about one thing, as a case knows it; the caller frees. */
char *flow_key(const struct finding *finding);
/* Undoes a case, with those that were merged into it, and tells the team. */
ERR_MUST_CHECK enum err_status flow_undo(const struct flow *f, const char *case_id,
	const char *step_id, bool force, json_t **out, struct err *err);

#endif
