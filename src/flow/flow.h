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
	bool approve_all, dry_run;
	bool skip_analysis; /* contain only; evidence and verdict come later */
	flow_watch_fn watch;
	void *watch_ctx;
};

/*
 * Answers one finding. Idempotent: the same finding again changes nothing more. *out is
 * `cordon.response/1`. ERR_OK, ERR_PARTIAL, ERR_AWAITING, ERR_FAILED and what the layers give.
 */
ERR_MUST_CHECK enum err_status flow_answer(
	const struct flow *f, const struct finding *finding, json_t **out, struct err *err);
/* Finishes a case that a killed run left half done, to the same end. */
ERR_MUST_CHECK enum err_status flow_resume(
	const struct flow *f, const char *case_id, json_t **out, struct err *err);
/* Undoes a case and tells the team. */
ERR_MUST_CHECK enum err_status flow_undo(const struct flow *f, const char *case_id,
	const char *step_id, bool force, json_t **out, struct err *err);

#endif
