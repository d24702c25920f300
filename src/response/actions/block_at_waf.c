/*
 * block-at-waf: the attacker's addresses in IP sets of AWS WAF that rules of the account refer to. An
 * update replaces the whole list, under a lock token that is good for one update: whoever is late reads
 * again. Cases share a set: see holders.h.
 */
#include "base/phrase.h"
#include "response/actions/addresses.h"
#include "response/actions/holders.h"
#include "response/actions/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SETS 8
#define TRIES    6

/* arn:aws:wafv2:REGION:ACCOUNT:regional/ipset/NAME/ID, or global/.. for CloudFront. */
struct set_name {
	char name[129], id[129];
	bool global;
};

static bool take_apart(const char *arn, struct set_name *out)
{
	struct str rest = str_from(arn), scope = { 0 }, word = { 0 }, name = { 0 };
	for (int i = 0; i < 5; i++) {
		if (!str_cut(&rest, ':', &word)) {
			return false;
		}
	}
	if (!str_cut(&rest, '/', &scope) || !str_cut(&rest, '/', &word) ||
		!str_is(word, "ipset") || !str_cut(&rest, '/', &name) ||
		name.n >= sizeof(out->name) || rest.n == 0 || rest.n >= sizeof(out->id)) {
		return false;
	}
	snprintf(out->name, sizeof(out->name), "%.*s", STR_ARG(name));
	snprintf(out->id, sizeof(out->id), "%.*s", STR_ARG(rest));
	out->global = str_is(scope, "global");
	return true;
}

/* A call about a set; those of CloudFront live in one region. */
static enum err_status call(const struct action_ctx *c, const struct set_name *s,
	const char *operation, const json_t *params, json_t **result, struct err *err)
{
	struct aws_request r = { .service = "wafv2",
		.operation = operation,
		.params = params,
		.region = s->global ? "us-east-1" : NULL };
	enum err_status st = aws_call_many(c->aws, &r, 1, err);
	if (st == ERR_OK && result) {
		*result = r.result;
	} else {
		json_decref(r.result);
	}
	return st;
}

static json_t *set_params(const struct set_name *s)
{
	return json_pack("{s:s,s:s,s:s}", "Name", s->name, "Scope",
		s->global ? "CLOUDFRONT" : "REGIONAL", "Id", s->id);
}

static enum err_status read_set(const struct action_ctx *c, const char *arn, json_t **set,
	json_t **tags, struct err *err)
{
	struct set_name s;
	json_t *params = NULL, *about = json_pack("{s:s}", "ResourceARN", arn), *answer = NULL;
	enum err_status st = ERR_OK;
	if (!take_apart(arn, &s)) {
		st = err_set(err, ERR_CONFIG,
			"'%.200s' is no ARN of a WAF IP set (arn:aws:wafv2:REGION:ACCOUNT:"
			"regional/ipset/NAME/ID)",
			arn);
		goto out;
	}
	params = set_params(&s);
	TRY(call(c, &s, "GetIPSet", params, set, err));
	TRY(call(c, &s, "ListTagsForResource", about, &answer, err));
	*tags = json_incref(doc_get(answer, "TagInfoForResource.TagList"));
out:
	json_decref(answer);
	json_decref(about);
	json_decref(params);
	return st;
}

static bool listed(const json_t *set, const char *cidr)
{
	size_t i;
	json_t *a;
	json_array_foreach(doc_get(set, "IPSet.Addresses"), i, a)
	{
		if (json_is_string(a) && addresses_same(json_string_value(a), cidr)) {
			return true;
		}
	}
	return false;
}

/* The addresses of the set's family that the step may put into it: not what others listed. */
static json_t *to_hold(const json_t *set, const json_t *tags, const json_t *chosen)
{
	json_t *out = json_array(), *a;
	bool v6 = strcmp(doc_text_or(set, "IPSet.IPAddressVersion", ""), "IPV6") == 0;
	size_t i;
	json_array_foreach(chosen, i, a)
	{
		const char *cidr = doc_text_or(a, "cidr", "");
		if (json_is_true(json_object_get(a, "v6")) == v6 &&
			(!listed(set, cidr) || holders_any(tags, cidr))) {
			json_array_append_new(out, json_string(cidr));
		}
	}
	return out;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *given = json_object_get(c->with, "ip_sets"), *chosen = NULL;
	json_t *left_out = json_array(), *sets = json_array(), *seen = NULL;
	size_t held = 0;
	enum err_status st = ERR_OK;
	TRY(addresses_choose_here(c, left_out, &chosen, err));
	for (size_t i = 0; i < MAX_SETS; i++) {
		const char *arn = given ? json_string_value(json_array_get(given, i))
				  : c->config && i < c->config->waf_ip_sets.n
					  ? c->config->waf_ip_sets.items[i]
					  : NULL;
		json_t *set = NULL, *tags = NULL;
		if (!arn) {
			break;
		}
		TRY(read_set(c, arn, &set, &tags, err));
		json_t *addresses = to_hold(set, tags, chosen);
		held += json_array_size(addresses);
		json_array_append_new(
			sets, json_pack("{s:s,s:o}", "set", arn, "addresses", addresses));
		json_decref(tags);
		json_decref(set);
	}
	seen = json_pack(
		"{s:O,s:O,s:O}", "sets", sets, "addresses", chosen, "left_out", left_out);
	if (held == 0) {
		st = ec2_skip(json_incref(seen),
			json_array_size(sets) == 0
				? N_("no IP set is configured (response.waf_ip_sets)")
			: json_array_size(chosen) == 0
				? N_("no address that may be blocked is known")
				: N_("the IP sets list the addresses already"),
			before, needed);
		goto out;
	}
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(seen);
	json_decref(sets);
	json_decref(left_out);
	json_decref(chosen);
	return st;
}

static bool among(const json_t *list, const char *cidr)
{
	size_t i;
	json_t *a;
	json_array_foreach(list, i, a)
	{
		if (json_is_string(a) && addresses_same(json_string_value(a), cidr)) {
			return true;
		}
	}
	return false;
}

/* The set's list with `add` and without `remove`; new reference. */
static json_t *list_with(const json_t *set, const json_t *add, const json_t *remove)
{
	json_t *out = json_array(), *a;
	size_t i;
	json_array_foreach(doc_get(set, "IPSet.Addresses"), i, a)
	{
		if (!among(remove, json_string_value(a))) {
			json_array_append(out, a);
		}
	}
	json_array_foreach(add, i, a)
	{
		if (!listed(set, json_string_value(a))) {
			json_array_append(out, a);
		}
	}
	return out;
}

/* One update under the token that the reading gave; *late when somebody else was faster. */
static enum err_status update(const struct action_ctx *c, const char *arn, const json_t *set,
	json_t *addresses_taken, bool *late, struct err *err)
{
	struct set_name s;
	struct err local = { 0 };
	enum err_status st = ERR_OK;
	*late = false;
	if (!take_apart(arn, &s)) {
		json_decref(addresses_taken);
		return err_set(err, ERR_CONFIG, "'%.200s' is no ARN of a WAF IP set", arn);
	}
	err = err ? err : &local;
	json_t *params = set_params(&s);
	json_object_set_new(params, "Addresses", addresses_taken);
	json_object_set(params, "LockToken", json_object_get(set, "LockToken"));
	if (doc_text(set, "IPSet.Description")) {
		/* Left out, it would be emptied. */
		json_object_set(params, "Description", doc_get(set, "IPSet.Description"));
	}
	st = call(c, &s, "UpdateIPSet", params, NULL, err);
	if (st != ERR_OK && strcmp(err->code, "WAFOptimisticLockException") == 0) {
		*late = true;
		err_clear(err);
		st = ERR_OK;
	}
	json_decref(params);
	return st;
}

static enum err_status tag(const struct action_ctx *c, const char *arn, const json_t *addresses,
	bool on, struct err *err)
{
	json_t *params = json_pack("{s:s,s:[]}", "ResourceARN", arn, on ? "Tags" : "TagKeys"),
	       *a;
	json_t *list = json_object_get(params, on ? "Tags" : "TagKeys");
	struct set_name s;
	size_t i;
	json_array_foreach(addresses, i, a)
	{
		json_t *one = holders_tag(c, json_string_value(a));
		json_array_append(list, on ? one : json_object_get(one, "Key"));
		json_decref(one);
	}
	enum err_status st = ERR_OK;
	if (json_array_size(list) > 0 && take_apart(arn, &s)) {
		st = call(c, &s, on ? "TagResource" : "UntagResource", params, NULL, err);
	}
	json_decref(params);
	return st;
}

/*
 * Puts the addresses into a set or takes them out, until an update was not late. Out come only those that
 * no other step holds; *kept is the case of one that does (static until the next call), or "".
 */
static enum err_status bring(const struct action_ctx *c, const json_t *entry, bool in,
	char kept[65], struct err *err)
{
	const char *arn = doc_text_or(entry, "set", "");
	json_t *addresses = json_object_get(entry, "addresses"), *a;
	bool late = true;
	size_t i;
	enum err_status st = ERR_OK;
	kept[0] = '\0';
	for (int try = 0; try < TRIES && late; try++) {
		json_t *set = NULL, *tags = NULL, *go = json_array();
		if (try > 0) {
			ec2_pause(c, try);
		}
		st = read_set(c, arn, &set, &tags, err);
		json_array_foreach(addresses, i, a)
		{
			const char *cidr = json_string_value(a);
			const char *other = in ? NULL : holders_other(c, tags, cidr);
			if (other) {
				snprintf(kept, 65, "%.64s", other);
			} else if (listed(set, cidr) != in) {
				json_array_append(go, a);
			}
		}
		late = false;
		if (st == ERR_OK && json_array_size(go) > 0) {
			st = update(c, arn, set, list_with(set, in ? go : NULL, in ? NULL : go),
				&late, err);
		}
		json_decref(go);
		json_decref(tags);
		json_decref(set);
		if (st != ERR_OK) {
			return st;
		}
	}
	return late ? err_set(err, ERR_CONFLICT,
			      "IP set %s is changed by others all the time: try again", arn)
		    : ERR_OK;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	json_t *sets = json_object_get(before, "sets"), *entry;
	char kept[65];
	size_t i;
	enum err_status st = ERR_OK;
	json_array_foreach(sets, i, entry)
	{
		const char *arn = doc_text_or(entry, "set", "");
		/* The tag first: from then on no other step's undo takes the address out. */
		TRY(tag(c, arn, json_object_get(entry, "addresses"), true, err));
		TRY(bring(c, entry, true, kept, err));
	}
	*after = json_pack("{s:O}", "sets", sets);
out:
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *entry, *a, *read = json_array();
	const char *missing = NULL;
	size_t i, k;
	enum err_status st = ERR_OK;
	(void)before;
	json_array_foreach(json_object_get(after, "sets"), i, entry)
	{
		json_t *set = NULL, *tags = NULL;
		TRY(read_set(c, doc_text_or(entry, "set", ""), &set, &tags, err));
		json_array_foreach(json_object_get(entry, "addresses"), k, a)
		{
			missing = missing || listed(set, json_string_value(a))
					  ? missing
					  : json_string_value(a);
		}
		json_array_append_new(
			read, json_pack("{s:O,s:O?}", "set", json_object_get(entry, "set"),
				      "addresses", doc_get(set, "IPSet.Addresses")));
		json_decref(tags);
		json_decref(set);
	}
	*ok = !missing;
	*proof = json_pack("{s:O}", "sets", read);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("The WAF IP sets list the addresses (sets: {0}). They are refused "
			   "where a rule of a web ACL refers to the set."),
			PHRASE_ARGS(PHRASE_NUMBER(json_array_size(read))));
	} else {
		phrase_set(*proof, "text", N_("A WAF IP set does not list {0}."),
			PHRASE_ARGS(missing));
	}
out:
	json_decref(read);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	json_t *diffs = json_array(), *entry;
	char kept[65];
	size_t i;
	enum err_status st = ERR_OK;
	(void)after;
	json_array_foreach(json_object_get(before, "sets"), i, entry)
	{
		const char *arn = doc_text_or(entry, "set", "");
		TRY(tag(c, arn, json_object_get(entry, "addresses"), false, err));
		TRY(bring(c, entry, false, kept, err));
		if (kept[0]) {
			ec2_differ(diffs,
				&(struct ec2_difference){ .resource = arn,
					.what = "IPSet",
					.before = json_string(kept),
					.now = json_incref(json_object_get(entry, "addresses")),
					.text = N_("Another case needs the same address: it "
						   "was kept.") });
		}
	}
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	return st;
}

static const char *const calls[] = { "ec2:DescribeVpcs", "ec2:DescribeAddresses",
	"wafv2:GetIPSet", "wafv2:ListTagsForResource", "wafv2:UpdateIPSet", "wafv2:TagResource",
	"wafv2:UntagResource", NULL };

const struct action action_block_at_waf = {
	.name = "block-at-waf",
	.title = N_("Block the attacker's addresses at the web firewall"),
	.why = N_("An address that attacks one application tries the next. The web firewall "
		  "refuses it at every load balancer, API and distribution that has a rule "
		  "with the set."),
	.risk = N_("An address shared by many (a proxy, a content network) takes innocent "
		   "users with it, for every application behind the set."),
	.undo_text = N_("The addresses are taken out of the sets again, unless another case "
			"needs them."),
	.kinds = "Instance Lambda ECSCluster EKSCluster S3Bucket AccessKey RDSDBInstance",
	.calls = calls,
	.rounds = 3,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
