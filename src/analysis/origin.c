#include "analysis/origin.h"

#include "analysis/agent.h"
#include "analysis/workload.h"

#include <stdio.h>
#include <string.h>

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define HOUR_MS   (INT64_C(3600) * 1000)
/* "Used earlier elsewhere" means at least this much earlier. */
#define BEFORE_MS (INT64_C(10) * 60 * 1000)
/* A credential that moved is used at the new place for at least this long. */
#define MOVED_MS (12 * HOUR_MS)
/* Silent for this long at the beginning of the logs, and for this share of them. */
#define DORMANT_MS    (24 * HOUR_MS)
#define DORMANT_SHARE 3
/* Keys of an instance seen at one address: a thief has one or two, the instance all of them. */
#define OWN_KEYS 3
#define HOST_CUE 4
/* A key used somewhere for that long is settled there. */
#define SETTLED_HOURS     2
#define SETTLED_MS        (36 * HOUR_MS)
#define THROUGHOUT_CALLS  5
#define THROUGHOUT_TENTHS 7
/* Who was at more places than these is always on the move. */
#define MOVES_MAX 64

/* How alike the programs of two suspects are, at their most alike. */
enum alike { ALIKE_NOT, ALIKE_FAMILY, ALIKE_BUILD };

static enum alike one_alike(const struct inquiry *q, uint32_t program, const struct suspect *b)
{
	enum alike best = ALIKE_NOT;
	struct str family = agent_family_of(track_text(q->t, program));
	for (size_t m = b->edge_from; m < b->edge_to; m++) {
		uint32_t edge = q->unit_edges[m];
		if (track_relation_of(q->t, edge, TRACK_AGENT, program)) {
			return ALIKE_BUILD;
		}
		for (size_t k = q->relation_from[edge]; k < q->relation_from[edge + 1]; k++) {
			bool same =
				q->relations[k]->kind == TRACK_AGENT &&
				str_eq(agent_family_of(track_text(q->t, q->relations[k]->what)),
					family);
			best = same ? ALIKE_FAMILY : best;
		}
	}
	return best;
}

static enum alike programs_alike(
	const struct inquiry *q, const struct suspect *a, const struct suspect *b)
{
	enum alike best = ALIKE_NOT;
	for (size_t i = a->edge_from; i < a->edge_to && best < ALIKE_BUILD; i++) {
		uint32_t edge = q->unit_edges[i];
		for (size_t k = q->relation_from[edge]; k < q->relation_from[edge + 1]; k++) {
			enum alike one = q->relations[k]->kind == TRACK_AGENT
						 ? one_alike(q, q->relations[k]->what, b)
						 : ALIKE_NOT;
			best = one > best ? one : best;
		}
	}
	return best;
}

bool origin_shares_program(
	const struct inquiry *q, const struct suspect *a, const struct suspect *b)
{
	return programs_alike(q, a, b) != ALIKE_NOT;
}

static void host_cue(void *ctx, struct track_relation *rel)
{
	void **c = ctx;
	const struct inquiry *q = c[0];
	int *score = c[1];
	*score += agent_is_host(agent_family_of(track_text(q->t, rel->what))) ? HOST_CUE : 0;
}

/* How much an address looks like the instance's own. */
static int home_cues(const struct inquiry *q, const struct suspect *s)
{
	int score = 0;
	void *ctx[2] = { (void *)(uintptr_t)q, &score };
	inquiry_each_relation(q, s, TRACK_AGENT, host_cue, ctx);
	score += inquiry_count(q, s, TRACK_KEY) >= OWN_KEYS ? 2 : 0;
	return score;
}

/* The owner of the credential also works from this address, with a second factor. */
static bool owner_with_mfa(const struct inquiry *q, const struct suspect *s)
{
	uint32_t arn = track_holder_at(q->t, s->holder)->arn;
	struct inquiry_peers there = inquiry_same_address(q, s);
	struct inquiry_peers person = inquiry_same_person(q, s);
	struct inquiry_peers peers = there.n < person.n ? there : person;
	for (size_t i = 0; i < peers.n && arn; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		bool same = track_holder_at(q->t, o->holder)->arn == arn && o->ip == s->ip;
		if (o != s && same && o->mfa) {
			return true;
		}
	}
	return false;
}

/* How long and how surely an address has been a key's: in hours, the owner's MFA aside. */
static int key_cues(const struct inquiry *q, const struct suspect *s)
{
	int64_t hours = (s->last.time_ms - s->first.time_ms) / HOUR_MS;
	int cues = hours >= SETTLED_HOURS ? 1 : 0;
	return cues + (owner_with_mfa(q, s) ? 2 : 0);
}

static int cues_of(const struct inquiry *q, const struct suspect *s)
{
	switch (s->kind) {
	case TRACK_INSTANCE:
		return home_cues(q, s);
	case TRACK_USER_KEY:
	case TRACK_ROOT_KEY:
		return key_cues(q, s);
	default:
		return 0;
	}
}

/* The address where the credential is at home: the most fitting, the first of equals. */
static const struct suspect *home_of(const struct inquiry *q, const struct suspect *s)
{
	const struct suspect *home = NULL;
	int best = -1;
	struct inquiry_peers peers = inquiry_same_holder(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		int cues = cues_of(q, o);
		if (cues > best) {
			best = cues;
			home = o;
		}
	}
	return home;
}

void origin_programs(
	const struct inquiry *q, const struct suspect *s, char out[ORIGIN_PROGRAMS])
{
	out[0] = 0;
	for (size_t i = s->edge_from; i < s->edge_to; i++) {
		uint32_t edge = q->unit_edges[i];
		for (size_t k = q->relation_from[edge]; k < q->relation_from[edge + 1]; k++) {
			size_t n = strlen(out);
			struct str f = agent_family_of(track_text(q->t, q->relations[k]->what));
			bool named = q->relations[k]->kind != TRACK_AGENT || n >= 90 ||
				     str_find(str_from(out), f) != SIZE_MAX;
			if (!named) {
				(void)snprintf(out + n, ORIGIN_PROGRAMS - n, "%s%.*s",
					n ? ", " : "", STR_ARG(f));
			}
		}
	}
}

static void weigh_agent(const struct inquiry *q, struct suspect *s, const struct suspect *home,
	const char *name)
{
	char programs[ORIGIN_PROGRAMS];
	origin_programs(q, s, programs);
	enum alike alike = programs_alike(q, s, home);
	enum weight_id id = W_NEW_AGENT;
	if (alike != ALIKE_NOT) {
		id = alike == ALIKE_BUILD ? W_SAME_AGENT : W_OTHER_BUILD;
	}
	inquiry_claim(&s->weigh, id, ARGS(name, programs), inquiry_cited(q, &s->first));
}

/* ---- instances ---- */

static void see_endpoint(void *ctx, struct track_relation *rel)
{
	void **c = ctx;
	const struct inquiry *q = c[0];
	const struct track_relation **foreign = c[1];
	if (str_find_char(track_text(q->t, rel->what), '/') != SIZE_MAX) {
		*foreign = rel;
	}
}

/* Its agent told AWS that this is the instance's private address. */
static const struct track_relation *stated(const struct inquiry *q, const struct suspect *s)
{
	struct inquiry_peers peers = inquiry_same_holder(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		for (size_t e = o->edge_from; e < o->edge_to; e++) {
			const struct track_relation *rel =
				track_relation_of(q->t, q->unit_edges[e], TRACK_PRIVATE, s->ip);
			if (rel) {
				return rel;
			}
		}
	}
	return NULL;
}

/* In use from the first event of the instance to the last, or nearly. */
static bool throughout(const struct inquiry *q, const struct suspect *s)
{
	int64_t first = INT64_MAX;
	int64_t last = INT64_MIN;
	struct inquiry_peers peers = inquiry_same_holder(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		first = o->first.time_ms < first ? o->first.time_ms : first;
		last = o->last.time_ms > last ? o->last.time_ms : last;
	}
	int64_t here = s->last.time_ms - s->first.time_ms;
	return s->n >= THROUGHOUT_CALLS && here * 10 >= (last - first) * THROUGHOUT_TENTHS;
}

/* One machine has several addresses: a NAT gateway's, IPv6, private ones behind endpoints. */
static void weigh_own_address(
	const struct inquiry *q, struct suspect *s, const struct suspect *home)
{
	const char *instance = inquiry_text(q, track_holder_at(q->t, s->holder)->session);
	const char *ip = inquiry_text(q, s->ip);
	const struct track_relation *foreign = NULL;
	void *ctx[2] = { (void *)(uintptr_t)q, &foreign };
	inquiry_each_relation(q, s, TRACK_ENDPOINT, see_endpoint, ctx);
	if (foreign) {
		inquiry_claim(&s->weigh, W_FOREIGN_ENDPOINT,
			ARGS(inquiry_name(q, s), ip,
				strchr(inquiry_text(q, foreign->what), '/') + 1),
			inquiry_cited(q, &foreign->first));
		return;
	}
	const struct track_relation *own = stated(q, s);
	size_t keys = inquiry_count(q, s, TRACK_KEY);
	char n[24];
	(void)snprintf(n, sizeof(n), "%zu", keys);
	if (own) {
		inquiry_claim(&s->weigh, W_OWN_PRIVATE, ARGS(instance, ip),
			inquiry_cited(q, &own->first));
	} else if (origin_shares_program(q, s, home) &&
		   (keys >= OWN_KEYS || home_cues(q, s) >= HOST_CUE)) {
		inquiry_claim(&s->weigh, W_OWN_ADDRESS, ARGS(instance, ip, n),
			inquiry_cited(q, &s->first));
	} else if (throughout(q, s)) {
		json_t *events = inquiry_cited(q, &s->first);
		inquiry_cite(q, events, &s->last);
		inquiry_claim(&s->weigh, W_OWN_THROUGHOUT, ARGS(instance, ip), events);
	}
}

static void weigh_instance(
	const struct inquiry *q, struct suspect *s, const struct suspect *home)
{
	const struct track_holder *h = track_holder_at(q->t, s->holder);
	const struct track_edge *here = track_edge_at(q->t, q->unit_edges[s->edge_from]);
	const struct track_edge *there = track_edge_at(q->t, q->unit_edges[home->edge_from]);
	const char *name = inquiry_name(q, s);
	inquiry_claim(&s->weigh, W_OFF_INSTANCE,
		ARGS(inquiry_text(q, h->session), inquiry_text(q, s->ip),
			inquiry_text(q, home->ip)),
		inquiry_cited(q, &s->first));
	if (there->imds_v2 && !there->imds_v1 && here->imds_v1 && !here->imds_v2) {
		inquiry_claim(&s->weigh, W_OTHER_IMDS, ARGS(name), inquiry_cited(q, &s->first));
	}
	if (home->last.time_ms < s->first.time_ms && origin_shares_program(q, s, home)) {
		inquiry_claim(&s->weigh, W_MOVED, ARGS(name, inquiry_text(q, home->ip)),
			inquiry_cited(q, &home->last));
	}
	weigh_own_address(q, s, home);
	weigh_agent(q, s, home, name);
}

/* ---- people and programs ---- */

/* The person (or role session of that name) was at other places before, and never here. */
static bool is_new_place(const struct inquiry *q, const struct suspect *s)
{
	bool elsewhere = false;
	struct inquiry_peers peers = inquiry_same_person(q, s);
	if (track_holder_at(q->t, s->holder)->arn == 0) {
		return false;
	}
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		if (o == s || o->first.time_ms > s->first.time_ms - BEFORE_MS) {
			continue;
		}
		if (o->ip == s->ip) {
			return false;
		}
		elsewhere = true;
	}
	return elsewhere;
}

bool origin_moved_in(const struct inquiry *q, const struct suspect *s)
{
	bool person = s->kind == TRACK_USER_KEY || s->kind == TRACK_CONSOLE ||
		      s->kind == TRACK_LOGIN || s->kind == TRACK_ROLE;
	if (!person || track_holder_at(q->t, s->holder)->arn == 0) {
		return false;
	}
	struct inquiry_peers peers = inquiry_same_person(q, s);
	for (size_t i = 0; i < peers.n && i < MOVES_MAX; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		if (o->ip != s->ip && o->kind == s->kind &&
			o->last.time_ms < s->first.time_ms - BEFORE_MS &&
			programs_alike(q, s, o) == ALIKE_BUILD) {
			return true;
		}
	}
	return false;
}

/* Somebody else was at the address before. */
static bool is_shared_place(const struct inquiry *q, const struct suspect *s)
{
	struct inquiry_peers peers = inquiry_same_address(q, s);
	const struct suspect *first = &q->suspects[peers.suspects[0]];
	return first->first.time_ms < s->first.time_ms - BEFORE_MS;
}

/* A long-term key that was silent while everything else went on. */
static void weigh_silence(const struct inquiry *q, struct suspect *s)
{
	int64_t silent = s->first.time_ms - q->t->first.time_ms;
	int64_t span = q->t->last.time_ms - q->t->first.time_ms;
	const char *name = inquiry_name(q, s);
	bool made = table_find(&q->t->issues, table_hash(q->t->seed, str_from(name))) != NULL;
	if (!made && !is_shared_place(q, s) && silent >= DORMANT_MS &&
		silent >= span / DORMANT_SHARE) {
		char hours[24];
		(void)snprintf(hours, sizeof(hours), "%lld", (long long)(silent / HOUR_MS));
		inquiry_claim(&s->weigh, W_DORMANT, ARGS(name, hours, inquiry_text(q, s->ip)),
			inquiry_cited(q, &s->first));
	}
}

static void weigh_key(const struct inquiry *q, struct suspect *s, const struct suspect *home)
{
	const char *name = inquiry_name(q, s);
	const char *ip = inquiry_text(q, s->ip);
	/* Hardly earlier than home itself, unless home is settled and this was a visit. */
	bool visit = key_cues(q, home) > 0 && key_cues(q, s) == 0;
	if (s->first.time_ms - home->first.time_ms < BEFORE_MS && !visit) {
		return;
	}
	bool overlaps =
		home->first.time_ms < s->first.time_ms && home->last.time_ms > s->first.time_ms;
	if (overlaps) {
		json_t *events = inquiry_cited(q, &s->first);
		inquiry_cite(q, events, &home->last);
		inquiry_claim(&s->weigh, W_OVERLAP, ARGS(name, ip, inquiry_text(q, home->ip)),
			events);
	} else {
		inquiry_claim(
			&s->weigh, W_NEW_ADDRESS, ARGS(name, ip), inquiry_cited(q, &s->first));
	}
	if (home->last.time_ms < s->first.time_ms &&
		s->last.time_ms - s->first.time_ms >= MOVED_MS) {
		inquiry_claim(&s->weigh, W_MOVED, ARGS(name, inquiry_text(q, home->ip)),
			inquiry_cited(q, &home->last));
	}
	weigh_agent(q, s, home, name);
}

/* The same person, at the same place, for days and from the beginning of the logs. */
static void weigh_settled(const struct inquiry *q, struct suspect *s)
{
	int64_t first = s->first.time_ms;
	int64_t last = s->last.time_ms;
	struct inquiry_peers peers = inquiry_same_person(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		if (o->ip == s->ip && track_holder_at(q->t, s->holder)->arn) {
			first = o->first.time_ms < first ? o->first.time_ms : first;
			last = o->last.time_ms > last ? o->last.time_ms : last;
		}
	}
	if (last - first >= SETTLED_MS && first - q->t->first.time_ms <= DORMANT_MS) {
		char hours[24];
		(void)snprintf(
			hours, sizeof(hours), "%lld", (long long)((last - first) / HOUR_MS));
		inquiry_claim(&s->weigh, W_SETTLED,
			ARGS(inquiry_name(q, s), inquiry_text(q, s->ip), hours),
			inquiry_cited(q, &s->last));
	}
}

static void weigh_person(const struct inquiry *q, struct suspect *s)
{
	s->new_place = is_new_place(q, s);
	if (!s->mfa && s->new_place) {
		inquiry_claim(&s->weigh, W_NEW_PLACE,
			ARGS(inquiry_name(q, s), inquiry_text(q, s->ip)),
			inquiry_cited(q, &s->first));
	}
}

void origin_weigh(const struct inquiry *q, struct suspect *s)
{
	const struct suspect *home = home_of(q, s);
	const char *name = inquiry_name(q, s);
	const char *ip = inquiry_text(q, s->ip);
	bool long_term = s->kind == TRACK_USER_KEY || s->kind == TRACK_ROOT_KEY;
	if (owner_with_mfa(q, s)) {
		inquiry_claim(
			&s->weigh, W_FAMILIAR, ARGS(name, ip), inquiry_cited(q, &s->first));
	}
	if (s->kind == TRACK_CONSOLE || s->kind == TRACK_LOGIN) {
		weigh_person(q, s);
		weigh_settled(q, s);
	} else if (home == s || !home) {
		if (long_term) {
			weigh_person(q, s);
			weigh_settled(q, s);
			weigh_silence(q, s);
		}
		if (s->kind == TRACK_ROLE) {
			workload_weigh(q, s);
		}
	} else if (s->kind == TRACK_INSTANCE) {
		weigh_instance(q, s, home);
	} else if (long_term) {
		weigh_key(q, s, home);
	} else if (s->kind == TRACK_ROLE && programs_alike(q, s, home) < ALIKE_BUILD) {
		inquiry_claim(&s->weigh, W_TWO_PLACES,
			ARGS(name, ip, inquiry_text(q, home->ip)), inquiry_cited(q, &s->first));
		weigh_agent(q, s, home, name);
	}
}
