/* The journal's SQLite file: who may read it, what tampering and damage look like, full and locked. */
#include "journal_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_files_are_private_and_kept(void **state)
{
	struct world *w = *state;
	struct stat s;
	char id[32], folder[96];

	world_case(w->j, "k", "arn:1", id);
	assert_int_equal(stat(w->path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
	snprintf(folder, sizeof folder, "%s/a", w->folder);
	assert_int_equal(stat(folder, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0700);
	journal_close(w->j);
	assert_int_equal(journal_open(&w->env.base, w->where, NULL, &w->j, NULL), ERR_OK);
	json_t *r = world_read(w->j, id);
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

	world_case(w->j, "k1", "arn:1", id);
	world_note(w->j, id, "one");
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

	world_case(w->j, "k1", "arn:1", id);
	world_note(w->j, id, "one");
	world_note(w->j, id, "two");
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

	world_case(w->j, "k1", "arn:1", id);
	world_note(w->j, id, "one");
	world_note(w->j, id, "two");
	assert_int_equal(
		meddle(w, "DROP TRIGGER records_stay; DELETE FROM records WHERE seq = 3"),
		SQLITE_OK);
	assert_int_equal(journal_check(w->j, id, &n, &err), ERR_INTEGRITY);
	assert_int_equal(
		journal_append(w->j, id, "case.note", NULL, NULL, &err), ERR_INTEGRITY);
	assert_non_null(strstr(err.msg, "behind cordon's back"));
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

static void test_processes_make_the_store_at_once(void **state)
{
	struct world *w = *state;
	json_t *list = NULL;

	journal_close(w->j);
	world_remove_tree(w->folder);
	assert_int_equal(mkdir(w->folder, 0700), 0);
	world_in_processes(w, 4, open_own);
	assert_int_equal(journal_open(&w->env.base, w->where, NULL, &w->j, NULL), ERR_OK);
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
	enum err_status st = journal_open(&w->env.base, w->where, NULL, &j, err);

	journal_close(j);
	return st;
}

static void test_wrong_places(void **state)
{
	struct world *w = *state;
	struct journal *j = NULL;
	struct err err = { 0 };

	assert_int_equal(journal_open(&w->env.base, "mysql:x", NULL, &j, &err), ERR_CONFIG);
	assert_int_equal(journal_open(&w->env.base, "sqlite:", NULL, &j, &err), ERR_CONFIG);
	assert_int_equal(journal_open(&w->env.base, NULL, NULL, &j, &err), ERR_CONFIG);
	assert_int_equal(journal_open(&w->env.base, "dynamodb:", NULL, &j, &err), ERR_CONFIG);
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
		world_case(w->j, key, key, id);
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
	enum err_status st = journal_open(&w->env.base, w->where, NULL, &w->j, &err);
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

	world_case(w->j, "k1", "arn:1", id);
	world_note(w->j, id, "before");
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
	world_note(w->j, id, "after");
}

static void test_locked_by_another(void **state)
{
	struct world *w = *state;
	char id[32];
	struct err err = { 0 };
	sqlite3 *db = NULL;

	world_case(w->j, "k1", "arn:1", id);
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(journal_append(w->j, id, "case.note", NULL, NULL, &err), ERR_IO);
	assert_non_null(strstr(err.msg, "another process"));
	sqlite3_close(db);
	world_note(w->j, id, "after");
}

static void test_read_only_file(void **state)
{
	struct world *w = *state;
	char id[32];
	struct err err = { 0 };

	bool root = geteuid() == 0; /* root may write everything: be somebody else */
	world_case(w->j, "k1", "arn:1", id);
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
	enum err_status opened_st = journal_open(&w->env.base, w->where, NULL, &w->j, &err);
	enum err_status append_st = ERR_OK;
	json_t *r = NULL;
	if (opened_st == ERR_OK) {
		r = world_read(w->j, id);
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

#define T(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_files_are_private_and_kept),
		T(test_records_are_append_only_for_everybody),
		T(test_tampering_behind_the_triggers_is_found),
		T(test_cut_off_end_is_found),
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
