#include "analysis/inquiry.h"

#include "base/phrase.h"

#include <stdlib.h>
#include <string.h>

void inquiry_init(struct inquiry *q, struct reader *r)
{
	*q = (struct inquiry){ .r = r,
		.t = &r->track,
		.verdict = CLASS_UNDETERMINED,
		.entry_ms = INT64_MIN,
		.root = INQUIRY_NONE,
		.web_hit = INQUIRY_NONE,
		.ssh_entry = INQUIRY_NONE,
		.weigh = { .claims = json_array() },
		.chain = json_array(),
		.alternatives = json_array(),
		.missing = json_array(),
		.visitors = json_array() };
}

static void free_alike(struct inquiry_alike *alike)
{
	free(alike->order);
	free(alike->at);
	free(alike->n);
}

void inquiry_deinit(struct inquiry *q)
{
	for (size_t i = 0; i < q->n_suspects; i++) {
		json_decref(q->suspects[i].weigh.claims);
	}
	free(q->suspects);
	free(q->unit_edges);
	free(q->suspect_of);
	free(q->relations);
	free(q->relation_from);
	free(q->note_from);
	free_alike(&q->holders);
	free_alike(&q->addresses);
	free_alike(&q->persons);
	free_alike(&q->roles);
	free(q->by_time);
	free(q->failed_logins);
	free(q->quarantines);
	json_decref(q->weigh.claims);
	json_decref(q->chain);
	json_decref(q->alternatives);
	json_decref(q->missing);
	json_decref(q->visitors);
}

const char *inquiry_text(const struct inquiry *q, uint32_t text)
{
	return track_text(q->t, text).p;
}

const char *inquiry_class_name(enum inquiry_class c)
{
	static const char *const names[] = { "leaked_access_key", "instance_credential_theft",
		"console_password", "web_exploitation", "ssh_bruteforce", "public_exposure",
		"valid_credentials_known_origin", "no_incident", "undetermined" };
	return names[c];
}

void inquiry_cite(const struct inquiry *q, json_t *events, const struct track_ref *ref)
{
	char id[128];
	if (!q->numbers_only && json_array_size(events) < INQUIRY_CITED) {
		track_ref_text(q->t, ref, id, sizeof(id));
		json_array_append_new(events, doc_str(str_from(id)));
	}
}

json_t *inquiry_cited(const struct inquiry *q, const struct track_ref *ref)
{
	json_t *events = q->numbers_only ? NULL : json_array();
	inquiry_cite(q, events, ref);
	return events;
}

void inquiry_claim(struct inquiry_weigh *w, enum weight_id id, const char *const *args,
	json_t *events_taken)
{
	const struct weight *weight = weights_of(id);
	if (w->numbers_only) {
		json_decref(events_taken);
	} else {
		json_t *claim = phrase_new(weight->text, args);
		json_object_set_new(claim, "weight", json_real(weight->value));
		json_object_set_new(
			claim, "events", events_taken ? events_taken : json_array());
		w->claims = w->claims ? w->claims : json_array();
		json_array_append_new(w->claims, claim);
	}
	signed char tenths = weights_tenths(id);
	signed char *best = tenths > 0 ? &w->for_it[weight->group] : &w->against[weight->group];
	if (tenths > 0 ? tenths > *best : tenths < *best) {
		*best = tenths;
	}
}

double inquiry_stranger(const struct inquiry_weigh *w)
{
	int who = 0;
	for (int g = 0; g < G_COUNT; g++) {
		who += weights_tells_who((enum weight_group)g) ? w->for_it[g] : 0;
	}
	return who / 10.0;
}

double inquiry_score(const struct inquiry_weigh *w)
{
	int sum = 0;
	int everyday = 0;
	for (int g = 0; g < G_COUNT; g++) {
		sum += w->against[g];
		if (weights_everyday((enum weight_group)g)) {
			everyday += w->for_it[g];
		} else {
			sum += w->for_it[g];
		}
	}
	double deeds = everyday / 10.0;
	bool home = w->against[G_HABIT] < 0 || w->against[G_SIGNIN] < 0;
	double cap = home ? WEIGHTS_DEEDS_HOME : WEIGHTS_DEEDS_NOBODY;
	bool capped = inquiry_stranger(w) < WEIGHTS_STRANGER && deeds > cap;
	return WEIGHTS_PRIOR + sum / 10.0 + (capped ? cap : deeds);
}

bool inquiry_accuses(const struct inquiry_weigh *w)
{
	return inquiry_score(w) >= WEIGHTS_ACCUSE && inquiry_stranger(w) >= WEIGHTS_STRANGER;
}

static void count_relation(void *ctx, struct track_relation *rel)
{
	size_t *n = ctx;
	(void)rel;
	(*n)++;
}

size_t inquiry_count(const struct inquiry *q, const struct suspect *s, enum track_rel kind)
{
	size_t n = 0;
	inquiry_each_relation(q, s, kind, count_relation, &n);
	return n;
}

const char *inquiry_name(const struct inquiry *q, const struct suspect *s)
{
	const struct track_holder *h = track_holder_at(q->t, s->holder);
	if (s->kind == TRACK_USER_KEY || s->kind == TRACK_ROOT_KEY) {
		size_t from = q->relation_from[q->unit_edges[s->edge_from]];
		size_t to = q->relation_from[q->unit_edges[s->edge_from] + 1];
		for (size_t i = from; i < to; i++) {
			if (q->relations[i]->kind == TRACK_KEY) {
				return inquiry_text(q, q->relations[i]->what);
			}
		}
	}
	return *inquiry_text(q, h->arn) ? inquiry_text(q, h->arn) : inquiry_text(q, h->user);
}

void inquiry_each_note(
	const struct inquiry *q, const struct suspect *s, inquiry_note_fn fn, void *ctx)
{
	for (size_t e = s->edge_from; e < s->edge_to; e++) {
		uint32_t edge = q->unit_edges[e];
		for (size_t i = q->note_from[edge]; i < q->note_from[edge + 1]; i++) {
			if (!fn(ctx, &q->t->notes[i])) {
				return;
			}
		}
	}
}

void inquiry_each_relation(const struct inquiry *q, const struct suspect *s,
	enum track_rel kind, inquiry_relation_fn fn, void *ctx)
{
	for (size_t e = s->edge_from; e < s->edge_to; e++) {
		uint32_t edge = q->unit_edges[e];
		for (size_t i = q->relation_from[edge]; i < q->relation_from[edge + 1]; i++) {
			if (q->relations[i]->kind == kind) {
				fn(ctx, q->relations[i]);
			}
		}
	}
}

/* ---- indices ---- */

static void *room(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);
	if (!p) {
		BUG("out of memory");
	}
	return p;
}

static int relation_order(const void *a, const void *b, void *ctx)
{
	const struct track_relation *x = *(struct track_relation *const *)a;
	const struct track_relation *y = *(struct track_relation *const *)b;
	const struct track *t = ctx;
	if (x->kind != y->kind) {
		return x->kind < y->kind ? -1 : 1;
	}
	return str_cmp(track_text(t, x->what), track_text(t, y->what));
}

static int note_order(const void *a, const void *b, void *ctx)
{
	const struct track_note *x = a;
	const struct track_note *y = b;
	if (x->edge != y->edge) {
		return x->edge < y->edge ? -1 : 1;
	}
	return track_ref_cmp(ctx, &x->ref, &y->ref);
}

/* Those of one edge side by side, in order. */
static void index_relations(struct inquiry *q)
{
	const struct table *all = &q->t->relations;
	size_t n_edges = q->t->edges.n;
	size_t *from = room(n_edges + 2, sizeof(size_t));
	size_t *next = from + 1; /* counts; then where the edge's next one goes */
	q->relations = room(all->n, sizeof(struct track_relation *));
	for (size_t i = 0; i < all->n; i++) {
		next[((struct track_relation *)table_at(all, i))->edge]++;
	}
	size_t total = 0;
	for (size_t e = 0; e < n_edges; e++) {
		size_t n = next[e];
		next[e] = total;
		total += n;
	}
	for (size_t i = 0; i < all->n; i++) {
		struct track_relation *r = table_at(all, i);
		q->relations[next[r->edge]++] = r;
	}
	for (size_t e = 0; e < n_edges; e++) {
		qsort_r(q->relations + from[e], from[e + 1] - from[e],
			sizeof(struct track_relation *), relation_order, q->t);
	}
	q->relation_from = from;
}

static void order_notes(struct inquiry *q)
{
	size_t n_edges = q->t->edges.n;
	size_t k = 0;
	q->note_from = room(n_edges + 1, sizeof(size_t));
	if (q->t->n_notes) {
		qsort_r(q->t->notes, q->t->n_notes, sizeof(struct track_note), note_order,
			q->t);
	}
	for (uint32_t e = 0; e <= n_edges; e++) {
		while (k < q->t->n_notes && q->t->notes[k].edge < e) {
			k++;
		}
		q->note_from[e] = k;
	}
}

/* ---- suspects ---- */

struct unit {
	uint32_t edge;
	uint64_t key;
};

static bool is_console(enum track_kind kind)
{
	return kind == TRACK_CONSOLE || kind == TRACK_LOGIN;
}

/* A person's sign-in and all sessions it made at one address are one suspect. */
static uint64_t unit_key(const struct track *t, uint32_t edge)
{
	const struct track_edge *e = track_edge_at(t, edge);
	const struct track_holder *h = track_holder_at(t, e->holder);
	return is_console(h->kind) && h->arn
		       ? table_mix(table_mix(t->seed, h->arn), e->ip)
		       : table_mix(table_mix(t->seed ^ 1, e->holder), e->ip);
}

static int unit_order(const void *a, const void *b, void *ctx)
{
	const struct unit *x = a;
	const struct unit *y = b;
	if (x->key != y->key) {
		return x->key < y->key ? -1 : 1;
	}
	return track_ref_cmp(
		ctx, &track_edge_at(ctx, x->edge)->first, &track_edge_at(ctx, y->edge)->first);
}

static int suspect_order(const void *a, const void *b, void *ctx)
{
	const struct suspect *x = a;
	const struct suspect *y = b;
	return track_ref_cmp(ctx, &x->first, &y->first);
}

static bool is_person_like(const struct track *t, uint32_t edge)
{
	const struct track_edge *e = track_edge_at(t, edge);
	struct str ip = track_text(t, e->ip);
	bool service_ip = ip.n == 0 || str_is(ip, "AWS Internal") ||
			  str_find(ip, STR(".amazonaws.com")) != SIZE_MAX;
	return track_holder_at(t, e->holder)->kind != TRACK_SERVICE && !service_ip;
}

static void add_edge(struct inquiry *q, struct suspect *s, uint32_t edge, bool first)
{
	const struct track_edge *e = track_edge_at(q->t, edge);
	if (first || track_ref_cmp(q->t, &e->first, &s->first) < 0) {
		s->first = e->first;
		s->holder = e->holder;
		s->kind = track_holder_at(q->t, e->holder)->kind;
	}
	if (first || track_ref_cmp(q->t, &e->last, &s->last) > 0) {
		s->last = e->last;
	}
	s->ip = e->ip;
	s->n += e->n;
	s->mfa |= track_holder_at(q->t, e->holder)->mfa;
}

/* ---- peers ---- */

static uint32_t holder_key(const struct inquiry *q, const struct suspect *s)
{
	(void)q;
	return s->holder;
}

static uint32_t address_key(const struct inquiry *q, const struct suspect *s)
{
	(void)q;
	return s->ip;
}

static uint32_t person_key(const struct inquiry *q, const struct suspect *s)
{
	return track_holder_at(q->t, s->holder)->arn;
}

static uint32_t role_key(const struct inquiry *q, const struct suspect *s)
{
	return track_holder_at(q->t, s->holder)->issuer;
}

typedef uint32_t (*key_fn)(const struct inquiry *q, const struct suspect *s);

struct alike_ctx {
	const struct inquiry *q;
	key_fn key;
};

static int alike_order(const void *a, const void *b, void *ctx)
{
	const struct alike_ctx *c = ctx;
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	uint32_t left = c->key(c->q, &c->q->suspects[x]);
	uint32_t right = c->key(c->q, &c->q->suspects[y]);
	if (left != right) {
		return left < right ? -1 : 1;
	}
	return x < y ? -1 : x > y;
}

static void index_alike(const struct inquiry *q, struct inquiry_alike *alike, key_fn key)
{
	size_t n = q->n_suspects;
	struct alike_ctx ctx = { q, key };
	alike->order = room(n, sizeof(uint32_t));
	alike->at = room(n, sizeof(uint32_t));
	alike->n = room(n, sizeof(uint32_t));
	for (uint32_t i = 0; i < n; i++) {
		alike->order[i] = i;
	}
	qsort_r(alike->order, n, sizeof(uint32_t), alike_order, &ctx);
	uint32_t begin = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t here = key(q, &q->suspects[alike->order[i]]);
		begin = here == key(q, &q->suspects[alike->order[begin]]) ? begin : i;
		alike->at[alike->order[i]] = begin;
		alike->n[begin]++;
	}
}

static struct inquiry_peers alike_of(
	const struct inquiry *q, const struct inquiry_alike *alike, const struct suspect *s)
{
	size_t from = alike->at[s - q->suspects];
	size_t n = alike->n[from];
	return (struct inquiry_peers){ alike->order + from,
		n < INQUIRY_PEERS ? n : INQUIRY_PEERS };
}

static int time_order(const void *a, const void *b, void *ctx)
{
	const struct track *t = ctx;
	const struct track_note *x = &t->notes[*(const size_t *)a];
	const struct track_note *y = &t->notes[*(const size_t *)b];
	return track_ref_cmp(t, &x->ref, &y->ref);
}

static void index_notes(struct inquiry *q)
{
	q->by_time = room(q->t->n_notes, sizeof(size_t));
	for (size_t i = 0; i < q->t->n_notes; i++) {
		q->by_time[i] = i;
	}
	qsort_r(q->by_time, q->t->n_notes, sizeof(size_t), time_order, q->t);
	q->failed_logins = room(q->t->n_notes, sizeof(size_t));
	q->quarantines = room(q->t->n_notes, sizeof(size_t));
	for (size_t k = 0; k < q->t->n_notes; k++) {
		size_t i = q->by_time[k];
		const struct track_note *note = &q->t->notes[i];
		if (!note->ok && !strcmp(note->api->name, "ConsoleLogin")) {
			q->failed_logins[q->n_failed_logins++] = i;
		}
		size_t by = q->suspect_of[note->edge];
		if (note->ok && note->mfa && by != INQUIRY_NONE) {
			q->suspects[by].mfa = true;
		}
		if (note->ok && str_find(track_text(q->t, note->detail),
					STR("AWSCompromisedKeyQuarantine")) != SIZE_MAX) {
			q->quarantines[q->n_quarantines++] = i;
		}
	}
}

struct inquiry_peers inquiry_same_holder(const struct inquiry *q, const struct suspect *s)
{
	return alike_of(q, &q->holders, s);
}

struct inquiry_peers inquiry_same_address(const struct inquiry *q, const struct suspect *s)
{
	return alike_of(q, &q->addresses, s);
}

struct inquiry_peers inquiry_same_person(const struct inquiry *q, const struct suspect *s)
{
	return alike_of(q, &q->persons, s);
}

struct inquiry_peers inquiry_same_role(const struct inquiry *q, const struct suspect *s)
{
	return alike_of(q, &q->roles, s);
}

void inquiry_index(struct inquiry *q)
{
	index_relations(q);
	order_notes(q);
	size_t n_edges = q->t->edges.n;
	struct unit *units = room(n_edges, sizeof(*units));
	size_t n = 0;
	for (uint32_t e = 0; e < n_edges; e++) {
		if (is_person_like(q->t, e)) {
			units[n++] = (struct unit){ .edge = e, .key = unit_key(q->t, e) };
		}
	}
	qsort_r(units, n, sizeof(*units), unit_order, q->t);
	q->unit_edges = room(n, sizeof(uint32_t));
	q->suspects = room(n, sizeof(struct suspect));
	for (size_t i = 0; i < n; i++) {
		bool fresh = i == 0 || units[i].key != units[i - 1].key;
		if (fresh) {
			q->suspects[q->n_suspects++] =
				(struct suspect){ .edge_from = i, .from = INQUIRY_NONE };
		}
		struct suspect *s = &q->suspects[q->n_suspects - 1];
		q->unit_edges[i] = units[i].edge;
		s->edge_to = i + 1;
		add_edge(q, s, units[i].edge, fresh);
	}
	free(units);
	qsort_r(q->suspects, q->n_suspects, sizeof(struct suspect), suspect_order, q->t);
	q->suspect_of = room(n_edges, sizeof(size_t));
	for (size_t e = 0; e < n_edges; e++) {
		q->suspect_of[e] = INQUIRY_NONE;
	}
	for (size_t i = 0; i < q->n_suspects; i++) {
		struct suspect *s = &q->suspects[i];
		s->attack = i;
		for (size_t e = s->edge_from; e < s->edge_to; e++) {
			q->suspect_of[q->unit_edges[e]] = i;
		}
	}
	index_alike(q, &q->holders, holder_key);
	index_alike(q, &q->addresses, address_key);
	index_alike(q, &q->persons, person_key);
	index_alike(q, &q->roles, role_key);
	index_notes(q);
}
