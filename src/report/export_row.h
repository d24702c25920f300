/*
 * One row of a timeline in the forms that other tools read. Every value is evidence written by
 * somebody: each form escapes it for its place, none lets it begin a new line or cell.
 *
 * Timesketch: message, datetime (ISO 8601), timestamp_desc are required, timestamp is microseconds
 * ("Create timeline from JSON/JSONL/CSV file" of its documentation). Body file: eleven fields,
 * "Body file" of the Sleuth Kit's wiki, for mactime.
 */
#ifndef CORDON_REPORT_EXPORT_ROW_H
#define CORDON_REPORT_EXPORT_ROW_H

#include "base/doc.h"

/* Absent text is the empty slice. */
struct export_row {
	int64_t time_ms;
	struct str source, principal, ip, key, action, target, outcome, agent, region, account;
	struct str event; /* eventID, or "file:line" */
	struct str tags;  /* words parted by blanks */
	struct str case_id;
	int64_t bytes; /* -1: not known */
	bool guessed_year;
};

enum export_form {
	EXPORT_TEXT,
	EXPORT_CSV,
	EXPORT_JSONL,
	EXPORT_TIMESKETCH,
	EXPORT_TIMESKETCH_CSV,
	EXPORT_BODY,
};
/* The line that a file of this form begins with, with its end, or "". */
const char *export_row_head(enum export_form form);
/* Appends the row in one line, its end included. */
void export_row_write(enum export_form form, const struct export_row *row, struct buf *out);
/* The form's object; new reference. For EXPORT_JSONL and EXPORT_TIMESKETCH. */
json_t *export_row_json(enum export_form form, const struct export_row *row);
/* The row of an entry of an investigation's timeline; slices into `entry` and `tags_room`. */
void export_row_of(const json_t *entry, struct buf *tags_room, struct export_row *out);

#endif
