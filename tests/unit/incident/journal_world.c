#include "journal_world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

bool world_is_dynamodb(void)
{
	const char *kind = getenv("CORDON_TEST_JOURNAL");

	return kind != NULL && strcmp(kind, "dynamodb") == 0;
}

int world_count(const char *variable, int otherwise)
{
	const char *text = getenv(variable);

	return text != NULL ? (int)strtol(text, NULL, 10) : otherwise;
}

int world_processes(void)
{
	return getenv("CORDON_TEST_ALONE") != NULL ? 1 : 4;
}

/* As deploy/journal.yaml makes it; test_journal_stores.py compares the two. */
static void make_table(struct world *w)
{
	static int n;
	char name[64];
	struct aws_client *aws = NULL;
	struct err err = { 0 };

	snprintf(name, sizeof name, "journal-%ld-%d", (long)getpid(), n++);
	snprintf(w->where, sizeof w->where, "dynamodb:%s", name);
	json_t *params =
		json_pack("{s:s, s:s, s:[{s:s, s:s}, {s:s, s:s}], s:[{s:s, s:s}, {s:s, s:s}]}",
			"TableName", name, "BillingMode", "PAY_PER_REQUEST", "KeySchema",
			"AttributeName", "pk", "KeyType", "HASH", "AttributeName", "sk",
			"KeyType", "RANGE", "AttributeDefinitions", "AttributeName", "pk",
			"AttributeType", "S", "AttributeName", "sk", "AttributeType", "N");
	assert_int_equal(aws_client_new(env_system(), NULL, &aws, &err), ERR_OK);
	if (aws_call(aws, "dynamodb", "CreateTable", params, NULL, &err) != ERR_OK) {
		fail_msg("%s", err.msg);
	}
	json_decref(params);
	aws_client_free(aws);
}

int world_set_up(void **state)
{
	static uint64_t worlds;
	struct world *w = calloc(1, sizeof *w);
	struct err err = { 0 };

	assert_non_null(w);
	/* DynamoDB remembers the tokens of transactions: no two worlds may draw the same ones. */
	uint64_t seed = ((uint64_t)getpid() << 32) + (uint64_t)time(NULL) * 64 + worlds++;
	env_fake_init(&w->env, NOW_MS, seed, (const char *const *)environ);
	if (world_is_dynamodb()) {
		make_table(w);
	} else {
		snprintf(w->folder, sizeof w->folder, "/tmp/cordon-journal-XXXXXX");
		assert_non_null(mkdtemp(w->folder));
		snprintf(w->path, sizeof w->path, "%s/a/b/cordon.db", w->folder);
		snprintf(w->where, sizeof w->where, "sqlite:%s", w->path);
	}
	if (journal_open(&w->env.base, w->where, NULL, &w->j, &err) != ERR_OK) {
		fail_msg("%s", err.msg);
	}
	*state = w;
	return 0;
}

void world_remove_tree(const char *path)
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
			world_remove_tree(sub);
		}
	}
	if (d != NULL) {
		closedir(d);
	}
	rmdir(path);
}

int world_tear_down(void **state)
{
	struct world *w = *state;

	journal_close(w->j);
	if (w->folder[0] != '\0') {
		world_remove_tree(w->folder);
	}
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

bool world_case(struct journal *j, const char *key, const char *arn, char id[32])
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

void world_note(struct journal *j, const char *id, const char *text)
{
	json_t *p = json_pack("{s:s}", "text", text);
	struct err err = { 0 };

	if (journal_append(j, id, "case.note", p, NULL, &err) != ERR_OK) {
		fail_msg("%s", err.msg);
	}
	json_decref(p);
}

json_t *world_read(struct journal *j, const char *id)
{
	json_t *records = NULL;

	assert_int_equal(journal_read(j, id, &records, NULL), ERR_OK);
	return records;
}

void world_in_processes(struct world *w, int n, void (*work)(struct journal *j, int k))
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
			if (read(start[0], &go, 1) != 0 || journal_open(env_system(), w->where,
								   NULL, &j, NULL) != ERR_OK) {
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
