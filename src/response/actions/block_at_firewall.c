/*
 * block-at-firewall: a drop rule for each of the attacker's addresses, first in stateful rule groups of
 * AWS Network Firewall. A group is written as a whole under an update token that is good for one update.
 * Each step's rules bear its token in their message, so cases never share one, and undo finds its own.
 * A group has its rules as a list or as one text in Suricata's language; in a text they are lines of
 * their own before all others, so that without them it is, byte for byte, the text that it was.
 */
#include "base/phrase.h"
#include "response/actions/addresses.h"
#include "response/actions/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GROUPS 8
#define TRIES      6
#define SID_FIRST  1900000000u /* of 32 bits; far from what rule vendors number */
#define SID_RANGE  90000000u
#define TEXT_MAX   2000000 /* RulesString of the Network Firewall model */

static enum err_status read_group(
	const struct action_ctx *c, const char *arn, json_t **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "RuleGroupArn", arn);
	enum err_status st =
		aws_call(c->aws, "network-firewall", "DescribeRuleGroup", params, out, err);
	json_decref(params);
	return st;
}

/* The message that marks the step's own rules. */
static void mark_of(const struct action_ctx *c, char out[128])
{
	(void)snprintf(out, 128, "cordon %.60s %.40s", c->case_id, c->token);
}

/* A rule number that the same step and address always have; another when `salt` changes. */
static unsigned sid_of(const struct action_ctx *c, const char *cidr, unsigned salt)
{
	unsigned h = 2166136261u ^ salt;
	for (const char *p = c->token; *p; p++) {
		h = (h ^ (unsigned char)*p) * 16777619u;
	}
	for (const char *p = cidr; *p; p++) {
		h = (h ^ (unsigned char)*p) * 16777619u;
	}
	return SID_FIRST + h % SID_RANGE;
}

static const char *option_of(const json_t *rule, const char *keyword)
{
	size_t i;
	json_t *option;
	json_array_foreach(json_object_get(rule, "RuleOptions"), i, option)
	{
		if (strcmp(doc_text_or(option, "Keyword", ""), keyword) == 0) {
			return doc_text(option, "Settings[0]");
		}
	}
	return NULL;
}

static bool is_ours(const struct action_ctx *c, const json_t *rule)
{
	char mark[128];
	const char *msg = option_of(rule, "msg");
	mark_of(c, mark);
	return msg && strstr(msg, mark) != NULL;
}

static bool sid_taken(const json_t *rules, unsigned sid)
{
	char text[16];
	size_t i;
	json_t *rule;
	(void)snprintf(text, sizeof(text), "%u", sid);
	json_array_foreach(rules, i, rule)
	{
		const char *s = option_of(rule, "sid");
		if (s && strcmp(s, text) == 0) {
			return true;
		}
	}
	return false;
}

static json_t *drop_rule(const struct action_ctx *c, const json_t *rules, const char *cidr)
{
	char mark[128], msg[132], sid[16];
	unsigned salt = 0;
	while (sid_taken(rules, sid_of(c, cidr, salt)) && salt < 1000) {
		salt++;
	}
	mark_of(c, mark);
	(void)snprintf(msg, sizeof(msg), "\"%s\"", mark);
	(void)snprintf(sid, sizeof(sid), "%u", sid_of(c, cidr, salt));
	return json_pack("{s:s,s:{s:s,s:s,s:s,s:s,s:s,s:s},s:[{s:s,s:[s]},{s:s,s:[s]}]}",
		"Action", "DROP", "Header", "Protocol", "IP", "Source", cidr, "SourcePort",
		"ANY", "Direction", "ANY", "Destination", "ANY", "DestinationPort", "ANY",
		"RuleOptions", "Keyword", "sid", "Settings", sid, "Keyword", "msg", "Settings",
		msg);
}

/* The list with the step's rules first (`addresses`) or without them (NULL); new reference. */
static json_t *rules_with(
	const struct action_ctx *c, const json_t *rules, const json_t *addresses)
{
	json_t *rest = json_array(), *out = json_array(), *rule, *a;
	size_t i;
	json_array_foreach(rules, i, rule)
	{
		if (!is_ours(c, rule)) {
			json_array_append(rest, rule);
		}
	}
	json_array_foreach(addresses, i, a)
	{
		json_array_append_new(out, drop_rule(c, rest, doc_text_or(a, "cidr", "")));
	}
	json_array_extend(out, rest);
	json_decref(rest);
	return out;
}

static struct str text_of(const json_t *v)
{
	return (struct str){ json_string_value(v), json_string_length(v) };
}

static bool sid_in_text(struct str text, unsigned sid)
{
	char words[24];
	(void)snprintf(words, sizeof(words), "sid:%u;", sid);
	return str_find(text, str_from(words)) != SIZE_MAX;
}

static bool is_our_line(const struct action_ctx *c, struct str line)
{
	char mark[128], msg[140];
	mark_of(c, mark);
	(void)snprintf(msg, sizeof(msg), "(msg:\"%s\";", mark);
	return str_starts(line, STR("drop ip ")) && str_find(line, str_from(msg)) != SIZE_MAX;
}

/* The text without the step's lines, into out; what is left keeps its bytes. Gives how many went. */
static size_t take_out(const struct action_ctx *c, struct str text, struct buf *out)
{
	size_t gone = 0;
	while (text.n > 0) {
		size_t end = str_find_char(text, '\n');
		size_t n = end == SIZE_MAX ? text.n : end + 1;
		bool ours = is_our_line(c, str_sub(text, 0, n));
		gone += ours;
		if (!ours) {
			buf_add(out, text.p, n);
		}
		text = str_sub(text, n, SIZE_MAX);
	}
	return gone;
}

/* The text with the step's lines first (`addresses`) or without them (NULL); new reference. */
static json_t *text_with(
	const struct action_ctx *c, const json_t *rules, const json_t *addresses)
{
	struct buf rest, out;
	json_t *a, *made;
	char mark[128];
	size_t i;
	buf_init(&rest, TEXT_MAX);
	buf_init(&out, TEXT_MAX);
	mark_of(c, mark);
	(void)take_out(c, text_of(rules), &rest);
	json_array_foreach(addresses, i, a)
	{
		const char *cidr = doc_text_or(a, "cidr", "");
		unsigned salt = 0;
		while (sid_in_text(buf_view(&rest), sid_of(c, cidr, salt)) && salt < 1000) {
			salt++;
		}
		buf_printf(&out, "drop ip %s any <> any any (msg:\"%s\"; sid:%u; rev:1;)\n",
			cidr, mark, sid_of(c, cidr, salt));
	}
	buf_add(&out, rest.p, rest.n);
	made = buf_ok(&out) && buf_ok(&rest) ? doc_str(buf_view(&out)) : NULL;
	buf_deinit(&out);
	buf_deinit(&rest);
	return made;
}

/* Under which name the group has its rules: RulesString, StatefulRules, or NULL for another sort. */
static const char *form_of(const json_t *group)
{
	const json_t *source = doc_get(group, "RuleGroup.RulesSource");
	return json_is_array(json_object_get(source, "StatefulRules"))  ? "StatefulRules"
	       : json_is_string(json_object_get(source, "RulesString")) ? "RulesString"
									: NULL;
}

static json_t *rules_of(const json_t *group)
{
	const char *form = form_of(group);
	return form ? json_object_get(doc_get(group, "RuleGroup.RulesSource"), form) : NULL;
}

/* The group's rules with the step's first or without them, in the form that they have. */
static json_t *rewritten(
	const struct action_ctx *c, const json_t *group, const json_t *addresses)
{
	const json_t *rules = rules_of(group);
	return json_is_string(rules) ? text_with(c, rules, addresses)
				     : rules_with(c, rules, addresses);
}

/* How many rules of the step the group holds; they are added to `found`. */
static size_t count_ours(const struct action_ctx *c, const json_t *group, json_t *found)
{
	const json_t *rules = rules_of(group);
	size_t n = 0;
	if (json_is_string(rules)) {
		struct str text = text_of(rules), line;
		while (str_cut(&text, '\n', &line)) {
			if (is_our_line(c, line)) {
				json_array_append_new(found, doc_str(line));
				n++;
			}
		}
		return n;
	}
	for (size_t i = 0; i < json_array_size(rules); i++) {
		if (is_ours(c, json_array_get(rules, i))) {
			json_array_append(found, json_array_get(rules, i));
			n++;
		}
	}
	return n;
}

/* One update under the token that the reading gave; *late when somebody else was faster. */
static enum err_status update(const struct action_ctx *c, const char *arn, const json_t *group,
	json_t *rules, bool *late, struct err *err)
{
	struct err local = { 0 };
	json_t *content = json_deep_copy(json_object_get(group, "RuleGroup"));
	json_t *params = json_pack("{s:s,s:O,s:o}", "RuleGroupArn", arn, "UpdateToken",
		json_object_get(group, "UpdateToken"), "RuleGroup", content);
	json_object_set(json_object_get(content, "RulesSource"), form_of(group), rules);
	/* What is left out would be taken for emptied. */
	static const char *const kept[] = { "Description", "EncryptionConfiguration" };
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		json_t *v =
			json_object_get(json_object_get(group, "RuleGroupResponse"), kept[i]);
		if (v) {
			json_object_set(params, kept[i], v);
		}
	}
	err = err ? err : &local;
	enum err_status st =
		aws_call(c->aws, "network-firewall", "UpdateRuleGroup", params, NULL, err);
	*late = st != ERR_OK && strcmp(err->code, "InvalidTokenException") == 0;
	if (*late) {
		err_clear(err);
		st = ERR_OK;
	}
	json_decref(params);
	return st;
}

/* Brings the group to hold the step's rules, or none of them (addresses NULL). */
static enum err_status bring(
	const struct action_ctx *c, const char *arn, const json_t *addresses, struct err *err)
{
	bool late = true;
	enum err_status st = ERR_OK;
	for (int try = 0; try < TRIES && late; try++) {
		json_t *group = NULL, *rules = NULL;
		if (try > 0) {
			ec2_pause(c, try);
		}
		late = false;
		st = read_group(c, arn, &group, err);
		if (st == ERR_OK) {
			rules = rules_of(group) ? rewritten(c, group, addresses) : NULL;
			if (rules == NULL) {
				st = err_set(err, ERR_CONFLICT,
					"rule group %s has its rules in another form now, or "
					"has no room for more",
					arn);
			} else if (!doc_eq(rules, rules_of(group))) {
				st = update(c, arn, group, rules, &late, err);
			}
		}
		json_decref(rules);
		json_decref(group);
		if (st != ERR_OK) {
			return st;
		}
	}
	return late ? err_set(err, ERR_CONFLICT,
			      "rule group %s is changed by others all the time: try again", arn)
		    : ERR_OK;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *given = json_object_get(c->with, "rule_groups"), *chosen = NULL;
	json_t *left_out = json_array(), *groups = json_array(), *seen = NULL;
	const char *unfit = NULL;
	enum err_status st = ERR_OK;
	TRY(addresses_choose_here(c, left_out, &chosen, err));
	for (size_t i = 0; i < MAX_GROUPS; i++) {
		const char *arn = given ? json_string_value(json_array_get(given, i))
				  : c->config && i < c->config->firewall_groups.n
					  ? c->config->firewall_groups.items[i]
					  : NULL;
		json_t *group = NULL;
		if (!arn) {
			break;
		}
		TRY(read_group(c, arn, &group, err));
		if (form_of(group)) {
			json_array_append_new(groups, json_string(arn));
		} else {
			unfit = N_("the rule group holds no stateful rules (but domains, or "
				   "stateless rules): give one that does");
		}
		json_decref(group);
	}
	seen = json_pack(
		"{s:O,s:O,s:O}", "groups", groups, "addresses", chosen, "left_out", left_out);
	if (json_array_size(groups) == 0 || json_array_size(chosen) == 0) {
		st = ec2_skip(json_incref(seen),
			unfit ? unfit
			: json_array_size(groups) == 0
				? N_("no rule group is configured "
				     "(response.firewall_rule_groups)")
				: N_("no address that may be blocked is known"),
			before, needed);
		goto out;
	}
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(seen);
	json_decref(groups);
	json_decref(left_out);
	json_decref(chosen);
	return st;
}

static enum err_status bring_all(const struct action_ctx *c, const json_t *before,
	const json_t *addresses, struct err *err)
{
	json_t *arn;
	size_t i;
	json_array_foreach(json_object_get(before, "groups"), i, arn)
	{
		enum err_status st = bring(c, json_string_value(arn), addresses, err);
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	const json_t *addresses = json_object_get(before, "addresses");
	enum err_status st = bring_all(c, before, addresses, err);
	if (st == ERR_OK) {
		*after = json_pack("{s:O,s:O}", "groups", json_object_get(before, "groups"),
			"addresses", addresses);
	}
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	size_t i, wanted = json_array_size(json_object_get(after, "addresses"));
	json_t *arn, *found = json_array();
	const char *loose = NULL;
	enum err_status st = ERR_OK;
	(void)before;
	json_array_foreach(json_object_get(after, "groups"), i, arn)
	{
		json_t *group = NULL;
		TRY(read_group(c, json_string_value(arn), &group, err));
		size_t n = count_ours(c, group, found);
		loose = n < wanted ? json_string_value(arn) : loose;
		json_decref(group);
	}
	*ok = !loose;
	*proof = json_pack("{s:O}", "rules", found);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("The rule groups of the network firewall drop the addresses first "
			   "of all (rules: {0}). Connections that it knew already may live on: "
			   "flush them in the firewall."),
			PHRASE_ARGS(PHRASE_NUMBER(json_array_size(found))));
	} else {
		phrase_set(*proof, "text", N_("Rule group {0} does not hold the drop rules."),
			PHRASE_ARGS(loose));
	}
out:
	json_decref(found);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	(void)after;
	enum err_status st = bring_all(c, before, NULL, err);
	return st == ERR_OK ? ec2_undone(c, json_array(), differences, err) : st;
}

static const char *const calls[] = { "ec2:DescribeVpcs", "ec2:DescribeAddresses",
	"network-firewall:DescribeRuleGroup", "network-firewall:UpdateRuleGroup", NULL };

const struct action action_block_at_firewall = {
	.name = "block-at-firewall",
	.title = N_("Block the attacker's addresses at the network firewall"),
	.why = N_("A network firewall stands between the VPCs and the Internet: one rule there "
		  "covers every host behind it, in both directions."),
	.risk = N_("An address shared by many (a proxy, a content network) takes innocent "
		   "traffic with it, for every host behind the firewall. Each rule uses "
		   "capacity of its group."),
	.undo_text = N_(
		"The rules that the step added are taken out; all others stay in their order."),
	.kinds = "Instance Lambda ECSCluster EKSCluster RDSDBInstance",
	.calls = calls,
	.rounds = 2,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
