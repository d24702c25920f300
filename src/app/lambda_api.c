#include "app/lambda.h"

#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EVENT_MAX  ((size_t)16 * 1024 * 1024)
#define ANSWER_MAX 6000000 /* Lambda takes 6 MiB */

struct lambda_api {
	char base[300];
	CURL *next;   /* kept: one connection for the waits */
	CURL *answer; /* and one for the answers */
};

/* Nothing may stand between the runtime and its API: no proxy, no time-out, no redirect. */
static CURL *handle(void)
{
	CURL *c = curl_easy_init();

	if (c == NULL) {
		BUG("libcurl gives no handle");
	}
	(void)curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 5L);
	return c;
}

struct lambda_api *lambda_api_new(const char *address)
{
	struct lambda_api *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		BUG("out of memory");
	}
	(void)snprintf(a->base, sizeof(a->base), "http://%.200s/2018-06-01/runtime", address);
	a->next = handle();
	a->answer = handle();
	return a;
}

void lambda_api_free(struct lambda_api *a)
{
	if (a != NULL) {
		curl_easy_cleanup(a->next);
		curl_easy_cleanup(a->answer);
		free(a);
	}
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct buf *b = ctx;

	buf_add(b, p, size * n);
	return buf_ok(b) ? size * n : 0;
}

static void copy(char *to, size_t room, struct str value)
{
	struct str v = str_trim(value);
	size_t n = v.n < room - 1 ? v.n : room - 1;

	memcpy(to, v.p, n);
	to[n] = '\0';
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's signature */
static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	struct lambda_invocation *i = ctx;
	struct str line = { p, size * n }, name;

	if (!str_cut(&line, ':', &name)) {
		return size * n;
	}
	if (str_eq_nocase(name, STR("Lambda-Runtime-Aws-Request-Id"))) {
		copy(i->request_id, sizeof(i->request_id), line);
	} else if (str_eq_nocase(name, STR("Lambda-Runtime-Invoked-Function-Arn"))) {
		copy(i->function_arn, sizeof(i->function_arn), line);
	} else if (str_eq_nocase(name, STR("Lambda-Runtime-Trace-Id"))) {
		copy(i->trace_id, sizeof(i->trace_id), line);
	} else if (str_eq_nocase(name, STR("Lambda-Runtime-Deadline-Ms"))) {
		if (!str_to_i64(str_trim(line), &i->deadline_ms)) {
			i->deadline_ms = 0;
		}
	}
	return size * n;
}

/* An id goes into a path: only what Lambda itself gives (a UUID). */
static bool id_is_plain(const char *id)
{
	return id[0] != '\0' && strspn(id, "0123456789abcdefABCDEF-") == strlen(id);
}

enum err_status lambda_api_next(
	struct lambda_api *a, struct lambda_invocation *out, struct err *err)
{
	char url[400];
	long status = 0;
	CURLcode rc;

	memset(out, 0, sizeof(*out));
	buf_init(&out->event, EVENT_MAX);
	(void)snprintf(url, sizeof(url), "%s/invocation/next", a->base);
	(void)curl_easy_setopt(a->next, CURLOPT_URL, url);
	(void)curl_easy_setopt(a->next, CURLOPT_HTTPGET, 1L);
	(void)curl_easy_setopt(a->next, CURLOPT_TIMEOUT, 0L);
	(void)curl_easy_setopt(a->next, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(a->next, CURLOPT_WRITEDATA, &out->event);
	(void)curl_easy_setopt(a->next, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(a->next, CURLOPT_HEADERDATA, out);
	rc = curl_easy_perform(a->next);
	(void)curl_easy_getinfo(a->next, CURLINFO_RESPONSE_CODE, &status);
	if (rc == CURLE_OK && status == 200 && id_is_plain(out->request_id)) {
		return ERR_OK;
	}
	buf_deinit(&out->event);
	return err_set(err, ERR_UNREACHABLE,
		"the Lambda Runtime API gave no event: %s, HTTP %ld", curl_easy_strerror(rc),
		status);
}

static enum err_status post(struct lambda_api *a, const char *path, const char *body,
	const char *type_header, struct err *err)
{
	char url[700];
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	struct buf ignored = { 0 };
	long status = 0;
	CURLcode rc;

	if (type_header != NULL) {
		headers = curl_slist_append(headers, type_header);
	}
	buf_init(&ignored, 65536);
	(void)snprintf(url, sizeof(url), "%s/%s", a->base, path);
	(void)curl_easy_setopt(a->answer, CURLOPT_URL, url);
	(void)curl_easy_setopt(a->answer, CURLOPT_POSTFIELDS, body);
	(void)curl_easy_setopt(
		a->answer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	(void)curl_easy_setopt(a->answer, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(a->answer, CURLOPT_TIMEOUT, 10L);
	(void)curl_easy_setopt(a->answer, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(a->answer, CURLOPT_WRITEDATA, &ignored);
	rc = curl_easy_perform(a->answer);
	(void)curl_easy_getinfo(a->answer, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	buf_deinit(&ignored);
	if (rc != CURLE_OK || status < 200 || status > 299) {
		return err_set(err, ERR_UNREACHABLE,
			"the Lambda Runtime API did not take %s: %s, HTTP %ld", path,
			curl_easy_strerror(rc), status);
	}
	return ERR_OK;
}

enum err_status lambda_api_respond(
	struct lambda_api *a, const char *request_id, const json_t *answer, struct err *err)
{
	char path[200];
	char *body = json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);
	enum err_status st;

	if (body == NULL ||
		strlen(body) >
			ANSWER_MAX) { /* the case holds it all; this is only the receipt */
		free(body);
		body = str_dup(STR("{\"truncated\":true}"));
	}
	(void)snprintf(path, sizeof(path), "invocation/%s/response", request_id);
	st = post(a, path, body, NULL, err);
	free(body);
	return st;
}

enum err_status lambda_api_fail(
	struct lambda_api *a, const char *request_id, const struct err *what, struct err *err)
{
	char path[200], header[160];
	json_t *doc = json_pack("{s:s, s:s, s:[]}", "errorMessage", what->msg, "errorType",
		err_name(what->status), "stackTrace");
	char *body = json_dumps(doc, JSON_COMPACT);
	enum err_status st;

	(void)snprintf(header, sizeof(header), "Lambda-Runtime-Function-Error-Type: %s.%s",
		request_id != NULL ? "Function" : "Runtime", err_name(what->status));
	if (request_id != NULL) {
		(void)snprintf(path, sizeof(path), "invocation/%s/error", request_id);
	} else {
		(void)snprintf(path, sizeof(path), "init/error");
	}
	st = post(a, path, body != NULL ? body : "{}", header, err);
	free(body);
	json_decref(doc);
	return st;
}
