/* What a program, a container's endpoint or STS hands out as credentials. */
#include "aws/creds.h"
#include "aws/creds_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *doc = NULL;
	struct creds *c = NULL;
	struct str text = { (const char *)data, size };
	if (doc_parse(text, 1u << 20, &doc, NULL) == ERR_OK) {
		if (creds_doc_read(doc, "fuzz", &c, NULL) == ERR_OK) {
			if (!c->access_key || !c->access_key[0] || !c->secret_key) {
				__builtin_trap();
			}
			creds_unref(c);
		}
		json_decref(doc);
	}
	return 0;
}
