/* A case as one document, folded from its records; everything that shows a case reads this. */
#ifndef CORDON_INCIDENT_VIEW_H
#define CORDON_INCIDENT_VIEW_H

#include "base/doc.h"

/*
 * Folds the records (array as journal_read gives) into
 * {"schema":"cordon.case/1","case","state","opened","updated","title","type","severity",
 *  "account","region","resources":[{kind,id}],"findings":[{arn,type,severity,count,updated,raw,received}],
 *  "playbook","mode","plan":{..}|null,"head":{"seq","hash"},
 *  "steps":[{"id","action","resource","mode","state","before","after","verified","proof","error",
 *            "started","finished","calls","why","risk","undo","undone","differences",
 *            "needs","with","token","partial","applied","seq","reason","intents"}],
 *  "held_back":[{guard,reason,time}],"approvals":[{step,who,until,on_expiry,asked,seq,plan,
 *  decision ("approved" "rejected" "superseded"),by,via,reason,decided,decided_seq}],"messages":[notify.* payload + time, kind],"evidence":[payload + time],
 *  "evidence_failed":[..],"suppressed":bool,"closed":time|null,
 *  "investigation":{..}|null,"merged":[{case,time,..}],"merged_into":case|null,"notes":[..],"timeline":[{"time","actor","kind","text","detail",..}]}
 * state: "open" "observed" "awaiting_approval" "contained" "partial" "failed" "undone" "closed".
 * step state: "planned" "awaiting_approval" "rejected" "running" "done" "failed" "skipped" "undone" "undo_failed".
 * A step's before and after are the plan's forecast until it was applied ("applied" true), then
 * what was seen and made. "partial" merges the progress notes; "undoing" is true in mid-undo.
 * Absent values are null. Pure; unknown record kinds are kept in the timeline and ignored otherwise. New reference.
 */
ERR_MUST_CHECK enum err_status view_fold(const json_t *records, json_t **out, struct err *err);
struct journal;
/* The same of a case in a store; what journal_read gives, and ERR_INPUT. New reference. */
ERR_MUST_CHECK enum err_status view_read(
	struct journal *j, const char *case_id, json_t **out, struct err *err);
/* The step of a view or a plan with this id; borrowed, NULL when there is none. */
json_t *view_step(const json_t *view, const char *id);
/*
 * When the last done measure that takes network, credentials or data away from the intruder had
 * finished, Unix milliseconds; -1 when there is none. Measures that look, keep evidence, take the
 * host out of service or stop it do not count.
 */
int64_t view_contained_ms(const json_t *view);
/* The verdict's class ("leaked_access_key") in English words for i18n_tr; an unknown one as it is. */
const char *view_cause(const char *class_name);

#endif
