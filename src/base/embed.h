/* Files compiled into the program by tools/embed.py (playbooks, rules, documents). */
#ifndef CORDON_BASE_EMBED_H
#define CORDON_BASE_EMBED_H

#include <stddef.h>

struct embed_file {
	const char *name; /* base name; NULL ends a table */
	const char *data; /* NUL after the end */
	size_t size;
};

#endif
