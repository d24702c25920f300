/* The list of all actions. A new measure is one file here and one line below, in name order. */
#include "response/actions/registry.h"

#include <string.h>

const struct action *const action_all[] = {
	&action_block_address,
	&action_block_at_firewall,
	&action_block_at_waf,
	&action_block_bucket_public_access,
	&action_block_domain,
	&action_collect_console,
	&action_contain_runbook,
	&action_deny_principal_on_bucket,
	&action_deny_user,
	&action_detach_from_service,
	&action_disable_access_key,
	&action_disable_event_sources,
	&action_disable_image,
	&action_disable_imds,
	&action_disable_login_profile,
	&action_drop_public_address,
	&action_enforce_bucket_ownership,
	&action_find_survivors,
	&action_freeze_function,
	&action_hand_over,
	&action_isolate_database,
	&action_isolate_host,
	&action_isolate_network,
	&action_lock_bucket,
	&action_protect_instance,
	&action_quarantine_object,
	&action_remove_user_from_groups,
	&action_replace_instance_profile,
	&action_revoke_cluster_access,
	&action_revoke_role_sessions,
	&action_rotate_database_secret,
	&action_scale_down_service,
	&action_snapshot_database,
	&action_snapshot_volumes,
	&action_stop_instance,
	&action_stop_task,
	&action_unshare_snapshot,
	NULL,
};

const struct action *action_find(const char *name)
{
	if (!name) {
		return NULL;
	}
	for (size_t i = 0; action_all[i]; i++) {
		if (strcmp(action_all[i]->name, name) == 0) {
			return action_all[i];
		}
	}
	return NULL;
}
