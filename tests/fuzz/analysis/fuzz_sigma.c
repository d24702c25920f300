/* A rule, a blank line of dashes, an event: neither may lead the other astray. */
#include "analysis/sigma.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hit(void *ctx, const struct sigma_rule *rule, size_t index)
{
	(void)rule;
	(void)index;
	++*(int *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = { (const char *)data, size };
	size_t at = str_find(all, STR("\n===\n"));
	struct sigma_set set;
	sigma_init(&set);
	sigma_add(&set, str_sub(all, 0, at), "rule.yml");
	sigma_ready(&set);
	struct scan_tape tape;
	size_t used = 0;
	int n = 0;
	scan_init(&tape);
	struct str event = at == SIZE_MAX ? STR("{}") : str_sub(all, at + 5, SIZE_MAX);
	if (scan_value(&tape, event, true, &used) == SCAN_OK) {
		struct event e;
		event_fragment(&tape, 0, &e);
		sigma_match(&set, &e, hit, &n);
		(void)event_read(&tape, 0, 1, &e);
	}
	scan_deinit(&tape);
	sigma_deinit(&set);
	return 0;
}
