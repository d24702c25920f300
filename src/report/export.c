#include "report/export.h"

#include <string.h>

#define TAGS_MAX 4096

static const struct {
	const char *name, *file;
	enum export_form form; /* of rows, when `rows` */
	bool rows;
	void (*write)(const json_t *, const struct export_options *, struct buf *);
} forms[] = {
	{ "csv", "timeline.csv", EXPORT_CSV, true, NULL },
	{ "jsonl", "timeline.jsonl", EXPORT_JSONL, true, NULL },
	{ "timesketch", "timesketch.jsonl", EXPORT_TIMESKETCH, true, NULL },
	{ "timesketch-csv", "timesketch.csv", EXPORT_TIMESKETCH_CSV, true, NULL },
	{ "bodyfile", "timeline.body", EXPORT_BODY, true, NULL },
	{ "navigator", "navigator.json", EXPORT_TEXT, false, export_layer },
	{ "markdown", "investigation.md", EXPORT_TEXT, false, export_notes },
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

static size_t find(const char *name)
{
	size_t i = 0;
	while (i < FORMS && strcmp(forms[i].name, name) != 0) {
		i++;
	}
	return i;
}

bool export_known(const char *name)
{
	return find(name) < FORMS;
}

const char *export_name(size_t i, const char **file)
{
	if (i >= FORMS) {
		return NULL;
	}
	*file = forms[i].file;
	return forms[i].name;
}

static void write_rows(enum export_form form, const json_t *investigation,
	const struct export_options *opts, struct buf *out)
{
	size_t i;
	json_t *entry;
	struct buf tags;
	buf_init(&tags, TAGS_MAX);
	buf_puts(out, export_row_head(form));
	json_array_foreach(json_object_get(investigation, "timeline"), i, entry)
	{
		struct export_row row;
		export_row_of(entry, &tags, &row);
		row.case_id = str_from(opts->case_id);
		export_row_write(form, &row, out);
	}
	buf_deinit(&tags);
}

enum err_status export_write(const char *name, const json_t *investigation,
	const struct export_options *opts, struct buf *out, struct err *err)
{
	size_t i = find(name);
	if (i == FORMS) {
		return err_set(err, ERR_USAGE, "%.40s is no form of an investigation", name);
	}
	if (forms[i].rows) {
		write_rows(forms[i].form, investigation, opts, out);
	} else {
		forms[i].write(investigation, opts, out);
	}
	return buf_ok(out) ? ERR_OK
			   : err_set(err, ERR_LIMIT, "longer than %zu bytes", out->max);
}
