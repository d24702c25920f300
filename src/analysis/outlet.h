/* Bytes of a partial result on their way into a file, with a SHA-256 of all behind them. */
#ifndef CORDON_ANALYSIS_OUTLET_H
#define CORDON_ANALYSIS_OUTLET_H

#include "base/env.h"
#include "base/hash.h"

#define OUTLET_MAX ((size_t)64 * 1024 * 1024) /* bytes between two calls of outlet_flow */

struct outlet {
	struct buf buf; /* what was not written yet: whoever has more adds it here */
	struct env_file *file;
	struct hash_sha256 *hash;
};

/* outlet_end or outlet_drop in any case, also after a failure. */
ERR_MUST_CHECK enum err_status outlet_open(
	struct outlet *o, struct env *env, const char *path, struct err *err);
/* Writes what has gathered once it is worth it: called between items, so that it stays little. */
void outlet_flow(struct outlet *o);
/* The file is there, whole, or as it was. */
ERR_MUST_CHECK enum err_status outlet_end(struct outlet *o, struct err *err);
void outlet_drop(struct outlet *o);

#endif
