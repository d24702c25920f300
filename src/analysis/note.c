/* The calls that matter, with the parameters that make them matter, and the credentials they make. */
#include "analysis/track.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX   (1024u * 1024)
#define SQUEEZE_MAX (64u * 1024)

/*
 * The parameters without blanks and backslashes: a policy is JSON inside a JSON string, and both
 * spellings must look the same.
 */
static struct str squeeze(const struct event *e, char *out)
{
	struct str raw = str_sub(scan_raw(e->tape, e->request), 0, SQUEEZE_MAX);
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];
		if (c == '\\' && i + 1 < raw.n &&
			(raw.p[i + 1] == 'n' || raw.p[i + 1] == 't')) {
			i++;
		} else if (c != '\\' && c != ' ' && c != '\n' && c != '\t' && c != '\r') {
			out[n++] = c;
		}
	}
	return (struct str){ out, n };
}

static bool holds_any(struct str s, const char *const *needles)
{
	for (; *needles; needles++) {
		if (str_find(s, str_from(*needles)) != SIZE_MAX) {
			return true;
		}
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number of exactly twelve digits that is not one of our own accounts. */
static bool names_other_account(struct str s, struct str own, struct str arn, struct str *found)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i])) {
			continue;
		}
		size_t n = 1;
		while (i + n < s.n && is_digit(s.p[i + n])) {
			n++;
		}
		struct str number = str_sub(s, i, n);
		bool joined = i > 0 && (s.p[i - 1] == '-' || s.p[i - 1] == '.');
		if (n == 12 && !joined && !str_eq(number, own) &&
			str_find(arn, number) == SIZE_MAX) {
			*found = number;
			return true;
		}
		i += n;
	}
	return false;
}

static bool opens_to_all(struct str s)
{
	static const char *const marks[] = { "\"Principal\":\"*\"", "\"AWS\":\"*\"", "AllUsers",
		"AuthenticatedUsers", "0.0.0.0/0", "::/0", "\"group\":\"all\"", "[\"all\"]",
		"\"principal\":\"*\"", "\"publiclyAccessible\":true", NULL };
	return holds_any(s, marks);
}

/* Opened to everybody for web pages only: what a web server is for. */
static bool is_web_rule(struct str s)
{
	struct str mark = STR("\"fromPort\":");
	size_t found = 0;
	for (size_t at = str_find(s, mark); at != SIZE_MAX; at = str_find(s, mark)) {
		s = str_sub(s, at + mark.n, SIZE_MAX);
		struct str port = str_sub(s, 0, 4);
		bool web = str_starts(port, STR("443")) || str_starts(port, STR("80,")) ||
			   str_starts(port, STR("80}"));
		if (!web) {
			return false;
		}
		found++;
	}
	return found > 0;
}

static bool gives_all_rights(struct str s)
{
	static const char *const marks[] = { "policy/AdministratorAccess", "\"Action\":\"*\"",
		"\"Action\":[\"*\"]", "policy/IAMFullAccess", "policy/PowerUserAccess", NULL };
	return holds_any(s, marks);
}

/* Name of a role out of ".../role/path/NAME". */
static struct str last_part(struct str arn)
{
	size_t at = arn.n;
	while (at > 0 && arn.p[at - 1] != '/') {
		at--;
	}
	return str_sub(arn, at, SIZE_MAX);
}

static bool is_self(const struct event *e, const struct api *api, struct str subject)
{
	if (!(api->tags & (API_PRIVILEGE | API_CREDENTIAL | API_PERSIST))) {
		return false;
	}
	if (subject.n == 0) {
		return str_is(e->name, "CreateAccessKey");
	}
	struct str me = e->identity == EVENT_ASSUMED_ROLE ? last_part(e->who->issuer_arn)
							  : e->who->user_name;
	return me.n > 0 && str_eq(me, subject);
}

static void add_note(struct track *t, const struct track_note *note)
{
	if (t->n_notes == t->cap_notes) {
		if (t->cap_notes >= NOTES_MAX) {
			t->refused++;
			return;
		}
		t->cap_notes = t->cap_notes ? t->cap_notes * 2 : 256;
		t->notes = realloc(t->notes, t->cap_notes * sizeof(*t->notes));
		if (!t->notes) {
			BUG("out of memory");
		}
	}
	t->notes[t->n_notes++] = *note;
}

static void add_issue(
	struct track *t, struct str what, uint32_t edge, const struct track_ref *ref)
{
	if (what.n == 0) {
		return;
	}
	bool fresh = false;
	size_t at = table_add(&t->issues, table_hash(t->seed, what), &fresh);
	if (at == SIZE_MAX) {
		return;
	}
	struct track_issue *i = table_at(&t->issues, at);
	if (fresh || track_ref_cmp(t, ref, &i->ref) < 0) {
		*i = (struct track_issue){
			.what = pool_put(&t->pool, what), .edge = edge, .ref = *ref
		};
	}
}

static void note_issue(
	struct track *t, const struct event *e, uint32_t edge, const struct track_ref *ref)
{
	struct str key = event_text(e, e->response, "credentials.accessKeyId");
	if (key.n) {
		add_issue(t, key, edge, ref);
		struct str session = event_text(e, e->response, "assumedRoleUser.arn");
		if (str_find(session, STR("/i-")) == SIZE_MAX) {
			add_issue(t, session, edge, ref);
		}
		return;
	}
	key = event_text(e, e->response, "accessKey.accessKeyId");
	if (key.n) {
		add_issue(t, key, edge, ref);
		return;
	}
	/* Who makes a user has all its credentials; who sets a password, the sign-ins after. */
	bool user = str_is(e->name, "CreateUser");
	if (user || str_is(e->name, "CreateLoginProfile") ||
		str_is(e->name, "UpdateLoginProfile")) {
		char what[160];
		struct str name = event_text(e, e->request, "userName");
		int n = snprintf(what, sizeof(what), "%s/%.*s/%.*s", user ? "user" : "password",
			STR_ARG(str_sub(e->account, 0, 20)), STR_ARG(str_sub(name, 0, 128)));
		add_issue(t, (struct str){ what, n > 0 ? (size_t)n : 0 }, edge, ref);
	}
}

/* The first port that a rule opens, or "-1" for all. */
static struct str first_port(const struct event *e)
{
	uint32_t items = scan_path(e->tape, e->request, "ipPermissions.items");
	uint32_t rule = scan_first(e->tape, items);
	return scan_raw(e->tape, scan_member(e->tape, rule, STR("fromPort")));
}

/* The one detail that a sentence about the call needs. */
static struct str detail_of(const struct event *e, const struct api *api, struct str other)
{
	if (other.n) {
		return other;
	}
	if (api->tags & API_CREDENTIAL) {
		return event_text(e, e->response, "accessKey.accessKeyId");
	}
	if (str_is(e->name, "RunInstances")) {
		return event_text(e, e->request, "instanceType");
	}
	if (str_is(e->name, "AuthorizeSecurityGroupIngress")) {
		return first_port(e);
	}
	struct str policy = event_text(e, e->request, "policyArn");
	return policy.n ? policy : event_text(e, e->request, "policyName");
}

#define ISSUES (API_ASSUME | API_CREDENTIAL | API_PERSIST)

static bool by_service(const struct track *t, uint32_t edge)
{
	return track_holder_at(t, track_edge_at(t, edge)->holder)->kind == TRACK_SERVICE;
}

/* The other account's copy of the call names its maker; this one only the account. */
static bool may_issue(const struct event *e, const struct track_row *row)
{
	return row->ok && e->identity != EVENT_ACCOUNT && row->api->tags & ISSUES;
}

/*
 * Reading data and taking roles is counted, not kept one by one: the relations hold what is needed of it.
 * Of what AWS itself does only the quarantine of a stolen key matters.
 */
static bool may_keep(const struct track *t, const struct event *e, const struct track_row *row)
{
	unsigned kept = row->api->tags & ~(unsigned)(API_DATA | API_ASSUME | API_WHOAMI);
	return kept && (str_is(e->name, "AttachUserPolicy") || !by_service(t, row->edge));
}

bool track_may_note(const struct track *t, const struct event *e, const struct track_row *row)
{
	return may_issue(e, row) || may_keep(t, e, row);
}

static bool is_quarantine(const struct event *e)
{
	return str_is(e->name, "AttachUserPolicy") &&
	       str_find(event_text(e, e->request, "policyArn"),
		       STR("AWSCompromisedKeyQuarantine")) != SIZE_MAX;
}

void track_note_event(struct track *t, const struct event *e, const struct track_row *row,
	const struct track_ref *ref)
{
	const struct api *api = row->api;
	uint32_t edge = row->edge;
	bool ok = row->ok;
	bool service = by_service(t, edge);
	if (may_issue(e, row)) {
		note_issue(t, e, service ? UINT32_MAX : edge, ref);
	}
	if (!may_keep(t, e, row) || (service && !is_quarantine(e))) {
		return;
	}
	static _Thread_local char room[SQUEEZE_MAX];
	struct str text = squeeze(e, room);
	struct str other = { "", 0 };
	struct track_note n = { .ref = *ref, .api = api, .edge = edge, .ok = ok };
	struct str subject = event_subject(e);
	if (str_is(e->name, "ConsoleLogin")) {
		n.mfa = str_is(event_text(e, e->extra, "MFAUsed"), "Yes");
	} else {
		n.everybody = opens_to_all(text) && !is_web_rule(text);
		n.outside = names_other_account(text, e->account, e->who->arn, &other) ||
			    n.everybody;
		n.admin = gives_all_rights(text);
		n.self = is_self(e, api, subject);
	}
	n.target = pool_put(&t->pool, event_target(e));
	n.subject = pool_put(&t->pool, subject);
	n.detail = pool_put(&t->pool, detail_of(e, api, other));
	n.outcome = pool_put(&t->pool, str_sub(e->error_code, 0, 64));
	add_note(t, &n);
}

static int order(const void *a, const void *b, void *ctx)
{
	const struct track_note *x = a;
	const struct track_note *y = b;
	if (x->edge != y->edge) {
		return x->edge < y->edge ? -1 : 1;
	}
	return track_ref_cmp(ctx, &x->ref, &y->ref);
}

void track_drop_copies(struct track *t)
{
	size_t n = 0;
	if (t->n_notes) {
		qsort_r(t->notes, t->n_notes, sizeof(*t->notes), order, t);
	}
	for (size_t i = 0; i < t->n_notes; i++) {
		if (n == 0 || order(&t->notes[i], &t->notes[n - 1], t) != 0) {
			t->notes[n++] = t->notes[i];
		}
	}
	t->n_notes = n;
}
