#include "analysis/contacts.h"

#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

struct contact {
	const char *how;
	uint32_t host, ip, name;
	int port;
	uint64_t bytes;
	int64_t first_ms, last_ms;
};

struct contacts {
	const struct inquiry *q;
	struct contact *rows;
	size_t n, cap;
};

static void add(struct contacts *c, const struct contact *row)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->rows = realloc(c->rows, c->cap * sizeof(*c->rows));
		if (!c->rows) {
			BUG("out of memory");
		}
	}
	c->rows[c->n++] = *row;
}

static void add_flow(struct contacts *c, const struct flow_row *f)
{
	bool from = inquiry_is_attacker(c->q, f->src);
	bool to = inquiry_is_attacker(c->q, f->dst);
	if (!f->accepted || from == to) {
		return;
	}
	uint32_t ip = from ? f->src : f->dst;
	struct contact row = { .how = from ? "in" : "out",
		.host = f->instance ? f->instance
			: from      ? f->dst
				    : f->src,
		.ip = ip,
		.name = dns_name_of(&c->q->r->dns, ip, f->last_ms),
		.port = f->dst_port,
		.bytes = f->bytes,
		.first_ms = f->first_ms,
		.last_ms = f->last_ms };
	add(c, &row);
}

/* Who asked for a name that led to the address. */
static void add_questions(struct contacts *c, const struct dns_address *a)
{
	const struct dns *d = &c->q->r->dns;
	for (size_t i = 0; i < d->rows.n; i++) {
		const struct dns_row *r = table_at(&d->rows, i);
		if (r->name != a->name) {
			continue;
		}
		struct contact row = { .how = "asked",
			.host = r->instance ? r->instance : r->src,
			.ip = a->ip,
			.name = a->name,
			.first_ms = r->first_ms,
			.last_ms = r->last_ms };
		add(c, &row);
	}
}

static int text_order(const struct pool *p, uint32_t a, uint32_t b)
{
	return str_cmp(pool_get(p, a), pool_get(p, b));
}

/* By time, then by texts: the numbers of rows and texts are those of the input's order. */
static int order(const void *a, const void *b, void *pool)
{
	const struct contact *x = a;
	const struct contact *y = b;
	if (x->first_ms != y->first_ms) {
		return x->first_ms < y->first_ms ? -1 : 1;
	}
	int c = strcmp(x->how, y->how);
	c = c ? c : text_order(pool, x->ip, y->ip);
	c = c ? c : text_order(pool, x->host, y->host);
	c = c ? c : text_order(pool, x->name, y->name);
	return c ? c : x->port - y->port;
}

static json_t *text(const struct contacts *c, uint32_t id)
{
	return id ? doc_str(track_text(c->q->t, id)) : json_null();
}

static json_t *row_json(const struct contacts *c, const struct contact *row)
{
	char first[32];
	char last[32];
	utc_rfc3339(row->first_ms, first);
	utc_rfc3339(row->last_ms, last);
	json_t *out = json_pack("{s:s,s:o,s:o,s:o}", "how", row->how, "host",
		text(c, row->host), "ip", text(c, row->ip), "name", text(c, row->name));
	if (strcmp(row->how, "asked") != 0) {
		json_object_set_new(out, "port", json_integer(row->port));
		json_object_set_new(out, "bytes", json_integer((json_int_t)row->bytes));
	}
	json_object_set_new(out, "first", json_string(first));
	json_object_set_new(out, "last", json_string(last));
	return out;
}

json_t *contacts_json(const struct inquiry *q)
{
	struct contacts c = { .q = q };
	const struct reader *r = q->r;
	json_t *out = json_array();
	for (size_t i = 0; i < r->flow.rows.n; i++) {
		add_flow(&c, table_at(&r->flow.rows, i));
	}
	for (size_t i = 0; i < r->dns.addresses.n; i++) {
		const struct dns_address *a = table_at(&r->dns.addresses, i);
		if (inquiry_is_attacker(q, a->ip)) {
			add_questions(&c, a);
		}
	}
	if (c.n) {
		qsort_r(c.rows, c.n, sizeof(*c.rows), order, &q->t->pool);
	}
	for (size_t i = 0; i < c.n && i < CONTACTS_MAX; i++) {
		json_array_append_new(out, row_json(&c, &c.rows[i]));
	}
	free(c.rows);
	return out;
}
