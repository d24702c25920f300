/* Records from a file (`case verify --file`): verified, then folded, whatever they hold. */
#include "incident/journal.h"
#include "incident/view.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	json_t *records = NULL;
	json_t *view = NULL;
	struct str s = { (const char *)data, size };

	if (doc_parse(s, 1024 * 1024, &records, NULL) != ERR_OK) {
		return 0;
	}
	struct err err = { 0 };
	if (journal_verify(records, &err) != ERR_OK && err.msg[0] == '\0') {
		BUG("a refusal without a reason");
	}
	if (view_fold(records, &view, NULL) == ERR_OK) {
		json_decref(view);
	}
	json_decref(records);
	return 0;
}
