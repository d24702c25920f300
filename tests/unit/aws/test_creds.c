/* The credential chain: which source wins, and what each one sends. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char two_profiles[] =
	"[default]\naws_access_key_id = AKIADEFAULT\n"
	"aws_secret_access_key = s\n"
	"[dev]\naws_access_key_id=AKIADEV\naws_secret_access_key=s\n";

static void test_order(void **state)
{
	(void)state;
	struct world w;
	world_prepare(&w, "", two_profiles);
	world_set(&w, "AWS_ACCESS_KEY_ID=AKIAENV");
	world_set(&w, "AWS_SECRET_ACCESS_KEY=s");
	world_open(&w, NULL);
	world_expect_key(&w, "AKIAENV", "environment");
	world_done(&w);
	/* --profile: the environment's keys are then not used. */
	world_prepare(&w, "", two_profiles);
	world_set(&w, "AWS_ACCESS_KEY_ID=AKIAENV");
	world_set(&w, "AWS_SECRET_ACCESS_KEY=s");
	world_open(&w, "dev");
	world_expect_key(&w, "AKIADEV", "profile");
	world_done(&w);
	world_prepare(&w, "", two_profiles);
	world_open(&w, NULL);
	world_expect_key(&w, "AKIADEFAULT", "profile");
	world_done(&w);
	world_prepare(&w, "", "");
	world_set(&w, "AWS_ACCESS_KEY_ID=AKIAENV");
	world_open(&w, NULL);
	world_expect_error(&w, "AWS_SECRET_ACCESS_KEY is not");
	world_done(&w);
	world_prepare(&w, "", "");
	world_set(&w, "AWS_EC2_METADATA_DISABLED=true");
	world_open(&w, NULL);
	world_expect_error(&w, "no AWS credentials found");
	world_done(&w);
}

/* Within one profile: credentials file, credential_process, config file. */
static void test_order_in_a_profile(void **state)
{
	(void)state;
	static const char config[] =
		"[profile p]\naws_access_key_id=AKIACONFIG\naws_secret_access_key=s\n"
		"credential_process=/bin/echo "
		"'{\"Version\":1,\"AccessKeyId\":\"AKIAPROC\",\"SecretAccessKey\":\"s\"}'\n";
	static const char config_only[] =
		"[profile p]\naws_access_key_id=AKIACONFIG\naws_secret_access_key=s\n";
	static const char credentials[] =
		"[p]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s\n";
	static const struct {
		const char *config, *credentials, *key, *source;
	} cases[] = { { config, credentials, "AKIAFILE", "profile" },
		{ config, "", "AKIAPROC", "credential_process" },
		{ config_only, "", "AKIACONFIG", "profile" } };
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		world_prepare(&w, cases[i].config, cases[i].credentials);
		world_open(&w, "p");
		world_expect_key(&w, cases[i].key, cases[i].source);
		world_done(&w);
	}
}

static void test_role(void **state)
{
	(void)state;
	struct world w;
	world_prepare(&w,
		"[profile resp]\nrole_arn = arn:aws:iam::111122223333:role/ir\n"
		"source_profile = dev\nexternal_id = x-1\nrole_session_name = me\n"
		"duration_seconds = 900\n",
		two_profiles);
	world_open(&w, "resp");
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_string_equal(w.operation, "AssumeRole");
	assert_string_equal(w.signer, "AKIADEV");
	assert_string_equal(doc_text(w.params, "RoleArn"), "arn:aws:iam::111122223333:role/ir");
	assert_string_equal(doc_text(w.params, "ExternalId"), "x-1");
	assert_string_equal(doc_text(w.params, "RoleSessionName"), "me");
	assert_int_equal(doc_int(w.params, "DurationSeconds", 0), 900);
	world_done(&w);
	/* Without those lines AWS's defaults hold and the session is cordon's. */
	world_prepare(&w, "[profile resp]\nrole_arn=r\nsource_profile=dev\n", two_profiles);
	world_open(&w, "resp");
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_string_equal(doc_text(w.params, "RoleSessionName"), "cordon");
	assert_null(json_object_get(w.params, "ExternalId"));
	assert_null(json_object_get(w.params, "DurationSeconds"));
	world_done(&w);
}

/* a -> b -> c: each role is assumed with what the one before gave. */
static void test_role_chain(void **state)
{
	(void)state;
	struct world w;
	world_prepare(&w,
		"[profile a]\nrole_arn=role-a\nsource_profile=b\n"
		"[profile b]\nrole_arn=role-b\nsource_profile=c\n"
		"[profile c]\nrole_arn=role-c\nsource_profile=dev\n",
		two_profiles);
	world_open(&w, "a");
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_int_equal(atomic_load(&w.sts_calls), 3);
	assert_string_equal(w.signers, "AKIADEV ASIAROLE ASIAROLE");
	assert_string_equal(doc_text(w.params, "RoleArn"), "role-a");
	world_done(&w);
	/* A profile may be its own source when it has keys, which then count before its role. */
	world_prepare(&w, "[profile dev]\nrole_arn=r\nsource_profile=dev\n", two_profiles);
	world_open(&w, "dev");
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_string_equal(w.signers, "AKIADEV");
	world_done(&w);
	/* The source may be a program, or web identity, too. */
	world_prepare(&w,
		"[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\ncredential_process = "
		"/bin/echo '{\"Version\":1,\"AccessKeyId\":\"AKIAPROC\","
		"\"SecretAccessKey\":\"s\"}'\n",
		"");
	world_open(&w, "a");
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_string_equal(w.signers, "AKIAPROC");
	world_done(&w);
}

static const char machine_keys[] =
	"{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAMACHINE\",\"SecretAccessKey\":\"s\","
	"\"Token\":\"t\",\"Expiration\":\"2026-08-01T16:00:00Z\"}";

static void test_credential_source(void **state)
{
	(void)state;
	static const char *const kinds[] = { "Environment", "EcsContainer",
		"Ec2InstanceMetadata" };
	static const char *const signers[] = { "AKIAENV", "ASIAMACHINE", "ASIAMACHINE" };
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct world w;
		struct stub stub;
		char keys[512], a[256], b[256], config[256], container[128], instance[128];
		(void)stub_text(keys, sizeof(keys), "200 OK", "", machine_keys);
		const struct stub_answer ecs[] = { { .text = keys } };
		const struct stub_answer ec2[] = {
			{ .text = stub_text(a, sizeof(a), "200 OK", "", "session") },
			{ .text = stub_text(b, sizeof(b), "200 OK", "", "role") },
			{ .text = keys },
		};
		stub_start(&stub, i == 2 ? ec2 : ecs, i == 2 ? 3 : 1);
		(void)snprintf(config, sizeof(config),
			"[profile p]\nrole_arn=r\ncredential_source=%s\n", kinds[i]);
		world_prepare(&w, config, "");
		(void)snprintf(container, sizeof(container),
			"AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/k", stub.url);
		(void)snprintf(instance, sizeof(instance),
			"AWS_EC2_METADATA_SERVICE_ENDPOINT=%s", stub.url);
		world_set(&w, "AWS_ACCESS_KEY_ID=AKIAENV");
		world_set(&w, "AWS_SECRET_ACCESS_KEY=s");
		world_set(&w, container);
		world_set(&w, instance);
		world_open(&w, "p");
		world_expect_key(&w, "ASIAROLE", "STS");
		assert_string_equal(w.signers, signers[i]);
		world_done(&w);
		stub_stop(&stub);
	}
	struct world w;
	world_prepare(&w, "[profile p]\nrole_arn=r\ncredential_source=Environment\n", "");
	world_open(&w, "p");
	world_expect_error(&w, "credential_source 'Environment' points to");
	world_done(&w);
}

static enum err_status ask(
	void *ctx, const char *serial, char *code, size_t size, struct err *err)
{
	int *asked = ctx;
	(*asked)++;
	assert_string_equal(serial, "arn:aws:iam::1:mfa/me");
	(void)snprintf(code, size, "123456");
	return *asked < 3 ? ERR_OK : err_set(err, ERR_INTERRUPTED, "no MFA code was given");
}

static void test_mfa(void **state)
{
	(void)state;
	struct world w;
	int asked = 0;
	static const char config[] =
		"[profile p]\nrole_arn=r\nmfa_serial=arn:aws:iam::1:mfa/me\n"
		"source_profile=dev\n";
	world_prepare(&w, config, two_profiles);
	w.mfa = ask;
	w.mfa_ctx = &asked;
	world_open(&w, "p");
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_string_equal(doc_text(w.params, "SerialNumber"), "arn:aws:iam::1:mfa/me");
	assert_string_equal(doc_text(w.params, "TokenCode"), "123456");
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_int_equal(asked, 1);
	/* Asked anew when the session ends, and the answer "no" is one. */
	atomic_store(&w.env.now_ms, WORLD_NOW + 61 * WORLD_MINUTE);
	world_sts(&w, WORLD_STS("ASIANEXT", "12:00"));
	world_expect_key(&w, "ASIANEXT", "STS");
	atomic_store(&w.env.now_ms, WORLD_NOW + 121 * WORLD_MINUTE);
	world_expect_status(&w, ERR_INTERRUPTED, "no MFA code");
	assert_int_equal(asked, 3);
	world_done(&w);
	/* Nobody to ask: what to do instead is said. */
	world_prepare(&w, config, two_profiles);
	world_open(&w, "p");
	world_expect_error(
		&w, "aws sts get-session-token --serial-number arn:aws:iam::1:mfa/me");
	world_done(&w);
}

static void test_profile_mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *config, *words;
	} cases[] = {
		{ "[profile p]\nrole_arn=r\nsource_profile=q\n[profile q]\nrole_arn=r\n"
		  "source_profile=p\n",
			"circle" },
		{ "[profile p]\nrole_arn=r\nsource_profile=p\n", "circle" },
		{ "[profile p]\nrole_arn=r\nsource_profile=none\n", "'none' does not exist" },
		{ "[profile p]\nrole_arn=r\nsource_profile=q\n[profile q]\nregion=x\n",
			"source_profile 'q' points to" },
		{ "[profile p]\nrole_arn=r\n", "credential_source" },
		{ "[profile p]\nrole_arn=r\ncredential_source=Magic\n",
			"credential_source of" },
		{ "[profile p]\nrole_arn=r\nsource_profile=p\ncredential_source=Environment\n",
			"keep one" },
		{ "[profile p]\nrole_arn=r\nsource_profile=q\nduration_seconds=899\n"
		  "[profile q]\naws_access_key_id=A\naws_secret_access_key=s\n",
			"900 to 43200" },
		{ "[profile p]\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n",
			"run `aws sso login --profile p`" },
		{ "[profile p]\nsso_start_url=u\nsso_account_id=1\nsso_role_name=r\n",
			"credential_process = aws configure export-credentials --profile p" },
		{ "[profile p]\nrole_arn=r\nsource_profile=q\n[profile q]\nsso_session=s\n"
		  "sso_account_id=1\nsso_role_name=r\n",
			"run `aws sso login --profile q`" },
		{ "[profile p]\nlogin_session=s\n", "run `aws login --profile p`" },
		{ "[profile p]\naws_access_key_id=A\n", "only one of" },
		{ "[profile p]\nweb_identity_token_file=/t\n", "no role" },
		{ "[profile p]\ncredential_process=/does/not/exist\n", "'/does/not/exist'" },
		{ "[profile p]\ncredential_process=/bin/false\n", "exit 1" },
		{ "[profile p]\ncredential_process=/bin/echo {}\n", "Version 1" },
		{ "[profile p]\ncredential_process=/bin/echo 'open\n", "open quote" },
		{ "[profile p]\ncredential_process=/bin/echo "
		  "'{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\","
		  "\"Expiration\":\"2026-08-01T09:00:00Z\"}'\n",
			"have expired already" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		world_prepare(&w, cases[i].config, "");
		world_open(&w, "p");
		world_expect_error(&w, cases[i].words);
		world_done(&w);
	}
}

static void test_process(void **state)
{
	(void)state;
	struct world w;
	world_prepare(&w,
		"[profile p]\ncredential_process = /bin/echo "
		"'{\"Version\":1,\"AccessKeyId\":\"AKIAPROC\",' "
		"\"\\\"SecretAccessKey\\\":\\\"a b\\\"}\"\n",
		"");
	world_open(&w, "p");
	struct creds *c = NULL;
	assert_int_equal(creds_get(w.chain, &c, NULL), ERR_OK);
	assert_string_equal(c->access_key, "AKIAPROC");
	assert_true(secret_eq(c->secret_key, STR("a b")));
	assert_false(creds_reject(w.chain, c)); /* nothing newer would come */
	creds_unref(c);
	world_done(&w);
}

static void test_web_identity(void **state)
{
	(void)state;
	struct world w;
	char variable[128], path[96], config[256];
	world_prepare(&w, "", two_profiles);
	(void)snprintf(path, sizeof(path), "%s/token", w.dir);
	world_write(path, "the.jwt\n");
	(void)snprintf(variable, sizeof(variable), "AWS_WEB_IDENTITY_TOKEN_FILE=%s", path);
	world_set(&w, variable);
	world_set(&w, "AWS_ROLE_ARN=arn:aws:iam::111122223333:role/pod");
	world_open(&w, NULL);
	/* Before the keys of the default profile, as the SDKs have it. */
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_string_equal(w.operation, "AssumeRoleWithWebIdentity");
	assert_string_equal(w.signer, "nobody");
	assert_string_equal(doc_text(w.params, "WebIdentityToken"), "the.jwt");
	assert_string_equal(doc_text(w.params, "RoleSessionName"), "cordon");
	/* The file is read anew at each renewal: Kubernetes replaces it. */
	world_write(path, "next.jwt");
	atomic_store(&w.env.now_ms, WORLD_NOW + 58 * WORLD_MINUTE);
	world_sts(&w, WORLD_STS("ASIANEXT", "12:00"));
	world_expect_key(&w, "ASIANEXT", "STS");
	assert_string_equal(doc_text(w.params, "WebIdentityToken"), "next.jwt");
	world_done(&w);
	/* By a profile; the environment's is then not looked at. */
	(void)snprintf(config, sizeof(config),
		"[profile p]\nrole_arn=of-profile\nrole_session_name=me\n"
		"web_identity_token_file=%s\n",
		path);
	world_write(path, "profile.jwt");
	world_prepare(&w, config, "");
	world_set(&w, "AWS_WEB_IDENTITY_TOKEN_FILE=/does/not/exist");
	world_set(&w, "AWS_ROLE_ARN=of-environment");
	world_open(&w, "p");
	world_expect_key(&w, "ASIAROLE", "STS");
	assert_string_equal(doc_text(w.params, "RoleArn"), "of-profile");
	assert_string_equal(doc_text(w.params, "RoleSessionName"), "me");
	assert_string_equal(doc_text(w.params, "WebIdentityToken"), "profile.jwt");
	world_done(&w);
	(void)unlink(path);
	world_prepare(&w, "", "");
	world_set(&w, variable);
	world_set(&w, "AWS_ROLE_ARN=r");
	world_open(&w, NULL);
	world_expect_error(&w, "web identity token");
	world_done(&w);
}

static void test_container(void **state)
{
	(void)state;
	struct world w;
	struct stub stub;
	char a[512], variable[128], header[64];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "200 OK", "", machine_keys) }
	};
	stub_start(&stub, answers, 1);
	world_prepare(&w, "", "");
	(void)snprintf(variable, sizeof(variable), "AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/role",
		stub.url);
	world_set(&w, variable);
	world_set(&w, "AWS_CONTAINER_AUTHORIZATION_TOKEN=Basic abc");
	world_set(&w, "HTTP_PROXY=http://127.0.0.1:1"); /* not for this */
	world_open(&w, NULL);
	world_expect_key(&w, "ASIAMACHINE", "container");
	stub_header(&stub, 0, "Authorization", header, sizeof(header));
	assert_string_equal(header, "Basic abc");
	world_done(&w);
	stub_stop(&stub);
	/* A token must not be sent to somebody else in the clear. */
	static const char *const elsewhere[] = { "http://example.com/role",
		"http://127.evil.example.com/role", "http://127.0.0.1.example/",
		"http://169.254.170.3/", "ftp://127.0.0.1/" };
	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		world_prepare(&w, "", "");
		(void)snprintf(variable, sizeof(variable),
			"AWS_CONTAINER_CREDENTIALS_FULL_URI=%s", elsewhere[i]);
		world_set(&w, variable);
		world_open(&w, NULL);
		world_expect_error(&w, "must be https");
		world_done(&w);
	}
}

/* EKS Pod Identity: the token is in a file that is replaced; a hiccup of the agent is waited out. */
static void test_pod_identity(void **state)
{
	(void)state;
	struct world w;
	struct stub stub;
	char a[512], b[512], uri[128], variable[160], path[96], header[64];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "200 OK", "", machine_keys) },
		{ .text = stub_text(b, sizeof(b), "503 Busy", "", "") },
		{ .text = a },
		{ .text = NULL },
		{ .text = a },
	};
	stub_start(&stub, answers, 5);
	world_prepare(&w, "", "");
	(void)snprintf(path, sizeof(path), "%s/token", w.dir);
	world_write(path, "one\n");
	(void)snprintf(uri, sizeof(uri), "AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/v1/credentials",
		stub.url);
	(void)snprintf(
		variable, sizeof(variable), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s", path);
	world_set(&w, uri);
	world_set(&w, variable);
	world_set(&w, "AWS_CONTAINER_AUTHORIZATION_TOKEN=the file counts");
	world_open(&w, NULL);
	world_expect_key(&w, "ASIAMACHINE", "container");
	stub_header(&stub, 0, "Authorization", header, sizeof(header));
	assert_string_equal(header, "one");
	world_write(path, "two");
	atomic_store(&w.env.now_ms, WORLD_NOW + 356 * WORLD_MINUTE);
	world_expect_key(&w, "ASIAMACHINE", "container");
	assert_int_equal(stub_requests(&stub), 3);
	stub_header(&stub, 2, "Authorization", header, sizeof(header));
	assert_string_equal(header, "two");
	/* The next connection is cut, and the file is gone after that. */
	atomic_store(&w.env.now_ms, WORLD_NOW + 358 * WORLD_MINUTE);
	world_expect_key(&w, "ASIAMACHINE", "container");
	assert_int_equal(stub_requests(&stub), 5);
	(void)unlink(path);
	world_done(&w);
	stub_stop(&stub);
	world_prepare(&w, "", "");
	world_set(&w, uri);
	world_set(&w, variable);
	world_open(&w, NULL);
	world_expect_error(&w, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	world_done(&w);
}

static void test_instance(void **state)
{
	(void)state;
	struct world w;
	struct stub stub;
	char a[256], b[256], c[512], variable[128], header[64];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "200 OK", "", "session") },
		{ .text = stub_text(b, sizeof(b), "200 OK", "", "web-role\n") },
		{ .text = stub_text(c, sizeof(c), "200 OK", "", machine_keys) },
	};
	stub_start(&stub, answers, 3);
	world_prepare(&w, "", "");
	(void)snprintf(
		variable, sizeof(variable), "AWS_EC2_METADATA_SERVICE_ENDPOINT=%s/", stub.url);
	world_set(&w, variable);
	world_set(&w, "http_proxy=http://127.0.0.1:1"); /* not for this */
	world_open(&w, NULL);
	world_expect_key(&w, "ASIAMACHINE", "EC2 instance");
	assert_int_equal(stub_requests(&stub), 3);
	assert_true(str_starts(str_from(stub.requests[0]), STR("PUT /latest/api/token ")));
	stub_header(&stub, 0, "X-aws-ec2-metadata-token-ttl-seconds", header, sizeof(header));
	assert_string_equal(header, "21600");
	assert_true(str_starts(str_from(stub.requests[2]),
		STR("GET /latest/meta-data/iam/security-credentials/web-role ")));
	for (size_t i = 1; i < 3; i++) {
		stub_header(&stub, i, "X-aws-ec2-metadata-token", header, sizeof(header));
		assert_string_equal(header, "session");
	}
	world_done(&w);
	stub_stop(&stub);
}

/*
 * A metadata service that is switched off (403), that knows no session tokens (404: version 1
 * alone, which is not spoken), or whose instance has no role.
 */
static void test_instance_without_metadata(void **state)
{
	(void)state;
	static const char *const first[] = { "403 Forbidden", "404 Not Found", "200 OK" };
	for (size_t i = 0; i < COUNT(first); i++) {
		struct world w;
		struct stub stub;
		char a[256], b[256], variable[128];
		const struct stub_answer answers[] = {
			{ .text = stub_text(a, sizeof(a), first[i], "", "token") },
			{ .text = stub_text(b, sizeof(b), "404 Not Found", "", "") },
		};
		stub_start(&stub, answers, 2);
		world_prepare(&w, "", "");
		(void)snprintf(variable, sizeof(variable),
			"AWS_EC2_METADATA_SERVICE_ENDPOINT=%s", stub.url);
		world_set(&w, variable);
		world_open(&w, NULL);
		world_expect_error(&w, "no AWS credentials found");
		assert_int_equal(stub_requests(&stub), i == 2 ? 2 : 1);
		world_done(&w);
		stub_stop(&stub);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_in_a_profile),
		cmocka_unit_test(test_role),
		cmocka_unit_test(test_role_chain),
		cmocka_unit_test(test_credential_source),
		cmocka_unit_test(test_mfa),
		cmocka_unit_test(test_profile_mistakes),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_web_identity),
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_pod_identity),
		cmocka_unit_test(test_instance),
		cmocka_unit_test(test_instance_without_metadata),
	};
	return cmocka_run_group_tests_name("creds", tests, NULL, NULL);
}
