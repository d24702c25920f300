/*
 * The journal of systemd, as journalctl writes it for machines: -o json, and -o export, whose
 * fields are "KEY=value" lines, or for values with line ends and other bytes a line "KEY", eight
 * bytes of length (little endian), the value, a line end; an empty line ends an entry.
 * "Journal Export Formats" of the systemd documentation.
 */
#include "analysis/reader_take.h"

#include "base/i18n.h"

#include <stdio.h>
#include <string.h>

#define FIELD_MAX ((size_t)1024 * 1024)

struct entry {
	int64_t us;
	char cursor[256], host[128], program[64];
	char message[4096];
	size_t message_n;
	bool any;
};

static void put(char *out, size_t size, struct str s)
{
	(void)snprintf(out, size, "%.*s", STR_ARG(s));
}

static void set_field(struct entry *e, struct str key, struct str value)
{
	e->any = true;
	if (str_is(key, "__REALTIME_TIMESTAMP")) {
		(void)str_to_i64(value, &e->us);
	} else if (str_is(key, "__CURSOR")) {
		put(e->cursor, sizeof(e->cursor), value);
	} else if (str_is(key, "_HOSTNAME")) {
		put(e->host, sizeof(e->host), value);
	} else if (str_is(key, "SYSLOG_IDENTIFIER")) {
		put(e->program, sizeof(e->program), value);
	} else if (str_is(key, "MESSAGE")) {
		e->message_n = value.n < sizeof(e->message) ? value.n : sizeof(e->message);
		memcpy(e->message, value.p, e->message_n);
	}
}

/* False when the entry can't be told by its time. */
static bool end_entry(struct reader *r, struct entry *e)
{
	bool ok = !e->any || e->us > 0;
	if (e->any && ok) {
		reader_take_message(r, e->us, str_from(e->host), str_from(e->program),
			(struct str){ e->message, e->message_n }, STR(""));
	}
	*e = (struct entry){ .us = 0 };
	return ok;
}

/* Brings in bytes until `n` of them are at hand. */
static bool have(struct input *in, uint64_t n)
{
	while (input_view(in).n < n) {
		if (!input_more(in)) {
			return false;
		}
	}
	return true;
}

/* The line at the front without its end; false at the end of the file, or when it has no end. */
static bool next_line(struct input *in, struct str *line)
{
	for (;;) {
		struct str s = input_view(in);
		size_t at = str_find_char(s, '\n');
		if (at != SIZE_MAX) {
			*line = str_sub(s, 0, at);
			return true;
		}
		if (s.n > FIELD_MAX || !input_more(in)) {
			*line = s;
			return false;
		}
	}
}

/* The value behind a line "KEY": its length, its bytes. */
static bool binary_field(struct input *in, struct entry *e, struct str name)
{
	char key[64];
	uint64_t n = 0;
	put(key, sizeof(key), name);
	input_take(in, name.n + 1);
	if (!have(in, 8)) {
		return false;
	}
	for (int i = 7; i >= 0; i--) {
		n = n << 8 | (unsigned char)input_view(in).p[i];
	}
	input_take(in, 8);
	if (n > FIELD_MAX || !have(in, n + 1)) {
		return false;
	}
	set_field(e, str_from(key), str_sub(input_view(in), 0, (size_t)n));
	input_take(in, (size_t)n + 1);
	return true;
}

void reader_journal(struct reader *r, struct input *in)
{
	struct entry e = { .us = 0 };
	struct str line;
	uint64_t untimed = 0;
	bool whole = true;
	while (whole && next_line(in, &line)) {
		size_t eq = str_find_char(line, '=');
		if (line.n == 0) {
			r->line++;
			untimed += !end_entry(r, &e);
			input_take(in, 1);
		} else if (eq != SIZE_MAX) {
			set_field(&e, str_sub(line, 0, eq), str_sub(line, eq + 1, SIZE_MAX));
			input_take(in, line.n + 1);
		} else {
			whole = binary_field(in, &e, line);
		}
	}
	untimed += !end_entry(r, &e);
	if (!whole || input_view(in).n) {
		reader_reject(r, N_("the journal export ends inside a field"), 1);
	}
	if (untimed) {
		reader_reject(r, N_("journal entries without a time"), untimed);
	}
}

/* A message that is no UTF-8 comes as a list of bytes. */
static struct str text_of(struct scan_tape *t, uint32_t node, char *room, size_t size)
{
	size_t n = 0;
	if (scan_type_of(t, node) != SCAN_ARRAY) {
		return scan_text(t, node);
	}
	for (uint32_t c = scan_first(t, node); c != SCAN_NONE && n < size;
		c = scan_after(t, node, c)) {
		int64_t v = 0;
		if (!str_to_i64(scan_raw(t, c), &v) || v < 0 || v > 255) {
			return (struct str){ "", 0 };
		}
		room[n++] = (char)(unsigned char)v;
	}
	return (struct str){ room, n };
}

bool reader_journal_json(struct reader *r, struct scan_tape *t, uint32_t node)
{
	char room[4096];
	int64_t us = 0;
	uint32_t message = scan_member(t, node, STR("MESSAGE"));
	struct str when = scan_text(t, scan_member(t, node, STR("__REALTIME_TIMESTAMP")));
	if (message == SCAN_NONE || !str_to_i64(when, &us) || us <= 0) {
		return false;
	}
	reader_take_message(r, us, scan_text(t, scan_member(t, node, STR("_HOSTNAME"))),
		scan_text(t, scan_member(t, node, STR("SYSLOG_IDENTIFIER"))),
		text_of(t, message, room, sizeof(room)),
		scan_text(t, scan_member(t, node, STR("__CURSOR"))));
	return true;
}
