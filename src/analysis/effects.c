#include "analysis/effects.h"

#include "analysis/traces.h"
#include "base/utc.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS (INT64_C(60) * 1000)
#define SOON_MS   (30 * MINUTE_MS)
#define DAY_MS    (24 * 60 * MINUTE_MS)

/* ---- flows ---- */

bool effects_is_inside(struct str ip)
{
	bool private = str_starts(ip, STR("10.")) || str_starts(ip, STR("192.168."));
	if (str_starts(ip, STR("172.")) && ip.n > 6 && ip.p[6] == '.') {
		private = (ip.p[4] == '1' && ip.p[5] >= '6') || ip.p[4] == '2' ||
			  (ip.p[4] == '3' && ip.p[5] <= '1');
	}
	if (str_starts(ip, STR("100.")) && ip.n > 6 && ip.p[6] == '.') {
		int n = (ip.p[4] - '0') * 10 + (ip.p[5] - '0');
		private |= n >= 64;
	}
	return private || (str_starts(ip, STR("100.1")) && ip.n > 7 && ip.p[7] == '.') ||
	       str_find_char(ip, ':') != SIZE_MAX;
}

static bool one_of(int port, const int *ports)
{
	for (; *ports; ports++) {
		if (*ports == port) {
			return true;
		}
	}
	return false;
}

/* Ports that a fallen host calls and a healthy web server hardly ever does. */
static bool is_odd_port(enum web_attack attack, int port)
{
	static const int directory[] = { 389, 636, 1099, 1389, 0 };
	static const int shells[] = { 1337, 3333, 4444, 5555, 6666, 6667, 9001, 9999, 14444,
		31337, 0 };
	return attack == WEB_JNDI ? one_of(port, directory) : one_of(port, shells);
}

static enum effects_strength flow_strength(
	const struct inquiry *q, const struct web_hit *h, const struct flow_row *f)
{
	int64_t after = f->first_ms - h->time_ms;
	bool out = f->accepted && !f->reply && effects_is_inside(track_text(q->t, f->src));
	bool tied = f->dst == h->ip || (h->callee && f->dst == h->callee);
	int64_t early = tied ? EFFECTS_SKEW_MS : MINUTE_MS;
	if (!out || after > SOON_MS || f->last_ms < h->time_ms - early) {
		return EFFECTS_NONE;
	}
	if (tied && after >= -EFFECTS_SKEW_MS) {
		return EFFECTS_TIED;
	}
	bool unnamed = h->success || (h->attack == WEB_JNDI && !h->callee);
	return unnamed && after >= -MINUTE_MS && is_odd_port(h->attack, f->dst_port) &&
			       !effects_is_inside(track_text(q->t, f->dst))
		       ? EFFECTS_NEAR
		       : EFFECTS_NONE;
}

int effects_flow_order(
	const struct inquiry *q, const struct flow_row *a, const struct flow_row *b)
{
	if (a->first_ms != b->first_ms) {
		return a->first_ms < b->first_ms ? -1 : 1;
	}
	int c = str_cmp(track_text(q->t, a->src), track_text(q->t, b->src));
	c = c ? c : str_cmp(track_text(q->t, a->dst), track_text(q->t, b->dst));
	return c ? c : a->dst_port - b->dst_port;
}

/* The earliest of the strongest connections out. */
static const struct flow_row *call_out(
	const struct inquiry *q, const struct web_hit *h, enum effects_strength *strength)
{
	const struct flow_row *found = NULL;
	*strength = EFFECTS_NONE;
	for (size_t i = 0; i < q->r->flow.rows.n; i++) {
		const struct flow_row *f = table_at(&q->r->flow.rows, i);
		enum effects_strength s = flow_strength(q, h, f);
		bool better = s > *strength || (s && s == *strength && found &&
						       effects_flow_order(q, f, found) < 0);
		if (better) {
			found = f;
			*strength = s;
		}
	}
	return found;
}

/* ---- findings ---- */

static bool is_effect(struct str type)
{
	static const char *const starts[] = { "Backdoor:EC2", "Backdoor:Runtime",
		"CryptoCurrency:", "Trojan:EC2", "Trojan:Runtime", "Execution:Runtime",
		"Execution:EC2", "Execution:ECS", "UnauthorizedAccess:EC2/MetadataDNSRebind",
		"UnauthorizedAccess:EC2/MaliciousIPCaller", "PrivilegeEscalation:Runtime" };
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (str_starts(type, str_from(starts[i]))) {
			return true;
		}
	}
	return false;
}

static enum effects_strength finding_strength(
	const struct inquiry *q, const struct web_hit *h, const struct reader_finding *f)
{
	int64_t after = f->first_ms - h->time_ms;
	bool tied = f->ip && (f->ip == h->ip || f->ip == h->callee);
	if (!is_effect(track_text(q->t, f->type)) ||
		after < (tied ? -EFFECTS_SKEW_MS : -MINUTE_MS) || after > DAY_MS) {
		return EFFECTS_NONE;
	}
	if (tied) {
		return EFFECTS_TIED;
	}
	/* An attempt that nothing shows to have worked is not tied to whatever comes later. */
	return h->success && after <= SOON_MS * 2 ? EFFECTS_NEAR : EFFECTS_NONE;
}

/* ---- all of it ---- */

static bool shell_answered(const struct web_hit *h, const struct web_hit *later)
{
	int64_t after = later->time_ms - h->time_ms;
	return later != h && later->attack == WEB_SHELL && later->success &&
	       later->ip == h->ip && h->attack != WEB_SHELL && after >= 0 && after <= DAY_MS;
}

static void better(struct effects *e, enum effects_strength strength, const char *what)
{
	if (strength > e->strength || !e->what[0]) {
		(void)snprintf(e->what, sizeof(e->what), "%.150s", what);
	}
	e->strength = strength > e->strength ? strength : e->strength;
}

static void look(const struct inquiry *q, size_t hit, struct effects *e)
{
	const struct web_hit *h = &q->r->web.hits[hit];
	enum effects_strength strength = EFFECTS_NONE;
	*e = (struct effects){ .hit = hit, .events = json_array() };
	if (!h->success && !h->possible) {
		return;
	}
	const struct flow_row *f = call_out(q, h, &strength);
	if (f) {
		char what[160];
		effects_flow_text(q, f, what);
		traces_cite(e->events, what);
		better(e, strength, what);
	}
	for (size_t i = hit + 1; i < q->r->web.n_hits; i++) {
		const struct web_hit *o = &q->r->web.hits[i];
		if (shell_answered(h, o)) {
			traces_cite(e->events, track_text(q->t, o->id).p);
			better(e, EFFECTS_TIED, track_text(q->t, o->target).p);
		}
	}
	for (size_t i = 0; i < q->r->n_findings; i++) {
		const struct reader_finding *g = &q->r->findings[i];
		strength = finding_strength(q, h, g);
		if (strength) {
			traces_cite(e->events, track_text(q->t, g->id).p);
			better(e, strength, track_text(q->t, g->type).p);
		}
	}
}

bool effects_tied(const struct inquiry *q, const struct web_hit *h)
{
	enum effects_strength strength = EFFECTS_NONE;
	(void)call_out(q, h, &strength);
	return strength == EFFECTS_TIED;
}

bool effects_on(const struct inquiry *q, const struct web_hit *h, uint32_t instance)
{
	for (size_t i = 0; instance && i < q->r->n_findings; i++) {
		const struct reader_finding *f = &q->r->findings[i];
		int64_t after = f->first_ms - h->time_ms;
		if (f->instance == instance && is_effect(track_text(q->t, f->type)) &&
			after >= -MINUTE_MS && after <= SOON_MS) {
			return true;
		}
	}
	return false;
}

void effects_flow_text(const struct inquiry *q, const struct flow_row *f, char out[160])
{
	char when[32];
	utc_rfc3339(f->first_ms, when);
	(void)snprintf(out, 160, "flow %s %.45s -> %.45s:%d", when, track_text(q->t, f->src).p,
		track_text(q->t, f->dst).p, f->dst_port);
}

void effects_find(const struct inquiry *q, struct effects *out)
{
	*out = (struct effects){ .hit = INQUIRY_NONE };
	for (size_t i = 0; i < q->r->web.n_hits; i++) {
		struct effects e;
		look(q, i, &e);
		/* Of several that something merely followed, the last before it fits best. */
		bool take = e.strength > out->strength ||
			    (e.strength == EFFECTS_NEAR && out->strength == EFFECTS_NEAR);
		if (take) {
			effects_deinit(out);
			*out = e;
		} else {
			effects_deinit(&e);
		}
	}
}

void effects_deinit(struct effects *e)
{
	json_decref(e->events);
	e->events = NULL;
}
