/* The credential chain: which source wins, what each one sends, when it is asked again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/creds.h"
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW      1785578400000 /* 2026-08-01T10:00:00Z */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct world {
	char dir[64], config[160], credentials[160];
	const char *vars[16];
	size_t n_vars;
	struct stub_env env;
	struct profile_set profiles;
	struct http_pool *pool;
	struct creds_chain *chain;
	/* what the fake STS saw and says */
	int sts_calls;
	char operation[64], signer[64];
	json_t *params;
	const char *sts_answer;
};

static enum err_status sts(void *ctx, struct creds *with, const char *operation,
	const json_t *params, json_t **result, struct err *err)
{
	struct world *w = ctx;
	w->sts_calls++;
	(void)snprintf(w->operation, sizeof(w->operation), "%s", operation);
	(void)snprintf(w->signer, sizeof(w->signer), "%s", with ? with->access_key : "nobody");
	json_decref(w->params);
	w->params = json_deep_copy(params);
	return doc_parse(str_from(w->sts_answer), 65536, result, err);
}

static void file(const char *path, const char *text)
{
	assert_int_equal(
		env_write_file(env_system(), path, str_from(text), 0600, NULL), ERR_OK);
}

static void prepare(struct world *w, const char *config, const char *credentials)
{
	memset(w, 0, sizeof(*w));
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/cordon-creds-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	char path[80];
	(void)snprintf(path, sizeof(path), "%s/config", w->dir);
	file(path, config);
	(void)snprintf(w->config, sizeof(w->config), "AWS_CONFIG_FILE=%s", path);
	(void)snprintf(path, sizeof(path), "%s/credentials", w->dir);
	file(path, credentials);
	(void)snprintf(
		w->credentials, sizeof(w->credentials), "AWS_SHARED_CREDENTIALS_FILE=%s", path);
	w->vars[w->n_vars++] = w->config;
	w->vars[w->n_vars++] = w->credentials;
	w->sts_answer =
		"{\"Credentials\":{\"AccessKeyId\":\"ASIAROLE\",\"SecretAccessKey\":\"s\","
		"\"SessionToken\":\"t\",\"Expiration\":\"2026-08-01T11:00:00Z\"}}";
}

static void set(struct world *w, const char *variable)
{
	assert_true(w->n_vars + 1 < COUNT(w->vars));
	w->vars[w->n_vars++] = variable;
}

static void open_chain(struct world *w, const char *profile)
{
	struct http_options http = { 0 };
	stub_env_init(&w->env, NOW, w->vars);
	assert_int_equal(profile_load(&w->env.base, profile, &w->profiles, NULL), ERR_OK);
	w->pool = http_pool_new(&http);
	struct creds_options o = { .env = &w->env.base,
		.profiles = &w->profiles,
		.skip_environment = profile != NULL,
		.pool = w->pool,
		.sts = sts,
		.sts_ctx = w,
		.session_name = "cordon" };
	w->chain = creds_chain_new(&o);
}

static void done(struct world *w)
{
	char path[80];
	creds_chain_free(w->chain);
	http_pool_free(w->pool);
	profile_deinit(&w->profiles);
	json_decref(w->params);
	(void)snprintf(path, sizeof(path), "%s/config", w->dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/credentials", w->dir);
	(void)unlink(path);
	(void)rmdir(w->dir);
}

static void expect_key(struct world *w, const char *key, const char *source)
{
	struct creds *c = NULL;
	struct err e = { 0 };
	enum err_status st = creds_get(w->chain, &c, &e);
	if (st != ERR_OK) {
		print_error("%s\n", e.msg);
	}
	assert_int_equal(st, ERR_OK);
	assert_string_equal(c->access_key, key);
	assert_string_equal(c->source, source);
	creds_unref(c);
}

static void expect_error(struct world *w, const char *words)
{
	struct creds *c = NULL;
	struct err e = { 0 };
	assert_int_equal(creds_get(w->chain, &c, &e), ERR_CONFIG);
	if (!strstr(e.msg, words)) {
		print_error("%s\n", e.msg);
	}
	assert_non_null(strstr(e.msg, words));
}

static const char two_profiles[] =
	"[default]\naws_access_key_id = AKIADEFAULT\n"
	"aws_secret_access_key = s\n"
	"[dev]\naws_access_key_id=AKIADEV\naws_secret_access_key=s\n";

static void test_order(void **state)
{
	(void)state;
	struct world w;
	prepare(&w, "", two_profiles);
	set(&w, "AWS_ACCESS_KEY_ID=AKIAENV");
	set(&w, "AWS_SECRET_ACCESS_KEY=s");
	open_chain(&w, NULL);
	expect_key(&w, "AKIAENV", "environment");
	done(&w);
	/* --profile: the environment's keys are then not used. */
	prepare(&w, "", two_profiles);
	set(&w, "AWS_ACCESS_KEY_ID=AKIAENV");
	set(&w, "AWS_SECRET_ACCESS_KEY=s");
	open_chain(&w, "dev");
	expect_key(&w, "AKIADEV", "profile");
	done(&w);
	prepare(&w, "", two_profiles);
	open_chain(&w, NULL);
	expect_key(&w, "AKIADEFAULT", "profile");
	done(&w);
	prepare(&w, "", "");
	set(&w, "AWS_ACCESS_KEY_ID=AKIAENV");
	open_chain(&w, NULL);
	expect_error(&w, "AWS_SECRET_ACCESS_KEY is not");
	done(&w);
	prepare(&w, "", "");
	set(&w, "AWS_EC2_METADATA_DISABLED=true");
	open_chain(&w, NULL);
	expect_error(&w, "no AWS credentials found");
	done(&w);
}

static void test_role(void **state)
{
	(void)state;
	struct world w;
	prepare(&w,
		"[profile resp]\nrole_arn = arn:aws:iam::111122223333:role/ir\n"
		"source_profile = dev\nexternal_id = x-1\nrole_session_name = me\n"
		"duration_seconds = 900\n",
		two_profiles);
	open_chain(&w, "resp");
	expect_key(&w, "ASIAROLE", "STS");
	assert_string_equal(w.operation, "AssumeRole");
	assert_string_equal(w.signer, "AKIADEV");
	assert_string_equal(doc_text(w.params, "ExternalId"), "x-1");
	assert_string_equal(doc_text(w.params, "RoleSessionName"), "me");
	assert_int_equal(doc_int(w.params, "DurationSeconds", 0), 900);
	/* Kept while valid, renewed five minutes before the end. */
	expect_key(&w, "ASIAROLE", "STS");
	assert_int_equal(w.sts_calls, 1);
	atomic_store(&w.env.now_ms, NOW + 56 * 60 * 1000);
	w.sts_answer =
		"{\"Credentials\":{\"AccessKeyId\":\"ASIANEXT\",\"SecretAccessKey\":\"s\","
		"\"SessionToken\":\"t\",\"Expiration\":\"2026-08-01T12:00:00Z\"}}";
	expect_key(&w, "ASIANEXT", "STS");
	assert_int_equal(w.sts_calls, 2);
	/* While renewing fails the old ones serve to their last minute. */
	atomic_store(&w.env.now_ms, NOW + 117 * 60 * 1000);
	w.sts_answer = "{}";
	expect_key(&w, "ASIANEXT", "STS");
	atomic_store(&w.env.now_ms, NOW + 119 * 60 * 1000 + 30000);
	expect_error(&w, "AccessKeyId");
	done(&w);
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
		{ "[profile p]\nrole_arn=r\nsource_profile=none\n", "'none' does not exist" },
		{ "[profile p]\nrole_arn=r\n", "credential_source" },
		{ "[profile p]\nrole_arn=r\nmfa_serial=m\nsource_profile=p\n",
			"export-credentials" },
		{ "[profile p]\nsso_session=s\n", "export-credentials --profile p" },
		{ "[profile p]\nlogin_session=s\n", "export-credentials --profile p" },
		{ "[profile p]\naws_access_key_id=A\n", "only one of" },
		{ "[profile p]\ncredential_process=/does/not/exist\n", "can't be run" },
		{ "[profile p]\ncredential_process=/bin/false\n", "exit 1" },
		{ "[profile p]\ncredential_process=/bin/echo {}\n", "Version 1" },
		{ "[profile p]\ncredential_process=/bin/echo 'open\n", "open quote" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		prepare(&w, cases[i].config, "");
		open_chain(&w, "p");
		expect_error(&w, cases[i].words);
		done(&w);
	}
}

static void test_process(void **state)
{
	(void)state;
	struct world w;
	prepare(&w,
		"[profile p]\ncredential_process = /bin/echo "
		"'{\"Version\":1,\"AccessKeyId\":\"AKIAPROC\",' "
		"\"\\\"SecretAccessKey\\\":\\\"a b\\\"}\"\n",
		"");
	open_chain(&w, "p");
	struct creds *c = NULL;
	assert_int_equal(creds_get(w.chain, &c, NULL), ERR_OK);
	assert_string_equal(c->access_key, "AKIAPROC");
	assert_true(secret_eq(c->secret_key, STR("a b")));
	assert_false(creds_reject(w.chain, c)); /* nothing newer would come */
	creds_unref(c);
	done(&w);
}

static void test_web_identity(void **state)
{
	(void)state;
	struct world w;
	char variable[128], path[96];
	prepare(&w, "", "");
	(void)snprintf(path, sizeof(path), "%s/token", w.dir);
	file(path, "the.jwt\n");
	(void)snprintf(variable, sizeof(variable), "AWS_WEB_IDENTITY_TOKEN_FILE=%s", path);
	set(&w, variable);
	set(&w, "AWS_ROLE_ARN=arn:aws:iam::111122223333:role/pod");
	open_chain(&w, NULL);
	expect_key(&w, "ASIAROLE", "STS");
	assert_string_equal(w.operation, "AssumeRoleWithWebIdentity");
	assert_string_equal(w.signer, "nobody");
	assert_string_equal(doc_text(w.params, "WebIdentityToken"), "the.jwt");
	(void)unlink(path);
	done(&w);
}

static const char machine_keys[] =
	"{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAMACHINE\",\"SecretAccessKey\":\"s\","
	"\"Token\":\"t\",\"Expiration\":\"2026-08-01T16:00:00Z\"}";

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
	prepare(&w, "", "");
	(void)snprintf(variable, sizeof(variable), "AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/role",
		stub.url);
	set(&w, variable);
	set(&w, "AWS_CONTAINER_AUTHORIZATION_TOKEN=Basic abc");
	open_chain(&w, NULL);
	expect_key(&w, "ASIAMACHINE", "container");
	stub_header(&stub, 0, "Authorization", header, sizeof(header));
	assert_string_equal(header, "Basic abc");
	done(&w);
	stub_stop(&stub);
	/* A token must not be sent to somebody else in the clear. */
	prepare(&w, "", "");
	set(&w, "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.com/role");
	open_chain(&w, NULL);
	expect_error(&w, "must be https");
	done(&w);
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
	prepare(&w, "", "");
	(void)snprintf(
		variable, sizeof(variable), "AWS_EC2_METADATA_SERVICE_ENDPOINT=%s/", stub.url);
	set(&w, variable);
	open_chain(&w, NULL);
	expect_key(&w, "ASIAMACHINE", "EC2 instance");
	assert_int_equal(stub_requests(&stub), 3);
	assert_true(str_starts(str_from(stub.requests[0]), STR("PUT /latest/api/token ")));
	assert_true(str_starts(str_from(stub.requests[2]),
		STR("GET /latest/meta-data/iam/security-credentials/web-role ")));
	stub_header(&stub, 2, "X-aws-ec2-metadata-token", header, sizeof(header));
	assert_string_equal(header, "session");
	done(&w);
	stub_stop(&stub);
}

/* A metadata service that is switched off answers 403: then there are no credentials, no more. */
static void test_instance_without_metadata(void **state)
{
	(void)state;
	struct world w;
	struct stub stub;
	char a[256], variable[128];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "403 Forbidden", "", "") },
	};
	stub_start(&stub, answers, 1);
	prepare(&w, "", "");
	(void)snprintf(
		variable, sizeof(variable), "AWS_EC2_METADATA_SERVICE_ENDPOINT=%s", stub.url);
	set(&w, variable);
	open_chain(&w, NULL);
	expect_error(&w, "no AWS credentials found");
	done(&w);
	stub_stop(&stub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_role),
		cmocka_unit_test(test_profile_mistakes),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_web_identity),
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_instance),
		cmocka_unit_test(test_instance_without_metadata),
	};
	return cmocka_run_group_tests_name("creds", tests, NULL, NULL);
}
