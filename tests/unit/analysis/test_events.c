/* What a reader of events knows of those it read before changes nothing in what it reads. */
#include "analysis/event.h"

#include "tests/unit/unit.h"

#include <string.h>

static void same(struct str got, const char *want)
{
	if (!str_is(got, want)) {
		fail_msg("\"%.*s\" instead of \"%s\"", STR_ARG(got), want);
	}
}

#define BEGIN "{\"eventVersion\":\"1.11\","
#define REST                                                                           \
	"\"eventTime\":\"2026-08-01T10:00:00Z\",\"eventSource\":\"s3.amazonaws.com\"," \
	"\"eventName\":"                                                               \
	"\"GetObject\",\"requestParameters\":{\"a\":[1,{}]},\"eventID\":\"id-1\"}"
#define USER(name)                                                                          \
	"\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":\"AIDA" name                \
	"ABCDEFGHIJKL\",\"arn\":\"arn:aws:iam::111122223333:user/" name "\",\"accountId\":" \
	"\"111122223333\",\"accessKeyId\":\"AKIA" name "\",\"userName\":\"" name "\"},"

static void take_user(struct event_reader *reader, const char *json, const char *name)
{
	struct event e;
	size_t used = 0;
	struct str s = str_from(json);
	assert_int_equal(event_take(reader, s, &e, &used), EVENT_OK);
	assert_int_equal(used, s.n);
	same(e.who->user_name, name);
	same(e.id, "id-1");
	same(e.name, "GetObject");
}

/* An identity that was read before is jumped over; which one an event has is told by its own text. */
static void test_known_identities(void **state)
{
	(void)state;
	struct event_reader *reader = event_reader_new(1);
	for (int i = 0; i < 3; i++) {
		take_user(reader, BEGIN USER("anna") REST, "anna");
		take_user(reader, BEGIN USER("bert") REST, "bert");
		/* Of two, the last one counts, whichever of them is known. */
		take_user(reader, BEGIN USER("anna") USER("carl") REST, "carl");
		take_user(reader, BEGIN USER("carl") USER("dora") REST, "dora");
		take_user(reader, BEGIN USER("erik") USER("anna") REST, "anna");
		/* With blanks the text is another one, the content is not. */
		take_user(reader, BEGIN " " USER("anna") REST, "anna");
	}
	event_reader_free(reader);
}

#define TAIL(account, more)                                                                   \
	"\"eventID\":\"id-1\",\"eventType\":\"AwsApiCall\",\"recipientAccountId\":\"" account \
	"\"," more "\"eventCategory\":\"Data\"}"
#define HEAD                                                                            \
	"{\"eventTime\":\"2026-08-01T10:00:00Z\",\"eventSource\":\"s3.amazonaws.com\"," \
	"\"eventName\":\"GetObject\"," USER("anna")

static uint64_t take_tail(struct event_reader *reader, const char *json, const char *account,
	const char *endpoint, const char *name)
{
	struct event e;
	size_t used = 0;
	struct str s = str_from(json);
	assert_int_equal(event_take(reader, s, &e, &used), EVENT_OK);
	assert_int_equal(used, s.n);
	same(e.id, "id-1");
	same(e.account, account);
	same(e.vpc_endpoint, endpoint);
	same(e.name, name);
	assert_true(e.data_event);
	return e.hash;
}

/* The end of a record that was read before is jumped over: what is in it, and the content, are the same. */
static void test_known_tails(void **state)
{
	(void)state;
	static const struct {
		const char *json, *account, *endpoint, *name;
	} cases[] = {
		{ HEAD TAIL("111122223333", ""), "111122223333", "", "GetObject" },
		{ HEAD TAIL("444455556666", ""), "444455556666", "", "GetObject" },
		{ HEAD TAIL("111122223333", "\"vpcEndpointId\":\"vpce-1\","), "111122223333",
			"vpce-1", "GetObject" },
		/* What an event is told by may not hide in a tail. */
		{ HEAD TAIL("111122223333", "\"eventName\":\"PutObject\",\"readOnly\":false,"),
			"111122223333", "", "PutObject" },
		{ HEAD TAIL("111122223333", "\"eventType\":\"AwsApiCall\","), "111122223333",
			"", "GetObject" },
		{ HEAD TAIL("111122223333", "\"tlsDetails\":{\"a\":[\"}\"]},"), "111122223333",
			"", "GetObject" },
		{ HEAD TAIL("111122223333", "\"vpcEndpointId\":\"vpce-\\u0031\","),
			"111122223333", "vpce-1", "GetObject" },
	};
	enum { N = sizeof(cases) / sizeof(cases[0]) };
	uint64_t hashes[N];
	struct event_reader *warm = event_reader_new(1);
	for (size_t i = 0; i < N; i++) {
		struct event_reader *cold = event_reader_new(2 + i);
		hashes[i] = take_tail(cold, cases[i].json, cases[i].account, cases[i].endpoint,
			cases[i].name);
		event_reader_free(cold);
		for (size_t j = 0; j < i; j++) {
			assert_true(hashes[i] != hashes[j]);
		}
	}
	for (size_t turn = 0; turn < (size_t)3 * N * N; turn++) {
		/* Every one after every other, and after itself. */
		size_t i = turn % 2 ? turn / 2 % N : turn / 2 / N % N;
		assert_true(take_tail(warm, cases[i].json, cases[i].account, cases[i].endpoint,
				    cases[i].name) == hashes[i]);
	}
	/* With blanks in the tail the content is the same still. */
	const char *spaced = HEAD
		"\"eventID\":\"id-1\",\"eventType\": \"AwsApiCall\",\"recipientAccountId\":"
		"\"111122223333\", \"eventCategory\":\"Data\" }";
	assert_true(take_tail(warm, spaced, "111122223333", "", "GetObject") == hashes[0]);
	/* Bytes that end within a tail that is known are no record yet. */
	struct event e;
	size_t used = 0;
	struct str cut = str_from(cases[0].json);
	for (cut.n--; cut.n > 0; cut.n--) {
		assert_int_equal(event_take(warm, cut, &e, &used), EVENT_MORE);
	}
	event_reader_free(warm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_identities),
		cmocka_unit_test(test_known_tails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
