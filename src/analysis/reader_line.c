/* Logs of lines, told apart by what stands in them; files may hold several kinds. */
#include "analysis/reader_take.h"

#include "base/i18n.h"
#include "base/utc.h"

#define LINE_MAX_BYTES ((size_t)1024 * 1024)

/* The columns of a flow log, as its header named them, and what was not understood. */
struct lines {
	struct flow_format format;
	bool in_flow; /* a header was seen */
	uint64_t unknown, flow_like, total;
	int level; /* tape that JSON amid the lines is scanned into */
};

/* Begins like a flow log record: a version, an account or a word, an interface ... */
static bool is_flow_like(struct str line)
{
	struct str first = str_sub(line, 0, str_find_char(line, ' '));
	return first.n == 1 && first.p[0] >= '2' && first.p[0] <= '9';
}

static bool take_flow(struct reader *r, struct lines *s, struct str line)
{
	if (flow_header(line, &s->format)) {
		s->in_flow = true;
		return true;
	}
	return (s->in_flow || is_flow_like(line)) && reader_take_flow(r, &s->format, line);
}

/* A line of JSON amid text: a log shipper's, or an event a line after a heading. */
static bool take_json(struct reader *r, const struct lines *s, struct str line)
{
	size_t used = 0;
	return line.n && line.p[0] == '{' &&
	       scan_value(&r->tapes[s->level], line, true, &used) == SCAN_OK &&
	       reader_record(r, s->level, 0);
}

static bool take_plain(struct reader *r, struct lines *s, struct str line)
{
	return reader_take_web(r, line) || reader_take_s3(r, line) || take_flow(r, s, line);
}

/*
 * "2026-08-01T10:00:00.000Z LINE": what CloudWatch Logs writes when it exports to S3, the time of
 * ingestion before each event as it was. dated syslog looks alike; it is asked last.
 */
static bool take_stamped(struct reader *r, struct lines *s, struct str line)
{
	size_t blank = str_find_char(line, ' ');
	if (blank == SIZE_MAX || blank < 20 || blank > 32 || line.p[10] != 'T' ||
		!utc_parse(str_sub(line, 0, blank), &r->stamp_ms)) {
		return false;
	}
	struct str rest = str_sub(line, blank + 1, SIZE_MAX);
	bool taken =
		take_json(r, s, rest) || take_plain(r, s, rest) || reader_take_syslog(r, rest);
	r->stamp_ms = 0;
	return taken;
}

static bool take(struct reader *r, struct lines *s, struct str line)
{
	return take_plain(r, s, line) || take_stamped(r, s, line) ||
	       reader_take_syslog(r, line) || take_json(r, s, line);
}

bool reader_line(struct reader *r, int level, struct str line)
{
	struct lines s = { .level = level };
	return take(r, &s, line);
}

static void take_line(struct reader *r, struct lines *s, struct str line)
{
	r->line++;
	if (line.n && line.p[line.n - 1] == '\r') {
		line.n--;
	}
	if (line.n == 0) {
		return;
	}
	s->total++;
	if (!take(r, s, line)) {
		s->unknown++;
		s->flow_like += is_flow_like(line);
	}
}

static void account(struct reader *r, const struct lines *s)
{
	if (s->unknown == 0) {
		return;
	}
	if (s->flow_like > s->unknown / 2) {
		reader_reject(r,
			N_("flow records that are not in the default format, and no line names "
			   "their columns"),
			s->unknown);
		return;
	}
	reader_reject(r,
		s->unknown == s->total ? N_("no line is in a known format")
				       : N_("lines in no known format"),
		s->unknown);
}

void reader_lines(struct reader *r, struct input *in)
{
	struct lines s = { .total = 0 };
	bool skipping = false; /* inside a line that is too long */
	for (;;) {
		struct str view = input_view(in);
		size_t at = str_find_char(view, '\n');
		if (at == SIZE_MAX && view.n > LINE_MAX_BYTES) {
			if (!skipping) {
				reader_reject(r, N_("a line longer than 1 MiB"), 1);
			}
			skipping = true;
			input_take(in, view.n);
		}
		if (at == SIZE_MAX) {
			if (input_more(in)) {
				continue;
			}
			view = input_view(in);
			at = view.n;
		}
		if (!skipping && (at > 0 || view.n > 0)) {
			take_line(r, &s, str_sub(view, 0, at));
		}
		skipping = false;
		if (at >= view.n) {
			break;
		}
		input_take(in, at + 1);
	}
	account(r, &s);
}
