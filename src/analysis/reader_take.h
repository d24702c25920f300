/*
 * One record taken in: is it within the window, is it a copy, which hour does it belong to, where
 * does it go. Every format ends here, so that all are counted alike. Internal to the readers.
 */
#ifndef CORDON_ANALYSIS_READER_TAKE_H
#define CORDON_ANALYSIS_READER_TAKE_H

#include "analysis/reader.h"

/* All return false when the text or object is none of theirs, and then nothing has happened. */
bool reader_take_web(struct reader *r, struct str line);
bool reader_take_syslog(struct reader *r, struct str line);
bool reader_take_s3(struct reader *r, struct str line);
/* `fmt`: the columns of the file; n 0 = the default format. */
bool reader_take_flow(struct reader *r, const struct flow_format *fmt, struct str line);
bool reader_take_flow_values(
	struct reader *r, const struct flow_format *fmt, const struct str *values, size_t n);
bool reader_take_dns(struct reader *r, struct scan_tape *t, uint32_t node);
/* A message of a journal, its time in microseconds; always taken. `id` may be empty. */
void reader_take_message(struct reader *r, int64_t us, struct str host, struct str program,
	struct str message, struct str id);
/* An event of CloudTrail, read already. */
void reader_take_event(struct reader *r, const struct event *e);
/* A finding that was counted and kept, for who looks at every record. */
void reader_take_finding(
	struct reader *r, const struct reader_finding *f, struct str text, bool fresh);

#endif
