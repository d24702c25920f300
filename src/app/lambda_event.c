#include "app/lambda.h"

#include "app/deliver.h"
#include "base/log.h"
#include "base/utc.h"

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

enum err_status lambda_event_answer(
	const struct flow *f, struct str event, json_t **answer, struct err *err)
{
	json_t *doc = NULL, *responses = NULL;
	enum err_status st = doc_parse(event, DOC_MAX_BYTES, &doc, err);

	if (st != ERR_OK) {
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
