#include "response/actions/bucket.h"

#include "base/phrase.h"
#include "response/actions/ec2.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES     4
#define OUR_SID   "CordonDeny"
#define MAX_DOORS 12

void bucket_name(const struct action_ctx *c, char out[BUCKET_NAME_MAX])
{
	size_t n = strcspn(c->id, "/");
	snprintf(out, BUCKET_NAME_MAX, "%.*s", (int)(n < 255 ? n : 255), c->id);
}

static size_t add_plain(const char *text, char *out, size_t n)
{
	/* A Sid takes letters and digits. */
	for (const char *p = text; *p && n < IAM_NAME_MAX - 1; p++) {
		if (isalnum((unsigned char)*p)) {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
	return n;
}

void bucket_sid(const struct action_ctx *c, bool step, char out[IAM_NAME_MAX])
{
	size_t n = add_plain(OUR_SID, out, 0);
	n = add_plain(c->case_id, out, n);
	if (step) {
		(void)add_plain(c->token, out, n);
	}
}

json_t *bucket_arn(const struct action_ctx *c, const char *bucket)
{
	const char *region = c->region ? c->region : "";
	const char *partition = strncmp(region, "cn-", 3) == 0       ? "aws-cn"
				: strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov"
								     : "aws";
	return json_sprintf("arn:%s:s3:::%s", partition, bucket);
}

enum err_status bucket_policy_read(
	const struct action_ctx *c, const char *bucket, char **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "Bucket", bucket), *answer = NULL;
	enum err_status st = aws_call(c->aws, "s3", "GetBucketPolicy", params, &answer, err);
	json_decref(params);
	if (st == ERR_NOT_FOUND && (!err || strcmp(err->code, "NoSuchBucketPolicy") == 0)) {
		err_clear(err);
		*out = NULL;
		return ERR_OK;
	}
	if (st == ERR_OK) {
		*out = str_dup(str_from(doc_text_or(answer, "Policy", "")));
	}
	json_decref(answer);
	return st;
}

static enum err_status write_policy(
	const struct action_ctx *c, const char *bucket, const char *text, struct err *err)
{
	json_t *params = json_pack("{s:s}", "Bucket", bucket);
	const char *operation = "DeleteBucketPolicy";
	if (text) {
		json_object_set_new(params, "Policy", json_string(text));
		operation = "PutBucketPolicy";
	}
	enum err_status st = aws_call(c->aws, "s3", operation, params, NULL, err);
	json_decref(params);
	return st;
}

/* The statements as a list, which they are made when there is one only. Borrowed. */
static json_t *statements_of(json_t *policy)
{
	json_t *list = json_object_get(policy, "Statement");
	if (json_is_object(list)) {
		json_object_set_new(policy, "Statement", json_pack("[O]", list));
	} else if (!json_is_array(list)) {
		json_object_set_new(policy, "Statement", json_array());
	}
	return json_object_get(policy, "Statement");
}

/* Removes what bears the Sid, or with NULL everything of cordon's; the policy's statements become a list. */
static void without(json_t *policy, const char *sid)
{
	json_t *list = statements_of(policy);
	for (size_t i = json_array_size(list); i-- > 0;) {
		const char *s = doc_text_or(json_array_get(list, i), "Sid", "");
		if (sid ? strcmp(s, sid) == 0 : strncmp(s, OUR_SID, strlen(OUR_SID)) == 0) {
			json_array_remove(list, i);
		}
	}
}

enum err_status bucket_policy_merged(const char *bucket, const char *text,
	const json_t *statement, json_t **out, struct err *err)
{
	json_t *policy = NULL;
	if (text) {
		enum err_status st = iam_document(text, &policy, err);
		if (st != ERR_OK) {
			return st;
		}
	} else {
		policy = json_pack("{s:s}", "Version", "2012-10-17");
	}
	without(policy, doc_text_or(statement, "Sid", ""));
	json_array_append_new(statements_of(policy), json_deep_copy(statement));
	char *size = iam_text(policy);
	size_t n = strlen(size);
	free(size);
	if (n > BUCKET_POLICY_MAX) {
		json_decref(policy);
		return err_set(err, ERR_LIMIT,
			"the policy of bucket %s would have %zu bytes and S3 takes %d: shorten "
			"it, or cut the principal with deny-user or revoke-role-sessions",
			bucket, n, BUCKET_POLICY_MAX);
	}
	*out = policy;
	return ERR_OK;
}

enum err_status bucket_policy_has(const struct action_ctx *c, const char *bucket,
	const json_t *statement, bool *has, struct err *err)
{
	char *text = NULL;
	json_t *policy = NULL, *s;
	size_t i;
	enum err_status st = ERR_OK;
	*has = false;
	TRY(bucket_policy_read(c, bucket, &text, err));
	if (text) {
		TRY(iam_document(text, &policy, err));
		json_array_foreach(statements_of(policy), i, s)
		{
			*has = *has || doc_eq(s, statement);
		}
	}
out:
	json_decref(policy);
	free(text);
	return st;
}

enum err_status bucket_policy_add(const struct action_ctx *c, const char *bucket,
	const json_t *statement, struct err *err)
{
	enum err_status st = ERR_OK;
	bool there = false;
	for (int try = 0; try < TRIES && !there && st == ERR_OK; try++) {
		char *present = NULL, *text = NULL;
		json_t *policy = NULL;
		if (try > 0) {
			ec2_pause(c, try);
		}
		/* What is there now, not what was: somebody may have written in between. */
		st = bucket_policy_read(c, bucket, &present, err);
		if (st == ERR_OK) {
			st = bucket_policy_merged(bucket, present, statement, &policy, err);
		}
		if (st == ERR_OK) {
			text = iam_text(policy);
			st = write_policy(c, bucket, text, err);
		}
		if (st == ERR_OK) {
			st = bucket_policy_has(c, bucket, statement, &there, err);
		}
		free(text);
		free(present);
		json_decref(policy);
	}
	return st;
}

/* Puts the rest back: the old text when it says the same, the policy without ours, or none at all. */
static enum err_status put_rest(const struct action_ctx *c, const char *bucket, json_t *now,
	const char *old, struct err *err)
{
	struct err ignored = { 0 };
	json_t *was = NULL;
	char *text = NULL;
	bool same = old && iam_document(old, &was, &ignored) == ERR_OK;
	if (same) {
		(void)statements_of(was);
		same = doc_eq(was, now);
	}
	if (!same && json_array_size(statements_of(now)) > 0) {
		text = iam_text(now);
	}
	enum err_status st = write_policy(c, bucket, same ? old : text, err);
	free(text);
	json_decref(was);
	return st;
}

/* What remains without any statement of cordon's differs from what was there before the step. */
static bool foreign_change(const json_t *now, const char *old)
{
	struct err ignored = { 0 };
	json_t *rest = json_deep_copy(now), *was = NULL;
	without(rest, NULL);
	bool changed = json_array_size(statements_of(rest)) > 0;
	if (old && iam_document(old, &was, &ignored) == ERR_OK) {
		without(was, NULL);
		changed = !doc_eq(statements_of(was), statements_of(rest));
	}
	json_decref(was);
	json_decref(rest);
	return changed;
}

/* Cordon's own statements but the one with this Sid; new reference. */
static json_t *ours(json_t *policy, const char *but)
{
	json_t *out = json_array(), *s;
	size_t i;
	json_array_foreach(statements_of(policy), i, s)
	{
		const char *sid = doc_text_or(s, "Sid", "");
		if (strncmp(sid, OUR_SID, strlen(OUR_SID)) == 0 && strcmp(sid, but) != 0) {
			json_array_append(out, s);
		}
	}
	return out;
}

/* The old policy, whatever is there now; other steps' statements stand or are gone as they are now. */
static enum err_status force_back(const struct action_ctx *c, const char *bucket,
	const char *present, const char *old, const char *sid, struct err *err)
{
	json_t *was = NULL, *now = NULL, *stand = NULL, *stood = NULL;
	char *text = NULL;
	enum err_status st = ERR_OK;
	if (old) {
		TRY(iam_document(old, &was, err));
	} else {
		was = json_pack("{s:s}", "Version", "2012-10-17");
	}
	if (present) {
		TRY(iam_document(present, &now, err));
	} else {
		now = json_object();
	}
	stand = ours(now, sid);
	stood = ours(was, "");
	if (doc_eq(stand, stood)) {
		st = write_policy(c, bucket, old, err);
		goto out;
	}
	without(was, NULL);
	json_array_extend(statements_of(was), stand);
	text = json_array_size(statements_of(was)) > 0 ? iam_text(was) : NULL;
	st = write_policy(c, bucket, text, err);
out:
	free(text);
	json_decref(stood);
	json_decref(stand);
	json_decref(now);
	json_decref(was);
	return st;
}

static void differ(json_t *differences, const char *bucket, const char *old, json_t *now,
	const char *text, bool blocking)
{
	ec2_differ(differences, &(struct ec2_difference){ .resource = bucket,
					.what = "BucketPolicy",
					.before = json_string(old ? old : "none"),
					.now = now,
					.text = text,
					.blocking = blocking });
}

enum err_status bucket_policy_undo(const struct action_ctx *c, const char *bucket,
	const char *old, const json_t *statement, json_t *differences, struct err *err)
{
	char *text = NULL;
	json_t *now = NULL;
	enum err_status st = ERR_OK;
	old = strcmp(old, "none") == 0 ? NULL : old;
	TRY(bucket_policy_read(c, bucket, &text, err));
	if (!text && old && !ec2_forced(c)) {
		differ(differences, bucket, old, NULL,
			N_("Somebody deleted the policy after the step; it was not put back."),
			true);
		goto out;
	}
	if (!text || ec2_forced(c)) {
		const char *sid = doc_text_or(statement, "Sid", "");
		TRY(text || old ? force_back(c, bucket, text, old, sid, err) : ERR_OK);
		goto out;
	}
	TRY(iam_document(text, &now, err));
	size_t n = json_array_size(statements_of(now));
	without(now, doc_text_or(statement, "Sid", ""));
	if (json_array_size(statements_of(now)) == n) {
		goto out; /* ours is not in it (any more) */
	}
	if (foreign_change(now, old)) {
		differ(differences, bucket, old, json_deep_copy(now),
			N_("Somebody changed the policy after the step: the step's statement "
			   "was taken out and the rest left as it is."),
			false);
	}
	TRY(put_rest(c, bucket, now, old, err));
out:
	json_decref(now);
	free(text);
	return st;
}

enum err_status bucket_statement_apply(
	const struct action_ctx *c, json_t *statement_taken, json_t **after, struct err *err)
{
	enum err_status st = bucket_policy_add(c, c->id, statement_taken, err);
	if (st == ERR_OK) {
		*after = json_pack("{s:O}", "statement", statement_taken);
	}
	json_decref(statement_taken);
	return st;
}

enum err_status bucket_statement_undo(const struct action_ctx *c, const json_t *before,
	json_t *statement_taken, json_t **differences, struct err *err)
{
	json_t *diffs = json_array();
	enum err_status st = bucket_policy_undo(
		c, c->id, doc_text_or(before, "policy", "none"), statement_taken, diffs, err);
	json_decref(statement_taken);
	if (st != ERR_OK) {
		json_decref(diffs);
		return st;
	}
	return ec2_undone(c, diffs, differences, err);
}

/* The account in a principal ("arn:aws:iam::ACCOUNT:..", the bare number), or "". */
static struct str account_of(const char *principal)
{
	struct str rest = str_from(principal), piece = { 0 };
	if (!str_starts(rest, STR("arn:"))) {
		return rest;
	}
	for (int i = 0; i < 5 && str_cut(&rest, ':', &piece); i++) {
	}
	return piece;
}

static void add_foreign(const struct action_ctx *c, const json_t *principal, json_t *doors)
{
	const char *text = json_string_value(principal);
	if (!text || json_array_size(doors) >= MAX_DOORS) {
		return;
	}
	if (strcmp(text, "*") == 0) {
		json_array_append_new(
			doors, phrase_new(N_("The bucket's policy lets everybody in."), NULL));
	} else if (!str_is(account_of(text), c->account ? c->account : "")) {
		json_array_append_new(doors,
			phrase_new(N_("The bucket's policy lets another account in: {0}."),
				PHRASE_ARGS(text)));
	}
}

static void foreign_principals(const struct action_ctx *c, const char *policy, json_t *doors)
{
	struct err ignored = { 0 };
	json_t *doc = NULL, *statement, *one;
	size_t i, k;
	if (!policy || iam_document(policy, &doc, &ignored) != ERR_OK) {
		return;
	}
	json_array_foreach(statements_of(doc), i, statement)
	{
		json_t *p = json_object_get(statement, "Principal");
		json_t *aws = json_is_object(p) ? json_object_get(p, "AWS") : p;
		if (strcmp(doc_text_or(statement, "Effect", ""), "Allow") != 0) {
			continue;
		}
		add_foreign(c, aws, doors);
		json_array_foreach(aws, k, one)
		{
			add_foreign(c, one, doors);
		}
	}
	json_decref(doc);
}

static void replication(const struct action_ctx *c, const char *bucket, json_t *doors)
{
	struct err ignored = { 0 };
	json_t *params = json_pack("{s:s}", "Bucket", bucket), *answer = NULL, *rule;
	size_t i;
	if (aws_call(c->aws, "s3", "GetBucketReplication", params, &answer, &ignored) ==
		ERR_OK) {
		json_array_foreach(doc_get(answer, "ReplicationConfiguration.Rules"), i, rule)
		{
			const char *to = doc_text_or(rule, "Destination.Bucket", "?");
			if (i < MAX_DOORS &&
				strcmp(doc_text_or(rule, "Status", ""), "Enabled") == 0) {
				json_array_append_new(
					doors, phrase_new(N_("Objects are replicated to {0}."),
						       PHRASE_ARGS(to)));
			}
		}
	}
	json_decref(answer);
	json_decref(params);
}

json_t *bucket_doors(const struct action_ctx *c, const char *bucket, const char *policy)
{
	json_t *doors = json_array();
	foreign_principals(c, policy, doors);
	replication(c, bucket, doors);
	json_array_append_new(doors,
		phrase_new(
			N_("A presigned URL works with the rights of whoever signed it: it is "
			   "closed with its signer, who may be another than the one denied."),
			NULL));
	json_array_append_new(doors, phrase_new(N_("Access points and S3 Access Grants are "
						   "policies of their own: a deny in the "
						   "bucket's policy holds for them too, an "
						   "allow in theirs does not show here."),
					     NULL));
	return doors;
}

/*
 * aws:PrincipalArn of a session is the role's ARN with its path, which the session's own ARN does not
 * tell: so both forms, without and with a path.
 */
static void add_self(const char *self, json_t *list)
{
	struct str rest = str_from(self), piece = { 0 }, account = { 0 }, partition = { 0 };
	for (int i = 0; i < 5 && str_cut(&rest, ':', &piece); i++) {
		partition = i == 1 ? piece : partition;
		account = i == 4 ? piece : account;
	}
	json_array_append_new(list,
		json_sprintf("arn:%.*s:iam::%.*s:root", STR_ARG(partition), STR_ARG(account)));
	if (str_starts(rest, STR("assumed-role/"))) {
		(void)str_cut(&rest, '/', &piece);
		(void)str_cut(&rest, '/', &piece);
		json_array_append_new(
			list, json_sprintf("arn:%.*s:iam::%.*s:role/%.*s", STR_ARG(partition),
				      STR_ARG(account), STR_ARG(piece)));
		json_array_append_new(
			list, json_sprintf("arn:%.*s:iam::%.*s:role/*/%.*s", STR_ARG(partition),
				      STR_ARG(account), STR_ARG(piece)));
	} else if (!str_is(rest, "root")) {
		json_array_append_new(list, json_string(self));
	}
}

enum err_status bucket_exempt(const struct action_ctx *c, json_t **out, struct err *err)
{
	const char *account, *self;
	json_t *list, *v;
	size_t i;
	enum err_status st = aws_caller(c->aws, &account, &self, err);
	if (st != ERR_OK) {
		return st;
	}
	list = json_array();
	add_self(self, list);
	json_array_foreach(json_object_get(c->with, "allow"), i, v)
	{
		if (json_is_string(v) && i < BUCKET_ALLOW_MAX) {
			json_array_append(list, v);
		}
	}
	*out = list;
	return ERR_OK;
}
