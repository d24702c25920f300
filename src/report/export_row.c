#include "report/export_row.h"

#include "base/text.h"
#include "base/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX ((size_t)64 * 1024)
#define CELL_MAX    32000 /* characters; spreadsheets take 32,767 */

const char *export_row_head(enum export_form form)
{
	switch (form) {
	case EXPORT_CSV:
		return "time,source,principal,ip,key,action,target,outcome,region,account,"
		       "agent,bytes,tags,event\n";
	case EXPORT_TIMESKETCH_CSV:
		return "message,timestamp,datetime,timestamp_desc,data_type,event_name,"
		       "event_source,user_arn,access_key,source_ip,user_agent,aws_region,"
		       "account_id,error_code,event_id,case_id,tag\n";
	default:
		return "";
	}
}

/* A value that can't break the line it stands in. */
static void put_cell(struct str s, struct buf *out)
{
	struct buf one;
	buf_init(&one, (size_t)8 * CELL_MAX);
	text_clip(s, CELL_MAX, &one);
	text_csv(buf_view(&one), out);
	buf_deinit(&one);
}

static void put_cells(const struct str *cells, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i ? "," : "");
		put_cell(cells[i], out);
	}
	buf_putc(out, '\n');
}

/* "deploy from 192.0.2.1: iam:CreateUser backup-svc (ok)" */
static void put_message(const struct export_row *r, struct buf *out)
{
	if (r->principal.n) {
		buf_add_str(out, r->principal);
	}
	if (r->ip.n) {
		buf_puts(out, r->principal.n ? " from " : "from ");
		buf_add_str(out, r->ip);
	}
	buf_puts(out, r->principal.n || r->ip.n ? ": " : "");
	buf_add_str(out, r->action);
	if (r->target.n) {
		buf_putc(out, ' ');
		buf_add_str(out, r->target);
	}
	if (r->outcome.n) {
		buf_puts(out, " (");
		buf_add_str(out, r->outcome);
		buf_putc(out, ')');
	}
}

/* "2026-08-01T10:00:00.000000+00:00": what Timesketch's own importers write. */
static void timesketch_time(int64_t ms, char out[48])
{
	struct utc_parts p = utc_split(ms);
	(void)snprintf(out, 48, "%04d-%02d-%02dT%02d:%02d:%02d.%03d000+00:00", p.year, p.month,
		p.day, p.hour, p.minute, p.second, p.ms);
}

static const char *timestamp_desc(const struct export_row *r)
{
	if (r->guessed_year) {
		return "Event Time (year assumed)";
	}
	return str_is(r->source, "flow") ? "Start of the capture window" : "Event Time";
}

static struct str data_type(const struct export_row *r, char room[64])
{
	if (str_is(r->source, "cloudtrail")) {
		return STR("aws:cloudtrail:entry");
	}
	int n = snprintf(room, 64, "cordon:%.*s:entry", STR_ARG(str_sub(r->source, 0, 32)));
	return (struct str){ room, n > 0 ? (size_t)n : 0 };
}

/* "iam:CreateUser" -> "CreateUser", "iam.amazonaws.com" for CloudTrail; else the action itself. */
static struct str event_name(const struct export_row *r)
{
	size_t colon = str_find_char(r->action, ':');
	return str_is(r->source, "cloudtrail") && colon != SIZE_MAX
		       ? str_sub(r->action, colon + 1, SIZE_MAX)
		       : r->action;
}

static struct str event_source(const struct export_row *r, char room[96])
{
	size_t colon = str_find_char(r->action, ':');
	if (!str_is(r->source, "cloudtrail") || colon == SIZE_MAX) {
		return r->source;
	}
	int n = snprintf(room, 96, "%.*s.amazonaws.com", STR_ARG(str_sub(r->action, 0, colon)));
	return (struct str){ room, n > 0 && n < 96 ? (size_t)n : 0 };
}

static struct str error_of(const struct export_row *r)
{
	return str_is(r->outcome, "ok") ? STR("") : r->outcome;
}

static void write_csv(const struct export_row *r, struct buf *out)
{
	char when[32];
	char bytes[24] = "";
	utc_rfc3339(r->time_ms, when);
	if (r->bytes >= 0) {
		(void)snprintf(bytes, sizeof(bytes), "%lld", (long long)r->bytes);
	}
	const struct str cells[] = { str_from(when), r->source, r->principal, r->ip, r->key,
		r->action, r->target, r->outcome, r->region, r->account, r->agent,
		str_from(bytes), r->tags, r->event };
	put_cells(cells, sizeof(cells) / sizeof(cells[0]), out);
}

static void write_timesketch_csv(const struct export_row *r, struct buf *out)
{
	char when[48];
	char micros[32];
	char type[64];
	char source[96];
	struct buf message;
	timesketch_time(r->time_ms, when);
	(void)snprintf(micros, sizeof(micros), "%lld000", (long long)r->time_ms);
	buf_init(&message, MESSAGE_MAX);
	put_message(r, &message);
	const struct str cells[] = { buf_view(&message), str_from(micros), str_from(when),
		str_from(timestamp_desc(r)), data_type(r, type), event_name(r),
		event_source(r, source), r->principal, r->key, r->ip, r->agent, r->region,
		r->account, error_of(r), r->event, r->case_id, r->tags };
	put_cells(cells, sizeof(cells) / sizeof(cells[0]), out);
	buf_deinit(&message);
}

/* mtime only: the event has one time. The others are -1: mactime shows a 0 as a line of its own. */
static void write_body(const struct export_row *r, struct buf *out)
{
	struct buf message;
	struct buf clean;
	buf_init(&message, MESSAGE_MAX);
	buf_init(&clean, (size_t)8 * MESSAGE_MAX);
	buf_printf(&message, "[%.*s] ", STR_ARG(str_sub(r->source, 0, 32)));
	put_message(r, &message);
	buf_puts(&message, r->event.n ? " event " : "");
	buf_add_str(&message, r->event);
	text_terminal(buf_view(&message), &clean);
	buf_puts(out, "0|");
	for (size_t i = 0; i < clean.n; i++) {
		if (clean.p[i] == '|') {
			buf_puts(out, "\\x7c");
		} else {
			buf_putc(out, clean.p[i]);
		}
	}
	buf_printf(out, "|0|0|0|0|%lld|-1|%lld|-1|-1\n",
		(long long)(r->bytes > 0 ? r->bytes : 0), (long long)(r->time_ms / 1000));
	buf_deinit(&message);
	buf_deinit(&clean);
}

static void put_padded(struct str s, size_t width, struct buf *out)
{
	size_t before = out->n;
	text_terminal(s.n ? s : STR("-"), out);
	for (size_t n = out->n - before; n < width; n++) {
		buf_putc(out, ' ');
	}
	buf_puts(out, "  ");
}

static void write_text(const struct export_row *r, struct buf *out)
{
	char when[32];
	utc_rfc3339(r->time_ms, when);
	put_padded(str_from(when), 20, out);
	put_padded(r->source, 10, out);
	put_padded(r->ip, 15, out);
	put_padded(r->principal, 24, out);
	put_padded(r->action, 24, out);
	text_terminal(r->target.n ? r->target : STR("-"), out);
	buf_puts(out, "  ");
	text_terminal(r->outcome, out);
	buf_putc(out, '\n');
}

static void set(json_t *doc, const char *key, struct str value)
{
	if (value.n) {
		json_object_set_new(doc, key, doc_str(value));
	}
}

static json_t *words(struct str s)
{
	json_t *list = json_array();
	struct str one;
	while (str_cut(&s, ' ', &one)) {
		if (one.n) {
			json_array_append_new(list, doc_str(one));
		}
	}
	return list;
}

static json_t *timesketch_json(const struct export_row *r)
{
	char when[48];
	char type[64];
	char source[96];
	struct buf message;
	json_t *doc = json_object();
	buf_init(&message, MESSAGE_MAX);
	put_message(r, &message);
	timesketch_time(r->time_ms, when);
	set(doc, "message", buf_view(&message));
	set(doc, "datetime", str_from(when));
	json_object_set_new(doc, "timestamp", json_integer((json_int_t)r->time_ms * 1000));
	set(doc, "timestamp_desc", str_from(timestamp_desc(r)));
	set(doc, "data_type", data_type(r, type));
	set(doc, "event_name", event_name(r));
	set(doc, "event_source", event_source(r, source));
	set(doc, "user_arn", r->principal);
	set(doc, "access_key", r->key);
	set(doc, "source_ip", r->ip);
	set(doc, "user_agent", r->agent);
	set(doc, "aws_region", r->region);
	set(doc, "account_id", r->account);
	set(doc, "target", r->target);
	set(doc, "error_code", error_of(r));
	set(doc, "event_id", r->event);
	set(doc, "case_id", r->case_id);
	json_object_set_new(doc, "tag", words(r->tags));
	buf_deinit(&message);
	return doc;
}

json_t *export_row_json(enum export_form form, const struct export_row *r)
{
	char when[32];
	if (form == EXPORT_TIMESKETCH) {
		return timesketch_json(r);
	}
	json_t *doc = json_object();
	utc_rfc3339(r->time_ms, when);
	set(doc, "time", str_from(when));
	set(doc, "source", r->source);
	set(doc, "principal", r->principal);
	set(doc, "ip", r->ip);
	set(doc, "key", r->key);
	set(doc, "action", r->action);
	set(doc, "target", r->target);
	set(doc, "outcome", r->outcome);
	set(doc, "region", r->region);
	set(doc, "account", r->account);
	set(doc, "agent", r->agent);
	if (r->bytes >= 0) {
		json_object_set_new(doc, "bytes", json_integer((json_int_t)r->bytes));
	}
	if (r->tags.n) {
		json_object_set_new(doc, "tags", words(r->tags));
	}
	if (r->guessed_year) {
		json_object_set_new(doc, "year_assumed", json_true());
	}
	set(doc, "event", r->event);
	return doc;
}

void export_row_write(enum export_form form, const struct export_row *row, struct buf *out)
{
	json_t *doc = NULL;
	switch (form) {
	case EXPORT_TEXT:
		write_text(row, out);
		return;
	case EXPORT_CSV:
		write_csv(row, out);
		return;
	case EXPORT_TIMESKETCH_CSV:
		write_timesketch_csv(row, out);
		return;
	case EXPORT_BODY:
		write_body(row, out);
		return;
	default:
		doc = export_row_json(form, row);
		doc_line(doc, out);
		json_decref(doc);
	}
}

void export_row_of(const json_t *entry, struct buf *tags_room, struct export_row *out)
{
	size_t i;
	json_t *tag;
	*out = (struct export_row){ .source = str_from(doc_text(entry, "source")),
		.principal = str_from(doc_text(entry, "principal")),
		.ip = str_from(doc_text(entry, "ip")),
		.action = str_from(doc_text(entry, "action")),
		.target = str_from(doc_text(entry, "target")),
		.outcome = str_from(doc_text(entry, "outcome")),
		.agent = str_from(doc_text(entry, "user_agent")),
		.region = str_from(doc_text(entry, "region")),
		.event = str_from(doc_text(entry, "event")),
		.bytes = -1 };
	(void)utc_parse(str_from(doc_text(entry, "time")), &out->time_ms);
	buf_reset(tags_room);
	json_array_foreach(json_object_get(entry, "tags"), i, tag)
	{
		buf_puts(tags_room, i ? " " : "");
		buf_puts(tags_room, json_string_value(tag) ? json_string_value(tag) : "");
	}
	out->tags = buf_view(tags_room);
}
