#include "response/approval_link.h"

#include "base/hash.h"
#include "base/utc.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_MIN 32
#define KEY_MAX 4096
#define PURPOSE "cordon approval link 1\n" /* the key signs nothing else */
#define N_PARTS 5

static enum err_status key_of(
	struct str text, const char *where, struct secret **out, struct err *err)
{
	if (text.n < KEY_MIN) {
		return err_set(err, ERR_CONFIG,
			"the key of approvals.key in %s has %zu bytes; it takes %d or more: "
			"head -c 32 /dev/urandom | base64",
			where, text.n, KEY_MIN);
	}
	*out = secret_new(text);
	return ERR_OK;
}

static enum err_status key_of_file(
	struct env *env, const char *path, struct secret **out, struct err *err)
{
	struct stat info;
	struct buf text;
	enum err_status st;

	if (stat(path, &info) == 0 && (info.st_mode & 077) != 0) {
		return err_set(err, ERR_CONFIG,
			"others may read %s, the key of approval links: chmod 600 it", path);
	}
	buf_init(&text, KEY_MAX);
	st = env_read_file(env, path, &text, err);
	st = st == ERR_OK ? key_of(str_trim(buf_view(&text)), path, out, err)
			  : err_set(err, ERR_CONFIG,
				    "the key of approval links can't be read from %s", path);
	if (text.p != NULL) {
		explicit_bzero(text.p, text.n);
	}
	buf_deinit(&text);
	return st;
}

/* A secret is a text, or bytes (`--secret-binary`), which are taken as they are. */
static enum err_status key_of_secret(
	struct aws_client *aws, const char *name, struct secret **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "SecretId", name), *result = NULL;
	enum err_status st =
		aws_call(aws, "secretsmanager", "GetSecretValue", params, &result, err);
	const char *binary = doc_text(result, "SecretBinary");
	struct buf bytes;

	buf_init(&bytes, KEY_MAX);
	if (st != ERR_OK) {
		st = err_prefix(err, "the key of approval links");
	} else if (binary != NULL && hash_unbase64(str_from(binary), &bytes)) {
		st = key_of(buf_view(&bytes), name, out, err);
	} else {
		st = key_of(
			str_trim(str_from(doc_text(result, "SecretString"))), name, out, err);
	}
	if (bytes.p != NULL) {
		explicit_bzero(bytes.p, bytes.n);
	}
	buf_deinit(&bytes);
	json_decref(result);
	json_decref(params);
	return st;
}

enum err_status approval_link_key(struct env *env, struct aws_client *aws,
	const struct config *config, struct secret **out, struct err *err)
{
	const char *where = config->approval_key;

	*out = NULL;
	if (where == NULL) {
		return ERR_OK;
	}
	if (strncmp(where, "file:", 5) == 0) {
		return key_of_file(env, where + 5, out, err);
	}
	if (strncmp(where, "secret:", 7) == 0) {
		return key_of_secret(aws, where + 7, out, err);
	}
	return err_set(err, ERR_CONFIG,
		"approvals.key is \"%.60s\"; it should be file:/path or secret:NAME", where);
}

/* Base64 that may stand in a URL: "-" and "_" for "+" and "/", no padding. */
static void add_url_base64(struct str s, struct buf *out)
{
	struct buf plain;

	buf_init(&plain, APPROVAL_LINK_MAX * 2);
	hash_base64(s, &plain);
	for (size_t i = 0; i < plain.n && plain.p[i] != '='; i++) {
		char c = plain.p[i];
		buf_putc(out, (char)(c == '+' ? '-' : c == '/' ? '_' : c));
	}
	buf_deinit(&plain);
}

static bool from_url_base64(struct str s, struct buf *out)
{
	struct buf plain;
	bool ok = true;

	buf_init(&plain, APPROVAL_LINK_MAX * 2);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		ok = ok && c != '+' && c != '/' && c != '=';
		buf_putc(&plain, (char)(c == '-' ? '+' : c == '_' ? '/' : c));
	}
	ok = ok && buf_ok(&plain) && hash_unbase64(buf_view(&plain), out);
	buf_deinit(&plain);
	return ok;
}

static void sign(
	const struct secret *key, struct str text, unsigned char out[HASH_SHA256_BYTES])
{
	struct buf all;

	buf_init(&all, APPROVAL_LINK_MAX * 2);
	buf_puts(&all, PURPOSE);
	buf_add_str(&all, text);
	hash_hmac_sha256(secret_reveal(key), buf_view(&all), out);
	buf_deinit(&all);
}

void approval_link_make(
	const struct secret *key, const json_t *view, const json_t *question, struct buf *out)
{
	unsigned char mac[HASH_SHA256_BYTES];
	int64_t until = 0;
	struct buf text;

	buf_init(&text, APPROVAL_LINK_MAX);
	(void)utc_parse(str_from(doc_text(question, "until")), &until);
	buf_printf(&text, "%s\n%lld\n%lld\n%s\n%s", doc_text_or(view, "case", ""),
		(long long)doc_int(question, "seq", 0), (long long)until,
		doc_text_or(question, "plan", ""), doc_text_or(question, "step", ""));
	sign(key, buf_view(&text), mac);
	add_url_base64(buf_view(&text), out);
	buf_putc(out, '.');
	add_url_base64((struct str){ (const char *)mac, sizeof(mac) }, out);
	buf_deinit(&text);
}

/* Both halves, the second being the first's signature. */
static bool is_genuine(const struct secret *key, struct str token, struct buf *text)
{
	unsigned char mac[HASH_SHA256_BYTES];
	size_t dot = str_find_char(token, '.');
	struct buf given;
	bool ok = false;

	if (token.n > APPROVAL_LINK_MAX || dot == SIZE_MAX) {
		return false;
	}
	buf_init(&given, APPROVAL_LINK_MAX);
	if (from_url_base64(str_sub(token, 0, dot), text) &&
		from_url_base64(str_sub(token, dot + 1, token.n), &given)) {
		sign(key, buf_view(text), mac);
		struct secret *want =
			secret_new((struct str){ (const char *)mac, sizeof(mac) });
		ok = secret_eq(want, buf_view(&given));
		secret_free(want);
	}
	buf_deinit(&given);
	return ok;
}

enum err_status approval_link_read(const struct secret *key, struct str token, int64_t now_ms,
	json_t **out, struct err *err)
{
	struct str part[N_PARTS] = { 0 }, rest;
	int64_t question = 0, until = 0;
	char when[32];
	struct buf text;
	enum err_status st = ERR_OK;

	buf_init(&text, APPROVAL_LINK_MAX);
	if (!is_genuine(key, token, &text)) {
		st = err_set(err, ERR_REFUSED,
			"this link is damaged, or was made with another key; take it from the "
			"message again, or use `cordon approve`");
		goto out;
	}
	rest = buf_view(&text);
	for (size_t i = 0; i + 1 < N_PARTS; i++) {
		(void)str_cut(&rest, '\n', &part[i]);
	}
	part[N_PARTS - 1] = rest;
	if (!str_to_i64(part[1], &question) || !str_to_i64(part[2], &until)) {
		st = err_set(
			err, ERR_REFUSED, "this link says nothing that cordon understands");
		goto out;
	}
	if (until < now_ms) {
		utc_rfc3339(until, when);
		st = err_set(err, ERR_REFUSED,
			"this link ran out at %s; `cordon resume %.*s` asks anew", when,
			STR_ARG(str_sub(part[0], 0, 31)));
		goto out;
	}
	*out = json_pack("{s:o, s:o, s:I, s:o, s:I}", "case", doc_str(part[0]), "step",
		doc_str(part[4]), "question", (json_int_t)question, "plan", doc_str(part[3]),
		"until_ms", (json_int_t)until);
out:
	buf_deinit(&text);
	return st;
}

enum err_status approval_link_fits(const json_t *parts, const json_t *question, struct err *err)
{
	if (doc_int(parts, "question", 0) != doc_int(question, "seq", -1)) {
		return err_set(err, ERR_REFUSED,
			"a newer question about %s has taken the place of this one: use the "
			"link in the newest message",
			doc_text_or(parts, "step", "the step"));
	}
	if (!doc_eq(json_object_get(parts, "plan"), json_object_get(question, "plan"))) {
		return err_set(err, ERR_REFUSED,
			"the plan of case %s changed after this link was sent: use the link in "
			"the newest message",
			doc_text_or(parts, "case", "?"));
	}
	return ERR_OK;
}
