/*
 * An investigation (design 4.6) in the forms that other tools and people read: the timeline as rows,
 * an ATT&CK Navigator layer, Markdown.
 */
#ifndef CORDON_REPORT_EXPORT_H
#define CORDON_REPORT_EXPORT_H

#include "base/i18n.h"
#include "report/export_row.h"

#define EXPORT_ATTACK_VERSION "19"

struct export_options {
	enum i18n_lang lang;
	const char *case_id; /* or NULL */
	const char *version;
};

/*
 * Names: "csv", "jsonl", "timesketch", "timesketch-csv", "bodyfile", "navigator", "markdown".
 * False when unknown.
 */
bool export_known(const char *name);
/* Appends the investigation in the form named. ERR_USAGE for an unknown name, ERR_LIMIT. */
ERR_MUST_CHECK enum err_status export_write(const char *name, const json_t *investigation,
	const struct export_options *opts, struct buf *out, struct err *err);
/* Form i as its name and the file that it is written to by default; NULL after the last. */
const char *export_name(size_t i, const char **file);

/* Parts, in files of their own. */
/* Layer format 4.5 (export_layer.c). */
void export_layer(const json_t *doc, const struct export_options *opts, struct buf *out);
/* What was found, for people (export_notes.c). */
void export_notes(const json_t *doc, const struct export_options *opts, struct buf *out);

#endif
