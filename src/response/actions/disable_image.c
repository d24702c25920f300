/* disable-image: no instance can be started from the AMI any more ("Disable an AMI", EC2 User Guide). */
#include "response/actions/batch.h"
#include "response/actions/registry.h"
#include "response/actions/setting.h"

#include <string.h>

#define STATE       "state"
#define DISABLED    "disabled"
#define PERMISSIONS "permissions"

static json_t *permissions_of(const struct action_ctx *c)
{
	return json_pack("{s:s,s:s}", "ImageId", c->id, "Attribute", "launchPermission");
}

static enum err_status read_parts(const struct action_ctx *c, json_t *notes, json_t **parts,
	const char **reason, struct err *err)
{
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	/* A disabled image is only shown when asked for. */
	size_t at_image = batch_add(&b, "ec2", "DescribeImages",
		json_pack("{s:[s],s:b}", "ImageIds", c->id, "IncludeDisabled", 1));
	size_t at_shared = batch_add_lenient(
		&b, "ec2", "DescribeImageAttribute", permissions_of(c), BATCH_ANY);
	TRY(batch_run(&b, c->aws, err));
	const json_t *image = doc_get(batch_result(&b, at_image), "Images[0]");
	json_t *shared = doc_get(batch_result(&b, at_shared), "LaunchPermissions");
	if (!image) {
		st = err_set(err, ERR_NOT_FOUND, "image %s does not exist here", c->id);
		goto out;
	}
	*parts = json_pack("{s:s,s:o}", STATE, doc_text_or(image, "State", "?"), PERMISSIONS,
		json_is_array(shared) ? json_incref(shared) : json_array());
	json_object_set(notes, "owner", json_object_get(image, "OwnerId"));
	if (c->account && strcmp(doc_text_or(image, "OwnerId", c->account), c->account) != 0) {
		*reason = N_(
			"the image belongs to another account: only its owner can disable it");
	}
out:
	batch_deinit(&b);
	return st;
}

static json_t *wanted(const struct action_ctx *c, const json_t *parts)
{
	(void)c;
	(void)parts;
	return json_pack("{s:s,s:[]}", STATE, DISABLED, PERMISSIONS);
}

static enum err_status share(
	const struct action_ctx *c, const char *how, json_t *permissions, struct err *err)
{
	json_t *params = json_pack(
		"{s:s,s:{s:O}}", "ImageId", c->id, "LaunchPermission", how, permissions);
	enum err_status st = ERR_OK;
	if (json_array_size(permissions) > 0) {
		st = aws_call(c->aws, "ec2", "ModifyImageAttribute", params, NULL, err);
	}
	json_decref(params);
	return st;
}

/*
 * Disabling ends all sharing by itself, and a disabled image can't be shared: so sharing is taken
 * away before and given back after.
 */
static enum err_status write_parts(
	const struct action_ctx *c, const json_t *before, json_t *parts, struct err *err)
{
	json_t *params = json_pack("{s:s}", "ImageId", c->id);
	json_t *shared = json_object_get(parts, PERMISSIONS);
	const char *state = doc_text(parts, STATE);
	bool off = state && strcmp(state, DISABLED) == 0;
	enum err_status st = ERR_OK;
	if (shared && json_array_size(shared) == 0) {
		TRY(share(c, "Remove", doc_get(before, "parts.permissions"), err));
	}
	if (state) {
		TRY(aws_call(c->aws, "ec2", off ? "DisableImage" : "EnableImage", params, NULL,
			err));
	}
	TRY(share(c, "Add", shared, err));
out:
	json_decref(params);
	return st;
}

static const struct setting setting = {
	.what = "ImageState",
	.in_force = N_("the image is disabled already"),
	.done = N_("Image {0} is disabled: no instance can be started from it. Those that run "
		   "go on."),
	.not_done = N_("Image {0} can still be started."),
	.reads = 6,
	.read = read_parts,
	.wanted = wanted,
	.write = write_parts,
};
SETTING_PHASES(setting)

static const char *const calls[] = { "ec2:DescribeImages", "ec2:DescribeImageAttribute",
	"ec2:ModifyImageAttribute", "ec2:DisableImage", "ec2:EnableImage", NULL };

const struct action action_disable_image = {
	.name = "disable-image",
	.title = N_("Let nobody start the image"),
	.why = N_("Auto Scaling and people start instances from an image without looking. One "
		  "with malware in it makes every new host a compromised one."),
	.risk = N_("What starts instances from the image fails, Auto Scaling among it. "
		   "Accounts that it was shared with lose it."),
	.undo_text =
		N_("The image is enabled again and shared with those that it was shared with."),
	.kinds = "EC2Image",
	.calls = calls,
	.rounds = 2,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
