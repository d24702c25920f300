#include "analysis/reader_take.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#define ID_ROOM      320
#define TEXT_ROOM    600
#define WEB_JSON_MAX ((size_t)1024 * 1024)
#define HOUR_MS      (3600 * INT64_C(1000))

static bool in_window(struct reader *r, int64_t ms, struct str region)
{
	const struct reader_shared *s = r->shared;
	bool in = (!s->window.from_ms || ms >= s->window.from_ms) &&
		  (!s->window.to_ms || ms <= s->window.to_ms) &&
		  prune_has_region(&s->window, region);
	r->n_outside += !in;
	return in;
}

/*
 * One line may be read twice when a file was copied. Lines are told apart by their text and by
 * the how-manieth of its kind in its file it is, so true repeats count and copies don't.
 */
static struct line_key key_of(struct reader *r, struct str line)
{
	uint64_t h = table_hash(r->track.seed, line);
	size_t at = table_add(&r->line_counts, h, NULL);
	struct line_key out = { .key = h, .fresh = true };
	if (at != SIZE_MAX) {
		uint32_t *n = table_at(&r->line_counts, at);
		out.key = table_mix(h, ++*n);
		out.fresh = seen_add(&r->shared->lines, out.key);
	}
	if (r->ledger && out.fresh) {
		ledger_begin(r->ledger, out.key, true);
	} else if (r->ledger) {
		ledger_end(r->ledger);
	}
	return out;
}

/* Records of one hour come together: only the first of them needs the table. */
static void mark_hour(struct reader *r, enum record_source source, int64_t ms)
{
	int64_t hour = ms / HOUR_MS;
	if (r->last_hour[source] != hour) {
		r->last_hour[source] = hour;
		hours_add(&r->hours, &r->track.pool, source, STR(""), ms);
	}
}

/* The same by region: files of several are read in turn, and some logs mix them. */
static void mark_region(struct reader *r, struct str region, int64_t ms)
{
	int64_t hour = ms / HOUR_MS;
	region = str_sub(region, 0, READER_REGION_MAX);
	uint64_t last = region.n ? (unsigned char)region.p[region.n - 1] + region.n : 0;
	struct reader_hour *h = &r->last_region[last % READER_REGIONS];
	if (h->hour != hour || !str_eq((struct str){ h->region, h->n }, region)) {
		h->hour = hour;
		h->n = region.n;
		memcpy(h->region, region.p, region.n);
		hours_add(&r->hours, &r->track.pool, RECORD_CLOUDTRAIL, region, ms);
	}
}

/* Counts a record that is within the window. */
static struct line_key count(
	struct reader *r, enum record_source source, int64_t ms, struct str text)
{
	struct line_key key = key_of(r, text);
	r->n_records++;
	r->n_copies += !key.fresh;
	r->n_by[source] += key.fresh;
	mark_hour(r, source, ms);
	return key;
}

static struct str line_id(const struct reader *r, char room[ID_ROOM])
{
	int n = snprintf(room, ID_ROOM, "%s:%llu", r->name, (unsigned long long)r->line);
	return (struct str){ room, n > 0 && n < ID_ROOM ? (size_t)n : 0 };
}

static void tell(struct reader *r, struct record *rec)
{
	struct reader_shared *s = r->shared;
	if (s->on_record) {
		rec->file = r->name;
		(void)pthread_mutex_lock(&s->record_lock);
		s->on_record(s->on_record_ctx, rec);
		(void)pthread_mutex_unlock(&s->record_lock);
	}
}

/* ---- web ---- */

/*
 * For rules. Cited by the request itself: copies of a log under other names must not change what
 * is cited, and which copy is read first is chance. The last tape is one that no envelope uses.
 */
static void show_web(struct reader *r, const struct web_line *l, struct line_key key)
{
	struct scan_tape *tape = &r->tapes[READER_NESTING - 1];
	struct buf json;
	struct event e;
	size_t used = 0;
	char id[240];
	(void)snprintf(id, sizeof(id), "%.*s %.*s %.*s", STR_ARG(l->ip), STR_ARG(l->method),
		STR_ARG(l->target));
	buf_init(&json, WEB_JSON_MAX);
	webfields_json(l, &json);
	if (buf_ok(&json) && scan_value(tape, buf_view(&json), true, &used) == SCAN_OK) {
		event_fragment(tape, 0, &e);
		e.time_ms = l->time_ms;
		e.id = str_from(id);
		e.hash = key.key;
		r->on_web(r->on_event_ctx, r, &e, key.fresh);
	}
	buf_deinit(&json);
}

bool reader_take_web(struct reader *r, struct str line)
{
	struct web_line l;
	char room[ID_ROOM];
	char status[16];
	if (!web_parse(line, &l)) {
		return false;
	}
	if (!in_window(r, l.time_ms, STR(""))) {
		return true;
	}
	struct line_key key = count(r, RECORD_WEB, l.time_ms, line);
	struct str id = line_id(r, room);
	if (!r->shared->only_records) {
		web_add(&r->web, &l, id, key);
		if (r->on_web) {
			show_web(r, &l, key);
		}
	}
	(void)snprintf(status, sizeof(status), "%d", l.status);
	struct record rec = { .source = RECORD_WEB,
		.time_ms = l.time_ms,
		.fresh = key.fresh,
		.ip = l.ip,
		.action = l.method.n ? l.method : STR("-"),
		.target = l.target,
		.outcome = l.status ? str_from(status) : STR(""),
		.agent = l.agent,
		.id = id,
		.bytes = l.bytes,
		.text = line };
	tell(r, &rec);
	return true;
}

/* ---- syslog and journal ---- */

static const char *ssh_action(enum ssh_kind kind)
{
	static const char *const actions[] = { "ssh:password", "ssh:password", "ssh:publickey",
		"root", "persistence" };
	return actions[kind];
}

/* A message that says nothing about access is told by its program. */
static void tell_message(
	struct reader *r, struct record *rec, const struct ssh_line *l, bool access)
{
	char action[96];
	(void)snprintf(
		action, sizeof(action), "syslog:%.*s", STR_ARG(str_sub(l->program, 0, 64)));
	rec->source = RECORD_SSH;
	rec->bytes = -1;
	rec->action = str_from(access ? ssh_action(l->kind) : action);
	if (!access) {
		rec->principal = l->host;
		rec->target = l->text;
	} else {
		rec->target = l->host;
		rec->principal = l->user;
		rec->ip = l->ip;
		rec->outcome = l->kind == SSH_FAILED ? STR("failed") : STR("ok");
	}
	tell(r, rec);
}

bool reader_take_syslog(struct reader *r, struct str line)
{
	struct ssh_line l;
	char room[ID_ROOM];
	enum ssh_parse_result result = ssh_parse(line, &l);
	if (result == SSH_NOT_SYSLOG) {
		return false;
	}
	int64_t ms = l.time_ms;
	if (!l.dated && r->stamp_ms) {
		/* The envelope says when it was written, so the year is no guess. */
		l.time_ms = ms = ssh_date(l.time_ms, r->stamp_ms);
		l.dated = true;
	} else if (!l.dated) {
		r->ssh.file_ms = r->file_ms > r->ssh.file_ms ? r->file_ms : r->ssh.file_ms;
		ms = ssh_date(l.time_ms, r->file_ms);
	}
	bool guessed = !l.dated;
	if ((!guessed || r->shared->only_records) && !in_window(r, ms, STR(""))) {
		return true; /* others are dated, and judged, when all is read */
	}
	struct line_key key = key_of(r, line);
	struct str id = line_id(r, room);
	r->n_records++;
	r->n_copies += !key.fresh;
	r->n_by[RECORD_SSH] += key.fresh;
	r->ssh.n_lines += key.fresh;
	if (!guessed) {
		mark_hour(r, RECORD_SSH, ms);
	}
	if (result == SSH_EVENT && !r->shared->only_records) {
		ssh_add(&r->ssh, &l, id, key.key);
	}
	struct record rec = { .time_ms = ms,
		.guessed_year = guessed,
		.fresh = key.fresh,
		.id = id,
		.text = line };
	tell_message(r, &rec, &l, result == SSH_EVENT);
	return true;
}

void reader_take_message(struct reader *r, int64_t us, struct str host, struct str program,
	struct str message, struct str id)
{
	struct ssh_line l = { .time_ms = us / 1000,
		.dated = true,
		.host = host,
		.program = program,
		.repeat = 1 };
	char room[ID_ROOM];
	if (!in_window(r, l.time_ms, STR(""))) {
		return;
	}
	/* A journal's time is exact to the microsecond: it tells repeats apart by itself. */
	struct line_key key = { .key = table_mix(
					table_hash(r->track.seed, message), (uint64_t)us) };
	key.fresh = seen_add(&r->shared->lines, key.key);
	r->n_records++;
	r->n_copies += !key.fresh;
	r->n_by[RECORD_SSH] += key.fresh;
	r->ssh.n_lines += key.fresh;
	mark_hour(r, RECORD_SSH, l.time_ms);
	id = id.n ? id : line_id(r, room);
	bool access = ssh_parse_message(program, message, &l);
	if (access && !r->shared->only_records) {
		ssh_add(&r->ssh, &l, id, key.key);
	}
	struct record rec = {
		.time_ms = us / 1000, .fresh = key.fresh, .id = id, .text = message
	};
	tell_message(r, &rec, &l, access);
}

/* ---- flow ---- */

static void take_flow(struct reader *r, const struct flow_record *f, struct str text)
{
	char room[ID_ROOM];
	char target[TEXT_ROOM];
	if (!in_window(r, f->start_ms, f->region)) {
		return;
	}
	struct line_key key = count(r, RECORD_FLOW, f->start_ms, text);
	if (key.fresh && !r->shared->only_records) {
		flow_add(&r->flow, f);
	}
	if (f->empty || f->skipped) {
		return;
	}
	(void)snprintf(target, sizeof(target), "%.*s:%lld", STR_ARG(str_sub(f->dst, 0, 64)),
		(long long)f->dst_port);
	struct record rec = { .source = RECORD_FLOW,
		.time_ms = f->start_ms,
		.fresh = key.fresh,
		.principal = f->instance.n ? f->instance : f->interface,
		.ip = f->src,
		.action = STR("flow"),
		.target = str_from(target),
		.outcome = f->accepted ? STR("ACCEPT") : STR("REJECT"),
		.region = f->region,
		.account = f->account,
		.id = line_id(r, room),
		.bytes = f->bytes,
		.text = text };
	tell(r, &rec);
}

bool reader_take_flow(struct reader *r, const struct flow_format *fmt, struct str line)
{
	struct flow_record f;
	if (!flow_parse(fmt, line, &f)) {
		return false;
	}
	take_flow(r, &f, line);
	return true;
}

bool reader_take_flow_values(
	struct reader *r, const struct flow_format *fmt, const struct str *values, size_t n)
{
	struct flow_record f;
	struct buf line;
	if (!flow_values(fmt, values, n, &f)) {
		return false;
	}
	buf_init(&line, (size_t)64 * 1024);
	for (size_t i = 0; i < n; i++) {
		buf_puts(&line, i ? " " : "");
		buf_add_str(&line, values[i]);
	}
	take_flow(r, &f, buf_view(&line));
	buf_deinit(&line);
	return true;
}

/* ---- S3 access and names ---- */

bool reader_take_s3(struct reader *r, struct str line)
{
	struct s3log_line l;
	char room[ID_ROOM];
	char target[2 * TEXT_ROOM];
	char status[16];
	if (!s3log_parse(line, &l)) {
		return false;
	}
	if (!in_window(r, l.time_ms, STR(""))) {
		return true;
	}
	struct line_key key = count(r, RECORD_S3, l.time_ms, line);
	struct str id = line_id(r, room);
	if (key.fresh && !r->shared->only_records) {
		s3log_add(&r->s3, &l, id);
	}
	(void)snprintf(target, sizeof(target), "%.*s%s%.*s", STR_ARG(str_sub(l.bucket, 0, 64)),
		l.key.n ? "/" : "", STR_ARG(str_sub(l.key, 0, 1024)));
	(void)snprintf(status, sizeof(status), "%d", l.status);
	struct record rec = { .source = RECORD_S3,
		.time_ms = l.time_ms,
		.fresh = key.fresh,
		.principal = l.anonymous ? STR("anonymous") : l.requester,
		.ip = l.ip,
		.action = l.operation,
		.target = str_from(target),
		.outcome = l.error.n  ? l.error
			   : l.status ? str_from(status)
				      : STR(""),
		.agent = l.agent,
		.id = id,
		.bytes = l.bytes,
		.text = line };
	tell(r, &rec);
	return true;
}

bool reader_take_dns(struct reader *r, struct scan_tape *t, uint32_t node)
{
	struct dns_line l;
	char room[ID_ROOM];
	char action[48];
	if (!dns_read(t, node, &l)) {
		return false;
	}
	if (!in_window(r, l.time_ms, l.region)) {
		return true;
	}
	struct str text = scan_raw(t, node);
	struct line_key key = count(r, RECORD_DNS, l.time_ms, text);
	if (key.fresh && !r->shared->only_records) {
		dns_add(&r->dns, &l, t);
	}
	(void)snprintf(action, sizeof(action), "dns:%.*s", STR_ARG(str_sub(l.type, 0, 32)));
	struct record rec = { .source = RECORD_DNS,
		.time_ms = l.time_ms,
		.fresh = key.fresh,
		.principal = l.instance,
		.ip = l.src,
		.action = str_from(action),
		.target = l.name,
		.outcome = l.firewall.n ? l.firewall : l.rcode,
		.region = l.region,
		.account = l.account,
		.id = line_id(r, room),
		.bytes = -1,
		.text = text,
		.tape = t,
		.node = node };
	tell(r, &rec);
	return true;
}

/* ---- CloudTrail and findings ---- */

static void tell_event(struct reader *r, const struct event *e, bool fresh)
{
	char action[192];
	struct str service = str_sub(e->source, 0, str_find_char(e->source, '.'));
	(void)snprintf(action, sizeof(action), "%.*s:%.*s", STR_ARG(str_sub(service, 0, 64)),
		STR_ARG(str_sub(event_plain_name(e->name), 0, 96)));
	bool ok = event_succeeded(e);
	struct record rec = { .source = RECORD_CLOUDTRAIL,
		.time_ms = e->time_ms,
		.fresh = fresh,
		.principal = e->who->arn.n          ? e->who->arn
			     : e->who->user_name.n  ? e->who->user_name
			     : e->who->invoked_by.n ? e->who->invoked_by
						    : e->who->principal_id,
		.ip = e->ip,
		.key = e->who->key,
		.action = str_from(action),
		.target = event_target(e),
		.outcome = ok                ? STR("ok")
			   : e->error_code.n ? e->error_code
					     : STR("Failure"),
		.agent = e->agent,
		.region = e->region,
		.account = e->account,
		.id = e->id,
		.bytes = -1,
		.text = scan_raw(e->tape, e->root),
		.tape = e->tape,
		.node = e->root };
	tell(r, &rec);
}

void reader_take_event(struct reader *r, const struct event *e)
{
	bool fresh = true;
	if (!in_window(r, e->time_ms, e->region)) {
		return;
	}
	mark_region(r, e->region, e->time_ms);
	if (r->shared->only_records) {
		r->track.n_events++;
		fresh = track_is_fresh(&r->track, e);
		r->track.n_unique += fresh;
	} else {
		fresh = track_event(&r->track, e);
		if (r->on_event) {
			r->on_event(r->on_event_ctx, r, e, fresh);
		}
	}
	r->n_by[RECORD_CLOUDTRAIL] += fresh;
	if (r->shared->on_record) {
		tell_event(r, e, fresh);
	}
}

void reader_take_finding(
	struct reader *r, const struct reader_finding *f, struct str text, bool fresh)
{
	const struct pool *p = &r->track.pool;
	uint32_t target = f->instance ? f->instance : f->bucket ? f->bucket : f->key;
	struct record rec = { .source = RECORD_GUARDDUTY,
		.time_ms = f->first_ms,
		.fresh = fresh,
		.principal = pool_get(p, f->user),
		.ip = pool_get(p, f->ip),
		.key = pool_get(p, f->key),
		.action = pool_get(p, f->type),
		.target = pool_get(p, target),
		.outcome = f->attempt ? STR("attempt") : STR("reported"),
		.id = pool_get(p, f->id),
		.bytes = -1,
		.text = text };
	tell(r, &rec);
}
