#include "base/spool.h"
#include "base/mem.h"

#include "base/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
	int64_t key;
	size_t at;
	uint32_t n;
};

/* A run on the disk and its line at the front. */
struct run {
	FILE *file;
	int64_t key;
	char *line;
	uint32_t n;
	bool ended;
};

struct spool {
	struct env *env;
	size_t memory;
	char *bytes;
	size_t n_bytes, cap_bytes;
	struct item *items;
	size_t n_items, cap_items;
	char *folder; /* NULL until the first run */
	struct run runs[SPOOL_RUNS_MAX];
	size_t n_runs;
};

struct spool *spool_new(struct env *env, size_t memory)
{
	struct spool *s = calloc(1, sizeof(*s));
	if (!s) {
		BUG("out of memory");
	}
	s->env = env;
	s->memory = memory;
	return s;
}

void spool_free(struct spool *s)
{
	for (size_t i = 0; s && i < s->n_runs; i++) {
		if (s->runs[i].file) {
			(void)fclose(s->runs[i].file);
		}
		free(s->runs[i].line);
	}
	if (s) {
		if (s->folder) {
			folder_remove(s->folder);
		}
		free(s->folder);
		free(s->bytes);
		free(s->items);
	}
	free(s);
}

static int order(int64_t key_a, struct str a, int64_t key_b, struct str b)
{
	if (key_a != key_b) {
		return key_a < key_b ? -1 : 1;
	}
	return str_cmp(a, b);
}

static int item_order(const void *a, const void *b, void *ctx)
{
	const struct item *x = a;
	const struct item *y = b;
	const char *bytes = ctx;
	return order(x->key, (struct str){ bytes + x->at, x->n }, y->key,
		(struct str){ bytes + y->at, y->n });
}

static void sort_items(struct spool *s)
{
	if (s->n_items) {
		qsort_r(s->items, s->n_items, sizeof(*s->items), item_order, s->bytes);
	}
}

/* ---- runs ---- */

static enum err_status io_error(struct err *err)
{
	return err_set(err, ERR_IO, "the temporary folder: %s; set TMPDIR to a roomier one",
		err_errno(errno));
}

static enum err_status open_run(struct spool *s, FILE **out, struct err *err)
{
	char path[PATH_MAX];
	enum err_status st = ERR_OK;
	if (!s->folder) {
		st = folder_temp(s->env, &s->folder, err);
	}
	if (st != ERR_OK) {
		return st;
	}
	int n = snprintf(path, sizeof(path), "%s/%zu", s->folder, s->n_runs);
	FILE *f = n > 0 && (size_t)n < sizeof(path) ? fopen(path, "w+be") : NULL;
	if (!f) {
		return io_error(err);
	}
	*out = f;
	return ERR_OK;
}

static enum err_status write_run(struct spool *s, struct err *err)
{
	FILE *f = NULL;
	if (s->n_runs == SPOOL_RUNS_MAX) {
		return err_set(err, ERR_LIMIT,
			"more than can be sorted at once: name a shorter time with --since and "
			"--until");
	}
	enum err_status st = open_run(s, &f, err);
	if (st != ERR_OK) {
		return st;
	}
	sort_items(s);
	bool ok = true;
	for (size_t i = 0; i < s->n_items && ok; i++) {
		const struct item *it = &s->items[i];
		ok = fwrite(&it->key, sizeof(it->key), 1, f) == 1 &&
		     fwrite(&it->n, sizeof(it->n), 1, f) == 1 &&
		     (it->n == 0 || fwrite(s->bytes + it->at, it->n, 1, f) == 1);
	}
	ok = ok && fflush(f) == 0 && fseek(f, 0, SEEK_SET) == 0;
	s->runs[s->n_runs++] = (struct run){ .file = f };
	s->n_items = 0;
	s->n_bytes = 0;
	return ok ? ERR_OK : io_error(err);
}

enum err_status spool_add(struct spool *s, int64_t key, struct str line, struct err *err)
{
	line = str_sub(line, 0, SPOOL_LINE_MAX);
	size_t held = s->n_bytes + s->n_items * sizeof(*s->items);
	if (s->n_items && held + line.n > s->memory) {
		enum err_status st = write_run(s, err);
		if (st != ERR_OK) {
			return st;
		}
	}
	if (s->n_items == s->cap_items) {
		s->cap_items = s->cap_items ? s->cap_items * 2 : 1024;
		s->items = mem_grown(s->items, s->cap_items, sizeof(*s->items));
	}
	if (s->n_bytes + line.n > s->cap_bytes) {
		s->cap_bytes = (s->n_bytes + line.n) * 2 + 4096;
		s->bytes = mem_grown(s->bytes, s->cap_bytes, 1);
	}
	if (line.n) {
		memcpy(s->bytes + s->n_bytes, line.p, line.n);
	}
	s->items[s->n_items++] =
		(struct item){ .key = key, .at = s->n_bytes, .n = (uint32_t)line.n };
	s->n_bytes += line.n;
	return ERR_OK;
}

/* ---- reading ---- */

static bool advance(struct run *r)
{
	if (fread(&r->key, sizeof(r->key), 1, r->file) != 1) {
		r->ended = true;
		return ferror(r->file) == 0;
	}
	if (fread(&r->n, sizeof(r->n), 1, r->file) != 1 || r->n > SPOOL_LINE_MAX) {
		return false;
	}
	r->line = mem_grown(r->line, (size_t)r->n + 1, 1);
	return r->n == 0 || fread(r->line, r->n, 1, r->file) == 1;
}

static struct str line_of(const struct run *r)
{
	return (struct str){ r->line, r->n };
}

static bool before(const struct run *a, const struct run *b)
{
	return order(a->key, line_of(a), b->key, line_of(b)) < 0;
}

static void sift_down(struct run **heap, size_t n, size_t i)
{
	for (;;) {
		size_t top = i;
		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < n; c++) {
			top = before(heap[c], heap[top]) ? c : top;
		}
		if (top == i) {
			return;
		}
		struct run *swap = heap[i];
		heap[i] = heap[top];
		heap[top] = swap;
		i = top;
	}
}

static enum err_status merge(struct spool *s, spool_fn fn, void *ctx, struct err *err)
{
	struct run *heap[SPOOL_RUNS_MAX];
	size_t n = 0;
	for (size_t i = 0; i < s->n_runs; i++) {
		if (!advance(&s->runs[i])) {
			return io_error(err);
		}
		if (!s->runs[i].ended) {
			heap[n++] = &s->runs[i];
		}
	}
	for (size_t i = n; i > 0; i--) {
		sift_down(heap, n, i - 1);
	}
	while (n && fn(ctx, line_of(heap[0]))) {
		if (!advance(heap[0])) {
			return io_error(err);
		}
		if (heap[0]->ended) {
			heap[0] = heap[--n];
		}
		sift_down(heap, n, 0);
	}
	return ERR_OK;
}

enum err_status spool_each(struct spool *s, spool_fn fn, void *ctx, struct err *err)
{
	if (s->n_runs) {
		enum err_status st = s->n_items ? write_run(s, err) : ERR_OK;
		return st == ERR_OK ? merge(s, fn, ctx, err) : st;
	}
	sort_items(s);
	for (size_t i = 0; i < s->n_items; i++) {
		struct str line = { s->bytes + s->items[i].at, s->items[i].n };
		if (!fn(ctx, line)) {
			break;
		}
	}
	return ERR_OK;
}
