/* The service a host stands in: target groups, classic load balancers, its Auto Scaling group. */
#ifndef CORDON_RESPONSE_ACTIONS_SERVICE_H
#define CORDON_RESPONSE_ACTIONS_SERVICE_H

#include "response/actions/ec2.h"

/*
 * Reads {"instance","targets":[{"group":arn,"target":{"Id","Port",..}}],"classic":[name],
 * "member":{..}|null}. Targets being drained do not count. `member` as service_member gives, plus
 * "mode" and "decrement", chosen by the step's parameters and the group's limits. New reference.
 */
ERR_MUST_CHECK enum err_status service_read(
	const struct action_ctx *c, json_t **out, struct err *err);
/* {"group","lifecycle","protected"} of the instance in its Auto Scaling group, or JSON null. */
ERR_MUST_CHECK enum err_status service_member(
	const struct action_ctx *c, json_t **out, struct err *err);
/* The group watches the member: it is in service or about to be. */
bool service_in_service(const json_t *member);
/*
 * Back into the Auto Scaling group as `member` (what observe saw) was: out of standby or attached
 * again, scale-in protection as before. What can't be put back is named in `differences`.
 */
ERR_MUST_CHECK enum err_status service_return(
	const struct action_ctx *c, const json_t *member, json_t *differences, struct err *err);

#endif
