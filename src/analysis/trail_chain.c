#include "analysis/trail_chain.h"

#include "base/i18n.h"
#include "base/phrase.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

#define PROBLEMS_MAX 100000

void trail_chain_free(struct trail_link *links, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct trail_link *l = &links[i];
		free(l->message);
		free(l->signature);
		free(l->fingerprint);
		free(l->previous_object);
		free(l->previous_sha256);
		free(l->previous_signature);
		json_decref(l->problems);
	}
	free(links);
}

static int by_name(const struct trail_link *x, const struct trail_link *y)
{
	int c = str_cmp(x->name.account, y->name.account);
	c = c ? c : str_cmp(x->name.region, y->name.region);
	c = c ? c : str_cmp(x->name.trail, y->name.trail);
	c = c ? c : str_cmp(x->name.home, y->name.home);
	return c ? c : (int)x->name.backfill - (int)y->name.backfill;
}

bool trail_chain_same(const struct trail_link *a, const struct trail_link *b)
{
	return by_name(a, b) == 0;
}

static int order(const void *a, const void *b)
{
	const struct trail_link *x = a;
	const struct trail_link *y = b;
	int c = by_name(x, y);
	if (c == 0 && x->name.time_ms != y->name.time_ms) {
		c = x->name.time_ms < y->name.time_ms ? -1 : 1;
	}
	return c ? c : strcmp(x->key, y->key);
}

void trail_chain_sort(struct trail_link *links, size_t n)
{
	if (n) {
		qsort(links, n, sizeof(*links), order);
	}
}

void trail_chain_problem(json_t *problems, const char *kind, const char *object,
	const char *reason, const char *detail)
{
	if (json_array_size(problems) >= PROBLEMS_MAX) {
		return;
	}
	json_t *p = json_pack("{s:s,s:o}", "kind", kind, "object", doc_str(str_from(object)));
	phrase_set(p, "reason", reason, detail ? PHRASE_ARGS(detail) : NULL);
	json_array_append_new(problems, p);
}

static bool same_object(const char *a, const char *b)
{
	return str_eq(trail_digest_tail(str_from(a)), trail_digest_tail(str_from(b)));
}

/* `next` is the digest after `l` in time, or NULL; it vouches for `l` when it names it. */
static const struct trail_link *voucher(
	const struct trail_link *l, const struct trail_link *next)
{
	bool names = next && next->state != TRAIL_UNREAD && next->previous_object &&
		     same_object(next->previous_object, l->key);
	return names ? next : NULL;
}

static void judge_signature(const struct trail_options *opts, struct trail_link *l,
	const struct trail_link *next, json_t *problems)
{
	const struct trail_link *after = voucher(l, next);
	const struct trail_key *key = trail_keys_find(opts->keys, l->fingerprint);
	const char *signature =
		after && after->previous_signature ? after->previous_signature : l->signature;
	if (!key) {
		l->state = TRAIL_UNPROVEN;
		trail_chain_problem(problems, "key_missing", l->key,
			N_("no public key has the fingerprint {0}; save those of its region "
			   "with: aws cloudtrail list-public-keys"),
			l->fingerprint);
		return;
	}
	if (!signature) {
		l->state = TRAIL_UNPROVEN;
		trail_chain_problem(problems, "signature_missing", l->key,
			N_("its signature lies in the metadata of the object in S3, which a "
			   "copy does not have: save it beside the file as NAME.head.json"),
			NULL);
		return;
	}
	if (!trail_keys_covers(key, l->end_ms, l->name.backfill)) {
		l->state = TRAIL_INVALID;
		trail_chain_problem(problems, "key_out_of_time", l->key,
			N_("it is signed with the key {0}, which AWS did not use at that time"),
			l->fingerprint);
		return;
	}
	l->state = trail_keys_signed(key, str_from(l->message), str_from(signature))
			   ? TRAIL_VALID
			   : TRAIL_INVALID;
	if (l->state == TRAIL_INVALID) {
		trail_chain_problem(problems, "digest_edited", l->key,
			N_("the signature is not AWS's over this digest"), NULL);
	} else if (after && after->state == TRAIL_VALID && after->previous_sha256 &&
		   strcmp(after->previous_sha256, l->sha256) != 0) {
		l->state = TRAIL_INVALID;
		trail_chain_problem(problems, "digest_edited", l->key,
			N_("its hash is not the one in the digest after it"), NULL);
	}
}

static void add_gap(json_t *gaps, const struct trail_link *l, int64_t from, int64_t to)
{
	char a[32];
	char b[32];
	utc_rfc3339(from, a);
	utc_rfc3339(to, b);
	json_array_append_new(
		gaps, json_pack("{s:o,s:o,s:o,s:s,s:s}", "account", doc_str(l->name.account),
			      "region", doc_str(l->name.region), "trail",
			      doc_str(l->name.trail), "from", a, "to", b));
}

/* What stands between a digest and the one before it in time. */
static void judge_joint(const struct trail_options *opts, const struct trail_link *older,
	const struct trail_link *newer, json_t *problems, json_t *gaps)
{
	if (newer->state == TRAIL_UNREAD) {
		return;
	}
	if (!newer->previous_object) {
		if (older) {
			trail_chain_problem(problems, "chain_restarted", newer->key,
				N_("the chain begins anew here although older digests exist: "
				   "logging or validation was off before"),
				NULL);
		}
	} else if (!older ? opts->complete && !opts->from_ms
			  : !same_object(newer->previous_object, older->key)) {
		trail_chain_problem(problems, "digest_deleted", newer->previous_object,
			N_("the digest after it names it, but it is not there"), NULL);
	}
	if (older && older->state != TRAIL_UNREAD && newer->start_ms > older->end_ms) {
		add_gap(gaps, newer, older->end_ms, newer->start_ms);
	}
}

static void time_set(json_t *row, const char *key, int64_t ms)
{
	char text[32];
	utc_rfc3339(ms, text);
	json_object_set_new(row, key, json_string(text));
}

static void take_logs(const struct trail_link *l, json_t *problems, uint64_t count[4])
{
	size_t i;
	json_t *p;
	if (l->state == TRAIL_INVALID || l->state == TRAIL_UNPROVEN) {
		count[3] += l->n_valid; /* they fit a list that proves nothing */
	} else {
		count[0] += l->n_valid;
	}
	count[1] += l->n_edited + l->n_unread;
	count[2] += l->n_missing;
	json_array_foreach(l->problems, i, p)
	{
		if (json_array_size(problems) < PROBLEMS_MAX) {
			json_array_append(problems, p);
		}
	}
}

json_t *trail_chain_judge(const struct trail_options *opts, struct trail_link *links, size_t n,
	json_t *problems, json_t *gaps)
{
	uint64_t states[5] = { 0 };
	uint64_t logs[4] = { 0 };
	bool backfill = links[0].name.backfill;
	for (size_t i = n; i > 0; i--) {
		struct trail_link *l = &links[i - 1];
		struct trail_link *next = i < n && !backfill ? &links[i] : NULL;
		if (l->state == TRAIL_READ) {
			judge_signature(opts, l, next, problems);
		}
		if (!backfill) {
			judge_joint(opts, i > 1 ? &links[i - 2] : NULL, l, problems, gaps);
		}
		take_logs(l, problems, logs);
		states[l->state]++;
	}
	json_t *row = json_pack("{s:o,s:o,s:o,s:o,s:b}", "account",
		doc_str(links[0].name.account), "region", doc_str(links[0].name.region),
		"trail", doc_str(links[0].name.trail), "home_region",
		doc_str(links[0].name.home), "backfill", backfill);
	time_set(row, "from", links[0].start_ms ? links[0].start_ms : links[0].name.time_ms);
	time_set(row, "to",
		links[n - 1].end_ms ? links[n - 1].end_ms : links[n - 1].name.time_ms);
	json_object_set_new(row, "digests", json_integer((json_int_t)n));
	static const char *const words[5] = { "unread", NULL, "valid", "invalid", "unproven" };
	for (int s = 0; s < 5; s++) {
		if (words[s]) {
			json_object_set_new(row, words[s], json_integer((json_int_t)states[s]));
		}
	}
	json_object_set_new(row, "logs",
		json_pack("{s:I,s:I,s:I,s:I}", "valid", (json_int_t)logs[0], "edited",
			(json_int_t)logs[1], "deleted", (json_int_t)logs[2], "unproven",
			(json_int_t)logs[3]));
	return row;
}
