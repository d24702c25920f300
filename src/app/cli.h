/* The command line: one table of options for every command, parsed, explained, completed. */
#ifndef CORDON_APP_CLI_H
#define CORDON_APP_CLI_H

#include "app/app.h"

/* Options that every command takes; ends with a NULL name. */
extern const struct app_option cli_common[];

/* What the common options said. */
struct cli_flags {
	const char *config, *output, *color, *lang, *log_level, *progress;
	bool help;
};

/*
 * Parses argv[1..]: the command, its options and arguments, common options anywhere. Fills
 * app->command, args, option_values and the flags. `args` must hold argc pointers. ERR_USAGE
 * names the word, the reason and the nearest known one.
 */
ERR_MUST_CHECK enum err_status cli_parse(struct app *app, int argc, char **argv,
	const char **args, struct cli_flags *flags, struct err *err);
/* The value of --lang, looked for before anything is parsed: mistakes are told in it. Or NULL. */
const char *cli_lang(int argc, char **argv);
/* The exit codes and what they mean; ends with a NULL text. */
struct cli_exit_code {
	int code;
	const char *text; /* N_() */
};
extern const struct cli_exit_code cli_exit_codes[];
/* Command by name, or NULL. */
const struct app_command *cli_find(const char *name);
/* Appends the help of one command, or of the program when `c` is NULL. */
void cli_help(const struct app *app, const struct app_command *c, struct buf *out);
/* Appends the man page cordon(1) (troff). */
void cli_man(const struct app *app, struct buf *out);

#endif
