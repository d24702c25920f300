/*
 * One record of any log in the same words: when, who, from where, what, to what, with what result.
 * What timeline, search and summary show. Slices, valid during the call that hands it over.
 */
#ifndef CORDON_ANALYSIS_RECORD_H
#define CORDON_ANALYSIS_RECORD_H

#include "analysis/scan.h"

enum record_source {
	RECORD_CLOUDTRAIL,
	RECORD_WEB,
	RECORD_SSH, /* sshd and all else that syslog and the journal hold */
	RECORD_FLOW,
	RECORD_DNS,
	RECORD_S3,
	RECORD_GUARDDUTY,
};
#define RECORD_SOURCES 7

/* Absent text is the empty slice. */
struct record {
	enum record_source source;
	int64_t time_ms;
	bool guessed_year; /* the line has none; it got the one nearest to its file's time */
	bool fresh;        /* not a copy of a record that was read before */
	struct str principal, ip, key, action, target, outcome, agent, region, account;
	struct str id;          /* eventID, or "file:line" */
	int64_t bytes;          /* sent; -1 = not known */
	struct str text;        /* the record as it stands in the log */
	struct scan_tape *tape; /* of JSON records; NULL for lines */
	uint32_t node;
	const char *file;
};

/* "cloudtrail", "web" ... static. */
const char *record_source_word(enum record_source s);

#endif
