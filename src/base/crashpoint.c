#include "base/crashpoint.h"

#ifdef CORDON_CRASHPOINTS
#	include "base/env.h"

#	include <stdatomic.h>
#	include <stdio.h>
#	include <unistd.h>

#	define KILLED 137 /* what a shell says of a process that kill -9 ended */

void crashpoint_hit(const char *name)
{
	static atomic_llong hits;
	int64_t at = 0;
	const char *text = env_var(env_system(), "CORDON_CRASH_AT");

	if (text == NULL || !str_to_i64(str_from(text), &at)) {
		return;
	}
	if (atomic_fetch_add(&hits, 1) + 1 == at) {
		(void)dprintf(STDERR_FILENO, "crash point %lld: %s\n", (long long)at, name);
		_exit(KILLED);
	}
}
#else
/* A translation unit must declare something. */
extern const int crashpoint_none;
const int crashpoint_none = 0;
#endif
