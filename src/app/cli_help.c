#include "app/cli.h"

#include <stdlib.h>
#include <string.h>

/* "-o, --output FORMAT" */
static void option_head(const struct app_option *o, struct buf *out)
{
	if (o->letter) {
		buf_printf(out, "-%c, --%s", o->letter, o->name);
	} else {
		buf_printf(out, "    --%s", o->name);
	}
	if (o->arg) {
		buf_printf(out, " %s", o->arg);
	}
}

static void options(const struct app *app, const struct app_option *table, struct buf *out)
{
	for (size_t i = 0; table && table[i].name; i++) {
		if (!table[i].help) {
			continue;
		}
		size_t start = out->n;
		buf_puts(out, "  ");
		option_head(&table[i], out);
		size_t width = out->n - start;
		buf_printf(out, "%*s%s", (int)(width < 26 ? 28 - width : 2), "",
			app_tr(app, table[i].help));
		if (table[i].values) {
			buf_printf(out, " (%s)", table[i].values);
		}
		buf_putc(out, '\n');
	}
}

/* "command\tmeaning" lines. */
static void examples(const struct app *app, const struct app_command *c, struct buf *out)
{
	struct str rest = str_from(c->examples), line;
	while (str_cut(&rest, '\n', &line)) {
		struct str command;
		(void)str_cut(&line, '\t', &command);
		char *meaning = str_dup(line);
		buf_printf(out, "  %.*s\n", STR_ARG(command));
		if (*meaning) {
			buf_printf(out, "      %s\n", app_tr(app, meaning));
		}
		free(meaning);
	}
}

static void command_help(const struct app *app, const struct app_command *c, struct buf *out)
{
	buf_printf(out, "cordon %s %s\n%s\n", c->name, c->usage, app_tr(app, c->summary));
	if (c->examples) {
		buf_printf(out, "\n%s\n", app_tr(app, N_("Examples")));
		examples(app, c, out);
	}
	if (c->text) {
		buf_printf(out, "\n%s\n", app_tr(app, c->text));
	}
	if (c->options && c->options[0].name) {
		buf_printf(out, "\n%s\n", app_tr(app, N_("Options")));
		options(app, c->options, out);
	}
	buf_printf(out, "\n%s\n", app_tr(app, N_("Options of every command")));
	options(app, cli_common, out);
}

static void program_help(const struct app *app, struct buf *out)
{
	buf_printf(out, "cordon %s\n%s\n\n", CORDON_VERSION,
		app_tr(app, N_("From a GuardDuty finding to an incident that is contained, "
			       "preserved and explained.")));
	buf_printf(out, "%s\n", app_tr(app, N_("Start here")));
	buf_printf(out, "  cordon drill                 %s\n",
		app_tr(app, N_("Play a complete incident on an emulated account")));
	buf_printf(out, "  cordon doctor                %s\n",
		app_tr(app, N_("Check your own account and say how to fix what is missing")));
	buf_printf(out, "  cordon plan FINDING          %s\n\n",
		app_tr(app, N_("See what would be done about a finding; changes nothing")));
	buf_printf(out, "%s\n", app_tr(app, N_("Commands")));
	for (size_t i = 0; app_commands[i]; i++) {
		buf_printf(out, "  %-12s %s\n", app_commands[i]->name,
			app_tr(app, app_commands[i]->summary));
	}
	buf_printf(out, "\n%s\n",
		app_tr(app, N_("More: cordon help COMMAND, cordon help exit-codes")));
}

void cli_help(const struct app *app, const struct app_command *c, struct buf *out)
{
	if (c) {
		command_help(app, c, out);
	} else {
		program_help(app, out);
	}
}

/* Text for troff: backslashes, leading dots and quotes are its own. */
static void troff(const char *text, struct buf *out)
{
	bool line_start = true;
	for (const char *p = text; *p; p++) {
		if (line_start && (*p == '.' || *p == '\'')) {
			buf_puts(out, "\\&");
		}
		if (*p == '\\') {
			buf_puts(out, "\\e");
		} else if (*p == '-') {
			buf_puts(out, "\\-");
		} else {
			buf_putc(out, *p);
		}
		line_start = *p == '\n';
	}
}

static void man_options(const struct app *app, const struct app_option *table, struct buf *out)
{
	for (size_t i = 0; table && table[i].name; i++) {
		if (!table[i].help) {
			continue;
		}
		struct buf head;
		buf_init(&head, 256);
		option_head(&table[i], &head);
		buf_puts(out, ".TP\n.B ");
		troff(str_trim(buf_view(&head)).p, out);
		buf_puts(out, "\n");
		troff(app_tr(app, table[i].help), out);
		if (table[i].values) {
			buf_puts(out, " (");
			troff(table[i].values, out);
			buf_puts(out, ")");
		}
		buf_puts(out, "\n");
		buf_deinit(&head);
	}
}

static void man_command(const struct app *app, const struct app_command *c, struct buf *out)
{
	buf_printf(out, ".SS cordon %s %s\n", c->name, c->usage);
	troff(app_tr(app, c->summary), out);
	buf_puts(out, "\n");
	if (c->text) {
		buf_puts(out, ".PP\n");
		troff(app_tr(app, c->text), out);
		buf_puts(out, "\n");
	}
	man_options(app, c->options, out);
	if (c->examples) {
		struct buf text;
		buf_init(&text, 65536);
		examples(app, c, &text);
		buf_puts(out, ".PP\n.nf\n");
		troff(text.p ? text.p : "", out);
		buf_puts(out, ".fi\n");
		buf_deinit(&text);
	}
}

void cli_man(const struct app *app, struct buf *out)
{
	buf_printf(out, ".TH CORDON 1 \"\" \"cordon %s\"\n.SH %s\ncordon \\- ", CORDON_VERSION,
		app_tr(app, N_("NAME")));
	troff(app_tr(app, N_("automated incident response for AWS")), out);
	buf_printf(out, "\n.SH %s\n.B cordon\n.I COMMAND\n[OPTION]... [ARGUMENT]...\n",
		app_tr(app, N_("SYNOPSIS")));
	buf_printf(out, ".SH %s\n", app_tr(app, N_("COMMANDS")));
	for (size_t i = 0; app_commands[i]; i++) {
		man_command(app, app_commands[i], out);
	}
	buf_printf(out, ".SH %s\n", app_tr(app, N_("OPTIONS OF EVERY COMMAND")));
	man_options(app, cli_common, out);
	json_t *keys = config_describe(&app->config);
	size_t i;
	const json_t *k;
	buf_printf(out, ".SH %s\n", app_tr(app, N_("CONFIGURATION (cordon.yaml)")));
	json_array_foreach(keys, i, k)
	{
		buf_puts(out, ".TP\n.B ");
		troff(json_string_value(json_object_get(k, "key")), out);
		buf_puts(out, " (");
		troff(json_string_value(json_object_get(k, "variable")), out);
		buf_puts(out, ")\n");
		troff(app_tr(app, json_string_value(json_object_get(k, "help"))), out);
		buf_puts(out, "\n");
	}
	json_decref(keys);
	buf_printf(out, ".SH %s\n", app_tr(app, N_("EXIT STATUS")));
	for (size_t code = 0; cli_exit_codes[code].text; code++) {
		buf_printf(out, ".TP\n.B %d\n", cli_exit_codes[code].code);
		troff(app_tr(app, cli_exit_codes[code].text), out);
		buf_puts(out, "\n");
	}
}

const struct cli_exit_code cli_exit_codes[] = {
	{ 0, N_("done, or nothing to do") },
	{ 1, N_("failed") },
	{ 2, N_("wrong command line") },
	{ 3, N_("configuration or credentials are missing or wrong") },
	{ 4, N_("AWS denied a call") },
	{ 5, N_("AWS can't be reached, or throttles") },
	{ 6, N_("partly done") },
	{ 7, N_("waits for an approval") },
	{ 8, N_("evidence or journal failed its integrity check") },
	{ 130, N_("interrupted") },
	{ 0, NULL },
};
