/* What each file of actions/ exports; only registry.c and tests include this. */
#ifndef CORDON_RESPONSE_ACTIONS_REGISTRY_H
#define CORDON_RESPONSE_ACTIONS_REGISTRY_H

#include "response/action.h"

extern const struct action action_block_address;
extern const struct action action_block_at_firewall;
extern const struct action action_block_at_waf;
extern const struct action action_block_bucket_public_access;
extern const struct action action_block_domain;
extern const struct action action_collect_console;
extern const struct action action_contain_runbook;
extern const struct action action_deny_principal_on_bucket;
extern const struct action action_deny_user;
extern const struct action action_detach_from_service;
extern const struct action action_disable_access_key;
extern const struct action action_disable_event_sources;
extern const struct action action_disable_image;
extern const struct action action_disable_imds;
extern const struct action action_disable_login_profile;
extern const struct action action_drop_public_address;
extern const struct action action_enforce_bucket_ownership;
extern const struct action action_find_survivors;
extern const struct action action_freeze_function;
extern const struct action action_hand_over;
extern const struct action action_isolate_database;
extern const struct action action_isolate_host;
extern const struct action action_isolate_network;
extern const struct action action_lock_bucket;
extern const struct action action_protect_instance;
extern const struct action action_quarantine_object;
extern const struct action action_remove_user_from_groups;
extern const struct action action_replace_instance_profile;
extern const struct action action_revoke_cluster_access;
extern const struct action action_revoke_role_sessions;
extern const struct action action_rotate_database_secret;
extern const struct action action_scale_down_service;
extern const struct action action_snapshot_database;
extern const struct action action_snapshot_volumes;
extern const struct action action_stop_instance;
extern const struct action action_stop_task;
extern const struct action action_unshare_snapshot;

#endif
