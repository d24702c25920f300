#include "response/actions/acl.h"

#include "response/actions/batch.h"
#include "response/actions/holders.h"

#include <string.h>

#define MAX_RULE 32766 /* highest number a rule may have */

static const char *range_of(const json_t *entry)
{
	return doc_text_or(entry, "CidrBlock", doc_text_or(entry, "Ipv6CidrBlock", ""));
}

/* The entry is a full deny of exactly this address. */
static bool denies(const json_t *entry, const char *cidr)
{
	return strcmp(doc_text_or(entry, "RuleAction", ""), "deny") == 0 &&
	       strcmp(doc_text_or(entry, "Protocol", ""), "-1") == 0 &&
	       addresses_same(range_of(entry), cidr);
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

/* The deny of the address that comes before every allow rule, or NULL. */
static const json_t *deny_of(const json_t *acl, bool egress, const char *cidr)
{
	int64_t limit = first_allow(acl, egress);
	size_t i;
	json_t *entry;
	json_array_foreach(json_object_get(acl, "Entries"), i, entry)
	{
		if (json_is_true(json_object_get(entry, "Egress")) == egress &&
			denies(entry, cidr) &&
			doc_int(entry, "RuleNumber", MAX_RULE + 1) < limit) {
			return entry;
		}
	}
	return NULL;
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

static json_t *entry_for(const json_t *acl, int64_t number, bool egress, const json_t *address)
{
	return json_pack("{s:O,s:I,s:b,s:O,s:O}", "acl", json_object_get(acl, "NetworkAclId"),
		"number", (json_int_t)number, "egress", egress, "cidr",
		json_object_get(address, "cidr"), "v6", json_object_get(address, "v6"));
}

/* One address, one ACL, one direction. */
static void plan_one(const json_t *acl, bool egress, const json_t *address, json_t *planned,
	json_t *left_out)
{
	const char *cidr = doc_text_or(address, "cidr", "");
	const json_t *there = deny_of(acl, egress, cidr);
	int64_t n = there ? doc_int(there, "RuleNumber", 0) : free_number(acl, egress, planned);
	if (there && !holders_any(json_object_get(acl, "Tags"), cidr)) {
		return; /* not cordon's: it was there before and stays */
	}
	if (n == 0) {
		json_array_append_new(left_out,
			json_pack("{s:s,s:s}", "address", cidr, "reason",
				"no rule number is free before the first allow rule"));
		return;
	}
	json_array_append_new(planned, entry_for(acl, n, egress, address));
}

json_t *acl_plan(const json_t *acls, const json_t *addresses, json_t *left_out)
{
	json_t *planned = json_array(), *acl, *address;
	size_t i, k;
	json_array_foreach(json_object_get(acls, "NetworkAcls"), i, acl)
	{
		json_array_foreach(addresses, k, address)
		{
			plan_one(acl, false, address, planned, left_out);
			plan_one(acl, true, address, planned, left_out);
		}
	}
	return planned;
}

enum err_status acl_read(
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

json_t *acl_of(const json_t *acls, const json_t *entry)
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

static bool egress_of(const json_t *entry)
{
	return json_is_true(json_object_get(entry, "egress"));
}

json_t *acl_present(const json_t *acls, const json_t *entry)
{
	return entry_at(acl_of(acls, entry), egress_of(entry), doc_int(entry, "number", 0));
}

bool acl_stands(const json_t *acls, const json_t *entry)
{
	const json_t *there = acl_present(acls, entry);
	return there && denies(there, doc_text_or(entry, "cidr", ""));
}

bool acl_denied(const json_t *acls, const json_t *entry)
{
	return deny_of(acl_of(acls, entry), egress_of(entry), doc_text_or(entry, "cidr", "")) !=
	       NULL;
}

enum err_status acl_renumber(const json_t *acls, json_t *entries, struct err *err)
{
	size_t i;
	json_t *e;
	json_array_foreach(entries, i, e)
	{
		if (acl_stands(acls, e) || !acl_present(acls, e)) {
			continue;
		}
		int64_t n = free_number(acl_of(acls, e), egress_of(e), entries);
		if (n == 0) {
			return err_set(err, ERR_LIMIT,
				"network ACL %s has no free rule number before its first allow "
				"rule: remove a rule there, or block the address in a firewall",
				doc_text_or(e, "acl", "?"));
		}
		json_object_set_new(e, "number", json_integer((json_int_t)n));
	}
	return ERR_OK;
}

json_t *acl_create_params(const json_t *e)
{
	return json_pack("{s:O,s:O,s:O,s:s,s:s,s:O}", "NetworkAclId", json_object_get(e, "acl"),
		"RuleNumber", json_object_get(e, "number"), "Egress",
		json_object_get(e, "egress"), "Protocol", "-1", "RuleAction", "deny",
		json_is_true(json_object_get(e, "v6")) ? "Ipv6CidrBlock" : "CidrBlock",
		json_object_get(e, "cidr"));
}
