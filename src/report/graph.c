/* The attack graph: boxes from entry over means to action, and the same as a nested list. */
#include "base/text.h"
#include "report/sections.h"

#include <string.h>

enum {
	MOST_NODES = 20, /* boxes; the list has all */
	MOST_LISTED = 200,
	BOX_W = 272,
	BOX_H = 104,
	GAP_X = 56,
	GAP_Y = 32,
	TOP = 40,
	LINE_CHARS = 33,
	MOST_LINES = 3,
};

static const struct {
	const char *link, *words;
} columns[] = {
	{ "entry", N_("How they came in") },
	{ "means", N_("What they used") },
	{ "action", N_("What they did") },
};

const char *graph_link_words(const char *link)
{
	for (size_t i = 0; link && i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (strcmp(columns[i].link, link) == 0) {
			return columns[i].words;
		}
	}
	return N_("other");
}

static int column_of(const json_t *node)
{
	const char *link = doc_text_or(node, "link", "action");

	for (int i = 0; i < 3; i++) {
		if (strcmp(columns[i].link, link) == 0) {
			return i;
		}
	}
	return 2;
}

/* Cuts one line of at most LINE_CHARS characters off the front of *rest: before a blank, else after
 * a mark inside a long word (an ARN), else anywhere. */
static struct str cut_line(struct str *rest)
{
	size_t chars = 0;
	size_t i = 0;
	size_t best = 0;
	struct str line;

	for (i = 0; i < rest->n; i++) {
		if (((unsigned char)rest->p[i] & 0xc0) != 0x80 && chars++ == LINE_CHARS) {
			break;
		}
		if (rest->p[i] == ' ' && i > 0) {
			best = i;
		} else if (strchr("/:-", rest->p[i]) && chars > LINE_CHARS / 2 &&
			   chars < LINE_CHARS) {
			best = i + 1;
		}
	}
	if (i < rest->n && rest->p[i] != ' ' && best > 0) {
		i = best;
	}
	line = str_sub(*rest, 0, i);
	*rest = str_trim(str_sub(*rest, i, rest->n));
	return line;
}

static void wrapped(struct sheet *s, const char *text, int x, int y)
{
	struct str rest = str_from(text);

	for (int i = 0; i < MOST_LINES && rest.n; i++) {
		struct str line = cut_line(&rest);
		buf_printf(s->out, "<text x=\"%d\" y=\"%d\">", x, y + i * 18);
		text_html(line, s->out);
		buf_puts(s->out,
			i + 1 == MOST_LINES && rest.n ? "\xe2\x80\xa6</text>" : "</text>");
	}
}

struct place {
	int column, row;
};

static int left(struct place p)
{
	return p.column * (BOX_W + GAP_X);
}

static int top(struct place p)
{
	return TOP + p.row * (BOX_H + GAP_Y);
}

/* `more` neighbours of the same technique are in this box too. */
static void box(struct sheet *s, const json_t *node, size_t more, struct place at)
{
	const char *id = doc_text(node, "technique");
	struct buf text = { 0 };
	int64_t ms = 0;

	buf_printf(s->out,
		"<g class=\"node %s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
		"rx=\"8\"/>",
		columns[at.column].link, left(at), top(at), BOX_W, BOX_H);
	buf_printf(
		s->out, "<text class=\"tag\" x=\"%d\" y=\"%d\">", left(at) + 12, top(at) + 22);
	if (id) {
		text_html(str_from(id), s->out);
	}
	if (sheet_time_ms(doc_get(node, "time"), &ms)) {
		long long sec = (long long)(ms / 1000);
		buf_printf(s->out, "%s%02lld:%02lld:%02lld UTC", id ? " \xc2\xb7 " : "",
			sec / 3600 % 24, sec / 60 % 60, sec % 60);
	}
	if (more) {
		buf_printf(s->out, " \xc2\xb7 +%zu", more);
	}
	buf_puts(s->out, "</text>");
	buf_init(&text, 65536);
	sheet_phrase_text(s, node, &text);
	/* An inner svg cuts off what is too wide for the box in the reader's font. */
	buf_printf(s->out, "<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\">", left(at) + 12,
		top(at) + 30, BOX_W - 20, BOX_H - 36);
	wrapped(s, text.p, 0, 16);
	buf_deinit(&text);
	buf_puts(s->out, "</svg></g>\n");
}

static void arrow(struct sheet *s, struct place a, struct place b)
{
	int from_x = left(a) + BOX_W;
	int from_y = top(a) + BOX_H / 2;

	if (a.row == b.row) {
		buf_printf(s->out, "<path class=\"arrow\" d=\"M%d %d H%d\"/>", from_x, from_y,
			left(b) - 8);
		return;
	}
	from_x = left(a) + BOX_W / 2;
	buf_printf(s->out, "<path class=\"arrow\" d=\"M%d %d V%d H%d V%d\"/>", from_x,
		top(a) + BOX_H, top(b) - GAP_Y / 2, left(b) + BOX_W / 2, top(b) - 8);
}

/* A row further down when the column stays or goes back, the same row when it goes on. */
static struct place next_place(struct place before, int column)
{
	struct place p = { column, before.row };

	if (column <= before.column) {
		p.row++;
	}
	return p;
}

struct node {
	const json_t *link;
	size_t more;
	struct place at;
};

/* Neighbours of one link and technique become one box; gives how many boxes there are. */
static size_t boxes(const json_t *chain, struct node out[MOST_NODES])
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(chain); i++) {
		const json_t *link = json_array_get(chain, i);
		const json_t *before = n ? out[n - 1].link : NULL;
		if (before && column_of(link) == column_of(before) &&
			strcmp(doc_text_or(link, "technique", ""),
				doc_text_or(before, "technique", "")) == 0 &&
			json_array_size(chain) > 8) {
			out[n - 1].more++;
		} else if (n < MOST_NODES) {
			int column = column_of(link);
			out[n] = (struct node){ .link = link,
				.at = n ? next_place(out[n - 1].at, column)
					: (struct place){ column, 0 } };
			n++;
		}
	}
	return n;
}

static void drawing(struct sheet *s, const json_t *chain)
{
	struct node nodes[MOST_NODES] = { 0 };
	size_t n = boxes(chain, nodes);
	int width = 3 * BOX_W + 2 * GAP_X;
	int height = top(nodes[n - 1].at) + BOX_H;

	buf_printf(s->out,
		"<figure class=\"graph\"><div class=\"scroll\"><svg role=\"img\" "
		"aria-labelledby=\"graph-title\" viewBox=\"-2 0 %d %d\" width=\"%d\"><title "
		"id=\"graph-title\">",
		width + 4, height + 4, width + 4);
	sheet_say(s, "Attack graph; the list below says the same");
	buf_puts(s->out,
		"</title><defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"1\" refY=\"4\" "
		"markerWidth=\"4\" markerHeight=\"4\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 "
		"z\"/></marker></defs>\n");
	for (int c = 0; c < 3; c++) {
		buf_printf(s->out, "<text class=\"column\" x=\"%d\" y=\"20\">",
			c * (BOX_W + GAP_X));
		sheet_say(s, columns[c].words);
		buf_puts(s->out, "</text>");
	}
	for (size_t i = 0; i < n; i++) {
		box(s, nodes[i].link, nodes[i].more, nodes[i].at);
		if (i) {
			arrow(s, nodes[i - 1].at, nodes[i].at);
		}
	}
	buf_puts(s->out, "</svg></div></figure>\n");
}

static void list(struct sheet *s, const json_t *chain, size_t n)
{
	const char *open = NULL;

	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; i < n; i++) {
		const json_t *node = json_array_get(chain, i);
		const char *link = doc_text_or(node, "link", "action");
		const char *id = doc_text(node, "technique");
		if (!open || strcmp(open, link) != 0) {
			if (open) {
				sheet_end(s, SHEET_LIST);
				sheet_end(s, SHEET_ITEM);
			}
			open = link;
			sheet_begin(s, SHEET_ITEM);
			sheet_begin(s, SHEET_STRONG);
			sheet_say(s, graph_link_words(link));
			sheet_end(s, SHEET_STRONG);
			sheet_begin(s, SHEET_LIST);
		}
		sheet_begin(s, SHEET_ITEM);
		sheet_time(s, doc_get(node, "time"));
		sheet_space(s);
		sheet_phrase(s, node);
		sheet_space(s);
		if (id) {
			sheet_code(s, id);
			sheet_space(s);
		}
		sheet_events(s, doc_get(node, "events"));
		sheet_end(s, SHEET_ITEM);
	}
	if (open) {
		sheet_end(s, SHEET_LIST);
		sheet_end(s, SHEET_ITEM);
	}
	sheet_end(s, SHEET_LIST);
}

void graph_write(struct sheet *s)
{
	const json_t *chain = doc_get(s->view, "investigation.verdict.chain");
	size_t n = json_array_size(chain);

	if (n == 0) {
		return;
	}
	sheet_heading(s, N_("Attack graph"));
	if (s->html) {
		drawing(s, chain);
	}
	list(s, chain, n < MOST_LISTED ? n : MOST_LISTED);
}
