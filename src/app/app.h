/* What every command gets: the parsed common options, the environment, lazily opened parts. */
#ifndef CORDON_APP_APP_H
#define CORDON_APP_APP_H

#include "analysis/source.h"
#include "aws/aws.h"
#include "base/config.h"
#include "base/i18n.h"
#include "incident/journal.h"

#include <stdio.h>

enum app_output { APP_TABLE, APP_JSON, APP_JSONL, APP_CSV };

/* One option of a command. The same table makes the parser, --help, the man page, completion. */
struct app_option {
	const char *name;   /* "seed" for --seed; NULL ends the table */
	char letter;        /* short form or 0 */
	const char *arg;    /* "N" when it takes an argument, NULL for a switch */
	const char *help;   /* N_() */
	const char *values; /* "a|b|c" when only these are allowed, or NULL */
};

struct app;
struct app_command {
	const char *name;
	const char *usage;   /* what follows the name: "FINDING..." */
	const char *summary; /* N_() one line */
	const char *
		text; /* N_() paragraphs of the man page: facts, limits, exit codes of interest */
	const char *examples; /* lines "command\tN_() meaning" */
	const struct app_option *options;
	int min_args, max_args; /* positional; max -1 = any */
	enum err_status (*run)(struct app *app, struct err *err);
};

struct app {
	struct env *env;
	struct config config;
	enum i18n_lang lang;
	enum app_output output; /* table only on a terminal, else json, unless told */
	bool color;             /* of stdout */
	bool progress;          /* stderr is a terminal and not silenced */
	bool yes, dry_run;
	const char *endpoint_url, *profile, *region; /* common flags or NULL */
	const struct app_command *command;
	int n_args;
	const char *const *args;       /* positional */
	int exit_code;                 /* a command may set it with ERR_OK to tell 6, 7 ... */
	const char *option_values[32]; /* by index in command->options; switches: "1" */
	struct aws_client *aws;        /* app_aws() */
	struct journal *journal;       /* app_journal() */
	struct s3_source *buckets;     /* app_logs() */
};

/* Value of an option of the running command: its argument, "1" for a switch, NULL when not given. */
const char *app_opt(const struct app *app, const char *name);
/* Opens on first use; owned by the app. */
ERR_MUST_CHECK enum err_status app_aws(
	struct app *app, struct aws_client **out, struct err *err);
ERR_MUST_CHECK enum err_status app_journal(
	struct app *app, struct journal **out, struct err *err);
/*
 * Where those of the paths of logs lie that are no files of this machine: *out is NULL when all
 * are files. Owned by the app.
 */
ERR_MUST_CHECK enum err_status app_logs(struct app *app, const char *const *paths,
	size_t n_paths, const struct source **out, struct err *err);
/* Reads the input a person names: a file, "-" for stdin; at most `max` bytes. */
ERR_MUST_CHECK enum err_status app_read_input(
	struct app *app, const char *path, size_t max, struct buf *out, struct err *err);
/* Prints one JSON document on a line (json, jsonl) or indented when stdout is a terminal. */
void app_print_json(struct app *app, const json_t *doc);
/* The same, always on one line: for a row of several. */
void app_print_line(const json_t *doc);
/* Translated text in the app's language. */
const char *app_tr(const struct app *app, const char *text);

/* All commands, NULL-terminated; commands.c. */
extern const struct app_command *const app_commands[];
/* Parses argv, runs the command, prints the error, returns the process's exit code. */
int app_main(struct env *env, int argc, char **argv);

#endif
