#include "response/actions/quarantine.h"

#include "base/i18n.h"
#include "response/actions/cidr.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 200

static void group_name(
	const struct action_ctx *c, const char *which, const char *suffix, char *out)
{
	snprintf(out, NAME_MAX_BYTES, "cordon-%.64s-%.8s-%s%s", c->case_id, c->token, which,
		suffix);
}

static json_t *create_params(
	const struct action_ctx *c, const char *vpc, const char *which, const char *suffix)
{
	char name[NAME_MAX_BYTES];
	group_name(c, which, suffix, name);
	return json_pack("{s:s,s:s,s:s,s:o}", "GroupName", name, "Description",
		strcmp(which, "closed") == 0
			? "cordon: quarantine of a compromised instance"
			: "cordon: cuts tracked connections, then is emptied",
		"VpcId", vpc, "TagSpecifications", ec2_tag_spec(c, "security-group"));
}

/* The group this step's earlier try made under the name, or NULL: its token names it as ours. */
static enum err_status adopt(const struct action_ctx *c, const char *vpc, const char *which,
	json_t **id, struct err *err)
{
	char name[NAME_MAX_BYTES];
	group_name(c, which, "", name);
	json_t *params = json_pack("{s:[{s:s,s:[s]},{s:s,s:[s]},{s:s,s:[s]}]}", "Filters",
		"Name", "group-name", "Values", name, "Name", "vpc-id", "Values", vpc, "Name",
		"tag:" EC2_TAG_TOKEN, "Values", c->token);
	json_t *answer = NULL;
	enum err_status st = ERR_OK;
	TRY(aws_call(c->aws, "ec2", "DescribeSecurityGroups", params, &answer, err));
	*id = json_incref(doc_get(answer, "SecurityGroups[0].GroupId"));
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

static enum err_status create_again(const struct action_ctx *c, const char *vpc,
	const char *which, json_t **id, struct err *err)
{
	unsigned char r[4];
	char suffix[16];
	json_t *params = NULL, *answer = NULL;
	enum err_status st = ERR_OK;
	TRY(adopt(c, vpc, which, id, err));
	if (*id) {
		goto out;
	}
	env_random(c->env, r, sizeof(r));
	snprintf(suffix, sizeof(suffix), "-%02x%02x%02x%02x", r[0], r[1], r[2], r[3]);
	params = create_params(c, vpc, which, suffix);
	TRY(aws_call(c->aws, "ec2", "CreateSecurityGroup", params, &answer, err));
	*id = json_incref(json_object_get(answer, "GroupId"));
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

enum err_status quarantine_make(const struct action_ctx *c, const json_t *vpcs, unsigned wanted,
	json_t **groups, struct err *err)
{
	const char *kinds[2];
	size_t n_kinds = 0;
	struct batch b;
	json_t *made = json_array(), *id = NULL;
	enum err_status st = ERR_OK;
	if (wanted & QUARANTINE_CLOSED) {
		kinds[n_kinds++] = "closed";
	}
	if (wanted & QUARANTINE_OPEN) {
		kinds[n_kinds++] = "open";
	}
	batch_init(&b);
	for (size_t v = 0; v < json_array_size(vpcs); v++) {
		const char *vpc = json_string_value(json_array_get(vpcs, v));
		for (size_t k = 0; k < n_kinds; k++) {
			batch_add_lenient(&b, "ec2", "CreateSecurityGroup",
				create_params(c, vpc, kinds[k], ""), "InvalidGroup.Duplicate");
		}
	}
	TRY(batch_run(&b, c->aws, err));
	for (size_t v = 0; v < json_array_size(vpcs); v++) {
		const char *vpc = json_string_value(json_array_get(vpcs, v));
		json_t *entry = json_pack("{s:s,s:n,s:n}", "vpc", vpc, "closed", "open");
		json_array_append_new(made, entry);
		for (size_t k = 0; k < n_kinds; k++) {
			id = json_incref(doc_get(batch_result(&b, v * n_kinds + k), "GroupId"));
			if (!id) {
				TRY(create_again(c, vpc, kinds[k], &id, err));
			}
			json_object_set_new(entry, kinds[k], id);
			id = NULL;
		}
	}
	*groups = made;
	made = NULL;
out:
	json_decref(made);
	batch_deinit(&b);
	return st;
}

enum err_status quarantine_find(const struct action_ctx *c, json_t **groups, struct err *err)
{
	json_t *params = ec2_filter("tag:" EC2_TAG_TOKEN, c->token);
	json_t *answer = NULL;
	size_t i;
	json_t *group;
	enum err_status st = ERR_OK;
	TRY(aws_call_paged(c->aws, "ec2", "DescribeSecurityGroups", params, 0, &answer, err));
	*groups = json_array();
	json_array_foreach(json_object_get(answer, "SecurityGroups"), i, group)
	{
		/* Which of the two it was does not matter any more: both are to be deleted. */
		json_array_append_new(*groups,
			json_pack("{s:O,s:O,s:n}", "vpc", json_object_get(group, "VpcId"),
				"closed", json_object_get(group, "GroupId"), "open"));
	}
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

const char *quarantine_group(const json_t *groups, const char *vpc, const char *which)
{
	size_t i;
	json_t *entry;
	json_array_foreach(groups, i, entry)
	{
		if (strcmp(doc_text_or(entry, "vpc", ""), vpc) == 0) {
			return doc_text(entry, which);
		}
	}
	return NULL;
}

bool quarantine_ours(const json_t *groups, const char *id)
{
	size_t i;
	json_t *entry;
	json_array_foreach(groups, i, entry)
	{
		if (strcmp(doc_text_or(entry, "closed", ""), id) == 0 ||
			strcmp(doc_text_or(entry, "open", ""), id) == 0) {
			return true;
		}
	}
	return false;
}

json_t *quarantine_ids(const json_t *groups, const char *which)
{
	static const char *const kinds[] = { "closed", "open" };
	json_t *ids = json_array();
	size_t i;
	json_t *entry;
	json_array_foreach(groups, i, entry)
	{
		for (size_t k = 0; k < 2; k++) {
			json_t *id = json_object_get(entry, kinds[k]);
			bool made = k == 1 || !json_is_true(json_object_get(entry, "provided"));
			if (json_is_string(id) &&
				(which ? strcmp(which, kinds[k]) == 0 : made)) {
				json_array_append(ids, id);
			}
		}
	}
	return ids;
}

/* A rule for everything in the families asked for. */
static json_t *everything(const char *group, bool v4, bool v6)
{
	json_t *permission = json_pack("{s:s}", "IpProtocol", "-1");
	if (v4) {
		json_object_set_new(
			permission, "IpRanges", json_pack("[{s:s}]", "CidrIp", "0.0.0.0/0"));
	}
	if (v6) {
		json_object_set_new(
			permission, "Ipv6Ranges", json_pack("[{s:s}]", "CidrIpv6", "::/0"));
	}
	return json_pack("{s:s,s:[o]}", "GroupId", group, "IpPermissions", permission);
}

static json_t *https_to(const char *group, const char *endpoint)
{
	json_t *permission =
		json_pack("{s:s,s:i,s:i}", "IpProtocol", "tcp", "FromPort", 443, "ToPort", 443);
	if (strncmp(endpoint, "pl-", 3) == 0) {
		json_object_set_new(permission, "PrefixListIds",
			json_pack("[{s:s}]", "PrefixListId", endpoint));
	} else if (strchr(endpoint, ':')) {
		json_object_set_new(
			permission, "Ipv6Ranges", json_pack("[{s:s}]", "CidrIpv6", endpoint));
	} else {
		json_object_set_new(
			permission, "IpRanges", json_pack("[{s:s}]", "CidrIp", endpoint));
	}
	return json_pack("{s:s,s:[o]}", "GroupId", group, "IpPermissions", permission);
}

void quarantine_add_closing(struct batch *b, const json_t *groups, const json_t *endpoints)
{
	size_t i, e;
	json_t *entry, *endpoint;
	json_array_foreach(groups, i, entry)
	{
		const char *group = doc_text_or(entry, "closed", "");
		if (json_is_true(json_object_get(entry, "provided"))) {
			continue; /* its rules were read, and are not the step's to change */
		}
		/* Each family by itself: only a VPC with IPv6 has the second default rule, and a call
		 * that names a missing rule may fail as a whole. */
		batch_add_lenient(b, "ec2", "RevokeSecurityGroupEgress",
			everything(group, true, false), "InvalidPermission.NotFound");
		batch_add_lenient(b, "ec2", "RevokeSecurityGroupEgress",
			everything(group, false, true), "InvalidPermission.NotFound");
		json_array_foreach(endpoints, e, endpoint)
		{
			batch_add_lenient(b, "ec2", "AuthorizeSecurityGroupEgress",
				https_to(group, json_string_value(endpoint)), BATCH_ANY);
		}
	}
}

/* Both directions and both families of every open group. */
static void add_open_rules(struct batch *b, const json_t *groups,
	const char *const operations[2], const char *lenient)
{
	size_t i;
	json_t *entry;
	json_array_foreach(groups, i, entry)
	{
		const char *group = doc_text(entry, "open");
		for (size_t k = 0; group && k < 4; k++) {
			batch_add_lenient(b, "ec2", operations[k / 2],
				everything(group, k % 2 == 0, k % 2 == 1), lenient);
		}
	}
}

void quarantine_add_opening(struct batch *b, const json_t *groups)
{
	static const char *const operations[2] = { "AuthorizeSecurityGroupIngress",
		"AuthorizeSecurityGroupEgress" };
	/* Whatever fails here makes the host less open, not more. */
	add_open_rules(b, groups, operations, BATCH_ANY);
}

void quarantine_add_shutting(struct batch *b, const json_t *groups)
{
	static const char *const operations[2] = { "RevokeSecurityGroupIngress",
		"RevokeSecurityGroupEgress" };
	/* A rule or a group that is not there lets nothing through; any other failure may leave one. */
	add_open_rules(b, groups, operations, "Invalid*.NotFound");
}

size_t quarantine_add_reading(struct batch *b, const json_t *ids)
{
	return batch_add(
		b, "ec2", "DescribeSecurityGroupRules", ec2_filter_list("group-id", ids));
}

static bool admits(const json_t *rule, const char *endpoint)
{
	if (!json_is_true(json_object_get(rule, "IsEgress")) ||
		strcmp(doc_text_or(rule, "IpProtocol", ""), "tcp") != 0 ||
		doc_int(rule, "FromPort", -1) != 443 || doc_int(rule, "ToPort", -1) != 443) {
		return false;
	}
	const char *list = doc_text(rule, "PrefixListId");
	if (list) {
		return strcmp(list, endpoint) == 0;
	}
	const char *range = doc_text(rule, "CidrIpv4");
	struct cidr have, want;
	range = range ? range : doc_text_or(rule, "CidrIpv6", "");
	return cidr_parse(str_from(range), &have) && cidr_parse(str_from(endpoint), &want) &&
	       cidr_eq(&have, &want);
}

json_t *quarantine_strays(const json_t *answer, const json_t *endpoints)
{
	json_t *strays = json_array();
	size_t i, e;
	json_t *rule, *endpoint;
	json_array_foreach(json_object_get(answer, "SecurityGroupRules"), i, rule)
	{
		bool wanted = false;
		json_array_foreach(endpoints, e, endpoint)
		{
			wanted = wanted || admits(rule, json_string_value(endpoint));
		}
		if (!wanted) {
			json_array_append(strays, rule);
		}
	}
	return strays;
}

json_t *quarantine_missing(const json_t *answer, const json_t *endpoints)
{
	json_t *missing = json_array();
	size_t i, e;
	json_t *rule, *endpoint;
	json_array_foreach(endpoints, e, endpoint)
	{
		bool found = false;
		json_array_foreach(json_object_get(answer, "SecurityGroupRules"), i, rule)
		{
			found = found || admits(rule, json_string_value(endpoint));
		}
		if (!found) {
			json_array_append(missing, endpoint);
		}
	}
	return missing;
}

static void add_removals(struct batch *b, const json_t *strays)
{
	size_t i;
	json_t *rule;
	json_array_foreach(strays, i, rule)
	{
		bool egress = json_is_true(json_object_get(rule, "IsEgress"));
		batch_add_lenient(b, "ec2",
			egress ? "RevokeSecurityGroupEgress" : "RevokeSecurityGroupIngress",
			json_pack("{s:O,s:[O]}", "GroupId", json_object_get(rule, "GroupId"),
				"SecurityGroupRuleIds",
				json_object_get(rule, "SecurityGroupRuleId")),
			"InvalidSecurityGroupRuleId.NotFound");
	}
}

/* Takes away by id what the groups let through besides the endpoints, until a reading finds nothing. */
static enum err_status clean(
	const struct action_ctx *c, const json_t *ids, const json_t *endpoints, struct err *err)
{
	json_t *strays = NULL;
	enum err_status st = ERR_OK;
	for (int try = 0; try < 4; try++) {
		struct batch b;
		batch_init(&b);
		size_t at = quarantine_add_reading(&b, ids);
		st = batch_run(&b, c->aws, err);
		json_decref(strays);
		strays = quarantine_strays(batch_result(&b, at), endpoints);
		batch_deinit(&b);
		if (st != ERR_OK || json_array_size(strays) == 0) {
			goto out;
		}
		batch_init(&b);
		add_removals(&b, strays);
		st = batch_run(&b, c->aws, err);
		batch_deinit(&b);
		TRY(st);
	}
	st = err_set(err, ERR_CONFLICT,
		"the quarantine group still has %zu rule(s) that do not belong there: "
		"somebody keeps adding them. Cut that principal's credentials, then resume "
		"the case",
		json_array_size(strays));
out:
	json_decref(strays);
	return st;
}

enum err_status quarantine_clean(const struct action_ctx *c, const json_t *groups,
	const json_t *endpoints, struct err *err)
{
	json_t *ids = quarantine_ids(groups, "closed");
	enum err_status st = clean(c, ids, endpoints, err);
	json_decref(ids);
	return st;
}

enum err_status quarantine_empty(
	const struct action_ctx *c, const json_t *groups, struct err *err)
{
	json_t *ids = quarantine_ids(groups, "open");
	enum err_status st = json_array_size(ids) > 0 ? clean(c, ids, NULL, err) : ERR_OK;
	json_decref(ids);
	return st;
}

static enum err_status delete_unused(
	const struct action_ctx *c, const json_t *ids, json_t *differences, struct err *err)
{
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	for (size_t i = 0; i < json_array_size(ids); i++) {
		batch_add_lenient(&b, "ec2", "DeleteSecurityGroup",
			json_pack("{s:O}", "GroupId", json_array_get(ids, i)),
			"InvalidGroup.NotFound");
	}
	for (int try = 0; try < 6; try++) {
		/* An interface leaves a group some moments before AWS admits it everywhere. */
		st = batch_run(&b, c->aws, err);
		if (st == ERR_OK || !err || strcmp(err->code, "DependencyViolation") != 0) {
			goto out;
		}
		ec2_pause(c, try);
	}
	st = ERR_OK;
	ec2_differ(differences,
		&(struct ec2_difference){ .resource = "quarantine group",
			.what = "SecurityGroup",
			.before = json_null(),
			.now = json_deep_copy(ids),
			.text = N_(
				"A quarantine group is used by something else and was kept."),
			.blocking = false });
out:
	batch_deinit(&b);
	return st;
}

/* Sorts the groups into those that an interface still carries and the rest. */
static enum err_status sort_by_use(const struct action_ctx *c, const json_t *ids, json_t **used,
	json_t **unused, struct err *err)
{
	json_t *params = ec2_filter_list("group-id", ids), *answer = NULL;
	size_t i, k, g;
	json_t *interface, *id, *group;
	enum err_status st = ERR_OK;
	TRY(aws_call(c->aws, "ec2", "DescribeNetworkInterfaces", params, &answer, err));
	*used = json_array();
	*unused = json_array();
	json_array_foreach(ids, k, id)
	{
		bool busy = false;
		json_array_foreach(json_object_get(answer, "NetworkInterfaces"), i, interface)
		{
			json_array_foreach(json_object_get(interface, "Groups"), g, group)
			{
				busy = busy || doc_eq(json_object_get(group, "GroupId"), id);
			}
		}
		json_array_append(busy ? *used : *unused, id);
	}
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

enum err_status quarantine_delete(
	const struct action_ctx *c, const json_t *groups, json_t *differences, struct err *err)
{
	json_t *ids = quarantine_ids(groups, NULL), *used = NULL, *unused = NULL;
	struct err local = { 0 };
	size_t k;
	json_t *id;
	enum err_status st = ERR_OK;
	if (json_array_size(ids) == 0) {
		goto out;
	}
	for (int try = 0; try < 3; try++) {
		json_decref(used);
		json_decref(unused);
		used = unused = NULL;
		TRY(sort_by_use(c, ids, &used, &unused, err));
		if (json_array_size(used) == 0) {
			break;
		}
		ec2_pause(c, try);
	}
	TRY(delete_unused(c, unused, differences, err ? err : &local));
	json_array_foreach(used, k, id)
	{
		ec2_differ(differences,
			&(struct ec2_difference){ .resource = json_string_value(id),
				.what = "SecurityGroup",
				.before = json_null(),
				.now = json_incref(id),
				.text = N_("The quarantine group is still used by an interface "
					   "and was kept."),
				.blocking = false });
	}
out:
	json_decref(used);
	json_decref(unused);
	json_decref(ids);
	return st;
}
