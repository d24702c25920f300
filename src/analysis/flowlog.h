/*
 * VPC flow logs, version 2 to 8: the default format, or any columns named by a header line.
 * Parquet files are not read: convert them, or let Athena export them as CSV.
 * Records become one row for each (source, destination, port, action): windows and counts.
 * Fields: "Flow log records" of the Amazon VPC User Guide.
 */
#ifndef CORDON_ANALYSIS_FLOWLOG_H
#define CORDON_ANALYSIS_FLOWLOG_H

#include "analysis/pool.h"

enum flow_field {
	FLOW_SKIP,
	FLOW_SRC,
	FLOW_DST,
	FLOW_SRC_PORT,
	FLOW_DST_PORT,
	FLOW_PROTOCOL,
	FLOW_PACKETS,
	FLOW_BYTES,
	FLOW_START,
	FLOW_END,
	FLOW_ACTION,
	FLOW_INSTANCE,
	FLOW_INTERFACE,
	FLOW_PKT_SRC, /* the packet's own source, where a NAT gateway stands between */
	FLOW_PKT_DST,
	FLOW_STATUS,
	FLOW_ACCOUNT,
	FLOW_REGION,
	FLOW_FIELDS,
};
#define FLOW_COLUMNS_MAX 64

/* The columns of one file. */
struct flow_format {
	uint8_t field[FLOW_COLUMNS_MAX];
	int n; /* 0: not known yet */
};

struct flow_row {
	uint32_t src, dst, interface, instance;
	int dst_port;
	bool accepted;
	bool reply; /* from a well-known port: the other half of somebody's request */
	uint64_t n, bytes, packets;
	int64_t most; /* bytes of the largest record */
	int64_t first_ms, last_ms;
};

/* One record, slices into its line. */
struct flow_record {
	struct str src, dst, interface, instance, account, region;
	int64_t src_port, dst_port, protocol, packets, bytes;
	int64_t start_ms, end_ms; /* of the aggregation window */
	bool accepted;
	bool empty;   /* NODATA: nothing flowed in the window */
	bool skipped; /* SKIPDATA: AWS lost what flowed in it */
};

struct flow {
	struct pool *pool;
	struct table rows;
	uint64_t n_lines, n_skipped;
	int64_t first_ms, last_ms;
};

void flow_init(struct flow *f, struct pool *pool);
void flow_deinit(struct flow *f);
/* The line names columns: takes them into *fmt. */
bool flow_header(struct str line, struct flow_format *fmt);
/* The same for names that are apart already; "_" stands for "-" in an SQL table. */
bool flow_columns(const struct str *names, size_t n, struct flow_format *fmt);
/*
 * Reads one record; false when the line is none in this format (the default one when n is 0), or
 * when its times are no times.
 */
bool flow_parse(const struct flow_format *fmt, struct str line, struct flow_record *out);
/* The same for values that are apart already. */
bool flow_values(const struct flow_format *fmt, const struct str *values, size_t n,
	struct flow_record *out);
/* Takes one record in. */
void flow_add(struct flow *f, const struct flow_record *r);
/* Both in one. */
bool flow_line(struct flow *f, const struct flow_format *fmt, struct str line);

#endif
