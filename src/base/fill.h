/* A translated sentence with values in it; the order of the values may differ by language. */
#ifndef CORDON_BASE_FILL_H
#define CORDON_BASE_FILL_H

#include "base/buf.h"

/*
 * Appends `sentence` with "{0}".."{9}" replaced by values[0..9]; a number past `n` gives nothing.
 * Everything, sentence and values, goes through `escape` (text_html ...; NULL: as it is).
 */
void fill_text(struct buf *out, const char *sentence, const struct str *values, size_t n,
	void (*escape)(struct str, struct buf *));

#endif
