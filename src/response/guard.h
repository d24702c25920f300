/*
 * What holds a response back (design 4.4). Two sorts: static guards need the finding and the
 * configuration alone and are applied by playbook_route; dynamic ones need the journal, whose part
 * in it comes as a small document of facts, so that everything here is pure.
 */
#ifndef CORDON_RESPONSE_GUARD_H
#define CORDON_RESPONSE_GUARD_H

#include "base/config.h"
#include "finding/finding.h"

/* Names as held_back and the journal's guard.held carry them. */
#define GUARD_SAMPLE         "sample"       /* made by CreateSampleFindings */
#define GUARD_ARCHIVED       "archived"     /* archived, resolved or suppressed by its source */
#define GUARD_NOT_A_THREAT   "not_a_threat" /* a control or compliance check */
#define GUARD_OWN_ACTION     "own_action"   /* what cordon itself did */
#define GUARD_TARGET_ONLY    "target_only"  /* an outsider tried and nothing succeeded */
#define GUARD_EXEMPT_ACCOUNT "exempt_account"
#define GUARD_EXEMPT_TYPE    "exempt_type"
#define GUARD_EXEMPT_TAG     "exempt_tag"
#define GUARD_DUPLICATE      "duplicate"  /* this version of the finding was answered before */
#define GUARD_SUPPRESSED     "suppressed" /* its case was undone */
#define GUARD_BREAKER        "circuit_breaker"

/* What a guard means, for people: an N_() text; the name itself when unknown. Static. */
const char *guard_text(const char *guard);

/*
 * The first static guard that holds the whole finding back: its name, the reason (in English, for
 * the journal) in `reason`, and whether people are still told (*tell: false for samples, archived
 * findings, checks and own actions). NULL when none does. Exempt tags hold back resource by
 * resource: guard_resource.
 */
const char *guard_static(
	const struct config *config, const struct finding *f, char reason[200], bool *tell);
/* GUARD_EXEMPT_TAG when the resource carries an exempt tag, else NULL. */
const char *guard_resource(
	const struct config *config, const struct finding_resource *r, char reason[200]);

/*
 * Facts, the part of the journal that the dynamic guards look at:
 *   {"now_ms": n,
 *    "seen": {"<finding arn>": {"case": id, "updated_ms": n}},   newest version answered
 *    "suppressed": {"<finding arn>": {"case": id, "reason": text}},
 *    "recent": [{"resource": id, "time_ms": n}]}                 when a step on it had its intent
 * Make an empty one with guard_facts_new, add the records of the finding's case (journal_read) with
 * guard_facts_add, and to "recent" what journal_acts knows of every case. A finding without ARN goes
 * by its id.
 */
json_t *guard_facts_new(int64_t now_ms);
void guard_facts_add(json_t *facts, const json_t *records);

/*
 * Applies the dynamic guards to a route (cordon.route/1), in place:
 *  duplicate   same finding, updatedAt not later: no steps, mode none;
 *  suppressed  its case was undone: no steps, mode notify;
 *  breaker     with this route's resources more than config->breaker_actions of them would be
 *              contained within config->breaker_minutes: every auto step becomes approve.
 * Each adds an entry to held_back. Facts that are not of this form trip the breaker: when cordon
 * does not know what it did lately, it asks.
 */
void guard_dynamic(const struct config *config, const struct finding *f, const json_t *facts,
	json_t *route);

#endif
