#include "aws/client.h"

#include "aws/call.h"
#include "aws/metadata.h"

#include <stdlib.h>
#include <string.h>

#ifndef CORDON_VERSION
#	define CORDON_VERSION "0"
#endif

static char *copy_or_null(const char *s)
{
	return s ? str_dup(str_from(s)) : NULL;
}

/* Only what a product token may hold; anything else becomes '-'. */
static void agent_token(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n && i < 50; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			  (c >= '0' && c <= '9') || strchr("!$%&'*+-.^_`|~", c);
		if (!ok) {
			c = '-';
		}
		buf_putc(out, (char)c);
	}
}

static enum err_status find_region(
	struct aws_client *c, const struct aws_options *o, struct err *err)
{
	struct str region = str_from(o->region);
	if (!region.n) {
		region = profile_setting(c->env, &c->profiles, "AWS_REGION", NULL);
	}
	if (!region.n) {
		region = profile_setting(c->env, &c->profiles, "AWS_DEFAULT_REGION", "region");
	}
	if (region.n) {
		c->region = str_dup(region);
		return ERR_OK;
	}
	struct buf here;
	buf_init(&here, 64);
	const struct metadata m = { c->env, &c->profiles, c->pool };
	if (metadata_region(&m, &here)) {
		c->region = buf_steal(&here);
	}
	buf_deinit(&here);
	return c->region ? ERR_OK
			 : err_set(err, ERR_CONFIG,
				   "no AWS region; give --region, set AWS_REGION, or add "
				   "region to profile '%s' (this is no EC2 instance that would "
				   "tell its own)",
				   c->profiles.name);
}

/* One way of retrying is done; a word that means another is not passed over in silence. */
static enum err_status check_retry_mode(struct aws_client *c, struct err *err)
{
	static const char *const known[] = { "standard", "legacy", "adaptive" };
	struct str mode = profile_setting(c->env, &c->profiles, "AWS_RETRY_MODE", "retry_mode");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!mode.n || str_eq_nocase(mode, str_from(known[i]))) {
			return ERR_OK;
		}
	}
	return err_set(err, ERR_CONFIG,
		"retry_mode is '%.*s'; expected standard (legacy and adaptive are taken as it)",
		STR_ARG(mode));
}

static enum err_status find_attempts(
	struct aws_client *c, const struct aws_options *o, struct err *err)
{
	int64_t n = o->max_attempts;
	struct str text =
		profile_setting(c->env, &c->profiles, "AWS_MAX_ATTEMPTS", "max_attempts");
	if (!o->max_attempts && text.n && (!str_to_i64(text, &n) || n < 1 || n > 100)) {
		return err_set(err, ERR_CONFIG, "max_attempts is '%.*s'; expected 1 to 100",
			STR_ARG(text));
	}
	c->max_attempts = (int)n;
	return ERR_OK;
}

static void make_agent(struct aws_client *c)
{
	struct buf b;
	buf_init(&b, 512);
	buf_puts(&b, "cordon/" CORDON_VERSION " ua/2.1 os/linux lang/c");
	struct str app =
		profile_setting(c->env, &c->profiles, "AWS_SDK_UA_APP_ID", "sdk_ua_app_id");
	if (app.n) {
		buf_puts(&b, " app/");
		agent_token(app, &b);
	}
	c->user_agent = buf_steal(&b);
}

static void make_pool(struct aws_client *c, const struct aws_options *o)
{
	char *bundle =
		str_dup(profile_setting(c->env, &c->profiles, "AWS_CA_BUNDLE", "ca_bundle"));
	/* A frozen Lambda sandbox loses its connections without noticing. */
	struct http_options http = { .env = c->env,
		.ca_bundle = bundle[0] ? bundle : NULL,
		.connect_timeout_ms = o->connect_timeout_ms,
		.stall_timeout_ms = o->call_timeout_ms,
		.max_age_s = env_var(c->env, "AWS_LAMBDA_RUNTIME_API") ? 5 : 60,
		.cancel = &c->cancelled };
	c->pool = http_pool_new(&http);
	free(bundle);
}

static enum err_status assemble(
	struct aws_client *c, const struct aws_options *o, struct err *err)
{
	enum err_status st;
	TRY(profile_load(c->env, o->profile, &c->profiles, err));
	make_pool(c, o);
	TRY(find_region(c, o, err));
	TRY(find_attempts(c, o, err));
	TRY(check_retry_mode(c, err));
	make_agent(c);
	c->endpoint_url = copy_or_null(o->endpoint_url);
	c->endpoints = (struct endpoint_rules){ c->env, &c->profiles, c->endpoint_url };
	c->keys = sigv4_cache_new();
	c->bucket = retry_bucket_new();
	struct creds_options creds = { .env = c->env,
		.profiles = &c->profiles,
		.skip_environment = o->profile != NULL,
		.pool = c->pool,
		.sts = call_sts,
		.sts_ctx = c,
		.session_name = "cordon",
		.mfa = o->mfa,
		.mfa_ctx = o->mfa_ctx,
		.cancel = &c->cancelled };
	c->creds = creds_chain_new(&creds);
	c->case_id = copy_or_null(o->case_id);
	c->refuse_mutating = o->refuse_mutating;
	c->observer = o->observer;
	c->observer_ctx = o->observer_ctx;
	c->bookkeeping = o->bookkeeping;
	atomic_store(&c->deadline_ms, o->deadline_ms);
	c->refused = json_array();
	return ERR_OK;
out:
	return st;
}

enum err_status aws_client_new(struct env *env, const struct aws_options *opts,
	struct aws_client **out, struct err *err)
{
	static const struct aws_options none = { 0 };
	struct aws_client *c = calloc(1, sizeof(*c));
	if (!c) {
		BUG("out of memory");
	}
	c->env = env;
	(void)pthread_mutex_init(&c->lock, NULL);
	enum err_status st = assemble(c, opts ? opts : &none, err);
	if (st != ERR_OK) {
		aws_client_free(c);
		return st;
	}
	*out = c;
	return ERR_OK;
}

void aws_client_free(struct aws_client *c)
{
	if (!c) {
		return;
	}
	creds_chain_free(c->creds);
	http_pool_free(c->pool);
	sigv4_cache_free(c->keys);
	retry_bucket_free(c->bucket);
	profile_deinit(&c->profiles);
	free(c->region);
	free(c->endpoint_url);
	free(c->user_agent);
	free(c->case_id);
	free(c->account);
	free(c->arn);
	json_decref(c->refused);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

const char *aws_client_region(const struct aws_client *c)
{
	return c->region;
}

void aws_client_set_case(struct aws_client *c, const char *case_id)
{
	char *copy = copy_or_null(case_id);
	(void)pthread_mutex_lock(&c->lock);
	char *old = c->case_id;
	c->case_id = copy;
	(void)pthread_mutex_unlock(&c->lock);
	free(old);
}

void aws_client_cancel(struct aws_client *c)
{
	atomic_store(&c->cancelled, true);
}

void aws_client_set_deadline(struct aws_client *c, int64_t deadline_ms)
{
	atomic_store(&c->deadline_ms, deadline_ms);
}

void client_user_agent(struct aws_client *c, struct buf *out)
{
	buf_puts(out, c->user_agent);
	(void)pthread_mutex_lock(&c->lock);
	if (c->case_id) {
		buf_puts(out, " md/case#");
		agent_token(str_from(c->case_id), out);
	}
	(void)pthread_mutex_unlock(&c->lock);
}

void client_invocation(struct aws_client *c, char out[37])
{
	(void)pthread_mutex_lock(&c->lock);
	if (c->n_ids == 0) {
		env_random(c->env, c->ids, sizeof(c->ids));
		c->n_ids = CLIENT_IDS;
	}
	env_uuid_of(c->ids[--c->n_ids], out);
	(void)pthread_mutex_unlock(&c->lock);
}

void client_count(struct aws_client *c, const struct aws_stats *add)
{
	(void)pthread_mutex_lock(&c->lock);
	c->stats.calls += add->calls;
	c->stats.attempts += add->attempts;
	c->stats.errors += add->errors;
	c->stats.bytes_in += add->bytes_in;
	c->stats.bytes_out += add->bytes_out;
	c->stats.rounds += add->rounds;
	c->stats.refused += add->refused;
	(void)pthread_mutex_unlock(&c->lock);
}

void client_refused(
	struct aws_client *c, const char *service, const char *operation, const json_t *params)
{
	json_t *copy = params ? json_deep_copy(params) : json_object();
	json_t *entry = json_pack(
		"{s:s,s:s,s:o}", "service", service, "operation", operation, "params", copy);
	(void)pthread_mutex_lock(&c->lock);
	(void)json_array_append_new(c->refused, entry);
	c->stats.refused++;
	(void)pthread_mutex_unlock(&c->lock);
}

void aws_client_stats(struct aws_client *c, struct aws_stats *out)
{
	(void)pthread_mutex_lock(&c->lock);
	*out = c->stats;
	(void)pthread_mutex_unlock(&c->lock);
}

json_t *aws_client_refused(struct aws_client *c)
{
	(void)pthread_mutex_lock(&c->lock);
	json_t *copy = json_deep_copy(c->refused);
	(void)pthread_mutex_unlock(&c->lock);
	return copy;
}

enum err_status aws_credentials_source(
	struct aws_client *c, const char **source, struct err *err)
{
	struct creds *creds = NULL;
	enum err_status st = creds_get(c->creds, &creds, err);

	if (st == ERR_OK) {
		*source = creds->source;
		creds_unref(creds);
	}
	return st;
}

/* The fields are written once, under the lock, and then only read. */
enum err_status aws_caller(
	struct aws_client *c, const char **account, const char **arn, struct err *err)
{
	(void)pthread_mutex_lock(&c->lock);
	bool known = c->account != NULL;
	(void)pthread_mutex_unlock(&c->lock);
	if (!known) {
		json_t *who = NULL;
		enum err_status st = aws_call(c, "sts", "GetCallerIdentity", NULL, &who, err);
		if (st != ERR_OK) {
			return st;
		}
		(void)pthread_mutex_lock(&c->lock);
		if (!c->account) {
			c->account = str_dup(str_from(doc_text_or(who, "Account", "")));
			c->arn = str_dup(str_from(doc_text_or(who, "Arn", "")));
		}
		(void)pthread_mutex_unlock(&c->lock);
		json_decref(who);
	}
	*account = c->account;
	*arn = c->arn;
	return ERR_OK;
}
