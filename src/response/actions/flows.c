#include "response/actions/flows.h"

#include "base/utc.h"
#include "response/actions/cidr.h"
#include "response/actions/ec2.h"

#include <string.h>

#define PAGES_MAX   20 /* of FilterLogEvents a flow log and interface */
#define FIELDS_MAX  40
#define DELIVERY_MS 300000

/* Positions of the fields that matter in a record of the log's format. */
struct format {
	int interface, from, to, start, action;
};

/* "${version} ${account-id} .."; the default format is version 2's ("Flow log records", VPC User Guide). */
static struct format format_of(const char *text)
{
	struct format f = { 2, 3, 4, 10, 12 };
	struct str rest = str_from(text), word;
	if (rest.n == 0) {
		return f;
	}
	f = (struct format){ -1, -1, -1, -1, -1 };
	for (int i = 0; i < FIELDS_MAX && str_cut(&rest, ' ', &word); i++) {
		f.interface = str_is(word, "${interface-id}") ? i : f.interface;
		f.from = str_is(word, "${srcaddr}") ? i : f.from;
		f.to = str_is(word, "${dstaddr}") ? i : f.to;
		f.start = str_is(word, "${start}") ? i : f.start;
		f.action = str_is(word, "${action}") ? i : f.action;
	}
	return f;
}

static struct str field(const struct str *fields, int n, int at)
{
	return at >= 0 && at < n ? fields[at] : (struct str){ NULL, 0 };
}

static bool listed(const json_t *list, struct str s)
{
	size_t i;
	json_t *v;
	json_array_foreach(list, i, v)
	{
		if (json_is_string(v) && str_is(s, json_string_value(v))) {
			return true;
		}
	}
	return false;
}

static bool is_endpoint(const struct action_ctx *c, const struct cidr *address)
{
	struct cidr range;
	for (size_t i = 0; c->config && i < c->config->isolation_endpoints.n; i++) {
		if (cidr_parse(str_from(c->config->isolation_endpoints.items[i]), &range) &&
			cidr_contains(&range, address)) {
			return true;
		}
	}
	return false;
}

bool flows_is_endpoint(const struct action_ctx *c, const char *address)
{
	struct cidr parsed;
	return cidr_parse(str_from(address), &parsed) && is_endpoint(c, &parsed);
}

bool flows_cut_off(const struct action_ctx *c, int64_t *at_ms)
{
	static const char *const cuts[] = { "isolate-network", "block-address" };
	json_t *facts = json_deep_copy(c->facts), *fact;
	const char *step;
	int64_t at = 0, last = 0;
	json_object_foreach(facts, step, fact)
	{
		const char *action = doc_text_or(fact, "action", "");
		if ((strcmp(action, cuts[0]) == 0 || strcmp(action, cuts[1]) == 0) &&
			strcmp(doc_text_or(fact, "resource.id", c->id), c->id) == 0 &&
			utc_parse(str_from(doc_text_or(fact, "after.at", "")), &at)) {
			last = at > last ? at : last;
		}
	}
	json_decref(facts);
	*at_ms = last > 0 ? last : *at_ms;
	return last > 0;
}

/* One of the interface's own: an address, or out of a prefix that was delegated to it (pods use these). */
static bool is_own(const json_t *own, struct str address)
{
	struct cidr range, one;
	size_t i;
	json_t *v;
	bool parsed = cidr_parse(address, &one);
	json_array_foreach(own, i, v)
	{
		if (parsed && json_is_string(v) &&
			cidr_parse(str_from(json_string_value(v)), &range) &&
			cidr_contains(&range, &one)) {
			return true;
		}
	}
	return false;
}

/* One line of a flow log: takes its remote end when it is a flow of ours that lives. */
static void take_record(const struct action_ctx *c, const struct format *f, struct str line,
	const json_t *interface, int64_t since_ms, json_t *peers)
{
	const json_t *own = json_object_get(interface, "addresses");
	struct str fields[FIELDS_MAX], word;
	struct cidr address;
	int64_t start = 0;
	int n = 0;
	while (n < FIELDS_MAX && str_cut(&line, ' ', &word)) {
		fields[n++] = word;
	}
	if (!str_is(field(fields, n, f->action), "ACCEPT") ||
		!str_is(field(fields, n, f->interface), doc_text_or(interface, "id", "?")) ||
		!str_to_i64(field(fields, n, f->start), &start) || start * 1000 < since_ms) {
		return;
	}
	struct str from = field(fields, n, f->from), to = field(fields, n, f->to);
	struct str peer = is_own(own, from) ? to : from;
	if (cidr_parse(peer, &address) && !is_endpoint(c, &address) && !listed(peers, peer) &&
		json_array_size(peers) < FLOWS_PEERS_MAX) {
		json_array_append_new(peers, doc_str(peer));
	}
}

/* {"id","vpc","subnet","addresses":[..]} of each interface; new reference. */
static json_t *interfaces_of(const json_t *answer)
{
	static const char *const sets[][2] = { { "PrivateIpAddresses", "PrivateIpAddress" },
		{ "Ipv6Addresses", "Ipv6Address" }, { "Ipv4Prefixes", "Ipv4Prefix" },
		{ "Ipv6Prefixes", "Ipv6Prefix" } };
	json_t *out = json_array(), *interface, *a;
	size_t i, k;
	json_array_foreach(json_object_get(answer, "NetworkInterfaces"), i, interface)
	{
		json_t *own = json_array();
		for (size_t s = 0; s < sizeof(sets) / sizeof(sets[0]); s++) {
			json_array_foreach(json_object_get(interface, sets[s][0]), k, a)
			{
				json_array_append(own, json_object_get(a, sets[s][1]));
			}
		}
		json_array_append_new(
			out, json_pack("{s:O?,s:O?,s:O?,s:o}", "id",
				     json_object_get(interface, "NetworkInterfaceId"), "vpc",
				     json_object_get(interface, "VpcId"), "subnet",
				     json_object_get(interface, "SubnetId"), "addresses", own));
	}
	return out;
}

static enum err_status read_log(const struct action_ctx *c, const json_t *log,
	const json_t *interface, int64_t since_ms, json_t *peers, struct err *err)
{
	const struct format f = format_of(doc_text_or(log, "LogFormat", ""));
	json_t *params = json_pack("{s:O,s:O,s:I}", "logGroupName",
		json_object_get(log, "LogGroupName"), "logStreamNamePrefix",
		json_object_get(interface, "id"), "startTime", (json_int_t)since_ms);
	json_t *answer = NULL, *event;
	size_t i;
	enum err_status st = aws_call_paged(
		c->aws, "logs", "FilterLogEvents", params, PAGES_MAX, &answer, err);
	json_array_foreach(json_object_get(answer, "events"), i, event)
	{
		take_record(c, &f, str_from(doc_text_or(event, "message", "")), interface,
			since_ms, peers);
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

static bool covers(const json_t *log, const json_t *interface)
{
	const json_t *id = json_object_get(log, "ResourceId");
	return doc_text(log, "LogGroupName") &&
	       strcmp(doc_text_or(log, "TrafficType", "ALL"), "REJECT") != 0 &&
	       (doc_eq(id, json_object_get(interface, "id")) ||
		       doc_eq(id, json_object_get(interface, "vpc")) ||
		       doc_eq(id, json_object_get(interface, "subnet")));
}

/* What one log says of the interfaces that it covers. */
static void ask_log(const struct action_ctx *c, const json_t *log, const json_t *interfaces,
	int64_t since_ms, struct flows_answer *out)
{
	int64_t ripe =
		since_ms + 1000 * doc_int(log, "MaxAggregationInterval", 600) + DELIVERY_MS;
	const json_t *interface;

	for (size_t i = 0; i < json_array_size(interfaces); i++) {
		struct err local = { 0 };
		interface = json_array_get(interfaces, i);
		/* A log that may not be read is no answer, and no reason to fail. */
		if (covers(log, interface) &&
			read_log(c, log, interface, since_ms, out->peers, &local) == ERR_OK) {
			out->asked = true;
			out->ripe_ms = ripe > out->ripe_ms ? ripe : out->ripe_ms;
		}
	}
}

enum err_status flows_surviving(
	const struct action_ctx *c, int64_t since_ms, struct flows_answer *out, struct err *err)
{
	struct batch b;
	struct flows_answer found = { .peers = json_array() };
	json_t *interfaces = NULL;
	const json_t *logs;
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at_interfaces = ec2_add_interfaces(&b, c->id);
	size_t at_logs = batch_add(&b, "ec2", "DescribeFlowLogs", json_object());
	TRY(batch_run(&b, c->aws, err));
	interfaces = interfaces_of(batch_result(&b, at_interfaces));
	logs = json_object_get(batch_result(&b, at_logs), "FlowLogs");
	for (size_t i = 0; i < json_array_size(logs); i++) {
		ask_log(c, json_array_get(logs, i), interfaces, since_ms, &found);
	}
	*out = found;
	found.peers = NULL;
out:
	json_decref(found.peers);
	json_decref(interfaces);
	batch_deinit(&b);
	return st;
}
