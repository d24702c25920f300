#include "report/sections.h"

#include <string.h>

static const char *const event_words[][2] = {
	{ "case.opened", N_("Case opened") },
	{ "action.pending", N_("Decision asked for") },
	{ "action.done", N_("Measures done") },
	{ "action.failed", N_("Measure failed") },
	{ "case.updated", N_("News on the case") },
	{ "case.closed", N_("Case closed") },
};

const char *told_event_words(const char *event)
{
	for (size_t i = 0; i < sizeof(event_words) / sizeof(event_words[0]); i++) {
		if (strcmp(event_words[i][0], event) == 0) {
			return event_words[i][1];
		}
	}
	return event;
}

/* An error is a text or {"status","code","message"...}. */
static const char *error_of(const json_t *m)
{
	const json_t *e = doc_get(m, "error");

	return json_is_string(e) ? json_string_value(e) : doc_text(e, "message");
}

static void row(struct sheet *s, const json_t *m)
{
	const char *error = error_of(m);

	sheet_begin(s, SHEET_ROW);
	sheet_begin(s, SHEET_CELL);
	sheet_time(s, doc_get(m, "time"));
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	sheet_say(s, told_event_words(doc_text_or(m, "event", "?")));
	if (doc_text(m, "subject")) {
		sheet_raw(s, "<span class=\"meta\">");
		buf_puts(s->out, s->html ? "" : ": ");
		sheet_text(s, doc_text(m, "subject"));
		sheet_raw(s, "</span>");
	}
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	sheet_text(s, doc_text_or(m, "protocol", "-"));
	if (doc_text(m, "lang")) {
		buf_puts(s->out, " (");
		sheet_text(s, doc_text(m, "lang"));
		buf_puts(s->out, ")");
	}
	sheet_raw(s, "<span class=\"meta\">");
	buf_puts(s->out, s->html ? "" : " ");
	sheet_text(s, doc_text(m, "target"));
	sheet_raw(s, "</span>");
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	sheet_badge(s, error ? SHEET_BAD : SHEET_GOOD, error ? N_("failed") : N_("sent"));
	if (error) {
		sheet_raw(s, "<span class=\"meta\">");
		buf_puts(s->out, s->html ? "" : ": ");
		sheet_text(s, error);
		sheet_raw(s, "</span>");
	}
	sheet_end(s, SHEET_CELL);
	sheet_end(s, SHEET_ROW);
}

static void notes(struct sheet *s)
{
	const json_t *list = doc_get(s->view, "notes");

	if (json_array_size(list) == 0) {
		return;
	}
	sheet_section(s, "notes", N_("Notes"));
	for (size_t i = 0; i < json_array_size(list) && sheet_room(s, 0.93); i++) {
		const json_t *n = json_array_get(list, i);
		sheet_begin(s, SHEET_CARD);
		sheet_begin(s, SHEET_PARA);
		sheet_text(s, doc_text(n, "text"));
		sheet_end(s, SHEET_PARA);
		sheet_begin(s, SHEET_PARA);
		sheet_begin(s, SHEET_SMALL);
		sheet_text(s, doc_text(n, "actor"));
		buf_puts(s->out, " \xc2\xb7 ");
		sheet_time(s, doc_get(n, "time"));
		sheet_end(s, SHEET_SMALL);
		sheet_end(s, SHEET_PARA);
		sheet_end(s, SHEET_CARD);
	}
	sheet_section_end(s);
}

void told_write(struct sheet *s)
{
	static const char *const columns[] = { N_("Time"), N_("Message"), N_("Channel"),
		N_("Result"), NULL };
	const json_t *list = doc_get(s->view, "messages");

	sheet_section(s, "messages", N_("Notifications"));
	if (json_array_size(list) == 0) {
		sheet_begin(s, SHEET_PARA);
		sheet_say(s, "Nobody was told.");
		sheet_end(s, SHEET_PARA);
	} else {
		sheet_table(s, N_("Messages to the team"), columns);
		for (size_t i = 0; i < json_array_size(list) && sheet_room(s, 0.92); i++) {
			row(s, json_array_get(list, i));
		}
		sheet_table_end(s);
	}
	sheet_section_end(s);
	notes(s);
}
