/*
 * Rows in whole and in two pieces are the same rows; and whatever the columns and the structs in
 * them hold, what they are turned into is JSON.
 */
#include "analysis/columns.h"
#include "analysis/csv.h"
#include "analysis/event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok) {
		abort();
	}
}

/* A row that ends inside the bytes ends there too when they come in pieces. */
static void in_pieces(const struct csv_row *row, struct str s, size_t used)
{
	static struct csv_row again;
	size_t taken = 0;
	for (size_t n = 0; n < used && n < 200; n++) {
		enum csv_result r = csv_read(&again, str_sub(s, 0, n), ',', false, &taken);
		require(r == CSV_MORE);
	}
	require(csv_read(&again, str_sub(s, 0, used), ',', true, &taken) == CSV_OK);
	require(taken == used && again.n == row->n);
	for (size_t i = 0; i < row->n; i++) {
		require(str_eq(row->field[i], again.field[i]));
	}
}

static void turn(const struct columns *c, const struct csv_row *row, struct scan_tape *t)
{
	struct buf json;
	struct event e;
	size_t used = 0;
	buf_init(&json, 1u << 22);
	columns_event(c, row->field, t, &json);
	require(buf_ok(&json));
	enum scan_result r = scan_value(t, buf_view(&json), true, &used);
	require(r == SCAN_OK || r == SCAN_LIMIT);
	if (r == SCAN_OK) {
		require(used == json.n);
		struct event_reader *reader = event_reader_new(1);
		(void)event_read(reader, buf_view(&json), &e);
		event_reader_free(reader);
	}
	buf_deinit(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct csv_row row;
	static struct columns columns;
	struct str s = { (const char *)data, size };
	struct scan_tape tape;
	struct buf text;
	size_t used = 0;
	bool known = false;
	scan_init(&tape);
	buf_init(&text, 1u << 22);
	columns_struct(s, &text);
	enum scan_result r = scan_value(&tape, buf_view(&text), true, &used);
	require(r == SCAN_OK || r == SCAN_LIMIT);
	for (int i = 0; s.n && i < 20; i++) {
		if (csv_read(&row, s, ',', true, &used) != CSV_OK) {
			break;
		}
		if (s.p[used - 1] == '\n') {
			in_pieces(&row, s, used);
		}
		if (known && columns.kind == COLUMNS_EVENT && row.n == columns.n) {
			turn(&columns, &row, &tape);
		} else if (!known) {
			known = columns_learn(&columns, row.field, row.n);
		}
		s = str_sub(s, used, SIZE_MAX);
	}
	buf_deinit(&text);
	scan_deinit(&tape);
	return 0;
}
