/* A request of a stranger: its head, the form in its body, and the token it brings. */
#include "app/approve_web.h"
#include "app/listener.h"
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

static void answer(const struct listener_request *r, struct str body)
{
	const struct approve_web w = { .env = env_system(), .key = key() };
	const struct approve_web_request request = { .method = r->method,
		.query = r->query,
		.body = body,
		.accept_language = r->accept_language };
	struct approve_web_answer a;

	approve_web_answer(&w, &request, &a); /* no token is genuine, so no journal is read */
	if (a.status == 200 || a.case_id[0] != '\0') {
		abort();
	}
	approve_web_deinit(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct listener_request r;
	struct str all = { (const char *)data, size };
	json_t *parts = NULL;

	if (listener_parse(all, &r) == 0) {
		size_t end = str_find(all, STR("\n\n"));
		answer(&r, end == SIZE_MAX ? STR("") : str_sub(all, end + 2, all.n));
	}
	if (approval_link_read(key(), all, 0, &parts, NULL) == ERR_OK) {
		abort(); /* nobody guesses a signature */
	}
	return 0;
}
