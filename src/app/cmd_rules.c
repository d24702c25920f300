#include "analysis/investigate.h"
#include "app/cli.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 * 1024)

static const struct app_option options[] = {
	{ "rules", 0, "DIR", N_("Folder of Sigma rules instead of the built-in ones"), NULL },
	{ "placeholders", 0, "FILE",
		N_("YAML file of values for placeholders in rules (expand)"), NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

static void print_safe(FILE *f, const char *s)
{
	struct buf b;
	buf_init(&b, TEXT_MAX);
	text_terminal(str_from(s), &b);
	(void)fprintf(f, "%s", b.p ? b.p : "");
	buf_deinit(&b);
}

/* Refused rules are told on stderr, one a line, and make the exit code 6: partly done. */
static void report_refused(struct app *app, const json_t *refused)
{
	size_t i;
	json_t *r;
	json_array_foreach(refused, i, r)
	{
		print_safe(stderr, doc_text_or(r, "file", ""));
		(void)fprintf(stderr, ":%lld: %s ", (long long)doc_int(r, "line", 1),
			app_tr(app, "rule refused:"));
		char told[400];
		print_safe(stderr,
			i18n_told(app->lang, doc_text_or(r, "reason", ""), told, sizeof(told)));
		(void)fprintf(stderr, "\n");
	}
	if (json_array_size(refused)) {
		app->exit_code = err_exit_code(ERR_PARTIAL);
	}
}

static struct investigate_rules rules_from(const struct app *app)
{
	const char *dir = app_opt(app, "rules");
	const char *values = app_opt(app, "placeholders");
	return (struct investigate_rules){ dir ? dir : app->config.rules,
		values ? values : app->config.placeholders };
}

static enum err_status test(struct app *app, struct err *err)
{
	json_t *doc = NULL;
	enum err_status st = ERR_OK;
	if (app->n_args < 2) {
		return err_set(err, ERR_USAGE,
			"rules test needs logs to test on: cordon rules test PATH...");
	}
	struct investigate_options opts = { .paths = app->args + 1,
		.n_paths = (size_t)app->n_args - 1,
		.rules = rules_from(app) };
	TRY(app_logs(app, opts.paths, opts.n_paths, &opts.source, err));
	TRY(investigate_rules_test(app->env, &opts, &doc, err));
	report_refused(app, json_object_get(doc, "refused"));
	const json_t *counts = json_object_get(doc, "counts");
	if (app->output != APP_TABLE) {
		app_print_json(app, counts);
		goto out;
	}
	const char *id;
	json_t *n;
	json_object_foreach((json_t *)(uintptr_t)counts, id, n)
	{
		if (json_integer_value(n)) {
			printf("%8lld  ", (long long)json_integer_value(n));
			print_safe(stdout, id);
			printf("\n");
		}
	}
out:
	json_decref(doc);
	return st;
}

static enum err_status list(struct app *app, struct err *err)
{
	json_t *doc = NULL;
	enum err_status st = ERR_OK;
	struct investigate_rules from = rules_from(app);
	TRY(investigate_rules_list(app->env, &from, &doc, err));
	report_refused(app, json_object_get(doc, "refused"));
	if (app->output != APP_TABLE) {
		app_print_json(app, doc);
		goto out;
	}
	size_t i;
	json_t *r;
	json_array_foreach(json_object_get(doc, "rules"), i, r)
	{
		printf("%-13s  ", doc_text_or(r, "level", ""));
		print_safe(stdout, doc_text_or(r, "title", ""));
		printf(doc_true(r, "applies") ? "\n" : "  (%s)\n",
			app_tr(app, "for logs that are not read here: never tried"));
	}
out:
	json_decref(doc);
	return st;
}

static void print_field(const char *name, const char *value)
{
	printf("%-10s ", name);
	print_safe(stdout, value);
	printf("\n");
}

static void explain_one(struct app *app, const json_t *rule)
{
	size_t i;
	json_t *v;
	print_field(app_tr(app, "title"), doc_text_or(rule, "title", ""));
	print_field(app_tr(app, "id"), doc_text_or(rule, "id", ""));
	print_field(app_tr(app, "level"), doc_text_or(rule, "level", ""));
	print_field(app_tr(app, "file"), doc_text_or(rule, "file", ""));
	if (*doc_text_or(rule, "description", "")) {
		print_field(app_tr(app, "about"), doc_text_or(rule, "description", ""));
	}
	const json_t *names = json_object_get(rule, "tried_on");
	if (!doc_true(rule, "applies")) {
		print_field(app_tr(app, "tried on"),
			app_tr(app, "nothing: it asks for logs that are not read here, or its "
				    "rules are missing"));
	} else if (json_is_array(names)) {
		printf("%-10s", app_tr(app, "tried on"));
		json_array_foreach(names, i, v)
		{
			printf(" ");
			print_safe(stdout, json_string_value(v));
		}
		printf("\n");
	} else if (json_is_null(names)) {
		print_field(app_tr(app, "tried on"),
			!strcmp(doc_text_or(rule, "source", ""), "web")
				? app_tr(app, "every request to a web server")
				: app_tr(app, "every event"));
	}
	printf("%s\n", app_tr(app, "matches when"));
	json_array_foreach(json_object_get(rule, "logic"), i, v)
	{
		printf("  ");
		print_safe(stdout, json_string_value(v));
		printf("\n");
	}
}

static enum err_status explain(struct app *app, struct err *err)
{
	json_t *doc = NULL;
	enum err_status st = ERR_OK;
	if (app->n_args != 2) {
		return err_set(err, ERR_USAGE,
			"rules explain needs one rule: cordon rules explain ID, name or title");
	}
	struct investigate_rules from = rules_from(app);
	TRY(investigate_rules_explain(app->env, &from, app->args[1], &doc, err));
	report_refused(app, json_object_get(doc, "refused"));
	if (app->output != APP_TABLE) {
		app_print_json(app, doc);
		goto out;
	}
	size_t i;
	json_t *r;
	json_array_foreach(json_object_get(doc, "rules"), i, r)
	{
		printf("%s", i ? "\n" : "");
		explain_one(app, r);
	}
out:
	json_decref(doc);
	return st;
}

static enum err_status run(struct app *app, struct err *err)
{
	if (!strcmp(app->args[0], "test")) {
		return test(app, err);
	}
	if (!strcmp(app->args[0], "list")) {
		return list(app, err);
	}
	if (!strcmp(app->args[0], "explain")) {
		return explain(app, err);
	}
	return err_set(
		err, ERR_USAGE, "rules %s is unknown; use list, test or explain", app->args[0]);
}

const struct app_command cmd_rules = {
	.name = "rules",
	.usage = "list | test PATH|s3://BUCKET/PREFIX... | explain RULE",
	.summary = N_("List and explain Sigma rules, or count what they match"),
	.text = N_("Rules are those of the program, or of --rules DIR, which may be a SigmaHQ "
		   "checkout. A rule that can't be supported is named with file, line and "
		   "reason, and the exit code is 6. test counts every event as it stands; "
		   "duplicates are not removed. For a correlation it counts the events at "
		   "which the condition held. explain shows in words what a rule asks for."),
	.examples = "cordon rules list\tThe rules that the program brings along\n"
		    "cordon rules test --rules sigma/rules AWSLogs/ --output json\tMatches by "
		    "rule id\n"
		    "cordon rules explain 'Trail Stopped, Deleted or Narrowed'\tWhat the rule "
		    "asks for\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
