#include "analysis/coverage.h"

#include "analysis/account.h"
#include "analysis/effects.h"
#include "analysis/ruling.h"
#include "analysis/traces.h"
#include "base/i18n.h"

#include <stdlib.h>
#include <string.h>

#define SERIOUS 4 /* GuardDuty's medium */
/* Flows to port 22 that look like guessing, and one of them like a session. */
#define SSH_PORT       22
#define GUESSES        5
#define SESSION_FACTOR 8
#define SESSION_BYTES  20000
#define CALL_BYTES     2000
#define VISITORS_MAX   ((size_t)256 * 1024)

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static bool is_ssh_attempt(struct str type)
{
	return str_find(type, STR("SSHBruteForce")) != SIZE_MAX;
}

static bool finding_unanswered(struct inquiry *q)
{
	const struct reader *r = q->r;
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct reader_finding *f = &r->findings[i];
		if (!f->attempt && f->severity >= SERIOUS) {
			ruling_missing(q, N_("Logs of the time and place that the GuardDuty "
					     "finding names: those read do not show what it "
					     "reports"));
			return true;
		}
		if (is_ssh_attempt(track_text(q->t, f->type)) && r->ssh.n_lines == 0) {
			ruling_missing(q, N_("The host's auth.log or journal: it would show "
					     "whether somebody signed in to the instance"));
			return true;
		}
	}
	return false;
}

/* AWS found a key in public and said so. */
static bool quarantine_unanswered(struct inquiry *q)
{
	if (q->n_quarantines == 0) {
		return false;
	}
	const struct track_note *n = &q->t->notes[q->quarantines[0]];
	inquiry_claim(&q->weigh, W_QUARANTINE, ARGS(inquiry_text(q, n->subject)),
		inquiry_cited(q, &n->ref));
	ruling_alternative(q, CLASS_LEAKED_KEY, 0.5,
		N_("No use of the key by somebody else stands out in the logs read"));
	ruling_missing(q, N_("Which calls with the quarantined user's keys its owner made"));
	return true;
}

/* Ports that a fallen host calls: shells, IRC, directories of Log4Shell, mining pools. */
static bool is_odd_port(int port)
{
	static const int ports[] = { 1099, 1337, 1389, 3333, 4444, 5555, 6666, 6667, 7777, 9001,
		9999, 14444, 31337, 45700 };
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (ports[i] == port) {
			return true;
		}
	}
	return false;
}

/* A host called out to a port that healthy servers do not call, and bytes went over. */
static bool is_odd_call(const struct inquiry *q, const struct flow_row *f)
{
	return f->accepted && !f->reply && is_odd_port(f->dst_port) && f->bytes >= CALL_BYTES &&
	       effects_is_inside(track_text(q->t, f->src)) &&
	       !effects_is_inside(track_text(q->t, f->dst));
}

/* Somebody of the account works from there: administrators use SSH as well. */
static bool is_colleague(const struct inquiry *q, uint32_t ip)
{
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct suspect *s = &q->suspects[i];
		if (s->ip == ip && s->kind != TRACK_OTHER &&
			track_holder_at(q->t, s->holder)->arn) {
			return true;
		}
	}
	return false;
}

/* Many short connections to sshd and a long one: somebody may have got in. */
static bool is_guessing(const struct inquiry *q, const struct flow_row *f)
{
	uint64_t usual = f->n > 1 ? (f->bytes - (uint64_t)f->most) / (f->n - 1) : 0;
	return f->accepted && f->dst_port == SSH_PORT && f->n >= GUESSES &&
	       f->most >= SESSION_BYTES && (uint64_t)f->most >= SESSION_FACTOR * usual &&
	       !is_colleague(q, f->src);
}

static bool is_web_port(int port)
{
	return port == 80 || port == 443 || port == 8080 || port == 8443;
}

/* Addresses outside that came to a web server. */
static void find_visitors(const struct inquiry *q, struct table *visitors)
{
	table_init(visitors, 0, VISITORS_MAX);
	for (size_t i = 0; i < q->r->flow.rows.n; i++) {
		const struct flow_row *f = table_at(&q->r->flow.rows, i);
		if (f->accepted && !f->reply && is_web_port(f->dst_port) &&
			!effects_is_inside(track_text(q->t, f->src))) {
			(void)table_add(visitors, (uint64_t)f->src + 1, NULL);
		}
	}
}

/* A server that turns to its own visitor, without a web log to say what the visitor asked. */
static bool calls_visitor(
	const struct inquiry *q, const struct flow_row *f, const struct table *visitors)
{
	return q->r->web.n_lines == 0 && f->accepted && !f->reply && f->bytes >= CALL_BYTES &&
	       effects_is_inside(track_text(q->t, f->src)) &&
	       table_index(visitors, (uint64_t)f->dst + 1) != SIZE_MAX;
}

static bool flows_unanswered(struct inquiry *q)
{
	const struct flow_row *call = NULL;
	bool guessed = false;
	struct table visitors;
	find_visitors(q, &visitors);
	for (size_t i = 0; i < q->r->flow.rows.n; i++) {
		const struct flow_row *f = table_at(&q->r->flow.rows, i);
		bool odd = is_odd_call(q, f) || calls_visitor(q, f, &visitors);
		call = odd && (!call || effects_flow_order(q, f, call) < 0) ? f : call;
		guessed |= is_guessing(q, f);
	}
	table_deinit(&visitors);
	if (call) {
		char what[160];
		effects_flow_text(q, call, what);
		inquiry_claim(&q->weigh, W_ODD_CALL, ARGS(what), traces_cite(NULL, what));
		ruling_missing(q, N_("Web and host logs of the machine that called out: they "
				     "would show what made it do so"));
	}
	guessed = guessed && q->r->ssh.n_lines == 0;
	if (guessed) {
		ruling_missing(q, N_("The host's auth.log or journal: it would show whether "
				     "somebody signed in to the instance"));
	}
	return call != NULL || guessed;
}

/* The same credential makes others from elsewhere too: a pipeline's everyday work. */
static bool makes_keys_elsewhere(const struct inquiry *q, size_t i)
{
	for (size_t k = 0; k < q->n_suspects; k++) {
		if (k != i && q->suspects[k].holder == q->suspects[i].holder &&
			q->suspects[k].weigh.for_it[G_KEYS] > 0) {
			return true;
		}
	}
	return false;
}

/*
 * Full rights and a credential, given from an address where the caller was never before, count for
 * nothing when the program is the owner's infrastructure tool. But its name is text that anybody
 * can send: where that is no habit, too much hangs on it to say that nothing happened.
 */
static bool gifts_unanswered(struct inquiry *q)
{
	for (size_t i = 0; i < q->n_suspects; i++) {
		const struct inquiry_weigh *w = &q->suspects[i].weigh;
		if (w->for_it[G_ORIGIN] > 0 && w->for_it[G_RIGHTS] > 0 &&
			w->for_it[G_KEYS] > 0 && !q->suspects[i].mfa &&
			!makes_keys_elsewhere(q, i)) {
			ruling_missing(q, N_("The owner's word whether the address is theirs "
					     "from which full rights and a credential were "
					     "given: the program's name alone proves nothing"));
			return true;
		}
	}
	return false;
}

static void see_region(void *ctx, struct str region, const int64_t *hours, size_t n)
{
	bool *hole = ctx;
	(void)region;
	*hole |= hours_hole(hours, n);
}

/* Silence in a trail that is never silent otherwise, or in one of its regions. */
static bool has_hole(const struct inquiry *q)
{
	size_t n = 0;
	int64_t *hours = hours_of(&q->r->hours, RECORD_CLOUDTRAIL, &n);
	bool hole = hours_hole(hours, n);
	free(hours);
	hours_regions(&q->r->hours, &q->t->pool, RECORD_CLOUDTRAIL, see_region, &hole);
	return hole;
}

/* Somebody knocked, and the log of knocks says that nobody was let in. */
static bool attempts_failed(const struct reader *r)
{
	bool tried = r->web.n_hits > 0;
	for (size_t i = 0; i < r->web.n_hits; i++) {
		int status = r->web.hits[i].status;
		if (status < 400 || status > 499) {
			return false;
		}
	}
	for (size_t i = 0; i < r->ssh.n_events; i++) {
		tried |= r->ssh.events[i].kind == SSH_FAILED;
	}
	return tried;
}

/*
 * Without the API's log nobody can say that no credential was stolen. One log alone still answers
 * the question that it raises itself: was one of the attempts in it a success? A web server's does
 * so when it turned all of them away: what a request carried in its body is not in there.
 */
static bool trail_missing(struct inquiry *q)
{
	const struct reader *r = q->r;
	int kinds = (r->web.n_lines > 0) + (r->ssh.n_lines > 0) + (r->flow.n_lines > 0);
	if (q->t->n_unique > 0) {
		return false;
	}
	ruling_missing(q, N_("CloudTrail events: they would show whether credentials from the "
			     "host were used"));
	return kinds != 1 || !attempts_failed(r);
}

/*
 * Flow logs show that somebody outside was let in to a service whose own log was not read: what
 * was asked of it, nobody can say. Enough doubt for the confidence, not for another answer:
 * every server has visitors.
 */
static bool services_unread(struct inquiry *q)
{
	bool web = false;
	bool ssh = false;
	for (size_t i = 0; i < q->r->flow.rows.n; i++) {
		const struct flow_row *f = table_at(&q->r->flow.rows, i);
		bool visit = f->accepted && !f->reply &&
			     effects_is_inside(track_text(q->t, f->dst)) &&
			     !effects_is_inside(track_text(q->t, f->src));
		web |= visit && is_web_port(f->dst_port);
		ssh |= visit && f->dst_port == SSH_PORT;
	}
	web = web && q->r->web.n_lines == 0;
	ssh = ssh && q->r->ssh.n_lines == 0;
	if (web) {
		ruling_missing(q, N_("Access logs of the web servers that the flow logs show "
				     "being visited: none were read, so nothing is said about "
				     "what was asked of them"));
	}
	if (ssh) {
		ruling_missing(q, N_("The auth.log or journal of the hosts that the flow logs "
				     "show being reached over SSH: none was read"));
	}
	return web || ssh;
}

/* Part of what would show an incident is known to be there, and was not weighed. */
static bool is_partly_read(const struct inquiry *q)
{
	return q->r->n_cut > 0 || account_left_out(q->r) > 0;
}

void coverage_limits(struct inquiry *q)
{
	if (q->r->n_cut > 0) {
		ruling_missing(q, N_("The rest of the files that could not be read, or not to "
				     "their end: the account of what was rejected names them"));
	}
	if (account_left_out(q->r) > 0) {
		ruling_missing(
			q, N_("What found no room in memory: less of the logs at a time, "
			      "by days or accounts, would be weighed whole"));
	}
}

static void nothing_read(struct inquiry *q)
{
	q->verdict = CLASS_UNDETERMINED;
	q->confidence = 1;
	ruling_missing(
		q, N_("Anything to read: no event and no log line was found in the input"));
}

void coverage_decide(struct inquiry *q)
{
	const struct reader *r = q->r;
	bool lines = r->web.n_lines + r->ssh.n_lines + r->flow.n_lines > 0;
	if (q->t->n_unique == 0 && !lines && r->n_findings == 0) {
		nothing_read(q);
		return;
	}
	bool open = finding_unanswered(q);
	open |= quarantine_unanswered(q);
	open |= flows_unanswered(q);
	open |= gifts_unanswered(q);
	open |= trail_missing(q);
	open |= is_partly_read(q);
	if (has_hole(q)) {
		ruling_missing(q, N_("CloudTrail events of the hours that are missing in the "
				     "middle of those read"));
		open = true;
	}
	if (open) {
		q->verdict = CLASS_UNDETERMINED;
		q->confidence = 0.6;
		ruling_alternative(q, CLASS_NO_INCIDENT, 0.4,
			N_("The logs that would show an incident are not all there"));
		return;
	}
	q->verdict = CLASS_NO_INCIDENT;
	bool unread = services_unread(q);
	q->confidence = !q->t->n_unique ? 0.75 : unread ? 0.7 : 0.85;
	ruling_alternative(q, CLASS_UNDETERMINED, 1 - q->confidence,
		N_("What is in the logs read is explained by everyday work"));
	if (q->t->n_unique && !unread && r->web.n_lines + r->ssh.n_lines == 0) {
		ruling_missing(q, N_("Logs of hosts and web servers, if there are any: none "
				     "were read, so nothing is said about them"));
	}
}
