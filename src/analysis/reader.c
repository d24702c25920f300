#include "analysis/reader.h"

#include "analysis/detect.h"
#include "analysis/files.h"
#include "analysis/lites.h"
#include "analysis/reader_take.h"
#include "analysis/trail_digest.h"
#include "base/i18n.h"
#include "finding/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_MAX   (64u * 1024 * 1024)
#define FINDINGS_MAX 100000u
#define LINES_MAX    (32u * 1024 * 1024)
#define REJECTS_MAX  (64u * 1024)
#define RULES_MAX    (64u * 1024)

void reader_shared_init(struct reader_shared *s, uint64_t seed)
{
	*s = (struct reader_shared){ .seed = seed };
	seen_init(&s->events, EVENTS_MAX);
	seen_init(&s->lines, LINES_MAX);
	if (pthread_mutex_init(&s->record_lock, NULL) != 0) {
		BUG("no lock can be made");
	}
	(void)scan_choose();
}

void reader_shared_deinit(struct reader_shared *s)
{
	seen_deinit(&s->events);
	seen_deinit(&s->lines);
	(void)pthread_mutex_destroy(&s->record_lock);
}

void reader_init(struct reader *r, struct reader_shared *shared)
{
	*r = (struct reader){ .shared = shared,
		.input = { .source = shared->source, .fd = -1 } };
	r->events = event_reader_new(shared->seed);
	track_init(&r->track, shared->seed, &shared->events, shared->own_marker);
	web_init(&r->web, &r->track.pool);
	ssh_init(&r->ssh, &r->track.pool);
	flow_init(&r->flow, &r->track.pool);
	dns_init(&r->dns, &r->track.pool);
	s3log_init(&r->s3, &r->track.pool);
	hours_init(&r->hours);
	table_init(&r->hits, sizeof(struct detect_hit), RULES_MAX);
	table_init(&r->rejects, sizeof(struct reader_reject), REJECTS_MAX);
	for (int i = 0; i < READER_NESTING; i++) {
		scan_init(&r->tapes[i]);
	}
	if (shared->accounts) {
		r->ledger = calloc(1, sizeof(*r->ledger));
		if (!r->ledger) {
			BUG("out of memory");
		}
		ledger_init(r->ledger, &reader_plan, r);
	}
}

void reader_deinit(struct reader *r)
{
	if (r->ledger) {
		ledger_deinit(r->ledger);
		free(r->ledger);
	}
	web_deinit(&r->web);
	ssh_deinit(&r->ssh);
	flow_deinit(&r->flow);
	dns_deinit(&r->dns);
	s3log_deinit(&r->s3);
	table_deinit(&r->hours);
	track_deinit(&r->track);
	free(r->findings);
	table_deinit(&r->hits);
	table_deinit(&r->rejects);
	table_deinit(&r->line_counts);
	for (int i = 0; i < READER_NESTING; i++) {
		scan_deinit(&r->tapes[i]);
	}
	event_reader_free(r->events);
	input_deinit(&r->input);
}

static struct reader_reject *reject_row(struct reader *r, struct str file, const char *reason)
{
	uint64_t key = table_hash(table_hash(r->track.seed, file), str_from(reason));
	size_t at = table_add(&r->rejects, key, NULL);
	if (at == SIZE_MAX) {
		return NULL;
	}
	struct reader_reject *row = table_at(&r->rejects, at);
	row->file = pool_put(&r->track.pool, file);
	row->reason = pool_put(&r->track.pool, str_from(reason));
	return row;
}

/* Named as it lies on the disk: events are cited without .gz, but a person looks for the file. */
static void reject_path(struct reader *r, const char *path, const char *reason, uint64_t count)
{
	struct reader_reject *row = reject_row(r, str_from(files_base_name(path)), reason);
	if (row) {
		row->n += count;
	}
}

void reader_reject_path(struct reader *r, const char *path, const char *reason)
{
	r->n_cut++;
	reject_path(r, path, reason, 1);
}

/* A folder "07" says nothing by itself: named from the root of the log tree on. */
void reader_skip(struct reader *r, const char *path, const char *reason)
{
	struct reader_reject *row = reject_row(r, trail_digest_tail(str_from(path)), reason);
	if (row) {
		row->n++;
		row->skipped = true;
	}
}

void reader_reject(struct reader *r, const char *reason, uint64_t count)
{
	reject_path(r, r->path ? r->path : r->name, reason, count);
}

static void take_finding(
	struct reader *r, const struct finding *f, uint64_t of_text, struct str text)
{
	if (f->sample) {
		r->n_samples++;
		return;
	}
	if (f->posture || f->foreign) {
		reader_reject(r, N_("findings that are none of GuardDuty's"), 1);
		return;
	}
	if (r->n_findings >= FINDINGS_MAX) {
		reader_reject(r, N_("more findings than are kept"), 1);
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
		.of_id = table_hash(r->track.seed, f->id),
		.of_text = of_text,
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
	if (r->shared->on_record) {
		bool fresh = seen_add(&r->shared->lines, table_mix(out.of_id, of_text));
		reader_take_finding(r, &out, text, fresh);
	}
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
		take_finding(r, set.items[i], table_hash(i, json), json);
	}
	finding_set_deinit(&set);
}

/* ---- a file ---- */

static void name_file(struct reader *r, const char *path, char *room, size_t size)
{
	struct str base = str_from(files_base_name(path));
	if (str_ends(base, STR(".gz"))) {
		base = str_sub(base, 0, base.n - 3);
	}
	(void)snprintf(room, size, "%.*s", STR_ARG(base));
	r->name = room;
	r->path = path;
	r->line = 0;
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

/* Files that are no text at all, or text in another coding. */
static const char *foreign(struct str s)
{
	static const struct {
		struct str magic;
		const char *reason;
	} kinds[] = {
		{ { "PAR1", 4 }, N_("a Parquet file: not read; convert it to CSV or JSON, with "
				    "Athena for example") },
		{ { "PK\x03\x04", 4 }, N_("a ZIP archive: unpack it first") },
		{ { "\x28\xb5\x2f\xfd", 4 }, N_("compressed by zstd: unpack it first") },
		{ { "BZh", 3 }, N_("compressed by bzip2: unpack it first") },
		{ { "\xfd"
		    "7zXZ",
			  5 },
			N_("compressed by xz: unpack it first") },
		{ { "Obj\x01", 4 }, N_("an Avro file: not read; convert it to JSON") },
		{ { "LPKSHHRH", 8 }, N_("a journal file: write it as text with journalctl "
					"--file NAME -o export") },
		{ { "\xff\xfe", 2 }, N_("text in UTF-16: convert it to UTF-8") },
		{ { "\xfe\xff", 2 }, N_("text in UTF-16: convert it to UTF-8") },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_starts(s, kinds[i].magic)) {
			return kinds[i].reason;
		}
	}
	return NULL;
}

/* What the file begins with tells what it is, never its name. */
static void read_content(struct reader *r, struct input *in, struct str head)
{
	const char *reason = foreign(head);
	if (reason) {
		reader_reject(r, reason, 1);
	} else if (begins_json(head)) {
		reader_json(r, in);
	} else if (str_starts(head, STR("__CURSOR="))) {
		reader_journal(r, in);
	} else if (reader_is_csv(head)) {
		reader_csv(r, in);
	} else {
		reader_lines(r, in);
	}
}

/* When the open file was changed last: dates lines that have no year. */
static int64_t changed_ms(const struct reader *r, const char *path)
{
	struct stat sb;
	if (r->input.remote && r->input.changed_ms) {
		return r->input.changed_ms;
	}
	bool known = !strcmp(path, "-") ? fstat(STDIN_FILENO, &sb) == 0 && S_ISREG(sb.st_mode)
					: stat(path, &sb) == 0;
	return known ? (int64_t)sb.st_mtim.tv_sec * 1000 : r->shared->now_ms;
}

void reader_file(struct reader *r, const char *path)
{
	char name[256];
	name_file(r, !strcmp(path, "-") ? "stdin" : path, name, sizeof(name));
	struct err err = { 0 };
	struct input *in = &r->input;
	r->n_files++;
	if (input_open(in, path, &err) != ERR_OK) {
		const char *why = err.status == ERR_DENIED ? N_("no permission to read it")
							   : N_("can't be opened");
		reader_reject(r, in->trouble ? in->trouble : why, 1);
		r->n_cut++;
		return;
	}
	r->file_ms = changed_ms(r, path);
	table_init(&r->line_counts, sizeof(uint32_t), LINES_MAX);
	(void)input_more(in);
	if (str_starts(input_view(in), STR("\xef\xbb\xbf"))) {
		input_take(in, 3);
	}
	read_content(r, in, input_view(in));
	if (in->trouble) {
		reader_reject(r, in->trouble, 1);
	}
	r->n_cut += in->trouble != NULL;
	table_deinit(&r->line_counts);
	r->n_bytes += in->n_out;
	input_close(in);
	r->name = r->path = NULL;
}

/* ---- after the last file ---- */

/* Of one finding that was reported several times, the newest report first. */
static int finding_newest(const void *a, const void *b)
{
	const struct reader_finding *x = a;
	const struct reader_finding *y = b;
	if (x->of_id != y->of_id) {
		return x->of_id < y->of_id ? -1 : 1;
	}
	if (x->last_ms != y->last_ms) {
		return x->last_ms > y->last_ms ? -1 : 1;
	}
	return x->of_text < y->of_text ? -1 : x->of_text > y->of_text;
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

static void settle_findings(struct reader *r)
{
	size_t n = 0;
	if (r->n_findings == 0) {
		return;
	}
	qsort(r->findings, r->n_findings, sizeof(*r->findings), finding_newest);
	for (size_t i = 0; i < r->n_findings; i++) {
		if (n == 0 || r->findings[i].of_id != r->findings[n - 1].of_id) {
			r->findings[n++] = r->findings[i];
		}
	}
	r->n_findings = n;
	qsort_r(r->findings, n, sizeof(*r->findings), finding_order, &r->track.pool);
}

void reader_settle(struct reader *r)
{
	track_flush(&r->track);
	lites_trim(&r->track);
	web_settle(&r->web);
	int64_t near_ms = r->ssh.file_ms;
	if (r->web.n_lines) {
		near_ms = r->web.last_ms;
	}
	if (r->track.n_unique) {
		near_ms = r->track.last.time_ms;
	}
	s3log_settle(&r->s3);
	ssh_settle(&r->ssh, near_ms);
	r->n_outside += ssh_cut(&r->ssh, r->shared->window.from_ms, r->shared->window.to_ms);
	for (size_t i = 0; i < r->ssh.n_events; i++) {
		hours_add(&r->hours, &r->track.pool, RECORD_SSH, STR(""),
			r->ssh.events[i].time_ms);
	}
	settle_findings(r);
}
