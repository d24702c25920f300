/*
 * block-address: denies the attacker's addresses in the network ACL of the instance's subnets, both
 * directions. ACLs keep no state, so this cuts connections that security groups let live. The whole
 * subnet is concerned, and an ACL takes few rules: hence only the named addresses, one by one. Cases
 * that share an ACL share its rules: see holders.h.
 */
#include "base/phrase.h"
#include "base/utc.h"
#include "response/actions/acl.h"
#include "response/actions/flows.h"
#include "response/actions/holders.h"
#include "response/actions/registry.h"

#include <string.h>

#define TEN_MINUTES_MS 600000

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

/* Those whom find-survivors heard of from the host itself, into `peers`; true when it could be asked. */
static bool told_by_host(const struct action_ctx *c, json_t *peers)
{
	json_t *facts = json_deep_copy(c->facts), *fact;
	const char *step;
	bool asked = false;
	json_object_foreach(facts, step, fact)
	{
		if (strcmp(doc_text_or(fact, "action", ""), "find-survivors") == 0 &&
			strcmp(doc_text_or(fact, "resource.id", ""), c->id) == 0) {
			asked = true;
			json_array_extend(peers, doc_get(fact, "after.survivors"));
		}
	}
	json_decref(facts);
	return asked;
}

/* Why there is nobody to block, into `seen`: a reason, and until when it can't be told. */
static void explain_none(const struct action_ctx *c, const struct flows_answer *flows,
	bool host, bool isolated, json_t *seen)
{
	char at[32];
	if (flows->asked && isolated && env_now_ms(c->env) < flows->ripe_ms) {
		utc_rfc3339(flows->ripe_ms, at);
		json_object_set_new(seen, "not_before", json_string(at));
		phrase_set(seen, "reason",
			N_("the flow logs can tell who still talks to {0} only from {1} on; "
			   "they are asked again then"),
			PHRASE_ARGS(c->id, at));
	} else {
		phrase_set(seen, "reason",
			flows->asked ? N_("the flow logs show no connection that lives on")
			: host ? N_("the host itself knows of no connection that lives on")
			       : N_("no flow log in CloudWatch Logs covers the instance: "
				    "whether connections survive can't be seen from here"),
			NULL);
	}
}

/*
 * {"addresses":[..]} of those whom the host still talks to, for the parameter `survivors`; `seen` says why
 * there are none.
 */
static enum err_status survivors(
	const struct action_ctx *c, json_t **with, json_t *seen, struct err *err)
{
	struct flows_answer flows = { 0 };
	int64_t since = 0;
	bool isolated = flows_cut_off(c, &since);
	if (!isolated) {
		since = env_now_ms(c->env) - TEN_MINUTES_MS;
	}
	enum err_status st = flows_surviving(c, since, &flows, err);
	if (st != ERR_OK) {
		return st;
	}
	bool host = told_by_host(c, flows.peers);
	if (json_array_size(flows.peers) == 0) {
		explain_none(c, &flows, host, isolated, seen);
	}
	*with = json_pack("{s:o}", "addresses", flows.peers);
	return ERR_OK;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	struct action_ctx asked = *c;
	json_t *with = NULL;
	struct batch first, second;
	json_t *instance = NULL, *subnets = NULL, *vpcs = NULL, *own = NULL, *seen = NULL;
	json_t *chosen = NULL, *left_out = json_array(), *none = json_object();
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
	own = addresses_own(batch_result(&second, at_vpcs), batch_result(&first, at_addresses));
	json_array_append(own, json_object_get(instance, "PublicIpAddress"));
	if (doc_true(c->with, "survivors")) {
		TRY(survivors(c, &with, none, err));
		asked.with = with;
	}
	bool nobody = doc_text(none, "reason") != NULL;
	chosen = nobody ? json_array() : addresses_choose(&asked, own, left_out);
	seen = json_pack("{s:s,s:O,s:O,s:O,s:o}", "instance", c->id, "subnets", subnets,
		"addresses", chosen, "left_out", left_out, "entries", json_null());
	json_object_set_new(
		seen, "entries", acl_plan(batch_result(&second, at_acls), chosen, left_out));
	if (json_array_size(json_object_get(seen, "entries")) == 0) {
		st = ec2_skip(json_incref(seen),
			json_array_size(chosen) == 0
				? N_("no address that may be blocked is known")
			: json_array_size(left_out)
				? N_("the network ACLs have no room for a deny rule")
				: N_("the addresses are denied already"),
			before, needed);
		json_object_update(seen, none);
		goto out;
	}
	json_object_set_new(seen, "will", json_pack("{s:O}", "denied", chosen));
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(with);
	json_decref(none);
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

/* Adds the calls that put this step's tags on the ACLs, or take them away: one a (ACL, address). */
static void add_tags(const struct action_ctx *c, struct batch *b, const json_t *entries,
	const char *operation)
{
	json_t *seen = json_object(), *e;
	size_t i;
	json_array_foreach(entries, i, e)
	{
		const char *acl = doc_text_or(e, "acl", ""), *cidr = doc_text_or(e, "cidr", "");
		json_t *name = json_sprintf("%s %s", acl, cidr);
		if (!json_object_get(seen, json_string_value(name))) {
			json_object_set_new(seen, json_string_value(name), json_true());
			batch_add_lenient(b, "ec2", operation,
				json_pack("{s:[s],s:[o]}", "Resources", acl, "Tags",
					holders_tag(c, cidr)),
				"InvalidNetworkAclID.NotFound");
		}
		json_decref(name);
	}
	json_decref(seen);
}

static enum err_status tag(const struct action_ctx *c, const json_t *entries,
	const char *operation, struct err *err)
{
	struct batch b;
	batch_init(&b);
	add_tags(c, &b, entries, operation);
	enum err_status st = batch_run(&b, c->aws, err);
	batch_deinit(&b);
	return st;
}

/* Creates the entries; *all when every one is new. One that is there already is forgiven. */
static enum err_status create(
	const struct action_ctx *c, const json_t *entries, bool *all, struct err *err)
{
	struct batch b;
	json_t *e;
	size_t i;
	batch_init(&b);
	json_array_foreach(entries, i, e)
	{
		batch_add_lenient(&b, "ec2", "CreateNetworkAclEntry", acl_create_params(e),
			"NetworkAclEntryAlreadyExists");
	}
	enum err_status st = batch_run(&b, c->aws, err);
	*all = true;
	for (i = 0; i < b.n; i++) {
		*all = *all && batch_ok(&b, i);
	}
	batch_deinit(&b);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	json_t *noted = json_object_get(c->partial, "entries"), *acls = NULL, *old = NULL;
	json_t *entries = json_deep_copy(noted ? noted : json_object_get(before, "entries"));
	enum err_status st = ERR_OK;
	/* The tag first: from then on no other step's undo takes a shared rule away. */
	TRY(tag(c, entries, "CreateTags", err));
	for (int try = 0; try < 4; try++) {
		bool all = false;
		TRY(create(c, entries, &all, err));
		if (all) {
			break;
		}
		/* There already: ours from an interrupted try, one shared with another case, or a
		 * stranger's of the same number. */
		json_decref(acls);
		json_decref(old);
		acls = NULL;
		old = json_deep_copy(entries);
		TRY(acl_read(c, entries, &acls, err));
		TRY(acl_renumber(acls, entries, err));
		if (doc_eq(old, entries)) {
			break;
		}
		TRY(ec2_note(c,
			json_pack("{s:s,s:O}", "note", "rule numbers were taken, using others",
				"entries", entries),
			err));
	}
	char at[32];
	utc_rfc3339(env_now_ms(c->env), at);
	*after = json_pack("{s:O,s:s}", "entries", entries, "at", at);
out:
	json_decref(old);
	json_decref(acls);
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
		TRY(acl_read(c, entries, &acls, err));
		standing = 0;
		json_array_foreach(entries, i, e)
		{
			standing += acl_denied(acls, e);
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

/* What undo does with one entry: deletes it, leaves it to another case, or names what took its place. */
static void undo_one(const struct action_ctx *c, const json_t *acls, const json_t *e,
	struct batch *b, json_t *diffs)
{
	const char *acl = doc_text_or(e, "acl", "?");
	const json_t *there = acl_present(acls, e);
	const char *holder = holders_other(
		c, json_object_get(acl_of(acls, e), "Tags"), doc_text_or(e, "cidr", ""));
	bool ours = acl_stands(acls, e);
	if (!there) {
		return;
	}
	if (ours && !holder) {
		batch_add_lenient(b, "ec2", "DeleteNetworkAclEntry",
			json_pack("{s:s,s:O,s:O}", "NetworkAclId", acl, "RuleNumber",
				json_object_get(e, "number"), "Egress",
				json_object_get(e, "egress")),
			"InvalidNetworkAclEntry.NotFound");
		return;
	}
	/* Not even by force: the rule is not this step's to take. */
	ec2_differ(diffs,
		&(struct ec2_difference){ .resource = acl,
			.what = "NetworkAclEntry",
			.before = ours ? json_string(holder) : NULL,
			.now = json_deep_copy(there),
			.text = ours ? N_("Another case needs the same rule: it was kept.")
				     : N_("The rule with this number is another one now "
					  "and was kept."),
			.blocking = false });
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
	TRY(tag(c, entries, "DeleteTags", err));
	TRY(acl_read(c, entries, &acls, err));
	json_array_foreach(entries, i, e)
	{
		undo_one(c, acls, e, &b, diffs);
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
	"ec2:DescribeAddresses", "ec2:DescribeVpcs", "ec2:DescribeFlowLogs",
	"logs:FilterLogEvents", "ec2:DescribeNetworkAcls", "ec2:CreateNetworkAclEntry",
	"ec2:DeleteNetworkAclEntry", "ec2:CreateTags", "ec2:DeleteTags", NULL };

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
		"made and no other case needs them."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 2,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
