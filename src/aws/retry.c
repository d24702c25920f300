#include "aws/retry.h"

#include "base/utc.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKET_SIZE       500
#define RETRY_COST        14
#define THROTTLED_COST    5
#define BASE_US           50000
#define BASE_DYNAMODB_US  25000
#define BASE_THROTTLED_US 1000000
#define MAX_BACKOFF_US    20000000
#define MAX_ASKED_MS      60000
#define MAX_ASKED_MORE_MS 5000
#define ATTEMPTS          3
#define ATTEMPTS_DYNAMODB 4

struct retry_bucket {
	pthread_mutex_t lock;
	int tokens;
};

struct retry_bucket *retry_bucket_new(void)
{
	struct retry_bucket *b = calloc(1, sizeof(*b));
	if (!b) {
		BUG("out of memory");
	}
	(void)pthread_mutex_init(&b->lock, NULL);
	b->tokens = BUCKET_SIZE;
	return b;
}

void retry_bucket_free(struct retry_bucket *b)
{
	if (b) {
		(void)pthread_mutex_destroy(&b->lock);
		free(b);
	}
}

int retry_price(bool throttled)
{
	return throttled ? THROTTLED_COST : RETRY_COST;
}

int retry_attempts(bool dynamodb)
{
	return dynamodb ? ATTEMPTS_DYNAMODB : ATTEMPTS;
}

bool retry_take(struct retry_bucket *b, bool throttled)
{
	int price = retry_price(throttled);
	(void)pthread_mutex_lock(&b->lock);
	bool ok = b->tokens >= price;
	if (ok) {
		b->tokens -= price;
	}
	(void)pthread_mutex_unlock(&b->lock);
	return ok;
}

void retry_give(struct retry_bucket *b, int took)
{
	(void)pthread_mutex_lock(&b->lock);
	b->tokens += took > 0 ? took : 1;
	if (b->tokens > BUCKET_SIZE) {
		b->tokens = BUCKET_SIZE;
	}
	(void)pthread_mutex_unlock(&b->lock);
}

/* What the answer asks for; `jitter` is what would be waited without. */
static int64_t asked_ms(struct env *env, const struct wire_response *answer, int64_t jitter)
{
	int64_t n;
	const char *ms = wire_get(&answer->headers, "x-amz-retry-after");
	if (ms && str_to_i64(str_from(ms), &n) && n > 0) {
		return n < jitter + MAX_ASKED_MORE_MS ? n : jitter + MAX_ASKED_MORE_MS;
	}
	const char *after = wire_get(&answer->headers, "Retry-After");
	if (!after) {
		return 0;
	}
	if (str_to_i64(str_from(after), &n)) {
		n = n < 0 ? 0 : n > MAX_ASKED_MS / 1000 ? MAX_ASKED_MS / 1000 : n;
		return n * 1000;
	}
	if (utc_parse_http(str_from(after), &n)) {
		n -= env_now_ms(env);
		return n < 0 ? 0 : n < MAX_ASKED_MS ? n : MAX_ASKED_MS;
	}
	return 0;
}

int64_t retry_delay_ms(
	struct env *env, const struct retry_failed *f, const struct wire_response *answer)
{
	int64_t ceiling = f->throttled  ? BASE_THROTTLED_US
			  : f->dynamodb ? BASE_DYNAMODB_US
					: BASE_US;
	for (int i = 1; i < f->attempt && ceiling < MAX_BACKOFF_US; i++) {
		ceiling *= 2;
	}
	ceiling = ceiling < MAX_BACKOFF_US ? ceiling : MAX_BACKOFF_US;
	uint32_t r = 0;
	env_random(env, &r, sizeof(r));
	int64_t jitter = (int64_t)((double)r / 4294967296.0 * (double)ceiling) / 1000;
	int64_t asked = asked_ms(env, answer, jitter);
	return jitter > asked ? jitter : asked;
}

bool retry_skew_ms(struct env *env, const struct wire_response *answer, int64_t *skew)
{
	int64_t theirs;
	const char *date = wire_get(&answer->headers, "Date");
	if (!date || !utc_parse_http(str_from(date), &theirs)) {
		return false;
	}
	*skew = theirs - env_now_ms(env);
	return true;
}
