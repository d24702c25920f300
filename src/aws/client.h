/* What a client is made of; shared by client.c, call.c and page.c. */
#ifndef CORDON_AWS_CLIENT_H
#define CORDON_AWS_CLIENT_H

#include "aws/creds.h"
#include "aws/endpoint.h"
#include "aws/model.h"
#include "aws/retry.h"
#include "aws/sigv4.h"

#include <pthread.h>

/*
 * Ids of calls that are drawn at a time: one for each would be every sixth system call. A client is one
 * process's, as its connections are: a child would draw the same ones.
 */
#define CLIENT_IDS 64

struct aws_client {
	struct env *env;
	struct profile_set profiles;
	struct endpoint_rules endpoints;
	struct http_pool *pool;
	struct creds_chain *creds;
	struct sigv4_cache *keys;
	struct retry_bucket *bucket;
	char *region, *endpoint_url;
	char *user_agent; /* without the case */
	int max_attempts; /* 0: by the service */
	bool refuse_mutating;
	aws_observer_fn observer;
	void *observer_ctx;
	bool bookkeeping;
	atomic_llong skew_ms; /* server's clock minus ours */
	atomic_llong deadline_ms;
	atomic_bool cancelled;

	pthread_mutex_t lock; /* guards what follows */
	char *case_id;
	char *account, *arn;
	json_t *refused;
	struct aws_stats stats;
	unsigned char ids[CLIENT_IDS][16]; /* random, for the calls to come: no secrets */
	size_t n_ids;
};

/* The agent text for the next request, appended. */
void client_user_agent(struct aws_client *c, struct buf *out);
/* The id of one more call, by which AWS knows its attempts. */
void client_invocation(struct aws_client *c, char out[37]);
/* Adds to the counters. */
void client_count(struct aws_client *c, const struct aws_stats *add);
/* Records a call that the dry run held back. */
void client_refused(
	struct aws_client *c, const char *service, const char *operation, const json_t *params);

#endif
