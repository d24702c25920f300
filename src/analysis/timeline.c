/* The attack event by event, in order of time, whatever file each came from. */
#include "analysis/inquiry.h"
#include "analysis/ruling.h"

#include "base/utc.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
	int64_t time_ms;
	enum { E_CALL, E_WEB, E_SSH, E_FINDING, E_NOTE } kind;
	const struct track_note *note;
	const struct track_lite *lite;
	size_t index;
};

struct entries {
	struct entry *rows;
	size_t n, cap;
};

static void add(struct entries *e, const struct entry *row)
{
	if (e->n == e->cap) {
		e->cap = e->cap ? e->cap * 2 : 256;
		e->rows = realloc(e->rows, e->cap * sizeof(*e->rows));
		if (!e->rows) {
			BUG("out of memory");
		}
	}
	e->rows[e->n++] = *row;
}

/* Sign-ins that failed at an attacker's address, whoever's name was tried. */
static bool is_guessing(const struct inquiry *q, const struct suspect *s)
{
	uint32_t n = 0;
	for (size_t e = s->edge_from; e < s->edge_to; e++) {
		n += track_edge_at(q->t, q->unit_edges[e])->n_failed;
	}
	return (s->kind == TRACK_LOGIN || s->kind == TRACK_OTHER) && n == s->n &&
	       inquiry_is_attacker(q, s->ip);
}

/* The lines of the edges that are wanted. At most `max` are told: only what those lack is lost. */
static void collect_lines(
	const struct inquiry *q, struct entries *e, const bool *wanted, size_t max)
{
	struct track *t = q->t;
	uint32_t *n = calloc(t->edges.n + 1, sizeof(*n));
	if (!n) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < t->n_lites; i++) {
		const struct track_lite *lite = &t->lites[i];
		if (wanted[lite->edge]) {
			struct entry row = {
				.time_ms = lite->ref.time_ms, .kind = E_CALL, .lite = lite
			};
			add(e, &row);
			n[lite->edge]++;
		}
	}
	for (uint32_t i = 0; i < t->edges.n; i++) {
		t->lines_lost +=
			wanted[i] && n[i] < max ? track_edge_at(t, i)->n_calls - n[i] : 0;
	}
	free(n);
}

static void collect_calls(const struct inquiry *q, struct entries *e, size_t max)
{
	q->t->lines_lost = 0;
	if (q->root == INQUIRY_NONE) {
		return;
	}
	bool *wanted = calloc(q->t->edges.n + 1, sizeof(*wanted));
	if (!wanted) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct suspect *s = &q->suspects[i];
		bool ours = ruling_is_attack(q, i) || is_guessing(q, s);
		for (size_t k = s->edge_from; ours && k < s->edge_to; k++) {
			wanted[q->unit_edges[k]] = true;
		}
	}
	collect_lines(q, e, wanted, max);
	free(wanted);
}

bool inquiry_is_attacker(const struct inquiry *q, uint32_t ip)
{
	if (q->web_hit != INQUIRY_NONE && q->r->web.hits[q->web_hit].ip == ip) {
		return true;
	}
	if (q->ssh_entry != INQUIRY_NONE && q->r->ssh.events[q->ssh_entry].ip == ip) {
		return true;
	}
	for (size_t i = 0; i < q->n_suspects; i++) {
		if (q->suspects[i].ip == ip && ruling_is_attack(q, i)) {
			return true;
		}
	}
	return false;
}

/* The call that opened a door, and the one by which something was taken through it. */
static void collect_exposure(const struct inquiry *q, struct entries *e)
{
	const struct track_note *const notes[] = { q->opened, q->taken };
	for (size_t i = 0; i < 2; i++) {
		struct entry row = { .kind = E_NOTE, .note = notes[i] };
		if (notes[i]) {
			row.time_ms = notes[i]->ref.time_ms;
			add(e, &row);
		}
	}
}

static void collect_hosts(const struct inquiry *q, struct entries *e)
{
	for (size_t i = 0; i < q->r->web.n_hits; i++) {
		if (inquiry_is_attacker(q, q->r->web.hits[i].ip)) {
			struct entry row = {
				.time_ms = q->r->web.hits[i].time_ms, .kind = E_WEB, .index = i
			};
			add(e, &row);
		}
	}
	struct ssh_entry in = { .n_followed = 0 };
	if (q->ssh_entry != INQUIRY_NONE) {
		ssh_entry_read(&q->r->ssh, q->ssh_entry, &in);
	}
	for (size_t i = 0; i < q->r->ssh.n_events; i++) {
		const struct ssh_event *s = &q->r->ssh.events[i];
		bool followed = false;
		for (size_t k = 0; k < in.n_followed; k++) {
			followed |= in.followed[k] == i;
		}
		if (followed || (s->ip && inquiry_is_attacker(q, s->ip))) {
			struct entry row = { .time_ms = s->time_ms, .kind = E_SSH, .index = i };
			add(e, &row);
		}
	}
	for (size_t i = 0; i < q->r->n_findings && q->entry_ms != INT64_MIN; i++) {
		struct entry row = {
			.time_ms = q->r->findings[i].first_ms, .kind = E_FINDING, .index = i
		};
		add(e, &row);
	}
}

/*
 * Ids need not be unique (what tests and mocks write), and the hash of the content would put events
 * in another order with another hash: what is shown of them decides.
 */
static int line_order(
	const struct track *t, const struct track_lite *a, const struct track_lite *b)
{
	const struct track_edge *x = track_edge_at(t, a->edge);
	const struct track_edge *y = track_edge_at(t, b->edge);
	const uint32_t shown[][2] = {
		{ track_holder_at(t, x->holder)->arn, track_holder_at(t, y->holder)->arn },
		{ x->ip, y->ip },
		{ a->action, b->action },
		{ a->target, b->target },
		{ a->outcome, b->outcome },
		{ a->region, b->region },
	};
	int c = track_ref_id_order(&t->pool, &a->ref, &b->ref);
	for (size_t i = 0; c == 0 && i < sizeof(shown) / sizeof(shown[0]); i++) {
		c = pool_order(&t->pool, shown[i][0], shown[i][1]);
	}
	return c ? c : track_ref_cmp(t, &a->ref, &b->ref);
}

static int order(const void *a, const void *b, void *ctx)
{
	const struct entry *x = a;
	const struct entry *y = b;
	if (x->time_ms != y->time_ms) {
		return x->time_ms < y->time_ms ? -1 : 1;
	}
	if (x->kind != y->kind) {
		return x->kind > y->kind ? -1 : 1;
	}
	if (x->kind == E_NOTE) {
		return track_ref_cmp(ctx, &x->note->ref, &y->note->ref);
	}
	if (x->kind == E_CALL) {
		return line_order(ctx, x->lite, y->lite);
	}
	return x->index < y->index ? -1 : x->index > y->index;
}

static json_t *text(const struct inquiry *q, uint32_t id)
{
	return doc_str(track_text(q->t, id));
}

static json_t *call_row(const struct inquiry *q, const struct track_lite *l)
{
	const struct track_edge *e = track_edge_at(q->t, l->edge);
	const struct track_holder *h = track_holder_at(q->t, e->holder);
	char id[128];
	track_ref_text(q->t, &l->ref, id, sizeof(id));
	json_t *tags = json_array();
	for (unsigned bit = 0; api_tag_word(bit); bit++) {
		if (l->tags & 1u << bit) {
			json_array_append_new(tags, json_string(api_tag_word(bit)));
		}
	}
	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "source", "cloudtrail",
		"principal", text(q, h->arn), "ip", text(q, e->ip), "action",
		text(q, l->action), "target", text(q, l->target), "outcome",
		l->outcome ? text(q, l->outcome) : json_string("ok"), "tags", tags, "event",
		doc_str(str_from(id)));
}

static json_t *note_row(const struct inquiry *q, const struct track_note *n)
{
	const struct track_edge *e = track_edge_at(q->t, n->edge);
	struct str source = str_from(n->api->source);
	char action[160];
	char id[128];
	(void)snprintf(action, sizeof(action), "%.*s:%s",
		STR_ARG(str_sub(source, 0, str_find_char(source, '.'))), n->api->name);
	track_ref_text(q->t, &n->ref, id, sizeof(id));
	return json_pack("{s:s,s:o,s:o,s:s,s:o,s:s,s:[s],s:o}", "source", "cloudtrail",
		"principal", text(q, track_holder_at(q->t, e->holder)->arn), "ip",
		text(q, e->ip), "action", action, "target", text(q, n->target), "outcome", "ok",
		"tags", "exposure", "event", doc_str(str_from(id)));
}

static json_t *web_row(const struct inquiry *q, const struct web_hit *h)
{
	static const char *const words[] = {
		[WEB_NONE] = "",
		[WEB_SSRF_METADATA] = "ssrf",
		[WEB_COMMAND] = "command",
		[WEB_JNDI] = "jndi",
		[WEB_SHELL] = "webshell",
		[WEB_TRAVERSAL] = "traversal",
		[WEB_SECRETS] = "secrets",
		[WEB_SQL] = "sql",
		[WEB_PROBE] = "probe",
	};
	char outcome[32];
	(void)snprintf(outcome, sizeof(outcome), "%d", h->status);
	return json_pack("{s:s,s:n,s:o,s:s,s:o,s:s,s:[s],s:o}", "source", "web", "principal",
		"ip", text(q, h->ip), "action", "request", "target", text(q, h->target),
		"outcome", outcome, "tags", words[h->attack], "event", text(q, h->id));
}

static json_t *ssh_row(const struct inquiry *q, const struct ssh_event *s)
{
	static const char *const actions[] = { "ssh:password", "ssh:password", "ssh:publickey",
		"root", "persistence" };
	return json_pack("{s:s,s:o,s:o,s:s,s:o,s:s,s:[],s:o}", "source", "ssh", "principal",
		text(q, s->user), "ip", text(q, s->ip), "action", actions[s->kind], "target",
		text(q, s->host), "outcome", s->kind == SSH_FAILED ? "failed" : "ok", "tags",
		"event", text(q, s->id));
}

static json_t *row_of(const struct inquiry *q, const struct entry *e)
{
	char when[32];
	json_t *row = NULL;
	utc_rfc3339(e->time_ms, when);
	if (e->kind == E_CALL) {
		row = call_row(q, e->lite);
	} else if (e->kind == E_NOTE) {
		row = note_row(q, e->note);
	} else if (e->kind == E_WEB) {
		row = web_row(q, &q->r->web.hits[e->index]);
	} else if (e->kind == E_SSH) {
		row = ssh_row(q, &q->r->ssh.events[e->index]);
	} else {
		const struct reader_finding *f = &q->r->findings[e->index];
		row = json_pack("{s:s,s:n,s:o,s:o,s:o,s:s,s:[],s:o}", "source", "guardduty",
			"principal", "ip", text(q, f->ip), "action", text(q, f->type), "target",
			text(q, f->instance ? f->instance
				: f->key    ? f->key
					    : f->bucket),
			"outcome", "reported", "tags", "event", text(q, f->id));
	}
	json_t *out = json_pack("{s:s}", "time", when);
	json_object_update(out, row);
	json_decref(row);
	return out;
}

json_t *inquiry_timeline(struct inquiry *q, size_t max)
{
	struct entries e = { 0 };
	collect_calls(q, &e, max);
	collect_exposure(q, &e);
	collect_hosts(q, &e);
	if (e.n) {
		qsort_r(e.rows, e.n, sizeof(*e.rows), order, q->t);
	}
	json_t *out = json_array();
	for (size_t i = 0; i < e.n && i < max; i++) {
		json_array_append_new(out, row_of(q, &e.rows[i]));
	}
	free(e.rows);
	return out;
}
