/*
 * What every store of the journal promises: appending, joining, leases, races between processes. Runs
 * on SQLite by itself and on DynamoDB where tests/emulator/test_journal_stores.py says so.
 */
#include "journal_world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_append_and_read(void **state)
{
	struct world *w = *state;
	char id[32];
	int64_t seq = 0;
	struct err err = { 0 };

	journal_set_actor(w->j, "arn:aws:iam::111122223333:role/responder");
	assert_false(world_case(w->j, "111122223333/eu-west-1/i-0abc", "arn:f1", id));
	assert_string_equal(id, "2026-0001");
	w->env.now_ms += 1500;
	json_t *p =
		json_pack("{s:s, s:f, s:s}", "text", "línea ✓ \"q\"", "x", 0.1, "y", "\x01");
	assert_int_equal(journal_append(w->j, id, "case.note", p, &seq, &err), ERR_OK);
	assert_int_equal(seq, 2);
	json_t *r = world_read(w->j, id);
	assert_int_equal(json_array_size(r), 2);
	assert_string_equal(doc_text(r, "[0].kind"), "case.opened");
	assert_string_equal(doc_text(r, "[0].prev"), "");
	assert_string_equal(doc_text(r, "[0].time"), "2026-08-01T10:00:00Z");
	assert_string_equal(doc_text(r, "[1].time"), "2026-08-01T10:00:01.500Z");
	assert_string_equal(doc_text(r, "[1].prev"), doc_text(r, "[0].hash"));
	assert_string_equal(
		doc_text(r, "[1].actor"), "arn:aws:iam::111122223333:role/responder");
	assert_true(doc_eq(doc_get(r, "[1].payload"), p));
	assert_int_equal(journal_verify(r, &err), ERR_OK);
	int64_t n = 0;
	assert_int_equal(journal_check(w->j, id, &n, &err), ERR_OK);
	assert_int_equal(n, 2);
	json_decref(r);
	json_decref(p);
	assert_int_equal(journal_read(w->j, "2026-0099", &r, &err), ERR_NOT_FOUND);
	assert_int_equal(journal_append(w->j, "2026-0099", "case.note", NULL, NULL, &err),
		ERR_NOT_FOUND);
}

static void test_same_resource_and_finding_join(void **state)
{
	struct world *w = *state;
	char a[32], b[32];

	assert_false(world_case(w->j, "k1", "arn:1", a));
	assert_true(world_case(w->j, "k1", "arn:2", b));
	assert_string_equal(a, b);
	/* The second finding now belongs to the case, whatever resource it names later. */
	assert_true(world_case(w->j, "k9", "arn:2", b));
	assert_string_equal(a, b);
	assert_true(world_case(w->j, "k9", "arn:3", b));
	assert_string_equal(a, b);
	assert_false(world_case(w->j, "k2", "arn:4", b));
	assert_string_equal(b, "2026-0002");
	assert_false(world_case(w->j, "", "", b));
	assert_false(world_case(w->j, "", "", b));
	assert_string_equal(b, "2026-0004");
}

static void test_closed_case_gives_up_its_resource(void **state)
{
	struct world *w = *state;
	char a[32], b[32];

	world_case(w->j, "k1", "arn:1", a);
	assert_int_equal(journal_append(w->j, a, "case.closed", NULL, NULL, NULL), ERR_OK);
	assert_false(world_case(w->j, "k1", "arn:1", b));
	assert_string_equal(b, "2026-0002");
}

static void test_suppressed_finding_stays(void **state)
{
	struct world *w = *state;
	char a[32], b[32];

	world_case(w->j, "k1", "arn:1", a);
	json_t *p = json_pack("{s:s, s:s}", "finding_arn", "arn:1", "reason", "undone");
	assert_int_equal(journal_append(w->j, a, "case.suppressed", p, NULL, NULL), ERR_OK);
	json_decref(p);
	assert_int_equal(journal_append(w->j, a, "case.closed", NULL, NULL, NULL), ERR_OK);
	assert_true(world_case(w->j, "k1", "arn:1", b));
	assert_string_equal(a, b);
	/* Another finding on the same resource is new. */
	assert_false(world_case(w->j, "k1", "arn:2", b));
}

static void test_number_starts_anew_each_year(void **state)
{
	struct world *w = *state;
	char id[32];

	world_case(w->j, "k1", "arn:1", id);
	world_case(w->j, "k2", "arn:2", id);
	assert_string_equal(id, "2026-0002");
	w->env.now_ms += (int64_t)366 * 86400 * 1000;
	world_case(w->j, "k3", "arn:3", id);
	assert_string_equal(id, "2027-0001");
}

static void test_cases_are_listed_newest_first(void **state)
{
	struct world *w = *state;
	char id[32];
	json_t *list = NULL;

	world_case(w->j, "k1", "arn:1", id);
	assert_int_equal(journal_append(w->j, id, "case.closed", NULL, NULL, NULL), ERR_OK);
	world_case(w->j, "k2", "arn:2", id);
	for (int i = 0; i < 2; i++) { /* the second time from the cache */
		assert_int_equal(journal_cases(w->j, &list, NULL), ERR_OK);
		assert_int_equal(json_array_size(list), 2);
		assert_string_equal(doc_text(list, "[0].case"), "2026-0002");
		assert_string_equal(doc_text(list, "[0].state"), "open");
		assert_string_equal(doc_text(list, "[1].state"), "closed");
		assert_string_equal(doc_text(list, "[0].resources[0].id"), "i-0abc");
		json_decref(list);
	}
}

static void test_payload_that_would_not_verify_is_refused(void **state)
{
	struct world *w = *state;
	char id[32];
	struct err err = { 0 };

	world_case(w->j, "k1", "arn:1", id);
	char *big = malloc(17 * 1024 * 1024);
	assert_non_null(big);
	memset(big, 'a', 17 * 1024 * 1024);
	json_t *p = json_pack("{s:o}", "text", json_stringn(big, 17 * 1024 * 1024));
	free(big);
	assert_int_equal(journal_append(w->j, id, "case.note", p, NULL, &err), ERR_LIMIT);
	json_decref(p);
	p = json_pack("{s:o}", "text", json_stringn_nocheck("\xff\xfe", 2));
	assert_int_equal(journal_append(w->j, id, "case.note", p, NULL, &err), ERR_INPUT);
	json_decref(p);
	json_t *r = world_read(w->j, id);
	assert_int_equal(json_array_size(r), 1);
	json_decref(r);
}

static void test_lease(void **state)
{
	struct world *w = *state;
	struct journal *other = NULL;
	char id[32];
	struct err err = { 0 };

	world_case(w->j, "k1", "arn:1", id);
	assert_int_equal(journal_open(&w->env.base, w->where, NULL, &other, NULL), ERR_OK);
	assert_int_equal(journal_lock(w->j, "2026-0099", 1000, &err), ERR_NOT_FOUND);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_OK);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_OK);
	assert_int_equal(journal_lock(other, id, 60000, &err), ERR_CONFLICT);
	/* An append prolongs the lease. */
	w->env.now_ms += 50000;
	world_note(w->j, id, "still at work");
	w->env.now_ms += 50000;
	assert_int_equal(journal_lock(other, id, 60000, &err), ERR_CONFLICT);
	/* A person's note needs no lease. */
	world_note(other, id, "watching");
	w->env.now_ms += 61000;
	assert_int_equal(journal_lock(other, id, 60000, &err), ERR_OK);
	/* The first holder was away too long: it must not act any more. */
	assert_int_equal(journal_append(w->j, id, "case.note", NULL, NULL, &err), ERR_REFUSED);
	journal_unlock(w->j, id);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_CONFLICT);
	journal_unlock(other, id);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_OK);
	world_note(w->j, id, "back");
	journal_close(other);
}

static void test_lease_of_a_killed_process_is_free(void **state)
{
	struct world *w = *state;
	char id[32];
	struct err err = { 0 };

	world_case(w->j, "k1", "arn:1", id);
	pid_t pid = fork();
	if (pid == 0) {
		struct journal *j = NULL;
		w->env.seed += 99;
		_exit(journal_open(&w->env.base, w->where, NULL, &j, NULL) == ERR_OK &&
					journal_lock(j, id, 3600000, NULL) == ERR_OK
				? 42
				: 1);
	}
	int status = 0;
	siginfo_t info;
	/* Dead but not reaped counts as dead too. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_OK);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void open_and_note(struct journal *j, int k)
{
	char id[32];
	bool joined;

	for (int i = 0; i < 5; i++) {
		json_t *p = json_pack("{s:s, s:s}", "key", "one key", "finding_arn", "arn:one");
		json_t *text = json_pack("{s:i, s:i}", "by", k, "i", i);
		if (journal_case_open(j, p, id, &joined, NULL) != ERR_OK ||
			journal_append(j, id, "case.note", text, NULL, NULL) != ERR_OK) {
			_exit(2);
		}
		json_decref(p);
		json_decref(text);
	}
}

static void test_processes_race_to_one_case(void **state)
{
	struct world *w = *state;
	json_t *list = NULL;
	int64_t n = 0;
	const int notes = world_processes() * 5;
	int seen[4][5] = { 0 };

	world_in_processes(w, world_processes(), open_and_note);
	assert_int_equal(journal_cases(w->j, &list, NULL), ERR_OK);
	assert_int_equal(json_array_size(list), 1);
	const char *id = doc_text(list, "[0].case");
	assert_int_equal(journal_check(w->j, id, &n, NULL), ERR_OK);
	assert_int_equal(n, 1 + notes);
	json_t *r = world_read(w->j, id);
	for (int i = 1; i <= notes; i++) {
		json_t *p = json_object_get(json_array_get(r, (size_t)i), "payload");
		seen[doc_int(p, "by", 0)][doc_int(p, "i", 0)]++;
	}
	for (int k = 0; k < notes; k++) {
		assert_int_equal(seen[k / 5][k % 5], 1);
	}
	json_decref(r);
	json_decref(list);
}

static void open_own(struct journal *j, int k)
{
	char id[32], key[16];
	bool joined = true;

	for (int i = 0; i < 3; i++) {
		snprintf(key, sizeof key, "%d-%d", k, i);
		json_t *p = json_pack("{s:s}", "key", key);
		if (journal_case_open(j, p, id, &joined, NULL) != ERR_OK || joined) {
			_exit(2);
		}
		json_decref(p);
	}
}

static void test_processes_get_numbers_of_their_own(void **state)
{
	struct world *w = *state;
	json_t *list = NULL;

	world_in_processes(w, world_processes(), open_own);
	assert_int_equal(journal_cases(w->j, &list, NULL), ERR_OK);
	assert_int_equal(json_array_size(list), world_processes() * 3);
	json_decref(list);
}

static int64_t head_of(struct journal *j, const char *id)
{
	int64_t n = 0;
	struct err err = { 0 };

	if (journal_check(j, id, &n, &err) != ERR_OK) {
		fail_msg("%s", err.msg);
	}
	return n;
}

/* Text that gzip can't make shorter. */
static json_t *noise(size_t bytes, uint32_t seed)
{
	char *text = malloc(bytes + 1);

	assert_non_null(text);
	for (size_t i = 0; i < bytes; i++) {
		seed = seed * 1664525u + 1013904223u;
		text[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
			[seed >> 26];
	}
	json_t *p = json_pack("{s:o}", "text", json_stringn(text, bytes));
	free(text);
	return p;
}

/* DynamoDB keeps 400 KB an item: what is longer is compressed, then cut into pieces. */
static void test_long_records(void **state)
{
	struct world *w = *state;
	static const size_t sizes[] = { 349000, 351000, 420000, 3000000 };
	char id[32];
	struct err err = { 0 };

	world_case(w->j, "k1", "arn:1", id);
	for (size_t i = 0; i < 4; i++) {
		json_t *p = noise(sizes[i], (uint32_t)i);
		if (journal_append(w->j, id, "case.note", p, NULL, &err) != ERR_OK) {
			fail_msg("%zu bytes: %s", sizes[i], err.msg);
		}
		json_t *r = world_read(w->j, id);
		assert_true(doc_eq(json_object_get(json_array_get(r, i + 1), "payload"), p));
		json_decref(r);
		json_decref(p);
	}
	/* Much of the same becomes short. */
	char *same = calloc(1, 900001);
	assert_non_null(same);
	memset(same, 'x', 900000);
	world_note(w->j, id, same);
	free(same);
	assert_int_equal(head_of(w->j, id), 6);
}

static void test_acts_are_remembered(void **state)
{
	struct world *w = *state;
	char id[32];
	json_t *acts = NULL;

	world_case(w->j, "k1", "arn:1", id);
	for (int i = 0; i < 3; i++) {
		json_t *p = json_pack("{s:s, s:{s:s, s:s}}", "step", "s", "resource", "kind",
			"Instance", "id", i < 2 ? "i-1" : "i-2");
		assert_int_equal(
			journal_append(w->j, id, "step.intent", p, NULL, NULL), ERR_OK);
		json_decref(p);
		w->env.now_ms += 60000;
	}
	assert_int_equal(journal_acts(w->j, NOW_MS, &acts, NULL), ERR_OK);
	assert_int_equal(json_object_size(acts), 2);
	assert_true(doc_int(acts, "i-1", 0) >= NOW_MS + 60000);
	assert_true(doc_int(acts, "i-1", 0) < NOW_MS + 120000);
	json_decref(acts);
	assert_int_equal(journal_acts(w->j, NOW_MS + 115000, &acts, NULL), ERR_OK);
	assert_int_equal(json_object_size(acts), 1);
	json_decref(acts);
	/* The next day looks back over midnight. */
	w->env.now_ms += (int64_t)20 * 3600 * 1000;
	assert_int_equal(journal_acts(w->j, NOW_MS, &acts, NULL), ERR_OK);
	assert_int_equal(json_object_size(acts), 2);
	json_decref(acts);
}

static void test_more_claims_than_a_transaction_holds(void **state)
{
	struct world *w = *state;
	json_t *keys = json_array(), *p;
	char a[32], b[32];
	bool joined = true;

	for (int i = 0; i < 130; i++) {
		json_array_append_new(keys, json_sprintf("resource-%d", i));
	}
	p = json_pack("{s:s, s:s, s:o}", "finding_arn", "arn:sequence", "key", "resource-0",
		"keys", keys);
	assert_int_equal(journal_case_open(w->j, p, a, &joined, NULL), ERR_OK);
	assert_false(joined);
	json_decref(p);
	assert_true(world_case(w->j, "resource-129", "arn:2", b));
	assert_string_equal(a, b);
	assert_int_equal(journal_append(w->j, a, "case.closed", NULL, NULL, NULL), ERR_OK);
	assert_false(world_case(w->j, "resource-129", "arn:3", b));
	assert_string_not_equal(a, b);
}

/* Two would-be takers of a lapsed lease: one gets it, and the first holder is out for good. */
static void test_a_stale_holder_is_refused_whatever_happened_since(void **state)
{
	struct world *w = *state;
	struct journal *other = NULL;
	char id[32];
	struct err err = { 0 };

	world_case(w->j, "k1", "arn:1", id);
	assert_int_equal(journal_open(&w->env.base, w->where, NULL, &other, NULL), ERR_OK);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_OK);
	assert_true(journal_holds(w->j, id));
	assert_false(journal_holds(other, id));
	w->env.now_ms += 61000;
	assert_false(journal_holds(w->j, id));
	assert_int_equal(journal_lock(other, id, 60000, &err), ERR_OK);
	world_note(other, id, "taken over");
	journal_unlock(other, id);
	/* Nobody holds it now, and yet the first one's fencing number is an old one. */
	assert_int_equal(journal_append(w->j, id, "case.note", NULL, NULL, &err), ERR_REFUSED);
	assert_non_null(strstr(err.msg, "took the case over"));
	assert_int_equal(head_of(other, id), 2);
	journal_close(other);
}

/* By its own clock the holder has most of its minute left; another machine's clock says it is over. */
static void test_a_holder_that_slept_asks_before_it_acts(void **state)
{
	struct world *w = *state;
	struct journal *other = NULL;
	char id[32];
	struct err err = { 0 };

	world_case(w->j, "k1", "arn:1", id);
	assert_int_equal(journal_open(&w->env.base, w->where, NULL, &other, NULL), ERR_OK);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_OK);
	w->env.now_ms += 6000;
	assert_true(journal_holds(w->j, id)); /* asked, and prolonged */
	w->env.now_ms += 61000;
	assert_int_equal(journal_lock(other, id, 60000, &err), ERR_OK);
	w->env.now_ms -= 61000 - 4000;
	assert_true(journal_holds(w->j, id)); /* asked four seconds ago: believed */
	w->env.now_ms += 2000;
	assert_false(journal_holds(w->j, id));
	assert_true(journal_holds(other, id));
	journal_close(other);
}

/* A bucket's policy is written by steps of several cases, in turn. */
static void test_a_thing_is_held_by_one(void **state)
{
	struct world *w = *state;
	struct journal *one = NULL, *other = NULL;
	json_t *cases = NULL;
	char a[32], b[32], c[32];
	struct err err = { 0 };

	assert_int_equal(journal_open(env_system(), w->where, NULL, &one, NULL), ERR_OK);
	assert_int_equal(journal_open(env_system(), w->where, NULL, &other, NULL), ERR_OK);
	assert_int_equal(journal_lock_thing(one, "bucket-policy x", 0, a, &err), ERR_OK);
	assert_true(journal_holds(one, a));
	assert_int_equal(
		journal_lock_thing(other, "bucket-policy x", 100, b, &err), ERR_CONFLICT);
	assert_string_equal(a, b);
	assert_false(journal_holds(other, b));
	assert_int_equal(journal_lock_thing(other, "bucket-policy y", 0, c, &err), ERR_OK);
	assert_string_not_equal(a, c);
	journal_unlock(one, a);
	assert_false(journal_holds(one, a));
	assert_int_equal(journal_lock_thing(other, "bucket-policy x", 0, b, &err), ERR_OK);
	journal_close(other); /* gives back what it has */
	assert_int_equal(journal_lock_thing(one, "bucket-policy x", 0, a, &err), ERR_OK);
	assert_int_equal(journal_cases(one, &cases, &err), ERR_OK);
	assert_int_equal(json_array_size(cases), 0); /* it is no case */
	json_decref(cases);
	journal_close(one);
}

/* Work that appends nothing for longer than the lease lasts keeps it all the same. */
static void test_a_lease_is_kept_alive(void **state)
{
	struct world *w = *state;
	struct journal *mine = NULL, *other = NULL;
	char id[32];
	struct err err = { 0 };
	const int64_t ttl_ms = 3000; /* long enough for a machine that stalls for a second */

	world_case(w->j, "k1", "arn:1", id);
	assert_int_equal(journal_open(env_system(), w->where, NULL, &mine, NULL), ERR_OK);
	assert_int_equal(journal_open(env_system(), w->where, NULL, &other, NULL), ERR_OK);
	assert_int_equal(journal_lock(mine, id, ttl_ms, &err), ERR_OK);
	env_sleep_ms(env_system(), ttl_ms + ttl_ms / 4);
	assert_true(journal_holds(mine, id));
	assert_int_equal(journal_lock(other, id, ttl_ms, &err), ERR_CONFLICT);
	world_note(mine, id, "done");
	journal_unlock(mine, id);
	assert_int_equal(journal_lock(other, id, ttl_ms, &err), ERR_OK);
	journal_close(mine);
	journal_close(other);
}

static void *append_in_thread(void *arg)
{
	struct journal *j = arg;

	for (int i = 0; i < 20; i++) {
		json_t *p = json_pack("{s:i}", "i", i);
		if (journal_append(j, "2026-0001", "case.note", p, NULL, NULL) != ERR_OK) {
			return arg;
		}
		json_decref(p);
	}
	return NULL;
}

/* The engine's threads share one journal, and beside them its own thread prolongs the lease. */
static void test_threads_share_a_journal(void **state)
{
	struct world *w = *state;
	struct journal *j = NULL;
	pthread_t threads[4];
	char id[32];

	world_case(w->j, "k1", "arn:1", id);
	assert_int_equal(journal_open(env_system(), w->where, NULL, &j, NULL), ERR_OK);
	assert_int_equal(journal_lock(j, id, 6000, NULL), ERR_OK);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, append_in_thread, j), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		void *failed = NULL;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_true(journal_holds(j, id));
	journal_unlock(j, id);
	assert_false(journal_holds(j, id));
	journal_close(j);
	assert_int_equal(head_of(w->j, id), 81);
}

static void append_many(struct journal *j, int k)
{
	int n = world_count("CORDON_TEST_APPENDS", world_is_dynamodb() ? 25 : 250);
	json_t *text = json_pack("{s:s}", "text", "all the same");

	(void)k;
	for (int i = 0; i < n; i++) {
		struct err err = { 0 };
		if (journal_append(j, "2026-0001", "case.note", text, NULL, &err) != ERR_OK) {
			fprintf(stderr, "process %d, append %d: %s\n", k, i, err.msg);
			_exit(2);
		}
	}
	json_decref(text);
}

/* Records that differ in nothing: each append is its own, none is taken for another's. */
static void test_contended_appends_lose_nothing(void **state)
{
	struct world *w = *state;
	int n = world_count("CORDON_TEST_APPENDS", world_is_dynamodb() ? 25 : 250);
	char id[32];

	world_case(w->j, "k1", "arn:1", id);
	world_in_processes(w, world_processes(), append_many);
	assert_int_equal(head_of(w->j, id), 1 + world_processes() * n);
}

/*
 * What the lease is for: read a counter in the last record, act, write the next. Two at once would
 * write the same number twice.
 */
static void count_up(struct journal *j, int k)
{
	int n = world_count("CORDON_TEST_TURNS", 10);

	(void)k;
	for (int done = 0; done < n;) {
		json_t *r = NULL;
		enum err_status st = journal_lock(j, "2026-0001", 30000, NULL);
		if (st == ERR_CONFLICT) {
			env_sleep_ms(env_system(), 3);
			continue;
		}
		if (st != ERR_OK || journal_read(j, "2026-0001", &r, NULL) != ERR_OK) {
			_exit(2);
		}
		const json_t *last = json_array_get(r, json_array_size(r) - 1);
		json_t *p = json_pack(
			"{s:I}", "count", (json_int_t)doc_int(last, "payload.count", 0) + 1);
		if (journal_append(j, "2026-0001", "case.note", p, NULL, NULL) != ERR_OK) {
			_exit(3);
		}
		json_decref(p);
		json_decref(r);
		journal_unlock(j, "2026-0001");
		done++;
	}
}

static void test_only_the_holder_of_the_lease_acts(void **state)
{
	struct world *w = *state;
	int n = world_count("CORDON_TEST_TURNS", 10);
	char id[32];

	world_case(w->j, "k1", "arn:1", id);
	world_in_processes(w, world_processes(), count_up);
	assert_int_equal(head_of(w->j, id), 1 + world_processes() * n);
	json_t *r = world_read(w->j, id);
	for (size_t i = 1; i < json_array_size(r); i++) {
		assert_int_equal(doc_int(json_array_get(r, i), "payload.count", 0), i);
	}
	json_decref(r);
}

static void test_a_store_can_be_probed(void **state)
{
	struct world *w = *state;
	struct journal *other = NULL;
	struct err err = { 0 };

	assert_int_equal(journal_probe(w->j, &err), ERR_OK);
	if (world_is_dynamodb()) {
		char id[32];
		json_t *p = json_pack("{s:s}", "key", "k");
		bool joined;
		assert_int_equal(
			journal_open(&w->env.base, "dynamodb:not-there", NULL, &other, &err),
			ERR_OK);
		assert_int_equal(journal_probe(other, &err), ERR_CONFIG);
		assert_non_null(strstr(err.msg, "deploy/journal.yaml"));
		assert_int_equal(journal_case_open(other, p, id, &joined, &err), ERR_CONFIG);
		assert_non_null(strstr(err.msg, "there is no DynamoDB table not-there"));
		json_decref(p);
		journal_close(other);
	}
	json_t *acts = NULL, *list = NULL;
	assert_int_equal(journal_acts(w->j, 0, &acts, NULL), ERR_OK);
	assert_int_equal(json_object_size(acts), 0);
	assert_int_equal(journal_cases(w->j, &list, NULL), ERR_OK);
	assert_int_equal(json_array_size(list), 0);
	json_decref(acts);
	json_decref(list);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_append_and_read),
		T(test_same_resource_and_finding_join),
		T(test_closed_case_gives_up_its_resource),
		T(test_suppressed_finding_stays),
		T(test_number_starts_anew_each_year),
		T(test_cases_are_listed_newest_first),
		T(test_payload_that_would_not_verify_is_refused),
		T(test_lease),
		T(test_lease_of_a_killed_process_is_free),
		T(test_processes_race_to_one_case),
		T(test_processes_get_numbers_of_their_own),
		T(test_long_records),
		T(test_acts_are_remembered),
		T(test_more_claims_than_a_transaction_holds),
		T(test_a_stale_holder_is_refused_whatever_happened_since),
		T(test_a_holder_that_slept_asks_before_it_acts),
		T(test_a_thing_is_held_by_one),
		T(test_a_lease_is_kept_alive),
		T(test_threads_share_a_journal),
		T(test_contended_appends_lose_nothing),
		T(test_only_the_holder_of_the_lease_acts),
		T(test_a_store_can_be_probed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
