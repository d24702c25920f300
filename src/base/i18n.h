/*
 * Two languages. The files of po/es (gettext format, one a room, keyed by the English text) are
 * compiled into the program, so that one process can write an English and a Spanish message side
 * by side and no system locale is needed. A text missing there fails the build's check.
 */
#ifndef CORDON_BASE_I18N_H
#define CORDON_BASE_I18N_H

#include "base/env.h"

enum i18n_lang { I18N_EN, I18N_ES };

/* Marks a text for extraction without translating it (tables). */
#define N_(text) text

/* The text in `lang`; the English itself when there is no translation. Static. */
const char *i18n_tr(enum i18n_lang lang, const char *text);
/*
 * The same for a sentence that was made of a text with conversions (%s, %d ...), whose arguments
 * stay: into `out` when it is such a one. Gives `text` when nothing fits.
 */
const char *i18n_told(enum i18n_lang lang, const char *text, char *out, size_t size);
/* One of two forms by n (English and Spanish share the rule n != 1). */
const char *i18n_trn(enum i18n_lang lang, const char *one, const char *many, long n);
/* "es", "es_ES.UTF-8", "en" ...; false when the language is not one of ours. */
bool i18n_from(const char *name, enum i18n_lang *out);
/* --lang (may be NULL) > CORDON_LANG > LC_ALL > LC_MESSAGES > LANG > English. */
enum i18n_lang i18n_choose(struct env *env, const char *flag);
/* "en" or "es". */
const char *i18n_code(enum i18n_lang lang);

#endif
