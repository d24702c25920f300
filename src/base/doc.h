/*
 * JSON documents (jansson) the way cordon uses them: parsed under ceilings, read by dotted path,
 * written in one canonical form. Log data does not come here; it has its own scanner.
 */
#ifndef CORDON_BASE_DOC_H
#define CORDON_BASE_DOC_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>

#define DOC_MAX_BYTES ((size_t)32 * 1024 * 1024)
#define DOC_MAX_DEPTH 128

/*
 * Parses one whole document: at most `max` bytes, DOC_MAX_DEPTH deep, no duplicate keys, nothing
 * after it. *out is a new reference. ERR_INPUT (with line and column) or ERR_LIMIT.
 */
ERR_MUST_CHECK enum err_status doc_parse(
	struct str s, size_t max, json_t **out, struct err *err);
/*
 * Value at "detail.resource.instanceDetails.networkInterfaces[0].vpcId"; borrowed, NULL when
 * any step is missing. Keys with dots can't be named; use json_object_get.
 */
json_t *doc_get(const json_t *root, const char *path);
/* The text there, or NULL when absent or no string. Borrowed. */
const char *doc_text(const json_t *root, const char *path);
/* The text there, or `otherwise`. */
const char *doc_text_or(const json_t *root, const char *path, const char *otherwise);
/* The integer there (a string of digits counts), or `otherwise`. */
int64_t doc_int(const json_t *root, const char *path, int64_t otherwise);
double doc_real(const json_t *root, const char *path, double otherwise);
/* true, or the text "true"/"True". */
bool doc_true(const json_t *root, const char *path);
/*
 * Canonical text: keys sorted by bytes, no white space, UTF-8 as it is, integers and reals as
 * jansson prints them. The same value always gives the same bytes; hashes are made over this.
 */
void doc_canonical(const json_t *v, struct buf *out);
/*
 * One line of JSON with its newline, keys in order of insertion; what would steer a terminal is
 * written as \uNNNN (text.h). Reals have 15 digits, which is what a decimal number keeps through a
 * double: 0.99, not 0.98999999999999999.
 */
void doc_line(const json_t *v, struct buf *out);
/* The same as two-space indented text. */
void doc_pretty(const json_t *v, struct buf *out);
/* SHA-256 over the canonical text, lower-case hex. */
void doc_sha256(const json_t *v, char out[65]);
/* A JSON string of a slice; invalid UTF-8 bytes become U+FFFD. New reference. */
json_t *doc_str(struct str s);
/* Deep equality. */
bool doc_eq(const json_t *a, const json_t *b);

#endif
