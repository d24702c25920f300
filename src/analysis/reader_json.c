/* JSON of every shape that CloudTrail events, findings and journal lines travel in. */
#include "analysis/reader_take.h"

#include "base/i18n.h"
#include "base/utc.h"

#include <string.h>

/*
 * Events that were read are taken in some at a time: meanwhile the memory fetches what will be looked
 * up for them. Their texts lie in the window, which must not move before.
 */
static void take_held(struct reader *r)
{
	for (size_t i = 0; i < r->n_held; i++) {
		track_expect(&r->track, &r->held[i]);
	}
	for (size_t i = 0; i < r->n_held; i++) {
		reader_take_event(r, &r->held[i]);
	}
	r->n_held = 0;
}

static bool more(struct reader *r, struct input *in)
{
	take_held(r);
	return input_more(in);
}

static void hold(struct reader *r)
{
	track_announce(&r->track, &r->held[r->n_held++]);
	if (r->n_held == EVENT_TURNS) {
		take_held(r);
	}
}

static void skip_blank(struct reader *r, struct input *in)
{
	for (;;) {
		struct str s = input_view(in);
		size_t i = 0;
		/* RS (0x1e) separates texts in RFC 7464 sequences. */
		while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\r' ||
					  s.p[i] == '\t' || s.p[i] == 0x1e)) {
			i++;
		}
		input_take(in, i);
		if (i < s.n || !more(r, in)) {
			return;
		}
	}
}

static int peek(struct reader *r, struct input *in)
{
	skip_blank(r, in);
	struct str s = input_view(in);
	return s.n ? (unsigned char)s.p[0] : -1;
}

/* Scans the value at the front of the window, bringing in as much of it as it takes. */
static bool scan_next(struct reader *r, struct input *in)
{
	size_t used = 0;
	enum scan_result result = SCAN_MORE;
	take_held(r);
	for (;;) {
		struct str s = input_view(in);
		result = scan_value(&r->tapes[0], s, in->eof, &used);
		if (result != SCAN_MORE) {
			break;
		}
		if (!input_more(in)) {
			result = scan_value(&r->tapes[0], input_view(in), true, &used);
			break;
		}
	}
	if (result != SCAN_OK) {
		reader_reject(r, scan_reason(result), 1);
		return false;
	}
	r->tapes[0].text = input_view(in).p;
	input_take(in, used);
	return true;
}

static const char *const wrappers[] = { "Records", "records", "Events", "events", "logEvents",
	"Findings", "findings", "hits" };

/* {"Records":[ at the front: moves past the bracket, so that the array need not fit in memory. */
static bool open_wrapper(struct reader *r, struct input *in)
{
	while (input_view(in).n < 256 && more(r, in)) {
	}
	struct str s = str_sub(input_view(in), 0, 256);
	size_t i = 1;
	while (i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i]) {
		i++;
	}
	if (i >= s.n || s.p[i] != '"') {
		return false;
	}
	struct str rest = str_sub(s, i + 1, SIZE_MAX);
	struct str key = str_sub(rest, 0, str_find_char(rest, '"'));
	i += key.n + 2;
	bool known = false;
	for (size_t k = 0; k < sizeof(wrappers) / sizeof(wrappers[0]); k++) {
		known |= str_is(key, wrappers[k]);
	}
	for (; i < s.n && strchr(" \t\r\n:", s.p[i]) && s.p[i]; i++) {
	}
	if (!known || i >= s.n || s.p[i] != '[') {
		return false;
	}
	input_take(in, i + 1);
	r->in_records = str_eq_nocase(key, STR("Records"));
	return true;
}

/* Members of the wrapping object that follow the array. */
static bool close_wrapper(struct reader *r, struct input *in)
{
	while (peek(r, in) == ',') {
		input_take(in, 1);
		if (!scan_next(r, in)) {
			return false;
		}
		if (peek(r, in) != ':') {
			break;
		}
		input_take(in, 1);
		if (!scan_next(r, in)) {
			return false;
		}
	}
	if (peek(r, in) != '}') {
		reader_reject(r, N_("the object around the records does not end"), 1);
		return false;
	}
	input_take(in, 1);
	return true;
}

/* The usual case: the window begins with a CloudTrail record. False: nothing was taken. */
static bool take_plain_event(struct reader *r, struct input *in)
{
	size_t used = 0;
	for (;;) {
		enum event_result result =
			event_take(r->events, input_view(in), &r->held[r->n_held], &used);
		if (result == EVENT_OK) {
			break;
		}
		if (result != EVENT_MORE || !more(r, in)) {
			return false;
		}
	}
	hold(r);
	input_take(in, used);
	return true;
}

/* What was scanned; always true, for a value that is not understood spoils nothing. */
static bool take_value(struct reader *r)
{
	if (!reader_record(r, 0, 0)) {
		reader_reject(r, N_("JSON that is no record of a known kind"), 1);
	}
	return true;
}

/* Items up to the closing bracket. */
static bool read_array(struct reader *r, struct input *in)
{
	if (peek(r, in) == ']') {
		input_take(in, 1);
		return true;
	}
	for (;;) {
		if (!take_plain_event(r, in) && !(scan_next(r, in) && take_value(r))) {
			return false;
		}
		int c = peek(r, in);
		if (c != ',' && c != ']') {
			reader_reject(r,
				c < 0 ? N_("the file ends inside an array") : N_("not JSON"),
				1);
			return false;
		}
		input_take(in, 1);
		if (c == ']') {
			return true;
		}
	}
}

/* Past the next line end; false at the end of the file. */
static bool skip_line(struct reader *r, struct input *in)
{
	for (;;) {
		struct str s = input_view(in);
		size_t at = str_find_char(s, '\n');
		input_take(in, at == SIZE_MAX ? s.n : at + 1);
		if (at != SIZE_MAX) {
			return true;
		}
		if (!more(r, in)) {
			return false;
		}
	}
}

void reader_json(struct reader *r, struct input *in)
{
	for (;;) {
		int c = peek(r, in);
		bool ok = true;
		if (c < 0) {
			break;
		}
		if (c == '[') {
			input_take(in, 1);
			ok = read_array(r, in);
		} else if (c == '{' && open_wrapper(r, in)) {
			ok = read_array(r, in) && close_wrapper(r, in);
			r->n_cut += !ok && r->in_records && !in->trouble;
			r->in_records = false;
		} else {
			ok = take_plain_event(r, in) || (scan_next(r, in) && take_value(r));
		}
		/* A bad line of many does not spoil the rest: go on at the next one. */
		if (!ok && !skip_line(r, in)) {
			break;
		}
	}
	take_held(r);
}

/* ---- one record ---- */

/* CloudWatch Logs says when an event was written, in milliseconds. */
static int64_t stamp_of(struct scan_tape *t, uint32_t node)
{
	int64_t ms = 0;
	struct str raw = scan_raw(t, scan_member(t, node, STR("timestamp")));
	return str_to_i64(raw, &ms) && ms > 0 ? ms : 0;
}

/*
 * A text that is a record itself: CloudTrailEvent of LookupEvents, message of a log export; JSON,
 * or a line of any log that CloudWatch Logs was given.
 */
static bool take_embedded(struct reader *r, int level, uint32_t node, struct str text)
{
	text = str_trim(text);
	if (level + 1 >= READER_NESTING || text.n == 0) {
		return false;
	}
	if (text.p[0] != '{' && text.p[0] != '[') {
		r->line++;
		r->stamp_ms = stamp_of(&r->tapes[level], node);
		bool taken = reader_line(r, level + 1, text);
		r->stamp_ms = 0;
		return taken;
	}
	size_t used = 0;
	struct scan_tape *t = &r->tapes[level + 1];
	return scan_value(t, text, true, &used) == SCAN_OK && reader_record(r, level + 1, 0);
}

/* OCSF, as Security Hub exports it: 2004, or 2001 of old. */
static bool is_ocsf_finding(struct scan_tape *t, uint32_t node)
{
	return scan_member(t, node, STR("class_uid")) != SCAN_NONE &&
	       (scan_member(t, node, STR("finding_info")) != SCAN_NONE ||
		       scan_member(t, node, STR("finding")) != SCAN_NONE);
}

static bool is_finding(struct scan_tape *t, uint32_t node)
{
	struct str kind = scan_text(t, scan_member(t, node, STR("detail-type")));
	if (str_is(kind, "GuardDuty Finding") ||
		str_starts(kind, STR("Security Hub Findings - ")) ||
		str_is(kind, "Findings Imported V2") || is_ocsf_finding(t, node)) {
		return true;
	}
	bool has_service = scan_member(t, node, STR("service")) != SCAN_NONE ||
			   scan_member(t, node, STR("Service")) != SCAN_NONE;
	bool has_resource = scan_member(t, node, STR("resource")) != SCAN_NONE ||
			    scan_member(t, node, STR("Resource")) != SCAN_NONE;
	bool has_type = scan_member(t, node, STR("type")) != SCAN_NONE ||
			scan_member(t, node, STR("Type")) != SCAN_NONE;
	return (has_service && has_resource && has_type) ||
	       scan_member(t, node, STR("AwsAccountId")) != SCAN_NONE;
}

static bool take_children(struct reader *r, int level, uint32_t array)
{
	struct scan_tape *t = &r->tapes[level];
	bool all = true;
	for (uint32_t c = scan_first(t, array); c != SCAN_NONE; c = scan_after(t, array, c)) {
		all &= reader_record(r, level, c);
	}
	return all;
}

bool reader_record(struct reader *r, int level, uint32_t node)
{
	struct scan_tape *t = &r->tapes[level];
	if (scan_type_of(t, node) == SCAN_ARRAY) {
		return take_children(r, level, node);
	}
	if (scan_type_of(t, node) != SCAN_OBJECT) {
		return false;
	}
	struct event e;
	if (event_read(r->events, scan_raw(t, node), &e)) {
		reader_take_event(r, &e);
		return true;
	}
	uint32_t detail = scan_member(t, node, STR("detail"));
	if (detail != SCAN_NONE && event_read(r->events, scan_raw(t, detail), &e)) {
		reader_take_event(r, &e);
		return true;
	}
	if (str_is(scan_text(t, scan_member(t, node, STR("messageType"))), "CONTROL_MESSAGE")) {
		return true; /* CloudWatch Logs asking whether anybody listens */
	}
	static const char *const embedded[] = { "CloudTrailEvent", "message", "Message",
		"@message", "_raw", "eventJson" };
	for (size_t i = 0; i < sizeof(embedded) / sizeof(embedded[0]); i++) {
		uint32_t text = scan_member(t, node, str_from(embedded[i]));
		if (text != SCAN_NONE && take_embedded(r, level, node, scan_text(t, text))) {
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
		uint32_t array = scan_member(t, node, str_from(wrappers[i]));
		if (scan_type_of(t, array) == SCAN_ARRAY) {
			return take_children(r, level, array);
		}
	}
	if (scan_member(t, node, STR("digestStartTime")) != SCAN_NONE) {
		r->n_digests++;
		return true;
	}
	if (reader_take_dns(r, t, node) || reader_query_result(r, level, node)) {
		return true;
	}
	if (is_finding(t, node)) {
		reader_finding_text(r, scan_raw(t, node));
		return true;
	}
	if (r->shared->fragments && r->in_records && r->on_event) {
		event_fragment(t, node, &e);
		r->on_event(r->on_event_ctx, r, &e, true);
	}
	return reader_journal_json(r, t, node);
}
