/* Rows of query results: CSV of Athena, CloudTrail Lake and Logs Insights, and Lake's own JSON. */
#include "analysis/reader_take.h"

#include "analysis/columns.h"
#include "analysis/csv.h"
#include "base/err.h"
#include "base/i18n.h"

#include <stdlib.h>
#include <string.h>

#define ROW_MAX    ((size_t)64 * 1024 * 1024)
#define JSON_MAX   ((size_t)64 * 1024 * 1024)
#define HEADER_MAX ((size_t)64 * 1024)

/* What reading rows takes; too large for the stack. */
struct rows {
	struct columns columns;
	struct csv_row row;
	struct str values[CSV_FIELDS_MAX];
	size_t starts[CSV_FIELDS_MAX + 1];
	struct buf text; /* fields with their quotes undone */
	struct buf json;
	uint64_t bad; /* rows that gave no record */
};

static struct rows *rows_new(void)
{
	struct rows *s = calloc(1, sizeof(*s));
	if (!s) {
		BUG("out of memory");
	}
	buf_init(&s->text, ROW_MAX);
	buf_init(&s->json, JSON_MAX);
	return s;
}

static void rows_free(struct rows *s)
{
	buf_deinit(&s->text);
	buf_deinit(&s->json);
	free(s);
}

/* A whole record in a column: JSON, or a line of a log. */
static bool take_whole(struct reader *r, struct str text)
{
	size_t used = 0;
	text = str_trim(text);
	if (text.n && (text.p[0] == '{' || text.p[0] == '[')) {
		return scan_value(&r->tapes[0], text, true, &used) == SCAN_OK &&
		       reader_record(r, 0, 0);
	}
	return text.n && reader_line(r, 0, text);
}

static bool take_columns(struct reader *r, struct rows *s)
{
	size_t used = 0;
	buf_reset(&s->json);
	columns_event(&s->columns, s->values, &r->tapes[1], &s->json);
	return buf_ok(&s->json) &&
	       scan_value(&r->tapes[0], buf_view(&s->json), true, &used) == SCAN_OK &&
	       reader_record(r, 0, 0);
}

/* values[0..n) hold one row. */
static void take_values(struct reader *r, struct rows *s, size_t n)
{
	bool taken = false;
	r->line++;
	if (n == s->columns.n && s->columns.kind == COLUMNS_EVENT) {
		taken = take_columns(r, s);
	} else if (n == s->columns.n && s->columns.kind == COLUMNS_FLOW) {
		taken = reader_take_flow_values(r, &s->columns.flow, s->values, n);
	} else if (n > s->columns.whole && s->columns.kind == COLUMNS_WHOLE) {
		taken = take_whole(r, s->values[s->columns.whole]);
	}
	s->bad += !taken;
}

/* ---- CSV ---- */

/* Fields with doubled quotes are undone into `text`; the others stay where they are. */
static bool set_values(struct rows *s)
{
	buf_reset(&s->text);
	for (size_t i = 0; i < s->row.n; i++) {
		s->starts[i] = s->text.n;
		if (s->row.doubled[i]) {
			csv_text(&s->row, i, &s->text);
		}
	}
	s->starts[s->row.n] = s->text.n;
	for (size_t i = 0; i < s->row.n; i++) {
		size_t from = s->starts[i];
		s->values[i] = s->row.doubled[i] ? str_sub(buf_view(&s->text), from,
							   s->starts[i + 1] - from)
						 : s->row.field[i];
	}
	return buf_ok(&s->text);
}

static enum csv_result next_row(struct rows *s, struct input *in, char sep, size_t *used)
{
	for (;;) {
		struct str view = input_view(in);
		enum csv_result result = csv_read(&s->row, view, sep, in->eof, used);
		if (result != CSV_MORE) {
			return result;
		}
		if (!input_more(in)) {
			return csv_read(&s->row, input_view(in), sep, true, used);
		}
	}
}

static char separator(struct str s)
{
	struct str line = str_sub(s, 0, str_find_char(s, '\n'));
	return str_find_char(line, '\t') != SIZE_MAX ? '\t' : ',';
}

bool reader_is_csv(struct str s)
{
	struct rows *rows = rows_new();
	size_t used = 0;
	size_t end = str_find_char(s, '\n');
	bool is = end != SIZE_MAX && end < HEADER_MAX &&
		  csv_read(&rows->row, s, separator(s), false, &used) == CSV_OK &&
		  rows->row.n > 1 &&
		  columns_learn(&rows->columns, rows->row.field, rows->row.n);
	rows_free(rows);
	return is;
}

void reader_csv(struct reader *r, struct input *in)
{
	struct rows *s = rows_new();
	char sep = separator(input_view(in));
	size_t used = 0;
	enum csv_result result = next_row(s, in, sep, &used);
	bool learnt = result == CSV_OK && columns_learn(&s->columns, s->row.field, s->row.n);
	while (learnt && result == CSV_OK) {
		input_take(in, used);
		if (input_view(in).n == 0 && !input_more(in)) {
			break;
		}
		result = next_row(s, in, sep, &used);
		bool blank = s->row.n == 1 && s->row.field[0].n == 0;
		if (result == CSV_OK && !blank && set_values(s)) {
			take_values(r, s, s->row.n);
		} else if (result == CSV_OK && !blank) {
			s->bad++;
		}
	}
	if (result != CSV_OK) {
		reader_reject(r, N_("the rows after this one are no CSV any more"), 1);
	}
	if (s->bad) {
		reader_reject(r, N_("rows that are no record of a known kind"), s->bad);
	}
	rows_free(s);
}

/* ---- JSON of GetQueryResults ---- */

/* CloudTrail Lake: [{"eventName":"x"},{"eventTime":"y"}]; Athena: {"Data":[{"VarCharValue":"x"}]}. */
static size_t lake_row(struct scan_tape *t, uint32_t row, struct str *names, struct str *values)
{
	size_t n = 0;
	for (uint32_t c = scan_first(t, row); c != SCAN_NONE && n < CSV_FIELDS_MAX;
		c = scan_after(t, row, c)) {
		uint32_t key = scan_type_of(t, c) == SCAN_OBJECT ? scan_first(t, c) : SCAN_NONE;
		if (key != SCAN_NONE) {
			names[n] = scan_text(t, key);
			values[n++] = scan_text(t, key + 1);
		}
	}
	return n;
}

static size_t athena_row(struct scan_tape *t, uint32_t row, struct str *values)
{
	size_t n = 0;
	uint32_t data = scan_member(t, row, STR("Data"));
	for (uint32_t c = scan_first(t, data); c != SCAN_NONE && n < CSV_FIELDS_MAX;
		c = scan_after(t, data, c)) {
		values[n++] = scan_text(t, scan_member(t, c, STR("VarCharValue")));
	}
	return n;
}

/* The row's record is scanned into other tapes, so that this one stays as it is. */
static void take_apart(struct reader *r, struct rows *s, size_t n)
{
	struct scan_tape outer = r->tapes[0];
	r->tapes[0] = (struct scan_tape){ 0 };
	take_values(r, s, n);
	scan_deinit(&r->tapes[0]);
	r->tapes[0] = outer;
}

static void finish(struct reader *r, struct rows *s)
{
	if (s->bad) {
		reader_reject(r, N_("rows that are no record of a known kind"), s->bad);
	}
	rows_free(s);
}

static void take_lake(struct reader *r, uint32_t list)
{
	struct rows *s = rows_new();
	struct str *names = calloc(CSV_FIELDS_MAX, sizeof(*names));
	if (!names) {
		BUG("out of memory");
	}
	for (uint32_t row = scan_first(&r->tapes[0], list); row != SCAN_NONE;
		row = scan_after(&r->tapes[0], list, row)) {
		size_t n = lake_row(&r->tapes[0], row, names, s->values);
		if (columns_learn(&s->columns, names, n)) {
			take_apart(r, s, n);
		} else {
			s->bad++;
		}
	}
	free(names);
	finish(r, s);
}

static void take_athena(struct reader *r, uint32_t list)
{
	struct rows *s = rows_new();
	bool learnt = false;
	for (uint32_t row = scan_first(&r->tapes[0], list); row != SCAN_NONE;
		row = scan_after(&r->tapes[0], list, row)) {
		size_t n = athena_row(&r->tapes[0], row, s->values);
		if (!learnt) {
			learnt = columns_learn(&s->columns, s->values, n);
			s->bad += !learnt;
		} else {
			take_apart(r, s, n);
		}
	}
	finish(r, s);
}

bool reader_query_result(struct reader *r, int level, uint32_t node)
{
	struct scan_tape *t = &r->tapes[level];
	uint32_t lake = scan_member(t, node, STR("QueryResultRows"));
	uint32_t athena = scan_path(t, node, "ResultSet.Rows");
	if (level != 0 || (scan_type_of(t, lake) != SCAN_ARRAY &&
				  scan_type_of(t, athena) != SCAN_ARRAY)) {
		return false;
	}
	if (scan_type_of(t, lake) == SCAN_ARRAY) {
		take_lake(r, lake);
	} else {
		take_athena(r, athena);
	}
	return true;
}
