/*
 * Files in, facts out: finds the files, tells their formats apart, takes every record to where it
 * belongs, and keeps account of what was read and what was not.
 */
#ifndef CORDON_ANALYSIS_READER_H
#define CORDON_ANALYSIS_READER_H

#include "analysis/flowlog.h"
#include "analysis/input.h"
#include "analysis/sshlog.h"
#include "analysis/track.h"
#include "analysis/weblog.h"

#include <jansson.h>

#define READER_NESTING 4 /* JSON inside a string inside JSON ... */

/* A GuardDuty finding, as evidence. Texts in the pool. */
struct reader_finding {
	int64_t first_ms, last_ms;
	uint32_t id, type, key, user, instance, ip, bucket;
	double severity;
	bool attempt; /* the resource was only the target of attempts */
};

struct reader;
/* Called for every CloudTrail event as it stands, duplicates too. For rules. */
typedef void (*reader_event_fn)(void *ctx, struct reader *r, const struct event *e, bool fresh);

struct reader {
	struct track track; /* owns the pool of texts that the others use */
	struct web web;
	struct ssh ssh;
	struct flow flow;
	struct reader_finding *findings;
	size_t n_findings, cap_findings;
	struct table finding_ids;
	struct table lines; /* line logs: (content, occurrence) seen */
	reader_event_fn on_event;
	void *on_event_ctx;
	bool fragments; /* show on_event also what is no whole event, inside "Records" */
	bool in_records;
	int64_t from_ms, to_ms; /* 0 = open */
	struct scan_tape tapes[READER_NESTING];
	struct input input;
	uint64_t n_files, n_bytes, n_digests, n_outside;
	uint64_t n_samples; /* sample findings, dropped */
	json_t *rejected;   /* [{"file","reason","count"}] */
	void (*progress)(void *ctx, uint64_t bytes, uint64_t total);
	void *progress_ctx;
	uint64_t total;

	/* the file being read */
	const char *name; /* base name without ".gz", for citing lines */
	const char *path;
	uint64_t line;
	struct table line_counts;
};

void reader_init(struct reader *r, uint64_t seed, size_t lites_max, struct str own_marker);
void reader_deinit(struct reader *r);
/* Reads files and folders ("-" is stdin). ERR_NOT_FOUND when a named one isn't there. */
ERR_MUST_CHECK enum err_status reader_read(
	struct reader *r, const char *const *paths, size_t n_paths, struct err *err);
/* Takes in one GuardDuty finding given as JSON text. */
void reader_finding_text(struct reader *r, struct str json);
/* After the last file: sorts and dates what needs all of it. */
void reader_settle(struct reader *r);

/* Parts, in files of their own. */
void reader_reject(struct reader *r, const char *reason, uint64_t count);
/* The window starts with JSON: reads it to the end of the file. */
void reader_json(struct reader *r, struct input *in);
/* One scanned value of tape `level`. False when it is no record of any known kind. */
bool reader_record(struct reader *r, int level, uint32_t node);
/* Reads lines of text to the end of the file. */
void reader_lines(struct reader *r, struct input *in);

#endif
