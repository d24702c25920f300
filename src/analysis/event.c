#include "analysis/event.h"

#include "analysis/event_parts.h"
#include "analysis/event_tail.h"
#include "analysis/event_who.h"
#include "analysis/table.h"
#include "base/err.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

static struct str text_at(struct scan_tape *t, uint32_t node, const char *path)
{
	return scan_text(t, scan_path(t, node, path));
}

struct str event_text(const struct event *e, uint32_t node, const char *path)
{
	return text_at(e->tape, node, path);
}

static bool is_service_address(struct str ip)
{
	/* Numbers, mostly. */
	if (ip.n && ip.p[ip.n - 1] < 'g') {
		return false;
	}
	return ip.n == 0 || str_is(ip, "AWS Internal") || str_ends(ip, STR(".amazonaws.com")) ||
	       str_ends(ip, STR(".amazonaws.com.cn"));
}

/* ---- a record ---- */

#define MEMBERS_MAX 128

enum field {
	F_VERSION,
	F_IDENTITY,
	F_TIME,
	F_SOURCE,
	F_NAME,
	F_REGION,
	F_IP,
	F_AGENT,
	F_ERROR_CODE,
	F_ERROR_MESSAGE,
	F_REQUEST,
	F_RESPONSE,
	F_EXTRA,
	F_REQUEST_ID,
	F_ID,
	F_READ_ONLY,
	F_RESOURCES,
	F_TYPE,
	F_API_VERSION,
	F_MANAGEMENT,
	F_ACCOUNT,
	F_SHARED_ID,
	F_VPC_ENDPOINT,
	F_VPC_ACCOUNT,
	F_CATEGORY,
	F_TLS,
	F_CONSOLE,
	FIELDS
};

static const char *const names[FIELDS] = { "eventVersion", "userIdentity", "eventTime",
	"eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode",
	"errorMessage", "requestParameters", "responseElements", "additionalEventData",
	"requestID", "eventID", "readOnly", "resources", "eventType", "apiVersion",
	"managementEvent", "recipientAccountId", "sharedEventID", "vpcEndpointId",
	"vpcEndpointAccountId", "eventCategory", "tlsDetails", "sessionCredentialFromConsole" };

struct turn {
	struct scan_tape tape;
	struct event_who rare; /* one that is not kept */
	char *plain;           /* the record without its white space */
	size_t plain_cap;
};

struct event_reader {
	uint64_t seed; /* of what only this run sees */
	struct skim_keys keys;
	struct event_whos *whos;
	struct event_tails *tails;
	uint64_t tail_hint; /* of the record being read */
	struct skim_member members[MEMBERS_MAX];
	char before[64]; /* of the event read last, what stands before its identity */
	size_t before_n;
	uint64_t before_hash;
	char day[10]; /* of the time read last */
	int64_t day_ms;
	struct turn turns[EVENT_TURNS]; /* what the events read last still need */
	unsigned turn;
};

#define BIT(field) (UINT64_C(1) << (field))
/* What an event needs of a tail; and what it needs, so that no tail may be kept that holds it. */
#define TAIL_WANTED                                                                    \
	(BIT(F_ACCOUNT) | BIT(F_VPC_ENDPOINT) | BIT(F_VPC_ACCOUNT) | BIT(F_CATEGORY) | \
		BIT(F_CONSOLE))
#define TAIL_NEVER                                                                     \
	(BIT(F_IDENTITY) | BIT(F_TIME) | BIT(F_SOURCE) | BIT(F_NAME) | BIT(F_REGION) | \
		BIT(F_IP) | BIT(F_AGENT) | BIT(F_ERROR_CODE) | BIT(F_ERROR_MESSAGE) |  \
		BIT(F_REQUEST) | BIT(F_RESPONSE) | BIT(F_EXTRA) | BIT(F_ID) |          \
		BIT(F_READ_ONLY))

static size_t known_who(void *ctx, struct str text)
{
	struct event_reader *r = ctx;
	return event_who_known(r->whos, text);
}

/* A service in a region has few tails. */
static size_t known_tail(void *ctx, struct str text, size_t at, struct skim_out *out)
{
	struct event_reader *r = ctx;
	r->tail_hint = r->seed;
	for (size_t i = 0; i < out->n; i++) {
		const struct skim_member *m = &out->members[i];
		if (m->known == F_SOURCE || m->known == F_REGION) {
			struct str value = { text.p + m->value, m->value_n };
			r->tail_hint = table_hash(r->tail_hint, value);
		}
	}
	return event_tail_known(r->tails, r->tail_hint, text, at, out);
}

struct event_reader *event_reader_new(uint64_t seed)
{
	struct event_reader *r = calloc(1, sizeof(*r));
	if (!r) {
		BUG("out of memory");
	}
	r->seed = seed;
	r->whos = event_who_new(seed);
	r->tails = event_tail_new(seed, TAIL_WANTED);
	for (size_t i = 0; i < EVENT_TURNS; i++) {
		scan_init(&r->turns[i].tape);
	}
	for (size_t i = 0; i < FIELDS; i++) {
		skim_keys_add(&r->keys, names[i]);
	}
	r->keys.jump = known_who;
	r->keys.jump_key = F_IDENTITY;
	r->keys.rest = known_tail;
	r->keys.rest_key = F_TYPE;
	r->keys.ctx = r;
	return r;
}

void event_reader_free(struct event_reader *r)
{
	if (r) {
		for (size_t i = 0; i < EVENT_TURNS; i++) {
			scan_deinit(&r->turns[i].tape);
			free(r->turns[i].plain);
		}
		event_who_free(r->whos);
		event_tail_free(r->tails);
		free(r);
	}
}

/* "2026-08-01T10:00:00Z", whose day is mostly that of the event before. */
static bool read_time(struct event_reader *r, struct str s, int64_t *ms)
{
	bool usual = s.n == 20 && s.p[10] == 'T' && s.p[13] == ':' && s.p[16] == ':' &&
		     s.p[19] == 'Z' && memcmp(s.p, r->day, sizeof(r->day)) == 0;
	unsigned d[6];
	static const uint8_t at[6] = { 11, 12, 14, 15, 17, 18 };
	for (size_t i = 0; usual && i < 6; i++) {
		d[i] = (unsigned)(s.p[at[i]] - '0');
		usual = d[i] <= 9;
	}
	if (usual) {
		unsigned hour = d[0] * 10 + d[1];
		unsigned minute = d[2] * 10 + d[3];
		unsigned second = d[4] * 10 + d[5];
		if (hour < 24 && minute < 60 && second < 60) {
			*ms = r->day_ms + ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
			return true;
		}
	}
	if (!utc_parse(s, ms)) {
		return false;
	}
	if (s.n == 20 && utc_parse(str_sub(s, 0, 10), &r->day_ms)) {
		memcpy(r->day, s.p, sizeof(r->day));
	}
	return true;
}

/* Values by field, NULL where there is none, and the text they are in. */
struct found {
	struct turn *turn;
	const struct skim_member *of[FIELDS];
	size_t tail; /* where the tail begins, or where the record ends */
};

static struct str slice(const struct found *f, enum field field)
{
	const struct skim_member *m = f->of[field];
	return m ? (struct str){ f->turn->tape.text + m->value, m->value_n }
		 : (struct str){ "", 0 };
}

static struct str text_of(const struct found *f, enum field field)
{
	struct scan_tape *t = &f->turn->tape;
	const struct skim_member *m = f->of[field];
	if (!m || m->first != '"') {
		return (struct str){ "", 0 };
	}
	struct str s = slice(f, field);
	return m->value_escaped ? scan_text(t, scan_lazy_add(t, s, true)) : s;
}

static uint32_t node_of(const struct found *f, enum field field)
{
	const struct skim_member *m = f->of[field];
	return m ? scan_lazy_add(&f->turn->tape, slice(f, field), m->value_escaped) : SCAN_NONE;
}

static bool flag_of(const struct found *f, enum field field)
{
	const struct skim_member *m = f->of[field];
	return m && m->value_n == 4 && str_eq_nocase(slice(f, field), STR("true"));
}

/*
 * Values of the fields from `from` to `to`. They stand side by side in what CloudTrail writes, and
 * are then hashed as one text; else one by one.
 */
static uint64_t hash_run(uint64_t seed, const struct found *f, enum field from, enum field to)
{
	const struct skim_member *first = f->of[from];
	const struct skim_member *last = f->of[to];
	if (first && last && last - first == (ptrdiff_t)(to - from)) {
		struct str all = { f->turn->tape.text + first->value,
			last->value + last->value_n - first->value };
		return table_hash(seed ^ from, all);
	}
	uint64_t h = seed;
	for (int i = (int)from; i <= (int)to; i++) {
		h = table_hash(h, slice(f, (enum field)i));
	}
	return h;
}

static uint64_t hash_more(const struct found *f, uint64_t h, enum field field)
{
	return f->of[field] ? table_hash(h, slice(f, field)) : table_mix(h, field);
}

/* true, false, or there is none; anything else is hashed as it stands. */
static uint64_t hash_flag(const struct found *f, uint64_t h, enum field field)
{
	const struct skim_member *m = f->of[field];
	bool word = m && (m->first == 't' || m->first == 'f');
	return word ? table_mix(h, m->first) : hash_more(f, h, field);
}

/*
 * The identity is hashed already, what comes before it mostly for the event before, and the tail
 * mostly for the one of another event.
 */
static uint64_t hash_content(
	struct event_reader *r, const struct found *f, uint64_t who, size_t n)
{
	const char *p = f->turn->tape.text;
	const struct skim_member *m = f->of[F_IDENTITY];
	size_t after = m ? m->value + m->value_n : SIZE_MAX;
	if (after > f->tail) {
		return table_hash(EVENT_CONTENT_SEED, (struct str){ p, n });
	}
	if (m->value != r->before_n || memcmp(p, r->before, r->before_n) != 0) {
		r->before_n = m->value < sizeof(r->before) ? m->value : 0;
		memcpy(r->before, p, r->before_n);
		r->before_hash = table_hash(EVENT_CONTENT_SEED, (struct str){ p, m->value });
	}
	uint64_t h = table_mix(who, r->before_hash);
	h = table_hash(h, (struct str){ p + after, f->tail - after });
	struct str tail = { p + f->tail, n - f->tail };
	return tail.n ? table_mix(h, event_tail_content(r->tails, tail)) : h;
}

static void fill_who(struct event *e, struct event_who *w)
{
	e->who = w;
	e->identity = w->identity;
	e->account = e->account.n ? e->account : w->account;
	e->service_ip = is_service_address(e->ip);
	if (e->identity == EVENT_UNKNOWN && w->invoked_by.n && e->service_ip) {
		e->identity = EVENT_SERVICE;
	}
}

static void fill_hashes(
	struct event_reader *r, const struct found *f, size_t n, struct event *e)
{
	e->hash = hash_content(r, f, e->who->hash, n);
	e->origin = hash_run(r->seed, f, F_REGION, F_AGENT);
	e->origin = hash_more(f, e->origin, F_ACCOUNT);
	if (f->of[F_VPC_ENDPOINT]) {
		e->origin = hash_more(f, e->origin, F_VPC_ENDPOINT);
		e->origin = hash_more(f, e->origin, F_VPC_ACCOUNT);
	}
	e->call = hash_run(r->seed, f, F_SOURCE, F_NAME);
	e->call = hash_more(f, e->call, F_ERROR_CODE);
	e->call = hash_flag(f, e->call, F_READ_ONLY) | 1;
}

/* The record's members are known, its n bytes are those of the tape. Sets every member of *e. */
static bool fill(struct event_reader *r, const struct found *f, size_t n, struct event *e)
{
	struct str name = text_of(f, F_NAME);
	struct str source = text_of(f, F_SOURCE);
	int64_t ms = 0;
	if (name.n == 0 || source.n == 0 || !read_time(r, text_of(f, F_TIME), &ms)) {
		return false;
	}
	e->tape = &f->turn->tape;
	e->root = 0;
	e->time_ms = ms;
	e->name = name;
	e->source = source;
	e->id = text_of(f, F_ID);
	e->region = text_of(f, F_REGION);
	e->ip = text_of(f, F_IP);
	e->agent = text_of(f, F_AGENT);
	e->error_code = text_of(f, F_ERROR_CODE);
	e->error_message = text_of(f, F_ERROR_MESSAGE);
	e->account = text_of(f, F_ACCOUNT);
	e->vpc_endpoint = text_of(f, F_VPC_ENDPOINT);
	e->vpc_endpoint_account = text_of(f, F_VPC_ACCOUNT);
	e->request = node_of(f, F_REQUEST);
	e->response = node_of(f, F_RESPONSE);
	e->extra = node_of(f, F_EXTRA);
	e->read_only = flag_of(f, F_READ_ONLY);
	e->console = flag_of(f, F_CONSOLE);
	e->data_event = str_eq(text_of(f, F_CATEGORY), STR("Data"));
	fill_who(e, event_who_read(r->whos, slice(f, F_IDENTITY), &f->turn->rare));
	fill_hashes(r, f, n, e);
	return true;
}

/* The JSON text without white space between its tokens, in t->plain. */
static struct str without_blanks(struct turn *t, struct str json)
{
	if (t->plain_cap < json.n) {
		free(t->plain);
		t->plain = malloc(json.n);
		t->plain_cap = json.n;
		if (!t->plain) {
			BUG("out of memory");
		}
	}
	size_t n = 0;
	bool quoted = false;
	for (size_t i = 0; i < json.n; i++) {
		char c = json.p[i];
		if (quoted && c == '\\' && i + 1 < json.n) {
			t->plain[n++] = c;
			t->plain[n++] = json.p[++i];
			continue;
		}
		quoted = c == '"' ? !quoted : quoted;
		if (quoted || (c != ' ' && c != '\n' && c != '\r' && c != '\t')) {
			t->plain[n++] = c;
		}
	}
	return (struct str){ t->plain, n };
}

/* The fields of a record and its tail, which is kept when all of it may be jumped over next time. */
static void find_fields(
	struct event_reader *r, const struct skim_out *skim, struct str s, struct found *f)
{
	size_t n = 0; /* members before the tail */
	uint64_t in_tail = 0;
	f->tail = skim->rest ? skim->rest : s.n;
	for (size_t i = 0; i < skim->n; i++) {
		const struct skim_member *m = &r->members[i];
		if (m->known == SKIM_UNKNOWN) {
			continue;
		}
		f->of[m->known] = m;
		if (m->known == F_TYPE && !n && !skim->rest) {
			n = i;
			f->tail = m->key - 1;
		}
		in_tail |= n ? BIT(m->known) : 0;
	}
	if (n && !(in_tail & TAIL_NEVER)) {
		event_tail_keep(
			r->tails, r->tail_hint, s, f->tail, r->members + n, skim->n - n);
	}
}

enum event_result event_take(
	struct event_reader *r, struct str s, struct event *out, size_t *used)
{
	struct skim_out skim = { .members = r->members, .room = MEMBERS_MAX };
	struct found f = { .turn = &r->turns[r->turn] };
	if (s.n == 0 || s.p[0] != '{') {
		return EVENT_OTHER;
	}
	enum skim_result result = skim_value(s, &r->keys, &skim);
	if (result != SKIM_OK) {
		return result == SKIM_MORE ? EVENT_MORE : EVENT_OTHER;
	}
	*used = skim.used;
	/* Past a comma the next record may begin like this one. */
	event_who_expect(r->whos, str_sub(s, skim.used + 1 + r->before_n, SIZE_MAX));
	s.n = skim.used;
	if (skim.blanks) {
		s = without_blanks(f.turn, s);
		skim.n = 0;
		(void)skim_value(s, &r->keys, &skim);
	}
	find_fields(r, &skim, s, &f);
	scan_lazy(&f.turn->tape, s);
	if (!fill(r, &f, s.n, out)) {
		return EVENT_OTHER;
	}
	r->turn = (r->turn + 1) % EVENT_TURNS;
	return EVENT_OK;
}

bool event_read(struct event_reader *r, struct str json, struct event *out)
{
	size_t used = 0;
	return event_take(r, json, out, &used) == EVENT_OK && used == json.n;
}

void event_fragment(struct scan_tape *t, uint32_t root, struct event *out)
{
	static struct event_who nobody;
	*out = (struct event){ .tape = t,
		.who = &nobody,
		.root = root,
		.name = text_at(t, root, "eventName"),
		.id = text_at(t, root, "eventID"),
		.request = SCAN_NONE,
		.response = SCAN_NONE,
		.extra = SCAN_NONE };
}

bool event_denied(const struct event *e)
{
	static const char *const codes[] = { "AccessDenied", "AccessDeniedException",
		"Client.UnauthorizedOperation", "UnauthorizedOperation", "AuthorizationError",
		"NotAuthorized", "UnauthorizedAccess", "AllAccessDisabled" };
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (str_is(e->error_code, codes[i])) {
			return true;
		}
	}
	return false;
}

bool event_succeeded(const struct event *e)
{
	if (str_is(e->name, "ConsoleLogin")) {
		return str_is(event_text(e, e->response, "ConsoleLogin"), "Success");
	}
	return e->error_code.n == 0;
}

struct str event_plain_name(struct str name)
{
	size_t n = name.n;
	if (n > 2 && name.p[n - 2] == 'v' && name.p[n - 1] >= '0' && name.p[n - 1] <= '9') {
		n -= 2;
	}
	size_t end = n;
	while (n > 0 && name.p[n - 1] >= '0' && name.p[n - 1] <= '9') {
		n--;
	}
	/* Lambda's calls carry the API's date, eight digits, with "v2" or "v1" or nothing. */
	return end - n == 8 ? str_sub(name, 0, n) : name;
}
