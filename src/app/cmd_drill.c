#include "app/drill.h"

#include "base/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum err_status choose(struct drill *d, struct err *err)
{
	const char *scenario = app_opt(d->app, "scenario"), *seed = app_opt(d->app, "seed");
	int64_t number;

	if (!scenario_from(scenario != NULL ? scenario : "web-exploit", &d->kind)) {
		return err_set(err, ERR_USAGE, "unknown scenario '%s'", scenario);
	}
	if (seed == NULL) {
		uint32_t chance;

		env_random(d->app->env, &chance, sizeof(chance));
		d->seed = chance % 1000000;
	} else if (str_to_i64(str_from(seed), &number) && number >= 0) {
		d->seed = (uint64_t)number;
	} else {
		return err_set(err, ERR_USAGE, "--seed must be a whole number, not '%s'", seed);
	}
	return ERR_OK;
}

static enum err_status choose_folder(struct drill *d, struct err *err)
{
	const char *keep = app_opt(d->app, "keep");
	char *real;

	if (keep == NULL) {
		return folder_temp(d->app->env, &d->dir, err);
	}
	enum err_status st = folder_make(keep, 0700, err);
	if (st != ERR_OK) {
		return st;
	}
	real = realpath(keep, NULL);
	if (real == NULL) {
		return err_set(err, ERR_IO, "can't use the folder %s", keep);
	}
	d->dir = real;
	d->keep = true;
	return ERR_OK;
}

static void title(struct drill *d)
{
	static const char *const stories[] = {
		[SCENARIO_WEB_EXPLOIT] = N_("Somebody uses the web application to reach what "
					    "only the server should reach."),
		[SCENARIO_STOLEN_KEY] = N_("A long-term access key is in the wrong hands."),
		[SCENARIO_SSH_BRUTE_FORCE] = N_("A password was guessed."),
		[SCENARIO_FALSE_ALARM] =
			N_("A stranger knocks at the door, and nothing else happens."),
	};

	(void)fprintf(d->say.to, "\n     %scordon drill%s  %s  %s %llu\n",
		d->say.color ? "\033[1m" : "", d->say.color ? "\033[0m" : "",
		scenario_name(d->kind), app_tr(d->app, N_("seed")),
		(unsigned long long)d->seed);
	drill_say_text(&d->say, stories[d->kind]);
}

/* The emulator stays up until Ctrl-C, and these lines point other tools at it. */
static void linger(struct drill *d)
{
	(void)fprintf(d->say.to, "\n");
	drill_say_text(&d->say, N_("Nothing was undone; the account stays up until you press "
				   "Ctrl-C. In another terminal:"));
	(void)fprintf(d->say.to,
		"\n  export AWS_ENDPOINT_URL=%s AWS_REGION=%s\n  export AWS_ACCESS_KEY_ID=%s "
		"AWS_SECRET_ACCESS_KEY=%s\n",
		d->moto_url, DRILL_REGION, d->admin_key, d->admin_secret);
	if (d->stub_url[0] != '\0') {
		(void)fprintf(d->say.to, "  export AWS_ENDPOINT_URL_SSM=%s\n", d->stub_url);
	}
	(void)fprintf(d->say.to,
		"  aws ec2 describe-network-interfaces\n  cordon --config %s/cordon.yaml case "
		"show %s\n"
		"  cordon --config %s/cordon.yaml undo %s\n\n",
		d->dir, d->case_id, d->dir, d->case_id);
	(void)fflush(d->say.to);
	for (;;) {
		(void)pause();
	}
}

static enum err_status run(struct app *app, struct err *err)
{
	struct drill d = { .app = app, .undo = app_opt(app, "no-undo") == NULL };
	json_t *out = NULL;
	enum err_status st;

	d.messages = json_array();
	d.say = (struct drill_say){ .to = app->output == APP_TABLE ? stdout : stderr,
		.lang = app->lang,
		.color = app->output == APP_TABLE && app->color,
		.env = app->env };
	pthread_mutex_init(&d.say.lock, NULL);
	pthread_mutex_init(&d.lock, NULL);
	arena_init(&d.arena, (size_t)4 * 1024 * 1024);
	drill_env_init(&d.env, app->env);
	TRY(choose(&d, err));
	TRY(choose_folder(&d, err));
	scenario_init(&d.story, d.kind, d.seed, env_now_ms(app->env));
	title(&d);
	st = drill_run(&d, &out, err);
	if (out != NULL && app->output != APP_TABLE) {
		app_print_line(out);
		(void)fflush(stdout);
	}
	(void)fprintf(d.say.to, "\n");
	if (!d.undo && out != NULL) {
		linger(&d);
	}
out:
	json_decref(out);
	drill_deinit(&d);
	pthread_mutex_destroy(&d.say.lock);
	pthread_mutex_destroy(&d.lock);
	return st;
}

static const struct app_option options[] = {
	{ "scenario", 's', "NAME",
		N_("Which incident: web-exploit (default), stolen-key, ssh-brute-force, "
		   "false-alarm"),
		"web-exploit|stolen-key|ssh-brute-force|false-alarm" },
	{ "seed", 'n', "N",
		N_("Repeat a story: the same seed gives the same names, logs and attack"),
		NULL },
	{ "no-undo", 0, NULL, N_("Leave the account as cordon left it, and up, to look around"),
		NULL },
	{ "keep", 'k', "DIR",
		N_("Folder for the report, the case, the logs and the truth about them"),
		NULL },
	{ NULL, 0, NULL, NULL, NULL },
};
const struct app_command cmd_drill = {
	.name = "drill",
	.usage = "",
	.summary = N_("Play a complete incident on an emulated account; no AWS needed"),
	.text = N_("Starts an emulator on this machine, builds TechSolutions in it, lets an "
		   "attack happen in its logs, and "
		   "answers the GuardDuty finding from start to end: contained, told, "
		   "preserved, analysed, reported, undone. "
		   "Every seed is another story; the verdict is found in the logs, never "
		   "known. Nothing leaves this machine. "
		   "With --output json the last line on standard output is one cordon.drill/1 "
		   "document and the narration goes "
		   "to standard error."),
	.examples = "cordon drill\tWeb exploit, a new story\n"
		    "cordon drill --scenario stolen-key --lang es\tA stolen key, in Spanish\n"
		    "cordon drill --seed 42 --output json\tOne document for a program\n",
	.options = options,
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
