/*
 * stop-instance: powers the host off, or hibernates it (`with: {mode: hibernate}`), which keeps the
 * memory on the root volume. Never by force: a forced stop may leave the disks torn. Refused while
 * an Auto Scaling group watches the instance, because it would terminate what it finds stopped.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <string.h>

#define WAIT_SECONDS  180
#define POLL_MS       3000
#define WAIT_MAX_SECS 1800

static const char *state_of(const json_t *instance)
{
	return doc_text_or(instance, "State.Name", "");
}

/* Polls until the instance shows `wanted` or the step's wait_seconds are over; gives the last look. */
static enum err_status wait_for(
	const struct action_ctx *c, const char *wanted, json_t **last, struct err *err)
{
	int64_t seconds = doc_int(c->with, "wait_seconds", WAIT_SECONDS);
	seconds = seconds < 0 ? 0 : seconds > WAIT_MAX_SECS ? WAIT_MAX_SECS : seconds;
	int64_t until = env_now_ms(c->env) + seconds * 1000;
	json_t *instance = NULL;
	enum err_status st = ERR_OK;
	for (;;) {
		json_decref(instance);
		instance = NULL;
		TRY(ec2_instance(c, &instance, err));
		if (strcmp(state_of(instance), wanted) == 0 || env_now_ms(c->env) >= until) {
			break;
		}
		env_sleep_ms(c->env, POLL_MS);
	}
	*last = json_incref(instance);
out:
	json_decref(instance);
	return st;
}

static size_t add_group_lookup(struct batch *b, const char *instance)
{
	return batch_add(
		b, "autoscaling", "DescribeAutoScalingInstances", ec2_by_instance(instance));
}

/* The Auto Scaling group that would replace the instance once it stops, or NULL. Borrowed. */
static const char *watching_group(const json_t *answer)
{
	const json_t *member = doc_get(answer, "AutoScalingInstances[0]");
	const char *state = doc_text_or(member, "LifecycleState", "");
	if (!member || strcmp(state, "Standby") == 0 || strcmp(state, "Detached") == 0 ||
		strcmp(state, "Detaching") == 0) {
		return NULL;
	}
	return doc_text(member, "AutoScalingGroupName");
}

static json_t *warnings_for(
	const json_t *instance, const json_t *types, const char *group, const char *mode)
{
	json_t *out = json_array();
	if (doc_true(types, "InstanceTypes[0].InstanceStorageSupported")) {
		json_array_append_new(out, json_string("the instance has instance-store "
						       "disks: what is on them is lost"));
	}
	if (strcmp(mode, "hibernate") != 0) {
		json_array_append_new(out, json_string("what is in memory is lost"));
	} else if (!doc_true(instance, "HibernationOptions.Configured")) {
		json_array_append_new(out, json_string("the instance was not launched with "
						       "hibernation: it will be stopped, "
						       "what is in memory is lost"));
	}
	if (group) {
		json_array_append_new(out,
			json_string("an Auto Scaling group watches the instance: take it out "
				    "first (detach-from-service)"));
	}
	return out;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	const char *mode = ec2_with(c, "mode", "stop");
	struct batch b;
	json_t *instance = NULL, *params = NULL, *types = NULL, *seen = NULL;
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at_instance = batch_add(&b, "ec2", "DescribeInstances", ec2_by_instance(c->id));
	size_t at_group = add_group_lookup(&b, c->id);
	TRY(batch_run(&b, c->aws, err));
	TRY(ec2_instance_of(batch_result(&b, at_instance), c->id, &instance, err));
	params = json_pack(
		"{s:[s]}", "InstanceTypes", doc_text_or(instance, "InstanceType", ""));
	/* Only for a warning: not knowing is no reason not to stop. */
	if (aws_call(c->aws, "ec2", "DescribeInstanceTypes", params, &types, NULL) != ERR_OK) {
		types = NULL;
	}
	seen = json_pack("{s:s,s:s,s:b,s:o}", "instance", c->id, "state", state_of(instance),
		"hibernate",
		strcmp(mode, "hibernate") == 0 &&
			doc_true(instance, "HibernationOptions.Configured"),
		"warnings",
		warnings_for(
			instance, types, watching_group(batch_result(&b, at_group)), mode));
	if (strcmp(doc_text_or(instance, "RootDeviceType", "ebs"), "instance-store") == 0) {
		st = ec2_skip(json_incref(seen),
			N_("the root disk is an instance store: the instance can't be stopped, "
			   "only terminated, which would destroy the evidence"),
			before, needed);
	} else if (strcmp(state_of(instance), "stopped") == 0) {
		st = ec2_skip(json_incref(seen), N_("the instance is stopped already"), before,
			needed);
	} else {
		json_object_set_new(seen, "will",
			json_pack("{s:s,s:O}", "state", "stopped", "hibernate",
				json_object_get(seen, "hibernate")));
		*before = json_incref(seen);
		*needed = true;
	}
out:
	json_decref(seen);
	json_decref(types);
	json_decref(params);
	json_decref(instance);
	batch_deinit(&b);
	return st;
}

/* The instance is looked at again: the step that takes it out of its group may have failed. */
static enum err_status check_group(const struct action_ctx *c, struct err *err)
{
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at = add_group_lookup(&b, c->id);
	TRY(batch_run(&b, c->aws, err));
	const char *group = watching_group(batch_result(&b, at));
	if (group) {
		st = err_set(err, ERR_REFUSED,
			"not stopped: Auto Scaling group %s would terminate and replace %s. "
			"Run detach-from-service first",
			group, c->id);
	}
out:
	batch_deinit(&b);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	bool hibernate = json_is_true(json_object_get(before, "hibernate"));
	json_t *params = ec2_by_instance(c->id);
	enum err_status st = ERR_OK;
	if (hibernate) {
		json_object_set_new(params, "Hibernate", json_true());
	}
	TRY(check_group(c, err));
	TRY(aws_call(c->aws, "ec2", "StopInstances", params, NULL, err));
	*after = json_pack("{s:s,s:b}", "state", "stopped", "hibernate", hibernate);
out:
	json_decref(params);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *instance = NULL;
	enum err_status st = ERR_OK;
	(void)before;
	TRY(wait_for(c, "stopped", &instance, err));
	const char *state = state_of(instance);
	*ok = strcmp(state, "stopped") == 0;
	*proof = json_pack("{s:s,s:O*}", "state", state, "reason",
		json_object_get(instance, "StateTransitionReason"));
	if (*ok && json_is_true(json_object_get(after, "hibernate"))) {
		phrase_set(*proof, "text",
			N_("{0} is stopped; its memory was asked to be kept on the root disk."),
			PHRASE_ARGS(c->id));
	} else if (*ok) {
		phrase_set(*proof, "text", N_("{0} is stopped."), PHRASE_ARGS(c->id));
	} else {
		phrase_set(*proof, "text",
			N_("{0} still shows as {1}. If it stays so, stop it by force in the "
			   "EC2 console: that may damage its file systems, so take the "
			   "snapshots first."),
			PHRASE_ARGS(c->id, state));
	}
out:
	json_decref(instance);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	json_t *params = ec2_by_instance(c->id), *instance = NULL, *diffs = json_array();
	enum err_status st = ERR_OK;
	(void)after;
	TRY(ec2_instance(c, &instance, err));
	if (strcmp(doc_text_or(before, "state", ""), "running") == 0 &&
		strcmp(state_of(instance), "running") != 0 &&
		strcmp(state_of(instance), "pending") != 0) {
		json_decref(instance);
		instance = NULL;
		/* A stopping instance can't be started. */
		TRY(wait_for(c, "stopped", &instance, err));
		TRY(aws_call(c->aws, "ec2", "StartInstances", params, NULL, err));
		json_decref(instance);
		instance = NULL;
		TRY(wait_for(c, "running", &instance, err));
		if (strcmp(state_of(instance), "running") != 0) {
			st = err_set(err, ERR_PARTIAL,
				"%s was told to start and still shows as %s; repeat the undo "
				"later",
				c->id, state_of(instance));
			goto out;
		}
	}
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(instance);
	json_decref(params);
	return st;
}

static const char *const calls[] = { "ec2:DescribeInstances", "ec2:DescribeInstanceTypes",
	"autoscaling:DescribeAutoScalingInstances", "ec2:StopInstances", "ec2:StartInstances",
	NULL };

const struct action action_stop_instance = {
	.name = "stop-instance",
	.title = N_("Stop the instance"),
	.why = N_("A host that is off does no more harm. It is the last step, after memory "
		  "and disks are safe, and only where policy or a person says so."),
	.risk = N_("What is in memory and on instance-store disks is lost unless it was taken "
		   "before. An automatically assigned public address does not come back."),
	.undo_text = N_("The instance is started again if it was running. An automatically "
			"assigned public address will be another one."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 2,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
