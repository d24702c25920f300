/*
 * Route 53 Resolver query logs: which host asked for which name, and what it was told. One row
 * for each (asking address or instance, name); and each answered address knows the names that led
 * to it, so that a connection in a flow log can be called by name.
 * Fields: "Values that appear in VPC Resolver query logs" of the Route 53 Developer Guide.
 */
#ifndef CORDON_ANALYSIS_DNSLOG_H
#define CORDON_ANALYSIS_DNSLOG_H

#include "analysis/pool.h"
#include "analysis/scan.h"

/* One query, slices into the scanned bytes. */
struct dns_line {
	int64_t time_ms;
	struct str name, type, rcode; /* the name without the final dot */
	struct str src, instance;     /* who asked */
	struct str account, region, vpc;
	struct str firewall; /* "BLOCK", "ALERT" ... when a DNS Firewall rule answered */
	uint32_t answers;    /* node of the list, or SCAN_NONE */
};

struct dns_row {
	uint32_t src, instance, name;
	uint32_t n, n_failed; /* queries; those not answered with NOERROR */
	bool blocked;         /* the DNS Firewall stopped or reported it */
	int64_t first_ms, last_ms;
};

/* A name that resolved to an address. */
struct dns_address {
	uint32_t ip, name;
	int64_t first_ms, last_ms;
};

struct dns {
	struct pool *pool;
	struct table rows;      /* struct dns_row */
	struct table addresses; /* struct dns_address, by (address, name) */
	uint64_t n_lines;
	int64_t first_ms, last_ms;
};

void dns_init(struct dns *d, struct pool *pool);
void dns_deinit(struct dns *d);
/* False when the object is no query log record. */
bool dns_read(struct scan_tape *t, uint32_t node, struct dns_line *out);
void dns_add(struct dns *d, const struct dns_line *l, struct scan_tape *t);
/*
 * The name that a host resolved to `ip`, no later than `before_ms`: the latest one; ties go to
 * the smaller name. Text in the pool; 0 when none is known.
 */
uint32_t dns_name_of(const struct dns *d, uint32_t ip, int64_t before_ms);

#endif
