/* gzip under a ceiling, for documents and evidence; bulk logs have their own path. */
#ifndef CORDON_BASE_GZ_H
#define CORDON_BASE_GZ_H

#include "base/buf.h"
#include "base/err.h"

/* Starts with the gzip magic. */
bool gz_is(struct str s);
/*
 * Inflates all members of `s`, appending to `out`, whose ceiling bounds the result (ERR_LIMIT).
 * A truncated or corrupt member, or bytes after the last one that are not zero, is ERR_INPUT.
 */
ERR_MUST_CHECK enum err_status gz_inflate(struct str s, struct buf *out, struct err *err);
/* One deterministic member (no name, time 0), appended to `out`. */
ERR_MUST_CHECK enum err_status gz_deflate(struct str s, struct buf *out, struct err *err);

#endif
