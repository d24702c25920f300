/*
 * When to try again: the SDKs' standard mode in its revision of 2026, as botocore has it
 * (retries/standard.py). A bucket of retry tokens, full jitter, Retry-After. Throttling is waited out
 * for seconds; anything else that passes is tried again within a fraction of one.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
#ifndef CORDON_AWS_RETRY_H
#define CORDON_AWS_RETRY_H

#include "aws/wire.h"

struct retry_bucket; /* shared by all calls of a client; thread-safe */
struct retry_bucket *retry_bucket_new(void);
void retry_bucket_free(struct retry_bucket *b);
/* Takes the price of one retry (5 after throttling, else 14 of 500); false when it is not there. */
bool retry_take(struct retry_bucket *b, bool throttled);
/* After a success: gives back what the call's last retry took, or 1. */
void retry_give(struct retry_bucket *b, int took);
int retry_price(bool throttled);

struct retry_failed {
	int attempt; /* that has failed, from 1 */
	bool throttled;
	bool dynamodb; /* answers within milliseconds, so it is asked again sooner */
};
/*
 * Wait before the next attempt: random in [0, min(base * 2^(n-1), 20 s)], base 1 s after throttling,
 * else 50 ms (DynamoDB 25 ms). At least what the answer asks for: Retry-After (seconds or a date) up
 * to a minute, x-amz-retry-after (ms) up to 5 s more.
 */
int64_t retry_delay_ms(
	struct env *env, const struct retry_failed *f, const struct wire_response *answer);

/* Attempts when nobody configured a number. */
int retry_attempts(bool dynamodb);

/* Server time minus ours by the answer's Date header; false when there is none. */
bool retry_skew_ms(struct env *env, const struct wire_response *answer, int64_t *skew);

#endif
