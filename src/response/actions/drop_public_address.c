/*
 * drop-public-address: without a public IPv4 address nothing on the Internet can send to the host,
 * whatever connections are still tracked. Elastic addresses are taken off and kept; an automatically
 * assigned one is given back to AWS and another will come in its place.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <string.h>

/* The automatically assigned address of the primary interface: it has no allocation. */
static json_t *automatic_of(const json_t *interfaces)
{
	size_t i;
	json_t *interface;
	json_array_foreach(json_object_get(interfaces, "NetworkInterfaces"), i, interface)
	{
		const json_t *association = json_object_get(interface, "Association");
		if (doc_text(association, "PublicIp") &&
			!doc_text(association, "AllocationId")) {
			return json_pack("{s:O,s:O}", "interface",
				json_object_get(interface, "NetworkInterfaceId"), "address",
				json_object_get(association, "PublicIp"));
		}
	}
	return json_null();
}

static json_t *elastic_of(const json_t *addresses)
{
	json_t *out = json_array();
	size_t i;
	json_t *a;
	json_array_foreach(json_object_get(addresses, "Addresses"), i, a)
	{
		json_array_append_new(out,
			json_pack("{s:O,s:O*,s:O*,s:O*,s:O*}", "address",
				json_object_get(a, "PublicIp"), "allocation",
				json_object_get(a, "AllocationId"), "association",
				json_object_get(a, "AssociationId"), "interface",
				json_object_get(a, "NetworkInterfaceId"), "private_address",
				json_object_get(a, "PrivateIpAddress")));
	}
	return out;
}

/* {"elastic":[..],"automatic":{..}|null} as it is now, in two rounds. */
static enum err_status read_addresses(const struct action_ctx *c, json_t **out, struct err *err)
{
	struct batch b, second;
	json_t *ids = json_array(), *instance = NULL, *interface;
	size_t i;
	enum err_status st = ERR_OK;
	batch_init(&b);
	batch_init(&second);
	size_t at_instance = batch_add(&b, "ec2", "DescribeInstances", ec2_by_instance(c->id));
	size_t at_interfaces = ec2_add_interfaces(&b, c->id);
	TRY(batch_run(&b, c->aws, err));
	TRY(ec2_instance_of(batch_result(&b, at_instance), c->id, &instance, err));
	const json_t *interfaces = batch_result(&b, at_interfaces);
	json_array_foreach(json_object_get(interfaces, "NetworkInterfaces"), i, interface)
	{
		json_array_append(ids, json_object_get(interface, "NetworkInterfaceId"));
	}
	if (json_array_size(ids) > 0) {
		batch_add(&second, "ec2", "DescribeAddresses",
			ec2_filter_list("network-interface-id", ids));
	}
	TRY(batch_run(&second, c->aws, err));
	*out = json_pack("{s:s,s:o,s:o}", "instance", c->id, "elastic",
		elastic_of(batch_result(&second, 0)), "automatic", automatic_of(interfaces));
out:
	json_decref(ids);
	json_decref(instance);
	batch_deinit(&b);
	batch_deinit(&second);
	return st;
}

static bool has_address(const json_t *state)
{
	return json_array_size(json_object_get(state, "elastic")) > 0 ||
	       json_is_object(json_object_get(state, "automatic"));
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *seen = NULL;
	enum err_status st = ERR_OK;
	TRY(read_addresses(c, &seen, err));
	if (!has_address(seen)) {
		st = ec2_skip(json_incref(seen), N_("the instance has no public IPv4 address"),
			before, needed);
		goto out;
	}
	json_object_set_new(seen, "will", json_pack("{s:[],s:n}", "elastic", "automatic"));
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(seen);
	return st;
}

static json_t *auto_params(const char *interface, bool on)
{
	return json_pack(
		"{s:s,s:b}", "NetworkInterfaceId", interface, "AssociatePublicIpAddress", on);
}

static enum err_status drop_automatic(
	const struct action_ctx *c, const json_t *automatic, struct err *err)
{
	json_t *params = NULL;
	enum err_status st = ERR_OK;
	if (json_is_object(automatic)) {
		params = auto_params(doc_text_or(automatic, "interface", ""), false);
		TRY(aws_call(
			c->aws, "ec2", "ModifyNetworkInterfaceAttribute", params, NULL, err));
	}
out:
	json_decref(params);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	struct batch b;
	json_t *now = NULL, *e;
	size_t i;
	enum err_status st = ERR_OK;
	batch_init(&b);
	json_array_foreach(json_object_get(before, "elastic"), i, e)
	{
		if (doc_text(e, "association")) {
			batch_add_lenient(&b, "ec2", "DisassociateAddress",
				json_pack("{s:O}", "AssociationId",
					json_object_get(e, "association")),
				"InvalidAssociationID.NotFound");
		}
	}
	TRY(batch_run(&b, c->aws, err));
	TRY(drop_automatic(c, json_object_get(before, "automatic"), err));
	if (b.n > 0) {
		/* Where a subnet assigns addresses, one may come in the elastic one's place. */
		TRY(read_addresses(c, &now, err));
		json_t *came = json_object_get(now, "automatic");
		if (!json_is_object(json_object_get(before, "automatic"))) {
			TRY(drop_automatic(c, came, err));
		}
	}
	*after = json_pack("{s:[],s:n}", "elastic", "automatic");
out:
	json_decref(now);
	batch_deinit(&b);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *now = NULL;
	bool good = false;
	enum err_status st = ERR_OK;
	(void)before;
	(void)after;
	for (int try = 0; try < 4 && !good; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(now);
		now = NULL;
		TRY(read_addresses(c, &now, err));
		good = !has_address(now);
	}
	if (good) {
		phrase_set(now, "text", N_("{0} has no public IPv4 address any more."),
			PHRASE_ARGS(c->id));
	} else {
		phrase_set(now, "text", N_("{0} still has a public IPv4 address ({1})."),
			PHRASE_ARGS(
				c->id, doc_text_or(now, "automatic.address",
					       doc_text_or(now, "elastic[0].address", "?"))));
	}
	*ok = good;
	*proof = json_incref(now);
out:
	json_decref(now);
	return st;
}

static const json_t *find_address(const json_t *addresses, const json_t *allocation)
{
	size_t i;
	json_t *a;
	json_array_foreach(json_object_get(addresses, "Addresses"), i, a)
	{
		if (doc_eq(json_object_get(a, "AllocationId"), allocation)) {
			return a;
		}
	}
	return NULL;
}

/* One elastic address back to where it was, or the reason why not. */
static void restore_elastic(const struct action_ctx *c, const json_t *was, const json_t *now,
	struct batch *b, json_t *differences)
{
	const char *holder = doc_text_or(now, "NetworkInterfaceId", "");
	const char *wanted = doc_text_or(was, "interface", "");
	if (now && strcmp(holder, wanted) == 0 && *holder &&
		doc_eq(json_object_get(now, "PrivateIpAddress"),
			json_object_get(was, "private_address"))) {
		return;
	}
	bool taken = *holder != '\0';
	if (!now || taken) {
		ec2_differ(differences,
			&(struct ec2_difference){ .resource = doc_text_or(was, "address", "?"),
				.what = "Address",
				.before = json_string(wanted),
				.now = now ? json_string(holder) : NULL,
				.text = now ? N_("The elastic address is in use elsewhere now.")
					    : N_("The elastic address was released meanwhile."),
				.blocking = now != NULL });
	}
	if (now && (!taken || ec2_forced(c))) {
		batch_add(b, "ec2", "AssociateAddress",
			json_pack("{s:O,s:s,s:O*,s:b}", "AllocationId",
				json_object_get(was, "allocation"), "NetworkInterfaceId",
				wanted, "PrivateIpAddress",
				json_object_get(was, "private_address"), "AllowReassociation",
				taken));
	}
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	const json_t *elastic = json_object_get(before, "elastic");
	const json_t *automatic = json_object_get(before, "automatic");
	json_t *ids = json_array(), *now = NULL, *diffs = json_array(), *was;
	struct batch read, b;
	size_t i;
	enum err_status st = ERR_OK;
	(void)after;
	batch_init(&read);
	batch_init(&b);
	json_array_foreach(elastic, i, was)
	{
		json_array_append(ids, json_object_get(was, "allocation"));
	}
	if (json_array_size(ids) > 0) {
		batch_add(&read, "ec2", "DescribeAddresses",
			ec2_filter_list("allocation-id", ids));
	}
	TRY(batch_run(&read, c->aws, err));
	TRY(read_addresses(c, &now, err));
	json_array_foreach(elastic, i, was)
	{
		restore_elastic(c, was,
			find_address(
				batch_result(&read, 0), json_object_get(was, "allocation")),
			&b, diffs);
	}
	if (json_is_object(automatic) && !json_is_object(json_object_get(now, "automatic"))) {
		batch_add(&b, "ec2", "ModifyNetworkInterfaceAttribute",
			auto_params(doc_text_or(automatic, "interface", ""), true));
		ec2_differ(diffs,
			&(struct ec2_difference){ .resource = c->id,
				.what = "PublicIp",
				.before = json_incref(json_object_get(automatic, "address")),
				.now = NULL,
				.text = N_(
					"AWS assigns another public address; names and "
					"allow-lists that hold the old one must be changed."),
				.blocking = false });
	}
	TRY(batch_run(&b, c->aws, err));
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(now);
	json_decref(ids);
	batch_deinit(&read);
	batch_deinit(&b);
	return st;
}

static const char *const calls[] = { "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
	"ec2:DescribeAddresses", "ec2:DisassociateAddress", "ec2:AssociateAddress",
	"ec2:ModifyNetworkInterfaceAttribute", NULL };

const struct action action_drop_public_address = {
	.name = "drop-public-address",
	.title = N_("Take the public address off the instance"),
	.why = N_("Security groups may let connections live that were open before. Without a "
		  "public address their packets have no way to the host."),
	.risk = N_("Whoever reaches the host by its public address no longer does. An "
		   "automatically assigned address is lost for good. IPv6 addresses stay."),
	.undo_text = N_(
		"Each elastic address goes back to the interface and private address it had. "
		"Instead of an automatically assigned address AWS gives another one."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 5,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
