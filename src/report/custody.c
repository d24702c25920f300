#include "report/sections.h"

#include <string.h>

enum { MOST_OBJECTS = 200 };

static void size_of(struct sheet *s, int64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	char text[32] = "";
	double n = (double)bytes;
	size_t u = 0;

	while (n >= 1024 && u < 4) {
		n /= 1024;
		u++;
	}
	(void)snprintf(text, sizeof(text), u ? "%.1f %s" : "%.0f %s", n, units[u]);
	sheet_text(s, text);
}

static void line(struct sheet *s, const char *label, const char *value)
{
	if (!value) {
		return;
	}
	sheet_raw(s, "<div class=\"hash\">");
	sheet_say(s, label);
	buf_puts(s->out, ": ");
	sheet_code(s, value);
	sheet_raw(s, "</div>");
	if (!s->html) {
		sheet_space(s);
	}
}

static void row(struct sheet *s, const json_t *e)
{
	const char *uri = doc_text(e, "source.uri");

	sheet_begin(s, SHEET_ROW);
	sheet_begin(s, SHEET_CELL);
	sheet_begin(s, SHEET_STRONG);
	sheet_text(s, doc_text_or(e, "name", "?"));
	sheet_end(s, SHEET_STRONG);
	line(s, N_("from"), uri ? uri : doc_text(e, "source.arn"));
	line(s, N_("id"), doc_text(e, "evidence_id"));
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	size_of(s, doc_int(e, "size", 0));
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	line(s, "SHA-256", doc_text(e, "sha256"));
	line(s, N_("version"), doc_text(e, "version_id"));
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	if (doc_text(e, "retain_until")) {
		sheet_text(s, doc_text(e, "lock_mode"));
		sheet_space(s);
		sheet_time(s, doc_get(e, "retain_until"));
	} else {
		sheet_badge(s, SHEET_WARN, N_("not locked"));
	}
	sheet_end(s, SHEET_CELL);
	sheet_end(s, SHEET_ROW);
}

static void where(struct sheet *s, const json_t *first)
{
	char command[128] = "";

	(void)snprintf(command, sizeof(command), "cordon evidence verify %s",
		doc_text_or(s->view, "case", "CASE"));
	sheet_begin(s, SHEET_PARA);
	sheet_say(s, "Kept in the bucket");
	sheet_space(s);
	sheet_code(s, doc_text(first, "bucket"));
	buf_puts(s->out, ". ");
	sheet_say(s, "Every object can be read back and compared by");
	sheet_space(s);
	sheet_command(s, command);
	sheet_end(s, SHEET_PARA);
}

static bool is_log(const json_t *e)
{
	return strcmp(doc_text_or(e, "source.type", ""), "log") == 0;
}

/* The objects that are (not) logs; gives how many were left out. */
static size_t objects(struct sheet *s, const char *caption, bool logs)
{
	static const char *const columns[] = { N_("What"), N_("Size"), N_("Fingerprint"),
		N_("Locked until"), NULL };
	const json_t *list = doc_get(s->view, "evidence");
	size_t left = 0;
	size_t n = 0;

	sheet_table(s, caption, columns);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		if (is_log(e) != logs) {
			continue;
		}
		if (n++ < MOST_OBJECTS && sheet_room(s, 0.9)) {
			row(s, e);
		} else {
			left++;
		}
	}
	sheet_table_end(s);
	return left;
}

static size_t count_logs(const json_t *list)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		n += is_log(json_array_get(list, i));
	}
	return n;
}

static void left_out(struct sheet *s, size_t n)
{
	char left[24] = "";

	if (n == 0) {
		return;
	}
	(void)snprintf(left, sizeof(left), "%zu", n);
	sheet_begin(s, SHEET_NOTE);
	sheet_fill(s, "{0} more entries are in the JSON report.",
		(struct str[]){ str_from(left) }, 1);
	sheet_end(s, SHEET_NOTE);
}

/* What could not be taken, and why: an honest chain names its gaps. */
static void not_taken(struct sheet *s)
{
	const json_t *list = doc_get(s->view, "evidence_failed");

	if (json_array_size(list) == 0) {
		return;
	}
	sheet_heading(s, N_("What could not be taken"));
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < json_array_size(list) && i < 50; i++) {
		const json_t *f = json_array_get(list, i);
		sheet_begin(s, SHEET_ITEM);
		sheet_badge(s, SHEET_WARN, N_("not taken"));
		sheet_space(s);
		sheet_code(s, doc_text(f, "name"));
		sheet_space(s);
		sheet_text(s, doc_text_or(f, "error.message", ""));
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
}

void custody_write(struct sheet *s)
{
	const json_t *list = doc_get(s->view, "evidence");
	size_t n = json_array_size(list);
	size_t logs = count_logs(list);
	size_t left = 0;

	sheet_section(s, "evidence", N_("Evidence"));
	if (n == 0) {
		sheet_begin(s, SHEET_NOTE);
		sheet_badge(s, SHEET_WARN, N_("none"));
		sheet_space(s);
		sheet_say(s, "No evidence was stored for this case.");
		sheet_end(s, SHEET_NOTE);
	} else {
		where(s, json_array_get(list, 0));
	}
	if (n > logs) {
		left += objects(s, N_("Evidence objects with their fingerprints"), false);
	}
	if (logs) {
		sheet_fold(s, N_("Log objects"), logs <= 5);
		left += objects(s, N_("Log objects with their fingerprints"), true);
		sheet_fold_end(s);
	}
	left_out(s, left);
	not_taken(s);
	sheet_section_end(s);
}
