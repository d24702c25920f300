/* A case as one document, folded from its records; everything that shows a case reads this. */
#ifndef CORDON_INCIDENT_VIEW_H
#define CORDON_INCIDENT_VIEW_H

#include "base/doc.h"

/*
 * Folds the records (array as journal_read gives) into
 * {"schema":"cordon.case/1","case","state","opened","updated","title","type","severity",
 *  "account","region","resources":[{kind,id}],"findings":[{arn,type,severity,count,updated,raw}],
 *  "playbook","mode","plan":{..}|null,"head":{"seq","hash"},
 *  "steps":[{"id","action","resource","mode","state","before","after","verified","proof","error",
 *            "started","finished","calls","why","risk","undo","undone","differences"}],
 *  "held_back":[{guard,reason}],"approvals":[..],"messages":[..],"evidence":[..],
 *  "investigation":{..}|null,"notes":[..],"timeline":[{"time","actor","kind","text"}]}
 * state: "open" "observed" "awaiting_approval" "contained" "partial" "failed" "undone" "closed".
 * step state: "planned" "awaiting_approval" "rejected" "running" "done" "failed" "skipped" "undone" "undo_failed".
 * Pure; unknown record kinds are kept in the timeline and ignored otherwise. New reference.
 */
ERR_MUST_CHECK enum err_status view_fold(const json_t *records, json_t **out, struct err *err);

#endif
