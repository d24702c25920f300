#include "response/actions/isolate_undo.h"

#include "base/i18n.h"
#include "response/actions/quarantine.h"

/* What undo needs to know about the present, read in one round. */
struct present {
	struct batch b;
	size_t at_interfaces, at_groups;
};

static enum err_status read_present(
	const struct action_ctx *c, const json_t *before, struct present *p, struct err *err)
{
	json_t *ids = json_array(), *wanted = json_array();
	size_t i, g;
	json_t *interface, *id;
	json_array_foreach(json_object_get(before, "interfaces"), i, interface)
	{
		json_array_append(ids, json_object_get(interface, "id"));
		json_array_foreach(json_object_get(interface, "groups"), g, id)
		{
			json_array_append(wanted, id);
		}
	}
	batch_init(&p->b);
	p->at_interfaces = batch_add(&p->b, "ec2", "DescribeNetworkInterfaces",
		ec2_filter_list("network-interface-id", ids));
	p->at_groups = batch_add(
		&p->b, "ec2", "DescribeSecurityGroups", ec2_filter_list("group-id", wanted));
	json_decref(wanted);
	json_decref(ids);
	return batch_run(&p->b, c->aws, err);
}

/* The group list an interface has now, or NULL when it is gone; new reference. */
static json_t *groups_now(const struct present *p, const json_t *interface)
{
	size_t i;
	json_t *now;
	json_array_foreach(
		doc_get(batch_result(&p->b, p->at_interfaces), "NetworkInterfaces"), i, now)
	{
		if (doc_eq(json_object_get(now, "NetworkInterfaceId"),
			    json_object_get(interface, "id"))) {
			return ec2_groups_of(now);
		}
	}
	return NULL;
}

/* Those of the wanted groups that still exist, in order; new reference. */
static json_t *groups_left(const struct present *p, const json_t *wanted)
{
	json_t *left = json_array();
	size_t i, g;
	json_t *id, *group;
	json_array_foreach(wanted, i, id)
	{
		json_array_foreach(
			doc_get(batch_result(&p->b, p->at_groups), "SecurityGroups"), g, group)
		{
			if (doc_eq(json_object_get(group, "GroupId"), id)) {
				json_array_append(left, id);
			}
		}
	}
	return left;
}

static bool only_ours(const json_t *now, const json_t *groups)
{
	size_t i;
	json_t *id;
	json_array_foreach(now, i, id)
	{
		if (!quarantine_ours(groups, json_string_value(id))) {
			return false;
		}
	}
	return json_array_size(now) > 0;
}

/* Decides for one interface: adds the call that restores it, or names why not. */
static void restore_one(const struct action_ctx *c, const struct present *p,
	const json_t *groups, const json_t *interface, struct batch *b, json_t *differences)
{
	const json_t *wanted = json_object_get(interface, "groups");
	json_t *now = groups_now(p, interface), *left = groups_left(p, wanted);
	struct ec2_difference d = { .resource = doc_text_or(interface, "id", "?"),
		.what = "Groups",
		.before = json_deep_copy(wanted),
		.now = json_incref(now) };
	bool whole = json_array_size(left) == json_array_size(wanted);
	if (!now) {
		d.text = N_("The network interface does not exist any more.");
	} else if (!whole) {
		d.text = N_("A security group the interface had was deleted meanwhile.");
		d.blocking = true;
	} else if (!doc_eq(now, wanted) && !only_ours(now, groups)) {
		d.text =
			N_("The interface's security groups were changed after the isolation.");
		d.blocking = true;
	}
	bool restore = now && !doc_eq(now, wanted) && json_array_size(left) > 0 &&
		       (!d.blocking || ec2_forced(c));
	if (d.text) {
		ec2_differ(differences, &d);
	} else {
		json_decref(d.before);
		json_decref(d.now);
	}
	if (restore) {
		batch_add_lenient(b, "ec2", "ModifyNetworkInterfaceAttribute",
			json_pack("{s:O,s:O}", "NetworkInterfaceId",
				json_object_get(interface, "id"), "Groups", left),
			"InvalidNetworkInterfaceID.NotFound");
	}
	json_decref(left);
	json_decref(now);
}

enum err_status isolate_undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	json_t *noted = json_object_get(after ? after : c->partial, "groups");
	json_t *groups = json_incref(noted), *diffs = json_array(), *interface;
	struct present p = { 0 };
	struct batch b;
	size_t i;
	enum err_status st = ERR_OK;
	batch_init(&b);
	if (!groups) {
		TRY(quarantine_find(c, &groups, err));
	}
	TRY(read_present(c, before, &p, err));
	json_array_foreach(json_object_get(before, "interfaces"), i, interface)
	{
		restore_one(c, &p, groups, interface, &b, diffs);
	}
	TRY(batch_run(&b, c->aws, err));
	TRY(quarantine_delete(c, groups, diffs, err));
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(groups);
	batch_deinit(&p.b);
	batch_deinit(&b);
	return st;
}
