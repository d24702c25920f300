#include "analysis/trail_folder.h"
#include "app/cli.h"
#include "app/span.h"
#include "base/fill.h"
#include "base/phrase.h"
#include "base/text.h"
#include "flow/trail_bucket.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define KEYS_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define LINE_BYTES_MAX ((size_t)64 * 1024)
#define SHOWN          200

static const struct app_option options[] = {
	{ "keys", 0, "FILE",
		N_("Public keys as saved from list-public-keys: a file, or a folder of such"),
		NULL },
	SPAN_OPTIONS,
	{ NULL, 0, NULL, NULL, NULL },
};

/* ---- keys ---- */

static enum err_status read_keys_file(
	struct app *app, const char *path, struct trail_keys *keys, struct err *err)
{
	struct buf text;
	json_t *doc = NULL;
	enum err_status st = ERR_OK;
	buf_init(&text, KEYS_BYTES_MAX);
	TRY(env_read_file(app->env, path, &text, err));
	st = doc_parse(buf_view(&text), KEYS_BYTES_MAX, &doc, err);
	if (st == ERR_OK) {
		st = trail_keys_add(keys, doc, err);
	}
	st = st == ERR_OK ? st : err_prefix(err, "%s", path);
out:
	json_decref(doc);
	buf_deinit(&text);
	return st;
}

static enum err_status read_keys(
	struct app *app, const char *path, struct trail_keys *keys, struct err *err)
{
	struct stat sb;
	enum err_status st = ERR_OK;
	DIR *d = stat(path, &sb) == 0 && S_ISDIR(sb.st_mode) ? opendir(path) : NULL;
	if (!d) {
		return read_keys_file(app, path, keys, err);
	}
	/* NOLINTBEGIN(concurrency-mt-unsafe): glibc's readdir is safe on a stream of one's own */
	for (struct dirent *e = readdir(d); e && st == ERR_OK; e = readdir(d)) {
		char file[PATH_MAX];
		int n = snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		if (n > 0 && (size_t)n < sizeof(file) &&
			str_ends(str_from(e->d_name), STR(".json"))) {
			st = read_keys_file(app, file, keys, err);
		}
	}
	/* NOLINTEND(concurrency-mt-unsafe) */
	(void)closedir(d);
	return st;
}

/* ---- words ---- */

static void put_safe(struct str s)
{
	struct buf b;
	buf_init(&b, LINE_BYTES_MAX);
	text_terminal(s, &b);
	printf("%s", b.p ? b.p : "");
	buf_deinit(&b);
}

static void put_sentence(
	struct app *app, const char *text, const json_t *doc, const char *const *paths)
{
	char numbers[6][24];
	struct str values[6] = { 0 };
	struct buf b;
	size_t n = 0;
	for (; paths[n]; n++) {
		values[n] =
			str_from(phrase_number((size_t)doc_int(doc, paths[n], 0), numbers[n]));
	}
	buf_init(&b, LINE_BYTES_MAX);
	fill_text(&b, app_tr(app, text), values, n, NULL);
	printf("%s\n", b.p ? b.p : "");
	buf_deinit(&b);
}

static const char *kind_text(const char *kind)
{
	static const struct {
		const char *kind, *text;
	} texts[] = {
		{ "log_deleted", N_("log file deleted") },
		{ "log_edited", N_("log file changed") },
		{ "log_unlisted", N_("log file in no digest") },
		{ "log_unread", N_("log file unreadable") },
		{ "digest_deleted", N_("digest deleted") },
		{ "digest_edited", N_("digest changed") },
		{ "digest_moved", N_("digest moved") },
		{ "digest_unread", N_("digest unreadable") },
		{ "chain_restarted", N_("chain begun anew") },
		{ "key_missing", N_("key missing") },
		{ "signature_missing", N_("signature missing") },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(texts[i].kind, kind)) {
			return texts[i].text;
		}
	}
	return kind;
}

static void print_problems(struct app *app, const json_t *problems)
{
	size_t i;
	json_t *p;
	json_array_foreach(problems, i, p)
	{
		struct buf b;
		if (i == SHOWN) {
			printf("... %zu %s\n", json_array_size(problems) - i,
				app_tr(app, "more; see --output json"));
			return;
		}
		buf_init(&b, LINE_BYTES_MAX);
		phrase_say(app->lang, p, &b);
		printf("%s: ", app_tr(app, kind_text(doc_text_or(p, "kind", ""))));
		put_safe(str_from(doc_text_or(p, "object", "")));
		printf("\n    ");
		put_safe(buf_view(&b));
		printf("\n");
		buf_deinit(&b);
	}
}

static void print_gaps(struct app *app, const json_t *gaps)
{
	size_t i;
	json_t *g;
	json_array_foreach(gaps, i, g)
	{
		printf("%s: %s .. %s (%s, %s)\n", app_tr(app, N_("no digest")),
			doc_text_or(g, "from", ""), doc_text_or(g, "to", ""),
			doc_text_or(g, "account", ""), doc_text_or(g, "region", ""));
	}
}

static void print_result(struct app *app, const json_t *doc)
{
	print_problems(app, json_object_get(doc, "problems"));
	print_gaps(app, json_object_get(doc, "gaps"));
	put_sentence(app,
		N_("digests: {0}, of them {1} signed by AWS, {2} not what AWS signed, {3} "
		   "without key or signature, {4} unreadable"),
		doc,
		(const char *const[]){ "digests.found", "digests.valid", "digests.invalid",
			"digests.unproven", "digests.unread", NULL });
	put_sentence(app,
		N_("log files: {0} as delivered, {1} changed, {2} deleted, {3} in no digest, "
		   "{4} in digests that prove nothing, {5} outside the time of the digests"),
		doc,
		(const char *const[]){ "logs.valid", "logs.edited", "logs.deleted",
			"logs.unlisted", "logs.unproven", "logs.outside", NULL });
}

/* ---- the command ---- */

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
	int *shown = ctx;
	int now = total ? (int)(done * 100 / total) : 100;
	if (now != *shown) {
		*shown = now;
		(void)fprintf(stderr, "\r%3d %%%s", now, now >= 100 ? "\r     \r" : "");
	}
}

static enum err_status check(
	struct app *app, struct trail_options *opts, json_t **doc, struct err *err)
{
	int shown = -1;
	if (app->progress) {
		opts->progress = show_progress;
		opts->progress_ctx = &shown;
	}
	return trail_verify(opts, doc, err);
}

/* A trail where it is read from: one of the two, with what it gives to trail_verify. */
struct place {
	struct trail_folder *folder;
	struct trail_bucket *bucket;
};

static enum err_status open_bucket(struct app *app, const char *uri, struct place *at,
	struct trail_keys *keys, struct trail_options *opts, struct err *err)
{
	struct aws_client *aws = NULL;
	struct prune window = { opts->from_ms, opts->to_ms, opts->regions };
	enum err_status st = ERR_OK;
	TRY(app_aws(app, &aws, err));
	TRY(trail_bucket_open(aws, uri, &window, &at->bucket, err));
	if (!app_opt(app, "keys")) {
		TRY(trail_bucket_keys(at->bucket, keys, err));
	}
	opts->source = trail_bucket_source(at->bucket);
	opts->objects = trail_bucket_objects(at->bucket, &opts->n_objects);
	opts->complete = true;
	opts->threads = 16; /* they wait for S3 most of the time */
out:
	return st;
}

static enum err_status open_folder(struct app *app, const char *path, struct place *at,
	struct trail_options *opts, struct err *err)
{
	if (!app_opt(app, "keys")) {
		return err_set(err, ERR_USAGE,
			"name the public keys with --keys FILE; save them for each region "
			"with: aws cloudtrail list-public-keys --start-time ... --end-time "
			"...");
	}
	enum err_status st = trail_folder_open(app->env, path, &at->folder, err);
	if (st == ERR_OK) {
		opts->source = trail_folder_source(at->folder);
		opts->objects = trail_folder_objects(at->folder, &opts->n_objects);
	}
	return st;
}

static enum err_status verify(struct app *app, json_t **doc, struct err *err)
{
	const char *path = app->args[1];
	struct span span;
	struct place at = { NULL, NULL };
	struct trail_keys keys = { 0 };
	struct trail_options opts = { .keys = &keys };
	enum err_status st = ERR_OK;
	TRY(span_read(app, &span, err));
	opts.from_ms = span.from_ms;
	opts.to_ms = span.to_ms;
	opts.regions = span.regions;
	if (app_opt(app, "keys")) {
		TRY(read_keys(app, app_opt(app, "keys"), &keys, err));
	}
	st = str_starts(str_from(path), STR("s3://"))
		     ? open_bucket(app, path, &at, &keys, &opts, err)
		     : open_folder(app, path, &at, &opts, err);
	TRY(st);
	TRY(check(app, &opts, doc, err));
out:
	trail_keys_deinit(&keys);
	trail_folder_free(at.folder);
	trail_bucket_free(at.bucket);
	return st;
}

static enum err_status run(struct app *app, struct err *err)
{
	json_t *doc = NULL;
	if (strcmp(app->args[0], "verify") != 0) {
		return err_set(err, ERR_USAGE, "trail verify, not trail %.40s", app->args[0]);
	}
	enum err_status st = verify(app, &doc, err);
	if (doc && app->output == APP_TABLE) {
		print_result(app, doc);
	} else if (doc) {
		app_print_json(app, doc);
	}
	json_decref(doc);
	return st;
}

const struct app_command cmd_trail = {
	.name = "trail",
	.usage = "verify DIR|s3://BUCKET/PREFIX",
	.summary = N_("Prove that CloudTrail's log files were not changed"),
	.text = N_(
		"Checks every digest against the signature of AWS, every log file against its "
		"digest, and the digests against each other, from the newest back. Deleted, "
		"changed and unlisted log files and gaps between digests are named. In a "
		"bucket the public keys are asked for; for a downloaded tree save them first, "
		"and the metadata of the newest digest beside it as NAME.head.json (the "
		"answer of head-object), because its signature lies only there. Exit code 0: "
		"all of it is as AWS wrote it; 6: nothing speaks against it, but not all "
		"could be proven; 8: something was changed."),
	.examples = "cordon trail verify s3://acme-trail\t" N_(
		"check a trail where it lies") "\n"
					       "cordon trail verify ./AWSLogs --keys keys.json "
					       "--since 2026-08-01\t" N_(
						       "check a copy, from a day on") "\n",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
