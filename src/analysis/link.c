/*
 * From suspects to attacks: a credential that an attacker made, or used from the attacker's own
 * address, is the attacker's too. An instance's stolen credentials are tied to the request or the
 * command that brought them out.
 */
#include "analysis/inquiry.h"
#include "analysis/workload.h"

#include <stdio.h>
#include <string.h>

#define ARGS(...)  ((const char *const[]){ __VA_ARGS__, NULL })
#define MINUTE_MS  (INT64_C(60) * 1000)
#define ROUNDS_MAX 16

/* The call that made a credential named `what`. */
static const struct track_issue *issue_of(const struct inquiry *q, struct str what)
{
	return what.n ? table_find(&q->t->issues, table_hash(q->t->seed, what)) : NULL;
}

static bool made_by_guilty(
	const struct inquiry *q, const struct track_issue *issue, size_t self, size_t *maker)
{
	if (!issue || issue->edge == UINT32_MAX) {
		return false;
	}
	size_t by = q->suspect_of[issue->edge];
	if (by == INQUIRY_NONE || by == self || !q->suspects[by].guilty) {
		return false;
	}
	*maker = by;
	return true;
}

static const struct track_issue *user_issue(
	const struct inquiry *q, const struct track_holder *h, const char *kind)
{
	char what[160];
	int n = snprintf(what, sizeof(what), "%s/%.*s/%.*s", kind,
		STR_ARG(str_sub(track_text(q->t, h->account), 0, 20)),
		STR_ARG(str_sub(track_text(q->t, h->user), 0, 128)));
	return h->user ? issue_of(q, (struct str){ what, n > 0 ? (size_t)n : 0 }) : NULL;
}

/* Not only knocked: something succeeded. */
static bool got_in(const struct inquiry *q, const struct suspect *s)
{
	for (size_t e = s->edge_from; e < s->edge_to; e++) {
		const struct track_edge *edge = track_edge_at(q->t, q->unit_edges[e]);
		if (edge->n > edge->n_failed + edge->n_denied) {
			return true;
		}
	}
	return false;
}

/* The person was at this address before that moment. */
static bool was_here_before(
	const struct inquiry *q, const struct suspect *s, const struct track_ref *moment)
{
	struct inquiry_peers peers = inquiry_same_person(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		if (o->ip == s->ip && track_ref_cmp(q->t, &o->first, moment) < 0) {
			return true;
		}
	}
	return false;
}

/*
 * Who made the credential of suspect i: by key; by the name of the session when the call that
 * made its key is not in the logs; by the user, or the user's password.
 */
static const struct track_issue *maker_of(const struct inquiry *q, size_t i, size_t *maker)
{
	const struct suspect *s = &q->suspects[i];
	const struct track_holder *h = track_holder_at(q->t, s->holder);
	const struct track_issue *issue = workload_issue(q, s);
	if (!issue && s->kind == TRACK_ROLE) {
		issue = issue_of(q, track_text(q->t, h->arn));
	}
	if (made_by_guilty(q, issue, i, maker)) {
		return issue;
	}
	issue = user_issue(q, h, "user");
	bool after = issue && track_ref_cmp(q->t, &issue->ref, &s->first) < 0;
	if (after && made_by_guilty(q, issue, i, maker)) {
		return issue;
	}
	bool console = s->kind == TRACK_CONSOLE || s->kind == TRACK_LOGIN;
	/* Who had the password before may still have it, and sits among colleagues. */
	bool office = s->weigh.against[G_HABIT] <= weights_tenths(W_SHARED_PLACE);
	bool may = console && !s->mfa && !office && got_in(q, s);
	issue = may ? user_issue(q, h, "password") : NULL;
	after = issue && track_ref_cmp(q->t, &issue->ref, &s->first) < 0 &&
		!was_here_before(q, s, &issue->ref);
	return after && made_by_guilty(q, issue, i, maker) ? issue : NULL;
}

/* Who commanded the instance in the hour before its credentials went astray. */
static size_t commander_of(
	const struct inquiry *q, const struct suspect *s, bool guilty, struct track_ref *ref)
{
	uint32_t instance = track_holder_at(q->t, s->holder)->session;
	for (size_t i = 0; i < q->t->n_notes; i++) {
		const struct track_note *n = &q->t->notes[q->by_time[i]];
		size_t by = q->suspect_of[n->edge];
		bool fits = n->api->tags & API_EXECUTE && n->ok && n->target == instance &&
			    n->ref.time_ms <= s->first.time_ms &&
			    s->first.time_ms - n->ref.time_ms <= 60 * MINUTE_MS &&
			    by != INQUIRY_NONE &&
			    (guilty ? q->suspects[by].guilty : q->suspects[by].ip == s->ip);
		if (fits) {
			*ref = n->ref;
			return by;
		}
	}
	return INQUIRY_NONE;
}

/* Command from an address, then the instance's credentials at that address: one hand. */
static bool claim_commanded(struct inquiry *q, size_t i)
{
	const struct suspect *s = &q->suspects[i];
	struct track_ref ref;
	size_t by = s->kind == TRACK_INSTANCE && s->guilty ? commander_of(q, s, false, &ref)
							   : INQUIRY_NONE;
	if (by == INQUIRY_NONE || q->suspects[by].guilty ||
		q->suspects[by].weigh.for_it[G_CHAIN] > 0) {
		return false;
	}
	struct suspect *c = &q->suspects[by];
	json_t *events = inquiry_cited(q, &ref);
	inquiry_cite(q, events, &s->first);
	inquiry_claim(&c->weigh, W_COMMANDED,
		ARGS(inquiry_name(q, c),
			inquiry_text(q, track_holder_at(q->t, s->holder)->session)),
		events);
	c->score = inquiry_score(&c->weigh);
	c->guilty = inquiry_accuses(&c->weigh);
	return c->guilty;
}

/* All that came from this address came after the attack had begun, or is the attack's. */
static bool address_is_attackers(const struct inquiry *q, const struct suspect *s, size_t *by)
{
	size_t found = INQUIRY_NONE;
	struct inquiry_peers peers = inquiry_same_address(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		if (o == s) {
			continue;
		}
		if (o->guilty) {
			found = found == INQUIRY_NONE ? peers.suspects[i] : found;
		} else if (found == INQUIRY_NONE) {
			return false;
		}
	}
	*by = found;
	return found != INQUIRY_NONE && q->suspects[found].first.time_ms <= s->first.time_ms &&
	       !s->mfa;
}

/* A session for the same person as the intruder's, from the intruder's address, and later. */
static size_t acts_for_same(const struct inquiry *q, const struct suspect *s)
{
	uint32_t whom = track_holder_at(q->t, s->holder)->source_identity;
	struct inquiry_peers peers = inquiry_same_address(q, s);
	for (size_t i = 0; i < peers.n && s->kind == TRACK_ROLE && whom; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		if (o != s && o->guilty && o->first.time_ms <= s->first.time_ms &&
			track_holder_at(q->t, o->holder)->source_identity == whom) {
			return peers.suspects[i];
		}
	}
	return INQUIRY_NONE;
}

static bool link_one(struct inquiry *q, size_t i)
{
	struct suspect *s = &q->suspects[i];
	size_t by = INQUIRY_NONE;
	const struct track_issue *issue = maker_of(q, i, &by);
	bool linked = issue != NULL;
	if (linked) {
		s->from_ref = issue->ref;
		s->has_from_ref = true;
	} else if (s->kind == TRACK_INSTANCE && s->guilty) {
		by = commander_of(q, s, true, &s->from_ref);
		linked = by != INQUIRY_NONE;
		s->has_from_ref = linked;
	}
	if (!linked) {
		by = acts_for_same(q, s);
		linked = by != INQUIRY_NONE && by < i;
	}
	if (!linked) {
		linked = address_is_attackers(q, s, &by) && by < i;
		if (linked && !s->guilty) {
			inquiry_claim(&s->weigh, W_ATTACKER_ADDRESS,
				ARGS(inquiry_name(q, s), inquiry_text(q, s->ip)),
				inquiry_cited(q, &s->first));
		}
	}
	if (!linked) {
		return false;
	}
	s->from = by;
	s->guilty = true;
	return true;
}

/* Somebody changes their own key for a new one: the everyday case. */
static bool is_rotation(
	const struct inquiry *q, const struct suspect *maker, const struct suspect *s)
{
	const struct track_holder *by = track_holder_at(q->t, maker->holder);
	const struct track_holder *h = track_holder_at(q->t, s->holder);
	return by->user == h->user && by->account == h->account;
}

/* Others work there, too: whoever got the credential may sit at the next desk. */
static bool is_shared_place(
	const struct inquiry *q, const struct suspect *maker, const struct suspect *s)
{
	uint32_t by = track_holder_at(q->t, maker->holder)->arn;
	uint32_t for_whom = track_holder_at(q->t, s->holder)->arn;
	struct inquiry_peers peers = inquiry_same_address(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		uint32_t arn = track_holder_at(q->t, o->holder)->arn;
		bool person = o->kind == TRACK_USER_KEY || o->kind == TRACK_CONSOLE ||
			      o->kind == TRACK_LOGIN;
		if (person && arn && arn != by && arn != for_whom &&
			track_ref_cmp(q->t, &o->first, &s->first) < 0 && got_in(q, o)) {
			return true;
		}
	}
	return false;
}

/* What was done with a session is done by whoever made it, from the same chair. */
static void inherit(struct suspect *maker, const struct suspect *s)
{
	for (int g = 0; g < G_COUNT; g++) {
		if (!weights_tells_who((enum weight_group)g) &&
			s->weigh.for_it[g] > maker->weigh.for_it[g]) {
			maker->weigh.for_it[g] = s->weigh.for_it[g];
		}
	}
	maker->score = inquiry_score(&maker->weigh);
}

/* The call that made the credential of `s`: its key, or the password it signed in with. */
static const struct track_issue *made_by(const struct inquiry *q, const struct suspect *s)
{
	const struct track_issue *issue = workload_issue(q, s);
	bool console = s->kind == TRACK_CONSOLE || s->kind == TRACK_LOGIN;
	if (issue || !console || s->mfa || !got_in(q, s)) {
		return issue;
	}
	issue = user_issue(q, track_holder_at(q->t, s->holder), "password");
	bool after = issue && track_ref_cmp(q->t, &issue->ref, &s->first) < 0;
	return after ? issue : NULL;
}

/*
 * A credential for somebody else, used at once from its maker's own address, makes the maker
 * suspect before he is accused, so that evidence is weighed with all of it on the scale. The
 * latest ones first: what was done at the end of a chain of sessions reaches its beginning.
 */
static void claim_made_keys(struct inquiry *q)
{
	for (size_t i = q->n_suspects; i-- > 0;) {
		struct suspect *s = &q->suspects[i];
		const struct track_issue *issue = made_by(q, s);
		size_t by = issue && issue->edge != UINT32_MAX ? q->suspect_of[issue->edge]
							       : INQUIRY_NONE;
		if (by == INQUIRY_NONE || by == i || q->suspects[by].ip != s->ip) {
			continue;
		}
		struct suspect *maker = &q->suspects[by];
		bool other = !is_rotation(q, maker, s) && !is_shared_place(q, maker, s);
		bool lasting = s->kind == TRACK_USER_KEY || s->kind == TRACK_CONSOLE ||
			       s->kind == TRACK_LOGIN;
		if (!lasting || other) {
			inherit(maker, s);
		}
		if (other && lasting) {
			json_t *events = inquiry_cited(q, &issue->ref);
			inquiry_cite(q, events, &s->first);
			inquiry_claim(&maker->weigh, W_MADE_KEY_USED,
				ARGS(inquiry_name(q, maker), inquiry_text(q, s->ip)), events);
			maker->score = inquiry_score(&maker->weigh);
		}
	}
}

/*
 * A key, a user or a password that an intruder used within the hour: whoever made it made it for
 * the intruder, or is the intruder. So is whoever showed a token and then used the session.
 */
static bool claim_made_for(struct inquiry *q, size_t i)
{
	const struct suspect *s = &q->suspects[i];
	const struct track_holder *h = track_holder_at(q->t, s->holder);
	const struct track_issue *issue = workload_issue(q, s);
	bool console = s->kind == TRACK_CONSOLE || s->kind == TRACK_LOGIN;
	size_t by =
		issue && issue->edge != UINT32_MAX ? q->suspect_of[issue->edge] : INQUIRY_NONE;
	bool token = s->kind == TRACK_ROLE && by != INQUIRY_NONE &&
		     q->suspects[by].kind == TRACK_TOKEN && q->suspects[by].ip == s->ip;
	if (!s->guilty || (s->kind == TRACK_ROLE && !token) || s->kind == TRACK_INSTANCE) {
		return false;
	}
	issue = issue ? issue : user_issue(q, h, "user");
	issue = issue || !console ? issue : user_issue(q, h, "password");
	by = issue && issue->edge != UINT32_MAX ? q->suspect_of[issue->edge] : INQUIRY_NONE;
	if (by == INQUIRY_NONE || by == i || q->suspects[by].guilty ||
		s->first.time_ms < issue->ref.time_ms ||
		s->first.time_ms - issue->ref.time_ms > 60 * MINUTE_MS) {
		return false;
	}
	struct suspect *maker = &q->suspects[by];
	json_t *events = inquiry_cited(q, &issue->ref);
	inquiry_cite(q, events, &s->first);
	inquiry_claim(&maker->weigh, W_MADE_FOR_THIEF,
		ARGS(inquiry_name(q, maker), inquiry_name(q, s)), events);
	maker->score = inquiry_score(&maker->weigh);
	maker->guilty = inquiry_accuses(&maker->weigh);
	return maker->guilty;
}

static bool has_program(const struct inquiry *q, const struct suspect *s, uint32_t family)
{
	for (size_t e = s->edge_from; e < s->edge_to; e++) {
		if (track_relation_of(q->t, q->unit_edges[e], TRACK_AGENT, family)) {
			return true;
		}
	}
	return false;
}

/* A program (of the same build) that both use and that nobody innocent with the same credential does. */
static bool has_intruders_program(
	const struct inquiry *q, const struct suspect *s, const struct suspect *intruder)
{
	struct inquiry_peers peers = inquiry_same_holder(q, s);
	for (size_t e = s->edge_from; e < s->edge_to; e++) {
		uint32_t edge = q->unit_edges[e];
		for (size_t k = q->relation_from[edge]; k < q->relation_from[edge + 1]; k++) {
			uint32_t family = q->relations[k]->what;
			bool shared = q->relations[k]->kind == TRACK_AGENT &&
				      has_program(q, intruder, family);
			for (size_t i = 0; shared && i < peers.n; i++) {
				const struct suspect *o = &q->suspects[peers.suspects[i]];
				bool innocent = o != s && !o->guilty &&
						inquiry_stranger(&o->weigh) < WEIGHTS_STRANGER;
				shared = !(innocent && has_program(q, o, family));
			}
			if (shared) {
				return true;
			}
		}
	}
	return false;
}

/* The same credential with the same strange program from yet another address. */
static bool claim_same_hand(struct inquiry *q, size_t i)
{
	struct suspect *s = &q->suspects[i];
	bool open = !s->guilty && inquiry_stranger(&s->weigh) >= WEIGHTS_STRANGER &&
		    s->weigh.against[G_HABIT] >= 0 && s->weigh.for_it[G_CHAIN] <= 0;
	struct inquiry_peers peers = inquiry_same_holder(q, s);
	for (size_t k = 0; open && k < peers.n; k++) {
		const struct suspect *o = &q->suspects[peers.suspects[k]];
		if (!o->guilty || !has_intruders_program(q, s, o)) {
			continue;
		}
		inquiry_claim(&s->weigh, W_SAME_HAND,
			ARGS(inquiry_name(q, s), inquiry_text(q, s->ip)),
			inquiry_cited(q, &s->first));
		s->score = inquiry_score(&s->weigh);
		s->guilty = inquiry_accuses(&s->weigh);
		return s->guilty;
	}
	return false;
}

static size_t attack_root(struct inquiry *q, size_t i)
{
	while (q->suspects[i].attack != i) {
		i = q->suspects[i].attack;
	}
	return i;
}

static void join(struct inquiry *q, size_t i, size_t k)
{
	size_t a = attack_root(q, i);
	size_t b = attack_root(q, k);
	q->suspects[a < b ? b : a].attack = a < b ? a : b;
}

/* The addresses of one stolen credential are one attack. */
static void join_holders(struct inquiry *q)
{
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct suspect *s = &q->suspects[i];
		struct inquiry_peers peers = inquiry_same_holder(q, s);
		for (size_t k = 0; s->guilty && k < peers.n; k++) {
			const struct suspect *o = &q->suspects[peers.suspects[k]];
			if (o->guilty) {
				join(q, i, peers.suspects[k]);
				break; /* the first; the others join it as well */
			}
		}
	}
}

void inquiry_link(struct inquiry *q)
{
	claim_made_keys(q);
	for (size_t i = 0; i < q->n_suspects; i++) {
		q->suspects[i].guilty = inquiry_accuses(&q->suspects[i].weigh);
	}
	bool changed = true;
	for (int round = 0; changed && round < ROUNDS_MAX; round++) {
		changed = false;
		for (size_t i = 0; i < q->n_suspects; i++) {
			if (q->suspects[i].from == INQUIRY_NONE) {
				changed |= link_one(q, i);
			}
			changed |= claim_made_for(q, i) || claim_commanded(q, i) ||
				   claim_same_hand(q, i);
		}
	}
	for (size_t i = 0; i < q->n_suspects; i++) {
		if (q->suspects[i].from == INQUIRY_NONE) {
			continue;
		}
		join(q, i, q->suspects[i].from);
	}
	join_holders(q);
	for (size_t i = 0; i < q->n_suspects; i++) {
		q->suspects[i].attack = attack_root(q, i);
	}
}
