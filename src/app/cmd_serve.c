#include "app/app.h"
#include "app/deliver.h"
#include "app/parts.h"
#include "app/serve_hand.h"
#include "app/serve_web.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#define POLL_S        5 /* short enough for SIGTERM, long enough to cost nothing */
#define ROOM_MS       1000
#define GATHER_MS     2000 /* a burst is looked at for so long before the worst of it is chosen */
#define BATCH         10
#define CONFLICT_MS   1000 /* between tries for a case that somebody works on */
#define CONFLICTS     60
#define BACKOFF_MAX_S 900
#define TICK_MS       60000
#define MOST_WORKERS  16

static volatile sig_atomic_t asked_to_end;

static void on_term(int signal_number)
{
	(void)signal_number;
	asked_to_end = 1;
}

struct daemon {
	struct app *app;
	struct aws_client *aws;
	struct serve_hand *hand;
	const struct playbook_set *playbooks;
	struct serve_queue queue;
	int n_workers;
	atomic_size_t failed;
	pthread_mutex_t print;
};

/* One thread that answers findings, with a client and a journal (so a lease) of its own. */
struct worker {
	struct daemon *d;
	pthread_t thread;
	struct aws_client *aws;
	struct journal *journal;
	struct flow flow;
	struct serve_message *message; /* in hand */
};

static void postpone(void *ctx, const char *case_id)
{
	const struct worker *w = ctx;
	json_t *cases = w->message->cases, *v;
	size_t i;

	json_array_foreach(cases, i, v)
	{
		if (strcmp(json_string_value(v), case_id) == 0) {
			return;
		}
	}
	json_array_append_new(cases, json_string(case_id));
}

static enum err_status worker_open(struct daemon *d, struct worker *w, struct err *err)
{
	enum err_status st = ERR_OK;

	w->d = d;
	TRY(parts_aws(d->app, &w->aws, err));
	TRY(parts_journal(d->app, &w->journal, err));
	w->flow = (struct flow){ .env = d->app->env,
		.aws = w->aws,
		.journal = w->journal,
		.config = &d->app->config,
		.playbooks = d->playbooks,
		.dry_run = d->app->dry_run,
		.postpone = postpone,
		.postpone_ctx = w };
out:
	return st;
}

static void worker_close(struct worker *w)
{
	journal_close(w->journal);
	aws_client_free(w->aws);
}

static int64_t backoff_ms(int64_t times)
{
	int64_t wait = 10;

	for (int64_t i = 1; i < times && wait < BACKOFF_MAX_S; i++) {
		wait *= 2;
	}
	return (wait < BACKOFF_MAX_S ? wait : BACKOFF_MAX_S) * 1000;
}

/* Another process, or another finding of the same case, is at work on it: ours comes next. */
static void try_later(struct worker *w, struct serve_message *m, const struct err *why)
{
	struct daemon *d = w->d;

	if (why->status == ERR_CONFLICT && m->tries++ < CONFLICTS) {
		serve_hand_later(d->hand, m, CONFLICT_MS);
		return;
	}
	atomic_fetch_add(&d->failed, 1);
	log_err(LOG_ERROR, "a message was not answered and comes again", why);
	serve_hand_give_back(d->hand, m, backoff_ms(m->times));
}

static void print_responses(struct daemon *d, const json_t *responses)
{
	const json_t *response;
	size_t i;

	(void)pthread_mutex_lock(&d->print);
	json_array_foreach(responses, i, response)
	{
		app_print_line(response);
	}
	(void)fflush(stdout);
	(void)pthread_mutex_unlock(&d->print);
}

/* Contains; evidence and cause wait until nothing else is to be contained. */
static void contain(struct worker *w, struct serve_message *m)
{
	struct err here = { 0 };
	json_t *responses = NULL;

	w->message = m;
	enum err_status st = deliver(&w->flow, str_from(m->body), &responses, NULL, &here);
	w->message = NULL;
	if (st != ERR_CONFLICT) {
		print_responses(w->d, responses);
	}
	json_decref(responses);
	if (st != ERR_OK) {
		json_array_clear(m->cases);
		try_later(w, m, &here);
	} else if (json_array_size(m->cases) > 0) {
		serve_hand_later(w->d->hand, m, 0);
	} else {
		serve_hand_done(w->d->hand, m);
	}
}

static void explain(struct worker *w, struct serve_message *m)
{
	struct err here = { 0 };
	const json_t *id;
	size_t i;

	json_array_foreach(m->cases, i, id)
	{
		if (flow_explain(&w->flow, json_string_value(id), &here) != ERR_OK) {
			try_later(w, m, &here);
			return;
		}
	}
	serve_hand_done(w->d->hand, m);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct serve_message *m;

	while ((m = serve_hand_take(w->d->hand, w->d->n_workers)) != NULL) {
		if (m->stage == SERVE_CONTAIN) {
			contain(w, m);
		} else {
			explain(w, m);
		}
	}
	return NULL;
}

static enum err_status look_at_queue(struct daemon *d, struct err *err)
{
	json_t *params =
		json_pack("{s:s, s:[s]}", "QueueUrl", d->queue.url, "AttributeNames", "All");
	json_t *result = NULL;
	enum err_status st =
		aws_call(d->aws, "sqs", "GetQueueAttributes", params, &result, err);

	d->queue.has_redrive = doc_text(result, "Attributes.RedrivePolicy") != NULL;
	json_decref(result);
	json_decref(params);
	if (st == ERR_NOT_FOUND) {
		return err_set(err, ERR_CONFIG, "there is no queue %s; check serve.queue_url",
			d->queue.url);
	}
	return st;
}

/* What no message asks for: what playbooks say about questions that nobody answered in time. */
static void *look_after_questions(void *arg)
{
	struct worker *w = arg;

	do {
		struct err here = { 0 };
		if (flow_tick(&w->flow, NULL, &here) != ERR_OK) {
			log_err(LOG_ERROR, "questions that ran out could not be settled",
				&here);
		}
	} while (serve_hand_pause(w->d->hand, TICK_MS));
	return NULL;
}

/*
 * Receives until told to end. Being cut off from AWS is waited out; wrong credentials are not.
 * Workers get nothing while full batches come in quick succession: what is worst is known only when
 * all of a burst was seen.
 */
static enum err_status receive(struct daemon *d, bool once, struct err *err)
{
	struct env *env = d->app->env;
	int64_t pause_ms = 1000, since_us = env_mono_us(env);
	bool more = false;

	while (!asked_to_end) {
		size_t got = 0;
		if (!serve_hand_room(d->hand, ROOM_MS)) {
			serve_hand_gather(d->hand, false);
			continue;
		}
		enum err_status st =
			serve_hand_receive(d->hand, more ? 0 : (once ? 1 : POLL_S), &got, err);
		bool long_enough = env_mono_us(env) - since_us > (int64_t)GATHER_MS * 1000;
		more = st == ERR_OK && got == BATCH && !long_enough;
		serve_hand_gather(d->hand, more);
		since_us = got == BATCH ? since_us : env_mono_us(env);
		if (st == ERR_UNREACHABLE && !once) {
			log_err(LOG_WARN, "AWS can't be reached; trying on", err);
			err_clear(err);
			env_sleep_ms(env, pause_ms);
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

static enum err_status with_workers(struct daemon *d, bool once, struct err *err)
{
	struct worker workers[MOST_WORKERS + 1] = {
		0
	}; /* the last one looks after questions */
	int n = d->n_workers + 1, opened = 0, running = 0;
	enum err_status st = ERR_OK;

	for (; opened < n; opened++) {
		TRY(worker_open(d, &workers[opened], err));
	}
	workers[d->n_workers].flow.postpone = NULL;
	d->hand = serve_hand_new(d->app->env, d->aws, &d->queue);
	serve_hand_gather(d->hand, true);
	for (; running < n; running++) {
		struct worker *w = &workers[running];
		void *(*body)(void *) = running < d->n_workers ? work : look_after_questions;
		if (pthread_create(&w->thread, NULL, body, w) != 0) {
			BUG("no thread to be had");
		}
	}
	st = receive(d, once, err);
	if (once && st == ERR_OK) {
		serve_hand_drain(d->hand);
	}
	serve_hand_end(d->hand);
out:
	for (int i = 0; i < running; i++) {
		(void)pthread_join(workers[i].thread, NULL);
	}
	if (d->hand != NULL) {
		atomic_fetch_add(&d->failed, serve_hand_unreadable(d->hand));
	}
	serve_hand_free(d->hand);
	for (int i = 0; i <= opened && i < n; i++) {
		worker_close(&workers[i]);
	}
	return st;
}

/* Approval links, where serve.listen says so; with a journal, so an actor, of their own. */
static enum err_status open_links(struct daemon *d, struct serve_web **out, struct err *err)
{
	struct journal *own = NULL;
	enum err_status st = ERR_OK;

	if (d->app->config.listen == NULL) {
		return ERR_OK;
	}
	TRY(parts_journal(d->app, &own, err));
	const struct flow flow = { .env = d->app->env,
		.aws = d->aws,
		.journal = own,
		.config = &d->app->config,
		.playbooks = d->playbooks,
		.dry_run = d->app->dry_run };
	st = serve_web_start(&flow, own, out, err);
out:
	return st;
}

static enum err_status run(struct app *app, struct err *err)
{
	const char *queue = app_opt(app, "queue-url");
	struct sigaction term = { .sa_handler = on_term };
	struct playbook_set *playbooks = NULL;
	struct daemon d = { .app = app,
		.queue = { .url = queue != NULL ? queue : app->config.queue_url,
			.visible_s = app->config.serve_visibility_seconds },
		.n_workers = (int)app->config.serve_workers };
	struct serve_web *links = NULL;
	enum err_status st;

	if (d.queue.url == NULL) {
		return err_set(err, ERR_CONFIG,
			"no queue to read: set serve.queue_url in cordon.yaml or give "
			"--queue-url");
	}
	(void)pthread_mutex_init(&d.print, NULL);
	TRY(app_aws(app, &d.aws, err));
	TRY(playbook_load(app->env, &app->config, &playbooks, err));
	d.playbooks = playbooks;
	TRY(look_at_queue(&d, err));
	TRY(open_links(&d, &links, err));
	(void)sigaction(SIGTERM, &term, NULL);
	(void)sigaction(SIGINT, &term, NULL);
	log_event(LOG_INFO, "serving", json_pack("{s:s}", "queue", d.queue.url));
	st = with_workers(&d, app_opt(app, "once") != NULL, err);
	if (st == ERR_OK && atomic_load(&d.failed) > 0) {
		app->exit_code = err_exit_code(ERR_PARTIAL);
	}
out:
	serve_web_stop(links);
	playbook_set_free(playbooks);
	(void)pthread_mutex_destroy(&d.print);
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
	.text = N_(
		"Reads GuardDuty findings that an EventBridge rule puts into an SQS queue and "
		"answers serve.workers of them at once: of those received the most severe "
		"first, containment before evidence and analysis, never two about the same "
		"resource. A message is deleted after its finding was answered and explained; "
		"one that failed comes again later; one that can't be read goes the way of the "
		"queue's redrive policy, or is dropped with an error in the log after five "
		"deliveries. SIGTERM ends after the messages in work and gives the others back "
		"to the queue. Each answer is one line of JSON on standard output. With --once "
		"exit code 6 means that some messages were not answered."),
	.examples = "cordon serve --queue-url URL\tServe one queue\n"
		    "cordon serve --once\tAnswer what is waiting, for cron\n",
	.options = options,
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
