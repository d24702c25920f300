#include "response/actions/addresses.h"

#include "response/actions/cidr.h"

#include <string.h>

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

json_t *addresses_own(const json_t *vpcs, const json_t *addresses)
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

json_t *addresses_choose(const struct action_ctx *c, const json_t *own, json_t *left_out)
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
			why = json_array_size(chosen) >= ADDRESSES_MAX && !twice
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

enum err_status addresses_choose_here(
	const struct action_ctx *c, json_t *left_out, json_t **chosen, struct err *err)
{
	struct batch b;
	json_t *own = NULL;
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at_vpcs = batch_add(&b, "ec2", "DescribeVpcs", json_object());
	size_t at_addresses = batch_add(&b, "ec2", "DescribeAddresses", json_object());
	TRY(batch_run(&b, c->aws, err));
	own = addresses_own(batch_result(&b, at_vpcs), batch_result(&b, at_addresses));
	*chosen = addresses_choose(c, own, left_out);
out:
	json_decref(own);
	batch_deinit(&b);
	return st;
}

bool addresses_same(const char *a, const char *b)
{
	struct cidr x, y;
	return cidr_parse(str_from(a), &x) && cidr_parse(str_from(b), &y) && cidr_eq(&x, &y);
}
