#include "aws/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const struct xml_node *n)
{
	size_t sum = 1;
	for (const struct xml_node *c = n->child; c; c = c->next) {
		sum += count(c);
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xml_doc doc;
	if (xml_parse((struct str){ (const char *)data, size }, &doc, NULL) == ERR_OK) {
		/* A document without a root, or more elements than bytes, would be a fault. */
		if (!doc.root || count(doc.root) > size) {
			__builtin_trap();
		}
		xml_deinit(&doc);
	}
	return 0;
}
