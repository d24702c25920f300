/* Quarantine groups that were provisioned beforehand, taken for what their rules say. */
#include "response/actions/quarantine.h"

#include <string.h>

size_t quarantine_add_provided(const struct action_ctx *c, struct batch *b)
{
	json_t *ids = json_array();
	size_t at = SIZE_MAX;
	for (size_t i = 0; c->config && i < c->config->isolation_groups.n; i++) {
		json_array_append_new(ids, json_string(c->config->isolation_groups.items[i]));
	}
	if (json_array_size(ids) > 0) {
		at = batch_add(
			b, "ec2", "DescribeSecurityGroups", ec2_filter_list("group-id", ids));
		(void)quarantine_add_reading(b, ids);
	}
	json_decref(ids);
	return at;
}

/* Rules of one group out of a reading of several, {"SecurityGroupRules":[..]}; new reference. */
static json_t *rules_of(const json_t *answer, const json_t *id)
{
	json_t *list = json_array(), *rule;
	size_t i;
	json_array_foreach(json_object_get(answer, "SecurityGroupRules"), i, rule)
	{
		if (doc_eq(json_object_get(rule, "GroupId"), id)) {
			json_array_append(list, rule);
		}
	}
	return json_pack("{s:o}", "SecurityGroupRules", list);
}

/* The first group in the VPC that lets nothing through but the endpoints, all of them; or NULL. */
static json_t *fit_for(
	const json_t *groups, const json_t *rules, const json_t *vpc, const json_t *endpoints)
{
	size_t i;
	json_t *group;
	json_array_foreach(json_object_get(groups, "SecurityGroups"), i, group)
	{
		json_t *id = json_object_get(group, "GroupId");
		json_t *own = rules_of(rules, id);
		json_t *strays = quarantine_strays(own, endpoints);
		json_t *missing = quarantine_missing(own, endpoints);
		bool fits = doc_eq(json_object_get(group, "VpcId"), vpc) &&
			    json_array_size(strays) == 0 && json_array_size(missing) == 0;
		json_decref(missing);
		json_decref(strays);
		json_decref(own);
		if (fits) {
			return id;
		}
	}
	return NULL;
}

json_t *quarantine_provided(
	const struct batch *b, size_t at, const json_t *interfaces, const json_t *endpoints)
{
	json_t *out = json_array(), *interface;
	const json_t *groups = batch_result(b, at), *rules = batch_result(b, at + 1);
	size_t i;
	/* Rules on a second page would not have been seen. */
	bool whole = at != SIZE_MAX && groups && rules && !doc_text(rules, "NextToken");
	json_array_foreach(interfaces, i, interface)
	{
		json_t *vpc = json_object_get(interface, "vpc");
		if (quarantine_group(out, doc_text_or(interface, "vpc", ""), "closed")) {
			continue;
		}
		json_t *id = whole ? fit_for(groups, rules, vpc, endpoints) : NULL;
		if (!id) {
			json_decref(out);
			return NULL;
		}
		json_array_append_new(out, json_pack("{s:O,s:O,s:n,s:b}", "vpc", vpc, "closed",
						   id, "open", "provided", 1));
	}
	return out;
}
