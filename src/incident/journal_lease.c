#include "incident/journal_lease.h"

#include "base/hash.h"
#include "incident/holder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define KEEP_PART      3 /* a lease is prolonged when a third of its time is over */
#define THING_TTL_MS   60000
#define THING_PAUSE_MS 50
#define FRESH_MS       5000 /* for so long an answer of the store is believed */

void journal_lease_init(struct journal *j)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&j->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
}

void journal_lease_deinit(struct journal *j)
{
	(void)pthread_mutex_lock(&j->lock);
	j->ending = true;
	(void)pthread_cond_signal(&j->wake);
	(void)pthread_mutex_unlock(&j->lock);
	if (j->keeping) {
		(void)pthread_join(j->keeper, NULL);
	}
	for (size_t i = 0; i < j->n_leases; i++) {
		j->store->v->unlease(j->store, j->leases[i].case_id, j->holder);
	}
	(void)pthread_cond_destroy(&j->wake);
}

struct journal_lease *journal_lease_of(struct journal *j, const char *case_id)
{
	for (size_t i = 0; i < j->n_leases; i++) {
		if (strcmp(j->leases[i].case_id, case_id) == 0) {
			return &j->leases[i];
		}
	}
	return NULL;
}

/*
 * A lease that comes back with another fencing number was somebody else's in between, who acted on
 * what we know nothing of: it counts as lost. One that can't be reached is tried again later.
 */
static void prolong(struct journal *j, struct journal_lease *l)
{
	char other[STORE_HOLDER];
	int64_t fence = 0, now = env_now_ms(j->env);
	const struct store_lease again = { .case_id = l->case_id,
		.holder = j->holder,
		.now_ms = now,
		.until_ms = now + l->ttl_ms };
	enum err_status st = j->store->v->lease(j->store, &again, &fence, other, NULL);

	if (st == ERR_OK && fence == l->fence) {
		l->until_ms = again.until_ms;
	} else if (st == ERR_OK) {
		l->lost = true;
		j->store->v->unlease(j->store, l->case_id, j->holder);
	} else if (st == ERR_CONFLICT || st == ERR_NOT_FOUND) {
		l->lost = true;
	}
}

static int64_t shortest_ms(const struct journal *j)
{
	int64_t ms = 60000;

	for (size_t i = 0; i < j->n_leases; i++) {
		int64_t part = j->leases[i].ttl_ms / KEEP_PART;
		ms = part < ms ? part : ms;
	}
	return ms > 10 ? ms : 10;
}

static void *keep(void *arg)
{
	struct journal *j = arg;

	(void)pthread_mutex_lock(&j->lock);
	while (!j->ending) {
		int64_t at_us = env_mono_us(env_system()) + shortest_ms(j) * 1000;
		const struct timespec at = { .tv_sec = at_us / 1000000,
			.tv_nsec = at_us % 1000000 * 1000 };
		if (pthread_cond_timedwait(&j->wake, &j->lock, &at) != ETIMEDOUT) {
			continue; /* another lease came, or the end */
		}
		for (size_t i = 0; i < j->n_leases; i++) {
			if (!j->leases[i].lost) {
				prolong(j, &j->leases[i]);
			}
		}
	}
	(void)pthread_mutex_unlock(&j->lock);
	return NULL;
}

static enum err_status take(
	struct journal *j, const struct store_lease *wanted, int64_t *fence, struct err *err)
{
	struct store_lease l = *wanted;
	char other[STORE_HOLDER], again[STORE_HOLDER];
	enum err_status st = j->store->v->lease(j->store, &l, fence, other, err);

	if (st == ERR_CONFLICT && holder_is_dead(other)) {
		l.replace = other;
		err_clear(err);
		st = j->store->v->lease(j->store, &l, fence, again, err);
	}
	return st;
}

enum err_status journal_lock(
	struct journal *j, const char *case_id, int64_t ttl_ms, struct err *err)
{
	struct store_lease l = { .case_id = case_id, .holder = j->holder };
	struct store_head head;
	int64_t fence = 0;
	enum err_status st = ERR_OK;

	(void)pthread_mutex_lock(&j->lock);
	struct journal_lease *mine = journal_lease_of(j, case_id);
	if (case_id[0] != STORE_THING) {
		TRY(j->store->v->head(j->store, case_id, &head, err));
	}
	if (mine == NULL && j->n_leases == JOURNAL_LEASES) {
		st = err_set(err, ERR_LIMIT, "more than %d cases are locked at once",
			JOURNAL_LEASES);
		goto out;
	}
	l.now_ms = env_now_ms(j->env);
	l.until_ms = l.now_ms + ttl_ms;
	TRY(take(j, &l, &fence, err));
	if (mine == NULL) {
		mine = &j->leases[j->n_leases++];
		(void)snprintf(mine->case_id, sizeof mine->case_id, "%s", case_id);
	}
	mine->fence = fence;
	mine->ttl_ms = ttl_ms;
	mine->until_ms = l.until_ms;
	mine->lost = false;
	/* Without the thread a lease is prolonged by appends only, as it was meant to be at least. */
	j->keeping = j->keeping || pthread_create(&j->keeper, NULL, keep, j) == 0;
	(void)pthread_cond_signal(&j->wake);
out:
	(void)pthread_mutex_unlock(&j->lock);
	return st;
}

enum err_status journal_lock_thing(
	struct journal *j, const char *name, int64_t wait_ms, char id[32], struct err *err)
{
	char hex[HASH_SHA256_HEX];
	int64_t until_us = env_mono_us(env_system()) + wait_ms * 1000;
	enum err_status st;

	hash_sha256_hex(str_from(name), hex);
	(void)snprintf(id, 32, "%c%.24s", STORE_THING, hex);
	while ((st = journal_lock(j, id, THING_TTL_MS, err)) == ERR_CONFLICT &&
		env_mono_us(env_system()) < until_us) {
		err_clear(err);
		env_sleep_ms(env_system(), THING_PAUSE_MS);
	}
	return st;
}

bool journal_holds(struct journal *j, const char *case_id)
{
	(void)pthread_mutex_lock(&j->lock);
	struct journal_lease *mine = journal_lease_of(j, case_id);
	int64_t now = env_now_ms(j->env);
	bool ours = mine != NULL && !mine->lost && now < mine->until_ms;
	/* Whoever slept does not notice; by another machine's clock the lease may be over. */
	int64_t age = ours ? now - (mine->until_ms - mine->ttl_ms) : 0;
	if (age < 0 || age > FRESH_MS) {
		prolong(j, mine);
		ours = !mine->lost;
	}
	(void)pthread_mutex_unlock(&j->lock);
	return ours;
}

void journal_unlock(struct journal *j, const char *case_id)
{
	(void)pthread_mutex_lock(&j->lock);
	struct journal_lease *mine = journal_lease_of(j, case_id);
	if (mine != NULL) {
		if (!mine->lost) {
			j->store->v->unlease(j->store, case_id, j->holder);
		}
		*mine = j->leases[--j->n_leases];
	}
	(void)pthread_mutex_unlock(&j->lock);
}
