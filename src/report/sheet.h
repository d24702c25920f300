/*
 * What a report is written on. A section says what it shows once (heading, table, badge, link to
 * an event) and the sheet puts it down as HTML or as Markdown. Every value is taken for hostile
 * and escaped here; no section writes mark-up of its own save the drawing of graph.c.
 */
#ifndef CORDON_REPORT_SHEET_H
#define CORDON_REPORT_SHEET_H

#include "report/report.h"

/* An HTML report stays under 2 MB: long lists stop here and say what they left out. */
#define SHEET_MAX_BYTES (2u * 1000 * 1000)
#define SHEET_MAX_TEXT  600 /* characters of one attacker-written value */

struct timeline_row;

struct sheet {
	struct buf *out;
	size_t start; /* bytes of `out` that were there before */
	bool html;
	enum i18n_lang lang;
	const json_t *view;
	const struct report_options *opts;
	json_t *events; /* ids of the timeline's entries -> their number: what may be linked */
	struct timeline_row *rows; /* what the timeline prints, in order */
	size_t n_rows, left_out;
	int depth;    /* nested lists, for Markdown */
	bool in_fact; /* a label of SHEET_FACTS is open */
};

/* What surrounds content; begun and ended in pairs. */
enum sheet_block {
	SHEET_PARA,
	SHEET_LEAD, /* the paragraph under a headline */
	SHEET_LIST,
	SHEET_ITEM,
	SHEET_FACTS, /* label and value pairs */
	SHEET_ROW,
	SHEET_CELL,
	SHEET_CARD, /* one thing among several: a measure, an approval */
	SHEET_NOTE, /* what the reader must not miss */
	SHEET_STRONG,
	SHEET_SMALL,
};

/* How good or bad a badge is: it has a word, a sign and a colour, never the colour alone. */
enum sheet_tone { SHEET_PLAIN, SHEET_GOOD, SHEET_WARN, SHEET_BAD, SHEET_WAIT, SHEET_INFO };

/* The text in the report's language. */
const char *sheet_tr(const struct sheet *s, const char *english);

void sheet_begin(struct sheet *s, enum sheet_block b);
void sheet_end(struct sheet *s, enum sheet_block b);
/* A section with its heading (translated here); `id` is the anchor. */
void sheet_section(struct sheet *s, const char *id, const char *title);
void sheet_section_end(struct sheet *s);
/* A heading inside a section, translated here. */
void sheet_heading(struct sheet *s, const char *title);
/* One label of a SHEET_FACTS; its value follows until the next label or the end. */
void sheet_fact(struct sheet *s, const char *label);
/* A table; caption and the NULL-terminated columns are translated here. */
void sheet_table(struct sheet *s, const char *caption, const char *const *columns);
void sheet_table_end(struct sheet *s);
/* Content folded away until it is wanted; printed open. The summary is translated here. */
void sheet_fold(struct sheet *s, const char *summary, bool open);
void sheet_fold_end(struct sheet *s);

/* Our own words, translated. */
void sheet_say(struct sheet *s, const char *english);
/* Our own sentence with values "{0}" .. in it. */
void sheet_fill(struct sheet *s, const char *english, const struct str *values, size_t n);
/*
 * A sentence of the analysis: a text, or {"text","template","args"}, whose template is translated.
 */
void sheet_phrase(struct sheet *s, const json_t *phrase);
/* The same as plain text, for a drawing. Appends. */
void sheet_phrase_text(const struct sheet *s, const json_t *phrase, struct buf *out);
/* A value, cut at SHEET_MAX_TEXT characters. NULL gives nothing. */
void sheet_text(struct sheet *s, const char *value);
/* A value in fixed pitch (ids, addresses, calls). */
void sheet_code(struct sheet *s, const char *value);
/* A command line to type. */
void sheet_command(struct sheet *s, const char *line);
/* Lines as they are, not wrapped in words of ours (raw JSON, a command to type). */
void sheet_lines(struct sheet *s, struct str text);
/* A time as RFC 3339 text or milliseconds; "date 10:20:38 UTC"; a dash for none. */
void sheet_time(struct sheet *s, const json_t *time);
void sheet_badge(struct sheet *s, enum sheet_tone tone, const char *english);
/* Links to the events of the timeline, as "[1] [2]"; an id that is not printed is shown as text. */
void sheet_events(struct sheet *s, const json_t *ids);
/* The same with at most `most` of them. */
void sheet_events_most(struct sheet *s, const json_t *ids, size_t most);
/* Mark-up written by ourselves, HTML only. */
void sheet_raw(struct sheet *s, const char *html);
/* A blank between two inline pieces. */
void sheet_space(struct sheet *s);
/* A value of any JSON type for people: text as it is, lists joined, objects as "key: value". */
void sheet_value(struct sheet *s, const json_t *v);
/* Room is left below `share` (0..1) of the ceiling. */
bool sheet_room(const struct sheet *s, double share);

/* Milliseconds of a time given as text or number; false when there is none. */
bool sheet_time_ms(const json_t *time, int64_t *ms);
/* "120 ms", "38 s", "4 min 12 s", "3 h 5 min", "2 d 4 h" into out[48]. */
void sheet_duration(int64_t ms, char out[48]);

#endif
