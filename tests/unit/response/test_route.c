/* What the shipped playbooks decide, by type, role, severity, environment and configured mode. */
#include "response/action.h"
#include "tests/unit/response/routing.h"

#include <stdlib.h>

static struct playbook_set *shipped;

#define KEY(id, principal, name, type)                                                        \
	"{\"resourceType\":\"AccessKey\",\"accessKeyDetails\":{\"accessKeyId\":\"" id         \
	"\",\"principalId\":\"" principal "\",\"userName\":\"" name "\",\"userType\":\"" type \
	"\"}}"
#define USER KEY("AKIAX", "AIDAX", "deploy", "IAMUser")
#define TASK                                                                          \
	"{\"resourceType\":\"ECSCluster\",\"ecsClusterDetails\":{\"name\":\"front\"," \
	"\"taskDetails\":{\"arn\":\"arn:aws:ecs:eu-west-1:111122223333:task/front/1\"}}}"
#define FUNCTION                                                                           \
	"{\"resourceType\":\"Lambda\",\"lambdaDetails\":{\"functionName\":\"f\",\"role\":" \
	"\"arn:aws:iam::111122223333:role/service-role/f-role\"}}"
#define DATABASE                                                         \
	"{\"resourceType\":\"RDSDBInstance\",\"rdsDbInstanceDetails\":{" \
	"\"dbInstanceIdentifier\":\"db\",\"dbClusterIdentifier\":\"orders\"}}"
#define ROLE KEY("ASIAX", "AROAX:" INSTANCE, "web-role", "AssumedRole")

static void order_of_a_compromised_instance(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct routing_case k = { .type = "Backdoor:EC2/C&CActivity.B", .severity = 9.5 };
	json_t *r = routing_route(shipped, &c, &k);
	assert_string_equal(doc_text(r, "schema"), "cordon.route/1");
	assert_string_equal(doc_text(r, "playbook"), "ec2-compromised");
	assert_string_equal(doc_text(r, "mode"), "auto");
	assert_string_equal(doc_text(r, "finding.resources[0].id"), INSTANCE);
	/* Nothing stands between the finding and the isolation. */
	assert_string_equal(doc_text(r, "steps[0].id"), "isolate-network");
	assert_int_equal(json_array_size(doc_get(r, "steps[0].needs")), 0);
	assert_string_equal(doc_text(r, "steps[0].resource.kind"), "Instance");
	assert_string_equal(doc_text(r, "steps[0].resource.id"), INSTANCE);
	assert_true(doc_true(r, "steps[0].with.endpoints"));
	/* Profile before sessions, collection before what ends it. */
	assert_true(
		routing_holds(json_object_get(routing_step(r, "revoke-role-sessions"), "needs"),
			"replace-instance-profile"));
	const json_t *imds = json_object_get(routing_step(r, "disable-imds"), "needs");
	assert_true(routing_holds(imds, "collect-console"));
	assert_true(routing_holds(imds, "isolate-host"));
	/* A host without the agent must not keep the metadata service open. */
	assert_true(routing_holds(
		json_object_get(routing_step(r, "disable-imds"), "soft"), "isolate-host"));
	const json_t *stop = routing_step(r, "stop-instance");
	assert_string_equal(doc_text(stop, "mode"), "approve");
	assert_string_equal(doc_text(stop, "with.mode"), "stop");
	assert_true(routing_holds(json_object_get(stop, "needs"), "isolate-network"));
	assert_true(routing_holds(json_object_get(stop, "needs"), "collect-console"));
	assert_false(routing_holds(json_object_get(stop, "soft"), "isolate-network"));
	assert_string_equal(doc_text(routing_step(r, "block-address"), "with.addresses[0]"),
		"198.51.100.77");
	assert_int_equal(doc_int(r, "approve.until_minutes", 0), 60);
	assert_string_equal(doc_text(r, "approve.on_expiry"), "hold");
	json_decref(r);
	k.ip = ""; /* nobody to block */
	r = routing_route(shipped, &c, &k);
	assert_null(routing_step(r, "block-address"));
	json_decref(r);
}

/* type x role x severity x environment -> playbook, mode, mode of the step that matters most. */
static void table_of_decisions(void **state)
{
	(void)state;
	static const struct {
		struct routing_case k;
		const char *playbook, *mode, *step, *step_mode;
	} cases[] = {
#define EC2(t, s, r, e) { .type = t, .severity = s, .role = r, .environment = e }
#define IAM(t, s, res)                                    \
	{                                                 \
		.type = t, .severity = s, .resource = res \
	}
#define NODE(environment)                                                                \
	"{\"resourceType\":\"Instance\",\"instanceDetails\":{\"instanceId\":\"" INSTANCE \
	"\",\"tags\":[{\"key\":\"environment\",\"value\":\"" environment                 \
	"\"},{\"key\":\"kubernetes.io/cluster/shop\",\"value\":\"owned\"}]}}"
		{ EC2("Trojan:EC2/DropPoint", 8, "TARGET", "production"), "ec2-compromised",
			"auto", "isolate-network", "auto" },
		{ EC2("Trojan:EC2/DropPoint", 5, "TARGET", "production"), "ec2-compromised",
			"auto", "isolate-network", "approve" },
		{ EC2("Trojan:EC2/DropPoint", 5, "TARGET", "test"), "ec2-compromised", "auto",
			"isolate-network", "auto" },
		{ EC2("Trojan:EC2/DropPoint", 5, "TARGET", "blue"), "ec2-compromised", "auto",
			"isolate-network", "approve" },
		{ EC2("Trojan:EC2/DropPoint", 2, "TARGET", ""), "ec2-compromised", "approve",
			"isolate-network", "notify" },
		{ EC2("Trojan:EC2/DropPoint", 2, "TARGET", "dev"), "ec2-compromised", "approve",
			"isolate-network", "approve" },
		{ EC2("Trojan:EC2/DropPoint", 0.5, "TARGET", "dev"), "ec2-compromised",
			"notify", "isolate-network", "notify" },
		{ EC2("Impact:EC2/PortSweep", 8, "ACTOR", ""), "ec2-compromised", "auto",
			"isolate-network", "auto" },
		{ EC2("Execution:Runtime/ReverseShell", 8, "TARGET", ""), "ec2-compromised",
			"auto", "isolate-network", "auto" },
		{ EC2("Execution:EC2/MaliciousFile", 8, "TARGET", ""), "ec2-compromised",
			"auto", "isolate-network", "auto" },
		{ EC2("UnauthorizedAccess:EC2/SSHBruteForce", 8, "ACTOR", ""),
			"ec2-compromised", "auto", "isolate-network", "auto" },
		{ EC2("UnauthorizedAccess:EC2/SSHBruteForce", 8, "TARGET", "test"),
			"ec2-attempted", "notify", NULL, NULL },
		{ EC2("UnauthorizedAccess:EC2/RDPBruteForce", 8, "", "test"), "ec2-compromised",
			"notify", NULL, NULL },
		{ EC2("Recon:EC2/PortProbeUnprotectedPort", 8, "TARGET", "test"),
			"ec2-attempted", "notify", NULL, NULL },
		{ EC2("Recon:EC2/PortProbeEMRUnprotectedPort", 9, "ACTOR", "test"),
			"ec2-attempted", "notify", NULL, NULL },
		{ EC2("Behavior:EC2/NetworkPortUnusual", 5, "ACTOR", "test"), "ec2-suspicious",
			"auto", "isolate-network", "approve" },
		{ EC2("UnauthorizedAccess:EC2/MaliciousIPCaller.Custom", 5, "TARGET", ""),
			"ec2-suspicious", "auto", "isolate-network", "approve" },
		{ EC2("Made:Up/Type", 9.9, "ACTOR", "test"), "unknown", "notify", NULL, NULL },
		/* A node of a cluster carries innocent pods. */
		{ IAM("Backdoor:EC2/C&CActivity.B", 9.5, NODE("production")), "cluster-node",
			"auto", "isolate-network", "approve" },
		{ IAM("Backdoor:EC2/C&CActivity.B", 8, NODE("production")), "cluster-node",
			"auto", "snapshot-volumes", "auto" },
		{ IAM("Execution:Runtime/ReverseShell", 8, NODE("test")), "cluster-node",
			"auto", "isolate-network", "auto" },
		{ IAM("Backdoor:EC2/C&CActivity.B", 8, NODE("production")), "cluster-node",
			"auto", "replace-instance-profile", "approve" },
		{ IAM("UnauthorizedAccess:IAMUser/TorIPCaller", 8, USER), "iam-credential-use",
			"auto", "disable-access-key", "auto" },
		{ IAM("UnauthorizedAccess:IAMUser/TorIPCaller", 5, USER), "iam-credential-use",
			"approve", "deny-user", "approve" },
		{ IAM("UnauthorizedAccess:IAMUser/TorIPCaller", 8, ROLE), "iam-credential-use",
			"auto", "revoke-role-sessions", "auto" },
		{ IAM("Exfiltration:IAMUser/AnomalousBehavior", 8,
			  KEY("AKIAX", "111122223333", "Root", "Root")),
			"iam-credential-use", "notify", "root-steps", "notify" },
		{ IAM("Policy:IAMUser/RootCredentialUsage", 9, USER), "iam-root", "notify",
			"root-steps", "notify" },
		{ IAM("UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", 8,
			  KEY("", "AIDAX", "ann", "IAMUser")),
			"iam-console-login", "auto", "disable-login-profile", "approve" },
		{ IAM("Stealth:IAMUser/CloudTrailLoggingDisabled", 2, USER), "logging-tampered",
			"approve", "deny-user", "approve" },
		{ IAM("Impact:IAMUser/CostHarvesting", 2, USER), "ai-protection", "approve",
			"disable-access-key", "approve" },
		{ IAM("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", 8,
			  ROLE),
			"instance-credential-theft", "auto", "revoke-role-sessions", "auto" },
		{ IAM("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration", 8, ROLE),
			"instance-credential-theft", "auto", "isolate-network", "approve" },
		{ IAM("UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS", 8,
			  KEY("ASIAX", "AROAX:fn", "fn-role", "AssumedRole")),
			"role-credential-theft", "auto", "revoke-role-sessions", "auto" },
		{ IAM("Policy:S3/BucketPublicAccessGranted", 8,
			  "{\"resourceType\":\"S3Bucket\",\"s3BucketDetails\":[{\"name\":\"b\"}"
			  "]}"),
			"s3-public", "auto", "block-bucket-public-access", "auto" },
		{ IAM("Policy:S3/BucketPublicAccessGranted", 8,
			  "{\"resourceType\":\"S3Bucket\",\"s3BucketDetails\":[{\"name\":\"b\","
			  "\"tags\":["
			  "{\"key\":\"Public\",\"value\":\"website\"}]}]}"),
			"s3-public", "notify", NULL, NULL },
		{ IAM("Policy:S3/AccountBlockPublicAccessDisabled", 2,
			  "{\"resourceType\":\"S3Bucket\",\"s3BucketDetails\":[]}"),
			"s3-public", "notify", NULL, NULL },
		{ IAM("Exfiltration:S3/AnomalousBehavior", 8,
			  "{\"resourceType\":\"S3Bucket\",\"s3BucketDetails\":[{\"name\":\"b\"}"
			  "],"
			  "\"accessKeyDetails\":{\"accessKeyId\":\"AKIAX\",\"userName\":"
			  "\"deploy\","
			  "\"userType\":\"IAMUser\",\"principalId\":\"AIDAX\"}}"),
			"s3-data-access", "auto", "deny-principal-on-bucket", "auto" },
		{ IAM("Execution:Runtime/ReverseShell", 8,
			  "{\"resourceType\":\"EKSCluster\",\"eksClusterDetails\":{\"name\":"
			  "\"c\"},"
			  "\"instanceDetails\":{\"instanceId\":\"" INSTANCE "\"}}"),
			"container-workload", "auto", "snapshot-volumes", "auto" },
		{ IAM("Execution:Runtime/ReverseShell", 8,
			  "{\"resourceType\":\"Container\",\"containerDetails\":{\"id\":\"c\"},"
			  "\"instanceDetails\":{\"instanceId\":\"" INSTANCE "\"}}"),
			"container-host", "auto", "isolate-network", "approve" },
		{ IAM("Execution:Runtime/ReverseShell", 9.5, TASK), "container-workload",
			"auto", "scale-down-service", "auto" },
		{ IAM("Execution:Runtime/ReverseShell", 8, TASK), "container-workload",
			"approve", "stop-task", "approve" },
		{ IAM("Backdoor:Lambda/C&CActivity.B", 8, FUNCTION), "lambda-compromised",
			"auto", "freeze-function", "approve" },
		{ IAM("Backdoor:Lambda/C&CActivity.B", 8, FUNCTION), "lambda-compromised",
			"auto", "revoke-role-sessions", "auto" },
		{ IAM("CredentialAccess:RDS/TorIPCaller.SuccessfulLogin", 8, DATABASE),
			"rds-intrusion", "auto", "isolate-database", "auto" },
		{ IAM("CredentialAccess:RDS/AnomalousBehavior.SuccessfulLogin", 8, DATABASE),
			"rds-intrusion", "auto", "isolate-unusual-database", "approve" },
		{ IAM("CredentialAccess:RDS/TorIPCaller.FailedLogin", 8, DATABASE),
			"rds-attempted", "notify", "narrow-access", "notify" },
		{ IAM("Execution:EC2/MaliciousFile!AMI", 8,
			  "{\"resourceType\":\"EC2Image\",\"ec2ImageDetails\":{\"imageArn\":"
			  "\"arn:aws:ec2:eu-west-1::image/ami-1\"}}"),
			"image-malware", "approve", "disable-image", "approve" },
	};
	struct config c = routing_config(CONFIG_AUTO);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *r = routing_route(shipped, &c, &cases[i].k);
		if (strcmp(doc_text_or(r, "playbook", "?"), cases[i].playbook) != 0 ||
			strcmp(doc_text_or(r, "mode", "?"), cases[i].mode) != 0) {
			fail_msg("case %zu (%s): playbook %s, mode %s", i, cases[i].k.type,
				doc_text_or(r, "playbook", "?"), doc_text_or(r, "mode", "?"));
		}
		if (cases[i].step == NULL) {
			assert_int_equal(routing_steps(r), 0);
		} else if (strcmp(routing_mode(r, cases[i].step), cases[i].step_mode) != 0) {
			fail_msg("case %zu (%s): %s is %s", i, cases[i].k.type, cases[i].step,
				routing_mode(r, cases[i].step));
		}
		json_decref(r);
	}
}

static void stolen_role_credentials_contain_role_and_instance(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct routing_case k = {
		.type = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
		.severity = 8,
		.resource = ROLE,
	};
	json_t *r = routing_route(shipped, &c, &k);
	assert_string_equal(
		doc_text(routing_step(r, "isolate-network"), "resource.id"), INSTANCE);
	assert_string_equal(
		doc_text(routing_step(r, "replace-instance-profile"), "resource.id"), INSTANCE);
	const json_t *revoke = routing_step(r, "revoke-role-sessions");
	assert_string_equal(doc_text(revoke, "resource.kind"), "AccessKey");
	assert_string_equal(doc_text(revoke, "resource.id"), "ASIAX");
	assert_string_equal(doc_text(revoke, "with.role"), "web-role");
	assert_true(
		routing_holds(json_object_get(revoke, "needs"), "replace-instance-profile"));
	json_decref(r);
}

/* What the finding says of a resource beside its id becomes the step's parameters. */
static void steps_are_given_what_the_finding_says(void **state)
{
	(void)state;
	static const struct {
		struct routing_case k;
		const char *path, *value;
	} cases[] = {
		{ { .type = "Execution:Runtime/ReverseShell", .severity = 8, .resource = TASK },
			"steps[0].with.tasks[0]",
			"arn:aws:ecs:eu-west-1:111122223333:task/front/1" },
		{ { .type = "Backdoor:Lambda/C&CActivity.B",
			  .severity = 8,
			  .resource = FUNCTION },
			"steps[0].with.role", "f-role" },
		{ { .type = "CredentialAccess:RDS/TorIPCaller.SuccessfulLogin",
			  .severity = 8,
			  .resource = DATABASE },
			"steps[0].with.cluster", "orders" },
	};
	struct config c = routing_config(CONFIG_AUTO);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *r = routing_route(shipped, &c, &cases[i].k);
		assert_string_equal(doc_text_or(r, cases[i].path, "?"), cases[i].value);
		json_decref(r);
	}
}

/* What a node carries beside the compromised pod is not taken down without asking. */
static void nodes_of_a_cluster_are_asked_for(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct routing_case cluster = { .type = "AttackSequence:EKS/CompromisedCluster",
		.severity = 9,
		.resource = "{\"resourceType\":\"AttackSequence\",\"instanceDetails\":{"
			    "\"instanceId\":\"" INSTANCE "\"},\"accessKeyDetails\":{"
			    "\"accessKeyId\":\"AKIAX\",\"userName\":\"u\",\"userType\":"
			    "\"IAMUser\"}}" };
	static const char *const felt[] = { "isolate-network", "isolate-host",
		"replace-instance-profile", "detach-from-service", "disable-imds",
		"stop-instance", "revoke-instance-role-sessions" };
	json_t *r = routing_route(shipped, &c, &cluster);
	for (size_t i = 0; i < sizeof(felt) / sizeof(*felt); i++) {
		assert_string_equal(doc_text(routing_step(r, felt[i]), "mode"), "approve");
	}
	assert_string_equal(doc_text(routing_step(r, "deny-user"), "mode"), "auto");
	assert_string_equal(doc_text(routing_step(r, "snapshot-volumes"), "mode"), "auto");
	json_decref(r);
	struct routing_case group = { .type = "AttackSequence:EC2/CompromisedInstanceGroup",
		.severity = 9,
		.resource = NODE("production") };
	r = routing_route(shipped, &c, &group);
	assert_null(routing_step(r, "isolate-network"));
	assert_null(routing_step(r, "replace-instance-profile"));
	assert_string_equal(doc_text(routing_step(r, "isolate-node"), "mode"), "approve");
	assert_non_null(routing_step(r, "node-steps"));
	json_decref(r);
}

static void several_resources_get_a_step_each(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	struct routing_case k = { .type = "AttackSequence:EC2/CompromisedInstanceGroup",
		.severity = 9,
		.resource = "{\"instanceDetails\":{\"instanceId\":\"" INSTANCE "\"},"
			    "\"s3BucketDetails\":[{\"name\":\"one\"},{\"name\":\"two\"}]}" };
	json_t *r = routing_route(shipped, &c, &k);
	assert_non_null(routing_step(r, "isolate-network"));
	assert_non_null(routing_step(r, "deny-principal-on-bucket:one"));
	assert_non_null(routing_step(r, "deny-principal-on-bucket:two"));
	assert_null(routing_step(r, "deny-principal-on-bucket"));
	json_decref(r);
	/* Two instances: a step waits for its own instance's steps, not for the other's. */
	struct routing_case two = { .type = "AttackSequence:EC2/CompromisedInstanceGroup",
		.severity = 9,
		.extra = "",
		.resource =
			"{\"instanceDetails\":{\"instanceId\":\"" INSTANCE "\"},"
			"\"accessKeyDetails\":{\"accessKeyId\":\"ASIAX\",\"userName\":\"r\","
			"\"userType\":\"AssumedRole\",\"principalId\":\"AROAX:i-"
			"0bbbbbbbbbbbbbbbb\"}}" };
	r = routing_route(shipped, &c, &two);
	const json_t *imds = routing_step(r, "disable-imds:i-0bbbbbbbbbbbbbbbb");
	assert_non_null(imds);
	assert_true(routing_holds(
		json_object_get(imds, "needs"), "collect-console:i-0bbbbbbbbbbbbbbbb"));
	assert_false(
		routing_holds(json_object_get(imds, "needs"), "collect-console:" INSTANCE));
	/* The credential's step waits for both profiles. */
	const json_t *revoke =
		json_object_get(routing_step(r, "revoke-role-sessions"), "needs");
	assert_true(routing_holds(revoke, "replace-instance-profile:" INSTANCE));
	assert_true(routing_holds(revoke, "replace-instance-profile:i-0bbbbbbbbbbbbbbbb"));
	json_decref(r);
}

static void configured_mode_narrows(void **state)
{
	(void)state;
	struct routing_case k = { .type = "Trojan:EC2/DropPoint", .severity = 9.5 };
	static const struct {
		enum config_mode mode;
		const char *name;
	} cases[] = { { CONFIG_OBSERVE, "notify" }, { CONFIG_APPROVE, "approve" },
		{ CONFIG_AUTO, "auto" } };
	for (size_t i = 0; i < 3; i++) {
		struct config c = routing_config(cases[i].mode);
		json_t *r = routing_route(shipped, &c, &k);
		assert_string_equal(doc_text(r, "mode"), cases[i].name);
		assert_string_equal(routing_mode(r, "isolate-network"), cases[i].name);
		assert_string_equal(
			routing_mode(r, "stop-instance"), i == 0 ? "notify" : "approve");
		json_decref(r);
	}
}

static void what_needs_a_reported_step_is_only_reported(void **state)
{
	(void)state;
	struct config c = routing_config(CONFIG_AUTO);
	/* Low in production: isolation is only reported, so the stop that needs it is too. */
	struct routing_case k = { .type = "Trojan:EC2/DropPoint", .severity = 2 };
	json_t *r = routing_route(shipped, &c, &k);
	assert_string_equal(routing_mode(r, "isolate-network"), "notify");
	assert_string_equal(routing_mode(r, "stop-instance"), "notify");
	/* And nothing waits for a step that won't run. */
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(r, "steps"), i, v)
	{
		assert_false(routing_holds(json_object_get(v, "needs"), "isolate-network"));
	}
	json_decref(r);
}

static void every_action_named_exists_and_takes_its_kind(void **state)
{
	(void)state;
	json_t *list = playbook_list(shipped);
	size_t i;
	size_t k;
	json_t *p;
	json_t *s;
	json_array_foreach(list, i, p)
	{
		json_array_foreach(json_object_get(p, "steps"), k, s)
		{
			const struct action *a = action_find(doc_text_or(s, "action", ""));
			if (a == NULL || strstr(a->kinds, doc_text_or(s, "on", "?")) == NULL) {
				fail_msg("%s: %s on %s", doc_text_or(p, "file", ""),
					doc_text_or(s, "action", ""), doc_text_or(s, "on", ""));
			}
		}
	}
	json_decref(list);
}

/* One known type with one kind of resource. */
static void check_type(const char *type, const char *kind, const char *reading, bool known)
{
	struct config c = routing_config(CONFIG_AUTO);
	char resource[200];
	(void)snprintf(resource, sizeof(resource), "{\"resourceType\":\"%s\"}", kind);
	struct routing_case k = { .type = type, .severity = 9.5, .resource = resource };
	if (strcmp(kind, "Instance") == 0) {
		k.resource = NULL;
		k.environment = "sandbox"; /* where the most would be done */
	}
	json_t *r = routing_route(shipped, &c, &k);
	const char *playbook = doc_text_or(r, "playbook", "none");
	if (known == (strcmp(playbook, "unknown") == 0)) {
		fail_msg("%s on %s: %s", type, kind, playbook);
	}
	bool attempted =
		strcmp(reading, "attempted") == 0 || strcmp(reading, "depends_on_role") == 0;
	if (attempted && routing_steps(r) != 0) { /* k.role is TARGET */
		fail_msg("%s: attempted, yet %zu steps", type, routing_steps(r));
	}
	if (strcmp(reading, "compromised") == 0 && strcmp(kind, "Instance") == 0 &&
		routing_steps(r) == 0) {
		fail_msg("%s: compromised, yet no step", type);
	}
	json_decref(r);
}

static void every_known_type_has_its_playbook(void **state)
{
	(void)state;
	const char *shared = env_var(env_system(), "CORDON_SHARED");
	if (shared == NULL) {
		skip();
	}
	char path[500];
	struct buf text;
	json_t *types = NULL;
	(void)snprintf(path, sizeof(path), "%s/data/findings/types.json", shared);
	buf_init(&text, DOC_MAX_BYTES);
	assert_int_equal(env_read_file(env_system(), path, &text, NULL), ERR_OK);
	assert_int_equal(doc_parse(buf_view(&text), DOC_MAX_BYTES, &types, NULL), ERR_OK);
	size_t i;
	size_t j;
	size_t k;
	size_t n = 0;
	json_t *family;
	json_t *t;
	json_t *kind;
	json_array_foreach(json_object_get(types, "families"), i, family)
	{
		json_array_foreach(json_object_get(family, "types"), j, t)
		{
			json_array_foreach(json_object_get(t, "resource_types"), k, kind)
			{
				check_type(doc_text(t, "type"), json_string_value(kind),
					doc_text(t, "reading"), true);
			}
			n++;
		}
	}
	static const char *const more[] = { "ai_protection", "custom_detection_rules" };
	for (size_t m = 0; m < 2; m++) {
		json_array_foreach(
			json_object_get(json_object_get(types, more[m]), "types"), i, t)
		{
			check_type(json_string_value(t), "AccessKey", "control", true);
			n++;
		}
	}
	assert_true(n > 200);
	check_type("Quantum:Nothing/Known", "Instance", "compromised?", false);
	json_decref(types);
	buf_deinit(&text);
}

static int load(void **state)
{
	(void)state;
	shipped = routing_playbooks();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	playbook_set_free(shipped);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_a_compromised_instance),
		cmocka_unit_test(table_of_decisions),
		cmocka_unit_test(stolen_role_credentials_contain_role_and_instance),
		cmocka_unit_test(steps_are_given_what_the_finding_says),
		cmocka_unit_test(nodes_of_a_cluster_are_asked_for),
		cmocka_unit_test(several_resources_get_a_step_each),
		cmocka_unit_test(configured_mode_narrows),
		cmocka_unit_test(what_needs_a_reported_step_is_only_reported),
		cmocka_unit_test(every_action_named_exists_and_takes_its_kind),
		cmocka_unit_test(every_known_type_has_its_playbook),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
