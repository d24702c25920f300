#include "app/parts.h"
#include "app/app.h"
#include "flow/s3_source.h"

enum err_status parts_aws(struct app *app, struct aws_client **out, struct err *err)
{
	const struct aws_options opts = {
		.profile = app->profile ? app->profile : app->config.profile,
		.region = app->region ? app->region : app->config.region,
		.endpoint_url = app->endpoint_url,
		.call_timeout_ms = app->config.aws_timeout_seconds * 1000,
		.refuse_mutating = app->dry_run,
		.mfa = aws_mfa_terminal,
		.mfa_ctx = app->env,
	};

	return aws_client_new(app->env, &opts, out, err);
}

enum err_status parts_journal(struct app *app, struct journal **out, struct err *err)
{
	/* Not --region: that says where a finding happened, not where cases are kept. */
	const struct aws_options opts = {
		.profile = app->profile ? app->profile : app->config.profile,
		.region = app->config.region,
		.endpoint_url = app->endpoint_url,
		.mfa = aws_mfa_terminal,
		.mfa_ctx = app->env,
	};

	return journal_open(app->env, app->config.state, &opts, out, err);
}

enum err_status app_aws(struct app *app, struct aws_client **out, struct err *err)
{
	if (!app->aws) {
		enum err_status st = parts_aws(app, &app->aws, err);
		if (st != ERR_OK) {
			return st;
		}
	}
	*out = app->aws;
	return ERR_OK;
}

enum err_status app_journal(struct app *app, struct journal **out, struct err *err)
{
	if (!app->journal) {
		enum err_status st = parts_journal(app, &app->journal, err);
		if (st != ERR_OK) {
			return st;
		}
	}
	*out = app->journal;
	return ERR_OK;
}

enum err_status app_logs(struct app *app, const char *const *paths, size_t n_paths,
	const struct source **out, struct err *err)
{
	struct aws_client *aws = NULL;
	size_t i = 0;
	while (i < n_paths && !source_takes(paths[i])) {
		i++;
	}
	if (i == n_paths) {
		*out = NULL;
		return ERR_OK;
	}
	enum err_status st = app_aws(app, &aws, err);
	if (st == ERR_OK) {
		app->buckets = app->buckets ? app->buckets : s3_source_new(aws);
		*out = s3_source_door(app->buckets);
	}
	return st;
}

void parts_close(struct app *app)
{
	s3_source_free(app->buckets);
	app->buckets = NULL;
	journal_close(app->journal);
	aws_client_free(app->aws);
	app->journal = NULL;
	app->aws = NULL;
}
