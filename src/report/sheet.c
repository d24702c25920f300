#include "report/sheet.h"

#include "base/fill.h"
#include "base/phrase.h"
#include "base/text.h"
#include "base/utc.h"

#include <stdio.h>
#include <string.h>

/* Opening and closing mark-up of each block; "" where Markdown needs none. */
static const struct {
	const char *html[2], *md[2];
} block_marks[] = {
	[SHEET_PARA] = { { "<p>", "</p>\n" }, { "", "\n\n" } },
	[SHEET_LEAD] = { { "<p class=\"lead\">", "</p>\n" }, { "", "\n\n" } },
	[SHEET_LIST] = { { "<ul>\n", "</ul>\n" }, { "", "" } },
	[SHEET_ITEM] = { { "<li>", "</li>\n" }, { "- ", "\n" } },
	[SHEET_FACTS] = { { "<dl class=\"facts\">\n", "</dl>\n" }, { "", "\n\n" } },
	[SHEET_ROW] = { { "<tr>", "</tr>\n" }, { "|", "\n" } },
	[SHEET_CELL] = { { "<td>", "</td>" }, { " ", " |" } },
	[SHEET_CARD] = { { "<article class=\"card\">\n", "</article>\n" }, { "", "\n" } },
	[SHEET_NOTE] = { { "<p class=\"note\">", "</p>\n" }, { "> ", "\n\n" } },
	[SHEET_STRONG] = { { "<strong>", "</strong>" }, { "**", "**" } },
	[SHEET_SMALL] = { { "<span class=\"small\">", "</span>" }, { "", "" } },
};

static const struct {
	const char *css, *icon;
} tones[] = {
	[SHEET_PLAIN] = { "plain", "\xe2\x80\xa2" },
	[SHEET_GOOD] = { "good", "\xe2\x9c\x93" },
	[SHEET_WARN] = { "warn", "\xe2\x96\xb2" },
	[SHEET_BAD] = { "bad", "\xe2\x9c\x95" },
	[SHEET_WAIT] = { "wait", "\xe2\x97\x94" },
	[SHEET_INFO] = { "info", "\xe2\x97\x86" },
};

const char *sheet_tr(const struct sheet *s, const char *english)
{
	return i18n_tr(s->lang, english);
}

static void escape(struct sheet *s, struct str text)
{
	if (s->html) {
		text_html(text, s->out);
	} else {
		text_markdown(text, s->out);
	}
}

static void put(struct sheet *s, const char *html, const char *md)
{
	buf_puts(s->out, s->html ? html : md);
}

void sheet_begin(struct sheet *s, enum sheet_block b)
{
	if (b == SHEET_LIST) {
		/* A list inside an item starts on a line of its own in Markdown. */
		put(s, block_marks[b].html[0], s->depth ? "\n" : "");
		s->depth++;
		return;
	}
	if (b == SHEET_FACTS) {
		s->in_fact = false;
	}
	if (b == SHEET_ITEM && !s->html) {
		for (int i = 1; i < s->depth; i++) {
			buf_puts(s->out, "  ");
		}
	}
	put(s, block_marks[b].html[0], block_marks[b].md[0]);
}

void sheet_end(struct sheet *s, enum sheet_block b)
{
	if (b == SHEET_LIST) {
		s->depth--;
		put(s, block_marks[b].html[1], s->depth ? "" : "\n");
		return;
	}
	if (b == SHEET_FACTS && s->in_fact) {
		buf_puts(s->out, "</dd></div>\n");
		s->in_fact = false;
	}
	if (b == SHEET_ITEM && !s->html && s->out->n && s->out->p[s->out->n - 1] == '\n') {
		return; /* a nested list ended the line already */
	}
	put(s, block_marks[b].html[1], block_marks[b].md[1]);
}

void sheet_section(struct sheet *s, const char *id, const char *title)
{
	if (s->html) {
		buf_printf(s->out,
			"<section id=\"%s\" aria-labelledby=\"h-%s\">\n<h2 id=\"h-%s\">", id,
			id, id);
		sheet_say(s, title);
		buf_puts(s->out, "</h2>\n");
		return;
	}
	buf_puts(s->out, "## ");
	sheet_say(s, title);
	buf_puts(s->out, "\n\n");
}

void sheet_section_end(struct sheet *s)
{
	put(s, "</section>\n", "\n");
}

void sheet_heading(struct sheet *s, const char *title)
{
	put(s, "<h3>", "### ");
	sheet_say(s, title);
	put(s, "</h3>\n", "\n\n");
}

void sheet_fact(struct sheet *s, const char *label)
{
	if (s->html) {
		buf_puts(s->out, s->in_fact ? "</dd></div>\n<div><dt>" : "<div><dt>");
		sheet_say(s, label);
		buf_puts(s->out, "</dt><dd>");
		s->in_fact = true;
		return;
	}
	if (s->out->n && s->out->p[s->out->n - 1] != '\n') {
		buf_putc(s->out, '\n');
	}
	buf_puts(s->out, "- **");
	sheet_say(s, label);
	buf_puts(s->out, ":** ");
}

void sheet_table(struct sheet *s, const char *caption, const char *const *columns)
{
	size_t n = 0;

	if (s->html) {
		buf_puts(s->out, "<div class=\"scroll\"><table>\n<caption>");
		sheet_say(s, caption);
		buf_puts(s->out, "</caption>\n<thead><tr>");
	} else {
		buf_puts(s->out, "*");
		sheet_say(s, caption);
		buf_puts(s->out, "*\n\n|");
	}
	for (n = 0; columns[n]; n++) {
		put(s, "<th scope=\"col\">", " ");
		sheet_say(s, columns[n]);
		put(s, "</th>", " |");
	}
	put(s, "</tr></thead>\n<tbody>\n", "\n|");
	for (size_t i = 0; !s->html && i < n; i++) {
		buf_puts(s->out, "---|");
	}
	put(s, "", "\n");
}

void sheet_table_end(struct sheet *s)
{
	put(s, "</tbody></table></div>\n", "\n");
}

void sheet_fold(struct sheet *s, const char *summary, bool open)
{
	if (s->html) {
		buf_printf(s->out, "<details%s><summary>", open ? " open" : "");
		sheet_say(s, summary);
		buf_puts(s->out, "</summary>\n");
		return;
	}
	buf_puts(s->out, "\n**");
	sheet_say(s, summary);
	buf_puts(s->out, "**\n\n");
}

void sheet_fold_end(struct sheet *s)
{
	put(s, "</details>\n", "");
}

void sheet_say(struct sheet *s, const char *english)
{
	escape(s, str_from(sheet_tr(s, english)));
}

void sheet_fill(struct sheet *s, const char *english, const struct str *values, size_t n)
{
	struct buf clipped[4] = { 0 };
	struct str view[4] = { 0 };

	if (n > 4) {
		BUG("a sentence of a report has at most four values");
	}
	for (size_t i = 0; i < n; i++) {
		buf_init(&clipped[i], (size_t)SHEET_MAX_TEXT * 8);
		text_clip(values[i], SHEET_MAX_TEXT, &clipped[i]);
		view[i] = buf_view(&clipped[i]);
	}
	fill_text(s->out, sheet_tr(s, english), view, n, s->html ? text_html : text_markdown);
	for (size_t i = 0; i < n; i++) {
		buf_deinit(&clipped[i]);
	}
}

void sheet_phrase_text(const struct sheet *s, const json_t *phrase, struct buf *out)
{
	if (json_is_string(phrase)) {
		buf_puts(out, sheet_tr(s, json_string_value(phrase)));
		return;
	}
	phrase_say(s->lang, phrase, out);
}

void sheet_phrase(struct sheet *s, const json_t *phrase)
{
	struct buf text = { 0 };

	if (!json_is_string(phrase) && !doc_text(phrase, "text")) {
		sheet_value(s, phrase);
		return;
	}
	buf_init(&text, 65536);
	sheet_phrase_text(s, phrase, &text);
	sheet_text(s, text.p);
	buf_deinit(&text);
}

/* text_clip drops what it can't show; the escaper shows it. So cut here, then escape. */
static struct str cut(const char *value, bool *was_cut)
{
	struct str t = str_from(value);
	size_t chars = 0;

	*was_cut = false;
	for (size_t i = 0; i < t.n; i++) {
		if (((unsigned char)t.p[i] & 0xc0) == 0x80) {
			continue;
		}
		if (++chars > SHEET_MAX_TEXT) {
			*was_cut = true;
			return str_sub(t, 0, i);
		}
	}
	return t;
}

void sheet_text(struct sheet *s, const char *value)
{
	bool was_cut = false;

	escape(s, cut(value, &was_cut));
	if (was_cut) {
		buf_puts(s->out, "\xe2\x80\xa6");
	}
}

static bool plain_code(struct str t)
{
	static const char fine[] = "-_./:@+=,;()[]{}'\" %#?&~";

	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z');
		if (!alnum && (c == '\0' || !strchr(fine, c))) {
			return false;
		}
	}
	return t.n > 0;
}

static void code(struct sheet *s, const char *open, const char *value)
{
	if (s->html) {
		buf_puts(s->out, open);
		sheet_text(s, value);
		buf_puts(s->out, "</code>");
		return;
	}
	/* Markdown has no escape inside backquotes: only what needs none goes there. */
	if (value && strlen(value) <= SHEET_MAX_TEXT && plain_code(str_from(value))) {
		buf_printf(s->out, "`%s`", value);
	} else {
		sheet_text(s, value);
	}
}

void sheet_code(struct sheet *s, const char *value)
{
	code(s, "<code>", value);
}

void sheet_command(struct sheet *s, const char *line)
{
	code(s, "<code class=\"cmd\">", line);
}

void sheet_lines(struct sheet *s, struct str text)
{
	struct str line = { NULL, 0 };

	if (s->html) {
		/* Controls but the line break are made visible by the escaper, so line by line. */
		buf_puts(s->out, "<pre>");
		while (str_cut(&text, '\n', &line)) {
			text_html(line, s->out);
			buf_putc(s->out, '\n');
		}
		buf_puts(s->out, "</pre>\n");
		return;
	}
	/* An indented block can't be ended by its content, as a fence can. */
	if (s->out->n && s->out->p[s->out->n - 1] != '\n') {
		buf_puts(s->out, "\n\n");
	}
	while (str_cut(&text, '\n', &line)) {
		buf_puts(s->out, "    ");
		text_terminal(line, s->out);
		buf_putc(s->out, '\n');
	}
	buf_putc(s->out, '\n');
}

bool sheet_time_ms(const json_t *time, int64_t *ms)
{
	if (json_is_integer(time)) {
		*ms = json_integer_value(time);
		return true;
	}
	return json_is_string(time) && utc_parse(str_from(json_string_value(time)), ms);
}

void sheet_time(struct sheet *s, const json_t *time)
{
	char iso[32] = "";
	int64_t ms = 0;

	if (!sheet_time_ms(time, &ms)) {
		if (json_is_string(time)) {
			sheet_text(s,
				json_string_value(time)); /* not a time: show what is there */
		} else {
			buf_puts(s->out, "\xe2\x80\x93");
		}
		return;
	}
	utc_rfc3339(ms - ms % 1000, iso);
	if (s->html) {
		buf_printf(s->out,
			"<time datetime=\"%s\"><span class=\"day\">%.10s</span> "
			"%.8s&nbsp;UTC</time>",
			iso, iso, iso + 11);
	} else {
		buf_printf(s->out, "%.10s %.8s UTC", iso, iso + 11);
	}
}

void sheet_badge(struct sheet *s, enum sheet_tone tone, const char *english)
{
	if (s->html) {
		buf_printf(s->out,
			"<span class=\"badge %s\"><span aria-hidden=\"true\">%s</span> ",
			tones[tone].css, tones[tone].icon);
		sheet_say(s, english);
		buf_puts(s->out, "</span>");
		return;
	}
	buf_printf(s->out, "%s ", tones[tone].icon);
	sheet_say(s, english);
}

void sheet_events(struct sheet *s, const json_t *ids)
{
	sheet_events_most(s, ids, 6);
}

void sheet_events_most(struct sheet *s, const json_t *ids, size_t most)
{
	size_t i = 0;
	size_t n = json_array_size(ids);

	for (i = 0; i < n && i < most; i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		json_int_t number = id ? json_integer_value(json_object_get(s->events, id)) : 0;
		if (i) {
			buf_putc(s->out, ' ');
		}
		if (!number) {
			sheet_code(s, id);
		} else if (s->html) {
			buf_printf(s->out, "<a class=\"ev\" href=\"#e%lld\" title=\"",
				(long long)number);
			sheet_text(s, id);
			buf_printf(s->out, "\">[%lld]</a>", (long long)number);
		} else {
			buf_printf(s->out, "\\[%lld\\]", (long long)number);
		}
	}
	if (n > most) {
		char more[24];
		(void)snprintf(more, sizeof(more), "%zu", n - most);
		sheet_space(s);
		sheet_fill(s, "and {0} more", (struct str[]){ str_from(more) }, 1);
	}
}

void sheet_raw(struct sheet *s, const char *html)
{
	if (s->html) {
		buf_puts(s->out, html);
	}
}

void sheet_space(struct sheet *s)
{
	buf_putc(s->out, ' ');
}

/* NOLINTBEGIN(misc-no-recursion): bounded by `depth` */
static void value_at(struct sheet *s, const json_t *v, int depth);

static void object_at(struct sheet *s, const json_t *v, int depth)
{
	/* jansson's iterators take a non-const object but do not change it. */
	union {
		const json_t *c;
		json_t *m;
	} u = { v };
	const char *key = NULL;
	json_t *item = NULL;
	bool first = true;

	json_object_foreach(u.m, key, item)
	{
		if (!first) {
			buf_puts(s->out, "; ");
		}
		first = false;
		sheet_text(s, key);
		buf_puts(s->out, ": ");
		value_at(s, item, depth + 1);
	}
	if (first) {
		buf_puts(s->out, "\xe2\x80\x93");
	}
}

static void list_at(struct sheet *s, const json_t *v, int depth)
{
	size_t n = json_array_size(v);

	for (size_t i = 0; i < n && i < 20; i++) {
		if (i) {
			buf_puts(s->out, ", ");
		}
		value_at(s, json_array_get(v, i), depth + 1);
	}
	if (n == 0) {
		sheet_say(s, "none");
	} else if (n > 20) {
		buf_puts(s->out, ", \xe2\x80\xa6");
	}
}

static void value_at(struct sheet *s, const json_t *v, int depth)
{
	char number[40];

	if (depth > 8) {
		buf_puts(s->out, "\xe2\x80\xa6");
	} else if (json_is_string(v)) {
		sheet_text(s, json_string_value(v));
	} else if (json_is_object(v)) {
		object_at(s, v, depth);
	} else if (json_is_array(v)) {
		list_at(s, v, depth);
	} else if (json_is_boolean(v)) {
		sheet_say(s, json_is_true(v) ? "yes" : "no");
	} else if (json_is_number(v)) {
		(void)snprintf(number, sizeof(number), "%.10g", json_number_value(v));
		sheet_text(s, number);
	} else {
		buf_puts(s->out, "\xe2\x80\x93");
	}
}
/* NOLINTEND(misc-no-recursion) */

void sheet_value(struct sheet *s, const json_t *v)
{
	value_at(s, v, 0);
}

bool sheet_room(const struct sheet *s, double share)
{
	return (double)(s->out->n - s->start) < share * SHEET_MAX_BYTES;
}

void sheet_duration(int64_t ms, char out[48])
{
	long long sec = (long long)(ms < 0 ? 0 : ms) / 1000;

	if (ms < 1000) {
		(void)snprintf(out, 48, "%lld ms", (long long)(ms < 0 ? 0 : ms));
	} else if (sec < 60) {
		(void)snprintf(out, 48, "%lld s", sec);
	} else if (sec < 3600) {
		(void)snprintf(out, 48, "%lld min %lld s", sec / 60, sec % 60);
	} else if (sec < 86400) {
		(void)snprintf(out, 48, "%lld h %lld min", sec / 3600, sec / 60 % 60);
	} else {
		(void)snprintf(out, 48, "%lld d %lld h", sec / 86400, sec / 3600 % 24);
	}
}
