/* Weighs every suspect by itself: what is odd about this credential at this address. */
#include "analysis/agent.h"
#include "analysis/inquiry.h"
#include "analysis/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS   (60 * INT64_C(1000))
#define HOUR_MS     (60 * MINUTE_MS)
#define RECON_MANY  8
#define RECON_FEW   5
#define DENIED_MANY 5
#define DATA_MANY   50
#define FAILED_MANY 10

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *number(char room[24], uint64_t n)
{
	(void)snprintf(room, 24, "%llu", (unsigned long long)n);
	return room;
}

/* ---- what with ---- */

struct agents {
	const struct inquiry *q;
	const char *tool, *iac;
	const struct track_relation *tool_rel;
};

static void see_agent(void *ctx, struct track_relation *rel)
{
	struct agents *a = ctx;
	struct str family = track_text(a->q->t, rel->what);
	const char *tool = agent_attack_tool(family);
	if (tool) {
		a->tool = tool;
		a->tool_rel = rel;
	}
	if (agent_is_iac(family)) {
		a->iac = family.p;
	}
}

static void weigh_tools(const struct inquiry *q, struct suspect *s)
{
	struct agents a = { .q = q };
	const char *name = inquiry_name(q, s);
	inquiry_each_relation(q, s, TRACK_AGENT, see_agent, &a);
	if (a.tool) {
		inquiry_claim(&s->weigh, W_ATTACK_TOOL,
			ARGS(name, inquiry_text(q, s->ip), a.tool),
			inquiry_cited(q, &a.tool_rel->first));
	}
	uint32_t n_iac = 0;
	for (size_t i = s->edge_from; i < s->edge_to; i++) {
		n_iac += track_edge_at(q->t, q->unit_edges[i])->n_iac;
	}
	if (a.iac && !a.tool && n_iac * 10 >= s->n * 8) {
		inquiry_claim(&s->weigh, W_IAC, ARGS(name, a.iac), NULL);
	}
}

/* ---- looking around ---- */

struct calls {
	const struct inquiry *q;
	struct track_ref *first; /* of each different read call */
	size_t n, cap;
	uint32_t n_denied;
	json_t *denied_events;
	struct track_relation *got; /* refused at first, allowed after a change of rights */
	const struct suspect *suspect;
	bool whoami;
	struct track_ref whoami_ref;
};

struct between {
	const struct inquiry *q;
	const struct track_ref *from, *to;
	bool found;
};

static bool see_rights(void *ctx, const struct track_note *n)
{
	struct between *b = ctx;
	b->found = n->ok && n->api->tags & API_PRIVILEGE &&
		   track_ref_cmp(b->q->t, &n->ref, b->from) > 0 &&
		   track_ref_cmp(b->q->t, &n->ref, b->to) < 0;
	return !b->found;
}

/* Being refused and then not is everyday; having given rights in between is not. */
static bool rights_changed(const struct inquiry *q, const struct suspect *s,
	const struct track_ref *from, const struct track_ref *to)
{
	struct between b = { q, from, to, false };
	inquiry_each_note(q, s, see_rights, &b);
	return b.found;
}

static void see_call(void *ctx, struct track_relation *rel)
{
	struct calls *c = ctx;
	const struct track *t = c->q->t;
	struct str action = track_text(t, rel->what);
	struct str name = str_sub(action, str_find_char(action, ':') + 1, SIZE_MAX);
	if (rel->n_denied) {
		c->n_denied++;
		inquiry_cite(c->q, c->denied_events, &rel->first_denied);
		bool later =
			rel->n_ok && track_ref_cmp(t, &rel->last_ok, &rel->first_denied) > 0 &&
			rights_changed(c->q, c->suspect, &rel->first_denied, &rel->last_ok);
		if (later && (!c->got || track_ref_cmp(t, &rel->first_denied,
						 &c->got->first_denied) < 0)) {
			c->got = rel;
		}
	}
	if (str_is(action, "sts:GetCallerIdentity")) {
		c->whoami = true;
		c->whoami_ref = rel->first;
	}
	if (!api_is_read(name)) {
		return;
	}
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 32;
		c->first = realloc(c->first, c->cap * sizeof(*c->first));
		if (!c->first) {
			BUG("out of memory");
		}
	}
	c->first[c->n++] = rel->first;
}

static int ref_order(const void *a, const void *b, void *ctx)
{
	return track_ref_cmp(ctx, a, b);
}

/* The most different read calls that were first made within one minute. */
static size_t burst(const struct calls *c, size_t *from)
{
	size_t best = 0;
	size_t start = 0;
	for (size_t i = 0; i < c->n; i++) {
		while (c->first[i].time_ms - c->first[start].time_ms > MINUTE_MS) {
			start++;
		}
		if (i - start + 1 > best) {
			best = i - start + 1;
			*from = start;
		}
	}
	return best;
}

static void weigh_calls(const struct inquiry *q, struct suspect *s)
{
	struct calls c = { .q = q, .suspect = s, .denied_events = json_array() };
	char room[24];
	const char *name = inquiry_name(q, s);
	inquiry_each_relation(q, s, TRACK_API, see_call, &c);
	if (c.n) {
		qsort_r(c.first, c.n, sizeof(*c.first), ref_order, q->t);
	}
	size_t from = 0;
	size_t most = burst(&c, &from);
	if (most >= RECON_FEW) {
		json_t *events = json_array();
		for (size_t i = from; i < from + most; i++) {
			inquiry_cite(q, events, &c.first[i]);
		}
		inquiry_claim(&s->weigh, most >= RECON_MANY ? W_RECON : W_RECON_SMALL,
			ARGS(name, number(room, most)), events);
	}
	if (c.whoami && c.whoami_ref.time_ms - s->first.time_ms <= MINUTE_MS) {
		inquiry_claim(&s->weigh, W_WHOAMI, ARGS(name), inquiry_cited(q, &c.whoami_ref));
	}
	if (c.n_denied >= 2) {
		inquiry_claim(&s->weigh, c.n_denied >= DENIED_MANY ? W_DENIED : W_DENIED_FEW,
			ARGS(name, number(room, c.n_denied)), json_incref(c.denied_events));
	}
	if (c.got) {
		json_t *events = inquiry_cited(q, &c.got->first_denied);
		inquiry_cite(q, events, &c.got->last_ok);
		inquiry_claim(&s->weigh, W_THEN_ALLOWED,
			ARGS(name, inquiry_text(q, c.got->what)), events);
	}
	free(c.first);
	json_decref(c.denied_events);
}

/* ---- what was done ---- */

/* The first deed of each kind, and all deeds of that kind as its events. */
struct deeds {
	const struct inquiry *q;
	const struct track_note *first[W_COUNT];
	json_t *events[W_COUNT];
	uint64_t n[W_COUNT];
};

static void deed(struct deeds *d, enum weight_id id, const struct track_note *n)
{
	if (!d->first[id]) {
		d->first[id] = n;
		d->events[id] = json_array();
	}
	d->n[id]++;
	inquiry_cite(d->q, d->events[id], &n->ref);
}

static bool see_note(void *ctx, const struct track_note *n)
{
	struct deeds *d = ctx;
	unsigned tags = n->api->tags;
	/* An attempt to blind the defenders tells as much as a success. */
	if (tags & API_DEFENCE) {
		deed(d, W_DEFENCE, n);
	}
	if (!n->ok) {
		return true;
	}
	if (tags & API_PRIVILEGE) {
		if (n->self) {
			deed(d, W_SELF_RIGHTS, n);
		} else if (n->admin) {
			deed(d, W_GIVES_ADMIN, n);
		}
	}
	if (tags & API_CREDENTIAL && tags & API_PERSIST) {
		deed(d, W_MAKES_KEY, n);
	} else if (tags & API_PERSIST) {
		deed(d, W_PERSIST, n);
	}
	if (tags & (API_EXFIL | API_EXPOSE) && n->outside) {
		deed(d, W_SHARE_OUT, n);
	}
	if (tags & API_SECRET) {
		deed(d, W_SECRETS, n);
	}
	if (tags & API_DESTROY) {
		deed(d, W_DESTROY, n);
	}
	if (tags & API_COMPUTE) {
		deed(d, W_COMPUTE, n);
	}
	return true;
}

static void claim_deed(struct inquiry *q, struct suspect *s, struct deeds *d, enum weight_id id,
	const char *const *args)
{
	(void)q;
	inquiry_claim(&s->weigh, id, args, d->events[id]);
	d->events[id] = NULL;
}

static void weigh_deeds(struct inquiry *q, struct suspect *s)
{
	struct deeds d = { .q = q };
	const char *name = inquiry_name(q, s);
	inquiry_each_note(q, s, see_note, &d);
	static const enum weight_id by_api[] = { W_DEFENCE, W_SELF_RIGHTS, W_PERSIST,
		W_SHARE_OUT, W_DESTROY };
	for (size_t i = 0; i < sizeof(by_api) / sizeof(by_api[0]); i++) {
		const struct track_note *n = d.first[by_api[i]];
		if (n) {
			claim_deed(q, s, &d, by_api[i],
				ARGS(name, n->api->name, inquiry_text(q, n->target)));
		}
	}
	const struct track_note *n = d.first[W_GIVES_ADMIN];
	if (n) {
		claim_deed(q, s, &d, W_GIVES_ADMIN,
			ARGS(name, n->api->name, inquiry_text(q, n->target)));
	}
	n = d.first[W_MAKES_KEY];
	if (n) {
		claim_deed(q, s, &d, W_MAKES_KEY,
			ARGS(name, inquiry_text(q, n->subject), n->api->name));
	}
	char room[24];
	if (d.n[W_SECRETS] >= 3) {
		claim_deed(q, s, &d, W_SECRETS, ARGS(name, number(room, d.n[W_SECRETS])));
	}
	if (d.first[W_COMPUTE]) {
		claim_deed(q, s, &d, W_COMPUTE,
			ARGS(name, inquiry_text(q, d.first[W_COMPUTE]->detail)));
	}
	for (int i = 0; i < W_COUNT; i++) {
		json_decref(d.events[i]);
	}
}

struct data {
	const struct inquiry *q;
	uint64_t n, bytes;
	json_t *events;
	char names[128];
};

static void see_bucket(void *ctx, struct track_relation *rel)
{
	struct data *d = ctx;
	size_t n = strlen(d->names);
	d->n += rel->n;
	inquiry_cite(d->q, d->events, &rel->first);
	inquiry_cite(d->q, d->events, &rel->last);
	if (n < 60) {
		(void)snprintf(d->names + n, sizeof(d->names) - n, "%s%.60s", n ? ", " : "",
			inquiry_text(d->q, rel->what));
	}
}

static void weigh_data(const struct inquiry *q, struct suspect *s)
{
	struct data d = { .q = q, .events = json_array() };
	char room[24];
	inquiry_each_relation(q, s, TRACK_BUCKET, see_bucket, &d);
	if (d.n) {
		inquiry_claim(&s->weigh, d.n >= DATA_MANY ? W_DATA_MANY : W_DATA,
			ARGS(inquiry_name(q, s), number(room, d.n), d.names),
			json_incref(d.events));
	}
	json_decref(d.events);
}

/* ---- signing in ---- */

struct logins {
	const struct inquiry *q;
	const struct track_note *in, *no_mfa;
	bool mfa;
};

static bool see_login(void *ctx, const struct track_note *n)
{
	struct logins *l = ctx;
	if (strcmp(n->api->name, "ConsoleLogin") != 0 || !n->ok) {
		return true;
	}
	l->in = l->in ? l->in : n;
	l->mfa |= n->mfa;
	if (!n->mfa && !l->no_mfa) {
		l->no_mfa = n;
	}
	return true;
}

/* Failed sign-ins at the address in the day before; the user's name may be hidden. */
static uint64_t failed_logins(const struct inquiry *q, uint32_t ip, const struct track_note *in,
	json_t *events, uint64_t *users)
{
	uint64_t n = 0;
	uint32_t seen[16];
	for (size_t i = 0; i < q->n_failed_logins; i++) {
		const struct track_note *o = &q->t->notes[q->failed_logins[i]];
		const struct track_edge *e = track_edge_at(q->t, o->edge);
		bool counts = e->ip == ip && o->ref.time_ms <= in->ref.time_ms &&
			      in->ref.time_ms - o->ref.time_ms <= 24 * HOUR_MS;
		if (!counts) {
			continue;
		}
		n++;
		inquiry_cite(q, events, &o->ref);
		uint32_t user = track_holder_at(q->t, e->holder)->user;
		size_t k = 0;
		while (k < *users && seen[k] != user) {
			k++;
		}
		if (k == *users && *users < 16) {
			seen[(*users)++] = user;
		}
	}
	return n;
}

static void weigh_login(const struct inquiry *q, struct suspect *s)
{
	struct logins l = { .q = q };
	const char *name = inquiry_name(q, s);
	const char *ip = inquiry_text(q, s->ip);
	char room[24];
	inquiry_each_note(q, s, see_login, &l);
	if (track_holder_at(q->t, s->holder)->mfa || l.mfa) {
		inquiry_claim(&s->weigh, W_MFA, ARGS(name, ip), NULL);
	}
	if (!l.in) {
		return;
	}
	json_t *events = json_array();
	uint64_t users = 0;
	uint64_t n = failed_logins(q, s->ip, l.in, events, &users);
	inquiry_cite(q, events, &l.in->ref);
	if (users >= 4) {
		inquiry_claim(&s->weigh, W_LOGIN_SPRAY, ARGS(number(room, users), ip),
			json_incref(events));
	} else if (n >= 4) {
		inquiry_claim(&s->weigh,
			n >= FAILED_MANY ? W_LOGIN_AFTER_MANY : W_LOGIN_AFTER_FAILURES,
			ARGS(name, ip, number(room, n)), json_incref(events));
	}
	if (l.no_mfa) {
		inquiry_claim(&s->weigh, W_LOGIN_NO_MFA, ARGS(name, ip),
			inquiry_cited(q, &l.no_mfa->ref));
	}
	json_decref(events);
}

/* ---- what others say ---- */

static bool is_alarm(struct str type)
{
	static const char *const parts[] = { "UnauthorizedAccess:", "Exfiltration:",
		"CredentialAccess:", "AttackSequence:", "PenTest:", "InitialAccess:", "Impact:",
		"Persistence:", "PrivilegeEscalation:", "Stealth:", "DefenseEvasion:",
		"Discovery:" };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (str_starts(type, str_from(parts[i]))) {
			return true;
		}
	}
	return false;
}

static void weigh_findings(const struct inquiry *q, struct suspect *s)
{
	const struct track_holder *h = track_holder_at(q->t, s->holder);
	for (size_t i = 0; i < q->r->n_findings; i++) {
		const struct reader_finding *f = &q->r->findings[i];
		if (!is_alarm(track_text(q->t, f->type))) {
			continue;
		}
		json_t *events = json_array();
		json_array_append_new(events, doc_str(track_text(q->t, f->id)));
		bool key = false;
		for (size_t e = s->edge_from; e < s->edge_to && f->key; e++) {
			key |= track_relation_of(q->t, q->unit_edges[e], TRACK_KEY, f->key) !=
			       NULL;
		}
		bool instance =
			s->kind == TRACK_INSTANCE && f->instance && f->instance == h->session;
		/* The owner goes on using the key from elsewhere: the address must fit too. */
		if ((key || instance) && f->ip && f->ip == s->ip) {
			inquiry_claim(&s->weigh, W_GD_KEY,
				ARGS(inquiry_name(q, s), inquiry_text(q, f->type)),
				json_incref(events));
		} else if (f->ip && f->ip == s->ip) {
			inquiry_claim(&s->weigh, W_GD_IP,
				ARGS(inquiry_text(q, s->ip), inquiry_text(q, f->type)),
				json_incref(events));
		}
		json_decref(events);
	}
}

static void weigh_neighbours(const struct inquiry *q, struct suspect *s)
{
	size_t others = 0;
	uint32_t seen = 0;
	struct inquiry_peers peers = inquiry_same_address(q, s);
	for (size_t i = 0; i < peers.n && others < 2; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		const struct track_holder *h = track_holder_at(q->t, o->holder);
		bool other = h->mfa && h->arn != seen &&
			     h->arn != track_holder_at(q->t, s->holder)->arn;
		others += other;
		seen = other ? h->arn : seen;
	}
	if (others >= 2) {
		inquiry_claim(&s->weigh, W_OFFICE, ARGS(inquiry_text(q, s->ip)), NULL);
	}
	const struct web *w = &q->r->web;
	json_t *events = json_array();
	for (size_t i = 0; i < w->n_hits; i++) {
		if (w->hits[i].ip == s->ip && json_array_size(events) < INQUIRY_CITED) {
			json_array_append_new(events, doc_str(track_text(q->t, w->hits[i].id)));
		}
	}
	if (json_array_size(events)) {
		inquiry_claim(&s->weigh, W_WEB_CLIENT, ARGS(inquiry_text(q, s->ip)),
			json_incref(events));
	}
	json_decref(events);
}

void inquiry_assess(struct inquiry *q)
{
	for (size_t i = 0; i < q->n_suspects; i++) {
		struct suspect *s = &q->suspects[i];
		if (s->kind == TRACK_ANONYMOUS || s->kind == TRACK_ACCOUNT) {
			s->score = WEIGHTS_PRIOR;
			continue;
		}
		origin_weigh(q, s);
		weigh_tools(q, s);
		weigh_calls(q, s);
		weigh_deeds(q, s);
		weigh_data(q, s);
		weigh_login(q, s);
		weigh_findings(q, s);
		weigh_neighbours(q, s);
		s->score = inquiry_score(&s->weigh);
	}
}
