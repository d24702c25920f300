#include "app/lambda.h"

#include "app/approve_web.h"
#include "app/deliver.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/utc.h"
#include "response/approval_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 10000

static size_t count_state(const json_t *response, const char *state)
{
	size_t i, n = 0;
	json_t *a;

	json_array_foreach(doc_get(response, "actions"), i, a)
	{
		n += strcmp(doc_text_or(a, "state", ""), state) == 0;
	}
	return n;
}

/*
 * One line of CloudWatch embedded metric format.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
static void write_metrics(struct env *env, const json_t *response, int64_t began_ms)
{
	static const struct {
		const char *name, *unit;
	} metrics[] = { { "FindingsReceived", "Count" }, { "FindingsDeduplicated", "Count" },
		{ "ActionsSucceeded", "Count" }, { "ActionsFailed", "Count" },
		{ "ActionsPending", "Count" }, { "TimeToContain", "Milliseconds" },
		{ "Errors", "Count" } };
	int64_t now = env_now_ms(env);
	json_t *list = json_array(), *line;
	bool repeated = doc_true(response, "repeated") || doc_true(response, "duplicate");
	char *text;

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		json_array_append_new(list, json_pack("{s:s, s:s}", "Name", metrics[i].name,
						    "Unit", metrics[i].unit));
	}
	line = json_pack("{s:{s:I, s:[{s:s, s:[[s,s]], s:o}]}, s:s, s:s, s:i, s:i, s:I, s:I, "
			 "s:I, s:I, s:I}",
		"_aws", "Timestamp", (json_int_t)now, "CloudWatchMetrics", "Namespace",
		"cordon", "Dimensions", "service", "severity", "Metrics", list, "service",
		"cordon", "severity", doc_text_or(response, "severity", "unknown"),
		"FindingsReceived", 1, "FindingsDeduplicated", repeated ? 1 : 0,
		"ActionsSucceeded", (json_int_t)count_state(response, "done"), "ActionsFailed",
		(json_int_t)count_state(response, "failed"), "ActionsPending",
		(json_int_t)count_state(response, "awaiting_approval"), "TimeToContain",
		(json_int_t)(now - began_ms), "Errors",
		(json_int_t)json_array_size(doc_get(response, "errors")));
	text = json_dumps(line, JSON_COMPACT);
	if (text != NULL) {
		(void)printf("%s\n", text);
		(void)fflush(stdout);
	}
	free(text);
	json_decref(line);
}

static enum err_status answer_text(
	const struct flow *f, struct str text, json_t **responses, struct err *err)
{
	int64_t began = env_now_ms(f->env);
	struct deliver_count count = { 0 };
	enum err_status st = deliver(f, text, responses, &count, err);
	size_t i;
	json_t *response;

	json_array_foreach(*responses, i, response)
	{
		write_metrics(f->env, response, began);
	}
	if (st == ERR_OK && count.findings == 0) {
		log_event(LOG_INFO, "no finding in the event",
			json_pack("{s:I}", "not_findings", (json_int_t)count.not_findings));
	}
	return st;
}

static bool is_sqs_batch(const json_t *event)
{
	return json_is_array(doc_get(event, "Records")) &&
	       strcmp(doc_text_or(event, "Records[0].eventSource", ""), "aws:sqs") == 0;
}

/*
 * A message that can't be read will not get better: it is named in the log and counts as done, unless
 * its queue moves what fails elsewhere, which only a failure brings about. Lambda does not tell, so it
 * fails: a queue without a redrive policy drops it when its retention ends.
 */
static json_t *answer_batch(const struct flow *f, const json_t *records)
{
	json_t *failures = json_array(), *record;
	size_t i;

	json_array_foreach(records, i, record)
	{
		const char *id = doc_text_or(record, "messageId", ""),
			   *body = doc_text_or(record, "body", "");
		json_t *responses = NULL;
		struct err e = { 0 };

		if (i >= BATCH_MAX) {
			break;
		}
		if (answer_text(f, str_from(body), &responses, &e) != ERR_OK) {
			log_err(LOG_ERROR, "a message was not answered", &e);
			json_array_append_new(
				failures, json_pack("{s:s}", "itemIdentifier", id));
		}
		json_decref(responses);
	}
	return json_pack("{s:o}", "batchItemFailures", failures);
}

/* Of a function URL: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html (payload 2.0). */
static bool is_url_request(const json_t *event)
{
	return doc_text(event, "requestContext.http.method") != NULL;
}

static json_t *url_response(const struct approve_web_answer *a)
{
	json_t *headers = json_object();

	for (size_t i = 0; approve_web_headers[i] != NULL; i += 2) {
		json_object_set_new(headers, approve_web_headers[i],
			json_string(approve_web_headers[i + 1]));
	}
	json_object_set_new(headers, "Content-Security-Policy", json_string(a->csp));
	return json_pack("{s:i, s:o, s:o}", "statusCode", a->status, "headers", headers, "body",
		doc_str(buf_view(&a->html)));
}

static void carry_out(const struct flow *f, const char *case_id)
{
	json_t *response = NULL;
	struct err err = { 0 };
	enum err_status st = flow_resume(f, case_id, &response, &err);

	if (st != ERR_OK && st != ERR_AWAITING) {
		log_err(LOG_ERROR, "what was approved by a link was not carried out in full",
			&err);
	}
	json_decref(response);
}

/* An approval link: the page, and what was decided carried out before the function is frozen. */
static enum err_status answer_url(
	const struct flow *f, const json_t *event, json_t **answer, struct err *err)
{
	struct buf body;
	struct secret *key = NULL;
	struct approve_web_answer a;
	const char *text = doc_text_or(event, "body", "");
	enum err_status st = approval_link_key(f->env, f->aws, f->config, &key, err);

	if (st != ERR_OK) {
		return st;
	}
	buf_init(&body, APPROVE_WEB_BODY_MAX * 2);
	if (!doc_true(event, "isBase64Encoded")) {
		buf_puts(&body, text);
	} else if (!hash_unbase64(str_from(text), &body)) {
		buf_reset(&body);
	}
	const struct approve_web w = { .env = f->env, .journal = f->journal, .key = key };
	const struct approve_web_request r = {
		.method = str_from(doc_text(event, "requestContext.http.method")),
		.query = str_from(doc_text_or(event, "rawQueryString", "")),
		.body = buf_view(&body),
		.source_ip = str_from(doc_text_or(event, "requestContext.http.sourceIp", "")),
		.caller_arn = str_from(
			doc_text_or(event, "requestContext.authorizer.iam.userArn", "")),
		.accept_language = str_from(doc_text_or(event, "headers.accept-language", "")),
	};
	approve_web_answer(&w, &r, &a);
	*answer = url_response(&a);
	if (a.case_id[0] != '\0') {
		carry_out(f, a.case_id);
	}
	approve_web_deinit(&a);
	buf_deinit(&body);
	secret_free(key);
	return ERR_OK;
}

/* An EventBridge schedule: time to look for questions that nobody answered. */
static bool is_schedule(const json_t *event)
{
	return strcmp(doc_text_or(event, "detail-type", ""), "Scheduled Event") == 0 &&
	       strcmp(doc_text_or(event, "source", ""), "aws.events") == 0;
}

static enum err_status answer_schedule(const struct flow *f, json_t **answer, struct err *err)
{
	size_t n = 0;
	enum err_status st = flow_tick(f, &n, err);

	if (st == ERR_OK) {
		*answer = json_pack("{s:I}", "ran_out", (json_int_t)n);
	}
	return st;
}

enum err_status lambda_event_answer(
	const struct flow *f, struct str event, json_t **answer, struct err *err)
{
	json_t *doc = NULL, *responses = NULL;
	enum err_status st = doc_parse(event, DOC_MAX_BYTES, &doc, err);

	if (st != ERR_OK) {
		return st;
	}
	if (is_url_request(doc) || is_schedule(doc)) {
		st = is_schedule(doc) ? answer_schedule(f, answer, err)
				      : answer_url(f, doc, answer, err);
		json_decref(doc);
		return st;
	}
	if (is_sqs_batch(doc)) {
		*answer = answer_batch(f, doc_get(doc, "Records"));
		json_decref(doc);
		return ERR_OK;
	}
	json_decref(doc);
	st = answer_text(f, event, &responses, err);
	if (st == ERR_OK) {
		*answer = json_pack("{s:o}", "responses", responses);
	} else {
		json_decref(responses);
	}
	return st;
}
