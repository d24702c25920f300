/* Which sources of this folder were built: SHA-256 over them in hex, by tools/print_sources.py. */
#ifndef CORDON_ANALYSIS_SOURCES_H
#define CORDON_ANALYSIS_SOURCES_H

extern const char sources_print[];

#endif
