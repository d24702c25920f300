/* Whatever arrives on the queue: finding_read, and every way a finding is then looked at. */
#include "finding/finding.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct finding_set set;
	if (finding_read((struct str){ (const char *)data, size }, &set, NULL) != ERR_OK) {
		return 0;
	}
	for (size_t i = 0; i < set.n; i++) {
		const struct finding *f = set.items[i];
		json_t *out = finding_json(f);
		if (out == NULL || f->raw == NULL || f->count < 1 || f->severity < 0 ||
			f->severity > 10 || f->n_resources > FINDING_MAX_RESOURCES) {
			abort();
		}
		json_decref(out);
		(void)finding_role_matters(f->type);
		(void)finding_severity_word(f->severity);
	}
	finding_set_deinit(&set);
	return 0;
}
