#include "app/scenario_parts.h"

#include "base/buf.h"
#include "base/gz.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX 200000
#define FILE_MAX  ((size_t)64 * 1024 * 1024)

struct line {
	int64_t at;
	size_t order;
	const char *text;
};
struct scenario_lines {
	struct scenario *s;
	struct line *items;
	size_t n, cap;
};

struct scenario_lines *scenario_lines_new(struct scenario *s)
{
	struct scenario_lines *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		BUG("out of memory");
	}
	l->s = s;
	return l;
}

void scenario_lines_free(struct scenario_lines *l)
{
	if (l != NULL) {
		free(l->items);
		free(l);
	}
}

void scenario_lines_add(struct scenario_lines *l, int64_t at, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;

	if (l->n == LINES_MAX) {
		l->s->arena.overflow = true;
		return;
	}
	if (l->n == l->cap) {
		struct line *more;

		l->cap = l->cap == 0 ? 256 : l->cap * 2;
		more = reallocarray(l->items, l->cap, sizeof(*more));
		if (more == NULL) {
			BUG("out of memory");
		}
		l->items = more;
	}
	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0) {
		BUG("out of memory");
	}
	va_end(ap);
	l->items[l->n] = (struct line){ at, l->n, arena_cstr(&l->s->arena, str_from(line)) };
	l->n++;
	free(line);
}

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->at != y->at) {
		return x->at < y->at ? -1 : 1;
	}
	return x->order < y->order ? -1 : 1;
}

void scenario_lines_write(struct scenario_lines *l, const char *key, const char *header)
{
	struct scenario *s = l->s;
	struct buf text = { 0 }, packed = { 0 };

	buf_init(&text, FILE_MAX);
	buf_init(&packed, FILE_MAX);
	if (l->n > 1) {
		qsort(l->items, l->n, sizeof(*l->items), by_time);
	}
	if (header != NULL) {
		buf_printf(&text, "%s\n", header);
	}
	for (size_t i = 0; i < l->n; i++) {
		buf_printf(&text, "%s\n", l->items[i].text);
	}
	if (str_ends(str_from(key), STR(".gz"))) {
		if (gz_deflate(buf_view(&text), &packed, NULL) != ERR_OK) {
			s->arena.overflow = true;
		}
	} else {
		buf_add_str(&packed, buf_view(&text));
	}
	s->arena.overflow |= !buf_ok(&text) || !buf_ok(&packed);
	s->n_lines += l->n;
	scenario_file_add(s, s->names.log_bucket, key, arena_str(&s->arena, buf_view(&packed)));
	buf_deinit(&text);
	buf_deinit(&packed);
}
