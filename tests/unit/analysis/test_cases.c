/* Small cases of our own: every class, and the look-alikes that must not be accused. */
#include "story.h"

#include "base/doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define DEPLOY "arn:aws:iam::111122223333:user/deploy"
#define WEB    "arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0"

static void leaked_key(bool history, bool deeds)
{
	story_begin();
	if (history) {
		story_routine(story_user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, 0, 600);
	}
	story_routine(story_user("other", "AKIAOTHER00000000001"), HOME, CLI, 0, 600);
	story_recon(300, story_user("deploy", "AKIADEPLOY0000000001"), THIEF, BOTO);
	if (deeds) {
		story_call(303, story_user("deploy", "AKIADEPLOY0000000001"), THIEF, BOTO,
			"iam", "PutUserPolicy",
			"\"requestParameters\":{\"userName\":\"deploy\",\"policyName\":\"x\","
			"\"policyDocument\":\"{\\\"Action\\\": \\\"*\\\"}\"}");
	}
}

static void test_leaked_key(void **state)
{
	(void)state;
	leaked_key(true, true);
	story_expect("leaked_access_key", THIEF, DEPLOY);
	/* Without the key's history nothing tells the thief from the owner. */
	leaked_key(false, true);
	story_expect("undetermined", NULL, NULL);
	/* Looking around alone is what owners do, too. */
	leaked_key(false, false);
	story_expect("no_incident", NULL, NULL);
}

/* The runner got a new address: same program, the old use ends. */
static void test_moved_key(void **state)
{
	(void)state;
	story_begin();
	story_routine(story_user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, 0, 300);
	story_routine(
		story_user("deploy", "AKIADEPLOY0000000001"), "198.51.100.99", CLI, 300, 600);
	story_expect("no_incident", NULL, NULL);
}

/* Terraform makes users, keys and policies all day. */
static void test_terraform(void **state)
{
	static const char agent[] = "APN/1.0 HashiCorp/1.0 Terraform/1.8.0 aws-sdk-go-v2/1.30";
	const char *who = story_user("terraform", "AKIATERRAFORM0000001");
	(void)state;
	story_begin();
	story_recon(10, who, HOME, agent);
	story_call(11, who, HOME, agent, "iam", "CreateUser",
		"\"requestParameters\":{\"userName\":\"app\"}");
	story_call(11.2, who, HOME, agent, "iam", "CreateAccessKey",
		"\"requestParameters\":{\"userName\":\"app\"},\"responseElements\":{"
		"\"accessKey\":{\"accessKeyId\":\"AKIAAPP0000000000001\"}}");
	story_call(11.4, who, HOME, agent, "iam", "AttachUserPolicy",
		"\"requestParameters\":{\"userName\":\"app\",\"policyArn\":\"arn:aws:iam::aws:"
		"policy/AdministratorAccess\"}");
	story_routine(story_user("app", "AKIAAPP0000000000001"), "198.51.100.50", CLI, 30, 200);
	story_expect("no_incident", NULL, NULL);
}

static void theft(void)
{
	story_begin();
	story_routine(story_instance("ASIAWEB0000000000001", "2.0"), HOME,
		"aws-sdk-go/1.4 (linux) amazon-ssm-agent/3.1", 0, 600);
	story_recon(300, story_instance("ASIAWEB0000000000001", "1.0"), THIEF, BOTO);
	for (int i = 0; i < 60; i++) {
		story_call(302 + 0.01 * i, story_instance("ASIAWEB0000000000001", "1.0"), THIEF,
			BOTO, "s3", "GetObject",
			"\"requestParameters\":{\"bucketName\":\"files\",\"key\":\"k\"},"
			"\"eventCategory\":\"Data\",\"additionalEventData\":{"
			"\"bytesTransferredOut\":1000}");
	}
}

#define SSRF                                                                           \
	"GET "                                                                         \
	"/fetch?u=http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data%2Fiam%2Fsecurity-" \
	"credentials%2Fweb HTTP/1.1"

static void test_instance(void **state)
{
	(void)state;
	theft();
	story_expect("instance_credential_theft", THIEF, WEB);
	theft();
	story_web("04:50:00", "203.0.113.77", SSRF, 200, 1290);
	story_expect("web_exploitation", "203.0.113.77", WEB);
	/* A scanner's attempt that failed explains nothing. */
	theft();
	story_web("04:50:00", "203.0.113.77", SSRF, 404, 90);
	story_expect("instance_credential_theft", THIEF, WEB);
	/* The exploit alone, with nobody seen to use what it got. */
	story_begin();
	story_web("04:50:00", "203.0.113.77", SSRF, 200, 1290);
	story_expect("undetermined", NULL, NULL);
	story_begin();
	story_web("04:50:00", "203.0.113.77", SSRF, 404, 90);
	story_expect("no_incident", NULL, NULL);
}

/* The instance got another Elastic IP. */
static void test_new_address(void **state)
{
	(void)state;
	static const char agent[] = "aws-sdk-go/1.4 (linux) amazon-ssm-agent/3.1";
	story_begin();
	story_routine(story_instance("ASIAWEB0000000000001", "2.0"), HOME, agent, 0, 300);
	story_routine(story_instance("ASIAWEB0000000000002", "2.0"), "198.51.100.77", agent,
		300, 600);
	story_expect("no_incident", NULL, NULL);
}

static void guess(int failures, const char *user_name, const char *ip)
{
	char line[300];
	for (int i = 0; i < failures; i++) {
		(void)snprintf(line, sizeof(line),
			"Aug  1 04:%02d:%02d web-1 sshd[1]: Failed password for %s from %s "
			"port 5 ssh2",
			i / 60, i % 60, user_name, ip);
		story_append(story.ssh, sizeof(story.ssh), line);
	}
}

static void test_ssh(void **state)
{
	(void)state;
	story_begin();
	guess(60, "root", THIEF);
	story_append(story.ssh, sizeof(story.ssh),
		"Aug  1 04:02:00 web-1 sshd[2]: Accepted password for root from " THIEF
		" port 5 ssh2");
	story_expect("ssh_bruteforce", THIEF, NULL);
	/* Nobody got in. */
	story_begin();
	guess(60, "root", THIEF);
	story_append(story.ssh, sizeof(story.ssh),
		"Aug  1 04:02:00 web-1 sshd[2]: Accepted password for anna from " HOME
		" port 5 ssh2");
	story_expect("no_incident", NULL, NULL);
	/* Two typos. */
	story_begin();
	guess(2, "anna", HOME);
	story_append(story.ssh, sizeof(story.ssh),
		"Aug  1 04:02:00 web-1 sshd[2]: Accepted password for anna from " HOME
		" port 5 ssh2");
	story_expect("no_incident", NULL, NULL);
}

static void test_console(void **state)
{
	(void)state;
	story_begin();
	for (int i = 0; i < 12; i++) {
		char name[20];
		(void)snprintf(name, sizeof(name), "user%d", i);
		story_login(100 + 0.1 * i, name, THIEF, false, false);
	}
	story_login(102, "user3", THIEF, true, false);
	story_call(103, story_user("user3", "ASIACONSOLE000000001"), THIEF,
		"Mozilla/5.0 (X11; Linux x86_64)", "iam", "CreateAccessKey",
		"\"requestParameters\":{\"userName\":\"user3\"},\"responseElements\":{"
		"\"accessKey\":{\"accessKeyId\":\"AKIANEW0000000000001\"}}");
	story_expect("console_password", THIEF, "arn:aws:iam::111122223333:user/user3");
	/* The owner, with a second factor, after one typo. */
	story_begin();
	story_login(100, "root", HOME, false, false);
	story_login(101, "root", HOME, true, true);
	story_expect("no_incident", NULL, NULL);
}

static void test_public(void **state)
{
	(void)state;
	story_begin();
	story_call(10, story_user("anna", "AKIAANNA000000000001"), HOME, CLI, "s3",
		"PutBucketPolicy",
		"\"requestParameters\":{\"bucketName\":\"files\",\"bucketPolicy\":{"
		"\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:"
		"GetObject\"}]}}");
	story_call(50,
		"\"type\":\"AWSAccount\",\"principalId\":\"\",\"accountId\":\"ANONYMOUS_"
		"PRINCIPAL\"",
		THIEF, "Wget/1.21", "s3", "GetObject",
		"\"requestParameters\":{\"bucketName\":\"files\",\"key\":\"k\"},"
		"\"eventCategory\":\"Data\"");
	story_expect("public_exposure", THIEF, NULL);
}

/* cordon's own containment looks like an attacker's work. */
static void test_own_calls(void **state)
{
	(void)state;
	story_begin();
	story_recon(
		5, story_user("cordon", "AKIACORDON0000000001"), HOME, "cordon/0.1 md/case#c1");
	story_call(6, story_user("cordon", "AKIACORDON0000000001"), HOME,
		"cordon/0.1 md/case#c1", "iam", "PutUserPolicy",
		"\"requestParameters\":{\"userName\":\"cordon\"}");
	json_t *doc = story_judge();
	assert_string_equal(doc_text(doc, "verdict.class"), "no_incident");
	assert_int_equal(doc_int(doc, "inputs.own_calls", 0), 10);
	json_decref(doc);
}

static void test_nothing(void **state)
{
	(void)state;
	story_begin();
	story_append(story.web, sizeof(story.web), "nothing that anybody knows");
	json_t *doc = story_judge();
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
		story_call(m, story_instance("ASIAWEB0000000000001", "2.0"), HOME, agent, "ssm",
			"UpdateInstanceInformation",
			"\"requestParameters\":{\"instanceId\":\"i-0123456789abcdef0\","
			"\"iPAddress\":\"10.0.3.7\"}");
		story_call(m + 1, story_instance("ASIAWEB0000000000001", "2.0"), "10.0.3.7",
			"Boto3/1.34 Python/3.11 Linux/5.10", "s3", "ListBuckets",
			"\"vpcEndpointId\":\"vpce-1\",\"requestParameters\":null");
	}
	json_t *doc = story_judge();
	assert_string_equal(doc_text(doc, "verdict.class"), "instance_credential_theft");
	assert_true(story_lists(doc, "verdict.source_ips", THIEF));
	assert_false(story_lists(doc, "verdict.source_ips", "10.0.3.7"));
	json_decref(doc);
}

/* Who changes their own key uses the new one at once, from the same place. */
static void test_rotation(void **state)
{
	(void)state;
	story_begin();
	story_routine(story_user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, 0, 300);
	story_call(301, story_user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, "iam",
		"CreateAccessKey",
		"\"requestParameters\":{\"userName\":\"deploy\"},\"responseElements\":{"
		"\"accessKey\":{\"accessKeyId\":\"AKIADEPLOY0000000002\"}}");
	story_routine(story_user("deploy", "AKIADEPLOY0000000002"), HOME, CLI, 302, 600);
	story_call(303, story_user("deploy", "AKIADEPLOY0000000002"), HOME, CLI, "iam",
		"DeleteAccessKey", "\"requestParameters\":{\"userName\":\"deploy\"}");
	story_expect("no_incident", NULL, NULL);
}

/* GuardDuty names the key and the address: that accuses where a new address alone does not. */
static void test_guardduty(void **state)
{
	(void)state;
	for (int told = 0; told < 2; told++) {
		story_begin();
		story_routine(story_user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, 0, 600);
		story_call(300, story_user("deploy", "AKIADEPLOY0000000001"), THIEF, BOTO, "s3",
			"ListBuckets", "");
		if (told) {
			story_append(story.finding, sizeof(story.finding),
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
		json_t *doc = story_judge();
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
