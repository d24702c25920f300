/*
 * Resources and conditions of every action that a playbook can need. An action that stands in several
 * groups needs all of them. Source: Service Authorization Reference, "Actions, resources, and condition
 * keys for ...", of the service that the action's prefix names; read actions with no resource type of
 * their own can only be allowed on "*".
 */
#include "response/policy.h"

#define EC2(type)         "arn:{p}:ec2:{r}:{a}:" type "/*"
#define TAGS_OF_CORDON    "{\"ForAllValues:StringLike\":{\"aws:TagKeys\":[\"cordon:*\"]}}"
#define TAGGED_AS_CORDONS "{\"StringLike\":{\"aws:ResourceTag/cordon:case\":\"*\"}}"
#define MADE_AS_CORDONS   "{\"StringLike\":{\"aws:RequestTag/cordon:case\":\"*\"}}"
#define PASSED_TO_EC2     "{\"StringEquals\":{\"iam:PassedToService\":\"ec2.amazonaws.com\"}}"

const struct policy_group policy_groups[] = {
	{ "Read", "*", NULL,
		"autoscaling:DescribeAutoScalingGroups "
		"autoscaling:DescribeAutoScalingInstances autoscaling:DescribeLifecycleHooks "
		"autoscaling:DescribeLoadBalancerTargetGroups "
		"autoscaling:DescribeLoadBalancers autoscaling:DescribeScalingActivities "
		"cloudtrail:ListPublicKeys ec2:DescribeAddresses ec2:DescribeFlowLogs "
		"ec2:DescribeIamInstanceProfileAssociations ec2:DescribeImages "
		"ec2:DescribeInstanceTypes ec2:DescribeInstances "
		"ec2:DescribeManagedPrefixLists ec2:DescribeNetworkAcls "
		"ec2:DescribeNetworkInterfaces ec2:DescribeRouteTables "
		"ec2:DescribeSecurityGroupRules ec2:DescribeSecurityGroups "
		"ec2:DescribeSnapshots ec2:DescribeSubnets ec2:DescribeTags "
		"ec2:DescribeVolumes ec2:DescribeVpcEndpoints ec2:DescribeVpcs "
		"ecs:ListServices elasticloadbalancing:DescribeLoadBalancers "
		"elasticloadbalancing:DescribeTargetGroups "
		"elasticloadbalancing:DescribeTargetHealth lambda:ListEventSourceMappings "
		"logs:DescribeLogGroups route53resolver:ListFirewallRuleGroupAssociations "
		"iam:ListRoles route53resolver:ListFirewallDomainLists "
		"route53resolver:ListFirewallRuleGroups route53resolver:ListFirewallConfigs "
		"ssm:DescribeInstanceInformation ssm:GetCommandInvocation "
		"sts:GetCallerIdentity" },

	/* EC2 */
	{ "Instances", EC2("instance"), NULL,
		"ec2:AssociateIamInstanceProfile ec2:DescribeInstanceAttribute "
		"ec2:DisassociateIamInstanceProfile ec2:GetConsoleOutput "
		"ec2:GetConsoleScreenshot "
		"ec2:ModifyInstanceMetadataOptions ec2:ReplaceIamInstanceProfileAssociation "
		"ec2:StartInstances ec2:StopInstances" },
	{ "InstancesAndDisks", EC2("instance") " " EC2("volume") " " EC2("security-group"),
		NULL, "ec2:ModifyInstanceAttribute" },
	{ "Interfaces", EC2("network-interface") " " EC2("security-group") " " EC2("instance"),
		NULL, "ec2:ModifyNetworkInterfaceAttribute" },
	{ "Addresses",
		"arn:{p}:ec2:{r}:{a}:elastic-ip/* " EC2("network-interface") " " EC2(
			"instance"),
		NULL, "ec2:AssociateAddress ec2:DisassociateAddress" },
	{ "NetworkAcls", EC2("network-acl"), NULL,
		"ec2:CreateNetworkAclEntry ec2:DeleteNetworkAclEntry "
		"ec2:ReplaceNetworkAclEntry" },
	{ "MakeGroups", EC2("security-group"), MADE_AS_CORDONS, "ec2:CreateSecurityGroup" },
	{ "MakeGroupsIn", EC2("vpc"), NULL, "ec2:CreateSecurityGroup" },
	{ "OwnGroups", EC2("security-group"), TAGGED_AS_CORDONS,
		"ec2:AuthorizeSecurityGroupEgress ec2:AuthorizeSecurityGroupIngress "
		"ec2:DeleteSecurityGroup ec2:RevokeSecurityGroupEgress "
		"ec2:RevokeSecurityGroupIngress" },
	{ "MakeSnapshots", "arn:{p}:ec2:{r}::snapshot/*", MADE_AS_CORDONS,
		"ec2:CreateSnapshots" },
	{ "MakeSnapshotsOf", EC2("instance") " " EC2("volume"), NULL, "ec2:CreateSnapshots" },
	{ "Images", "arn:{p}:ec2:{r}::image/*", NULL,
		"ec2:DescribeImageAttribute ec2:DisableImage ec2:EnableImage "
		"ec2:ModifyImageAttribute" },
	{ "Snapshots", "arn:{p}:ec2:{r}::snapshot/*", NULL,
		"ec2:DescribeSnapshotAttribute ec2:ModifySnapshotAttribute" },
	{ "Tags",
		EC2("instance") " " EC2("network-acl") " " EC2(
			"security-group") " arn:{p}:ec2:{r}::snapshot/*",
		TAGS_OF_CORDON, "ec2:CreateTags ec2:DeleteTags" },
	{ "Scaling", "arn:{p}:autoscaling:{r}:{a}:autoScalingGroup:*", NULL,
		"autoscaling:AttachInstances autoscaling:DetachInstances "
		"autoscaling:EnterStandby "
		"autoscaling:ExitStandby autoscaling:SetInstanceProtection" },
	{ "Targets", "arn:{p}:elasticloadbalancing:{r}:{a}:targetgroup/*", NULL,
		"elasticloadbalancing:DeregisterTargets elasticloadbalancing:RegisterTargets" },
	{ "ClassicBalancers", "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/*", NULL,
		"elasticloadbalancing:DeregisterInstancesFromLoadBalancer "
		"elasticloadbalancing:RegisterInstancesWithLoadBalancer" },

	/* IAM */
	{ "Users", "arn:{p}:iam::{a}:user/*", NULL,
		"iam:CreateLoginProfile iam:DeleteLoginProfile "
		"iam:DeleteUserPolicy iam:GetAccessKeyLastUsed iam:GetLoginProfile iam:GetUser "
		"iam:GetUserPolicy iam:ListAccessKeys iam:ListAttachedUserPolicies "
		"iam:ListGroupsForUser iam:ListUserPolicies iam:ListUserTags iam:PutUserPolicy "
		"iam:UpdateAccessKey iam:UpdateLoginProfile" },
	{ "UserGroups", "arn:{p}:iam::{a}:group/*", NULL,
		"iam:AddUserToGroup iam:RemoveUserFromGroup" },
	{ "Roles", "arn:{p}:iam::{a}:role/*", NULL,
		"iam:DeleteRolePolicy iam:GetRole iam:GetRolePolicy "
		"iam:ListInstanceProfilesForRole iam:ListRolePolicies iam:ListRoleTags "
		"iam:PutRolePolicy" },
	{ "Profiles", "arn:{p}:iam::{a}:instance-profile/*", NULL, "iam:GetInstanceProfile" },
	/* The quarantine role, and at undo the role that was there before. */
	{ "PassRoles", "arn:{p}:iam::{a}:role/*", PASSED_TO_EC2, "iam:PassRole" },

	/* S3 */
	{ "Buckets", "arn:{p}:s3:::*", NULL,
		"s3:DeleteBucketPolicy s3:GetBucketAcl s3:GetBucketLogging "
		"s3:GetBucketOwnershipControls s3:GetBucketPolicy s3:GetBucketPolicyStatus "
		"s3:GetBucketPublicAccessBlock s3:GetBucketTagging s3:GetBucketVersioning "
		"s3:GetReplicationConfiguration s3:ListAccessPoints s3:PutBucketAcl "
		"s3:PutBucketLogging s3:PutBucketOwnershipControls s3:PutBucketPolicy "
		"s3:PutBucketPublicAccessBlock" },
	{ "Objects", "arn:{p}:s3:::*/*", NULL,
		"s3:DeleteObjectTagging s3:DeleteObjectVersionTagging s3:GetObjectTagging "
		"s3:GetObjectVersionTagging s3:PutObjectTagging s3:PutObjectVersionTagging" },

	/* Databases */
	{ "Databases", "arn:{p}:rds:{r}:{a}:db:* arn:{p}:rds:{r}:{a}:cluster:*", NULL,
		"rds:DescribeDBClusters rds:DescribeDBInstances rds:ListTagsForResource "
		"rds:ModifyDBCluster rds:ModifyDBInstance rds:RebootDBInstance "
		"rds:StartDBInstance rds:StopDBInstance" },
	{ "DatabaseSnapshots",
		"arn:{p}:rds:{r}:{a}:db:* arn:{p}:rds:{r}:{a}:cluster:* "
		"arn:{p}:rds:{r}:{a}:snapshot:* arn:{p}:rds:{r}:{a}:cluster-snapshot:*",
		NULL,
		"rds:AddTagsToResource rds:CreateDBClusterSnapshot rds:CreateDBSnapshot "
		"rds:DescribeDBClusterSnapshotAttributes rds:DescribeDBClusterSnapshots "
		"rds:DescribeDBSnapshotAttributes rds:DescribeDBSnapshots "
		"rds:ModifyDBClusterSnapshotAttribute rds:ModifyDBSnapshotAttribute "
		"rds:RemoveTagsFromResource" },
	{ "Secrets", "arn:{p}:secretsmanager:{r}:{a}:secret:*", NULL,
		"secretsmanager:DescribeSecret secretsmanager:RotateSecret" },

	/* Functions, containers, clusters */
	{ "Functions", "arn:{p}:lambda:{r}:{a}:function:*", NULL,
		"lambda:DeleteFunctionConcurrency lambda:GetFunction "
		"lambda:GetFunctionConcurrency lambda:GetFunctionConfiguration "
		"lambda:GetPolicy lambda:ListFunctionUrlConfigs lambda:ListTags "
		"lambda:PutFunctionConcurrency" },
	{ "EventSources", "arn:{p}:lambda:{r}:{a}:event-source-mapping:*", NULL,
		"lambda:GetEventSourceMapping lambda:UpdateEventSourceMapping" },
	{ "Tasks",
		"arn:{p}:ecs:{r}:{a}:cluster/* arn:{p}:ecs:{r}:{a}:container-instance/* "
		"arn:{p}:ecs:{r}:{a}:service/* arn:{p}:ecs:{r}:{a}:task/*",
		NULL,
		"ecs:DescribeClusters ecs:DescribeContainerInstances ecs:DescribeServices "
		"ecs:DescribeTasks ecs:ListTagsForResource ecs:ListTasks ecs:StopTask "
		"ecs:UpdateContainerInstancesState ecs:UpdateService" },
	{ "TaskDefinitions", "*", NULL, "ecs:DescribeTaskDefinition" },
	{ "Clusters", "arn:{p}:eks:{r}:{a}:cluster/* arn:{p}:eks:{r}:{a}:access-entry/*", NULL,
		"eks:AssociateAccessPolicy eks:CreateAccessEntry eks:DeleteAccessEntry "
		"eks:DescribeAccessEntry eks:DescribeCluster eks:DisassociateAccessPolicy "
		"eks:ListAccessEntries eks:ListAssociatedAccessPolicies "
		"eks:UpdateAccessEntry" },

	/* Systems Manager */
	{ "Documents",
		"arn:{p}:ssm:{r}:{a}:document/{document} "
		"arn:{p}:ssm:{r}::document/AWSSupport-ContainEC2Instance",
		NULL,
		"ssm:AddTagsToResource ssm:CreateDocument ssm:DeleteDocument "
		"ssm:DescribeDocument ssm:GetDocument ssm:UpdateDocument "
		"ssm:UpdateDocumentDefaultVersion" },
	{ "Commands",
		"arn:{p}:ssm:{r}:{a}:document/{document} "
		"arn:{p}:ssm:{r}::document/AWS-RunShellScript " EC2(
			"instance") " arn:{p}:ssm:{r}:{a}:managed-instance/*",
		NULL, "ssm:SendCommand" },
	{ "Runbooks",
		"arn:{p}:ssm:{r}::automation-definition/AWSSupport-ContainEC2Instance:* "
		"arn:{p}:ssm:{r}:{a}:automation-execution/*",
		NULL, "ssm:GetAutomationExecution ssm:StartAutomationExecution" },

	/* Attackers' addresses, names */
	{ "WebFirewalls", "arn:{p}:wafv2:*:{a}:*/ipset/*", NULL,
		"wafv2:GetIPSet wafv2:TagResource wafv2:UntagResource wafv2:UpdateIPSet" },
	{ "WebFirewallLists", "*", NULL, "wafv2:ListIPSets wafv2:ListTagsForResource" },
	{ "NetworkFirewalls",
		"arn:{p}:network-firewall:{r}:{a}:stateful-rulegroup/* "
		"arn:{p}:network-firewall:{r}:{a}:stateless-rulegroup/*",
		NULL, "network-firewall:DescribeRuleGroup network-firewall:UpdateRuleGroup" },
	{ "NameFirewalls",
		"arn:{p}:route53resolver:{r}:{a}:firewall-domain-list/* "
		"arn:{p}:route53resolver:{r}:{a}:firewall-rule-group/* "
		"arn:{p}:route53resolver:{r}:{a}:firewall-rule-group-association/*",
		NULL,
		"route53resolver:AssociateFirewallRuleGroup "
		"route53resolver:CreateFirewallDomainList route53resolver:CreateFirewallRule "
		"route53resolver:CreateFirewallRuleGroup "
		"route53resolver:DeleteFirewallDomainList "
		"route53resolver:DeleteFirewallRule route53resolver:DeleteFirewallRuleGroup "
		"route53resolver:DisassociateFirewallRuleGroup "
		"route53resolver:GetFirewallRuleGroup "
		"route53resolver:GetFirewallRuleGroupAssociation "
		"route53resolver:ListFirewallDomains route53resolver:ListFirewallRules "
		"route53resolver:TagResource "
		"route53resolver:UpdateFirewallDomains" },

	{ "FlowLogs", "arn:{p}:logs:{r}:{a}:log-group:*", NULL, "logs:FilterLogEvents" },

	/* What goes around the measures: messages, evidence, logs, queue, cases, the key of links. */
	{ "Messages", "{topic}", NULL, "sns:Publish" },
	/* Without ListBucket S3 says of an object that is not there yet that it is forbidden. */
	{ "EvidenceBucket", "{evidence}", NULL,
		"s3:GetBucketObjectLockConfiguration s3:GetBucketPublicAccessBlock "
		"s3:GetBucketVersioning s3:GetEncryptionConfiguration s3:ListBucket" },
	{ "EvidenceObjects", "{evidence_objects}", NULL,
		"s3:GetObject s3:GetObjectVersion s3:PutObject s3:PutObjectRetention" },
	{ "EvidenceKey", "{evidence_key}", NULL, "kms:Decrypt kms:GenerateDataKey" },
	{ "LogBuckets", "{log_buckets}", NULL, "s3:ListBucket" },
	{ "LogObjects", "{log_objects}", NULL, "s3:GetObject" },
	{ "Queue", "{queue}", NULL,
		"sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes "
		"sqs:ReceiveMessage" },
	{ "Cases", "{table}", NULL,
		"dynamodb:BatchGetItem dynamodb:DescribeTable dynamodb:GetItem "
		"dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem" },
	{ "ApprovalKey", "{approval_key}", NULL, "secretsmanager:GetSecretValue" },
};
const size_t policy_n_groups = sizeof(policy_groups) / sizeof(policy_groups[0]);
