/* The playbook language: what is refused and with which words, and how a playbook is chosen. */
#include "response/playbook_model.h"
#include "tests/unit/response/routing.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "name: t\ntitle: T\nanswers: {types: [\"*\"]}\n"

static enum err_status parse(const char *text, struct err *e)
{
	struct arena arena;
	struct playbook p = { 0 };
	arena_init(&arena, 4 * 1024 * 1024);
	enum err_status st = playbook_parse(&arena, str_from(text), "t.yaml", &p, e);
	json_decref(p.doc);
	arena_deinit(&arena);
	return st;
}

static void mistakes_are_named_with_file_and_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "[]", "t.yaml:1: a playbook is a mapping" },
		{ "name: t\n", "'title' is missing" },
		{ "title: t\n", "'name' is missing" },
		{ "name: t\ntitle: T\nsteps: []\n", "'answers' is missing" },
		{ "name: t\ntitle: T\nanswers: {severity: high}\nsteps: []\n",
			"'types' is missing" },
		{ HEAD, "'steps' is missing" },
		{ HEAD "stepz: []\n", "t.yaml:4: unknown key 'stepz' (did you mean 'steps'?)" },
		{ HEAD "colour: red\nsteps: []\n", "t.yaml:4: unknown key 'colour'" },
		{ HEAD "steps: 3\n", "t.yaml:4: 'steps' must be a list" },
		{ HEAD "steps:\n  - on: Instance\n    mode: auto\n", "without 'action'" },
		{ HEAD "steps:\n  - action: stop-instance\n    mode: auto\n", "must say 'on'" },
		{ HEAD "steps:\n  - action: stop-instance\n    on: Instanse\n    mode: auto\n",
			"t.yaml:6: unknown resource kind 'Instanse' (did you mean "
			"'Instance'?)" },
		{ HEAD "steps:\n  - action: stop-instance\n    on: Instance\n", "has no mode" },
		{ HEAD "steps:\n  - action: stop-instance\n    on: Instance\n    mode: "
		       "aprove\n",
			"t.yaml:7: unknown mode or matrix 'aprove' (did you mean 'approve'?)" },
		{ HEAD "steps:\n  - action: isolate-netwerk\n    on: Instance\n    mode: "
		       "auto\n",
			"t.yaml:5: unknown action 'isolate-netwerk' (did you mean "
			"'isolate-network'?)" },
		{ HEAD "steps:\n  - action: isolate-network\n    on: S3Bucket\n    mode: "
		       "auto\n",
			"t.yaml:6: action 'isolate-network' does not work on S3Bucket" },
		{ HEAD "steps:\n  - {action: stop-instance, on: Instance, mode: auto, needs: "
		       "[x]}\n",
			"unknown earlier step 'x'" },
		{ HEAD "steps:\n  - {id: a, action: stop-instance, on: Instance, mode: auto}\n"
		       "  - {id: a, action: stop-instance, on: Instance, mode: auto}\n",
			"t.yaml:6: two steps are called 'a'" },
		{ HEAD "steps:\n  - action: stop-instance\n    on: Instance\n    mode: auto\n"
		       "    with: {ips: $actor_ip}\n",
			"unknown variable '$actor_ip' (did you mean '$actor_ips'?)" },
		{ HEAD "steps:\n  - action: stop-instance\n    on: Instance\n    mode: auto\n"
		       "    when:\n      severty: high\n",
			"t.yaml:9: unknown key 'severty' (did you mean 'severity'?)" },
		{ HEAD "steps:\n  - action: stop-instance\n    on: Instance\n    mode: auto\n"
		       "    when: {severity: hihg}\n",
			"unknown severity 'hihg'" },
		{ HEAD "steps:\n  - action: stop-instance\n    on: Instance\n    mode: auto\n"
		       "    when: {public: yes}\n",
			"'public' must be true or false" },
		{ HEAD "steps:\n  - action: stop-instance\n    on: Instance\n    mode: auto\n"
		       "    when: {tags: {a: 1}}\n",
			"in quotes" },
		{ HEAD "modes:\n  m:\n    other: auto\nsteps: []\n",
			"has no row 'production'" },
		{ HEAD "modes:\n  m:\n    productoin: auto\nsteps: []\n",
			"t.yaml:6: unknown key 'productoin' (did you mean 'production'?)" },
		{ HEAD "modes:\n  m:\n    production: {hgih: auto}\nsteps: []\n",
			"unknown key 'hgih' (did you mean 'high'?)" },
		{ HEAD "modes:\n  m:\n    production: {high: automatic}\nsteps: []\n",
			"unknown mode 'automatic'" },
		{ HEAD "modes:\n  auto:\n    production: auto\nsteps: []\n",
			"'auto' is a mode" },
		{ HEAD "approve: {until: soon}\nsteps: []\n", "'until' must be" },
		{ HEAD "approve: {until: 200h}\nsteps: []\n", "'until' must be" },
		{ HEAD "approve: {on_expiry: do}\nsteps: []\n", "unknown on_expiry 'do'" },
		{ "name: [\n", "t.yaml:" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = { 0 };
		assert_int_not_equal(parse(cases[i].text, &e), ERR_OK);
		if (strstr(e.msg, cases[i].message) == NULL) {
			fail_msg("case %zu: \"%s\" is not in \"%s\"", i, cases[i].message,
				e.msg);
		}
		assert_int_equal(e.status, ERR_CONFIG);
	}
}

static void environments_are_production_unless_known(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		enum playbook_env env;
	} cases[] = { { "production", PLAYBOOK_PRODUCTION }, { "PROD", PLAYBOOK_PRODUCTION },
		{ "", PLAYBOOK_PRODUCTION }, { "blue", PLAYBOOK_PRODUCTION },
		{ "testimony", PLAYBOOK_PRODUCTION },
		{ "development-and-prod", PLAYBOOK_PRODUCTION }, { " Test ", PLAYBOOK_TEST },
		{ "QA", PLAYBOOK_TEST }, { "dev", PLAYBOOK_DEVELOPMENT },
		{ "Staging-2", PLAYBOOK_STAGING }, { "sandbox", PLAYBOOK_SANDBOX },
		{ "0123456789012345678901234567890123456789", PLAYBOOK_PRODUCTION } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (playbook_env_of(str_from(cases[i].value)) != cases[i].env) {
			fail_msg("%s", cases[i].value);
		}
	}
}

/* A folder of two playbooks; the caller removes it. */
static void write_folder(char folder[64], const char *a, const char *b)
{
	char path[100];
	(void)snprintf(folder, 64, "/tmp/cordon-playbooks-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/a.yaml", folder);
	assert_int_equal(env_write_file(env_system(), path, str_from(a), 0600, NULL), ERR_OK);
	(void)snprintf(path, sizeof(path), "%s/b.yaml", folder);
	assert_int_equal(env_write_file(env_system(), path, str_from(b), 0600, NULL), ERR_OK);
}

static void remove_folder(const char *folder)
{
	char path[100];
	(void)snprintf(path, sizeof(path), "%s/a.yaml", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/b.yaml", folder);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

static void a_folder_replaces_the_built_in_ones(void **state)
{
	(void)state;
	char folder[64];
	struct config c = routing_config(CONFIG_AUTO);
	struct playbook_set *s = NULL;
	struct err e = { 0 };
	write_folder(folder,
		"name: wide\ntitle: W\nanswers: {types: [\"*:EC2/*\"]}\nsteps: []\n",
		"name: exact\ntitle: E\nanswers: {types: [\"*:EC2/*\"], severity: "
		"high}\nsteps: []\n");
	c.playbooks = folder;
	assert_int_equal(playbook_load(env_system(), &c, &s, &e), ERR_OK);
	json_t *list = playbook_list(s);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(doc_text(list, "[0].name"), "wide");
	assert_string_equal(doc_text(list, "[1].answers[0]"), "*:EC2/*");
	json_decref(list);
	/* Same letters: the one with more conditions, where they hold. */
	struct routing_case high = { .type = "A:EC2/B", .severity = 8 };
	struct routing_case low = { .type = "A:EC2/B", .severity = 2 };
	struct routing_case other = { .type = "A:S3/B", .severity = 8 };
	json_t *route = routing_route(s, &c, &high);
	assert_string_equal(doc_text(route, "playbook"), "exact");
	json_decref(route);
	route = routing_route(s, &c, &low);
	assert_string_equal(doc_text(route, "playbook"), "wide");
	json_decref(route);
	route = routing_route(s, &c, &other); /* no `unknown` in this folder */
	assert_true(json_is_null(json_object_get(route, "playbook")));
	assert_string_equal(doc_text(route, "mode"), "notify");
	json_decref(route);
	playbook_set_free(s);
	remove_folder(folder);
	assert_int_equal(playbook_load(env_system(), &c, &s, &e), ERR_CONFIG);
	assert_non_null(strstr(e.msg, "can't read the folder"));
}

static void two_playbooks_of_one_name_are_refused(void **state)
{
	(void)state;
	char folder[64];
	struct config c = routing_config(CONFIG_AUTO);
	struct playbook_set *s = NULL;
	struct err e = { 0 };
	write_folder(folder, HEAD "steps: []\n", HEAD "steps: []\n");
	c.playbooks = folder;
	assert_int_equal(playbook_load(env_system(), &c, &s, &e), ERR_CONFIG);
	assert_non_null(strstr(e.msg, "is taken by"));
	remove_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named_with_file_and_line),
		cmocka_unit_test(environments_are_production_unless_known),
		cmocka_unit_test(a_folder_replaces_the_built_in_ones),
		cmocka_unit_test(two_playbooks_of_one_name_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
