#include "analysis/workload.h"

#include "analysis/origin.h"

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* "Before" means at least this much earlier. */
#define BEFORE_MS (INT64_C(10) * 60 * 1000)
/* So many other sessions show how a role is used. */
#define HISTORY 3

static const struct track_issue *find_issue(const struct inquiry *q, struct str what)
{
	return what.n ? table_find(&q->t->issues, table_hash(q->t->seed, what)) : NULL;
}

const struct track_issue *workload_issue(const struct inquiry *q, const struct suspect *s)
{
	for (size_t e = s->edge_from; e < s->edge_to; e++) {
		uint32_t edge = q->unit_edges[e];
		for (size_t k = q->relation_from[edge]; k < q->relation_from[edge + 1]; k++) {
			const struct track_issue *issue =
				q->relations[k]->kind == TRACK_KEY
					? find_issue(q, track_text(q->t, q->relations[k]->what))
					: NULL;
			if (issue) {
				return issue;
			}
		}
	}
	return NULL;
}

bool workload_is(const struct inquiry *q, const struct suspect *s)
{
	if (s->kind == TRACK_INSTANCE || s->kind == TRACK_TOKEN) {
		return true;
	}
	/* CloudTrail says itself which function or task the credentials were given to. */
	if (s->kind == TRACK_ROLE && track_holder_at(q->t, s->holder)->issued_to) {
		return true;
	}
	const struct track_issue *issue = s->kind == TRACK_ROLE ? workload_issue(q, s) : NULL;
	if (!issue && s->kind == TRACK_ROLE) {
		/* Its own key's making is not in the logs: sessions of the same name tell. */
		issue = find_issue(q, track_text(q->t, track_holder_at(q->t, s->holder)->arn));
	}
	if (!issue) {
		return false;
	}
	/* Made by an AWS service, or for a token. */
	return issue->edge == UINT32_MAX ||
	       track_holder_at(q->t, track_edge_at(q->t, issue->edge)->holder)->kind ==
		       TRACK_TOKEN;
}

void workload_weigh(const struct inquiry *q, struct suspect *s)
{
	size_t before = 0;
	size_t after = 0;
	struct inquiry_peers peers = inquiry_same_role(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		bool earlier = o->first.time_ms <= s->first.time_ms - BEFORE_MS;
		bool alike = o->ip == s->ip || origin_shares_program(q, s, o);
		if (o->holder == s->holder) {
			continue;
		}
		if (earlier && alike) {
			return;
		}
		before += earlier;
		after += !earlier && !alike; /* an intruder's next session clears nothing */
	}
	if (before > 0 && before + after >= HISTORY && workload_is(q, s)) {
		const char *name = inquiry_name(q, s);
		char programs[ORIGIN_PROGRAMS];
		origin_programs(q, s, programs);
		inquiry_claim(&s->weigh, W_NEW_PLACE, ARGS(name, inquiry_text(q, s->ip)),
			inquiry_cited(q, &s->first));
		inquiry_claim(&s->weigh, W_NEW_AGENT, ARGS(name, programs),
			inquiry_cited(q, &s->first));
	}
}
