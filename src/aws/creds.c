#include "aws/creds.h"

#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>

#define QUIET_MS     ((int64_t)60 * 1000)     /* after a renewal that brought nothing */
#define STEADFAST_MS ((int64_t)5 * 60 * 1000) /* and up to twice that, past the end */

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
	pthread_cond_t turned; /* a renewal ended */
	struct creds *current;
	bool renewing;
	int64_t quiet_until_ms; /* no renewal before, as long as `current` serves */
	uint64_t turns;         /* renewals that ended */
	struct err why;         /* of the last one; status ERR_OK when it succeeded */
};

struct creds_chain *creds_chain_new(const struct creds_options *opts)
{
	struct creds_chain *c = calloc(1, sizeof(*c));
	if (!c) {
		BUG("out of memory");
	}
	c->opts = *opts;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->turned, NULL);
	return c;
}

void creds_chain_free(struct creds_chain *c)
{
	if (c) {
		creds_unref(c->current);
		(void)pthread_cond_destroy(&c->turned);
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
		st = creds_from_container(o, out, err);
	}
	if (st == ERR_OK && !*out) {
		st = creds_from_instance(o, out, err);
	}
	if (st == ERR_OK && !*out) {
		st = err_set(err, ERR_CONFIG,
			"no AWS credentials found (looked at: environment, profile '%s', web "
			"identity, container, EC2 instance); set AWS_PROFILE, or "
			"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
			o->profiles->name);
	}
	return st;
}

static int64_t left_of(const struct creds_chain *c, const struct creds *x)
{
	return x->expires_ms ? x->expires_ms - env_now_ms(c->opts.env) : INT64_MAX;
}

/* Minutes for which what AWS could not renew is used on; spread, so that a fleet is too. */
static int64_t beyond_ms(const struct creds_chain *c)
{
	uint32_t r = 0;
	env_random(c->opts.env, &r, sizeof(r));
	return STEADFAST_MS + (int64_t)(r % (uint32_t)STEADFAST_MS);
}

/* What came is kept; what is about to end already, or has, was all that the issuer had. */
static enum err_status accept(struct creds_chain *c, struct creds *fresh, struct err *why)
{
	int64_t left = left_of(c, fresh), now = env_now_ms(c->opts.env);
	if (left <= 0 && !fresh->steadfast) {
		enum err_status st = err_set(why, ERR_CONFIG,
			"the credentials from %s have expired already; renew them there",
			fresh->source);
		creds_unref(fresh);
		return st;
	}
	creds_unref(c->current);
	c->current = fresh;
	c->quiet_until_ms = 0;
	if (left <= 0) {
		c->quiet_until_ms = now + beyond_ms(c);
	} else if (left < CREDS_EARLY_MS) {
		c->quiet_until_ms = now + (left / 2 < QUIET_MS ? left / 2 : QUIET_MS);
	}
	return ERR_OK;
}

/* One renewal, the lock let go while it lasts. */
static void renew(struct creds_chain *c)
{
	struct creds *fresh = NULL;
	struct err why = { 0 };
	c->renewing = true;
	(void)pthread_mutex_unlock(&c->lock);
	enum err_status st = resolve(&c->opts, &fresh, &why);
	(void)pthread_mutex_lock(&c->lock);
	c->renewing = false;
	c->turns++;
	if (st == ERR_OK) {
		st = accept(c, fresh, &why);
	}
	c->why = why;
	c->why.status = st;
	if (st != ERR_OK && c->current) {
		bool over = left_of(c, c->current) <= 0;
		if (!over || c->current->steadfast) {
			log_err(LOG_WARN, "credentials could not be renewed yet", &why);
			c->quiet_until_ms =
				env_now_ms(c->opts.env) + (over ? beyond_ms(c) : QUIET_MS);
		}
	}
	(void)pthread_cond_broadcast(&c->turned);
}

static bool serves(const struct creds_chain *c)
{
	if (!c->current) {
		return false;
	}
	bool quiet = env_now_ms(c->opts.env) < c->quiet_until_ms;
	return left_of(c, c->current) > 0 || (c->current->steadfast && quiet);
}

static bool due(const struct creds_chain *c)
{
	return !c->current || (left_of(c, c->current) < CREDS_EARLY_MS &&
				      env_now_ms(c->opts.env) >= c->quiet_until_ms);
}

enum err_status creds_get(struct creds_chain *c, struct creds **out, struct err *err)
{
	enum err_status st = ERR_OK;
	(void)pthread_mutex_lock(&c->lock);
	if (due(c) && !c->renewing) {
		renew(c);
	} else if (!serves(c)) {
		uint64_t turn = c->turns;
		while (c->renewing && c->turns == turn) {
			(void)pthread_cond_wait(&c->turned, &c->lock);
		}
	}
	if (serves(c)) {
		*out = creds_ref(c->current);
	} else {
		st = c->why.status;
		if (err) {
			*err = c->why;
		}
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
