#include "aws/retry.h"

#include "base/utc.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKET_SIZE    500
#define RETRY_COST     5
#define TIMEOUT_COST   10
#define MAX_BACKOFF_MS 20000
#define MAX_ASKED_MS   60000

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

int retry_price(bool timed_out)
{
	return timed_out ? TIMEOUT_COST : RETRY_COST;
}

bool retry_take(struct retry_bucket *b, bool timed_out)
{
	int price = retry_price(timed_out);
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

static int64_t asked_ms(struct env *env, const struct wire_response *answer)
{
	int64_t n;
	const char *ms = wire_get(&answer->headers, "x-amz-retry-after");
	if (ms && str_to_i64(str_from(ms), &n) && n > 0) {
		return n < MAX_ASKED_MS ? n : MAX_ASKED_MS;
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

int64_t retry_delay_ms(struct env *env, int attempt, const struct wire_response *answer)
{
	int64_t ceiling = 1000;
	for (int i = 1; i < attempt && ceiling < MAX_BACKOFF_MS; i++) {
		ceiling *= 2;
	}
	ceiling = ceiling < MAX_BACKOFF_MS ? ceiling : MAX_BACKOFF_MS;
	uint32_t r = 0;
	env_random(env, &r, sizeof(r));
	int64_t jitter = (int64_t)((double)r / 4294967296.0 * (double)ceiling);
	int64_t asked = asked_ms(env, answer);
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
