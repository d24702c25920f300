/* A sentence in a document: a fixed text with numbered holes, so that it can be said in another language. */
#ifndef CORDON_BASE_PHRASE_H
#define CORDON_BASE_PHRASE_H

#include "base/doc.h"
#include "base/i18n.h"

#define PHRASE_ARGS_MAX 6

/* The values of a phrase, for the functions below. */
#define PHRASE_ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* A count as a value; lives as long as the enclosing block. */
#define PHRASE_NUMBER(n) phrase_number((n), (char[24]){ 0 })

/*
 * {"text": English with the holes filled, "template": "{0} did {1}", "args":[..]}; new reference.
 * `args` is ended by NULL, or NULL. Bytes that are no UTF-8 become U+FFFD.
 */
json_t *phrase_new(const char *template_text, const char *const *args);
/* The same three members in a document that has others; the English goes under `key`. */
void phrase_set(
	json_t *doc, const char *key, const char *template_text, const char *const *args);
/* Decimal digits of `n` in `out`, which is returned. */
const char *phrase_number(size_t n, char out[24]);
/*
 * Appends the sentence of a document: its template translated and filled; without one, its "text"
 * or "reason" as i18n_tr knows it. A hole "{1!}" takes a value that is itself one of our texts,
 * and is translated too; others are evidence and stay as they are.
 */
void phrase_say(enum i18n_lang lang, const json_t *phrase, struct buf *out);

#endif
