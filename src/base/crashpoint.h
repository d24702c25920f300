/*
 * Places where the tests kill the program: with CORDON_CRASH_AT=N in the environment the N-th
 * place reached ends the process on the spot, as kill -9 would. Only in debug builds; elsewhere
 * nothing of it is compiled.
 */
#ifndef CORDON_BASE_CRASHPOINT_H
#define CORDON_BASE_CRASHPOINT_H

#ifdef CORDON_CRASHPOINTS
/* Counts one place; `name` is told on stderr when it is the one. Thread-safe. */
void crashpoint_hit(const char *name);
#	define CRASHPOINT(name) crashpoint_hit(name)
#else
#	define CRASHPOINT(name) ((void)0)
#endif

#endif
