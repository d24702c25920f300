#include "app/cli.h"

#include <string.h>

static void words(const struct app_option *table, struct buf *out)
{
	for (size_t i = 0; table && table[i].name; i++) {
		if (table[i].help) {
			buf_printf(out, " --%s", table[i].name);
		}
	}
}

static void bash(struct buf *out)
{
	buf_puts(out, "_cordon() {\n"
		      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} word command=\n"
		      "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
		      "\t\tcase $word in -*) ;; *) command=$word; break ;; esac\n"
		      "\tdone\n"
		      "\tlocal options='");
	words(cli_common, out);
	buf_puts(out, "'\n\tcase $command in\n\t'') options=\"$options");
	for (size_t i = 0; app_commands[i]; i++) {
		buf_printf(out, " %s", app_commands[i]->name);
	}
	buf_puts(out, "\" ;;\n");
	for (size_t i = 0; app_commands[i]; i++) {
		buf_printf(out, "\t%s) options=\"$options", app_commands[i]->name);
		words(app_commands[i]->options, out);
		buf_puts(out, "\" ;;\n");
	}
	buf_puts(out,
		"\tesac\n"
		"\tcase $command in report|undo|resume|case|evidence)\n"
		"\t\t[[ $cur == -* ]] || options=\"$options $(cordon case list --output jsonl "
		"2>/dev/null | sed -n 's/.*\"case\":\"\\([^\"]*\\)\".*/\\1/p')\" ;;\n"
		"\tesac\n"
		"\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
		"\t[[ $cur == -* ]] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
		"}\n"
		"complete -o filenames -F _cordon cordon\n");
}

static void zsh(struct buf *out)
{
	buf_puts(out, "#compdef cordon\nautoload -U +X bashcompinit && bashcompinit\n");
	bash(out);
}

static void fish_options(const struct app_option *table, const char *condition, struct buf *out)
{
	for (size_t i = 0; table && table[i].name; i++) {
		if (!table[i].help) {
			continue;
		}
		buf_printf(out, "complete -c cordon%s -l %s%s", condition, table[i].name,
			table[i].arg ? " -r" : "");
		if (table[i].values) {
			buf_puts(out, " -fa '");
			for (const char *p = table[i].values; *p; p++) {
				const char c = *p;
				buf_putc(out, (char)(c == '|' ? ' ' : c));
			}
			buf_putc(out, '\'');
		}
		buf_printf(out, " -d '%s'\n", table[i].help);
	}
}

static void fish(struct buf *out)
{
	for (size_t i = 0; app_commands[i]; i++) {
		buf_printf(out, "complete -c cordon -n __fish_use_subcommand -fa %s -d '%s'\n",
			app_commands[i]->name, app_commands[i]->summary);
		char condition[96];
		(void)snprintf(condition, sizeof(condition),
			" -n '__fish_seen_subcommand_from %s'", app_commands[i]->name);
		fish_options(app_commands[i]->options, condition, out);
	}
	fish_options(cli_common, "", out);
}

static enum err_status run(struct app *app, struct err *err)
{
	struct buf out;
	buf_init(&out, (size_t)256 * 1024);
	struct str shell = str_from(app->args[0]);
	if (str_is(shell, "bash")) {
		bash(&out);
	} else if (str_is(shell, "zsh")) {
		zsh(&out);
	} else if (str_is(shell, "fish")) {
		fish(&out);
	} else {
		return err_set(
			err, ERR_USAGE, "'%s' is not one of bash, zsh, fish", app->args[0]);
	}
	(void)fwrite(out.p, 1, out.n, stdout);
	buf_deinit(&out);
	return ERR_OK;
}

const struct app_command cmd_completion = {
	.name = "completion",
	.usage = "bash|zsh|fish",
	.summary = N_("Print a completion script for a shell"),
	.examples = "source <(cordon completion bash)\t",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
