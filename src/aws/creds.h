/*
 * Credentials: found once in the SDKs' order, kept, renewed before they run out.
 * Environment (unless a profile was named), profile (role, web identity, keys, process), web
 * identity, container, EC2 instance. Thread-safe.
 */
#ifndef CORDON_AWS_CREDS_H
#define CORDON_AWS_CREDS_H

#include "aws/http.h"
#include "aws/profile.h"
#include "base/secret.h"

#include <stdatomic.h>

/* One set, shared by count; never changed once made. */
struct creds {
	atomic_int refs;
	char *access_key;
	struct secret *secret_key, *session_token; /* the token NULL for long-lived keys */
	int64_t expires_ms;                        /* 0 = never */
	const char *source;                        /* "environment", "profile" ...; static */
};
/* Copies the texts; an empty token is none. */
struct creds *creds_new(
	struct str access_key, struct str secret_key, struct str token, const char *source);
struct creds *creds_ref(struct creds *c);
void creds_unref(struct creds *c); /* NULL is fine */

/* An STS call made with given credentials (NULL: unsigned), supplied by the client. */
typedef enum err_status (*creds_sts_fn)(void *ctx, struct creds *with, const char *operation,
	const json_t *params, json_t **result, struct err *err);

struct creds_options {
	struct env *env;
	const struct profile_set *profiles; /* outlives the chain */
	bool skip_environment;              /* a profile was named explicitly */
	struct http_pool *pool;
	creds_sts_fn sts;
	void *sts_ctx;
	const char *session_name; /* RoleSessionName when the profile has none */
};
struct creds_chain;
struct creds_chain *creds_chain_new(const struct creds_options *opts);
void creds_chain_free(struct creds_chain *c);
/* A reference to valid credentials. ERR_CONFIG says where was looked and what to do. */
ERR_MUST_CHECK enum err_status creds_get(
	struct creds_chain *c, struct creds **out, struct err *err);
/* AWS said these have expired: the next creds_get fetches anew. False when that can't help. */
bool creds_reject(struct creds_chain *c, const struct creds *used);

/* ---- providers; each leaves *out NULL with ERR_OK when it has nothing to say ---- */

enum err_status creds_from_env(
	const struct creds_options *o, struct creds **out, struct err *err);
enum err_status creds_from_profile(const struct creds_options *o, const char *profile,
	struct creds **out, struct err *err);
enum err_status creds_from_web_identity(
	const struct creds_options *o, struct creds **out, struct err *err);
enum err_status creds_from_process(
	const struct creds_options *o, struct str command, struct creds **out, struct err *err);
enum err_status creds_from_container(
	const struct creds_options *o, struct creds **out, struct err *err);
enum err_status creds_from_instance(
	const struct creds_options *o, struct creds **out, struct err *err);

#endif
