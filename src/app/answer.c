#include "app/answer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum err_status answer_read(
	struct app *app, const char *path, struct finding_set *out, struct err *err)
{
	struct buf text = { 0 };
	enum err_status st = app_read_input(app, path, ANSWER_MAX_FINDING, &text, err);

	if (st != ERR_OK) {
		buf_deinit(&text);
		return st; /* it names the file */
	}
	st = finding_read(buf_view(&text), out, err);
	if (st != ERR_OK) {
		st = err_prefix(err, "%s", strcmp(path, "-") == 0 ? "standard input" : path);
	}
	buf_deinit(&text);
	if (st == ERR_OK && out->n == 0) {
		finding_set_deinit(out);
		st = err_set(err, ERR_INPUT,
			"%s holds no finding: expected GuardDuty, EventBridge, ASFF or OCSF "
			"JSON",
			path);
	}
	return st;
}

void answer_region(struct app *app, const char *region)
{
	if (app->region == NULL && app->aws == NULL && region != NULL && region[0] != '\0') {
		app->region = region;
	}
}

enum err_status answer_flow(
	struct app *app, struct flow *out, struct playbook_set **playbooks, struct err *err)
{
	struct aws_client *aws = NULL;
	struct journal *journal = NULL;
	enum err_status st = ERR_OK;

	TRY(playbook_load(app->env, &app->config, playbooks, err));
	TRY(app_journal(app, &journal, err));
	TRY(app_aws(app, &aws, err));
	*out = (struct flow){
		.env = app->env,
		.aws = aws,
		.journal = journal,
		.config = &app->config,
		.playbooks = *playbooks,
		.approve_all = app->yes,
		.person = answer_person(app),
		.dry_run = app->dry_run,
	};
out:
	return st;
}

/*
 * Whoever keeps several accounts in his profiles must say which one is to be changed: the one called
 * default is easily used by mistake.
 */
static enum err_status check_profile(struct app *app, struct aws_client *aws, struct err *err)
{
	static const char *const elsewhere[] = { "environment", "container", "EC2 instance" };
	const char *source = "";
	bool named = app->profile != NULL || app->config.profile != NULL ||
		     env_var(app->env, "AWS_PROFILE") != NULL ||
		     env_var(app->env, "AWS_DEFAULT_PROFILE") != NULL ||
		     env_var(app->env, "AWS_WEB_IDENTITY_TOKEN_FILE") != NULL;

	if (named || app->dry_run) {
		return ERR_OK;
	}
	enum err_status st = aws_credentials_source(aws, &source, err);
	for (size_t i = 0; st == ERR_OK && i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		if (strcmp(source, elsewhere[i]) == 0) {
			return ERR_OK;
		}
	}
	return st != ERR_OK ? st
			    : err_set(err, ERR_CONFIG,
				      "the credentials are those of the default profile, which "
				      "nobody named, and this changes the account; if it is "
				      "the one you mean: --profile default");
}

enum err_status answer_banner(struct app *app, struct err *err)
{
	struct aws_client *aws = NULL;
	const char *account = NULL, *arn = NULL;
	enum err_status st = app_aws(app, &aws, err);

	if (st == ERR_OK) {
		st = check_profile(app, aws, err);
	}

	if (st == ERR_OK) {
		st = aws_caller(aws, &account, &arn, err);
	}
	if (st == ERR_OK) {
		(void)fprintf(stderr, "%s ", app_tr(app, N_("account")));
		answer_print_text(stderr, account);
		(void)fprintf(stderr, " · %s ", app_tr(app, N_("role")));
		answer_print_text(stderr, arn);
		(void)fprintf(stderr, " · %s%s\n", aws_client_region(aws),
			app->dry_run ? app_tr(app, N_(" · dry run: nothing is changed")) : "");
	}
	return st;
}

void answer_say_observe(const struct app *app)
{
	if (app->config.mode == CONFIG_OBSERVE) {
		(void)fprintf(stderr, "%s\n",
			app_tr(app, N_("mode is observe, as after a first installation: cordon "
				       "tells, and changes nothing. To let it act, set `mode: "
				       "approve` or `mode: auto` in cordon.yaml.")));
	}
}

bool answer_may_ask(const struct app *app)
{
	return !app->yes && !app->dry_run && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool answer_ask(struct app *app, const char *question)
{
	char line[64];

	(void)fprintf(stderr, "%s %s ", question, app_tr(app, N_("[y/N]")));
	(void)fflush(stderr);
	if (fgets(line, sizeof(line), stdin) == NULL) {
		return false;
	}
	struct str said = str_trim(str_from(line));
	static const char *const yes[] = { "y", "yes", "s", "si", "sí" };
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (str_eq_nocase(said, str_from(yes[i]))) {
			return true;
		}
	}
	return false;
}

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	engine_interrupt();
}

void answer_catch_interrupt(void)
{
	struct sigaction act = { .sa_handler = on_interrupt };

	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
}

const char *answer_person(struct app *app)
{
	const char *user = env_var(app->env, "USER");

	return user ? user : env_var(app->env, "LOGNAME");
}

void answer_set_person(struct app *app, struct journal *j)
{
	char name[128];
	const char *user = answer_person(app);

	(void)snprintf(name, sizeof(name), "person:%s", user ? user : "unknown");
	journal_set_actor(j, name);
}
