/*
 * When to try again: the SDKs' standard mode. A bucket of retry tokens, full jitter, Retry-After.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
#ifndef CORDON_AWS_RETRY_H
#define CORDON_AWS_RETRY_H

#include "aws/wire.h"

struct retry_bucket; /* shared by all calls of a client; thread-safe */
struct retry_bucket *retry_bucket_new(void);
void retry_bucket_free(struct retry_bucket *b);
/* Takes the price of one retry (10 after a time-out, else 5); false when the bucket is empty. */
bool retry_take(struct retry_bucket *b, bool timed_out);
/* After a success: gives back what the call's last retry took, or 1. */
void retry_give(struct retry_bucket *b, int took);
int retry_price(bool timed_out);

/*
 * Wait before attempt `attempt` + 1 (attempt counts from 1): random in [0, min(2^(n-1), 20 s)],
 * at least what Retry-After (seconds or a date) or x-amz-retry-after (ms) asks for, 60 s at most.
 */
int64_t retry_delay_ms(struct env *env, int attempt, const struct wire_response *answer);

/* Server time minus ours by the answer's Date header; false when there is none. */
bool retry_skew_ms(struct env *env, const struct wire_response *answer, int64_t *skew);

#endif
