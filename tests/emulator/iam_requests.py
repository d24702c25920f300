"""What a request to AWS has to be allowed: IAM actions, on which resources, in which context. Requests are read by botocore's
models; actions and resource types are those of the Service Authorization Reference ("Actions, resources, and condition keys
for ..."). An action that stands in no table here is an error, so that nothing is judged by guessing.
"""
from __future__ import annotations

import dataclasses
import functools
import json
import re
import urllib.parse

import botocore.session

SERVICES = {  # signing name -> botocore's name, where they differ
    'elasticloadbalancing': 'elbv2', 'monitoring': 'cloudwatch'}
S3_ACTIONS = {
    'HeadBucket': 'ListBucket', 'ListObjectsV2': 'ListBucket', 'ListObjectVersions': 'ListBucketVersions', 'HeadObject': 'GetObject',
    'CreateMultipartUpload': 'PutObject', 'UploadPart': 'PutObject', 'CompleteMultipartUpload': 'PutObject',
    'GetPublicAccessBlock': 'GetBucketPublicAccessBlock', 'PutPublicAccessBlock': 'PutBucketPublicAccessBlock',
    'DeletePublicAccessBlock': 'PutBucketPublicAccessBlock', 'DeleteBucketOwnershipControls': 'PutBucketOwnershipControls',
    'GetBucketEncryption': 'GetEncryptionConfiguration', 'GetBucketReplication': 'GetReplicationConfiguration',
    'GetObjectLockConfiguration': 'GetBucketObjectLockConfiguration'}
# Objects' actions that are another one where a version is named.
VERSIONED = ('GetObject', 'GetObjectTagging', 'PutObjectTagging', 'DeleteObjectTagging')
ANY = '*'
# Resource types that AWS can't tell apart: only allowed on everything.
ON_EVERYTHING = re.compile(
    r'ec2:Describe(?!InstanceAttribute|ImageAttribute|SnapshotAttribute)|autoscaling:Describe|elasticloadbalancing:Describe|ecs:ListServices$'
    r'|ecs:DescribeTaskDefinition$|iam:ListRoles$|lambda:ListEventSourceMappings$|logs:DescribeLogGroups$|ssm:DescribeInstanceInformation$'
    r'|ssm:GetCommandInvocation$|route53resolver:ListFirewall(Configs|DomainLists|RuleGroups|RuleGroupAssociations)$|wafv2:ListIPSets$'
    r'|cloudtrail:(ListPublicKeys|LookupEvents|DescribeTrails)$|s3:ListAllMyBuckets$')
# action -> resources: TYPE or ARN with {members of the request}; a member that is not there makes it `*`, or with a ? in front of
# the resource takes the resource away. A list in a member gives one resource an entry.
EC2, EC2_SHARED = 'arn:aws:ec2:R:A:', 'arn:aws:ec2:R::'
INSTANCE, GROUP = EC2 + 'instance/{InstanceId}', EC2 + 'security-group/{GroupId}'
USER, ROLE = 'arn:aws:iam::A:user/{UserName}', 'arn:aws:iam::A:role/{RoleName}'
DATABASE, CLUSTER = 'arn:aws:rds:R:A:db:{DBInstanceIdentifier}', 'arn:aws:rds:R:A:cluster:{DBClusterIdentifier}'
SNAPSHOT, CLUSTER_SNAPSHOT = 'arn:aws:rds:R:A:snapshot:{DBSnapshotIdentifier}', 'arn:aws:rds:R:A:cluster-snapshot:{DBClusterSnapshotIdentifier}'
FUNCTION, ECS = 'arn:aws:lambda:R:A:function:{FunctionName}', 'arn:aws:ecs:R:A:'
EKS_CLUSTER, EKS_ENTRY = 'arn:aws:eks:R:A:cluster/{name}', 'arn:aws:eks:R:A:access-entry/{name}/*'
DOCUMENT, RESOLVER = 'arn:aws:ssm:R:A:document/{Name}', 'arn:aws:route53resolver:R:A:firewall-'
TABLE, BUCKET, OBJECT = 'arn:aws:dynamodb:R:A:table/{TableName}', 'arn:aws:s3:::{Bucket}', 'arn:aws:s3:::{Bucket}/{Key}'
IP_SET = 'arn:aws:wafv2:R:A:regional/ipset/{Name}/{Id}'
RESOURCES = {
    **dict.fromkeys('AssociateIamInstanceProfile DisassociateIamInstanceProfile ReplaceIamInstanceProfileAssociation DescribeInstanceAttribute '
                    'GetConsoleOutput GetConsoleScreenshot ModifyInstanceMetadataOptions StartInstances StopInstances'.split(), [INSTANCE]),
    'ModifyInstanceAttribute': [INSTANCE, '?' + GROUP, '?' + EC2 + 'volume/{BlockDeviceMapping.1.DeviceName}'],
    'ModifyNetworkInterfaceAttribute': [EC2 + 'network-interface/{NetworkInterfaceId}', '?' + EC2 + 'security-group/{SecurityGroupId}'],
    'AssociateAddress': [EC2 + 'elastic-ip/{AllocationId}', '?' + INSTANCE, '?' + EC2 + 'network-interface/{NetworkInterfaceId}'],
    'DisassociateAddress': [EC2 + 'elastic-ip/*', EC2 + 'network-interface/*'],
    **dict.fromkeys('CreateNetworkAclEntry DeleteNetworkAclEntry ReplaceNetworkAclEntry'.split(), [EC2 + 'network-acl/{NetworkAclId}']),
    'CreateSecurityGroup': [EC2 + 'security-group/*', EC2 + 'vpc/{VpcId}'],
    **dict.fromkeys('AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress DeleteSecurityGroup RevokeSecurityGroupEgress '
                    'RevokeSecurityGroupIngress'.split(), [GROUP]),
    'CreateSnapshots': [EC2 + 'instance/{InstanceSpecification.InstanceId}', EC2 + 'volume/*', EC2_SHARED + 'snapshot/*'],
    **dict.fromkeys('DescribeImageAttribute DisableImage EnableImage ModifyImageAttribute'.split(), [EC2_SHARED + 'image/{ImageId}']),
    **dict.fromkeys('DescribeSnapshotAttribute ModifySnapshotAttribute'.split(), [EC2_SHARED + 'snapshot/{SnapshotId}']),
    **dict.fromkeys('AttachInstances DetachInstances EnterStandby ExitStandby SetInstanceProtection'.split(),
                    ['arn:aws:autoscaling:R:A:autoScalingGroup:*:autoScalingGroupName/{AutoScalingGroupName}']),
    **dict.fromkeys('DeregisterTargets RegisterTargets'.split(), ['{TargetGroupArn}']),
    **dict.fromkeys('DeregisterInstancesFromLoadBalancer RegisterInstancesWithLoadBalancer'.split(),
                    ['arn:aws:elasticloadbalancing:R:A:loadbalancer/{LoadBalancerName}']),
    **dict.fromkeys('CreateLoginProfile DeleteLoginProfile DeleteUserPolicy GetAccessKeyLastUsed GetLoginProfile GetUser GetUserPolicy '
                    'ListAccessKeys ListAttachedUserPolicies ListGroupsForUser ListUserPolicies ListUserTags PutUserPolicy UpdateAccessKey '
                    'UpdateLoginProfile'.split(), [USER]),
    **dict.fromkeys('AddUserToGroup RemoveUserFromGroup'.split(), ['arn:aws:iam::A:group/{GroupName}']),
    **dict.fromkeys('DeleteRolePolicy GetRole GetRolePolicy ListInstanceProfilesForRole ListRolePolicies ListRoleTags PutRolePolicy'.split(), [ROLE]),
    'GetInstanceProfile': ['arn:aws:iam::A:instance-profile/{InstanceProfileName}'],
    **dict.fromkeys('ModifyDBInstance RebootDBInstance StartDBInstance StopDBInstance DescribeDBInstances'.split(), [DATABASE]),
    **dict.fromkeys('ModifyDBCluster DescribeDBClusters'.split(), [CLUSTER]),
    'CreateDBSnapshot': [DATABASE, SNAPSHOT], 'CreateDBClusterSnapshot': [CLUSTER, CLUSTER_SNAPSHOT],
    **dict.fromkeys('DescribeDBSnapshots DescribeDBSnapshotAttributes ModifyDBSnapshotAttribute'.split(), [SNAPSHOT]),
    **dict.fromkeys('DescribeDBClusterSnapshots DescribeDBClusterSnapshotAttributes ModifyDBClusterSnapshotAttribute'.split(), [CLUSTER_SNAPSHOT]),
    **dict.fromkeys('DescribeSecret RotateSecret GetSecretValue'.split(), ['{SecretId}']),
    **dict.fromkeys('DeleteFunctionConcurrency GetFunction GetFunctionConcurrency GetFunctionConfiguration GetPolicy ListFunctionUrlConfigs '
                    'PutFunctionConcurrency'.split(), [FUNCTION]),
    'ListTags': ['{Resource}'],
    **dict.fromkeys('GetEventSourceMapping UpdateEventSourceMapping'.split(), ['arn:aws:lambda:R:A:event-source-mapping:{UUID}']),
    'DescribeClusters': [ECS + 'cluster/{clusters}'], 'DescribeContainerInstances': [ECS + 'container-instance/*'],
    'UpdateContainerInstancesState': [ECS + 'container-instance/*'], 'ListTasks': [ECS + 'container-instance/*'],
    **dict.fromkeys('DescribeServices UpdateService'.split(), [ECS + 'service/*']), **dict.fromkeys('DescribeTasks StopTask'.split(), [ECS + 'task/*']),
    **dict.fromkeys('CreateAccessEntry DescribeCluster ListAccessEntries'.split(), [EKS_CLUSTER]),
    **dict.fromkeys('AssociateAccessPolicy DeleteAccessEntry DescribeAccessEntry DisassociateAccessPolicy ListAssociatedAccessPolicies '
                    'UpdateAccessEntry'.split(), [EKS_ENTRY.replace('{name}', '{clusterName}')]),
    **dict.fromkeys('CreateDocument DeleteDocument DescribeDocument GetDocument UpdateDocument UpdateDocumentDefaultVersion'.split(), [DOCUMENT]),
    'SendCommand': ['arn:aws:ssm:R:A:document/{DocumentName}', EC2 + 'instance/{InstanceIds}'],
    'StartAutomationExecution': ['arn:aws:ssm:R::automation-definition/{DocumentName}:$DEFAULT'],
    'GetAutomationExecution': ['arn:aws:ssm:R:A:automation-execution/{AutomationExecutionId}'],
    **dict.fromkeys('GetIPSet UpdateIPSet'.split(), [IP_SET]), **dict.fromkeys('TagResource UntagResource'.split(), ['{ResourceARN}']),
    **dict.fromkeys('DescribeRuleGroup UpdateRuleGroup'.split(), ['{RuleGroupArn}']),
    'CreateFirewallDomainList': [RESOLVER + 'domain-list/*'], 'CreateFirewallRuleGroup': [RESOLVER + 'rule-group/*'],
    **dict.fromkeys('DeleteFirewallDomainList ListFirewallDomains UpdateFirewallDomains'.split(), [RESOLVER + 'domain-list/{FirewallDomainListId}']),
    **dict.fromkeys('CreateFirewallRule DeleteFirewallRule'.split(),
                    [RESOLVER + 'rule-group/{FirewallRuleGroupId}', RESOLVER + 'domain-list/{FirewallDomainListId}']),
    **dict.fromkeys('DeleteFirewallRuleGroup GetFirewallRuleGroup ListFirewallRules'.split(), [RESOLVER + 'rule-group/{FirewallRuleGroupId}']),
    'AssociateFirewallRuleGroup': [RESOLVER + 'rule-group-association/*', RESOLVER + 'rule-group/{FirewallRuleGroupId}'],
    **dict.fromkeys('DisassociateFirewallRuleGroup GetFirewallRuleGroupAssociation'.split(),
                    [RESOLVER + 'rule-group-association/{FirewallRuleGroupAssociationId}']),
    'FilterLogEvents': ['arn:aws:logs:R:A:log-group:{logGroupName}'], 'Publish': ['{TopicArn}'],
    **dict.fromkeys('GetItem PutItem UpdateItem Query DescribeTable'.split(), [TABLE]),
    **dict.fromkeys('ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes'.split(), ['{QueueUrl}']),
}
IDS = {'i': EC2 + 'instance/', 'sg': EC2 + 'security-group/', 'snap': EC2_SHARED + 'snapshot/', 'eni': EC2 + 'network-interface/',
       'vol': EC2 + 'volume/', 'acl': EC2 + 'network-acl/', 'ami': EC2_SHARED + 'image/', 'vpc': EC2 + 'vpc/'}


@dataclasses.dataclass
class Want:
    """One permission that a request needs."""
    action: str
    resource: str
    context: dict


# ---- reading a request ----

@functools.cache
def routes(service: str) -> list:
    """(verb, pattern of the path, what the query must have, operation), the most particular first."""
    model, out = botocore.session.get_session().get_service_model(service), []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http['requestUri'].partition('?')
        regex = re.sub(r'\\\{(\w+)(\\\+)?\\\}', lambda m: f'(?P<{m[1]}>{".+" if m[2] else "[^/]+"})', re.escape(path))
        out.append((http['method'], re.compile(regex + '/?$'), dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), name))
    return sorted(out, key=lambda r: (-len(r[2]), len(r[1].groupindex)))


def read_rest(service: str, verb: str, path: str, headers, body: bytes) -> tuple[str, dict]:
    path, _, query = path.partition('?')
    asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    for method, pattern, needed, name in routes(service):
        found = None if 'Copy' in name and not headers.get('x-amz-copy-source') else pattern.match(path)
        if verb == method and found and all(asked.get(k) == v for k, v in needed.items()):
            members = {k: urllib.parse.unquote(v) for k, v in found.groupdict().items()}
            try:
                document = json.loads(body) if body[:1] == b'{' else {}
            except ValueError:
                document = {}
            if headers.get('x-amz-object-lock-mode'):
                members['lock'] = headers['x-amz-object-lock-mode']
            return name, {**asked, **document, **members}
    raise LookupError(f'{service}: no operation for {verb} {path}?{query}')


def read(service: str, verb: str, path: str, headers, body: bytes) -> tuple[str, dict]:
    """(operation, members); of the query protocol the names stay flat: Filter.1.Name."""
    if headers.get('X-Amz-Target'):
        return headers['X-Amz-Target'].split('.')[-1], json.loads(body or b'{}')
    if 'x-www-form-urlencoded' in headers.get('Content-Type', ''):
        members = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        return members.pop('Action'), members
    return read_rest(SERVICES.get(service, service), verb, path, headers, body)


# ---- what it needs ----

def values(members: dict, name: str) -> list[str]:
    """Of a member, in whichever way a list is written: X, X.1, X.member.1, X.XId.1."""
    if name in members:
        return [str(v) for v in members[name]] if isinstance(members[name], list) else [str(members[name])]
    return [v for k, v in members.items() if re.fullmatch(rf'{re.escape(name)}\.(\w+\.)?\d+', k)]


def expand(pattern: str, members: dict) -> list[str]:
    """The ARNs of a line of the table."""
    optional, pattern = pattern.startswith('?'), pattern.removeprefix('?')
    out = [pattern]
    for name in re.findall(r'\{([\w.]+)\}', pattern):
        given = values(members, name)
        if not given:
            if optional:
                return []
            given = [ANY]
        out = [o.replace(f'{{{name}}}', v) for o in out for v in given]
    return [o.replace('ssm:R:A:document/AWS', 'ssm:R::document/AWS') for o in out]  # AWS's own belong to no account


def tags_of(members: dict) -> dict:
    """The tags that a request puts on or takes away, however its service writes them."""
    flat = {k: v for k, v in members.items() if re.search(r'(^|\.)Tags?\.(\w+\.)?\d+\.Key$', k)}
    tags = {v: members.get(k[:-3] + 'Value', '') for k, v in flat.items()}
    listed = members.get('Tags', members.get('tags', []))
    if isinstance(listed, dict):
        tags.update(listed)
    elif isinstance(listed, list):
        tags.update({t.get('Key', t.get('key')): t.get('Value', t.get('value', '')) for t in listed})
    return tags


def tag_context(tags: dict) -> dict:
    return {**{f'aws:requesttag/{k.lower()}': v for k, v in tags.items()}, **({'aws:tagkeys': list(tags)} if tags else {})}


def arn_of(ident: str) -> str:
    """Of an EC2 id, or what is an ARN already."""
    return ident if ident.startswith('arn:') else IDS[ident.split('-')[0]] + ident


def s3_wants(operation: str, members: dict) -> list[Want]:
    action = S3_ACTIONS.get(operation, operation)
    if 'versionId' in members and operation in VERSIONED:
        action = action.replace('Object', 'ObjectVersion')
    resource = expand(OBJECT if 'Key' in members else BUCKET, members)[0] if 'Bucket' in members else ANY
    wants = [Want(f's3:{action}', resource, {})]
    if operation == 'PutObject' and 'lock' in members:
        wants.append(Want('s3:PutObjectRetention', resource, {}))
    return wants


# Tagging what is being made is a permission of its own.
TAGGING = {'ec2': 'ec2:CreateTags', 'rds': 'rds:AddTagsToResource', 'ssm': 'ssm:AddTagsToResource', 'route53resolver': 'route53resolver:TagResource'}
TRANSACTION = {'Put': 'PutItem', 'Update': 'UpdateItem', 'Delete': 'DeleteItem', 'ConditionCheck': 'ConditionCheckItem'}
PASSES_ROLE = ('AssociateIamInstanceProfile', 'ReplaceIamInstanceProfileAssociation')


def wants(service: str, operation: str, members: dict) -> list[Want]:
    """R and A in the resources stand for region and account."""
    if service == 'sts':
        return []  # who one is may always be asked
    if service == 's3':
        return s3_wants(operation, members)
    action, tags = f'{service}:{operation.removesuffix("Batch") if service == "sqs" else operation}', tags_of(members)
    if operation in ('CreateTags', 'DeleteTags') and service == 'ec2':
        return [Want(action, arn_of(i), tag_context(tags)) for i in values(members, 'ResourceId')]
    if operation in ('ListTagsForResource', 'AddTagsToResource', 'RemoveTagsFromResource'):
        resource = next(str(members[k]) for k in ('ResourceName', 'ResourceARN', 'resourceArn', 'ResourceArn', 'ResourceId') if k in members)
        return [Want(action, resource if resource.startswith('arn:') else f'arn:aws:ssm:R:A:document/{resource}', tag_context(tags))]
    if ON_EVERYTHING.match(action):
        return [Want(action, ANY, {})]
    if operation == 'TransactWriteItems':  # each of its parts is allowed for itself
        return [Want('dynamodb:' + TRANSACTION[part], f'arn:aws:dynamodb:R:A:table/{item["TableName"]}', {})
                for entry in members['TransactItems'] for part, item in entry.items()]
    if operation == 'BatchGetItem':
        return [Want(action, f'arn:aws:dynamodb:R:A:table/{table}', {}) for table in members['RequestItems']]
    if service == 'sqs':
        return [Want(action, 'arn:aws:sqs:R:A:' + members['QueueUrl'].rsplit('/', 1)[-1], {})]
    out = [Want(action, arn, tag_context(tags)) for line in RESOURCES[operation.removesuffix('Batch')] for arn in expand(line, members)]
    if tags and service in TAGGING and operation.startswith('Create'):
        made = [w.resource for w in out if w.resource.endswith(('/*', ':*')) or 'snapshot' in w.resource or ':document/' in w.resource]
        out += [Want(TAGGING[service], arn, tag_context(tags)) for arn in made if '/vpc/' not in arn and ':volume/' not in arn]
    if operation in PASSES_ROLE:
        out.append(Want('iam:PassRole', 'arn:aws:iam::A:role/*', {'iam:passedtoservice': 'ec2.amazonaws.com'}))
    return out
