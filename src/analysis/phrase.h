/* A sentence of the result: a fixed text with numbered holes, so that it can be said in another language. */
#ifndef CORDON_ANALYSIS_PHRASE_H
#define CORDON_ANALYSIS_PHRASE_H

#include "base/doc.h"
#include "base/i18n.h"

#define PHRASE_ARGS_MAX 6

/*
 * {"text": English with the holes filled, "template": "{0} did {1}", "args":[..]}; new reference.
 * `args` is ended by NULL. Bytes that are no UTF-8 become U+FFFD.
 */
json_t *phrase_new(const char *template_text, const char *const *args);
/*
 * Fills the translated `template_text` with the args. A hole "{1!}" takes an argument that is
 * itself one of our texts, and is translated too; others are evidence and stay as they are.
 */
void phrase_fill(
	enum i18n_lang lang, const char *template_text, const json_t *args, struct buf *out);

#endif
