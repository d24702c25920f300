#include "analysis/traces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS(...)    ((const char *const[]){ __VA_ARGS__, NULL })
#define MINUTE_MS    (60 * INT64_C(1000))
#define HOUR_MS      (60 * MINUTE_MS)
#define SOON_MS      (30 * MINUTE_MS) /* an exploit and its effect */
#define KEYS_LIVE_MS (6 * HOUR_MS)    /* role credentials live about as long */
#define SSH_MANY     20
#define SSH_SOME     6

json_t *traces_cite(json_t *events, const char *id)
{
	events = events ? events : json_array();
	if (json_array_size(events) < INQUIRY_CITED) {
		json_array_append_new(events, doc_str(str_from(id)));
	}
	return events;
}

/* ---- hosts ---- */

/* Evidence that the accepted login i was guessed. */
static double weigh_ssh(const struct inquiry *q, size_t i, struct inquiry_weigh *w)
{
	const struct ssh *s = &q->r->ssh;
	const struct ssh_event *in = &s->events[i];
	struct ssh_entry e;
	ssh_entry_read(s, i, &e);
	const char *ip = inquiry_text(q, in->ip);
	const char *user = inquiry_text(q, in->user);
	const char *host = inquiry_text(q, in->host);
	bool spread = e.user_failures >= SSH_MANY;
	if (e.failures < SSH_SOME && !(spread && e.failures > 0)) {
		return WEIGHTS_PRIOR;
	}
	char n[24];
	(void)snprintf(n, sizeof(n), "%d", e.failures);
	json_t *events = traces_cite(NULL, inquiry_text(q, s->events[e.first_failure].id));
	events = traces_cite(events, inquiry_text(q, s->events[e.last_failure].id));
	inquiry_claim(w, e.failures >= SSH_MANY || spread ? W_SSH_MANY : W_SSH_SOME,
		ARGS(ip, n, host), events);
	inquiry_claim(w, e.user_tried ? W_SSH_TRIED : W_SSH_ACCEPTED, ARGS(user, ip),
		traces_cite(NULL, inquiry_text(q, in->id)));
	if (e.n_followed) {
		json_t *deeds = json_array();
		for (size_t k = 0; k < e.n_followed; k++) {
			traces_cite(deeds, inquiry_text(q, s->events[e.followed[k]].id));
		}
		inquiry_claim(w, W_SSH_ROOT,
			ARGS(user, inquiry_text(q, s->events[e.followed[0]].text)), deeds);
	}
	size_t first = e.first_failure == SIZE_MAX ? i : e.first_failure;
	for (size_t k = 0; k < first; k++) {
		const struct ssh_event *o = &s->events[k];
		if (o->ip == in->ip && o->user == in->user && o->host == in->host &&
			(o->kind == SSH_KEY || o->kind == SSH_PASSWORD)) {
			inquiry_claim(w, W_SSH_KNOWN, ARGS(user, ip), NULL);
			break;
		}
	}
	return inquiry_score(w);
}

/* The strongest break-in over SSH no later than `before_ms`; INQUIRY_NONE when none convinces. */
size_t traces_best_ssh(
	const struct inquiry *q, int64_t before_ms, double *score, struct inquiry_weigh *best)
{
	size_t found = INQUIRY_NONE;
	*score = WEIGHTS_PRIOR;
	for (size_t i = 0; i < q->r->ssh.n_events; i++) {
		const struct ssh_event *e = &q->r->ssh.events[i];
		if (e->kind != SSH_PASSWORD || e->time_ms > before_ms) {
			continue;
		}
		struct inquiry_weigh w = { .claims = json_array() };
		double s = weigh_ssh(q, i, &w);
		if (s > *score) {
			*score = s;
			found = i;
			json_decref(best->claims);
			*best = w;
		} else {
			json_decref(w.claims);
		}
	}
	return *score >= WEIGHTS_SUSPECT ? found : INQUIRY_NONE;
}

/* ---- the web server ---- */

static bool names_role(
	const struct inquiry *q, const struct web_hit *h, const struct suspect *s)
{
	struct str issuer = track_text(q->t, track_holder_at(q->t, s->holder)->issuer);
	struct str role = track_text(q->t, h->role);
	return role.n && issuer.n > role.n &&
	       str_eq_nocase(str_sub(issuer, issuer.n - role.n, SIZE_MAX), role) &&
	       issuer.p[issuer.n - role.n - 1] == '/';
}

/*
 * The request that brought the credentials of `s` out: answered, before their first use, and
 * either asking for this very role, or just before, or from the same client.
 */
size_t traces_web_entry(const struct inquiry *q, const struct suspect *s, bool *role)
{
	const struct web *w = &q->r->web;
	size_t found = INQUIRY_NONE;
	int best = 0;
	for (size_t i = 0; i < w->n_hits; i++) {
		const struct web_hit *h = &w->hits[i];
		int64_t ahead = s->first.time_ms - h->time_ms;
		if (!(h->success || h->possible) || ahead < -MINUTE_MS ||
			ahead > KEYS_LIVE_MS) {
			continue;
		}
		bool fits = h->attack == WEB_SSRF_METADATA || h->attack == WEB_COMMAND ||
			    h->attack == WEB_JNDI || h->attack == WEB_SHELL ||
			    h->attack == WEB_TRAVERSAL;
		bool names = names_role(q, h, s);
		int rank = !fits                                  ? 0
			   : names                                ? 4
			   : h->role && s->kind == TRACK_INSTANCE ? 0
								  : /* asks for another role */
				   h->ip == s->ip ? 3
			   : s->kind == TRACK_INSTANCE && h->attack == WEB_SSRF_METADATA &&
					   ahead <= KEYS_LIVE_MS
				   ? 2
			   : s->kind == TRACK_INSTANCE && ahead <= SOON_MS ? 1
									   : 0;
		if (rank > best) {
			best = rank;
			found = i;
			*role = names;
		}
	}
	return found;
}

/* The first answered attempt of the same client with the same aim: where the entry began. */
size_t traces_first_of_client(const struct inquiry *q, size_t hit)
{
	const struct web *w = &q->r->web;
	for (size_t i = 0; i < hit; i++) {
		if (w->hits[i].ip == w->hits[hit].ip && w->hits[i].success &&
			w->hits[i].attack == w->hits[hit].attack) {
			return i;
		}
	}
	return hit;
}

void traces_claim_web(struct inquiry *q, size_t hit, bool role)
{
	const struct web_hit *h = &q->r->web.hits[hit];
	char status[12];
	(void)snprintf(status, sizeof(status), "%d", h->status);
	inquiry_claim(&q->weigh, role ? W_WEB_ROLE : W_WEB_BEFORE,
		ARGS(inquiry_text(q, h->ip), web_attack_text(h->attack), status,
			inquiry_text(q, h->target)),
		traces_cite(NULL, inquiry_text(q, h->id)));
}

/* ---- effects ---- */

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

/* A connection out of the network that began right after the request; NULL when there is none. */
static const struct flow_row *call_back(const struct inquiry *q, const struct web_hit *h)
{
	const struct flow_row *found = NULL;
	for (size_t i = 0; i < q->r->flow.rows.n; i++) {
		const struct flow_row *f = table_at(&q->r->flow.rows, i);
		int64_t after = f->first_ms - h->time_ms;
		bool fits = f->accepted && !f->reply && is_odd_port(h->attack, f->dst_port) &&
			    after >= -MINUTE_MS && after <= SOON_MS;
		if (fits && (!found || f->first_ms < found->first_ms)) {
			found = f;
		}
	}
	return found;
}

/*
 * What followed an answered exploit: a finding about the host, a web shell that answered, or a
 * connection out. False when nothing did; `what` gets the first of it in words.
 */
bool traces_effect_after(struct inquiry *q, size_t hit, json_t *events, char what[160])
{
	const struct web_hit *h = &q->r->web.hits[hit];
	what[0] = 0;
	const struct flow_row *f = call_back(q, h);
	if (f) {
		(void)snprintf(what, 160, "%.50s -> %.50s:%d", inquiry_text(q, f->src),
			inquiry_text(q, f->dst), f->dst_port);
	}
	for (size_t i = hit + 1; i < q->r->web.n_hits; i++) {
		const struct web_hit *o = &q->r->web.hits[i];
		if (o->attack == WEB_SHELL && o->success && o->ip == h->ip &&
			h->attack != WEB_SHELL) {
			traces_cite(events, inquiry_text(q, o->id));
			(void)snprintf(what, 160, "%.150s", inquiry_text(q, o->target));
		}
	}
	for (size_t i = 0; i < q->r->n_findings; i++) {
		const struct reader_finding *g = &q->r->findings[i];
		int64_t after = g->first_ms - h->time_ms;
		if (is_effect(track_text(q->t, g->type)) && after >= -MINUTE_MS &&
			after <= 24 * HOUR_MS) {
			traces_cite(events, inquiry_text(q, g->id));
			(void)snprintf(what, 160, "%.150s", inquiry_text(q, g->type));
		}
	}
	return what[0] != 0;
}
