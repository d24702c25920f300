/* What the attack touched: the list that containment and recovery work from. */
#include "analysis/inquiry.h"

#include "base/utc.h"

#define SCOPE_MAX 1000

struct scope {
	const struct inquiry *q;
	json_t *persistence, *data, *changed, *credentials;
};

static void row(
	const struct scope *s, json_t *list, const struct track_note *n, const char *detail)
{
	char when[32];
	char id[128];
	utc_rfc3339(n->ref.time_ms, when);
	track_ref_text(s->q->t, &n->ref, id, sizeof(id));
	if (json_array_size(list) < SCOPE_MAX) {
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:o,s:o,s:o}", "time", when, "action", n->api->name,
				"target", doc_str(track_text(s->q->t, n->target)), "detail",
				doc_str(str_from(detail)), "event", doc_str(str_from(id))));
	}
}

static bool see(void *ctx, const struct track_note *n)
{
	struct scope *s = ctx;
	const char *detail = inquiry_text(s->q, n->detail);
	unsigned tags = n->api->tags;
	if (!n->ok) {
		return true;
	}
	if (tags & API_CREDENTIAL) {
		row(s, s->credentials, n, detail);
	}
	if (tags & (API_PERSIST | API_PRIVILEGE)) {
		row(s, s->persistence, n, detail);
	}
	if (tags & API_SECRET) {
		row(s, s->data, n, detail);
	}
	if (tags & (API_DEFENCE | API_EXFIL | API_EXPOSE | API_DESTROY | API_EXECUTE |
			   API_COMPUTE)) {
		row(s, s->changed, n, detail);
	}
	return true;
}

static void see_bucket(void *ctx, struct track_relation *rel)
{
	struct scope *s = ctx;
	char first[32];
	char last[32];
	utc_rfc3339(rel->first.time_ms, first);
	utc_rfc3339(rel->last.time_ms, last);
	if (json_array_size(s->data) < SCOPE_MAX) {
		json_array_append_new(
			s->data, json_pack("{s:s,s:o,s:I,s:I,s:s,s:s}", "action", "read",
					 "target", doc_str(track_text(s->q->t, rel->what)),
					 "objects", (json_int_t)rel->n, "bytes",
					 (json_int_t)rel->bytes, "first", first, "last", last));
	}
}

json_t *inquiry_scope(struct inquiry *q)
{
	struct scope s = { q, json_array(), json_array(), json_array(), json_array() };
	for (size_t i = 0; i < q->n_suspects && q->root != INQUIRY_NONE; i++) {
		const struct suspect *one = &q->suspects[i];
		bool ours = i == q->root ||
			    (one->guilty && one->attack == q->suspects[q->root].attack);
		if (ours) {
			inquiry_each_note(q, one, see, &s);
			inquiry_each_relation(q, one, TRACK_BUCKET, see_bucket, &s);
		}
	}
	return json_pack("{s:o,s:o,s:o,s:o}", "persistence", s.persistence, "data_accessed",
		s.data, "resources_changed", s.changed, "credentials_created", s.credentials);
}
