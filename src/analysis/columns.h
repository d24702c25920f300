/*
 * Rows of a query's result turned back into the records they were made from: CloudTrail events out
 * of Athena and CloudTrail Lake (a column a member, or one column with the whole event), log
 * lines out of CloudWatch Logs Insights, flow records out of Athena's flow log table.
 * Both engines write structs as {key=value, ...}, JSON columns as JSON text, and fold the case of
 * names; the case that CloudTrail has comes back from a table ("CloudTrail record contents").
 */
#ifndef CORDON_ANALYSIS_COLUMNS_H
#define CORDON_ANALYSIS_COLUMNS_H

#include "analysis/flowlog.h"
#include "analysis/scan.h"
#include "base/buf.h"

#define COLUMNS_MAX  512
#define COLUMNS_PATH 160

enum columns_kind {
	COLUMNS_UNKNOWN,
	COLUMNS_EVENT, /* columns are members of a CloudTrail event */
	COLUMNS_WHOLE, /* one column holds the whole record */
	COLUMNS_FLOW,
};

struct columns_member {
	size_t index;
	char path[COLUMNS_PATH];
};

struct columns {
	enum columns_kind kind;
	size_t n;
	size_t whole; /* COLUMNS_WHOLE: which one */
	struct flow_format flow;
	/* COLUMNS_EVENT: sorted by path, so that members of one object stand together. */
	struct columns_member member[COLUMNS_MAX];
	size_t n_members;
};

/* Learns the columns by their names; false when they are those of no known table. */
bool columns_learn(struct columns *c, const struct str *names, size_t n);
/*
 * COLUMNS_EVENT: appends the row as one JSON object. `values` has an item a name learnt;
 * `scratch` is scanned over.
 */
void columns_event(const struct columns *c, const struct str *values, struct scan_tape *scratch,
	struct buf *out);
/*
 * Appends {key=value, key={...}, key=[...]} as JSON with the names' case put right; a text that is
 * neither an object nor an array becomes a string. For tests.
 */
void columns_struct(struct str text, struct buf *out);

#endif
