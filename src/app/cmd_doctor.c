#include "app/app.h"
#include "app/lambda.h"
#include "evidence/vault.h"
#include "response/playbook.h"

#include <stdlib.h>
#include <string.h>

enum grade { GRADE_OK, GRADE_WARN, GRADE_FAIL, GRADE_SKIP };
static const char *const grades[] = { "ok", "warn", "fail", "skip" };

struct report {
	struct app *app;
	struct aws_client *aws;
	json_t *checks;
	enum err_status worst; /* status of the first failure that has one */
	bool failed;
};

/* Adds one line: what was looked at, how it is, and the fix when it is not well. */
static void add(
	struct report *r, const char *name, enum grade grade, const char *text, const char *fix)
{
	const char *what = app_tr(r->app, text);
	(void)json_array_append_new(
		r->checks, json_pack("{s:s, s:s, s:o, s:s?}", "check", name, "state",
				   grades[grade], "text", doc_str(str_from(what)), "fix",
				   fix ? app_tr(r->app, fix) : NULL));
	r->failed |= grade == GRADE_FAIL;
}

static void add_error(struct report *r, const char *name, const struct err *e, const char *fix)
{
	add(r, name, e->status == ERR_DENIED ? GRADE_WARN : GRADE_FAIL, e->msg, fix);
	if (e->status != ERR_DENIED && r->worst == ERR_OK) {
		r->worst = e->status;
	}
}

static void check_state(struct report *r)
{
	struct journal *j = NULL;
	struct err e = { 0 };
	const char *state = r->app->config.state;
	if (app_journal(r->app, &j, &e) == ERR_OK && journal_probe(j, &e) == ERR_OK) {
		bool alone = lambda_state_alone(r->app->env, state);
		add(r, "state", alone ? GRADE_WARN : GRADE_OK,
			alone ? N_("the cases are kept in a file of this instance of the "
				   "function: they end with it, and another instance does not "
				   "know them")
			      : state,
			alone ? N_("Set `state` (CORDON_STATE) to dynamodb:TABLE") : NULL);
	} else {
		add_error(r, "state", &e,
			N_("Set `state` in cordon.yaml to a place that can be "
			   "written"));
	}
	if (r->app->config.state_unset) {
		add(r, "state-lambda", GRADE_SKIP,
			N_("`state` is not set: right for one machine; a Lambda function needs "
			   "dynamodb:TABLE, or its cases end with its /tmp"),
			NULL);
	}
}

static void check_playbooks(struct report *r)
{
	struct playbook_set *set = NULL;
	struct err e = { 0 };
	if (playbook_load(r->app->env, &r->app->config, &set, &e) == ERR_OK) {
		add(r, "playbooks", GRADE_OK, N_("all playbooks are well-formed"), NULL);
	} else {
		add_error(r, "playbooks", &e, N_("Correct the line that is named"));
	}
	playbook_set_free(set);
	static const char *const modes[] = {
		N_("mode is observe: cordon tells, and changes nothing"),
		N_("mode is approve: cordon asks before it changes anything"),
		N_("mode is auto: cordon acts as the playbooks say"),
	};
	add(r, "mode", r->app->config.mode == CONFIG_OBSERVE ? GRADE_WARN : GRADE_OK,
		modes[r->app->config.mode],
		r->app->config.mode == CONFIG_OBSERVE
			? N_("When you trust the plans it shows, set `mode: approve` or `mode: "
			     "auto`")
			: NULL);
}

static bool check_credentials(struct report *r)
{
	const char *account = NULL, *arn = NULL;
	struct err e = { 0 };
	enum err_status st = app_aws(r->app, &r->aws, &e);
	if (st == ERR_OK) {
		st = aws_caller(r->aws, &account, &arn, &e);
	}
	if (st != ERR_OK) {
		add_error(r, "credentials", &e,
			N_("Set AWS_PROFILE, or log in as you do for the AWS CLI; see README"));
		return false;
	}
	struct buf text;
	buf_init(&text, 1024);
	buf_printf(&text, "%s · %s · %s", account, arn, aws_client_region(r->aws));
	add(r, "credentials", GRADE_OK, text.p, NULL);
	buf_deinit(&text);
	return true;
}

/* One read call; on failure the line is added and NULL returned. */
static json_t *ask(struct report *r, const char *check, const char *service,
	const char *operation, json_t *params_taken, const char *fix)
{
	struct err e = { 0 };
	json_t *result = NULL;
	if (aws_call(r->aws, service, operation, params_taken, &result, &e) != ERR_OK) {
		add_error(r, check, &e, fix);
	}
	json_decref(params_taken);
	return result;
}

static void check_guardduty(struct report *r)
{
	json_t *list = ask(r, "guardduty", "guardduty", "ListDetectors", json_object(),
		N_("Allow guardduty:ListDetectors and guardduty:GetDetector"));
	if (!list) {
		return;
	}
	const char *id = doc_text(list, "DetectorIds[0]");
	json_t *d = id ? ask(r, "guardduty", "guardduty", "GetDetector",
				 json_pack("{s:s}", "DetectorId", id), NULL)
		       : NULL;
	if (!id) {
		add(r, "guardduty", GRADE_FAIL, N_("GuardDuty is not enabled in this region"),
			N_("aws guardduty create-detector --enable "
			   "--finding-publishing-frequency FIFTEEN_MINUTES"));
	} else if (d && strcmp(doc_text_or(d, "Status", ""), "ENABLED") != 0) {
		add(r, "guardduty", GRADE_FAIL, N_("the GuardDuty detector is suspended"),
			N_("aws guardduty update-detector --enable --detector-id ID"));
	} else if (d && strcmp(doc_text_or(d, "FindingPublishingFrequency", ""),
				"FIFTEEN_MINUTES") != 0) {
		add(r, "guardduty", GRADE_WARN,
			N_("repeated findings arrive only every hour or six hours"),
			N_("aws guardduty update-detector --detector-id ID "
			   "--finding-publishing-frequency FIFTEEN_MINUTES"));
	} else if (d) {
		add(r, "guardduty", GRADE_OK, N_("enabled, repeated findings every 15 minutes"),
			NULL);
	}
	json_decref(d);
	json_decref(list);
}

static void check_cloudtrail(struct report *r)
{
	json_t *trails = ask(r, "cloudtrail", "cloudtrail", "DescribeTrails", json_object(),
		N_("Allow cloudtrail:DescribeTrails and cloudtrail:GetTrailStatus"));
	bool logging = false, validated = false;
	size_t i;
	const json_t *t;
	json_array_foreach(json_object_get(trails, "trailList"), i, t)
	{
		json_t *status = ask(r, "cloudtrail", "cloudtrail", "GetTrailStatus",
			json_pack("{s:O?}", "Name", json_object_get(t, "TrailARN")), NULL);
		if (doc_true(status, "IsLogging")) {
			logging = true;
			validated |= doc_true(t, "LogFileValidationEnabled");
		}
		json_decref(status);
	}
	if (trails && !logging) {
		add(r, "cloudtrail", GRADE_FAIL, N_("no trail is logging"),
			N_("Create a trail of all regions with log file validation and S3 data "
			   "events"));
	} else if (trails && !validated) {
		add(r, "cloudtrail", GRADE_WARN,
			N_("no logging trail has log file validation: deleted logs leave no "
			   "trace"),
			N_("aws cloudtrail update-trail --name TRAIL "
			   "--enable-log-file-validation"));
	} else if (trails) {
		add(r, "cloudtrail", GRADE_OK, N_("a trail is logging with file validation"),
			NULL);
	}
	json_decref(trails);
	if (r->app->config.log_sources.n == 0) {
		add(r, "log sources", GRADE_WARN,
			N_("no log sources are configured: the root cause can't be found"),
			N_("Set evidence.log_sources to the s3:// places of CloudTrail, web "
			   "and host logs"));
	}
}

static void check_evidence(struct report *r)
{
	struct vault *v = NULL;
	json_t *weak = NULL;
	struct journal *j = NULL;
	struct err e = { 0 };
	if (!r->app->config.evidence_bucket) {
		add(r, "evidence", GRADE_FAIL, N_("no evidence bucket is configured"),
			N_("Set evidence.bucket in cordon.yaml"));
		return;
	}
	if (app_journal(r->app, &j, &e) != ERR_OK) {
		return;
	}
	const struct desk desk = { r->app->env, r->aws, j, &r->app->config };
	if (vault_open(&desk, "doctor", &v, &weak, &e) != ERR_OK) {
		add_error(r, "evidence", &e, N_("cordon evidence init"));
	} else if (json_array_size(weak)) {
		char *what = json_dumps(weak, JSON_COMPACT);
		add(r, "evidence", GRADE_WARN, what ? what : "",
			N_("The bucket lacks this; a new one is made right by: cordon evidence "
			   "init"));
		free(what);
	} else {
		add(r, "evidence", GRADE_OK, r->app->config.evidence_bucket, NULL);
	}
	json_decref(weak);
	vault_free(v);
}

static void check_topic(struct report *r)
{
	const char *topic = r->app->config.topic_arn;
	if (!topic && r->app->config.phone_numbers.n == 0) {
		add(r, "notify", GRADE_FAIL, N_("nobody is told: no topic and no phone number"),
			N_("Set notify.topic_arn in cordon.yaml"));
		return;
	}
	if (!topic) {
		return;
	}
	json_t *subs = ask(r, "notify", "sns", "ListSubscriptionsByTopic",
		json_pack("{s:s}", "TopicArn", topic),
		N_("Create the topic, or correct its ARN"));
	size_t i, confirmed = 0, pending = 0;
	const json_t *s;
	json_array_foreach(json_object_get(subs, "Subscriptions"), i, s)
	{
		if (strcmp(doc_text_or(s, "SubscriptionArn", ""), "PendingConfirmation") == 0) {
			pending++;
		} else {
			confirmed++;
		}
	}
	if (subs && confirmed == 0) {
		add(r, "notify", GRADE_FAIL, N_("the topic has no confirmed subscriber"),
			N_("aws sns subscribe --topic-arn ARN --protocol email "
			   "--notification-endpoint ADDRESS, then confirm the mail"));
	} else if (subs && pending) {
		add(r, "notify", GRADE_WARN, N_("some subscriptions are not confirmed yet"),
			N_("Confirm the mails that AWS sent"));
	} else if (subs) {
		add(r, "notify", GRADE_OK, topic, NULL);
	}
	json_decref(subs);
}

static void check_quarantine(struct report *r)
{
	const char *name = r->app->config.quarantine_profile;
	if (!name) {
		add(r, "quarantine profile", GRADE_SKIP,
			N_("none: a compromised instance's profile is only taken away"), NULL);
		return;
	}
	json_t *p = ask(r, "quarantine profile", "iam", "GetInstanceProfile",
		json_pack("{s:s}", "InstanceProfileName", name),
		N_("Create an instance profile without rights of this name"));
	if (p) {
		add(r, "quarantine profile", GRADE_OK, name, NULL);
	}
	json_decref(p);
}

static void print_table(const struct report *r)
{
	static const char *const marks[] = { "ok", "!", "x", "-" };
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[31m", "\033[2m" };
	size_t i;
	const json_t *c;
	json_array_foreach(r->checks, i, c)
	{
		size_t g = 0;
		while (g < 3 && strcmp(grades[g], doc_text_or(c, "state", "")) != 0) {
			g++;
		}
		printf("%s%-2s%s  %-18s  %s\n", r->app->color ? colors[g] : "", marks[g],
			r->app->color ? "\033[0m" : "", doc_text_or(c, "check", ""),
			doc_text_or(c, "text", ""));
		const char *fix = doc_text(c, "fix");
		if (fix && g != GRADE_OK) {
			printf("    %-18s  -> %s\n", "", fix);
		}
	}
}

static enum err_status run(struct app *app, struct err *err)
{
	struct report r = { .app = app, .checks = json_array() };
	(void)err;
	check_state(&r);
	check_playbooks(&r);
	if (check_credentials(&r)) {
		check_guardduty(&r);
		check_cloudtrail(&r);
		check_evidence(&r);
		check_topic(&r);
		check_quarantine(&r);
	}
	if (app->output == APP_TABLE) {
		print_table(&r);
	} else {
		json_t *doc = json_pack("{s:s, s:b, s:O}", "schema", "cordon.doctor/1", "ready",
			!r.failed, "checks", r.checks);
		app_print_json(app, doc);
		json_decref(doc);
	}
	app->exit_code =
		!r.failed ? 0 : err_exit_code(r.worst != ERR_OK ? r.worst : ERR_FAILED);
	json_decref(r.checks);
	return ERR_OK;
}

const struct app_command cmd_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = N_("Check credentials, GuardDuty, CloudTrail, SNS and the evidence bucket"),
	.text = N_("Reads only. Every line that is not well says the command or setting that "
		   "mends it. Exit 0 when nothing is missing that cordon needs."),
	.examples = "cordon doctor --profile prod\tCheck the account of a profile",
	.max_args = 0,
	.run = run,
};
