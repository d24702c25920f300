#include "response/action.h"
#include "tests/unit/unit.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 65536

static void every_action_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; action_all[i]; i++) {
		const struct action *a = action_all[i];
		assert_non_null(a->name);
		assert_non_null(a->title);
		assert_non_null(a->why);
		assert_non_null(a->risk);
		assert_non_null(a->undo_text);
		assert_non_null(a->kinds);
		assert_non_null(a->calls);
		assert_non_null(a->observe);
		assert_non_null(a->apply);
		assert_non_null(a->verify);
		assert_true(a->rounds > 0);
		assert_int_equal(a->reversible, a->undo != NULL);
		assert_ptr_equal(action_find(a->name), a);
		for (size_t k = 0; a->calls[k]; k++) {
			assert_non_null(strchr(a->calls[k], ':'));
		}
	}
	assert_null(action_find("no-such-action"));
	assert_null(action_find(NULL));
}

/* Sorted names are unique names. */
static void names_are_in_order(void **state)
{
	(void)state;
	for (size_t i = 1; action_all[i]; i++) {
		assert_true(strcmp(action_all[i - 1]->name, action_all[i]->name) < 0);
	}
}

/* The page of an action, docs/actions/NAME.md; static. */
static const char *page_of(const char *name)
{
	static char text[PAGE_MAX];
	char path[4096];
	const char *source = getenv("CORDON_SOURCE");
	(void)snprintf(
		path, sizeof(path), "%s/docs/actions/%s.md", source ? source : ".", name);
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		fail_msg("%s: no such page", path);
	}
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	assert_int_equal(fclose(f), 0);
	return text;
}

/* The next `service:Operation` in backticks from *at on, into out; false: no more. */
static bool next_permission(const char **at, char out[96])
{
	for (const char *p = strchr(*at, '`'); p != NULL; p = strchr(p + 1, '`')) {
		size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz0123456789-");
		size_t m = p[1 + n] == ':'
				   ? strspn(p + 2 + n, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						       "abcdefghijklmnopqrstuvwxyz0123456789")
				   : 0;
		if (n > 0 && m > 0 && p[2 + n + m] == '`' && n + m + 2 < 96) {
			memcpy(out, p + 1, n + m + 1);
			out[n + m + 1] = '\0';
			*at = p + 2 + n + m;
			return true;
		}
	}
	return false;
}

static bool declares(const struct action *a, const char *call)
{
	for (size_t k = 0; a->calls[k]; k++) {
		if (strcmp(a->calls[k], call) == 0) {
			return true;
		}
	}
	return false;
}

/* What a page lists as permissions is what the action declares; the driver of the emulator tests holds
 * what it really calls against the same list. */
static void pages_list_the_permissions_that_the_code_needs(void **state)
{
	(void)state;
	for (size_t i = 0; action_all[i]; i++) {
		const struct action *a = action_all[i];
		const char *page = page_of(a->name), *at = strstr(page, "## Permissions");
		char found[96];
		size_t listed = 0, declared = 0;
		if (at == NULL || strstr(page, "## What it calls") == NULL ||
			strstr(page, "## What it may break") == NULL ||
			strstr(page, "## What it can't do") == NULL ||
			(a->reversible && strstr(page, "## Undo") == NULL)) {
			fail_msg("docs/actions/%s.md lacks a section", a->name);
		}
		while (next_permission(&at, found)) {
			/* Handing a role to the runbook is no call, and only needed with one. */
			bool optional = strcmp(a->name, "contain-runbook") == 0 &&
					strcmp(found, "iam:PassRole") == 0;
			if (!declares(a, found) && !optional) {
				fail_msg("docs/actions/%s.md lists %s, which the action does "
					 "not call",
					a->name, found);
			}
			listed += !optional;
		}
		while (a->calls[declared]) {
			declared++;
		}
		if (listed != declared) {
			fail_msg("docs/actions/%s.md lists %zu permissions, the action needs "
				 "%zu",
				a->name, listed, declared);
		}
	}
}

/* A kind that the page does not name, or a page without an action. */
static void every_page_has_its_action(void **state)
{
	(void)state;
	char path[4096];
	const char *source = getenv("CORDON_SOURCE");
	(void)snprintf(path, sizeof(path), "%s/docs/actions", source ? source : ".");
	DIR *folder = opendir(path);
	assert_non_null(folder);
	for (const struct dirent *e; (e = readdir(folder)) != NULL;) {
		char name[256];
		(void)snprintf(name, sizeof(name), "%s", e->d_name);
		char *end = strstr(name, ".md");
		if (end != NULL && islower((unsigned char)name[0])) {
			*end = '\0';
			if (action_find(name) == NULL) {
				fail_msg("docs/actions/%s.md: there is no such action", name);
			}
		}
	}
	(void)closedir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_action_is_complete),
		cmocka_unit_test(names_are_in_order),
		cmocka_unit_test(pages_list_the_permissions_that_the_code_needs),
		cmocka_unit_test(every_page_has_its_action),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
