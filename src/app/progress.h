/* How far a long reading is, on a terminal: share, rate, and time left. */
#ifndef CORDON_APP_PROGRESS_H
#define CORDON_APP_PROGRESS_H

#include "base/env.h"

struct progress {
	struct env *env;
	int64_t began_us, shown_us;
	bool shown;
};

void progress_begin(struct progress *p);
/*
 * A callback for who reads: `ctx` is a struct progress. At most five times a second. `total` is 0
 * when it is not known (standard input); both are equal when all is read.
 */
void progress_show(void *ctx, uint64_t bytes, uint64_t total);
/* " 14 %  812.0 MB/s  0:00:42" or "1700 MB  812.0 MB/s" into out[64]; rates when they can be told. */
void progress_text(uint64_t bytes, uint64_t total, int64_t elapsed_us, char out[64]);

#endif
