/* A credential chain over made-up files and variables, with a fake STS that takes notes. */
#ifndef CORDON_TEST_WORLD_H
#define CORDON_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/creds.h"
#include "stub.h"

#define WORLD_NOW    1785578400000 /* 2026-08-01T10:00:00Z */
#define WORLD_MINUTE (INT64_C(60) * 1000)

struct world {
	char dir[64], config[160], credentials[160];
	const char *vars[16];
	size_t n_vars;
	struct stub_env env;
	struct profile_set profiles;
	struct http_pool *pool;
	struct creds_chain *chain;
	aws_mfa_fn mfa; /* set before world_open */
	void *mfa_ctx;
	/* what the fake STS saw and says */
	atomic_int sts_calls;
	atomic_int sts_delay_ms; /* really slept */
	pthread_mutex_t lock;    /* guards what follows */
	char operation[64], signer[64];
	char signers[256]; /* all, in order, with blanks between */
	json_t *params;
	const char *sts_answer; /* NULL: unreachable */
};

/* Makes the files. */
void world_prepare(struct world *w, const char *config, const char *credentials);
/* Adds a variable (borrowed). */
void world_set(struct world *w, const char *variable);
/* Opens the chain; `profile` as by --profile, or NULL. */
void world_open(struct world *w, const char *profile);
void world_done(struct world *w);
void world_write(const char *path, const char *text);
/* From now on the fake STS says this. */
void world_sts(struct world *w, const char *answer);

void world_expect_key(struct world *w, const char *key, const char *source);
/* ERR_CONFIG (or `status`) with these words in the message. */
void world_expect_error(struct world *w, const char *words);
void world_expect_status(struct world *w, enum err_status status, const char *words);

/* What STS answers with, for keys that live until "HH:MM" of the world's day. */
#define WORLD_STS(key, until)                                                      \
	"{\"Credentials\":{\"AccessKeyId\":\"" key "\",\"SecretAccessKey\":\"s\"," \
	"\"SessionToken\":\"t\",\"Expiration\":\"2026-08-01T" until ":00Z\"}}"

#endif
