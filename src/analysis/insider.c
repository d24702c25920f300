#include "analysis/insider.h"

#include "analysis/ruling.h"
#include "base/i18n.h"

#include <string.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static bool from_elsewhere(const struct suspect *s)
{
	return s->weigh.for_it[G_ORIGIN] > 0 || s->weigh.for_it[G_TOOL] > 0 ||
	       s->weigh.for_it[G_WEB] > 0 || s->weigh.for_it[G_CHAIN] > 0 ||
	       s->weigh.for_it[G_SIGNIN] > 0;
}

bool insider_is_home(const struct suspect *s)
{
	bool mfa = s->weigh.against[G_SIGNIN] < 0 && !s->new_place;
	return (s->weigh.against[G_HABIT] < 0 || mfa) && !from_elsewhere(s);
}

/* With the second factor, but where the person never was: on the road, or a thief who has it. */
static bool is_away(const struct suspect *s)
{
	return s->mfa && s->new_place && !from_elsewhere(s);
}

static bool is_automation(const struct suspect *s)
{
	return s->weigh.against[G_HABIT] <= weights_tenths(W_IAC);
}

enum gravity { EVERYDAY, ODD, GRAVE };

/* Data handed out, logs switched off, bulk reading: two of them together are no day's work. */
static enum gravity gravity_of(const struct suspect *s)
{
	bool person = s->kind == TRACK_USER_KEY || s->kind == TRACK_CONSOLE ||
		      s->kind == TRACK_LOGIN || s->kind == TRACK_ROLE;
	bool home = insider_is_home(s);
	if (!person || is_automation(s) || (!home && !is_away(s))) {
		return EVERYDAY;
	}
	const signed char *w = s->weigh.for_it;
	bool out = w[G_TAKE] > 0;
	bool blind = w[G_DEFENCE] > 0;
	bool bulk = w[G_READ] >= weights_tenths(W_DATA_MANY);
	bool harm = w[G_HARM] > 0;
	if ((out && (blind || bulk)) || (blind && bulk)) {
		return home ? GRAVE : ODD;
	}
	return (out || blind) && harm ? ODD : EVERYDAY;
}

struct first_deed {
	const struct track_note *note;
};

static bool see_deed(void *ctx, const struct track_note *n)
{
	struct first_deed *f = ctx;
	bool grave = n->ok && (n->api->tags & (API_DEFENCE | API_DESTROY) ||
				      (n->api->tags & API_EXFIL && n->outside));
	f->note = grave ? n : f->note;
	return !grave;
}

static void see_bulk(void *ctx, struct track_relation *rel)
{
	uint32_t *n = ctx;
	*n += rel->n;
}

/* Only the sessions in which the deeds were done, not all that the person did at that desk. */
static void narrow(struct inquiry *q, struct suspect *s)
{
	size_t kept = s->edge_from;
	int64_t entry = INT64_MAX;
	for (size_t e = s->edge_from; e < s->edge_to; e++) {
		struct suspect one = *s;
		struct first_deed deed = { NULL };
		uint32_t bulk = 0;
		one.edge_from = e;
		one.edge_to = e + 1;
		inquiry_each_note(q, &one, see_deed, &deed);
		inquiry_each_relation(q, &one, TRACK_BUCKET, see_bulk, &bulk);
		if (!deed.note && bulk == 0) {
			continue;
		}
		uint32_t edge = q->unit_edges[e];
		int64_t begin = track_edge_at(q->t, edge)->first.time_ms;
		entry = begin < entry ? begin : entry;
		q->unit_edges[e] = q->unit_edges[kept];
		q->unit_edges[kept++] = edge;
	}
	if (kept > s->edge_from) {
		s->edge_to = kept;
		s->first = track_edge_at(q->t, q->unit_edges[s->edge_from])->first;
		q->entry_ms = entry;
	}
}

static void accuse(struct inquiry *q, size_t i)
{
	struct suspect *s = &q->suspects[i];
	q->verdict = CLASS_INSIDER;
	q->root = i;
	q->entry_ms = s->first.time_ms;
	q->confidence = 0.7;
	ruling_claims(q, s);
	narrow(q, s);
	ruling_alternative(q, CLASS_NO_INCIDENT, 0.2,
		N_("Handing data out, reading in bulk and switching logs off seldom go "
		   "together in daily work"));
	ruling_alternative(q, CLASS_UNDETERMINED, 0.1,
		N_("A thief at the owner's own desk would look the same"));
	ruling_missing(q, N_("The owner's word whether these calls were theirs"));
	ruling_gaps(q, CLASS_INSIDER);
}

static void ask(struct inquiry *q, size_t i)
{
	ruling_claims(q, &q->suspects[i]);
	q->verdict = CLASS_UNDETERMINED;
	q->confidence = 0.6;
	ruling_alternative(
		q, CLASS_INSIDER, 0.3, N_("The deeds are grave, but owners do them as well"));
	ruling_alternative(q, CLASS_NO_INCIDENT, 0.1, N_("Some of what was seen is unusual"));
	ruling_missing(q, N_("The owner's word whether these calls were theirs"));
}

bool insider_decide(struct inquiry *q)
{
	size_t found = INQUIRY_NONE;
	enum gravity most = EVERYDAY;
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct suspect *s = &q->suspects[i];
		enum gravity g = gravity_of(s);
		if (g > most) {
			most = g;
			found = i;
		}
	}
	if (found == INQUIRY_NONE) {
		return false;
	}
	if (most == GRAVE) {
		accuse(q, found);
	} else {
		ask(q, found);
	}
	return true;
}
