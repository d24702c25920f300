/*
 * Scalars between JSON documents and the wire. In documents a timestamp is RFC 3339 text (a
 * number of seconds is accepted in parameters), a blob is base64, a float that is no number is
 * "NaN", "Infinity" or "-Infinity".
 */
#ifndef CORDON_AWS_VALUE_H
#define CORDON_AWS_VALUE_H

#include "aws/model.h"
#include "base/doc.h"

/* Milliseconds of a timestamp parameter; false when it is none. */
bool value_time(const json_t *v, int64_t *ms);
/* Appends a time in a wire format (ISO 8601 for the default). */
void value_time_text(int64_t ms, enum model_time format, struct buf *out);
/* A double as the protocols want it: shortest text that reads back the same, or NaN, Infinity. */
void value_float_text(double d, struct buf *out);
/*
 * Appends a valid scalar parameter as text: query, XML, headers, URIs. `otherwise` is the
 * protocol's timestamp format for this place.
 */
void value_text(const struct model *m, const struct model_member *mem, const json_t *v,
	enum model_time otherwise, struct buf *out);
/*
 * The scalar of a member from wire text; new reference. Text that does not fit its type is kept
 * as a string, so that an answer is never lost over one odd field.
 */
json_t *value_parse(const struct model *m, const struct model_member *mem, struct str text);
/* RFC 3339 text of a wire time given as text or, in JSON, as a number of seconds. */
json_t *value_parse_time(struct str text);
json_t *value_time_from_seconds(double seconds);
/* A blob's bytes as base64. */
json_t *value_blob(struct str bytes);

#endif
