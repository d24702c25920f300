/* disable-login-profile: takes the user's console password away. AWS can't give the same one back. */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/iam.h"
#include "response/actions/registry.h"

#include <string.h>

static enum err_status read_profile(
	const struct action_ctx *c, const char *user, json_t **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "UserName", user), *answer = NULL;
	enum err_status st = aws_call(c->aws, "iam", "GetLoginProfile", params, &answer, err);
	if (st == ERR_NOT_FOUND) {
		err_clear(err);
		*out = NULL;
		st = ERR_OK;
	} else if (st == ERR_OK) {
		*out = json_incref(json_object_get(answer, "LoginProfile"));
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *seen = NULL, *profile = NULL;
	TRY(iam_user(c, &seen, err));
	if (!doc_text(seen, "user")) {
		*before = seen;
		*needed = false;
		seen = NULL;
		goto out;
	}
	TRY(read_profile(c, doc_text(seen, "user"), &profile, err));
	if (!profile) {
		st = ec2_skip(seen, N_("the user has no console password"), before, needed);
	} else {
		json_object_set(seen, "profile", profile);
		*before = seen;
		*needed = true;
	}
	seen = NULL;
out:
	json_decref(profile);
	json_decref(seen);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	const char *user = doc_text_or(before, "user", "");
	json_t *params = json_pack("{s:s}", "UserName", user);
	enum err_status st = ERR_OK;
	for (int try = 0; try < IAM_READS; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		st = aws_call(c->aws, "iam", "DeleteLoginProfile", params, NULL, err);
		/* A profile made or changed moments ago can't be deleted yet. */
		if (st == ERR_OK || !err ||
			strcmp(err->code, "EntityTemporarilyUnmodifiable") != 0) {
			break;
		}
	}
	if (st == ERR_NOT_FOUND) {
		err_clear(err);
		st = ERR_OK;
	}
	if (st == ERR_OK) {
		*after = json_pack("{s:s,s:n}", "user", user, "profile");
	}
	json_decref(params);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const char *user = doc_text_or(before, "user", "");
	json_t *profile = NULL;
	enum err_status st = read_profile(c, user, &profile, err);
	(void)after;
	if (st != ERR_OK) {
		return st;
	}
	*ok = !profile;
	*proof = json_pack("{s:s}", "user", user);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("User {0} has no console password any more. A console session that "
			   "is open goes on until it expires: deny-user ends it."),
			PHRASE_ARGS(user));
	} else {
		phrase_set(*proof, "text", N_("User {0} still has a console password."),
			PHRASE_ARGS(user));
	}
	json_decref(profile);
	return ERR_OK;
}

static const char *const calls[] = { "iam:GetAccessKeyLastUsed", "iam:GetLoginProfile",
	"iam:DeleteLoginProfile", "sts:GetCallerIdentity", NULL };

const struct action action_disable_login_profile = {
	.name = "disable-login-profile",
	.title = N_("Take the user's console password away"),
	.why = N_("An intruder who got hold of a user often sets a password of his own, to "
		  "come back through the console when the keys are gone."),
	.risk = N_("The person behind the user can't sign in to the console until given a new "
		   "password."),
	.undo_text = N_(
		"The old password can't be put back: nobody but its owner knows it. Create a "
		"login profile with a new password when the case is closed."),
	.kinds = "AccessKey",
	.calls = calls,
	.rounds = 1,
	.reversible = false,
	.observe = observe,
	.apply = apply,
	.verify = verify,
};
