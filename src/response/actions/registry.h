/* What each file of actions/ exports; only registry.c and tests include this. */
#ifndef CORDON_RESPONSE_ACTIONS_REGISTRY_H
#define CORDON_RESPONSE_ACTIONS_REGISTRY_H

#include "response/action.h"

extern const struct action action_block_address;
extern const struct action action_collect_console;
extern const struct action action_detach_from_service;
extern const struct action action_disable_imds;
extern const struct action action_drop_public_address;
extern const struct action action_isolate_network;
extern const struct action action_protect_instance;
extern const struct action action_snapshot_volumes;
extern const struct action action_stop_instance;

#endif
