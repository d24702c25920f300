/*
 * The verdict: the main attack, walked back to how it began. Without an attack in the API log the
 * hosts are asked; without anything decisive the answer is that it can't be determined.
 */
#include "analysis/coverage.h"
#include "analysis/effects.h"
#include "analysis/exposure.h"
#include "analysis/insider.h"
#include "analysis/ruling.h"
#include "analysis/traces.h"
#include "analysis/workload.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define MINUTE_MS (INT64_C(60) * 1000)
#define HOUR_MS   (60 * MINUTE_MS)

/* ---- the main attack ---- */

struct weight_of_attack {
	double best, rest;
};

/* How much each attack weighs, at the place of its smallest suspect. The caller frees. */
static struct weight_of_attack *weigh_attacks(const struct inquiry *q)
{
	struct weight_of_attack *all = mem_zeroed(q->n_suspects + 1, sizeof(*all));
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct suspect *s = &q->suspects[i];
		struct weight_of_attack *w = &all[s->attack];
		if (s->guilty) {
			w->best = w->rest > 0 ? w->best : WEIGHTS_PRIOR;
			w->best = s->score > w->best ? s->score : w->best;
			w->rest += s->score > 0 ? 0.5 : 0.1;
		}
	}
	return all;
}

static size_t main_attack(const struct inquiry *q)
{
	size_t found = INQUIRY_NONE;
	double best = 0;
	struct weight_of_attack *weights = weigh_attacks(q);
	for (size_t i = 0; i < q->n_suspects; i++) {
		if (!q->suspects[i].guilty || q->suspects[i].attack != i) {
			continue;
		}
		double score = weights[i].best + weights[i].rest;
		if (found == INQUIRY_NONE || score > best) {
			found = i;
			best = score;
		}
	}
	free(weights);
	return found;
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
	case TRACK_TOKEN:
	case TRACK_ROLE:
		return workload_is(q, s) ? CLASS_INSTANCE_THEFT : CLASS_UNDETERMINED;
	default:
		return CLASS_UNDETERMINED;
	}
}

static void decide_attack(struct inquiry *q, size_t attack)
{
	q->root = attack_begin(q, attack);
	const struct suspect *s = &q->suspects[q->root];
	for (size_t i = 0; i < q->n_suspects; i++) {
		if (q->suspects[i].attack == attack && q->suspects[i].guilty) {
			ruling_claims(q, &q->suspects[i]);
		}
	}
	q->verdict = insider_is_home(s) ? CLASS_INSIDER : class_of(q, s);
	q->entry_ms = s->first.time_ms;
	bool role = false;
	size_t hit = traces_web_entry(q, s, &role);
	struct inquiry_weigh ssh_weigh = { .claims = json_array() };
	double ssh_score = 0;
	size_t ssh =
		traces_best_ssh(q, s->first.time_ms + EFFECTS_SKEW_MS, &ssh_score, &ssh_weigh);
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
	if (q->entry_ms > s->first.time_ms) {
		q->entry_ms = s->first.time_ms;
		ruling_missing(q, N_("How far the host's clock is ahead: by its log the entry "
				     "came after what followed from it"));
	}
	if (q->verdict == CLASS_INSTANCE_THEFT &&
		traces_strange_key(q, s->first.time_ms, &q->weigh)) {
		ruling_missing(q, N_("The user's word whether the login was theirs"));
	}
	/* Chance and look-alikes never vanish: certainty has a ceiling. */
	double p = weights_probability(inquiry_score(&q->weigh));
	q->confidence = p > 0.99 ? 0.99 : p;
	ruling_gaps(q, q->verdict);
	if (q->verdict == CLASS_UNDETERMINED) {
		ruling_missing(q, N_("The call that issued this session (AssumeRole or a "
				     "sign-in): it lies outside the logs read"));
	}
	double rest = 1 - q->confidence;
	if (q->verdict == CLASS_WEB || q->verdict == CLASS_SSH) {
		ruling_alternative(q, class_of(q, s), rest * 0.6,
			N_("The entry into the host is in the evidence, before the credentials "
			   "were used"));
	} else if (q->verdict == CLASS_INSTANCE_THEFT) {
		ruling_alternative(q, CLASS_WEB, rest * 0.6 + 0.2 * (q->r->web.n_lines == 0),
			q->r->web.n_lines ? N_("No answered exploit request precedes the use "
					       "of the credentials")
					  : N_("No web access log was read"));
	} else {
		ruling_alternative(q, CLASS_WEB, rest * 0.2,
			q->r->web.n_lines ? N_("No answered exploit request precedes the use "
					       "of the credentials")
					  : N_("No web access log was read"));
	}
	ruling_alternative(q, CLASS_INSIDER, rest * 0.4,
		N_("The way the credential was used differs from how its owner uses it"));
}

/* ---- without an attack in the API log ---- */

static size_t first_answered(const struct web *w)
{
	for (size_t i = 0; i < w->n_hits; i++) {
		if (w->hits[i].success) {
			return i;
		}
	}
	return INQUIRY_NONE;
}

/* An exploit whose effect is in the evidence. */
static bool decide_web(struct inquiry *q)
{
	struct effects e;
	effects_find(q, &e);
	if (e.hit == INQUIRY_NONE) {
		return false;
	}
	traces_claim_web(q, e.hit, false);
	inquiry_claim(&q->weigh, e.strength == EFFECTS_TIED ? W_WEB_TIED : W_WEB_EFFECT,
		ARGS(e.what), json_incref(e.events));
	q->web_hit = traces_first_of_client(q, e.hit);
	q->verdict = CLASS_WEB;
	q->entry_ms = q->r->web.hits[q->web_hit].time_ms;
	q->confidence = weights_probability(inquiry_score(&q->weigh));
	ruling_gaps(q, CLASS_WEB);
	ruling_alternative(q, CLASS_NO_INCIDENT, 1 - q->confidence,
		N_("What the host did after the request has no other explanation in these "
		   "logs"));
	effects_deinit(&e);
	return true;
}

/* An answered exploit and nothing after it. */
static bool decide_answered(struct inquiry *q)
{
	size_t answered = first_answered(&q->r->web);
	if (answered == INQUIRY_NONE) {
		return false;
	}
	traces_claim_web(q, answered, false);
	q->verdict = CLASS_UNDETERMINED;
	q->confidence = 0.5;
	ruling_alternative(q, CLASS_WEB, 0.45,
		N_("The request was answered, but no effect of it is in the evidence"));
	ruling_missing(q, q->t->n_unique ? N_("Evidence of an effect on the host: processes, "
					      "outbound connections, files")
					 : N_("CloudTrail events: they would show whether "
					      "credentials from the host were used"));
	if (q->r->flow.n_lines == 0) {
		ruling_missing(q, N_("VPC flow logs: they would show how many bytes left the "
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
		ruling_gaps(q, CLASS_SSH);
		ruling_alternative(q, CLASS_INSIDER, 1 - q->confidence,
			N_("The owner does not fail that often before getting in"));
	} else {
		q->verdict = CLASS_UNDETERMINED;
		q->confidence = 1 - p;
		ruling_alternative(
			q, CLASS_SSH, p, N_("Too few failures came before the login"));
		ruling_missing(q, N_("The user's word whether the login was theirs"));
	}
	return true;
}

/* A login with a key is no guess: whether the key was its owner's to use, the owner must say. */
static bool decide_key_login(struct inquiry *q)
{
	if (!traces_strange_key(q, INT64_MAX, &q->weigh)) {
		return false;
	}
	double p = weights_probability(inquiry_score(&q->weigh));
	q->verdict = CLASS_UNDETERMINED;
	q->confidence = 1 - p;
	ruling_alternative(
		q, CLASS_NO_INCIDENT, (1 - p) * 0.8, N_("Some of what was seen is unusual"));
	ruling_missing(q, N_("The user's word whether the login was theirs"));
	ruling_gaps(q, CLASS_SSH);
	return true;
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
	ruling_claims(q, s);
	q->verdict = CLASS_UNDETERMINED;
	q->confidence = 1 - p;
	enum inquiry_class c = class_of(q, s);
	ruling_alternative(q, c == CLASS_UNDETERMINED ? CLASS_INSIDER : c, p,
		N_("What speaks for it is not enough to accuse anybody"));
	ruling_alternative(
		q, CLASS_NO_INCIDENT, (1 - p) * 0.8, N_("Some of what was seen is unusual"));
	if (s->weigh.for_it[G_ORIGIN] <= 0) {
		ruling_missing(q, N_("Earlier CloudTrail events of the same credential: they "
				     "would show where and how it is normally used"));
	}
	if (s->kind == TRACK_INSTANCE && q->r->web.n_lines == 0) {
		ruling_gaps(q, CLASS_INSTANCE_THEFT);
	}
	ruling_missing(q, N_("The owner's word whether these calls were theirs"));
}

static void decide(struct inquiry *q)
{
	size_t attack = main_attack(q);
	if (attack != INQUIRY_NONE) {
		decide_attack(q, attack);
		return;
	}
	struct inquiry_weigh probe = { .claims = json_array() };
	double ssh_score = 0;
	bool ssh = traces_best_ssh(q, INT64_MAX, &ssh_score, &probe) != INQUIRY_NONE &&
		   ssh_score >= WEIGHTS_ACCUSE;
	json_decref(probe.claims);
	if (ssh && decide_ssh(q)) {
		return;
	}
	if (decide_web(q) || exposure_decide(q) || insider_decide(q) || decide_answered(q)) {
		return;
	}
	size_t open = best_suspect(q);
	if (open != INQUIRY_NONE) {
		decide_open(q, open);
		return;
	}
	if (!decide_ssh(q) && !decide_key_login(q) && !exposure_ask(q)) {
		coverage_decide(q);
	}
}

void inquiry_decide(struct inquiry *q)
{
	decide(q);
	coverage_limits(q);
}
