#include "app/drill.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BOLD      "1"
#define DIM       "2"
#define GREEN     "32"
#define RED       "31"
#define YELLOW    "33"
#define CYAN      "36"
#define WIDTH_MAX 100
#define MARGIN    12 /* the column of times */

static int width(const struct drill_say *s)
{
	struct winsize w = { 0 };
	int columns = 88;

	if (ioctl(fileno(s->to), TIOCGWINSZ, &w) == 0 && w.ws_col > 40) {
		columns = w.ws_col;
	}
	return columns < WIDTH_MAX ? columns : WIDTH_MAX;
}

static void paint(const struct drill_say *s, const char *code, const char *text)
{
	if (s->color) {
		(void)fprintf(s->to, "\033[%sm%s\033[0m", code, text);
	} else {
		(void)fputs(text, s->to);
	}
}

static void clock_column(const struct drill_say *s)
{
	char at[32];

	if (s->zero_us == 0) {
		(void)fprintf(s->to, "%*s", MARGIN, "");
		return;
	}
	(void)snprintf(
		at, sizeof(at), "%+8.2f s  ", (double)(env_mono_us(s->env) - s->zero_us) / 1e6);
	paint(s, DIM, at);
}

/* Columns that a UTF-8 text takes: its bytes less the continuation bytes. */
static int columns(const char *p, size_t n)
{
	int c = 0;

	for (size_t i = 0; i < n; i++) {
		c += ((unsigned char)p[i] & 0xc0) != 0x80;
	}
	return c;
}

static void wrapped(const struct drill_say *s, const char *text, int indent, const char *code)
{
	int at = indent, limit = width(s);
	struct str rest = str_from(text), word;

	(void)fprintf(s->to, "%*s", indent, "");
	if (s->color && code != NULL) {
		(void)fprintf(s->to, "\033[%sm", code);
	}
	while (str_cut(&rest, ' ', &word)) {
		int n = columns(word.p, word.n);

		if (at > indent && at + n + 1 > limit) {
			(void)fprintf(s->to, "\n%*s", indent, "");
			at = indent;
		}
		(void)fprintf(s->to, "%s%.*s", at > indent ? " " : "", STR_ARG(word));
		at += n + (at > indent);
	}
	(void)fputs(s->color && code != NULL ? "\033[0m\n" : "\n", s->to);
}

static void safe(const char *value, struct buf *out)
{
	buf_init(out, 65536);
	text_terminal(str_from(value), out);
	buf_putc(out, '\0');
}

void drill_say_part(struct drill_say *s, const char *heading)
{
	char number[24];

	pthread_mutex_lock(&s->lock);
	(void)snprintf(number, sizeof(number), "\n  %d  ", ++s->part);
	paint(s, CYAN, number);
	paint(s, BOLD, i18n_tr(s->lang, heading));
	(void)fputs("\n", s->to);
	(void)fflush(s->to);
	pthread_mutex_unlock(&s->lock);
}

void drill_say_text(struct drill_say *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	wrapped(s, i18n_tr(s->lang, text), 5, NULL);
	(void)fflush(s->to);
	pthread_mutex_unlock(&s->lock);
}

void drill_say_why(struct drill_say *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	wrapped(s, i18n_tr(s->lang, text), MARGIN + 4, DIM);
	(void)fflush(s->to);
	pthread_mutex_unlock(&s->lock);
}

void drill_say_line(
	struct drill_say *s, enum drill_mark mark, const char *text, const char *value)
{
	static const struct {
		const char *sign, *code;
	} marks[] = { { "\xc2\xb7", DIM }, { "\xe2\x9c\x93", GREEN }, { "\xe2\x9c\x97", RED },
		{ "\xe2\x80\x93", DIM }, { "\xe2\x80\xa6", YELLOW } };
	struct buf b;

	pthread_mutex_lock(&s->lock);
	clock_column(s);
	paint(s, marks[mark].code, marks[mark].sign);
	(void)fprintf(s->to, " %s", i18n_tr(s->lang, text));
	if (value != NULL && value[0] != '\0') {
		safe(value, &b);
		(void)fputs("  ", s->to);
		paint(s, DIM, b.p);
		buf_deinit(&b);
	}
	(void)fputs("\n", s->to);
	(void)fflush(s->to);
	pthread_mutex_unlock(&s->lock);
}

/*
 * Where a line that begins at `from` ends: with the text, else at a blank, else behind a mark inside a
 * long name (an ARN, a file's), else anywhere.
 */
static size_t line_end(struct str text, size_t from, int room)
{
	size_t blank = from, mark = from, i = from;
	bool lead = true; /* blanks before the first word are its indent */

	for (int at = 0; i < text.n; i++) {
		lead = lead && text.p[i] == ' ';
		if (text.p[i] == ' ' && !lead) {
			blank = i;
		}
		at += ((unsigned char)text.p[i] & 0xc0) != 0x80;
		if (at > room && i > from) {
			return blank > from ? blank : mark > from ? mark : i;
		}
		if (strchr("_/:", text.p[i]) != NULL) {
			mark = i + 1;
		}
	}
	return text.n;
}

/* A value over as many lines as it needs; `bar` begins each. */
static void wrapped_value(
	const struct drill_say *s, struct str text, int indent, const char *bar)
{
	const int room = width(s) - indent - columns(bar, strlen(bar));
	size_t from = 0, to;

	do {
		to = line_end(text, from, room);
		(void)fprintf(s->to, "%*s", from == 0 && bar[0] == '\0' ? 0 : indent, "");
		paint(s, DIM, bar);
		(void)fprintf(s->to, "%.*s\n", (int)(to - from), text.p + from);
		from = to < text.n && text.p[to] == ' ' ? to + 1 : to;
	} while (from < text.n);
}

void drill_say_fact(struct drill_say *s, const char *label, const char *value)
{
	struct buf b;
	const char *shown = i18n_tr(s->lang, label);
	int pad = 16 - columns(shown, strlen(shown));

	safe(value, &b);
	pthread_mutex_lock(&s->lock);
	(void)fprintf(s->to, "%*s", MARGIN + 2, "");
	paint(s, DIM, shown);
	(void)fprintf(s->to, "%*s", pad > 0 ? pad : 1, "");
	wrapped_value(s, str_from(b.p), MARGIN + 18, "");
	(void)fflush(s->to);
	pthread_mutex_unlock(&s->lock);
	buf_deinit(&b);
}

void drill_say_quote(struct drill_say *s, const char *value)
{
	struct str rest = str_from(value), line;
	struct buf b = { 0 };

	pthread_mutex_lock(&s->lock);
	while (str_cut(&rest, '\n', &line)) {
		buf_init(&b, 65536);
		text_terminal(line, &b);
		wrapped_value(s, buf_view(&b), MARGIN + 2, "\xe2\x94\x82 ");
		buf_deinit(&b);
	}
	(void)fflush(s->to);
	pthread_mutex_unlock(&s->lock);
}
