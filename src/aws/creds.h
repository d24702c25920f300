/*
 * Credentials: found in the SDKs' order, kept, renewed before they run out. Thread-safe.
 *
 * Order: environment (unless a profile was named explicitly); the profile's role; web identity
 * (environment unless a profile was named, then profile); IAM Identity Center (told how, see below);
 * keys of the credentials file; `aws login` (likewise); credential_process; keys of the config file;
 * container; EC2 instance.
 *
 * Renewal: CREDS_EARLY_MS before the end, by one thread, while the others go on with what there
 * is; only when nothing valid is left they wait. A failed renewal is tried again after a minute,
 * and the old ones serve to their end; those of a container or instance beyond it, since AWS goes
 * on honouring them while it can't hand out new ones (static stability).
 *
 * Sign-ins that need a browser are the AWS CLI's: the error names the command to sign in and the
 * credential_process line to use afterwards.
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
	bool steadfast;     /* AWS honours it beyond expires_ms when it can't issue another */
	const char *source; /* "environment", "profile" ...; static */
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
	aws_mfa_fn mfa;           /* NULL: nobody can be asked */
	void *mfa_ctx;
	const atomic_bool *cancel; /* may be NULL */
};
#define CREDS_EARLY_MS ((int64_t)5 * 60 * 1000)

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
/* Everything that a profile can say, with the web identity of the environment in its place. */
enum err_status creds_from_profile(const struct creds_options *o, const char *profile,
	struct creds **out, struct err *err);
enum err_status creds_from_process(
	const struct creds_options *o, struct str command, struct creds **out, struct err *err);
enum err_status creds_from_container(
	const struct creds_options *o, struct creds **out, struct err *err);
enum err_status creds_from_instance(
	const struct creds_options *o, struct creds **out, struct err *err);

#endif
