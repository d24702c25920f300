/*
 * Comma-separated rows (RFC 4180) out of bytes that come in pieces: fields in double quotes may
 * hold commas, line ends and doubled quotes. A row's fields are slices into the caller's bytes.
 */
#ifndef CORDON_ANALYSIS_CSV_H
#define CORDON_ANALYSIS_CSV_H

#include "base/buf.h"

#define CSV_FIELDS_MAX 512

enum csv_result {
	CSV_OK,
	CSV_MORE,  /* the bytes end inside the row */
	CSV_BAD,   /* text after a closing quote, or a quoted field that does not end */
	CSV_LIMIT, /* more fields than CSV_FIELDS_MAX */
};

struct csv_row {
	struct str field[CSV_FIELDS_MAX]; /* without the quotes; doubled quotes still doubled */
	bool doubled[CSV_FIELDS_MAX];     /* the field holds doubled quotes */
	size_t n;
};

/*
 * One row at the front of `s`, its line end included. `whole`: no bytes follow. *used is set on
 * CSV_OK. `sep` is ',' or a tab.
 */
enum csv_result csv_read(struct csv_row *row, struct str s, char sep, bool whole, size_t *used);
/* A field as it was meant: appended to `out` with doubled quotes made single. */
void csv_text(const struct csv_row *row, size_t i, struct buf *out);

#endif
