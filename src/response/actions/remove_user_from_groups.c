/* remove-user-from-groups: the memberships of a user, kept in the case and given back by undo. */
#include "response/actions/iam.h"
#include "response/actions/registry.h"
#include "response/actions/setting.h"

static enum err_status read_parts(const struct action_ctx *c, json_t *notes, json_t **parts,
	const char **reason, struct err *err)
{
	json_t *who = NULL, *params = NULL, *answer = NULL, *group;
	size_t i;
	enum err_status st = ERR_OK;
	TRY(iam_user(c, &who, err));
	*parts = json_object();
	if (!doc_text(who, "user")) {
		*reason = doc_text(who, "reason");
		goto out;
	}
	params = json_pack("{s:O}", "UserName", json_object_get(who, "user"));
	TRY(aws_call_paged(c->aws, "iam", "ListGroupsForUser", params, 0, &answer, err));
	json_array_foreach(json_object_get(answer, "Groups"), i, group)
	{
		json_object_set_new(*parts, doc_text_or(group, "GroupName", "?"), json_true());
	}
	json_object_set(notes, "user", json_object_get(who, "user"));
	*reason = i == 0 ? N_("the user is in no group") : NULL;
out:
	json_decref(answer);
	json_decref(params);
	json_decref(who);
	return st;
}

static json_t *wanted(const struct action_ctx *c, const json_t *parts)
{
	(void)c;
	return setting_all(parts, json_null());
}

static enum err_status write_parts(
	const struct action_ctx *c, const json_t *before, json_t *parts, struct err *err)
{
	struct batch b;
	json_t *value;
	const char *name;
	batch_init(&b);
	json_object_foreach(parts, name, value)
	{
		batch_add_lenient(&b, "iam",
			json_is_null(value) ? "RemoveUserFromGroup" : "AddUserToGroup",
			json_pack("{s:O,s:s}", "UserName", json_object_get(before, "user"),
				"GroupName", name),
			json_is_null(value) ? "NoSuchEntity" : NULL);
	}
	enum err_status st = batch_run(&b, c->aws, err);
	batch_deinit(&b);
	return st;
}

static const struct setting setting = {
	.what = "GroupMembership",
	.in_force = N_("the user is in no group"),
	.done = N_("The user of {0} is in no group any more; the groups are kept in the case."),
	.not_done = N_("The user of {0} is still in group {1}."),
	.fleeting = true,
	.reads = IAM_READS,
	.read = read_parts,
	.wanted = wanted,
	.write = write_parts,
};
SETTING_PHASES(setting)

static const char *const calls[] = { "iam:GetAccessKeyLastUsed", "iam:ListGroupsForUser",
	"iam:RemoveUserFromGroup", "iam:AddUserToGroup", "sts:GetCallerIdentity", NULL };

const struct action action_remove_user_from_groups = {
	.name = "remove-user-from-groups",
	.title = N_("Take the user out of all groups"),
	.why = N_("A deny on the user is one policy, which an intruder with another identity "
		  "may delete. Without its groups the user has little left even then."),
	.risk = N_("Whatever the user may do through its groups stops."),
	.undo_text = N_("The user is put back into each group it was in."),
	.kinds = "AccessKey",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
