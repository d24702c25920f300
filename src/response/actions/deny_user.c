/* deny-user: an inline policy that denies a user everything, whatever keys or sessions it has. */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/iam.h"
#include "response/actions/registry.h"

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *seen = NULL, *there = NULL, *same = NULL;
	char policy[IAM_NAME_MAX];
	TRY(iam_user(c, &seen, err));
	if (!doc_text(seen, "user")) {
		*before = seen; /* "reason" is in it */
		*needed = false;
		seen = NULL;
		goto out;
	}
	iam_policy_name(c, "deny", policy);
	const struct iam_inline p = { "User", doc_text(seen, "user"), policy };
	TRY(iam_inline_get(c, &p, &there, err));
	json_object_set_new(seen, "policy", json_string(policy));
	same = iam_deny_all();
	if (there && doc_eq(there, same)) {
		st = ec2_skip(
			seen, N_("the user is denied everything already"), before, needed);
	} else {
		*before = seen;
		*needed = true;
	}
	seen = NULL;
out:
	json_decref(same);
	json_decref(there);
	json_decref(seen);
	return st;
}

static struct iam_inline inline_of(const json_t *before)
{
	return (struct iam_inline){ "User", doc_text_or(before, "user", ""),
		doc_text_or(before, "policy", "") };
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	const struct iam_inline p = inline_of(before);
	json_t *document = iam_deny_all();
	enum err_status st = iam_inline_put(c, &p, document, err);
	if (st == ERR_OK) {
		*after = json_pack("{s:s,s:s,s:O}", "user", p.name, "policy", p.policy,
			"document", document);
	}
	json_decref(document);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const struct iam_inline p = inline_of(before);
	bool same = false;
	enum err_status st =
		iam_inline_check(c, &p, json_object_get(after, "document"), &same, err);
	if (st != ERR_OK) {
		return st;
	}
	*ok = same;
	*proof = json_pack("{s:s,s:s}", "user", p.name, "policy", p.policy);
	if (same) {
		phrase_set(*proof, "text",
			N_("User {0} carries the policy {1} that denies everything."),
			PHRASE_ARGS(p.name, p.policy));
	} else {
		phrase_set(*proof, "text",
			N_("User {0} does not carry the policy {1} as it was written."),
			PHRASE_ARGS(p.name, p.policy));
	}
	return ERR_OK;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	const struct iam_inline p = inline_of(before);
	json_t *diffs = json_array();
	enum err_status st =
		iam_inline_undo(c, &p, json_object_get(after, "document"), diffs, err);
	if (st != ERR_OK) {
		json_decref(diffs);
		return st;
	}
	return ec2_undone(c, diffs, differences, err);
}

static const char *const calls[] = { "iam:GetAccessKeyLastUsed", "iam:GetUserPolicy",
	"iam:PutUserPolicy", "iam:DeleteUserPolicy", "sts:GetCallerIdentity", NULL };

const struct action action_deny_user = {
	.name = "deny-user",
	.title = N_("Deny the user everything"),
	.why = N_("A user may hold a second key, a console password and sessions made from "
		  "them. An explicit deny beats every permission, whichever of them is used."),
	.risk = N_("Everything that runs under this user stops: scripts, deployments, people."),
	.undo_text =
		N_("The policy that the step added is deleted; all others were not touched."),
	.kinds = "AccessKey",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
