#include "analysis/trail_chain.h"

#include "analysis/prune.h"
#include "analysis/table.h"
#include "base/gz.h"
#include "base/hash.h"
#include "base/i18n.h"
#include "base/utc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORED_MAX    ((size_t)128 * 1024 * 1024) /* an object as it lies there */
#define INFLATED_MAX  ((size_t)512 * 1024 * 1024)
#define DIGESTS_MAX   ((size_t)1024 * 1024)
#define LOGS_MAX      ((size_t)16 * 1024 * 1024)
#define THREADS_MAX   64
#define SIGNATURE_MAX 8192
#define MESSAGE_MAX   ((size_t)64 * 1024)
#define HOUR_MS       (INT64_C(3600) * 1000)
/* A file delivered on the hour may stand in this digest or the next. */
#define EDGE_MS (HOUR_MS / 2)

/* A log file of the tree. */
struct log_file {
	const char *key;
	struct trail_name name;
};

struct verify {
	const struct trail_options *opts;
	struct trail_link *links;
	size_t n_links;
	struct log_file *logs;
	size_t n_logs;
	struct table listed;  /* keys only: tails of the log files that digests list */
	pthread_mutex_t lock; /* guards `next`, `listed` and the progress */
	size_t next, done;
};

/* ---- objects ---- */

/* An object's content: inflated when it is gzip, else as it is (a copy may lie there unpacked). */
static enum err_status content(const struct trail_options *opts, const char *bucket,
	const char *key, struct buf *out, struct buf *signature, struct err *err)
{
	struct buf stored;
	buf_init(&stored, STORED_MAX);
	const struct trail_source *s = opts->source;
	enum err_status st = s->fetch(s->ctx, bucket, key, &stored, signature, err);
	if (st == ERR_OK && gz_is(buf_view(&stored))) {
		st = gz_inflate(buf_view(&stored), out, err);
	} else if (st == ERR_OK) {
		buf_add_str(out, buf_view(&stored));
	}
	buf_deinit(&stored);
	return st;
}

static char *copy(const char *s)
{
	return s ? str_dup(str_from(s)) : NULL;
}

/* ---- log files ---- */

static void note_listed(struct verify *v, const char *object)
{
	uint64_t key = table_hash(0, trail_digest_tail(str_from(object)));
	(void)pthread_mutex_lock(&v->lock);
	(void)table_add(&v->listed, key, NULL);
	(void)pthread_mutex_unlock(&v->lock);
}

static void check_log(struct verify *v, struct trail_link *l, const json_t *log)
{
	const char *object = doc_text_or(log, "s3Object", "");
	struct err err = { 0 };
	struct buf text;
	char sha[65];
	note_listed(v, object);
	buf_init(&text, INFLATED_MAX);
	enum err_status st =
		content(v->opts, doc_text(log, "s3Bucket"), object, &text, NULL, &err);
	l->n_logs++;
	if (st == ERR_NOT_FOUND) {
		l->n_missing++;
		trail_chain_problem(l->problems, "log_deleted", object,
			N_("a digest lists this log file, but it is not there"), NULL);
	} else if (st == ERR_INPUT || st == ERR_LIMIT) {
		l->n_edited++;
		trail_chain_problem(l->problems, "log_edited", object,
			N_("not as delivered: {0}"), err.msg);
	} else if (st != ERR_OK) {
		l->n_unread++;
		trail_chain_problem(
			l->problems, "log_unread", object, N_("can't be read: {0}"), err.msg);
	} else {
		hash_sha256_hex(buf_view(&text), sha);
		bool fits = str_eq_nocase(str_from(sha), str_from(doc_text(log, "hashValue")));
		l->n_valid += fits;
		l->n_edited += !fits;
		if (!fits) {
			trail_chain_problem(l->problems, "log_edited", object,
				N_("its hash is not the one in the digest"), NULL);
		}
	}
	buf_deinit(&text);
}

/* ---- digests ---- */

static bool in_place(
	const struct trail_source *s, const struct trail_link *l, const struct trail_digest *d)
{
	if (s->bucket && strcmp(s->bucket, d->bucket) != 0) {
		return false;
	}
	return str_eq(
		trail_digest_tail(str_from(d->object)), trail_digest_tail(str_from(l->key)));
}

static void keep(struct trail_link *l, const struct trail_digest *d, struct buf *signature)
{
	struct buf message;
	buf_init(&message, MESSAGE_MAX);
	trail_digest_message(d, &message);
	l->state = TRAIL_READ;
	l->start_ms = d->start_ms;
	l->end_ms = d->end_ms;
	memcpy(l->sha256, d->sha256, sizeof(l->sha256));
	l->message = buf_steal(&message);
	l->signature = signature->n ? buf_steal(signature) : NULL;
	l->fingerprint = copy(d->fingerprint);
	l->previous_object = copy(d->previous_object);
	l->previous_sha256 = copy(d->previous_sha256);
	l->previous_signature = copy(d->previous_signature);
}

static void check_digest(struct verify *v, struct trail_link *l)
{
	struct trail_digest d = { 0 };
	struct err err = { 0 };
	struct buf raw;
	struct buf signature;
	buf_init(&raw, DOC_MAX_BYTES);
	buf_init(&signature, SIGNATURE_MAX);
	l->problems = json_array();
	enum err_status st =
		content(v->opts, v->opts->source->bucket, l->key, &raw, &signature, &err);
	if (st == ERR_OK) {
		st = trail_digest_read(buf_view(&raw), &d, &err);
	}
	buf_deinit(&raw);
	if (st != ERR_OK) {
		trail_chain_problem(l->problems,
			st == ERR_INPUT || st == ERR_LIMIT ? "digest_edited" : "digest_unread",
			l->key, N_("can't be read as a digest: {0}"), err.msg);
	} else if (!in_place(v->opts->source, l, &d)) {
		trail_chain_problem(l->problems, "digest_moved", l->key,
			N_("the digest says that it belongs elsewhere: {0}"), d.object);
	} else {
		keep(l, &d, &signature);
		for (size_t i = 0; i < json_array_size(d.logs); i++) {
			check_log(v, l, json_array_get(d.logs, i));
		}
	}
	buf_deinit(&signature);
	trail_digest_deinit(&d);
}

static void *work(void *ctx)
{
	struct verify *v = ctx;
	for (;;) {
		(void)pthread_mutex_lock(&v->lock);
		size_t i = v->next++;
		(void)pthread_mutex_unlock(&v->lock);
		if (i >= v->n_links) {
			return NULL;
		}
		check_digest(v, &v->links[i]);
		(void)pthread_mutex_lock(&v->lock);
		v->done++;
		if (v->opts->progress) {
			v->opts->progress(v->opts->progress_ctx, v->done, v->n_links);
		}
		(void)pthread_mutex_unlock(&v->lock);
	}
}

static void run_workers(struct verify *v)
{
	pthread_t threads[THREADS_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long want = v->opts->threads > 0 ? v->opts->threads : cores;
	int n = 0;
	while (n + 1 < want && n < THREADS_MAX &&
		pthread_create(&threads[n], NULL, work, v) == 0) {
		n++;
	}
	(void)work(v);
	for (int i = 0; i < n; i++) {
		(void)pthread_join(threads[i], NULL);
	}
}

/* ---- the tree ---- */

static bool wanted(const struct trail_options *o, const struct trail_name *n)
{
	/* A digest is named by its end; the hour that it covers lies before. */
	return (!o->from_ms || n->time_ms > o->from_ms) &&
	       (!o->to_ms || n->time_ms <= o->to_ms + HOUR_MS);
}

static void sort_out(struct verify *v)
{
	const struct trail_options *o = v->opts;
	const struct prune regions = { .regions = o->regions };
	v->links = calloc(o->n_objects + 1, sizeof(*v->links));
	v->logs = calloc(o->n_objects + 1, sizeof(*v->logs));
	if (!v->links || !v->logs) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < o->n_objects; i++) {
		struct trail_name name;
		if (!trail_digest_name(str_from(o->objects[i]), &name) ||
			!prune_has_region(&regions, name.region)) {
			continue;
		}
		if (!name.digest) {
			v->logs[v->n_logs++] =
				(struct log_file){ .key = o->objects[i], .name = name };
		} else if (wanted(o, &name)) {
			v->links[v->n_links++] =
				(struct trail_link){ .key = o->objects[i], .name = name };
		}
	}
	trail_chain_sort(v->links, v->n_links);
}

struct span {
	struct str account, region;
	int64_t from_ms, to_ms; /* from >= to: no digest */
};

/* The time that digests of an account and region span. */
static struct span span_of(const struct verify *v, const struct trail_name *n)
{
	struct span s = { n->account, n->region, INT64_MAX, INT64_MIN };
	for (size_t i = 0; i < v->n_links; i++) {
		const struct trail_link *l = &v->links[i];
		if (l->state != TRAIL_UNREAD && str_eq(l->name.account, n->account) &&
			str_eq(l->name.region, n->region)) {
			s.from_ms = l->start_ms < s.from_ms ? l->start_ms : s.from_ms;
			s.to_ms = l->end_ms > s.to_ms ? l->end_ms : s.to_ms;
		}
	}
	return s;
}

static int by_place(const void *a, const void *b)
{
	const struct log_file *x = a;
	const struct log_file *y = b;
	int c = str_cmp(x->name.account, y->name.account);
	c = c ? c : str_cmp(x->name.region, y->name.region);
	return c ? c : strcmp(x->key, y->key);
}

/* Log files that no digest lists; *outside gets those that no digest's time reaches. */
static uint64_t unlisted(struct verify *v, json_t *problems, uint64_t *outside)
{
	uint64_t n = 0;
	struct span s = { .from_ms = 0 };
	if (v->n_logs) {
		qsort(v->logs, v->n_logs, sizeof(*v->logs), by_place);
	}
	for (size_t i = 0; i < v->n_logs; i++) {
		const struct log_file *f = &v->logs[i];
		uint64_t key = table_hash(0, trail_digest_tail(str_from(f->key)));
		if (i == 0 || !str_eq(s.account, f->name.account) ||
			!str_eq(s.region, f->name.region)) {
			s = span_of(v, &f->name);
		}
		if (table_index(&v->listed, key) != SIZE_MAX) {
			continue;
		}
		if (s.from_ms >= s.to_ms || f->name.time_ms < s.from_ms + EDGE_MS ||
			f->name.time_ms > s.to_ms - EDGE_MS) {
			*outside += 1;
			continue;
		}
		n++;
		trail_chain_problem(problems, "log_unlisted", f->key,
			N_("lies among the log files, but no digest lists it"), NULL);
	}
	return n;
}

static int problem_order(const void *a, const void *b)
{
	json_t *const *x = a;
	json_t *const *y = b;
	int c = strcmp(doc_text_or(*x, "kind", ""), doc_text_or(*y, "kind", ""));
	c = c ? c : strcmp(doc_text_or(*x, "object", ""), doc_text_or(*y, "object", ""));
	return c ? c : strcmp(doc_text_or(*x, "reason", ""), doc_text_or(*y, "reason", ""));
}

static json_t *sorted(json_t *list_taken)
{
	size_t n = json_array_size(list_taken);
	json_t **rows = calloc(n + 1, sizeof(json_t *));
	json_t *out = json_array();
	if (!rows) {
		BUG("out of memory");
	}
	for (size_t i = 0; i < n; i++) {
		rows[i] = json_array_get(list_taken, i);
	}
	qsort(rows, n, sizeof(json_t *), problem_order);
	for (size_t i = 0; i < n; i++) {
		json_array_append(out, rows[i]);
	}
	free(rows);
	json_decref(list_taken);
	return out;
}

/* What could not be proven is no proof of a change. */
static bool is_doubt(const json_t *problem)
{
	static const char *const kinds[] = { "key_missing", "signature_missing", "log_unread",
		"digest_unread", "chain_restarted" };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(doc_text_or(problem, "kind", ""), kinds[i])) {
			return true;
		}
	}
	return false;
}

static enum err_status outcome(const json_t *doc, struct err *err)
{
	const json_t *problems = json_object_get(doc, "problems");
	size_t i;
	json_t *p;
	json_array_foreach(problems, i, p)
	{
		if (!is_doubt(p)) {
			return err_set(err, ERR_INTEGRITY, "%.40s: %.200s: %.120s",
				doc_text_or(p, "kind", ""), doc_text_or(p, "object", ""),
				doc_text_or(p, "reason", ""));
		}
	}
	if (doc_int(doc, "digests.found", 0) == 0) {
		return err_set(err, ERR_PARTIAL,
			"no digest among the objects: name a tree with "
			"AWSLogs/.../CloudTrail-Digest");
	}
	if (json_array_size(problems) || json_array_size(json_object_get(doc, "gaps"))) {
		return err_set(err, ERR_PARTIAL,
			"nothing speaks for a change, but not all of it "
			"could be proven");
	}
	return ERR_OK;
}

static json_t *sum(const json_t *chains, const char *path)
{
	size_t i;
	json_t *c;
	json_int_t n = 0;
	json_array_foreach(chains, i, c)
	{
		n += (json_int_t)doc_int(c, path, 0);
	}
	return json_integer(n);
}

static json_t *document(struct verify *v)
{
	json_t *problems = json_array();
	json_t *gaps = json_array();
	json_t *chains = json_array();
	uint64_t outside = 0;
	for (size_t i = 0; i < v->n_links;) {
		size_t n = 1;
		while (i + n < v->n_links && trail_chain_same(&v->links[i], &v->links[i + n])) {
			n++;
		}
		json_array_append_new(
			chains, trail_chain_judge(v->opts, &v->links[i], n, problems, gaps));
		i += n;
	}
	uint64_t extra = unlisted(v, problems, &outside);
	return json_pack(
		"{s:s,s:{s:I,s:o,s:o,s:o,s:o},s:{s:I,s:o,s:o,s:o,s:o,s:I,s:I},s:o,s:o,s:"
		"o}",
		"schema", "cordon.trail/1", "digests", "found", (json_int_t)v->n_links, "valid",
		sum(chains, "valid"), "invalid", sum(chains, "invalid"), "unproven",
		sum(chains, "unproven"), "unread", sum(chains, "unread"), "logs", "found",
		(json_int_t)v->n_logs, "valid", sum(chains, "logs.valid"), "edited",
		sum(chains, "logs.edited"), "deleted", sum(chains, "logs.deleted"), "unproven",
		sum(chains, "logs.unproven"), "unlisted", (json_int_t)extra, "outside",
		(json_int_t)outside, "chains", chains, "gaps", gaps, "problems",
		sorted(problems));
}

enum err_status trail_verify(const struct trail_options *opts, json_t **out, struct err *err)
{
	struct verify v = { .opts = opts };
	if (pthread_mutex_init(&v.lock, NULL) != 0) {
		return err_set(err, ERR_FAILED, "no lock can be made");
	}
	table_init(&v.listed, 0, LOGS_MAX);
	sort_out(&v);
	if (v.n_links > DIGESTS_MAX) {
		trail_chain_free(v.links, v.n_links);
		free(v.logs);
		return err_set(err, ERR_LIMIT,
			"more than a million digests: check a part of the tree at a time");
	}
	run_workers(&v);
	*out = document(&v);
	trail_chain_free(v.links, v.n_links);
	free(v.logs);
	table_deinit(&v.listed);
	(void)pthread_mutex_destroy(&v.lock);
	return outcome(*out, err);
}
