/* unshare-snapshot: nobody outside the account may use the EBS snapshot any more. */
#include "response/actions/registry.h"
#include "response/actions/setting.h"

#include <string.h>

#define ACCOUNT "account:"
#define GROUP   "group:"

static json_t *attribute(const struct action_ctx *c)
{
	return json_pack(
		"{s:s,s:s}", "SnapshotId", c->id, "Attribute", "createVolumePermission");
}

/* One part a holder of the permission: an account, or the group of all accounts. */
static enum err_status read_parts(const struct action_ctx *c, json_t *notes, json_t **parts,
	const char **reason, struct err *err)
{
	json_t *params = attribute(c), *answer = NULL, *permission;
	size_t i;
	enum err_status st =
		aws_call(c->aws, "ec2", "DescribeSnapshotAttribute", params, &answer, err);
	(void)notes;
	if (st == ERR_OK) {
		*parts = json_object();
		json_array_foreach(
			json_object_get(answer, "CreateVolumePermissions"), i, permission)
		{
			const char *account = doc_text(permission, "UserId");
			json_t *name = json_sprintf("%s%s", account ? ACCOUNT : GROUP,
				account ? account : doc_text_or(permission, "Group", "all"));
			json_object_set_new(*parts, json_string_value(name), json_true());
			json_decref(name);
		}
		*reason = i == 0 ? N_("the snapshot is shared with nobody") : NULL;
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

static json_t *wanted(const struct action_ctx *c, const json_t *parts)
{
	(void)c;
	return setting_all(parts, json_null());
}

/* What is written is all taken away (the step) or all given back (its undo). */
static enum err_status write_parts(
	const struct action_ctx *c, const json_t *before, json_t *parts, struct err *err)
{
	json_t *users = json_array(), *groups = json_array(), *params = attribute(c), *value;
	const char *name, *operation = "remove";
	(void)before;
	json_object_foreach(parts, name, value)
	{
		bool group = strncmp(name, GROUP, strlen(GROUP)) == 0;
		operation = json_is_null(value) ? "remove" : "add";
		json_array_append_new(group ? groups : users,
			json_string(name + (group ? strlen(GROUP) : strlen(ACCOUNT))));
	}
	json_object_set_new(params, "OperationType", json_string(operation));
	json_object_set_new(params, "UserIds", users);
	json_object_set_new(params, "GroupNames", groups);
	enum err_status st =
		aws_call(c->aws, "ec2", "ModifySnapshotAttribute", params, NULL, err);
	json_decref(params);
	return st;
}

static const struct setting setting = {
	.what = "CreateVolumePermission",
	.in_force = N_("the snapshot is shared with nobody"),
	.done = N_("Snapshot {0} is shared with nobody any more; copies that others made stay "
		   "theirs."),
	.not_done = N_("Snapshot {0} is still shared with {1}."),
	.fleeting = true,
	.read = read_parts,
	.wanted = wanted,
	.write = write_parts,
};
SETTING_PHASES(setting)

static const char *const calls[] = { "ec2:DescribeSnapshotAttribute",
	"ec2:ModifySnapshotAttribute", NULL };

const struct action action_unshare_snapshot = {
	.name = "unshare-snapshot",
	.title = N_("Share the snapshot with nobody"),
	.why = N_("A snapshot with malware in it infects whoever makes a disk of it; one that "
		  "was shared by an intruder is data on its way out."),
	.risk = N_("Accounts that use the snapshot on purpose can't any more."),
	.undo_text = N_("It is shared again with those that it was shared with."),
	.kinds = "EBSSnapshot",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
