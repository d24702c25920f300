/* Small cases of our own: every class, and the look-alikes that must not be accused. */
#include "analysis/investigate.h"
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

#define DAY   INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */
#define HOME  "198.51.100.10"
#define THIEF "203.0.113.66"
#define CLI   "aws-cli/2.15 Python/3.11 Linux/6.1"
#define BOTO  "Boto3/1.34 Python/3.9 Windows/10"

/* The logs of one case, in memory until they are judged. */
struct story {
	char trail[512 * 1024], web[16 * 1024], ssh[32 * 1024], finding[4096];
	unsigned n;
};
static struct story story;

static void begin(void)
{
	memset(&story, 0, sizeof(story));
}

static void append(char *to, size_t size, const char *text)
{
	size_t n = strlen(to);
	assert_true(n + strlen(text) + 2 < size);
	(void)snprintf(to + n, size - n, "%s\n", text);
}

static const char *user(const char *name, const char *key)
{
	static char out[400];
	(void)snprintf(out, sizeof(out),
		"\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::111122223333:user/"
		"%s\",\"userName\":\"%s\",\"principalId\":\"AIDA%s\",\"accountId\":"
		"\"111122223333\",\"accessKeyId\":\"%s\"",
		name, name, name, key);
	return out;
}

static const char *instance(const char *key, const char *delivery)
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

/* One call: minute of the day, who, from where, with what, service, name, the rest as JSON. */
static void call(double minute, const char *who, const char *ip, const char *agent,
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
	append(story.trail, sizeof(story.trail), line);
}

#define DENIED "\"errorCode\":\"AccessDenied\",\"requestParameters\":null"

static void recon(double minute, const char *who, const char *ip, const char *agent)
{
	static const char *const calls[][2] = { { "sts", "GetCallerIdentity" },
		{ "s3", "ListBuckets" }, { "iam", "ListUsers" }, { "iam", "ListRoles" },
		{ "ec2", "DescribeInstances" }, { "rds", "DescribeDBInstances" },
		{ "lambda", "ListFunctions" }, { "secretsmanager", "ListSecrets" },
		{ "kms", "ListKeys" } };
	for (size_t i = 0; i < 9; i++) {
		call(minute + 0.05 * (double)i, who, ip, agent, calls[i][0], calls[i][1],
			i % 3 == 2 ? DENIED : "");
	}
}

/* An application's day: the same two calls, every ten minutes. */
static void routine(const char *who, const char *ip, const char *agent, int from, int to)
{
	for (int m = from; m < to; m += 10) {
		call(m, who, ip, agent, "s3", "ListBuckets", "");
		call(m + 1, who, ip, agent, "sqs", "ReceiveMessage", "");
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

static json_t *judge(void)
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

static bool lists(const json_t *doc, const char *path, const char *text)
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

static void expect(const char *class_name, const char *ip, const char *principal)
{
	json_t *doc = judge();
	const char *got = doc_text(doc, "verdict.class");
	if (strcmp(got, class_name) != 0) {
		char *text = json_dumps(json_object_get(doc, "verdict"), JSON_INDENT(1));
		print_error("%s\n", text);
		free(text);
		fail_msg("%s instead of %s", got, class_name);
	}
	if (ip) {
		assert_true(lists(doc, "verdict.source_ips", ip));
		assert_false(lists(doc, "verdict.source_ips", HOME));
	} else {
		assert_int_equal(json_array_size(doc_get(doc, "verdict.source_ips")), 0);
	}
	if (principal) {
		assert_true(lists(doc, "verdict.principals", principal));
		assert_int_equal(json_array_size(doc_get(doc, "verdict.principals")), 1);
	}
	if (!strcmp(got, "undetermined")) {
		assert_true(json_array_size(doc_get(doc, "verdict.missing")) > 0);
		assert_int_equal(json_array_size(doc_get(doc, "verdict.principals")), 0);
	}
	json_decref(doc);
}

#define DEPLOY "arn:aws:iam::111122223333:user/deploy"
#define WEB    "arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0"

static void leaked_key(bool history, bool deeds)
{
	begin();
	if (history) {
		routine(user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, 0, 600);
	}
	routine(user("other", "AKIAOTHER00000000001"), HOME, CLI, 0, 600);
	recon(300, user("deploy", "AKIADEPLOY0000000001"), THIEF, BOTO);
	if (deeds) {
		call(303, user("deploy", "AKIADEPLOY0000000001"), THIEF, BOTO, "iam",
			"PutUserPolicy",
			"\"requestParameters\":{\"userName\":\"deploy\",\"policyName\":\"x\","
			"\"policyDocument\":\"{\\\"Action\\\": \\\"*\\\"}\"}");
	}
}

static void test_leaked_key(void **state)
{
	(void)state;
	leaked_key(true, true);
	expect("leaked_access_key", THIEF, DEPLOY);
	/* Without the key's history nothing tells the thief from the owner. */
	leaked_key(false, true);
	expect("undetermined", NULL, NULL);
	/* Looking around alone is what owners do, too. */
	leaked_key(false, false);
	expect("no_incident", NULL, NULL);
}

/* The runner got a new address: same program, the old use ends. */
static void test_moved_key(void **state)
{
	(void)state;
	begin();
	routine(user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, 0, 300);
	routine(user("deploy", "AKIADEPLOY0000000001"), "198.51.100.99", CLI, 300, 600);
	expect("no_incident", NULL, NULL);
}

/* Terraform makes users, keys and policies all day. */
static void test_terraform(void **state)
{
	static const char agent[] = "APN/1.0 HashiCorp/1.0 Terraform/1.8.0 aws-sdk-go-v2/1.30";
	const char *who = user("terraform", "AKIATERRAFORM0000001");
	(void)state;
	begin();
	recon(10, who, HOME, agent);
	call(11, who, HOME, agent, "iam", "CreateUser",
		"\"requestParameters\":{\"userName\":\"app\"}");
	call(11.2, who, HOME, agent, "iam", "CreateAccessKey",
		"\"requestParameters\":{\"userName\":\"app\"},\"responseElements\":{"
		"\"accessKey\":{\"accessKeyId\":\"AKIAAPP0000000000001\"}}");
	call(11.4, who, HOME, agent, "iam", "AttachUserPolicy",
		"\"requestParameters\":{\"userName\":\"app\",\"policyArn\":\"arn:aws:iam::aws:"
		"policy/AdministratorAccess\"}");
	routine(user("app", "AKIAAPP0000000000001"), "198.51.100.50", CLI, 30, 200);
	expect("no_incident", NULL, NULL);
}

static void theft(void)
{
	begin();
	routine(instance("ASIAWEB0000000000001", "2.0"), HOME,
		"aws-sdk-go/1.4 (linux) amazon-ssm-agent/3.1", 0, 600);
	recon(300, instance("ASIAWEB0000000000001", "1.0"), THIEF, BOTO);
	for (int i = 0; i < 60; i++) {
		call(302 + 0.01 * i, instance("ASIAWEB0000000000001", "1.0"), THIEF, BOTO, "s3",
			"GetObject",
			"\"requestParameters\":{\"bucketName\":\"files\",\"key\":\"k\"},"
			"\"eventCategory\":\"Data\",\"additionalEventData\":{"
			"\"bytesTransferredOut\":1000}");
	}
}

#define SSRF                                                                           \
	"GET "                                                                         \
	"/fetch?u=http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data%2Fiam%2Fsecurity-" \
	"credentials%2Fweb HTTP/1.1"

static void web_line(
	const char *time, const char *ip, const char *request, int status, int bytes)
{
	char line[700];
	(void)snprintf(line, sizeof(line),
		"%s - - [01/Aug/2026:%s +0000] \"%s\" %d %d \"-\" \"-\"", ip, time, request,
		status, bytes);
	append(story.web, sizeof(story.web), line);
}

static void test_instance(void **state)
{
	(void)state;
	theft();
	expect("instance_credential_theft", THIEF, WEB);
	theft();
	web_line("04:50:00", "203.0.113.77", SSRF, 200, 1290);
	expect("web_exploitation", "203.0.113.77", WEB);
	/* A scanner's attempt that failed explains nothing. */
	theft();
	web_line("04:50:00", "203.0.113.77", SSRF, 404, 90);
	expect("instance_credential_theft", THIEF, WEB);
	/* The exploit alone, with nobody seen to use what it got. */
	begin();
	web_line("04:50:00", "203.0.113.77", SSRF, 200, 1290);
	expect("undetermined", NULL, NULL);
	begin();
	web_line("04:50:00", "203.0.113.77", SSRF, 404, 90);
	expect("no_incident", NULL, NULL);
}

/* The instance got another Elastic IP. */
static void test_new_address(void **state)
{
	(void)state;
	static const char agent[] = "aws-sdk-go/1.4 (linux) amazon-ssm-agent/3.1";
	begin();
	routine(instance("ASIAWEB0000000000001", "2.0"), HOME, agent, 0, 300);
	routine(instance("ASIAWEB0000000000002", "2.0"), "198.51.100.77", agent, 300, 600);
	expect("no_incident", NULL, NULL);
}

static void guess(int failures, const char *user_name, const char *ip)
{
	char line[300];
	for (int i = 0; i < failures; i++) {
		(void)snprintf(line, sizeof(line),
			"Aug  1 04:%02d:%02d web-1 sshd[1]: Failed password for %s from %s "
			"port 5 ssh2",
			i / 60, i % 60, user_name, ip);
		append(story.ssh, sizeof(story.ssh), line);
	}
}

static void test_ssh(void **state)
{
	(void)state;
	begin();
	guess(60, "root", THIEF);
	append(story.ssh, sizeof(story.ssh),
		"Aug  1 04:02:00 web-1 sshd[2]: Accepted password for root from " THIEF
		" port 5 ssh2");
	expect("ssh_bruteforce", THIEF, NULL);
	/* Nobody got in. */
	begin();
	guess(60, "root", THIEF);
	append(story.ssh, sizeof(story.ssh),
		"Aug  1 04:02:00 web-1 sshd[2]: Accepted password for anna from " HOME
		" port 5 ssh2");
	expect("no_incident", NULL, NULL);
	/* Two typos. */
	begin();
	guess(2, "anna", HOME);
	append(story.ssh, sizeof(story.ssh),
		"Aug  1 04:02:00 web-1 sshd[2]: Accepted password for anna from " HOME
		" port 5 ssh2");
	expect("no_incident", NULL, NULL);
}

static void login(double minute, const char *name, const char *ip, bool ok, bool mfa)
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
	call(minute, who, ip, "Mozilla/5.0 (X11; Linux x86_64)", "signin", "ConsoleLogin",
		rest);
}

static void test_console(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 12; i++) {
		char name[20];
		(void)snprintf(name, sizeof(name), "user%d", i);
		login(100 + 0.1 * i, name, THIEF, false, false);
	}
	login(102, "user3", THIEF, true, false);
	call(103, user("user3", "ASIACONSOLE000000001"), THIEF,
		"Mozilla/5.0 (X11; Linux x86_64)", "iam", "CreateAccessKey",
		"\"requestParameters\":{\"userName\":\"user3\"},\"responseElements\":{"
		"\"accessKey\":{\"accessKeyId\":\"AKIANEW0000000000001\"}}");
	expect("console_password", THIEF, "arn:aws:iam::111122223333:user/user3");
	/* The owner, with a second factor, after one typo. */
	begin();
	login(100, "root", HOME, false, false);
	login(101, "root", HOME, true, true);
	expect("no_incident", NULL, NULL);
}

static void test_public(void **state)
{
	(void)state;
	begin();
	call(10, user("anna", "AKIAANNA000000000001"), HOME, CLI, "s3", "PutBucketPolicy",
		"\"requestParameters\":{\"bucketName\":\"files\",\"bucketPolicy\":{"
		"\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:"
		"GetObject\"}]}}");
	call(50,
		"\"type\":\"AWSAccount\",\"principalId\":\"\",\"accountId\":\"ANONYMOUS_"
		"PRINCIPAL\"",
		THIEF, "Wget/1.21", "s3", "GetObject",
		"\"requestParameters\":{\"bucketName\":\"files\",\"key\":\"k\"},"
		"\"eventCategory\":\"Data\"");
	expect("public_exposure", THIEF, NULL);
}

/* cordon's own containment looks like an attacker's work. */
static void test_own_calls(void **state)
{
	(void)state;
	begin();
	recon(5, user("cordon", "AKIACORDON0000000001"), HOME, "cordon/0.1 md/case#c1");
	call(6, user("cordon", "AKIACORDON0000000001"), HOME, "cordon/0.1 md/case#c1", "iam",
		"PutUserPolicy", "\"requestParameters\":{\"userName\":\"cordon\"}");
	json_t *doc = judge();
	assert_string_equal(doc_text(doc, "verdict.class"), "no_incident");
	assert_int_equal(doc_int(doc, "inputs.own_calls", 0), 10);
	json_decref(doc);
}

static void test_nothing(void **state)
{
	(void)state;
	begin();
	append(story.web, sizeof(story.web), "nothing that anybody knows");
	json_t *doc = judge();
	assert_string_equal(doc_text(doc, "verdict.class"), "undetermined");
	assert_int_equal(json_array_size(doc_get(doc, "inputs.rejected")), 1);
	json_decref(doc);
}

/* The instance's calls through a VPC endpoint show its private address, with another program. */
static void test_own_addresses(void **state)
{
	(void)state;
	static const char agent[] = "aws-sdk-go/1.4 (linux) amazon-ssm-agent/3.1";
	theft();
	for (int m = 0; m < 600; m += 30) {
		call(m, instance("ASIAWEB0000000000001", "2.0"), HOME, agent, "ssm",
			"UpdateInstanceInformation",
			"\"requestParameters\":{\"instanceId\":\"i-0123456789abcdef0\","
			"\"iPAddress\":\"10.0.3.7\"}");
		call(m + 1, instance("ASIAWEB0000000000001", "2.0"), "10.0.3.7",
			"Boto3/1.34 Python/3.11 Linux/5.10", "s3", "ListBuckets",
			"\"vpcEndpointId\":\"vpce-1\",\"requestParameters\":null");
	}
	json_t *doc = judge();
	assert_string_equal(doc_text(doc, "verdict.class"), "instance_credential_theft");
	assert_true(lists(doc, "verdict.source_ips", THIEF));
	assert_false(lists(doc, "verdict.source_ips", "10.0.3.7"));
	json_decref(doc);
}

/* Who changes their own key uses the new one at once, from the same place. */
static void test_rotation(void **state)
{
	(void)state;
	begin();
	routine(user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, 0, 300);
	call(301, user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, "iam", "CreateAccessKey",
		"\"requestParameters\":{\"userName\":\"deploy\"},\"responseElements\":{"
		"\"accessKey\":{\"accessKeyId\":\"AKIADEPLOY0000000002\"}}");
	routine(user("deploy", "AKIADEPLOY0000000002"), HOME, CLI, 302, 600);
	call(303, user("deploy", "AKIADEPLOY0000000002"), HOME, CLI, "iam", "DeleteAccessKey",
		"\"requestParameters\":{\"userName\":\"deploy\"}");
	expect("no_incident", NULL, NULL);
}

/* GuardDuty names the key and the address: that accuses where a new address alone does not. */
static void test_guardduty(void **state)
{
	(void)state;
	for (int told = 0; told < 2; told++) {
		begin();
		routine(user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, 0, 600);
		call(300, user("deploy", "AKIADEPLOY0000000001"), THIEF, BOTO, "s3",
			"ListBuckets", "");
		if (told) {
			append(story.finding, sizeof(story.finding),
				"{\"schemaVersion\":\"2.0\",\"accountId\":\"111122223333\","
				"\"region\":\"eu-west-1\",\"id\":\"f1\",\"arn\":\"arn:aws:"
				"guardduty:eu-west-1:111122223333:detector/d1/finding/f1\","
				"\"type\":\"UnauthorizedAccess:IAMUser/MaliciousIPCaller\","
				"\"severity\":5,\"createdAt\":\"2026-08-01T05:05:00Z\","
				"\"updatedAt\":\"2026-08-01T05:05:00Z\",\"resource\":{"
				"\"resourceType\":\"AccessKey\",\"accessKeyDetails\":{"
				"\"accessKeyId\":\"AKIADEPLOY0000000001\",\"userName\":"
				"\"deploy\",\"userType\":\"IAMUser\"}},\"service\":{"
				"\"action\":{\"actionType\":\"AWS_API_CALL\","
				"\"awsApiCallAction\":{\"remoteIpDetails\":{"
				"\"ipAddressV4\":\"" THIEF "\"}}}}}");
		}
		json_t *doc = judge();
		assert_string_equal(doc_text(doc, "verdict.class"),
			told ? "leaked_access_key" : "undetermined");
		json_decref(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaked_key),
		cmocka_unit_test(test_moved_key),
		cmocka_unit_test(test_terraform),
		cmocka_unit_test(test_instance),
		cmocka_unit_test(test_new_address),
		cmocka_unit_test(test_ssh),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_own_calls),
		cmocka_unit_test(test_own_addresses),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_guardduty),
		cmocka_unit_test(test_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
