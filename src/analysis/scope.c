/*
 * What the attack touched: the list that containment and recovery work from, and what nobody can
 * tell from the logs read. Rows only gain members; who acts on them (credentials that an intruder
 * made are to be cut as well) reads "kind" and "id".
 */
#include "analysis/contacts.h"
#include "analysis/inquiry.h"
#include "analysis/ruling.h"

#include "base/i18n.h"
#include "base/utc.h"

#include <string.h>

#define SCOPE_MAX 1000

struct scope {
	const struct inquiry *q;
	json_t *persistence, *data, *changed, *credentials, *unproven;
	bool blinded;
};

/* What a call left behind, and what is to be named to undo it. */
static const struct {
	const char *call, *kind;
	bool by_detail; /* the id is the detail (a key's), else the user, role or thing named */
} kinds[] = {
	{ "CreateAccessKey", "access_key", true },
	{ "CreateLoginProfile", "password", false },
	{ "UpdateLoginProfile", "password", false },
	{ "CreateUser", "user", false },
	{ "CreateRole", "role", false },
	{ "UpdateAssumeRolePolicy", "trust_policy", false },
	{ "CreateSAMLProvider", "identity_provider", false },
	{ "CreateOpenIDConnectProvider", "identity_provider", false },
	{ "CreateTrustAnchor", "trust_anchor", false },
	{ "CreateProfile", "trust_anchor", false },
	{ "CreateKeyPair", "key_pair", false },
	{ "ImportKeyPair", "key_pair", false },
	{ "GetSigninToken", "console_session", false },
	{ "GetFederationToken", "federated_session", true },
	{ "CreateFunction", "function", false },
	{ "UpdateFunctionCode", "function", false },
	{ "CreateFunctionUrlConfig", "function", false },
	{ "AddPermission", "function", false },
	{ "CreateImage", "image", false },
	{ "AddUserToGroup", "group_membership", false },
};

static void name_kind(const struct scope *s, json_t *row, const struct track_note *n)
{
	const char *kind = n->api->tags & API_PRIVILEGE ? "policy" : "other";
	const char *id = inquiry_text(s->q, n->subject ? n->subject : n->target);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(n->api->name, kinds[i].call) == 0) {
			kind = kinds[i].kind;
			id = kinds[i].by_detail && n->detail ? inquiry_text(s->q, n->detail)
							     : id;
		}
	}
	json_object_set_new(row, "kind", json_string(kind));
	json_object_set_new(row, "id", doc_str(str_from(id)));
}

static void row(const struct scope *s, json_t *list, const struct track_note *n)
{
	const struct track *t = s->q->t;
	const struct track_edge *e = track_edge_at(t, n->edge);
	const struct track_holder *h = track_holder_at(t, e->holder);
	char when[32];
	char id[128];
	utc_rfc3339(n->ref.time_ms, when);
	track_ref_text(t, &n->ref, id, sizeof(id));
	if (json_array_size(list) >= SCOPE_MAX) {
		return;
	}
	json_t *row = json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "time", when, "action",
		n->api->name, "target", doc_str(track_text(t, n->target)), "detail",
		doc_str(track_text(t, n->detail)), "event", doc_str(str_from(id)), "user",
		doc_str(track_text(t, n->subject)), "account",
		doc_str(track_text(t, h->account)), "by", doc_str(track_text(t, h->arn)), "ip",
		doc_str(track_text(t, e->ip)));
	name_kind(s, row, n);
	json_array_append_new(list, row);
}

static bool see(void *ctx, const struct track_note *n)
{
	struct scope *s = ctx;
	unsigned tags = n->api->tags;
	if (!n->ok) {
		return true;
	}
	if (tags & API_CREDENTIAL) {
		row(s, s->credentials, n);
	}
	if (tags & (API_PERSIST | API_PRIVILEGE)) {
		row(s, s->persistence, n);
	}
	if (tags & API_SECRET) {
		row(s, s->data, n);
	}
	if (tags & (API_DEFENCE | API_EXFIL | API_EXPOSE | API_DESTROY | API_EXECUTE |
			   API_COMPUTE)) {
		row(s, s->changed, n);
	}
	s->blinded |= (tags & API_DEFENCE) && strstr(n->api->source, "cloudtrail") != NULL;
	return true;
}

static void data_row(const struct scope *s, const char *source, uint32_t bucket, uint64_t n,
	const uint64_t *bytes, const int64_t span[2])
{
	char first[32];
	char last[32];
	utc_rfc3339(span[0], first);
	utc_rfc3339(span[1], last);
	if (json_array_size(s->data) < SCOPE_MAX) {
		json_array_append_new(s->data,
			json_pack("{s:s,s:s,s:o,s:I,s:o,s:s,s:s}", "action", "read", "source",
				source, "target", doc_str(track_text(s->q->t, bucket)),
				"objects", (json_int_t)n, "bytes",
				bytes ? json_integer((json_int_t)*bytes) : json_null(), "first",
				first, "last", last));
	}
}

static void see_bucket(void *ctx, struct track_relation *rel)
{
	const struct scope *s = ctx;
	const int64_t span[2] = { rel->first.time_ms, rel->last.time_ms };
	data_row(s, "cloudtrail", rel->what, rel->n, rel->bytes ? &rel->bytes : NULL, span);
}

/* A session that the attack got by assuming a role, or by another call that gives a key. */
static void add_session(struct scope *s, const struct suspect *one)
{
	const struct inquiry *q = s->q;
	const struct track_holder *h = track_holder_at(q->t, one->holder);
	if (!one->has_from_ref || (one->kind != TRACK_ROLE && one->kind != TRACK_OTHER)) {
		return;
	}
	char when[32];
	char event[128];
	utc_rfc3339(one->from_ref.time_ms, when);
	track_ref_text(q->t, &one->from_ref, event, sizeof(event));
	const char *key = "";
	for (size_t i = q->relation_from[q->unit_edges[one->edge_from]];
		i < q->relation_from[q->unit_edges[one->edge_from] + 1]; i++) {
		key = q->relations[i]->kind == TRACK_KEY
			      ? inquiry_text(q, q->relations[i]->what)
			      : key;
	}
	json_array_append_new(s->credentials,
		json_pack("{s:s,s:s,s:o,s:o,s:o,s:s,s:o,s:o,s:o}", "time", when, "action",
			"AssumeRole", "target", doc_str(track_text(q->t, h->arn)), "detail",
			doc_str(track_text(q->t, h->issuer)), "event", doc_str(str_from(event)),
			"kind", "role_session", "id", doc_str(str_from(key)), "account",
			doc_str(track_text(q->t, h->account)), "ip",
			doc_str(track_text(q->t, one->ip))));
}

/* What S3's own access logs know of the attack's reading, bytes included. */
static void see_s3(struct scope *s)
{
	const struct inquiry *q = s->q;
	for (size_t i = 0; i < q->r->s3.rows.n; i++) {
		const struct s3log_row *r = table_at(&q->r->s3.rows, i);
		bool ours = r->kind == S3LOG_READ && ruling_reads(q, r);
		const int64_t span[2] = { r->first_ms, r->last_ms };
		if (ours) {
			data_row(s, "s3_access_log", r->bucket, r->n_objects, &r->bytes, span);
		}
	}
}

static void not_provable(struct scope *s, const char *text)
{
	json_array_append_new(s->unproven, json_string(text));
}

static void say_limits(struct scope *s)
{
	const struct inquiry *q = s->q;
	bool attack = q->verdict != CLASS_NO_INCIDENT && q->verdict != CLASS_UNDETERMINED;
	if (!attack) {
		return;
	}
	bool data = q->r->s3.n_lines > 0;
	for (size_t i = 0; i < q->t->relations.n && !data; i++) {
		data = ((struct track_relation *)table_at(&q->t->relations, i))->kind ==
		       TRACK_BUCKET;
	}
	if (!data) {
		not_provable(
			s, N_("Which stored objects were read: no S3 data events and no S3 "
			      "access logs were read"));
	}
	if (q->r->flow.n_lines == 0) {
		not_provable(
			s, N_("How many bytes left the network, and to where: no flow logs "
			      "were read"));
	}
	if (s->blinded) {
		not_provable(s, N_("What was done while CloudTrail was switched off or told to "
				   "record less"));
	}
	if (q->verdict == CLASS_WEB || q->verdict == CLASS_SSH) {
		not_provable(
			s, N_("What was done on the host itself, beyond what its logs show: "
			      "its memory and disk may tell"));
	}
}

json_t *inquiry_scope(struct inquiry *q)
{
	struct scope s = { q, json_array(), json_array(), json_array(), json_array(),
		json_array(), false };
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct suspect *one = &q->suspects[i];
		if (ruling_is_attack(q, i)) {
			inquiry_each_note(q, one, see, &s);
			inquiry_each_relation(q, one, TRACK_BUCKET, see_bucket, &s);
			add_session(&s, one);
		}
	}
	see_s3(&s);
	if (q->opened) {
		row(&s, s.changed, q->opened);
	}
	say_limits(&s);
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "persistence", s.persistence,
		"data_accessed", s.data, "resources_changed", s.changed, "credentials_created",
		s.credentials, "contacts", contacts_json(q), "not_provable", s.unproven);
}
