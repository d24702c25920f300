#include "app/serve_hand.h"

#include "base/log.h"
#include "flow/flow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST      1000 /* held at once */
#define MOST_OPEN 200  /* of them not contained yet: enough to choose from */
#define BATCH     10   /* of SQS */
#define GIVE_UP   5    /* deliveries of an unreadable message where no redrive policy is */
#define GLANCE_MS 250

struct serve_hand {
	struct env *env;
	struct aws_client *aws;
	char *queue;
	bool has_redrive;
	int64_t visible_s, extend_ms;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	struct serve_message *held[MOST];
	size_t n, explaining, unreadable;
	bool gathering, ending;
	pthread_t keeper;
};

static void message_free(struct serve_message *m)
{
	free((char *)(uintptr_t)m->receipt);
	free((char *)(uintptr_t)m->id);
	free((char *)(uintptr_t)m->body);
	free((char *)(uintptr_t)m->key);
	json_decref(m->cases);
	free(m);
}

static void set_visibility(struct serve_hand *h, const char *receipt, int64_t seconds)
{
	struct err e = { 0 };
	json_t *params = json_pack("{s:s, s:s, s:I}", "QueueUrl", h->queue, "ReceiptHandle",
		receipt, "VisibilityTimeout", (json_int_t)seconds);

	if (aws_call(h->aws, "sqs", "ChangeMessageVisibility", params, NULL, &e) != ERR_OK) {
		log_err(LOG_WARN, "a message's visibility could not be changed", &e);
	}
	json_decref(params);
}

static void drop(struct serve_hand *h, const char *receipt)
{
	struct err e = { 0 };
	json_t *params =
		json_pack("{s:s, s:s}", "QueueUrl", h->queue, "ReceiptHandle", receipt);

	/* Left there it comes again, is known, and changes nothing. */
	if (aws_call(h->aws, "sqs", "DeleteMessage", params, NULL, &e) != ERR_OK) {
		log_err(LOG_WARN, "an answered message could not be deleted", &e);
	}
	json_decref(params);
}

/* ---- keeping ---- */

/* The receipts held now, as batches of ChangeMessageVisibilityBatch. */
static json_t *batches_of(const struct serve_hand *h)
{
	json_t *batches = json_array(), *entries = NULL;

	for (size_t i = 0; i < h->n; i++) {
		if (i % BATCH == 0) {
			entries = json_array();
			json_array_append_new(batches, json_pack("{s:s, s:o}", "QueueUrl",
							       h->queue, "Entries", entries));
		}
		json_array_append_new(
			entries, json_pack("{s:o, s:s, s:I}", "Id", json_sprintf("m%zu", i),
					 "ReceiptHandle", h->held[i]->receipt,
					 "VisibilityTimeout", (json_int_t)h->visible_s));
	}
	return batches;
}

static void extend(struct serve_hand *h, const json_t *batches)
{
	const json_t *batch;
	size_t i;

	json_array_foreach(batches, i, batch)
	{
		struct err e = { 0 };
		if (aws_call(h->aws, "sqs", "ChangeMessageVisibilityBatch", batch, NULL, &e) !=
			ERR_OK) {
			log_err(LOG_WARN, "the visibility of messages could not be extended",
				&e);
		}
	}
}

/* Waits on `changed` for at most `ms`. With the lock held. */
static void wait_ms(struct serve_hand *h, int64_t ms)
{
	int64_t at_us = env_mono_us(h->env) + ms * 1000;
	const struct timespec at = { .tv_sec = at_us / 1000000,
		.tv_nsec = at_us % 1000000 * 1000 };

	(void)pthread_cond_timedwait(&h->changed, &h->lock, &at);
}

static void *keep_invisible(void *arg)
{
	struct serve_hand *h = arg;
	int64_t next_us = env_mono_us(h->env) + h->extend_ms * 1000;

	(void)pthread_mutex_lock(&h->lock);
	while (!h->ending) {
		int64_t left_us = next_us - env_mono_us(h->env);
		if (left_us > 0) {
			wait_ms(h, left_us / 1000 + 1);
			continue;
		}
		json_t *batches = batches_of(h);
		(void)pthread_mutex_unlock(&h->lock);
		extend(h, batches);
		json_decref(batches);
		next_us = env_mono_us(h->env) + h->extend_ms * 1000;
		(void)pthread_mutex_lock(&h->lock);
	}
	(void)pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct serve_hand *serve_hand_new(
	struct env *env, struct aws_client *aws, const struct serve_queue *queue)
{
	struct serve_hand *h = calloc(1, sizeof *h);
	pthread_condattr_t attr;

	if (h == NULL) {
		BUG("out of memory");
	}
	h->env = env;
	h->aws = aws;
	h->queue = str_dup(str_from(queue->url));
	h->has_redrive = queue->has_redrive;
	h->visible_s = queue->visible_s;
	/* Twice in its time, with room for a slow answer. */
	h->extend_ms = queue->visible_s * 3000 / 8;
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&h->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (pthread_create(&h->keeper, NULL, keep_invisible, h) != 0) {
		BUG("no thread to be had");
	}
	return h;
}

void serve_hand_end(struct serve_hand *h)
{
	(void)pthread_mutex_lock(&h->lock);
	h->ending = true;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
}

void serve_hand_free(struct serve_hand *h)
{
	if (h == NULL) {
		return;
	}
	serve_hand_end(h);
	(void)pthread_join(h->keeper, NULL);
	for (size_t i = 0; i < h->n; i++) {
		set_visibility(h, h->held[i]->receipt, 0);
		message_free(h->held[i]);
	}
	(void)pthread_cond_destroy(&h->changed);
	(void)pthread_mutex_destroy(&h->lock);
	free(h->queue);
	free(h);
}

/* ---- receiving ---- */

/* What can't be read goes to the dead-letter queue by the queue's own rule, or is given up, loudly. */
static void poison(struct serve_hand *h, const json_t *message, const struct err *why)
{
	const char *receipt = doc_text_or(message, "ReceiptHandle", "");
	int64_t times = doc_int(message, "Attributes.ApproximateReceiveCount", 1);
	bool give_up = !h->has_redrive && times >= GIVE_UP;

	log_event(LOG_ERROR, "a message can't be read",
		json_pack("{s:s, s:s, s:I, s:b}", "message_id",
			doc_text_or(message, "MessageId", "?"), "error", why->msg, "times",
			(json_int_t)times, "given_up", give_up));
	if (give_up) {
		drop(h, receipt);
	} else {
		set_visibility(h, receipt, 1);
	}
	(void)pthread_mutex_lock(&h->lock);
	h->unreadable++;
	(void)pthread_mutex_unlock(&h->lock);
}

static char *copy_of(const json_t *message, const char *field)
{
	return str_dup(str_from(doc_text_or(message, field, "")));
}

/* A message that holds no finding at all needs no hurry: it is answered by saying so. */
static struct serve_message *message_of(
	const struct serve_hand *h, const json_t *message, struct err *err)
{
	struct finding_set set = { 0 };
	struct str body = str_from(doc_text_or(message, "Body", ""));

	if (finding_read(body, &set, err) != ERR_OK) {
		return NULL;
	}
	struct serve_message *m = calloc(1, sizeof *m);
	if (m == NULL) {
		BUG("out of memory");
	}
	m->receipt = copy_of(message, "ReceiptHandle");
	m->id = copy_of(message, "MessageId");
	m->body = copy_of(message, "Body");
	m->times = doc_int(message, "Attributes.ApproximateReceiveCount", 1);
	m->sent_ms = doc_int(message, "Attributes.SentTimestamp", env_now_ms(h->env));
	m->key = set.n > 0 ? flow_key(set.items[0]) : str_dup(STR(""));
	m->cases = json_array();
	for (size_t i = 0; i < set.n; i++) {
		double s = set.items[i]->severity;
		m->severity = s > m->severity ? s : m->severity;
	}
	finding_set_deinit(&set);
	return m;
}

static void hold(struct serve_hand *h, const json_t *message)
{
	struct err why = { 0 };
	struct serve_message *m = message_of(h, message, &why);

	if (m == NULL) {
		poison(h, message, &why);
		return;
	}
	(void)pthread_mutex_lock(&h->lock);
	if (h->n == MOST) {
		BUG("more messages than there is room for");
	}
	h->held[h->n++] = m;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
}

enum err_status serve_hand_receive(
	struct serve_hand *h, int64_t wait_s, size_t *got, struct err *err)
{
	json_t *params = json_pack("{s:s, s:i, s:I, s:I, s:[s]}", "QueueUrl", h->queue,
		"MaxNumberOfMessages", BATCH, "WaitTimeSeconds", (json_int_t)wait_s,
		"VisibilityTimeout", (json_int_t)h->visible_s, "AttributeNames", "All");
	json_t *result = NULL, *message;
	enum err_status st = aws_call(h->aws, "sqs", "ReceiveMessage", params, &result, err);
	const json_t *messages = doc_get(result, "Messages");
	size_t i;

	json_decref(params);
	*got = json_array_size(messages);
	json_array_foreach(messages, i, message)
	{
		hold(h, message);
	}
	json_decref(result);
	return st;
}

bool serve_hand_room(struct serve_hand *h, int64_t ms)
{
	int64_t until_us = env_mono_us(h->env) + ms * 1000;
	bool room = false;

	(void)pthread_mutex_lock(&h->lock);
	while (!h->ending && !room) {
		size_t open = 0;
		for (size_t i = 0; i < h->n; i++) {
			open += h->held[i]->stage == SERVE_CONTAIN;
		}
		room = h->n + BATCH <= MOST && open + BATCH <= MOST_OPEN;
		int64_t left_us = until_us - env_mono_us(h->env);
		if (!room && left_us <= 0) {
			break;
		}
		if (!room) {
			wait_ms(h, left_us / 1000 + 1);
		}
	}
	(void)pthread_mutex_unlock(&h->lock);
	return room;
}

void serve_hand_gather(struct serve_hand *h, bool on)
{
	(void)pthread_mutex_lock(&h->lock);
	h->gathering = on;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
}

/* ---- handing out ---- */

/* Somebody is at work on the same thing: a second worker could only wait for the lease. */
static bool key_is_taken(const struct serve_hand *h, const struct serve_message *m)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct serve_message *o = h->held[i];
		if (o != m && o->taken && m->key[0] != '\0' && strcmp(o->key, m->key) == 0) {
			return true;
		}
	}
	return false;
}

static bool sooner(const struct serve_message *a, const struct serve_message *b)
{
	if (a->stage != b->stage) {
		return a->stage == SERVE_CONTAIN;
	}
	if (a->severity < b->severity || a->severity > b->severity) {
		return a->severity > b->severity;
	}
	return a->sent_ms < b->sent_ms;
}

static struct serve_message *choose(const struct serve_hand *h, size_t most_explaining)
{
	struct serve_message *best = NULL;
	int64_t now = env_now_ms(h->env);

	for (size_t i = 0; i < h->n; i++) {
		struct serve_message *m = h->held[i];
		bool may = !m->taken && m->begin_ms <= now &&
			   (m->stage == SERVE_CONTAIN || h->explaining < most_explaining);
		if (may && (best == NULL || sooner(m, best)) && !key_is_taken(h, m)) {
			best = m;
		}
	}
	return best;
}

struct serve_message *serve_hand_take(struct serve_hand *h, int workers)
{
	struct serve_message *m = NULL;
	size_t most = workers > 1 ? (size_t)workers - 1 : 1;

	(void)pthread_mutex_lock(&h->lock);
	while (!h->ending) {
		m = h->gathering ? NULL : choose(h, most);
		if (m != NULL) {
			m->taken = true;
			h->explaining += m->stage == SERVE_EXPLAIN;
			break;
		}
		wait_ms(h, GLANCE_MS);
	}
	(void)pthread_mutex_unlock(&h->lock);
	return m;
}

/* Out of the hand. With the lock held. */
static void remove_message(struct serve_hand *h, const struct serve_message *m)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->held[i] == m) {
			h->held[i] = h->held[--h->n];
			break;
		}
	}
	h->explaining -= m->stage == SERVE_EXPLAIN;
	(void)pthread_cond_broadcast(&h->changed);
}

void serve_hand_done(struct serve_hand *h, struct serve_message *m)
{
	drop(h, m->receipt);
	(void)pthread_mutex_lock(&h->lock);
	remove_message(h, m);
	(void)pthread_mutex_unlock(&h->lock);
	message_free(m);
}

void serve_hand_later(struct serve_hand *h, struct serve_message *m, int64_t ms)
{
	(void)pthread_mutex_lock(&h->lock);
	h->explaining -= m->stage == SERVE_EXPLAIN;
	m->stage = json_array_size(m->cases) > 0 ? SERVE_EXPLAIN : SERVE_CONTAIN;
	m->begin_ms = env_now_ms(h->env) + ms;
	m->taken = false;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
}

void serve_hand_give_back(struct serve_hand *h, struct serve_message *m, int64_t ms)
{
	(void)pthread_mutex_lock(&h->lock);
	remove_message(h, m);
	(void)pthread_mutex_unlock(&h->lock);
	set_visibility(h, m->receipt, ms / 1000);
	message_free(m);
}

bool serve_hand_pause(struct serve_hand *h, int64_t ms)
{
	int64_t until_us = env_mono_us(h->env) + ms * 1000;

	(void)pthread_mutex_lock(&h->lock);
	while (!h->ending && env_mono_us(h->env) < until_us) {
		wait_ms(h, (until_us - env_mono_us(h->env)) / 1000 + 1);
	}
	bool go_on = !h->ending;
	(void)pthread_mutex_unlock(&h->lock);
	return go_on;
}

void serve_hand_drain(struct serve_hand *h)
{
	(void)pthread_mutex_lock(&h->lock);
	while (h->n > 0 && !h->ending) {
		wait_ms(h, GLANCE_MS);
	}
	(void)pthread_mutex_unlock(&h->lock);
}

size_t serve_hand_unreadable(struct serve_hand *h)
{
	(void)pthread_mutex_lock(&h->lock);
	size_t n = h->unreadable;
	(void)pthread_mutex_unlock(&h->lock);
	return n;
}
