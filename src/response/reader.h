/*
 * A YAML file read key by key. The first mistake is kept as "FILE:LINE: ..." with the nearest known
 * word, and every later call does nothing: a caller reads all it wants and asks reader_ok once.
 * What is absent leaves the out-parameter as it is.
 */
#ifndef CORDON_RESPONSE_READER_H
#define CORDON_RESPONSE_READER_H

#include "base/arena.h"
#include "base/yaml.h"

#define READER_MAX_ITEMS 200 /* of any list */
#define READER_MAX_WORDS 160 /* known words of one place */

/* One file being read; texts go to the arena. */
struct reader {
	struct arena *arena;
	const struct yaml_doc *yaml;
	const char *file;
	struct err *err;
	enum err_status st;
};

/* A value of the document, and where it stands ("steps[2].when"). */
struct reader_place {
	json_t *value; /* borrowed; NULL when absent */
	char path[160];
};

struct reader_words {
	const char **items;
	size_t n;
};

bool reader_ok(const struct reader *r);
/* A mistake at the line of `path`. */
__attribute__((format(printf, 3, 4))) void reader_wrong(
	struct reader *r, const char *path, const char *fmt, ...);
/* "unknown WHAT 'word' (did you mean '...'?)"; `known` ends in NULL. */
void reader_unknown(struct reader *r, const char *path, const char *what, const char *word,
	const char *const *known);

struct reader_place reader_inside(const struct reader_place *p, const char *key);
struct reader_place reader_element(const struct reader_place *list, size_t i);

/* The place must be a mapping that has no key but the known ones (ends in NULL). */
void reader_map(struct reader *r, const struct reader_place *p, const char *const *known);
/* The place must be a list (or absent) of at most READER_MAX_ITEMS values. Gives their number. */
size_t reader_list(struct reader *r, const struct reader_place *p);
/* A text that is not empty. */
void reader_text(
	struct reader *r, const struct reader_place *p, const char *key, const char **out);
/* A text or a list of texts. */
void reader_words(struct reader *r, const struct reader_place *p, const char *key,
	struct reader_words *out);
/* true or false as 1 or 0. */
void reader_flag(struct reader *r, const struct reader_place *p, const char *key, int *out);
/* Place of the text at `key` among `names` (ends in NULL). */
void reader_word_of(struct reader *r, const struct reader_place *p, const char *key,
	const char *const *names, size_t *out);
/* Place of `word` among `names`; `what` for the message. */
void reader_one_of(struct reader *r, const char *path, const char *what, const char *word,
	const char *const *names, size_t *out);
/* Zeroed memory of the arena; a mistake when it is full. */
void *reader_alloc(struct reader *r, size_t n, size_t size);

#endif
