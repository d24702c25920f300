/*
 * find-survivors: asks the isolated host itself, through Systems Manager, whom it still talks to. A
 * connection that was open before may outlive a security group; the host's kernel knows when a packet of it came
 * in last. Changes nothing on the host. What it names is cut by block-address with `survivors`. The host may
 * be the intruder's: that it names nobody is one witness beside the flow logs, not more.
 */
#include "base/phrase.h"
#include "base/utc.h"
#include "response/actions/ec2.h"
#include "response/actions/flows.h"
#include "response/actions/registry.h"
#include "response/actions/ssm.h"

#include <string.h>

#define MOST_BACK_S   3600 /* enough to find a beacon; a clock's mistake goes no further */
#define NAMED_AT_MOST 5

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *agent = NULL, *seen = NULL;
	struct ssm_document doc = { 0 };
	TRY(ssm_agent(c, &agent, err));
	const char *why = ssm_agent_objection(agent);
	if (!why && (!c->config || c->config->isolation_endpoints.n == 0)) {
		why = N_("response.isolation_endpoints is empty: once isolated, the host can't "
			 "be asked");
	}
	if (!why) {
		TRY(ssm_document_find(c, &doc, err));
	}
	seen = json_pack("{s:s,s:s,s:s}", "instance", c->id, "agent",
		doc_text_or(agent, "PingStatus", "unknown"), "document",
		doc.version[0] ? "ours" : (doc.exists ? "another content" : "none"));
	if (why) {
		st = ec2_skip(seen, why, before, needed);
	} else {
		*before = seen;
		*needed = true;
	}
out:
	json_decref(agent);
	return st;
}

/*
 * How far back a packet proves that the connection outlived the cut. A group's change reaches the hosts
 * within seconds, so the isolation is given some age first, and what came in during three quarters of that
 * does not count.
 */
static int64_t look_back_s(const struct action_ctx *c)
{
	int64_t settle = c->config ? c->config->settle_seconds : 0, at = 0;
	int64_t now = env_now_ms(c->env);
	if (!flows_cut_off(c, &at) || at > now) {
		at = now;
	}
	if (now < at + 1000 * settle) {
		env_sleep_ms(c->env, at + 1000 * settle - now);
		now = env_now_ms(c->env);
	}
	int64_t back = (now - at) / 1000 - settle * 3 / 4;
	return back < 1 ? 1 : back > MOST_BACK_S ? MOST_BACK_S : back;
}

/* The named ones but for the isolation endpoints; new reference. */
static json_t *named(const struct action_ctx *c, const json_t *said, const char *key)
{
	json_t *out = json_array(), *v;
	size_t i;
	json_array_foreach(json_object_get(said, key), i, v)
	{
		if (!flows_is_endpoint(c, json_string_value(v))) {
			json_array_append(out, v);
		}
	}
	return out;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	enum err_status st = ERR_OK;
	struct ssm_document doc;
	const char *made = "none", *earlier = doc_text_or(c->partial, "made", "none");
	struct ssm_order order = { .action = "survivors" };
	json_t *said = NULL;
	char at[32];
	(void)before;
	TRY(ssm_document_ensure(c, &doc, &made, err));
	made = strcmp(earlier, "none") != 0 ? earlier : made;
	TRY(ec2_note(c, json_pack("{s:s,s:s}", "made", made, "version", doc.version), err));
	order.seconds = look_back_s(c);
	TRY(ssm_run(c, &doc, &order, &said, err));
	utc_rfc3339(env_now_ms(c->env), at);
	*after = json_pack("{s:s,s:s,s:s,s:s,s:I,s:o,s:o,s:s}", "document", doc.name, "version",
		doc.version, "made", made, "asked", at, "seconds", (json_int_t)order.seconds,
		"survivors", named(c, said, "survivors"), "silent", named(c, said, "silent"),
		"note", doc_text_or(said, "note", ""));
out:
	json_decref(said);
	return st;
}

/* "198.51.100.7, 2001:db8::1 ..." */
static void list(const json_t *addresses, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(addresses) && i < NAMED_AT_MOST; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		buf_puts(out, json_string_value(json_array_get(addresses, i)));
	}
	buf_puts(out, json_array_size(addresses) > NAMED_AT_MOST ? " ..." : "");
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const json_t *alive = json_object_get(after, "survivors");
	char seconds[24];
	struct buf names;
	(void)before;
	(void)err;
	(void)snprintf(
		seconds, sizeof(seconds), "%lld", (long long)doc_int(after, "seconds", 0));
	buf_init(&names, 1024);
	list(alive, &names);
	*ok = json_array_size(alive) == 0;
	*proof = json_pack(
		"{s:O,s:O}", "survivors", alive, "silent", json_object_get(after, "silent"));
	if (*ok) {
		phrase_set(*proof, "text",
			N_("{0} itself says that nothing came in on any connection for {1} "
			   "seconds; open but silent: {2}. {3}"),
			PHRASE_ARGS(c->id, seconds,
				PHRASE_NUMBER(
					json_array_size(json_object_get(after, "silent"))),
				doc_text_or(after, "note", "")));
	} else {
		phrase_set(*proof, "text",
			N_("{0} itself names connections that live on after the isolation: "
			   "{1}."),
			PHRASE_ARGS(c->id, buf_ok(&names) ? names.p : ""));
	}
	buf_deinit(&names);
	return ERR_OK;
}

/* Nothing was changed but, perhaps, that the account has the document. */
static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	const json_t *made = after ? after : c->partial;
	enum err_status st = ERR_OK;
	(void)before;
	if (strcmp(doc_text_or(made, "made", "none"), "none") != 0) {
		st = ssm_document_remove(c, doc_text_or(made, "made", "none"),
			doc_text_or(made, "version", ""), err);
	}
	return st == ERR_OK ? ec2_undone(c, json_array(), differences, err) : st;
}

static const char *const calls[] = { "ssm:DescribeInstanceInformation", "ssm:GetDocument",
	"ssm:DescribeDocument", "ssm:CreateDocument", "ssm:UpdateDocument",
	"ssm:DeleteDocument", "ssm:AddTagsToResource", "ssm:SendCommand",
	"ssm:GetCommandInvocation", NULL };

const struct action action_find_survivors = {
	.name = "find-survivors",
	.title = N_("Ask the isolated host whom it still talks to"),
	.why = N_(
		"AWS lets connections that were open live on after an isolation, for days in "
		"some cases. The host's own kernel knows within seconds which ones still carry "
		"something; flow logs tell it after minutes."),
	.risk = N_("None: a command on the host reads what is open. A root intruder can see it "
		   "and lie."),
	.undo_text =
		N_("Nothing to undo but the document, if this step put it into the account."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 5,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
