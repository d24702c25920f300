/*
 * The two security groups of a network isolation, made for one step of one case: `closed`, which
 * lets nothing through (or TCP 443 to named endpoints), and `open`, which lets everything through
 * both ways for one round trip, because only flows that such a rule admits are untracked and die
 * when the rule goes (EC2 User Guide, "Security group connection tracking").
 *
 * Groups are held as [{"vpc","closed","open"}], one entry a VPC; "open" is null when tracked
 * connections need not be cut. A group is known by the id AWS gave at creation; a name proves
 * nothing, and what a group lets through is only ever taken from reading its rules back.
 */
#ifndef CORDON_RESPONSE_ACTIONS_QUARANTINE_H
#define CORDON_RESPONSE_ACTIONS_QUARANTINE_H

#include "response/actions/ec2.h"

#define QUARANTINE_CLOSED 1u
#define QUARANTINE_OPEN   2u

/*
 * Makes the groups of these kinds for the VPCs (an array of ids): one round trip. Groups that an earlier, killed
 * try of the same step made are taken over; a foreign group of the same name is left alone.
 */
ERR_MUST_CHECK enum err_status quarantine_make(const struct action_ctx *c, const json_t *vpcs,
	unsigned kinds, json_t **groups, struct err *err);
/* Groups of this step found by its tags: [] when there are none. For undo after a kill. */
ERR_MUST_CHECK enum err_status quarantine_find(
	const struct action_ctx *c, json_t **groups, struct err *err);
/* Group id for a VPC: which = "closed" or "open"; NULL when there is none. Borrowed. */
const char *quarantine_group(const json_t *groups, const char *vpc, const char *which);
/* The id is one of the groups. */
bool quarantine_ours(const json_t *groups, const char *id);
/* All ids, [..]; which = "closed", "open" or NULL for what the step itself made. New reference. */
json_t *quarantine_ids(const json_t *groups, const char *which);

/*
 * Groups provisioned beforehand (response.isolation_groups). Adds the reading of them and of their rules;
 * SIZE_MAX when none is configured.
 */
size_t quarantine_add_provided(const struct action_ctx *c, struct batch *b);
/*
 * [{"vpc","closed","open":null,"provided":true}] for every VPC of the interfaces, out of that reading; NULL
 * when a VPC has none, or one whose rules let anything through but the endpoints: a name or a
 * configuration proves nothing. New reference.
 */
json_t *quarantine_provided(
	const struct batch *b, size_t at, const json_t *interfaces, const json_t *endpoints);

/* Adds the calls that take every default rule from `closed` and admit the endpoints. */
void quarantine_add_closing(struct batch *b, const json_t *groups, const json_t *endpoints);
/* Adds the calls that let everything through `open`, and those that take it away again. */
void quarantine_add_opening(struct batch *b, const json_t *groups);
void quarantine_add_shutting(struct batch *b, const json_t *groups);
/* Adds the read-back of the rules of the given groups; gives its index. */
size_t quarantine_add_reading(struct batch *b, const json_t *ids);

/* Rules in an answer of the read-back that do not belong there, [..]; new reference. */
json_t *quarantine_strays(const json_t *answer, const json_t *endpoints);
/* Endpoints that no rule in the answer admits for some group, [..]; new reference. */
json_t *quarantine_missing(const json_t *answer, const json_t *endpoints);
/*
 * Reads the rules of `closed` and takes away by id what does not belong there, until a read-back
 * finds nothing. ERR_CONFLICT when somebody keeps adding rules.
 */
ERR_MUST_CHECK enum err_status quarantine_clean(const struct action_ctx *c,
	const json_t *groups, const json_t *endpoints, struct err *err);
/* The same for `open`, which is to let nothing through when the step ends. */
ERR_MUST_CHECK enum err_status quarantine_empty(
	const struct action_ctx *c, const json_t *groups, struct err *err);
/*
 * Deletes the groups that are not in use any more; one that is in use is named in `differences`.
 */
ERR_MUST_CHECK enum err_status quarantine_delete(
	const struct action_ctx *c, const json_t *groups, json_t *differences, struct err *err);

#endif
