/*
 * protect-instance: nobody, and no automatism, may end the instance or its disks while the case is
 * open. Each attribute is a call of its own (ModifyInstanceAttribute takes one), sent together.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <string.h>

/* A spot instance takes no termination protection, an instance-store root can't be stopped. */
static bool is_spot(const json_t *instance)
{
	return strcmp(doc_text_or(instance, "InstanceLifecycle", ""), "spot") == 0;
}

static bool has_ebs_root(const json_t *instance)
{
	return strcmp(doc_text_or(instance, "RootDeviceType", "ebs"), "instance-store") != 0;
}

static json_t *volumes_of(const json_t *instance)
{
	json_t *out = json_array();
	size_t i;
	json_t *mapping;
	json_array_foreach(json_object_get(instance, "BlockDeviceMappings"), i, mapping)
	{
		json_t *volume = doc_get(mapping, "Ebs.VolumeId");
		if (volume) {
			json_array_append_new(
				out, json_pack("{s:O,s:O,s:b}", "device",
					     json_object_get(mapping, "DeviceName"), "volume",
					     volume, "delete_on_termination",
					     doc_true(mapping, "Ebs.DeleteOnTermination")));
		}
	}
	return out;
}

static size_t add_attribute(struct batch *b, const char *instance, const char *name)
{
	return batch_add(b, "ec2", "DescribeInstanceAttribute",
		json_pack("{s:s,s:s}", "InstanceId", instance, "Attribute", name));
}

/* What this action looks after, as it is now. */
static enum err_status read_state(const struct action_ctx *c, json_t **out, struct err *err)
{
	struct batch b;
	json_t *instance = NULL;
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at_instance = batch_add(&b, "ec2", "DescribeInstances", ec2_by_instance(c->id));
	size_t at_protection = add_attribute(&b, c->id, "disableApiTermination");
	size_t at_shutdown = add_attribute(&b, c->id, "instanceInitiatedShutdownBehavior");
	TRY(batch_run(&b, c->aws, err));
	TRY(ec2_instance_of(batch_result(&b, at_instance), c->id, &instance, err));
	const char *tag = ec2_tag(json_object_get(instance, "Tags"), EC2_TAG_CASE);
	*out = json_pack("{s:s,s:b,s:s,s:o,s:s?,s:b,s:b}", "instance", c->id,
		"termination_protection",
		doc_true(batch_result(&b, at_protection), "DisableApiTermination.Value"),
		"shutdown_behavior",
		doc_text_or(batch_result(&b, at_shutdown),
			"InstanceInitiatedShutdownBehavior.Value", "stop"),
		"volumes", volumes_of(instance), "case_tag", tag, "spot", is_spot(instance),
		"ebs_root", has_ebs_root(instance));
out:
	json_decref(instance);
	batch_deinit(&b);
	return st;
}

/* The state this step wants, from the one it found; new reference. */
static json_t *wanted_state(const struct action_ctx *c, const json_t *before)
{
	json_t *want = json_deep_copy(before);
	json_object_del(want, "will");
	size_t i;
	json_t *volume;
	if (!json_is_true(json_object_get(before, "spot"))) {
		json_object_set_new(want, "termination_protection", json_true());
	}
	if (json_is_true(json_object_get(before, "ebs_root"))) {
		json_object_set_new(want, "shutdown_behavior", json_string("stop"));
	}
	json_array_foreach(json_object_get(want, "volumes"), i, volume)
	{
		json_object_set_new(volume, "delete_on_termination", json_false());
	}
	json_object_set_new(want, "case_tag", json_string(c->case_id));
	return want;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *seen = NULL, *want = NULL;
	enum err_status st = ERR_OK;
	TRY(read_state(c, &seen, err));
	want = wanted_state(c, seen);
	if (doc_eq(seen, want)) {
		st = ec2_skip(json_incref(seen), N_("the instance is protected already"),
			before, needed);
		goto out;
	}
	json_object_set(seen, "will", want);
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(want);
	json_decref(seen);
	return st;
}

/* DeleteOnTermination as `state` has it, for the volumes that differ in `now` and are still there. */
static json_t *mappings_to(const json_t *state, const json_t *now)
{
	json_t *out = json_array();
	size_t i, k;
	json_t *volume, *other;
	json_array_foreach(json_object_get(state, "volumes"), i, volume)
	{
		json_array_foreach(json_object_get(now, "volumes"), k, other)
		{
			if (doc_eq(json_object_get(volume, "volume"),
				    json_object_get(other, "volume")) &&
				!doc_eq(volume, other)) {
				json_array_append_new(
					out, json_pack("{s:O,s:{s:O}}", "DeviceName",
						     json_object_get(other, "device"), "Ebs",
						     "DeleteOnTermination",
						     json_object_get(
							     volume, "delete_on_termination")));
			}
		}
	}
	return out;
}

static void add_tag(const struct action_ctx *c, struct batch *b, const json_t *value)
{
	bool remove = !json_is_string(value);
	json_t *tag =
		json_pack("{s:s,s:O*}", "Key", EC2_TAG_CASE, "Value", remove ? NULL : value);
	/* An instance with 50 tags takes no more; that is no reason to leave it unprotected. */
	batch_add_lenient(b, "ec2", remove ? "DeleteTags" : "CreateTags",
		json_pack("{s:[s],s:[o]}", "Resources", c->id, "Tags", tag),
		remove ? NULL : "TagLimitExceeded");
}

/* The calls that lead from `now` to `want`; nothing for what is equal. */
static void add_changes(
	const struct action_ctx *c, struct batch *b, const json_t *now, const json_t *want)
{
	json_t *mappings = mappings_to(want, now);
	if (!doc_eq(json_object_get(now, "termination_protection"),
		    json_object_get(want, "termination_protection"))) {
		batch_add(b, "ec2", "ModifyInstanceAttribute",
			json_pack("{s:s,s:{s:O}}", "InstanceId", c->id, "DisableApiTermination",
				"Value", json_object_get(want, "termination_protection")));
	}
	if (!doc_eq(json_object_get(now, "shutdown_behavior"),
		    json_object_get(want, "shutdown_behavior"))) {
		batch_add(b, "ec2", "ModifyInstanceAttribute",
			json_pack("{s:s,s:{s:O}}", "InstanceId", c->id,
				"InstanceInitiatedShutdownBehavior", "Value",
				json_object_get(want, "shutdown_behavior")));
	}
	if (json_array_size(mappings) > 0) {
		batch_add(b, "ec2", "ModifyInstanceAttribute",
			json_pack("{s:s,s:O}", "InstanceId", c->id, "BlockDeviceMappings",
				mappings));
	}
	if (!doc_eq(json_object_get(now, "case_tag"), json_object_get(want, "case_tag"))) {
		add_tag(c, b, json_object_get(want, "case_tag"));
	}
	json_decref(mappings);
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	json_t *want = wanted_state(c, before);
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	add_changes(c, &b, before, want);
	TRY(batch_run(&b, c->aws, err));
	*after = json_incref(want);
out:
	batch_deinit(&b);
	json_decref(want);
	return st;
}

/* Everything but the tag, which may be refused, and volumes attached or detached since. */
static bool as_protected(const json_t *now, const json_t *want)
{
	size_t i;
	json_t *volume;
	json_array_foreach(json_object_get(now, "volumes"), i, volume)
	{
		if (json_is_true(json_object_get(volume, "delete_on_termination"))) {
			return false;
		}
	}
	return doc_eq(json_object_get(now, "termination_protection"),
		       json_object_get(want, "termination_protection")) &&
	       doc_eq(json_object_get(now, "shutdown_behavior"),
		       json_object_get(want, "shutdown_behavior"));
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *now = NULL;
	bool good = false;
	enum err_status st = ERR_OK;
	for (int try = 0; try < 4 && !good; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(now);
		now = NULL;
		TRY(read_state(c, &now, err));
		good = as_protected(now, after);
	}
	if (!good) {
		phrase_set(now, "text", N_("The protection of {0} did not take hold."),
			PHRASE_ARGS(c->id));
	} else if (json_is_true(json_object_get(before, "spot"))) {
		phrase_set(now, "text",
			N_("The disks of {0} outlive it. It is a Spot instance: AWS may still "
			   "interrupt it, termination protection is not to be had."),
			PHRASE_ARGS(c->id));
	} else {
		phrase_set(now, "text",
			N_("{0} can't be terminated by the API, a shutdown from inside only "
			   "stops it, and its disks outlive it (disks: {1})."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(json_array_size(
						   json_object_get(now, "volumes")))));
	}
	*ok = good;
	*proof = json_incref(now);
out:
	json_decref(now);
	return st;
}

/*
 * What somebody changed since the step keeps their value (unless forced) and is named. Without
 * `after` (killed before the result) the wanted state stands in for it: a part that is neither
 * as before nor as wanted is somebody else's.
 */
static void keep_foreign(const struct action_ctx *c, const json_t *before, const json_t *now,
	const json_t *want, json_t *target, json_t *differences)
{
	static const char *const parts[] = { "termination_protection", "shutdown_behavior",
		"case_tag" };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		json_t *was = json_object_get(before, parts[i]);
		json_t *is = json_object_get(now, parts[i]);
		if (doc_eq(is, was) || doc_eq(is, json_object_get(want, parts[i]))) {
			continue;
		}
		if (strcmp(parts[i], "case_tag") == 0 && !json_is_string(is)) {
			continue; /* the tag was refused, or is gone already */
		}
		ec2_differ(differences,
			&(struct ec2_difference){ .resource = c->id,
				.what = parts[i],
				.before = json_incref(was),
				.now = json_incref(is),
				.text = N_("The value was changed after the step."),
				.blocking = true });
		if (!ec2_forced(c)) {
			json_object_set(target, parts[i], is);
		}
	}
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	json_t *now = NULL, *target = json_deep_copy(before), *diffs = json_array();
	json_t *want = wanted_state(c, before);
	struct batch b;
	enum err_status st = ERR_OK;
	(void)after;
	batch_init(&b);
	TRY(read_state(c, &now, err));
	keep_foreign(c, before, now, want, target, diffs);
	add_changes(c, &b, now, target);
	TRY(batch_run(&b, c->aws, err));
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	batch_deinit(&b);
	json_decref(diffs);
	json_decref(target);
	json_decref(want);
	json_decref(now);
	return st;
}

static const char *const calls[] = { "ec2:DescribeInstances", "ec2:DescribeInstanceAttribute",
	"ec2:ModifyInstanceAttribute", "ec2:CreateTags", "ec2:DeleteTags", NULL };

const struct action action_protect_instance = {
	.name = "protect-instance",
	.title = N_("Protect the instance and its disks from deletion"),
	.why = N_("An intruder who notices the response may destroy the host, and an Auto "
		  "Scaling group replaces what looks unhealthy. The disks hold the "
		  "evidence."),
	.risk = N_(
		"None for the service. The instance can't be terminated until the measure is "
		"undone, and its disks cost money until somebody deletes them."),
	.undo_text = N_(
		"Termination protection, shutdown behaviour, the delete flag of each disk and "
		"the case tag are set back to what they were."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
