#include "response/reader.h"

#include "base/config.h"

#include <stdio.h>
#include <string.h>

bool reader_ok(const struct reader *r)
{
	return r->st == ERR_OK;
}

void reader_wrong(struct reader *r, const char *path, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is started in the line above */
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->st == ERR_OK) {
		r->st = err_set(r->err, ERR_CONFIG, "%s:%d: %s", r->file,
			yaml_line(r->yaml, path), text);
	}
}

struct reader_place reader_inside(const struct reader_place *p, const char *key)
{
	struct reader_place sub = { json_object_get(p->value, key), "" };
	(void)snprintf(sub.path, sizeof(sub.path), "%.100s%s%.50s", p->path,
		p->path[0] != '\0' ? "." : "", key);
	return sub;
}

struct reader_place reader_element(const struct reader_place *list, size_t i)
{
	struct reader_place sub = { json_array_get(list->value, i), "" };
	(void)snprintf(sub.path, sizeof(sub.path), "%.130s[%zu]", list->path, i);
	return sub;
}

/* The nearest of `known` when it is near enough to be meant, else NULL. */
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

void reader_unknown(struct reader *r, const char *path, const char *what, const char *word,
	const char *const *known)
{
	const char *meant = nearest(word, known);
	if (meant != NULL) {
		reader_wrong(
			r, path, "unknown %s '%.60s' (did you mean '%s'?)", what, word, meant);
	} else {
		reader_wrong(r, path, "unknown %s '%.60s'", what, word);
	}
}

static bool among(const char *word, const char *const *known, size_t *at)
{
	for (size_t i = 0; known[i] != NULL; i++) {
		if (strcmp(known[i], word) == 0) {
			*at = i;
			return true;
		}
	}
	return false;
}

void reader_map(struct reader *r, const struct reader_place *p, const char *const *known)
{
	const char *key = NULL;
	json_t *value = NULL;
	size_t at = 0;

	if (!json_is_object(p->value)) {
		reader_wrong(r, p->path, "'%s' must be a mapping", p->path);
	}
	json_object_foreach(p->value, key, value)
	{
		if (!among(key, known, &at)) {
			reader_unknown(r, reader_inside(p, key).path, "key", key, known);
		}
	}
}

size_t reader_list(struct reader *r, const struct reader_place *p)
{
	if (p->value != NULL &&
		(!json_is_array(p->value) || json_array_size(p->value) > READER_MAX_ITEMS)) {
		reader_wrong(r, p->path, "'%s' must be a list of at most %d items", p->path,
			READER_MAX_ITEMS);
		return 0;
	}
	return json_array_size(p->value);
}

void reader_text(
	struct reader *r, const struct reader_place *p, const char *key, const char **out)
{
	struct reader_place at = reader_inside(p, key);
	if (at.value == NULL) {
		return;
	}
	if (!json_is_string(at.value) || json_string_length(at.value) == 0) {
		reader_wrong(r, at.path, "'%s' must be a text", key);
		return;
	}
	*out = arena_cstr(r->arena, str_from(json_string_value(at.value)));
}

void reader_words(struct reader *r, const struct reader_place *p, const char *key,
	struct reader_words *out)
{
	struct reader_place at = reader_inside(p, key);
	bool list = json_is_array(at.value);
	size_t n = list ? reader_list(r, &at) : 1;

	if (at.value == NULL) {
		return;
	}
	out->items = reader_alloc(r, n + 1, sizeof(const char *));
	for (size_t i = 0; i < n && out->items != NULL; i++) {
		const json_t *v = list ? json_array_get(at.value, i) : at.value;
		if (!json_is_string(v) || json_string_length(v) == 0) {
			reader_wrong(r, at.path, "'%s' must be a text or a list of texts", key);
			return;
		}
		out->items[out->n++] = arena_cstr(r->arena, str_from(json_string_value(v)));
	}
}

void reader_flag(struct reader *r, const struct reader_place *p, const char *key, int *out)
{
	struct reader_place at = reader_inside(p, key);
	if (at.value == NULL) {
		return;
	}
	if (!json_is_boolean(at.value)) {
		reader_wrong(r, at.path, "'%s' must be true or false", key);
		return;
	}
	*out = json_is_true(at.value) ? 1 : 0;
}

void reader_one_of(struct reader *r, const char *path, const char *what, const char *word,
	const char *const *names, size_t *out)
{
	if (!among(word, names, out)) {
		reader_unknown(r, path, what, word, names);
	}
}

void reader_word_of(struct reader *r, const struct reader_place *p, const char *key,
	const char *const *names, size_t *out)
{
	const char *word = NULL;
	reader_text(r, p, key, &word);
	if (word != NULL) {
		reader_one_of(r, reader_inside(p, key).path, key, word, names, out);
	}
}

void *reader_alloc(struct reader *r, size_t n, size_t size)
{
	void *p = arena_array(r->arena, n, size);
	if (p == NULL) {
		reader_wrong(r, "", "the file is too large");
	}
	return p;
}
