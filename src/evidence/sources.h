/* Which objects of a log bucket belong to a window of time, found by listing as little as possible. */
#ifndef CORDON_EVIDENCE_SOURCES_H
#define CORDON_EVIDENCE_SOURCES_H

#include "aws/aws.h"

#define SOURCES_MOST_OBJECTS 20000

/*
 * Lists "s3://bucket/prefix" for from..to (ms; 0 = open). Folders are walked one level at a time, so
 * that dates in the key (YYYY/MM/DD, year=YYYY/month=MM/day=DD) outside the window are never listed.
 * *out: [{"bucket","key","size"}] by key. ERR_CONFIG for another form, ERR_LIMIT past
 * SOURCES_MOST_OBJECTS (*out then holds what was found), and what S3 answers.
 */
ERR_MUST_CHECK enum err_status sources_list(struct aws_client *aws, const char *uri,
	int64_t from_ms, int64_t to_ms, json_t **out, struct err *err);
/* "s3://bucket/prefix" in its parts; false when it is none. bucket[64]. Pure. */
bool sources_parse(const char *uri, char bucket[64], const char **prefix);
/* A folder "…/2026/08/01/" may hold logs of the window. Pure. */
bool sources_folder_fits(const char *prefix, int64_t from_ms, int64_t to_ms);
/* A key whose name says its time ("…_20260801T1005Z_…"), or whose object was last changed before
 * the window, may hold logs of the window. `modified_ms` 0 = unknown. Pure. */
bool sources_key_fits(const char *key, int64_t modified_ms, int64_t from_ms, int64_t to_ms);
/* The key as a path below a folder: no part is "..", empty, hidden or too long. Heap string. */
char *sources_safe_path(const char *key);

#endif
