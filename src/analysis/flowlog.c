#include "analysis/flowlog.h"

#define ROWS_MAX (512u * 1024)

void flow_init(struct flow *f, struct pool *pool)
{
	*f = (struct flow){ .pool = pool };
	table_init(&f->rows, sizeof(struct flow_row), ROWS_MAX);
}

void flow_deinit(struct flow *f)
{
	table_deinit(&f->rows);
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
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_eq_nocase(name, str_from(names[i].name))) {
			return names[i].field;
		}
	}
	return FLOW_SKIP;
}

bool flow_header(struct str line, struct flow_format *fmt)
{
	struct flow_format f = { .n = 0 };
	bool src = false;
	bool dst = false;
	struct str name;
	while (f.n < FLOW_COLUMNS_MAX && str_cut(&line, ' ', &name)) {
		enum flow_field field = field_of(name);
		src |= field == FLOW_SRC;
		dst |= field == FLOW_DST;
		f.field[f.n++] = (uint8_t)field;
	}
	if (!src || !dst) {
		return false;
	}
	*fmt = f;
	return true;
}

static const struct flow_format default_format = {
	.field = { FLOW_SKIP, FLOW_SKIP, FLOW_INTERFACE, FLOW_SRC, FLOW_DST, FLOW_SRC_PORT,
		FLOW_DST_PORT, FLOW_PROTOCOL, FLOW_PACKETS, FLOW_BYTES, FLOW_START, FLOW_END,
		FLOW_ACTION, FLOW_SKIP },
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

static void add_row(struct flow *f, const struct str *v)
{
	int64_t src_port = number(v[FLOW_SRC_PORT]);
	int64_t dst_port = number(v[FLOW_DST_PORT]);
	bool reply = src_port > 0 && src_port < 1024 && dst_port >= 1024;
	bool accepted = str_eq_nocase(v[FLOW_ACTION], STR("ACCEPT"));
	struct flow_row r = { .src = pool_put(f->pool, v[FLOW_SRC]),
		.dst = pool_put(f->pool, v[FLOW_DST]),
		.interface = pool_put(f->pool, v[FLOW_INTERFACE]),
		.instance = pool_put(f->pool, v[FLOW_INSTANCE]),
		.dst_port = (int)(dst_port & 0xffff),
		.accepted = accepted,
		.reply = reply,
		.first_ms = number(v[FLOW_START]) % INT64_C(253402300800) * 1000,
		.last_ms = number(v[FLOW_END]) % INT64_C(253402300800) * 1000 };
	uint64_t key = table_mix(table_mix(r.src, r.dst),
		(uint64_t)r.dst_port << 2 | (uint64_t)reply << 1 | (uint64_t)accepted);
	bool fresh = false;
	size_t at = table_add(&f->rows, key, &fresh);
	f->first_ms = f->n_lines == 0 || r.first_ms < f->first_ms ? r.first_ms : f->first_ms;
	f->last_ms = r.last_ms > f->last_ms ? r.last_ms : f->last_ms;
	f->n_lines++;
	if (at == SIZE_MAX) {
		return;
	}
	struct flow_row *row = table_at(&f->rows, at);
	if (fresh) {
		*row = r;
	}
	row->n++;
	row->bytes += (uint64_t)number(v[FLOW_BYTES]);
	row->packets += (uint64_t)number(v[FLOW_PACKETS]);
	row->first_ms = r.first_ms < row->first_ms ? r.first_ms : row->first_ms;
	row->last_ms = r.last_ms > row->last_ms ? r.last_ms : row->last_ms;
}

bool flow_line(struct flow *f, const struct flow_format *fmt, struct str line)
{
	const struct flow_format *use = fmt->n ? fmt : &default_format;
	struct str values[FLOW_INTERFACE + 1] = { 0 };
	struct str value;
	int i = 0;
	while (i < use->n && str_cut(&line, ' ', &value)) {
		values[use->field[i++]] = value;
	}
	if (i < use->n || line.n) {
		return false;
	}
	/* NODATA and SKIPDATA rows hold "-" where a flow would be: read, and nothing to learn. */
	if (str_is(values[FLOW_SRC], "-")) {
		f->n_lines++;
		return true;
	}
	if (!address_like(values[FLOW_SRC]) || !address_like(values[FLOW_DST])) {
		return false;
	}
	add_row(f, values);
	return true;
}
