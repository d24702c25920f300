/* Our reader of JSON beside jansson's own: the same texts are documents, and they are the same. */
#include "base/doc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ours counts every level; jansson stops later. */
static bool deep(const uint8_t *data, size_t size)
{
	size_t open = 0;
	for (size_t i = 0; i < size; i++) {
		open += data[i] == '{' || data[i] == '[';
	}
	return open > DOC_MAX_DEPTH;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *mine = NULL;
	enum err_status st =
		doc_parse((struct str){ (const char *)data, size }, DOC_MAX_BYTES, &mine, NULL);
	if (deep(data, size)) {
		json_decref(mine);
		return 0;
	}
	/* A NUL behind the document ends it for jansson; for us no text has one. */
	if (size && memchr(data, '\0', size)) {
		if (st == ERR_OK) {
			__builtin_trap();
		}
		return 0;
	}
	json_t *theirs = json_loadb(size ? (const char *)data : "", size,
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if ((st == ERR_OK) != (theirs != NULL) || (theirs && !json_equal(mine, theirs))) {
		__builtin_trap();
	}
	json_decref(mine);
	json_decref(theirs);
	return 0;
}
