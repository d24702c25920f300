#include "notify/notify.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MOST_MESSAGE = 256 * 1024, /* SNS: all forms together */
	MOST_TARGETS = 32,
};

/* One Publish: to the topic in one language, or to one phone. */
struct target {
	enum i18n_lang lang;
	const char *phone; /* NULL: the topic */
	char shown[2048];  /* what journal and reports show: the topic, or "+34*****1234" */
	struct notify_message *message;
	json_t *params;
};

struct round {
	struct target targets[MOST_TARGETS];
	size_t n;
	struct notify_message messages[2]; /* by language */
	bool rendered[2];
	char key[65]; /* state of the case that is told */
};

static json_t *newest_question(const json_t *view)
{
	const json_t *asked = doc_get(view, "approvals");
	size_t n = json_array_size(asked);

	return json_integer(n > 0 ? doc_int(json_array_get(asked, n - 1), "seq", 0) : 0);
}

/* What makes a message news: event, state, severity, cause, and the state of every step. */
static void state_key(const json_t *view, const char *event, char out[65])
{
	const json_t *steps = doc_get(view, "steps");
	json_t *states = json_array();
	json_t *all = NULL;

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		(void)json_array_append_new(
			states, json_pack("[s, s]", doc_text_or(step, "id", ""),
					doc_text_or(step, "state", "")));
	}
	all = json_pack("{s:s, s:s, s:s, s:s, s:f}", "event", event, "state",
		doc_text_or(view, "state", ""), "type", doc_text_or(view, "type", ""), "cause",
		doc_text_or(view, "investigation.verdict.class", ""), "severity",
		doc_real(view, "severity", 0));
	(void)json_object_set_new(all, "steps", states);
	/* A question put again is news, too. */
	(void)json_object_set_new(all, "asked", newest_question(view));
	doc_sha256(all, out);
	json_decref(all);
}

static bool already_sent(const json_t *records, const char *key, const struct target *t)
{
	for (size_t i = 0; i < json_array_size(records); i++) {
		const json_t *r = json_array_get(records, i);
		if (strcmp(doc_text_or(r, "kind", ""), "notify.sent") == 0 &&
			strcmp(doc_text_or(r, "payload.key", ""), key) == 0 &&
			strcmp(doc_text_or(r, "payload.target", ""), t->shown) == 0 &&
			strcmp(doc_text_or(r, "payload.lang", ""), i18n_code(t->lang)) == 0) {
			return true;
		}
	}
	return false;
}

/* A phone number is personal data: the journal keeps its ends only. */
static void mask(const char *phone, char out[2048])
{
	size_t n = strlen(phone);

	n = n > 20 ? 20 : n;
	for (size_t i = 0; i < n; i++) {
		out[i] = phone[i];
		if (i >= 3 && i + 4 < n) {
			out[i] = '*';
		}
	}
	out[n] = '\0';
}

static void aim(struct round *r, const json_t *records, enum i18n_lang lang, const char *phone,
	const char *topic)
{
	struct target *t = &r->targets[r->n];

	if (r->n == MOST_TARGETS) {
		return;
	}
	*t = (struct target){ .lang = lang, .phone = phone };
	if (phone) {
		mask(phone, t->shown);
	} else {
		(void)snprintf(t->shown, sizeof(t->shown), "%s", topic);
	}
	if (!already_sent(records, r->key, t)) {
		r->n++;
	}
}

static void aim_all(struct round *r, const json_t *records, const struct config *config)
{
	enum i18n_lang first = I18N_EN;
	size_t known = 0;

	for (size_t i = 0; i < config->languages.n; i++) {
		enum i18n_lang lang = I18N_EN;
		if (!i18n_from(config->languages.items[i], &lang)) {
			continue; /* config.c has refused it already */
		}
		first = known++ ? first : lang;
		if (config->topic_arn) {
			aim(r, records, lang, NULL, config->topic_arn);
		}
	}
	if (known == 0 && config->topic_arn) {
		aim(r, records, I18N_EN, NULL, config->topic_arn);
	}
	for (size_t i = 0; i < config->phone_numbers.n; i++) {
		aim(r, records, first, config->phone_numbers.items[i], NULL);
	}
}

static json_t *text_of(const struct buf *b)
{
	return doc_str(buf_view(b));
}

static json_t *message_attributes(const json_t *plain)
{
	json_t *out = json_object();
	union {
		const json_t *c;
		json_t *m;
	} u = { plain };
	const char *key = NULL;
	json_t *v = NULL;
	char number[32];

	json_object_foreach(u.m, key, v)
	{
		(void)snprintf(number, sizeof(number), "%g", json_number_value(v));
		(void)json_object_set_new(out, key,
			json_pack("{s:s, s:s}", "DataType",
				json_is_string(v) ? "String" : "Number", "StringValue",
				json_is_string(v) ? json_string_value(v) : number));
	}
	return out;
}

static enum err_status params_of(struct target *t, struct err *err)
{
	struct notify_message *m = t->message;
	struct buf text = { 0 };
	json_t *forms = NULL;

	if (t->phone) {
		t->params = json_pack("{s:s, s:o, s:{s:{s:s, s:s}}}", "PhoneNumber", t->phone,
			"Message", text_of(&m->sms), "MessageAttributes", "AWS.SNS.SMS.SMSType",
			"DataType", "String", "StringValue", "Transactional");
		return ERR_OK;
	}
	/* "https" is what Amazon Q subscribes by; programs use sqs, lambda, http, email-json. */
	forms = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "default",
		text_of(&m->sms), "email", text_of(&m->email), "sms", text_of(&m->sms), "https",
		text_of(&m->chat), "http", text_of(&m->machine), "email-json",
		text_of(&m->machine), "sqs", text_of(&m->machine), "lambda",
		text_of(&m->machine));
	buf_init(&text, MOST_MESSAGE);
	doc_canonical(forms, &text);
	json_decref(forms);
	if (!buf_ok(&text)) {
		buf_deinit(&text);
		return err_set(err, ERR_LIMIT,
			"the message is longer than SNS takes (%d bytes)", MOST_MESSAGE);
	}
	t->params = json_pack("{s:s, s:s, s:s, s:o, s:o}", "TopicArn", t->shown, "Subject",
		m->subject, "MessageStructure", "json", "Message", text_of(&text),
		"MessageAttributes", message_attributes(m->attributes));
	buf_deinit(&text);
	return ERR_OK;
}

static enum err_status render_all(struct round *r, const json_t *view, const char *event,
	const char *url, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct target *t = &r->targets[i];
		size_t l = t->lang == I18N_ES;
		enum err_status st = ERR_OK;
		if (!r->rendered[l]) {
			st = notify_render(view, event, t->lang, url, &r->messages[l], err);
			r->rendered[l] = st == ERR_OK;
		}
		t->message = &r->messages[l];
		if (st == ERR_OK) {
			st = params_of(t, err);
		}
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

static void tell_sent(
	json_t *sent, const struct target *t, const char *protocol, const struct buf *body)
{
	(void)json_array_append_new(
		sent, json_pack("{s:s, s:s, s:s, s:o, s:s}", "protocol", protocol, "lang",
			      i18n_code(t->lang), "subject", t->message->subject, "body",
			      text_of(body), "target", t->shown));
}

/* Journals what became of one publish; a journal that can't be written is logged only, since the
 * message is out already. */
static void record(struct journal *j, const char *case_id, const char *event, const char *key,
	const struct target *t, const struct aws_request *q)
{
	struct err err = { 0 };
	json_t *payload = NULL;
	bool fine = q->status == ERR_OK;

	if (fine) {
		payload = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "event", event,
			"protocol", t->phone ? "sms" : "sns", "lang", i18n_code(t->lang),
			"subject", t->message->subject, "message_id",
			doc_text_or(q->result, "MessageId", ""), "target", t->shown, "key",
			key);
	} else {
		payload = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s}}", "event", event,
			"protocol", t->phone ? "sms" : "sns", "lang", i18n_code(t->lang),
			"target", t->shown, "error", "status", err_name(q->status), "code",
			q->err.code, "message", q->err.msg);
	}
	if (journal_append(j, case_id, fine ? "notify.sent" : "notify.failed", payload, NULL,
		    &err) != ERR_OK) {
		log_err(LOG_ERROR, "what became of a message could not be recorded", &err);
	}
	json_decref(payload);
}

static enum err_status publish(const struct desk *desk, struct round *r, const json_t *view,
	const char *event, json_t *sent, struct err *err)
{
	const char *case_id = doc_text_or(view, "case", "");
	struct aws_request requests[MOST_TARGETS] = { 0 };
	size_t failed = 0;
	enum err_status st = ERR_OK;

	for (size_t i = 0; i < r->n; i++) {
		requests[i].service = "sns";
		requests[i].operation = "Publish";
		requests[i].params = r->targets[i].params;
	}
	st = aws_call_many(desk->aws, requests, r->n, err);
	for (size_t i = 0; i < r->n; i++) {
		struct target *t = &r->targets[i];
		record(desk->journal, case_id, event, r->key, t, &requests[i]);
		failed += requests[i].status != ERR_OK;
		if (requests[i].status == ERR_OK && t->phone) {
			tell_sent(sent, t, "sms", &t->message->sms);
		} else if (requests[i].status == ERR_OK) {
			tell_sent(sent, t, "email", &t->message->email);
			tell_sent(sent, t, "sms", &t->message->sms);
			tell_sent(sent, t, "sqs", &t->message->machine);
			tell_sent(sent, t, "https", &t->message->chat);
		}
		json_decref(requests[i].result);
	}
	if (failed && failed < r->n) {
		(void)err_prefix(err, "%zu of %zu messages were not sent: ", failed, r->n);
		return err ? (err->status = ERR_PARTIAL) : ERR_PARTIAL;
	}
	return st;
}

enum err_status notify_case(const struct desk *desk, const json_t *case_view, const char *event,
	json_t **sent, struct err *err)
{
	const struct config *config = desk->config;
	struct round *r = NULL;
	json_t *records = NULL;
	json_t *list = json_array();
	enum err_status st = ERR_OK;

	if (!config->topic_arn && config->phone_numbers.n == 0) {
		json_decref(list);
		return err_set(err, ERR_CONFIG,
			"nobody can be told: neither notify.topic_arn nor notify.phone_numbers "
			"is configured; set notify.topic_arn to an SNS topic in cordon.yaml");
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		BUG("out of memory");
	}
	state_key(case_view, event, r->key);
	TRY(journal_read(desk->journal, doc_text_or(case_view, "case", ""), &records, err));
	aim_all(r, records, config);
	TRY(render_all(r, case_view, event, config->case_url, err));
	if (r->n) {
		st = publish(desk, r, case_view, event, list, err);
	}
	if (sent) {
		*sent = json_incref(list);
	}
out:
	for (size_t i = 0; i < r->n; i++) {
		json_decref(r->targets[i].params);
	}
	for (size_t i = 0; i < 2; i++) {
		if (r->rendered[i]) {
			notify_deinit(&r->messages[i]);
		}
	}
	free(r);
	json_decref(records);
	json_decref(list);
	return st;
}
