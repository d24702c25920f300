#include "report/sections.h"

#include <string.h>

static const struct {
	const char *state, *words;
	enum sheet_tone tone;
} states[] = {
	{ "planned", N_("planned"), SHEET_PLAIN },
	{ "awaiting_approval", N_("waiting for approval"), SHEET_WAIT },
	{ "rejected", N_("rejected"), SHEET_PLAIN },
	{ "running", N_("running"), SHEET_WAIT },
	{ "done", N_("done"), SHEET_GOOD },
	{ "failed", N_("failed"), SHEET_BAD },
	{ "skipped", N_("not needed"), SHEET_PLAIN },
	{ "undone", N_("undone"), SHEET_INFO },
	{ "undo_failed", N_("undo failed"), SHEET_BAD },
};

const char *measures_state_words(const char *state, enum sheet_tone *tone)
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

const char *measures_title(const json_t *step)
{
	return doc_text_or(step, "title", doc_text_or(step, "action", "?"));
}

/* One key: what it was, an arrow, what it is; one side alone when only that is known. */
static void turn(struct sheet *s, const char *key, const json_t *before, const json_t *after)
{
	sheet_code(s, key);
	buf_puts(s->out, ": ");
	if (before) {
		sheet_raw(s, after ? "<del>" : "<span>");
		sheet_value(s, before);
		sheet_raw(s, after ? "</del>" : "</span>");
	}
	if (before && after) {
		buf_puts(s->out, " \xe2\x86\x92 ");
	}
	if (after) {
		sheet_raw(s, "<ins>");
		sheet_value(s, after);
		sheet_raw(s, "</ins>");
	}
}

static void change(struct sheet *s, const char *key, const json_t *before, const json_t *after)
{
	sheet_begin(s, SHEET_ITEM);
	turn(s, key, before, after);
	sheet_end(s, SHEET_ITEM);
}

void measures_differences(struct sheet *s, const json_t *step)
{
	const json_t *found = doc_get(step, "differences");

	if (json_array_size(found) == 0) {
		return;
	}
	sheet_fact(s, N_("Changed by somebody else meanwhile"));
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < json_array_size(found); i++) {
		const json_t *d = json_array_get(found, i);
		sheet_begin(s, SHEET_ITEM);
		sheet_phrase(s, d);
		sheet_space(s);
		sheet_code(s, doc_text(d, "resource"));
		if (doc_text(d, "what")) {
			sheet_space(s);
			turn(s, doc_text(d, "what"), doc_get(d, "before"), doc_get(d, "now"));
		}
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
}

/* Key by key; what stayed the same is not shown. */
static void before_after(struct sheet *s, json_t *before, json_t *after)
{
	const char *key = NULL;
	json_t *v = NULL;

	sheet_begin(s, SHEET_LIST);
	json_object_foreach(before, key, v)
	{
		json_t *now = json_object_get(after, key);
		if (!now || !doc_eq(v, now)) {
			change(s, key, v, now);
		}
	}
	json_object_foreach(after, key, v)
	{
		if (!json_object_get(before, key)) {
			change(s, key, NULL, v);
		}
	}
	sheet_end(s, SHEET_LIST);
}

static void calls(struct sheet *s, const json_t *list)
{
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);
		sheet_begin(s, SHEET_ITEM);
		sheet_code(s, json_is_string(c) ? json_string_value(c) : doc_text(c, "call"));
		if (doc_text(c, "request_id")) {
			sheet_space(s);
			sheet_begin(s, SHEET_SMALL);
			sheet_fill(s, "request {0}",
				(struct str[]){ str_from(doc_text(c, "request_id")) }, 1);
			sheet_end(s, SHEET_SMALL);
		}
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
}

static void when(struct sheet *s, const json_t *step)
{
	char span[48] = "";
	int64_t from = 0;
	int64_t to = 0;

	if (!doc_get(step, "started")) {
		return;
	}
	sheet_fact(s, N_("When"));
	sheet_time(s, doc_get(step, "started"));
	if (sheet_time_ms(doc_get(step, "started"), &from) &&
		sheet_time_ms(doc_get(step, "finished"), &to) && to >= from) {
		sheet_duration(to - from, span);
		sheet_space(s);
		sheet_begin(s, SHEET_SMALL);
		sheet_fill(s, "took {0}", (struct str[]){ str_from(span) }, 1);
		sheet_end(s, SHEET_SMALL);
	}
}

static void title(struct sheet *s, const json_t *step)
{
	enum sheet_tone tone = SHEET_PLAIN;
	const char *words = measures_state_words(doc_text(step, "state"), &tone);

	sheet_raw(s, "<h3>");
	if (!s->html) {
		buf_puts(s->out, "### ");
	}
	sheet_say(s, measures_title(step));
	sheet_space(s);
	sheet_code(s, doc_text(step, "resource.id"));
	sheet_raw(s, "</h3>\n");
	if (!s->html) {
		buf_puts(s->out, "\n\n");
	}
	sheet_begin(s, SHEET_PARA);
	sheet_badge(s, tone, words);
	if (doc_true(step, "verified")) {
		sheet_space(s);
		sheet_badge(s, SHEET_GOOD, N_("verified"));
	} else if (strcmp(doc_text_or(step, "state", ""), "done") == 0) {
		sheet_space(s);
		sheet_badge(s, SHEET_WARN, N_("not verified"));
	}
	if (doc_text(step, "proof.text")) {
		sheet_space(s);
		sheet_phrase(s, doc_get(step, "proof"));
	}
	sheet_end(s, SHEET_PARA);
}

static void one(struct sheet *s, const json_t *step)
{
	json_t *before = doc_get(step, "before");
	json_t *after = doc_get(step, "after");
	bool acted = doc_get(step, "started") != NULL;

	sheet_begin(s, SHEET_CARD);
	title(s, step);
	sheet_begin(s, SHEET_FACTS);
	when(s, step);
	if (json_is_object(doc_get(step, "origin"))) {
		sheet_fact(s, N_("Found by the analysis"));
		sheet_phrase(s, doc_get(step, "origin"));
	}
	if (doc_text(step, "why")) {
		sheet_fact(s, N_("Why"));
		sheet_say(s, doc_text(step, "why"));
	}
	if (doc_text(step, "error.message")) {
		sheet_fact(s, N_("Error"));
		sheet_text(s, doc_text(step, "error.message"));
	}
	if (doc_text(step, "before.reason")) {
		struct buf said = { 0 };
		sheet_fact(s, N_("Reason"));
		buf_init(&said, 65536);
		sheet_phrase_text(s, doc_get(step, "before"), &said);
		sheet_text(s, said.p);
		buf_deinit(&said);
	}
	if (doc_text(step, "undo")) {
		sheet_fact(s, N_("Undo"));
		sheet_say(s, doc_text(step, "undo"));
	}
	measures_differences(s, step);
	sheet_end(s, SHEET_FACTS);
	if (acted && json_object_size(after) && sheet_room(s, 0.5)) {
		sheet_fold(s, N_("Before and after"), true);
		before_after(s, before, after);
		sheet_fold_end(s);
	}
	if (acted && json_array_size(doc_get(step, "calls"))) {
		sheet_fold(s, N_("API calls"), false);
		calls(s, doc_get(step, "calls"));
		sheet_fold_end(s);
	}
	sheet_end(s, SHEET_CARD);
}

void measures_write(struct sheet *s)
{
	const json_t *steps = doc_get(s->view, "steps");
	char line[128];
	size_t done = 0;

	sheet_section(s, "done", N_("What was done"));
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		if (strcmp(doc_text_or(step, "state", ""), "awaiting_approval") == 0) {
			continue; /* stands under "Needs you now" */
		}
		if (strcmp(doc_text_or(step, "state", ""), "done") == 0) {
			done++;
		}
		one(s, step);
	}
	if (json_array_size(steps) == 0) {
		sheet_begin(s, SHEET_PARA);
		sheet_say(s, "Nothing was changed in the account.");
		sheet_end(s, SHEET_PARA);
	}
	if (done) {
		(void)snprintf(line, sizeof(line), "cordon undo %s",
			doc_text_or(s->view, "case", "CASE"));
		sheet_begin(s, SHEET_NOTE);
		sheet_say(s, "Everything that can be undone is put back exactly by");
		sheet_space(s);
		sheet_command(s, line);
		sheet_end(s, SHEET_NOTE);
	}
	sheet_section_end(s);
}
