/*
 * Drives the evidence and notify rooms for the tests against an emulator, without the flow that
 * otherwise calls them:
 *   drive_rooms open OPENED.json FINDING.json      opens a case, prints its id
 *   drive_rooms acquire CASE DIR|- FROM TO         takes evidence and seals it
 *   drive_rooms put CASE NAME FILE                 stores one file
 *   drive_rooms notify CASE EVENT                  announces it
 *   drive_rooms note CASE KIND PAYLOAD.json        appends any record
 * Configuration and AWS come from the environment, as for the program.
 */
#include "base/utc.h"
#include "evidence/vault.h"
#include "incident/view.h"
#include "notify/notify.h"

#include <stdio.h>
#include <string.h>

struct world {
	struct env *env;
	struct config config;
	struct aws_client *aws;
	struct journal *journal;
};

static enum err_status document(
	struct world *w, const char *path, json_t **out, struct err *err)
{
	struct buf b = { 0 };

	buf_init(&b, DOC_MAX_BYTES);
	enum err_status st = env_read_file(w->env, path, &b, err);
	if (st == ERR_OK) {
		st = doc_parse(buf_view(&b), DOC_MAX_BYTES, out, err);
	}
	buf_deinit(&b);
	return st;
}

static void print(const json_t *doc)
{
	struct buf b = { 0 };

	buf_init(&b, DOC_MAX_BYTES);
	doc_canonical(doc, &b);
	printf("%s\n", b.p ? b.p : "null");
	buf_deinit(&b);
}

static enum err_status open_case(struct world *w, char **args, struct err *err)
{
	json_t *opened = NULL;
	json_t *finding = NULL;
	json_t *payload = NULL;
	char id[32];
	bool joined = false;
	enum err_status st = document(w, args[0], &opened, err);

	if (st == ERR_OK) {
		st = document(w, args[1], &finding, err);
	}
	if (st == ERR_OK) {
		st = journal_case_open(w->journal, opened, id, &joined, err);
	}
	if (st == ERR_OK) {
		payload = json_pack("{s:O, s:s, s:i}", "finding", finding, "arn",
			doc_text_or(finding, "arn", ""), "count", 1);
		st = journal_append(w->journal, id, "finding.received", payload, NULL, err);
		printf("%s\n", id);
	}
	json_decref(payload);
	json_decref(opened);
	json_decref(finding);
	return st;
}

static enum err_status acquire(struct world *w, char **args, struct err *err)
{
	struct acquire_plan plan = { .dir = strcmp(args[1], "-") == 0 ? NULL : args[1] };
	struct vault *v = NULL;
	json_t *view = NULL;
	json_t *weak = NULL;
	json_t *out = NULL;
	enum err_status st = ERR_OK;

	(void)utc_parse(str_from(args[2]), &plan.from_ms);
	(void)utc_parse(str_from(args[3]), &plan.to_ms);
	TRY(view_read(w->journal, args[0], &view, err));
	TRY(vault_open(&(struct desk){ w->env, w->aws, w->journal, &w->config }, args[0], &v,
		&weak, err));
	st = vault_acquire(v, view, &plan, &out, err);
	if (out) {
		(void)json_object_set(out, "weak", weak);
		print(out);
	}
	if (st == ERR_OK || st == ERR_PARTIAL) {
		enum err_status sealed = vault_seal(v, st == ERR_OK ? err : NULL);
		st = sealed != ERR_OK ? sealed : st;
	}
out:
	vault_free(v);
	json_decref(out);
	json_decref(weak);
	json_decref(view);
	return st;
}

static enum err_status put(struct world *w, char **args, struct err *err)
{
	struct vault *v = NULL;
	struct buf b = { 0 };
	json_t *item = NULL;
	json_t *source = json_pack("{s:s}", "type", "test");
	enum err_status st = ERR_OK;

	buf_init(&b, 256u << 20);
	TRY(env_read_file(w->env, args[2], &b, err));
	TRY(vault_open(&(struct desk){ w->env, w->aws, w->journal, &w->config }, args[0], &v,
		NULL, err));
	TRY(vault_put(v, args[1], buf_view(&b), source, &item, err));
	print(item);
out:
	vault_free(v);
	buf_deinit(&b);
	json_decref(item);
	json_decref(source);
	return st;
}

static enum err_status notify(struct world *w, char **args, struct err *err)
{
	json_t *view = NULL;
	json_t *sent = NULL;
	enum err_status st = view_read(w->journal, args[0], &view, err);

	if (st == ERR_OK) {
		st = notify_case(&(struct desk){ w->env, w->aws, w->journal, &w->config }, view,
			args[1], &sent, err);
	}
	if (sent) {
		print(sent);
	}
	json_decref(sent);
	json_decref(view);
	return st;
}

static enum err_status note(struct world *w, char **args, struct err *err)
{
	json_t *payload = NULL;
	enum err_status st = document(w, args[2], &payload, err);

	if (st == ERR_OK) {
		st = journal_append(w->journal, args[0], args[1], payload, NULL, err);
	}
	json_decref(payload);
	return st;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		enum err_status (*run)(struct world *, char **, struct err *);
	} commands[] = { { "open", 2, open_case }, { "acquire", 4, acquire }, { "put", 3, put },
		{ "notify", 2, notify }, { "note", 3, note } };
	struct world w = { .env = env_system() };
	struct aws_options options = { 0 };
	struct err err = { 0 };
	enum err_status st = config_load(w.env, NULL, &w.config, &err);

	if (st == ERR_OK) {
		st = aws_client_new(w.env, &options, &w.aws, &err);
	}
	if (st == ERR_OK) {
		st = journal_open(w.env, w.config.state, &options, &w.journal, &err);
	}
	for (size_t i = 0; st == ERR_OK && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (argc == commands[i].args + 2 && strcmp(argv[1], commands[i].name) == 0) {
			st = commands[i].run(&w, argv + 2, &err);
			break;
		}
	}
	if (st != ERR_OK) {
		(void)fprintf(stderr, "%s: %s\n", err_name(st), err.msg);
	}
	journal_close(w.journal);
	aws_client_free(w.aws);
	config_deinit(&w.config);
	return err_exit_code(st);
}
