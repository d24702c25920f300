/*
 * What only people can do, as steps with the exact commands. For a resource that no call of cordon's
 * can contain (root, an Identity Center user, the inside of a Kubernetes cluster without access to it).
 */
#ifndef CORDON_RESPONSE_ACTIONS_HAND_OVER_H
#define CORDON_RESPONSE_ACTIONS_HAND_OVER_H

#include "response/actions/ec2.h"

/*
 * [{"text","template","args","command"}] for "root", "identity-center", "kubernetes", "image",
 * "snapshot", "recovery-point", "model" or "database"; NULL for another word. Values in the commands
 * come from the step and are quoted for the shell; what is not known is an upper-case word to fill in.
 * New reference.
 */
json_t *hand_over_steps(const struct action_ctx *c, const char *about);

#endif
