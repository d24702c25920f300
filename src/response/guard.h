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
#define GUARD_APPROVER       "approver" /* somebody said yes whom approve.who does not name */

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
/*
 * GUARD_EXEMPT_TAG when the resource carries an exempt tag, or is a credential of an instance of the
 * finding that does; else NULL.
 */
const char *guard_resource(const struct config *config, const struct finding *f,
	const struct finding_resource *r, char reason[200]);
/*
 * The finding is about a session of `role` (name or ARN; NULL: none) that names a case, in its
 * session name or in cordon's user agent: that case's id. Anybody can write both, so whoever has a
 * journal looks there whether the role worked on that case then.
 */
bool guard_own_case(const char *role, const struct finding *f, char case_id[32]);

/*
 * Facts, what the dynamic guards must know beside the finding:
 *   {"seen": {"<finding name>": {"case": id, "updated_ms": n}},   newest version answered
 *    "suppressed": {"<finding name>": {"case": id, "reason": text}},
 *    "undone": {"<action> <kind> <id>": {"case": id, "findings": {name: ..}}},   steps taken back
 *    "contained": n,               resources contained within config->breaker_minutes, these included
 *    "tags_unknown": [{kind,id}]}  resources whose tags could not be read
 * guard_facts_new gives empty ones; guard_facts_add adds the records of the finding's case
 * (journal_read). Names are finding_name's.
 */
json_t *guard_facts_new(void);
void guard_facts_add(json_t *facts, const json_t *records);

/*
 * Applies the dynamic guards to a route (cordon.route/1), in place:
 *  duplicate   same finding, updatedAt not later: no steps, mode none;
 *  suppressed  its case was undone: no steps, mode notify; a step that was undone: not that step;
 *  exempt_tag  tags of a resource are not known while some are exempt: its auto steps become approve;
 *  breaker     more than config->breaker_actions resources would be contained within
 *              config->breaker_minutes: every auto step becomes approve. So it does when "contained"
 *              is no number: when cordon does not know what it did lately, it asks.
 * Each adds an entry to held_back. A step that became approve so says by "guard" which one asks: a --yes
 * that was given before anybody saw the question does not answer it (engine.h).
 */
void guard_dynamic(const struct config *config, const struct finding *f, const json_t *facts,
	json_t *route);

#endif
