/* A case document with hostile content in every field must render, escaped, in both forms. */
#include "report/report.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *view = NULL;
	struct err e = { 0 };

	if (doc_parse((struct str){ (const char *)data, size }, 1u << 20, &view, &e) !=
		ERR_OK) {
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		struct report_options o = { i ? REPORT_MD : REPORT_HTML, I18N_ES, 0, "0",
			NULL };
		struct buf b = { 0 };
		buf_init(&b, 64u << 20);
		if (report_write(view, &o, &b, &e) == ERR_OK) {
			/* Nothing may turn the direction of text, nor open a script where that
			 * means something (Markdown shows raw JSON as it is, in a code block). */
			if (strstr(b.p, "\xe2\x80\xae") || (i == 0 && strstr(b.p, "<script"))) {
				abort();
			}
		}
		buf_deinit(&b);
	}
	json_decref(view);
	return 0;
}
