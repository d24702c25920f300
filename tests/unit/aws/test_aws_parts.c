/* The small parts: URIs, configuration files, XML, endpoints, values, validation, pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/aws.h"
#include "aws/endpoint.h"
#include "aws/proto.h"
#include "aws/retry.h"
#include "aws/uri.h"
#include "aws/validate.h"
#include "aws/value.h"
#include "stub.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW      1785578400000 /* 2026-08-01T10:00:00Z */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_uri(void **state)
{
	(void)state;
	struct buf b;
	struct uri_parts u;
	buf_init(&b, 200);
	uri_encode(STR("a/b c+~\xc3\xb1"), true, &b);
	assert_string_equal(b.p, "a/b%20c%2B~%C3%B1");
	buf_reset(&b);
	uri_decode(STR("%41%zz%2"), &b);
	assert_string_equal(b.p, "A%zz%2");
	buf_deinit(&b);
	assert_true(uri_split(STR("http://[::1]:8080/base/"), &u));
	assert_true(!u.tls && str_is(u.host, "[::1]") && str_is(u.authority, "[::1]:8080"));
	assert_true(str_is(u.path, "/base/"));
	static const char *const bad[] = { "", "ftp://x", "https://", "http://u@h",
		"http://h:0", "http://h:x", "http://h/?q", "http://h\r\nX: y", "//h",
		"http://h:99999" };
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(uri_split(str_from(bad[i]), &u));
	}
}

static void test_ini(void **state)
{
	(void)state;
	struct ini f;
	struct str v;
	struct err e = { 0 };
	const char *text =
		"# c\n[default]\nregion = eu-west-1 # here\nsecret = a#b=c\n"
		"[profile  'dev']\r\nREGION=us-east-1\r\ns3 =\n  addressing_style = path\n"
		"[default]\nregion = eu-west-3\n[profile bare]\n";
	assert_int_equal(ini_parse(str_from(text), "f", &f, NULL), ERR_OK);
	assert_true(ini_get(&f, "default", "region", &v) && str_is(v, "eu-west-3"));
	assert_true(ini_get(&f, "default", "secret", &v) && str_is(v, "a#b=c"));
	assert_true(ini_get(&f, "profile dev", "region", &v) && str_is(v, "us-east-1"));
	assert_true(ini_get(&f, "profile dev", "s3.addressing_style", &v) && str_is(v, "path"));
	assert_false(ini_get(&f, "profile dev", "output", &v));
	assert_true(ini_has_section(&f, "profile bare"));
	assert_false(ini_has_section(&f, "profile none"));
	ini_deinit(&f);
	static const struct {
		const char *text, *words;
	} bad[] = { { "[a]\nx\n", "f:2:" }, { "x=1\n", "before the first" }, { "[a\n", "f:1:" },
		{ "[]\n", "needs a name" } };
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(ini_parse(str_from(bad[i].text), "f", &f, &e), ERR_CONFIG);
		assert_non_null(strstr(e.msg, bad[i].words));
	}
}

static void test_xml(void **state)
{
	(void)state;
	struct xml_doc d;
	struct err e = { 0 };
	struct buf deep;
	assert_int_equal(
		xml_parse(STR("<n:r xmlns:n='u'><a>1</a><b k='&quot;'/><a>2&lt;</a></n:r>"), &d,
			NULL),
		ERR_OK);
	assert_string_equal(d.root->name, "r");
	const struct xml_node *a = xml_child(d.root, "a");
	assert_true(str_is(a->text, "1") && str_is(xml_again(a)->text, "2<"));
	assert_string_equal(xml_attr(xml_child(d.root, "b"), "k"), "\"");
	xml_deinit(&d);
	assert_int_equal(
		xml_parse(STR("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"), &d, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "document type"));
	assert_int_equal(xml_parse(STR("<a><b></a>"), &d, &e), ERR_INPUT);
	assert_int_equal(xml_parse(STR(""), &d, &e), ERR_INPUT);
	buf_init(&deep, 10000);
	for (int i = 0; i <= XML_MAX_DEPTH; i++) {
		buf_puts(&deep, "<a>");
	}
	assert_int_equal(xml_parse(buf_view(&deep), &d, &e), ERR_LIMIT);
	buf_deinit(&deep);
}

/* What is no document, and in which line that shows. */
static void test_xml_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *xml;
		int line;
	} cases[] = {
		{ "<a>\n<b></a>", 2 },
		{ "<a></ab>", 1 },
		{ "<a/><b/>", 1 },
		{ "<a/>x", 1 },
		{ "<a>", 1 },
		{ "<a", 1 },
		{ "<a b='1'c='2'/>", 1 },
		{ "<a b='1' b='2'/>", 1 },
		{ "<a b=1/>", 1 },
		{ "<a b='<'/>", 1 },
		{ "<a>&x;</a>", 1 },
		{ "<a>& b</a>", 1 },
		{ "<a>&#0;</a>", 1 },
		{ "<a>&#xd800;</a>", 1 },
		{ "<a>&#x110000;</a>", 1 },
		{ "<a>&#X41;</a>", 1 },
		{ "<a>\x01</a>", 1 },
		{ "<a>\xc3</a>", 1 },
		{ "<a>\xef\xbf\xbf</a>", 1 },
		{ "<a>]]></a>", 1 },
		{ "<a><![CDATA[x</a>", 1 },
		{ "<![CDATA[x]]>", 1 },
		{ "<a><!-- -- --></a>", 1 },
		{ "<a>\n<?xml version='1.0'?></a>", 2 },
		{ "<?xml encoding='utf-8'?><a/>", 1 },
		{ "<?xml version='1.0' encoding='utf-7'?><a/>", 1 },
		{ "<1/>", 1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xml_doc d;
		struct err e = { 0 };
		char why[40];
		assert_int_equal(xml_parse(str_from(cases[i].xml), &d, &e), ERR_INPUT);
		(void)snprintf(why, sizeof(why), "malformed XML, line %d: ", cases[i].line);
		if (!strstr(e.msg, why)) {
			print_error("%s: %s\n", cases[i].xml, e.msg);
			fail();
		}
	}
}

/* Text in one piece and in several, as it stood and as it had to be made; in two encodings. */
static void test_xml_text(void **state)
{
	(void)state;
	const struct {
		struct str xml;
		const char *text;
	} cases[] = {
		{ STR("<r><a> plain </a></r>"), " plain " },
		{ STR("<r><a/></r>"), "" },
		{ STR("<r><a>one &amp; two&#x21;</a></r>"), "one & two!" },
		{ STR("<r><a>&lt;three</a></r>"), "<three" },
		{ STR("<r><a>l<![CDATA[<i>]]>ne</a></r>"), "l<i>ne" },
		{ STR("<r><a>cut<!-- here -->off</a></r>"), "cutoff" },
		{ STR("<r><a>two\r\nlines\nor three</a></r>"), "two\nlines\nor three" },
		{ STR("<r><x>no</x>between<a>yes</a></r>"), "yes" },
		{ STR("<r>&amp;<a b='&gt;'>c]]d</a></r>"), "c]]d" },
		{ STR("<r>\r<a>x\ry&#13;\r\n</a \n></r>"), "x\ny\r\n" },
		{ STR("\xef\xbb\xbf<?xml version='1.0'?><r><a>&#8364;&apos;</a></r><!-- end "
		      "-->"),
			"\xe2\x82\xac'" },
		{ STR("<?xml version='1.0' encoding='iso-8859-1'?><r><a>\xe9</a></r>"),
			"\xc3\xa9" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xml_doc d;
		assert_int_equal(xml_parse(cases[i].xml, &d, NULL), ERR_OK);
		assert_true(str_is(xml_text(d.root, "a"), cases[i].text));
		xml_deinit(&d);
	}
}

/* More names than are remembered at a time, twice over: each element has its own. */
static void test_xml_names(void **state)
{
	(void)state;
	struct xml_doc d;
	struct buf text;
	char name[16];
	buf_init(&text, 100000);
	buf_puts(&text, "<r>");
	for (int i = 0; i < 2000; i++) {
		buf_printf(&text, "<n%d/>", i % 1000);
	}
	buf_puts(&text, "</r>");
	assert_int_equal(xml_parse(buf_view(&text), &d, NULL), ERR_OK);
	buf_deinit(&text);
	int i = 0;
	for (const struct xml_node *n = d.root->child; n; n = n->next, i++) {
		(void)snprintf(name, sizeof(name), "n%d", i % 1000);
		assert_string_equal(n->name, name);
	}
	assert_int_equal(i, 2000);
	xml_deinit(&d);
}

/* Flattened lists between one another, what comes twice, what no model knows; twice over. */
static void test_xml_members(void **state)
{
	(void)state;
	static const char body[] =
		"<ListBucketResult><Contents><Key>a</Key></Contents><New>1</New>"
		"<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><Name>first</Name>"
		"<Contents><Key>b</Key><Size>2</Size></Contents><Name>second</Name>"
		"<New><x>2</x></New></ListBucketResult>";
	struct model_call c;
	assert_true(model_find(&model_table, "s3", "ListObjectsV2", &c));
	json_t *want = json_pack("{s[{ss}{sssi}]s[{ss}]sss[s{ss}]}", "Contents", "Key", "a",
		"Key", "b", "Size", 2, "CommonPrefixes", "Prefix", "p/", "Name", "first", "New",
		"1", "x", "2");
	assert_non_null(want);
	for (int i = 0; i < 2; i++) {
		struct xml_doc d;
		assert_int_equal(xml_parse(str_from(body), &d, NULL), ERR_OK);
		json_t *got = proto_xml_read(c.m, model_output(&c), d.root);
		assert_true(json_equal(got, want));
		json_decref(got);
		xml_deinit(&d);
	}
	json_decref(want);
}

static void test_values(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 1000);
	value_time_text(NOW, MODEL_TIME_RFC822, &b);
	assert_string_equal(b.p, "Sat, 01 Aug 2026 10:00:00 GMT");
	buf_reset(&b);
	value_time_text(-1500, MODEL_TIME_UNIX, &b);
	assert_string_equal(b.p, "-1.500");
	buf_reset(&b);
	value_float_text(0.1, &b);
	buf_putc(&b, ' ');
	value_float_text(-INFINITY, &b);
	assert_string_equal(b.p, "0.1 -Infinity");
	buf_deinit(&b);
	static const char *const same[] = { "2026-08-01T10:00:00Z", "2026-08-01T10:00:00.000Z",
		"Sat, 01 Aug 2026 10:00:00 GMT", "1785578400", "1785578400.0" };
	for (size_t i = 0; i < COUNT(same); i++) {
		json_t *v = value_parse_time(str_from(same[i]));
		assert_string_equal(json_string_value(v), same[0]);
		json_decref(v);
	}
	json_t *odd = value_parse_time(STR("yesterday"));
	assert_string_equal(json_string_value(odd), "yesterday");
	json_decref(odd);
}

static void host_of(struct stub_env *env, const char *service, const char *operation,
	const char *params_text, const char *region, char out[256], char signing[64])
{
	struct profile_set profiles;
	struct model_call c;
	struct wire_request r;
	struct buf url;
	json_t *params = json_loads(params_text, 0, NULL);
	assert_int_equal(profile_load(&env->base, NULL, &profiles, NULL), ERR_OK);
	assert_true(model_find(&model_table, service, operation, &c));
	wire_request_init(&r);
	buf_init(&url, 4096);
	assert_int_equal(proto_build(&c, params, &r, NULL), ERR_OK);
	struct endpoint_rules rules = { &env->base, &profiles, NULL };
	assert_int_equal(endpoint_apply(&rules, &c, region, &r, signing, NULL), ERR_OK);
	wire_url(&r, &url);
	(void)snprintf(out, 256, "%s", url.p);
	buf_deinit(&url);
	wire_request_deinit(&r);
	profile_deinit(&profiles);
	json_decref(params);
}

static void test_endpoints(void **state)
{
	(void)state;
	static const struct {
		const char *variable, *service, *operation, *params, *region, *url, *signing;
	} cases[] = {
		{ "A=", "ec2", "DescribeVpcs", "{}", "eu-west-1",
			"https://ec2.eu-west-1.amazonaws.com/", "eu-west-1" },
		{ "A=", "elbv2", "DescribeRules", "{}", "cn-north-1",
			"https://elasticloadbalancing.cn-north-1.amazonaws.com.cn/",
			"cn-north-1" },
		{ "A=", "iam", "ListUsers", "{}", "eu-west-1", "https://iam.amazonaws.com/",
			"us-east-1" },
		{ "A=", "iam", "ListUsers", "{}", "us-gov-east-1",
			"https://iam.us-gov.amazonaws.com/", "us-gov-west-1" },
		{ "A=", "organizations", "ListRoots", "{}", "cn-north-1",
			"https://organizations.cn-northwest-1.amazonaws.com.cn/",
			"cn-northwest-1" },
		{ "AWS_USE_FIPS_ENDPOINT=true", "kms", "ListKeys", "{}", "us-east-1",
			"https://kms-fips.us-east-1.amazonaws.com/", "us-east-1" },
		{ "AWS_USE_DUALSTACK_ENDPOINT=true", "s3", "GetObject",
			"{\"Bucket\":\"my-logs\",\"Key\":\"a/b c\"}", "eu-west-1",
			"https://my-logs.s3.dualstack.eu-west-1.amazonaws.com/a/b%20c",
			"eu-west-1" },
		{ "A=", "s3", "ListObjectsV2", "{\"Bucket\":\"my-logs\"}", "us-east-1",
			"https://my-logs.s3.us-east-1.amazonaws.com/?list-type=2",
			"us-east-1" },
		/* a dot would break the certificate, capitals the host name */
		{ "A=", "s3", "GetObject", "{\"Bucket\":\"my.logs\",\"Key\":\"k\"}",
			"eu-west-1", "https://s3.eu-west-1.amazonaws.com/my.logs/k",
			"eu-west-1" },
		{ "A=", "s3", "GetObject", "{\"Bucket\":\"MyLogs\",\"Key\":\"k\"}", "eu-west-1",
			"https://s3.eu-west-1.amazonaws.com/MyLogs/k", "eu-west-1" },
		{ "AWS_ENDPOINT_URL=http://127.0.0.1:5000/base/", "s3", "GetObject",
			"{\"Bucket\":\"my-logs\",\"Key\":\"k\"}", "eu-west-1",
			"http://127.0.0.1:5000/base/my-logs/k", "eu-west-1" },
		{ "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2=http://h:1", "elbv2",
			"DescribeRules", "{}", "eu-west-1", "http://h:1/", "eu-west-1" },
		{ "AWS_ENDPOINT_URL_EVENTBRIDGE=http://h:2", "events", "ListRules", "{}",
			"eu-west-1", "http://h:2/", "eu-west-1" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char url[256], signing[64];
		struct stub_env env;
		const char *vars[] = { "HOME=/nonexistent", cases[i].variable, NULL };
		stub_env_init(&env, NOW, vars);
		host_of(&env, cases[i].service, cases[i].operation, cases[i].params,
			cases[i].region, url, signing);
		assert_string_equal(url, cases[i].url);
		assert_string_equal(signing, cases[i].signing);
	}
}

/* A region comes from a finding, so it is not to be trusted to be a host label. */
static void test_hostile_region(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "eu-west-1.evil.example/", "EU", "a b", "x@y" };
	struct model_call c;
	struct profile_set none = { 0 };
	struct stub_env env;
	stub_env_init(&env, NOW, NULL);
	struct endpoint_rules rules = { &env.base, &none, NULL };
	assert_true(model_find(&model_table, "ec2", "DescribeVpcs", &c));
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct wire_request r;
		char signing[64];
		wire_request_init(&r);
		assert_int_equal(
			endpoint_apply(&rules, &c, bad[i], &r, signing, NULL), ERR_CONFIG);
		wire_request_deinit(&r);
	}
}

static void test_validation(void **state)
{
	(void)state;
	static const struct {
		const char *service, *operation, *params, *words;
	} cases[] = {
		{ "ec2", "DescribeInstances",
			"{\"Filters\":[{\"Name\":\"a\"},{\"Nme\":\"b\"}]}", "Filters[1].Nme" },
		{ "ec2", "DescribeInstances", "{\"filters\":[]}", "did you mean Filters?" },
		{ "dynamodb", "PutItem", "{\"TableName\":\"t\",\"Item\":{\"id\":{\"X\":1}}}",
			"Item.id.X" },
		{ "kms", "Sign",
			"{\"KeyId\":\"k\",\"SigningAlgorithm\":\"a\",\"Message\":\"*\"}",
			"Message must be a base64" },
		{ "cloudtrail", "LookupEvents", "{\"StartTime\":\"today\"}",
			"StartTime must be a time" },
		{ "s3", "GetObject", "{\"Bucket\":\"b\"}", "Key is required" },
		{ "sts", "GetCallerIdentity", "[]", "must be an object" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct model_call c;
		struct err e = { 0 };
		json_t *params = json_loads(cases[i].params, 0, NULL);
		assert_true(model_find(&model_table, cases[i].service, cases[i].operation, &c));
		assert_int_equal(validate_params(&c, params, &e), ERR_USAGE);
		assert_non_null(strstr(e.msg, cases[i].words));
		json_decref(params);
	}
}

/* A header can't be smuggled in, a path label can't be empty. */
static void test_hostile_parameters(void **state)
{
	(void)state;
	static const char *const cases[] = { "{\"Bucket\":\"b\",\"Key\":\"\"}",
		"{\"Bucket\":\"b\",\"Key\":\"k\",\"ContentType\":\"a\\r\\nX-Evil: 1\"}",
		"{\"Bucket\":\"b\",\"Key\":\"k\",\"Metadata\":{\"a: b\":\"c\"}}",
		"{\"Bucket\":\"b\",\"Key\":\"k\",\"Metadata\":{\"a\":\"b\\nc\"}}" };
	struct model_call c;
	assert_true(model_find(&model_table, "s3", "PutObject", &c));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wire_request r;
		json_t *params = json_loads(cases[i], 0, NULL);
		wire_request_init(&r);
		assert_int_equal(proto_build(&c, params, &r, NULL), ERR_USAGE);
		wire_request_deinit(&r);
		json_decref(params);
	}
}

static void test_retry_parts(void **state)
{
	(void)state;
	struct stub_env env;
	struct wire_response r;
	int64_t skew;
	stub_env_init(&env, NOW, NULL);
	wire_response_init(&r, 10);
	const struct retry_failed first = { .attempt = 1 };
	for (int attempt = 1; attempt < 30; attempt++) {
		const struct retry_failed f = { .attempt = attempt, .throttled = true };
		assert_in_range(retry_delay_ms(&env.base, &f, &r), 0, 20000);
	}
	wire_set(&r.headers, "Retry-After", STR("86400"));
	assert_int_equal(retry_delay_ms(&env.base, &first, &r), 60000);
	wire_set(&r.headers, "Retry-After", STR("Sat, 01 Aug 2026 10:00:07 GMT"));
	assert_int_equal(retry_delay_ms(&env.base, &first, &r), 7000);
	wire_set(&r.headers, "x-amz-retry-after", STR("2500"));
	assert_int_equal(retry_delay_ms(&env.base, &first, &r), 2500);
	wire_set(&r.headers, "x-amz-retry-after", STR("60000"));
	assert_in_range(retry_delay_ms(&env.base, &first, &r), 5000, 5050);
	assert_false(retry_skew_ms(&env.base, &r, &skew));
	wire_response_deinit(&r);
}

static void check_jitter(const struct retry_failed *f, int64_t ceiling)
{
	struct stub_env env;
	struct wire_response r;
	int64_t least = INT64_MAX, most = 0, sum = 0;
	stub_env_init(&env, NOW, NULL);
	wire_response_init(&r, 10);
	for (int k = 0; k < 2000; k++) {
		int64_t ms = retry_delay_ms(&env.base, f, &r);
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
		sum += ms;
	}
	/* Of two thousand even draws: the odds of leaving these bounds are below 1e-6. */
	assert_true(least <= ceiling / 50);
	assert_true(most >= ceiling - ceiling / 50 - 1 && most <= ceiling);
	assert_in_range(sum / 2000, ceiling * 45 / 100, ceiling * 54 / 100);
	wire_response_deinit(&r);
}

/* Full jitter: anything from nothing to the ceiling, which doubles up to twenty seconds. */
static void test_jitter(void **state)
{
	(void)state;
	static const int64_t throttled[] = { 1000, 2000, 4000, 8000, 16000, 20000, 20000 };
	for (size_t i = 0; i < COUNT(throttled); i++) {
		const int n = (int)i + 1;
		check_jitter(&(struct retry_failed){ n, true, false }, throttled[i]);
		check_jitter(&(struct retry_failed){ n, true, true }, throttled[i]);
		check_jitter(&(struct retry_failed){ n, false, false }, INT64_C(50) << i);
		check_jitter(&(struct retry_failed){ n, false, true }, INT64_C(25) << i);
	}
	check_jitter(&(struct retry_failed){ 20, false, false }, 20000);
}

static void test_quota(void **state)
{
	(void)state;
	struct retry_bucket *b = retry_bucket_new();
	int paid = 0;
	while (retry_take(b, false)) {
		paid++;
	}
	assert_int_equal(paid, 35); /* fourteen of five hundred each; ten are left */
	assert_true(retry_take(b, true));
	assert_true(retry_take(b, true)); /* throttled: five */
	assert_false(retry_take(b, true));
	for (int i = 0; i < 5; i++) {
		retry_give(b, 0); /* a call that needed no retry gives one */
	}
	assert_true(retry_take(b, true));
	retry_give(b, retry_price(false)); /* one that did gives it back */
	assert_true(retry_take(b, false));
	for (int i = 0; i < 1000; i++) {
		retry_give(b, 10);
	}
	for (paid = 0; retry_take(b, true); paid++) {
	}
	assert_int_equal(paid, 100); /* never more than five hundred */
	retry_bucket_free(b);
	assert_int_equal(retry_attempts(false), 3);
	assert_int_equal(retry_attempts(true), 4);
}

static void test_pages(void **state)
{
	(void)state;
	char a[600], b[600], c[600];
	const struct stub_answer answers[] = {
		{ .text = stub_text(a, sizeof(a), "200 OK", "",
			  "<R><ListUsersResult><Users><member><UserName>a</UserName></member></"
			  "Users>"
			  "<IsTruncated>true</IsTruncated><Marker>m1</Marker></"
			  "ListUsersResult></R>") },
		{ .text = stub_text(b, sizeof(b), "200 OK", "",
			  "<R><ListUsersResult><Users><member><UserName>b</UserName></member></"
			  "Users>"
			  "<IsTruncated>true</IsTruncated><Marker>m2</Marker></"
			  "ListUsersResult></R>") },
		{ .text = stub_text(c, sizeof(c), "200 OK", "",
			  "<R><ListUsersResult><Users/><IsTruncated>false</IsTruncated>"
			  "</ListUsersResult></R>") },
	};
	struct stub stub;
	struct stub_env env;
	char endpoint[96];
	const char *vars[] = { "AWS_ACCESS_KEY_ID=A", "AWS_SECRET_ACCESS_KEY=s",
		"AWS_REGION=eu-west-1", endpoint, NULL };
	struct aws_client *client = NULL;
	struct aws_options none = { 0 };
	struct aws_stats stats;
	struct err e = { 0 };
	json_t *all = NULL;
	stub_start(&stub, answers, 3);
	(void)snprintf(endpoint, sizeof(endpoint), "AWS_ENDPOINT_URL=%s", stub.url);
	stub_env_init(&env, NOW, vars);
	assert_int_equal(aws_client_new(&env.base, &none, &client, NULL), ERR_OK);
	assert_int_equal(
		aws_call_paged(client, "iam", "ListUsers", NULL, 0, &all, NULL), ERR_OK);
	assert_int_equal(json_array_size(json_object_get(all, "Users")), 2);
	assert_null(json_object_get(all, "Marker"));
	assert_false(doc_true(all, "IsTruncated"));
	assert_non_null(strstr(stub.requests[2], "&Marker=m2"));
	aws_client_stats(client, &stats);
	assert_int_equal(stats.rounds, 3);
	json_decref(all);
	aws_client_free(client);
	stub_stop(&stub);
	/* A server that gives the same token for ever, and a caller's ceiling. */
	stub_start(&stub, answers, 1);
	(void)snprintf(endpoint, sizeof(endpoint), "AWS_ENDPOINT_URL=%s", stub.url);
	assert_int_equal(aws_client_new(&env.base, &none, &client, NULL), ERR_OK);
	assert_int_equal(aws_call_paged(client, "iam", "ListUsers", NULL, 0, &all, &e), ERR_OK);
	assert_int_equal(stub_requests(&stub), 2);
	json_decref(all);
	assert_int_equal(
		aws_call_paged(client, "iam", "ListUsers", NULL, 1, &all, &e), ERR_LIMIT);
	aws_client_free(client);
	stub_stop(&stub);
}

static void test_model_facts(void **state)
{
	(void)state;
	assert_true(aws_operation_known("ec2", "RunInstances"));
	assert_false(aws_operation_known("ec2", "RunInstance"));
	assert_false(aws_operation_known("nope", "RunInstances"));
	assert_true(aws_operation_mutating("ec2", "RunInstances"));
	assert_false(aws_operation_mutating("ec2", "DescribeInstances"));
	assert_string_equal(aws_operation_iam("s3", "ListObjectsV2"), "s3:ListBucket");
	assert_string_equal(aws_operation_iam("elbv2", "DescribeRules"),
		"elasticloadbalancing:DescribeRules");
	assert_null(aws_operation_iam("ec2", "Nothing"));
	json_t *list = aws_operations("sts");
	assert_true(json_array_size(list) >= 3);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uri),
		cmocka_unit_test(test_ini),
		cmocka_unit_test(test_xml),
		cmocka_unit_test(test_xml_refusals),
		cmocka_unit_test(test_xml_text),
		cmocka_unit_test(test_xml_names),
		cmocka_unit_test(test_xml_members),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_hostile_region),
		cmocka_unit_test(test_validation),
		cmocka_unit_test(test_hostile_parameters),
		cmocka_unit_test(test_retry_parts),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_model_facts),
	};
	return cmocka_run_group_tests_name("aws_parts", tests, NULL, NULL);
}
