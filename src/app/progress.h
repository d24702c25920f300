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
/* A callback for who reads: `ctx` is a struct progress. At most five times a second. */
void progress_show(void *ctx, uint64_t bytes, uint64_t total);
/* "14 %  812 MB/s  0:42 left" into out[64]; the time only when it can be told. */
void progress_text(uint64_t bytes, uint64_t total, int64_t elapsed_us, char out[64]);

#endif
