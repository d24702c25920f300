#include "app/app.h"
#include "app/deliver.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define VISIBLE_S 120 /* how long a message is ours; extended while it is worked on */
#define EXTEND_MS 45000
#define POLL_S    5 /* short enough for SIGTERM, long enough to cost nothing */
#define GIVE_UP \
	5 /* deliveries after which an unreadable message is dropped, where no redrive policy is */
#define BACKOFF_MAX_S 900

static volatile sig_atomic_t asked_to_end;

static void on_term(int signal_number)
{
	(void)signal_number;
	asked_to_end = 1;
}

struct daemon {
	struct app *app;
	struct aws_client *aws;
	struct flow flow;
	const char *queue;
	bool has_redrive;
	size_t answered, failed;
};

/* Keeps a message invisible for others while it is being answered. */
struct keeper {
	struct daemon *d;
	const char *receipt;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
};

static void set_visibility(struct daemon *d, const char *receipt, int64_t seconds)
{
	struct err e = { 0 };
	json_t *params = json_pack("{s:s, s:s, s:I}", "QueueUrl", d->queue, "ReceiptHandle",
		receipt, "VisibilityTimeout", (json_int_t)seconds);

	if (aws_call(d->aws, "sqs", "ChangeMessageVisibility", params, NULL, &e) != ERR_OK) {
		log_err(LOG_WARN, "a message's visibility could not be changed", &e);
	}
	json_decref(params);
}

static void *keep_invisible(void *ctx)
{
	struct keeper *k = ctx;
	struct timespec until;

	pthread_mutex_lock(&k->lock);
	while (!k->done) {
		int64_t at = env_now_ms(k->d->app->env) + EXTEND_MS;

		until = (struct timespec){ .tv_sec = at / 1000,
			.tv_nsec = at % 1000 * 1000000 };
		if (pthread_cond_timedwait(&k->wake, &k->lock, &until) == ETIMEDOUT &&
			!k->done) {
			pthread_mutex_unlock(&k->lock);
			set_visibility(k->d, k->receipt, VISIBLE_S);
			pthread_mutex_lock(&k->lock);
		}
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

static void keeper_begin(struct keeper *k, struct daemon *d, const char *receipt)
{
	k->d = d;
	k->receipt = receipt;
	k->done = false;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->wake, NULL);
	if (pthread_create(&k->thread, NULL, keep_invisible, k) != 0) {
		BUG("no thread to be had");
	}
}

static void keeper_end(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	k->done = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->lock);
}

static enum err_status drop(struct daemon *d, const char *receipt, struct err *err)
{
	json_t *params =
		json_pack("{s:s, s:s}", "QueueUrl", d->queue, "ReceiptHandle", receipt);
	enum err_status st = aws_call(d->aws, "sqs", "DeleteMessage", params, NULL, err);

	json_decref(params);
	return st;
}

/* What can't be read goes to the dead-letter queue by the queue's own rule, or is given up, loudly. */
static enum err_status poison(
	struct daemon *d, const json_t *message, const struct err *why, struct err *err)
{
	const char *id = doc_text_or(message, "MessageId", "?");
	int64_t times = doc_int(message, "Attributes.ApproximateReceiveCount", 1);

	d->failed++;
	log_event(LOG_ERROR, "a message can't be read",
		json_pack("{s:s, s:s, s:I, s:b}", "message_id", id, "error", why->msg, "times",
			(json_int_t)times, "given_up", !d->has_redrive && times >= GIVE_UP));
	if (!d->has_redrive && times >= GIVE_UP) {
		return drop(d, doc_text_or(message, "ReceiptHandle", ""), err);
	}
	set_visibility(d, doc_text_or(message, "ReceiptHandle", ""), 1);
	return ERR_OK;
}

static int64_t backoff(int64_t times)
{
	int64_t wait = 10;

	for (int64_t i = 1; i < times && wait < BACKOFF_MAX_S; i++) {
		wait *= 2;
	}
	return wait < BACKOFF_MAX_S ? wait : BACKOFF_MAX_S;
}

static enum err_status take(struct daemon *d, const json_t *message, struct err *err)
{
	const char *receipt = doc_text_or(message, "ReceiptHandle", ""),
		   *body = doc_text_or(message, "Body", "");
	int64_t times = doc_int(message, "Attributes.ApproximateReceiveCount", 1);
	struct keeper keeper;
	struct err here = { 0 };
	json_t *responses = NULL, *response;
	enum err_status st;
	size_t i;

	keeper_begin(&keeper, d, receipt);
	st = deliver(&d->flow, str_from(body), &responses, NULL, &here);
	keeper_end(&keeper);
	json_array_foreach(responses, i, response)
	{
		char *line = json_dumps(response, JSON_COMPACT);

		(void)printf("%s\n", line != NULL ? line : "{}");
		(void)fflush(stdout);
		free(line);
	}
	json_decref(responses);
	if (st == ERR_OK) {
		d->answered++;
		return drop(d, receipt, err);
	}
	if (st == ERR_INPUT || st == ERR_LIMIT) {
		return poison(d, message, &here, err);
	}
	d->failed++;
	log_err(LOG_ERROR, "a message was not answered and comes again", &here);
	set_visibility(d, receipt, backoff(times));
	return ERR_OK;
}

/* One poll. *got: how many messages there were. */
static enum err_status poll_once(struct daemon *d, int64_t wait_s, size_t *got, struct err *err)
{
	json_t *params = json_pack("{s:s, s:i, s:I, s:i, s:[s]}", "QueueUrl", d->queue,
		"MaxNumberOfMessages", 1, "WaitTimeSeconds", (json_int_t)wait_s,
		"VisibilityTimeout", VISIBLE_S, "AttributeNames", "All");
	json_t *result = NULL;
	enum err_status st = aws_call(d->aws, "sqs", "ReceiveMessage", params, &result, err);
	const json_t *messages = doc_get(result, "Messages");

	json_decref(params);
	*got = json_array_size(messages);
	for (size_t i = 0; st == ERR_OK && i < *got; i++) {
		st = take(d, json_array_get(messages, i), err);
	}
	json_decref(result);
	return st;
}

static enum err_status look_at_queue(struct daemon *d, struct err *err)
{
	json_t *params =
		json_pack("{s:s, s:[s]}", "QueueUrl", d->queue, "AttributeNames", "All");
	json_t *result = NULL;
	enum err_status st =
		aws_call(d->aws, "sqs", "GetQueueAttributes", params, &result, err);

	d->has_redrive = doc_text(result, "Attributes.RedrivePolicy") != NULL;
	json_decref(result);
	json_decref(params);
	if (st == ERR_NOT_FOUND) {
		return err_set(err, ERR_CONFIG, "there is no queue %s; check serve.queue_url",
			d->queue);
	}
	return st;
}

/* Until told to end. Being cut off from AWS is waited out; wrong credentials are not. */
static enum err_status loop(struct daemon *d, bool once, struct err *err)
{
	int64_t pause_ms = 1000;

	while (!asked_to_end) {
		size_t got = 0;
		enum err_status st = poll_once(d, once ? 1 : POLL_S, &got, err);

		if (st == ERR_UNREACHABLE && !once) {
			log_err(LOG_WARN, "AWS can't be reached; trying on", err);
			err_clear(err);
			env_sleep_ms(d->app->env, pause_ms);
			pause_ms = pause_ms < 30000 ? pause_ms * 2 : 60000;
			continue;
		}
		if (st != ERR_OK || (once && got == 0)) {
			return st;
		}
		pause_ms = 1000;
	}
	log_event(LOG_INFO, "asked to end", NULL);
	return ERR_OK;
}

static enum err_status run(struct app *app, struct err *err)
{
	const char *queue = app_opt(app, "queue-url");
	struct sigaction term = { .sa_handler = on_term };
	struct playbook_set *playbooks = NULL;
	struct daemon d = { .app = app,
		.queue = queue != NULL ? queue : app->config.queue_url };
	struct journal *journal = NULL;
	enum err_status st;

	if (d.queue == NULL) {
		return err_set(err, ERR_CONFIG,
			"no queue to read: set serve.queue_url in cordon.yaml or give "
			"--queue-url");
	}
	TRY(app_aws(app, &d.aws, err));
	TRY(app_journal(app, &journal, err));
	TRY(playbook_load(app->env, &app->config, &playbooks, err));
	d.flow = (struct flow){ .env = app->env,
		.aws = d.aws,
		.journal = journal,
		.config = &app->config,
		.playbooks = playbooks,
		.dry_run = app->dry_run };
	TRY(look_at_queue(&d, err));
	(void)sigaction(SIGTERM, &term, NULL);
	(void)sigaction(SIGINT, &term, NULL);
	log_event(LOG_INFO, "serving", json_pack("{s:s}", "queue", d.queue));
	st = loop(&d, app_opt(app, "once") != NULL, err);
	if (st == ERR_OK && d.failed > 0) {
		app->exit_code = err_exit_code(ERR_PARTIAL);
	}
out:
	playbook_set_free(playbooks);
	return st;
}

static const struct app_option options[] = {
	{ "queue-url", 'q', "URL", N_("SQS queue to read, instead of serve.queue_url"), NULL },
	{ "once", 0, NULL, N_("Answer what is in the queue now, then end"), NULL },
	{ NULL, 0, NULL, NULL, NULL },
};
const struct app_command cmd_serve = {
	.name = "serve",
	.usage = "",
	.summary = N_("Take findings from an SQS queue and answer them, until told to end"),
	.text = N_("Reads GuardDuty findings that an EventBridge rule puts into an SQS queue. "
		   "A message is deleted after its "
		   "finding was answered; one that failed comes again later; one that can't be "
		   "read goes the way of the "
		   "queue's redrive policy, or is dropped with an error in the log after five "
		   "deliveries. SIGTERM ends after the "
		   "message in hand. Each answer is one line of JSON on standard output. With "
		   "--once exit code 6 means that some "
		   "messages were not answered."),
	.examples = "cordon serve --queue-url URL\tServe one queue\n"
		    "cordon serve --once\tAnswer what is waiting, for cron\n",
	.options = options,
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
