/* What the EC2 actions share: reading an instance, filters, tags, proofs, differences of an undo. */
#ifndef CORDON_RESPONSE_ACTIONS_EC2_H
#define CORDON_RESPONSE_ACTIONS_EC2_H

#include "response/action.h"
#include "response/actions/batch.h"

/* Tags that cordon puts on what it makes or touches. */
#define EC2_TAG_CASE "cordon:case"
#define EC2_TAG_STEP "cordon:step"
#define EC2_TAG_TOKEN \
	"cordon:token" /* names one try of one step: finds what a killed run made */

#define EC2_MAX_INTERFACES 64 /* the largest types take 60 */

/* {"InstanceIds":[id]}; new reference. */
json_t *ec2_by_instance(const char *id);
/* {"Filters":[{"Name":name,"Values":[value]}]}; new reference. */
json_t *ec2_filter(const char *name, const char *value);
/* The same with a list of values (borrowed). */
json_t *ec2_filter_list(const char *name, const json_t *values);
/* [{"ResourceType":type,"Tags":[case, step, token]}] for the step in `c`; new reference. */
json_t *ec2_tag_spec(const struct action_ctx *c, const char *type);
/* Value of a tag in a [{"Key","Value"}] list, or NULL. Borrowed. */
const char *ec2_tag(const json_t *tags, const char *key);

/*
 * The instance as DescribeInstances shows it; *out is a new reference. ERR_NOT_FOUND when it does
 * not exist or is (being) terminated.
 */
ERR_MUST_CHECK enum err_status ec2_instance(
	const struct action_ctx *c, json_t **out, struct err *err);
/* The same out of an answer of DescribeInstances that was part of a batch. */
ERR_MUST_CHECK enum err_status ec2_instance_of(
	const json_t *answer, const char *id, json_t **out, struct err *err);
/* Adds DescribeNetworkInterfaces of everything attached to the instance; gives its index. */
size_t ec2_add_interfaces(struct batch *b, const char *instance);
/* The group ids of an interface in the order AWS gives them, [..]; new reference. */
json_t *ec2_groups_of(const json_t *interface);

/*
 * "reason", an N_() literal, into *before, false into *needed: the step will be skipped. Returns
 * ERR_OK.
 */
enum err_status ec2_skip(
	json_t *before_taken, const char *reason, json_t **before, bool *needed);
/* The step's parameter as text, or `otherwise`. Borrowed. */
const char *ec2_with(const struct action_ctx *c, const char *name, const char *otherwise);
/* Records a durable note; the hook may be missing in tests. */
ERR_MUST_CHECK enum err_status ec2_note(
	const struct action_ctx *c, json_t *partial_taken, struct err *err);
/* Waits a little before reading again what AWS shows late; `try` counts from 0. */
void ec2_pause(const struct action_ctx *c, int try);

/*
 * What an undo found different: {"resource","what","before","now","blocking"} and the sentence
 * `text`, an N_() literal, as a phrase (base/phrase.h). `blocking` means that it was left alone
 * because somebody else changed it. `before` and `now` are taken.
 */
struct ec2_difference {
	const char *resource, *what, *text;
	json_t *before, *now;
	bool blocking;
};
void ec2_differ(json_t *differences, const struct ec2_difference *d);
/*
 * Ends an undo: hands the list out; ERR_CONFLICT when an entry blocks, unless the step is forced.
 */
ERR_MUST_CHECK enum err_status ec2_undone(
	const struct action_ctx *c, json_t *differences_taken, json_t **out, struct err *err);
/* The step's parameters say {"force": true}. */
bool ec2_forced(const struct action_ctx *c);

#endif
