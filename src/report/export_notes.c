/* An investigation as Markdown, for a ticket or a wiki: every value escaped, because it is evidence. */
#include "report/export.h"

#include "base/phrase.h"
#include "base/text.h"
#include "incident/view.h"
#include "report/sections.h"

#include <stdio.h>

#define TIMELINE_SHOWN 200
#define PHRASE_MAX     ((size_t)64 * 1024)

struct notes {
	const struct export_options *opts;
	struct buf *out;
};

static const char *tr(const struct notes *n, const char *text)
{
	return i18n_tr(n->opts->lang, text);
}

static void heading(const struct notes *n, const char *text)
{
	buf_printf(n->out, "\n## %s\n\n", tr(n, text));
}

static void value(const struct notes *n, const char *s)
{
	text_markdown(str_from(s), n->out);
}

static void say(const struct notes *n, const json_t *phrase)
{
	struct buf b;
	buf_init(&b, PHRASE_MAX);
	phrase_say(n->opts->lang, phrase, &b);
	text_markdown(buf_view(&b), n->out);
	buf_deinit(&b);
}

static void list(const struct notes *n, const char *label, const json_t *items)
{
	size_t i;
	json_t *item;
	if (json_array_size(items) == 0) {
		return;
	}
	buf_printf(n->out, "- %s: ", tr(n, label));
	json_array_foreach(items, i, item)
	{
		buf_puts(n->out, i ? ", " : "");
		value(n, json_string_value(item));
	}
	buf_putc(n->out, '\n');
}

static void cited(const struct notes *n, const json_t *events)
{
	size_t i;
	json_t *id;
	json_array_foreach(events, i, id)
	{
		if (i == 5) {
			buf_puts(n->out, " ...");
			break;
		}
		buf_puts(n->out, i ? ", " : " (");
		value(n, json_string_value(id));
	}
	buf_puts(n->out, json_array_size(events) ? ")\n" : "\n");
}

static int percent(const json_t *doc)
{
	return (int)(100 * doc_real(doc, "confidence", 0) + 0.5);
}

static void verdict(const struct notes *n, const json_t *v)
{
	const char *class_name = doc_text_or(v, "class", "undetermined");
	buf_puts(n->out, "**");
	value(n, tr(n, view_cause(class_name)));
	buf_printf(n->out, "** (%d %%)\n\n", percent(v));
	if (doc_text(v, "entry_time")) {
		buf_printf(n->out, "- %s: ", tr(n, "Entry"));
		value(n, doc_text(v, "entry_time"));
		buf_putc(n->out, '\n');
	}
	list(n, "Principals", json_object_get(v, "principals"));
	list(n, "Access keys", json_object_get(v, "access_keys"));
	list(n, "Addresses", json_object_get(v, "source_ips"));
	list(n, "Acting for", json_object_get(v, "source_identities"));
	list(n, "Resources", json_object_get(v, "resources"));
}

static void chain(const struct notes *n, const json_t *links)
{
	size_t i;
	json_t *link;
	if (json_array_size(links)) {
		heading(n, "How it happened");
	}
	json_array_foreach(links, i, link)
	{
		buf_puts(n->out, "1. ");
		value(n, doc_text_or(link, "time", ""));
		buf_putc(n->out, ' ');
		say(n, link);
		if (doc_text(link, "technique")) {
			buf_printf(n->out, " ");
			value(n, doc_text(link, "technique"));
		}
		cited(n, json_object_get(link, "events"));
	}
}

static void claims(const struct notes *n, const json_t *items)
{
	size_t i;
	json_t *c;
	if (json_array_size(items)) {
		heading(n, "Evidence for (+) and against (-)");
	}
	json_array_foreach(items, i, c)
	{
		buf_printf(n->out, "- %+.1f ", doc_real(c, "weight", 0));
		say(n, c);
		cited(n, json_object_get(c, "events"));
	}
}

static void missing(const struct notes *n, const json_t *v)
{
	size_t i;
	json_t *a;
	if (json_array_size(json_object_get(v, "alternatives"))) {
		heading(n, "What else it could be");
	}
	json_array_foreach(json_object_get(v, "alternatives"), i, a)
	{
		const char *against = doc_text_or(a, "against[0]", "");
		buf_printf(n->out, "- %d %% ", percent(a));
		value(n, tr(n, view_cause(doc_text_or(a, "class", ""))));
		buf_puts(n->out, ". ");
		value(n, tr(n, against));
		buf_putc(n->out, '\n');
	}
	if (json_array_size(json_object_get(v, "missing"))) {
		heading(n, "What would settle it");
	}
	json_array_foreach(json_object_get(v, "missing"), i, a)
	{
		buf_puts(n->out, "- ");
		value(n, tr(n, json_string_value(a)));
		buf_putc(n->out, '\n');
	}
}

static void row(const struct notes *n, const json_t *e, const char *const *fields)
{
	buf_puts(n->out, "|");
	for (; *fields; fields++) {
		buf_putc(n->out, ' ');
		value(n, doc_text_or(e, *fields, ""));
		buf_puts(n->out, " |");
	}
	buf_putc(n->out, '\n');
}

static void timeline(const struct notes *n, const json_t *entries)
{
	static const char *const fields[] = { "time", "source", "principal", "ip", "action",
		"target", "outcome", NULL };
	size_t i;
	json_t *e;
	if (json_array_size(entries) == 0) {
		return;
	}
	heading(n, "Timeline");
	buf_printf(n->out,
		"| %s | %s | %s | %s | %s | %s | %s |\n|---|---|---|---|---|---|---|\n",
		tr(n, "Time"), tr(n, "Source"), tr(n, "Principal"), tr(n, "Address"),
		tr(n, "Action"), tr(n, "Target"), tr(n, "Outcome"));
	json_array_foreach(entries, i, e)
	{
		if (i == TIMELINE_SHOWN) {
			buf_printf(n->out, "\n... %zu %s\n", json_array_size(entries) - i,
				tr(n, "more; see --output json"));
			return;
		}
		row(n, e, fields);
	}
}

static void inputs(const struct notes *n, const json_t *in)
{
	size_t i;
	json_t *r;
	heading(n, "What was read");
	buf_printf(n->out, "- %lld %s, %lld %s (%lld %s)\n", (long long)doc_int(in, "files", 0),
		tr(n, "files"), (long long)doc_int(in, "events", 0), tr(n, "events"),
		(long long)doc_int(in, "unique_events", 0), tr(n, "without duplicates"));
	json_array_foreach(json_object_get(in, "rejected"), i, r)
	{
		buf_printf(n->out, "- %s ", tr(n, "Not read:"));
		value(n, doc_text_or(r, "file", ""));
		buf_puts(n->out, ": ");
		value(n, tr(n, doc_text_or(r, "reason", "")));
		buf_printf(n->out, " (%lld)\n", (long long)doc_int(r, "count", 1));
	}
	json_array_foreach(json_object_get(in, "gaps"), i, r)
	{
		buf_printf(n->out, "- %s ", tr(n, "No records:"));
		value(n, doc_text_or(r, "source", ""));
		buf_putc(n->out, ' ');
		value(n, doc_text_or(r, "region", ""));
		buf_puts(n->out, *doc_text_or(r, "region", "") ? " " : "");
		value(n, doc_text_or(r, "from", ""));
		buf_puts(n->out, " .. ");
		value(n, doc_text_or(r, "to", ""));
		buf_putc(n->out, '\n');
	}
}

void export_notes(const json_t *doc, const struct export_options *opts, struct buf *out)
{
	const struct notes n = { opts, out };
	const json_t *v = json_object_get(doc, "verdict");
	buf_printf(out, "# %s", tr(&n, "Root cause"));
	if (opts->case_id) {
		buf_putc(out, ' ');
		value(&n, opts->case_id);
	}
	buf_puts(out, "\n\n");
	verdict(&n, v);
	chain(&n, json_object_get(v, "chain"));
	claims(&n, json_object_get(v, "claims"));
	missing(&n, v);
	timeline(&n, json_object_get(doc, "timeline"));
	inputs(&n, json_object_get(doc, "inputs"));
}
