/*
 * The messages that the daemon holds: received from its queue, not deleted yet. They are handed out
 * most severe first; while they are held they stay invisible to others.
 */
#ifndef CORDON_APP_SERVE_HAND_H
#define CORDON_APP_SERVE_HAND_H

#include "aws/aws.h"

struct serve_hand;

/* What is next to be done about a message. */
enum serve_stage { SERVE_CONTAIN, SERVE_EXPLAIN };

struct serve_message {
	enum serve_stage stage;
	const char *receipt, *id, *body;
	const char *key;  /* what its finding is about */
	double severity;  /* of its worst finding */
	int64_t times;    /* how often it was delivered */
	int64_t sent_ms;  /* put into the queue */
	int64_t begin_ms; /* not before: another try */
	int tries;        /* in this hand, lost to somebody who was at work on the case */
	json_t *cases;    /* to be explained, array of ids */
	bool taken;
};

struct serve_queue {
	const char *url;
	bool has_redrive;  /* moves what fails too often elsewhere by itself */
	int64_t visible_s; /* how long a message is ours; extended while it is held */
};

/* `aws` is used for all calls about the queue, by several threads; `queue` is copied. */
struct serve_hand *serve_hand_new(
	struct env *env, struct aws_client *aws, const struct serve_queue *queue);
/* Gives back to the queue, visible at once, what was not finished. */
void serve_hand_free(struct serve_hand *h);
/*
 * One ReceiveMessage; waits up to wait_s. What can't be read goes the way of the queue's redrive
 * policy, or is dropped after five deliveries. *got: how many messages there were.
 */
ERR_MUST_CHECK enum err_status serve_hand_receive(
	struct serve_hand *h, int64_t wait_s, size_t *got, struct err *err);
/* Waits until there is room for ten more, or `ms` are over; true when there is. */
bool serve_hand_room(struct serve_hand *h, int64_t ms);
/* No worker starts while messages keep coming in tens: so that the worst of a burst is first. */
void serve_hand_gather(struct serve_hand *h, bool on);
/*
 * The next message for a worker, NULL after serve_hand_end. Blocks. First those to be contained, by
 * severity, then age, no two about the same thing at once; only then those to be explained, and
 * never by all of `workers`, so that somebody is free for what comes.
 */
struct serve_message *serve_hand_take(struct serve_hand *h, int workers);
/* What became of it: done (deleted), later (after wait_ms, by this hand), or given back to the queue,
 * which shows it again after wait_ms. `m` is gone after done and give_back. */
void serve_hand_done(struct serve_hand *h, struct serve_message *m);
void serve_hand_later(struct serve_hand *h, struct serve_message *m, int64_t wait_ms);
void serve_hand_give_back(struct serve_hand *h, struct serve_message *m, int64_t wait_ms);
/* Waits; false when the end came. */
bool serve_hand_pause(struct serve_hand *h, int64_t ms);
/* Workers get nothing more. */
void serve_hand_end(struct serve_hand *h);
/* Blocks until nothing is held, or the end. */
void serve_hand_drain(struct serve_hand *h);
size_t serve_hand_unreadable(struct serve_hand *h);

#endif
