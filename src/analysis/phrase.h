/* A sentence of the result: a fixed text with numbered holes, so that it can be said in another language. */
#ifndef CORDON_ANALYSIS_PHRASE_H
#define CORDON_ANALYSIS_PHRASE_H

#include "base/doc.h"

#define PHRASE_ARGS_MAX 6

/*
 * {"text": English with the holes filled, "template": "{0} did {1}", "args":[..]}; new reference.
 * `args` is ended by NULL. Bytes that are no UTF-8 become U+FFFD.
 */
json_t *phrase_new(const char *template_text, const char *const *args);
/* Fills `template_text` (translated by the caller) with the args of `phrase`. */
void phrase_fill(const char *template_text, const json_t *args, struct buf *out);

#endif
