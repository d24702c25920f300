#include "app/app.h"
#include "response/playbook.h"
#include "response/policy.h"

#include <stdlib.h>
#include <string.h>

#define MANAGED_MAX 6144  /* characters of a managed policy, white space not counted */
#define INLINE_MAX  10240 /* of all inline policies of a role */

static const struct app_option options[] = {
	{ "playbook", 'p', "NAME", N_("Only what this playbook needs"), NULL },
	{ "account", 'a', "ID", N_("Account in the resources; without it any"), NULL },
	{ 0 },
};

static bool is_account(const char *text)
{
	return text == NULL || (strlen(text) == 12 && strspn(text, "0123456789") == 12);
}

static void tell_size(const struct app *app, const json_t *policy)
{
	char *text = json_dumps(policy, JSON_COMPACT);
	size_t n = text != NULL ? strlen(text) : 0;

	if (n > MANAGED_MAX) {
		(void)fprintf(stderr, "%zu %s\n", n,
			n > INLINE_MAX
				? app_tr(app, N_("characters: too long for one policy; take "
						 "one a playbook (--playbook)"))
				: app_tr(app, N_("characters: too long for a managed policy "
						 "(6144), fits as a role's inline policy "
						 "(10240)")));
	}
	free(text);
}

static enum err_status run(struct app *app, struct err *err)
{
	struct playbook_set *playbooks = NULL;
	json_t *policy = NULL;
	struct policy_options o = {
		.config = &app->config,
		.playbook = app_opt(app, "playbook"),
		.account = app_opt(app, "account"),
		.region = app->region ? app->region : app->config.region,
		.state = journal_calls(app->config.state),
	};
	enum err_status st = ERR_OK;

	if (!is_account(o.account)) {
		return err_set(err, ERR_USAGE, "--account takes the 12 digits of an account");
	}
	TRY(playbook_load(app->env, &app->config, &playbooks, err));
	o.playbooks = playbooks;
	TRY(policy_make(&o, &policy, err));
	tell_size(app, policy);
	app_print_json(app, policy);
out:
	json_decref(policy);
	playbook_set_free(playbooks);
	return st;
}

const struct app_command cmd_policy = {
	.name = "policy",
	.usage = "",
	.summary = N_("Print the least-privilege IAM policy for the enabled playbooks"),
	.text = N_("The actions that the steps of the playbooks can call, what is asked around "
		   "them, and what the configuration names (topic, evidence bucket, log "
		   "sources, queue, table), on resources and under conditions as narrow as AWS "
		   "lets them be. Makes no AWS call. A playbook that changes nothing adds "
		   "nothing. Without --region and --account the resources are those of any."),
	.examples = "cordon policy --account 111122223333 --region eu-west-1\tFor one account\n"
		    "cordon policy --playbook ec2-compromised\tWhat one playbook needs\n",
	.options = options,
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
