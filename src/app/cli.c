#include "app/cli.h"

#include <stdlib.h>
#include <string.h>

const struct app_option cli_common[] = {
	{ "config", 'c', "FILE", N_("Configuration file instead of the search path"), NULL },
	{ "profile", 0, "NAME", N_("AWS profile"), NULL },
	{ "region", 0, "NAME", N_("AWS region"), NULL },
	{ "endpoint-url", 0, "URL", N_("Send every AWS call to this address"), NULL },
	{ "output", 'o', "FORMAT", N_("Form of the output: table on a terminal, else json"),
		"table|text|json|jsonl|csv" },
	{ "lang", 0, "LANG", N_("Language for people: English or Spanish"), "en|es" },
	{ "color", 0, "WHEN", N_("Colour: only on a terminal, always, or never"),
		"auto|always|never" },
	{ "progress", 0, "HOW", N_("Progress on standard error"), "auto|json|never" },
	{ "log-level", 0, "LEVEL", N_("Lowest level of log lines"),
		"trace|debug|info|warn|error|fatal|off" },
	{ "yes", 'y', NULL, N_("Do not ask; steps that want approval are approved by you"),
		NULL },
	{ "dry-run", 'n', NULL, N_("Show every change, make none"), NULL },
	{ "dryrun", 0, NULL, NULL, NULL }, /* the AWS CLI's spelling */
	{ "help", 'h', NULL, N_("Explain the command"), NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct app_command *cli_find(const char *name)
{
	for (size_t i = 0; app_commands[i]; i++) {
		if (strcmp(app_commands[i]->name, name) == 0) {
			return app_commands[i];
		}
	}
	return NULL;
}

static enum err_status unknown_command(const char *name, struct err *err)
{
	const char *nearest = NULL;
	size_t best = 4;
	for (size_t i = 0; app_commands[i]; i++) {
		size_t d = config_distance(str_from(name), str_from(app_commands[i]->name));
		if (d < best) {
			best = d;
			nearest = app_commands[i]->name;
		}
	}
	if (nearest) {
		return err_set(err, ERR_USAGE, "unknown command '%s'; did you mean '%s'?", name,
			nearest);
	}
	return err_set(err, ERR_USAGE, "unknown command '%s'; see: cordon help", name);
}

static const struct app_option *match(
	const struct app_option *table, struct str name, char letter)
{
	for (size_t i = 0; table && table[i].name; i++) {
		if ((letter && table[i].letter == letter) ||
			(!letter && str_is(name, table[i].name))) {
			return &table[i];
		}
	}
	return NULL;
}

static void nearest_option(
	const struct app_option *table, struct str name, const char **nearest, size_t *best)
{
	for (size_t i = 0; table && table[i].name; i++) {
		size_t d = config_distance(name, str_from(table[i].name));
		if (d < *best) {
			*best = d;
			*nearest = table[i].name;
		}
	}
}

static enum err_status unknown_option(
	const struct app *app, const char *word, struct str name, struct err *err)
{
	const char *nearest = NULL;
	size_t best = 4;
	nearest_option(cli_common, name, &nearest, &best);
	nearest_option(app->command ? app->command->options : NULL, name, &nearest, &best);
	if (nearest && name.n > 1) {
		return err_set(err, ERR_USAGE, "unknown option '%s'; did you mean '--%s'?",
			word, nearest);
	}
	return err_set(err, ERR_USAGE, "unknown option '%s'; see: cordon help %s", word,
		app->command ? app->command->name : "");
}

static bool allowed(const char *values, const char *value)
{
	struct str rest = str_from(values), piece;
	while (str_cut(&rest, '|', &piece)) {
		if (str_is(piece, value)) {
			return true;
		}
	}
	return false;
}

static void set_common(
	struct app *app, struct cli_flags *f, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {
		{ "config", &f->config },
		{ "profile", &app->profile },
		{ "region", &app->region },
		{ "endpoint-url", &app->endpoint_url },
		{ "output", &f->output },
		{ "lang", &f->lang },
		{ "color", &f->color },
		{ "progress", &f->progress },
		{ "log-level", &f->log_level },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(texts[i].name, name) == 0) {
			*texts[i].to = value;
		}
	}
	app->yes |= strcmp(name, "yes") == 0;
	app->dry_run |= strcmp(name, "dry-run") == 0 || strcmp(name, "dryrun") == 0;
	f->help |= strcmp(name, "help") == 0;
}

/* One option word at argv[*i]; takes the next word as its argument where it needs one. */
static enum err_status option(
	struct app *app, struct cli_flags *f, int argc, char **argv, int *i, struct err *err)
{
	const char *word = argv[*i];
	struct str name = str_from(word + (word[1] == '-' ? 2 : 1));
	char letter = (char)(word[1] == '-' ? '\0' : word[1]);
	size_t equals = letter ? SIZE_MAX : str_find_char(name, '=');
	const char *value = NULL;
	if (equals != SIZE_MAX) {
		value = name.p + equals + 1;
		name.n = equals;
	} else if (letter && name.n > 1) {
		value = word + 2;
	}
	const struct app_option *own =
		match(app->command ? app->command->options : NULL, name, letter);
	const struct app_option *o = own ? own : match(cli_common, name, letter);
	if (!o) {
		return unknown_option(app, word, name, err);
	}
	if (!o->arg && value) {
		return err_set(err, ERR_USAGE, "option '--%s' takes no value", o->name);
	}
	if (o->arg && !value) {
		if (*i + 1 >= argc) {
			return err_set(
				err, ERR_USAGE, "option '--%s' needs %s", o->name, o->arg);
		}
		value = argv[++*i];
	}
	if (o->values && !allowed(o->values, value)) {
		return err_set(err, ERR_USAGE, "option '--%s' must be one of %s, not '%s'",
			o->name, o->values, value);
	}
	if (app->command && own) {
		app->option_values[own - app->command->options] = value ? value : "1";
	} else {
		set_common(app, f, o->name, value);
	}
	return ERR_OK;
}

const char *cli_lang(int argc, char **argv)
{
	const char *found = NULL;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], "--lang=", 7) == 0) {
			found = argv[i] + 7;
		} else if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc) {
			found = argv[++i];
		}
	}
	return found;
}

static enum err_status count_arguments(const struct app *app, struct err *err)
{
	const struct app_command *c = app->command;
	if (app->n_args < c->min_args) {
		return err_set(err, ERR_USAGE, "something is missing: cordon %s %s", c->name,
			c->usage);
	}
	if (c->max_args >= 0 && app->n_args > c->max_args) {
		return err_set(err, ERR_USAGE, "'%s' is too much: cordon %s %s",
			app->args[c->max_args], c->name, c->usage);
	}
	return ERR_OK;
}

enum err_status cli_parse(struct app *app, int argc, char **argv, const char **args,
	struct cli_flags *flags, struct err *err)
{
	bool only_args = false;
	app->args = args;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		enum err_status st = ERR_OK;
		if (!only_args && strcmp(word, "--") == 0) {
			only_args = true;
		} else if (!only_args && word[0] == '-' && word[1]) {
			if (strcmp(word, "--version") == 0 && !app->command) {
				app->command = cli_find("version");
			} else {
				st = option(app, flags, argc, argv, &i, err);
			}
		} else if (!app->command) {
			app->command = cli_find(word);
			st = app->command ? ERR_OK : unknown_command(word, err);
		} else {
			args[app->n_args++] = word;
		}
		if (st != ERR_OK) {
			return st;
		}
	}
	if (flags->help || !app->command) {
		return ERR_OK;
	}
	return count_arguments(app, err);
}
