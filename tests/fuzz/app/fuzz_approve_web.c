/* A request of a stranger: method, query and form, a line each, and the token it brings. */
#include "app/approve_web.h"
#include "response/approval_link.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct secret *key(void)
{
	static struct secret *made;
	if (made == NULL) {
		made = secret_new(STR("0123456789abcdef0123456789abcdef"));
	}
	return made;
}

static void answer(struct str method, struct str query, struct str body)
{
	const struct approve_web w = { .env = env_system(), .key = key() };
	const struct approve_web_request request = {
		.method = method, .query = query, .body = body, .accept_language = query
	};
	struct approve_web_answer a;

	approve_web_answer(&w, &request, &a); /* no token is genuine, so no journal is read */
	if (a.status == 200 || a.case_id[0] != '\0') {
		abort();
	}
	approve_web_deinit(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = { (const char *)data, size };
	struct str rest = all;
	struct str method;
	struct str query;
	json_t *parts = NULL;

	if (str_cut(&rest, '\n', &method) && str_cut(&rest, '\n', &query)) {
		answer(method, query, rest);
	}
	if (approval_link_read(key(), all, 0, &parts, NULL) == ERR_OK) {
		abort(); /* nobody guesses a signature */
	}
	return 0;
}
