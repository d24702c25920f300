/* Logs of lines: web access, sshd and its neighbours, VPC flow logs, journal exports. */
#include "analysis/reader.h"
#include "base/i18n.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES (1024u * 1024)
#define WEB_JSON_MAX   (1024u * 1024)

/* A block of a journal export ("KEY=value" lines up to an empty one). */
struct journal_block {
	int64_t us;
	char host[128], program[64], message[4096];
	bool open;
};

struct lines {
	struct flow_format format;
	bool in_flow; /* a header or a record of a flow log was seen */
	struct journal_block journal;
	uint64_t unknown, total;
};

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
	return out;
}

static bool in_window(const struct reader *r, int64_t ms)
{
	const struct reader_shared *s = r->shared;
	return (!s->from_ms || ms >= s->from_ms) && (!s->to_ms || ms <= s->to_ms);
}

static struct str line_id(const struct reader *r, char *room, size_t size)
{
	int n = snprintf(room, size, "%s:%llu", r->name, (unsigned long long)r->line);
	return (struct str){ room, n > 0 && (size_t)n < size ? (size_t)n : 0 };
}

/*
 * For rules. Cited by the request itself: copies of a log under other names must not change what
 * is cited, and which copy is read first is chance.
 */
static void show_web(struct reader *r, const struct web_line *l, struct line_key key)
{
	struct buf json;
	struct event e;
	size_t used = 0;
	char id[240];
	(void)snprintf(id, sizeof(id), "%.*s %.*s %.*s", STR_ARG(l->ip), STR_ARG(l->method),
		STR_ARG(l->target));
	buf_init(&json, WEB_JSON_MAX);
	webfields_json(l, &json);
	if (buf_ok(&json) &&
		scan_value(&r->tapes[0], buf_view(&json), true, &used) == SCAN_OK) {
		event_fragment(&r->tapes[0], 0, &e);
		e.time_ms = l->time_ms;
		e.id = str_from(id);
		e.hash = key.key;
		r->on_web(r->on_event_ctx, r, &e, key.fresh);
	}
	buf_deinit(&json);
}

static bool take_web(struct reader *r, struct str line)
{
	struct web_line l;
	if (!web_parse(line, &l)) {
		return false;
	}
	char room[320];
	if (!in_window(r, l.time_ms)) {
		r->n_outside++;
	} else {
		struct line_key key = key_of(r, line);
		web_add(&r->web, &l, line_id(r, room, sizeof(room)), key);
		if (r->on_web) {
			show_web(r, &l, key);
		}
	}
	return true;
}

static bool take_ssh(struct reader *r, struct str line)
{
	struct ssh_line l;
	enum ssh_parse_result result = ssh_parse(line, &l);
	if (result == SSH_NOT_SYSLOG) {
		return false;
	}
	r->ssh.n_lines++;
	char room[320];
	if (result == SSH_EVENT) {
		struct stat sb;
		if (!l.dated && stat(r->path, &sb) == 0) {
			int64_t ms = (int64_t)sb.st_mtim.tv_sec * 1000;
			r->ssh.file_ms = ms > r->ssh.file_ms ? ms : r->ssh.file_ms;
		}
		if (l.dated && !in_window(r, l.time_ms)) {
			r->n_outside++;
		} else {
			ssh_add(&r->ssh, &l, line_id(r, room, sizeof(room)),
				key_of(r, line).key);
		}
	}
	return true;
}

static bool take_flow(struct reader *r, struct lines *s, struct str line)
{
	if (flow_header(line, &s->format)) {
		s->in_flow = true;
		return true;
	}
	struct str first = str_sub(line, 0, str_find_char(line, ' '));
	bool maybe = s->in_flow || (first.n == 1 && first.p[0] >= '2' && first.p[0] <= '8');
	if (!maybe) {
		return false;
	}
	if (!key_of(r, line).fresh) {
		return true;
	}
	return flow_line(&r->flow, &s->format, line);
}

static void put(char *out, size_t size, struct str s)
{
	(void)snprintf(out, size, "%.*s", STR_ARG(s));
}

static void end_journal(struct reader *r, struct journal_block *b)
{
	struct ssh_line l = {
		.time_ms = b->us / 1000, .dated = true, .host = str_from(b->host), .repeat = 1
	};
	if (b->open && b->us) {
		r->ssh.n_lines++;
		char room[320];
		if (ssh_parse_message(str_from(b->program), str_from(b->message), &l) &&
			in_window(r, l.time_ms)) {
			uint64_t key =
				table_mix(table_hash(r->track.seed, str_from(b->message)),
					(uint64_t)b->us);
			ssh_add(&r->ssh, &l, line_id(r, room, sizeof(room)), key);
		}
	}
	*b = (struct journal_block){ .us = 0 };
}

/* "journalctl -o export": systemd's Journal Export Format, text fields only. */
static bool take_journal_field(struct lines *s, struct str line)
{
	struct journal_block *b = &s->journal;
	size_t eq = str_find_char(line, '=');
	if (eq == SIZE_MAX || eq == 0 || (!b->open && !str_starts(line, STR("__CURSOR=")))) {
		return false;
	}
	struct str key = str_sub(line, 0, eq);
	struct str value = str_sub(line, eq + 1, SIZE_MAX);
	b->open = true;
	if (str_is(key, "__REALTIME_TIMESTAMP")) {
		(void)str_to_i64(value, &b->us);
	} else if (str_is(key, "_HOSTNAME")) {
		put(b->host, sizeof(b->host), value);
	} else if (str_is(key, "SYSLOG_IDENTIFIER")) {
		put(b->program, sizeof(b->program), value);
	} else if (str_is(key, "MESSAGE")) {
		put(b->message, sizeof(b->message), value);
	}
	return true;
}

/* A line of JSON amid text: a log shipper's, or an event a line after a heading. */
static bool take_json(struct reader *r, struct str line)
{
	size_t used = 0;
	return line.p[0] == '{' && scan_value(&r->tapes[0], line, true, &used) == SCAN_OK &&
	       reader_record(r, 0, 0);
}

static void take_line(struct reader *r, struct lines *s, struct str line)
{
	r->line++;
	if (line.n && line.p[line.n - 1] == '\r') {
		line.n--;
	}
	if (line.n == 0) {
		end_journal(r, &s->journal);
		return;
	}
	s->total++;
	if (!take_web(r, line) && !take_ssh(r, line) && !take_flow(r, s, line) &&
		!take_journal_field(s, line) && !take_json(r, line)) {
		s->unknown++;
	}
}

void reader_lines(struct reader *r, struct input *in)
{
	static _Thread_local struct lines s;
	s = (struct lines){ .total = 0 };
	bool skipping = false; /* inside a line that is too long */
	for (;;) {
		struct str view = input_view(in);
		size_t at = str_find_char(view, '\n');
		if (at == SIZE_MAX && view.n > LINE_MAX_BYTES) {
			if (!skipping) {
				reader_reject(r, N_("a line longer than 1 MiB"), 1);
			}
			skipping = true;
			input_take(in, view.n);
		}
		if (at == SIZE_MAX) {
			if (input_more(in)) {
				continue;
			}
			view = input_view(in);
			at = view.n;
		}
		if (!skipping && (at > 0 || view.n > 0)) {
			take_line(r, &s, str_sub(view, 0, at));
		}
		skipping = false;
		if (at >= view.n) {
			break;
		}
		input_take(in, at + 1);
	}
	end_journal(r, &s.journal);
	if (s.unknown) {
		reader_reject(r,
			s.unknown == s.total ? N_("no line is in a known format")
					     : N_("lines in no known format"),
			s.unknown);
	}
}
