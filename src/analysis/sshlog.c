#include "analysis/sshlog.h"

#include "base/err.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX   ((size_t)2 * 1024 * 1024)
#define UNDATED_YEAR 1972
#define DAY_MS       (INT64_C(24) * 3600 * 1000)
#define HOUR_MS      (INT64_C(3600) * 1000)
/* Lines looked at before a login: enough to count, bounded for a log made to be slow. */
#define LOOK_BACK_MAX 20000u
#define YEAR_MIN      1990
#define YEAR_MAX      2100

void ssh_init(struct ssh *s, struct pool *pool)
{
	*s = (struct ssh){ .pool = pool };
}

void ssh_deinit(struct ssh *s)
{
	free(s->events);
}

/* ---- lines ---- */

/* Text after `before` up to a blank, or the empty slice. */
static struct str word_after(struct str s, struct str before)
{
	size_t at = str_find(s, before);
	if (at == SIZE_MAX) {
		return (struct str){ "", 0 };
	}
	s = str_sub(s, at + before.n, SIZE_MAX);
	return str_sub(s, 0, str_find_char(s, ' '));
}

/* "message repeated 5 times: [ Failed password ...]" */
static struct str unwrap_repeat(struct str m, int *repeat)
{
	*repeat = 1;
	if (!str_starts(m, STR("message repeated "))) {
		return m;
	}
	int64_t n = 0;
	if (str_to_i64(word_after(m, STR("message repeated ")), &n) && n > 0 && n < 1000000) {
		*repeat = (int)n;
	}
	size_t open = str_find_char(m, '[');
	m = open == SIZE_MAX ? m : str_trim(str_sub(m, open + 1, SIZE_MAX));
	return m.n && m.p[m.n - 1] == ']' ? str_sub(m, 0, m.n - 1) : m;
}

static bool sshd_message(struct str m, struct ssh_line *l)
{
	if (str_starts(m, STR("Failed password for "))) {
		l->kind = SSH_FAILED;
		l->user = word_after(m, STR("Failed password for "));
		if (str_starts(m, STR("Failed password for invalid user "))) {
			l->user = word_after(m, STR("for invalid user "));
		}
	} else if (str_starts(m, STR("Accepted "))) {
		struct str how = word_after(m, STR("Accepted "));
		l->kind =
			str_is(how, "password") || str_starts(how, STR("keyboard-interactive"))
				? SSH_PASSWORD
				: SSH_KEY;
		l->user = word_after(m, STR(" for "));
	} else {
		return false;
	}
	/* The user's name is the attacker's text; the address follows the last " from ". */
	size_t at = 0;
	for (size_t next = str_find(m, STR(" from ")); next != SIZE_MAX;) {
		at += next + 6;
		next = str_find(str_sub(m, at, SIZE_MAX), STR(" from "));
	}
	struct str rest = str_sub(m, at, SIZE_MAX);
	l->ip = at ? str_sub(rest, 0, str_find_char(rest, ' ')) : (struct str){ "", 0 };
	return l->ip.n > 0;
}

bool ssh_parse_message(struct str program, struct str message, struct ssh_line *out)
{
	struct ssh_line l = *out;
	message = unwrap_repeat(message, &l.repeat);
	l.text = message;
	bool known = false;
	if (str_is(program, "sshd") || str_is(program, "sshd-session") ||
		str_is(program, "sshd-auth")) {
		known = sshd_message(message, &l);
	} else if (str_is(program, "sudo") && str_find(message, STR("COMMAND=")) != SIZE_MAX) {
		l.kind = str_find(message, STR("authorized_keys")) != SIZE_MAX ? SSH_PERSIST
									       : SSH_ROOT;
		l.user = str_trim(str_sub(message, 0, str_find_char(message, ':')));
		known = true;
	} else if ((str_is(program, "useradd") &&
			   str_find(message, STR("new user")) != SIZE_MAX) ||
		   (str_is(program, "passwd") &&
			   str_find(message, STR("password changed")) != SIZE_MAX) ||
		   (str_is(program, "crontab") &&
			   str_find(message, STR("REPLACE")) != SIZE_MAX)) {
		l.kind = SSH_PERSIST;
		known = true;
	}
	if (known) {
		*out = l;
	}
	return known;
}

static bool digits(struct str s, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') {
			return false;
		}
	}
	return true;
}

static int two(const char *p)
{
	return (p[0] == ' ' ? 0 : p[0] - '0') * 10 + (p[1] - '0');
}

/* "Dec 10 06:55:46 " or "Dec  1 ...", or "Nov 2 ..." with one blank; the bytes taken or 0. */
static size_t classic_time(struct str s, int64_t *ms)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int month = 0;
	while (s.n > 15 && month < 12 && memcmp(names + (size_t)month * 3, s.p, 3) != 0) {
		month++;
	}
	if (s.n <= 15 || month == 12 || s.p[3] != ' ') {
		return 0;
	}
	size_t at = 4;
	int day = 0;
	if ((s.p[4] == ' ' || digits(s, 4, 1)) && digits(s, 5, 1)) {
		day = two(s.p + 4);
		at = 6;
	} else if (digits(s, 4, 1)) {
		day = s.p[4] - '0';
		at = 5;
	}
	if (day < 1 || day > 31 || s.n < at + 10 || s.p[at] != ' ' || !digits(s, at + 1, 2) ||
		s.p[at + 3] != ':' || !digits(s, at + 4, 2) || s.p[at + 6] != ':' ||
		!digits(s, at + 7, 2) || s.p[at + 9] != ' ') {
		return 0;
	}
	struct utc_parts p = { .year = UNDATED_YEAR,
		.month = month + 1,
		.day = day,
		.hour = two(s.p + at + 1),
		.minute = two(s.p + at + 4),
		.second = two(s.p + at + 7) };
	*ms = utc_join(&p);
	return at + 10;
}

enum ssh_parse_result ssh_parse(struct str line, struct ssh_line *out)
{
	struct ssh_line l = { .repeat = 1 };
	size_t taken = classic_time(line, &l.time_ms);
	if (taken == 0) {
		size_t blank = str_find_char(line, ' ');
		if (blank == SIZE_MAX || blank < 19 ||
			!utc_parse(str_sub(line, 0, blank), &l.time_ms)) {
			return SSH_NOT_SYSLOG;
		}
		l.dated = true;
		taken = blank + 1;
	}
	struct str rest = str_sub(line, taken, SIZE_MAX);
	size_t blank = str_find_char(rest, ' ');
	if (blank == SIZE_MAX) {
		return SSH_NOT_SYSLOG;
	}
	l.host = str_sub(rest, 0, blank);
	rest = str_trim(str_sub(rest, blank, SIZE_MAX));
	size_t colon = str_find(rest, STR(": "));
	struct str who = colon == SIZE_MAX ? STR("") : str_sub(rest, 0, colon);
	who = str_sub(who, 0, str_find_char(who, '['));
	l.text = colon == SIZE_MAX ? rest : str_trim(str_sub(rest, colon + 2, SIZE_MAX));
	l.program = who;
	bool access = ssh_parse_message(who, l.text, &l);
	*out = l;
	return access ? SSH_EVENT : SSH_OTHER;
}

void ssh_add(struct ssh *s, const struct ssh_line *l, struct str id, uint64_t key)
{
	if (s->n_events == s->cap_events) {
		if (s->cap_events >= EVENTS_MAX) {
			s->refused++;
			return;
		}
		s->cap_events = s->cap_events ? s->cap_events * 2 : 128;
		s->events = realloc(s->events, s->cap_events * sizeof(*s->events));
		if (!s->events) {
			BUG("out of memory");
		}
	}
	s->events[s->n_events++] = (struct ssh_event){ .time_ms = l->time_ms,
		.key = key,
		.kind = l->kind,
		.dated = l->dated,
		.host = pool_put(s->pool, l->host),
		.user = pool_put(s->pool, l->user),
		.ip = pool_put(s->pool, l->ip),
		/* A failure's text is not quoted again: thousands of them would fill the pool. */
		.text = l->kind == SSH_FAILED ? 0 : pool_put(s->pool, str_sub(l->text, 0, 256)),
		.id = pool_put(s->pool, id),
		.repeat = l->repeat };
}

/* ---- after the last line ---- */

/* Files of one name in several folders may have the same id for different lines. */
static int by_time(const void *a, const void *b, void *pool)
{
	const struct ssh_event *x = a;
	const struct ssh_event *y = b;
	const uint32_t texts[][2] = { { x->id, y->id }, { x->host, y->host },
		{ x->user, y->user }, { x->ip, y->ip }, { x->text, y->text } };
	int c = 0;
	if (x->time_ms != y->time_ms) {
		return x->time_ms < y->time_ms ? -1 : 1;
	}
	for (size_t i = 0; c == 0 && i < sizeof(texts) / sizeof(texts[0]); i++) {
		c = pool_order(pool, texts[i][0], texts[i][1]);
	}
	if (c || x->kind != y->kind) {
		return c ? c : x->kind < y->kind ? -1 : 1;
	}
	return x->repeat < y->repeat ? -1 : x->repeat > y->repeat;
}

static int64_t in_year(int64_t ms, int year)
{
	struct utc_parts p = utc_split(ms);
	p.year = year;
	return utc_join(&p);
}

/* The year that brings `ms` closest to `near_ms`. */
static int nearest_year(int64_t ms, int64_t near_ms)
{
	int best = utc_split(near_ms).year;
	for (int year = best - 1; year <= utc_split(near_ms).year + 1; year++) {
		if (llabs(in_year(ms, year) - near_ms) < llabs(in_year(ms, best) - near_ms)) {
			best = year;
		}
	}
	return best < YEAR_MIN ? YEAR_MIN : best > YEAR_MAX ? YEAR_MAX : best;
}

int64_t ssh_date(int64_t undated_ms, int64_t near_ms)
{
	return in_year(undated_ms, nearest_year(undated_ms, near_ms));
}

uint64_t ssh_cut(struct ssh *s, int64_t from_ms, int64_t to_ms)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_events; i++) {
		int64_t ms = s->events[i].time_ms;
		if ((!from_ms || ms >= from_ms) && (!to_ms || ms <= to_ms)) {
			s->events[n++] = s->events[i];
		}
	}
	uint64_t dropped = s->n_events - n;
	s->n_events = n;
	return dropped;
}

/* Copies of one line side by side, the one to cite first. */
static int by_key(const void *a, const void *b, void *pool)
{
	const struct ssh_event *x = a;
	const struct ssh_event *y = b;
	if (x->key != y->key) {
		return x->key < y->key ? -1 : 1;
	}
	return str_cmp(pool_get(pool, x->id), pool_get(pool, y->id));
}

static void drop_copies(struct ssh *s)
{
	size_t n = 0;
	if (s->n_events) {
		qsort_r(s->events, s->n_events, sizeof(*s->events), by_key, s->pool);
	}
	for (size_t i = 0; i < s->n_events; i++) {
		if (n == 0 || s->events[i].key != s->events[n - 1].key) {
			s->events[n++] = s->events[i];
		}
	}
	s->n_events = n;
}

void ssh_settle(struct ssh *s, int64_t near_ms)
{
	drop_copies(s);
	for (size_t i = 0; i < s->n_events; i++) {
		struct ssh_event *e = &s->events[i];
		if (!e->dated) {
			int year = nearest_year(e->time_ms, near_ms);
			e->time_ms = in_year(e->time_ms, year);
			s->year = !s->guessed || year < s->year ? year : s->year;
			s->guessed = true;
		}
	}
	if (s->n_events) {
		qsort_r(s->events, s->n_events, sizeof(*s->events), by_time, s->pool);
	}
}

void ssh_entry_read(const struct ssh *s, size_t i, struct ssh_entry *out)
{
	const struct ssh_event *in = &s->events[i];
	*out = (struct ssh_entry){
		.accepted = i, .first_failure = SIZE_MAX, .last_failure = SIZE_MAX
	};
	size_t floor = i > LOOK_BACK_MAX ? i - LOOK_BACK_MAX : 0;
	for (size_t k = i; k-- > floor && in->time_ms - s->events[k].time_ms <= DAY_MS;) {
		const struct ssh_event *e = &s->events[k];
		if (e->kind != SSH_FAILED || e->host != in->host) {
			continue;
		}
		if (e->user == in->user) {
			out->user_failures += e->repeat;
		}
		if (e->ip == in->ip) {
			out->failures += e->repeat;
			out->user_tried |= e->user == in->user;
			out->first_failure = k;
			out->last_failure =
				out->last_failure == SIZE_MAX ? k : out->last_failure;
		}
	}
	size_t most = sizeof(out->followed) / sizeof(out->followed[0]);
	for (size_t k = i + 1; k < s->n_events && out->n_followed < most &&
			       s->events[k].time_ms - in->time_ms <= HOUR_MS;
		k++) {
		const struct ssh_event *e = &s->events[k];
		bool deed = e->kind == SSH_ROOT || e->kind == SSH_PERSIST;
		if (deed && e->host == in->host && (e->user == in->user || e->user == 0)) {
			out->followed[out->n_followed++] = k;
		}
	}
}
