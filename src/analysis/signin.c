#include "analysis/signin.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS     (INT64_C(3600) * 1000)
#define FAILED_FEW  4
#define FAILED_MANY 10
#define SPRAY_USERS 3 /* others than the one who got in */
#define USERS_MAX   64

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *number(char room[24], uint64_t n)
{
	(void)snprintf(room, 24, "%llu", (unsigned long long)n);
	return room;
}

struct logins {
	const struct track_note *in, *no_mfa, *reset;
};

static bool see_login(void *ctx, const struct track_note *n)
{
	struct logins *l = ctx;
	if (!strncmp(n->api->name, "PasswordRecovery", 16)) {
		l->reset = l->reset ? l->reset : n;
	}
	if (strcmp(n->api->name, "ConsoleLogin") != 0 || !n->ok) {
		return true;
	}
	l->in = l->in ? l->in : n;
	if (!n->mfa && !l->no_mfa) {
		l->no_mfa = n;
	}
	return true;
}

/* What failed in the day before a sign-in. */
struct failures {
	uint64_t here;      /* at the address: on this user, or on nobody that exists */
	uint64_t elsewhere; /* on this user, at addresses that never got in */
	uint32_t users[USERS_MAX];
	size_t n_users; /* others that were tried at the address and do not belong there */
	json_t *events;
};

/* Somebody of that name gets in at the address: a colleague who mistyped. */
static bool belongs(const struct inquiry *q, const struct suspect *s, uint32_t user)
{
	struct inquiry_peers peers = inquiry_same_address(q, s);
	for (size_t i = 0; i < peers.n; i++) {
		const struct suspect *o = &q->suspects[peers.suspects[i]];
		const struct track_holder *h = track_holder_at(q->t, o->holder);
		if (h->user == user && h->arn && o->kind != TRACK_OTHER) {
			return true;
		}
	}
	return false;
}

static void other_user(struct failures *f, uint32_t user)
{
	size_t k = 0;
	while (k < f->n_users && f->users[k] != user) {
		k++;
	}
	if (k == f->n_users && f->n_users < USERS_MAX) {
		f->users[f->n_users++] = user;
	}
}

/* CloudTrail hides a name that is no user's: it may have been a password. */
static bool is_hidden(struct str user)
{
	return user.n == 0 || str_starts(user, STR("HIDDEN_DUE_TO"));
}

static void see_failure(const struct inquiry *q, const struct suspect *s,
	const struct track_note *n, struct failures *f)
{
	const struct track_edge *e = track_edge_at(q->t, n->edge);
	uint32_t user = track_holder_at(q->t, e->holder)->user;
	bool own = user == track_holder_at(q->t, s->holder)->user;
	bool hidden = is_hidden(track_text(q->t, user));
	if (e->ip != s->ip) {
		size_t by = q->suspect_of[n->edge];
		bool stranger =
			own && by != INQUIRY_NONE && !belongs(q, &q->suspects[by], user);
		f->elsewhere += stranger;
		if (stranger) {
			inquiry_cite(q, f->events, &n->ref);
		}
		return;
	}
	if (!own && !hidden && belongs(q, s, user)) {
		return;
	}
	if (own || hidden) {
		f->here++;
	} else {
		other_user(f, user);
	}
	inquiry_cite(q, f->events, &n->ref);
}

static void weigh_failures(
	const struct inquiry *q, struct suspect *s, const struct track_note *in)
{
	struct failures f = { .events = json_array() };
	const char *name = inquiry_name(q, s);
	const char *ip = inquiry_text(q, s->ip);
	char room[24];
	for (size_t i = 0; i < q->n_failed_logins; i++) {
		const struct track_note *n = &q->t->notes[q->failed_logins[i]];
		int64_t before = in->ref.time_ms - n->ref.time_ms;
		if (before >= 0 && before <= 24 * HOUR_MS) {
			see_failure(q, s, n, &f);
		}
	}
	inquiry_cite(q, f.events, &in->ref);
	uint64_t n = f.here >= FAILED_FEW ? f.here : f.here + f.elsewhere;
	if (f.n_users >= SPRAY_USERS) {
		inquiry_claim(&s->weigh, W_LOGIN_SPRAY, ARGS(number(room, f.n_users + 1), ip),
			json_incref(f.events));
	} else if (f.here >= FAILED_FEW || n >= FAILED_MANY) {
		inquiry_claim(&s->weigh,
			n >= FAILED_MANY ? W_LOGIN_AFTER_MANY : W_LOGIN_AFTER_FAILURES,
			ARGS(name, ip, number(room, n)), json_incref(f.events));
	}
	json_decref(f.events);
}

void signin_weigh(const struct inquiry *q, struct suspect *s)
{
	struct logins l = { 0 };
	const char *name = inquiry_name(q, s);
	const char *ip = inquiry_text(q, s->ip);
	inquiry_each_note(q, s, see_login, &l);
	if (s->mfa) {
		inquiry_claim(&s->weigh, W_MFA, ARGS(name, ip), inquiry_cited(q, &s->first));
	}
	if (!l.in) {
		return;
	}
	weigh_failures(q, s, l.in);
	if (l.reset && l.reset->ref.time_ms <= l.in->ref.time_ms) {
		json_t *events = inquiry_cited(q, &l.reset->ref);
		inquiry_cite(q, events, &l.in->ref);
		inquiry_claim(&s->weigh, W_PASSWORD_RESET, ARGS(name, ip), events);
	}
	if (l.no_mfa) {
		inquiry_claim(&s->weigh, W_LOGIN_NO_MFA, ARGS(name, ip),
			inquiry_cited(q, &l.no_mfa->ref));
	}
}
