#include "analysis/csv.h"

#include <string.h>

/* Offset after the closing quote of the field that begins at `at`, SIZE_MAX when it is not there. */
static size_t end_of_quoted(struct str s, size_t at, bool *doubled)
{
	size_t i = at + 1;
	while (i < s.n) {
		const char *quote = memchr(s.p + i, '"', s.n - i);
		if (!quote) {
			return SIZE_MAX;
		}
		i = (size_t)(quote - s.p);
		if (i + 1 >= s.n || s.p[i + 1] != '"') {
			return i + 1;
		}
		*doubled = true;
		i += 2;
	}
	return SIZE_MAX;
}

static size_t end_of_plain(struct str s, size_t at, char sep)
{
	while (at < s.n && s.p[at] != sep && s.p[at] != '\n') {
		at++;
	}
	return at;
}

/* Takes in one field; *at moves to what ends it. False when its end is not among the bytes. */
static bool read_field(struct csv_row *row, struct str s, char sep, size_t *at)
{
	bool doubled = false;
	size_t end = 0;
	struct str *f = &row->field[row->n];
	if (*at < s.n && s.p[*at] == '"') {
		end = end_of_quoted(s, *at, &doubled);
		if (end == SIZE_MAX) {
			return false;
		}
		*f = str_sub(s, *at + 1, end - *at - 2);
	} else {
		end = end_of_plain(s, *at, sep);
		*f = str_sub(s, *at, end - *at);
		if (end < s.n && s.p[end] == '\n' && f->n && f->p[f->n - 1] == '\r') {
			f->n--;
		}
	}
	row->doubled[row->n++] = doubled;
	*at = end;
	return true;
}

enum csv_result csv_read(struct csv_row *row, struct str s, char sep, bool whole, size_t *used)
{
	size_t at = 0;
	row->n = 0;
	for (;;) {
		if (row->n == CSV_FIELDS_MAX) {
			return CSV_LIMIT;
		}
		if (!read_field(row, s, sep, &at)) {
			return whole ? CSV_BAD : CSV_MORE;
		}
		if (at + 1 < s.n && s.p[at] == '\r' && s.p[at + 1] == '\n') {
			at++;
		}
		if (at >= s.n) {
			*used = s.n;
			return whole ? CSV_OK : CSV_MORE;
		}
		if (s.p[at] == '\n') {
			*used = at + 1;
			return CSV_OK;
		}
		if (s.p[at] != sep) {
			return whole || at + 1 < s.n ? CSV_BAD : CSV_MORE;
		}
		at++;
	}
}

void csv_text(const struct csv_row *row, size_t i, struct buf *out)
{
	struct str f = row->field[i];
	if (!row->doubled[i]) {
		buf_add_str(out, f);
		return;
	}
	for (size_t k = 0; k < f.n; k++) {
		buf_putc(out, f.p[k]);
		if (f.p[k] == '"' && k + 1 < f.n && f.p[k + 1] == '"') {
			k++;
		}
	}
}
