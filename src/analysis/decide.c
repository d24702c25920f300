/*
 * The verdict: the main attack, walked back to how it began. Without an attack in the API log the
 * hosts are asked; without anything decisive the answer is that it can't be determined.
 */
#include "analysis/traces.h"

#include "base/i18n.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define MINUTE_MS (60 * INT64_C(1000))
#define HOUR_MS   (60 * MINUTE_MS)

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
	size_t hit = traces_web_entry(q, s, &role);
	struct inquiry_weigh ssh_weigh = { .claims = json_array() };
	double ssh_score = 0;
	size_t ssh = traces_best_ssh(q, s->first.time_ms, &ssh_score, &ssh_weigh);
	bool ssh_fits = ssh != INQUIRY_NONE && ssh_score >= WEIGHTS_ACCUSE &&
			(s->kind == TRACK_INSTANCE || q->r->ssh.events[ssh].ip == s->ip) &&
			s->first.time_ms - q->r->ssh.events[ssh].time_ms <= 24 * HOUR_MS;
	if (hit != INQUIRY_NONE) {
		traces_claim_web(q, hit, role);
		q->web_hit = traces_first_of_client(q, hit);
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
		bool effect = traces_effect_after(q, i, events, what);
		if (effect) {
			q->web_hit = i;
			q->verdict = CLASS_WEB;
			q->entry_ms = w->hits[i].time_ms;
			traces_claim_web(q, i, false);
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
	traces_claim_web(q, answered, false);
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
	size_t i = traces_best_ssh(q, INT64_MAX, &score, &w);
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
	bool ssh = traces_best_ssh(q, INT64_MAX, &ssh_score, &probe) != INQUIRY_NONE &&
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
