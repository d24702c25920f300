#include "analysis/flowlog.h"

#define EPHEMERAL 32768
#define ROWS_MAX  ((size_t)512 * 1024)

void flow_init(struct flow *f, struct pool *pool)
{
	*f = (struct flow){ .pool = pool };
	table_init(&f->rows, sizeof(struct flow_row), ROWS_MAX);
}

void flow_deinit(struct flow *f)
{
	table_deinit(&f->rows);
}

/* Equal without regard to case; "_" counts as "-". */
static bool same_name(struct str s, const char *name)
{
	size_t i = 0;
	for (; i < s.n && name[i]; i++) {
		char c = s.p[i] == '_' ? '-' : s.p[i];
		c = c >= 'A' && c <= 'Z' ? (char)((unsigned char)c | 0x20) : c;
		if (c != name[i]) {
			return false;
		}
	}
	return i == s.n && !name[i];
}

static enum flow_field field_of(struct str name)
{
	static const struct {
		const char *name;
		enum flow_field field;
	} names[] = {
		{ "srcaddr", FLOW_SRC },
		{ "dstaddr", FLOW_DST },
		{ "srcport", FLOW_SRC_PORT },
		{ "dstport", FLOW_DST_PORT },
		{ "protocol", FLOW_PROTOCOL },
		{ "packets", FLOW_PACKETS },
		{ "bytes", FLOW_BYTES },
		{ "start", FLOW_START },
		{ "end", FLOW_END },
		{ "action", FLOW_ACTION },
		{ "instance-id", FLOW_INSTANCE },
		{ "interface-id", FLOW_INTERFACE },
		{ "pkt-srcaddr", FLOW_PKT_SRC },
		{ "pkt-dstaddr", FLOW_PKT_DST },
		{ "log-status", FLOW_STATUS },
		{ "account-id", FLOW_ACCOUNT },
		{ "region", FLOW_REGION },
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (same_name(name, names[i].name)) {
			return names[i].field;
		}
	}
	return FLOW_SKIP;
}

bool flow_columns(const struct str *names, size_t n, struct flow_format *fmt)
{
	struct flow_format f = { .n = 0 };
	bool has[FLOW_FIELDS] = { false };
	for (size_t i = 0; i < n && f.n < FLOW_COLUMNS_MAX; i++) {
		enum flow_field field = field_of(names[i]);
		has[field] = true;
		f.field[f.n++] = (uint8_t)field;
	}
	if (n > FLOW_COLUMNS_MAX || !(has[FLOW_SRC] || has[FLOW_PKT_SRC]) ||
		!(has[FLOW_DST] || has[FLOW_PKT_DST])) {
		return false;
	}
	*fmt = f;
	return true;
}

static size_t split(struct str line, struct str *out)
{
	size_t n = 0;
	while (n < FLOW_COLUMNS_MAX && str_cut(&line, ' ', &out[n])) {
		n++;
	}
	return line.n ? FLOW_COLUMNS_MAX + 1 : n;
}

bool flow_header(struct str line, struct flow_format *fmt)
{
	struct str names[FLOW_COLUMNS_MAX];
	return flow_columns(names, split(line, names), fmt);
}

static const struct flow_format default_format = {
	.field = { FLOW_SKIP, FLOW_ACCOUNT, FLOW_INTERFACE, FLOW_SRC, FLOW_DST, FLOW_SRC_PORT,
		FLOW_DST_PORT, FLOW_PROTOCOL, FLOW_PACKETS, FLOW_BYTES, FLOW_START, FLOW_END,
		FLOW_ACTION, FLOW_STATUS },
	.n = 14,
};

static bool address_like(struct str s)
{
	return s.n >= 2 && s.n <= 45 &&
	       (str_find_char(s, '.') != SIZE_MAX || str_find_char(s, ':') != SIZE_MAX);
}

static int64_t number(struct str s)
{
	int64_t n = 0;
	return str_to_i64(s, &n) && n >= 0 ? n : 0;
}

#define SECOND_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* Seconds since 1970, or (an export of Athena) the same with a fraction; absent is 0. */
static bool read_time(struct str s, int64_t *ms)
{
	int64_t n = 0;
	s = str_sub(s, 0, str_find_char(s, '.'));
	if (s.n && !str_is(s, "-") && (!str_to_i64(s, &n) || n < 0 || n > SECOND_MAX)) {
		return false;
	}
	*ms = n * 1000;
	return true;
}

static struct str better(struct str packet, struct str interface)
{
	return address_like(packet) ? packet : interface;
}

static bool fill(const struct str v[FLOW_FIELDS], struct flow_record *out)
{
	struct flow_record r = { .src = better(v[FLOW_PKT_SRC], v[FLOW_SRC]),
		.dst = better(v[FLOW_PKT_DST], v[FLOW_DST]),
		.interface = v[FLOW_INTERFACE],
		.instance = str_is(v[FLOW_INSTANCE], "-") ? STR("") : v[FLOW_INSTANCE],
		.account = v[FLOW_ACCOUNT],
		.region = v[FLOW_REGION],
		.src_port = number(v[FLOW_SRC_PORT]),
		.dst_port = number(v[FLOW_DST_PORT]),
		.protocol = number(v[FLOW_PROTOCOL]),
		.packets = number(v[FLOW_PACKETS]),
		.bytes = number(v[FLOW_BYTES]),
		.accepted = str_eq_nocase(v[FLOW_ACTION], STR("ACCEPT")),
		.skipped = str_is(v[FLOW_STATUS], "SKIPDATA") };
	/* NODATA and SKIPDATA rows hold "-" where a flow would be. */
	r.empty = !r.skipped && (str_is(v[FLOW_STATUS], "NODATA") || str_is(r.src, "-"));
	bool known = r.empty || r.skipped || (address_like(r.src) && address_like(r.dst));
	if (!known || !read_time(v[FLOW_START], &r.start_ms) ||
		!read_time(v[FLOW_END], &r.end_ms)) {
		return false;
	}
	*out = r;
	return true;
}

bool flow_values(const struct flow_format *fmt, const struct str *values, size_t n,
	struct flow_record *out)
{
	const struct flow_format *use = fmt->n ? fmt : &default_format;
	struct str by_field[FLOW_FIELDS] = { 0 };
	if (n != (size_t)use->n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		by_field[use->field[i]] = values[i];
	}
	return fill(by_field, out);
}

bool flow_parse(const struct flow_format *fmt, struct str line, struct flow_record *out)
{
	struct str values[FLOW_COLUMNS_MAX];
	return flow_values(fmt, values, split(line, values), out);
}

static void count_window(struct flow *f, const struct flow_record *r)
{
	bool first = f->n_lines == 0;
	f->first_ms = first || r->start_ms < f->first_ms ? r->start_ms : f->first_ms;
	f->last_ms = first || r->end_ms > f->last_ms ? r->end_ms : f->last_ms;
}

/*
 * The other half of somebody's request: from the service's port to a port that systems hand out
 * for the asking side (32768 and up on Linux, 49152 and up elsewhere).
 */
static bool is_reply(const struct flow_record *r)
{
	bool service = r->src_port > 0 && r->src_port < EPHEMERAL && r->src_port < r->dst_port;
	return service && (r->dst_port >= EPHEMERAL || r->src_port < 1024) &&
	       r->dst_port >= 1024;
}

void flow_add(struct flow *f, const struct flow_record *r)
{
	count_window(f, r);
	f->n_lines++;
	f->n_skipped += r->skipped;
	if (r->empty || r->skipped) {
		return;
	}
	struct flow_row row = { .src = pool_put(f->pool, r->src),
		.dst = pool_put(f->pool, r->dst),
		.interface = pool_put(f->pool, r->interface),
		.instance = pool_put(f->pool, r->instance),
		.dst_port = (int)(r->dst_port & 0xffff),
		.accepted = r->accepted,
		.reply = is_reply(r),
		.n = 1,
		.bytes = (uint64_t)r->bytes,
		.packets = (uint64_t)r->packets,
		.most = r->bytes,
		.first_ms = r->start_ms,
		.last_ms = r->end_ms };
	uint64_t key =
		table_mix(table_mix(pool_key(f->pool, row.src), pool_key(f->pool, row.dst)),
			(uint64_t)row.dst_port << 2 | (uint64_t)row.reply << 1 |
				(uint64_t)row.accepted);
	bool fresh = false;
	size_t at = table_add(&f->rows, key, &fresh);
	if (at == SIZE_MAX) {
		return;
	}
	struct flow_row *have = table_at(&f->rows, at);
	if (fresh) {
		*have = row;
		return;
	}
	/* A port behind two interfaces is named by one of them, the same in any order of the input. */
	have->interface = pool_least(f->pool, have->interface, row.interface);
	have->instance = pool_least(f->pool, have->instance, row.instance);
	have->n++;
	have->bytes += row.bytes;
	have->packets += row.packets;
	have->most = row.most > have->most ? row.most : have->most;
	have->first_ms = row.first_ms < have->first_ms ? row.first_ms : have->first_ms;
	have->last_ms = row.last_ms > have->last_ms ? row.last_ms : have->last_ms;
}

bool flow_line(struct flow *f, const struct flow_format *fmt, struct str line)
{
	struct flow_record r;
	if (!flow_parse(fmt, line, &r)) {
		return false;
	}
	flow_add(f, &r);
	return true;
}
