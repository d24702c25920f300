#include "finding/finding.h"
#include "incident/view.h"
#include "report/sections.h"

#include <string.h>

static const struct {
	const char *state, *words, *sentence;
	enum sheet_tone tone;
} states[] = {
	{ "open", N_("open"), N_("The case is open; nothing has been done yet."), SHEET_WAIT },
	{ "observed", N_("observed"), N_("It was observed and reported; nothing was changed."),
		SHEET_INFO },
	{ "awaiting_approval", N_("waiting for approval"),
		N_("Containment waits for a person's decision."), SHEET_WAIT },
	{ "contained", N_("contained"),
		N_("The incident is contained and every measure was verified."), SHEET_GOOD },
	{ "partial", N_("contained in part"),
		N_("The incident is contained in part; what is left needs a person."),
		SHEET_WARN },
	{ "failed", N_("not contained"), N_("Containment failed; a person has to act now."),
		SHEET_BAD },
	{ "undone", N_("undone"),
		N_("The measures were undone and the account is as it was before."),
		SHEET_INFO },
	{ "closed", N_("closed"), N_("The case is closed."), SHEET_GOOD },
};

static const struct {
	const char *class_name, *sentence;
} stories[] = {
	{ "leaked_access_key", N_("An intruder used a leaked access key") },
	{ "instance_credential_theft",
		N_("An intruder used credentials stolen from an instance") },
	{ "console_password", N_("An intruder signed in to the console with a password") },
	{ "web_exploitation", N_("An intruder got in through a vulnerable web application") },
	{ "ssh_bruteforce", N_("An intruder guessed an SSH password") },
	{ "public_exposure", N_("Data was open to the public") },
	{ "valid_credentials_known_origin",
		N_("Valid credentials were used from a known place") },
	{ "no_incident", N_("No incident: the activity has an innocent explanation") },
	{ "undetermined", N_("How it began is not settled yet") },
};

const char *headline_state_words(const char *state, enum sheet_tone *tone)
{
	for (size_t i = 0; state && i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].state, state) == 0) {
			*tone = states[i].tone;
			return states[i].words;
		}
	}
	*tone = SHEET_PLAIN;
	return state ? state : N_("unknown");
}

static const char *state_sentence(const char *state)
{
	for (size_t i = 0; state && i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].state, state) == 0) {
			return states[i].sentence;
		}
	}
	return "";
}

const char *headline_story(const json_t *view)
{
	const char *class_name = doc_text(view, "investigation.verdict.class");

	for (size_t i = 0; class_name && i < sizeof(stories) / sizeof(stories[0]); i++) {
		if (strcmp(stories[i].class_name, class_name) == 0) {
			return stories[i].sentence;
		}
	}
	return NULL;
}

static void severity_badge(struct sheet *s)
{
	static const struct {
		const char *word, *words;
		enum sheet_tone tone;
	} levels[] = {
		{ "critical", N_("critical severity"), SHEET_BAD },
		{ "high", N_("high severity"), SHEET_BAD },
		{ "medium", N_("medium severity"), SHEET_WARN },
		{ "low", N_("low severity"), SHEET_INFO },
	};
	const char *word = finding_severity_word(doc_real(s->view, "severity", 0));

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].word, word) == 0) {
			sheet_badge(s, levels[i].tone, levels[i].words);
			return;
		}
	}
	sheet_badge(s, SHEET_PLAIN, N_("informational"));
}

static void badges(struct sheet *s)
{
	enum sheet_tone tone = SHEET_PLAIN;
	const char *class_name = doc_text(s->view, "investigation.verdict.class");
	const char *state = headline_state_words(doc_text(s->view, "state"), &tone);
	char percent[16] = "";

	sheet_raw(s, "<p class=\"badges\">");
	severity_badge(s);
	sheet_space(s);
	sheet_badge(s, tone, state);
	if (class_name) {
		double sure = doc_real(s->view, "investigation.verdict.confidence", 0);
		(void)snprintf(percent, sizeof(percent), "%.0f %%", sure * 100);
		sheet_space(s);
		sheet_badge(s, SHEET_INFO, view_cause(class_name));
		sheet_space(s);
		sheet_fill(s, "confidence {0}", (struct str[]){ str_from(percent) }, 1);
	}
	sheet_raw(s, "</p>\n");
	if (!s->html) {
		buf_puts(s->out, "\n\n");
	}
}

static const json_t *first_message_at(const json_t *view)
{
	const json_t *messages = doc_get(view, "messages");

	for (size_t i = 0; i < json_array_size(messages); i++) {
		const json_t *m = json_array_get(messages, i);
		if (!doc_get(m, "error") && doc_get(m, "time")) {
			return doc_get(m, "time");
		}
	}
	return NULL;
}

/* `after` is the sentence that says how long after `since` it was. */
static void clock_tile(struct sheet *s, const char *label, const json_t *time,
	const json_t *since, const char *after)
{
	char span[48] = "";
	int64_t at = 0;
	int64_t from = 0;

	sheet_begin(s, SHEET_ITEM);
	sheet_raw(s, "<span class=\"label\">");
	sheet_say(s, label);
	sheet_raw(s, "</span> ");
	if (!s->html) {
		buf_puts(s->out, ": ");
	}
	sheet_time(s, time);
	if (since && sheet_time_ms(time, &at) && sheet_time_ms(since, &from) && at >= from) {
		sheet_duration(at - from, span);
		sheet_raw(s, " <span class=\"span\">");
		buf_puts(s->out, s->html ? "" : " (");
		sheet_fill(s, after, (struct str[]){ str_from(span) }, 1);
		buf_puts(s->out, s->html ? "</span>" : ")");
	}
	sheet_end(s, SHEET_ITEM);
}

static void clocks(struct sheet *s)
{
	const json_t *opened = doc_get(s->view, "opened");
	const json_t *entry = doc_get(s->view, "investigation.verdict.entry_time");
	int64_t ms = view_contained_ms(s->view);
	json_t *contained = ms >= 0 ? json_integer(ms) : NULL;

	sheet_raw(s, "<div class=\"clocks\">");
	sheet_begin(s, SHEET_LIST);
	if (json_is_string(entry)) {
		clock_tile(s, N_("Intruder came in"), entry, NULL, "");
	}
	clock_tile(s, N_("Case opened"), opened, json_is_string(entry) ? entry : NULL,
		N_("{0} after the intruder"));
	clock_tile(s, N_("Contained"), contained, opened, N_("{0} after the case opened"));
	clock_tile(s, N_("Team told"), first_message_at(s->view), opened,
		N_("{0} after the case opened"));
	sheet_end(s, SHEET_LIST);
	sheet_raw(s, "</div>\n");
	json_decref(contained);
}

static void resources(struct sheet *s)
{
	const json_t *list = doc_get(s->view, "resources");

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i) {
			buf_puts(s->out, ", ");
		}
		sheet_text(s, doc_text(json_array_get(list, i), "kind"));
		sheet_space(s);
		sheet_code(s, doc_text(json_array_get(list, i), "id"));
	}
}

static void facts(struct sheet *s)
{
	sheet_begin(s, SHEET_FACTS);
	sheet_fact(s, N_("Finding"));
	sheet_code(s, doc_text(s->view, "type"));
	sheet_fact(s, N_("Resources"));
	resources(s);
	sheet_fact(s, N_("Account"));
	sheet_code(s, doc_text(s->view, "account"));
	sheet_fact(s, N_("Region"));
	sheet_code(s, doc_text(s->view, "region"));
	sheet_fact(s, N_("Playbook"));
	sheet_code(s, doc_text_or(s->view, "playbook", "-"));
	sheet_fact(s, N_("Last change"));
	sheet_time(s, doc_get(s->view, "updated"));
	sheet_end(s, SHEET_FACTS);
}

void headline_write(struct sheet *s)
{
	const char *story = headline_story(s->view);

	sheet_raw(s, "<header class=\"top\">\n<p class=\"brand\">cordon \xc2\xb7 ");
	if (s->html) {
		sheet_say(s, "incident report");
		buf_puts(s->out, " \xc2\xb7 ");
		sheet_fill(s, "case {0}", (struct str[]){ str_from(doc_text(s->view, "case")) },
			1);
		buf_puts(s->out, " \xc2\xb7 TLP:AMBER</p>\n<h1>");
	} else {
		buf_puts(s->out, "# ");
	}
	if (story) {
		sheet_say(s, story);
	} else {
		sheet_text(s, doc_text_or(s->view, "title", sheet_tr(s, "Incident")));
	}
	buf_puts(s->out, s->html ? "</h1>\n" : "\n\n");
	if (!s->html) {
		sheet_fill(s, "case {0}", (struct str[]){ str_from(doc_text(s->view, "case")) },
			1);
		buf_puts(s->out, " \xc2\xb7 TLP:AMBER\n\n");
	}
	badges(s);
	sheet_begin(s, SHEET_LEAD);
	sheet_say(s, state_sentence(doc_text(s->view, "state")));
	if (story) {
		sheet_space(s);
		sheet_text(s, doc_text(s->view, "title"));
	}
	sheet_end(s, SHEET_LEAD);
	clocks(s);
	facts(s);
	sheet_raw(s, "</header>\n");
}
