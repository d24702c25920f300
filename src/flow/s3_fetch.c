#include "flow/s3_fetch.h"

#include "base/i18n.h"
#include "flow/s3_tree.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RANGE        ((uint64_t)4 * 1024 * 1024)
#define AHEAD        4    /* ranges of one object that are fetched or lie there */
#define OBJECTS_NEXT 256u /* objects fetched before they are opened */
#define HELD_MAX     ((uint64_t)64 * 1024 * 1024)
/* An answer of S3 takes some 30 ms, however small: many must be under way to fill a core. */
#define THREADS_MAX 32

struct entry {
	struct s3_fetch_object is;
	struct source_object *begun; /* fetched, not yet opened */
	bool opened;
};

/* Range k of the object, in the slot k % AHEAD. */
struct range {
	struct buf bytes;
	bool ready;
};

struct source_object {
	struct s3_fetch *fetch;
	const struct s3_fetch_object *is;
	struct range ranges[AHEAD];
	uint64_t asked;   /* ranges taken up by a thread */
	uint64_t reading; /* range that the reader is in ... */
	size_t at;        /* ... and where */
	size_t under_way;
	const char *trouble; /* of the first range that failed; static */
	bool closed;
	struct source_object *next; /* of those that are open */
};

struct s3_fetch {
	struct aws_client *aws;
	pthread_mutex_t lock;
	pthread_cond_t work, ready;
	struct entry *entries; /* sorted when the first is opened */
	size_t n, cap;
	size_t next;    /* entry to fetch ahead */
	size_t n_begun; /* objects fetched ahead and not opened */
	uint64_t held;  /* bytes asked for and not read */
	struct source_object *open;
	pthread_t threads[THREADS_MAX];
	size_t n_threads;
	bool started, stop;
};

struct s3_fetch *s3_fetch_new(struct aws_client *aws)
{
	struct s3_fetch *f = calloc(1, sizeof(*f));
	if (!f || pthread_mutex_init(&f->lock, NULL) != 0 ||
		pthread_cond_init(&f->work, NULL) != 0 ||
		pthread_cond_init(&f->ready, NULL) != 0) {
		BUG("out of memory");
	}
	f->aws = aws;
	return f;
}

void s3_fetch_add(struct s3_fetch *f, const struct s3_fetch_object *object)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 256;
		f->entries = realloc(f->entries, f->cap * sizeof(*f->entries));
		if (!f->entries) {
			BUG("out of memory");
		}
	}
	struct entry *e = &f->entries[f->n++];
	*e = (struct entry){ .is = *object };
	e->is.path = str_dup(str_from(object->path));
	e->is.etag = object->etag ? str_dup(str_from(object->etag)) : NULL;
}

/* ---- one object; the lock is held ---- */

static uint64_t range_size(const struct source_object *o, uint64_t k)
{
	uint64_t left = o->is->size - k * RANGE;
	return left < RANGE ? left : RANGE;
}

static struct source_object *begin(struct s3_fetch *f, const struct entry *e)
{
	struct source_object *o = calloc(1, sizeof(*o));
	if (!o) {
		BUG("out of memory");
	}
	o->fetch = f;
	o->is = &e->is;
	return o;
}

static void discard(struct source_object *o)
{
	for (size_t i = 0; i < AHEAD; i++) {
		buf_deinit(&o->ranges[i].bytes);
	}
	free(o);
}

/* Whoever reads always gets one range, so that nothing can stand still. */
static bool wants(const struct source_object *o)
{
	return !o->trouble && o->asked * RANGE < o->is->size && o->asked - o->reading < AHEAD &&
	       (o->asked == o->reading || o->fetch->held < HELD_MAX);
}

/* The object of which a range is to be fetched now: open ones first, then those that come next. */
static struct source_object *pick(struct s3_fetch *f)
{
	for (struct source_object *o = f->open; o; o = o->next) {
		if (wants(o)) {
			return o;
		}
	}
	if (f->held >= HELD_MAX || f->n_begun >= OBJECTS_NEXT) {
		return NULL;
	}
	while (f->next < f->n && (f->entries[f->next].opened || !f->entries[f->next].is.size)) {
		f->next++;
	}
	if (f->next == f->n) {
		return NULL;
	}
	struct entry *e = &f->entries[f->next++];
	e->begun = begin(f, e);
	f->n_begun++;
	return e->begun;
}

/* ---- fetching ---- */

static const char *reason(const struct err *e)
{
	if (!strcmp(e->code, "InvalidObjectState")) {
		return N_("archived in S3 Glacier: restore it first");
	}
	if (e->http_status == 412) {
		return N_("written anew while it was read: read it again");
	}
	switch (e->status) {
	case ERR_DENIED:
		return N_("no permission to read it");
	case ERR_NOT_FOUND:
		return N_("gone since the bucket was listed");
	case ERR_UNREACHABLE:
		return N_("S3 did not answer");
	default:
		return N_("S3 did not give it out");
	}
}

/* Static text, or NULL when the range is there. */
static const char *get(
	struct s3_fetch *f, const struct source_object *o, uint64_t k, struct buf *out)
{
	char bucket[S3_TREE_BUCKET_MAX];
	char range[64];
	char *key = NULL;
	struct err err = { 0 };
	uint64_t size = range_size(o, k);
	if (s3_tree_place(o->is->path, bucket, &key, &err) != ERR_OK) {
		return N_("S3 did not give it out");
	}
	(void)snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, k * RANGE,
		k * RANGE + size - 1);
	json_t *params = json_pack("{s:s,s:s,s:s,s:s*}", "Bucket", bucket, "Key", key, "Range",
		range, "IfMatch", o->is->etag);
	struct aws_request q = {
		.service = "s3", .operation = "GetObject", .params = params, .body_out = out
	};
	buf_reserve(out, (size_t)size);
	enum err_status st = aws_call_many(f->aws, &q, 1, &err);
	json_decref(q.result);
	json_decref(params);
	free(key);
	if (st != ERR_OK) {
		return reason(&err);
	}
	return out->n == size ? NULL : N_("S3 gave less or more of it than was asked for");
}

static void take_in(struct source_object *o, uint64_t k, struct buf *bytes, const char *trouble)
{
	struct s3_fetch *f = o->fetch;
	struct range *r = &o->ranges[k % AHEAD];
	o->under_way--;
	if (trouble || o->closed) {
		o->trouble = o->trouble ? o->trouble : trouble;
		f->held -= range_size(o, k);
		buf_deinit(bytes);
	} else {
		r->bytes = *bytes;
		r->ready = true;
	}
	if (o->closed && o->under_way == 0) {
		discard(o);
	}
	(void)pthread_cond_broadcast(&f->ready);
}

static void *fetch_all(void *arg)
{
	struct s3_fetch *f = arg;
	(void)pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		struct source_object *o = pick(f);
		if (!o) {
			(void)pthread_cond_wait(&f->work, &f->lock);
			continue;
		}
		uint64_t k = o->asked++;
		struct buf bytes;
		o->under_way++;
		f->held += range_size(o, k);
		(void)pthread_mutex_unlock(&f->lock);
		buf_init(&bytes, RANGE);
		const char *trouble = get(f, o, k, &bytes);
		(void)pthread_mutex_lock(&f->lock);
		take_in(o, k, &bytes, trouble);
	}
	(void)pthread_mutex_unlock(&f->lock);
	return NULL;
}

static int by_path(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	return strcmp(x->is.path, y->is.path);
}

static void start(struct s3_fetch *f)
{
	size_t ranges = 0;
	f->started = true;
	if (f->n) {
		qsort(f->entries, f->n, sizeof(*f->entries), by_path);
	}
	for (size_t i = 0; i < f->n && ranges < THREADS_MAX; i++) {
		ranges += (size_t)(f->entries[i].is.size / RANGE) + 1;
	}
	while (f->n_threads < ranges && f->n_threads < THREADS_MAX &&
		pthread_create(&f->threads[f->n_threads], NULL, fetch_all, f) == 0) {
		f->n_threads++;
	}
}

void s3_fetch_free(struct s3_fetch *f)
{
	(void)pthread_mutex_lock(&f->lock);
	f->stop = true;
	(void)pthread_cond_broadcast(&f->work);
	(void)pthread_mutex_unlock(&f->lock);
	for (size_t i = 0; i < f->n_threads; i++) {
		(void)pthread_join(f->threads[i], NULL);
	}
	for (size_t i = 0; i < f->n; i++) {
		if (f->entries[i].begun) {
			discard(f->entries[i].begun);
		}
		free((char *)(uintptr_t)f->entries[i].is.path);
		free((char *)(uintptr_t)f->entries[i].is.etag);
	}
	free(f->entries);
	(void)pthread_cond_destroy(&f->work);
	(void)pthread_cond_destroy(&f->ready);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- the reader's side ---- */

/* The first of this name that nobody has opened: one that was named twice is read twice. */
static struct entry *find(const struct s3_fetch *f, const char *path)
{
	size_t low = 0;
	size_t high = f->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(f->entries[middle].is.path, path) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	while (low < f->n && f->entries[low].opened && !strcmp(f->entries[low].is.path, path)) {
		low++;
	}
	return low < f->n && !strcmp(f->entries[low].is.path, path) ? &f->entries[low] : NULL;
}

struct source_object *s3_fetch_open(
	struct s3_fetch *f, const char *path, uint64_t *size, int64_t *changed_ms)
{
	struct source_object *o = NULL;
	(void)pthread_mutex_lock(&f->lock);
	if (!f->started) {
		start(f);
	}
	struct entry *e = f->n_threads ? find(f, path) : NULL;
	if (e) {
		o = e->begun ? e->begun : begin(f, e);
		f->n_begun -= e->begun != NULL;
		e->begun = NULL;
		e->opened = true;
		o->next = f->open;
		f->open = o;
		*size = e->is.size;
		*changed_ms = e->is.changed_ms;
		(void)pthread_cond_broadcast(&f->work);
	}
	(void)pthread_mutex_unlock(&f->lock);
	return o;
}

/* The range that the reader is in, once it is there; NULL at the end and when it will not come. */
static struct range *wait_for(struct source_object *o)
{
	struct s3_fetch *f = o->fetch;
	struct range *r = &o->ranges[o->reading % AHEAD];
	(void)pthread_mutex_lock(&f->lock);
	while (!r->ready && !(o->trouble && o->under_way == 0) &&
		o->reading * RANGE < o->is->size) {
		(void)pthread_cond_wait(&f->ready, &f->lock);
	}
	bool there = r->ready;
	(void)pthread_mutex_unlock(&f->lock);
	return there ? r : NULL;
}

static void done_with(struct source_object *o, struct range *r)
{
	struct s3_fetch *f = o->fetch;
	(void)pthread_mutex_lock(&f->lock);
	f->held -= r->bytes.n;
	buf_deinit(&r->bytes);
	*r = (struct range){ .ready = false };
	o->at = 0;
	o->reading++;
	(void)pthread_cond_broadcast(&f->work);
	(void)pthread_mutex_unlock(&f->lock);
}

size_t s3_fetch_read(struct source_object *o, void *into, size_t n, const char **trouble)
{
	struct range *r = wait_for(o);
	if (!r) {
		*trouble = o->trouble;
		return 0;
	}
	size_t got = r->bytes.n - o->at;
	got = got < n ? got : n;
	memcpy(into, r->bytes.p + o->at, got);
	o->at += got;
	if (o->at == r->bytes.n) {
		done_with(o, r);
	}
	return got;
}

void s3_fetch_close(struct source_object *o)
{
	struct s3_fetch *f = o->fetch;
	(void)pthread_mutex_lock(&f->lock);
	struct source_object **link = &f->open;
	while (*link != o) {
		link = &(*link)->next;
	}
	*link = o->next;
	o->closed = true;
	for (size_t i = 0; i < AHEAD; i++) {
		f->held -= o->ranges[i].bytes.n;
	}
	if (o->under_way == 0) {
		discard(o);
	}
	(void)pthread_cond_broadcast(&f->work);
	(void)pthread_mutex_unlock(&f->lock);
}
