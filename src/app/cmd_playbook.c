/* Playbooks looked at and tried out. No AWS call is made. */
#include "app/app.h"
#include "base/text.h"
#include "finding/finding.h"
#include "response/guard.h"
#include "response/matrix.h"
#include "response/playbook.h"

#include <stdlib.h>
#include <string.h>

/* One cell of a table: escaped for the terminal, padded to `width` (0 = the last one). */
static void cell(const char *text, size_t width)
{
	struct buf b;
	buf_init(&b, 65536);
	text_terminal(str_from(text), &b);
	printf("%-*s%s", (int)width, b.p != NULL ? b.p : "", width > 0 ? "  " : "\n");
	buf_deinit(&b);
}

/* A line "label: text" of the block about one finding. */
static void line(const struct app *app, const char *label, const char *text)
{
	printf("%-12s", app_tr(app, label));
	cell(text, 0);
}

static char *joined(const json_t *list)
{
	struct buf b;
	size_t i = 0;
	json_t *v = NULL;
	buf_init(&b, 65536);
	buf_puts(&b, "");
	json_array_foreach(list, i, v)
	{
		buf_printf(&b, "%s%s", i > 0 ? ", " : "", json_string_value(v));
	}
	return buf_steal(&b);
}

static enum err_status list(struct app *app, const struct playbook_set *set)
{
	json_t *all = playbook_list(set);
	size_t i = 0;
	json_t *p = NULL;

	if (app->output != APP_TABLE) {
		app_print_json(app, all);
		json_decref(all);
		return ERR_OK;
	}
	json_array_foreach(all, i, p)
	{
		char *answers = joined(json_object_get(p, "answers"));
		char steps[32];
		(void)snprintf(steps, sizeof(steps), "%zu",
			json_array_size(json_object_get(p, "steps")));
		cell(doc_text_or(p, "name", ""), 26);
		cell(steps, 3);
		const char *title = doc_text_or(p, "title", "");
		cell(app_tr(app, title), 0);
		printf("%-33s", "");
		cell(answers, 0);
		free(answers);
	}
	json_decref(all);
	return ERR_OK;
}

/* The file itself: comments and all, ready to be copied and edited. */
static enum err_status show(struct app *app, const struct playbook_set *set, struct err *err)
{
	enum err_status st = ERR_OK;
	const char *name = app->n_args == 2 ? app->args[1] : NULL;
	struct str source = { NULL, 0 };
	if (name == NULL) {
		return err_set(err, ERR_USAGE, "name one playbook: cordon playbook show NAME");
	}
	TRY(playbook_source(set, name, &source, err));
	if (app->output == APP_TABLE) {
		(void)fwrite(source.p, 1, source.n, stdout);
	} else {
		json_t *all = playbook_list(set);
		size_t i = 0;
		json_t *p = NULL;
		json_array_foreach(all, i, p)
		{
			if (strcmp(doc_text_or(p, "name", ""), name) == 0) {
				json_object_set_new(p, "source", doc_str(source));
				app_print_json(app, p);
			}
		}
		json_decref(all);
	}
out:
	return st;
}

static void print_steps(const struct app *app, const json_t *steps)
{
	size_t i = 0;
	json_t *s = NULL;
	json_array_foreach(steps, i, s)
	{
		char *needs = joined(json_object_get(s, "needs"));
		char resource[300];
		char wait[600] = "";
		(void)snprintf(resource, sizeof(resource), "%s %s",
			doc_text_or(s, "resource.kind", ""), doc_text_or(s, "resource.id", ""));
		if (needs[0] != '\0') {
			(void)snprintf(
				wait, sizeof(wait), "%s %s", app_tr(app, N_("after")), needs);
		}
		printf("  %2zu  ", i + 1);
		cell(doc_text_or(s, "mode", ""), 8);
		cell(doc_text_or(s, "id", ""), 26);
		cell(resource, wait[0] != '\0' ? 32 : 0);
		if (wait[0] != '\0') {
			cell(wait, 0);
		}
		free(needs);
	}
}

static void print_route(const struct app *app, const json_t *r)
{
	char text[700];
	size_t i = 0;
	json_t *h = NULL;
	double severity = doc_real(r, "finding.severity", 0);

	(void)snprintf(text, sizeof(text), "%s  %s %.1f (%s)  %s %s",
		doc_text_or(r, "finding.type", ""), app_tr(app, N_("severity")), severity,
		app_tr(app, finding_severity_word(severity)),
		doc_text_or(r, "finding.account", ""), doc_text_or(r, "finding.region", ""));
	line(app, N_("finding"), text);
	const char *title = doc_text_or(r, "title", "");
	(void)snprintf(text, sizeof(text), "%s: %s",
		doc_text_or(r, "playbook", app_tr(app, N_("none"))), app_tr(app, title));
	line(app, N_("playbook"), text);
	line(app, N_("mode"), doc_text_or(r, "mode", ""));
	json_array_foreach(json_object_get(r, "held_back"), i, h)
	{
		const char *guard = doc_text_or(h, "guard", "");
		(void)snprintf(text, sizeof(text), "%s: %s", guard,
			app->lang == I18N_EN ? doc_text_or(h, "reason", "")
					     : app_tr(app, guard_text(guard)));
		line(app, N_("held back"), text);
	}
	if (json_array_size(json_object_get(r, "steps")) == 0) {
		line(app, N_("steps"), app_tr(app, N_("none: nothing is changed")));
	} else {
		printf("%s\n", app_tr(app, N_("steps")));
		print_steps(app, json_object_get(r, "steps"));
	}
	printf("\n");
}

/* Words about what is no route, on stderr: standard output stays data. */
static void tell_rest(const struct app *app, const char *path, const struct finding_set *found)
{
	size_t i = 0;
	json_t *v = NULL;
	json_array_foreach(found->rejected, i, v)
	{
		struct buf b;
		buf_init(&b, 4096);
		text_terminal(str_from(doc_text_or(v, "reason", "")), &b);
		(void)fprintf(stderr, "cordon: %s: %s %lld: %s\n", path,
			app_tr(app, N_("part")), (long long)doc_int(v, "index", 0),
			b.p != NULL ? b.p : "");
		buf_deinit(&b);
	}
	if (found->not_findings > 0) {
		(void)fprintf(stderr, "cordon: %s: %zu %s\n", path, found->not_findings,
			i18n_trn(app->lang, "event is no finding", "events are no findings",
				(long)found->not_findings));
	}
}

static enum err_status test_file(struct app *app, const struct playbook_set *set,
	const struct config *config, const char *path, struct err *err)
{
	enum err_status st = ERR_OK;
	struct buf data = { 0 };
	struct finding_set found = { 0 };
	json_t *route = NULL;

	TRY(app_read_input(app, path, FINDING_MAX_BYTES, &data, err));
	st = finding_read(buf_view(&data), &found, err);
	if (st != ERR_OK) {
		(void)err_prefix(err, "%s", path);
		goto out;
	}
	for (size_t i = 0; i < found.n; i++) {
		TRY(playbook_route(set, config, found.items[i], &route, err));
		if (app->output == APP_TABLE) {
			print_route(app, route);
		} else {
			char *text = json_dumps(route, JSON_COMPACT);
			printf("%s\n", text != NULL ? text : "null");
			free(text);
		}
		json_decref(route);
		route = NULL;
	}
	tell_rest(app, path, &found);
	if (json_array_size(found.rejected) > 0) {
		app->exit_code = err_exit_code(ERR_PARTIAL);
	}
out:
	json_decref(route);
	finding_set_deinit(&found);
	buf_deinit(&data);
	return st;
}

/*
 * What the playbooks decide is shown for the configured mode; where none is configured, for auto:
 * the mode of a first installation would turn every line into "notify" and hide the decision.
 */
static enum config_mode mode_to_test(const struct app *app)
{
	const char *mode = app_opt(app, "mode");
	if (mode != NULL) {
		return strcmp(mode, "observe") == 0   ? CONFIG_OBSERVE
		       : strcmp(mode, "approve") == 0 ? CONFIG_APPROVE
						      : CONFIG_AUTO;
	}
	bool configured = app->config.file != NULL || env_var(app->env, "CORDON_MODE") != NULL;
	return configured ? app->config.mode : CONFIG_AUTO;
}

static enum err_status test(struct app *app, const struct playbook_set *set, struct err *err)
{
	struct config config = app->config; /* borrows everything but the mode */
	enum err_status worst = ERR_OK;

	config.mode = mode_to_test(app);
	if (app->n_args < 2) {
		return err_set(err, ERR_USAGE,
			"name at least one finding: cordon playbook test FINDING...");
	}
	for (int i = 1; i < app->n_args; i++) {
		struct err e = { 0 };
		enum err_status st = test_file(app, set, &config, app->args[i], &e);
		if (st != ERR_OK && app->n_args > 2) {
			(void)fprintf(stderr, "cordon: %s\n", e.msg);
		}
		if (st != ERR_OK) {
			worst = st;
			if (err != NULL) {
				*err = e;
			}
		}
	}
	if (worst != ERR_OK && app->n_args > 2) {
		return err_set(err, worst, "some of the files could not be read");
	}
	return worst;
}

/* "run 8, ask 3, tell 1", or what holds everything back. */
static void matrix_cell(const struct app *app, const json_t *c)
{
	static const struct {
		const char *mode, *word;
	} words[] = { { "auto", N_("run") }, { "approve", N_("ask") },
		{ "notify", N_("tell") } };
	const json_t *steps = json_object_get(c, "steps"), *s = NULL;
	char text[200] = "";
	size_t used = 0, i = 0;

	for (size_t k = 0; k < 3; k++) {
		size_t n = 0;
		json_array_foreach(steps, i, s)
		{
			n += strcmp(doc_text_or(s, "mode", ""), words[k].mode) == 0;
		}
		if (n > 0) {
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %zu",
				used > 0 ? ", " : "", app_tr(app, words[k].word), n);
		}
	}
	if (doc_text(c, "held_back[0].guard") != NULL) {
		(void)snprintf(text, sizeof(text), "%s",
			app_tr(app, guard_text(doc_text(c, "held_back[0].guard"))));
	} else if (used == 0) {
		(void)snprintf(
			text, sizeof(text), "%s", app_tr(app, N_("tell; change nothing")));
	}
	cell(text, 0);
}

static enum err_status matrix_row(void *ctx, const json_t *row, struct err *err)
{
	static const char *const modes[] = { "observe", "approve", "auto" };
	static const char *const environments[] = { "production", "other" };
	struct app *app = ctx;
	char text[200], path[60];

	(void)err;
	if (app->output != APP_TABLE) {
		app_print_line(row);
		return ERR_OK;
	}
	(void)snprintf(text, sizeof(text), "%s  %s  %s%s%s  -> %s",
		doc_text_or(row, "type", ""), doc_text_or(row, "kind", ""),
		app_tr(app, doc_text_or(row, "severity", "")),
		doc_text(row, "role") ? "  " : "", doc_text_or(row, "role", ""),
		doc_text_or(row, "playbook", app_tr(app, N_("none"))));
	cell(text, 0);
	for (size_t m = 0; m < 3; m++) {
		for (size_t e = 0; e < 2; e++) {
			(void)snprintf(
				path, sizeof(path), "modes.%s.%s", modes[m], environments[e]);
			printf("    %-8s %-11s ", modes[m],
				app_tr(app, e == 0 ? N_("production") : N_("elsewhere")));
			matrix_cell(app, doc_get(row, path));
		}
	}
	return ERR_OK;
}

static enum err_status run(struct app *app, struct err *err)
{
	enum err_status st = ERR_OK;
	struct playbook_set *set = NULL;
	const char *what = app->args[0];

	TRY(playbook_load(app->env, &app->config, &set, err));
	if (strcmp(what, "list") == 0) {
		st = list(app, set);
	} else if (strcmp(what, "show") == 0) {
		st = show(app, set, err);
	} else if (strcmp(what, "test") == 0 && app_opt(app, "all-types") != NULL) {
		const struct matrix_options every = { app_opt(app, "severity") };
		st = matrix_each(set, &app->config, &every, matrix_row, app, err);
	} else if (strcmp(what, "test") == 0) {
		st = test(app, set, err);
	} else {
		st = err_set(err, ERR_USAGE,
			"'%.40s' is not known: cordon playbook list, show NAME or test "
			"FINDING...",
			what);
	}
out:
	playbook_set_free(set);
	return st;
}

static const struct app_option options[] = {
	{ "mode", 0, "MODE", N_("Decide as if `mode` of cordon.yaml were this"),
		"observe|approve|auto" },
	{ "all-types", 0, NULL,
		N_("test: every known finding type, what would be done in each mode, in "
		   "production and elsewhere"),
		NULL },
	{ "severity", 0, "WORD", N_("test --all-types: as if every finding were that severe"),
		"low|medium|high|critical" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct app_command cmd_playbook = {
	.name = "playbook",
	.usage = "list | show NAME | test FINDING... | test --all-types",
	.summary = N_("List and show playbooks; see what they decide for a finding"),
	.text = N_("No AWS call is made. `test` prints one route (cordon.route/1) a line for "
		   "every finding in the files: the playbook, the mode, the steps, and what a "
		   "guard holds back. Files may be events, GetFindings output, lists, JSON "
		   "lines, ASFF, OCSF, gzip of each; - is standard input."),
	.examples = "cordon playbook list\tAll playbooks and what they answer\n"
		    "cordon playbook show ec2-compromised\tOne playbook, to copy and edit\n"
		    "cordon playbook test finding.json\tWhat would be done for a finding\n"
		    "cordon playbook test --all-types\tEvery type in every mode\n"
		    "cordon playbook test --mode approve *.json.gz\tThe same when cordon may "
		    "only ask",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
