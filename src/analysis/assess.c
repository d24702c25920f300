/* Weighs every suspect by itself: what is odd about this credential at this address. */
#include "analysis/agent.h"
#include "analysis/deeds.h"
#include "analysis/inquiry.h"
#include "analysis/origin.h"
#include "analysis/signin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS   (INT64_C(60) * 1000)
#define RECON_MANY  8
#define RECON_FEW   5
#define DENIED_MANY 5
/* Work, and not a look: that many calls, and begun that long before. */
#define WORK_CALLS     5
#define LONG_BEFORE_MS (120 * MINUTE_MS)
#define BEFORE_MS      (10 * MINUTE_MS)

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *number(char room[24], uint64_t n)
{
	(void)snprintf(room, 24, "%llu", (unsigned long long)n);
	return room;
}

/* ---- what with ---- */

struct agents {
	const struct inquiry *q;
	const char *tool;
	char iac[AGENT_FAMILY_MAX];
	const struct track_relation *tool_rel;
};

static void see_agent(void *ctx, struct track_relation *rel)
{
	struct agents *a = ctx;
	struct str family = agent_family_of(track_text(a->q->t, rel->what));
	const char *tool = agent_attack_tool(family);
	if (tool) {
		a->tool = tool;
		a->tool_rel = rel;
	}
	if (agent_is_iac(family)) {
		(void)snprintf(a->iac, sizeof(a->iac), "%.*s", STR_ARG(family));
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
	if (a.iac[0] && !a.tool && n_iac * 10 >= s->n * 8) {
		inquiry_claim(&s->weigh, W_IAC, ARGS(name, a.iac), inquiry_cited(q, &s->first));
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
	/* A policy's new version names no user: it may well be the caller's own. */
	b->found = n->ok && n->api->tags & API_PRIVILEGE && (n->self || n->subject == 0) &&
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

struct programs {
	const struct inquiry *q;
	bool browser, audit, other;
};

static void see_program(void *ctx, struct track_relation *rel)
{
	struct programs *p = ctx;
	struct str family = agent_family_of(track_text(p->q->t, rel->what));
	bool browser = str_starts(family, STR("browser")) || str_is(family, "aws-console") ||
		       str_is(family, "aws-internal");
	bool audit = agent_is_audit(family);
	p->browser |= browser;
	p->audit |= audit;
	p->other |= !browser && !audit;
}

/*
 * A browser, whose pages make calls of their own, or a program that audits: both ask for
 * everything by their nature.
 */
static struct programs programs_of(const struct inquiry *q, const struct suspect *s)
{
	struct programs p = { .q = q };
	inquiry_each_relation(q, s, TRACK_AGENT, see_program, &p);
	p.browser = p.browser && !p.audit && !p.other;
	p.audit = p.audit && !p.other;
	return p;
}

static enum weight_id look_of(const struct programs *p, size_t most)
{
	if (p->browser || p->audit) {
		return p->browser ? W_CONSOLE_LOOK : W_AUDIT_LOOK;
	}
	return most >= RECON_MANY ? W_RECON : W_RECON_SMALL;
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
	struct programs programs = programs_of(q, s);
	bool asks = programs.browser || programs.audit;
	if (most >= RECON_FEW) {
		json_t *events = json_array();
		for (size_t i = from; i < from + most; i++) {
			inquiry_cite(q, events, &c.first[i]);
		}
		inquiry_claim(&s->weigh, look_of(&programs, most),
			ARGS(name, number(room, most)), events);
	}
	if (c.whoami && c.whoami_ref.time_ms - s->first.time_ms <= MINUTE_MS) {
		inquiry_claim(&s->weigh, W_WHOAMI, ARGS(name), inquiry_cited(q, &c.whoami_ref));
	}
	if (c.n_denied >= 2) {
		inquiry_claim(&s->weigh,
			c.n_denied >= DENIED_MANY && !asks ? W_DENIED : W_DENIED_FEW,
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

static void weigh_key(const struct inquiry *q, struct suspect *s)
{
	const struct track_holder *h = track_holder_at(q->t, s->holder);
	if (s->kind == TRACK_ROOT_KEY) {
		inquiry_claim(&s->weigh, W_ROOT_KEY, ARGS(inquiry_name(q, s)),
			inquiry_cited(q, &s->first));
	}
	for (size_t i = 0; s->kind == TRACK_USER_KEY && i < q->n_quarantines; i++) {
		const struct track_note *n = &q->t->notes[q->quarantines[i]];
		/* The owner goes on using the key, at home and on the road. */
		bool strange = inquiry_stranger(&s->weigh) >= WEIGHTS_STRANGER &&
			       s->weigh.against[G_AGENT] >= 0 && s->weigh.against[G_HABIT] >= 0;
		if (n->subject == h->user && strange) {
			inquiry_claim(&s->weigh, W_QUARANTINE, ARGS(inquiry_name(q, s)),
				inquiry_cited(q, &n->ref));
		}
	}
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

typedef bool (*colleague_fn)(const struct suspect *s, const struct suspect *o);

static bool has_mfa(const struct suspect *s, const struct suspect *o)
{
	(void)s;
	return o->mfa;
}

static bool has_moved_in(const struct suspect *s, const struct suspect *o)
{
	(void)s;
	return o->moved_in;
}

static bool was_here_before(const struct suspect *s, const struct suspect *o)
{
	bool person = o->kind == TRACK_USER_KEY || o->kind == TRACK_CONSOLE ||
		      o->kind == TRACK_LOGIN || o->moved_in;
	int64_t ahead = s->first.time_ms - o->first.time_ms;
	/* Who came along with the usual programs need not have been there for long. */
	return person && o->n >= WORK_CALLS &&
	       ahead >= (o->moved_in ? BEFORE_MS : LONG_BEFORE_MS);
}

/* The owner of the whole account, with the second factor: worth two colleagues. */
static bool is_root_with_mfa(const struct inquiry *q, const struct suspect *o)
{
	struct str arn = track_text(q->t, track_holder_at(q->t, o->holder)->arn);
	return o->mfa && str_ends(arn, STR(":root"));
}

/* A console session of whoever has the key: long before, at the same address. */
static bool is_sign_in(const struct suspect *s, const struct suspect *o, colleague_fn fits)
{
	return fits == was_here_before && s->kind == TRACK_USER_KEY &&
	       (o->kind == TRACK_CONSOLE || o->kind == TRACK_LOGIN);
}

/* Two other people at the address are of that kind. */
static void weigh_colleagues(
	const struct inquiry *q, struct suspect *s, colleague_fn fits, enum weight_id id)
{
	size_t others = 0;
	uint32_t seen = 0;
	json_t *colleagues = json_array();
	struct inquiry_peers peers = inquiry_same_address(q, s);
	for (size_t i = 0; i < peers.n && others < 2; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		if (!fits(s, o)) {
			continue; /* hardly anybody does, of thousands at a busy address */
		}
		const struct track_holder *h = track_holder_at(q->t, o->holder);
		/* One's own sign-in is another credential: as good as somebody else's. */
		bool own = h->arn == track_holder_at(q->t, s->holder)->arn;
		if (h->arn == seen || (own && !is_sign_in(s, o, fits))) {
			continue;
		}
		bool sure = is_root_with_mfa(q, o) ||
			    (fits == was_here_before && (o->moved_in || own));
		others += 1 + sure;
		seen = h->arn;
		inquiry_cite(q, colleagues, &o->first);
	}
	if (others >= 2) {
		inquiry_claim(
			&s->weigh, id, ARGS(inquiry_text(q, s->ip)), json_incref(colleagues));
	}
	json_decref(colleagues);
}

static void weigh_neighbours(const struct inquiry *q, struct suspect *s)
{
	weigh_colleagues(q, s, has_mfa, W_OFFICE);
	weigh_colleagues(q, s, was_here_before, W_SHARED_PLACE);
	weigh_colleagues(q, s, has_moved_in, W_MOVED_TOGETHER);
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

static void weigh(const struct inquiry *q, struct suspect *s)
{
	origin_weigh(q, s);
	weigh_tools(q, s);
	weigh_calls(q, s);
	deeds_weigh(q, s);
	signin_weigh(q, s);
	weigh_findings(q, s);
	weigh_neighbours(q, s);
	weigh_key(q, s);
}

static bool is_weighed(const struct suspect *s)
{
	return s->kind != TRACK_ANONYMOUS && s->kind != TRACK_ACCOUNT;
}

void inquiry_assess(struct inquiry *q)
{
	q->numbers_only = true;
	for (size_t i = 0; i < q->n_suspects; i++) {
		q->suspects[i].moved_in = origin_moved_in(q, &q->suspects[i]);
	}
	for (size_t i = 0; i < q->n_suspects; i++) {
		struct suspect *s = &q->suspects[i];
		if (!is_weighed(s)) {
			s->score = WEIGHTS_PRIOR;
			continue;
		}
		s->weigh.numbers_only = true;
		weigh(q, s);
		s->weigh.numbers_only = false;
		s->score = inquiry_score(&s->weigh);
	}
	q->numbers_only = false;
}

/* Weighed once more, by the same facts: what was added to its numbers since stays. */
void inquiry_tell(struct inquiry *q, const struct suspect *s, json_t *claims)
{
	struct suspect *again = &q->suspects[s - q->suspects];
	struct inquiry_weigh kept = again->weigh;
	if (is_weighed(s)) {
		again->weigh = (struct inquiry_weigh){ .claims = claims };
		weigh(q, again);
		again->weigh = kept;
	}
	if (kept.claims) {
		json_array_extend(claims, kept.claims);
	}
}
