/*
 * isolate-host: the host's own firewall, through Systems Manager. It reaches what security groups don't:
 * tracked connections die at once and DNS is closed. Root on the host can take it away again,
 * so it stands beside isolate-network, never instead of it.
 */
#include "base/phrase.h"
#include "response/actions/cidr.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"
#include "response/actions/ssm.h"

#include <string.h>

#define ENDPOINTS_MAX 2000 /* as the document's allowedPattern */

static bool add_endpoint(struct buf *out, struct str text)
{
	struct cidr c;
	char canonical[CIDR_TEXT];
	/* Prefix lists are for security groups; a host's firewall knows addresses only. */
	if (str_starts(str_trim(text), STR("pl-"))) {
		return true;
	}
	if (!cidr_parse(str_trim(text), &c) || c.prefix < (c.v6 ? 16 : 8)) {
		return false;
	}
	cidr_text(&c, canonical);
	if (out->n > 0) {
		buf_putc(out, ',');
	}
	buf_puts(out, canonical);
	return true;
}

/* The CIDRs that stay open, from the step's `endpoints` or the configuration; false: malformed. */
static bool endpoints(const struct action_ctx *c, struct buf *out)
{
	const json_t *given = json_object_get(c->with, "endpoints");
	bool good = true;
	size_t i;
	json_t *v;
	if (json_is_string(given)) {
		struct str rest = str_from(json_string_value(given)), piece;
		while (good && str_cut(&rest, ',', &piece)) {
			good = add_endpoint(out, piece);
		}
	} else if (json_is_array(given)) {
		json_array_foreach(given, i, v)
		{
			good = good && json_is_string(v) &&
			       add_endpoint(out, str_from(json_string_value(v)));
		}
	} else if (c->config) {
		for (i = 0; i < c->config->isolation_endpoints.n; i++) {
			good = good &&
			       add_endpoint(
				       out, str_from(c->config->isolation_endpoints.items[i]));
		}
	}
	return good && buf_ok(out);
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *agent = NULL, *seen = NULL;
	struct ssm_document doc = { 0 };
	struct buf open;
	buf_init(&open, ENDPOINTS_MAX);
	bool well = endpoints(c, &open);
	TRY(ssm_agent(c, &agent, err));
	const char *why = ssm_agent_objection(agent);
	if (!why && !well) {
		why = N_("response.isolation_endpoints holds something that is no address "
			 "range, or one wider than /8 (IPv6: /16)");
	} else if (!why && open.n == 0) {
		why = N_("response.isolation_endpoints names no address range: without the "
			 "ranges of the Systems Manager endpoints the agent would be cut off, "
			 "and nothing could be proved or undone");
	}
	if (!why) {
		TRY(ssm_document_find(c, &doc, err));
	}
	seen = json_pack("{s:s,s:s,s:s,s:s,s:s}", "instance", c->id, "agent",
		doc_text_or(agent, "PingStatus", "unknown"), "platform",
		doc_text_or(agent, "PlatformName", ""), "endpoints", open.n > 0 ? open.p : "",
		"document",
		doc.version[0] ? "ours" : (doc.exists ? "another content" : "none"));
	if (why) {
		st = ec2_skip(seen, why, before, needed);
	} else {
		*before = seen;
		*needed = true;
	}
out:
	buf_deinit(&open);
	json_decref(agent);
	return st;
}

/* What was made of the document, kept over several tries of the step. */
static const char *made_before(const struct action_ctx *c, const char *made)
{
	const char *earlier = doc_text_or(c->partial, "made", "none");
	return strcmp(earlier, "none") != 0 ? earlier : made;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	enum err_status st = ERR_OK;
	struct ssm_document doc;
	const char *made = "none";
	json_t *said = NULL;
	TRY(ssm_document_ensure(c, &doc, &made, err));
	made = made_before(c, made);
	TRY(ec2_note(c, json_pack("{s:s,s:s}", "made", made, "version", doc.version), err));
	/* The script may run twice: the second time it only sets its rules anew. */
	const struct ssm_order order = { "isolate", doc_text_or(before, "endpoints", ""), 0 };
	TRY(ssm_run(c, &doc, &order, &said, err));
	*after = json_pack("{s:s,s:s,s:s,s:O}", "document", doc.name, "version", doc.version,
		"made", made, "result", said);
out:
	json_decref(said);
	return st;
}

static bool holds(const json_t *said, const char *case_id)
{
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(said, "cases"), i, v)
	{
		if (strcmp(json_string_value(v), case_id) == 0) {
			return true;
		}
	}
	return false;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	enum err_status st = ERR_OK;
	struct ssm_document doc;
	json_t *said = NULL;
	const char *made;
	(void)after;
	TRY(ssm_document_ensure(c, &doc, &made, err));
	const struct ssm_order order = { "status", doc_text_or(before, "endpoints", ""), 0 };
	TRY(ssm_run(c, &doc, &order, &said, err));
	const char *state = doc_text_or(said, "state", "");
	*ok = strcmp(state, "isolated") == 0 &&
	      strcmp(doc_text_or(said, "ipv6", ""), "open") != 0 && holds(said, c->case_id);
	*proof = json_pack("{s:O}", "result", said);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("The firewall of {0} ({1}) lets only {2} through on TCP 443, says "
			   "the host itself; IPv6 is {3!}."),
			PHRASE_ARGS(c->id, doc_text_or(said, "backend", ""),
				doc_text_or(before, "endpoints", ""),
				doc_text_or(said, "ipv6", "")));
	} else {
		phrase_set(*proof, "text", N_("The host {0} reports its state as {1}. {2}"),
			PHRASE_ARGS(c->id, state, doc_text_or(said, "note", "")));
	}
out:
	json_decref(said);
	return st;
}

static enum err_status reach_agent(const struct action_ctx *c, struct err *err)
{
	json_t *agent = NULL;
	enum err_status st = ssm_agent(c, &agent, err);
	const char *why = st == ERR_OK ? ssm_agent_objection(agent) : NULL;
	json_decref(agent);
	if (!why) {
		return st;
	}
	return err_set(err, ERR_FAILED,
		"%s can't be opened from here: %s. Log in on its serial console and run: nft "
		"delete table inet cordon (or, with iptables, take out the CORDON- chains)",
		c->id, why);
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	enum err_status st = ERR_OK;
	struct ssm_document doc;
	json_t *said = NULL, *diffs = json_array();
	const json_t *made = after ? after : c->partial;
	const char *again = "none";
	(void)before;
	if (!doc_text(made, "version")) { /* killed before anything was sent */
		goto done;
	}
	TRY(reach_agent(c, err));
	TRY(ssm_document_ensure(c, &doc, &again, err));
	TRY(ssm_run(c, &doc, &(struct ssm_order){ .action = "restore" }, &said, err));
	bool held = strcmp(doc_text_or(said, "state", ""), "held") == 0;
	if (held || !json_is_true(json_object_get(said, "exact"))) {
		ec2_differ(
			diffs, &(struct ec2_difference){ .resource = c->id,
				       .what = "host firewall",
				       .now = json_deep_copy(said),
				       .text = held ? N_("Another case still holds the host: "
							 "it opens when that one is undone.")
						    : N_("Other firewall rules changed since "
							 "the step and were left as they are; "
							 "cordon's own are gone."),
				       .blocking = false });
	}
	if (!held) {
		bool anew = strcmp(again, "none") != 0;
		TRY(ssm_document_remove(c, anew ? again : doc_text_or(made, "made", "none"),
			anew ? doc.version : doc_text_or(made, "version", ""), err));
	}
done:
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(said);
	return st;
}

static const char *const calls[] = { "ssm:DescribeInstanceInformation", "ssm:GetDocument",
	"ssm:DescribeDocument", "ssm:CreateDocument", "ssm:UpdateDocument",
	"ssm:DeleteDocument", "ssm:AddTagsToResource", "ssm:SendCommand",
	"ssm:GetCommandInvocation", NULL };

const struct action action_isolate_host = {
	.name = "isolate-host",
	.title = N_("Isolate the host with its own firewall through Systems Manager"),
	.why = N_("Security groups let connections that are open run on, and never filter DNS "
		  "to the VPC's resolver. The host's own firewall cuts both at once."),
	.risk = N_("Everything on the host loses the network except the agent and the evidence "
		   "endpoints. A root intruder can see and remove the rules."),
	.undo_text =
		N_("The rules are taken away through the agent, and the host's other rules are "
		   "compared with those saved before."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 6,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
