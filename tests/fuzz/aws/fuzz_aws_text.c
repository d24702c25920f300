/* The small texts that come from outside: URLs, percent escapes, times, and headers that ask to wait. */
#include "aws/metadata.h"
#include "aws/retry.h"
#include "aws/uri.h"
#include "aws/value.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_uri(struct str s)
{
	struct uri_parts u;
	struct str query;
	if (uri_split(s, &u)) {
		if (u.host.n == 0 || u.host.n > u.authority.n) {
			__builtin_trap();
		}
		(void)uri_is_loopback(u.host);
		(void)uri_is_address(u.host);
	}
	(void)metadata_split(s, &u, &query);
	(void)uri_host_label(s);
}

/* What is encoded can be decoded again. */
static void check_escapes(struct str s)
{
	struct buf once, back;
	buf_init(&once, s.n * 3 + 1);
	buf_init(&back, s.n * 3 + 1);
	uri_encode(s, false, &once);
	uri_decode(buf_view(&once), &back);
	if (!str_eq(buf_view(&back), s)) {
		__builtin_trap();
	}
	buf_reset(&back);
	uri_decode(s, &back);
	buf_deinit(&once);
	buf_deinit(&back);
}

static void check_wait(struct str s)
{
	static const char *const names[] = { "Retry-After", "x-amz-retry-after", "Date" };
	static const char *const vars[] = { NULL };
	struct wire_response r;
	struct env_fake env;
	int64_t skew;
	env_fake_init(&env, 1800000000000, 7, vars);
	wire_response_init(&r, 100);
	for (size_t i = 0; i < 3; i++) {
		wire_set(&r.headers, names[i], s);
		const struct retry_failed first = { .attempt = 1 };
		int64_t wait = retry_delay_ms(&env.base, &first, &r);
		if (wait < 0 || wait > 60000) {
			__builtin_trap();
		}
		(void)retry_skew_ms(&env.base, &r, &skew);
	}
	wire_response_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = { (const char *)data, size };
	if (size > 4096) {
		return 0;
	}
	check_uri(s);
	check_escapes(s);
	check_wait(s);
	json_t *time = value_parse_time(s);
	if (!json_is_string(time) && !json_is_real(time)) {
		__builtin_trap();
	}
	json_decref(time);
	return 0;
}
