/* What each file of actions/ exports; only registry.c and tests include this. */
#ifndef CORDON_RESPONSE_ACTIONS_REGISTRY_H
#define CORDON_RESPONSE_ACTIONS_REGISTRY_H

#include "response/action.h"

extern const struct action action_disable_imds;

#endif
