/* A case rendered for people: HTML, Markdown, JSON. Decides nothing. */
#ifndef CORDON_REPORT_REPORT_H
#define CORDON_REPORT_REPORT_H

#include "base/buf.h"
#include "base/doc.h"
#include "base/i18n.h"

enum report_format { REPORT_HTML, REPORT_JSON, REPORT_MD };
struct report_options {
	enum report_format format;
	enum i18n_lang lang;
	int64_t now_ms; /* time printed in the footer */
	const char *version;
	const char *command_line;
};
/* Appends the report of a case (view.h) to `out`. HTML: one file, no requests, no script needed. */
ERR_MUST_CHECK enum err_status report_write(const json_t *case_view,
	const struct report_options *opts, struct buf *out, struct err *err);
/* "html", "json", "md"; false when unknown. */
bool report_format_from(const char *name, enum report_format *out);

#endif
