/* The table that tools/po2c.py writes from a .po file: sorted by the bytes of the English text. */
#ifndef CORDON_BASE_I18N_TABLE_H
#define CORDON_BASE_I18N_TABLE_H

#include <stddef.h>

struct i18n_entry {
	const char *english, *other;
};
extern const struct i18n_entry i18n_table_es[];
extern const size_t i18n_table_es_count;

#endif
