/*
 * disable-access-key: makes the key of the finding inactive; with {"all": true} every active key
 * of its user. Undo never wakes the finding's own key, which the case holds for leaked, unless it is forced.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/iam.h"
#include "response/actions/registry.h"

#include <string.h>

static enum err_status list_keys(
	const struct action_ctx *c, const char *user, json_t **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "UserName", user), *answer = NULL, *k;
	enum err_status st =
		aws_call_paged(c->aws, "iam", "ListAccessKeys", params, 10, &answer, err);
	json_t *keys = json_object();
	size_t i;
	json_array_foreach(json_object_get(answer, "AccessKeyMetadata"), i, k)
	{
		json_object_set(
			keys, doc_text_or(k, "AccessKeyId", ""), json_object_get(k, "Status"));
	}
	if (st == ERR_OK) {
		*out = json_incref(keys);
	}
	json_decref(keys);
	json_decref(answer);
	json_decref(params);
	return st;
}

static bool active(const json_t *status)
{
	return json_is_string(status) && strcmp(json_string_value(status), "Active") == 0;
}

static bool meant(const struct action_ctx *c, const char *key)
{
	return strcmp(key, c->id) == 0 || doc_true(c->with, "all");
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *seen = NULL, *keys = NULL, *chosen = json_object(), *status;
	const char *key;
	bool any = false;
	TRY(iam_user(c, &seen, err));
	if (!doc_text(seen, "user")) {
		*before = seen;
		*needed = false;
		seen = NULL;
		goto out;
	}
	TRY(list_keys(c, doc_text(seen, "user"), &keys, err));
	json_object_foreach(keys, key, status)
	{
		if (meant(c, key)) {
			json_object_set(chosen, key, status);
			any = any || active(status);
		}
	}
	json_object_set_new(seen, "leaked", json_string(c->id));
	json_object_set(seen, "keys", chosen);
	if (!any) {
		st = ec2_skip(seen,
			json_object_size(chosen) > 0 ? N_("the key is inactive already")
						     : N_("the user has no such key"),
			before, needed);
	} else {
		*before = seen;
		*needed = true;
	}
	seen = NULL;
out:
	json_decref(chosen);
	json_decref(keys);
	json_decref(seen);
	return st;
}

static enum err_status set_status(const struct action_ctx *c, const char *user, const char *key,
	const char *status, struct err *err)
{
	json_t *params = json_pack(
		"{s:s,s:s,s:s}", "UserName", user, "AccessKeyId", key, "Status", status);
	enum err_status st = aws_call(c->aws, "iam", "UpdateAccessKey", params, NULL, err);
	json_decref(params);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	enum err_status st = ERR_OK;
	const char *user = doc_text_or(before, "user", ""), *key;
	json_t *status, *keys = json_object();
	json_object_foreach(json_object_get(before, "keys"), key, status)
	{
		if (active(status)) {
			TRY(set_status(c, user, key, "Inactive", err));
		}
		json_object_set_new(keys, key, json_string("Inactive"));
	}
	*after = json_pack("{s:s,s:O}", "user", user, "keys", keys);
out:
	json_decref(keys);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	enum err_status st = ERR_OK;
	const char *user = doc_text_or(before, "user", ""), *key;
	json_t *now = NULL, *status;
	bool done = false;
	for (int try = 0; try < IAM_READS && !done; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(now);
		now = NULL;
		TRY(list_keys(c, user, &now, err));
		done = true;
		json_object_foreach(json_object_get(after, "keys"), key, status)
		{
			done = done && !active(json_object_get(now, key));
		}
	}
	*ok = done;
	*proof = json_pack("{s:s,s:O}", "user", user, "keys", now);
	if (done) {
		phrase_set(*proof, "text",
			N_("The access keys of user {0} are inactive ({1}). Sessions made from "
			   "them before go on until they expire."),
			PHRASE_ARGS(user, PHRASE_NUMBER(json_object_size(
						  json_object_get(after, "keys")))));
	} else {
		phrase_set(*proof, "text",
			N_("Not all access keys of user {0} are inactive ({1} should be)."),
			PHRASE_ARGS(user, PHRASE_NUMBER(json_object_size(
						  json_object_get(after, "keys")))));
	}
out:
	json_decref(now);
	return st;
}

/* One key back to what it was, or the reason why not in `diffs`. */
static enum err_status wake(const struct action_ctx *c, const json_t *before, const char *key,
	json_t *diffs, struct err *err)
{
	if (strcmp(doc_text_or(before, "leaked", c->id), key) == 0 && !ec2_forced(c)) {
		ec2_differ(diffs,
			&(struct ec2_difference){ .resource = key,
				.what = "Status",
				.before = json_string("Active"),
				.now = json_string("Inactive"),
				.text = N_("The key was in foreign hands and stays inactive: "
					   "give the user a new one, or force the undo."),
				.blocking = true });
		return ERR_OK;
	}
	return set_status(c, doc_text_or(before, "user", ""), key, "Active", err);
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *now = NULL, *status, *diffs = json_array();
	const char *key;
	(void)after;
	TRY(list_keys(c, doc_text_or(before, "user", ""), &now, err));
	json_object_foreach(json_object_get(before, "keys"), key, status)
	{
		const json_t *present = json_object_get(now, key);
		if (!active(status) || active(present)) {
			continue;
		}
		if (!present) {
			ec2_differ(diffs, &(struct ec2_difference){ .resource = key,
						  .what = "AccessKey",
						  .before = json_incref(status),
						  .text = N_("The key was deleted meanwhile."),
						  .blocking = false });
			continue;
		}
		TRY(wake(c, before, key, diffs, err));
	}
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(now);
	return st;
}

static const char *const calls[] = { "iam:GetAccessKeyLastUsed", "iam:ListAccessKeys",
	"iam:UpdateAccessKey", "sts:GetCallerIdentity", NULL };

const struct action action_disable_access_key = {
	.name = "disable-access-key",
	.title = N_("Make the access key inactive"),
	.why = N_(
		"A leaked key is a door that stays open until somebody shuts it. Inactive, it "
		"signs nothing more, and can still be looked at."),
	.risk = N_("Whatever uses the key stops until it gets a new one."),
	.undo_text =
		N_("Other keys of the user get their status back. The key that leaked stays "
		   "inactive unless the undo is forced."),
	.kinds = "AccessKey",
	.calls = calls,
	.rounds = 2,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
