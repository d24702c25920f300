#include "report/sections.h"

/* Raw findings are folded away; one is shown up to this size. */
enum { MOST_RAW = 96 * 1024 };

static void raw_finding(struct sheet *s, const json_t *finding)
{
	struct buf text = { 0 };
	struct str shown = { NULL, 0 };

	buf_init(&text, DOC_MAX_BYTES);
	doc_pretty(doc_get(finding, "raw"), &text);
	shown = str_sub(buf_view(&text), 0, MOST_RAW);
	sheet_fold(s, N_("The finding as GuardDuty sent it"), false);
	sheet_begin(s, SHEET_PARA);
	sheet_code(s, doc_text(finding, "arn"));
	sheet_end(s, SHEET_PARA);
	sheet_lines(s, shown);
	if (shown.n < text.n) {
		sheet_begin(s, SHEET_NOTE);
		sheet_say(s, "Cut here; the whole text is in the JSON report.");
		sheet_end(s, SHEET_NOTE);
	}
	sheet_fold_end(s);
	buf_deinit(&text);
}

static void footer(struct sheet *s)
{
	json_t *now = json_integer((json_int_t)s->opts->now_ms);
	char hash[65] = "";
	char command[128] = "";
	char seq[32] = "";

	doc_sha256(s->view, hash);
	(void)snprintf(command, sizeof(command), "cordon case verify %s",
		doc_text_or(s->view, "case", "CASE"));
	(void)snprintf(seq, sizeof(seq), "%lld ", (long long)doc_int(s->view, "head.seq", 0));
	sheet_raw(s, "<footer>\n");
	if (!s->html) {
		buf_puts(s->out, "---\n\n");
	}
	sheet_begin(s, SHEET_FACTS);
	sheet_fact(s, N_("Made by"));
	sheet_text(s, "cordon ");
	sheet_text(s, s->opts->version);
	if (s->opts->command_line) {
		sheet_fact(s, N_("Command line"));
		sheet_code(s, s->opts->command_line);
	}
	sheet_fact(s, N_("Made at"));
	sheet_time(s, now);
	sheet_fact(s, N_("Last record of the journal"));
	sheet_text(s, seq);
	sheet_code(s, doc_text(s->view, "head.hash"));
	sheet_fact(s, N_("SHA-256 of the case document"));
	sheet_code(s, hash);
	sheet_fact(s, N_("Check it with"));
	sheet_command(s, command);
	sheet_end(s, SHEET_FACTS);
	sheet_raw(s, "</footer>\n");
	json_decref(now);
}

void appendix_write(struct sheet *s)
{
	const json_t *findings = doc_get(s->view, "findings");

	sheet_section(s, "raw", N_("Raw findings"));
	for (size_t i = 0; i < json_array_size(findings) && sheet_room(s, 0.9); i++) {
		raw_finding(s, json_array_get(findings, i));
	}
	sheet_section_end(s);
	sheet_raw(s, "</main>\n");
	footer(s);
}
