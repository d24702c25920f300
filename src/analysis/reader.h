/*
 * A file in, facts out: tells its format, takes every record to where it belongs, and keeps
 * account of what was read and what was not. A reader is the state of one worker (crew.h), used by
 * one thread; what readers found is joined as reader_state.c says.
 */
#ifndef CORDON_ANALYSIS_READER_H
#define CORDON_ANALYSIS_READER_H

#include "analysis/dnslog.h"
#include "analysis/flowlog.h"
#include "analysis/hours.h"
#include "analysis/input.h"
#include "analysis/ledger.h"
#include "analysis/prune.h"
#include "analysis/s3log.h"
#include "analysis/sshlog.h"
#include "analysis/track.h"
#include "analysis/weblog.h"

#include <pthread.h>

#define READER_NESTING 4 /* JSON inside a string inside JSON ... */

/* A GuardDuty finding, as evidence. Texts in the pool. */
struct reader_finding {
	int64_t first_ms, last_ms;
	uint64_t of_id, of_text; /* hashes */
	uint32_t id, type, key, user, instance, ip, bucket;
	double severity;
	bool attempt; /* the resource was only the target of attempts */
};

/* What was not read, and how often. Texts in the pool. */
struct reader_reject {
	uint32_t file, reason;
	uint64_t n;
	bool skipped; /* left out because of the window, not for want of understanding */
};

/* Told of every record as it is read, copies too; from one worker at a time. */
typedef void (*reader_record_fn)(void *ctx, const struct record *rec);

/* What all readers of a run share. */
struct reader_shared {
	uint64_t seed;
	struct seen events; /* (id, content) */
	struct seen lines;  /* line logs: (text, the how-manieth of its kind in its file) */
	struct str own_marker;
	struct prune window;         /* only records in here; nothing set = all */
	const struct source *source; /* of paths that are no files of this machine; or NULL */
	int64_t now_ms; /* dates lines without a year when nothing else does; 0 = unknown */
	reader_record_fn on_record; /* or NULL */
	void *on_record_ctx;
	pthread_mutex_t record_lock;
	bool only_records; /* nothing is kept of what is read: for who looks at records */
	bool accounts;     /* each reader keeps a ledger, for a partial result */
	bool merging;      /* what is joined may hold the same records */
	bool fragments;    /* show on_event also what is no whole event, in "Records" */
};
void reader_shared_init(struct reader_shared *s, uint64_t seed);
void reader_shared_deinit(struct reader_shared *s);

struct reader;
/* Called for every CloudTrail event as it stands, duplicates too. For rules. */
typedef void (*reader_event_fn)(void *ctx, struct reader *r, const struct event *e, bool fresh);

/* An hour of a region that was put into `hours` last. */
#define READER_REGIONS    16
#define READER_REGION_MAX 32
struct reader_hour {
	int64_t hour;
	size_t n;
	char region[READER_REGION_MAX];
};

struct reader {
	/* What was found; reader_state.c lists it. Texts of all are in the pool of `track`. */
	struct track track;
	struct web web;
	struct ssh ssh;
	struct flow flow;
	struct dns dns;
	struct s3log s3;
	struct table hours; /* struct hours_hour */
	struct reader_finding *findings;
	size_t n_findings, cap_findings;
	struct table hits;    /* struct detect_hit, item i of rule i */
	struct table rejects; /* struct reader_reject */
	uint64_t n_files, n_bytes, n_digests, n_outside;
	uint64_t n_cut;                /* logs of which a part, or all, could not be read */
	uint64_t n_samples;            /* sample findings, dropped */
	uint64_t n_by[RECORD_SOURCES]; /* records that are no copies, findings apart */
	uint64_t n_records;            /* other than CloudTrail's */
	uint64_t n_copies;             /* of these, those that were read before */

	/* How to read. */
	struct reader_shared *shared;
	reader_event_fn on_event;
	reader_event_fn on_web; /* requests to web servers (weblog.h); NULL: nobody asks */
	void *on_event_ctx;     /* of both */
	bool in_records;
	int64_t last_hour[RECORD_SOURCES]; /* put into `hours` last */
	struct reader_hour last_region[READER_REGIONS];
	struct event_reader *events;
	struct event held[EVENT_TURNS]; /* read, and not taken in yet */
	size_t n_held;
	struct ledger *ledger; /* or NULL */
	struct scan_tape tapes[READER_NESTING];
	struct input input;

	/* The file being read. */
	const char *name; /* base name without ".gz", for citing lines */
	const char *path;
	uint64_t line;
	int64_t file_ms;  /* when the file was changed last; 0 = unknown */
	int64_t stamp_ms; /* time that the envelope of a line names; 0 = none */
	struct table line_counts;
};

extern const struct fold_plan reader_plan;

void reader_init(struct reader *r, struct reader_shared *shared);
void reader_deinit(struct reader *r);
/* Reads a file; "-" is stdin. What can't be read is kept account of. */
void reader_file(struct reader *r, const char *path);
/* Takes in one GuardDuty finding given as JSON text. */
void reader_finding_text(struct reader *r, struct str json);
/* It reads nothing more: gives back the memory that only reading needs. */
void reader_stop(struct reader *r);
/* After the last file: sorts and dates what needs all of it. */
void reader_settle(struct reader *r);
/* Joins what another reader found into this one (reader_state.c). */
void reader_fold(struct reader *r, struct reader *other);

/* Parts, in files of their own. */
/* The file being read, or part of it, was not understood. `reason`: N_() text. */
void reader_reject(struct reader *r, const char *reason, uint64_t count);
/* What lies at the path was not read. */
void reader_reject_path(struct reader *r, const char *path, const char *reason);
/* A folder or file that the window leaves out. */
void reader_skip(struct reader *r, const char *path, const char *reason);
/* The window starts with JSON: reads it to the end of the file. */
void reader_json(struct reader *r, struct input *in);
/* One scanned value of tape `level`. False when it is no record of any known kind. */
bool reader_record(struct reader *r, int level, uint32_t node);
/* Reads lines of text to the end of the file. */
void reader_lines(struct reader *r, struct input *in);
/*
 * One line by itself, out of an envelope; false when its format is not known. JSON in it is
 * scanned into tape `level`.
 */
bool reader_line(struct reader *r, int level, struct str line);
/* "journalctl -o export" to the end of the file (reader_journal.c); one object of -o json. */
void reader_journal(struct reader *r, struct input *in);
bool reader_journal_json(struct reader *r, struct scan_tape *t, uint32_t node);
/* The text begins with the header of a table whose columns are known (reader_rows.c). */
bool reader_is_csv(struct str s);
void reader_csv(struct reader *r, struct input *in);
/* The object is an answer of GetQueryResults, of Athena or CloudTrail Lake. */
bool reader_query_result(struct reader *r, int level, uint32_t node);

#endif
