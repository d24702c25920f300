#include "aws/job.h"

#include "aws/build.h"
#include "aws/copyurl.h"
#include "aws/errors.h"
#include "aws/proto.h"
#include "aws/validate.h"
#include "aws/xml.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* A Date header further off than this explains a refused signature (AWS allows 5 or 15 min). */
#define SKEW_MS ((int64_t)4 * 60 * 1000)

/* ---- building ---- */

static const char *service_name(const struct job *j)
{
	return model_text(j->call.m, j->call.service->name);
}

static const char *operation_name(const struct job *j)
{
	return model_text(j->call.m, j->call.op->name);
}

/* Reads never harm; REST's GET, HEAD, PUT and DELETE say the same thing twice. */
static bool repeatable(const struct job *j)
{
	const char *method = model_text(j->call.m, j->call.op->method);
	bool rest = j->call.service->protocol == MODEL_REST_JSON ||
		    j->call.service->protocol == MODEL_REST_XML;
	return !(j->call.op->flags & MODEL_OP_MUTATING) ||
	       (rest && strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0);
}

/*
 * S3 takes a stream in one pass: its checksum follows it and, without TLS, every chunk is signed.
 * A stream whose digest the caller knows, or brings, needs neither over TLS.
 */
static void chunk_stream(struct job *j)
{
	const struct aws_source *s = j->wire.source;
	enum checksum_kind kind = build_trailer(&j->call, &j->wire);
	if (s && !s->sha256_hex && (j->call.op->flags & MODEL_OP_CHECKSUM) &&
		(kind || !j->wire.tls)) {
		chunked_init(&j->chunked, s, kind, !j->wire.tls);
		chunked_announce(&j->chunked, &j->wire);
	}
}

static enum err_status build(struct job *j, struct err *err)
{
	struct aws_client *c = j->client;
	wire_request_deinit(&j->wire);
	wire_request_init(&j->wire);
	struct build_input in = { .call = &j->call,
		.params = j->params,
		.body = j->req->body,
		.source = j->req->source,
		.body_later = j->body_later && (j->call.op->flags & MODEL_OP_STREAM_IN),
		.compress_from = j->call.op->flags & MODEL_OP_COMPRESS
					 ? build_compress_from(c->env, &c->profiles)
					 : SIZE_MAX };
	enum err_status st = build_request(&in, &j->wire, err);
	if (st != ERR_OK) {
		return st;
	}
	struct buf agent;
	buf_init(&agent, 512);
	client_user_agent(c, &agent);
	wire_set(&j->wire.headers, "User-Agent", buf_view(&agent));
	buf_deinit(&agent);
	st = endpoint_apply(
		&c->endpoints, &j->call, j->region, &j->wire, j->signing_region, err);
	chunk_stream(j);
	return st;
}

enum err_status job_prepare(
	struct job *j, struct aws_client *c, struct aws_request *req, struct err *err)
{
	j->client = c;
	j->req = req;
	j->stats.calls = 1;
	wire_request_init(&j->wire);
	wire_response_init(&j->answer, WIRE_MAX_BODY);
	if (!model_find(&model_table, req->service, req->operation, &j->call)) {
		return aws_operation_check(req->service, req->operation, err);
	}
	enum err_status st = validate_params(&j->call, req->params, err);
	if (st != ERR_OK) {
		return st;
	}
	if (c->refuse_mutating && !j->show_only && (j->call.op->flags & MODEL_OP_MUTATING)) {
		client_refused(c, req->service, req->operation, req->params);
		return err_set(err, ERR_REFUSED, "dry run: %s was not sent",
			model_text(j->call.m, j->call.op->iam));
	}
	(void)snprintf(
		j->region, sizeof(j->region), "%s", req->region ? req->region : c->region);
	int64_t own = req->timeout_ms > 0 ? env_now_ms(c->env) + req->timeout_ms : 0;
	int64_t all = atomic_load(&c->deadline_ms);
	j->deadline_ms = own && (!all || own < all) ? own : all;
	client_invocation(c, j->invocation);
	j->body_out_start = req->body_out ? req->body_out->n : 0;
	bool has_token = false; /* it makes a repeat harmless */
	j->params = build_params(&j->call, c->env, req->params, &has_token);
	j->repeatable = has_token || repeatable(j);
	st = copyurl_add(j, err);
	return st == ERR_OK ? build(j, err) : st;
}

/* ---- sending ---- */

/* Over plain HTTP the body must be signed; a stream of unknown digest is read once for it. */
static enum err_status source_hash(
	const struct aws_source *s, char out[HASH_SHA256_HEX], struct err *err)
{
	unsigned char chunk[16384], digest[HASH_SHA256_BYTES];
	struct hash_sha256 *h = hash_sha256_new();
	uint64_t left = s->size;
	size_t n = 1;
	while (left > 0 && n > 0) {
		n = s->read(s->ctx, chunk, sizeof(chunk));
		if (n == SIZE_MAX) {
			break;
		}
		hash_sha256_add(h, chunk, n);
		left -= n < left ? n : left;
	}
	hash_sha256_end(h, digest);
	hash_sha256_free(h);
	hash_hex(digest, sizeof(digest), out);
	bool ok = n != SIZE_MAX && s->rewind && s->rewind(s->ctx);
	return ok ? ERR_OK
		  : err_set(err, ERR_IO,
			    "the data to send can't be read twice, as an unencrypted endpoint "
			    "needs");
}

/* S3 signs the path as it is sent; what the credentials and the region are is known by now. */
static struct sigv4_params signing(const struct job *j, const char *payload)
{
	const char *name = model_text(j->call.m, j->call.service->signing_name);
	return (struct sigv4_params){
		.keys = { j->creds->access_key, j->creds->secret_key, j->creds->session_token },
		.region = j->signing_region,
		.service = name,
		.now_ms = env_now_ms(j->client->env) + atomic_load(&j->client->skew_ms),
		.s3 = strcmp(name, "s3") == 0,
		.payload_hash = payload,
	};
}

/* A form becomes the query of a GET: the URL is then the whole call. */
static void form_to_query(struct wire_request *w)
{
	struct str form = buf_view(&w->body), piece;
	while (str_cut(&form, '&', &piece)) {
		size_t equal = str_find_char(piece, '=');
		char *name = str_dup(str_sub(piece, 0, equal));
		wire_add(&w->query, name,
			equal == SIZE_MAX ? (struct str){ 0 }
					  : str_sub(piece, equal + 1, SIZE_MAX));
		free(name);
	}
	buf_reset(&w->body);
	wire_remove(&w->headers, "Content-Type");
	w->method = "GET";
}

enum err_status job_presign(struct job *j, int64_t seconds, struct err *err)
{
	struct aws_client *c = j->client;
	if (j->call.op->flags & MODEL_OP_NO_SIGN) {
		return err_set(err, ERR_USAGE, "%s %s is not signed, so it can't be presigned",
			service_name(j), operation_name(j));
	}
	enum err_status st = creds_get(c->creds, &j->creds, err);
	if (st != ERR_OK) {
		return st;
	}
	wire_remove(&j->wire.headers, "User-Agent"); /* it will be somebody else's */
	if (j->call.service->protocol == MODEL_QUERY ||
		j->call.service->protocol == MODEL_EC2) {
		form_to_query(&j->wire);
	}
	struct sigv4_params p = signing(j, NULL);
	p.payload_hash = p.s3 ? SIGV4_UNSIGNED : NULL;
	p.expires_s = seconds;
	sigv4_presign(c->keys, &p, &j->wire);
	j->url_ends_ms = p.now_ms + seconds * 1000;
	if (j->creds->expires_ms && j->creds->expires_ms < j->url_ends_ms) {
		j->url_ends_ms = j->creds->expires_ms;
	}
	return ERR_OK;
}

static enum err_status sign(struct job *j, struct err *err)
{
	char hash[HASH_SHA256_HEX];
	struct aws_client *c = j->client;
	const struct aws_source *source = j->wire.source;
	const char *payload = NULL;
	if (j->call.op->flags & MODEL_OP_NO_SIGN) {
		wire_set(&j->wire.headers, "Host", buf_view(&j->wire.authority));
		return ERR_OK;
	}
	bool chunked = source && source == &j->chunked.source;
	if (chunked) {
		payload = chunked_payload(&j->chunked);
	} else if (source && source->sha256_hex) {
		payload = source->sha256_hex;
	} else if (j->wire.tls && (source || (j->call.op->flags & MODEL_OP_UNSIGNED_BODY))) {
		payload = SIGV4_UNSIGNED;
	} else if (source) {
		enum err_status st = source_hash(source, hash, err);
		if (st != ERR_OK) {
			return st;
		}
		payload = hash;
	}
	struct sigv4_params p = signing(j, payload);
	sigv4_sign(c->keys, &p, &j->wire);
	if (chunked) {
		chunked_start(&j->chunked, c->keys, &p, &j->wire);
	}
	return ERR_OK;
}

static int attempts(const struct job *j)
{
	bool dynamodb = strcmp(service_name(j), "dynamodb") == 0;
	return j->client->max_attempts ? j->client->max_attempts : retry_attempts(dynamodb);
}

enum err_status job_send(struct job *j, struct http *h, struct err *err)
{
	char text[64];
	struct aws_client *c = j->client;
	int64_t deadline = j->deadline_ms, now = env_now_ms(c->env);
	if (atomic_load(&c->cancelled)) {
		return err_set(err, ERR_INTERRUPTED,
			"%s %s: not sent: the client was cancelled", service_name(j),
			operation_name(j));
	}
	if (deadline && now >= deadline) {
		return err_set(err, ERR_UNREACHABLE, "%s %s: no time left before the deadline",
			service_name(j), operation_name(j));
	}
	j->attempt++;
	wire_set(&j->wire.headers, "amz-sdk-invocation-id", str_from(j->invocation));
	(void)snprintf(text, sizeof(text), "attempt=%d; max=%d", j->attempt, attempts(j));
	wire_set(&j->wire.headers, "amz-sdk-request", str_from(text));
	enum err_status st = ERR_OK;
	if (!j->creds && !(j->call.op->flags & MODEL_OP_NO_SIGN)) {
		st = creds_get(c->creds, &j->creds, err);
	}
	if (st == ERR_OK) {
		st = sign(j, err);
	}
	if (st != ERR_OK || !h) {
		return st;
	}
	wire_response_reset(&j->answer);
	j->exchange = (struct http_exchange){ .request = &j->wire,
		.response = &j->answer,
		.body_out = j->req->body_out,
		.sink = j->req->sink,
		.timeout_ms = deadline ? deadline - now : 0,
		.may_resend = j->repeatable,
		.owner = j };
	if (!(j->call.op->flags & MODEL_OP_STREAM_OUT)) {
		j->exchange.body_out = NULL;
		j->exchange.sink = NULL;
	}
	j->state = JOB_RUNNING;
	j->stats.attempts++;
	return http_start(h, &j->exchange, err);
}

/* ---- judging ---- */

void job_fail(struct job *j, const struct err *why)
{
	j->state = JOB_DONE;
	j->req->status = why->status;
	j->req->err = *why;
	if (j->call.op && !j->req->err.call[0]) {
		(void)snprintf(j->req->err.call, sizeof(j->req->err.call), "%s",
			model_text(j->call.m, j->call.op->iam));
	}
	j->stats.errors = 1;
}

static bool succeed(struct job *j, struct err *err)
{
	json_t *result = NULL;
	enum err_status st = proto_parse(&j->call, &j->answer, &result, err);
	if (st != ERR_OK) {
		(void)err_prefix(err, "%s %s: the answer can't be read", service_name(j),
			operation_name(j));
		err->http_status = j->answer.status;
		return false;
	}
	j->req->result = result;
	j->req->status = ERR_OK;
	err_clear(&j->req->err);
	const char *id = errors_request_id(&j->answer);
	(void)snprintf(
		j->req->err.request_id, sizeof(j->req->err.request_id), "%s", id ? id : "");
	j->state = JOB_DONE;
	retry_give(j->client->bucket, j->took);
	return true;
}

static void transport_error(struct job *j, struct err *err)
{
	const struct http_exchange *x = &j->exchange;
	bool ours = x->result == HTTP_STOPPED;
	if (x->result == HTTP_CANCELLED) {
		(void)err_set(err, ERR_INTERRUPTED,
			"%s %s: cancelled; whether it took effect is not known",
			service_name(j), operation_name(j));
		return;
	}
	(void)err_set(err, ours ? ERR_LIMIT : ERR_UNREACHABLE, "%s %s: %.*s: %s%s",
		service_name(j), operation_name(j), STR_ARG(buf_view(&j->wire.authority)),
		x->detail, ours ? "" : "; check the network, the region and the endpoint");
	err->retryable = !ours;
}

/*
 * The region that S3 says the bucket is in: a header, or in the body of an error.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
 */
static void bucket_region(const struct wire_response *answer, char out[64])
{
	struct xml_doc doc;
	const char *header = wire_get(&answer->headers, "x-amz-bucket-region");
	(void)snprintf(out, 64, "%s", header ? header : "");
	if (!header && xml_parse(buf_view(&answer->body), &doc, NULL) == ERR_OK) {
		const struct xml_node *region = xml_child(doc.root, "Region");
		(void)snprintf(out, 64, "%.*s", STR_ARG(region ? region->text : STR("")));
		xml_deinit(&doc);
	}
}

/* A bucket elsewhere: the request is built and signed anew for its region, once. */
static bool reroute(struct job *j, const struct err *e)
{
	char region[64];
	bool elsewhere =
		e->http_status == 301 || e->http_status == 307 || e->http_status == 400;
	if (!elsewhere || j->rerouted || strcmp(service_name(j), "s3") != 0) {
		return false;
	}
	bucket_region(&j->answer, region);
	if (!region[0] || strcmp(region, j->region) == 0) {
		return false;
	}
	j->rerouted = true;
	memcpy(j->region, region, sizeof(region));
	return build(j, NULL) == ERR_OK;
}

/* A cause that is put right before the next attempt; such an attempt needs no jitter. */
static bool correct(struct job *j, const struct err *e)
{
	int64_t skew;
	struct aws_client *c = j->client;
	if (aws_error_skewed(e) && !j->reskewed && retry_skew_ms(c->env, &j->answer, &skew)) {
		int64_t used = atomic_load(&c->skew_ms);
		if (skew - used > SKEW_MS || used - skew > SKEW_MS) {
			j->reskewed = true;
			atomic_store(&c->skew_ms, skew);
			return true;
		}
	}
	if (aws_error_expired(e) && !j->renewed && j->creds && !j->fixed_creds &&
		creds_reject(c->creds, j->creds)) {
		j->renewed = true;
		creds_unref(j->creds);
		j->creds = NULL;
		return true;
	}
	return reroute(j, e);
}

/* A half-received stream can only start over when nothing was handed on. */
static bool can_restart(struct job *j)
{
	const struct aws_source *s = j->wire.source;
	if (j->exchange.delivered || (s && (!s->rewind || !s->rewind(s->ctx)))) {
		return false;
	}
	if (j->req->body_out && j->req->body_out->n > j->body_out_start) {
		j->req->body_out->n = j->body_out_start;
		j->req->body_out->p[j->body_out_start] = '\0';
	}
	return true;
}

/* The outcome of a repeat is known to be harmless, or the first was never processed. */
static bool may_repeat(const struct job *j, const struct err *e)
{
	if (!e->retryable) {
		return false;
	}
	return j->repeatable || aws_error_throttled(e) || j->exchange.result == HTTP_UNSENT;
}

static bool try_again(struct job *j, const struct err *e)
{
	struct aws_client *c = j->client;
	int64_t wait = 0, deadline = j->deadline_ms;
	bool answered = j->exchange.result == HTTP_OK;
	bool throttled = aws_error_throttled(e);
	bool dynamodb = strcmp(service_name(j), "dynamodb") == 0;
	if (j->attempt >= attempts(j)) {
		return false;
	}
	bool corrected = answered && correct(j, e);
	if (!corrected) {
		if (!may_repeat(j, e)) {
			return false;
		}
		struct retry_failed f = { j->attempt, throttled, dynamodb };
		wait = retry_delay_ms(c->env, &f, &j->answer);
	}
	if (deadline && env_now_ms(c->env) + wait >= deadline) {
		return false;
	}
	if (!can_restart(j)) {
		return false;
	}
	if (!corrected) {
		if (!retry_take(c->bucket, throttled)) {
			return false;
		}
		j->took = retry_price(throttled);
	}
	j->state = JOB_WAITING;
	j->due_us = env_mono_us(c->env) + wait * 1000;
	return true;
}

void job_judge(struct job *j)
{
	struct err e = { 0 };
	int status = j->answer.status;
	j->stats.bytes_in += j->exchange.bytes_in;
	j->stats.bytes_out += j->exchange.bytes_out;
	if (j->exchange.result != HTTP_OK) {
		transport_error(j, &e);
	} else if (status >= 200 && status < 300 && !errors_hidden(&j->call, &j->answer)) {
		if (succeed(j, &e)) {
			return;
		}
	} else {
		(void)errors_from(&j->call, &j->answer, &e);
	}
	if (!try_again(j, &e)) {
		if (j->attempt > 1) {
			(void)err_prefix(&e, "after %d attempts", j->attempt);
		}
		job_fail(j, &e);
	}
}

void job_deinit(struct job *j)
{
	creds_unref(j->creds);
	json_decref(j->params);
	chunked_deinit(&j->chunked);
	wire_request_deinit(&j->wire);
	wire_response_deinit(&j->answer);
}
