#include "app/drill.h"

#include "app/deliver.h"
#include "base/folder.h"
#include "incident/view.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVE_TRIES 20

static enum err_status client(
	struct drill *d, bool watched, struct aws_client **out, struct err *err);

/* Counts what changes the account while cordon answers; messages and evidence are not meant. */
static void observe(void *ctx, const struct aws_event *e)
{
	struct drill *d = ctx;

	if (e->phase == AWS_AFTER && e->mutating && d->answering &&
		strcmp(e->service, "sns") != 0 && strcmp(e->service, "s3") != 0 &&
		strcmp(e->service, "sqs") != 0) {
		pthread_mutex_lock(&d->lock);
		d->mutating++;
		pthread_mutex_unlock(&d->lock);
	}
}

static enum err_status client(
	struct drill *d, bool watched, struct aws_client **out, struct err *err)
{
	const struct aws_options opts = {
		.region = DRILL_REGION, .observer = watched ? observe : NULL, .observer_ctx = d
	};

	return aws_client_new(&d->env.base, &opts, out, err);
}

static enum err_status control(
	struct drill *d, const char *path, const char *body, struct err *err)
{
	char url[256];

	(void)snprintf(url, sizeof(url), "%s/moto-api/%s", d->moto_url, path);
	return drill_servers_http("POST", url, body, NULL, err);
}

static enum err_status start_emulator(struct drill *d, struct err *err)
{
	char log[512], seed[64];
	enum err_status st = drill_servers_find(d->app->env, &d->places, err);

	if (st != ERR_OK) {
		return st;
	}
	(void)snprintf(log, sizeof(log), "%.480s/emulator.log", d->dir);
	TRY(drill_servers_moto(&d->places, log, &d->moto, err));
	(void)snprintf(d->moto_url, sizeof(d->moto_url), "http://127.0.0.1:%d", d->moto.port);
	drill_env_set(&d->env, "AWS_ENDPOINT_URL", d->moto_url);
	drill_env_set(&d->env, "AWS_REGION", DRILL_REGION);
	drill_env_set(&d->env, "AWS_EC2_METADATA_DISABLED", "true");
	drill_env_set(&d->env, "AWS_ACCESS_KEY_ID", "AKIADRILLBOOTSTRAP00");
	drill_env_set(&d->env, "AWS_SECRET_ACCESS_KEY", "drill-bootstrap");
	(void)snprintf(
		seed, sizeof(seed), "seed?a=%llu", (unsigned long long)(d->seed % 2147483647));
	st = control(d, seed, "", err); /* the same seed gives the same ids */
out:
	return st;
}

static enum err_status start_stub(struct drill *d, struct err *err)
{
	const struct scenario_world *w = &d->story.world;
	char ids[128], key[400], key2[400];
	const char *const args[] = { "--print-port", "--instances", ids, "--account",
		w->account, "--region", DRILL_REGION, "--upstream", d->moto_url, "--key", key,
		"--key", key2, NULL };
	enum err_status st;

	if (d->places.stub[0] == '\0') {
		drill_say_line(&d->say, DRILL_SKIP,
			N_("No Systems Manager in this drill: the stub is only in the source "
			   "tree"),
			"");
		return ERR_OK;
	}
	(void)snprintf(
		ids, sizeof(ids), "%s,%s", w->server[0].instance_id, w->server[1].instance_id);
	(void)snprintf(key, sizeof(key), "%s=%s", d->admin_key, d->admin_secret);
	(void)snprintf(key2, sizeof(key2), "%s=%s", env_var(&d->env.base, "AWS_ACCESS_KEY_ID"),
		env_var(&d->env.base, "AWS_SECRET_ACCESS_KEY"));
	st = drill_servers_stub(&d->places, args, &d->stub, err);
	if (st != ERR_OK) {
		return st;
	}
	(void)snprintf(d->stub_url, sizeof(d->stub_url), "http://127.0.0.1:%d", d->stub.port);
	drill_env_set(&d->env, "AWS_ENDPOINT_URL_SSM", d->stub_url);
	drill_env_set(&d->env, "AWS_ENDPOINT_URL_GUARDDUTY", d->stub_url);
	drill_env_set(&d->env, "AWS_ENDPOINT_URL_CLOUDTRAIL", d->stub_url);
	return ERR_OK;
}

/* cordon's document for Systems Manager, as `cordon deploy` would have put it there. */
static enum err_status put_document(struct drill *d, struct err *err)
{
	struct buf text;
	json_t *params = NULL;
	enum err_status st;

	if (d->stub.pid == 0 || d->places.document[0] == '\0') {
		return ERR_OK;
	}
	buf_init(&text, (size_t)256 * 1024);
	st = env_read_file(d->app->env, d->places.document, &text, err);
	if (st == ERR_OK) {
		params = json_pack("{s:s, s:s, s:s, s:o}", "Name", "cordon-isolate",
			"DocumentType", "Command", "DocumentFormat", "YAML", "Content",
			doc_str(buf_view(&text)));
		st = aws_call(d->admin, "ssm", "CreateDocument", params, NULL, err);
	}
	json_decref(params);
	buf_deinit(&text);
	return st == ERR_CONFLICT ? ERR_OK : st;
}

static enum err_status write_config(struct drill *d, struct err *err)
{
	const struct scenario_names *n = &d->story.names;
	struct buf text;
	char path[512];
	enum err_status st;

	buf_init(&text, 65536);
	buf_printf(&text,
		"# The configuration of this drill.\n"
		"mode: auto\nstate: \"sqlite:%s/cordon.db\"\naws:\n  region: %s\n"
		"evidence:\n  bucket: %s\n  lock_days: 30\n  log_sources:\n"
		"    - \"s3://%s/AWSLogs/%s/CloudTrail/\"\n    - \"s3://%s/\"\n"
		"notify:\n  topic_arn: \"%s\"\n  languages: [%s]\n"
		"response:\n  quarantine_profile: cordon-quarantine\n  ssm_document: "
		"cordon-isolate\n"
		"  isolation_endpoints: [\"10.20.0.0/16\"]\n"
		"  settle_seconds: 2 # the emulated network changes at once\n  approvers: "
		"[\"" DRILL_APPROVER "\"]\n"
		"serve:\n  queue_url: \"%s\"\n",
		d->dir, DRILL_REGION, n->evidence_bucket, n->trail_bucket,
		d->story.world.account, n->log_bucket, d->topic_arn, i18n_code(d->say.lang),
		d->queue_url);
	(void)snprintf(path, sizeof(path), "%.490s/cordon.yaml", d->dir);
	st = env_write_file(d->app->env, path, buf_view(&text), 0600, err);
	buf_deinit(&text);
	if (st == ERR_OK) {
		st = config_load(&d->env.base, path, &d->config, err);
	}
	return st;
}

static enum err_status keep_logs(struct drill *d, struct err *err)
{
	struct buf truth;
	char path[1024];
	enum err_status st = ERR_OK;

	for (size_t i = 0; d->keep && i < d->story.n_files && st == ERR_OK; i++) {
		const struct scenario_file *f = &d->story.files[i];
		char *slash;

		(void)snprintf(path, sizeof(path), "%.400s/logs/%s", d->dir, f->key);
		slash = strrchr(path, '/');
		*slash = '\0';
		st = folder_make(path, 0700, err);
		*slash = '/';
		if (st == ERR_OK) {
			st = env_write_file(d->app->env, path, f->bytes, 0600, err);
		}
	}
	if (d->keep && st == ERR_OK) {
		buf_init(&truth, DOC_MAX_BYTES);
		doc_pretty(d->story.truth, &truth);
		(void)snprintf(path, sizeof(path), "%.900s/truth.json", d->dir);
		st = env_write_file(d->app->env, path, buf_view(&truth), 0600, err);
		buf_reset(&truth);
		doc_pretty(d->story.event, &truth);
		(void)snprintf(path, sizeof(path), "%.900s/finding.json", d->dir);
		if (st == ERR_OK) {
			st = env_write_file(d->app->env, path, buf_view(&truth), 0600, err);
		}
		buf_deinit(&truth);
	}
	return st;
}

/* The account as it was before anything happened, and the day's logs in it. */
static enum err_status build_account(struct drill *d, struct err *err)
{
	enum err_status st;

	TRY(start_emulator(d, err));
	TRY(client(d, false, &d->admin, err));
	TRY(drill_access_make(d, err));
	TRY(drill_seed_account(d, err));
	TRY(write_config(d, err));
	TRY(playbook_load(&d->env.base, &d->config, &d->playbooks, err));
	TRY(drill_access_allow(d, err));
out:
	return st;
}

static enum err_status play_the_day(struct drill *d, struct err *err)
{
	enum err_status st;
	char count[64];

	TRY(scenario_play(&d->story, err));
	TRY(drill_seed_files(d, err));
	TRY(keep_logs(d, err));
	(void)snprintf(count, sizeof(count), "%zu + %zu", d->story.n_events, d->story.n_lines);
	drill_say_line(&d->say, DRILL_GOOD,
		N_("Account ready; CloudTrail records and log lines of its day:"), count);
	st = start_stub(d, err);
out:
	return st;
}

/* As the administrator: what only AWS itself would do, and the account as it is before. */
static enum err_status look_before(struct drill *d, struct err *err)
{
	enum err_status st;

	aws_client_free(d->admin);
	d->admin = NULL;
	drill_env_set(&d->env, "AWS_ACCESS_KEY_ID", d->admin_key);
	drill_env_set(&d->env, "AWS_SECRET_ACCESS_KEY", d->admin_secret);
	drill_env_set(&d->env, "AWS_SESSION_TOKEN", "");
	TRY(client(d, false, &d->admin, err));
	TRY(put_document(d, err));
	TRY(control(d, "reset-auth", "0", err));
	st = drill_look(d, &d->before, err);
out:
	return st;
}

/* From here on every call is checked, signature and rights, and made as the responder. */
static enum err_status become_responder(struct drill *d, struct err *err)
{
	static const char *const names[3] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN" };
	const char *values[3], *account, *arn;
	enum err_status st;

	TRY(client(d, true, &d->responder, err));
	for (size_t i = 0; i < 3; i++) {
		values[i] = arena_cstr(&d->arena, str_from(env_var(&d->env.base, names[i])));
	}
	TRY(aws_caller(d->responder, &account, &arn, err)); /* resolves its session */
	TRY(look_before(d, err));
	for (size_t i = 0; i < 3; i++) {
		drill_env_set(&d->env, names[i], values[i]);
	}
	drill_say_line(&d->say, DRILL_GOOD,
		N_("Signatures and permissions are now checked; cordon acts as"),
		d->responder_arn);
out:
	return st;
}

static enum err_status set_the_stage(struct drill *d, struct err *err)
{
	drill_say_part(&d->say, N_("The stage"));
	drill_say_text(
		&d->say, N_("An emulated AWS account on this machine. TechSolutions runs its "
			    "platform there: two web servers behind a "
			    "load balancer, project files in S3, a database, CloudTrail."));
	enum err_status st = build_account(d, err);
	if (st == ERR_OK) {
		st = play_the_day(d, err);
	}
	return st == ERR_OK ? become_responder(d, err) : st;
}

static enum err_status publish(struct drill *d, struct err *err)
{
	const json_t *e = d->story.event;
	char *detail = json_dumps(doc_get(e, "detail"), JSON_COMPACT);
	json_t *params =
		json_pack("{s:[{s:s, s:s, s:s, s:[]}]}", "Entries", "Source", "aws.guardduty",
			"DetailType", "GuardDuty Finding", "Detail", detail, "Resources");
	json_t *result = NULL;
	enum err_status st = aws_call(d->admin, "events", "PutEvents", params, &result, err);

	if (st == ERR_OK && doc_int(result, "FailedEntryCount", 0) != 0) {
		st = err_set(err, ERR_FAILED, "EventBridge did not take the finding");
	}
	json_decref(result);
	json_decref(params);
	free(detail);
	return st;
}

/* The message as `serve` would get it; its receipt is deleted only after the answer. */
static enum err_status receive(
	struct drill *d, struct buf *body, char **receipt, struct err *err)
{
	for (int i = 0; i < RECEIVE_TRIES; i++) {
		json_t *got = NULL,
		       *params = json_pack("{s:s, s:i, s:i}", "QueueUrl", d->queue_url,
			       "MaxNumberOfMessages", 1, "WaitTimeSeconds", 1);
		enum err_status st =
			aws_call(d->responder, "sqs", "ReceiveMessage", params, &got, err);
		const char *text = doc_text(got, "Messages[0].Body");

		json_decref(params);
		if (st == ERR_OK && text != NULL) {
			buf_puts(body, text);
			*receipt = str_dup(
				str_from(doc_text_or(got, "Messages[0].ReceiptHandle", "")));
		}
		json_decref(got);
		if (st != ERR_OK || *receipt != NULL) {
			return st;
		}
	}
	return err_set(err, ERR_FAILED, "the finding did not arrive in the queue");
}

static struct flow flow_of(struct drill *d)
{
	return (struct flow){ .env = &d->env.base,
		.aws = d->responder,
		.journal = d->journal,
		.config = &d->config,
		.playbooks = d->playbooks,
		.approve_all = true,
		.person = DRILL_APPROVER, /* the drill plays them too */
		.watch = drill_tell_watch,
		.watch_ctx = d };
}

static enum err_status fold(struct drill *d, struct err *err)
{
	json_t *now = NULL;
	enum err_status st = view_read(d->journal, d->case_id, &now, err);

	if (st == ERR_OK) {
		json_decref(d->view);
		d->view = now;
	}
	return st;
}

static enum err_status answer(struct drill *d, struct err *err)
{
	struct buf body;
	char *receipt = NULL;
	json_t *answers = NULL, *params = NULL;
	struct flow f;
	enum err_status st;

	buf_init(&body, (size_t)1024 * 1024);
	drill_say_part(&d->say, N_("The finding"));
	TRY(journal_open(&d->env.base, d->config.state, NULL, &d->journal, err));
	TRY(control(d, "recorder/start-recording", "", err));
	d->say.zero_us = env_mono_us(d->app->env);
	TRY(publish(d, err));
	drill_say_line(&d->say, DRILL_PLAIN, N_("GuardDuty reports through EventBridge"),
		doc_text_or(d->story.event, "detail.type", ""));
	TRY(receive(d, &body, &receipt, err));
	d->received_us = env_mono_us(d->app->env);
	drill_say_line(&d->say, DRILL_GOOD, N_("cordon takes it from its SQS queue"), "");
	drill_say_fact(
		&d->say, N_("says"), doc_text_or(d->story.event, "detail.description", ""));
	drill_say_part(&d->say, N_("The response"));
	d->answering = true;
	f = flow_of(d);
	st = deliver(&f, buf_view(&body), &answers, NULL, err);
	d->answering = false;
	d->done_us = env_mono_us(d->app->env);
	if (st == ERR_OK) {
		d->response = json_incref(json_array_get(answers, 0));
		params = json_pack(
			"{s:s, s:s}", "QueueUrl", d->queue_url, "ReceiptHandle", receipt);
		st = aws_call(d->responder, "sqs", "DeleteMessage", params, NULL, err);
	}
	if (st == ERR_OK) {
		st = fold(d, err);
	}
out:
	json_decref(params);
	json_decref(answers);
	free(receipt);
	buf_deinit(&body);
	return st;
}

static enum err_status write_report(struct drill *d, struct err *err)
{
	const struct report_options opts = { .format = REPORT_HTML,
		.lang = d->say.lang,
		.now_ms = env_now_ms(d->app->env),
		.version = CORDON_VERSION,
		.command_line = "cordon drill" };
	struct buf html;
	char path[512];
	enum err_status st;

	buf_init(&html, (size_t)64 * 1024 * 1024);
	st = report_write(d->view, &opts, &html, err);
	(void)snprintf(path, sizeof(path), "%.490s/report.html", d->dir);
	if (st == ERR_OK) {
		st = env_write_file(d->app->env, path, buf_view(&html), 0600, err);
	}
	buf_deinit(&html);
	if (st == ERR_OK) {
		d->report = str_dup(str_from(path));
	}
	return st;
}

static enum err_status show(struct drill *d, struct err *err)
{
	enum err_status st = drill_look(d, &d->after_answer, err);
	char calls[32];

	if (st != ERR_OK) {
		return st;
	}
	drill_say_part(&d->say, N_("What was done, and the proof"));
	drill_tell_measures(d);
	if (d->kind == SCENARIO_FALSE_ALARM) {
		(void)snprintf(calls, sizeof(calls), "%llu", (unsigned long long)d->mutating);
		drill_say_line(&d->say, d->mutating == 0 ? DRILL_GOOD : DRILL_BAD,
			N_("Calls sent that change the account:"), calls);
	}
	TRY(control(d, "recorder/stop-recording", "", err));
	drill_say_part(&d->say, N_("What the team received"));
	TRY(drill_tell_collect(d, err));
	drill_tell_messages(d);
	drill_say_part(&d->say, N_("Evidence"));
	drill_say_text(&d->say, N_("Each object: SHA-256, size, lock, until when, name."));
	drill_tell_evidence(d);
	drill_say_part(&d->say, N_("Root cause, found in the logs"));
	drill_tell_verdict(d);
	st = write_report(d, err);
	if (st == ERR_OK) {
		drill_say_line(&d->say, DRILL_GOOD, N_("Report:"), d->report);
	}
out:
	return st;
}

static void tell_undone(struct drill *d)
{
	size_t i;
	json_t *line;

	json_array_foreach(doc_get(d->undone, "undone"), i, line)
	{
		drill_say_line(&d->say, DRILL_GOOD, N_("Undone:"),
			json_is_string(line)
				? json_string_value(line)
				: doc_text_or(line, "step", doc_text_or(line, "id", "")));
	}
}

/* What cordon refuses to put back without being told twice (a key proven leaked) is forced: it is a drill. */
static enum err_status undo_refused(struct drill *d, struct flow *f, struct err *err)
{
	enum err_status st;
	size_t i;
	json_t *step;

	TRY(fold(d, err));
	json_array_foreach(doc_get(d->view, "steps"), i, step)
	{
		if (strcmp(doc_text_or(step, "state", ""), "undo_failed") != 0) {
			continue;
		}
		drill_tell_kept(d, step);
		drill_say_why(&d->say, N_("This is a drill, so it is forced; on a real account "
					  "a person decides."));
		json_decref(d->undone);
		d->undone = NULL;
		TRY(flow_undo(f, d->case_id, doc_text(step, "id"), true, &d->undone, err));
		tell_undone(d);
	}
out:
	return st;
}

static enum err_status undo(struct drill *d, struct flow *f, struct err *err)
{
	enum err_status st = flow_undo(f, d->case_id, NULL, false, &d->undone, err);

	tell_undone(d);
	if (st != ERR_OK) {
		err_clear(err);
		st = undo_refused(d, f, err);
	}
	return st;
}

static enum err_status put_back(struct drill *d, struct err *err)
{
	struct flow f = flow_of(d);
	enum err_status st;
	size_t i;
	json_t *line, *differences;

	drill_say_part(&d->say, N_("Everything is put back"));
	f.watch = NULL;
	if (d->case_id[0] != '\0' && json_array_size(doc_get(d->view, "steps")) > 0) {
		TRY(undo(d, &f, err));
		TRY(fold(d, err));
	}
	TRY(drill_look(d, &d->after_undo, err));
	differences = drill_look_differences(d->before, d->after_undo);
	if (json_array_size(differences) == 0) {
		drill_say_line(&d->say, DRILL_GOOD,
			N_("Every describe-call answers as before the incident"), "");
	} else {
		drill_say_line(&d->say, DRILL_BAD, N_("The account is not as before:"), "");
		json_array_foreach(differences, i, line)
		{
			drill_say_quote(&d->say, json_string_value(line));
		}
	}
	json_decref(differences);
	drill_say_text(&d->say, N_("What stays on purpose: the locked evidence, and the "
				   "snapshots of the disks."));
out:
	return st;
}

enum err_status drill_run(struct drill *d, json_t **out, struct err *err)
{
	enum err_status st;

	drill_servers_guard();
	TRY(set_the_stage(d, err));
	TRY(answer(d, err));
	TRY(show(d, err));
	if (d->undo) {
		TRY(put_back(d, err));
	}
	*out = drill_result_document(d);
	st = drill_result_judge(d, *out, err);
out:
	return st;
}

void drill_deinit(struct drill *d)
{
	drill_servers_stop(&d->stub);
	drill_servers_stop(&d->moto);
	playbook_set_free(d->playbooks);
	journal_close(d->journal);
	aws_client_free(d->admin);
	aws_client_free(d->responder);
	config_deinit(&d->config);
	json_decref(d->before);
	json_decref(d->after_answer);
	json_decref(d->after_undo);
	json_decref(d->response);
	json_decref(d->undone);
	json_decref(d->view);
	json_decref(d->messages);
	scenario_deinit(&d->story);
	arena_deinit(&d->arena);
	drill_env_deinit(&d->env);
	free(d->dir);
	free(d->report);
}
