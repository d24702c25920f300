/*
 * isolate-network: every interface of the instance into a quarantine group made for this step.
 *
 * Round trips of apply: make the groups; empty one and open the other; swap into the open one while
 * the empty one is read back; swap into the empty one while the open one is emptied. Between the
 * third and the fourth the host is open to the world. So a note says so durably before, a resumed
 * step begins with closing, closing is tried again and again, and the open group loses its rules
 * in the same breath: a host that stays in it is closed all the same. Then it is read back too, and
 * what is left in it is taken away by id.
 */
#include "base/phrase.h"
#include "base/utc.h"
#include "response/actions/ec2.h"
#include "response/actions/isolate_swap.h"
#include "response/actions/isolate_undo.h"
#include "response/actions/quarantine.h"
#include "response/actions/registry.h"

#include <string.h>

#define UNCUT         "not on every interface"
#define MAX_ENDPOINTS 50 /* a group takes 60 rules a direction */

/* The ranges that stay reachable: none unless the step asks for them. */
static json_t *endpoints_wanted(const struct action_ctx *c)
{
	json_t *out = json_array();
	if (c->config && doc_true(c->with, "endpoints")) {
		const struct config_list *list = &c->config->isolation_endpoints;
		for (size_t i = 0; i < list->n && i < MAX_ENDPOINTS; i++) {
			json_array_append_new(out, json_string(list->items[i]));
		}
	}
	return out;
}

static json_t *interfaces_of(const json_t *answer)
{
	json_t *out = json_array();
	size_t i;
	json_t *interface;
	json_array_foreach(json_object_get(answer, "NetworkInterfaces"), i, interface)
	{
		json_array_append_new(out,
			json_pack("{s:O,s:O,s:I,s:o}", "id",
				json_object_get(interface, "NetworkInterfaceId"), "vpc",
				json_object_get(interface, "VpcId"), "device",
				(json_int_t)doc_int(interface, "Attachment.DeviceIndex", -1),
				"groups", ec2_groups_of(interface)));
	}
	return out;
}

/* Every group of every interface carries cordon's tag: perhaps the host is isolated already. */
static json_t *tagged_groups(const json_t *interfaces, const json_t *answer)
{
	json_t *ids = json_array();
	size_t i, g, t;
	json_t *interface, *id, *tagged;
	json_array_foreach(interfaces, i, interface)
	{
		json_array_foreach(json_object_get(interface, "groups"), g, id)
		{
			bool found = false;
			json_array_foreach(json_object_get(answer, "SecurityGroups"), t, tagged)
			{
				found = found || doc_eq(json_object_get(tagged, "GroupId"), id);
			}
			if (!found) {
				json_decref(ids);
				return NULL;
			}
			json_array_append(ids, id);
		}
	}
	return ids;
}

/*
 * A tag is a hint, the rules are the proof: *quiet when they let nothing through but what the step
 * wants, *nearly when they let nothing through but configured endpoints (then no connection to
 * the outside is left that would have to be cut).
 */
static enum err_status judge(const struct action_ctx *c, const json_t *ids,
	const json_t *endpoints, bool *quiet, bool *nearly, struct err *err)
{
	struct action_ctx all = *c;
	json_t *with = json_pack("{s:b}", "endpoints", 1), *known = NULL, *strays = NULL;
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at = quarantine_add_reading(&b, ids);
	TRY(batch_run(&b, c->aws, err));
	strays = quarantine_strays(batch_result(&b, at), endpoints);
	*quiet = json_array_size(strays) == 0;
	json_decref(strays);
	all.with = with;
	known = endpoints_wanted(&all);
	strays = quarantine_strays(batch_result(&b, at), known);
	*nearly = json_array_size(strays) == 0;
out:
	json_decref(strays);
	json_decref(known);
	json_decref(with);
	batch_deinit(&b);
	return st;
}

static enum err_status check_interfaces(
	const struct action_ctx *c, const json_t *interfaces, struct err *err)
{
	size_t n = json_array_size(interfaces);
	if (n == 0) {
		return err_set(err, ERR_NOT_FOUND,
			"instance %s has no network interface: there is nothing to isolate",
			c->id);
	}
	if (n > EC2_MAX_INTERFACES) {
		return err_set(err, ERR_LIMIT,
			"instance %s has %zu network interfaces, at most %d are handled", c->id,
			n, EC2_MAX_INTERFACES);
	}
	return ERR_OK;
}

/* What a plan shows as the state to come. */
static json_t *forecast(const json_t *endpoints)
{
	json_t *out =
		json_pack("{s:s,s:s,s:s}", "groups", "a quarantine group made for the case",
			"inbound", "nothing", "outbound", "nothing");
	if (json_array_size(endpoints) > 0) {
		json_object_set_new(
			out, "outbound", json_string("TCP 443 to the isolation endpoints"));
	}
	return out;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	struct batch b;
	json_t *instance = NULL, *seen = NULL, *ids = NULL, *ready = NULL;
	json_t *endpoints = endpoints_wanted(c);
	bool quiet = false, nearly = false;
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at_instance = batch_add(&b, "ec2", "DescribeInstances", ec2_by_instance(c->id));
	size_t at_interfaces = ec2_add_interfaces(&b, c->id);
	size_t at_tagged = batch_add(
		&b, "ec2", "DescribeSecurityGroups", ec2_filter("tag-key", EC2_TAG_CASE));
	size_t at_ready = quarantine_add_provided(c, &b);
	TRY(batch_run(&b, c->aws, err));
	TRY(ec2_instance_of(batch_result(&b, at_instance), c->id, &instance, err));
	seen = json_pack("{s:s,s:o,s:O}", "instance", c->id, "interfaces",
		interfaces_of(batch_result(&b, at_interfaces)), "endpoints", endpoints);
	TRY(check_interfaces(c, json_object_get(seen, "interfaces"), err));
	ids = tagged_groups(json_object_get(seen, "interfaces"), batch_result(&b, at_tagged));
	if (ids) {
		TRY(judge(c, ids, endpoints, &quiet, &nearly, err));
	}
	json_object_set_new(seen, "cut",
		json_boolean(!nearly && !json_is_false(json_object_get(c->with, "cut"))));
	if (doc_true(c->with, "endpoints") && json_array_size(endpoints) == 0) {
		json_object_set_new(seen, "note",
			json_string("isolation_endpoints is empty: nothing stays reachable"));
	}
	if (quiet) {
		st = ec2_skip(json_incref(seen),
			N_("every interface is in a quarantine group already, and its rules "
			   "were read"),
			before, needed);
		goto out;
	}
	ready = quarantine_provided(
		&b, at_ready, json_object_get(seen, "interfaces"), endpoints);
	json_object_set(seen, "provided", ready);
	json_object_set_new(seen, "will", forecast(endpoints));
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(ready);
	json_decref(ids);
	json_decref(seen);
	json_decref(instance);
	json_decref(endpoints);
	batch_deinit(&b);
	return st;
}

/* The provisioned groups in the place of those that the step would have made. */
static void take_provided(json_t *groups, const json_t *ready)
{
	size_t i, k;
	json_t *entry, *provided;
	json_array_foreach(groups, i, entry)
	{
		json_array_foreach(ready, k, provided)
		{
			if (doc_eq(json_object_get(entry, "vpc"),
				    json_object_get(provided, "vpc"))) {
				json_object_set(
					entry, "closed", json_object_get(provided, "closed"));
				json_object_set_new(entry, "provided", json_true());
			}
		}
	}
}

static enum err_status make_groups(const struct action_ctx *c, const json_t *before, bool cut,
	json_t **groups, struct err *err)
{
	json_t *vpcs = json_array(), *noted = json_object_get(c->partial, "groups");
	size_t i, k;
	json_t *interface, *vpc;
	enum err_status st = ERR_OK;
	if (json_array_size(noted) > 0) {
		*groups = json_incref(noted);
		goto out;
	}
	json_array_foreach(json_object_get(before, "interfaces"), i, interface)
	{
		bool seen = false;
		json_array_foreach(vpcs, k, vpc)
		{
			seen = seen || doc_eq(vpc, json_object_get(interface, "vpc"));
		}
		if (!seen) {
			json_array_append(vpcs, json_object_get(interface, "vpc"));
		}
	}
	const json_t *ready = json_object_get(before, "provided");
	unsigned kinds = (ready ? 0 : QUARANTINE_CLOSED) | (cut ? QUARANTINE_OPEN : 0);
	TRY(quarantine_make(c, vpcs, kinds, groups, err));
	take_provided(*groups, ready);
	TRY(ec2_note(c, json_pack("{s:s,s:O}", "note", "groups made", "groups", *groups), err));
out:
	json_decref(vpcs);
	return st;
}

static json_t *result_of(
	const json_t *before, const json_t *groups, bool cut, bool opened, int64_t now_ms)
{
	json_t *interfaces = json_array();
	char at[32];
	size_t i;
	json_t *interface;
	utc_rfc3339(now_ms, at);
	json_array_foreach(json_object_get(before, "interfaces"), i, interface)
	{
		json_array_append_new(interfaces,
			json_pack("{s:O,s:[s?]}", "id", json_object_get(interface, "id"),
				"groups", isolate_swap_group(interface, groups, "closed")));
	}
	return json_pack("{s:O,s:o,s:s,s:s}", "groups", groups, "interfaces", interfaces, "cut",
		!cut     ? "not asked for"
		: opened ? "done"
			 : UNCUT,
		"at", at);
}

/*
 * The closed groups are empty in the end. One that was provisioned and has got rules since it was looked
 * at is not the step's to empty: the interfaces go into groups of the step's own instead.
 */
static enum err_status ensure_clean(
	const struct action_ctx *c, const json_t *before, json_t *groups, struct err *err)
{
	const json_t *endpoints = json_object_get(before, "endpoints");
	json_t *ids = quarantine_ids(groups, "closed"), *strays = NULL, *vpcs = json_array();
	json_t *own = NULL, *entry;
	bool provided = false, no_cut = false;
	struct batch b;
	size_t i;
	enum err_status st = ERR_OK;
	batch_init(&b);
	json_array_foreach(groups, i, entry)
	{
		provided = provided || json_is_true(json_object_get(entry, "provided"));
		json_array_append(vpcs, json_object_get(entry, "vpc"));
	}
	if (!provided) {
		st = quarantine_clean(c, groups, endpoints, err);
		goto out;
	}
	size_t at = quarantine_add_reading(&b, ids);
	TRY(batch_run(&b, c->aws, err));
	strays = quarantine_strays(batch_result(&b, at), endpoints);
	if (json_array_size(strays) == 0) {
		goto out;
	}
	TRY(quarantine_make(c, vpcs, QUARANTINE_CLOSED, &own, err));
	json_array_foreach(groups, i, entry)
	{
		json_object_set(
			entry, "closed", json_object_get(json_array_get(own, i), "closed"));
		json_object_del(entry, "provided");
	}
	TRY(ec2_note(c,
		json_pack("{s:s,s:O}", "note", "the provisioned group has rules: made another",
			"groups", groups),
		err));
	TRY(isolate_swap_rules(c, before, groups, &no_cut, err));
	TRY(isolate_swap_closed(c, json_object_get(before, "interfaces"), groups, err));
	TRY(quarantine_clean(c, groups, endpoints, err));
out:
	batch_deinit(&b);
	json_decref(own);
	json_decref(vpcs);
	json_decref(strays);
	json_decref(ids);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	const json_t *interfaces = json_object_get(before, "interfaces");
	bool wanted = !json_is_false(json_object_get(before, "cut"));
	bool cut = wanted, opened = false, clean = false;
	json_t *groups = NULL;
	enum err_status st = ERR_OK;
	TRY(make_groups(c, before, wanted, &groups, err));
	if (json_is_true(json_object_get(c->partial, "half_open"))) {
		TRY(isolate_swap_closed(c, interfaces, groups, err));
		TRY(ec2_note(c, json_pack("{s:s,s:b}", "note", "closed again", "half_open", 0),
			err));
	}
	TRY(isolate_swap_rules(c, before, groups, &cut, err));
	if (cut) {
		TRY(ec2_note(c,
			json_pack("{s:s,s:b}", "note", "opening, to cut tracked connections",
				"half_open", 1),
			err));
		isolate_swap_open(c, before, groups, &opened, &clean);
	}
	TRY(isolate_swap_closed(c, interfaces, groups, err));
	if (!clean) {
		TRY(ensure_clean(c, before, groups, err));
	}
	if (cut) {
		TRY(ec2_note(c, json_pack("{s:s,s:b}", "note", "closed", "half_open", 0), err));
	}
	TRY(quarantine_empty(c, groups, err));
	*after = result_of(before, groups, wanted, opened, env_now_ms(c->env));
out:
	json_decref(groups);
	return st;
}

/* The first interface that is not exactly in its quarantine group, or NULL. Borrowed. */
static const char *outside(const json_t *interfaces, const json_t *groups)
{
	size_t i;
	json_t *interface;
	json_array_foreach(interfaces, i, interface)
	{
		const json_t *now = json_object_get(interface, "groups");
		const char *closed = isolate_swap_group(interface, groups, "closed");
		const char *only = json_string_value(json_array_get(now, 0));
		if (json_array_size(now) != 1 || !closed || !only ||
			strcmp(only, closed) != 0) {
			return doc_text_or(interface, "id", "?");
		}
	}
	return NULL;
}

/* One reading of everything the claim rests on. */
static enum err_status read_back(const struct action_ctx *c, const json_t *groups,
	const json_t *endpoints, json_t **proof, struct err *err)
{
	json_t *closed = quarantine_ids(groups, "closed");
	json_t *open = quarantine_ids(groups, "open");
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at_interfaces = ec2_add_interfaces(&b, c->id);
	size_t at_rules = quarantine_add_reading(&b, closed);
	size_t at_open =
		json_array_size(open) > 0 ? quarantine_add_reading(&b, open) : SIZE_MAX;
	size_t at_groups = batch_add(
		&b, "ec2", "DescribeSecurityGroups", ec2_filter_list("group-id", closed));
	TRY(batch_run(&b, c->aws, err));
	const json_t *rules = batch_result(&b, at_rules);
	*proof = json_pack("{s:o,s:O?,s:O*,s:o,s:o,s:b,s:b}", "interfaces",
		interfaces_of(batch_result(&b, at_interfaces)), "rules",
		json_object_get(rules, "SecurityGroupRules"), "open_rules",
		json_object_get(batch_result(&b, at_open), "SecurityGroupRules"), "strays",
		quarantine_strays(rules, endpoints), "unreachable_endpoints",
		quarantine_missing(rules, endpoints), "groups_exist",
		json_array_size(doc_get(batch_result(&b, at_groups), "SecurityGroups")) ==
			json_array_size(closed),
		/* A quarantine group whose rules need a second page is not empty. */
		"whole", !doc_text(rules, "NextToken"));
out:
	batch_deinit(&b);
	json_decref(open);
	json_decref(closed);
	return st;
}

static bool judged(
	const struct action_ctx *c, const json_t *groups, const json_t *before, json_t *proof)
{
	const json_t *interfaces = json_object_get(proof, "interfaces");
	const char *loose = outside(interfaces, groups);
	size_t strays = json_array_size(json_object_get(proof, "strays"));
	size_t wide = json_array_size(json_object_get(proof, "open_rules"));
	size_t missing = json_array_size(json_object_get(proof, "unreachable_endpoints"));
	size_t n = json_array_size(interfaces);
	bool uncut = json_is_false(json_object_get(c->with, "cut")) ||
		     strcmp(doc_text_or(proof, "cut", ""), UNCUT) == 0;
	const char *caveat =
		uncut ? N_(" Connections that were open before were not cut and may live on.")
		      : "";
	if (n == 0) {
		phrase_set(proof, "text", N_("No network interface of {0} was found."),
			PHRASE_ARGS(c->id));
	} else if (loose) {
		phrase_set(proof, "text", N_("Interface {0} is not in the quarantine group."),
			PHRASE_ARGS(loose));
	} else if (!json_is_true(json_object_get(proof, "groups_exist"))) {
		phrase_set(
			proof, "text", N_("A quarantine group could not be read back."), NULL);
	} else if (strays) {
		phrase_set(proof, "text",
			N_("Rules of the quarantine group that do not belong there: {0}."),
			PHRASE_ARGS(PHRASE_NUMBER(strays)));
	} else if (wide) {
		phrase_set(proof, "text",
			N_("The group that cut the connections still has rules: {0}."),
			PHRASE_ARGS(PHRASE_NUMBER(wide)));
	} else if (!json_is_true(json_object_get(proof, "whole"))) {
		phrase_set(proof, "text",
			N_("The quarantine group has more rules than could be read."), NULL);
	} else if (json_array_size(json_object_get(before, "endpoints")) > 0) {
		phrase_set(proof, "text",
			N_("Every network interface of {0} ({1}) is in the quarantine group. "
			   "It admits nothing inbound, and outbound only TCP 443 to the named "
			   "endpoints (missing of these: {2}).{3!}"),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(n), PHRASE_NUMBER(missing), caveat));
		return true;
	} else {
		phrase_set(proof, "text",
			N_("Every network interface of {0} ({1}) is in the quarantine group. "
			   "Its rules were read back: none inbound, none outbound, neither "
			   "IPv4 nor IPv6.{2!}"),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(n), caveat));
		return true;
	}
	return false;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const json_t *groups = json_object_get(after, "groups");
	json_t *found = NULL;
	bool good = false;
	enum err_status st = ERR_OK;
	/* AWS shows a change some moments late; a second look is not a second chance. */
	for (int try = 0; try < 4 && !good; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(found);
		found = NULL;
		TRY(read_back(c, groups, json_object_get(before, "endpoints"), &found, err));
		json_object_set(found, "cut", json_object_get(after, "cut"));
		good = judged(c, groups, before, found);
	}
	*ok = good;
	*proof = json_incref(found);
out:
	json_decref(found);
	return st;
}

static const char *const calls[] = { "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
	"ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules",
	"ec2:CreateSecurityGroup", "ec2:CreateTags", "ec2:AuthorizeSecurityGroupIngress",
	"ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
	"ec2:RevokeSecurityGroupEgress", "ec2:ModifyNetworkInterfaceAttribute",
	"ec2:DeleteSecurityGroup", NULL };

const struct action action_isolate_network = {
	.name = "isolate-network",
	.title = N_("Isolate the instance from the network"),
	.why = N_("The intruder commands the host and carries data away over the network. In "
		  "an empty security group nothing new gets in or out; passing through an "
		  "all-open group first also drops connections that AWS would otherwise "
		  "keep alive for days."),
	.risk = N_("Everything the host serves stops. For one round trip it is open to the "
		   "world. Connections through a NAT gateway, a Network Load Balancer or "
		   "an interface endpoint stay tracked and may survive until they idle "
		   "out, and queries to the VPC's DNS resolver are not filtered."),
	.undo_text = N_("Every network interface gets exactly the groups it had, in their "
			"order, and the groups made for the case are deleted."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 4,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = isolate_undo,
};
