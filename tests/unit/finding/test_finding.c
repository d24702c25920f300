#include "base/gz.h"
#include "finding/finding.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A small whole finding; the extra text goes in before the end. */
#define FINDING(extra)                                                                        \
	"{\"schemaVersion\":\"2.0\",\"accountId\":\"111122223333\",\"region\":\"eu-west-1\"," \
	"\"id\":\"f1\",\"arn\":\"arn:aws:guardduty:eu-west-1:111122223333:detector/d1/"       \
	"finding/f1\","                                                                       \
	"\"type\":\"Backdoor:EC2/C&CActivity.B\",\"severity\":8,\"createdAt\":"               \
	"\"2026-08-01T10:00:00Z\",\"updatedAt\":\"2026-08-01T10:01:00.5Z\"" extra "}"
#define RESOURCE                                                                               \
	",\"resource\":{\"resourceType\":\"Instance\",\"instanceDetails\":{\"instanceId\":"    \
	"\"i-0a1b2c3d4e5f67890\",\"iamInstanceProfile\":{\"arn\":\"arn:aws:iam::111122223333:" \
	"instance-profile/web/"                                                                \
	"front\"},\"networkInterfaces\":[{\"vpcId\":\"vpc-1\",\"subnetId\":"                   \
	"\"subnet-1\",\"publicIp\":\"203.0.113.25\",\"privateIpAddress\":\"10.0.1.17\"}],"     \
	"\"tags\":[{\"key\":\"Environment\",\"value\":\"test\"},{\"key\":\"empty\"}]}}"
#define SERVICE                                                                              \
	",\"service\":{\"resourceRole\":\"ACTOR\",\"count\":3,\"eventFirstSeen\":"           \
	"\"2026-08-01T09:00:00Z\",\"action\":{\"actionType\":\"NETWORK_CONNECTION\","        \
	"\"networkConnectionAction\":{\"connectionDirection\":\"OUTBOUND\","                 \
	"\"remoteIpDetails\":"                                                               \
	"{\"ipAddressV4\":\"198.51.100.77\",\"organization\":{\"asn\":\"64500\",\"asnOrg\":" \
	"\"Example\"},\"country\":{\"countryName\":\"Netherlands\"}},\"remotePortDetails\":" \
	"{\"port\":443}}}}"

static struct finding_set read_ok(struct str data)
{
	struct finding_set set;
	struct err e = { 0 };
	if (finding_read(data, &set, &e) != ERR_OK) {
		fail_msg("%s", e.msg);
	}
	return set;
}

/* Reads exactly one finding; freed by finding_free. */
static struct finding *read_one(const char *text)
{
	struct finding_set set = read_ok(str_from(text));
	assert_int_equal(set.n, 1);
	struct finding *f = set.items[0];
	set.items[0] = NULL;
	finding_set_deinit(&set);
	return f;
}

static void assert_refused(struct str data, enum err_status status, const char *reason)
{
	struct finding_set set;
	struct err e = { 0 };
	assert_int_equal(finding_read(data, &set, &e), status);
	if (strstr(e.msg, reason) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", reason, e.msg);
	}
}

static void fields_of_a_network_finding(void **state)
{
	(void)state;
	struct finding *f = read_one(FINDING(RESOURCE SERVICE));
	assert_int_equal(f->shape, FINDING_GUARDDUTY);
	assert_str_is(f->type, "Backdoor:EC2/C&CActivity.B");
	assert_str_is(f->account, "111122223333");
	assert_str_is(f->partition, "aws");
	assert_true(f->severity > 7.9 && f->severity < 8.1);
	assert_int_equal(f->created_ms, 1785578400000);
	assert_int_equal(f->updated_ms, 1785578460500);
	assert_int_equal(f->first_seen_ms, 1785574800000);
	assert_int_equal(f->last_seen_ms, 0);
	assert_int_equal(f->count, 3);
	assert_int_equal(f->role, FINDING_ROLE_ACTOR);
	assert_false(f->sample || f->archived || f->posture);
	assert_str_is(f->direction, "OUTBOUND");
	assert_int_equal(f->n_resources, 1);
	const struct finding_resource *r = &f->resources[0];
	assert_int_equal(r->kind, FINDING_INSTANCE);
	assert_str_is(r->id, "i-0a1b2c3d4e5f67890");
	assert_str_is(r->instance_profile_arn,
		"arn:aws:iam::111122223333:instance-profile/web/front");
	assert_str_is(r->vpc_id, "vpc-1");
	assert_str_is(r->subnet_id, "subnet-1");
	assert_str_is(r->public_ip, "203.0.113.25");
	assert_str_is(r->private_ip, "10.0.1.17");
	assert_string_equal(json_string_value(json_object_get(r->tags, "Environment")), "test");
	assert_string_equal(json_string_value(json_object_get(r->tags, "empty")), "");
	assert_int_equal(f->n_actors, 1);
	assert_str_is(f->actors[0].ip, "198.51.100.77");
	assert_str_is(f->actors[0].country, "Netherlands");
	assert_str_is(f->actors[0].org, "Example");
	assert_int_equal(f->actors[0].asn, 64500);
	assert_int_equal(f->actors[0].port, 443);
	json_t *out = finding_json(f);
	assert_string_equal(doc_text(out, "role"), "ACTOR");
	assert_string_equal(doc_text(out, "resources[0].kind"), "Instance");
	assert_string_equal(doc_text(out, "actor_ips[0]"), "198.51.100.77");
	assert_true(json_is_false(json_object_get(out, "sample")));
	json_decref(out);
	finding_free(f);
}

static void sdk_spelling_reads_the_same(void **state)
{
	(void)state;
	struct finding *f = read_one(
		"{\"AccountId\":\"111122223333\",\"Arn\":\"arn:aws:guardduty:eu-west-1:"
		"111122223333:detector/d/finding/f9\",\"Type\":\"UnauthorizedAccess:IAMUser/"
		"TorIPCaller\","
		"\"Severity\":5.5,\"Resource\":{\"ResourceType\":\"AccessKey\","
		"\"AccessKeyDetails\":"
		"{\"AccessKeyId\":\"AKIAIOSFODNN7EXAMPLE\",\"PrincipalId\":\"AIDAX\","
		"\"UserName\":\"ann\","
		"\"UserType\":\"IAMUser\"}},\"Service\":{\"ResourceRole\":\"TARGET\","
		"\"Action\":"
		"{\"ActionType\":\"AWS_API_CALL\",\"AwsApiCallAction\":{\"Api\":\"ListUsers\","
		"\"ServiceName\":\"iam.amazonaws.com\",\"UserAgent\":\"x\",\"RemoteIpDetails\":"
		"{\"IpAddressV6\":\"2001:db8::7\"}}}}}");
	assert_str_is(f->id, "f9"); /* from the ARN */
	assert_str_is(f->region, "eu-west-1");
	assert_int_equal(f->role, FINDING_ROLE_TARGET);
	assert_str_is(f->api, "ListUsers");
	assert_str_is(f->service_name, "iam.amazonaws.com");
	assert_str_is(f->user_agent, "x");
	assert_str_is(f->resources[0].id, "AKIAIOSFODNN7EXAMPLE");
	assert_str_is(f->resources[0].user_name, "ann");
	assert_str_is(f->actors[0].ip, "2001:db8::7");
	finding_free(f);
}

static void instance_is_recovered_from_a_role_session(void **state)
{
	(void)state;
#define KEY(principal)                                                                 \
	FINDING(",\"resource\":{\"resourceType\":\"AccessKey\",\"accessKeyDetails\":{" \
		"\"accessKeyId\":\"ASIAX\",\"userName\":\"web-role\",\"userType\":"    \
		"\"AssumedRole\","                                                     \
		"\"principalId\":\"" principal "\"}}")
	struct finding *f = read_one(KEY("AROAX:i-0a1b2c3d4e5f67890"));
	assert_int_equal(f->n_resources, 2);
	assert_int_equal(f->resources[0].kind, FINDING_ACCESS_KEY);
	assert_str_is(f->resources[0].instance_id, "i-0a1b2c3d4e5f67890");
	assert_str_is(f->resources[0].user_name, "web-role");
	assert_int_equal(f->resources[1].kind, FINDING_INSTANCE);
	assert_str_is(f->resources[1].id, "i-0a1b2c3d4e5f67890");
	finding_free(f);
	/* Session names are chosen by whoever assumes the role: only the exact form counts. */
	static const char *const others[] = { KEY("AROAX:i-0a1b2c3d4e5f67890; rm"),
		KEY("AROAX:i-XYZ"), KEY("AROAX:"), KEY("AROAX"),
		KEY("AROAX:i-0a1b2c3d4e5f678901234") };
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		f = read_one(others[i]);
		assert_int_equal(f->n_resources, 1);
		assert_int_equal(f->resources[0].instance_id.n, 0);
		finding_free(f);
	}
}

static void kind_of_principal_is_settled(void **state)
{
	(void)state;
#define WHO(id, principal, type)                                                               \
	FINDING(",\"resource\":{\"accessKeyDetails\":{\"accessKeyId\":\"" id                   \
		"\",\"userName\":\"n\",\"principalId\":\"" principal "\",\"userType\":\"" type \
		"\"}}")
	static const struct {
		const char *text, *type;
	} cases[] = {
		{ WHO("AKIAX", "AIDAX", ""), "IAMUser" },
		{ WHO("ASIAX", "AIDAX", ""), "IAMUser" },
		{ WHO("ASIAX", "AROAX:s", ""), "AssumedRole" },
		{ WHO("ASIAX", "AROAX:s", "Role"), "AssumedRole" },
		{ WHO("AKIAX", "", ""), "IAMUser" },
		{ WHO("AKIAX", "111122223333", "Root"), "Root" },
		{ WHO("ASIAX", "", ""), "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct finding *f = read_one(cases[i].text);
		if (!str_is(f->resources[0].user_type, cases[i].type)) {
			fail_msg("case %zu", i);
		}
		finding_free(f);
	}
}

static void addresses_are_validated(void **state)
{
	(void)state;
#define PROBES(a, b)                                                                           \
	FINDING(",\"service\":{\"action\":{\"actionType\":\"PORT_PROBE\",\"portProbeAction\":" \
		"{"                                                                            \
		"\"portProbeDetails\":[{\"remoteIpDetails\":{\"ipAddressV4\":\"" a "\"}},"     \
		"{\"remoteIpDetails\":{\"ipAddressV4\":\"" b "\"}}]}}}")
	struct finding *f = read_one(PROBES("198.51.100.1", "198.51.100.2"));
	assert_int_equal(f->n_actors, 2);
	finding_free(f);
	f = read_one(PROBES("198.51.100.1", "198.51.100.1"));
	assert_int_equal(f->n_actors, 1);
	finding_free(f);
	f = read_one(PROBES("111.11.000.1", "1.2.3.4/8"));
	assert_int_equal(f->n_actors, 0);
	finding_free(f);
	f = read_one(PROBES("$(reboot)", "1.2.3.4\\u0000x"));
	assert_int_equal(f->n_actors, 0);
	finding_free(f);
}

static void dns_findings_give_a_domain(void **state)
{
	(void)state;
	struct finding *f =
		read_one(FINDING(",\"service\":{\"action\":{\"actionType\":\"DNS_REQUEST\","
				 "\"dnsRequestAction\":{\"domain\":\"evil.example\"}}}"));
	assert_int_equal(f->n_actors, 1);
	assert_str_is(f->actors[0].domain, "evil.example");
	assert_int_equal(f->actors[0].ip.n, 0);
	json_t *out = finding_json(f);
	assert_int_equal(json_array_size(json_object_get(out, "actor_ips")), 0);
	json_decref(out);
	finding_free(f);
}

static void samples_are_known_in_all_their_forms(void **state)
{
	(void)state;
	static const char *const samples[] = {
		FINDING(",\"service\":{\"additionalInfo\":{\"sample\":true}}"),
		FINDING(",\"service\":{\"additionalInfo\":{\"value\":\"{\\\"sample\\\":true}\"}"
			"}"),
		FINDING(",\"resource\":{\"resourceType\":\"AccessKey\",\"accessKeyDetails\":"
			"{\"accessKeyId\":\"GeneratedFindingAccessKeyId\"}}"),
	};
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		struct finding *f = read_one(samples[i]);
		assert_true(f->sample);
		finding_free(f);
	}
	/* An intruder picks user, bucket and session names; they must not switch the response off. */
	static const char *const real[] = {
		FINDING(",\"resource\":{\"resourceType\":\"AccessKey\",\"accessKeyDetails\":"
			"{\"accessKeyId\":\"AKIAX\",\"userName\":\"GeneratedFindingUserName\","
			"\"principalId\":\"AROAX:GeneratedFindingPrincipalId\"}}"),
		FINDING(",\"service\":{\"additionalInfo\":{\"value\":\"{\\\"sample\\\":\"}}"),
		FINDING(",\"service\":{\"additionalInfo\":{\"value\":\"{\\\"x\\\":{"
			"\\\"sample\\\":true}}\"}}"),
		FINDING(",\"service\":{\"additionalInfo\":{\"sample\":false}}"),
	};
	for (size_t i = 0; i < sizeof(real) / sizeof(*real); i++) {
		struct finding *f = read_one(real[i]);
		assert_false(f->sample);
		finding_free(f);
	}
}

static void sequences_bring_resources_actors_and_signals(void **state)
{
	(void)state;
	struct finding *f = read_one(FINDING(
		",\"resource\":{\"resourceType\":\"AttackSequence\"},\"service\":{"
		"\"detection\":"
		"{\"sequence\":{\"uid\":\"s\",\"actors\":[{\"user\":{\"name\":\"deploy\","
		"\"uid\":\"AIDAX\","
		"\"type\":\"IAMUser\",\"credentialUid\":\"AKIAX\"}}],\"resources\":["
		"{\"uid\":\"arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f67890\","
		"\"resourceType\":\"EC2_INSTANCE\",\"tags\":[{\"key\":\"a\",\"value\":\"b\"}],"
		"\"data\":"
		"{\"ec2Instance\":{\"IamInstanceProfile\":{\"arn\":\"arn:p\"}}}},"
		"{\"uid\":\"arn:aws:s3:::data/2026/x.csv\",\"resourceType\":\"S3_OBJECT\"},"
		"{\"uid\":\"arn:aws:s3:::data\",\"resourceType\":\"S3_BUCKET\",\"data\":{"
		"\"s3Bucket\":"
		"{\"effectivePermission\":\"PUBLIC\"}}},"
		"{\"uid\":\"arn:aws:ec2:eu-west-1:111122223333:vpc/"
		"vpc-1\",\"resourceType\":\"EC2_VPC\"}],"
		"\"endpoints\":[{\"ip\":\"198.51.100.77\",\"port\":443,\"autonomousSystem\":"
		"{\"number\":64500,\"name\":\"Example\"}}],\"signals\":[{\"uid\":\"u1\","
		"\"name\":\"n\","
		"\"firstSeenAt\":1772330441.0,\"lastSeenAt\":1772330471.0,\"count\":2,"
		"\"severity\":8.0}]}}}"));
	assert_int_equal(f->n_resources, 5);
	assert_int_equal(f->resources[0].kind, FINDING_INSTANCE);
	assert_str_is(f->resources[0].id, "i-0a1b2c3d4e5f67890");
	assert_str_is(f->resources[0].instance_profile_arn, "arn:p");
	assert_str_is(f->resources[1].id, "data/2026/x.csv");
	assert_int_equal(f->resources[2].kind, FINDING_S3_BUCKET);
	assert_str_is(f->resources[2].id, "data");
	assert_true(f->resources[2].public_access);
	assert_int_equal(f->resources[3].kind, FINDING_OTHER);
	const struct finding_resource *key = finding_resource_of(f, FINDING_ACCESS_KEY);
	assert_non_null(key);
	assert_str_is(key->id, "AKIAX");
	assert_str_is(key->user_name, "deploy");
	assert_str_is(f->actors[0].ip, "198.51.100.77");
	assert_int_equal(f->actors[0].asn, 64500);
	assert_int_equal(f->n_signals, 1);
	assert_int_equal(f->signals[0].first_ms, 1772330441000);
	assert_int_equal(f->signals[0].count, 2);
	finding_free(f);
}

static void asff_becomes_the_finding_it_wraps(void **state)
{
	(void)state;
	struct finding_set set = read_ok(STR(
		"{\"source\":\"aws.securityhub\",\"detail-type\":\"Security Hub Findings - "
		"Imported\","
		"\"account\":\"111122223333\",\"region\":\"eu-west-1\",\"detail\":{"
		"\"findings\":[{"
		"\"SchemaVersion\":\"2018-10-08\",\"ProductArn\":\"arn:aws:securityhub:eu-west-"
		"1::"
		"product/aws/"
		"guardduty\",\"Id\":\"arn:aws:guardduty:eu-west-1:111122223333:detector/d/"
		"finding/f2\",\"AwsAccountId\":\"111122223333\",\"Types\":[\"TTPs/Discovery/"
		"Recon:EC2-PortProbeUnprotectedPort\"],\"Severity\":{\"Product\":2,"
		"\"Normalized\":20},"
		"\"UpdatedAt\":\"2026-08-01T10:00:00Z\",\"RecordState\":\"ACTIVE\","
		"\"Resources\":["
		"{\"Type\":\"AwsEc2Instance\",\"Id\":\"arn:aws:ec2:eu-west-1:111122223333:"
		"instance/"
		"i-0a1b2c3d4e5f67890\",\"Tags\":{\"env\":\"dev\"},\"Details\":{"
		"\"AwsEc2Instance\":"
		"{\"VpcId\":\"vpc-1\",\"IpV4Addresses\":[\"10.0.0.1\",\"203.0.113.9\"]}}}],"
		"\"ProductFields\":{\"aws/guardduty/service/resourceRole\":\"TARGET\","
		"\"aws/guardduty/service/count\":\"4\",\"aws/guardduty/service/action/"
		"actionType\":"
		"\"PORT_PROBE\",\"aws/guardduty/service/action/portProbeAction/"
		"portProbeDetails.0_/"
		"remoteIpDetails/ipAddressV4\":\"198.51.100.1\",\"aws/guardduty/service/action/"
		"portProbeAction/portProbeDetails.1_/remoteIpDetails/"
		"ipAddressV4\":\"198.51.100.2\","
		"\"aws/guardduty/service/a.999999_/x\":\"y\",\"aws/guardduty/service///"
		"\":\"z\"}}]}}"));
	assert_int_equal(set.n, 1);
	const struct finding *f = set.items[0];
	assert_int_equal(f->shape, FINDING_ASFF);
	assert_str_is(f->type, "Recon:EC2/PortProbeUnprotectedPort");
	assert_str_is(f->id, "f2");
	assert_int_equal(f->role, FINDING_ROLE_TARGET);
	assert_int_equal(f->count, 4);
	assert_int_equal(f->n_actors, 2);
	assert_str_is(f->resources[0].id, "i-0a1b2c3d4e5f67890");
	assert_str_is(f->resources[0].public_ip, "203.0.113.9");
	assert_str_is(f->resources[0].private_ip, "10.0.0.1");
	assert_string_equal(
		json_string_value(json_object_get(f->resources[0].tags, "env")), "dev");
	assert_false(f->posture);
	finding_set_deinit(&set);
}

static void transports_are_unwrapped(void **state)
{
	(void)state;
#define INNER "{\\\"type\\\":\\\"A:EC2/B\\\",\\\"severity\\\":5,\\\"id\\\":\\\"x\\\"}"
	static const struct {
		const char *text;
		size_t n, not_findings, rejected;
	} cases[] = {
		{ FINDING(""), 1, 0, 0 },
		{ "[" FINDING("") "," FINDING("") "]", 2, 0, 0 },
		{ "{\"Findings\":[" FINDING("") "]}", 1, 0, 0 },
		{ FINDING("") "\n\n" FINDING("") "\r\n", 2, 0, 0 },
		{ FINDING("") "\nbroken\n" FINDING(""), 2, 0, 1 },
		{ "{\"detail-type\":\"GuardDuty "
		  "Finding\",\"source\":\"aws.guardduty\",\"detail\":" FINDING("") "}",
			1, 0, 0 },
		{ "{\"detail-type\":\"GuardDuty Runtime Protection Unhealthy\",\"source\":"
		  "\"aws.guardduty\",\"detail\":{}}",
			0, 1, 0 },
		{ "{\"detail-type\":\"Security Hub Insight "
		  "Results\",\"source\":\"aws.securityhub\","
		  "\"detail\":{\"a\":1}}",
			0, 1, 0 },
		{ "{\"Records\":[{\"body\":\"" INNER "\"},{\"body\":\"oops\"}]}", 1, 0, 1 },
		{ "{\"Messages\":[{\"Body\":\"" INNER "\"}]}", 1, 0, 0 },
		{ "{\"Type\":\"Notification\",\"Message\":\"" INNER "\"}", 1, 0, 0 },
		{ "{\"Records\":[{\"Sns\":{\"Message\":\"" INNER "\"}}]}", 1, 0, 0 },
		{ "\xEF\xBB\xBF" FINDING(""), 1, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct finding_set set = read_ok(str_from(cases[i].text));
		assert_int_equal(set.n, cases[i].n);
		assert_int_equal(set.not_findings, cases[i].not_findings);
		assert_int_equal(json_array_size(set.rejected), cases[i].rejected);
		finding_set_deinit(&set);
	}
}

static void what_is_no_finding_is_refused_with_a_reason(void **state)
{
	(void)state;
	assert_refused(STR(""), ERR_INPUT, "JSON");
	assert_refused(STR("hello"), ERR_INPUT, "JSON");
	assert_refused(STR("{\"a\":"), ERR_INPUT, "line 1");
	assert_refused(STR("{\n \"type\": \"A:EC2/B\",\n \"sever"), ERR_INPUT, "line 3");
	assert_refused(STR("[]"), ERR_INPUT, "empty");
	assert_refused(STR("3"), ERR_INPUT, "neither an object nor a list");
	assert_refused(STR("{\"a\":1}"), ERR_INPUT, "not a finding");
	assert_refused(STR("{\"type\":7,\"resource\":{\"resourceType\":\"Instance\"}}"),
		ERR_INPUT, "type is not a text");
	assert_refused(
		STR("{\"source\":\"aws.ec2\",\"detail-type\":\"EC2 Instance State-change "
		    "Notification\",\"detail\":{\"state\":\"running\"}}"),
		ERR_INPUT, "aws.ec2");
	assert_refused(STR("{\"type\":\"A:EC2/B\",\"type\":\"C:EC2/D\",\"severity\":5}"),
		ERR_INPUT, "duplicate");
	char deep[3000];
	memset(deep, '[', sizeof(deep));
	assert_refused((struct str){ deep, sizeof(deep) }, ERR_LIMIT, "deep");
	assert_refused(
		STR("[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]"), ERR_INPUT, "too many times");
	/* Every way to cut a good finding short. */
	const char *good = FINDING(RESOURCE SERVICE);
	for (size_t n = 0; n < strlen(good); n += 7) {
		struct finding_set set;
		assert_int_not_equal(finding_read((struct str){ good, n }, &set, NULL), ERR_OK);
	}
}

static void size_and_count_have_ceilings(void **state)
{
	(void)state;
	const size_t big = 50u * 1024 * 1024;
	char *p = malloc(big);
	assert_non_null(p);
	memset(p, ' ', big);
	assert_refused((struct str){ p, big }, ERR_LIMIT, "16 MiB");
	struct buf gz;
	buf_init(&gz, big);
	assert_int_equal(gz_deflate((struct str){ p, big }, &gz, NULL), ERR_OK);
	struct finding_set set;
	assert_int_equal(finding_read(buf_view(&gz), &set, NULL), ERR_LIMIT);
	/* gzip cut short */
	buf_reset(&gz);
	assert_int_equal(gz_deflate(STR(FINDING("")), &gz, NULL), ERR_OK);
	assert_int_equal(
		finding_read(str_sub(buf_view(&gz), 0, gz.n / 2), &set, NULL), ERR_INPUT);
	buf_deinit(&gz);
	free(p);
	struct buf many;
	buf_init(&many, FINDING_MAX_BYTES);
	for (size_t i = 0; i <= FINDING_MAX_PARTS; i++) {
		buf_puts(&many, "{\"type\":\"A:EC2/B\",\"severity\":1}\n");
	}
	assert_refused(buf_view(&many), ERR_LIMIT, "10000");
	buf_reset(&many);
	for (size_t i = 0; i <= FINDING_MAX_PARTS; i++) {
		buf_puts(&many, "x\n");
	}
	assert_refused(buf_view(&many), ERR_LIMIT, "10000");
	buf_deinit(&many);
}

static void too_many_resources_are_counted_not_forgotten(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, FINDING_MAX_BYTES);
	buf_puts(&b, "{\"type\":\"A:S3/B\",\"severity\":1,\"resource\":{\"s3BucketDetails\":[");
	for (int i = 0; i < FINDING_MAX_RESOURCES + 5; i++) {
		buf_printf(&b, "%s{\"name\":\"b%d\"}", i ? "," : "", i);
	}
	buf_puts(&b, "]}}");
	struct finding_set set = read_ok(buf_view(&b));
	assert_int_equal(set.items[0]->n_resources, FINDING_MAX_RESOURCES);
	assert_int_equal(set.items[0]->dropped, 5);
	assert_str_is(set.items[0]->resources[FINDING_MAX_RESOURCES - 1].id, "b999");
	finding_set_deinit(&set);
	buf_deinit(&b);
}

static void identifiers_are_never_cut(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, FINDING_MAX_BYTES);
	buf_puts(&b, "{\"type\":\"A:EC2/B\",\"severity\":1,\"resource\":{\"resourceType\":"
		     "\"Instance\",\"instanceDetails\":{\"instanceId\":\"i-");
	for (int i = 0; i < FINDING_MAX_ID; i++) {
		buf_putc(&b, '0');
	}
	buf_puts(&b, "\"}},\"description\":\"");
	for (int i = 0; i < FINDING_MAX_TEXT; i++) {
		buf_puts(&b, "\xC3\xB1");
	}
	buf_puts(&b, "\"}");
	struct finding_set set = read_ok(buf_view(&b));
	assert_int_equal(
		set.items[0]->resources[0].id.n, 0); /* a cut id would name another one */
	assert_int_equal(set.items[0]->description.n, FINDING_MAX_TEXT);
	assert_true(str_is_utf8(set.items[0]->description));
	finding_set_deinit(&set);
	buf_deinit(&b);
}

static void severity_has_words(void **state)
{
	(void)state;
	assert_string_equal(finding_severity_word(0.5), "info");
	assert_string_equal(finding_severity_word(1), "low");
	assert_string_equal(finding_severity_word(3.9), "low");
	assert_string_equal(finding_severity_word(4), "medium");
	assert_string_equal(finding_severity_word(7), "high");
	assert_string_equal(finding_severity_word(8.9), "high");
	assert_string_equal(finding_severity_word(9), "critical");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_a_network_finding),
		cmocka_unit_test(sdk_spelling_reads_the_same),
		cmocka_unit_test(instance_is_recovered_from_a_role_session),
		cmocka_unit_test(kind_of_principal_is_settled),
		cmocka_unit_test(addresses_are_validated),
		cmocka_unit_test(dns_findings_give_a_domain),
		cmocka_unit_test(samples_are_known_in_all_their_forms),
		cmocka_unit_test(sequences_bring_resources_actors_and_signals),
		cmocka_unit_test(asff_becomes_the_finding_it_wraps),
		cmocka_unit_test(transports_are_unwrapped),
		cmocka_unit_test(what_is_no_finding_is_refused_with_a_reason),
		cmocka_unit_test(size_and_count_have_ceilings),
		cmocka_unit_test(too_many_resources_are_counted_not_forgotten),
		cmocka_unit_test(identifiers_are_never_cut),
		cmocka_unit_test(severity_has_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
