/* What the tests of the journal share: a store with nothing in it, a few records, processes at once. */
#ifndef CORDON_TESTS_JOURNAL_WORLD_H
#define CORDON_TESTS_JOURNAL_WORLD_H

#include "incident/journal.h"

#include "../unit.h"

#define NOW_MS 1785578400000 /* 2026-08-01T10:00:00Z */

/*
 * A fake clock and a journal. With CORDON_TEST_JOURNAL=dynamodb in the environment the store is a new
 * table in the DynamoDB that the AWS_* variables name, else an SQLite file in a folder of its own.
 */
struct world {
	struct env_fake env;
	char folder[64], path[96], where[112];
	struct journal *j;
};

int world_set_up(void **state);
int world_tear_down(void **state);
bool world_is_dynamodb(void);
/* The number in a variable, for longer runs by hand. */
int world_count(const char *variable, int otherwise);
void world_remove_tree(const char *path);
/* Opens or joins a case; true when joined. */
bool world_case(struct journal *j, const char *key, const char *arn, char id[32]);
void world_note(struct journal *j, const char *id, const char *text);
json_t *world_read(struct journal *j, const char *id);
/*
 * How many processes a test may set on one store at once: 4, or 1 with CORDON_TEST_ALONE, for a store
 * that can't serve several (moto undoes a refused transaction by putting back a copy of the whole
 * table, and with it loses what others wrote meanwhile).
 */
int world_processes(void);
/* Runs `work` in n processes that begin at once; each opens the store for itself. */
void world_in_processes(struct world *w, int n, void (*work)(struct journal *j, int k));

#endif
