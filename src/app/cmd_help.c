#include "app/cli.h"

static enum err_status run(struct app *app, struct err *err)
{
	const char *topic = app->n_args ? app->args[0] : NULL;
	const struct app_command *c = topic ? cli_find(topic) : NULL;
	struct buf text;
	buf_init(&text, (size_t)1024 * 1024);
	if (topic && str_is(str_from(topic), "exit-codes")) {
		for (size_t i = 0; cli_exit_codes[i].text; i++) {
			buf_printf(&text, "%4d  %s\n", cli_exit_codes[i].code,
				app_tr(app, cli_exit_codes[i].text));
		}
	} else if (topic && str_is(str_from(topic), "man")) {
		cli_man(app, &text);
	} else if (topic && !c) {
		buf_deinit(&text);
		return err_set(err, ERR_USAGE, "no help on '%s'; see: cordon help", topic);
	} else {
		cli_help(app, c, &text);
	}
	(void)fwrite(text.p ? text.p : "", 1, text.n, stdout);
	buf_deinit(&text);
	return ERR_OK;
}

const struct app_command cmd_help = {
	.name = "help",
	.usage = "[COMMAND|exit-codes|man]",
	.summary = N_("Explain a command, the exit codes, or print the man page"),
	.max_args = 1,
	.run = run,
};
