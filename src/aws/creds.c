#include "aws/creds.h"

#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>

/* Renewed when less than this is left; used on, with a warning, while renewing fails. */
#define EARLY_MS     ((int64_t)5 * 60 * 1000)
#define MANDATORY_MS ((int64_t)60 * 1000)

struct creds *creds_new(
	struct str access_key, struct str secret_key, struct str token, const char *source)
{
	struct creds *c = calloc(1, sizeof(*c));
	if (!c) {
		BUG("out of memory");
	}
	atomic_init(&c->refs, 1);
	c->access_key = str_dup(access_key);
	c->secret_key = secret_new(secret_key);
	c->session_token = token.n ? secret_new(token) : NULL;
	c->source = source;
	return c;
}

struct creds *creds_ref(struct creds *c)
{
	(void)atomic_fetch_add(&c->refs, 1);
	return c;
}

void creds_unref(struct creds *c)
{
	if (c && atomic_fetch_sub(&c->refs, 1) == 1) {
		free(c->access_key);
		secret_free(c->secret_key);
		secret_free(c->session_token);
		free(c);
	}
}

struct creds_chain {
	struct creds_options opts;
	pthread_mutex_t lock;
	struct creds *current;
};

struct creds_chain *creds_chain_new(const struct creds_options *opts)
{
	struct creds_chain *c = calloc(1, sizeof(*c));
	if (!c) {
		BUG("out of memory");
	}
	c->opts = *opts;
	(void)pthread_mutex_init(&c->lock, NULL);
	return c;
}

void creds_chain_free(struct creds_chain *c)
{
	if (c) {
		creds_unref(c->current);
		(void)pthread_mutex_destroy(&c->lock);
		free(c);
	}
}

enum err_status creds_from_env(
	const struct creds_options *o, struct creds **out, struct err *err)
{
	const char *key = env_var(o->env, "AWS_ACCESS_KEY_ID");
	const char *secret = env_var(o->env, "AWS_SECRET_ACCESS_KEY");
	const char *token = env_var(o->env, "AWS_SESSION_TOKEN");
	if (!key && !secret) {
		return ERR_OK;
	}
	if (!key || !secret) {
		return err_set(err, ERR_CONFIG, "%s is set but %s is not; set both or neither",
			key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
			key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	}
	*out = creds_new(str_from(key), str_from(secret), str_from(token), "environment");
	return ERR_OK;
}

static enum err_status resolve(
	const struct creds_options *o, struct creds **out, struct err *err)
{
	enum err_status st = ERR_OK;
	if (!o->skip_environment) {
		st = creds_from_env(o, out, err);
	}
	if (st == ERR_OK && !*out) {
		st = creds_from_profile(o, o->profiles->name, out, err);
	}
	if (st == ERR_OK && !*out) {
		st = creds_from_web_identity(o, out, err);
	}
	if (st == ERR_OK && !*out) {
		st = creds_from_container(o, out, err);
	}
	if (st == ERR_OK && !*out) {
		st = creds_from_instance(o, out, err);
	}
	if (st == ERR_OK && !*out) {
		st = err_set(err, ERR_CONFIG,
			"no AWS credentials found (looked at: environment, profile '%s', web "
			"identity, "
			"container, EC2 instance); set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
			"AWS_SECRET_ACCESS_KEY",
			o->profiles->name);
	}
	return st;
}

/* Under the lock: one thread fetches, the others wait for what it gets. */
static enum err_status renew(struct creds_chain *c, int64_t left, struct err *err)
{
	struct creds *fresh = NULL;
	struct err why = { 0 };
	enum err_status st = resolve(&c->opts, &fresh, &why);
	if (st == ERR_OK) {
		creds_unref(c->current);
		c->current = fresh;
		return ERR_OK;
	}
	if (c->current && left > MANDATORY_MS) {
		log_err(LOG_WARN, "credentials could not be renewed yet", &why);
		return ERR_OK;
	}
	if (err) {
		*err = why;
	}
	return st;
}

enum err_status creds_get(struct creds_chain *c, struct creds **out, struct err *err)
{
	enum err_status st = ERR_OK;
	(void)pthread_mutex_lock(&c->lock);
	int64_t left = INT64_MAX;
	if (c->current && c->current->expires_ms) {
		left = c->current->expires_ms - env_now_ms(c->opts.env);
	}
	if (!c->current || left < EARLY_MS) {
		st = renew(c, c->current ? left : 0, err);
	}
	if (st == ERR_OK) {
		*out = creds_ref(c->current);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return st;
}

bool creds_reject(struct creds_chain *c, const struct creds *used)
{
	/* Keys from the environment or a file would come back the same. */
	bool renewable = used->expires_ms != 0;
	(void)pthread_mutex_lock(&c->lock);
	if (renewable && c->current == used) {
		creds_unref(c->current);
		c->current = NULL;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return renewable;
}
