#include "app/app.h"
#include "base/fill.h"
#include "base/text.h"
#include "evidence/vault.h"
#include "incident/view.h"

#include <string.h>

struct evidence_case {
	json_t *records, *view;
};

static enum err_status load(
	struct app *app, const char *id, struct evidence_case *c, struct err *err)
{
	struct journal *journal = NULL;
	enum err_status st = app_journal(app, &journal, err);

	if (st == ERR_OK) {
		st = journal_read(journal, id, &c->records, err);
	}
	if (st == ERR_OK) {
		st = view_fold(c->records, &c->view, err);
	}
	return st;
}

static void print_table(const struct app *app, const json_t *items)
{
	printf("%-44s %12s  %-16s  %s\n", app_tr(app, "NAME"), app_tr(app, "BYTES"), "SHA-256",
		app_tr(app, "LOCKED UNTIL"));
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *e = json_array_get(items, i);
		struct buf name = { 0 };
		buf_init(&name, 8192);
		text_terminal(str_from(doc_text_or(e, "name", "?")), &name);
		printf("%-44s %12lld  %.16s  %s\n", name.p ? name.p : "",
			(long long)doc_int(e, "size", 0), doc_text_or(e, "sha256", ""),
			doc_text_or(e, "retain_until", app_tr(app, "not locked")));
		buf_deinit(&name);
	}
}

static enum err_status list(struct app *app, const struct evidence_case *c)
{
	const json_t *items = doc_get(c->view, "evidence");

	if (app->output != APP_TABLE) {
		json_t *doc = json_pack("{s:s, s:s, s:O}", "schema", "cordon.evidence/1",
			"case", doc_text_or(c->view, "case", ""), "items", items);
		app_print_json(app, doc);
		json_decref(doc);
		return ERR_OK;
	}
	print_table(app, items);
	return ERR_OK;
}

static void said(const struct app *app, int64_t objects)
{
	char number[24];
	struct buf b = { 0 };

	(void)snprintf(number, sizeof(number), "%lld", (long long)objects);
	buf_init(&b, 400);
	fill_text(&b, app_tr(app, N_("verified: {0} objects are what the journal says")),
		(struct str[]){ str_from(number) }, 1, NULL);
	printf("%s\n", b.p);
	buf_deinit(&b);
}

static enum err_status verify(struct app *app, const struct evidence_case *c, struct err *err)
{
	struct aws_client *aws = NULL;
	json_t *result = NULL;
	/* What S3 holds is compared with the journal, so the journal is proven first. */
	enum err_status st = journal_verify(c->records, err);

	if (st == ERR_OK) {
		st = app_aws(app, &aws, err);
	}
	if (st == ERR_OK) {
		st = vault_verify(app->env, aws, c->view, &result, err);
	}
	if (result && app->output != APP_TABLE) {
		app_print_json(app, result);
	} else if (result && st == ERR_OK) {
		said(app, doc_int(result, "objects", 0));
	}
	json_decref(result);
	return st;
}

static enum err_status export(struct app *app, const struct evidence_case *c, struct err *err) {
	struct aws_client *aws = NULL; enum err_status st = ERR_OK;

	if (app->n_args < 3){ return err_set(err, ERR_USAGE,
		"name an empty folder: cordon evidence export %.40s DIR", app->args[1]); }
st = app_aws(app, &aws, err);
if (st == ERR_OK) {
	st = vault_export(app->env, aws, c->view, c->records, app->args[2], err);
}
return st;
}

static enum err_status init(struct app *app, struct err *err)
{
	struct aws_client *aws = NULL;
	enum err_status st = app_aws(app, &aws, err);

	if (st == ERR_OK) {
		st = vault_create_bucket(aws, &app->config, err);
	}
	return st;
}

static enum err_status run(struct app *app, struct err *err)
{
	const char *what = app->args[0];
	struct evidence_case c = { 0 };
	enum err_status st = ERR_OK;

	if (strcmp(what, "init") == 0) {
		return init(app, err);
	}
	if (strcmp(what, "list") != 0 && strcmp(what, "verify") != 0 &&
		strcmp(what, "export") != 0) {
		return err_set(err, ERR_USAGE,
			"evidence list, verify, export or init, not %.40s", what);
	}
	if (app->n_args < 2) {
		return err_set(err, ERR_USAGE, "name a case: cordon evidence %.10s CASE", what);
	}
	st = load(app, app->args[1], &c, err);
	if (st == ERR_OK) {
		st = what[0] == 'l'   ? list(app, &c)
		     : what[0] == 'v' ? verify(app, &c, err)
				      : export(app, &c, err);
	}
	json_decref(c.view);
	json_decref(c.records);
	return st;
}

const struct app_command cmd_evidence = {
	.name = "evidence",
	.usage = "list|verify|export|init [CASE [DIR]]",
	.summary = N_("Custody of a case: list, verify, export; make the bucket"),
	.text = N_("verify reads every object back from S3 by its version and compares size, "
		   "SHA-256 and lock with the journal: exit code 0, or 8 and the first thing "
		   "that does not fit.\nexport downloads everything into an empty folder, with "
		   "manifest, journal and SHA256SUMS, for checks without AWS.\ninit makes the "
		   "configured bucket with versioning, Object Lock, encryption and no public "
		   "access."),
	.examples = "cordon evidence verify 2026-0042\t" N_(
		"prove that nothing was changed") "\n"
						  "cordon evidence export 2026-0042 "
						  "./case\t" N_("take everything along") "\n",
	.min_args = 1,
	.max_args = 3,
	.run = run,
};
