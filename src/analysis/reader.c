#include "analysis/reader.h"

#include "base/doc.h"
#include "base/i18n.h"
#include "finding/finding.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX    (2u * 1024 * 1024)
#define FOLDERS_DEEP 64
#define LINES_MAX    (32u * 1024 * 1024)
#define FINDINGS_MAX 10000u
#define REJECTED_MAX 1000u

void reader_init(struct reader *r, uint64_t seed, size_t lites_max, struct str own_marker)
{
	*r = (struct reader){ .rejected = json_array(), .input = { .fd = -1 } };
	track_init(&r->track, seed, lites_max, own_marker);
	web_init(&r->web, &r->track.pool);
	ssh_init(&r->ssh, &r->track.pool);
	flow_init(&r->flow, &r->track.pool);
	table_init(&r->finding_ids, 0, FINDINGS_MAX);
	table_init(&r->lines, 0, LINES_MAX);
	for (int i = 0; i < READER_NESTING; i++) {
		scan_init(&r->tapes[i]);
	}
	(void)scan_choose();
}

void reader_deinit(struct reader *r)
{
	web_deinit(&r->web);
	ssh_deinit(&r->ssh);
	flow_deinit(&r->flow);
	track_deinit(&r->track);
	free(r->findings);
	table_deinit(&r->finding_ids);
	table_deinit(&r->lines);
	table_deinit(&r->line_counts);
	for (int i = 0; i < READER_NESTING; i++) {
		scan_deinit(&r->tapes[i]);
	}
	input_deinit(&r->input);
	json_decref(r->rejected);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

/* Named as it lies on the disk: events are cited without .gz, but a person looks for the file. */
void reader_reject(struct reader *r, const char *reason, uint64_t count)
{
	size_t i;
	json_t *row;
	const char *file = r->path ? base_name(r->path) : r->name;
	json_array_foreach(r->rejected, i, row)
	{
		bool same = !strcmp(json_string_value(json_object_get(row, "file")), file) &&
			    !strcmp(json_string_value(json_object_get(row, "reason")), reason);
		if (same) {
			json_int_t n = json_integer_value(json_object_get(row, "count"));
			json_object_set_new(row, "count", json_integer(n + (json_int_t)count));
			return;
		}
	}
	if (json_array_size(r->rejected) < REJECTED_MAX) {
		json_array_append_new(
			r->rejected, json_pack("{s:o,s:s,s:I}", "file", doc_str(str_from(file)),
					     "reason", reason, "count", (json_int_t)count));
	}
}

/* ---- findings ---- */

static void take_finding(struct reader *r, const struct finding *f)
{
	bool fresh = false;
	if (f->sample) {
		r->n_samples++;
		return;
	}
	uint64_t key = table_hash(r->track.seed, f->id);
	if (table_add(&r->finding_ids, key, &fresh) == SIZE_MAX || !fresh) {
		return;
	}
	if (r->n_findings == r->cap_findings) {
		r->cap_findings = r->cap_findings ? r->cap_findings * 2 : 16;
		r->findings = realloc(r->findings, r->cap_findings * sizeof(*r->findings));
		if (!r->findings) {
			BUG("out of memory");
		}
	}
	struct pool *p = &r->track.pool;
	struct reader_finding out = { .first_ms = f->first_seen_ms ? f->first_seen_ms
								   : f->created_ms,
		.last_ms = f->last_seen_ms ? f->last_seen_ms : f->updated_ms,
		.id = pool_put(p, f->id),
		.type = pool_put(p, f->type),
		.severity = f->severity,
		.attempt = finding_role_matters(f->type) && f->role == FINDING_ROLE_TARGET };
	for (size_t i = 0; i < f->n_resources; i++) {
		const struct finding_resource *res = &f->resources[i];
		if (res->kind == FINDING_ACCESS_KEY) {
			out.key = pool_put(p, res->id);
			out.user = pool_put(p, res->user_name);
			if (res->instance_id.n) {
				out.instance = pool_put(p, res->instance_id);
			}
		} else if (res->kind == FINDING_INSTANCE) {
			out.instance = pool_put(p, res->id);
		} else if (res->kind == FINDING_S3_BUCKET) {
			out.bucket = pool_put(p, res->id);
		}
	}
	if (f->n_actors) {
		out.ip = pool_put(p, f->actors[0].ip);
	}
	r->findings[r->n_findings++] = out;
}

void reader_finding_text(struct reader *r, struct str json)
{
	struct finding_set set;
	struct err err = { 0 };
	if (finding_read(json, &set, &err) != ERR_OK) {
		reader_reject(r, N_("a finding that can't be read"), 1);
		return;
	}
	for (size_t i = 0; i < set.n; i++) {
		take_finding(r, set.items[i]);
	}
	finding_set_deinit(&set);
}

/* ---- files ---- */

struct file_list {
	char **paths;
	size_t n, cap;
};

static void list_add(struct file_list *l, const char *path)
{
	if (l->n >= FILES_MAX) {
		return;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->paths = realloc(l->paths, l->cap * sizeof(*l->paths));
		if (!l->paths) {
			BUG("out of memory");
		}
	}
	l->paths[l->n++] = str_dup(str_from(path));
}

static void name_file(struct reader *r, const char *path, char *room, size_t size)
{
	struct str base = str_from(base_name(path));
	if (str_ends(base, STR(".gz"))) {
		base = str_sub(base, 0, base.n - 3);
	}
	(void)snprintf(room, size, "%.*s", STR_ARG(base));
	r->name = room;
	r->path = path;
	r->line = 0;
}

/* Folders linked from elsewhere are not entered, so a loop can't trap the walk. */
static void list_folder(struct reader *r, struct file_list *l, const char *path, int depth)
{
	char name[256];
	DIR *d = depth < FOLDERS_DEEP ? opendir(path) : NULL;
	if (!d) {
		name_file(r, path, name, sizeof(name));
		reader_reject(r,
			depth < FOLDERS_DEEP ? N_("a folder that can't be opened")
					     : N_("folders nested too deep"),
			1);
		return;
	}
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		char sub[PATH_MAX];
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) {
			continue;
		}
		int n = snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		struct stat sb;
		if (n <= 0 || (size_t)n >= sizeof(sub) || lstat(sub, &sb) != 0) {
			name_file(r, e->d_name, name, sizeof(name));
			reader_reject(r, N_("a path that can't be followed"), 1);
		} else if (S_ISDIR(sb.st_mode)) {
			list_folder(r, l, sub, depth + 1);
		} else if (S_ISREG(sb.st_mode) || S_ISLNK(sb.st_mode)) {
			list_add(l, sub);
			r->total += sb.st_size > 0 ? (uint64_t)sb.st_size : 0;
		}
	}
	(void)closedir(d);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err_status list_files(struct reader *r, struct file_list *l,
	const char *const *paths, size_t n_paths, struct err *err)
{
	for (size_t i = 0; i < n_paths; i++) {
		struct stat sb;
		if (!strcmp(paths[i], "-")) {
			list_add(l, "-");
		} else if (stat(paths[i], &sb) != 0) {
			return err_set(err, ERR_NOT_FOUND, "can't read %s: %s", paths[i],
				strerror(errno));
		} else if (S_ISDIR(sb.st_mode)) {
			list_folder(r, l, paths[i], 0);
		} else {
			list_add(l, paths[i]);
			r->total += sb.st_size > 0 ? (uint64_t)sb.st_size : 0;
		}
	}
	qsort(l->paths, l->n, sizeof(*l->paths), by_bytes);
	return ERR_OK;
}

/* "{" and "[" begin JSON, but "[Thu Oct 13 ...]" is a line of an error log. */
static bool begins_json(struct str s)
{
	size_t i = 0;
	while (i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i]) {
		i++;
	}
	if (i < s.n && s.p[i] == '{') {
		return true;
	}
	if (i >= s.n || s.p[i] != '[') {
		return false;
	}
	for (i++; i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i]; i++) {
	}
	return i < s.n && s.p[i] && strchr("{[]\"", s.p[i]) != NULL;
}

static void read_file(struct reader *r, const char *path)
{
	char name[256];
	name_file(r, !strcmp(path, "-") ? "stdin" : path, name, sizeof(name));
	struct err err = { 0 };
	struct input *in = &r->input;
	r->n_files++;
	if (input_open(in, path, &err) != ERR_OK) {
		reader_reject(r,
			err.status == ERR_DENIED ? N_("no permission to read it")
						 : N_("can't be opened"),
			1);
		return;
	}
	table_init(&r->line_counts, sizeof(uint32_t), LINES_MAX);
	(void)input_more(in);
	if (str_starts(input_view(in), STR("\xef\xbb\xbf"))) {
		input_take(in, 3);
	}
	if (begins_json(input_view(in))) {
		reader_json(r, in);
	} else {
		reader_lines(r, in);
	}
	if (in->trouble) {
		reader_reject(r, in->trouble, 1);
	}
	table_deinit(&r->line_counts);
	r->n_bytes += in->n_out;
	input_close(in);
}

enum err_status reader_read(
	struct reader *r, const char *const *paths, size_t n_paths, struct err *err)
{
	struct file_list list = { 0 };
	enum err_status st = list_files(r, &list, paths, n_paths, err);
	uint64_t done = 0;
	for (size_t i = 0; i < list.n && st == ERR_OK; i++) {
		read_file(r, list.paths[i]);
		done += r->input.n_raw;
		if (r->progress) {
			r->progress(r->progress_ctx, done, r->total);
		}
	}
	for (size_t i = 0; i < list.n; i++) {
		free(list.paths[i]);
	}
	free(list.paths);
	return st;
}

static int finding_order(const void *a, const void *b, void *pool)
{
	const struct reader_finding *x = a;
	const struct reader_finding *y = b;
	if (x->first_ms != y->first_ms) {
		return x->first_ms < y->first_ms ? -1 : 1;
	}
	return str_cmp(pool_get(pool, x->id), pool_get(pool, y->id));
}

void reader_settle(struct reader *r)
{
	web_settle(&r->web);
	int64_t near_ms = r->ssh.file_ms;
	if (r->web.n_lines) {
		near_ms = r->web.last_ms;
	}
	if (r->track.n_unique) {
		near_ms = r->track.last.time_ms;
	}
	ssh_settle(&r->ssh, near_ms);
	if (r->n_findings) {
		qsort_r(r->findings, r->n_findings, sizeof(*r->findings), finding_order,
			&r->track.pool);
	}
}
