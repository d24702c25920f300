/*
 * block-address: denies the attacker's addresses in the network ACL of the instance's subnets, both
 * directions. ACLs keep no state, so this cuts connections that security groups let live. The whole
 * subnet is concerned, and an ACL takes few rules: hence only the named addresses, one by one.
 */
#include "base/phrase.h"
#include "response/actions/cidr.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <string.h>

#define MAX_ADDRESSES 4     /* an ACL takes 20 rules a direction by default */
#define MAX_RULE      32766 /* highest number a rule may have */

static json_t *addresses_wanted(const struct action_ctx *c)
{
	json_t *out = json_array(), *given = json_object_get(c->with, "addresses"), *a;
	size_t i;
	json_array_foreach(given, i, a)
	{
		if (json_is_string(a)) {
			json_array_append(out, a);
		}
	}
	for (i = 0; json_array_size(given) == 0 && c->finding && i < c->finding->n_actors;
		i++) {
		if (c->finding->actors[i].ip.n > 0) {
			json_array_append_new(out, doc_str(c->finding->actors[i].ip));
		}
	}
	return out;
}

/* Ranges of the VPCs and addresses of the account, which must stay reachable. */
static json_t *own_ranges(const json_t *vpcs, const json_t *addresses)
{
	json_t *out = json_array();
	size_t i, k;
	json_t *vpc, *set, *a;
	json_array_foreach(json_object_get(vpcs, "Vpcs"), i, vpc)
	{
		json_array_foreach(json_object_get(vpc, "CidrBlockAssociationSet"), k, set)
		{
			json_array_append(out, json_object_get(set, "CidrBlock"));
		}
		json_array_foreach(json_object_get(vpc, "Ipv6CidrBlockAssociationSet"), k, set)
		{
			json_array_append(out, json_object_get(set, "Ipv6CidrBlock"));
		}
	}
	json_array_foreach(json_object_get(addresses, "Addresses"), i, a)
	{
		json_array_append(out, json_object_get(a, "PublicIp"));
	}
	return out;
}

static bool overlaps(const char *range, const struct cidr *c)
{
	struct cidr other;
	return range && cidr_parse(str_from(range), &other) &&
	       (cidr_contains(&other, c) || cidr_contains(c, &other));
}

/* Why an address may not be blocked, or NULL. */
static const char *refusal(
	const struct action_ctx *c, const json_t *own, const char *text, struct cidr *out)
{
	size_t i;
	json_t *range;
	if (!cidr_parse(str_from(text), out)) {
		return "not an address";
	}
	if (out->prefix != (out->v6 ? 128 : 32)) {
		return "a range, not one address";
	}
	const char *special = cidr_special(out);
	if (special) {
		return special;
	}
	json_array_foreach(own, i, range)
	{
		if (overlaps(json_string_value(range), out)) {
			return "an address of this account or VPC";
		}
	}
	for (i = 0; c->config && i < c->config->never_block.n; i++) {
		if (overlaps(c->config->never_block.items[i], out)) {
			return "listed under never_block";
		}
	}
	return NULL;
}

/* [{"cidr","v6"}] of what may be blocked; what may not goes to `left_out` with the reason. */
static json_t *choose(const struct action_ctx *c, const json_t *own, json_t *left_out)
{
	json_t *wanted = addresses_wanted(c), *chosen = json_array(), *a, *other;
	size_t i, k;
	json_array_foreach(wanted, i, a)
	{
		struct cidr range;
		char text[CIDR_TEXT];
		const char *why = refusal(c, own, json_string_value(a), &range);
		bool twice = false;
		if (!why) {
			cidr_text(&range, text);
			json_array_foreach(chosen, k, other)
			{
				twice = twice ||
					strcmp(doc_text_or(other, "cidr", ""), text) == 0;
			}
			why = json_array_size(chosen) >= MAX_ADDRESSES && !twice
				      ? "more addresses than an ACL has room for"
				      : NULL;
		}
		if (why) {
			json_array_append_new(
				left_out, json_pack("{s:O,s:s}", "address", a, "reason", why));
		} else if (!twice) {
			json_array_append_new(
				chosen, json_pack("{s:s,s:b}", "cidr", text, "v6", range.v6));
		}
	}
	json_decref(wanted);
	return chosen;
}

static const char *range_of(const json_t *entry)
{
	return doc_text_or(entry, "CidrBlock", doc_text_or(entry, "Ipv6CidrBlock", ""));
}

static bool same_range(const char *a, const char *b)
{
	struct cidr x, y;
	return cidr_parse(str_from(a), &x) && cidr_parse(str_from(b), &y) && cidr_eq(&x, &y);
}

/* The entry is a full deny of exactly this address. */
static bool denies(const json_t *entry, const char *cidr)
{
	return strcmp(doc_text_or(entry, "RuleAction", ""), "deny") == 0 &&
	       strcmp(doc_text_or(entry, "Protocol", ""), "-1") == 0 &&
	       same_range(range_of(entry), cidr);
}

static json_t *entry_at(const json_t *acl, bool egress, int64_t number)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_object_get(acl, "Entries"), i, entry)
	{
		if (json_is_true(json_object_get(entry, "Egress")) == egress &&
			doc_int(entry, "RuleNumber", -1) == number) {
			return entry;
		}
	}
	return NULL;
}

/* The lowest number of an allow rule: a deny works only before it. */
static int64_t first_allow(const json_t *acl, bool egress)
{
	int64_t lowest = MAX_RULE + 1;
	size_t i;
	json_t *entry;
	json_array_foreach(json_object_get(acl, "Entries"), i, entry)
	{
		int64_t number = doc_int(entry, "RuleNumber", MAX_RULE + 1);
		if (json_is_true(json_object_get(entry, "Egress")) == egress &&
			number < lowest &&
			strcmp(doc_text_or(entry, "RuleAction", ""), "allow") == 0) {
			lowest = number;
		}
	}
	return lowest;
}

/* A deny of the address that comes before every allow rule. */
static bool denied(const json_t *acl, bool egress, const char *cidr)
{
	int64_t limit = first_allow(acl, egress);
	size_t i;
	json_t *entry;
	json_array_foreach(json_object_get(acl, "Entries"), i, entry)
	{
		if (json_is_true(json_object_get(entry, "Egress")) == egress &&
			denies(entry, cidr) &&
			doc_int(entry, "RuleNumber", MAX_RULE + 1) < limit) {
			return true;
		}
	}
	return false;
}

/* The lowest number that is neither in the ACL nor planned, before every allow; 0 = no room. */
static int64_t free_number(const json_t *acl, bool egress, const json_t *planned)
{
	int64_t limit = first_allow(acl, egress);
	const json_t *id = json_object_get(acl, "NetworkAclId");
	for (int64_t n = 1; n < limit && n <= MAX_RULE; n++) {
		bool taken = entry_at(acl, egress, n) != NULL;
		size_t i;
		json_t *p;
		json_array_foreach(planned, i, p)
		{
			taken = taken ||
				(doc_eq(json_object_get(p, "acl"), id) &&
					json_is_true(json_object_get(p, "egress")) == egress &&
					doc_int(p, "number", 0) == n);
		}
		if (!taken) {
			return n;
		}
	}
	return 0;
}

/* Entries to make: every address, in every ACL, both ways, unless it is denied there already. */
static json_t *plan_entries(const json_t *acls, const json_t *chosen, json_t *left_out)
{
	json_t *planned = json_array(), *acl, *address;
	size_t i, k;
	json_array_foreach(json_object_get(acls, "NetworkAcls"), i, acl)
	{
		json_array_foreach(chosen, k, address)
		{
			const char *cidr = doc_text_or(address, "cidr", "");
			for (int way = 0; way < 2; way++) {
				bool egress = way == 1;
				int64_t n = free_number(acl, egress, planned);
				if (denied(acl, egress, cidr)) {
					continue;
				}
				if (n == 0) {
					json_array_append_new(left_out,
						json_pack("{s:s,s:s}", "address", cidr,
							"reason",
							"no rule number is free before the "
							"first allow rule"));
					continue;
				}
				json_array_append_new(planned,
					json_pack("{s:O,s:I,s:b,s:s,s:O}", "acl",
						json_object_get(acl, "NetworkAclId"), "number",
						(json_int_t)n, "egress", egress, "cidr", cidr,
						"v6", json_object_get(address, "v6")));
			}
		}
	}
	return planned;
}

/* Distinct values of `key` of all interfaces; new reference. */
static json_t *distinct(const json_t *interfaces, const char *key)
{
	json_t *out = json_array(), *interface, *have;
	size_t i, k;
	json_array_foreach(json_object_get(interfaces, "NetworkInterfaces"), i, interface)
	{
		json_t *value = json_object_get(interface, key);
		bool seen = value == NULL;
		json_array_foreach(out, k, have)
		{
			seen = seen || doc_eq(have, value);
		}
		if (!seen) {
			json_array_append(out, value);
		}
	}
	return out;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	struct batch first, second;
	json_t *instance = NULL, *subnets = NULL, *vpcs = NULL, *own = NULL, *seen = NULL;
	json_t *chosen = NULL, *left_out = json_array();
	enum err_status st = ERR_OK;
	batch_init(&first);
	batch_init(&second);
	size_t at_instance =
		batch_add(&first, "ec2", "DescribeInstances", ec2_by_instance(c->id));
	size_t at_interfaces = ec2_add_interfaces(&first, c->id);
	size_t at_addresses = batch_add(&first, "ec2", "DescribeAddresses", json_object());
	TRY(batch_run(&first, c->aws, err));
	TRY(ec2_instance_of(batch_result(&first, at_instance), c->id, &instance, err));
	subnets = distinct(batch_result(&first, at_interfaces), "SubnetId");
	vpcs = distinct(batch_result(&first, at_interfaces), "VpcId");
	size_t at_acls = batch_add(&second, "ec2", "DescribeNetworkAcls",
		ec2_filter_list("association.subnet-id", subnets));
	size_t at_vpcs =
		batch_add(&second, "ec2", "DescribeVpcs", ec2_filter_list("vpc-id", vpcs));
	TRY(batch_run(&second, c->aws, err));
	own = own_ranges(batch_result(&second, at_vpcs), batch_result(&first, at_addresses));
	json_array_append(own, json_object_get(instance, "PublicIpAddress"));
	chosen = choose(c, own, left_out);
	seen = json_pack("{s:s,s:O,s:O,s:O,s:o}", "instance", c->id, "subnets", subnets,
		"addresses", chosen, "left_out", left_out, "entries", json_null());
	json_object_set_new(seen, "entries",
		plan_entries(batch_result(&second, at_acls), chosen, left_out));
	if (json_array_size(json_object_get(seen, "entries")) == 0) {
		st = ec2_skip(json_incref(seen),
			json_array_size(chosen) == 0
				? N_("no address that may be blocked is known")
			: json_array_size(left_out)
				? N_("the network ACLs have no room for a deny rule")
				: N_("the addresses are denied already"),
			before, needed);
		goto out;
	}
	json_object_set_new(seen, "will", json_pack("{s:O}", "denied", chosen));
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(seen);
	json_decref(chosen);
	json_decref(left_out);
	json_decref(own);
	json_decref(vpcs);
	json_decref(subnets);
	json_decref(instance);
	batch_deinit(&first);
	batch_deinit(&second);
	return st;
}

/*
 * The ACLs that a list of entries names, as they are now, {"NetworkAcls":[..]}; new reference. One
 * that was deleted meanwhile is left out: each is asked for by itself.
 */
static enum err_status read_acls(
	const struct action_ctx *c, const json_t *entries, json_t **out, struct err *err)
{
	json_t *found = json_array(), *asked = json_object(), *e;
	struct batch b;
	size_t i;
	enum err_status st = ERR_OK;
	batch_init(&b);
	json_array_foreach(entries, i, e)
	{
		const char *id = doc_text_or(e, "acl", "");
		if (!json_object_get(asked, id)) {
			json_object_set_new(asked, id, json_true());
			batch_add_lenient(&b, "ec2", "DescribeNetworkAcls",
				json_pack("{s:[s]}", "NetworkAclIds", id),
				"InvalidNetworkAclID.NotFound");
		}
	}
	TRY(batch_run(&b, c->aws, err));
	for (i = 0; i < b.n; i++) {
		json_array_extend(found, doc_get(batch_result(&b, i), "NetworkAcls"));
	}
	*out = json_pack("{s:O}", "NetworkAcls", found);
out:
	batch_deinit(&b);
	json_decref(asked);
	json_decref(found);
	return st;
}

static json_t *acl_of(const json_t *acls, const json_t *entry)
{
	size_t i;
	json_t *acl;
	json_array_foreach(json_object_get(acls, "NetworkAcls"), i, acl)
	{
		if (doc_eq(json_object_get(acl, "NetworkAclId"),
			    json_object_get(entry, "acl"))) {
			return acl;
		}
	}
	return NULL;
}

/* The entry stands in its ACL exactly as it was made. */
static bool stands(const json_t *acls, const json_t *entry)
{
	const json_t *there = entry_at(acl_of(acls, entry),
		json_is_true(json_object_get(entry, "egress")), doc_int(entry, "number", 0));
	return there && denies(there, doc_text_or(entry, "cidr", ""));
}

static json_t *create_params(const json_t *e)
{
	return json_pack("{s:O,s:O,s:O,s:s,s:s,s:O}", "NetworkAclId", json_object_get(e, "acl"),
		"RuleNumber", json_object_get(e, "number"), "Egress",
		json_object_get(e, "egress"), "Protocol", "-1", "RuleAction", "deny",
		json_is_true(json_object_get(e, "v6")) ? "Ipv6CidrBlock" : "CidrBlock",
		json_object_get(e, "cidr"));
}

/* Gives an entry whose number somebody else took meanwhile the next free one. */
static enum err_status renumber(const struct action_ctx *c, json_t *entries, struct err *err)
{
	json_t *acls = NULL, *e;
	size_t i;
	enum err_status st = ERR_OK;
	TRY(read_acls(c, entries, &acls, err));
	json_array_foreach(entries, i, e)
	{
		bool egress = json_is_true(json_object_get(e, "egress"));
		json_t *acl = acl_of(acls, e);
		if (stands(acls, e) || !entry_at(acl, egress, doc_int(e, "number", 0))) {
			continue;
		}
		int64_t n = free_number(acl, egress, entries);
		if (n == 0) {
			st = err_set(err, ERR_LIMIT,
				"network ACL %s has no free rule number before its first "
				"allow rule: remove a rule there, or block the address in "
				"a firewall",
				doc_text_or(e, "acl", "?"));
			goto out;
		}
		json_object_set_new(e, "number", json_integer((json_int_t)n));
	}
out:
	json_decref(acls);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	json_t *noted = json_object_get(c->partial, "entries");
	json_t *entries = json_deep_copy(noted ? noted : json_object_get(before, "entries"));
	struct err local = { 0 };
	json_t *e;
	size_t i;
	enum err_status st = ERR_OK;
	err = err ? err : &local;
	for (int try = 0; try < 4; try++) {
		struct batch b;
		batch_init(&b);
		json_array_foreach(entries, i, e)
		{
			batch_add_lenient(&b, "ec2", "CreateNetworkAclEntry", create_params(e),
				"NetworkAclEntryAlreadyExists");
		}
		st = batch_run(&b, c->aws, err);
		bool all_new = true;
		for (i = 0; i < b.n; i++) {
			all_new = all_new && batch_ok(&b, i);
		}
		batch_deinit(&b);
		TRY(st);
		if (all_new) {
			break;
		}
		/* There already: ours from an interrupted try, or another's of the same number. */
		json_t *old = json_deep_copy(entries);
		st = renumber(c, entries, err);
		bool same = doc_eq(old, entries);
		json_decref(old);
		TRY(st);
		if (same) {
			break;
		}
		TRY(ec2_note(c,
			json_pack("{s:s,s:O}", "note", "rule numbers were taken, using others",
				"entries", entries),
			err));
	}
	*after = json_pack("{s:O}", "entries", entries);
out:
	json_decref(entries);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const json_t *entries = json_object_get(after, "entries");
	json_t *acls = NULL, *e;
	size_t i, standing = 0, n = json_array_size(entries);
	enum err_status st = ERR_OK;
	for (int try = 0; try < 4 && standing < n; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(acls);
		acls = NULL;
		TRY(read_acls(c, entries, &acls, err));
		standing = 0;
		json_array_foreach(entries, i, e)
		{
			standing += denied(acl_of(acls, e),
				json_is_true(json_object_get(e, "egress")),
				doc_text_or(e, "cidr", ""));
		}
	}
	*ok = n > 0 && standing == n;
	*proof = json_pack(
		"{s:O,s:O?}", "entries", entries, "acls", json_object_get(acls, "NetworkAcls"));
	if (*ok) {
		phrase_set(*proof, "text",
			N_("Denied in both directions for the subnets of {0}, before any allow "
			   "rule; addresses: {1}."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(json_array_size(
						   json_object_get(before, "addresses")))));
	} else {
		phrase_set(*proof, "text", N_("Only {0} of {1} deny rules are in force."),
			PHRASE_ARGS(PHRASE_NUMBER(standing), PHRASE_NUMBER(n)));
	}
out:
	json_decref(acls);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	const json_t *noted = json_object_get(after ? after : c->partial, "entries");
	const json_t *entries = noted ? noted : json_object_get(before, "entries");
	json_t *acls = NULL, *diffs = json_array(), *e;
	struct batch b;
	size_t i;
	enum err_status st = ERR_OK;
	batch_init(&b);
	TRY(read_acls(c, entries, &acls, err));
	json_array_foreach(entries, i, e)
	{
		const json_t *there = entry_at(acl_of(acls, e),
			json_is_true(json_object_get(e, "egress")), doc_int(e, "number", 0));
		if (stands(acls, e)) {
			batch_add_lenient(&b, "ec2", "DeleteNetworkAclEntry",
				json_pack("{s:O,s:O,s:O}", "NetworkAclId",
					json_object_get(e, "acl"), "RuleNumber",
					json_object_get(e, "number"), "Egress",
					json_object_get(e, "egress")),
				"InvalidNetworkAclEntry.NotFound");
		} else if (there) {
			/* Not even by force: the rule is not cordon's. */
			ec2_differ(diffs, &(struct ec2_difference){
						  .resource = doc_text_or(e, "acl", "?"),
						  .what = "NetworkAclEntry",
						  .before = NULL,
						  .now = json_deep_copy(there),
						  .text = N_("The rule with this number is "
							     "another one now and was kept."),
						  .blocking = false });
		}
	}
	TRY(batch_run(&b, c->aws, err));
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(acls);
	batch_deinit(&b);
	return st;
}

static const char *const calls[] = { "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
	"ec2:DescribeAddresses", "ec2:DescribeVpcs", "ec2:DescribeNetworkAcls",
	"ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAclEntry", NULL };

const struct action action_block_address = {
	.name = "block-address",
	.title = N_("Block the attacker's addresses for the subnet"),
	.why = N_("Network ACLs look at every packet, so that a connection which is open "
		  "already is cut too. Neighbours of the host in the same subnet are "
		  "covered as well."),
	.risk = N_("Every host in the subnet loses contact with these addresses. An address "
		   "shared by many (a proxy, a content network) takes innocent users with "
		   "it."),
	.undo_text = N_(
		"The deny rules made by this step are removed, if they are still the ones it "
		"made."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
