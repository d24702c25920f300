/*
 * detach-from-service: takes the host out of its target groups, classic load balancers and Auto
 * Scaling group before health checks fail, because a group ends what it finds unhealthy.
 *
 * `with: {autoscaling: standby|detach|none}`. Standby keeps the member in its group. The desired
 * capacity goes down by one where the minimum allows it; else a replacement starts. `replace: true`
 * keeps the capacity and always lets one start.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"
#include "response/actions/service.h"

#include <string.h>

/* Where the step leads. */
static json_t *outcome(const json_t *member)
{
	const char *mode = doc_text_or(member, "mode", "none");
	return json_pack("{s:[],s:[],s:s}", "targets", "classic", "lifecycle",
		!service_in_service(member)    ? doc_text_or(member, "lifecycle", "none")
		: strcmp(mode, "standby") == 0 ? "Standby"
					       : mode);
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *seen = NULL;
	enum err_status st = ERR_OK;
	TRY(service_read(c, &seen, err));
	const json_t *member = json_object_get(seen, "member");
	bool leave =
		json_is_object(member) && strcmp(doc_text_or(member, "mode", ""), "none") != 0;
	bool registered = json_array_size(json_object_get(seen, "targets")) > 0 ||
			  json_array_size(json_object_get(seen, "classic")) > 0;
	if (!registered && !(leave && service_in_service(member))) {
		st = ec2_skip(json_incref(seen),
			N_("no load balancer sends traffic to the instance, and no Auto "
			   "Scaling group watches it"),
			before, needed);
		goto out;
	}
	json_object_set_new(seen, "will", outcome(member));
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(seen);
	return st;
}

/* Out of the Auto Scaling group first: deregistered but in service, it would look unhealthy. */
static enum err_status leave_group(
	const struct action_ctx *c, const json_t *member, struct err *err)
{
	const char *mode = doc_text_or(member, "mode", "none");
	bool standby = strcmp(mode, "standby") == 0;
	json_t *now = NULL, *params = NULL, *ids = json_pack("[s]", c->id);
	enum err_status st = ERR_OK;
	if (!service_in_service(member)) {
		goto out;
	}
	/* As it is now: a repeated try may have left already. */
	TRY(service_member(c, &now, err));
	if (!service_in_service(now) ||
		strcmp(doc_text_or(now, "group", ""), doc_text_or(member, "group", "")) != 0) {
		goto out;
	}
	params = json_pack("{s:O,s:O,s:b}", "AutoScalingGroupName",
		json_object_get(member, "group"), "InstanceIds", ids, "ProtectedFromScaleIn",
		1);
	TRY(aws_call(c->aws, "autoscaling", "SetInstanceProtection", params, NULL, err));
	if (strcmp(mode, "none") != 0) {
		json_object_del(params, "ProtectedFromScaleIn");
		json_object_set(params, "ShouldDecrementDesiredCapacity",
			json_object_get(member, "decrement"));
		TRY(aws_call(c->aws, "autoscaling",
			standby ? "EnterStandby" : "DetachInstances", params, NULL, err));
	}
out:
	json_decref(ids);
	json_decref(params);
	json_decref(now);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	const json_t *member = json_object_get(before, "member");
	struct batch b;
	size_t i;
	json_t *target, *name;
	enum err_status st = ERR_OK;
	batch_init(&b);
	TRY(leave_group(c, member, err));
	json_array_foreach(json_object_get(before, "targets"), i, target)
	{
		/* AWS accepts a target that is gone; others say InvalidTarget. */
		batch_add_lenient(&b, "elbv2", "DeregisterTargets",
			json_pack("{s:O,s:[O]}", "TargetGroupArn",
				json_object_get(target, "group"), "Targets",
				json_object_get(target, "target")),
			"InvalidTarget*");
	}
	json_array_foreach(json_object_get(before, "classic"), i, name)
	{
		batch_add_lenient(&b, "elb", "DeregisterInstancesFromLoadBalancer",
			json_pack("{s:O,s:[{s:s}]}", "LoadBalancerName", name, "Instances",
				"InstanceId", c->id),
			"InvalidInstance*");
	}
	TRY(batch_run(&b, c->aws, err));
	*after = outcome(member);
out:
	batch_deinit(&b);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const json_t *was = json_object_get(before, "member");
	json_t *now = NULL;
	bool good = false;
	size_t targets = 0, classic = 0;
	enum err_status st = ERR_OK;
	(void)after;
	for (int try = 0; try < 6 && !good; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(now);
		now = NULL;
		TRY(service_read(c, &now, err));
		targets = json_array_size(json_object_get(now, "targets"));
		classic = json_array_size(json_object_get(now, "classic"));
		good = targets == 0 && classic == 0 &&
		       (strcmp(doc_text_or(was, "mode", "none"), "none") == 0 ||
			       !service_in_service(json_object_get(now, "member")));
	}
	if (good) {
		bool member = json_is_object(was) &&
			      strcmp(doc_text_or(was, "mode", ""), "none") != 0;
		if (member) {
			phrase_set(now, "text",
				N_("{0} takes no traffic from a load balancer, and its Auto "
				   "Scaling group will not end it for being unhealthy."),
				PHRASE_ARGS(c->id));
		} else {
			phrase_set(now, "text",
				N_("{0} takes no traffic from a load balancer."),
				PHRASE_ARGS(c->id));
		}
	} else {
		phrase_set(now, "text",
			N_("{0} is still in service: in its Auto Scaling group, or registered "
			   "with a load balancer (target groups: {1}, classic load balancers: "
			   "{2})."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(targets), PHRASE_NUMBER(classic)));
	}
	*ok = good;
	*proof = json_incref(now);
out:
	json_decref(now);
	return st;
}

/* True when the list of registrations holds this one. */
static bool holds(const json_t *list, const json_t *item)
{
	size_t i;
	json_t *other;
	json_array_foreach(list, i, other)
	{
		if (doc_eq(other, item)) {
			return true;
		}
	}
	return false;
}

static void add_registrations(
	const struct action_ctx *c, const json_t *before, const json_t *now, struct batch *b)
{
	size_t i;
	json_t *target, *name;
	json_array_foreach(json_object_get(before, "targets"), i, target)
	{
		if (!holds(json_object_get(now, "targets"), target)) {
			batch_add(b, "elbv2", "RegisterTargets",
				json_pack("{s:O,s:[O]}", "TargetGroupArn",
					json_object_get(target, "group"), "Targets",
					json_object_get(target, "target")));
		}
	}
	json_array_foreach(json_object_get(before, "classic"), i, name)
	{
		if (!holds(json_object_get(now, "classic"), name)) {
			batch_add(b, "elb", "RegisterInstancesWithLoadBalancer",
				json_pack("{s:O,s:[{s:s}]}", "LoadBalancerName", name,
					"Instances", "InstanceId", c->id));
		}
	}
}

/* A target group or load balancer that was deleted meanwhile is named, the others are restored. */
static enum err_status register_again(const struct action_ctx *c, const json_t *before,
	const json_t *now, json_t *differences, struct err *err)
{
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	add_registrations(c, before, now, &b);
	st = batch_run(&b, c->aws, err);
	for (size_t i = 0; st == ERR_NOT_FOUND && i < b.n; i++) {
		if (b.reqs[i].status == ERR_OK) {
			continue;
		}
		if (b.reqs[i].status != ERR_NOT_FOUND) {
			st = b.reqs[i].status;
			if (err) {
				*err = b.reqs[i].err;
			}
			goto out;
		}
		const char *group = doc_text(b.reqs[i].params, "TargetGroupArn");
		ec2_differ(differences,
			&(struct ec2_difference){
				.resource = group ? group
						  : doc_text_or(b.reqs[i].params,
							    "LoadBalancerName", "?"),
				.what = "Registration",
				.text = N_("The load balancer or target group does not exist "
					   "any more."),
				.blocking = false });
	}
	st = st == ERR_NOT_FOUND ? ERR_OK : st;
out:
	batch_deinit(&b);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	json_t *now = NULL, *diffs = json_array();
	enum err_status st = ERR_OK;
	(void)after;
	TRY(service_return(c, json_object_get(before, "member"), diffs, err));
	TRY(service_read(c, &now, err));
	TRY(register_again(c, before, now, diffs, err));
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(now);
	return st;
}

static const char *const calls[] = { "ec2:DescribeInstances",
	"elasticloadbalancing:DescribeTargetGroups",
	"elasticloadbalancing:DescribeTargetHealth",
	"elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DeregisterTargets",
	"elasticloadbalancing:RegisterTargets",
	"elasticloadbalancing:DeregisterInstancesFromLoadBalancer",
	"elasticloadbalancing:RegisterInstancesWithLoadBalancer",
	"autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeAutoScalingGroups",
	"autoscaling:SetInstanceProtection", "autoscaling:EnterStandby",
	"autoscaling:ExitStandby", "autoscaling:DetachInstances", "autoscaling:AttachInstances",
	NULL };

const struct action action_detach_from_service = {
	.name = "detach-from-service",
	.title = N_("Take the instance out of load balancing and Auto Scaling"),
	.why = N_("Users are no longer sent to a compromised host, and the Auto Scaling group "
		  "does not terminate it, with all the evidence, when it stops answering."),
	.risk = N_("The service loses one host's capacity, or a replacement starts where the "
		   "group may not shrink. Requests under way are drained."),
	.undo_text = N_(
		"The host goes back into service: out of standby or into its group again, and "
		"registered with the same target groups, ports and load balancers."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 4,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
