#include "analysis/crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static size_t cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
	return n > 0 ? (size_t)n : 1;
}

void crew_init(struct crew *c, uint64_t seed, const struct sigma_set *rules, int threads)
{
	size_t n = threads > 0 ? (size_t)threads : cores();
	*c = (struct crew){ .rules = rules, .n_workers = n < CREW_MAX ? n : CREW_MAX };
	reader_shared_init(&c->shared, seed);
	c->workers = calloc(c->n_workers, sizeof(*c->workers));
	if (!c->workers) {
		BUG("out of memory");
	}
}

static void dismiss(struct crew_worker *w)
{
	if (w->crew) {
		detect_deinit(&w->detect);
		reader_deinit(&w->reader);
	}
	w->crew = NULL;
}

void crew_deinit(struct crew *c)
{
	for (size_t i = 0; i < c->n_workers; i++) {
		dismiss(&c->workers[i]);
	}
	free(c->workers);
	files_deinit(&c->files);
	reader_shared_deinit(&c->shared);
	*c = (struct crew){ .n_workers = 0 };
}

/* Within a file as well: a single one may be all there is. */
static void count(void *ctx, uint64_t n)
{
	struct crew_worker *w = ctx;
	struct crew *c = w->crew;
	c->raw_done += n;
	if (w == c->workers && c->progress) {
		c->progress(c->progress_ctx, c->raw_done, c->files.bytes);
	}
}

/*
 * Files come in order of their names, which begin with account and region. Each worker has a run
 * of neighbours: what they tell of is the same, and hardly anything of it is held twice.
 */
static void share_out(struct crew *c, size_t n_workers)
{
	for (size_t i = 0; i < n_workers; i++) {
		uint64_t first = c->files.n * i / n_workers;
		c->workers[i].share = first << 32 | c->files.n * (i + 1) / n_workers;
	}
}

static uint32_t left(uint64_t share)
{
	return (uint32_t)share - (uint32_t)(share >> 32);
}

/* The first file of a worker's share for itself, the last one for another; SIZE_MAX: there is none. */
static size_t take(struct crew_worker *from, bool first)
{
	uint64_t share = from->share;
	while (left(share)) {
		uint64_t rest = first ? share + (UINT64_C(1) << 32) : share - 1;
		if (atomic_compare_exchange_weak(&from->share, &share, rest)) {
			return first ? (size_t)(share >> 32) : (size_t)(uint32_t)rest;
		}
	}
	return SIZE_MAX;
}

/* A file of one's own; when there are none, of the one who has most left to do. */
static size_t next_file(struct crew_worker *w)
{
	struct crew *c = w->crew;
	size_t file = take(w, true);
	while (file == SIZE_MAX) {
		struct crew_worker *slow = NULL;
		for (size_t i = 0; i < c->n_workers; i++) {
			struct crew_worker *other = &c->workers[i];
			if (left(other->share) > (slow ? left(slow->share) : 0)) {
				slow = other;
			}
		}
		if (!slow) {
			break;
		}
		file = take(slow, false);
	}
	return file;
}

static void *work(void *arg)
{
	struct crew_worker *w = arg;
	struct crew *c = w->crew;
	for (size_t i = next_file(w); i != SIZE_MAX; i = next_file(w)) {
		reader_file(&w->reader, c->files.paths[i]);
	}
	sigma_thread_done();
	return NULL;
}

static void reject(void *ctx, const char *path, const char *reason)
{
	struct crew *c = ctx;
	reader_reject_path(&c->workers[0].reader, path, reason);
}

static void skip(void *ctx, const char *path, const char *reason)
{
	struct crew *c = ctx;
	reader_skip(&c->workers[0].reader, path, reason);
}

static void start(struct crew *c, struct crew_worker *w)
{
	w->crew = c;
	reader_init(&w->reader, &c->shared);
	w->reader.input.told = count;
	w->reader.input.told_ctx = w;
	detect_init(&w->detect, c->rules, c->every_copy, &w->reader);
}

static void join(struct crew *c)
{
	struct crew_worker *all = &c->workers[0];
	reader_stop(&all->reader);
	for (size_t i = 1; i < c->n_workers; i++) {
		struct crew_worker *w = &c->workers[i];
		if (w->crew) {
			reader_fold(&all->reader, &w->reader);
			detect_fold(&all->detect, &w->detect);
			dismiss(w);
		}
	}
}

enum err_status crew_read(
	struct crew *c, const char *const *paths, size_t n_paths, struct err *err)
{
	pthread_t threads[CREW_MAX];
	size_t n_threads = 1;
	const struct files_filter filter = { &c->shared.window, reject, skip, c,
		c->shared.source };
	start(c, &c->workers[0]);
	enum err_status st = files_find(&c->files, paths, n_paths, &filter, err);
	size_t n = c->files.n < c->n_workers ? c->files.n : c->n_workers;
	if (st != ERR_OK) {
		return st;
	}
	share_out(c, n ? n : 1);
	for (; n_threads < n; n_threads++) {
		struct crew_worker *w = &c->workers[n_threads];
		start(c, w);
		if (pthread_create(&threads[n_threads], NULL, work, w) != 0) {
			break; /* fewer do it as well */
		}
	}
	(void)work(&c->workers[0]);
	for (size_t i = 1; i < n_threads; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	if (!c->apart) {
		join(c);
	}
	if (c->progress) {
		uint64_t all = c->files.bytes ? c->files.bytes : c->raw_done;
		c->progress(c->progress_ctx, all, all);
	}
	return ERR_OK;
}

void crew_begin(struct crew *c)
{
	start(c, &c->workers[0]);
}

struct crew_worker *crew_guest(struct crew *c)
{
	struct crew_worker *guest = calloc(1, sizeof(*guest));
	if (!guest) {
		BUG("out of memory");
	}
	start(c, guest);
	return guest;
}

void crew_take(struct crew *c, struct crew_worker *guest)
{
	reader_fold(&c->workers[0].reader, &guest->reader);
	detect_fold(&c->workers[0].detect, &guest->detect);
}

void crew_dismiss(struct crew_worker *guest)
{
	dismiss(guest);
	free(guest);
}

struct reader *crew_reader(struct crew *c)
{
	return &c->workers[0].reader;
}

struct detect *crew_detect(struct crew *c)
{
	return &c->workers[0].detect;
}
