#include "app/cli.h"
#include "app/exports.h"
#include "app/investigation.h"
#include "app/progress.h"
#include "base/i18n.h"

#define THREADS_MAX 64

static const struct app_option options[] = {
	INVESTIGATION_OPTIONS,
	{ "threads", 0, "N", N_("Read with N threads; one for each core by default"), NULL },
	{ "partial", 0, "FILE",
		N_("Write what was found to FILE, for cordon merge, instead of an answer"),
		NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

static enum err_status read_threads(struct app *app, int *out, struct err *err)
{
	const char *text = app_opt(app, "threads");
	int64_t n = 0;
	if (text && (!str_to_i64(str_from(text), &n) || n < 1 || n > THREADS_MAX)) {
		return err_set(err, ERR_USAGE, "--threads takes a number from 1 to %d, not %s",
			THREADS_MAX, text);
	}
	*out = (int)n;
	return ERR_OK;
}

static enum err_status run(struct app *app, struct err *err)
{
	struct investigate_options opts;
	struct span span;
	json_t *doc = NULL;
	struct progress progress = { .env = app->env };
	enum err_status st = ERR_OK;
	TRY(investigation_options(app, &opts, &span, err));
	TRY(read_threads(app, &opts.threads, err));
	TRY(app_logs(app, opts.paths, opts.n_paths, &opts.source, err));
	opts.partial = app_opt(app, "partial");
	if (app->progress) {
		progress_begin(&progress);
		opts.progress = progress_show;
		opts.progress_ctx = &progress;
	}
	TRY(investigate_run(app->env, &opts, &doc, err));
	if (doc) {
		TRY(investigation_answer(app, doc, err));
	}
out:
	json_decref(doc);
	return st;
}

const struct app_command cmd_investigate = {
	.name = "investigate",
	.usage = "PATH|s3://BUCKET/PREFIX...",
	.summary = N_("Find the root cause in log files"),
	.text = N_(
		"Reads CloudTrail, web access, sshd and VPC flow logs and GuardDuty "
		"findings from files, folders, buckets (s3://BUCKET/PREFIX) and standard "
		"input (-), plain or gzip, in any order, and says how the intruder came in, "
		"with what, and what was done, "
		"with the evidence for and against. The answer does not depend on the order "
		"of the files or on duplicates. What could not be read is named. No log is "
		"sent anywhere. CloudTrail comes as S3 holds it, as arrays or lines, out of "
		"Athena, CloudTrail Lake, CloudWatch Logs, EventBridge or LookupEvents; other "
		"logs are VPC flow logs, Route 53 Resolver query logs, S3 server access logs, "
		"those of load balancers, nginx and apache, sshd's by syslog or journal. "
		"Folders of a log tree whose date or region rules them out are not opened."),
	.examples =
		"cordon investigate AWSLogs/ access.log auth.log\tThe whole story from "
		"mixed logs\n"
		"cordon investigate --since 2026-08-01T00:00:00Z logs/ --output json\tThe "
		"document, for programs\n"
		"cordon investigate AWSLogs/ --export result/\tEvery form at once: table for "
		"you, files for Timesketch, Navigator and mactime\n"
		"cordon investigate s3://acme-trail/AWSLogs/ --since 24h\tThe last day of a "
		"trail, "
		"as it lies in its bucket\n"
		"cordon investigate --partial 07.part AWSLogs/1111/CloudTrail/eu-west-1/\tOne "
		"worker's share of a large trail; cordon merge joins the shares\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
