#include "incident/view.h"
#include "report/sections.h"

#include <stdlib.h>
#include <string.h>

enum lane { LANE_INTRUDER, LANE_ENGINE, LANE_HUMAN };

struct timeline_row {
	int64_t ms;
	size_t order; /* keeps rows of one moment in the order they came */
	enum lane lane;
	const json_t *entry;
	size_t times; /* equal entries folded into this one */
};

/* Most rows of the intruder's lane; the events that claims cite are always among them. */
enum { MOST_EVENTS = 250, MOST_RECORDS = 250 };

static const struct {
	const char *kind, *words;
	enum lane lane;
	bool shown; /* what the section on measures says already is left out */
} kinds[] = {
	{ "case.opened", N_("Case opened"), LANE_ENGINE, true },
	{ "finding.received", N_("Finding received"), LANE_ENGINE, true },
	{ "guard.held", N_("Held back by a safety rule"), LANE_ENGINE, true },
	{ "plan.made", N_("Plan made"), LANE_ENGINE, true },
	{ "approval.asked", N_("Approval asked for"), LANE_ENGINE, true },
	{ "approval.given", N_("Decision given"), LANE_HUMAN, true },
	{ "step.intent", N_("Measure begins"), LANE_ENGINE, false },
	{ "step.progress", N_("Measure goes on"), LANE_ENGINE, false },
	{ "step.result", N_("Measure applied"), LANE_ENGINE, false },
	{ "step.verified", N_("Measure verified"), LANE_ENGINE, true },
	{ "step.failed", N_("Measure failed"), LANE_ENGINE, true },
	{ "step.skipped", N_("Measure not needed"), LANE_ENGINE, true },
	{ "undo.intent", N_("Undo begins"), LANE_ENGINE, false },
	{ "undo.result", N_("Measure undone"), LANE_ENGINE, true },
	{ "undo.failed", N_("Undo failed"), LANE_ENGINE, true },
	{ "notify.sent", N_("Team told"), LANE_ENGINE, true },
	{ "notify.failed", N_("Message failed"), LANE_ENGINE, true },
	{ "evidence.stored", N_("Evidence stored"), LANE_ENGINE, true },
	{ "evidence.failed", N_("Evidence could not be taken"), LANE_ENGINE, true },
	{ "analysis.done", N_("Root cause analysed"), LANE_ENGINE, true },
	{ "case.note", N_("Note"), LANE_HUMAN, true },
	{ "case.suppressed", N_("The same finding will not start this again"), LANE_ENGINE,
		true },
	{ "case.closed", N_("Case closed"), LANE_HUMAN, true },
};

static const struct {
	const char *css, *words;
} lanes[] = {
	[LANE_INTRUDER] = { "intruder", N_("intruder") },
	[LANE_ENGINE] = { "engine", N_("cordon") },
	[LANE_HUMAN] = { "human", N_("person") },
};

static size_t kind_of(const char *kind)
{
	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].kind, kind) != 0) {
		i++;
	}
	return i;
}

static int by_time(const void *a, const void *b)
{
	const struct timeline_row *x = a;
	const struct timeline_row *y = b;

	if (x->ms != y->ms) {
		return x->ms < y->ms ? -1 : 1;
	}
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Adds the first ids of {"events": [..]} to the set. */
static void add_cited(json_t *set, const json_t *citing, size_t most)
{
	const json_t *ids = doc_get(citing, "events");

	for (size_t i = 0; i < json_array_size(ids) && i < most; i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		if (id) {
			(void)json_object_set_new(set, id, json_true());
		}
	}
}

/* The ids that claims, links of the chain and detections cite: id -> true. */
static json_t *cited(const json_t *view)
{
	static const char *const paths[] = { "investigation.verdict.claims",
		"investigation.verdict.chain", "investigation.detections" };
	json_t *set = json_object();

	for (size_t p = 0; p < 3; p++) {
		const json_t *list = doc_get(view, paths[p]);
		for (size_t i = 0; i < json_array_size(list); i++) {
			/* detections can have thousands */
			add_cited(set, json_array_get(list, i), p == 2 ? 3 : 6);
		}
	}
	return set;
}

static void add(struct sheet *s, const json_t *entry, enum lane lane)
{
	struct timeline_row *row = &s->rows[s->n_rows];
	int64_t ms = 0;

	if (!sheet_time_ms(doc_get(entry, "time"), &ms)) {
		s->left_out++;
		return;
	}
	*row = (struct timeline_row){ ms, s->n_rows, lane, entry, 1 };
	s->n_rows++;
}

/* Two rounds: what is cited, then the rest while there is room. */
static void add_events(struct sheet *s, const json_t *list)
{
	json_t *set = cited(s->view);
	size_t n = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *entry = json_array_get(list, i);
			const char *id = doc_text_or(entry, "event", "");
			bool is_cited = json_object_get(set, id) != NULL;
			if (is_cited != (round == 0)) {
				continue;
			}
			if (n < MOST_EVENTS) {
				add(s, entry, LANE_INTRUDER);
				n++;
			} else {
				s->left_out++;
			}
		}
	}
	json_decref(set);
}

static void add_records(struct sheet *s, const json_t *list)
{
	const char *before = "";
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const char *kind = doc_text_or(entry, "kind", "");
		size_t k = kind_of(kind);
		bool known = k < sizeof(kinds) / sizeof(kinds[0]);
		if (known && !kinds[k].shown) {
			continue;
		}
		/* A hundred log files stored one after another are one line. */
		if (strcmp(kind, before) == 0 && strcmp(kind, "evidence.stored") == 0 && n) {
			s->rows[s->n_rows - 1].times++;
			continue;
		}
		before = kind;
		if (n == MOST_RECORDS) {
			s->left_out++;
			continue;
		}
		add(s, entry, known ? kinds[k].lane : LANE_ENGINE);
		n++;
	}
}

void timeline_choose(struct sheet *s)
{
	json_int_t number = 0;

	s->rows = calloc(MOST_EVENTS + MOST_RECORDS + 1, sizeof(*s->rows));
	if (!s->rows) {
		BUG("out of memory");
	}
	add_events(s, doc_get(s->view, "investigation.timeline"));
	add_records(s, doc_get(s->view, "timeline"));
	qsort(s->rows, s->n_rows, sizeof(*s->rows), by_time);
	for (size_t i = 0; i < s->n_rows; i++) {
		const char *id = doc_text(s->rows[i].entry, "event");
		if (s->rows[i].lane == LANE_INTRUDER && id && !json_object_get(s->events, id)) {
			(void)json_object_set_new(s->events, id, json_integer(++number));
		}
	}
}

static void event_text(struct sheet *s, const json_t *e)
{
	const char *target = doc_text(e, "target");
	const char *outcome = doc_text(e, "outcome");

	sheet_code(s, doc_text(e, "action"));
	if (target && strcmp(target, "-") != 0) {
		buf_puts(s->out, " \xe2\x86\x92 ");
		sheet_code(s, target);
	}
	if (outcome && *outcome) {
		bool fine = strcmp(outcome, "Success") == 0 || strcmp(outcome, "ok") == 0 ||
			    outcome[0] == '2';
		sheet_space(s);
		sheet_badge(s, fine ? SHEET_PLAIN : SHEET_WARN, outcome);
	}
	sheet_raw(s, "<span class=\"meta\">");
	if (!s->html) {
		buf_puts(s->out, " ");
	}
	sheet_text(s, doc_text(e, "ip"));
	if (doc_text(e, "principal")) {
		buf_puts(s->out, " \xc2\xb7 ");
		sheet_text(s, doc_text(e, "principal"));
	}
	if (doc_text(e, "user_agent")) {
		buf_puts(s->out, " \xc2\xb7 ");
		sheet_text(s, doc_text(e, "user_agent"));
	}
	for (size_t i = 0; i < json_array_size(doc_get(e, "tags")); i++) {
		buf_puts(s->out, " \xc2\xb7 ");
		sheet_text(s, json_string_value(json_array_get(doc_get(e, "tags"), i)));
	}
	sheet_raw(s, "</span>");
}

/* Which measure, on what, and what the record adds in its own words. */
static void record_detail(struct sheet *s, const json_t *entry)
{
	const json_t *step = view_step(s->view, doc_text(entry, "step"));
	const char *detail = doc_text_or(entry, "detail", "");

	if (step) {
		sheet_say(s, measures_title(step));
		sheet_space(s);
		sheet_code(s, doc_text(step, "resource.id"));
		if (strcmp(detail, doc_text(entry, "step")) == 0) {
			return;
		}
	}
	if (step && detail[0] && strcmp(detail, doc_text_or(step, "proof.text", "")) == 0) {
		buf_puts(s->out, ": ");
		sheet_phrase(
			s, doc_get(step, "proof")); /* the same, and it can be translated */
		return;
	}
	if (detail[0]) {
		buf_puts(s->out, step ? ": " : "");
		sheet_say(s, strcmp(doc_text_or(entry, "kind", ""), "analysis.done") == 0
				     ? view_cause(detail)
				     : told_event_words(detail));
	}
}

static void record_text(struct sheet *s, const struct timeline_row *row)
{
	const char *kind = doc_text_or(row->entry, "kind", "");
	size_t k = kind_of(kind);
	char count[32] = "";

	sheet_begin(s, SHEET_STRONG);
	sheet_say(s, k < sizeof(kinds) / sizeof(kinds[0]) ? kinds[k].words : kind);
	sheet_end(s, SHEET_STRONG);
	sheet_space(s);
	if (row->times > 1) {
		(void)snprintf(count, sizeof(count), "\xc3\x97%zu", row->times);
		sheet_text(s, count);
	} else {
		record_detail(s, row->entry);
	}
	if (row->lane == LANE_HUMAN) {
		sheet_raw(s, "<span class=\"meta\">");
		buf_puts(s->out, s->html ? "" : " ");
		sheet_text(s, doc_text(row->entry, "actor"));
		sheet_raw(s, "</span>");
	}
}

static void row_html(struct sheet *s, const struct timeline_row *row)
{
	const char *id = doc_text(row->entry, "event");
	long long number =
		row->lane == LANE_INTRUDER && id
			? (long long)json_integer_value(json_object_get(s->events, id))
			: 0;

	if (number) {
		buf_printf(
			s->out, "<tr class=\"%s\" id=\"e%lld\">", lanes[row->lane].css, number);
	} else {
		buf_printf(s->out, "<tr class=\"%s\">", lanes[row->lane].css);
	}
	sheet_begin(s, SHEET_CELL);
	sheet_time(s, doc_get(row->entry, "time"));
	sheet_end(s, SHEET_CELL);
	buf_puts(s->out, "<td><span class=\"lane\">");
	sheet_say(s, lanes[row->lane].words);
	buf_puts(s->out, "</span></td>");
	sheet_begin(s, SHEET_CELL);
	if (number) {
		buf_printf(s->out, "<span class=\"no\">[%lld]</span> ", number);
	}
}

static void row_md(struct sheet *s, const struct timeline_row *row)
{
	const char *id = doc_text(row->entry, "event");
	long long number =
		id ? (long long)json_integer_value(json_object_get(s->events, id)) : 0;

	sheet_begin(s, SHEET_ROW);
	sheet_begin(s, SHEET_CELL);
	sheet_time(s, doc_get(row->entry, "time"));
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	sheet_say(s, lanes[row->lane].words);
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	if (row->lane == LANE_INTRUDER && number) {
		buf_printf(s->out, "\\[%lld\\] ", number);
	}
}

void timeline_write(struct sheet *s)
{
	static const char *const columns[] = { N_("Time"), N_("Who"), N_("What"), NULL };
	char left[24] = "";
	size_t i = 0;

	sheet_section(s, "timeline", N_("Timeline"));
	sheet_raw(s, "<div class=\"timeline\">");
	sheet_table(s, N_("Intruder, cordon and people, in order of time (UTC)"), columns);
	for (i = 0; i < s->n_rows && sheet_room(s, 0.8); i++) {
		const struct timeline_row *row = &s->rows[i];
		if (s->html) {
			row_html(s, row);
		} else {
			row_md(s, row);
		}
		if (row->lane == LANE_INTRUDER) {
			event_text(s, row->entry);
		} else {
			record_text(s, row);
		}
		sheet_end(s, SHEET_CELL);
		sheet_end(s, SHEET_ROW);
	}
	sheet_table_end(s);
	sheet_raw(s, "</div>");
	s->left_out += s->n_rows - i;
	if (s->left_out) {
		(void)snprintf(left, sizeof(left), "%zu", s->left_out);
		sheet_begin(s, SHEET_NOTE);
		sheet_fill(s, "{0} more entries are in the JSON report.",
			(struct str[]){ str_from(left) }, 1);
		sheet_end(s, SHEET_NOTE);
	}
	sheet_section_end(s);
}
