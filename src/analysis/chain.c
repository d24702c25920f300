/* The chain: how it began, which credential was the means, what was done with it. */
#include "analysis/inquiry.h"
#include "base/phrase.h"

#include "base/i18n.h"
#include "base/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS(...)   ((const char *const[]){ __VA_ARGS__, NULL })
#define ACTIONS_MAX 60

static void add_link(json_t *chain, const char *link, const char *technique, int64_t time_ms,
	json_t *phrase_taken, json_t *events_taken)
{
	char when[32];
	utc_rfc3339(time_ms, when);
	json_t *l =
		json_pack("{s:s,s:s,s:s}", "link", link, "technique", technique, "time", when);
	json_object_update(l, phrase_taken);
	json_decref(phrase_taken);
	json_object_set_new(l, "events", events_taken);
	json_array_append_new(chain, l);
}

static json_t *one(const struct inquiry *q, uint32_t id)
{
	return json_pack("[o]", doc_str(track_text(q->t, id)));
}

static json_t *one_ref(const struct inquiry *q, const struct track_ref *ref)
{
	json_t *events = json_array();
	inquiry_cite(q, events, ref);
	return events;
}

static void entry_web(struct inquiry *q)
{
	const struct web_hit *h = &q->r->web.hits[q->web_hit];
	char status[12];
	(void)snprintf(status, sizeof(status), "%d", h->status);
	add_link(q->chain, "entry", "T1190", h->time_ms,
		phrase_new(N_("{0} {1!} through the web server, which answered {2}: {3}"),
			ARGS(inquiry_text(q, h->ip), web_attack_text(h->attack), status,
				inquiry_text(q, h->target))),
		one(q, h->id));
}

static void entry_ssh(struct inquiry *q)
{
	const struct ssh *s = &q->r->ssh;
	const struct ssh_event *in = &s->events[q->ssh_entry];
	struct ssh_entry e;
	ssh_entry_read(s, q->ssh_entry, &e);
	char n[24];
	(void)snprintf(n, sizeof(n), "%d", e.failures);
	json_t *events = one(q, in->id);
	if (e.first_failure != SIZE_MAX) {
		json_array_insert_new(
			events, 0, doc_str(track_text(q->t, s->events[e.first_failure].id)));
	}
	add_link(q->chain, "entry", "T1110.001", in->time_ms,
		phrase_new(N_("{0} guessed the SSH password of {1} on {2} after {3} failures"),
			ARGS(inquiry_text(q, in->ip), inquiry_text(q, in->user),
				inquiry_text(q, in->host), n)),
		events);
	for (size_t k = 0; k < e.n_followed; k++) {
		const struct ssh_event *f = &s->events[e.followed[k]];
		add_link(q->chain, "action", f->kind == SSH_PERSIST ? "T1136.001" : "T1548.003",
			f->time_ms,
			phrase_new(N_("On {0}: {1}"),
				ARGS(inquiry_text(q, f->host), inquiry_text(q, f->text))),
			one(q, f->id));
	}
}

static void entry_opened(struct inquiry *q)
{
	const struct track_note *n = q->opened;
	add_link(q->chain, "entry", "T1530", n->ref.time_ms,
		phrase_new(N_("{0} was opened to everybody ({1}) from {2}"),
			ARGS(inquiry_text(q, n->target), n->api->name,
				inquiry_text(q, track_edge_at(q->t, n->edge)->ip))),
		one_ref(q, &n->ref));
}

static void entry_credential(struct inquiry *q, const struct suspect *s)
{
	const char *name = inquiry_name(q, s);
	const char *ip = inquiry_text(q, s->ip);
	const char *arn = inquiry_text(q, track_holder_at(q->t, s->holder)->arn);
	const char *text = N_("{0} was used from {1} by somebody who is not its owner");
	const char *technique = "T1078.004";
	if (q->verdict == CLASS_LEAKED_KEY) {
		text = N_("The access key {0} of {2} had leaked and was used from {1}");
	} else if (q->verdict == CLASS_CONSOLE) {
		text = N_("{0} was signed in to the console from {1} by somebody else");
	} else if (q->verdict == CLASS_INSIDER) {
		text = N_("{0} acted from {1}, where it is at home");
	} else if (q->verdict == CLASS_INSTANCE_THEFT && s->kind == TRACK_TOKEN) {
		text = N_("How the token of {0} got out is not in the evidence; it was shown "
			  "from {1}");
		technique = "T1528";
	} else if (q->verdict == CLASS_INSTANCE_THEFT && s->kind == TRACK_ROLE) {
		text = N_("How the credentials of the workload {0} got out is not in the "
			  "evidence");
		technique = "T1552";
	} else if (q->verdict == CLASS_INSTANCE_THEFT) {
		text = N_(
			"How the credentials of {0} left the instance is not in the evidence");
		technique = "T1552.005";
	}
	add_link(q->chain, "entry", technique, s->first.time_ms,
		phrase_new(text, ARGS(name, ip, arn)), one_ref(q, &s->first));
}

static void means(struct inquiry *q, const struct suspect *s)
{
	const struct track_holder *h = track_holder_at(q->t, s->holder);
	const char *name = inquiry_name(q, s);
	const char *ip = inquiry_text(q, s->ip);
	json_t *events = json_array();
	if (s->has_from_ref) {
		inquiry_cite(q, events, &s->from_ref);
	}
	inquiry_cite(q, events, &s->first);
	if (s->kind == TRACK_ANONYMOUS) {
		add_link(q->chain, "means", "T1530", s->first.time_ms,
			phrase_new(N_("Anybody could read: {1} did, without credentials"),
				ARGS(name, ip)),
			events);
	} else if (s->kind == TRACK_INSTANCE) {
		add_link(q->chain, "means", "T1552.005", s->first.time_ms,
			phrase_new(N_("The credentials of the role of instance {0} were used "
				      "from {1}"),
				ARGS(inquiry_text(q, h->session), ip)),
			events);
	} else if (s->from != INQUIRY_NONE) {
		add_link(q->chain, "means", s->kind == TRACK_ROLE ? "T1548.005" : "T1078.004",
			s->first.time_ms,
			phrase_new(N_("{0}, obtained with {1}, was used from {2}"),
				ARGS(name, inquiry_name(q, &q->suspects[s->from]), ip)),
			events);
	} else {
		add_link(q->chain, "means", "T1078.004", s->first.time_ms,
			phrase_new(N_("{0} was used from {1}"), ARGS(name, ip)), events);
	}
}

/* ---- actions: the same call of one suspect is one link ---- */

struct action {
	const struct api *api;
	const struct track_note *first;
	uint64_t n;
	json_t *events;
};

struct actions {
	const struct inquiry *q;
	struct action rows[ACTIONS_MAX];
	size_t n;
};

static bool see_action(void *ctx, const struct track_note *n)
{
	struct actions *a = ctx;
	if (!n->ok || !n->api->tags || n->api->tags & API_LOGIN) {
		return true;
	}
	size_t i = 0;
	while (i < a->n && a->rows[i].api != n->api) {
		i++;
	}
	if (i == a->n) {
		if (a->n == ACTIONS_MAX) {
			return false;
		}
		a->rows[a->n++] =
			(struct action){ .api = n->api, .first = n, .events = json_array() };
	}
	a->rows[i].n++;
	inquiry_cite(a->q, a->rows[i].events, &n->ref);
	return true;
}

static void actions_of(struct inquiry *q, const struct suspect *s)
{
	struct actions a = { .q = q };
	inquiry_each_note(q, s, see_action, &a);
	for (size_t i = 0; i < a.n; i++) {
		const struct action *row = &a.rows[i];
		char n[24];
		(void)snprintf(n, sizeof(n), "%llu", (unsigned long long)row->n);
		add_link(q->chain, "action", row->api->technique, row->first->ref.time_ms,
			phrase_new(N_("{0} {1!} ({2}, {3}x): {4}"),
				ARGS(inquiry_name(q, s), row->api->text, row->api->name, n,
					inquiry_text(q, row->first->target))),
			row->events);
	}
}

struct reads {
	struct inquiry *q;
	const struct suspect *s;
};

static void see_read(void *ctx, struct track_relation *rel)
{
	struct reads *r = ctx;
	char n[24];
	char bytes[24];
	(void)snprintf(n, sizeof(n), "%u", rel->n);
	(void)snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)rel->bytes);
	json_t *events = one_ref(r->q, &rel->first);
	inquiry_cite(r->q, events, &rel->last);
	const char *name = inquiry_name(r->q, r->s);
	const char *from = inquiry_text(r->q, rel->what);
	json_t *text = rel->bytes ? phrase_new(N_("{0} read {1} objects ({2} bytes) from {3}"),
					    ARGS(name, n, bytes, from))
				  : phrase_new(N_("{0} read {1} objects from {2}"),
					    ARGS(name, n, from));
	add_link(r->q->chain, "action", "T1530", rel->first.time_ms, text, events);
}

static int link_order(const void *a, const void *b)
{
	json_t *const *x = a;
	json_t *const *y = b;
	static const char *const kinds[] = { "entry", "means", "action" };
	int rank[2] = { 0, 0 };
	for (int i = 0; i < 3; i++) {
		rank[0] = strcmp(doc_text(*x, "link"), kinds[i]) ? rank[0] : i;
		rank[1] = strcmp(doc_text(*y, "link"), kinds[i]) ? rank[1] : i;
	}
	if (rank[0] != rank[1]) {
		return rank[0] - rank[1];
	}
	int c = strcmp(doc_text(*x, "time"), doc_text(*y, "time"));
	return c ? c : strcmp(doc_text(*x, "text"), doc_text(*y, "text"));
}

static void sort_chain(struct inquiry *q)
{
	size_t n = json_array_size(q->chain);
	json_t **rows = calloc(n + 1, sizeof(*rows));
	if (!rows) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < n; i++) {
		rows[i] = json_incref(json_array_get(q->chain, i));
	}
	qsort(rows, n, sizeof(*rows), link_order);
	json_array_clear(q->chain);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(q->chain, rows[i]);
	}
	free(rows);
}

void inquiry_chain(struct inquiry *q)
{
	if (q->verdict == CLASS_NO_INCIDENT || q->verdict == CLASS_UNDETERMINED) {
		return;
	}
	if (q->web_hit != INQUIRY_NONE) {
		entry_web(q);
	} else if (q->ssh_entry != INQUIRY_NONE) {
		entry_ssh(q);
	} else if (q->opened) {
		entry_opened(q);
	} else if (q->root != INQUIRY_NONE) {
		entry_credential(q, &q->suspects[q->root]);
	}
	if (q->root != INQUIRY_NONE) {
		size_t attack = q->suspects[q->root].attack;
		for (size_t i = 0; i < q->n_suspects; i++) {
			struct suspect *s = &q->suspects[i];
			if (i == q->root ? false : !s->guilty || s->attack != attack) {
				continue;
			}
			means(q, s);
			actions_of(q, s);
			struct reads r = { q, s };
			inquiry_each_relation(q, s, TRACK_BUCKET, see_read, &r);
		}
	}
	sort_chain(q);
}
