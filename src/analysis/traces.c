#include "analysis/traces.h"

#include "analysis/effects.h"
#include "analysis/workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS(...)    ((const char *const[]){ __VA_ARGS__, NULL })
#define MINUTE_MS    (INT64_C(60) * 1000)
#define HOUR_MS      (60 * MINUTE_MS)
#define SOON_MS      (30 * MINUTE_MS) /* an exploit and its effect */
#define KEYS_LIVE_MS (6 * HOUR_MS)    /* role credentials live about as long */
#define SSH_MANY     20
#define SSH_SOME     6
#define LOGINS_BACK  20000 /* events looked back for earlier logins */

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
			inquiry_claim(w, W_SSH_KNOWN, ARGS(user, ip),
				traces_cite(NULL, inquiry_text(q, o->id)));
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

static bool is_foothold(const struct inquiry *q, const struct ssh_event *e)
{
	static const char *const marks[] = { "curl ", "wget ", "authorized_keys", "sudoers",
		"crontab", "/tmp/", "/dev/shm/" };
	struct str text = track_text(q->t, e->text);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (str_find(text, str_from(marks[i])) != SIZE_MAX) {
			return true;
		}
	}
	return e->kind == SSH_PERSIST;
}

/* The user had signed in before, but from elsewhere only, and nobody of the account works there. */
static bool is_strange_login(const struct inquiry *q, size_t i)
{
	const struct ssh_event *in = &q->r->ssh.events[i];
	bool elsewhere = false;
	size_t floor = i > LOGINS_BACK ? i - LOGINS_BACK : 0;
	for (size_t k = floor; k < i; k++) {
		const struct ssh_event *e = &q->r->ssh.events[k];
		bool login =
			e->user == in->user && (e->kind == SSH_KEY || e->kind == SSH_PASSWORD);
		if (login && e->ip == in->ip) {
			return false;
		}
		elsewhere |= login;
	}
	for (size_t k = 0; k < q->n_suspects && elsewhere; k++) {
		const struct suspect *s = &q->suspects[k];
		elsewhere = s->ip != in->ip || s->guilty || s->kind == TRACK_OTHER;
	}
	return elsewhere;
}

static bool weigh_ssh_key(const struct inquiry *q, size_t i, struct inquiry_weigh *w)
{
	const struct ssh *s = &q->r->ssh;
	const struct ssh_event *in = &s->events[i];
	struct ssh_entry e;
	ssh_entry_read(s, i, &e);
	size_t deed = 0;
	while (deed < e.n_followed && !is_foothold(q, &s->events[e.followed[deed]])) {
		deed++;
	}
	if (deed == e.n_followed || !is_strange_login(q, i)) {
		return false;
	}
	const struct ssh_event *f = &s->events[e.followed[deed]];
	inquiry_claim(w, W_SSH_NEW_PLACE,
		ARGS(inquiry_text(q, in->user), inquiry_text(q, in->ip)),
		traces_cite(NULL, inquiry_text(q, in->id)));
	inquiry_claim(w, W_SSH_FOOTHOLD,
		ARGS(inquiry_text(q, in->user), inquiry_text(q, f->text)),
		traces_cite(NULL, inquiry_text(q, f->id)));
	return true;
}

bool traces_strange_key(const struct inquiry *q, int64_t before_ms, struct inquiry_weigh *w)
{
	for (size_t i = 0; i < q->r->ssh.n_events; i++) {
		const struct ssh_event *e = &q->r->ssh.events[i];
		bool fits = e->kind == SSH_KEY && e->time_ms <= before_ms &&
			    (before_ms == INT64_MAX || before_ms - e->time_ms <= 24 * HOUR_MS);
		if (fits && weigh_ssh_key(q, i, w)) {
			return true;
		}
	}
	return false;
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

/* How well a request fits as what brought the credentials of `s` out; 0: not at all. */
static int fits_as_entry(
	const struct inquiry *q, const struct web_hit *h, const struct suspect *s, bool *names)
{
	int64_t ahead = s->first.time_ms - h->time_ms;
	bool may = h->success || h->possible;
	bool instance = s->kind == TRACK_INSTANCE;
	bool secrets = h->attack == WEB_SSRF_METADATA || h->attack == WEB_SECRETS;
	*names = false;
	if (!may || ahead < -EFFECTS_SKEW_MS || ahead > KEYS_LIVE_MS || h->attack == WEB_SQL ||
		h->attack == WEB_PROBE) {
		return 0;
	}
	*names = h->success && names_role(q, h, s);
	if (*names) {
		return 5;
	}
	if (h->role && instance) {
		return 0; /* it asks for another role */
	}
	if (h->ip == s->ip || (h->callee && h->callee == s->ip)) {
		return 4;
	}
	if (h->success && secrets && workload_is(q, s)) {
		return 3;
	}
	if (ahead < -MINUTE_MS) {
		return 0; /* what follows is tied by little more than its time */
	}
	uint32_t host = track_holder_at(q->t, s->holder)->session;
	if (instance && (effects_tied(q, h) || effects_on(q, h, host))) {
		return 2;
	}
	return instance && h->success && ahead <= SOON_MS ? 1 : 0;
}

/*
 * The request that brought the credentials of `s` out: answered, before their first use, and
 * either asking for this very role, or from the same client, or with an effect on the host, or
 * just before.
 */
size_t traces_web_entry(const struct inquiry *q, const struct suspect *s, bool *role)
{
	const struct web *w = &q->r->web;
	size_t found = INQUIRY_NONE;
	int best = 0;
	for (size_t i = 0; i < w->n_hits; i++) {
		bool names = false;
		int rank = fits_as_entry(q, &w->hits[i], s, &names);
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
