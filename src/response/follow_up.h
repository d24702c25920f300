/*
 * Credentials that the intruder made during the incident, as the analysis found them, become steps:
 * what contains them joins the plan, so that the whole attack is contained and not only what the
 * finding named.
 */
#ifndef CORDON_RESPONSE_FOLLOW_UP_H
#define CORDON_RESPONSE_FOLLOW_UP_H

#include "response/playbook.h"

/*
 * What the scope of an investigation (cordon.investigation/1) asks for, less what the case (view.h)
 * has a step for already: [{"action","id","user"|"role","origin":{phrase, "event","time"}}], new
 * reference. Only rows of calls that succeeded are in a scope.
 */
json_t *follow_up_wanted(const json_t *view);
/*
 * The finding that stands for them: an AccessKey resource each, whose tags can be looked up
 * (response/tags.h). Freed with finding_free; NULL when nothing is wanted.
 */
struct finding *follow_up_finding(const json_t *view, const json_t *wanted);
/* What the two above gave for a case view. */
struct follow_up_case {
	const json_t *view, *wanted;
	const struct finding *finding;
};
/*
 * The steps as a route (cordon.route/1) in the case's playbook: its `follow_up` mode (approve when it
 * says nothing) narrowed by config->mode. What carries an exempt tag is never more than asked about
 * (an intruder can write tags, too), which held_back tells.
 */
ERR_MUST_CHECK enum err_status follow_up_route(const struct playbook_set *s,
	const struct config *config, const struct follow_up_case *c, json_t **out,
	struct err *err);

#endif
