#include "response/actions/service.h"

#include "base/i18n.h"

#include <string.h>

#define MAX_TARGET_GROUPS 3000 /* AWS's default quota of a region */

static const char *lifecycle_of(const json_t *member)
{
	return doc_text_or(member, "lifecycle", "");
}

bool service_in_service(const json_t *member)
{
	static const char *const watched[] = { "InService", "Pending", "Pending:Wait",
		"Pending:Proceed" };
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
		if (strcmp(lifecycle_of(member), watched[i]) == 0) {
			return true;
		}
	}
	return false;
}

static json_t *member_of(const json_t *answer)
{
	const json_t *m = doc_get(answer, "AutoScalingInstances[0]");
	if (!m) {
		return json_null();
	}
	return json_pack("{s:O,s:O,s:b}", "group", json_object_get(m, "AutoScalingGroupName"),
		"lifecycle", json_object_get(m, "LifecycleState"), "protected",
		doc_true(m, "ProtectedFromScaleIn"));
}

enum err_status service_member(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *params = ec2_by_instance(c->id), *answer = NULL;
	enum err_status st = ERR_OK;
	TRY(aws_call(
		c->aws, "autoscaling", "DescribeAutoScalingInstances", params, &answer, err));
	*out = member_of(answer);
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

/* How to leave: by the step's wish, and with less capacity only where the minimum allows it. */
static void choose_mode(const struct action_ctx *c, json_t *member, const json_t *group)
{
	const char *mode = ec2_with(c, "autoscaling", "standby");
	int64_t desired = doc_int(group, "DesiredCapacity", 0),
		least = doc_int(group, "MinSize", 0);
	bool known = strcmp(mode, "standby") == 0 || strcmp(mode, "detach") == 0;
	bool decrement = desired - 1 >= least && !doc_true(c->with, "replace");
	json_object_set_new(member, "mode", json_string(known ? mode : "none"));
	json_object_set_new(member, "decrement", json_boolean(decrement));
	json_object_set_new(member, "desired", json_integer((json_int_t)desired));
	json_object_set_new(
		member, "maximum", json_integer((json_int_t)doc_int(group, "MaxSize", 0)));
}

static json_t *classic_of(const json_t *answer, const char *instance)
{
	json_t *out = json_array(), *balancer, *member;
	size_t i, k;
	json_array_foreach(json_object_get(answer, "LoadBalancerDescriptions"), i, balancer)
	{
		json_array_foreach(json_object_get(balancer, "Instances"), k, member)
		{
			if (strcmp(doc_text_or(member, "InstanceId", ""), instance) == 0) {
				json_array_append(
					out, json_object_get(balancer, "LoadBalancerName"));
			}
		}
	}
	return out;
}

/* The id is the instance, or one of its addresses (target groups of type ip). */
static bool is_this(const json_t *instance, const char *id)
{
	size_t i, k;
	json_t *interface, *address;
	if (strcmp(doc_text_or(instance, "InstanceId", ""), id) == 0) {
		return true;
	}
	json_array_foreach(json_object_get(instance, "NetworkInterfaces"), i, interface)
	{
		json_array_foreach(json_object_get(interface, "PrivateIpAddresses"), k, address)
		{
			if (strcmp(doc_text_or(address, "PrivateIpAddress", ""), id) == 0) {
				return true;
			}
		}
		json_array_foreach(json_object_get(interface, "Ipv6Addresses"), k, address)
		{
			if (strcmp(doc_text_or(address, "Ipv6Address", ""), id) == 0) {
				return true;
			}
		}
	}
	return false;
}

static void collect_targets(json_t *targets, const char *arn, const json_t *health,
	const json_t *instance, bool by_address)
{
	size_t i;
	json_t *description;
	json_array_foreach(json_object_get(health, "TargetHealthDescriptions"), i, description)
	{
		json_t *target = json_object_get(description, "Target");
		const char *state = doc_text_or(description, "TargetHealth.State", "");
		if (strcmp(state, "draining") == 0 ||
			!is_this(instance, doc_text_or(target, "Id", ""))) {
			continue;
		}
		json_t *copy = json_pack("{s:O,s:O*}", "Id", json_object_get(target, "Id"),
			"Port", json_object_get(target, "Port"));
		json_t *zone = json_object_get(target, "AvailabilityZone");
		if (by_address && zone) {
			json_object_set(copy, "AvailabilityZone", zone);
		}
		json_array_append_new(
			targets, json_pack("{s:s,s:o}", "group", arn, "target", copy));
	}
}

/* Every target group of the instance's VPC is asked, side by side: there is no reverse look-up. */
static enum err_status read_targets(const struct action_ctx *c, const json_t *groups,
	const json_t *instance, json_t **out, struct err *err)
{
	const char *vpc = doc_text_or(instance, "VpcId", "");
	json_t *targets = json_array(), *asked = json_array(), *group;
	struct batch b;
	size_t i;
	enum err_status st = ERR_OK;
	batch_init(&b);
	json_array_foreach(json_object_get(groups, "TargetGroups"), i, group)
	{
		const char *type = doc_text_or(group, "TargetType", "instance");
		bool possible = strcmp(type, "ip") == 0 ||
				(strcmp(type, "instance") == 0 &&
					strcmp(doc_text_or(group, "VpcId", ""), vpc) == 0);
		if (possible && b.n < MAX_TARGET_GROUPS) {
			batch_add_lenient(&b, "elbv2", "DescribeTargetHealth",
				json_pack("{s:O}", "TargetGroupArn",
					json_object_get(group, "TargetGroupArn")),
				"TargetGroupNotFound");
			json_array_append(asked, group);
		}
	}
	TRY(batch_run(&b, c->aws, err));
	json_array_foreach(asked, i, group)
	{
		collect_targets(targets, doc_text_or(group, "TargetGroupArn", ""),
			batch_result(&b, i), instance,
			strcmp(doc_text_or(group, "TargetType", ""), "ip") == 0);
	}
	*out = json_incref(targets);
out:
	json_decref(targets);
	json_decref(asked);
	batch_deinit(&b);
	return st;
}

static enum err_status read_group(const struct action_ctx *c, json_t *member, struct err *err)
{
	json_t *params = NULL, *answer = NULL;
	enum err_status st = ERR_OK;
	if (json_is_object(member)) {
		params = json_pack(
			"{s:[O]}", "AutoScalingGroupNames", json_object_get(member, "group"));
		TRY(aws_call(c->aws, "autoscaling", "DescribeAutoScalingGroups", params,
			&answer, err));
		choose_mode(c, member, doc_get(answer, "AutoScalingGroups[0]"));
	}
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

enum err_status service_read(const struct action_ctx *c, json_t **out, struct err *err)
{
	struct batch b;
	json_t *instance = NULL, *groups = NULL, *classic = NULL, *targets = NULL,
	       *member = NULL;
	json_t *nothing = json_object();
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at_instance = batch_add(&b, "ec2", "DescribeInstances", ec2_by_instance(c->id));
	size_t at_member = batch_add(
		&b, "autoscaling", "DescribeAutoScalingInstances", ec2_by_instance(c->id));
	TRY(batch_run(&b, c->aws, err));
	TRY(ec2_instance_of(batch_result(&b, at_instance), c->id, &instance, err));
	TRY(aws_call_paged(c->aws, "elbv2", "DescribeTargetGroups", nothing, 0, &groups, err));
	TRY(aws_call_paged(c->aws, "elb", "DescribeLoadBalancers", nothing, 0, &classic, err));
	member = member_of(batch_result(&b, at_member));
	TRY(read_group(c, member, err));
	TRY(read_targets(c, groups, instance, &targets, err));
	*out = json_pack("{s:s,s:O,s:o,s:O}", "instance", c->id, "targets", targets, "classic",
		classic_of(classic, c->id), "member", member);
out:
	json_decref(nothing);
	json_decref(member);
	json_decref(targets);
	json_decref(classic);
	json_decref(groups);
	json_decref(instance);
	batch_deinit(&b);
	return st;
}

static void differ_member(json_t *differences, const char *instance, const json_t *member,
	const json_t *now, const char *text, bool blocking)
{
	ec2_differ(differences, &(struct ec2_difference){ .resource = instance,
					.what = "AutoScaling",
					.before = json_deep_copy(member),
					.now = json_deep_copy(now),
					.text = text,
					.blocking = blocking });
}

static bool out_of_group(const char *mode, const json_t *now)
{
	return strcmp(mode, "standby") == 0
		       ? strcmp(lifecycle_of(now), "Standby") == 0 ||
				 strcmp(lifecycle_of(now), "EnteringStandby") == 0
		       : !json_is_object(now);
}

static enum err_status set_protection(
	const struct action_ctx *c, const json_t *member, struct err *err)
{
	json_t *params = json_pack("{s:O,s:[s],s:O}", "AutoScalingGroupName",
		json_object_get(member, "group"), "InstanceIds", c->id, "ProtectedFromScaleIn",
		json_object_get(member, "protected"));
	enum err_status st =
		aws_call(c->aws, "autoscaling", "SetInstanceProtection", params, NULL, err);
	json_decref(params);
	return st;
}

enum err_status service_return(
	const struct action_ctx *c, const json_t *member, json_t *differences, struct err *err)
{
	const char *mode = doc_text_or(member, "mode", "none");
	json_t *now = NULL, *params = NULL;
	enum err_status st = ERR_OK;
	if (!service_in_service(member)) {
		goto out;
	}
	TRY(service_member(c, &now, err));
	bool ours = json_is_object(now) &&
		    doc_eq(json_object_get(now, "group"), json_object_get(member, "group"));
	if (strcmp(mode, "none") != 0 && json_is_object(now) && !ours) {
		differ_member(differences, c->id, member, now,
			N_("The instance is in another Auto Scaling group now."), true);
		goto out;
	}
	params = json_pack("{s:O,s:[s]}", "AutoScalingGroupName",
		json_object_get(member, "group"), "InstanceIds", c->id);
	bool standby = strcmp(mode, "standby") == 0;
	if (standby && !json_is_object(now)) {
		differ_member(differences, c->id, member, now,
			N_("The instance was taken out of its Auto Scaling group meanwhile."),
			true);
		goto out;
	}
	bool returns = strcmp(mode, "none") != 0 && out_of_group(mode, now);
	/* In standby the flag can be set; once the member is on its way back it can't. */
	if (ours && !doc_eq(json_object_get(now, "protected"),
			    json_object_get(member, "protected"))) {
		TRY(set_protection(c, member, err));
	}
	if (returns) {
		st = aws_call(c->aws, "autoscaling",
			standby ? "ExitStandby" : "AttachInstances", params, NULL, err);
		if (st != ERR_OK) {
			st = err_prefix(err,
				"the Auto Scaling group did not take %s back (its maximum may "
				"be reached: raise it, then repeat the undo)",
				c->id);
			goto out;
		}
		if (!json_is_true(json_object_get(member, "decrement"))) {
			differ_member(differences, c->id, member, NULL,
				N_("A replacement was started, so that the group now runs one "
				   "instance more. Lower its desired capacity when the host is "
				   "trusted again."),
				false);
		}
		if (!standby && json_is_true(json_object_get(member, "protected"))) {
			TRY(set_protection(c, member, err));
		}
	}
out:
	json_decref(params);
	json_decref(now);
	return st;
}
