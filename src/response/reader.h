/*
 * A YAML file read key by key, every mistake reported as "FILE:LINE: ..." with the nearest known
 * word. All functions give ERR_CONFIG and leave their out-parameters as they are when a key is absent.
 */
#ifndef CORDON_RESPONSE_READER_H
#define CORDON_RESPONSE_READER_H

#include "base/arena.h"
#include "base/yaml.h"

#define READER_MAX_ITEMS 200 /* of any list */

/* One file being read. Texts go to the arena. */
struct reader {
	struct arena *arena;
	const struct yaml_doc *yaml;
	const char *file;
	struct playbook *out; /* what is being filled */
	struct err *err;
};

/* A value of the document, and where it stands ("steps[2].when"). */
struct reader_place {
	json_t *map; /* borrowed from the document; NULL when absent */
	char path[160];
};

struct reader_words {
	const char **items;
	size_t n;
};

/* ERR_CONFIG at the line of `path`. */
__attribute__((format(printf, 3, 4))) enum err_status reader_wrong(
	const struct reader *r, const char *path, const char *fmt, ...);
/* "unknown WHAT 'word' (did you mean '...'?)"; `known` ends in NULL. */
enum err_status reader_unknown(const struct reader *r, const char *path, const char *what,
	const char *word, const char *const *known);

struct reader_place reader_inside(const struct reader_place *p, const char *key);
struct reader_place reader_element(const struct reader_place *list, size_t i);

/* The place is a mapping and has no key but the known ones (ends in NULL). */
ERR_MUST_CHECK enum err_status reader_map(
	const struct reader *r, const struct reader_place *p, const char *const *known);
/* A text that is not empty. */
ERR_MUST_CHECK enum err_status reader_text(const struct reader *r, const struct reader_place *p,
	const char *key, const char **out);
/* A text or a list of at most READER_MAX_ITEMS texts. */
ERR_MUST_CHECK enum err_status reader_words(const struct reader *r,
	const struct reader_place *p, const char *key, struct reader_words *out);
/* true or false as 1 or 0. */
ERR_MUST_CHECK enum err_status reader_flag(
	const struct reader *r, const struct reader_place *p, const char *key, int *out);
/* The text at `key` is one of `names` (ends in NULL); *out is the static name. */
ERR_MUST_CHECK enum err_status reader_word_of(const struct reader *r,
	const struct reader_place *p, const char *key, const char *const *names,
	const char **out);
/* Place of `word` among the n names, at most 23. */
ERR_MUST_CHECK enum err_status reader_one_of(const struct reader *r, const char *path,
	const char *what, const char *word, const char *const *names, size_t n, size_t *out);

#endif
