#include "report/sections.h"

#include <string.h>

static const json_t *question_of(const json_t *view, const char *step_id)
{
	const json_t *asked = doc_get(view, "approvals");

	for (size_t i = json_array_size(asked); i > 0; i--) {
		const json_t *a = json_array_get(asked, i - 1);
		if (strcmp(doc_text_or(a, "step", ""), step_id) == 0) {
			return a;
		}
	}
	return NULL;
}

static void command(struct sheet *s, const char *verb, const char *rest)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "cordon %s %s%s%s", verb,
		doc_text_or(s->view, "case", "CASE"), rest ? " " : "", rest ? rest : "");
	sheet_command(s, line);
}

static void words_of(struct sheet *s, const json_t *step, const char *key, const char *label)
{
	if (doc_text(step, key)) {
		sheet_fact(s, label);
		sheet_say(s, doc_text(step, key));
	}
}

static void approval(struct sheet *s, const json_t *step)
{
	const char *id = doc_text_or(step, "id", "");
	const json_t *asked = question_of(s->view, id);
	const char *expiry = doc_text(asked, "on_expiry");
	char option[128];

	sheet_begin(s, SHEET_CARD);
	sheet_begin(s, SHEET_PARA);
	sheet_badge(s, SHEET_WAIT, N_("waiting for approval"));
	sheet_space(s);
	sheet_begin(s, SHEET_STRONG);
	sheet_say(s, measures_title(step));
	sheet_end(s, SHEET_STRONG);
	sheet_space(s);
	sheet_code(s, doc_text(step, "resource.id"));
	sheet_end(s, SHEET_PARA);
	sheet_begin(s, SHEET_FACTS);
	if (json_is_object(doc_get(step, "origin"))) {
		sheet_fact(s, N_("Found by the analysis"));
		sheet_phrase(s, doc_get(step, "origin"));
	}
	words_of(s, step, "why", N_("Why"));
	words_of(s, step, "risk", N_("What it may break"));
	words_of(s, step, "undo", N_("How it is undone"));
	if (asked) {
		sheet_fact(s, N_("Who may decide"));
		sheet_value(s, doc_get(asked, "who"));
		sheet_fact(s, N_("Until"));
		sheet_time(s, doc_get(asked, "until"));
		sheet_fact(s, N_("If nobody answers"));
		sheet_say(s, expiry && strcmp(expiry, "do") == 0 ? N_("it is done")
								 : N_("it is not done"));
	}
	(void)snprintf(option, sizeof(option), "%s", id);
	sheet_fact(s, N_("Command"));
	command(s, "approve", option);
	sheet_end(s, SHEET_FACTS);
	sheet_end(s, SHEET_CARD);
}

static void failure(struct sheet *s, const json_t *step, const char *words, const char *verb)
{
	sheet_begin(s, SHEET_CARD);
	sheet_begin(s, SHEET_PARA);
	sheet_badge(s, SHEET_BAD, words);
	sheet_space(s);
	sheet_begin(s, SHEET_STRONG);
	sheet_say(s, measures_title(step));
	sheet_end(s, SHEET_STRONG);
	sheet_space(s);
	sheet_code(s, doc_text(step, "resource.id"));
	sheet_end(s, SHEET_PARA);
	sheet_begin(s, SHEET_FACTS);
	sheet_fact(s, N_("What went wrong"));
	sheet_text(s, doc_text_or(step, "error.message", "-"));
	measures_differences(s, step);
	sheet_fact(s, N_("Try again with"));
	command(s, verb, NULL);
	sheet_end(s, SHEET_FACTS);
	sheet_end(s, SHEET_CARD);
}

static size_t held_back(struct sheet *s)
{
	const json_t *held = doc_get(s->view, "held_back");
	size_t n = json_array_size(held);

	if (n == 0) {
		return 0;
	}
	sheet_heading(s, N_("Held back by a safety rule"));
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < n; i++) {
		const json_t *h = json_array_get(held, i);
		sheet_begin(s, SHEET_ITEM);
		sheet_code(s, doc_text(h, "guard"));
		sheet_space(s);
		sheet_say(s, doc_text_or(h, "reason", ""));
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
	return n;
}

void decisions_write(struct sheet *s)
{
	const json_t *steps = doc_get(s->view, "steps");
	size_t shown = 0;

	sheet_section(s, "now", N_("Needs you now"));
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		const char *state = doc_text_or(step, "state", "");
		if (strcmp(state, "awaiting_approval") == 0) {
			approval(s, step);
		} else if (strcmp(state, "failed") == 0) {
			failure(s, step, N_("failed"), "resume");
		} else if (strcmp(state, "undo_failed") == 0) {
			failure(s, step, N_("undo failed"), "undo");
		} else if (strcmp(state, "running") == 0) {
			failure(s, step, N_("interrupted half-way"), "resume");
		} else {
			continue;
		}
		shown++;
	}
	shown += held_back(s);
	if (shown == 0) {
		sheet_begin(s, SHEET_PARA);
		sheet_badge(s, SHEET_GOOD, N_("nothing"));
		sheet_space(s);
		sheet_say(s, "No decision is open and no measure failed.");
		sheet_end(s, SHEET_PARA);
	}
	sheet_section_end(s);
}
