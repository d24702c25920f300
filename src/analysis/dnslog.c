#include "analysis/dnslog.h"

#include "base/utc.h"

#define ROWS_MAX      ((size_t)256 * 1024)
#define ADDRESSES_MAX ((size_t)256 * 1024)
#define ANSWERS_MAX   64 /* of one query */

void dns_init(struct dns *d, struct pool *pool)
{
	*d = (struct dns){ .pool = pool };
	table_init(&d->rows, sizeof(struct dns_row), ROWS_MAX);
	table_init(&d->addresses, sizeof(struct dns_address), ADDRESSES_MAX);
}

void dns_deinit(struct dns *d)
{
	table_deinit(&d->rows);
	table_deinit(&d->addresses);
}

static struct str text_of(struct scan_tape *t, uint32_t node, const char *path)
{
	return scan_text(t, scan_path(t, node, path));
}

bool dns_read(struct scan_tape *t, uint32_t node, struct dns_line *out)
{
	struct dns_line l = { .name = text_of(t, node, "query_name"),
		.type = text_of(t, node, "query_type"),
		.rcode = text_of(t, node, "rcode"),
		.src = text_of(t, node, "srcaddr"),
		.instance = text_of(t, node, "srcids.instance"),
		.account = text_of(t, node, "account_id"),
		.region = text_of(t, node, "region"),
		.vpc = text_of(t, node, "vpc_id"),
		.firewall = text_of(t, node, "firewall_rule_action"),
		.answers = scan_member(t, node, STR("answers")) };
	if (l.name.n == 0 || !utc_parse(text_of(t, node, "query_timestamp"), &l.time_ms)) {
		return false;
	}
	if (l.name.n > 1 && l.name.p[l.name.n - 1] == '.') {
		l.name.n--;
	}
	*out = l;
	return true;
}

static void widen(int64_t *first, int64_t *last, int64_t from, int64_t to, bool fresh)
{
	*first = fresh || from < *first ? from : *first;
	*last = fresh || to > *last ? to : *last;
}

static void add_row(struct dns *d, const struct dns_row *r)
{
	uint64_t key =
		table_mix(table_mix(pool_key(d->pool, r->src), pool_key(d->pool, r->instance)),
			pool_key(d->pool, r->name));
	bool fresh = false;
	size_t at = table_add(&d->rows, key, &fresh);
	if (at == SIZE_MAX) {
		return;
	}
	struct dns_row *row = table_at(&d->rows, at);
	if (fresh) {
		*row = *r;
		return;
	}
	row->n += r->n;
	row->n_failed += r->n_failed;
	row->blocked |= r->blocked;
	widen(&row->first_ms, &row->last_ms, r->first_ms, r->last_ms, false);
}

static void add_address(struct dns *d, const struct dns_address *a)
{
	bool fresh = false;
	size_t at = table_add(&d->addresses,
		table_mix(pool_key(d->pool, a->ip), pool_key(d->pool, a->name)), &fresh);
	if (at != SIZE_MAX) {
		struct dns_address *have = table_at(&d->addresses, at);
		have->ip = a->ip;
		have->name = a->name;
		widen(&have->first_ms, &have->last_ms, a->first_ms, a->last_ms, fresh);
	}
}

/* Answers are objects in a list; some exports flatten a single one. */
static void add_answer(
	struct dns *d, struct scan_tape *t, uint32_t answer, uint32_t name, int64_t ms)
{
	struct str type = text_of(t, answer, "Type");
	struct str data = text_of(t, answer, "Rdata");
	if (data.n && (str_is(type, "A") || str_is(type, "AAAA"))) {
		struct dns_address a = { .ip = pool_put(d->pool, data),
			.name = name,
			.first_ms = ms,
			.last_ms = ms };
		add_address(d, &a);
	}
}

void dns_add(struct dns *d, const struct dns_line *l, struct scan_tape *t)
{
	bool answered = str_eq_nocase(l->rcode, STR("NOERROR"));
	struct dns_row row = { .src = pool_put(d->pool, l->src),
		.instance = pool_put(d->pool, l->instance),
		.name = pool_put(d->pool, str_sub(l->name, 0, 255)),
		.n = 1,
		.n_failed = !answered,
		.blocked = l->firewall.n > 0 && !str_eq_nocase(l->firewall, STR("ALLOW")),
		.first_ms = l->time_ms,
		.last_ms = l->time_ms };
	widen(&d->first_ms, &d->last_ms, l->time_ms, l->time_ms, d->n_lines == 0);
	d->n_lines++;
	add_row(d, &row);
	if (scan_type_of(t, l->answers) == SCAN_OBJECT) {
		add_answer(d, t, l->answers, row.name, l->time_ms);
	} else if (scan_type_of(t, l->answers) == SCAN_ARRAY) {
		int n = 0;
		for (uint32_t a = scan_first(t, l->answers); a != SCAN_NONE && n < ANSWERS_MAX;
			a = scan_after(t, l->answers, a)) {
			add_answer(d, t, a, row.name, l->time_ms);
			n++;
		}
	}
}

uint32_t dns_name_of(const struct dns *d, uint32_t ip, int64_t before_ms)
{
	const struct dns_address *best = NULL;
	for (size_t i = 0; i < d->addresses.n; i++) {
		const struct dns_address *a = table_at(&d->addresses, i);
		if (a->ip != ip || a->first_ms > before_ms) {
			continue;
		}
		int64_t seen = a->last_ms < before_ms ? a->last_ms : before_ms;
		int64_t had = best && best->last_ms < before_ms ? best->last_ms : before_ms;
		if (!best || seen > had ||
			(seen == had && str_cmp(pool_get(d->pool, a->name),
						pool_get(d->pool, best->name)) < 0)) {
			best = a;
		}
	}
	return best ? best->name : 0;
}
