#include "incident/view.h"
#include "report/sections.h"

#include <string.h>

/* The strongest come first; the rest is in the JSON report. */
enum { MOST_CLAIMS = 12, MOST_IDS = 12 };

static void meter(struct sheet *s, double share)
{
	char percent[16] = "";
	double clamped = share < 0 ? 0 : share > 1 ? 1 : share;

	(void)snprintf(percent, sizeof(percent), "%.0f %%", clamped * 100);
	if (s->html) {
		buf_printf(s->out, "<meter min=\"0\" max=\"1\" value=\"%.3f\">%s</meter> ",
			clamped, percent);
	}
	sheet_text(s, percent);
}

static void claims(struct sheet *s, const char *heading, bool in_favour)
{
	const json_t *list = doc_get(s->view, "investigation.verdict.claims");
	size_t shown = 0;
	char weight[24] = "";

	sheet_heading(s, heading);
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);
		double w = doc_real(c, "weight", 0);
		if ((w >= 0) != in_favour) {
			continue;
		}
		if (++shown > MOST_CLAIMS) {
			continue;
		}
		(void)snprintf(weight, sizeof(weight), "%+.2f", w);
		sheet_begin(s, SHEET_ITEM);
		sheet_phrase(s, c);
		sheet_space(s);
		sheet_events(s, doc_get(c, "events"));
		sheet_space(s);
		sheet_begin(s, SHEET_SMALL);
		sheet_fill(s, "weight {0}", (struct str[]){ str_from(weight) }, 1);
		sheet_end(s, SHEET_SMALL);
		sheet_end(s, SHEET_ITEM);
	}
	if (shown > MOST_CLAIMS) {
		(void)snprintf(weight, sizeof(weight), "%zu", shown - MOST_CLAIMS);
		sheet_begin(s, SHEET_ITEM);
		sheet_fill(s, "and {0} more", (struct str[]){ str_from(weight) }, 1);
		sheet_end(s, SHEET_ITEM);
	}
	if (shown == 0) {
		sheet_begin(s, SHEET_ITEM);
		sheet_say(s, "none");
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
}

static void missing(struct sheet *s)
{
	const json_t *list = doc_get(s->view, "investigation.verdict.missing");

	if (json_array_size(list) == 0) {
		return;
	}
	sheet_heading(s, N_("What is missing"));
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < json_array_size(list); i++) {
		sheet_begin(s, SHEET_ITEM);
		sheet_phrase(s, json_array_get(list, i));
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
}

static void alternatives(struct sheet *s)
{
	static const char *const columns[] = { N_("Explanation"), N_("Confidence"),
		N_("What speaks against it"), NULL };
	const json_t *list = doc_get(s->view, "investigation.verdict.alternatives");

	if (json_array_size(list) == 0) {
		return;
	}
	sheet_heading(s, N_("Other explanations considered"));
	sheet_table(s, N_("Other explanations, with what speaks against each"), columns);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *a = json_array_get(list, i);
		sheet_begin(s, SHEET_ROW);
		sheet_begin(s, SHEET_CELL);
		sheet_say(s, view_cause(doc_text_or(a, "class", "?")));
		sheet_end(s, SHEET_CELL);
		sheet_begin(s, SHEET_CELL);
		meter(s, doc_real(a, "confidence", 0));
		sheet_end(s, SHEET_CELL);
		sheet_begin(s, SHEET_CELL);
		for (size_t j = 0; j < json_array_size(doc_get(a, "against")); j++) {
			buf_puts(s->out, j ? "; " : "");
			sheet_phrase(s, json_array_get(doc_get(a, "against"), j));
		}
		sheet_end(s, SHEET_CELL);
		sheet_end(s, SHEET_ROW);
	}
	sheet_table_end(s);
}

static void ids(struct sheet *s, const char *label, const char *path)
{
	const json_t *list = doc_get(s->view, path);
	size_t n = json_array_size(list);
	char more[24] = "";

	if (n == 0) {
		return;
	}
	sheet_fact(s, label);
	if (n == 1) {
		sheet_code(s, json_string_value(json_array_get(list, 0)));
		return;
	}
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < n && i < MOST_IDS; i++) {
		sheet_begin(s, SHEET_ITEM);
		sheet_code(s, json_string_value(json_array_get(list, i)));
		sheet_end(s, SHEET_ITEM);
	}
	if (n > MOST_IDS) {
		(void)snprintf(more, sizeof(more), "%zu", n - MOST_IDS);
		sheet_begin(s, SHEET_ITEM);
		sheet_fill(s, "and {0} more", (struct str[]){ str_from(more) }, 1);
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
}

void cause_write(struct sheet *s)
{
	const json_t *verdict = doc_get(s->view, "investigation.verdict");

	sheet_section(s, "cause", N_("Root cause"));
	if (!verdict) {
		sheet_begin(s, SHEET_PARA);
		sheet_say(s, "The logs have not been analysed yet.");
		sheet_end(s, SHEET_PARA);
		sheet_section_end(s);
		return;
	}
	sheet_begin(s, SHEET_FACTS);
	sheet_fact(s, N_("Verdict"));
	sheet_begin(s, SHEET_STRONG);
	sheet_say(s, view_cause(doc_text_or(verdict, "class", "undetermined")));
	sheet_end(s, SHEET_STRONG);
	sheet_fact(s, N_("Confidence"));
	meter(s, doc_real(verdict, "confidence", 0));
	sheet_fact(s, N_("Intruder came in"));
	sheet_time(s, doc_get(verdict, "entry_time"));
	ids(s, N_("Identities used"), "investigation.verdict.principals");
	ids(s, N_("Access keys used"), "investigation.verdict.access_keys");
	ids(s, N_("Addresses"), "investigation.verdict.source_ips");
	sheet_end(s, SHEET_FACTS);
	sheet_raw(s, "<div class=\"columns\"><div>");
	claims(s, N_("Evidence for"), true);
	sheet_raw(s, "</div><div>");
	claims(s, N_("Evidence against"), false);
	missing(s);
	sheet_raw(s, "</div></div>\n");
	alternatives(s);
	graph_write(s);
	sheet_section_end(s);
}
