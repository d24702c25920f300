#include "analysis/account.h"

#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

#define GAP_HOURS    3
#define GAPS_MAX     100
#define REJECTED_MAX 1000

struct gap_list {
	json_t *list;
	const char *source;
	struct str region;
};

/* A gap of the whole log is one of every region. */
static bool is_known(const json_t *list, const char *from, const char *to)
{
	size_t i;
	json_t *g;
	json_array_foreach(list, i, g)
	{
		if (!json_object_get(g, "region") &&
			strcmp(doc_text_or(g, "from", ""), from) <= 0 &&
			strcmp(doc_text_or(g, "to", ""), to) >= 0) {
			return true;
		}
	}
	return false;
}

static void add_gap(void *ctx, int64_t from_ms, int64_t to_ms)
{
	struct gap_list *g = ctx;
	char from[32];
	char to[32];
	utc_rfc3339(from_ms, from);
	utc_rfc3339(to_ms, to);
	if (json_array_size(g->list) >= GAPS_MAX ||
		(g->region.n && is_known(g->list, from, to))) {
		return;
	}
	json_array_append_new(g->list,
		json_pack("{s:s,s:o*,s:s,s:s}", "source", g->source, "region",
			g->region.n ? doc_str(g->region) : NULL, "from", from, "to", to));
}

/* Of regions that are quiet for hours anyway, nothing is said. */
static void add_region(void *ctx, struct str region, const int64_t *hours, size_t n)
{
	struct gap_list *g = ctx;
	if (hours_steady(hours, n)) {
		g->region = region;
		hours_gaps(hours, n, GAP_HOURS, add_gap, g);
	}
}

/* Stretches without a record, by source. Findings and sign-ins are rare by nature. */
static json_t *gaps(const struct reader *r)
{
	static const enum record_source sources[] = { RECORD_CLOUDTRAIL, RECORD_WEB,
		RECORD_FLOW, RECORD_DNS, RECORD_S3, RECORD_SSH };
	json_t *out = json_array();
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct gap_list g = { out, record_source_word(sources[i]), { "", 0 } };
		size_t n = 0;
		int64_t *hours = hours_of(&r->hours, sources[i], &n);
		hours_gaps(hours, n, GAP_HOURS, add_gap, &g);
		free(hours);
		hours_regions(&r->hours, &r->track.pool, sources[i], add_region, &g);
	}
	return out;
}

static int rejected_order(const void *a, const void *b, void *ctx)
{
	const struct pool *p = ctx;
	const struct reader_reject *x = a;
	const struct reader_reject *y = b;
	int c = str_cmp(pool_get(p, x->file), pool_get(p, y->file));
	return c ? c : str_cmp(pool_get(p, x->reason), pool_get(p, y->reason));
}

static json_t *rejected(const struct reader *r, bool skipped)
{
	const struct table *rejects = &r->rejects;
	struct pool pool = r->track.pool;
	json_t *out = json_array();
	struct reader_reject *rows = calloc(rejects->n + 1, sizeof(*rows));
	if (!rows) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < rejects->n; i++) {
		rows[i] = *(struct reader_reject *)table_at(rejects, i);
	}
	qsort_r(rows, rejects->n, sizeof(*rows), rejected_order, &pool);
	for (size_t i = 0; i < rejects->n && json_array_size(out) < REJECTED_MAX; i++) {
		if (rows[i].skipped != skipped) {
			continue;
		}
		json_array_append_new(
			out, json_pack("{s:o,s:o,s:I}", "file",
				     doc_str(track_text(&r->track, rows[i].file)), "reason",
				     doc_str(track_text(&r->track, rows[i].reason)), "count",
				     (json_int_t)rows[i].n));
	}
	free(rows);
	return out;
}

uint64_t account_left_out(const struct reader *r)
{
	const struct table *tables[] = { &r->track.edges, &r->track.holders,
		&r->track.relations, &r->track.issues, &r->rejects, &r->flow.rows, &r->dns.rows,
		&r->dns.addresses, &r->s3.rows, &r->s3.objects, &r->web.clients, &r->hours };
	uint64_t n = r->track.pool.refused + r->track.refused + r->web.refused +
		     r->ssh.refused + seen_past(&r->shared->events) +
		     seen_past(&r->shared->lines);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		n += tables[i]->refused;
	}
	return n;
}

json_t *account_json(const struct reader *r)
{
	uint64_t copies = r->track.n_events - r->track.n_unique + r->n_copies;
	uint64_t events = r->track.n_events + r->n_records;
	json_t *in = json_pack("{s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "files",
		(json_int_t)r->n_files, "bytes", (json_int_t)r->n_bytes, "events",
		(json_int_t)events, "unique_events", (json_int_t)(events - copies),
		"duplicates", (json_int_t)copies, "rejected", rejected(r, false), "skipped",
		rejected(r, true), "gaps", gaps(r));
	json_t *sources = json_object();
	for (int i = 0; i < RECORD_GUARDDUTY; i++) {
		json_object_set_new(sources, record_source_word((enum record_source)i),
			json_integer((json_int_t)r->n_by[i]));
	}
	json_object_set_new(sources, "findings", json_integer((json_int_t)r->n_findings));
	json_object_set_new(sources, "digests", json_integer((json_int_t)r->n_digests));
	json_object_set_new(in, "sources", sources);
	json_object_set_new(
		in, "flow_windows_lost", json_integer((json_int_t)r->flow.n_skipped));
	json_object_set_new(in, "outside_window", json_integer((json_int_t)r->n_outside));
	json_object_set_new(in, "own_calls", json_integer((json_int_t)r->track.n_own));
	json_object_set_new(in, "sample_findings", json_integer((json_int_t)r->n_samples));
	uint64_t past = account_left_out(r) + r->track.lines_lost;
	json_object_set_new(in, "past_ceilings", json_integer((json_int_t)past));
	if (r->ssh.guessed) {
		json_object_set_new(in, "assumed_year", json_integer(r->ssh.year));
	}
	return in;
}
