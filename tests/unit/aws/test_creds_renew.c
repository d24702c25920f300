/* When credentials are fetched anew, by whom, and what serves meanwhile. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char role_config[] = "[profile r]\nrole_arn=r\nsource_profile=dev\n";
static const char dev_keys[] = "[dev]\naws_access_key_id=AKIADEV\naws_secret_access_key=s\n";

static void at(struct world *w, int64_t minutes)
{
	atomic_store(&w->env.now_ms, WORLD_NOW + minutes * WORLD_MINUTE);
}

static void test_early(void **state)
{
	(void)state;
	struct world w;
	world_prepare(&w, role_config, dev_keys);
	world_open(&w, "r");
	world_expect_key(&w, "ASIAROLE", "STS"); /* to 11:00 */
	at(&w, 54);
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_int_equal(atomic_load(&w.sts_calls), 1);
	at(&w, 56);
	world_sts(&w, WORLD_STS("ASIANEXT", "12:00"));
	world_expect_key(&w, "ASIANEXT", "STS");
	assert_int_equal(atomic_load(&w.sts_calls), 2);
	world_done(&w);
}

/* The old ones serve to their end, and AWS is asked once a minute, not at every call. */
static void test_renewal_fails(void **state)
{
	(void)state;
	struct world w;
	world_prepare(&w, role_config, dev_keys);
	world_open(&w, "r");
	world_expect_key(&w, "ASIAROLE", "STS");
	world_sts(&w, NULL);
	at(&w, 56);
	for (int i = 0; i < 5; i++) {
		world_expect_key(&w, "ASIAROLE", "STS");
	}
	assert_int_equal(atomic_load(&w.sts_calls), 2);
	at(&w, 58);
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_int_equal(atomic_load(&w.sts_calls), 3);
	at(&w, 61);
	world_expect_status(&w, ERR_UNREACHABLE, "STS is not there");
	world_sts(&w, WORLD_STS("ASIANEXT", "13:00"));
	world_expect_key(&w, "ASIANEXT", "STS");
	world_done(&w);
}

static void open_container(struct world *w, const struct stub *stub, char variable[128])
{
	world_prepare(w, "", "");
	(void)snprintf(variable, 128, "AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/role", stub->url);
	world_set(w, variable);
	world_open(w, NULL);
}

#define KEYS(key, until)                                                          \
	"{\"AccessKeyId\":\"" key "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"," \
	"\"Expiration\":\"2026-08-01T" until ":00Z\"}"

/* Static stability: what the machine gave is used beyond its end while nothing newer can be had. */
static void test_static_stability(void **state)
{
	(void)state;
	struct world w;
	struct stub stub;
	char a[512], b[128], c[512], variable[128];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "200 OK", "", KEYS("ASIAOLD", "11:00")) },
		{ .text = stub_text(b, sizeof(b), "500 Oops", "", "") },
		{ .text = b },
		{ .text = b }, /* 3 attempts make one renewal */
		{ .text = stub_text(c, sizeof(c), "200 OK", "", KEYS("ASIANEW", "18:00")) },
	};
	stub_start(&stub, answers, COUNT(answers));
	open_container(&w, &stub, variable);
	world_expect_key(&w, "ASIAOLD", "container");
	at(&w, 65);
	world_expect_key(&w, "ASIAOLD", "container");
	assert_int_equal(stub_requests(&stub), 4);
	at(&w, 69); /* not before five minutes */
	world_expect_key(&w, "ASIAOLD", "container");
	assert_int_equal(stub_requests(&stub), 4);
	at(&w, 76); /* but after ten */
	world_expect_key(&w, "ASIANEW", "container");
	world_done(&w);
	stub_stop(&stub);
}

/* The service hands out what has expired already: during an outage that is what AWS still takes. */
static void test_expired_on_arrival(void **state)
{
	(void)state;
	struct world w;
	struct stub stub;
	char a[512], variable[128];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "200 OK", "", KEYS("ASIAOLD", "09:00")) },
	};
	stub_start(&stub, answers, 1);
	open_container(&w, &stub, variable);
	world_expect_key(&w, "ASIAOLD", "container");
	world_expect_key(&w, "ASIAOLD", "container");
	assert_int_equal(stub_requests(&stub), 1);
	world_done(&w);
	stub_stop(&stub);
}

/* AWS says they have expired, whatever their date: fetched anew once, for all who used them. */
static void test_rejected(void **state)
{
	(void)state;
	struct world w;
	struct creds *old = NULL;
	world_prepare(&w, role_config, dev_keys);
	world_open(&w, "r");
	assert_int_equal(creds_get(w.chain, &old, NULL), ERR_OK);
	world_sts(&w, WORLD_STS("ASIANEXT", "12:00"));
	assert_true(creds_reject(w.chain, old));
	assert_true(creds_reject(w.chain, old));
	world_expect_key(&w, "ASIANEXT", "STS");
	assert_true(creds_reject(w.chain, old)); /* late: the new ones stay */
	world_expect_key(&w, "ASIANEXT", "STS");
	assert_int_equal(atomic_load(&w.sts_calls), 2);
	assert_string_equal(old->access_key, "ASIAROLE"); /* who still signs with it may */
	creds_unref(old);
	world_done(&w);
}

struct asker {
	struct world *w;
	pthread_barrier_t *start;
	char key[32];
	enum err_status status;
};

static void *ask(void *arg)
{
	struct asker *a = arg;
	struct creds *c = NULL;
	(void)pthread_barrier_wait(a->start);
	a->status = creds_get(a->w->chain, &c, NULL);
	(void)snprintf(a->key, sizeof(a->key), "%s", c ? c->access_key : "");
	creds_unref(c);
	return NULL;
}

static void ask_all(struct world *w, struct asker *askers, size_t n)
{
	pthread_t t[16];
	pthread_barrier_t start;
	assert_true(n <= COUNT(t));
	(void)pthread_barrier_init(&start, NULL, (unsigned)n);
	for (size_t i = 0; i < n; i++) {
		askers[i] = (struct asker){ .w = w, .start = &start };
		assert_int_equal(pthread_create(&t[i], NULL, ask, &askers[i]), 0);
	}
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
	}
	(void)pthread_barrier_destroy(&start);
}

static size_t with_key(const struct asker *askers, size_t n, const char *key)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++) {
		found += strcmp(askers[i].key, key) == 0;
	}
	return found;
}

static void test_one_renewal_at_a_time(void **state)
{
	(void)state;
	struct world w;
	struct asker askers[12];
	world_prepare(&w, role_config, dev_keys);
	world_open(&w, "r");
	/* Nothing there yet: all wait for the one that asks. */
	atomic_store(&w.sts_delay_ms, 100);
	ask_all(&w, askers, COUNT(askers));
	assert_int_equal(atomic_load(&w.sts_calls), 1);
	assert_int_equal(with_key(askers, COUNT(askers), "ASIAROLE"), COUNT(askers));
	/* Early: one asks, the others go on with the old ones. */
	at(&w, 57);
	world_sts(&w, WORLD_STS("ASIANEXT", "12:00"));
	ask_all(&w, askers, COUNT(askers));
	assert_int_equal(atomic_load(&w.sts_calls), 2);
	assert_true(with_key(askers, COUNT(askers), "ASIANEXT") >= 1);
	assert_true(with_key(askers, COUNT(askers), "ASIAROLE") >= COUNT(askers) / 2);
	/* Over, and STS is away: one asks, all learn why not. */
	at(&w, 121);
	world_sts(&w, NULL);
	ask_all(&w, askers, COUNT(askers));
	for (size_t i = 0; i < COUNT(askers); i++) {
		assert_int_equal(askers[i].status, ERR_UNREACHABLE);
	}
	assert_in_range(atomic_load(&w.sts_calls), 3, 4);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_renewal_fails),
		cmocka_unit_test(test_static_stability),
		cmocka_unit_test(test_expired_on_arrival),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_one_renewal_at_a_time),
	};
	return cmocka_run_group_tests_name("creds_renew", tests, NULL, NULL);
}
