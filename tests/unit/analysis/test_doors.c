/* Doors that people and programs do not share: tokens, keys of the shell, second factors. */
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

#define RUNNER  "aws-sdk-js/2.1501.0 linux/v20.11.1 promise"
#define BROWSER "Mozilla/5.0 (X11; Linux x86_64)"

/* A role's session, told apart by when it began; `more` stands in its identity and context. */
static const char *session_of(const char *role, const char *name, const char *key, int minute,
	const char *const more[2])
{
	static char out[1200];
	(void)snprintf(out, sizeof(out),
		"\"type\":\"AssumedRole\",\"arn\":\"arn:aws:sts::111122223333:assumed-role/%s/"
		"%s\",\"principalId\":\"AROA%s:%s\",\"accountId\":\"111122223333\","
		"\"accessKeyId\":\"%s\",\"sessionContext\":{\"sessionIssuer\":{\"type\":"
		"\"Role\",\"arn\":\"arn:aws:iam::111122223333:role/%s\",\"userName\":\"%s\"},"
		"\"attributes\":{\"creationDate\":\"2026-08-01T%02d:%02d:00Z\"}%s}%s",
		role, name, role, name, key, role, role, minute / 60, minute % 60, more[1],
		more[0]);
	return out;
}

static const char *session(const char *role, const char *name, const char *key, int minute)
{
	static const char *const nothing[2] = { "", "" };
	return session_of(role, name, key, minute, nothing);
}

/* The token of `subject`, exchanged for a session of the role. */
static void exchange(
	int minute, const char *ip, const char *agent, const char *subject, const char *key)
{
	char who[300];
	char rest[500];
	(void)snprintf(who, sizeof(who),
		"\"type\":\"WebIdentityUser\",\"principalId\":\"arn:aws:iam::111122223333:oidc-"
		"provider/issuer:aud:%s\",\"userName\":\"%s\"",
		subject, subject);
	(void)snprintf(rest, sizeof(rest),
		"\"requestParameters\":{\"roleArn\":\"arn:aws:iam::111122223333:role/deploy\"},"
		"\"responseElements\":{\"credentials\":{\"accessKeyId\":\"%s\"},"
		"\"assumedRoleUser\":{\"arn\":\"arn:aws:sts::111122223333:assumed-role/deploy/"
		"ci\"}}",
		key);
	story_call(minute, who, ip, agent, "sts", "AssumeRoleWithWebIdentity", rest);
}

/* A pipeline's runs, each from another address. */
static void pipeline(void)
{
	for (int i = 0; i < 5; i++) {
		char ip[20];
		char key[24];
		(void)snprintf(ip, sizeof(ip), "20.57.1.%d", i + 1);
		(void)snprintf(key, sizeof(key), "ASIARUN000000000000%d", i);
		exchange(i * 60, ip, RUNNER, "repo:acme/shop", key);
		story_routine(session("deploy", "ci", key, i * 60), ip, RUNNER, i * 60 + 1,
			i * 60 + 30);
	}
}

static void test_token(void **state)
{
	(void)state;
	story_begin();
	pipeline();
	story_expect("no_incident", NULL, NULL);
	/* The same token, shown from elsewhere, by a program that the pipeline does not have. */
	exchange(400, THIEF, BOTO, "repo:acme/shop", "ASIASTOLEN0000000001");
	story_recon(401, session("deploy", "ci", "ASIASTOLEN0000000001", 400), THIEF, BOTO);
	story_call(403, session("deploy", "ci", "ASIASTOLEN0000000001", 400), THIEF, BOTO,
		"iam", "CreateAccessKey",
		"\"requestParameters\":{\"userName\":\"admin\"},\"responseElements\":{"
		"\"accessKey\":{\"accessKeyId\":\"AKIANEW0000000000001\"}}");
	json_t *doc = story_judge();
	assert_string_equal(doc_text(doc, "verdict.class"), "instance_credential_theft");
	assert_true(story_lists(doc, "verdict.source_ips", THIEF));
	assert_int_equal(json_array_size(doc_get(doc, "verdict.source_ips")), 1);
	/* It began with the token, not with the first use of the session. */
	assert_string_equal(doc_text(doc, "verdict.entry_time"), "2026-08-01T06:40:00Z");
	json_decref(doc);
}

/* A container's role: the request for its keys names another address than an instance's. */
static void test_task(void **state)
{
	(void)state;
	static const char ecs[] = "\"type\":\"AWSService\",\"invokedBy\":\"ecs-tasks.amazonaws."
				  "com\"";
	static const char made[] =
		"\"requestParameters\":{\"roleArn\":\"arn:aws:iam::"
		"111122223333:role/shop\"},\"responseElements\":{"
		"\"credentials\":{\"accessKeyId\":\"ASIATASK000000000001\"}}";
	/* The third time by a clock that is five minutes ahead. */
	for (int exploited = 0; exploited < 3; exploited++) {
		story_begin();
		story_call(0, ecs, "ecs-tasks.amazonaws.com", "ecs-tasks.amazonaws.com", "sts",
			"AssumeRole", made);
		story_routine(session("shop", "0123456789abcdef", "ASIATASK000000000001", 0),
			HOME, RUNNER, 1, 500);
		story_recon(300, session("shop", "0123456789abcdef", "ASIATASK000000000001", 0),
			THIEF, BOTO);
		if (exploited) {
			story_web(exploited == 1 ? "04:50:00" : "05:05:00", "203.0.113.77",
				"GET /p?u=http%3A%2F%2F169.254.170.2%2Fv2%2Fcredentials%2F1 "
				"HTTP/1.1",
				200, 1290);
		}
		json_t *doc = story_judge();
		assert_string_equal(doc_text(doc, "verdict.class"),
			exploited ? "web_exploitation" : "instance_credential_theft");
		if (exploited == 2) {
			assert_string_equal(
				doc_text(doc, "verdict.entry_time"), "2026-08-01T05:00:00Z");
		}
		json_decref(doc);
	}
}

#define FUNCTION "arn:aws:lambda:eu-west-1:111122223333:function:resize"

/* The call that made the session lies outside the logs: CloudTrail still says whose it is. */
static void test_in_scope_of(void **state)
{
	(void)state;
	static const char *const scope[2] = {
		",\"inScopeOf\":{\"issuerType\":\"AWS::Lambda::Function\","
		"\"credentialsIssuedTo\":\"" FUNCTION "\"}",
		""
	};
	story_begin();
	story_routine(session_of("resize", "resize", "ASIAFUNC000000000001", 0, scope), HOME,
		RUNNER, 1, 500);
	story_recon(300, session_of("resize", "resize", "ASIAFUNC000000000001", 0, scope),
		THIEF, BOTO);
	json_t *doc = story_judge();
	assert_string_equal(doc_text(doc, "verdict.class"), "instance_credential_theft");
	assert_true(story_lists(doc, "verdict.resources", FUNCTION));
	json_decref(doc);
}

/* Two sessions of roles, made in another account: for whom they act tells that they are one. */
static void test_source_identity(void **state)
{
	(void)state;
	static const char *const anna[2] = { "", ",\"sourceIdentity\":\"anna@acme\"" };
	static const char *const ben[2] = { "", ",\"sourceIdentity\":\"ben@acme\"" };
	for (int same = 0; same < 2; same++) {
		story_begin();
		/* Others were at the address before: it is not the intruder's alone. */
		story_routine(story_user("dora", "AKIADORA000000000001"), THIEF, CLI, 0, 100);
		story_routine(session_of("ops", "a", "ASIAOPS0000000000001", 0, anna), HOME,
			CLI, 1, 500);
		story_recon(300, session_of("ops", "a", "ASIAOPS0000000000001", 0, anna), THIEF,
			BOTO);
		story_call(302, session_of("ops", "a", "ASIAOPS0000000000001", 0, anna), THIEF,
			BOTO, "iam", "PutUserPolicy",
			"\"requestParameters\":{\"userName\":\"x\",\"policyName\":\"x\","
			"\"policyDocument\":\"{\\\"Action\\\": \\\"*\\\"}\"}");
		story_call(310,
			session_of("far", "b", "ASIAFAR0000000000001", 305, same ? anna : ben),
			THIEF, CLI, "s3", "ListBuckets", "");
		json_t *doc = story_judge();
		assert_true(story_lists(doc, "verdict.access_keys", "ASIAOPS0000000000001"));
		assert_int_equal(
			story_lists(doc, "verdict.access_keys", "ASIAFAR0000000000001"), same);
		assert_true(story_lists(doc, "verdict.source_identities", "anna@acme"));
		assert_false(story_lists(doc, "verdict.source_identities", "ben@acme"));
		json_decref(doc);
	}
}

/* Accepted at once, so nothing was guessed: whose key it was, only the owner can say. */
static void test_ssh_key(void **state)
{
	(void)state;
	for (int stolen = 0; stolen < 2; stolen++) {
		story_begin();
		story_routine(story_user("anna", "AKIAANNA000000000001"), HOME, CLI, 0, 300);
		story_append(story.ssh, sizeof(story.ssh),
			"Aug  1 01:00:00 web-1 sshd[2]: Accepted publickey for anna from " HOME
			" port 5 ssh2: ED25519 SHA256:x");
		story_append(story.ssh, sizeof(story.ssh),
			"Aug  1 04:00:00 web-1 sshd[3]: Accepted publickey for anna from " THIEF
			" port 6 ssh2: ED25519 SHA256:x");
		story_append(story.ssh, sizeof(story.ssh),
			stolen ? "Aug  1 04:01:00 web-1 useradd[4]: new user: name=sys, UID=0, "
				 "GID=0, home=/root, shell=/bin/bash"
			       : "Aug  1 04:01:00 web-1 sudo:  anna : TTY=pts/0 ; PWD=/ ; "
				 "USER=root ; COMMAND=/usr/bin/systemctl restart nginx");
		story_expect(stolen ? "undetermined" : "no_incident", NULL, NULL);
	}
}

/* A second factor pushed until somebody gives in is no sign of being at home. */
static void test_tired(void **state)
{
	(void)state;
	story_begin();
	story_login(10, "anna", HOME, true, true);
	for (int i = 0; i < 14; i++) {
		story_login(300 + i * 0.5, "anna", THIEF, false, true);
	}
	story_login(308, "anna", THIEF, true, true);
	story_call(309, story_user("anna", "ASIACONSOLE000000001"), THIEF, BROWSER,
		"cloudtrail", "StopLogging", "\"requestParameters\":{\"name\":\"main\"}");
	story_call(310, story_user("anna", "ASIACONSOLE000000001"), THIEF, BROWSER, "iam",
		"AttachUserPolicy",
		"\"requestParameters\":{\"userName\":\"x\",\"policyArn\":\"arn:aws:iam::aws:"
		"policy/AdministratorAccess\"}");
	story_expect("undetermined", NULL, NULL);
}

/* The office gets another address: everybody comes along, and one of them audits. */
static void test_moved_office(void **state)
{
	(void)state;
	static const char *const names[] = { "anna", "ben", "cleo", "dora" };
	story_begin();
	for (int i = 0; i < 4; i++) {
		char key[24];
		(void)snprintf(key, sizeof(key), "AKIAPERSON000000000%d", i);
		const char *who = story_user(names[i], key);
		story_routine(who, HOME, CLI, 0, 200);
		story_routine(who, "198.51.100.99", CLI, 300 + i * 10, 500);
	}
	story_recon(510, story_user("dora", "AKIAPERSON0000000003"), "198.51.100.99",
		"ScoutSuite/5.14.0");
	story_expect("no_incident", NULL, NULL);
}

/* A thief sets somebody's password; that somebody still signs in, among colleagues. */
static void test_owner_of_a_changed_password(void **state)
{
	(void)state;
	static const char office[] = "198.51.100.99";
	story_begin();
	story_login(5, "anna", HOME, true, false);
	story_routine(story_user("ben", "AKIABEN0000000000001"), office, CLI, 200, 300);
	story_routine(story_user("cleo", "AKIACLEO000000000001"), office, CLI, 200, 300);
	story_routine(story_user("deploy", "AKIADEPLOY0000000001"), HOME, CLI, 0, 600);
	story_recon(300, story_user("deploy", "AKIADEPLOY0000000001"), THIEF, BOTO);
	story_call(302, story_user("deploy", "AKIADEPLOY0000000001"), THIEF, BOTO, "iam",
		"UpdateLoginProfile", "\"requestParameters\":{\"userName\":\"anna\"}");
	story_login(305, "anna", THIEF, true, false);
	story_login(500, "anna", office, true, false);
	json_t *doc = story_judge();
	assert_string_equal(doc_text(doc, "verdict.class"), "leaked_access_key");
	assert_true(story_lists(doc, "verdict.source_ips", THIEF));
	assert_int_equal(json_array_size(doc_get(doc, "verdict.source_ips")), 1);
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_task),
		cmocka_unit_test(test_in_scope_of),
		cmocka_unit_test(test_source_identity),
		cmocka_unit_test(test_ssh_key),
		cmocka_unit_test(test_tired),
		cmocka_unit_test(test_moved_office),
		cmocka_unit_test(test_owner_of_a_changed_password),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
