#include "app/cli.h"
#include "app/exports.h"
#include "app/investigation.h"
#include "base/i18n.h"

static const struct app_option options[] = {
	INVESTIGATION_OPTIONS,
	{ NULL, 0, NULL, NULL, NULL },
};

static enum err_status run(struct app *app, struct err *err)
{
	struct investigate_options opts;
	struct span span;
	json_t *doc = NULL;
	enum err_status st = ERR_OK;
	TRY(investigation_options(app, &opts, &span, err));
	TRY(app_logs(app, opts.paths, opts.n_paths, &opts.source, err));
	TRY(investigate_merge(app->env, &opts, &doc, err));
	TRY(investigation_answer(app, doc, err));
out:
	json_decref(doc);
	return st;
}

const struct app_command cmd_merge = {
	.name = "merge",
	.usage = "PARTIAL|FOLDER|s3://BUCKET/PREFIX...",
	.summary = N_("Join what several workers found into one answer"),
	.text = N_(
		"Reads the files that cordon investigate --partial wrote, on this machine or "
		"on many, also a folder of them or out of a bucket, and gives the answer that "
		"one run over all of the logs would give. A "
		"record that several workers read counts once. Rules, window and job must be "
		"those of the workers; a file that does not fit is refused."),
	.examples = "cordon merge parts/*.part\tThe answer of all workers\n"
		    "cordon merge parts/*.part --output json\tThe document, for programs\n"
		    "cordon merge s3://acme-jobs/2026-08-01/\tWhat workers left in a bucket\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
