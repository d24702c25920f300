/* What the Lambda actions share: by which doors a function can be called. */
#ifndef CORDON_RESPONSE_ACTIONS_FUNCTION_H
#define CORDON_RESPONSE_ACTIONS_FUNCTION_H

#include "response/actions/ec2.h"

/* {"FunctionName":id}; new reference. */
json_t *function_named(const struct action_ctx *c);
/*
 * Who can call the function beside its owner: [{"door","who"}] from its URLs and its resource
 * policy. What can't be read is a door named "unknown". New reference.
 */
json_t *function_doors(const struct action_ctx *c);

#endif
