/* The journal on SQLite: appending, joining, leases, races between processes, broken stores. */
#include "base/utc.h"
#include "incident/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS 1785578400000 /* 2026-08-01T10:00:00Z */

struct world {
	struct env_fake env;
	char folder[64], path[96], where[112];
	struct journal *j;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	env_fake_init(&w->env, NOW_MS, 7, NULL);
	snprintf(w->folder, sizeof w->folder, "/tmp/cordon-journal-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof w->path, "%s/a/b/cordon.db", w->folder);
	snprintf(w->where, sizeof w->where, "sqlite:%s", w->path);
	assert_int_equal(journal_open(&w->env.base, w->where, &w->j, NULL), ERR_OK);
	*state = w;
	return 0;
}

static void remove_tree(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char sub[512];
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
			continue;
		}
		snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
		if (unlink(sub) != 0) {
			remove_tree(sub);
		}
	}
	if (d != NULL) {
		closedir(d);
	}
	rmdir(path);
}

static int tear_down(void **state)
{
	struct world *w = *state;

	journal_close(w->j);
	remove_tree(w->folder);
	free(w);
	return 0;
}

static json_t *opened(const char *key, const char *arn)
{
	return json_pack("{s:s, s:s, s:s, s:f, s:s, s:s, s:s, s:[{s:s, s:s}]}", "key", key,
		"finding_arn", arn, "type", "Backdoor:EC2/C&CActivity.B", "severity", 8.0,
		"account", "111122223333", "region", "eu-west-1", "title",
		"EC2 talks to a C&C server", "resources", "kind", "Instance", "id", "i-0abc");
}

static bool open_case(struct journal *j, const char *key, const char *arn, char id[32])
{
	json_t *p = opened(key, arn);
	struct err err = { 0 };
	bool joined = false;
	enum err_status st = journal_case_open(j, p, id, &joined, &err);

	json_decref(p);
	if (st != ERR_OK) {
		fail_msg("%s", err.msg);
	}
	return joined;
}

static void note(struct journal *j, const char *id, const char *text)
{
	json_t *p = json_pack("{s:s}", "text", text);
	struct err err = { 0 };

	if (journal_append(j, id, "case.note", p, NULL, &err) != ERR_OK) {
		fail_msg("%s", err.msg);
	}
	json_decref(p);
}

static json_t *read_case(struct journal *j, const char *id)
{
	json_t *records = NULL;

	assert_int_equal(journal_read(j, id, &records, NULL), ERR_OK);
	return records;
}

static void test_append_and_read(void **state)
{
	struct world *w = *state;
	char id[32];
	int64_t seq = 0;
	struct err err = { 0 };

	journal_set_actor(w->j, "arn:aws:iam::111122223333:role/responder");
	assert_false(open_case(w->j, "111122223333/eu-west-1/i-0abc", "arn:f1", id));
	assert_string_equal(id, "2026-0001");
	w->env.now_ms += 1500;
	json_t *p =
		json_pack("{s:s, s:f, s:s}", "text", "línea ✓ \"q\"", "x", 0.1, "y", "\x01");
	assert_int_equal(journal_append(w->j, id, "case.note", p, &seq, &err), ERR_OK);
	assert_int_equal(seq, 2);
	json_t *r = read_case(w->j, id);
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

static void test_files_are_private_and_kept(void **state)
{
	struct world *w = *state;
	struct stat s;
	char id[32], folder[96];

	open_case(w->j, "k", "arn:1", id);
	assert_int_equal(stat(w->path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
	snprintf(folder, sizeof folder, "%s/a", w->folder);
	assert_int_equal(stat(folder, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0700);
	journal_close(w->j);
	assert_int_equal(journal_open(&w->env.base, w->where, &w->j, NULL), ERR_OK);
	json_t *r = read_case(w->j, id);
	assert_int_equal(json_array_size(r), 1);
	json_decref(r);
}

static void test_same_resource_and_finding_join(void **state)
{
	struct world *w = *state;
	char a[32], b[32];

	assert_false(open_case(w->j, "k1", "arn:1", a));
	assert_true(open_case(w->j, "k1", "arn:2", b));
	assert_string_equal(a, b);
	/* The second finding now belongs to the case, whatever resource it names later. */
	assert_true(open_case(w->j, "k9", "arn:2", b));
	assert_string_equal(a, b);
	assert_true(open_case(w->j, "k9", "arn:3", b));
	assert_string_equal(a, b);
	assert_false(open_case(w->j, "k2", "arn:4", b));
	assert_string_equal(b, "2026-0002");
	assert_false(open_case(w->j, "", "", b));
	assert_false(open_case(w->j, "", "", b));
	assert_string_equal(b, "2026-0004");
}

static void test_closed_case_gives_up_its_resource(void **state)
{
	struct world *w = *state;
	char a[32], b[32];

	open_case(w->j, "k1", "arn:1", a);
	assert_int_equal(journal_append(w->j, a, "case.closed", NULL, NULL, NULL), ERR_OK);
	assert_false(open_case(w->j, "k1", "arn:1", b));
	assert_string_equal(b, "2026-0002");
}

static void test_suppressed_finding_stays(void **state)
{
	struct world *w = *state;
	char a[32], b[32];

	open_case(w->j, "k1", "arn:1", a);
	json_t *p = json_pack("{s:s, s:s}", "finding_arn", "arn:1", "reason", "undone");
	assert_int_equal(journal_append(w->j, a, "case.suppressed", p, NULL, NULL), ERR_OK);
	json_decref(p);
	assert_int_equal(journal_append(w->j, a, "case.closed", NULL, NULL, NULL), ERR_OK);
	assert_true(open_case(w->j, "k1", "arn:1", b));
	assert_string_equal(a, b);
	/* Another finding on the same resource is new. */
	assert_false(open_case(w->j, "k1", "arn:2", b));
}

static void test_number_starts_anew_each_year(void **state)
{
	struct world *w = *state;
	char id[32];

	open_case(w->j, "k1", "arn:1", id);
	open_case(w->j, "k2", "arn:2", id);
	assert_string_equal(id, "2026-0002");
	w->env.now_ms += (int64_t)366 * 86400 * 1000;
	open_case(w->j, "k3", "arn:3", id);
	assert_string_equal(id, "2027-0001");
}

static void test_cases_are_listed_newest_first(void **state)
{
	struct world *w = *state;
	char id[32];
	json_t *list = NULL;

	open_case(w->j, "k1", "arn:1", id);
	assert_int_equal(journal_append(w->j, id, "case.closed", NULL, NULL, NULL), ERR_OK);
	open_case(w->j, "k2", "arn:2", id);
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

	open_case(w->j, "k1", "arn:1", id);
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
	json_t *r = read_case(w->j, id);
	assert_int_equal(json_array_size(r), 1);
	json_decref(r);
}

/* Another program at the file, as somebody covering traces would be. */
static int meddle(struct world *w, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 1000);
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return rc;
}

static void test_records_are_append_only_for_everybody(void **state)
{
	struct world *w = *state;
	char id[32];

	open_case(w->j, "k1", "arn:1", id);
	note(w->j, id, "one");
	assert_int_equal(
		meddle(w, "UPDATE records SET body = '{}' WHERE seq = 2"), SQLITE_CONSTRAINT);
	assert_int_equal(meddle(w, "DELETE FROM records"), SQLITE_CONSTRAINT);
	assert_int_equal(
		meddle(w, "INSERT OR REPLACE INTO records VALUES('2026-0001', 2, '', '{}')"),
		SQLITE_CONSTRAINT);
	assert_int_equal(meddle(w, "INSERT INTO records VALUES('2026-0001', 9, '', '{}')"),
		SQLITE_CONSTRAINT);
	int64_t n;
	assert_int_equal(journal_check(w->j, id, &n, NULL), ERR_OK);
}

static void test_tampering_behind_the_triggers_is_found(void **state)
{
	struct world *w = *state;
	char id[32];
	int64_t n;
	struct err err = { 0 };

	open_case(w->j, "k1", "arn:1", id);
	note(w->j, id, "one");
	note(w->j, id, "two");
	assert_int_equal(meddle(w, "DROP TRIGGER records_keep; UPDATE records SET body ="
				   " replace(body, 'one', 'eno') WHERE seq = 2"),
		SQLITE_OK);
	assert_int_equal(journal_check(w->j, id, &n, &err), ERR_INTEGRITY);
	assert_non_null(strstr(err.msg, "record 2"));
	/* White space changes no meaning, yet it is not what was written. */
	assert_int_equal(
		meddle(w, "UPDATE records SET body = replace(replace(body, 'eno', 'one'),"
			  " ',', ', ') WHERE seq = 2"),
		SQLITE_OK);
	assert_int_equal(journal_check(w->j, id, &n, &err), ERR_INTEGRITY);
	assert_non_null(strstr(err.msg, "record 2"));
	assert_int_equal(meddle(w, "UPDATE records SET body = 'x' WHERE seq = 2"), SQLITE_OK);
	assert_int_equal(journal_check(w->j, id, &n, &err), ERR_INTEGRITY);
}

static void test_cut_off_end_is_found(void **state)
{
	struct world *w = *state;
	char id[32];
	int64_t n;
	struct err err = { 0 };

	open_case(w->j, "k1", "arn:1", id);
	note(w->j, id, "one");
	note(w->j, id, "two");
	assert_int_equal(
		meddle(w, "DROP TRIGGER records_stay; DELETE FROM records WHERE seq = 3"),
		SQLITE_OK);
	assert_int_equal(journal_check(w->j, id, &n, &err), ERR_INTEGRITY);
	assert_int_equal(
		journal_append(w->j, id, "case.note", NULL, NULL, &err), ERR_INTEGRITY);
	assert_non_null(strstr(err.msg, "behind cordon's back"));
}

static void test_lease(void **state)
{
	struct world *w = *state;
	struct journal *other = NULL;
	char id[32];
	struct err err = { 0 };

	open_case(w->j, "k1", "arn:1", id);
	assert_int_equal(journal_open(&w->env.base, w->where, &other, NULL), ERR_OK);
	assert_int_equal(journal_lock(w->j, "2026-0099", 1000, &err), ERR_NOT_FOUND);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_OK);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_OK);
	assert_int_equal(journal_lock(other, id, 60000, &err), ERR_CONFLICT);
	/* An append prolongs the lease. */
	w->env.now_ms += 50000;
	note(w->j, id, "still at work");
	w->env.now_ms += 50000;
	assert_int_equal(journal_lock(other, id, 60000, &err), ERR_CONFLICT);
	/* A person's note needs no lease. */
	note(other, id, "watching");
	w->env.now_ms += 61000;
	assert_int_equal(journal_lock(other, id, 60000, &err), ERR_OK);
	/* The first holder was away too long: it must not act any more. */
	assert_int_equal(journal_append(w->j, id, "case.note", NULL, NULL, &err), ERR_REFUSED);
	journal_unlock(w->j, id);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_CONFLICT);
	journal_unlock(other, id);
	assert_int_equal(journal_lock(w->j, id, 60000, &err), ERR_OK);
	note(w->j, id, "back");
	journal_close(other);
}

static void test_lease_of_a_killed_process_is_free(void **state)
{
	struct world *w = *state;
	char id[32];
	struct err err = { 0 };

	open_case(w->j, "k1", "arn:1", id);
	pid_t pid = fork();
	if (pid == 0) {
		struct journal *j = NULL;
		w->env.seed = 99;
		_exit(journal_open(&w->env.base, w->where, &j, NULL) == ERR_OK &&
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

/* Runs `work` in n processes at once; each opens the store for itself. */
static void in_processes(struct world *w, int n, void (*work)(struct journal *j, int k))
{
	int start[2];

	assert_int_equal(pipe(start), 0);
	for (int k = 0; k < n; k++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct journal *j = NULL;
			char go;
			close(start[1]);
			if (read(start[0], &go, 1) != 0 ||
				journal_open(env_system(), w->where, &j, NULL) != ERR_OK) {
				_exit(1);
			}
			work(j, k);
			journal_close(j);
			_exit(0);
		}
	}
	close(start[0]);
	close(start[1]); /* all start here */
	for (int k = 0; k < n; k++) {
		int status = 0;
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
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
	int seen[4][5] = { 0 };

	in_processes(w, 4, open_and_note);
	assert_int_equal(journal_cases(w->j, &list, NULL), ERR_OK);
	assert_int_equal(json_array_size(list), 1);
	const char *id = doc_text(list, "[0].case");
	assert_int_equal(journal_check(w->j, id, &n, NULL), ERR_OK);
	assert_int_equal(n, 21);
	json_t *r = read_case(w->j, id);
	for (size_t i = 1; i < 21; i++) {
		json_t *p = json_object_get(json_array_get(r, i), "payload");
		seen[doc_int(p, "by", 0)][doc_int(p, "i", 0)]++;
	}
	for (int k = 0; k < 20; k++) {
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

	in_processes(w, 3, open_own);
	assert_int_equal(journal_cases(w->j, &list, NULL), ERR_OK);
	assert_int_equal(json_array_size(list), 9);
	json_decref(list);
}

static void make_new(struct journal *j, int k)
{
	open_own(j, k);
}

static void test_processes_make_the_store_at_once(void **state)
{
	struct world *w = *state;
	json_t *list = NULL;

	journal_close(w->j);
	remove_tree(w->folder);
	assert_int_equal(mkdir(w->folder, 0700), 0);
	in_processes(w, 4, make_new);
	assert_int_equal(journal_open(&w->env.base, w->where, &w->j, NULL), ERR_OK);
	assert_int_equal(journal_cases(w->j, &list, NULL), ERR_OK);
	assert_int_equal(json_array_size(list), 12);
	json_decref(list);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static enum err_status try_open(struct world *w, struct err *err)
{
	struct journal *j = NULL;
	enum err_status st = journal_open(&w->env.base, w->where, &j, err);

	journal_close(j);
	return st;
}

static void test_wrong_places(void **state)
{
	struct world *w = *state;
	struct journal *j = NULL;
	struct err err = { 0 };

	assert_int_equal(journal_open(&w->env.base, "mysql:x", &j, &err), ERR_CONFIG);
	assert_int_equal(journal_open(&w->env.base, "sqlite:", &j, &err), ERR_CONFIG);
	assert_int_equal(journal_open(&w->env.base, NULL, &j, &err), ERR_CONFIG);
	assert_int_equal(journal_open(&w->env.base, "dynamodb:t", &j, &err), ERR_CONFIG);
	snprintf(w->where, sizeof w->where, "sqlite:%s/text", w->folder);
	write_file(w->where + 7,
		"this is a letter, and no database at all; it is long enough ....");
	assert_int_equal(try_open(w, &err), ERR_CONFIG);
	assert_non_null(strstr(err.msg, "not a cordon store"));
	snprintf(w->where, sizeof w->where, "sqlite:%s/text/x.db", w->folder);
	assert_int_equal(try_open(w, &err), ERR_IO);
	snprintf(w->where, sizeof w->where, "sqlite:%s", w->folder);
	assert_int_equal(try_open(w, &err), ERR_IO);
}

static void test_foreign_and_newer_database(void **state)
{
	struct world *w = *state;
	struct err err = { 0 };

	assert_int_equal(meddle(w, "PRAGMA user_version = 99"), SQLITE_OK);
	assert_int_equal(try_open(w, &err), ERR_CONFIG);
	assert_non_null(strstr(err.msg, "newer cordon"));
	assert_int_equal(
		meddle(w, "PRAGMA user_version = 1; PRAGMA application_id = 5"), SQLITE_OK);
	assert_int_equal(try_open(w, &err), ERR_CONFIG);
	assert_non_null(strstr(err.msg, "another program"));
}

static void test_damaged_file(void **state)
{
	struct world *w = *state;
	struct err err = { 0 };
	char id[32];
	char junk[4096];

	for (int i = 0; i < 40; i++) {
		char key[16];
		snprintf(key, sizeof key, "k%d", i);
		open_case(w->j, key, key, id);
	}
	journal_close(w->j);
	w->j = NULL;
	int fd = open(w->path, O_RDWR);
	assert_true(fd >= 0);
	memset(junk, 0xa5, sizeof junk);
	off_t size = lseek(fd, 0, SEEK_END);
	for (off_t at = 4096; at < size; at += 4096) {
		assert_int_equal(pwrite(fd, junk, sizeof junk, at), sizeof junk);
	}
	close(fd);
	enum err_status st = journal_open(&w->env.base, w->where, &w->j, &err);
	if (st == ERR_OK) {
		json_t *list = NULL;
		st = journal_cases(w->j, &list, &err);
	}
	assert_int_equal(st, ERR_INTEGRITY);
	assert_non_null(strstr(err.msg, "damaged"));
}

static void test_full_disk(void **state)
{
	struct world *w = *state;
	char id[32];
	struct err err = { 0 };
	struct rlimit old, small;
	enum err_status st = ERR_OK;

	open_case(w->j, "k1", "arn:1", id);
	note(w->j, id, "before");
	char *text = calloc(1, 100001);
	assert_non_null(text);
	memset(text, 'x', 100000);
	json_t *p = json_pack("{s:s}", "text", text);
	free(text);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 600000, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int written = 0;
	while (st == ERR_OK && written < 50) {
		st = journal_append(w->j, id, "case.note", p, NULL, &err);
		written += st == ERR_OK;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	json_decref(p);
	assert_int_equal(st, ERR_IO);
	assert_non_null(strstr(err.msg, w->path));
	/* Nothing half-written: the case verifies and goes on. */
	int64_t n = 0;
	assert_int_equal(journal_check(w->j, id, &n, &err), ERR_OK);
	assert_int_equal(n, 2 + written);
	note(w->j, id, "after");
}

static void test_locked_by_another(void **state)
{
	struct world *w = *state;
	char id[32];
	struct err err = { 0 };
	sqlite3 *db = NULL;

	open_case(w->j, "k1", "arn:1", id);
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(journal_append(w->j, id, "case.note", NULL, NULL, &err), ERR_IO);
	assert_non_null(strstr(err.msg, "another process"));
	sqlite3_close(db);
	note(w->j, id, "after");
}

static void test_read_only_file(void **state)
{
	struct world *w = *state;
	char id[32];
	struct err err = { 0 };

	bool root = geteuid() == 0; /* root may write everything: be somebody else */
	open_case(w->j, "k1", "arn:1", id);
	journal_close(w->j);
	assert_int_equal(chmod(w->path, 0400), 0);
	if (root) {
		char folder[96];
		snprintf(folder, sizeof folder, "%s/a", w->folder);
		assert_int_equal(chown(w->path, 65534, 65534), 0);
		assert_int_equal(chmod(w->folder, 0755), 0);
		assert_int_equal(chmod(folder, 0755), 0);
		snprintf(folder, sizeof folder, "%s/a/b", w->folder);
		assert_int_equal(chown(folder, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	enum err_status opened_st = journal_open(&w->env.base, w->where, &w->j, &err);
	enum err_status append_st = ERR_OK;
	json_t *r = NULL;
	if (opened_st == ERR_OK) {
		r = read_case(w->j, id);
		append_st = journal_append(w->j, id, "case.note", NULL, NULL, &err);
	}
	if (root) {
		assert_int_equal(seteuid(0), 0);
	}
	assert_int_equal(opened_st, ERR_OK);
	assert_int_equal(json_array_size(r), 1);
	json_decref(r);
	assert_int_equal(append_st, ERR_IO);
	assert_non_null(strstr(err.msg, "read-only"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_append_and_read),
		T(test_files_are_private_and_kept),
		T(test_same_resource_and_finding_join),
		T(test_closed_case_gives_up_its_resource),
		T(test_suppressed_finding_stays),
		T(test_number_starts_anew_each_year),
		T(test_cases_are_listed_newest_first),
		T(test_payload_that_would_not_verify_is_refused),
		T(test_records_are_append_only_for_everybody),
		T(test_tampering_behind_the_triggers_is_found),
		T(test_cut_off_end_is_found),
		T(test_lease),
		T(test_lease_of_a_killed_process_is_free),
		T(test_processes_race_to_one_case),
		T(test_processes_get_numbers_of_their_own),
		T(test_processes_make_the_store_at_once),
		T(test_wrong_places),
		T(test_foreign_and_newer_database),
		T(test_damaged_file),
		T(test_full_disk),
		T(test_locked_by_another),
		T(test_read_only_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
