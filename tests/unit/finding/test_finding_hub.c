/* What Security Hub makes of a finding, in both of its formats, and what others write there. */
#include "finding/finding.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define GUARDDUTY   "arn:aws-cn:securityhub:cn-north-1::product/aws/guardduty"
#define ASFF(extra) ASFF_OF(GUARDDUTY, extra)
#define ASFF_OF(product, extra)                                                                \
	"{\"SchemaVersion\":\"2018-10-08\",\"Id\":\"arn:aws-cn:guardduty:cn-north-1:"          \
	"111122223333:detector/d/finding/f\",\"ProductArn\":\"" product                        \
	"\",\"ProductName\":\"GuardDuty\",\"AwsAccountId\":\"111122223333\",\"Types\":["       \
	"\"TTPs/X/"                                                                            \
	"Backdoor:EC2-C&CActivity.B\"],\"Resources\":[{\"Type\":\"AwsEc2Instance\",\""         \
	"Id\":\"arn:aws-cn:ec2:cn-north-1:111122223333:instance/i-0a1b2c3d4e5f67890\"}]" extra \
	"}"

static struct finding *read_one(const char *text)
{
	struct finding_set set;
	struct err e = { 0 };
	if (finding_read(str_from(text), &set, &e) != ERR_OK) {
		fail_msg("%s", e.msg);
	}
	assert_int_equal(set.n, 1);
	struct finding *f = set.items[0];
	set.items[0] = NULL;
	finding_set_deinit(&set);
	return f;
}

static void the_label_decides_the_word_of_the_severity(void **state)
{
	(void)state;
	static const struct {
		const char *severity;
		double wanted;
	} rows[] = {
		{ "{\"Product\":8,\"Label\":\"HIGH\",\"Normalized\":80}", 8 },
		{ "{\"Label\":\"LOW\",\"Normalized\":1}", 1 },
		{ "{\"Normalized\":1}", 1 },
		{ "{\"Label\":\"CRITICAL\",\"Normalized\":90}", 9 },
		{ "{\"Label\":\"HIGH\",\"Original\":\"7.5\"}", 7.5 },
		{ "{\"Label\":\"MEDIUM\"}", 5 },
		/* An automation rule of the account lowered it, or raised it. */
		{ "{\"Product\":8,\"Label\":\"LOW\",\"Normalized\":80}", 2 },
		{ "{\"Product\":2,\"Label\":\"CRITICAL\"}", 9 },
		{ "{\"Product\":1e9,\"Normalized\":-5}", 0 },
		{ "[]", 0 },
	};
	char text[2000];
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		(void)snprintf(text, sizeof(text), ASFF(",\"Severity\":%s"), rows[i].severity);
		struct finding *f = read_one(text);
		assert_true(f->severity > rows[i].wanted - 0.01 &&
			    f->severity < rows[i].wanted + 0.01);
		finding_free(f);
	}
	struct finding *f = read_one(
		ASFF(",\"FindingProviderFields\":{\"Severity\":{\"Label\":\"HIGH\"}}"));
	assert_string_equal(finding_severity_word(f->severity), "high");
	finding_free(f);
}

static void what_a_person_closed_is_closed(void **state)
{
	(void)state;
	static const char *const closed[] = {
		ASFF(",\"RecordState\":\"ARCHIVED\""),
		ASFF(",\"Workflow\":{\"Status\":\"SUPPRESSED\"}"),
		ASFF(",\"Workflow\":{\"Status\":\"RESOLVED\"}"),
		ASFF(",\"WorkflowState\":\"RESOLVED\""),
	};
	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
		struct finding *f = read_one(closed[i]);
		assert_true(f->archived);
		finding_free(f);
	}
	struct finding *f = read_one(ASFF(",\"Workflow\":{\"Status\":\"NOTIFIED\"}"));
	assert_false(f->archived);
	finding_free(f);
}

static void only_the_arn_of_the_product_is_believed(void **state)
{
	(void)state;
	/* BatchImportFindings lets an importer write any name. */
	struct finding *f = read_one(ASFF_OF(
		"arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default", ""));
	assert_true(f->foreign);
	assert_str_is(f->type, "TTPs/X/Backdoor:EC2-C&CActivity.B");
	finding_free(f);
	f = read_one(ASFF(""));
	assert_false(f->foreign);
	assert_str_is(f->type, "Backdoor:EC2/C&CActivity.B");
	finding_free(f);
}

#define OCSF(product)                                                                         \
	"{\"class_uid\":2004,\"finding_info\":{\"uid\":\"x\",\"types\":[\"Threats\","         \
	"\"Backdoor:EC2/C&CActivity.B\"]},\"metadata\":{\"product\":" product "},\"severity_" \
	"id\":4,\"resources\":[{\"type\":\"AWS::EC2::Instance\",\"uid\":"                     \
	"\"i-0a1b2c3d4e5f67890\"}]}"

static void another_product_in_ocsf_is_not_guardduty(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool foreign;
	} rows[] = {
		{ OCSF("{\"name\":\"GuardDuty\",\"uid\":\"arn:aws:securityhub:eu-west-1::"
		       "productv2/aws/guardduty\"}"),
			false },
		{ OCSF("{\"name\":\"GuardDuty\"}"), false },
		{ OCSF("{\"name\":\"GuardDuty\",\"uid\":\"arn:aws:securityhub:eu-west-1:"
		       "111122223333:productv2/somebody/else\"}"),
			true },
		{ OCSF("{\"name\":\"Scanner\"}"), true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct finding *f = read_one(rows[i].text);
		assert_int_equal(f->foreign, rows[i].foreign);
		finding_free(f);
	}
}

static void fields_that_asff_lacks_come_from_other(void **state)
{
	(void)state;
	struct finding *f = read_one(
		"{\"ProductArn\":\"" GUARDDUTY "\",\"Id\":\"x\",\"Types\":[\"TTPs/Execution:"
		"Kubernetes-ExecInKubeSystemPod\"],\"Resources\":[{\"Type\":\"AwsEksCluster\","
		"\"Id\":\"arn:aws:eks:eu-west-1:111122223333:cluster/shop\",\"Details\":{"
		"\"Other\":{\"kubernetesDetails/kubernetesUserDetails/username\":\"alice\","
		"\"kubernetesDetails/kubernetesUserDetails/sessionName\":\"[]\","
		"\"kubernetesDetails/kubernetesWorkloadDetails/namespace\":\"kube-system\"}}},"
		"{\"Type\":\"AwsLambdaFunction\",\"Id\":\"arn:aws:lambda:eu-west-1:"
		"111122223333:function:resize:7\",\"Details\":{\"AwsLambdaFunction\":{\"Role\":"
		"\"arn:aws:iam::111122223333:role/service-role/resize\"}}},"
		"{\"Type\":\"AwsEcsTask\",\"Id\":\"arn:aws:ecs:eu-west-1:111122223333:task/"
		"batch/0123\"}]}");
	const struct finding_resource *r = finding_resource_of(f, FINDING_EKS_CLUSTER);
	assert_string_equal(doc_text_or(r->about, "username", ""), "alice");
	assert_string_equal(doc_text_or(r->about, "namespace", ""), "kube-system");
	r = finding_resource_of(f, FINDING_LAMBDA);
	assert_str_is(r->id, "resize"); /* and not its version */
	assert_string_equal(doc_text_or(r->about, "role", ""), "resize");
	r = finding_resource_of(f, FINDING_ECS_CLUSTER);
	assert_str_is(r->id, "batch");
	assert_int_equal(json_array_size(json_object_get(r->about, "tasks")), 1);
	finding_free(f);
}

static void a_sequence_in_asff_brings_its_actors(void **state)
{
	(void)state;
	struct finding *f = read_one(
		ASFF(",\"Detection\":{\"Sequence\":{\"Uid\":\"s\",\"Actors\":[{\"Id\":\"a\","
		     "\"User\":{\"Name\":\"deploy\",\"Uid\":\"AIDAX\",\"Type\":\"IAMUser\","
		     "\"CredentialUid\":\"AKIAX\"}}],\"Endpoints\":[{\"Ip\":\"198.51.100.7\"}],"
		     "\"Signals\":[{\"Id\":\"arn:one\",\"FirstSeenAt\":1772330441000,"
		     "\"Count\":4}]}}"));
	const struct finding_resource *key = finding_resource_of(f, FINDING_ACCESS_KEY);
	assert_non_null(key);
	assert_str_is(key->user_name, "deploy");
	assert_str_is(f->actors[0].ip, "198.51.100.7");
	assert_str_is(f->signals[0].uid, "arn:one");
	assert_int_equal(f->signals[0].first_ms, 1772330441000);
	finding_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_label_decides_the_word_of_the_severity),
		cmocka_unit_test(what_a_person_closed_is_closed),
		cmocka_unit_test(only_the_arn_of_the_product_is_believed),
		cmocka_unit_test(another_product_in_ocsf_is_not_guardduty),
		cmocka_unit_test(fields_that_asff_lacks_come_from_other),
		cmocka_unit_test(a_sequence_in_asff_brings_its_actors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
