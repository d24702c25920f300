#include "analysis/s3log.h"

#include "analysis/clf.h"

#define ROWS_MAX    ((size_t)256 * 1024)
#define OBJECTS_MAX ((size_t)4 * 1024 * 1024)

void s3log_init(struct s3log *s, struct pool *pool)
{
	*s = (struct s3log){ .pool = pool };
	table_init(&s->rows, sizeof(struct s3log_row), ROWS_MAX);
	table_init(&s->objects, sizeof(struct s3log_object), OBJECTS_MAX);
}

void s3log_deinit(struct s3log *s)
{
	table_deinit(&s->rows);
	table_deinit(&s->objects);
}

/* ---- one line ---- */

static struct str field(struct str *rest)
{
	struct str w = clf_word(rest);
	return str_is(w, "-") ? (struct str){ "", 0 } : w;
}

static int64_t number(struct str *rest)
{
	int64_t n = 0;
	return str_to_i64(clf_word(rest), &n) && n >= 0 ? n : -1;
}

/* "REST.GET.OBJECT", "BATCH.DELETE.OBJECT", "S3.EXPIRE.OBJECT", "REST.COPY.PART_GET" ... */
static enum s3log_kind kind_of(struct str operation)
{
	struct str rest = operation;
	struct str door = { "", 0 };
	struct str verb = { "", 0 };
	(void)str_cut(&rest, '.', &door);
	(void)str_cut(&rest, '.', &verb);
	bool object = str_is(rest, "OBJECT") || str_is(rest, "OBJECT_GET") ||
		      str_is(rest, "PART_GET") || str_is(rest, "SELECT");
	bool part = str_is(rest, "PART") || str_is(rest, "UPLOAD") || str_is(rest, "UPLOADS");
	if (str_is(door, "S3") && !str_is(verb, "CREATE") && !str_is(verb, "TRANSITION")) {
		return S3LOG_DELETE;
	}
	if (str_is(verb, "DELETE") &&
		(object || part || str_is(rest, "MULTI_OBJECT_DELETE") || rest.n == 0)) {
		return S3LOG_DELETE;
	}
	if (str_is(rest, "MULTI_OBJECT_DELETE")) {
		return S3LOG_DELETE;
	}
	if (object && (str_is(verb, "GET") || str_is(verb, "COPY") || str_is(verb, "POST"))) {
		bool upload = str_is(verb, "POST") && str_is(rest, "OBJECT");
		bool target = str_is(verb, "COPY") && str_is(rest, "OBJECT");
		return upload || target ? S3LOG_WRITE : S3LOG_READ;
	}
	if (object || part) {
		return str_is(verb, "HEAD") || str_is(verb, "GET") ? S3LOG_LIST : S3LOG_WRITE;
	}
	if (str_is(verb, "GET") || str_is(verb, "HEAD")) {
		return S3LOG_LIST;
	}
	return str_is(verb, "PUT") || str_is(verb, "DELETE") ? S3LOG_CONFIG : S3LOG_OTHER;
}

/* Bucket owners are 64 hexadecimal digits: the canonical id of an account. */
static bool is_canonical(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool hex = (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f');
		if (!hex) {
			return false;
		}
	}
	return s.n >= 32 && s.n <= 64;
}

/* "http status" to "user agent"; the agent is the caller's text and may hold quotes of its own. */
static bool read_answer(struct str *rest, struct s3log_line *l)
{
	int64_t status = number(rest);
	l->status = status > 0 && status <= 999 ? (int)status : 0;
	l->error = field(rest);
	l->bytes = number(rest);
	l->object_size = number(rest);
	(void)clf_word(rest);
	(void)clf_word(rest);
	if (!clf_quoted(rest, &l->referer) || !clf_quoted(rest, &l->agent)) {
		return false;
	}
	l->version_id = field(rest);
	for (int i = 0; i < 5; i++) {
		(void)clf_word(rest);
	}
	l->tls = field(rest);
	return true;
}

bool s3log_parse(struct str line, struct s3log_line *out)
{
	struct str rest = line;
	struct s3log_line l = { .bytes = -1 };
	l.owner = clf_word(&rest);
	if (!is_canonical(l.owner)) {
		return false;
	}
	l.bucket = clf_word(&rest);
	if (!clf_bracketed_time(&rest, &l.time_ms)) {
		return false;
	}
	l.ip = field(&rest);
	l.requester = field(&rest);
	l.request_id = field(&rest);
	l.operation = field(&rest);
	l.key = field(&rest);
	if (str_find_char(l.operation, '.') == SIZE_MAX) {
		return false;
	}
	if (str_starts(str_trim(rest), STR("- "))) {
		(void)clf_word(&rest); /* what S3 does by itself comes without a request */
	} else if (!clf_quoted(&rest, &l.request)) {
		return false;
	}
	if (!read_answer(&rest, &l)) {
		return false;
	}
	l.kind = kind_of(l.operation);
	l.anonymous = l.requester.n == 0 && l.ip.n > 0;
	*out = l;
	return true;
}

/* ---- what was seen ---- */

static uint64_t row_key(struct str requester, struct str ip, struct str bucket,
	enum s3log_kind kind, uint64_t seed)
{
	uint64_t h = table_hash(table_mix(seed, (uint64_t)kind), requester);
	return table_hash(table_hash(h, ip), bucket);
}

/* The row that a line belongs to; UINT32_MAX past the ceiling. */
static uint32_t row_of(struct s3log *s, const struct s3log_line *l, uint64_t key)
{
	bool fresh = false;
	size_t at = table_add(&s->rows, key, &fresh);
	if (at != SIZE_MAX && fresh) {
		*(struct s3log_row *)table_at(&s->rows, at) =
			(struct s3log_row){ .requester = pool_put(s->pool, l->requester),
				.ip = pool_put(s->pool, l->ip),
				.bucket = pool_put(s->pool, l->bucket),
				.kind = l->kind,
				.first_ms = l->time_ms,
				.last_ms = l->time_ms };
	}
	return (uint32_t)at;
}

/* Objects of a row are counted when all is read: each once, whoever read it. */
static void add_object(struct s3log *s, const struct s3log_line *l, uint64_t key, uint32_t row)
{
	bool fresh = false;
	size_t at = table_add(&s->objects, table_hash(key, l->key), &fresh);
	if (at != SIZE_MAX && fresh) {
		((struct s3log_object *)table_at(&s->objects, at))->row = row;
	}
}

void s3log_add(struct s3log *s, const struct s3log_line *l, struct str id)
{
	bool sent = l->kind == S3LOG_READ && l->status >= 200 && l->status < 300;
	uint64_t key = row_key(l->requester, l->ip, l->bucket, l->kind, s->pool->seed);
	uint32_t at = row_of(s, l, key);
	s->first_ms = s->n_lines == 0 || l->time_ms < s->first_ms ? l->time_ms : s->first_ms;
	s->last_ms = s->n_lines == 0 || l->time_ms > s->last_ms ? l->time_ms : s->last_ms;
	s->n_lines++;
	if (at == UINT32_MAX) {
		return;
	}
	struct s3log_row *row = table_at(&s->rows, at);
	row->n++;
	row->n_denied += l->status == 403 || l->status == 401;
	row->bytes += sent && l->bytes > 0 ? (uint64_t)l->bytes : 0;
	row->first_ms = l->time_ms < row->first_ms ? l->time_ms : row->first_ms;
	row->last_ms = l->time_ms > row->last_ms ? l->time_ms : row->last_ms;
	row->cite = pool_least(s->pool, row->cite, pool_put(s->pool, id));
	if (l->key.n && l->status < 400) {
		add_object(s, l, key, at);
	}
}

void s3log_settle(struct s3log *s)
{
	for (size_t i = 0; i < s->objects.n; i++) {
		const struct s3log_object *o = table_at(&s->objects, i);
		((struct s3log_row *)table_at(&s->rows, o->row))->n_objects++;
	}
}

const struct s3log_row *s3log_row_of(const struct s3log *s, struct str requester, struct str ip,
	struct str bucket, enum s3log_kind kind)
{
	return table_find(&s->rows, row_key(requester, ip, bucket, kind, s->pool->seed));
}
