/* What `investigate` and `merge` have in common (cmd_investigate.c). */
#ifndef CORDON_APP_INVESTIGATION_H
#define CORDON_APP_INVESTIGATION_H

#include "analysis/investigate.h"
#include "app/app.h"
#include "app/exports.h"
#include "app/span.h"

/* Options of both; rows of an app_option table. */
#define INVESTIGATION_OPTIONS                                                                  \
	SPAN_OPTIONS,                                                                          \
		{ "format", 0, "FORMAT",                                                       \
			N_("Print it for another tool: the timeline as CSV, JSONL, for "       \
			   "Timesketch or "                                                    \
			   "mactime, an ATT&CK Navigator layer, or Markdown"),                 \
			EXPORTS_FORMATS },                                                     \
		{ "export", 0, "DIR", N_("Also write it in every form into this folder"),      \
			NULL },                                                                \
		{ "force", 0, NULL, N_("Overwrite files that are there already"), NULL },      \
		{ "rules", 0, "DIR", N_("Folder of Sigma rules instead of the built-in ones"), \
			NULL },                                                                \
		{ "placeholders", 0, "FILE",                                                   \
			N_("YAML file of values for placeholders in rules (expand)"), NULL },  \
	{                                                                                      \
		"job", 0, "TEXT", N_("A text that the workers of one job share"), NULL         \
	}

/* Paths, window, rules and job out of arguments and options; `span` must outlive them. */
ERR_MUST_CHECK enum err_status investigation_options(
	struct app *app, struct investigate_options *opts, struct span *span, struct err *err);
/* Shows the document in the form that was asked for. */
ERR_MUST_CHECK enum err_status investigation_answer(
	struct app *app, const json_t *doc, struct err *err);

#endif
