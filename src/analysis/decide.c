/*
 * The verdict: the main attack, walked back to how it began. Without an attack in the API log the
 * hosts are asked; without anything decisive the answer is that it can't be determined.
 */
#include "analysis/inquiry.h"

#include "base/i18n.h"

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

static json_t *cite_text(json_t *events, const char *id)
{
	events = events ? events : json_array();
	if (json_array_size(events) < INQUIRY_CITED) {
		json_array_append_new(events, doc_str(str_from(id)));
	}
	return events;
}

static void add_missing(struct inquiry *q, const char *text)
{
	size_t i;
	json_t *have;
	json_array_foreach(q->missing, i, have)
	{
		if (!strcmp(json_string_value(have), text)) {
			return;
		}
	}
	json_array_append_new(q->missing, json_string(text));
}

static void add_alternative(
	struct inquiry *q, enum inquiry_class c, double confidence, const char *against)
{
	json_t *list = json_array();
	if (against) {
		json_array_append_new(list, json_string(against));
	}
	json_array_append_new(
		q->alternatives, json_pack("{s:s,s:f,s:o}", "class", inquiry_class_name(c),
					 "confidence", confidence, "against", list));
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
	json_t *events = cite_text(NULL, inquiry_text(q, s->events[e.first_failure].id));
	events = cite_text(events, inquiry_text(q, s->events[e.last_failure].id));
	inquiry_claim(w, e.failures >= SSH_MANY || spread ? W_SSH_MANY : W_SSH_SOME,
		ARGS(ip, n, host), events);
	inquiry_claim(w, e.user_tried ? W_SSH_TRIED : W_SSH_ACCEPTED, ARGS(user, ip),
		cite_text(NULL, inquiry_text(q, in->id)));
	if (e.n_followed) {
		json_t *deeds = json_array();
		for (size_t k = 0; k < e.n_followed; k++) {
			cite_text(deeds, inquiry_text(q, s->events[e.followed[k]].id));
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
static size_t best_ssh(
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
static size_t web_entry(const struct inquiry *q, const struct suspect *s, bool *role)
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
static size_t first_of_client(const struct inquiry *q, size_t hit)
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

static void claim_web(struct inquiry *q, size_t hit, bool role)
{
	const struct web_hit *h = &q->r->web.hits[hit];
	char status[12];
	(void)snprintf(status, sizeof(status), "%d", h->status);
	inquiry_claim(&q->weigh, role ? W_WEB_ROLE : W_WEB_BEFORE,
		ARGS(inquiry_text(q, h->ip), web_attack_text(h->attack), status,
			inquiry_text(q, h->target)),
		cite_text(NULL, inquiry_text(q, h->id)));
}

/* ---- the main attack ---- */

static double attack_score(const struct inquiry *q, size_t attack)
{
	double best = WEIGHTS_PRIOR;
	double rest = 0;
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct suspect *s = &q->suspects[i];
		if (s->attack == attack && s->guilty) {
			rest += s->score > 0 ? 0.5 : 0.1;
			best = s->score > best ? s->score : best;
		}
	}
	return best + rest;
}

static size_t main_attack(const struct inquiry *q)
{
	size_t found = INQUIRY_NONE;
	double best = 0;
	for (size_t i = 0; i < q->n_suspects; i++) {
		if (!q->suspects[i].guilty || q->suspects[i].attack != i) {
			continue;
		}
		double score = attack_score(q, i);
		if (found == INQUIRY_NONE || score > best) {
			found = i;
			best = score;
		}
	}
	return found;
}

static void take_claims(struct inquiry *q, const struct suspect *s)
{
	for (int g = 0; g < G_COUNT; g++) {
		q->weigh.for_it[g] = s->weigh.for_it[g] > q->weigh.for_it[g]
					     ? s->weigh.for_it[g]
					     : q->weigh.for_it[g];
		q->weigh.against[g] = s->weigh.against[g] < q->weigh.against[g]
					      ? s->weigh.against[g]
					      : q->weigh.against[g];
	}
	json_array_extend(q->weigh.claims, s->weigh.claims);
}

/* The attack's first own member: guilty, and its credential not made by another one. */
static size_t attack_begin(const struct inquiry *q, size_t attack)
{
	for (size_t i = attack; i < q->n_suspects; i++) {
		if (q->suspects[i].attack == attack && q->suspects[i].guilty &&
			q->suspects[i].from == INQUIRY_NONE) {
			return i;
		}
	}
	return attack;
}

static enum inquiry_class class_of(const struct inquiry *q, const struct suspect *s)
{
	switch (s->kind) {
	case TRACK_USER_KEY:
	case TRACK_ROOT_KEY:
		return CLASS_LEAKED_KEY;
	case TRACK_INSTANCE:
		return CLASS_INSTANCE_THEFT;
	case TRACK_CONSOLE:
	case TRACK_LOGIN:
		return CLASS_CONSOLE;
	case TRACK_ROLE: {
		/* A role that a service (Lambda, ECS) took on: credentials of a workload. */
		struct str arn = track_text(q->t, track_holder_at(q->t, s->holder)->arn);
		const struct track_issue *issue =
			table_find(&q->t->issues, table_hash(q->t->seed, arn));
		return issue && issue->edge == UINT32_MAX ? CLASS_INSTANCE_THEFT
							  : CLASS_UNDETERMINED;
	}
	default:
		return CLASS_UNDETERMINED;
	}
}

static void missing_for(struct inquiry *q, enum inquiry_class c)
{
	const struct reader *r = q->r;
	if (c == CLASS_INSTANCE_THEFT && r->web.n_lines == 0) {
		add_missing(q, N_("Web access logs of the instance or its load balancer from "
				  "before the credentials were used: they would show whether "
				  "an exploit brought them out"));
	}
	if ((c == CLASS_INSTANCE_THEFT || c == CLASS_WEB) && r->ssh.n_lines == 0) {
		add_missing(q, N_("The host's auth.log or journal: it would show whether "
				  "somebody signed in to the instance"));
	}
	if (c == CLASS_LEAKED_KEY) {
		add_missing(q, N_("Where the key leaked: it is not in the logs; search "
				  "repositories, images and the owner's machines"));
	}
	if (c == CLASS_SSH && r->track.n_unique == 0) {
		add_missing(q, N_("CloudTrail events: they would show whether credentials from "
				  "the host were used"));
	}
	bool data = false;
	for (size_t i = 0; i < q->t->relations.n && !data; i++) {
		data = ((struct track_relation *)table_at(&q->t->relations, i))->kind ==
		       TRACK_BUCKET;
	}
	if (!data && r->track.n_unique) {
		add_missing(q, N_("S3 data events: without them nobody can tell which objects "
				  "were read"));
	}
	if (r->flow.n_lines == 0) {
		add_missing(q, N_("VPC flow logs: they would show how many bytes left the "
				  "instance, and to where"));
	}
}

static void decide_attack(struct inquiry *q, size_t attack)
{
	q->root = attack_begin(q, attack);
	const struct suspect *s = &q->suspects[q->root];
	for (size_t i = 0; i < q->n_suspects; i++) {
		if (q->suspects[i].attack == attack && q->suspects[i].guilty) {
			take_claims(q, &q->suspects[i]);
		}
	}
	q->verdict = class_of(q, s);
	q->entry_ms = s->first.time_ms;
	bool role = false;
	size_t hit = web_entry(q, s, &role);
	struct inquiry_weigh ssh_weigh = { .claims = json_array() };
	double ssh_score = 0;
	size_t ssh = best_ssh(q, s->first.time_ms, &ssh_score, &ssh_weigh);
	bool ssh_fits = ssh != INQUIRY_NONE && ssh_score >= WEIGHTS_ACCUSE &&
			(s->kind == TRACK_INSTANCE || q->r->ssh.events[ssh].ip == s->ip) &&
			s->first.time_ms - q->r->ssh.events[ssh].time_ms <= 24 * HOUR_MS;
	if (hit != INQUIRY_NONE) {
		claim_web(q, hit, role);
		q->web_hit = first_of_client(q, hit);
		q->verdict = CLASS_WEB;
		q->entry_ms = q->r->web.hits[q->web_hit].time_ms;
	} else if (ssh_fits) {
		json_array_extend(q->weigh.claims, ssh_weigh.claims);
		q->weigh.for_it[G_SSH_IN] = ssh_weigh.for_it[G_SSH_IN];
		q->weigh.for_it[G_SSH_TRIES] = ssh_weigh.for_it[G_SSH_TRIES];
		q->ssh_entry = ssh;
		q->verdict = CLASS_SSH;
		q->entry_ms = q->r->ssh.events[ssh].time_ms;
	}
	json_decref(ssh_weigh.claims);
	/* Chance and look-alikes never vanish: certainty has a ceiling. */
	double p = weights_probability(inquiry_score(&q->weigh));
	q->confidence = p > 0.99 ? 0.99 : p;
	missing_for(q, q->verdict);
	if (q->verdict == CLASS_UNDETERMINED) {
		add_missing(q, N_("The call that issued this session (AssumeRole or a "
				  "sign-in): it lies outside the logs read"));
	}
	double rest = 1 - q->confidence;
	if (q->verdict == CLASS_WEB || q->verdict == CLASS_SSH) {
		add_alternative(q, class_of(q, s), rest * 0.6,
			N_("The entry into the host is in the evidence, before the credentials "
			   "were used"));
	} else if (q->verdict == CLASS_INSTANCE_THEFT) {
		add_alternative(q, CLASS_WEB, rest * 0.6 + 0.2 * (q->r->web.n_lines == 0),
			q->r->web.n_lines ? N_("No answered exploit request precedes the use "
					       "of the credentials")
					  : N_("No web access log was read"));
	} else {
		add_alternative(q, CLASS_WEB, rest * 0.2,
			q->r->web.n_lines ? N_("No answered exploit request precedes the use "
					       "of the credentials")
					  : N_("No web access log was read"));
	}
	add_alternative(q, CLASS_INSIDER, rest * 0.4,
		N_("The way the credential was used differs from how its owner uses it"));
}

/* ---- without an attack in the API log ---- */

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
static bool effect_after(struct inquiry *q, size_t hit, json_t *events, char what[160])
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
			cite_text(events, inquiry_text(q, o->id));
			(void)snprintf(what, 160, "%.150s", inquiry_text(q, o->target));
		}
	}
	for (size_t i = 0; i < q->r->n_findings; i++) {
		const struct reader_finding *g = &q->r->findings[i];
		int64_t after = g->first_ms - h->time_ms;
		if (is_effect(track_text(q->t, g->type)) && after >= -MINUTE_MS &&
			after <= 24 * HOUR_MS) {
			cite_text(events, inquiry_text(q, g->id));
			(void)snprintf(what, 160, "%.150s", inquiry_text(q, g->type));
		}
	}
	return what[0] != 0;
}

static bool decide_web(struct inquiry *q)
{
	const struct web *w = &q->r->web;
	size_t answered = INQUIRY_NONE;
	for (size_t i = 0; i < w->n_hits; i++) {
		if (!w->hits[i].success && !w->hits[i].possible) {
			continue;
		}
		if (w->hits[i].success && answered == INQUIRY_NONE) {
			answered = i;
		}
		json_t *events = json_array();
		char what[160];
		bool effect = effect_after(q, i, events, what);
		if (effect) {
			q->web_hit = i;
			q->verdict = CLASS_WEB;
			q->entry_ms = w->hits[i].time_ms;
			claim_web(q, i, false);
			inquiry_claim(&q->weigh, W_WEB_EFFECT, ARGS(what), events);
			q->confidence = weights_probability(inquiry_score(&q->weigh) + 1.0);
			missing_for(q, CLASS_WEB);
			return true;
		}
		json_decref(events);
	}
	if (answered == INQUIRY_NONE) {
		return false;
	}
	claim_web(q, answered, false);
	q->verdict = CLASS_UNDETERMINED;
	q->confidence = 0.5;
	add_alternative(q, CLASS_WEB, 0.45,
		N_("The request was answered, but no effect of it is in the evidence"));
	add_missing(q, q->t->n_unique ? N_("Evidence of an effect on the host: processes, "
					   "outbound connections, files")
				      : N_("CloudTrail events: they would show whether "
					   "credentials from the host were used"));
	if (q->r->flow.n_lines == 0) {
		add_missing(q, N_("VPC flow logs: they would show how many bytes left the "
				  "instance, and to where"));
	}
	return true;
}

static bool decide_ssh(struct inquiry *q)
{
	struct inquiry_weigh w = { .claims = json_array() };
	double score = 0;
	size_t i = best_ssh(q, INT64_MAX, &score, &w);
	if (i == INQUIRY_NONE) {
		json_decref(w.claims);
		return false;
	}
	json_decref(q->weigh.claims);
	q->weigh = w;
	double p = weights_probability(score);
	if (score >= WEIGHTS_ACCUSE) {
		q->verdict = CLASS_SSH;
		q->ssh_entry = i;
		q->entry_ms = q->r->ssh.events[i].time_ms;
		q->confidence = p > 0.99 ? 0.99 : p;
		missing_for(q, CLASS_SSH);
		add_alternative(q, CLASS_INSIDER, 1 - q->confidence,
			N_("The owner does not fail that often before getting in"));
	} else {
		q->verdict = CLASS_UNDETERMINED;
		q->confidence = 1 - p;
		add_alternative(q, CLASS_SSH, p, N_("Too few failures came before the login"));
		add_missing(q, N_("The user's word whether the login was theirs"));
	}
	return true;
}

/* Objects read by nobody in particular, after somebody opened the bucket. */
static bool decide_public(struct inquiry *q)
{
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct suspect *s = &q->suspects[i];
		if (s->kind != TRACK_ANONYMOUS) {
			continue;
		}
		json_t *read = json_array();
		inquiry_cite(q, read, &s->first);
		for (size_t k = 0; k < q->t->n_notes; k++) {
			const struct track_note *n = &q->t->notes[k];
			if (n->ok && n->outside && n->api->tags & API_EXPOSE &&
				strstr(n->api->source, "s3.") &&
				track_ref_cmp(q->t, &n->ref, &s->first) <= 0) {
				inquiry_cite(q, read, &n->ref);
				q->verdict = CLASS_PUBLIC;
				q->entry_ms = n->ref.time_ms;
				q->root = i;
				q->confidence = 0.9;
				inquiry_claim(&q->weigh, W_SHARE_OUT,
					ARGS("", n->api->name, inquiry_text(q, n->target)),
					read);
				return true;
			}
		}
		json_decref(read);
	}
	return false;
}

/* The best suspect that stays below an accusation. */
static size_t best_suspect(const struct inquiry *q)
{
	size_t found = INQUIRY_NONE;
	for (size_t i = 0; i < q->n_suspects; i++) {
		if (q->suspects[i].score >= WEIGHTS_SUSPECT &&
			(found == INQUIRY_NONE ||
				q->suspects[i].score > q->suspects[found].score)) {
			found = i;
		}
	}
	return found;
}

static void decide_open(struct inquiry *q, size_t i)
{
	const struct suspect *s = &q->suspects[i];
	double p = weights_probability(s->score);
	take_claims(q, s);
	bool harm = s->weigh.for_it[G_DEFENCE] > 0 &&
		    (s->weigh.for_it[G_TAKE] > 0 || s->weigh.for_it[G_HARM] > 0);
	bool known = s->weigh.for_it[G_ORIGIN] <= 0 && s->weigh.against[G_SIGNIN] < 0;
	if (harm && known) {
		q->verdict = CLASS_INSIDER;
		q->root = i;
		q->entry_ms = s->first.time_ms;
		q->confidence = 0.7;
		add_alternative(q, CLASS_UNDETERMINED, 0.3, NULL);
		return;
	}
	q->verdict = CLASS_UNDETERMINED;
	q->confidence = 1 - p;
	enum inquiry_class c = class_of(q, s);
	add_alternative(q, c == CLASS_UNDETERMINED ? CLASS_INSIDER : c, p,
		N_("What speaks for it is not enough to accuse anybody"));
	add_alternative(
		q, CLASS_NO_INCIDENT, (1 - p) * 0.8, N_("Some of what was seen is unusual"));
	if (s->weigh.for_it[G_ORIGIN] <= 0) {
		add_missing(q, N_("Earlier CloudTrail events of the same credential: they "
				  "would show where and how it is normally used"));
	}
	if (s->kind == TRACK_INSTANCE && q->r->web.n_lines == 0) {
		missing_for(q, CLASS_INSTANCE_THEFT);
	}
	add_missing(q, N_("The owner's word whether these calls were theirs"));
}

static void decide_nothing(struct inquiry *q)
{
	const struct reader *r = q->r;
	if (q->t->n_unique + r->web.n_lines + r->ssh.n_lines + r->flow.n_lines == 0) {
		q->verdict = CLASS_UNDETERMINED;
		q->confidence = 1;
		add_missing(q, N_("Anything to read: no event and no log line was found in the "
				  "input"));
		return;
	}
	for (size_t i = 0; i < r->n_findings; i++) {
		if (!r->findings[i].attempt && r->findings[i].severity >= 4) {
			/* GuardDuty saw something done that these logs do not show. */
			q->verdict = CLASS_UNDETERMINED;
			q->confidence = 0.6;
			add_alternative(q, CLASS_NO_INCIDENT, 0.4,
				N_("A GuardDuty finding reports more than an attempt"));
			add_missing(
				q, N_("Logs of the time and place that the GuardDuty finding "
				      "names: those read do not show what it reports"));
			return;
		}
	}
	q->verdict = CLASS_NO_INCIDENT;
	q->confidence = 0.85;
	if (q->t->n_unique == 0) {
		add_missing(q, N_("CloudTrail events: they would show whether credentials from "
				  "the host were used"));
		q->confidence = 0.75;
	}
}

void inquiry_decide(struct inquiry *q)
{
	size_t attack = main_attack(q);
	if (attack != INQUIRY_NONE) {
		decide_attack(q, attack);
		return;
	}
	size_t open = best_suspect(q);
	struct inquiry_weigh probe = { .claims = json_array() };
	double ssh_score = 0;
	bool ssh = best_ssh(q, INT64_MAX, &ssh_score, &probe) != INQUIRY_NONE &&
		   ssh_score >= WEIGHTS_ACCUSE;
	json_decref(probe.claims);
	if (ssh && decide_ssh(q)) {
		return;
	}
	if (decide_public(q) || decide_web(q)) {
		return;
	}
	if (open != INQUIRY_NONE) {
		decide_open(q, open);
		return;
	}
	if (!decide_ssh(q)) {
		decide_nothing(q);
	}
}
