/* What the ECS actions share: the tasks that a finding is about, and what runs them. */
#ifndef CORDON_RESPONSE_ACTIONS_TASK_H
#define CORDON_RESPONSE_ACTIONS_TASK_H

#include "response/actions/ec2.h"

#define TASK_MAX 100 /* what DescribeTasks takes at once */

/*
 * The step's tasks (parameter `tasks`, a list of ARNs that the finding gives) as
 * [{"task","group","service"|null,"definition","launch_type","status","instance"|null: the EC2
 * host,"interfaces":[eni]}]; one that ended so long ago that ECS forgot it is left out.
 * ERR_NOT_FOUND without the parameter. New reference.
 */
ERR_MUST_CHECK enum err_status task_read(
	const struct action_ctx *c, json_t **out, struct err *err);
/* The task does not run any more. */
bool task_ended(const json_t *task);

#endif
