#include "report/report.h"

#include "base/embed.h"
#include "base/hash.h"
#include "base/text.h"
#include "report/sections.h"

#include <stdlib.h>
#include <string.h>

extern const struct embed_file report_css[];

static const char *const format_names[] = {
	[REPORT_HTML] = "html",
	[REPORT_JSON] = "json",
	[REPORT_MD] = "md",
};

bool report_format_from(const char *name, enum report_format *out)
{
	for (int i = 0; name && i < 3; i++) {
		if (strcmp(format_names[i], name) == 0) {
			*out = (enum report_format)i;
			return true;
		}
	}
	return false;
}

/* The case id as it may stand in a style sheet's string. */
static void plain_id(const char *id, char out[40])
{
	size_t n = 0;

	for (; id && *id && n < 39; id++) {
		if ((*id >= '0' && *id <= '9') || (*id >= 'A' && *id <= 'Z') ||
			(*id >= 'a' && *id <= 'z') || *id == '-') {
			out[n++] = *id;
		}
	}
	out[n] = '\0';
}

/* The style sheet, with the case on every printed page; its hash goes into the policy. */
static void style(struct sheet *s, struct buf *css)
{
	char id[40] = "";

	plain_id(doc_text(s->view, "case"), id);
	buf_add(css, report_css[0].data, report_css[0].size);
	buf_printf(css,
		"@page { margin: 18mm 15mm; @top-left { content: \"cordon \\B7  %s %s\"; font: "
		"8pt "
		"sans-serif; } @top-right { content: \"TLP:AMBER\"; font: 8pt sans-serif; } "
		"@bottom-right { content: counter(page) \" / \" counter(pages); font: 8pt "
		"sans-serif; } }\n",
		sheet_tr(s, "case"), id);
}

static void head(struct sheet *s)
{
	struct buf css = { 0 };
	unsigned char digest[HASH_SHA256_BYTES];

	buf_init(&css, (size_t)256 * 1024);
	style(s, &css);
	hash_sha256_of(buf_view(&css), digest);
	buf_printf(s->out,
		"<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'sha256-",
		i18n_code(s->lang));
	hash_base64((struct str){ (const char *)digest, sizeof(digest) }, s->out);
	buf_puts(s->out,
		"'; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" "
		"content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" "
		"content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<meta name=\"robots\" content=\"noindex\">\n<title>");
	sheet_fill(s, "Case {0}: {1}",
		(struct str[]){ str_from(doc_text(s->view, "case")),
			str_from(doc_text(s->view, "title")) },
		2);
	buf_puts(s->out, "</title>\n<style>");
	buf_add_str(s->out, buf_view(&css));
	buf_puts(s->out, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#now\">");
	sheet_say(s, "Skip to the content");
	buf_puts(s->out, "</a>\n");
	buf_deinit(&css);
}

static void contents(struct sheet *s)
{
	static const char *const items[][2] = {
		{ "now", N_("Needs you now") },
		{ "done", N_("What was done") },
		{ "cause", N_("Root cause") },
		{ "timeline", N_("Timeline") },
		{ "reach", N_("Reach") },
		{ "evidence", N_("Evidence") },
		{ "messages", N_("Notifications") },
		{ "advice", N_("Recommendations") },
	};

	buf_puts(s->out, "<nav aria-label=\"");
	sheet_say(s, "Contents");
	buf_puts(s->out, "\"><ul>\n");
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		buf_printf(s->out, "<li><a href=\"#%s\">", items[i][0]);
		sheet_say(s, items[i][1]);
		buf_puts(s->out, "</a></li>\n");
	}
	buf_puts(s->out, "</ul></nav>\n");
}

static void sections(struct sheet *s)
{
	if (s->html) {
		head(s);
	}
	headline_write(s);
	if (s->html) {
		contents(s);
		buf_puts(s->out, "<main>\n");
	}
	decisions_write(s);
	measures_write(s);
	cause_write(s);
	timeline_write(s);
	reach_write(s);
	custody_write(s);
	technique_write(s);
	told_write(s);
	advice_write(s);
	appendix_write(s);
	sheet_raw(s, "</body>\n</html>\n");
}

enum err_status report_write(const json_t *case_view, const struct report_options *opts,
	struct buf *out, struct err *err)
{
	struct sheet s = {
		.out = out,
		.start = out->n,
		.html = opts->format == REPORT_HTML,
		.lang = opts->lang,
		.view = case_view,
		.opts = opts,
	};

	if (!doc_text(case_view, "case")) {
		return err_set(err, ERR_INPUT, "this is no case document: it has no \"case\"");
	}
	if (opts->format == REPORT_JSON) {
		doc_pretty(case_view, out);
	} else {
		s.events = json_object();
		timeline_choose(&s);
		sections(&s);
		json_decref(s.events);
		free(s.rows);
	}
	if (!buf_ok(out)) {
		return err_set(err, ERR_LIMIT,
			"the report is longer than %zu bytes; ask for --format json", out->max);
	}
	return ERR_OK;
}
