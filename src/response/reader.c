#include "response/reader.h"

#include "base/config.h"

#include <stdio.h>
#include <string.h>

enum err_status reader_wrong(const struct reader *r, const char *path, const char *fmt, ...)
{
	char text[300];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(
		r->err, ERR_CONFIG, "%s:%d: %s", r->file, yaml_line(r->yaml, path), text);
}

struct reader_place reader_inside(const struct reader_place *p, const char *key)
{
	struct reader_place sub = { json_object_get(p->map, key), "" };
	(void)snprintf(sub.path, sizeof(sub.path), "%.100s%s%.50s", p->path,
		p->path[0] != '\0' ? "." : "", key);
	return sub;
}

struct reader_place reader_element(const struct reader_place *list, size_t i)
{
	struct reader_place sub = { json_array_get(list->map, i), "" };
	(void)snprintf(sub.path, sizeof(sub.path), "%.140s[%zu]", list->path, i);
	return sub;
}

/* The nearest of `known` (NULL-terminated) when it is near enough to be meant, else NULL. */
static const char *nearest(const char *word, const char *const *known)
{
	const char *best = NULL;
	size_t least = strlen(word) / 3 + 2;
	for (; *known != NULL; known++) {
		size_t d = config_distance(str_from(word), str_from(*known));
		if (d < least) {
			least = d;
			best = *known;
		}
	}
	return best;
}

enum err_status reader_unknown(const struct reader *r, const char *path, const char *what,
	const char *word, const char *const *known)
{
	const char *meant = nearest(word, known);
	if (meant != NULL) {
		return reader_wrong(
			r, path, "unknown %s '%.60s' (did you mean '%s'?)", what, word, meant);
	}
	return reader_wrong(r, path, "unknown %s '%.60s'", what, word);
}

/* `p` is a mapping and has no key but the known ones. */
enum err_status reader_map(
	const struct reader *r, const struct reader_place *p, const char *const *known)
{
	const char *key = NULL;
	json_t *value = NULL;
	if (!json_is_object(p->map)) {
		return reader_wrong(r, p->path, "'%s' must be a mapping", p->path);
	}
	json_object_foreach(p->map, key, value)
	{
		bool ok = false;
		for (size_t i = 0; known[i] != NULL; i++) {
			ok = ok || strcmp(known[i], key) == 0;
		}
		if (!ok) {
			return reader_unknown(r, reader_inside(p, key).path, "key", key, known);
		}
	}
	return ERR_OK;
}

enum err_status reader_text(
	const struct reader *r, const struct reader_place *p, const char *key, const char **out)
{
	struct reader_place at = reader_inside(p, key);
	if (at.map == NULL) {
		return ERR_OK;
	}
	if (!json_is_string(at.map) || json_string_length(at.map) == 0) {
		return reader_wrong(r, at.path, "'%s' must be a text", key);
	}
	*out = arena_cstr(r->arena, str_from(json_string_value(at.map)));
	return ERR_OK;
}

/* A text or a list of texts. */
enum err_status reader_words(const struct reader *r, const struct reader_place *p,
	const char *key, struct reader_words *out)
{
	struct reader_place at = reader_inside(p, key);
	size_t n = json_is_array(at.map) ? json_array_size(at.map) : 1;
	if (at.map == NULL) {
		return ERR_OK;
	}
	if (n > READER_MAX_ITEMS) {
		return reader_wrong(
			r, at.path, "'%s' has more than %d items", key, READER_MAX_ITEMS);
	}
	out->items = arena_array(r->arena, n + 1, sizeof(*out->items));
	if (out->items == NULL) {
		return reader_wrong(r, at.path, "the file is too large");
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_is_array(at.map) ? json_array_get(at.map, i) : at.map;
		if (!json_is_string(v) || json_string_length(v) == 0) {
			return reader_wrong(
				r, at.path, "'%s' must be a text or a list of texts", key);
		}
		out->items[out->n++] = arena_cstr(r->arena, str_from(json_string_value(v)));
	}
	return ERR_OK;
}

/* Place of `word` among `names`, or ERR_CONFIG with the nearest one. */
enum err_status reader_one_of(const struct reader *r, const char *path, const char *what,
	const char *word, const char *const *names, size_t n, size_t *out)
{
	const char *known[24] = { NULL };
	for (size_t i = 0; i < n; i++) {
		known[i] = names[i];
		if (strcmp(names[i], word) == 0) {
			*out = i;
			return ERR_OK;
		}
	}
	return reader_unknown(r, path, what, word, known);
}

enum err_status reader_flag(
	const struct reader *r, const struct reader_place *p, const char *key, int *out)
{
	struct reader_place at = reader_inside(p, key);
	if (at.map == NULL) {
		return ERR_OK;
	}
	if (!json_is_boolean(at.map)) {
		return reader_wrong(r, at.path, "'%s' must be true or false", key);
	}
	*out = json_is_true(at.map) ? 1 : 0;
	return ERR_OK;
}

enum err_status reader_word_of(const struct reader *r, const struct reader_place *p,
	const char *key, const char *const *names, const char **out)
{
	size_t n = 0;
	size_t i = 0;
	while (names[n] != NULL) {
		n++;
	}
	const char *word = NULL;
	enum err_status st = reader_text(r, p, key, &word);
	if (st == ERR_OK && word != NULL) {
		st = reader_one_of(r, reader_inside(p, key).path, key, word, names, n, &i);
		*out = st == ERR_OK ? names[i] : *out;
	}
	return st;
}
