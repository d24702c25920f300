#include "base/folder.h"
#include "evidence/digest.h"
#include "evidence/sources.h"
#include "evidence/vault_inside.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err_status empty_folder(const char *dir, struct err *err)
{
	DIR *d = NULL;
	const struct dirent *e = NULL;
	bool full = false;
	enum err_status st = folder_make(dir, 0700, err);

	if (st != ERR_OK) {
		return st;
	}
	d = opendir(dir);
	if (!d) {
		return err_set(err, ERR_IO, "%s: %s", dir, err_errno(errno));
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's readdir is safe on a stream of one's own */
	while (!full && (e = readdir(d))) {
		full = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	}
	(void)closedir(d);
	return full ? err_set(err, ERR_USAGE, "%s is not empty; name an empty folder", dir)
		    : ERR_OK;
}

static char *path_of(const char *dir, const char *name)
{
	struct buf b = { 0 };

	buf_init(&b, 16384);
	buf_printf(&b, "%s/%s", dir, name);
	return buf_steal(&b);
}

/* One object into dir/evidence/NAME; its hash goes into the list of sums. */
static enum err_status fetch(struct aws_client *aws, const json_t *item, const char *dir,
	struct buf *sums, struct err *err)
{
	struct digest d = { .fd = -1 };
	char *safe = sources_safe_path(doc_text_or(item, "name", "unnamed"));
	char *below = path_of("evidence", safe);
	char *path = path_of(dir, below);
	char *slash = strrchr(path, '/');
	char sha[HASH_SHA256_HEX] = "";
	json_t *params = json_pack("{s:s, s:s}", "Bucket", doc_text_or(item, "bucket", ""),
		"Key", doc_text_or(item, "key", ""));
	struct aws_request q = {
		.service = "s3", .operation = "GetObject", .params = params, .sink = &d.sink
	};
	enum err_status st = ERR_OK;

	if (doc_text(item, "version_id")) {
		(void)json_object_set(params, "VersionId", doc_get(item, "version_id"));
	}
	*slash = '\0';
	TRY(folder_make(path, 0700, err));
	*slash = '/';
	TRY(digest_open(&d, path, err));
	TRY(aws_call_many(aws, &q, 1, err));
	TRY(digest_close(&d, sha, err));
	if (strcmp(sha, doc_text_or(item, "sha256", "")) != 0) {
		st = err_set(err, ERR_INTEGRITY, "its SHA-256 is %s, not what the journal says",
			sha);
		goto out;
	}
	buf_printf(sums, "%s  %s\n", sha, below);
out:
	if (d.hash && digest_close(&d, sha, NULL) != ERR_OK && st == ERR_OK) {
		st = ERR_IO;
	}
	if (st != ERR_OK) {
		(void)err_prefix(err, "%.120s: ", doc_text_or(item, "name", "?"));
	}
	json_decref(q.result);
	json_decref(params);
	free(path);
	free(below);
	free(safe);
	return st;
}

static enum err_status put(struct env *env, const char *dir, const char *name, struct str text,
	struct buf *sums, struct err *err)
{
	char *path = path_of(dir, name);
	char sha[HASH_SHA256_HEX];
	enum err_status st = env_write_file(env, path, text, 0600, err);

	hash_sha256_hex(text, sha);
	if (sums) {
		buf_printf(sums, "%s  %s\n", sha, name);
	}
	free(path);
	return st;
}

enum err_status vault_export(struct env *env, struct aws_client *aws, const json_t *case_view,
	const json_t *records, const char *dir, struct err *err)
{
	const json_t *items = doc_get(case_view, "evidence");
	const char *case_id = doc_text_or(case_view, "case", "");
	json_t *manifest = NULL;
	struct buf text = { 0 };
	struct buf sums = { 0 };
	enum err_status st = ERR_OK;

	buf_init(&text, 512u << 20);
	buf_init(&sums, 64u << 20);
	TRY(empty_folder(dir, err));
	for (size_t i = 0; i < json_array_size(items); i++) {
		TRY(fetch(aws, json_array_get(items, i), dir, &sums, err));
	}
	manifest =
		manifest_of(items, case_id, doc_get(case_view, "head"), NULL, env_now_ms(env));
	doc_canonical(manifest, &text);
	TRY(put(env, dir, "manifest.json", buf_view(&text), &sums, err));
	buf_reset(&text);
	doc_pretty(records, &text);
	TRY(put(env, dir, "journal.json", buf_view(&text), &sums, err));
	TRY(put(env, dir, "SHA256SUMS", buf_view(&sums), NULL, err));
out:
	buf_deinit(&text);
	buf_deinit(&sums);
	json_decref(manifest);
	return st;
}
