/*
 * The journal: every case is a chain of records, appended, never changed (design 4.5).
 * A record: seq, time, case, actor, kind, payload, prev, hash; hash = SHA-256 of the canonical
 * JSON of the rest; prev = hash of the record before ("" for the first).
 */
#ifndef CORDON_INCIDENT_JOURNAL_H
#define CORDON_INCIDENT_JOURNAL_H

#include "aws/aws.h"

struct journal;

/*
 * Kinds of record and their payloads. New fields may be added; none is renamed.
 *  case.opened      {finding_arn, type, severity, account, region, title, resources:[{kind,id}],
 *                    key, keys:[..], finding}              keys: more resource keys, optional;
 *                                                         finding: <raw>, for resume
 *  finding.received {finding: <raw>, arn, updated, count, duplicate: bool}
 *  guard.held       {guard, reason, steps:[ids]}           a guard held something back
 *  plan.made        {plan: <cordon.plan/1>, playbook, mode, hash}
 *  approval.asked   {step, who:[..], until, on_expiry, plan: hash}
 *  approval.given   {step, decision: "approved"|"rejected", reason, question, via}  question: seq of
 *                    the approval.asked that is answered: the first answer in time counts
 *  step.intent      {step, action, resource:{kind,id}, with, before, token}  durable before any mutating call
 *  step.progress    {step, action, note, partial}          mid-step state that undo/resume need
 *  step.result      {step, action, resource, after, calls:[{call,request_id}], elapsed_ms}
 *  step.verified    {step, action, resource, verified: bool, proof}
 *  step.failed      {step, action, resource, error:{status,code,message,call,request_id}}
 *  step.skipped     {step, action, resource, reason}
 *  undo.intent      {step, action, resource}
 *  undo.result      {step, action, resource, differences:[..]}
 *  undo.failed      {step, action, resource, error}
 *  notify.sent      {event, protocol, lang, subject, message_id, target}
 *  notify.failed    {event, target, error}
 *  evidence.stored  {manifest item: evidence_id, name, bucket, key, version_id, sha256, size, retain_until, lock_mode, source, method}
 *  evidence.failed  {name, error}
 *  analysis.done    {investigation: <cordon.investigation/1>}
 *  case.note        {text}
 *  case.suppressed  {finding_arn, reason}                  same finding does not re-trigger
 *  case.merged      {case, resources:[{kind,id}], findings:[{arn,type,severity}]}  that case became part of this
 *  case.closed      {reason, merged_into}                  merged_into: the case that took it over, optional
 */

/*
 * Opens a store. "sqlite:/path/file.db": folders made with mode 0700, the file 0600; a file this
 * user may only read opens for reading, appends then fail. "dynamodb:TABLE" or
 * "dynamodb:REGION/TABLE": a table that deploy/journal.yaml made, reached through a client of the
 * journal's own, made with `aws` (may be NULL; SQLite does not look at it); nothing is sent yet. ERR_CONFIG
 * for an unknown form, a file that is something else, or (at first use) a table that is not there;
 * ERR_IO when a file can't be written (full, read-only, locked by another process for 10 s);
 * ERR_UNREACHABLE, ERR_DENIED from AWS; ERR_INTEGRITY when the store is damaged.
 */
ERR_MUST_CHECK enum err_status journal_open(struct env *env, const char *where,
	const struct aws_options *aws, struct journal **out, struct err *err);
void journal_close(struct journal *j);
/* Who appends from now on (ARN or person); copied. */
void journal_set_actor(struct journal *j, const char *actor);

/*
 * Opens a case for a resource key ("i-0abc" with account and region) or gives the open case that
 * already has it or this finding (then *joined is true; its other keys are added to that case).
 * A new id is "YYYY-NNNN", counted by year. Appends case.opened. Safe against a second process
 * doing the same. A closed case gives up its keys; a finding that was suppressed stays with its
 * case for good, so a case joined may be closed or undone: look at its view. out_id[32].
 */
ERR_MUST_CHECK enum err_status journal_case_open(struct journal *j,
	const json_t *opened_payload, char out_id[32], bool *joined, struct err *err);
/*
 * Claims a key (not empty) for an open case unless another has it, and tells whose it is then; with
 * case_id NULL only asks. "" when nobody has it. A closed case gives up its keys. owner[32].
 */
ERR_MUST_CHECK enum err_status journal_claim(struct journal *j, const char *case_id,
	const char *key, char owner[32], struct err *err);
/*
 * Appends one record; durable when it returns. The payload is borrowed. A competing append is
 * retried inside (compare-and-swap on seq). *out_seq may be NULL. Thread-safe. ERR_REFUSED when
 * the lease this process held (journal_lock) was taken over meanwhile: stop acting. Each append
 * prolongs a held lease. At most 16 MiB a record (ERR_LIMIT).
 */
ERR_MUST_CHECK enum err_status journal_append(struct journal *j, const char *case_id,
	const char *kind, const json_t *payload, int64_t *out_seq, struct err *err);
/*
 * All records of a case in order, as a JSON array of records; new reference. ERR_NOT_FOUND. One
 * that was tampered with so that it can't be read is {"seq","kind":"unreadable","payload":{}}.
 */
ERR_MUST_CHECK enum err_status journal_read(
	struct journal *j, const char *case_id, json_t **out, struct err *err);
/* [{"case","opened","state","title","severity","account","region","resources"}], newest first. */
ERR_MUST_CHECK enum err_status journal_cases(struct journal *j, json_t **out, struct err *err);
/*
 * Takes the lease of a case for this process (fencing number, expiry `ttl_ms`), so that two
 * deliveries can't both act: ERR_CONFLICT while another holder's lease lives. Kept alive by a thread
 * of the journal; released by journal_unlock, journal_close, expiry, or (on one machine) the
 * holder's death.
 */
ERR_MUST_CHECK enum err_status journal_lock(
	struct journal *j, const char *case_id, int64_t ttl_ms, struct err *err);
/*
 * Is the lease still ours? The store is asked, and the lease prolonged, when it was not for five
 * seconds (a process that slept does not know it). False once it ran out by our own clock or was
 * seen to be another's: then nothing may be changed any more. A store
 * that can't be reached changes nothing: our own clock decides.
 */
bool journal_holds(struct journal *j, const char *case_id);
/*
 * The lease of a thing that steps of several cases write as a whole (a bucket's policy): as journal_lock,
 * but no case need be of that name, and whoever has it is waited for, up to wait_ms (ERR_CONFLICT). `id`
 * is what journal_holds and journal_unlock know it by.
 */
ERR_MUST_CHECK enum err_status journal_lock_thing(
	struct journal *j, const char *name, int64_t wait_ms, char id[32], struct err *err);
void journal_unlock(struct journal *j, const char *case_id);

/*
 * Recomputes a case from nothing but its records (an array as journal_read gives): ERR_OK, or
 * ERR_INTEGRITY with the first record that does not fit named. Pure; offline.
 */
ERR_MUST_CHECK enum err_status journal_verify(const json_t *records, struct err *err);
/*
 * Reads a case and verifies it, also against the head that the store remembers, so that records
 * cut off at the end are noticed too. *n_records: how many fit.
 */
ERR_MUST_CHECK enum err_status journal_check(
	struct journal *j, const char *case_id, int64_t *n_records, struct err *err);

/*
 * Resources whose change was announced (step.intent) in any case since then, with the time of the
 * last: {"i-0abc": ms}. What the circuit breaker counts. Goes back seven days at most.
 */
ERR_MUST_CHECK enum err_status journal_acts(
	struct journal *j, int64_t since_ms, json_t **out, struct err *err);
/* Could records be written now? Says what is wrong and what to do; changes nothing. */
ERR_MUST_CHECK enum err_status journal_probe(struct journal *j, struct err *err);
/* The IAM actions that a store of this form needs; NULL-terminated, static. */
const char *const *journal_calls(const char *where);

#endif
