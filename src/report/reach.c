#include "report/sections.h"

#include <stdio.h>
#include <string.h>

enum { MOST_THINGS = 40, MOST_TARGETS = 6, MOST_GAPS = 12 };

static void and_more(struct sheet *s, size_t n)
{
	char left[24] = "";

	(void)snprintf(left, sizeof(left), "%zu", n);
	sheet_fill(s, "and {0} more", (struct str[]){ str_from(left) }, 1);
}

static bool same_action(const json_t *a, const json_t *b)
{
	return strcmp(doc_text_or(a, "action", ""), doc_text_or(b, "action", "")) == 0;
}

static void number(struct sheet *s, const char *label, int64_t n)
{
	char text[32] = "";

	if (n > 0) {
		(void)snprintf(text, sizeof(text), "%lld", (long long)n);
		sheet_fill(s, label, (struct str[]){ str_from(text) }, 1);
		buf_puts(s->out, " \xc2\xb7 ");
	}
}

/* How much, and from when to when; an entry has one time, or a first and a last. */
static void when(struct sheet *s, const json_t *head, const json_t *last, bool many)
{
	const json_t *from =
		doc_get(head, "first") ? doc_get(head, "first") : doc_get(head, "time");
	const json_t *to =
		doc_get(last, "last") ? doc_get(last, "last") : doc_get(last, "time");

	sheet_raw(s, "<span class=\"meta\">");
	buf_puts(s->out, s->html ? "" : " ");
	if (!many) {
		number(s, N_("{0} objects"), doc_int(head, "objects", 0));
		number(s, N_("{0} bytes"), doc_int(head, "bytes", 0));
	}
	if (from) {
		sheet_time(s, from);
	}
	if (to && !json_equal(from, to)) {
		buf_puts(s->out, " \xe2\x80\x93 ");
		sheet_time(s, to);
	}
	sheet_raw(s, "</span>");
}

/* One call on many targets is one line: the call, how often, on what, when first and last. */
static void group(struct sheet *s, const json_t *list, size_t first)
{
	const json_t *head = json_array_get(list, first);
	const json_t *last = head;
	json_t *events = json_array();
	json_t *targets = json_object();
	const char *target = NULL;
	json_t *detail = NULL;
	char times[32] = "";
	size_t n = 0;
	size_t shown = 0;

	for (size_t i = first; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		if (!same_action(head, e)) {
			continue;
		}
		n++;
		last = e;
		(void)json_object_set_new(targets, doc_text_or(e, "target", ""),
			json_string(doc_text_or(e, "detail", "")));
		if (json_array_size(events) < 3 && doc_text(e, "event") &&
			json_object_get(s->events, doc_text(e, "event"))) {
			(void)json_array_append(events, doc_get(e, "event"));
		}
	}
	sheet_code(s, doc_text(head, "action"));
	if (n > 1) {
		(void)snprintf(times, sizeof(times), " \xc3\x97%zu", n);
		sheet_text(s, times);
	}
	buf_puts(s->out, ": ");
	json_object_foreach(targets, target, detail)
	{
		const char *more = json_string_value(detail);
		if (shown++ == MOST_TARGETS) {
			break;
		}
		buf_puts(s->out, shown > 1 ? ", " : "");
		sheet_code(s, target[0] ? target : "*");
		if (more[0]) {
			buf_puts(s->out, " (");
			sheet_text(s, more);
			buf_puts(s->out, ")");
		}
	}
	if (json_object_size(targets) > MOST_TARGETS) {
		sheet_space(s);
		and_more(s, json_object_size(targets) - MOST_TARGETS);
	}
	sheet_space(s);
	sheet_events(s, events);
	when(s, head, last, n > 1);
	json_decref(events);
	json_decref(targets);
}

static bool seen_before(const json_t *list, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (same_action(json_array_get(list, i), json_array_get(list, j))) {
			return true;
		}
	}
	return false;
}

/* One list of investigation.scope: texts, or calls {"time","action","target","detail","event"}. */
static void things(struct sheet *s, const char *heading, const char *path)
{
	const json_t *list = doc_get(s->view, path);
	size_t n = json_array_size(list);
	size_t shown = 0;

	sheet_fact(s, heading);
	if (n == 0) {
		sheet_say(s, "none seen");
		return;
	}
	n = n < 2000 ? n : 2000;
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < n && shown < MOST_THINGS && sheet_room(s, 0.85); i++) {
		const json_t *e = json_array_get(list, i);
		bool call = doc_text(e, "action") && doc_text(e, "target");
		if (call && seen_before(list, i)) {
			continue;
		}
		shown++;
		sheet_begin(s, SHEET_ITEM);
		if (call) {
			group(s, list, i);
		} else {
			sheet_phrase(s, e);
		}
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
}

static void count(struct sheet *s, const char *label, const char *path)
{
	char number[32] = "";

	(void)snprintf(number, sizeof(number), "%lld", (long long)doc_int(s->view, path, 0));
	sheet_fact(s, label);
	sheet_text(s, number);
}

static void gap(struct sheet *s, const json_t *g)
{
	sheet_badge(s, SHEET_WARN, N_("gap"));
	sheet_space(s);
	if (doc_text(g, "from")) {
		sheet_fill(s, "nothing from {0} between {1} and {2}",
			(struct str[]){ str_from(doc_text_or(g, "source", "?")),
				str_from(doc_text(g, "from")), str_from(doc_text(g, "to")) },
			3);
	} else {
		sheet_phrase(s, g);
	}
}

static void not_read(struct sheet *s, const json_t *r)
{
	char times[32] = "";

	sheet_badge(s, SHEET_WARN, N_("not read"));
	sheet_space(s);
	sheet_code(s, doc_text(r, "file"));
	sheet_space(s);
	sheet_say(s, doc_text_or(r, "reason", ""));
	if (doc_int(r, "count", 1) > 1) {
		(void)snprintf(times, sizeof(times), " \xc3\x97%lld",
			(long long)doc_int(r, "count", 1));
		sheet_text(s, times);
	}
}

static void limits(struct sheet *s)
{
	const json_t *rejected = doc_get(s->view, "investigation.inputs.rejected");
	const json_t *gaps = doc_get(s->view, "investigation.inputs.gaps");

	sheet_heading(s, N_("Limits of the logs"));
	sheet_begin(s, SHEET_FACTS);
	count(s, N_("Files read"), "investigation.inputs.files");
	count(s, N_("Different events"), "investigation.inputs.unique_events");
	sheet_end(s, SHEET_FACTS);
	if (json_array_size(gaps) + json_array_size(rejected) == 0) {
		sheet_begin(s, SHEET_PARA);
		sheet_say(s, "No gap was found and every file could be read.");
		sheet_end(s, SHEET_PARA);
		return;
	}
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < json_array_size(gaps); i++) {
		sheet_begin(s, SHEET_ITEM);
		if (i == MOST_GAPS) {
			and_more(s, json_array_size(gaps) - i);
			sheet_end(s, SHEET_ITEM);
			break;
		}
		gap(s, json_array_get(gaps, i));
		sheet_end(s, SHEET_ITEM);
	}
	for (size_t i = 0; i < json_array_size(rejected); i++) {
		sheet_begin(s, SHEET_ITEM);
		if (i == MOST_GAPS) {
			and_more(s, json_array_size(rejected) - i);
			sheet_end(s, SHEET_ITEM);
			break;
		}
		not_read(s, json_array_get(rejected, i));
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
}

void reach_write(struct sheet *s)
{
	sheet_section(s, "reach", N_("Reach"));
	if (!doc_get(s->view, "investigation.scope")) {
		sheet_begin(s, SHEET_PARA);
		sheet_say(s, "The logs have not been analysed yet.");
		sheet_end(s, SHEET_PARA);
		sheet_section_end(s);
		return;
	}
	sheet_begin(s, SHEET_FACTS);
	things(s, N_("Data possibly read"), "investigation.scope.data_accessed");
	things(s, N_("Ways back in left behind"), "investigation.scope.persistence");
	things(s, N_("Credentials created"), "investigation.scope.credentials_created");
	things(s, N_("Resources changed"), "investigation.scope.resources_changed");
	sheet_end(s, SHEET_FACTS);
	limits(s);
	sheet_section_end(s);
}
