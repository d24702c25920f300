#include "report/sections.h"

/* One list of investigation.scope: texts, or objects with the thing and numbers. */
static void things(struct sheet *s, const char *heading, const char *path)
{
	const json_t *list = doc_get(s->view, path);
	char left[24] = "";
	size_t i = 0;

	sheet_fact(s, heading);
	if (json_array_size(list) == 0) {
		sheet_say(s, "none seen");
		return;
	}
	sheet_begin(s, SHEET_LIST);
	for (i = 0; i < json_array_size(list) && i < 50 && sheet_room(s, 0.85); i++) {
		sheet_begin(s, SHEET_ITEM);
		sheet_phrase(s, json_array_get(list, i));
		sheet_end(s, SHEET_ITEM);
	}
	if (i < json_array_size(list)) {
		(void)snprintf(left, sizeof(left), "%zu", json_array_size(list) - i);
		sheet_begin(s, SHEET_ITEM);
		sheet_fill(s, "and {0} more", (struct str[]){ str_from(left) }, 1);
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
	for (size_t i = 0; i < json_array_size(gaps) && i < 50; i++) {
		const json_t *g = json_array_get(gaps, i);
		sheet_begin(s, SHEET_ITEM);
		sheet_badge(s, SHEET_WARN, N_("gap"));
		sheet_space(s);
		sheet_phrase(s, g);
		sheet_end(s, SHEET_ITEM);
	}
	for (size_t i = 0; i < json_array_size(rejected) && i < 50; i++) {
		const json_t *r = json_array_get(rejected, i);
		sheet_begin(s, SHEET_ITEM);
		sheet_badge(s, SHEET_WARN, N_("not read"));
		sheet_space(s);
		sheet_code(s, doc_text(r, "file"));
		sheet_space(s);
		sheet_say(s, doc_text_or(r, "reason", ""));
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
