#include "analysis/exposure.h"

#include "analysis/effects.h"
#include "analysis/ruling.h"
#include "base/i18n.h"

#include <stdlib.h>
#include <string.h>

#define ARGS(...)   ((const char *const[]){ __VA_ARGS__, NULL })
#define TAKEN_BYTES 100000

enum thing { THING_NONE, THING_BUCKET, THING_SNAPSHOT, THING_DATABASE };

static bool is_database_port(int port)
{
	static const int ports[] = { 1433, 1521, 3306, 5432, 5439, 6379, 9042, 9200, 11211,
		27017 };
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (ports[i] == port) {
			return true;
		}
	}
	return false;
}

/* A rule that opens a database's port, or all ports (-1, or none named). */
static bool opens_database(struct str port)
{
	int64_t n = -1;
	(void)str_to_i64(port, &n);
	return n < 1 || is_database_port((int)(n & 0xffff));
}

static enum thing thing_of(const struct inquiry *q, const struct track_note *n)
{
	const char *name = n->api->name;
	if (!n->ok || !n->outside) {
		return THING_NONE;
	}
	if (strstr(n->api->source, "s3.") && n->api->tags & API_EXPOSE) {
		return THING_BUCKET;
	}
	if (strstr(name, "SnapshotAttribute") || strstr(name, "ImageAttribute")) {
		return n->everybody ? THING_SNAPSHOT : THING_NONE;
	}
	bool group = !strcmp(name, "AuthorizeSecurityGroupIngress") &&
		     opens_database(track_text(q->t, n->detail));
	bool database = group || !strcmp(name, "ModifyDBInstance");
	return database && n->everybody ? THING_DATABASE : THING_NONE;
}

/* Tools that manage infrastructure open what is meant to be open. */
static bool by_automation(const struct inquiry *q, const struct track_note *n)
{
	size_t by = q->suspect_of[n->edge];
	return by != INQUIRY_NONE &&
	       q->suspects[by].weigh.against[G_HABIT] <= weights_tenths(W_IAC);
}

static void found(struct inquiry *q, const struct track_note *n, double confidence)
{
	q->verdict = CLASS_PUBLIC;
	q->entry_ms = n->ref.time_ms;
	q->opened = n;
	q->confidence = confidence;
	ruling_alternative(q, CLASS_NO_INCIDENT, (1 - confidence) * 0.6,
		N_("It may have been meant to be public; what was in it decides that"));
	ruling_alternative(q, CLASS_LEAKED_KEY, (1 - confidence) * 0.4,
		N_("Nothing shows that whoever opened it was not its owner"));
}

static void claim(struct inquiry *q, const struct track_note *n, json_t *events_taken)
{
	inquiry_claim(&q->weigh, W_EXPOSED,
		ARGS(inquiry_text(q, track_edge_at(q->t, n->edge)->ip), n->api->name,
			inquiry_text(q, n->target)),
		inquiry_cited(q, &n->ref));
	inquiry_claim(
		&q->weigh, W_EXPOSED_READ, ARGS(inquiry_text(q, n->target)), events_taken);
}

/* ---- buckets ---- */

struct reads {
	const struct inquiry *q;
	uint32_t bucket;
	bool found;
};

static void see_read(void *ctx, struct track_relation *rel)
{
	struct reads *r = ctx;
	r->found |= rel->what == r->bucket;
}

static bool read_bucket(
	const struct inquiry *q, const struct suspect *s, const struct track_note *opened)
{
	struct reads r = { q, opened->target, false };
	bool after = track_ref_cmp(q->t, &opened->ref, &s->last) < 0;
	if (s->kind != TRACK_ANONYMOUS || !after) {
		return false;
	}
	inquiry_each_relation(q, s, TRACK_BUCKET, see_read, &r);
	return r.found;
}

static int visit_order(const void *a, const void *b, void *pool)
{
	const struct s3log_row *x = *(const struct s3log_row *const *)a;
	const struct s3log_row *y = *(const struct s3log_row *const *)b;
	if (x->first_ms != y->first_ms) {
		return x->first_ms < y->first_ms ? -1 : 1;
	}
	return str_cmp(pool_get(pool, x->ip), pool_get(pool, y->ip));
}

/* Who read it without credentials, by S3's own access logs. */
static bool visits(struct inquiry *q, const struct track_note *opened, json_t *events)
{
	const struct s3log_row **rows = calloc(q->r->s3.rows.n + 1, sizeof(*rows));
	size_t n = 0;
	if (!rows) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < q->r->s3.rows.n; i++) {
		const struct s3log_row *r = table_at(&q->r->s3.rows, i);
		bool in = r->requester == 0 && r->kind == S3LOG_READ && r->n > r->n_denied &&
			  r->bucket == opened->target && r->last_ms >= opened->ref.time_ms;
		rows[n] = r;
		n += in;
	}
	qsort_r(rows, n, sizeof(*rows), visit_order, &q->t->pool);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(q->visitors, doc_str(track_text(q->t, rows[i]->ip)));
		if (json_array_size(events) < INQUIRY_CITED) {
			json_array_append_new(events, doc_str(track_text(q->t, rows[i]->cite)));
		}
	}
	free(rows);
	return n > 0;
}

/* All who read it without credentials, as one attack. */
static bool decide_bucket(struct inquiry *q, const struct track_note *opened)
{
	json_t *events = json_array();
	bool logged = visits(q, opened, events);
	for (size_t i = 0; i < q->n_suspects; i++) {
		struct suspect *s = &q->suspects[i];
		if (!read_bucket(q, s, opened)) {
			continue;
		}
		inquiry_cite(q, events, &s->first);
		q->root = q->root == INQUIRY_NONE ? i : q->root;
		s->guilty = true;
		s->attack = q->root;
	}
	if (q->root == INQUIRY_NONE && !logged) {
		json_decref(events);
		return false;
	}
	found(q, opened, 0.9);
	claim(q, opened, events);
	return true;
}

/* ---- snapshots ---- */

/* Another account made a copy or a volume of it: AWS tells the owner. */
static bool decide_snapshot(struct inquiry *q, const struct track_note *opened)
{
	for (size_t i = 0; i < q->t->n_notes; i++) {
		const struct track_note *n = &q->t->notes[q->by_time[i]];
		bool taken = str_starts(str_from(n->api->name), STR("SharedSnapshot")) &&
			     track_ref_cmp(q->t, &opened->ref, &n->ref) < 0;
		if (taken) {
			found(q, opened, 0.85);
			q->taken = n;
			claim(q, opened, inquiry_cited(q, &n->ref));
			return true;
		}
	}
	return false;
}

/* ---- databases ---- */

/* Bytes that went back to an address. */
static uint64_t bytes_to(const struct inquiry *q, uint32_t ip)
{
	uint64_t n = 0;
	for (size_t i = 0; i < q->r->flow.rows.n; i++) {
		const struct flow_row *f = table_at(&q->r->flow.rows, i);
		n += f->dst == ip && f->accepted ? f->bytes : 0;
	}
	return n;
}

static bool decide_database(struct inquiry *q, const struct track_note *opened)
{
	const struct flow_row *best = NULL;
	for (size_t i = 0; i < q->r->flow.rows.n; i++) {
		const struct flow_row *f = table_at(&q->r->flow.rows, i);
		bool in = f->accepted && !f->reply && is_database_port(f->dst_port) &&
			  !effects_is_inside(track_text(q->t, f->src)) &&
			  f->first_ms >= opened->ref.time_ms &&
			  bytes_to(q, f->src) >= TAKEN_BYTES;
		best = in && (!best || effects_flow_order(q, f, best) < 0) ? f : best;
	}
	if (!best) {
		return false;
	}
	found(q, opened, 0.8);
	json_array_append_new(q->visitors, doc_str(track_text(q->t, best->src)));
	claim(q, opened, inquiry_cited(q, &opened->ref));
	return true;
}

bool exposure_decide(struct inquiry *q)
{
	for (size_t k = 0; k < q->t->n_notes; k++) {
		const struct track_note *n = &q->t->notes[q->by_time[k]];
		enum thing thing = thing_of(q, n);
		if ((thing == THING_BUCKET && decide_bucket(q, n)) ||
			(thing == THING_SNAPSHOT && decide_snapshot(q, n)) ||
			(thing == THING_DATABASE && decide_database(q, n))) {
			return true;
		}
	}
	return false;
}

static const char *missing_of(enum thing thing)
{
	switch (thing) {
	case THING_BUCKET:
		return N_("S3 data events or server access logs: without them nobody can tell "
			  "which objects were read");
	case THING_DATABASE:
		return N_(
			"VPC flow logs of the database: they would show who connected and how "
			"much was taken");
	default:
		return N_(
			"Whether somebody copied it: AWS does not tell the owner of a snapshot "
			"that is public");
	}
}

bool exposure_ask(struct inquiry *q)
{
	for (size_t k = 0; k < q->t->n_notes; k++) {
		const struct track_note *n = &q->t->notes[q->by_time[k]];
		enum thing thing = thing_of(q, n);
		bool open = n->everybody && thing != THING_NONE;
		if (!open || by_automation(q, n)) {
			continue;
		}
		q->verdict = CLASS_UNDETERMINED;
		q->confidence = 0.55;
		inquiry_claim(&q->weigh, W_EXPOSED,
			ARGS(inquiry_text(q, track_edge_at(q->t, n->edge)->ip), n->api->name,
				inquiry_text(q, n->target)),
			inquiry_cited(q, &n->ref));
		ruling_alternative(q, CLASS_PUBLIC, 0.4,
			N_("Nothing in the logs read shows that anybody came"));
		ruling_missing(q, missing_of(thing));
		return true;
	}
	return false;
}
