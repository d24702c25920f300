#include "analysis/partial.h"

#include "analysis/intake.h"
#include "analysis/outlet.h"
#include "analysis/sources.h"
#include "base/hash.h"
#include "base/i18n.h"

#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX 1024u
#define ROWS_MAX    ((size_t)64 * 1024 * 1024)

#define HEADING "cordon partial result "
static const char heading[] = HEADING "1\n";

uint64_t partial_seed(const char *job)
{
	unsigned char digest[HASH_SHA256_BYTES];
	struct hash_sha256 *h = hash_sha256_new();
	hash_sha256_add(h, heading, sizeof(heading));
	hash_sha256_add(h, job ? job : "", strlen(job ? job : ""));
	hash_sha256_end(h, digest);
	hash_sha256_free(h);
	uint64_t seed = 0;
	memcpy(&seed, digest, sizeof(seed));
	return seed;
}

/* Rules that are told in the same words are the same. */
static uint64_t print_rules(const struct sigma_set *rules)
{
	uint64_t h = rules->n;
	for (size_t i = 0; i < rules->n; i++) {
		json_t *told = sigma_explain(&rules->rules[i]);
		char *text = json_dumps(told, JSON_COMPACT | JSON_SORT_KEYS);
		h = table_hash(table_hash(h, str_from(rules->rules[i].id)), str_from(text));
		free(text);
		json_decref(told);
	}
	return h;
}

void partial_terms_init(struct partial_terms *t, const char *job, const struct sigma_set *rules,
	const struct prune *window)
{
	*t = (struct partial_terms){ .seed = partial_seed(job), .rules = print_rules(rules) };
	t->window = table_mix((uint64_t)window->from_ms, (uint64_t)window->to_ms);
	t->window = table_hash(t->window, window->regions);
}

/*
 * What a record adds, and how it is told from others, is decided all over this folder: results of
 * other sources are not joined, even if they look the same.
 */
static uint64_t print_build(void)
{
	return table_hash(fold_print(&reader_plan), str_from(sources_print));
}

/* ---- writing ---- */

static void put_ledger(const struct ledger *l, struct outlet *out)
{
	ledger_put(&out->buf, l->changes.n);
	for (size_t i = 0; i < l->changes.n; i++) {
		const struct ledger_change *c = table_at(&l->changes, i);
		ledger_put(&out->buf, c->n);
		buf_add(&out->buf, l->spelt.p + c->at, c->n);
		outlet_flow(out);
	}
	ledger_put(&out->buf, l->n_rows);
	for (size_t i = 0; i < l->n_rows; i++) {
		buf_add(&out->buf, &l->rows[i].key, sizeof(l->rows[i].key));
		ledger_put(&out->buf, (uint64_t)l->rows[i].change << 1 | l->rows[i].line);
		outlet_flow(out);
	}
}

void partial_heading(const struct partial_terms *t, struct buf *out)
{
	const uint64_t numbers[] = { print_build(), partial_seed("check") ^ t->seed, t->rules,
		t->window };
	buf_add(out, heading, sizeof(heading) - 1);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		ledger_put(out, numbers[i]);
	}
}

static void put_crew(
	const struct crew *c, const struct partial_terms *terms, struct outlet *out)
{
	size_t n = 0;
	partial_heading(terms, &out->buf);
	for (size_t i = 0; i < c->n_workers; i++) {
		n += c->workers[i].crew != NULL;
	}
	ledger_put(&out->buf, n);
	for (size_t i = 0; i < c->n_workers; i++) {
		struct reader *r = &c->workers[i].reader;
		if (c->workers[i].crew) {
			ledger_end(r->ledger);
			track_flush(&r->track);
			fold_save(&reader_plan, r, out);
			correlate_save(&c->workers[i].detect.correlate, out);
			put_ledger(r->ledger, out);
		}
	}
}

enum err_status partial_write(struct env *env, const struct crew *c,
	const struct partial_terms *terms, const char *path, struct err *err)
{
	struct outlet out;
	enum err_status st = outlet_open(&out, env, path, err);
	if (st == ERR_OK) {
		put_crew(c, terms, &out);
		return outlet_end(&out, err);
	}
	outlet_drop(&out);
	return st;
}

/* ---- reading ---- */

static const char other_build[] = N_("it was written by another build of cordon; write and "
				     "merge all parts with the same one");

struct taking {
	struct crew *crew;
	struct crew_worker *guest;
	struct intake *in;
	const char *trouble;
};

static bool fail(struct taking *t, const char *why)
{
	t->trouble = t->trouble ? t->trouble : why;
	return false;
}

static bool get(struct taking *t, uint64_t limit, uint64_t *v)
{
	return (intake_number(t->in, v) && *v <= limit) ||
	       fail(t, N_("a number in it leads nowhere"));
}

static bool get_changes(struct taking *t, struct ledger *l)
{
	uint64_t n = 0;
	uint64_t length = 0;
	if (!get(t, ROWS_MAX, &n)) {
		return false;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (!get(t, PARTIAL_MAX, &length)) {
			return false;
		}
		size_t at = table_add(&l->changes, i, NULL);
		if (at != i) {
			return fail(t, N_("it holds too much"));
		}
		*(struct ledger_change *)table_at(&l->changes, at) =
			(struct ledger_change){ (uint32_t)l->spelt.n, (uint32_t)length };
		while (length && intake_has(t->in, 1)) {
			struct str piece = intake_take(t->in, length);
			buf_add_str(&l->spelt, piece);
			length -= piece.n;
		}
		if (length) {
			return fail(t, N_("it is cut off"));
		}
	}
	return buf_ok(&l->spelt) || fail(t, N_("it holds too much"));
}

/* A record that another file brought already adds nothing. */
static bool get_rows(struct taking *t, struct ledger *l)
{
	uint64_t n = 0;
	uint64_t v = 0;
	uint64_t key = 0;
	struct reader *r = &t->guest->reader;
	if (!get(t, ROWS_MAX, &n)) {
		return false;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (!intake_bytes(t->in, &key, sizeof(key))) {
			return fail(t, N_("it is cut off"));
		}
		if (!get(t, UINT32_MAX, &v) || v >> 1 >= l->changes.n) {
			return fail(t, N_("a number in it leads nowhere"));
		}
		bool line = v & 1;
		struct reader_shared *s = &t->crew->shared;
		if (!seen_add(line ? &s->lines : &s->events, key)) {
			ledger_take_back(l, (uint32_t)(v >> 1));
			r->n_copies += line;
		}
	}
	return true;
}

static bool take_worker(struct taking *t, struct err *err)
{
	struct reader *r = &t->guest->reader;
	struct err inner = { 0 };
	if (fold_load(&reader_plan, r, t->in, &inner) != ERR_OK ||
		correlate_load(&t->guest->detect.correlate, &r->track.pool, t->in, &inner) !=
			ERR_OK) {
		(void)err_set(err, ERR_INPUT, "%s", inner.msg);
		return false;
	}
	struct ledger l = { .plan = &reader_plan, .state = (unsigned char *)r };
	table_init(&l.changes, sizeof(struct ledger_change), ROWS_MAX);
	buf_init(&l.spelt, PARTIAL_MAX);
	bool ok = get_changes(t, &l) && get_rows(t, &l);
	l.plan = NULL; /* no table tells it anything */
	ledger_deinit(&l);
	return ok;
}

/* The terms at the front. */
static bool take_terms(struct taking *t, const struct partial_terms *terms)
{
	uint64_t numbers[4] = { 0 };
	if (!intake_has(t->in, sizeof(heading) - 1) ||
		!str_eq(intake_take(t->in, sizeof(heading) - 1), str_from(heading))) {
		return fail(t, other_build);
	}
	for (size_t i = 0; i < 4; i++) {
		if (!get(t, UINT64_MAX, &numbers[i])) {
			return false;
		}
	}
	if (numbers[0] != print_build()) {
		return fail(t, other_build);
	}
	if (numbers[1] != (partial_seed("check") ^ terms->seed)) {
		return fail(t, N_("it belongs to another job (--job)"));
	}
	if (numbers[2] != terms->rules) {
		return fail(t, N_("it was made with other rules"));
	}
	return numbers[3] == terms->window ||
	       fail(t, N_("it was made for another time or other regions"));
}

static enum err_status take(
	struct crew *c, const struct partial_terms *terms, struct intake *in, struct err *err)
{
	struct taking t = { .crew = c, .in = in };
	uint64_t n = 0;
	bool ok = take_terms(&t, terms) && get(&t, WORKERS_MAX, &n);
	for (uint64_t i = 0; ok && i < n; i++) {
		t.guest = crew_guest(c);
		ok = take_worker(&t, err);
		if (ok) {
			crew_take(c, t.guest);
		}
		crew_dismiss(t.guest);
	}
	if (!ok || intake_has(in, 1)) {
		const char *why =
			t.trouble ? t.trouble : N_("there is more in it than belongs there");
		return err_set(err, ERR_INPUT, "%s", ok || t.trouble ? why : err->msg);
	}
	return ERR_OK;
}

enum err_status partial_take(
	struct crew *c, const struct partial_terms *terms, struct str bytes, struct err *err)
{
	struct intake in;
	intake_memory(&in, bytes);
	return take(c, terms, &in, err);
}

enum err_status partial_read(
	struct crew *c, const struct partial_terms *terms, const char *path, struct err *err)
{
	struct intake in;
	struct err inner = { 0 };
	enum err_status st = ERR_OK;
	TRY(intake_open(&in, c->shared.source, path, err));
	(void)intake_has(&in, sizeof(heading) - 1);
	if (!str_starts(in.rest, STR(HEADING))) {
		st = err_set(err, ERR_INPUT, "%s is no partial result of cordon", path);
		goto out;
	}
	enum err_status took = take(c, terms, &in, &inner);
	if (!intake_is_sound(&in)) {
		st = err_set(err, ERR_INPUT,
			"%s is damaged: its end does not fit what is in it; write it again",
			path);
	} else if (took != ERR_OK) {
		st = err_set(err, ERR_INPUT, "%s can't be merged: %s", path, inner.msg);
	}
out:
	intake_close(&in);
	return st;
}

void partial_settle(struct crew *c)
{
	struct reader *r = crew_reader(c);
	track_drop_copies(&r->track);
	correlate_drop_copies(&crew_detect(c)->correlate, &r->track.pool);
}
