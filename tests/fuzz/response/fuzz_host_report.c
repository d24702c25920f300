/* What a compromised host prints, and policy documents, which intruders write too. */
#include "response/actions/iam.h"
#include "response/actions/ssm.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = { (const char *)data, size };
	json_t *doc = NULL;
	if (ssm_report(s, &doc, NULL) == ERR_OK) {
		json_decref(doc);
	}
	doc = NULL;
	char *text = str_dup(s);
	if (iam_document(text, &doc, NULL) == ERR_OK) {
		json_decref(doc);
	}
	free(text);
	return 0;
}
