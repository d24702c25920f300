/* A digest, a line of dashes, an answer of ListPublicKeys: names, fields, keys and signatures of hostile bytes. */
#include "analysis/trail_digest.h"
#include "analysis/trail_keys.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = { (const char *)data, size };
	size_t at = str_find(all, STR("\n===\n"));
	struct trail_digest d;
	struct trail_keys keys = { 0 };
	struct trail_name name;
	json_t *answer = NULL;
	(void)trail_digest_name(str_sub(all, 0, at), &name);
	if (at != SIZE_MAX &&
		doc_parse(str_sub(all, at + 5, SIZE_MAX), 1u << 20, &answer, NULL) == ERR_OK &&
		trail_keys_add(&keys, answer, NULL) != ERR_OK && keys.n > 2) {
		trail_keys_deinit(&keys);
	}
	if (trail_digest_read(str_sub(all, 0, at), &d, NULL) == ERR_OK) {
		struct buf message;
		buf_init(&message, 1u << 16);
		trail_digest_message(&d, &message);
		if (!trail_digest_name(str_from(d.object), &name)) {
			name.time_ms = 0;
		}
		for (size_t i = 0; i < keys.n; i++) {
			(void)trail_keys_signed(&keys.items[i], buf_view(&message),
				str_from(d.previous_signature));
		}
		buf_deinit(&message);
		trail_digest_deinit(&d);
	}
	trail_keys_deinit(&keys);
	json_decref(answer);
	return 0;
}
