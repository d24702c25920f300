/*
 * disable-imds: closes the instance metadata service, so that nothing on the host can fetch new
 * role credentials. It also starves the SSM agent, so playbooks put it after memory was taken.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <string.h>

/* Every option that a disabled endpoint forgets and that undo must give back. */
static const char *const options[] = { "HttpTokens", "HttpPutResponseHopLimit",
	"HttpProtocolIpv6", "InstanceMetadataTags" };

static json_t *options_of(const json_t *instance)
{
	json_t *out = json_object();
	json_object_set(out, "HttpEndpoint", doc_get(instance, "MetadataOptions.HttpEndpoint"));
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		json_t *value = json_object_get(
			json_object_get(instance, "MetadataOptions"), options[i]);
		if (value) {
			json_object_set(out, options[i], value);
		}
	}
	return out;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *instance = NULL;
	enum err_status st = ERR_OK;
	TRY(ec2_instance(c, &instance, err));
	json_t *seen =
		json_pack("{s:s,s:o}", "instance", c->id, "options", options_of(instance));
	if (strcmp(doc_text_or(seen, "options.HttpEndpoint", "enabled"), "disabled") == 0) {
		st = ec2_skip(seen, N_("the metadata service is already off"), before, needed);
		goto out;
	}
	json_object_set_new(
		seen, "will", json_pack("{s:{s:s}}", "options", "HttpEndpoint", "disabled"));
	*before = seen;
	*needed = true;
out:
	json_decref(instance);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	/* The other options may not be sent while the endpoint is being switched off. */
	json_t *params =
		json_pack("{s:s,s:s}", "InstanceId", c->id, "HttpEndpoint", "disabled");
	enum err_status st = ERR_OK;
	(void)before;
	TRY(aws_call(c->aws, "ec2", "ModifyInstanceMetadataOptions", params, NULL, err));
	*after = json_pack("{s:{s:s}}", "options", "HttpEndpoint", "disabled");
out:
	json_decref(params);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *instance = NULL;
	bool off = false, applied = false;
	(void)before;
	(void)after;
	for (int try = 0; try < 6 && !(off && applied); try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(instance);
		instance = NULL;
		TRY(ec2_instance(c, &instance, err));
		off = strcmp(doc_text_or(instance, "MetadataOptions.HttpEndpoint", ""),
			      "disabled") == 0;
		applied = strcmp(doc_text_or(instance, "MetadataOptions.State", "applied"),
				  "pending") != 0;
	}
	*ok = off && applied;
	*proof = json_pack("{s:O}", "options", doc_get(instance, "MetadataOptions"));
	if (*ok) {
		phrase_set(*proof, "text",
			N_("The metadata service of {0} is off: the host can fetch no new "
			   "credentials."),
			PHRASE_ARGS(c->id));
	} else if (off) {
		phrase_set(*proof, "text",
			N_("The metadata service of {0} is still being changed."),
			PHRASE_ARGS(c->id));
	} else {
		phrase_set(*proof, "text", N_("The metadata service of {0} still shows as on."),
			PHRASE_ARGS(c->id));
	}
out:
	json_decref(instance);
	return st;
}

/* Everything observe saw, in one call: an enabled endpoint takes all options. */
static json_t *restore_params(const struct action_ctx *c, const json_t *before)
{
	json_t *params = json_deep_copy(json_object_get(before, "options"));
	json_object_set_new(params, "InstanceId", json_string(c->id));
	if (!json_object_get(params, "HttpEndpoint")) {
		json_object_set_new(params, "HttpEndpoint", json_string("enabled"));
	}
	return params;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	json_t *instance = NULL, *now = NULL, *params = NULL, *diffs = json_array();
	enum err_status st = ERR_OK;
	(void)after;
	TRY(ec2_instance(c, &instance, err));
	now = options_of(instance);
	if (!doc_eq(now, json_object_get(before, "options"))) {
		bool ours = strcmp(doc_text_or(now, "HttpEndpoint", ""), "disabled") == 0;
		if (!ours) {
			ec2_differ(diffs, &(struct ec2_difference){ .resource = c->id,
						  .what = "MetadataOptions",
						  .before = json_deep_copy(
							  json_object_get(before, "options")),
						  .now = json_incref(now),
						  .text = N_("The metadata options were "
							     "changed after the step."),
						  .blocking = true });
		}
		if (ours || ec2_forced(c)) {
			params = restore_params(c, before);
			TRY(aws_call(c->aws, "ec2", "ModifyInstanceMetadataOptions", params,
				NULL, err));
		}
	}
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(params);
	json_decref(now);
	json_decref(instance);
	return st;
}

static const char *const calls[] = { "ec2:DescribeInstances",
	"ec2:ModifyInstanceMetadataOptions", NULL };

const struct action action_disable_imds = {
	.name = "disable-imds",
	.title = N_("Switch off the instance metadata service"),
	.why = N_("Whoever runs code on the host can ask the metadata service for credentials "
		  "of the instance role again and again. Without it no new ones can be had."),
	.risk = N_("Software on the host that uses the instance role stops working, the SSM "
		   "agent among it. Credentials already taken stay valid until the role's "
		   "sessions are revoked."),
	.undo_text = N_("The metadata options are set back to exactly what they were, token "
			"requirement and hop limit included."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
