#include "response/actions/iam.h"

#include "base/i18n.h"
#include "base/utc.h"
#include "response/actions/ec2.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *iam_deny_all(void)
{
	return json_pack("{s:s,s:[{s:s,s:s,s:s,s:s}]}", "Version", "2012-10-17", "Statement",
		"Sid", "CordonDenyAll", "Effect", "Deny", "Action", "*", "Resource", "*");
}

json_t *iam_deny_older(int64_t cutoff_ms)
{
	char when[32];
	utc_rfc3339((cutoff_ms + 999) / 1000 * 1000, when);
	return json_pack("{s:s,s:[{s:s,s:s,s:s,s:s,s:{s:{s:s}}}]}", "Version", "2012-10-17",
		"Statement", "Sid", "CordonRevokeOlderSessions", "Effect", "Deny", "Action",
		"*", "Resource", "*", "Condition", "DateLessThan", "aws:TokenIssueTime", when);
}

void iam_policy_name(const struct action_ctx *c, const char *word, char out[IAM_NAME_MAX])
{
	snprintf(out, IAM_NAME_MAX, "cordon-%s-%s", word, c->case_id);
	for (char *p = out; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("+=,.@_-", *p)) {
			*p = '-';
		}
	}
}

const char *iam_name_of(const char *arn)
{
	const char *slash = strrchr(arn, '/');
	return slash ? slash + 1 : arn;
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape(const char *text, struct buf *out)
{
	for (const char *p = text; *p; p++) {
		if (*p == '%' && hex_of(p[1]) >= 0 && hex_of(p[2]) >= 0) {
			buf_putc(out, (char)(hex_of(p[1]) * 16 + hex_of(p[2])));
			p += 2;
		} else {
			buf_putc(out, *p);
		}
	}
}

enum err_status iam_document(const char *text, json_t **out, struct err *err)
{
	struct buf plain;
	json_t *doc = NULL;
	buf_init(&plain, IAM_DOCUMENT_MAX);
	/* JSON begins with a brace; RFC 3986 escaping, as IAM answers, with its code. */
	if (text[0] == '%') {
		unescape(text, &plain);
	} else {
		buf_puts(&plain, text);
	}
	enum err_status st = doc_parse(buf_view(&plain), IAM_DOCUMENT_MAX, &doc, err);
	if (st == ERR_OK && !json_is_object(doc)) {
		json_decref(doc);
		st = err_set(err, ERR_INPUT, "the policy is no JSON object");
	} else if (st == ERR_OK) {
		*out = doc;
	} else {
		st = err_prefix(err, "the policy document can't be read");
	}
	buf_deinit(&plain);
	return st;
}

char *iam_text(const json_t *document)
{
	return json_dumps(document, JSON_COMPACT | JSON_ENSURE_ASCII);
}

/* "Get" + "Role" + "Policy"; static storage for both kinds. */
static const char *operation(const struct iam_inline *p, char verb)
{
	bool role = strcmp(p->kind, "Role") == 0;
	switch (verb) {
	case 'g':
		return role ? "GetRolePolicy" : "GetUserPolicy";
	case 'p':
		return role ? "PutRolePolicy" : "PutUserPolicy";
	default:
		return role ? "DeleteRolePolicy" : "DeleteUserPolicy";
	}
}

static json_t *named(const struct iam_inline *p)
{
	return json_pack("{s:s,s:s}", strcmp(p->kind, "Role") == 0 ? "RoleName" : "UserName",
		p->name, "PolicyName", p->policy);
}

enum err_status iam_inline_get(const struct action_ctx *c, const struct iam_inline *p,
	json_t **document, struct err *err)
{
	json_t *params = named(p), *answer = NULL;
	enum err_status st = aws_call(c->aws, "iam", operation(p, 'g'), params, &answer, err);
	if (st == ERR_NOT_FOUND) {
		err_clear(err);
		*document = NULL;
		st = ERR_OK;
	} else if (st == ERR_OK) {
		st = iam_document(doc_text_or(answer, "PolicyDocument", ""), document, err);
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

enum err_status iam_inline_put(const struct action_ctx *c, const struct iam_inline *p,
	const json_t *document, struct err *err)
{
	json_t *params = named(p);
	char *text = iam_text(document);
	json_object_set_new(params, "PolicyDocument", json_string(text));
	enum err_status st = aws_call(c->aws, "iam", operation(p, 'p'), params, NULL, err);
	free(text);
	json_decref(params);
	if (st != ERR_OK && err && strcmp(err->code, "LimitExceeded") == 0) {
		return err_prefix(err,
			"the inline policies of %s have no room left; move one into a managed "
			"policy and resume",
			p->name);
	}
	return st;
}

enum err_status iam_inline_check(const struct action_ctx *c, const struct iam_inline *p,
	const json_t *document, bool *same, struct err *err)
{
	enum err_status st = ERR_OK;
	*same = false;
	for (int try = 0; try < IAM_READS && !*same && st == ERR_OK; try++) {
		json_t *now = NULL;
		if (try > 0) {
			ec2_pause(c, try);
		}
		st = iam_inline_get(c, p, &now, err);
		*same = st == ERR_OK && now && doc_eq(now, document);
		json_decref(now);
	}
	return st;
}

enum err_status iam_inline_undo(const struct action_ctx *c, const struct iam_inline *p,
	const json_t *document, json_t *differences, struct err *err)
{
	json_t *now = NULL, *params = NULL;
	enum err_status st = ERR_OK;
	TRY(iam_inline_get(c, p, &now, err));
	if (!now) {
		goto out;
	}
	if (document && !doc_eq(now, document) && !ec2_forced(c)) {
		ec2_differ(differences,
			&(struct ec2_difference){ .resource = p->name,
				.what = p->policy,
				.before = json_deep_copy(document),
				.now = json_incref(now),
				.text = N_("Somebody rewrote the policy that the step had put "
					   "there; it was left alone."),
				.blocking = true });
		goto out;
	}
	params = named(p);
	st = aws_call(c->aws, "iam", operation(p, 'd'), params, NULL, err);
	if (st == ERR_NOT_FOUND) {
		err_clear(err);
		st = ERR_OK;
	}
out:
	json_decref(params);
	json_decref(now);
	return st;
}

const struct finding_resource *iam_key_resource(const struct action_ctx *c)
{
	const struct finding_resource *first = NULL;
	for (size_t i = 0; c->finding && i < c->finding->n_resources; i++) {
		const struct finding_resource *r = &c->finding->resources[i];
		if (r->kind != FINDING_ACCESS_KEY) {
			continue;
		}
		if (r->id.n > 0 && str_is(r->id, c->id)) {
			return r;
		}
		first = first ? first : r;
	}
	return first;
}

static json_t *no_user(const char *reason)
{
	return json_pack("{s:s}", "reason", reason);
}

/* What the finding says: a user, a reason against, or NULL when it does not say. */
static json_t *user_of_finding(const struct action_ctx *c)
{
	const struct finding_resource *r = iam_key_resource(c);
	if (!r) {
		return NULL;
	}
	if (str_is(r->user_type, "Root")) {
		return no_user(
			N_("the key belongs to the account's root user, whom no IAM policy or "
			   "call can restrain: sign in as root and delete the key"));
	}
	if (str_is(r->user_type, "AssumedRole") || str_starts(str_from(c->id), STR("ASIA"))) {
		return no_user(N_("these are temporary credentials of a role: "
				  "revoke-role-sessions cuts them"));
	}
	if (r->user_name.n == 0 || (r->user_type.n > 0 && !str_is(r->user_type, "IAMUser"))) {
		return NULL;
	}
	return json_pack("{s:o}", "user", doc_str(r->user_name));
}

static enum err_status user_of_key(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "AccessKeyId", c->id), *answer = NULL;
	enum err_status st =
		aws_call(c->aws, "iam", "GetAccessKeyLastUsed", params, &answer, err);
	if (st == ERR_OK && doc_text(answer, "UserName")) {
		*out = json_pack("{s:s}", "user", doc_text(answer, "UserName"));
	} else if (st == ERR_OK || st == ERR_NOT_FOUND) {
		*out = no_user(N_("no user of this account owns the key"));
		err_clear(err);
		st = ERR_OK;
	} else if (st == ERR_DENIED) {
		/* IAM answers so for a key of another account, too. */
		st = err_prefix(err,
			"whose key it is can't be asked: the permission is missing, or the key "
			"belongs to another account (then name its user in the step's "
			"parameters)");
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

enum err_status iam_user(const struct action_ctx *c, json_t **out, struct err *err)
{
	enum err_status st = ERR_OK;
	bool own = false;
	char arn[256];
	json_t *who = NULL;
	const char *given = ec2_with(c, "user", NULL);
	if (given) {
		who = json_pack("{s:s}", "user", given);
	} else if (!(who = user_of_finding(c))) {
		if (!str_starts(str_from(c->id), STR("AKIA"))) {
			*out = no_user(N_("the finding names no IAM user"));
			return ERR_OK;
		}
		TRY(user_of_key(c, &who, err));
	}
	if (doc_text(who, "user")) {
		snprintf(arn, sizeof(arn), "arn:aws:iam::%s:user/%s",
			c->account ? c->account : "", doc_text(who, "user"));
		TRY(iam_is_caller(c, arn, &own, err));
		if (own) {
			json_decref(who);
			who = no_user(N_("this is the user that cordon itself acts as: cutting "
					 "it would end the response; use another identity"));
		}
	}
	*out = who;
	who = NULL;
out:
	json_decref(who);
	return st;
}

/* "arn:aws:iam::ACCOUNT:role/x/NAME" -> its account, type and name as slices. */
static void take_apart(const char *arn, struct str *account, struct str *type, struct str *name)
{
	struct str rest = str_from(arn), piece;
	for (int i = 0; i < 5 && str_cut(&rest, ':', &piece); i++) {
		*account = piece;
	}
	*type = rest;
	*name = rest;
	size_t slash = str_find_char(rest, '/');
	if (slash != SIZE_MAX) {
		*type = str_sub(rest, 0, slash);
		*name = str_from(iam_name_of(arn));
	}
}

enum err_status iam_is_caller(
	const struct action_ctx *c, const char *arn, bool *same, struct err *err)
{
	const char *account, *self;
	struct str a = { 0 }, t, n, sa = { 0 }, st_type, sn;
	enum err_status st = aws_caller(c->aws, &account, &self, err);
	if (st != ERR_OK) {
		return st;
	}
	take_apart(arn, &a, &t, &n);
	take_apart(self, &sa, &st_type, &sn);
	if (str_is(st_type, "assumed-role")) { /* assumed-role/ROLE/SESSION */
		struct str tail = str_from(self), piece;
		(void)str_cut(&tail, '/', &piece);
		(void)str_cut(&tail, '/', &sn);
		st_type = STR("role");
	}
	*same = str_eq(a, sa) && (str_is(t, "root") || (str_eq(t, st_type) && str_eq(n, sn)));
	return ERR_OK;
}

bool iam_is_identity_center(const char *role)
{
	return str_starts(str_from(role), STR("AWSReservedSSO_"));
}

const char *iam_role_refusal(const json_t *role)
{
	struct str path = str_from(doc_text_or(role, "Role.Path", "/"));
	if (str_starts(path, STR("/aws-service-role/"))) {
		return N_("it is a service-linked role: AWS lets nobody revoke its sessions; "
			  "contain the service that uses it");
	}
	if (iam_is_identity_center(doc_text_or(role, "Role.RoleName", "")) ||
		str_starts(path, STR("/aws-reserved/"))) {
		return N_("it is a role of IAM Identity Center and can't be edited: remove the "
			  "account assignment or revoke the user's sessions there");
	}
	return NULL;
}
