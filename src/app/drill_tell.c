#include "app/drill.h"

#include "aws/uri.h"
#include "base/hash.h"
#include "base/phrase.h"
#include "response/action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 12

/* A sentence of a document in the drill's language. */
static void phrase(const struct drill *d, const json_t *said, struct buf *out)
{
	buf_init(out, 4096);
	phrase_say(d->say.lang, said, out);
}

/* A line whose value is the sentence of a document; `otherwise` when it has none. */
static void say_phrase(
	struct drill *d, const char *text, const json_t *said, const char *otherwise)
{
	struct buf b;

	phrase(d, said, &b);
	drill_say_line(&d->say, DRILL_SKIP, text, b.n > 0 ? b.p : otherwise);
	buf_deinit(&b);
}

static void mark_step(struct drill *d, const json_t *detail)
{
	const char *state = doc_text_or(detail, "state", ""),
		   *name = doc_text_or(detail, "action", "");
	const char *step = doc_text_or(detail, "step", name);
	const struct action *a = action_find(name);
	const char *title = a != NULL ? a->title : name;

	if (strcmp(state, "done") == 0) {
		if (strcmp(name, "isolate-network") == 0) {
			struct aws_stats stats;

			aws_client_stats(d->responder, &stats);
			pthread_mutex_lock(&d->lock);
			d->isolated_us = env_mono_us(d->app->env);
			d->rounds_isolated = stats.rounds;
			pthread_mutex_unlock(&d->lock);
		}
		drill_say_line(&d->say, DRILL_GOOD, title, step);
		if (a != NULL && a->why != NULL) {
			drill_say_why(&d->say, a->why);
		}
	} else if (strcmp(state, "failed") == 0) {
		drill_say_line(&d->say, DRILL_BAD, title,
			doc_text_or(detail, "payload.error.message",
				doc_text_or(detail, "payload.error", "")));
	} else if (strcmp(state, "skipped") == 0) {
		say_phrase(d, title, doc_get(detail, "payload"), "");
	} else if (strcmp(state, "awaiting_approval") == 0) {
		drill_say_line(&d->say, DRILL_BUSY, title,
			i18n_tr(d->say.lang, N_("waits for a person")));
	}
}

static void mark_received(struct drill *d)
{
	struct aws_stats stats;

	aws_client_stats(d->responder, &stats);
	d->rounds_received = stats.rounds;
}

void drill_tell_watch(void *ctx, const char *stage, const json_t *detail)
{
	struct drill *d = ctx;

	if (strcmp(stage, "received") == 0) {
		mark_received(d);
	} else if (strcmp(stage, "case") == 0 && d->case_us == 0) {
		d->case_us = env_mono_us(d->app->env);
		(void)snprintf(
			d->case_id, sizeof(d->case_id), "%s", doc_text_or(detail, "case", ""));
		drill_say_line(&d->say, DRILL_GOOD, N_("Case opened"), d->case_id);
	} else if (strcmp(stage, "held") == 0) {
		say_phrase(d, N_("A guard holds the response back:"), detail,
			doc_text_or(detail, "guard", ""));
	} else if (strcmp(stage, "planned") == 0) {
		char steps[32];

		(void)snprintf(
			steps, sizeof(steps), "%zu", json_array_size(doc_get(detail, "steps")));
		drill_say_line(&d->say, DRILL_GOOD, N_("Plan made; steps:"), steps);
	} else if (strcmp(stage, "step") == 0) {
		mark_step(d, detail);
	} else if (strcmp(stage, "contained") == 0) {
		drill_say_line(&d->say, DRILL_GOOD, N_("Containment ends in the state"),
			doc_text_or(detail, "state", ""));
	} else if (strcmp(stage, "notified") == 0) {
		drill_say_line(&d->say, DRILL_GOOD, N_("The team was told through SNS"), "");
	} else if (strcmp(stage, "evidence") == 0) {
		char n[64];

		(void)snprintf(n, sizeof(n), "%zu", json_array_size(doc_get(detail, "items")));
		drill_say_line(
			&d->say, DRILL_GOOD, N_("Evidence stored and locked; objects:"), n);
	} else if (strcmp(stage, "analysed") == 0) {
		drill_say_line(&d->say, DRILL_GOOD, N_("The logs were read; verdict:"),
			doc_text_or(detail, "verdict.class", ""));
	}
}

/* "path: before -> after" of every single value that a measure changed. */
static void show_change(struct drill *d, const json_t *step)
{
	json_t *list = drill_look_differences(doc_get(step, "before"), doc_get(step, "after"));
	size_t i;
	json_t *line;

	json_array_foreach(list, i, line)
	{
		char text[200];

		if (i == 3) {
			break;
		}
		(void)snprintf(text, sizeof(text), "%.150s", json_string_value(line));
		drill_say_quote(&d->say, text);
	}
	json_decref(list);
}

void drill_tell_measures(struct drill *d)
{
	size_t i;
	json_t *step;

	json_array_foreach(doc_get(d->view, "steps"), i, step)
	{
		const struct action *a = action_find(doc_text_or(step, "action", ""));
		bool done = strcmp(doc_text_or(step, "state", ""), "done") == 0;

		if (!done) {
			continue;
		}
		drill_say_line(&d->say, doc_true(step, "verified") ? DRILL_GOOD : DRILL_BAD,
			a != NULL ? a->title : doc_text_or(step, "id", ""),
			doc_text_or(step, "resource.id", ""));
		if (json_is_object(doc_get(step, "origin"))) {
			struct buf origin;
			phrase(d, doc_get(step, "origin"), &origin);
			drill_say_fact(
				&d->say, N_("found in the logs"), origin.n > 0 ? origin.p : "");
			buf_deinit(&origin);
		}
		if (doc_text(step, "proof.text") != NULL) {
			struct buf proof;
			phrase(d, doc_get(step, "proof"), &proof);
			drill_say_fact(&d->say, N_("read back"), proof.n > 0 ? proof.p : "");
			buf_deinit(&proof);
		} else {
			show_change(d, step);
		}
	}
}

static void show_list(struct drill *d, const char *label, const json_t *list)
{
	struct buf b;
	size_t i;
	json_t *item;

	if (json_array_size(list) == 0) {
		return;
	}
	buf_init(&b, 4096);
	json_array_foreach(list, i, item)
	{
		buf_printf(&b, "%s%s", i > 0 ? ", " : "",
			json_is_string(item) ? app_tr(d->app, json_string_value(item))
					     : doc_text_or(item, "class", ""));
	}
	drill_say_fact(&d->say, label, b.p != NULL ? b.p : "");
	buf_deinit(&b);
}

static void show_chain(struct drill *d, const json_t *verdict)
{
	size_t i;
	json_t *link;
	struct buf said;

	json_array_foreach(doc_get(verdict, "chain"), i, link)
	{
		char text[600];

		if (i == SHOWN_MAX) {
			break;
		}
		phrase(d, link, &said);
		(void)snprintf(text, sizeof(text), "%-20.20s %.480s  [%zu]",
			doc_text_or(link, "time", ""), said.p,
			json_array_size(doc_get(link, "events")));
		buf_deinit(&said);
		drill_say_quote(&d->say, text);
	}
}

void drill_tell_verdict(struct drill *d)
{
	const json_t *verdict = doc_get(d->view, "investigation.verdict");
	size_t i;
	json_t *claim;
	struct buf said;
	char text[64];

	if (verdict == NULL) {
		drill_say_line(&d->say, DRILL_BAD,
			N_("No verdict: the logs could not be analysed"), "");
		return;
	}
	(void)snprintf(text, sizeof(text), "%s  %.0f %%",
		doc_text_or(verdict, "class", "undetermined"),
		doc_real(verdict, "confidence", 0) * 100);
	drill_say_line(&d->say, DRILL_GOOD, N_("Root cause:"), text);
	show_chain(d, verdict);
	show_list(d, N_("addresses"), doc_get(verdict, "source_ips"));
	show_list(d, N_("keys"), doc_get(verdict, "access_keys"));
	show_list(d, N_("principals"), doc_get(verdict, "principals"));
	show_list(d, N_("alternatives"), doc_get(verdict, "alternatives"));
	json_array_foreach(doc_get(verdict, "claims"), i, claim)
	{
		char weight[700];

		if (i == 6) {
			break;
		}
		phrase(d, claim, &said);
		(void)snprintf(weight, sizeof(weight), "%+.2f  %.600s",
			doc_real(claim, "weight", 0), said.p);
		buf_deinit(&said);
		drill_say_quote(&d->say, weight);
	}
	show_list(d, N_("would settle it"), doc_get(verdict, "missing"));
}

void drill_tell_kept(struct drill *d, const json_t *step)
{
	const json_t *why = NULL;
	json_t *found;
	size_t i;

	json_array_foreach(doc_get(step, "differences"), i, found)
	{
		why = why == NULL && doc_true(found, "blocking") ? found : why;
	}
	say_phrase(d, N_("Not undone by itself:"), why,
		doc_text_or(step, "error.message", doc_text_or(step, "id", "")));
}

void drill_tell_evidence(struct drill *d)
{
	size_t i, n = json_array_size(doc_get(d->view, "evidence"));
	json_t *item;
	char text[400];

	json_array_foreach(doc_get(d->view, "evidence"), i, item)
	{
		const char *name = doc_text_or(item, "name", ""), *base = strrchr(name, 0x2f);

		if (i == SHOWN_MAX) {
			(void)snprintf(text, sizeof(text), "+ %zu", n - SHOWN_MAX);
			drill_say_quote(&d->say, text);
			break;
		}
		(void)snprintf(text, sizeof(text),
			"%.12s\xe2\x80\xa6 %7lld  %.10s %.10s  %.200s",
			doc_text_or(item, "sha256", "?"), (long long)doc_int(item, "size", 0),
			doc_text_or(item, "lock_mode", "-"),
			doc_text_or(item, "retain_until", "-"), base != NULL ? base + 1 : name);
		drill_say_quote(&d->say, text);
	}
}

static void add_message(struct drill *d, const char *protocol, const char *lang,
	const char *subject, const char *body)
{
	json_array_append_new(
		d->messages, json_pack("{s:s, s:s, s:s, s:s}", "protocol", protocol, "lang",
				     lang, "subject", subject, "body", body));
}

/* One field of an application/x-www-form-urlencoded body, decoded; false when it is not there. */
static bool form_field(struct str body, const char *name, struct buf *out)
{
	struct str pair, key;

	while (str_cut(&body, '&', &pair)) {
		if (str_cut(&pair, '=', &key) && str_is(key, name)) {
			char *text = str_dup(pair);
			for (char *p = strchr(text, '+'); p != NULL; p = strchr(p, '+')) {
				*p = ' ';
			}
			uri_decode(str_from(text), out);
			free(text);
			return buf_ok(out) && out->n > 0;
		}
	}
	return false;
}

/* What SNS was asked to publish: the text of each protocol is in there. */
static void collect_publish(struct drill *d, struct str body)
{
	static const char *const protocols[] = { "email", "sms", NULL };
	struct buf action, text, subject;
	json_t *parts = NULL;

	buf_init(&action, 64);
	buf_init(&text, (size_t)512 * 1024);
	buf_init(&subject, 1024);
	if (form_field(body, "Action", &action) && str_is(buf_view(&action), "Publish") &&
		form_field(body, "Message", &text)) {
		(void)form_field(body, "Subject", &subject);
		if (doc_parse(buf_view(&text), DOC_MAX_BYTES, &parts, NULL) != ERR_OK) {
			parts = json_pack("{s:o}", "sms",
				doc_str(buf_view(&text))); /* straight to a phone */
		}
		for (size_t i = 0; protocols[i] != NULL; i++) {
			const char *message = doc_text(parts, protocols[i]);

			if (message != NULL) {
				add_message(d, protocols[i], i18n_code(d->say.lang),
					subject.p != NULL ? subject.p : "", message);
			}
		}
	}
	json_decref(parts);
	buf_deinit(&action);
	buf_deinit(&text);
	buf_deinit(&subject);
}

/* The emulator's record of requests, one JSON line each. */
static void collect_requests(struct drill *d, struct str lines)
{
	struct str line;
	struct buf body;

	while (str_cut(&lines, '\n', &line)) {
		json_t *request = NULL;

		if (str_find(line, STR("/sns/")) == SIZE_MAX ||
			doc_parse(line, DOC_MAX_BYTES, &request, NULL) != ERR_OK) {
			continue;
		}
		buf_init(&body, (size_t)1024 * 1024);
		if (!doc_true(request, "body_encoded")) {
			buf_puts(&body, doc_text_or(request, "body", ""));
		} else if (!hash_unbase64(str_from(doc_text_or(request, "body", "")), &body)) {
			buf_reset(&body);
		}
		collect_publish(d, buf_view(&body));
		buf_deinit(&body);
		json_decref(request);
	}
}

static enum err_status collect_inbox(struct drill *d, struct err *err)
{
	for (int round = 0; round < 20; round++) {
		json_t *got = NULL, *message,
		       *params = json_pack("{s:s, s:i}", "QueueUrl", d->inbox_url,
			       "MaxNumberOfMessages", 10);
		enum err_status st =
			aws_call(d->admin, "sqs", "ReceiveMessage", params, &got, err);
		size_t i, n = json_array_size(doc_get(got, "Messages"));

		json_decref(params);
		if (st != ERR_OK || n == 0) {
			json_decref(got);
			return st;
		}
		json_array_foreach(doc_get(got, "Messages"), i, message)
		{
			json_t *note = NULL;

			if (doc_parse(str_from(doc_text_or(message, "Body", "")), DOC_MAX_BYTES,
				    &note, NULL) == ERR_OK) {
				add_message(d, "sqs",
					doc_text_or(note, "MessageAttributes.lang.Value",
						i18n_code(d->say.lang)),
					doc_text_or(note, "Subject", ""),
					doc_text_or(note, "Message", ""));
			}
			json_decref(note);
		}
		json_decref(got);
	}
	return ERR_OK;
}

enum err_status drill_tell_collect(struct drill *d, struct err *err)
{
	struct buf text;
	char url[160];
	enum err_status st;

	json_array_clear(d->messages);
	buf_init(&text, (size_t)256 * 1024 * 1024);
	(void)snprintf(
		url, sizeof(url), "%s/moto-api/recorder/download-recording", d->moto_url);
	st = drill_servers_http("GET", url, NULL, &text, err);
	if (st == ERR_OK) {
		collect_requests(d, buf_view(&text));
	}
	buf_deinit(&text);
	if (st != ERR_OK) {
		return st;
	}
	return collect_inbox(d, err);
}

void drill_tell_messages(struct drill *d)
{
	static const char *const protocols[] = { "email", "sms", NULL };
	size_t i;
	json_t *m;

	for (size_t k = 0; protocols[k] != NULL; k++) {
		const json_t *last = NULL;

		json_array_foreach(d->messages, i, m)
		{
			if (strcmp(doc_text_or(m, "protocol", ""), protocols[k]) == 0) {
				last = m;
			}
		}
		if (last == NULL) {
			continue;
		}
		if (k == 0) {
			drill_say_fact(&d->say, N_("e-mail to"), "soc@techsolutions.example");
			drill_say_fact(
				&d->say, N_("subject"), doc_text_or(last, "subject", ""));
		} else {
			drill_say_fact(&d->say, N_("SMS to"), "+34 600 000 001");
		}
		drill_say_quote(&d->say, doc_text_or(last, "body", ""));
	}
}
