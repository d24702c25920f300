/*
 * What is known about an API call: is it looking around, making a credential, switching off a
 * log, taking data away? One table (api.c), by event source and name.
 */
#ifndef CORDON_ANALYSIS_API_H
#define CORDON_ANALYSIS_API_H

#include "base/str.h"

enum api_tag {
	API_CREDENTIAL = 1 << 0, /* makes a credential: access key, password, session */
	API_PRIVILEGE = 1 << 1,  /* gives rights */
	API_PERSIST = 1 << 2,    /* leaves a way back in */
	API_DEFENCE = 1 << 3,    /* blinds the defenders */
	API_EXFIL = 1 << 4,   /* hands data to somebody outside, when the parameters say so */
	API_SECRET = 1 << 5,  /* reads a secret */
	API_DESTROY = 1 << 6, /* deletes or ransoms data */
	API_EXECUTE = 1 << 7, /* runs code on a host or function */
	API_EXPOSE = 1 << 8,  /* opens a resource to the public, when the parameters say so */
	API_DATA = 1 << 9,    /* reads stored data */
	API_LOGIN = 1 << 10,
	API_ASSUME = 1 << 11,
	API_WHOAMI = 1 << 12,  /* what a thief asks first */
	API_COMPUTE = 1 << 13, /* starts machines */
};

struct api {
	const char *source, *name;
	unsigned tags;
	const char *technique; /* ATT&CK id */
	const char *text;      /* N_() what it does, in the past tense, without a subject */
};

/* Row i in the order of source and name, NULL after the last; for tests and `explain`. */
const struct api *api_row(size_t i);
/* The row of a call, or NULL when the table says nothing about it. */
const struct api *api_find(struct str source, struct str plain_name);
/* Looks around: List*, Describe*, Get* and a few more, by the name alone. */
bool api_is_read(struct str name);
/* Word of tag number `bit` for the timeline ("credential" ...); NULL after the last. */
const char *api_tag_word(unsigned bit);

#endif
