#include "analysis/origin.h"

#include "analysis/agent.h"

#include <stdio.h>
#include <string.h>

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* "Used earlier elsewhere" means at least this much earlier. */
#define BEFORE_MS (10 * 60 * INT64_C(1000))

static bool shares_agent(
	const struct inquiry *q, const struct suspect *a, const struct suspect *b)
{
	for (size_t i = a->edge_from; i < a->edge_to; i++) {
		uint32_t edge = q->unit_edges[i];
		for (size_t k = q->relation_from[edge]; k < q->relation_from[edge + 1]; k++) {
			for (size_t m = b->edge_from; m < b->edge_to; m++) {
				if (q->relations[k]->kind == TRACK_AGENT &&
					track_relation_of(q->t, q->unit_edges[m], TRACK_AGENT,
						q->relations[k]->what)) {
					return true;
				}
			}
		}
	}
	return false;
}

static void host_cue(void *ctx, struct track_relation *rel)
{
	void **c = ctx;
	const struct inquiry *q = c[0];
	int *score = c[1];
	*score += agent_is_host(track_text(q->t, rel->what)) ? 4 : 0;
}

/* How much an address looks like the instance's own. */
static int home_cues(const struct inquiry *q, const struct suspect *s)
{
	int score = 0;
	void *ctx[2] = { (void *)(uintptr_t)q, &score };
	inquiry_each_relation(q, s, TRACK_AGENT, host_cue, ctx);
	for (size_t i = s->edge_from; i < s->edge_to; i++) {
		score += track_edge_at(q->t, q->unit_edges[i])->vpc_endpoint ? 2 : 0;
	}
	return score;
}

/* The address where the credential is at home: the first, or for an instance the most fitting. */
static const struct suspect *home_of(const struct inquiry *q, const struct suspect *s)
{
	const struct suspect *home = NULL;
	int best = -1;
	struct inquiry_peers peers = inquiry_same_holder(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		int cues = s->kind == TRACK_INSTANCE ? home_cues(q, o) : 0;
		if (cues > best) {
			best = cues;
			home = o;
		}
	}
	return home;
}

/* The owner of the credential also works from this address, with a second factor. */
static bool owner_with_mfa(const struct inquiry *q, const struct suspect *s)
{
	uint32_t arn = track_holder_at(q->t, s->holder)->arn;
	struct inquiry_peers peers = inquiry_same_address(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		const struct track_holder *h = track_holder_at(q->t, o->holder);
		if (o != s && h->arn == arn && arn && h->mfa) {
			return true;
		}
	}
	return false;
}

static void weigh_agent(const struct inquiry *q, struct suspect *s, const struct suspect *home,
	const char *name)
{
	char families[160] = "";
	for (size_t i = s->edge_from; i < s->edge_to; i++) {
		uint32_t edge = q->unit_edges[i];
		for (size_t k = q->relation_from[edge]; k < q->relation_from[edge + 1]; k++) {
			if (q->relations[k]->kind == TRACK_AGENT && strlen(families) < 90) {
				size_t n = strlen(families);
				(void)snprintf(families + n, sizeof(families) - n, "%s%.60s",
					n ? ", " : "", inquiry_text(q, q->relations[k]->what));
			}
		}
	}
	inquiry_claim(&s->weigh, shares_agent(q, s, home) ? W_SAME_AGENT : W_NEW_AGENT,
		ARGS(name, families), inquiry_cited(q, &s->first));
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
	if (home->last.time_ms < s->first.time_ms) {
		inquiry_claim(&s->weigh, W_MOVED, ARGS(name, inquiry_text(q, home->ip)), NULL);
	}
	weigh_agent(q, s, home, name);
}

void origin_weigh(const struct inquiry *q, struct suspect *s)
{
	const struct suspect *home = home_of(q, s);
	const char *name = inquiry_name(q, s);
	const char *ip = inquiry_text(q, s->ip);
	if (owner_with_mfa(q, s)) {
		inquiry_claim(&s->weigh, W_FAMILIAR, ARGS(name, ip), NULL);
	}
	if (home == s || !home) {
		return;
	}
	if (s->kind == TRACK_INSTANCE) {
		weigh_instance(q, s, home);
		return;
	}
	bool long_term = s->kind == TRACK_USER_KEY || s->kind == TRACK_ROOT_KEY;
	if (!long_term || s->first.time_ms - home->first.time_ms < BEFORE_MS) {
		return;
	}
	if (home->last.time_ms > s->first.time_ms) {
		json_t *events = inquiry_cited(q, &s->first);
		inquiry_cite(q, events, &home->last);
		inquiry_claim(&s->weigh, W_OVERLAP, ARGS(name, ip, inquiry_text(q, home->ip)),
			events);
	} else {
		inquiry_claim(
			&s->weigh, W_NEW_ADDRESS, ARGS(name, ip), inquiry_cited(q, &s->first));
		inquiry_claim(&s->weigh, W_MOVED, ARGS(name, inquiry_text(q, home->ip)), NULL);
	}
	weigh_agent(q, s, home, name);
}
