#include "analysis/track.h"

#include "analysis/agent.h"
#include "analysis/ledger.h"
#include "analysis/lites.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ceilings: past them nothing more of the kind is kept and the result says so. */
#define TEXT_BYTES_MAX (96u * 1024 * 1024)
#define HOLDERS_MAX    (512u * 1024)
#define EDGES_MAX      (512u * 1024)
#define RELATIONS_MAX  (1024u * 1024)
#define ISSUES_MAX     (1024u * 1024)
#define MEMO_MAX       (64u * 1024)

void track_init(struct track *t, uint64_t seed, struct seen *seen, struct str own_marker)
{
	*t = (struct track){ .seed = seed, .seen = seen, .own_marker = own_marker };
	pool_init(&t->pool, seed, TEXT_BYTES_MAX);
	table_init(&t->holders, sizeof(struct track_holder), HOLDERS_MAX);
	table_init(&t->edges, sizeof(struct track_edge), EDGES_MAX);
	table_init(&t->relations, sizeof(struct track_relation), RELATIONS_MAX);
	t->relations_to_come = mem_zeroed(TRACK_TO_COME, sizeof(*t->relations_to_come));
	table_init(&t->issues, sizeof(struct track_issue), ISSUES_MAX);
	table_init(&t->programs, sizeof(uint32_t), MEMO_MAX);
	table_init(&t->actions, sizeof(struct track_action), MEMO_MAX);
	t->places = calloc(TRACK_PLACE_SLOTS, sizeof(*t->places));
	t->rows = aligned_alloc(_Alignof(struct track_row), TRACK_ROW_SLOTS * sizeof(*t->rows));
	if (!t->places || !t->rows) {
		BUG("out of memory");
	}
	memset(t->rows, 0, TRACK_ROW_SLOTS * sizeof(*t->rows));
}

void track_deinit(struct track *t)
{
	free(t->lites);
	free(t->notes);
	free(t->places);
	free(t->relations_to_come);
	free(t->rows);
	pool_deinit(&t->pool);
	table_deinit(&t->holders);
	table_deinit(&t->edges);
	table_deinit(&t->relations);
	table_deinit(&t->issues);
	table_deinit(&t->programs);
	table_deinit(&t->actions);
}

struct track_holder *track_holder_at(const struct track *t, uint32_t i)
{
	return table_at(&t->holders, i);
}

struct track_edge *track_edge_at(const struct track *t, uint32_t i)
{
	return table_at(&t->edges, i);
}

struct str track_text(const struct track *t, uint32_t text)
{
	return pool_get(&t->pool, text);
}

static void widen(const struct track *t, struct track_ref *first, struct track_ref *last,
	const struct track_ref *r)
{
	track_ref_first(&t->pool, first, r);
	track_ref_last(&t->pool, last, r);
}

/* ---- holders ---- */

/* Value of a lower-case hexadecimal digit; 16 for any other byte. */
static unsigned hex_digit(char c)
{
	unsigned digit = (unsigned)c - '0';
	unsigned letter = (unsigned)c - 'a';
	return digit < 10 ? digit : letter < 6 ? letter + 10 : 16;
}

static bool is_instance_id(struct str s)
{
	if (!str_starts(s, STR("i-")) || (s.n != 10 && s.n != 19)) {
		return false;
	}
	for (size_t i = 2; i < s.n; i++) {
		if (hex_digit(s.p[i]) > 15) {
			return false;
		}
	}
	return true;
}

static enum track_kind kind_of(const struct event *e)
{
	bool person = e->identity == EVENT_IAM_USER || e->identity == EVENT_ROOT ||
		      e->identity == EVENT_FEDERATED;
	bool long_term = str_starts(e->who->key, STR("AKIA"));
	if (e->identity == EVENT_SERVICE) {
		return TRACK_SERVICE;
	}
	if (e->identity == EVENT_ASSUMED_ROLE) {
		bool linked = str_find(e->who->arn, STR("/AWSServiceRoleFor")) != SIZE_MAX;
		if (linked || (e->who->key.n == 0 && e->service_ip)) {
			return TRACK_SERVICE;
		}
		return is_instance_id(e->who->session) ? TRACK_INSTANCE : TRACK_ROLE;
	}
	if (person && long_term) {
		return e->identity == EVENT_ROOT ? TRACK_ROOT_KEY : TRACK_USER_KEY;
	}
	if (person) {
		return e->who->key.n ? TRACK_CONSOLE : TRACK_LOGIN;
	}
	if (e->identity == EVENT_ANONYMOUS) {
		return TRACK_ANONYMOUS;
	}
	if (e->identity == EVENT_WEB_IDENTITY) {
		return TRACK_TOKEN;
	}
	return e->identity == EVENT_ACCOUNT ? TRACK_ACCOUNT : TRACK_OTHER;
}

/* What tells one holder from another; sessions are told by when they began, not by their keys. */
static uint64_t holder_key(const struct track *t, const struct event *e, enum track_kind kind)
{
	struct str who = e->who->arn.n         ? e->who->arn
			 : e->who->user_name.n ? e->who->user_name
					       : e->who->principal_id;
	uint64_t h = table_hash(table_mix(t->seed, (uint64_t)kind), who);
	switch (kind) {
	case TRACK_SERVICE:
		return table_hash(h, e->who->invoked_by);
	case TRACK_USER_KEY:
	case TRACK_ROOT_KEY:
		return table_hash(h, e->who->key);
	case TRACK_CONSOLE:
	case TRACK_ROLE:
		return table_hash(h, e->who->creation.n ? e->who->creation : e->who->key);
	case TRACK_ACCOUNT:
		return table_hash(h, e->who->principal_id);
	default:
		return h;
	}
}

static uint32_t find_holder(struct track *t, const struct event *e)
{
	enum track_kind kind = kind_of(e);
	bool fresh = false;
	size_t i = table_add(&t->holders, holder_key(t, e, kind), &fresh);
	if (i == SIZE_MAX) {
		return UINT32_MAX;
	}
	struct track_holder h = { .kind = kind,
		.arn = pool_put(&t->pool, e->who->arn),
		.user = pool_put(&t->pool, e->who->user_name),
		.account = pool_put(&t->pool, e->account),
		.issuer = pool_put(&t->pool, e->who->issuer_arn),
		.session = pool_put(&t->pool, e->who->session),
		.creation = pool_put(&t->pool, e->who->creation),
		.source_identity = pool_put(&t->pool, e->who->source_identity),
		.issued_to = pool_put(&t->pool, e->who->issued_to),
		.mfa = e->who->mfa };
	struct track_holder *kept = track_holder_at(t, (uint32_t)i);
	if (!fresh) {
		h.arn = pool_least(&t->pool, kept->arn, h.arn);
		h.user = pool_least(&t->pool, kept->user, h.user);
		h.account = pool_least(&t->pool, kept->account, h.account);
		h.issuer = pool_least(&t->pool, kept->issuer, h.issuer);
		h.session = pool_least(&t->pool, kept->session, h.session);
		h.creation = pool_least(&t->pool, kept->creation, h.creation);
		h.source_identity =
			pool_least(&t->pool, kept->source_identity, h.source_identity);
		h.issued_to = pool_least(&t->pool, kept->issued_to, h.issued_to);
		/* Shown once without MFA is without MFA, whatever came first. */
		h.mfa = kept->mfa && e->who->mfa;
	}
	*kept = h;
	return (uint32_t)i;
}

/* The identity says who holds it, but for what the account and the address add. */
static uint32_t holder_of(struct track *t, const struct event *e)
{
	uint64_t key = table_hash(t->seed ^ (uint64_t)e->service_ip, e->account);
	if (e->who->memo_key != key) {
		e->who->memo = find_holder(t, e);
		e->who->memo_key = key;
	}
	return e->who->memo;
}

/* ---- calls and programs ---- */

static uint32_t make_action(struct track *t, const struct event *e)
{
	char text[160];
	size_t dot = str_find_char(e->source, '.');
	struct str service = str_sub(e->source, 0, dot);
	int n = snprintf(text, sizeof(text), "%.*s:%.*s", STR_ARG(str_sub(service, 0, 64)),
		STR_ARG(str_sub(event_plain_name(e->name), 0, 90)));
	return pool_put(&t->pool, (struct str){ text, n > 0 ? (size_t)n : 0 });
}

/* The same few hundred over and over, so each is made once. */
static struct track_action action_of(struct track *t, const struct event *e)
{
	bool fresh = false;
	size_t at = table_add(
		&t->actions, table_hash(table_hash(t->seed, e->source), e->name), &fresh);
	struct track_action *memo = at == SIZE_MAX ? NULL : table_at(&t->actions, at);
	if (memo && !fresh) {
		return *memo;
	}
	struct track_action a = { .text = make_action(t, e),
		.api = api_find(e->source, event_plain_name(e->name)),
		.read = api_is_read(e->name) };
	if (memo) {
		*memo = a;
	}
	return a;
}

static uint32_t program_text(struct track *t, struct str agent)
{
	char room[AGENT_PROGRAM_MAX];
	bool fresh = false;
	size_t at = table_add(&t->programs, table_hash(t->seed, agent), &fresh);
	if (at == SIZE_MAX) {
		return pool_put(&t->pool, agent_program(agent, room));
	}
	uint32_t *memo = table_at(&t->programs, at);
	if (fresh) {
		*memo = pool_put(&t->pool, agent_program(agent, room));
	}
	return *memo;
}

/* Of which account an endpoint is, its owner's own aside: that may be stated or not. */
static uint32_t endpoint_text(struct track *t, const struct event *e)
{
	char text[96];
	bool other = e->vpc_endpoint_account.n && !str_eq(e->vpc_endpoint_account, e->account);
	int n = snprintf(text, sizeof(text), "%.*s%s%.*s",
		STR_ARG(str_sub(e->vpc_endpoint, 0, 64)), other ? "/" : "",
		STR_ARG(str_sub(e->vpc_endpoint_account, 0, other ? 20 : 0)));
	return pool_put(&t->pool, (struct str){ text, n > 0 ? (size_t)n : 0 });
}

static uint64_t bytes_out(const struct event *e)
{
	struct str raw = scan_peek(e->tape, e->extra, STR("bytesTransferredOut"));
	size_t dot = str_find_char(raw, '.');
	int64_t n = 0;
	return str_to_i64(str_sub(raw, 0, dot), &n) && n > 0 ? (uint64_t)n : 0;
}

/* ---- places and rows ---- */

static void begin_place(struct track *t, const struct event *e, struct track_place *p)
{
	p->own = t->own_marker.n && str_find(e->agent, t->own_marker) != SIZE_MAX;
	uint32_t holder = p->own ? TRACK_NONE : holder_of(t, e);
	p->edge = TRACK_NONE;
	if (holder == TRACK_NONE) {
		return;
	}
	uint32_t ip = pool_put(&t->pool, e->ip);
	uint64_t key = table_mix(t->holders.keys[holder], pool_key(&t->pool, ip));
	size_t at = table_add(&t->edges, key, NULL);
	if (at == SIZE_MAX) {
		return;
	}
	p->edge = (uint32_t)at;
	struct track_edge *edge = track_edge_at(t, p->edge);
	edge->holder = holder;
	edge->ip = ip;
	p->person = track_holder_at(t, holder)->kind != TRACK_SERVICE && !e->service_ip;
	if (!p->person) {
		return;
	}
	edge->imds_v1 |= str_starts(e->who->delivery, STR("1"));
	edge->imds_v2 |= str_starts(e->who->delivery, STR("2"));
	edge->vpc_endpoint |= e->vpc_endpoint.n > 0;
	uint32_t program = program_text(t, e->agent);
	p->iac = agent_is_iac(agent_family_of(track_text(t, program)));
	p->region = pool_put(&t->pool, e->region);
	p->program = program;
	p->used_key = e->who->key.n ? pool_put(&t->pool, e->who->key) : TRACK_NONE;
	p->endpoint = e->vpc_endpoint.n ? endpoint_text(t, e) : TRACK_NONE;
}

static void flush_place(struct track *t, const struct track_place *p)
{
	t->n_own += p->own ? p->n : 0;
	if (p->edge == TRACK_NONE || p->n == 0) {
		return;
	}
	table_touch(&t->edges, p->edge);
	struct track_edge *edge = track_edge_at(t, p->edge);
	edge->n += p->n;
	widen(t, &edge->first, &edge->last, &p->first);
	widen(t, &edge->first, &edge->last, &p->last);
	if (!p->person) {
		return;
	}
	edge->n_calls += p->n;
	edge->n_marked += p->n_marked;
	edge->n_denied += p->n_denied;
	edge->n_failed += p->n_failed;
	edge->n_read += p->n_read;
	edge->n_iac += p->iac ? p->n : 0;
	const struct {
		enum track_rel kind;
		uint32_t what;
	} with[] = { { TRACK_AGENT, p->program }, { TRACK_REGION, p->region },
		{ TRACK_KEY, p->used_key }, { TRACK_ENDPOINT, p->endpoint } };
	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		if (with[i].what != TRACK_NONE) {
			track_relation_add(t, &(struct track_relation){ .kind = with[i].kind,
						      .edge = p->edge,
						      .what = with[i].what,
						      .n = p->n,
						      .first = p->first,
						      .last = p->last });
		}
	}
}

static void empty_place(struct track *t, struct track_place *p)
{
	flush_place(t, p);
	p->n = p->n_denied = p->n_failed = p->n_read = p->n_marked = 0;
	p->first = p->last = (struct track_ref){ .set = 0 };
}

/* Of a key: its place, or the free one where it belongs. */
static struct track_place *place_at(const struct track *t, uint64_t key)
{
	size_t i = key % TRACK_PLACE_SLOTS;
	while (t->places[i].key != key && t->places[i].key != 0) {
		i = (i + 1) % TRACK_PLACE_SLOTS;
	}
	return &t->places[i];
}

static struct track_row *row_at(const struct track *t, uint64_t key)
{
	size_t i = key % TRACK_ROW_SLOTS;
	while (t->rows[i].key != key && t->rows[i].key != 0) {
		i = (i + 1) % TRACK_ROW_SLOTS;
	}
	return &t->rows[i];
}

static void begin_row(struct track *t, const struct event *e, struct track_row *row)
{
	const struct track_place *p = &t->places[row->place];
	row->edge = p->edge;
	if (p->edge == TRACK_NONE) {
		return;
	}
	struct track_action a = action_of(t, e);
	row->api = a.api;
	row->ok = event_succeeded(e);
	row->denied = event_denied(e);
	row->noted = a.api && track_may_note(t, e, row);
	row->tags = (a.api ? a.api->tags : 0) | (row->denied ? TRACK_DENIED : 0);
	if (p->person) {
		row->person = true;
		row->region = p->region;
		row->read = e->read_only || a.read;
		row->data = a.api && a.api->tags & API_DATA && row->ok;
		row->action = a.text;
		row->outcome =
			pool_put(&t->pool, row->ok           ? (struct str){ "", 0 }
					   : e->error_code.n ? str_sub(e->error_code, 0, 64)
							     : STR("Failure"));
		row->states_address = str_is(e->name, "UpdateInstanceInformation");
		row->cut_ms = lites_cut_ms(track_edge_at(t, row->edge), row->tags);
	}
}

static void flush_row(struct track *t, const struct track_row *row)
{
	struct track_place *p = &t->places[row->place];
	widen(t, &t->first, &t->last, &row->first);
	widen(t, &t->first, &t->last, &row->last);
	p->n += row->n;
	widen(t, &p->first, &p->last, &row->first);
	widen(t, &p->first, &p->last, &row->last);
	if (!row->person) {
		return;
	}
	p->n_denied += row->denied ? row->n : 0;
	p->n_failed += row->ok || row->denied ? 0 : row->n;
	p->n_read += row->read ? row->n : 0;
	p->n_marked += row->tags & TRACK_MARKED ? row->n : 0;
	struct track_relation api = { .kind = TRACK_API,
		.edge = row->edge,
		.what = row->action,
		.n = row->n,
		.first = row->first,
		.last = row->last };
	if (row->denied) {
		api.n_denied = row->n;
		api.first_denied = row->first;
	}
	if (row->ok) {
		api.n_ok = row->n;
		api.last_ok = row->last;
	}
	track_relation_add(t, &api);
}

static void empty_row(struct track *t, struct track_row *row)
{
	flush_row(t, row);
	row->n = 0;
	row->first = row->last = (struct track_ref){ .set = 0 };
}

void track_flush(struct track *t)
{
	for (size_t i = 0; i < TRACK_ROW_SLOTS && t->n_rows; i++) {
		if (t->rows[i].n) {
			empty_row(t, &t->rows[i]);
		}
	}
	for (size_t i = 0; i < TRACK_PLACE_SLOTS && t->n_places; i++) {
		if (t->places[i].n) {
			empty_place(t, &t->places[i]);
		}
	}
	track_relations_settle(t);
}

static void forget_rows(struct track *t)
{
	track_flush(t);
	memset(t->rows, 0, TRACK_ROW_SLOTS * sizeof(*t->rows));
	memset(t->places, 0, TRACK_PLACE_SLOTS * sizeof(*t->places));
	t->n_rows = t->n_places = 0;
}

static uint64_t place_key(const struct event *e)
{
	return table_mix(e->who->hash, e->origin) | 1;
}

/* Whether a sign-in worked is in its answer, so those that did are not like those that did not. */
static uint64_t row_key(const struct event *e)
{
	uint64_t key = table_mix(place_key(e), e->call);
	if (str_eq(e->name, STR("ConsoleLogin"))) {
		key = table_mix(key, event_succeeded(e));
	}
	return key | 1;
}

/* Slots that are full to three quarters are found quickly still. */
static struct track_row *new_row(struct track *t, const struct event *e, uint64_t key)
{
	if (t->n_rows == TRACK_ROW_SLOTS / 4 * 3 || t->n_places == TRACK_PLACE_SLOTS / 4 * 3) {
		forget_rows(t);
	}
	struct track_place *p = place_at(t, place_key(e));
	if (p->key == 0) {
		*p = (struct track_place){ .key = place_key(e) };
		begin_place(t, e, p);
		t->n_places++;
	}
	struct track_row *row = row_at(t, key);
	*row = (struct track_row){ .key = key, .place = (uint32_t)(p - t->places) };
	begin_row(t, e, row);
	t->n_rows++;
	return row;
}

/* ---- an event ---- */

static void relate(struct track *t, uint32_t edge, enum track_rel kind, struct str what,
	uint64_t bytes, const struct track_ref *ref)
{
	track_relation_add(t, &(struct track_relation){ .kind = kind,
				      .edge = edge,
				      .what = pool_put(&t->pool, what),
				      .n = 1,
				      .bytes = bytes,
				      .first = *ref,
				      .last = *ref });
}

/* What each call has of its own: a line for a timeline, and how much was read of what. */
static void take_target(struct track *t, const struct event *e, const struct track_row *row,
	const struct track_ref *ref)
{
	struct str target = event_target(e);
	if (row->data) {
		relate(t, row->edge, TRACK_BUCKET, target, bytes_out(e), ref);
	}
	if (ref->time_ms <= row->cut_ms) {
		struct track_lite lite = { .ref = *ref,
			.edge = row->edge,
			.action = row->action,
			.target = pool_put(&t->pool, str_sub(target, 0, 256)),
			.outcome = row->outcome,
			.region = row->region,
			.tags = row->tags };
		lites_add(t, &lite);
	}
}

bool track_is_fresh(struct track *t, const struct event *e)
{
	uint64_t key = table_mix(t->seed, e->hash);
	bool fresh = seen_add(t->seen, key);
	struct ledger *ledger = t->edges.ledger;
	if (ledger && fresh) {
		ledger_begin(ledger, key, false);
	} else if (ledger) {
		ledger_end(ledger);
	}
	return fresh;
}

void track_announce(const struct track *t, const struct event *e)
{
	seen_announce(t->seen, table_mix(t->seed, e->hash));
}

void track_expect(const struct track *t, const struct event *e)
{
	const struct track_row *row = &t->rows[row_key(e) % TRACK_ROW_SLOTS];
	__builtin_prefetch(row, 1);
	__builtin_prefetch(&row->first, 1);
	seen_expect(t->seen, table_mix(t->seed, e->hash));
}

bool track_event(struct track *t, const struct event *e)
{
	uint64_t key = row_key(e);
	struct track_ref ref = track_ref_make(t, e->time_ms, e->id, e->hash);
	t->n_events++;
	if (!track_is_fresh(t, e)) {
		return false;
	}
	t->n_unique++;
	struct track_row *row = row_at(t, key);
	if (!row->key) {
		row = new_row(t, e, key);
	}
	row->n++;
	widen(t, &row->first, &row->last, &ref);
	if (row->person && (row->data || e->time_ms <= row->cut_ms)) {
		take_target(t, e, row, &ref);
	}
	if (row->states_address) {
		struct str own = event_text(e, e->request, "iPAddress");
		relate(t, row->edge, TRACK_PRIVATE, own, 0, &ref);
	}
	if (row->noted) {
		track_note_event(t, e, row, &ref);
	}
	/* A ledger must see what each event adds by itself. */
	if (t->edges.ledger) {
		empty_row(t, row);
		empty_place(t, &t->places[row->place]);
	}
	return true;
}
