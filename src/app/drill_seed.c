#include "app/drill.h"

#include "app/drill_calls.h"
#include "evidence/vault.h"

#include <string.h>

#define BATCH 8

static json_t *tags(const char *name)
{
	return json_pack("[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]", "Key", "Name", "Value", name,
		"Key", "Environment", "Value", "dev", "Key", "Owner", "Value", "platform");
}

static json_t *named(const char *kind, const char *name)
{
	return json_pack("[{s:s, s:o}]", "ResourceType", kind, "Tags", tags(name));
}

static void network(struct drill *d, struct drill_calls *c)
{
	struct scenario_world *w = &d->story.world;
	const char *gateway, *table;

	w->vpc_id = drill_calls_text(c, "ec2", "CreateVpc",
		json_pack("{s:s, s:o}", "CidrBlock", "10.20.0.0/16", "TagSpecifications",
			named("vpc", "techsolutions")),
		"Vpc.VpcId");
	gateway = drill_calls_text(c, "ec2", "CreateInternetGateway", json_object(),
		"InternetGateway.InternetGatewayId");
	drill_calls_do(c, "ec2", "AttachInternetGateway",
		json_pack("{s:s, s:s}", "InternetGatewayId", gateway, "VpcId", w->vpc_id));
	table = drill_calls_text(c, "ec2", "CreateRouteTable",
		json_pack("{s:s}", "VpcId", w->vpc_id), "RouteTable.RouteTableId");
	drill_calls_do(c, "ec2", "CreateRoute",
		json_pack("{s:s, s:s, s:s}", "RouteTableId", table, "DestinationCidrBlock",
			"0.0.0.0/0", "GatewayId", gateway));
	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		w->server[i].subnet_id = drill_calls_text(c, "ec2", "CreateSubnet",
			json_pack("{s:s, s:o, s:s}", "VpcId", w->vpc_id, "CidrBlock",
				json_sprintf("10.20.%d.0/24", i + 1), "AvailabilityZone",
				i == 0 ? DRILL_REGION "a" : DRILL_REGION "b"),
			"Subnet.SubnetId");
		drill_calls_do(c, "ec2", "AssociateRouteTable",
			json_pack("{s:s, s:s}", "RouteTableId", table, "SubnetId",
				w->server[i].subnet_id));
	}
	w->group_name = "techsolutions-web";
	w->group_id = drill_calls_text(c, "ec2", "CreateSecurityGroup",
		json_pack("{s:s, s:s, s:s}", "GroupName", w->group_name, "Description",
			"web servers", "VpcId", w->vpc_id),
		"GroupId");
	drill_calls_do(c, "ec2", "AuthorizeSecurityGroupIngress",
		json_pack("{s:s, s:[{s:s, s:i, s:i, s:[{s:s}]}, {s:s, s:i, s:i, s:[{s:s}]}]}",
			"GroupId", w->group_id, "IpPermissions", "IpProtocol", "tcp",
			"FromPort", 80, "ToPort", 80, "IpRanges", "CidrIp", "0.0.0.0/0",
			"IpProtocol", "tcp", "FromPort", 22, "ToPort", 22, "IpRanges", "CidrIp",
			"0.0.0.0/0"));
}

/* The groups hang on the interface, as they do in AWS: the emulator mixes them up otherwise. */
static void server(struct drill *d, struct drill_calls *c, int i)
{
	struct scenario *s = &d->story;
	struct scenario_world *w = &s->world;
	json_t *made = drill_calls_get(c, "ec2", "RunInstances",
		json_pack("{s:s, s:s, s:i, s:i, s:{s:s}, s:[{s:i, s:s, s:[s], s:b}], s:[{s:s, "
			  "s:o}], "
			  "s:[{s:s, s:{s:i, s:b, s:s}}]}",
			"ImageId", "ami-12c6146b", "InstanceType", "t3.small", "MinCount", 1,
			"MaxCount", 1, "IamInstanceProfile", "Arn", w->server[i].profile_arn,
			"NetworkInterfaces", "DeviceIndex", 0, "SubnetId",
			w->server[i].subnet_id, "Groups", w->group_id,
			"AssociatePublicIpAddress", 0, "TagSpecifications", "ResourceType",
			"instance", "Tags", tags(s->names.server[i]), "BlockDeviceMappings",
			"DeviceName", "/dev/sdf", "Ebs", "VolumeSize", 20,
			"DeleteOnTermination", 1, "VolumeType", "gp3"));
	json_t *seen = NULL;
	const char *id, *eip;

	id = arena_cstr(c->arena, str_from(doc_text_or(made, "Instances[0].InstanceId", "")));
	w->server[i].instance_id = id;
	json_decref(made);
	eip = drill_calls_text(c, "ec2", "AllocateAddress", json_pack("{s:s}", "Domain", "vpc"),
		"AllocationId");
	seen = drill_calls_get(c, "ec2", "DescribeNetworkInterfaces",
		json_pack("{s:[{s:s, s:[s]}]}", "Filters", "Name", "attachment.instance-id",
			"Values", id));
	w->server[i].eni_id = arena_cstr(c->arena,
		str_from(doc_text_or(seen, "NetworkInterfaces[0].NetworkInterfaceId", "")));
	drill_calls_do(c, "ec2", "AssociateAddress",
		json_pack("{s:s, s:s}", "AllocationId", eip, "NetworkInterfaceId",
			w->server[i].eni_id));
	w->server[i].private_ip = arena_cstr(c->arena,
		str_from(doc_text_or(seen, "NetworkInterfaces[0].PrivateIpAddress", "")));
	json_decref(seen);
	w->server[i].public_ip = drill_calls_text(c, "ec2", "DescribeAddresses",
		json_pack("{s:[s]}", "AllocationIds", eip), "Addresses[0].PublicIp");
}

static void service(struct drill *d, struct drill_calls *c)
{
	const struct scenario_world *w = &d->story.world;
	const char *balancer, *group;

	balancer = drill_calls_text(c, "elbv2", "CreateLoadBalancer",
		json_pack("{s:s, s:[s,s]}", "Name", "techsolutions-web", "Subnets",
			w->server[0].subnet_id, w->server[1].subnet_id),
		"LoadBalancers[0].LoadBalancerArn");
	group = drill_calls_text(c, "elbv2", "CreateTargetGroup",
		json_pack("{s:s, s:s, s:i, s:s}", "Name", "techsolutions-web", "Protocol",
			"HTTP", "Port", 80, "VpcId", w->vpc_id),
		"TargetGroups[0].TargetGroupArn");
	drill_calls_do(c, "elbv2", "CreateListener",
		json_pack("{s:s, s:s, s:i, s:[{s:s, s:s}]}", "LoadBalancerArn", balancer,
			"Protocol", "HTTP", "Port", 80, "DefaultActions", "Type", "forward",
			"TargetGroupArn", group));
	drill_calls_do(c, "elbv2", "RegisterTargets",
		json_pack("{s:s, s:[{s:s, s:i}, {s:s, s:i}]}", "TargetGroupArn", group,
			"Targets", "Id", w->server[0].instance_id, "Port", 80, "Id",
			w->server[1].instance_id, "Port", 80));
	drill_calls_do(c, "autoscaling", "CreateLaunchConfiguration",
		json_pack("{s:s, s:s, s:s}", "LaunchConfigurationName", "web", "ImageId",
			"ami-12c6146b", "InstanceType", "t3.small"));
	drill_calls_do(c, "autoscaling", "CreateAutoScalingGroup",
		json_pack("{s:s, s:s, s:i, s:i, s:i, s:o}", "AutoScalingGroupName",
			"techsolutions-web", "LaunchConfigurationName", "web", "MinSize", 0,
			"MaxSize", 4, "DesiredCapacity", 0, "VPCZoneIdentifier",
			json_sprintf("%s,%s", w->server[0].subnet_id, w->server[1].subnet_id)));
	drill_calls_do(c, "autoscaling", "AttachInstances",
		json_pack("{s:s, s:[s,s]}", "AutoScalingGroupName", "techsolutions-web",
			"InstanceIds", w->server[0].instance_id, w->server[1].instance_id));
	drill_calls_do(c, "rds", "CreateDBInstance",
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:[s], s:b}", "DBInstanceIdentifier",
			"techsolutions-db", "DBInstanceClass", "db.t3.micro", "Engine",
			"postgres", "MasterUsername", "app", "MasterUserPassword",
			"drill-only-1", "AllocatedStorage", 20, "VpcSecurityGroupIds",
			w->group_id, "StorageEncrypted", 1));
}

static void subscribe(
	struct drill *d, struct drill_calls *c, const char *protocol, const char *endpoint)
{
	drill_calls_do(c, "sns", "Subscribe",
		json_pack("{s:s, s:s, s:s}", "TopicArn", d->topic_arn, "Protocol", protocol,
			"Endpoint", endpoint));
}

static const char *queue_arn(struct drill_calls *c, const char *url)
{
	return drill_calls_text(c, "sqs", "GetQueueAttributes",
		json_pack("{s:s, s:[s]}", "QueueUrl", url, "AttributeNames", "QueueArn"),
		"Attributes.QueueArn");
}

/* The team's channels, and the way that a finding takes: EventBridge rule, queue. */
static void channels(struct drill *d, struct drill_calls *c)
{
	struct scenario_world *w = &d->story.world;

	d->topic_arn = drill_calls_text(c, "sns", "CreateTopic",
		json_pack("{s:s}", "Name", "techsolutions-security"), "TopicArn");
	d->inbox_url = drill_calls_text(c, "sqs", "CreateQueue",
		json_pack("{s:s}", "QueueName", "team-inbox"), "QueueUrl");
	subscribe(d, c, "sqs", queue_arn(c, d->inbox_url));
	subscribe(d, c, "email", "soc@techsolutions.example");
	subscribe(d, c, "sms", "+34600000001");
	d->queue_url = drill_calls_text(c, "sqs", "CreateQueue",
		json_pack("{s:s}", "QueueName", "cordon-findings"), "QueueUrl");
	drill_calls_do(c, "events", "PutRule",
		json_pack("{s:s, s:s, s:s}", "Name", "guardduty-to-cordon", "State", "ENABLED",
			"EventPattern",
			"{\"source\":[\"aws.guardduty\"],\"detail-type\":[\"GuardDuty "
			"Finding\"]}"));
	drill_calls_do(c, "events", "PutTargets",
		json_pack("{s:s, s:[{s:s, s:s}]}", "Rule", "guardduty-to-cordon", "Targets",
			"Id", "cordon", "Arn", queue_arn(c, d->queue_url)));
	w->detector_id = drill_calls_text(c, "guardduty", "CreateDetector",
		json_pack("{s:b}", "Enable", 1), "DetectorId");
}

static void buckets(struct drill *d, struct drill_calls *c)
{
	const struct scenario_names *n = &d->story.names;
	const char *const names[] = { n->files_bucket, n->trail_bucket, n->log_bucket };

	for (size_t i = 0; i < 3; i++) {
		drill_calls_do(c, "s3", "CreateBucket",
			json_pack("{s:s, s:{s:s}}", "Bucket", names[i],
				"CreateBucketConfiguration", "LocationConstraint",
				DRILL_REGION));
		drill_calls_do(c, "s3", "PutPublicAccessBlock",
			json_pack("{s:s, s:{s:b, s:b, s:b, s:b}}", "Bucket", names[i],
				"PublicAccessBlockConfiguration", "BlockPublicAcls", 1,
				"IgnorePublicAcls", 1, "BlockPublicPolicy", 1,
				"RestrictPublicBuckets", 1));
	}
}

enum err_status drill_seed_account(struct drill *d, struct err *err)
{
	struct drill_calls c = { d->admin, &d->arena, ERR_OK, err };
	struct scenario_world *w = &d->story.world;

	w->region = DRILL_REGION;
	w->account = drill_calls_text(&c, "sts", "GetCallerIdentity", json_object(), "Account");
	network(d, &c);
	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		server(d, &c, i);
	}
	service(d, &c);
	buckets(d, &c);
	channels(d, &c);
	if (c.st == ERR_OK && d->arena.overflow) {
		c.st = err_set(err, ERR_LIMIT, "the account's ids do not fit");
	}
	return c.st;
}

static enum err_status put_batch(
	struct drill *d, struct aws_request *batch, size_t n, struct err *err)
{
	enum err_status st = n > 0 ? aws_call_many(d->admin, batch, n, err) : ERR_OK;

	for (size_t i = 0; i < n; i++) {
		json_decref(batch[i].result);
		union {
			const json_t *borrowed;
			json_t *owned;
		} params = { batch[i].params };
		json_decref(params.owned);
	}
	return st;
}

static struct aws_request put(const char *bucket, const char *key, struct str body)
{
	return (struct aws_request){ .service = "s3",
		.operation = "PutObject",
		.params = json_pack("{s:s, s:s}", "Bucket", bucket, "Key", key),
		.body = body };
}

enum err_status drill_seed_files(struct drill *d, struct err *err)
{
	const struct scenario *s = &d->story;
	struct aws_request batch[BATCH] = { 0 };
	size_t n = 0, total = s->n_files + s->names.n_objects;
	enum err_status st;

	for (size_t i = 0; i < total; i++) {
		if (i < s->n_files) {
			batch[n++] =
				put(s->files[i].bucket, s->files[i].key, s->files[i].bytes);
		} else {
			batch[n++] =
				put(s->names.files_bucket, s->names.objects[i - s->n_files],
					STR("TechSolutions, confidential.\n"));
		}
		if (n == BATCH || i + 1 == total) {
			st = put_batch(d, batch, n, err);
			if (st != ERR_OK) {
				return st;
			}
			memset(batch, 0, sizeof(batch));
			n = 0;
		}
	}
	return vault_create_bucket(d->admin, &d->config, err);
}
