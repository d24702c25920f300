#include "story.h"

#include "analysis/investigate.h"
#include "base/doc.h"
#include "base/utc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */

struct story story;

void story_begin(void)
{
	memset(&story, 0, sizeof(story));
}

void story_append(char *to, size_t size, const char *text)
{
	size_t n = strlen(to);
	assert_true(n + strlen(text) + 2 < size);
	(void)snprintf(to + n, size - n, "%s\n", text);
}

const char *story_user(const char *name, const char *key)
{
	static char out[400];
	(void)snprintf(out, sizeof(out),
		"\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::111122223333:user/"
		"%s\",\"userName\":\"%s\",\"principalId\":\"AIDA%s\",\"accountId\":"
		"\"111122223333\",\"accessKeyId\":\"%s\"",
		name, name, name, key);
	return out;
}

const char *story_instance(const char *key, const char *delivery)
{
	static char out[900];
	(void)snprintf(out, sizeof(out),
		"\"type\":\"AssumedRole\",\"arn\":\"arn:aws:sts::111122223333:assumed-role/web/"
		"i-0123456789abcdef0\",\"principalId\":\"AROAWEB:i-0123456789abcdef0\","
		"\"accountId\":\"111122223333\",\"accessKeyId\":\"%s\",\"sessionContext\":{"
		"\"sessionIssuer\":{\"type\":\"Role\",\"arn\":\"arn:aws:iam::111122223333:role/"
		"web\",\"userName\":\"web\"},\"attributes\":{\"creationDate\":\"2026-08-01T00:"
		"00:00Z\",\"mfaAuthenticated\":\"false\"},\"ec2RoleDelivery\":\"%s\"}",
		key, delivery);
	return out;
}

void story_call(double minute, const char *who, const char *ip, const char *agent,
	const char *service, const char *name, const char *rest)
{
	char when[32];
	char line[2500];
	utc_rfc3339(DAY + (int64_t)(minute * 60) * 1000, when);
	story.n++;
	(void)snprintf(line, sizeof(line),
		"{\"eventVersion\":\"1.09\",\"userIdentity\":{%s},\"eventTime\":\"%s\","
		"\"eventSource\":\"%s.amazonaws.com\",\"eventName\":\"%s\",\"awsRegion\":\"eu-"
		"west-1\",\"sourceIPAddress\":\"%s\",\"userAgent\":\"%s\",\"eventID\":"
		"\"00000000-0000-4000-8000-%012x\",\"recipientAccountId\":\"111122223333\",%s}",
		who, when, service, name, ip, agent, story.n,
		rest && *rest ? rest : "\"requestParameters\":null");
	story_append(story.trail, sizeof(story.trail), line);
}

void story_recon(double minute, const char *who, const char *ip, const char *agent)
{
	static const char *const calls[][2] = { { "sts", "GetCallerIdentity" },
		{ "s3", "ListBuckets" }, { "iam", "ListUsers" }, { "iam", "ListRoles" },
		{ "ec2", "DescribeInstances" }, { "rds", "DescribeDBInstances" },
		{ "lambda", "ListFunctions" }, { "secretsmanager", "ListSecrets" },
		{ "kms", "ListKeys" } };
	for (size_t i = 0; i < 9; i++) {
		story_call(minute + 0.05 * (double)i, who, ip, agent, calls[i][0], calls[i][1],
			i % 3 == 2 ? DENIED : "");
	}
}

void story_routine(const char *who, const char *ip, const char *agent, int from, int to)
{
	for (int m = from; m < to; m += 10) {
		story_call(m, who, ip, agent, "s3", "ListBuckets", "");
		story_call(m + 1, who, ip, agent, "sqs", "ReceiveMessage", "");
	}
}

static char *write_part(const char *folder, const char *name, const char *text)
{
	static char path[300];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	(void)fclose(f);
	return path;
}

json_t *story_judge(void)
{
	char folder[] = "/tmp/cordon-verdict-XXXXXX";
	static const char *const names[] = { "trail.jsonl", "access.log", "auth.log",
		"finding.json" };
	const char *const texts[] = { story.trail, story.web, story.ssh, story.finding };
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < 4; i++) {
		if (*texts[i]) {
			(void)write_part(folder, names[i], texts[i]);
		}
	}
	struct err err = { 0 };
	json_t *doc = NULL;
	const char *paths[] = { folder };
	struct investigate_options opts = { .paths = paths, .n_paths = 1 };
	assert_int_equal(investigate_run(env_system(), &opts, &doc, &err), ERR_OK);
	for (size_t i = 0; i < 4; i++) {
		char path[300];
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
	return doc;
}

bool story_lists(const json_t *doc, const char *path, const char *text)
{
	size_t i;
	json_t *item;
	json_array_foreach(doc_get(doc, path), i, item)
	{
		if (!strcmp(json_string_value(item), text)) {
			return true;
		}
	}
	return false;
}

void story_expect(const char *class_name, const char *ip, const char *principal)
{
	json_t *doc = story_judge();
	const char *got = doc_text(doc, "verdict.class");
	if (strcmp(got, class_name) != 0) {
		char *text = json_dumps(json_object_get(doc, "verdict"), JSON_INDENT(1));
		print_error("%s\n", text);
		free(text);
		fail_msg("%s instead of %s", got, class_name);
	}
	if (ip) {
		assert_true(story_lists(doc, "verdict.source_ips", ip));
		assert_false(story_lists(doc, "verdict.source_ips", HOME));
	} else {
		assert_int_equal(json_array_size(doc_get(doc, "verdict.source_ips")), 0);
	}
	if (principal) {
		assert_true(story_lists(doc, "verdict.principals", principal));
		assert_int_equal(json_array_size(doc_get(doc, "verdict.principals")), 1);
	}
	if (!strcmp(got, "undetermined")) {
		assert_true(json_array_size(doc_get(doc, "verdict.missing")) > 0);
		assert_int_equal(json_array_size(doc_get(doc, "verdict.principals")), 0);
	}
	json_decref(doc);
}

void story_web(const char *time, const char *ip, const char *request, int status, int bytes)
{
	char line[700];
	(void)snprintf(line, sizeof(line),
		"%s - - [01/Aug/2026:%s +0000] \"%s\" %d %d \"-\" \"-\"", ip, time, request,
		status, bytes);
	story_append(story.web, sizeof(story.web), line);
}

void story_login(double minute, const char *name, const char *ip, bool ok, bool mfa)
{
	char who[300];
	char rest[300];
	(void)snprintf(who, sizeof(who),
		ok ? "\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::111122223333:user/"
		     "%s\",\"userName\":\"%s\",\"accountId\":\"111122223333\""
		   : "\"type\":\"IAMUser\",\"userName\":\"%s\",\"accountId\":\"111122223333\"",
		name, name);
	(void)snprintf(rest, sizeof(rest),
		"\"responseElements\":{\"ConsoleLogin\":\"%s\"},\"additionalEventData\":{"
		"\"MFAUsed\":\"%s\"}",
		ok ? "Success" : "Failure", mfa ? "Yes" : "No");
	story_call(minute, who, ip, "Mozilla/5.0 (X11; Linux x86_64)", "signin", "ConsoleLogin",
		rest);
}
