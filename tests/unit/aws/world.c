#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum err_status sts(void *ctx, struct creds *with, const char *operation,
	const json_t *params, json_t **result, struct err *err)
{
	struct world *w = ctx;
	(void)atomic_fetch_add(&w->sts_calls, 1);
	int ms = atomic_load(&w->sts_delay_ms);
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	(void)nanosleep(&t, NULL);
	(void)pthread_mutex_lock(&w->lock);
	const char *signer = with ? with->access_key : "nobody";
	size_t n = strlen(w->signers);
	(void)snprintf(w->operation, sizeof(w->operation), "%s", operation);
	(void)snprintf(w->signer, sizeof(w->signer), "%s", signer);
	(void)snprintf(w->signers + n, sizeof(w->signers) - n, "%s%s", n ? " " : "", signer);
	json_decref(w->params);
	w->params = json_deep_copy(params);
	const char *answer = w->sts_answer;
	(void)pthread_mutex_unlock(&w->lock);
	return answer ? doc_parse(str_from(answer), 65536, result, err)
		      : err_set(err, ERR_UNREACHABLE, "STS is not there");
}

void world_write(const char *path, const char *text)
{
	assert_int_equal(
		env_write_file(env_system(), path, str_from(text), 0600, NULL), ERR_OK);
}

void world_prepare(struct world *w, const char *config, const char *credentials)
{
	char path[80];
	memset(w, 0, sizeof(*w));
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/cordon-creds-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(path, sizeof(path), "%s/config", w->dir);
	world_write(path, config);
	(void)snprintf(w->config, sizeof(w->config), "AWS_CONFIG_FILE=%s", path);
	(void)snprintf(path, sizeof(path), "%s/credentials", w->dir);
	world_write(path, credentials);
	(void)snprintf(
		w->credentials, sizeof(w->credentials), "AWS_SHARED_CREDENTIALS_FILE=%s", path);
	world_set(w, w->config);
	world_set(w, w->credentials);
	w->sts_answer = WORLD_STS("ASIAROLE", "11:00");
}

void world_set(struct world *w, const char *variable)
{
	assert_true(w->n_vars + 1 < COUNT(w->vars));
	w->vars[w->n_vars++] = variable;
}

void world_open(struct world *w, const char *profile)
{
	stub_env_init(&w->env, WORLD_NOW, w->vars);
	struct http_options http = { .env = &w->env.base };
	assert_int_equal(profile_load(&w->env.base, profile, &w->profiles, NULL), ERR_OK);
	w->pool = http_pool_new(&http);
	struct creds_options o = { .env = &w->env.base,
		.profiles = &w->profiles,
		.skip_environment = profile != NULL,
		.pool = w->pool,
		.sts = sts,
		.sts_ctx = w,
		.session_name = "cordon",
		.mfa = w->mfa,
		.mfa_ctx = w->mfa_ctx };
	w->chain = creds_chain_new(&o);
}

void world_done(struct world *w)
{
	char path[80];
	creds_chain_free(w->chain);
	http_pool_free(w->pool);
	profile_deinit(&w->profiles);
	json_decref(w->params);
	(void)pthread_mutex_destroy(&w->lock);
	(void)snprintf(path, sizeof(path), "%s/config", w->dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/credentials", w->dir);
	(void)unlink(path);
	(void)rmdir(w->dir);
}

void world_sts(struct world *w, const char *answer)
{
	(void)pthread_mutex_lock(&w->lock);
	w->sts_answer = answer;
	(void)pthread_mutex_unlock(&w->lock);
}

void world_expect_key(struct world *w, const char *key, const char *source)
{
	struct creds *c = NULL;
	struct err e = { 0 };
	enum err_status st = creds_get(w->chain, &c, &e);
	if (st != ERR_OK) {
		print_error("%s\n", e.msg);
	}
	assert_int_equal(st, ERR_OK);
	assert_string_equal(c->access_key, key);
	assert_string_equal(c->source, source);
	creds_unref(c);
}

void world_expect_status(struct world *w, enum err_status status, const char *words)
{
	struct creds *c = NULL;
	struct err e = { 0 };
	assert_int_equal(creds_get(w->chain, &c, &e), status);
	if (!strstr(e.msg, words)) {
		print_error("%s\n", e.msg);
	}
	assert_non_null(strstr(e.msg, words));
}

void world_expect_error(struct world *w, const char *words)
{
	world_expect_status(w, ERR_CONFIG, words);
}
