/*
 * block-domain: the attacker's domains answered with NXDOMAIN by Resolver DNS Firewall in the VPCs of the
 * instance. Security groups and ACLs never filter questions to the VPC's own resolver, so that a
 * tunnel through DNS survives every other isolation. List, rule group and associations are the step's
 * own; what it makes bears its token, by which a second try and an undo find it.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_DOMAINS    16
#define FIRST_PRIORITY 101 /* 100 and below are AWS's own */
#define READS          10

static const char R53[] = "route53resolver";

static bool plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!isalnum((unsigned char)s.p[i]) && !strchr("-._", s.p[i])) {
			return false;
		}
	}
	return s.n > 3 && str_find_char(s, '.') != SIZE_MAX;
}

/* A domain of AWS itself is never blocked: a finding on a tunnel through it would cut the account off. */
static bool of_aws(struct str s)
{
	return str_ends(s, STR("amazonaws.com")) || str_ends(s, STR("amazonaws.com.cn")) ||
	       str_ends(s, STR(".aws")) || str_ends(s, STR("amazon.com")) ||
	       str_ends(s, STR(".internal"));
}

static void add_domain(json_t *out, struct str s)
{
	while (s.n > 0 && s.p[s.n - 1] == '.') {
		s.n--;
	}
	if (plain(s) && !of_aws(s) && json_array_size(out) < MAX_DOMAINS) {
		json_array_append_new(out, doc_str(s));
	}
}

static json_t *domains_wanted(const struct action_ctx *c)
{
	json_t *out = json_array(), *given = json_object_get(c->with, "domains"), *d;
	size_t i;
	json_array_foreach(given, i, d)
	{
		if (json_is_string(d)) {
			add_domain(out, str_from(json_string_value(d)));
		}
	}
	for (i = 0; !given && c->finding && i < c->finding->n_actors; i++) {
		add_domain(out, c->finding->actors[i].domain);
	}
	return out;
}

/* The VPCs that the instance has interfaces in, each once. */
static enum err_status vpcs_of(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *params = ec2_filter("attachment.instance-id", c->id), *answer = NULL,
	       *interface;
	json_t *seen = json_object(), *value;
	const char *vpc;
	size_t i;
	enum err_status st =
		aws_call(c->aws, "ec2", "DescribeNetworkInterfaces", params, &answer, err);
	if (st == ERR_OK) {
		*out = json_array();
		json_array_foreach(json_object_get(answer, "NetworkInterfaces"), i, interface)
		{
			json_object_set_new(
				seen, doc_text_or(interface, "VpcId", "?"), json_true());
		}
		json_object_foreach(seen, vpc, value)
		{
			json_array_append_new(*out, json_string(vpc));
		}
	}
	json_decref(seen);
	json_decref(answer);
	json_decref(params);
	return st;
}

static enum err_status associations(
	const struct action_ctx *c, const char *vpc, json_t **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "VpcId", vpc), *answer = NULL;
	enum err_status st = aws_call_paged(
		c->aws, R53, "ListFirewallRuleGroupAssociations", params, 0, &answer, err);
	if (st == ERR_OK) {
		*out = json_incref(json_object_get(answer, "FirewallRuleGroupAssociations"));
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

/* A free priority, before all others where there is one. */
static int64_t priority_for(const json_t *list)
{
	int64_t lowest = 9900, n = FIRST_PRIORITY;
	bool taken = true;
	size_t i;
	json_t *a;
	json_array_foreach(list, i, a)
	{
		int64_t p = doc_int(a, "Priority", 9900);
		lowest = p > 100 && p < lowest ? p : lowest;
	}
	if (lowest > FIRST_PRIORITY) {
		return lowest - 1;
	}
	while (taken) {
		taken = false;
		json_array_foreach(list, i, a)
		{
			taken = taken || doc_int(a, "Priority", 0) == n;
		}
		n += taken;
	}
	return n;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *domains = domains_wanted(c), *vpcs = NULL, *with = json_array(), *seen = NULL,
	       *v;
	size_t i, bare = 0;
	enum err_status st = ERR_OK;
	TRY(vpcs_of(c, &vpcs, err));
	json_array_foreach(vpcs, i, v)
	{
		json_t *list = NULL;
		TRY(associations(c, json_string_value(v), &list, err));
		if (json_array_size(list) == 0 && !doc_true(c->with, "create")) {
			bare++;
		} else {
			json_array_append_new(with, json_pack("{s:O,s:I}", "vpc", v, "priority",
							    (json_int_t)priority_for(list)));
		}
		json_decref(list);
	}
	seen = json_pack("{s:s,s:O,s:O}", "instance", c->id, "domains", domains, "vpcs", with);
	if (json_array_size(domains) == 0 || json_array_size(with) == 0) {
		st = ec2_skip(json_incref(seen),
			bare > 0 ? N_("the VPC has no Resolver DNS Firewall: questions to its "
				      "resolver still leave it, whatever security groups and "
				      "network ACLs say. Switch the firewall on, or give the "
				      "step create: true")
				 : N_("the finding names no domain that may be blocked"),
			before, needed);
		goto out;
	}
	json_object_set_new(
		seen, "will", json_pack("{s:O,s:s}", "blocked", domains, "answer", "NXDOMAIN"));
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(seen);
	json_decref(with);
	json_decref(vpcs);
	json_decref(domains);
	return st;
}

/* A request id of this step's own for one kind of thing: the same request twice makes one thing. */
static json_t *request(const struct action_ctx *c, const char *what)
{
	return json_sprintf("cordon-%.40s-%s", c->token, what);
}

static json_t *named(const struct action_ctx *c, const char *what)
{
	return json_pack("{s:o,s:o}", "CreatorRequestId", request(c, what), "Name",
		json_sprintf("cordon-%.8s-%s", c->token, what));
}

static json_t *tags(const struct action_ctx *c)
{
	return json_pack("[{s:s,s:s},{s:s,s:s}]", "Key", EC2_TAG_CASE, "Value", c->case_id,
		"Key", EC2_TAG_TOKEN, "Value", c->token);
}

/* Each domain and what lies under it. */
static json_t *patterns(const json_t *domains)
{
	json_t *out = json_array(), *d;
	size_t i;
	json_array_foreach(domains, i, d)
	{
		json_array_append(out, d);
		json_array_append_new(out, json_sprintf("*.%s", json_string_value(d)));
	}
	return out;
}

static enum err_status make(const struct action_ctx *c, const char *operation, const char *what,
	const char *path, json_t **id, struct err *err)
{
	json_t *params = named(c, what), *answer = NULL;
	json_object_set_new(params, "Tags", tags(c));
	enum err_status st = aws_call(c->aws, R53, operation, params, &answer, err);
	if (st == ERR_OK) {
		*id = json_incref(doc_get(answer, path));
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

static enum err_status fill(const struct action_ctx *c, const json_t *before, json_t *list,
	json_t *group, struct err *err)
{
	json_t *params = json_pack("{s:O,s:s,s:o}", "FirewallDomainListId", list, "Operation",
		"REPLACE", "Domains", patterns(json_object_get(before, "domains")));
	json_t *rule = named(c, "rule");
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	json_object_set(rule, "FirewallRuleGroupId", group);
	json_object_set(rule, "FirewallDomainListId", list);
	json_object_set_new(rule, "Priority", json_integer(1));
	json_object_set_new(rule, "Action", json_string("BLOCK"));
	json_object_set_new(rule, "BlockResponse", json_string("NXDOMAIN"));
	TRY(aws_call(c->aws, R53, "UpdateFirewallDomains", params, NULL, err));
	batch_add_lenient(&b, R53, "CreateFirewallRule", json_incref(rule), "Conflict*");
	TRY(batch_run(&b, c->aws, err));
out:
	batch_deinit(&b);
	json_decref(rule);
	json_decref(params);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	json_t *list = NULL, *group = NULL, *v;
	struct batch b;
	size_t i;
	enum err_status st = ERR_OK;
	batch_init(&b);
	TRY(make(c, "CreateFirewallDomainList", "list", "FirewallDomainList.Id", &list, err));
	TRY(make(c, "CreateFirewallRuleGroup", "group", "FirewallRuleGroup.Id", &group, err));
	TRY(ec2_note(c,
		json_pack("{s:s,s:O,s:O}", "note", "made", "list", list, "group", group), err));
	TRY(fill(c, before, list, group, err));
	json_array_foreach(json_object_get(before, "vpcs"), i, v)
	{
		json_t *params = named(c, "association");
		json_object_set(params, "FirewallRuleGroupId", group);
		json_object_set(params, "VpcId", json_object_get(v, "vpc"));
		json_object_set(params, "Priority", json_object_get(v, "priority"));
		batch_add(&b, R53, "AssociateFirewallRuleGroup", params);
	}
	TRY(batch_run(&b, c->aws, err));
	*after = json_pack("{s:O,s:O}", "list", list, "group", group);
out:
	batch_deinit(&b);
	json_decref(group);
	json_decref(list);
	return st;
}

/* Our association in the VPC by the rule group, or NULL. Borrowed. */
static const json_t *ours_in(const json_t *list, const json_t *group)
{
	size_t i;
	json_t *a;
	json_array_foreach(list, i, a)
	{
		if (doc_eq(json_object_get(a, "FirewallRuleGroupId"), group)) {
			return a;
		}
	}
	return NULL;
}

/* How many VPCs have our group in force (`status` COMPLETE), or at all (NULL). */
static enum err_status count(const struct action_ctx *c, const json_t *before,
	const json_t *group, const char *status, size_t *n, struct err *err)
{
	size_t i;
	json_t *v;
	*n = 0;
	json_array_foreach(json_object_get(before, "vpcs"), i, v)
	{
		json_t *list = NULL;
		enum err_status st = associations(c, doc_text_or(v, "vpc", ""), &list, err);
		const json_t *a = ours_in(list, group);
		*n += a && (!status || strcmp(doc_text_or(a, "Status", ""), status) == 0);
		json_decref(list);
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *group = json_object_get(after, "group"), *rules = NULL, *domains = NULL;
	json_t *about = json_pack("{s:O}", "FirewallRuleGroupId", group);
	json_t *of = json_pack("{s:O}", "FirewallDomainListId", json_object_get(after, "list"));
	json_t *want = patterns(json_object_get(before, "domains"));
	size_t n = 0, vpcs = json_array_size(json_object_get(before, "vpcs"));
	enum err_status st = ERR_OK;
	for (int try = 0; try < READS && n < vpcs; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		TRY(count(c, before, group, "COMPLETE", &n, err));
	}
	TRY(aws_call(c->aws, R53, "ListFirewallRules", about, &rules, err));
	TRY(aws_call(c->aws, R53, "ListFirewallDomains", of, &domains, err));
	bool blocks = strcmp(doc_text_or(rules, "FirewallRules[0].Action", ""), "BLOCK") == 0;
	bool whole =
		json_array_size(json_object_get(domains, "Domains")) == json_array_size(want);
	*ok = vpcs > 0 && n == vpcs && blocks && whole;
	*proof = json_pack("{s:O?,s:O?}", "rules", json_object_get(rules, "FirewallRules"),
		"domains", json_object_get(domains, "Domains"));
	if (*ok) {
		phrase_set(*proof, "text",
			N_("Resolver DNS Firewall answers the attacker's domains with NXDOMAIN "
			   "in every VPC of {0} (domains: {1})."),
			PHRASE_ARGS(c->id, PHRASE_NUMBER(json_array_size(
						   json_object_get(before, "domains")))));
	} else {
		phrase_set(*proof, "text",
			N_("The block of the attacker's domains is in force in {0} of {1} "
			   "VPCs."),
			PHRASE_ARGS(
				PHRASE_NUMBER(blocks && whole ? n : 0), PHRASE_NUMBER(vpcs)));
	}
out:
	json_decref(want);
	json_decref(of);
	json_decref(about);
	json_decref(domains);
	json_decref(rules);
	return st;
}

/* The id of what this step's request made, when a killed run left no note; NULL when it made none. */
static enum err_status find(const struct action_ctx *c, const char *operation, const char *key,
	const char *what, json_t **id, struct err *err)
{
	json_t *answer = NULL, *want = request(c, what), *none = json_object(), *thing;
	size_t i;
	enum err_status st = aws_call_paged(c->aws, R53, operation, none, 0, &answer, err);
	json_array_foreach(json_object_get(answer, key), i, thing)
	{
		if (!*id && doc_eq(json_object_get(thing, "CreatorRequestId"), want)) {
			*id = json_incref(json_object_get(thing, "Id"));
		}
	}
	json_decref(none);
	json_decref(want);
	json_decref(answer);
	return st;
}

static enum err_status disassociate(
	const struct action_ctx *c, const json_t *before, const json_t *group, struct err *err)
{
	struct batch b;
	json_t *v;
	size_t i, left = 1;
	enum err_status st = ERR_OK;
	batch_init(&b);
	json_array_foreach(json_object_get(before, "vpcs"), i, v)
	{
		json_t *list = NULL;
		st = associations(c, doc_text_or(v, "vpc", ""), &list, err);
		const json_t *a = ours_in(list, group);
		if (a && strcmp(doc_text_or(a, "Status", ""), "DELETING") != 0) {
			batch_add_lenient(&b, R53, "DisassociateFirewallRuleGroup",
				json_pack("{s:O}", "FirewallRuleGroupAssociationId",
					json_object_get(a, "Id")),
				"ResourceNotFound*");
		}
		json_decref(list);
		TRY(st);
	}
	TRY(batch_run(&b, c->aws, err));
	for (int try = 0; try < READS && left > 0; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		TRY(count(c, before, group, NULL, &left, err));
	}
out:
	batch_deinit(&b);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	const json_t *made = after ? after : c->partial;
	json_t *list = json_incref(json_object_get(made, "list"));
	json_t *group = json_incref(json_object_get(made, "group"));
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	if (!list) {
		TRY(find(c, "ListFirewallDomainLists", "FirewallDomainLists", "list", &list,
			err));
	}
	if (!group) {
		TRY(find(c, "ListFirewallRuleGroups", "FirewallRuleGroups", "group", &group,
			err));
	}
	if (group) {
		TRY(disassociate(c, before, group, err));
	}
	/* One after the other: the service deletes neither a group with rules nor a list in use. */
	for (int i = 0; i < 3; i++) {
		static const char *const operations[] = { "DeleteFirewallRule",
			"DeleteFirewallRuleGroup", "DeleteFirewallDomainList" };
		json_t *params = json_object();
		if (i < 2) {
			json_object_set(params, "FirewallRuleGroupId", group);
		}
		if (i != 1) {
			json_object_set(params, "FirewallDomainListId", list);
		}
		bool whole = (i == 2 || group) && (i == 1 || list);
		if (whole) {
			batch_add_lenient(&b, R53, operations[i], json_incref(params),
				"ResourceNotFound*");
			st = batch_run(&b, c->aws, err);
		}
		json_decref(params);
		batch_deinit(&b);
		TRY(st);
	}
	st = ec2_undone(c, json_array(), differences, err);
out:
	batch_deinit(&b);
	json_decref(group);
	json_decref(list);
	return st;
}

static const char *const calls[] = { "ec2:DescribeNetworkInterfaces",
	"route53resolver:ListFirewallRuleGroupAssociations",
	"route53resolver:CreateFirewallDomainList", "route53resolver:UpdateFirewallDomains",
	"route53resolver:CreateFirewallRuleGroup", "route53resolver:CreateFirewallRule",
	"route53resolver:AssociateFirewallRuleGroup", "route53resolver:ListFirewallRules",
	"route53resolver:ListFirewallDomains", "route53resolver:ListFirewallDomainLists",
	"route53resolver:ListFirewallRuleGroups",
	"route53resolver:DisassociateFirewallRuleGroup", "route53resolver:DeleteFirewallRule",
	"route53resolver:DeleteFirewallRuleGroup", "route53resolver:DeleteFirewallDomainList",
	"route53resolver:TagResource", NULL };

const struct action action_block_domain = {
	.name = "block-domain",
	.title = N_("Block the attacker's domains in the resolver"),
	.why = N_("Questions to the VPC's resolver pass every security group and network ACL: "
		  "an isolated host can still speak through DNS. The resolver's own firewall "
		  "is the one thing that stops it."),
	.risk = N_("Every host of the VPC loses the domain and all names under it."),
	.undo_text =
		N_("Association, rule group and domain list that the step made are deleted."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 5,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
