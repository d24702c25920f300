/* The document of design 4.6. */
#include "analysis/account.h"
#include "analysis/inquiry.h"

#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

#define RESOURCES_MAX 1000
#define HOUR_MS       (INT64_C(3600) * 1000)

/* Appends a text that is not there yet. */
static void add_once(json_t *list, const char *text)
{
	size_t i;
	json_t *have;
	if (!*text || json_array_size(list) >= RESOURCES_MAX) {
		return;
	}
	json_array_foreach(list, i, have)
	{
		if (!strcmp(json_string_value(have), text)) {
			return;
		}
	}
	json_array_append_new(list, doc_str(str_from(text)));
}

static bool in_attack(const struct inquiry *q, size_t i)
{
	if (q->root == INQUIRY_NONE) {
		return false;
	}
	return i == q->root ||
	       (q->suspects[i].guilty && q->suspects[i].attack == q->suspects[q->root].attack);
}

struct names {
	const struct inquiry *q;
	json_t *list;
};

static void see_key(void *ctx, struct track_relation *rel)
{
	struct names *n = ctx;
	add_once(n->list, inquiry_text(n->q, rel->what));
}

static bool see_target(void *ctx, const struct track_note *n)
{
	struct names *names = ctx;
	if (n->ok && n->api->tags & ~(unsigned)(API_LOGIN)) {
		add_once(names->list, inquiry_text(names->q, n->target));
	}
	return true;
}

static bool see_made_key(void *ctx, const struct track_note *n)
{
	struct names *names = ctx;
	if (n->ok && n->api->tags & API_CREDENTIAL &&
		str_starts(track_text(names->q->t, n->detail), STR("AKIA"))) {
		add_once(names->list, inquiry_text(names->q, n->detail));
	}
	return true;
}

static void sort_texts(json_t *list)
{
	for (size_t i = 1; i < json_array_size(list); i++) {
		for (size_t k = i; k > 0; k--) {
			json_t *a = json_array_get(list, k - 1);
			json_t *b = json_array_get(list, k);
			if (strcmp(json_string_value(a), json_string_value(b)) <= 0) {
				break;
			}
			json_incref(a);
			json_incref(b);
			json_array_set_new(list, k - 1, b);
			json_array_set_new(list, k, a);
		}
	}
}

static int claim_order(const void *a, const void *b)
{
	json_t *const *x = a;
	json_t *const *y = b;
	double d = json_real_value(json_object_get(*y, "weight")) -
		   json_real_value(json_object_get(*x, "weight"));
	if (d != 0) {
		return d > 0 ? 1 : -1;
	}
	return strcmp(doc_text(*x, "text"), doc_text(*y, "text"));
}

/* Strongest first, those against last, no sentence twice. */
static json_t *claims(const struct inquiry *q)
{
	size_t n = json_array_size(q->weigh.claims);
	json_t **rows = calloc(n + 1, sizeof(*rows));
	if (!rows) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < n; i++) {
		rows[i] = json_array_get(q->weigh.claims, i);
	}
	qsort(rows, n, sizeof(*rows), claim_order);
	json_t *out = json_array();
	for (size_t i = 0; i < n; i++) {
		if (i == 0 ||
			strcmp(doc_text(rows[i], "text"), doc_text(rows[i - 1], "text"))) {
			json_array_append(out, rows[i]);
		}
	}
	free(rows);
	return out;
}

/* Three digits are more than the method can tell. */
static json_t *probability(double p)
{
	return json_real((double)(int)(p * 1000 + 0.5) / 1000);
}

static json_t *verdict(const struct inquiry *q)
{
	json_t *principals = json_array();
	json_t *keys = json_array();
	json_t *ips = json_array();
	json_t *resources = json_array();
	json_t *identities = json_array();
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct suspect *s = &q->suspects[i];
		if (!in_attack(q, i)) {
			continue;
		}
		struct names k = { q, keys };
		struct names t = { q, resources };
		const struct track_holder *h = track_holder_at(q->t, s->holder);
		add_once(principals, inquiry_text(q, h->arn));
		add_once(ips, inquiry_text(q, s->ip));
		if (s->kind == TRACK_INSTANCE) {
			add_once(resources, inquiry_text(q, h->session));
		}
		add_once(resources, inquiry_text(q, h->issued_to));
		add_once(identities, inquiry_text(q, h->source_identity));
		inquiry_each_relation(q, s, TRACK_KEY, see_key, &k);
		inquiry_each_note(q, s, see_made_key, &k);
		inquiry_each_relation(q, s, TRACK_BUCKET, see_key, &t);
		inquiry_each_note(q, s, see_target, &t);
	}
	if (q->web_hit != INQUIRY_NONE) {
		add_once(ips, inquiry_text(q, q->r->web.hits[q->web_hit].ip));
	}
	if (q->opened) {
		add_once(resources, inquiry_text(q, q->opened->target));
		size_t k;
		json_t *visitor;
		json_array_foreach(q->visitors, k, visitor)
		{
			add_once(ips, json_string_value(visitor));
		}
	}
	if (q->ssh_entry != INQUIRY_NONE) {
		add_once(ips, inquiry_text(q, q->r->ssh.events[q->ssh_entry].ip));
		add_once(resources, inquiry_text(q, q->r->ssh.events[q->ssh_entry].host));
	}
	sort_texts(principals);
	sort_texts(keys);
	sort_texts(ips);
	sort_texts(resources);
	sort_texts(identities);
	char when[32];
	json_t *entry = json_null();
	if (q->entry_ms != INT64_MIN) {
		utc_rfc3339(q->entry_ms, when);
		entry = json_string(when);
	}
	size_t i;
	json_t *alternative;
	json_array_foreach(q->alternatives, i, alternative)
	{
		double p = json_real_value(json_object_get(alternative, "confidence"));
		json_object_set_new(alternative, "confidence", probability(p));
	}
	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:O,s:o,s:O,s:O}", "class",
		inquiry_class_name(q->verdict), "confidence", probability(q->confidence),
		"entry_time", entry, "principals", principals, "access_keys", keys,
		"source_ips", ips, "source_identities", identities, "resources", resources,
		"chain", q->chain, "claims", claims(q), "alternatives", q->alternatives,
		"missing", q->missing);
}

json_t *inquiry_document(struct inquiry *q, size_t timeline_max, json_t *detections_taken)
{
	json_t *timeline = inquiry_timeline(q, timeline_max); /* counts what it lacks */
	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "schema", "cordon.investigation/1",
		"inputs", account_json(q->r), "verdict", verdict(q), "scope", inquiry_scope(q),
		"detections", detections_taken, "timeline", timeline);
}
